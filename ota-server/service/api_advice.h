// What refusals tell whoever must do something about them, where their place knows less than the
// request does.
#pragma once

#include "ota-server/service/api_exchange.h"

// The problem with its text. NOT_FOUND without one is about the id in the path: it names what is
// not there, the same for what is another's, and the list that shows what is. PERMISSION_DENIED
// begins with the text that clients look for, and goes on with what is missing.
struct api_problem api_advise(const struct api_exchange *x, struct api_problem problem);

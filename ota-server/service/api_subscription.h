// Subscriptions as the published interface shows them. Internal.
#pragma once

#include "ota-server/service/api_exchange.h"

// One object of the answer.
void api_subscription_put(struct api_exchange *x, const struct subscription *s);

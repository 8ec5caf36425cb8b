// How the trail names the objects that carry no personal data: as the API does, by their own ids.
// All others are pseudonyms there.
#pragma once

#include "ota-server/service/api_text.h"

// False for an object that is to be a pseudonym.
bool trail_name(const char *kind, uint64_t id, char text[API_ID_SIZE]) MUST_USE;

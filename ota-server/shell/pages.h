// The documents and pages that the server publishes, made from docs/openapi and ota-server/web when
// the program is built.
#pragma once

#include "ota-server/service/api.h"

extern const char server_openapi[], server_openapi_esim[];
extern const struct api_file server_pages[]; // ended by one without a path

// `ota-server import-file`: a vendor file as it came, out of what is kept of it.
#pragma once

#include "ota-server/shell/keyfile.h"
#include "ota-server/shell/settings.h"

// Writes it to a new file that only its owner can read. `import`: "imp_...". EXIT_SUCCESS or
// EXIT_FAILURE, with the reason on standard error. Works beside a server.
int body_command(const struct server_settings *settings, const struct server_keys *keys,
                 const char *import, const char *to);

// `ota-server rekey`: another master key for a data folder whose server does not run.
#pragma once

#include "ota-server/shell/keyfile.h"
#include "ota-server/shell/settings.h"

// Makes FILE.new, FILE being the key file, seals everything under it, and then puts it in the place
// of FILE, which becomes FILE.old. Stopped at any moment it goes on when it is run again; until it
// has ended the server refuses to start. The exit code; what went wrong is on standard error.
int rekey_run(const struct server_settings *settings, const struct server_keys *old);

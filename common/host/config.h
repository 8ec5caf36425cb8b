// A program's configuration file, read with libconfuse. The options are libconfuse's own table
// (<confuse.h>), with defaults; an unknown option or a wrong value is an error that names its line.
#pragma once

#include <confuse.h>
#include <stdbool.h>

#define CONFIG_ERROR_SIZE 320

// NULL and "file:line: reason" in `error` when the file cannot be read or is wrong. The result is
// given back with cfg_free(). One call at a time.
cfg_t *config_read(cfg_opt_t *options, const char *path, char error[CONFIG_ERROR_SIZE]);
// Reads the defaults only: for programs started without a file. NULL when there is no memory.
cfg_t *config_defaults(cfg_opt_t *options);
// Secrets come from files that only their owner can read: false when others can, or it is missing.
bool config_is_private(const char *path);

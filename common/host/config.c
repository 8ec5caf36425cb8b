#include "common/host/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// libconfuse reports through a function without a context: what is read, and where the text goes.
static const char *reading;
static char *report;

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *config, const char *format,
                                                           va_list arguments)
{
    if (!report || report[0] != '\0')
        return; // the first error is the one that counts
    char reason[CONFIG_ERROR_SIZE / 2];
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    (void)snprintf(report, CONFIG_ERROR_SIZE, "%.128s:%d: %s", reading, config ? config->line : 0,
                   reason);
}

cfg_t *config_defaults(cfg_opt_t *options)
{
    return cfg_init(options, CFGF_NONE);
}

cfg_t *config_read(cfg_opt_t *options, const char *path, char error[CONFIG_ERROR_SIZE])
{
    error[0] = '\0';
    cfg_t *config = cfg_init(options, CFGF_NONE);
    if (!config) {
        (void)snprintf(error, CONFIG_ERROR_SIZE, "%.128s: no memory", path);
        return NULL;
    }
    reading = path;
    report = error;
    (void)cfg_set_error_function(config, on_error);
    int result = cfg_parse(config, path);
    int cause = errno;
    report = NULL;
    if (result == CFG_SUCCESS)
        return config;
    if (result == CFG_FILE_ERROR)
        (void)snprintf(error, CONFIG_ERROR_SIZE, "%.128s: %.128s", path, strerror(cause));
    else if (error[0] == '\0')
        (void)snprintf(error, CONFIG_ERROR_SIZE, "%.128s: not a configuration", path);
    (void)cfg_free(config);
    return NULL;
}

bool config_is_private(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 077) == 0 &&
           about.st_uid == geteuid();
}

#include "ota-server/shell/reload.h"

#include "common/host/clock.h"

#include <sys/stat.h>

// 0: there is none.
static int64_t changed_at(const char *path)
{
    struct stat s;
    if (path == NULL || stat(path, &s) != 0)
        return 0;
    return (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
}

static void tell(const struct server_reload *r, const char *part, bool ok, const char *reason)
{
    log_begin(r->log, ok ? LOG_INFO : LOG_WARN, clock_utc(), ok ? "reload.done" : "reload.refused");
    log_string(r->log, "part", part);
    if (!ok)
        log_string(r->log, "reason", reason);
    log_end(r->log);
}

static void reload_listener(const struct server_reload *r)
{
    const struct server_tls *s = &r->settings->tls;
    const struct tls_options options = {.is_server = true,
                                        .certificate_file = s->certificate_file,
                                        .key_file = s->key_file,
                                        .ca_file = s->ca_file};
    char reason[TLS_REASON_SIZE] = "";
    const bool ok = http_tls_reload(r->tls, &options, reason);
    tell(r, "listen", ok, reason);
}

void server_reload_init(struct server_reload *r)
{
    r->config_changed_ns = changed_at(r->settings->config);
}

void server_reload(void *context)
{
    const struct server_reload *r = context;
    if (r->tls != NULL)
        reload_listener(r);
    for (unsigned i = 0; i < r->settings->smsc_count; i++) {
        char reason[SERVER_SETTINGS_ERROR_SIZE] = "";
        const bool ok = server_links_reload(r->links, i, reason);
        tell(r, r->settings->smscs[i].name, ok, reason);
    }
    if (changed_at(r->settings->config) == r->config_changed_ns)
        return;
    log_begin(r->log, LOG_WARN, clock_utc(), "reload.needs_restart");
    log_string(r->log, "file", r->settings->config);
    log_end(r->log);
}

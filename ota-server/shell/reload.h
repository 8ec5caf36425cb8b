// What the server reads anew while it runs, when SIGHUP asks for it: the certificate, key and CA of
// the listener, and the password file and certificates of each link. What is open goes on as it is:
// they are for the next connection. The log tells of each; of a configuration file that has changed
// it says that it wants a restart.
#pragma once

#include "common/host/http_tls.h"
#include "ota-server/shell/links.h"

struct server_reload {
    const struct server_settings *settings;
    struct http_tls *tls; // NULL: none
    struct server_links *links;
    struct log *log;
    int64_t config_changed_ns; // when the configuration file was, at the start
};

void server_reload_init(struct server_reload *r);
// `context` is a struct server_reload.
void server_reload(void *context);

// The server's links to SMSCs: one ESME for each `smsc` of the configuration, and the outbox behind
// them.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/shell/settings.h"
#include "smpp/shell/esme.h"

struct server_links;

struct server_links_options {
    struct loop *loop;
    struct net *net;
    const struct server_settings *settings; // must outlive the links
    struct log *log;
};

// Connects at once. False, with a reason, when memory is missing or a certificate cannot be read:
// what there is in *links is to be closed all the same. Open it after what commits has added its
// turn end.
bool server_links_open(const struct server_links_options *options, struct server_links **links,
                       char error[TLS_REASON_SIZE]) MUST_USE;
// The port for outbox_open(), and then the outbox that hears of everything. Before the first turn.
struct outbox_port server_links_port(struct server_links *l);
void server_links_attach(struct server_links *l, struct outbox *outbox);
// Reads the password file and the certificates of the smsc with this index anew, for the next time
// that its link connects. False, with a reason: what could not be read stays as it was.
bool server_links_reload(struct server_links *l, unsigned index,
                         char error[SERVER_SETTINGS_ERROR_SIZE]) MUST_USE;
// Unbinds all; see server_links_bound().
void server_links_unbind(struct server_links *l);
// How many are bound, unbinding ones included until they are closed.
unsigned server_links_bound(const struct server_links *l);
// Only after net_close_all().
void server_links_close(struct server_links *l);
// Members "links" and "outbox" of an object: states, windows, rates, counts. No passwords.
void server_links_put(const struct server_links *l, struct json_writer *j);
// The same for /metrics.
void server_links_metrics(const struct server_links *l, struct writer *w);

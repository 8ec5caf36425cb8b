#include "smpp/shell/esme.h"

#include "smpp/core/reconnect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 16384u
#define OUTPUT_MAX 65536u
#define OWED 1000u
#define CONNECT_MS 10000
#define HOST_SIZE 256 // a domain name [RFC 1035 §2.3.4], and a zero

struct esme {
    struct loop *loop;
    struct net *net;
    struct log *log;
    struct esme_config config;
    const struct esme_handler *handler;
    void *context;
    struct net_stream *stream; // NULL: not connected, nor connecting
    struct smpp_session session;
    struct loop_timer timer; // of the session, or of the next try
    struct loop_turn_end turn_end;
    struct smpp_reconnect reconnect;
    struct prng chance;
    uint32_t connections;
    uint32_t times_bound;
    uint32_t waiting_len; // octets that the session could not take yet
    bool is_open;         // the session lives
    bool is_bound;
    bool is_unbinding; // and will not come back
    char tls_name[HOST_SIZE];
    struct smpp_pending *window;
    struct smpp_owed owed[OWED];
    uint8_t input[SMPP_PDU_LEN_MAX];
    uint8_t output[OUTPUT_MAX];
    uint8_t waiting[READ_MAX];
};

static void log_esme(struct esme *e, enum log_level level, const char *event, const char *reason)
{
    log_begin(e->log, level, loop_utc(e->loop), event);
    log_string(e->log, "smsc", e->config.address);
    if (reason != NULL)
        log_string(e->log, "reason", reason);
    log_end(e->log);
}

static const char *close_reason(const struct smpp_event *event)
{
    static const char *const NAMES[] = {
        [SMPP_CLOSE_NONE] = "none",
        [SMPP_CLOSE_UNBOUND] = "unbound",
        [SMPP_CLOSE_REFUSED] = "bind refused",
        [SMPP_CLOSE_BIND_TIMEOUT] = "no answer to bind",
        [SMPP_CLOSE_PDU_TIMEOUT] = "a PDU did not end",
        [SMPP_CLOSE_SILENT] = "no answer to enquire_link",
        [SMPP_CLOSE_FRAMING] = "command_length cannot be right",
        [SMPP_CLOSE_DISCONNECTED] = "connection lost",
    };
    return event->reason == SMPP_CLOSE_REFUSED ? smpp_status_name(event->status)
                                               : NAMES[event->reason];
}

static void handle_event(struct esme *e, const struct smpp_event *event)
{
    switch (event->type) {
    case SMPP_EVENT_BOUND:
        e->is_bound = true;
        e->times_bound++;
        smpp_reconnect_succeeded(&e->reconnect);
        log_esme(e, LOG_INFO, "smpp.bound", NULL);
        if (e->handler->bound != NULL)
            e->handler->bound(e->context, e);
        break;
    case SMPP_EVENT_REQUEST:
        e->handler->request(e->context, e, event);
        break;
    case SMPP_EVENT_RESPONSE:
        e->handler->response(e->context, e, event->tag, &event->pdu);
        break;
    case SMPP_EVENT_UNKNOWN:
        e->handler->unknown(e->context, e, event->tag);
        break;
    case SMPP_EVENT_CLOSED:
        log_esme(e, e->is_unbinding ? LOG_INFO : LOG_WARN, "smpp.closed", close_reason(event));
        e->is_open = false;
        break;
    case SMPP_EVENT_BIND:
    case SMPP_EVENT_NOTICE:
        break;
    }
}

static void write_output(struct esme *e)
{
    struct bytes out = bytes_slice(smpp_session_output(&e->session), 0, net_room(e->stream));
    if (out.len > 0 && net_write(e->stream, out))
        smpp_session_written(&e->session, out.len);
}

static void handle_session(struct esme *e)
{
    struct smpp_event event;
    bool was_open = e->is_open;
    while (smpp_session_next(&e->session, &event))
        handle_event(e, &event);
    if (was_open && !e->is_open && e->stream != NULL) {
        write_output(e);
        net_finish(e->stream);
    }
}

// Gives the session as much as it takes. Says how much.
static size_t feed(struct esme *e, struct bytes octets)
{
    size_t taken = 0;
    while (taken < octets.len && e->is_open) {
        size_t now = smpp_session_receive(&e->session, bytes_slice(octets, taken, octets.len));
        taken += now;
        handle_session(e);
        if (now == 0)
            break;
    }
    return taken;
}

static void octets_came(void *context, struct net_stream *stream, struct bytes octets)
{
    struct esme *e = context;
    if (!e->is_open)
        return;
    smpp_session_tick(&e->session, loop_now(e->loop));
    size_t taken = feed(e, octets);
    if (taken == octets.len || !e->is_open)
        return;
    e->waiting_len = (uint32_t)(octets.len - taken);
    memcpy(e->waiting, octets.at + taken, e->waiting_len);
    net_pause(stream);
}

static void opened(void *context, struct net_stream *stream)
{
    struct esme *e = context;
    const struct smpp_session_config config = {
        .role = SMPP_ESME,
        .connection = ++e->connections,
        .response_ms = e->config.response_ms,
        .enquire_ms = e->config.enquire_ms,
        .window = e->window,
        .window_size = e->config.window,
        .owed = e->owed,
        .owed_size = OWED,
        .input = e->input,
        .input_size = sizeof e->input,
        .output = e->output,
        .output_size = sizeof e->output,
    };
    const struct smpp_bind bind = {
        .system_id = bytes_of_text(e->config.system_id),
        .password = bytes_of_text(e->config.password),
        .system_type = bytes_of_text(e->config.system_type),
        .interface_version = 0x34,
        .address_range = bytes_of_text(e->config.address_range),
    };
    smpp_session_init(&e->session, &config, loop_now(e->loop));
    e->is_open = true;
    e->waiting_len = 0;
    // What cannot be sent is a text too long for SMPP: the configuration's mistake, told and
    // retried.
    if (smpp_session_bind(&e->session, e->config.type, &bind) != SMPP_SEND_OK) {
        log_esme(e, LOG_ERROR, "smpp.bind_impossible", "system_id, password or range is too long");
        net_close(stream);
    }
    loop_wake(e->loop);
}

static void closed(void *context, struct net_stream *stream, enum net_end end)
{
    struct esme *e = context;
    if (e->connections == 0 || !e->is_open || end == NET_END_TLS)
        log_esme(e, LOG_WARN, end == NET_END_TLS ? "smpp.tls_refused" : "smpp.disconnected",
                 net_end_reason(stream));
    e->stream = NULL;
    if (e->is_open) {
        smpp_session_disconnected(&e->session);
        handle_session(e);
    }
    e->is_open = false;
    e->is_bound = false;
    if (!e->is_unbinding)
        loop_timer_set(&e->timer,
                       smpp_reconnect_next(&e->reconnect, &e->chance, loop_now(e->loop)));
    if (e->handler->lost != NULL)
        e->handler->lost(e->context, e);
}

static void try_later(struct esme *e, const char *reason)
{
    log_esme(e, LOG_WARN, "smpp.cannot_connect", reason);
    loop_timer_set(&e->timer, smpp_reconnect_next(&e->reconnect, &e->chance, loop_now(e->loop)));
}

static void connect_now(struct esme *e)
{
    static const struct net_handler HANDLER = {
        .opened = opened, .octets = octets_came, .closed = closed};
    const struct net_limits limits = {.read_max = READ_MAX,
                                      .output_max = 2 * OUTPUT_MAX,
                                      .stream_max = 1,
                                      .tls = e->config.tls,
                                      .tls_name = e->tls_name};
    struct net_address address;
    enum net_error result = net_resolve(e->config.address, &address);
    if (result != NET_OK) {
        try_later(e, net_error_name(result));
        return;
    }
    e->stream = net_connect(e->net, &address, &limits, CONNECT_MS, &HANDLER, e);
    if (e->stream == NULL)
        try_later(e, net_error_name(NET_NO_RESOURCES));
}

static void timer_due(void *context, struct instant now)
{
    struct esme *e = context;
    (void)now;
    if (e->stream == NULL && !e->is_unbinding)
        connect_now(e);
    loop_wake(e->loop);
}

static void turn_end(void *context, struct instant now)
{
    struct esme *e = context;
    if (!e->is_open)
        return;
    smpp_session_tick(&e->session, now);
    if (e->waiting_len > 0) {
        size_t taken = feed(e, bytes_of(e->waiting, e->waiting_len));
        e->waiting_len -= (uint32_t)taken;
        memmove(e->waiting, e->waiting + taken, e->waiting_len);
        if (e->waiting_len == 0 && e->is_open)
            net_resume(e->stream);
    }
    handle_session(e);
    if (!e->is_open)
        return;
    write_output(e);
    loop_timer_set(&e->timer, smpp_session_deadline(&e->session));
}

// Whom TLS must meet: what was asked for, or the host of the address, without brackets.
static void set_name(struct esme *e)
{
    const char *asked = e->config.tls_name != NULL ? e->config.tls_name : "";
    const bool has_brackets = e->config.address[0] == '[';
    const char *host = e->config.address + has_brackets;
    const char *end = has_brackets ? strchr(host, ']') : strrchr(host, ':');
    const size_t len = end != NULL ? (size_t)(end - host) : strlen(host);
    (void)snprintf(e->tls_name, sizeof e->tls_name, "%.*s", (int)len, host);
    if (asked[0] != '\0')
        (void)snprintf(e->tls_name, sizeof e->tls_name, "%s", asked);
}

struct esme *esme_open(struct loop *loop, struct net *net, const struct esme_config *config,
                       const struct esme_handler *handler, void *context, struct log *log)
{
    struct esme *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->loop = loop;
    e->net = net;
    e->log = log;
    e->config = *config;
    e->handler = handler;
    e->context = context;
    set_name(e);
    prng_init(&e->chance, config->seed, "esme", 0);
    e->window = calloc(config->window, sizeof *e->window);
    if (e->window == NULL || !loop_timer_open(&e->timer, loop, timer_due, e)) {
        free(e->window);
        free(e);
        return NULL;
    }
    e->turn_end = (struct loop_turn_end){.end = turn_end, .context = e};
    loop_turn_end_add(loop, &e->turn_end);
    connect_now(e);
    return e;
}

void esme_close(struct esme *e)
{
    loop_timer_close(&e->timer);
    loop_turn_end_remove(e->loop, &e->turn_end);
    free(e->window);
    free(e);
}

void esme_unbind(struct esme *e)
{
    e->is_unbinding = true;
    if (e->is_open)
        smpp_session_unbind(&e->session);
    else if (e->stream != NULL)
        net_close(e->stream);
    loop_wake(e->loop);
}

bool esme_is_bound(const struct esme *e)
{
    return e->is_bound && e->is_open && e->session.state == SMPP_STATE_BOUND;
}

size_t esme_room(const struct esme *e)
{
    return esme_is_bound(e) ? smpp_session_free(&e->session) : 0;
}

enum smpp_send esme_send(struct esme *e, const struct smpp_pdu *request, uint64_t tag)
{
    if (!esme_is_bound(e))
        return SMPP_SEND_NOT_BOUND;
    loop_wake(e->loop);
    return smpp_session_request(&e->session, request, tag);
}

void esme_accept(struct esme *e, uint64_t handle, uint32_t status)
{
    if (!e->is_open)
        return;
    if (smpp_session_accept(&e->session, handle, status, bytes_of(NULL, 0)) ==
        SMPP_SEND_OUTPUT_FULL)
        net_close(e->stream); // a peer that does not read: it will ask again on the next link
    loop_wake(e->loop);
}

const struct smpp_counts *esme_counts(const struct esme *e)
{
    return &e->session.counts;
}

const char *esme_address(const struct esme *e)
{
    return e->config.address;
}

uint32_t esme_times_bound(const struct esme *e)
{
    return e->times_bound;
}

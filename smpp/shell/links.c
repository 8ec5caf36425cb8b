#include "smpp/shell/links.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 16384u
#define OUTPUT_MAX 65536u
#define OWED 1000u
#define LEAVE_MS 2000u   // for the peer to read our last word and end too
#define UNBOUND_SHARE 4u // one address holds a fourth of the seats without a bind, at most
#define UNBOUND_MIN 4u
#define REFUSALS 64u // remembered refused binds
#define REFUSALS_MAX 10u
#define REFUSAL_MS 10000u // so many of one address in so long: it has to wait

// One connection and the memory of its session.
struct link_seat {
    struct net_stream *stream;
    struct pcap_flow flow;
    uint32_t connections; // how many used this seat
    uint32_t waiting_len; // octets that the session could not take yet
    bool is_leaving;      // closed by us; waits for the end of the stream
    struct instant leave_by;
    char host[NET_ADDRESS_TEXT_SIZE]; // of the peer, without its port
    struct smpp_pending *window;
    struct smpp_owed owed[OWED];
    uint8_t input[SMPP_PDU_LEN_MAX];
    uint8_t output[OUTPUT_MAX];
    uint8_t waiting[READ_MAX];
};

// A bind that was refused: whoever tries passwords has many.
struct refusal {
    char host[NET_ADDRESS_TEXT_SIZE];
    struct instant until;
};

struct links {
    struct loop *loop;
    struct net *net;
    struct net_listener *listener;
    struct net_listener *tls_listener; // NULL: none
    struct tls *tls;
    struct loop_turn_end turn_end;
    struct loop_timer timer;
    struct log *log;
    FILE *pcap;
    const struct settings *settings;
    struct link_seat *seats;
    struct smsc_link *smsc_links;
    struct smpp_pending *windows;
    struct smsc_queue queue;
    struct smsc_faults faults;
    struct smsc smsc;
    size_t count;
    struct refusal refusals[REFUSALS];
    uint32_t refusal_next;
    struct instant start;
    struct utc start_utc;
};

// The messages' clock: starts with the program and runs at the speed that was asked for.
static struct instant clock_now(const struct links *l)
{
    double real_ms = (double)(loop_now(l->loop).ms - l->start.ms);
    return instant_after(l->start, (uint64_t)(real_ms * l->settings->speed));
}

static struct utc clock_utc_now(const struct links *l)
{
    return utc_after(l->start_utc, (int64_t)(clock_now(l).ms - l->start.ms));
}

// The instant of the loop's clock at which the messages' clock shows `at`, or a little later.
static struct instant real_instant(const struct links *l, struct instant at)
{
    if (at.ms == INSTANT_NEVER.ms || at.ms <= l->start.ms)
        return at;
    return instant_after(l->start,
                         (uint64_t)((double)(at.ms - l->start.ms) / l->settings->speed) + 1);
}

static void tick(struct links *l)
{
    smsc_tick(&l->smsc, clock_now(l), clock_utc_now(l));
}

static uint32_t seat_of(const struct links *l, const struct net_stream *stream)
{
    for (uint32_t i = 0; i < l->settings->link_max; i++)
        if (l->seats[i].stream == stream)
            return i;
    return SMSC_NONE;
}

static void log_link(struct links *l, enum log_level level, const char *event, uint32_t link,
                     const char *reason)
{
    log_begin(l->log, level, loop_utc(l->loop), event);
    log_number(l->log, "link", link);
    if (reason != NULL)
        log_string(l->log, "reason", reason);
    log_end(l->log);
}

static void peer_host(const struct net_stream *stream, char host[NET_ADDRESS_TEXT_SIZE])
{
    struct net_address address;
    net_peer(stream, &address);
    net_address_format(&address, host);
    char *port = strrchr(host, ':');
    if (port != NULL)
        *port = '\0';
}

// Whether this address may have one more connection. Those of others go on meanwhile.
static bool is_welcome(const struct links *l, const char *host)
{
    const uint32_t share = l->settings->link_max / UNBOUND_SHARE;
    uint32_t unbound = 0;
    uint32_t refused = 0;
    for (uint32_t i = 0; i < l->settings->link_max; i++)
        unbound += l->seats[i].stream != NULL && strcmp(l->seats[i].host, host) == 0 &&
                   (l->seats[i].is_leaving || !l->smsc_links[i].has_account);
    for (uint32_t i = 0; i < REFUSALS; i++)
        refused += strcmp(l->refusals[i].host, host) == 0 &&
                   !instant_is_due(l->refusals[i].until, loop_now(l->loop));
    return unbound < (share > UNBOUND_MIN ? share : UNBOUND_MIN) && refused < REFUSALS_MAX;
}

static void opened(void *context, struct net_stream *stream)
{
    struct links *l = context;
    char host[NET_ADDRESS_TEXT_SIZE];
    peer_host(stream, host);
    const uint32_t free_at = seat_of(l, NULL);
    if (free_at == SMSC_NONE || !is_welcome(l, host)) {
        net_close(stream); // it never gets a seat
        return;
    }
    tick(l);
    struct link_seat *seat = &l->seats[free_at];
    // Sessions live on the messages' clock too, but a peer's patience is real.
    const uint32_t speed = (uint32_t)l->settings->speed;
    const struct smpp_session_config config = {
        .connection = ++seat->connections,
        .bind_ms = 10000 * speed,
        .pdu_ms = 10000 * speed,
        .enquire_ms = 30000 * speed,
        .response_ms = 30000 * speed,
        .unbind_ms = 10000 * speed,
        .window = seat->window,
        .window_size = l->settings->window,
        .owed = seat->owed,
        .owed_size = OWED,
        .input = seat->input,
        .input_size = sizeof seat->input,
        .output = seat->output,
        .output_size = sizeof seat->output,
    };
    // Seats and links are freed together, so the first free link is that of the first free seat.
    uint32_t link = smsc_link_open(&l->smsc, &config);
    check(link == free_at);
    seat->stream = stream;
    seat->waiting_len = 0;
    seat->is_leaving = false;
    memcpy(seat->host, host, sizeof host);
    l->count++;
    log_link(l, LOG_INFO, "smpp.connected", link, NULL);
}

static void leave(struct links *l, uint32_t link)
{
    struct link_seat *seat = &l->seats[link];
    struct smpp_session *session = smsc_session(&l->smsc, link);
    struct bytes last = smpp_session_output(session);
    if (seat->is_leaving)
        return;
    seat->is_leaving = true;
    seat->leave_by = instant_after(loop_now(l->loop), LEAVE_MS);
    if (session->close_reason == SMPP_CLOSE_REFUSED) {
        struct refusal *r = &l->refusals[l->refusal_next++ % REFUSALS];
        memcpy(r->host, seat->host, sizeof r->host);
        r->until = instant_after(loop_now(l->loop), REFUSAL_MS);
    }
    // A cut ends as a broken connection does: what was not written yet is lost.
    if (l->smsc_links[link].is_cut) {
        net_close(seat->stream);
        return;
    }
    if (net_write(seat->stream, last) && l->pcap != NULL)
        pcap_write(l->pcap, &seat->flow, link, false, last, loop_utc(l->loop));
    net_finish(seat->stream);
}

// Gives the session as much as it takes, and has it handled. Says how much was taken.
static size_t feed(struct links *l, uint32_t link, struct bytes octets)
{
    struct smpp_session *session = smsc_session(&l->smsc, link);
    size_t taken = 0;
    while (taken < octets.len && !l->seats[link].is_leaving) {
        size_t now = smpp_session_receive(session, bytes_slice(octets, taken, octets.len));
        taken += now;
        if (!smsc_link_handle(&l->smsc, link))
            leave(l, link);
        if (now == 0)
            break;
    }
    return taken;
}

static void octets_came(void *context, struct net_stream *stream, struct bytes octets)
{
    struct links *l = context;
    uint32_t link = seat_of(l, stream);
    if (link == SMSC_NONE)
        return;
    struct link_seat *seat = &l->seats[link];
    tick(l);
    if (l->pcap != NULL)
        pcap_write(l->pcap, &seat->flow, link, true, octets, loop_utc(l->loop));
    size_t taken = feed(l, link, octets);
    if (taken == octets.len || seat->is_leaving)
        return;
    seat->waiting_len = (uint32_t)(octets.len - taken);
    memcpy(seat->waiting, octets.at + taken, seat->waiting_len);
    net_pause(stream);
}

static void closed(void *context, struct net_stream *stream, enum net_end end)
{
    struct links *l = context;
    uint32_t link = seat_of(l, stream);
    if (end == NET_END_TLS)
        log_link(l, LOG_WARN, "smpp.tls_refused", link, net_end_reason(stream));
    if (link == SMSC_NONE)
        return;
    tick(l);
    smsc_link_gone(&l->smsc, link);
    l->seats[link].stream = NULL;
    l->count--;
    log_link(l, LOG_INFO, "smpp.disconnected", link, net_end_name(end));
    loop_wake(l->loop); // what was in flight can go elsewhere
}

static void retry_waiting(struct links *l, uint32_t link)
{
    struct link_seat *seat = &l->seats[link];
    size_t taken = feed(l, link, bytes_of(seat->waiting, seat->waiting_len));
    seat->waiting_len -= (uint32_t)taken;
    memmove(seat->waiting, seat->waiting + taken, seat->waiting_len);
    if (seat->waiting_len == 0 && !seat->is_leaving)
        net_resume(seat->stream);
}

static void write_link(struct links *l, uint32_t link)
{
    struct link_seat *seat = &l->seats[link];
    struct smpp_session *session = smsc_session(&l->smsc, link);
    struct bytes out = bytes_slice(smpp_session_output(session), 0, net_room(seat->stream));
    if (out.len == 0 || !net_write(seat->stream, out))
        return;
    if (l->pcap != NULL)
        pcap_write(l->pcap, &seat->flow, link, false, out, loop_utc(l->loop));
    smpp_session_written(session, out.len);
}

// The real time at which a peer that was told to leave has had its time; NEVER when none was.
static struct instant show_out(struct links *l, struct instant now)
{
    struct instant next = INSTANT_NEVER;
    for (uint32_t i = 0; i < l->settings->link_max; i++) {
        struct link_seat *seat = &l->seats[i];
        if (seat->stream == NULL || !seat->is_leaving)
            continue;
        if (instant_is_due(seat->leave_by, now))
            net_close(seat->stream);
        else
            next = instant_earlier(next, seat->leave_by);
    }
    return next;
}

static void turn_end(void *context, struct instant now)
{
    struct links *l = context;
    tick(l);
    for (uint32_t i = 0; i < l->settings->link_max; i++) {
        struct link_seat *seat = &l->seats[i];
        if (seat->stream == NULL || seat->is_leaving)
            continue;
        if (seat->waiting_len > 0)
            retry_waiting(l, i);
        if (!seat->is_leaving && !smsc_link_handle(&l->smsc, i))
            leave(l, i);
    }
    smsc_pump(&l->smsc);
    for (uint32_t i = 0; i < l->settings->link_max; i++)
        if (l->seats[i].stream != NULL && !l->seats[i].is_leaving)
            write_link(l, i);
    const struct instant leaving = show_out(l, now);
    loop_timer_set(&l->timer, instant_earlier(leaving, real_instant(l, smsc_deadline(&l->smsc))));
}

static void timer_due(void *context, struct instant now)
{
    (void)now;
    loop_wake(((struct links *)context)->loop);
}

static bool take_memory(struct links *l)
{
    const struct settings *s = l->settings;
    l->seats = calloc(s->link_max, sizeof *l->seats);
    l->smsc_links = calloc(s->link_max, sizeof *l->smsc_links);
    l->windows = calloc((size_t)s->link_max * s->window, sizeof *l->windows);
    l->queue.message_count = s->queue_max;
    l->queue.timer_count = 4 * s->queue_max;
    l->queue.messages = calloc(s->queue_max, sizeof *l->queue.messages);
    l->queue.mailboxes = calloc(s->queue_max, sizeof *l->queue.mailboxes);
    l->queue.buckets = calloc(s->queue_max, sizeof *l->queue.buckets);
    l->queue.timers = calloc(l->queue.timer_count, sizeof *l->queue.timers);
    if (l->seats == NULL || l->smsc_links == NULL || l->windows == NULL ||
        l->queue.messages == NULL || l->queue.mailboxes == NULL || l->queue.buckets == NULL ||
        l->queue.timers == NULL)
        return false;
    for (uint32_t i = 0; i < s->link_max; i++)
        l->seats[i].window = l->windows + (size_t)i * s->window;
    return true;
}

static void start_smsc(struct links *l)
{
    const struct settings *s = l->settings;
    smsc_queue_init(&l->queue);
    smsc_faults_init(&l->faults, s->seed);
    for (size_t i = 0; i < s->rule_count; i++)
        check(smsc_faults_add(&l->faults, &s->rules[i]) != 0);
    const struct smsc_config config = {
        .accounts = s->accounts,
        .account_count = s->account_count,
        .routes = s->routes,
        .route_count = s->route_count,
        .links = l->smsc_links,
        .link_count = s->link_max,
        .validity_s = s->validity_s,
        .retry_first_ms = s->retry_first_ms,
        .retry_max_ms = s->retry_max_ms,
        .range_is_ordered = true,
        .text_receipts_only = s->text_receipts_only,
        .hex_in_answers = s->hex_in_answers,
        .hex_in_receipts = s->hex_in_receipts,
    };
    smsc_init(&l->smsc, &config, &l->queue, &l->faults);
}

static bool listen_on(struct links *l, const char *where, struct tls *tls,
                      struct net_listener **listener, char error[SETTINGS_ERROR_SIZE])
{
    static const struct net_handler HANDLER = {
        .opened = opened, .octets = octets_came, .closed = closed};
    const struct net_limits limits = {.read_max = READ_MAX,
                                      .output_max = 2 * OUTPUT_MAX,
                                      .stream_max = l->settings->link_max,
                                      .tls = tls};
    struct net_address address;
    enum net_error result = net_resolve(where, &address);
    if (result == NET_OK)
        result = net_listen(l->net, &address, &limits, &HANDLER, l, listener);
    if (result != NET_OK)
        (void)snprintf(error, SETTINGS_ERROR_SIZE, "cannot listen on %s: %s", where,
                       net_error_name(result));
    return result == NET_OK;
}

static bool listen_with_tls(struct links *l, char error[SETTINGS_ERROR_SIZE])
{
    const struct settings *s = l->settings;
    const struct tls_options options = {.is_server = true,
                                        .certificate_file = s->tls_certificate_file,
                                        .key_file = s->tls_key_file,
                                        .ca_file = s->tls_ca_file};
    char reason[TLS_REASON_SIZE] = "not enough memory";
    if (s->tls_listen == NULL)
        return true;
    l->tls = tls_open(&options, reason);
    if (l->tls == NULL)
        (void)snprintf(error, SETTINGS_ERROR_SIZE, "%s", reason);
    return l->tls != NULL && listen_on(l, s->tls_listen, l->tls, &l->tls_listener, error);
}

static bool start_network(struct links *l, char error[SETTINGS_ERROR_SIZE])
{
    l->turn_end = (struct loop_turn_end){.end = turn_end, .context = l};
    loop_turn_end_add(l->loop, &l->turn_end);
    l->net = net_open(l->loop);
    if (l->net == NULL || !loop_timer_open(&l->timer, l->loop, timer_due, l)) {
        (void)snprintf(error, SETTINGS_ERROR_SIZE, "not enough memory");
        return false;
    }
    return listen_on(l, l->settings->listen, NULL, &l->listener, error) &&
           listen_with_tls(l, error);
}

struct links *links_open(struct loop *loop, const struct settings *settings, struct log *log,
                         FILE *pcap, char error[SETTINGS_ERROR_SIZE])
{
    struct links *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    *l = (struct links){.loop = loop, .settings = settings, .log = log, .pcap = pcap};
    if (!take_memory(l)) {
        (void)snprintf(error, SETTINGS_ERROR_SIZE, "not enough memory for %u messages and %u links",
                       settings->queue_max, settings->link_max);
        links_close(l);
        return NULL;
    }
    l->start = loop_now(loop);
    l->start_utc = loop_utc(loop);
    start_smsc(l);
    if (!start_network(l, error)) {
        links_close(l);
        return NULL;
    }
    return l;
}

void links_close(struct links *l)
{
    loop_timer_close(&l->timer);
    if (l->net != NULL)
        net_close_all(l->net);
    tls_close(l->tls);
    if (l->turn_end.end != NULL)
        loop_turn_end_remove(l->loop, &l->turn_end);
    free(l->seats);
    free(l->smsc_links);
    free(l->windows);
    free(l->queue.messages);
    free(l->queue.mailboxes);
    free(l->queue.buckets);
    free(l->queue.timers);
    free(l);
}

void links_unbind_all(struct links *l)
{
    net_listener_stop(l->listener);
    if (l->tls_listener != NULL)
        net_listener_stop(l->tls_listener);
    for (uint32_t i = 0; i < l->settings->link_max; i++)
        if (l->seats[i].stream != NULL)
            smpp_session_unbind(smsc_session(&l->smsc, i));
    loop_wake(l->loop);
}

size_t links_count(const struct links *l)
{
    return l->count;
}

void links_address(const struct links *l, char text[NET_ADDRESS_TEXT_SIZE])
{
    struct net_address address;
    net_listener_address(l->listener, &address);
    net_address_format(&address, text);
}

bool links_tls_address(const struct links *l, char text[NET_ADDRESS_TEXT_SIZE])
{
    struct net_address address;
    if (l->tls_listener == NULL)
        return false;
    net_listener_address(l->tls_listener, &address);
    net_address_format(&address, text);
    return true;
}

struct smsc *links_smsc(struct links *l)
{
    return &l->smsc;
}

const struct settings *links_settings(const struct links *l)
{
    return l->settings;
}

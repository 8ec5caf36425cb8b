#include "sim-emulator/shell/air.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/config.h"
#include "smpp/core/reconnect.h"
#include "smpp/core/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 16384 // messages of cards
#define WINDOW 100
#define OWED 100
#define BUFFER_LEN 65536
#define CONNECT_MS 10000
#define NOTHING UINT32_MAX
#define RETRY_MS 1000

// A message on its way to an SMSC.
struct air_message {
    uint32_t next; // in a list, or NOTHING
    uint8_t esm_class, pid, dcs;
    uint8_t len;
    char source[RADIO_DIGITS_SIZE];
    char recipient[PHONE_DIGITS_MAX + 1];
    uint8_t recipient_type;
    uint8_t octets[SMS_USER_DATA_MAX];
};

struct air_link {
    struct air *air;
    struct net_address address;
    struct net_stream *stream;
    struct smpp_session session;
    bool is_open; // the session lives
    bool is_bound;
    struct smpp_reconnect reconnect;
    struct instant connect_due;
    struct smpp_pending window[WINDOW];
    struct smpp_owed owed[OWED];
    uint8_t input[SMPP_PDU_LEN_MAX * 2];
    uint8_t output[BUFFER_LEN];
};

struct air {
    struct app *app;
    struct air_link links[OPTIONS_SMSC_MAX];
    unsigned link_count;
    char password[9];
    char range[41];
    struct prng chance;
    struct loop_timer timer;
    bool is_ending;
    struct air_counts counts;
    struct instant hold; // no submit_sm before, after the SMSC asked for a pause
    uint32_t first, last, free;
    struct air_message messages[WAITING_MAX];
};

// --- messages that wait ----------------------------------------------------------------------

static void append(struct air *air, uint32_t number)
{
    air->messages[number].next = NOTHING;
    if (air->first == NOTHING)
        air->first = number;
    else
        air->messages[air->last].next = number;
    air->last = number;
    air->counts.waiting++;
}

static void put_back(struct air *air, uint32_t number)
{
    air->messages[number].next = air->first;
    if (air->first == NOTHING)
        air->last = number;
    air->first = number;
    air->counts.waiting++;
}

static void release(struct air *air, uint32_t number)
{
    air->messages[number].next = air->free;
    air->free = number;
}

static struct air_message *take_free(struct air *air, uint32_t *number)
{
    *number = air->free;
    if (*number == NOTHING) {
        air->counts.dropped++;
        return NULL;
    }
    air->free = air->messages[*number].next;
    return &air->messages[*number];
}

void air_send(struct air *air, const struct fleet_message *message)
{
    struct sms_submit submit;
    struct phone recipient;
    if (sms_read_submit(message->tpdu, &submit) != SMS_OK ||
        !sms_address_phone(&submit.recipient, &recipient)) {
        air->counts.dropped++;
        return;
    }
    uint32_t number;
    struct air_message *m = take_free(air, &number);
    if (m == NULL)
        return;
    m->esm_class = submit.first & SMS_HEADER_PRESENT;
    m->pid = submit.pid;
    m->dcs = submit.dcs;
    m->len = (uint8_t)submit.user_data.len;
    memcpy(m->octets, submit.user_data.at, submit.user_data.len);
    radio_digits(message->source, m->source);
    m->recipient_type = recipient.type;
    memcpy(m->recipient, recipient.digits, sizeof m->recipient);
    append(air, number);
}

// The user data of a delivery report, as a message to whoever sent the message.
static void send_report(struct air *air, uint64_t source, const struct phone *recipient,
                        struct bytes report)
{
    uint32_t number;
    if (report.len == 0 || report.len > SMS_USER_DATA_MAX)
        return;
    struct air_message *m = take_free(air, &number);
    if (m == NULL)
        return;
    m->esm_class = SMS_HEADER_PRESENT;
    m->pid = SMS_PID_USIM_DATA_DOWNLOAD;
    m->dcs = SMS_DCS_CLASS_2_8BIT;
    m->len = (uint8_t)report.len;
    memcpy(m->octets, report.at, report.len);
    radio_digits(source, m->source);
    m->recipient_type = recipient->type;
    memcpy(m->recipient, recipient->digits, sizeof m->recipient);
    append(air, number);
}

struct air_counts air_counts(const struct air *air)
{
    return air->counts;
}

// --- towards the cards -----------------------------------------------------------------------

static uint32_t status_of(enum fleet_delivery delivery)
{
    switch (delivery) {
    case FLEET_ACCEPTED:
        return ESME_ROK;
    case FLEET_ABSENT:
    case FLEET_BUSY:
        return ESME_RX_T_APPN;
    case FLEET_REFUSED:
        return ESME_RX_R_APPN;
    case FLEET_UNKNOWN:
        break;
    }
    return ESME_RX_P_APPN;
}

static bool copy_digits(struct bytes from, char *to, size_t size)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memcpy(to, from.at, from.len);
    to[from.len] = 0;
    return true;
}

// A deliver_sm as the SMS-DELIVER that the network would send over the air.
static uint32_t deliver(struct air *air, const struct smpp_message *m)
{
    struct app *app = air->app;
    struct phone sender = {.type = PHONE_UNKNOWN};
    char digits[PHONE_DIGITS_MAX + 1];
    char number[RADIO_DIGITS_SIZE];
    bool is_shaped = copy_digits(m->source.digits, digits, sizeof digits) &&
                     phone_of_text(digits, &sender) &&
                     copy_digits(m->destination.digits, number, sizeof number) &&
                     m->short_message.len <= SMS_USER_DATA_MAX;
    if (!is_shaped)
        return ESME_RX_R_APPN;
    if (m->source.ton == 1)
        sender.type = PHONE_INTERNATIONAL;
    struct instant now = app_now(app);
    uint8_t time[SMS_TIME_LEN];
    sms_time_write(utc_after(app->fleet.world.start, (int64_t)now.ms), time);
    struct sms_address address = sms_address_of(&sender);
    struct sms_deliver sms = sms_deliver_packet(&address, time, m->short_message);
    sms.first = (uint8_t)(SMS_TYPE_DELIVER | (m->esm_class & SMS_HEADER_PRESENT));
    sms.pid = m->protocol_id;
    sms.dcs = m->data_coding;
    uint8_t tpdu[SMS_DELIVER_MAX];
    struct writer w = writer_of(tpdu, sizeof tpdu);
    sms_write_deliver(&w, &sms);
    if (w.failed)
        return ESME_RX_R_APPN;
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer report = writer_of(octets, sizeof octets);
    uint64_t identity = radio_identity(number);
    uint32_t device;
    enum fleet_delivery delivery =
        fleet_deliver(&app->fleet, identity, writer_bytes(&w), &report, now, &device);
    if (delivery == FLEET_ACCEPTED && app->options.reports)
        send_report(air, identity, &sender, writer_bytes(&report));
    air->counts.delivered++;
    app_reschedule(app);
    return status_of(delivery);
}

// --- a link ----------------------------------------------------------------------------------

static void bind_link(struct air_link *link)
{
    struct air *air = link->air;
    struct smpp_bind bind = {.system_id = bytes_of_text(air->app->options.system_id),
                             .password = bytes_of_text(air->password),
                             .system_type = bytes_of_text(""),
                             .interface_version = 0x34,
                             .addr_ton = 1,
                             .addr_npi = 1,
                             .address_range = bytes_of_text(air->range)};
    if (smpp_session_bind(&link->session, SMPP_TRX, &bind) != SMPP_SEND_OK)
        smpp_session_disconnected(&link->session);
}

// A submit_sm ended. What may yet succeed goes back to the front.
static void submit_ended(struct air *air, const struct smpp_event *event)
{
    uint32_t number = (uint32_t)event->tag;
    bool is_unknown = event->type == SMPP_EVENT_UNKNOWN;
    bool may_repeat = is_unknown || smpp_status_is_throttle(event->pdu.status) ||
                      event->pdu.status == ESME_RSYSERR;
    if (may_repeat) {
        put_back(air, number);
        if (!is_unknown)
            air->hold = instant_after(loop_now(air->app->loop), RETRY_MS);
        return;
    }
    if (event->pdu.status == ESME_ROK)
        air->counts.submitted++;
    else
        air->counts.refused++;
    release(air, number);
}

static void log_link(struct air_link *link, enum log_level level, const char *event,
                     const char *reason)
{
    struct log *log = &link->air->app->log;
    char address[NET_ADDRESS_TEXT_SIZE];
    net_address_format(&link->address, address);
    log_begin(log, level, loop_utc(link->air->app->loop), event);
    log_string(log, "smsc", address);
    if (reason != NULL)
        log_string(log, "reason", reason);
    log_end(log);
}

static void handle(struct air_link *link, const struct smpp_event *event)
{
    struct air *air = link->air;
    switch (event->type) {
    case SMPP_EVENT_BOUND:
        link->is_bound = true;
        air->counts.bound++;
        smpp_reconnect_succeeded(&link->reconnect);
        log_link(link, LOG_INFO, "smsc.bound", NULL);
        break;
    case SMPP_EVENT_REQUEST: {
        uint32_t status = ESME_RINVCMDID;
        // A receipt for a message of a card tells us nothing.
        if (event->pdu.command == SMPP_DELIVER_SM)
            status = (event->pdu.message.esm_class & 0x3C) == 0x04
                         ? ESME_ROK
                         : deliver(air, &event->pdu.message);
        if (smpp_session_accept(&link->session, event->handle, status, bytes_of(NULL, 0)) !=
            SMPP_SEND_OK)
            log_link(link, LOG_WARN, "smsc.answer_lost", NULL);
        break;
    }
    case SMPP_EVENT_RESPONSE:
    case SMPP_EVENT_UNKNOWN:
        submit_ended(air, event);
        break;
    case SMPP_EVENT_CLOSED:
        air->counts.bound -= link->is_bound;
        link->is_bound = false;
        link->is_open = false;
        if (link->stream != NULL)
            net_finish(link->stream);
        if (event->reason == SMPP_CLOSE_REFUSED)
            log_link(link, LOG_ERROR, "smsc.bind_refused", smpp_status_name(event->status));
        break;
    case SMPP_EVENT_BIND:
    case SMPP_EVENT_NOTICE:
        break;
    }
}

static void handle_all(struct air_link *link)
{
    struct smpp_event event;
    while (smpp_session_next(&link->session, &event))
        handle(link, &event);
}

static void flush(struct air_link *link)
{
    struct bytes out = smpp_session_output(&link->session);
    if (link->stream == NULL || out.len == 0)
        return;
    size_t room = net_room(link->stream);
    size_t len = out.len < room ? out.len : room;
    if (len > 0 && net_write(link->stream, bytes_of(out.at, len)))
        smpp_session_written(&link->session, len);
}

static void link_opened(void *context, struct net_stream *stream)
{
    struct air_link *link = context;
    (void)stream;
    struct smpp_session_config config = {.role = SMPP_ESME,
                                         .window = link->window,
                                         .window_size = WINDOW,
                                         .owed = link->owed,
                                         .owed_size = OWED,
                                         .input = link->input,
                                         .input_size = sizeof link->input,
                                         .output = link->output,
                                         .output_size = sizeof link->output};
    smpp_session_init(&link->session, &config, loop_now(link->air->app->loop));
    link->is_open = true;
    bind_link(link);
    flush(link);
}

static void link_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    struct air_link *link = context;
    (void)stream;
    if (!link->is_open)
        return;
    smpp_session_tick(&link->session, loop_now(link->air->app->loop));
    while (octets.len > 0 && link->is_open) {
        size_t taken = smpp_session_receive(&link->session, octets);
        octets = bytes_slice(octets, taken, octets.len);
        handle_all(link);
        flush(link);
        if (taken == 0) {
            // Our own answers do not drain: the peer does not read. Nothing grows here.
            net_close(link->stream);
            return;
        }
    }
}

static void link_closed(void *context, struct net_stream *stream, enum net_end end)
{
    struct air_link *link = context;
    (void)stream;
    link->stream = NULL;
    if (link->is_open) {
        smpp_session_disconnected(&link->session);
        handle_all(link);
        link->is_open = false;
    }
    struct air *air = link->air;
    link->connect_due =
        smpp_reconnect_next(&link->reconnect, &air->chance, loop_now(air->app->loop));
    if (air->is_ending)
        link->connect_due = INSTANT_NEVER;
    else
        log_link(link, LOG_WARN, "smsc.down", net_end_name(end));
    loop_wake(air->app->loop);
}

static void connect_link(struct air_link *link)
{
    static const struct net_handler handler = {
        .opened = link_opened, .octets = link_octets, .closed = link_closed};
    static const struct net_limits limits = {.read_max = 16384, .output_max = BUFFER_LEN};
    struct air *air = link->air;
    link->connect_due = INSTANT_NEVER;
    link->stream = net_connect(air->app->net, &link->address, &limits, CONNECT_MS, &handler, link);
    if (link->stream == NULL)
        link->connect_due =
            smpp_reconnect_next(&link->reconnect, &air->chance, loop_now(air->app->loop));
}

// --- the turn --------------------------------------------------------------------------------

static bool submit(struct air_link *link, uint32_t number)
{
    const struct air_message *m = &link->air->messages[number];
    struct smpp_pdu pdu = {.command = SMPP_SUBMIT_SM};
    pdu.message =
        (struct smpp_message){.source = {.ton = 1, .npi = 1, .digits = bytes_of_text(m->source)},
                              .destination = {.ton = m->recipient_type == PHONE_INTERNATIONAL,
                                              .npi = 1,
                                              .digits = bytes_of_text(m->recipient)},
                              .esm_class = m->esm_class,
                              .protocol_id = m->pid,
                              .data_coding = m->dcs,
                              .short_message = bytes_of(m->octets, m->len)};
    return smpp_session_request(&link->session, &pdu, number) == SMPP_SEND_OK;
}

static void submit_waiting(struct air_link *link)
{
    struct air *air = link->air;
    while (air->first != NOTHING && link->session.state == SMPP_STATE_BOUND &&
           smpp_session_free(&link->session) > 0) {
        uint32_t number = air->first;
        uint32_t next = air->messages[number].next;
        if (!submit(link, number))
            return;
        air->first = next;
        air->counts.waiting--;
    }
}

void air_turn(struct air *air)
{
    struct instant now = loop_now(air->app->loop);
    struct instant due = INSTANT_NEVER;
    bool may_submit = instant_is_due(air->hold, now);
    if (!may_submit && air->first != NOTHING)
        due = air->hold;
    for (unsigned i = 0; i < air->link_count; i++) {
        struct air_link *link = &air->links[i];
        if (link->stream == NULL && instant_is_due(link->connect_due, now))
            connect_link(link);
        due = instant_earlier(due, link->connect_due);
        if (!link->is_open)
            continue;
        smpp_session_tick(&link->session, now);
        handle_all(link);
        if (may_submit && link->is_open)
            submit_waiting(link);
        flush(link);
        if (link->is_open)
            due = instant_earlier(due, smpp_session_deadline(&link->session));
    }
    loop_timer_set(&air->timer, due);
}

static void timer_due(void *context, struct instant now)
{
    (void)context;
    (void)now; // the turn's end does the work
}

// --- opening ---------------------------------------------------------------------------------

static bool read_password(struct air *air, const char *path, char error[CARDS_ERROR_SIZE])
{
    if (path == NULL)
        return true;
    FILE *file = config_is_private(path) ? fopen(path, "r") : NULL;
    char line[64] = {0};
    bool ok = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        (void)fclose(file);
    line[strcspn(line, "\r\n")] = 0;
    ok = ok && strlen(line) < sizeof air->password;
    if (ok)
        memcpy(air->password, line, strlen(line) + 1);
    else
        (void)snprintf(error, CARDS_ERROR_SIZE,
                       "%s: must hold a password of up to 8 characters and be readable by its "
                       "owner only (chmod 600)",
                       path);
    secret_wipe(line, sizeof line);
    return ok;
}

// ^ and what all numbers begin with.
static void make_range(struct air *air)
{
    const struct cards *cards = &air->app->cards;
    size_t common = 0;
    if (cards->known_count > 0)
        common = strlen(cards->known[0].msisdn);
    for (uint32_t i = 1; i < cards->known_count; i++) {
        size_t same = 0;
        while (same < common && cards->known[i].msisdn[same] == cards->known[0].msisdn[same])
            same++;
        common = same;
    }
    (void)snprintf(air->range, sizeof air->range, "^%.*s", (int)common,
                   cards->known_count > 0 ? cards->known[0].msisdn : "");
}

struct air *air_open(struct app *app, char error[CARDS_ERROR_SIZE])
{
    struct air *air = calloc(1, sizeof *air);
    if (air == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory");
        return NULL;
    }
    const struct options *o = &app->options;
    air->app = app;
    air->first = NOTHING;
    air->free = NOTHING;
    for (uint32_t i = WAITING_MAX; i > 0; i--)
        release(air, i - 1);
    prng_init(&air->chance, o->seed, "reconnect", 0);
    bool ok = read_password(air, o->password_file, error);
    if (o->address_range != NULL)
        (void)snprintf(air->range, sizeof air->range, "%s", o->address_range);
    else
        make_range(air);
    for (; ok && air->link_count < o->smsc_count; air->link_count++) {
        struct air_link *link = &air->links[air->link_count];
        link->air = air;
        enum net_error failed = net_resolve(o->smsc[air->link_count], &link->address);
        ok = failed == NET_OK;
        if (!ok)
            (void)snprintf(error, CARDS_ERROR_SIZE, "%s: %s", o->smsc[air->link_count],
                           net_error_name(failed));
    }
    ok = ok && loop_timer_open(&air->timer, app->loop, timer_due, air);
    if (!ok) {
        free(air);
        return NULL;
    }
    return air;
}

void air_close(struct air *air)
{
    if (air == NULL)
        return;
    loop_timer_close(&air->timer);
    secret_wipe(air->password, sizeof air->password);
    free(air);
}

void air_unbind(struct air *air)
{
    air->is_ending = true;
    for (unsigned i = 0; i < air->link_count; i++) {
        air->links[i].connect_due = INSTANT_NEVER;
        if (air->links[i].is_open)
            smpp_session_unbind(&air->links[i].session);
        else if (air->links[i].stream != NULL)
            net_close(air->links[i].stream);
    }
}

bool air_is_down(const struct air *air)
{
    for (unsigned i = 0; i < air->link_count; i++) {
        if (air->links[i].stream != NULL)
            return false;
    }
    return true;
}

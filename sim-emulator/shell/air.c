#include "sim-emulator/shell/air.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/config.h"
#include "smpp/shell/esme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 16384 // messages of cards
#define WINDOW 100
#define NOTHING UINT32_MAX
#define RETRY_MS 1000 // of the cards' time

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

struct air {
    struct app *app;
    struct esme *links[OPTIONS_SMSC_MAX];
    unsigned link_count;
    char password[9];
    char range[41];
    struct air_counts counts;
    struct loop_timer timer; // of `hold`
    struct instant hold;     // no submit_sm before, after the SMSC asked for a pause
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
    struct air_counts counts = air->counts;
    for (unsigned i = 0; i < air->link_count; i++)
        counts.bound += esme_is_bound(air->links[i]);
    return counts;
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

// A deliver_sm as the SMS-DELIVER that the network would send over the air. The message is in
// short_message or, when that is empty, in message_payload [SMPP 3.4 §5.3.2.32].
static uint32_t deliver(struct air *air, const struct smpp_pdu *pdu)
{
    struct app *app = air->app;
    const struct smpp_message *m = &pdu->message;
    struct bytes user_data = m->short_message;
    if (user_data.len == 0)
        (void)smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &user_data);
    struct phone sender = {.type = PHONE_UNKNOWN};
    char digits[PHONE_DIGITS_MAX + 1];
    char number[RADIO_DIGITS_SIZE];
    bool is_shaped = copy_digits(m->source.digits, digits, sizeof digits) &&
                     phone_of_text(digits, &sender) &&
                     copy_digits(m->destination.digits, number, sizeof number) &&
                     user_data.len <= SMS_USER_DATA_MAX;
    if (!is_shaped)
        return ESME_RX_R_APPN;
    if (m->source.ton == 1)
        sender.type = PHONE_INTERNATIONAL;
    struct instant now = app_now(app);
    uint8_t time[SMS_TIME_LEN];
    sms_time_write(utc_after(app->fleet.world.start, (int64_t)now.ms), time);
    struct sms_address address = sms_address_of(&sender);
    struct sms_deliver sms = sms_deliver_packet(&address, time, user_data);
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

static void request(void *context, struct esme *e, const struct smpp_event *event)
{
    struct air *air = context;
    uint32_t status = ESME_RINVCMDID;
    // A receipt for a message of a card tells us nothing.
    if (event->pdu.command == SMPP_DELIVER_SM)
        status =
            (event->pdu.message.esm_class & 0x3C) == 0x04 ? ESME_ROK : deliver(air, &event->pdu);
    esme_accept(e, event->handle, status);
    loop_wake(air->app->loop);
}

// What may yet succeed goes back to the front.
static void response(void *context, struct esme *e, uint64_t tag, const struct smpp_pdu *pdu)
{
    (void)e;
    struct air *air = context;
    uint32_t number = (uint32_t)tag;
    loop_wake(air->app->loop);
    if (smpp_status_is_throttle(pdu->status) || pdu->status == ESME_RSYSERR) {
        put_back(air, number);
        const double hold_ms = RETRY_MS / air->app->options.speed;
        air->hold = instant_after(loop_now(air->app->loop), (uint64_t)hold_ms + 1);
        return;
    }
    if (pdu->status == ESME_ROK)
        air->counts.submitted++;
    else
        air->counts.refused++;
    release(air, number);
}

static void unknown(void *context, struct esme *e, uint64_t tag)
{
    (void)e;
    struct air *air = context;
    put_back(air, (uint32_t)tag);
}

static void bound(void *context, struct esme *e)
{
    (void)e;
    struct air *air = context;
    loop_wake(air->app->loop);
}

static bool submit(struct air *air, struct esme *e, uint32_t number)
{
    const struct air_message *m = &air->messages[number];
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
    return esme_send(e, &pdu, number) == SMPP_SEND_OK;
}

void air_turn(struct air *air)
{
    struct instant now = loop_now(air->app->loop);
    bool may_submit = instant_is_due(air->hold, now);
    for (unsigned i = 0; may_submit && i < air->link_count; i++) {
        while (air->first != NOTHING && esme_room(air->links[i]) > 0) {
            uint32_t number = air->first;
            uint32_t next = air->messages[number].next;
            if (!submit(air, air->links[i], number))
                break;
            air->first = next;
            air->counts.waiting--;
        }
    }
    loop_timer_set(&air->timer, may_submit ? INSTANT_NEVER : air->hold);
}

static void hold_is_over(void *context, struct instant now)
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

static bool open_link(struct air *air, const char *smsc, unsigned number)
{
    static const struct esme_handler handler = {
        .bound = bound, .request = request, .response = response, .unknown = unknown};
    struct app *app = air->app;
    struct esme_config config = {.address = smsc,
                                 .system_id = app->options.system_id,
                                 .password = air->password,
                                 .system_type = "",
                                 .address_range = air->range,
                                 .type = SMPP_TRX,
                                 .window = WINDOW,
                                 .seed = app->options.seed + number};
    struct esme *e = esme_open(app->loop, app->net, &config, &handler, air, &app->log);
    if (e == NULL)
        return false;
    air->links[air->link_count++] = e;
    return true;
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
    bool ok = read_password(air, o->password_file, error) &&
              loop_timer_open(&air->timer, app->loop, hold_is_over, air);
    if (o->address_range != NULL)
        (void)snprintf(air->range, sizeof air->range, "%s", o->address_range);
    else
        make_range(air);
    for (unsigned i = 0; ok && i < o->smsc_count; i++) {
        struct net_address address;
        enum net_error failed = net_resolve(o->smsc[i], &address);
        ok = failed == NET_OK && open_link(air, o->smsc[i], i);
        if (!ok)
            (void)snprintf(error, CARDS_ERROR_SIZE, "%s: %s", o->smsc[i],
                           net_error_name(failed == NET_OK ? NET_NO_RESOURCES : failed));
    }
    if (ok)
        return air;
    net_close_all(app->net);
    app->net = NULL;
    air_close(air);
    return NULL;
}

void air_close(struct air *air)
{
    if (air == NULL)
        return;
    for (unsigned i = 0; i < air->link_count; i++)
        esme_close(air->links[i]);
    loop_timer_close(&air->timer);
    secret_wipe(air->password, sizeof air->password);
    free(air);
}

void air_unbind(struct air *air)
{
    for (unsigned i = 0; i < air->link_count; i++)
        esme_unbind(air->links[i]);
}

bool air_is_down(const struct air *air)
{
    for (unsigned i = 0; i < air->link_count; i++) {
        if (esme_is_bound(air->links[i]))
            return false;
    }
    return true;
}

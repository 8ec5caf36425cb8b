#include "sim-emulator/shell/slots.h"

#include "common/base/check.h"
#include "common/host/clock.h"
#include "common/wire/pps.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_VPCD "127.0.0.1:35963"
#define VPCD_SLOTS 2 // that Debian's vpcd asks for
#define RETRY_MS 1000
#define CONNECT_MS 5000
#define LENGTH_LEN 2
#define HEADER_LEN 5 // of an APDU with data
#define MESSAGE_MAX 65535
#define LISTEN_TRIES 20
// Where nothing is to be said, and vpcd has to be told something: it waits for ever for a message
// of no octets, and stops pcscd when a connection of its reversed mode ends. As an ATR and as an
// answer it is invalid.
#define MUTE 0x00

enum vpcd_control {
    VPCD_POWER_OFF = 0,
    VPCD_POWER_ON = 1,
    VPCD_RESET = 2,
    VPCD_ATR = 4,
};

struct one_slot {
    struct slots *slots;
    uint32_t number; // of the card; at or above the count of cards: always empty
    bool is_in;
    bool may_agree; // nothing came since the reset: PPS is possible [ISO 7816-3 §9]
    struct card_t0 t0;
    struct net_listener *listener;
    struct net_stream *stream;
    struct loop_timer retry;
    size_t len;
    uint8_t input[LENGTH_LEN + MESSAGE_MAX];
};

struct slots {
    struct app *app;
    struct net_address address; // of the first
    bool is_listening;
    uint32_t count;
    struct one_slot *slots;
};

static struct net_address next_address(struct net_address address, uint32_t n)
{
    // The port stands at the same place in both families.
    struct sockaddr_in *in = (struct sockaddr_in *)&address.at;
    in->sin_port = htons((uint16_t)(ntohs(in->sin_port) + n));
    return address;
}

// --- the card --------------------------------------------------------------------------------

static bool has_card(const struct one_slot *s)
{
    return s->is_in && s->number < s->slots->app->fleet.count;
}

static struct card *card_of(const struct one_slot *s)
{
    return &s->slots->app->devices[s->number].card;
}

static bool is_shared(const struct one_slot *s)
{
    return s->slots->app->options.has_devices;
}

static void power(struct one_slot *s, enum vpcd_control control)
{
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    s->t0.len = 0;
    s->may_agree = control != VPCD_POWER_OFF;
    if (!has_card(s) || is_shared(s))
        return; // the device has the power in its hand
    if (control == VPCD_POWER_OFF)
        card_power_off(card_of(s));
    else
        card_reset(card_of(s), &atr);
}

static void answer_atr(const struct one_slot *s, struct writer *w)
{
    if (has_card(s))
        card_atr(card_of(s), w);
}

// A TERMINAL PROFILE that claims no more than --profile; anything else as it is.
static struct bytes restrained(const struct options *o, struct bytes command,
                               uint8_t octets[HEADER_LEN + APDU_DATA_MAX])
{
    bool is_profile = command.len > HEADER_LEN && command.len <= HEADER_LEN + APDU_DATA_MAX &&
                      command.at[0] == 0x80 && command.at[1] == INS_TERMINAL_PROFILE;
    if (!is_profile || o->profile_len == 0)
        return command;
    memcpy(octets, command.at, command.len);
    for (size_t i = 0; i < command.len - HEADER_LEN; i++)
        octets[HEADER_LEN + i] &= i < o->profile_len ? o->profile[i] : 0;
    return bytes_of(octets, command.len);
}

static void answer_command(struct one_slot *s, struct bytes command, struct writer *w)
{
    struct app *app = s->slots->app;
    if (!has_card(s))
        return;
    bool may_agree = s->may_agree;
    s->may_agree = false;
    if (may_agree && pps_answer(command, w))
        return;
    uint8_t octets[HEADER_LEN + APDU_DATA_MAX];
    command = restrained(&app->options, command, octets);
    uint16_t sw = card_t0_exchange(card_of(s), &s->t0, command, w);
    if (is_shared(s)) {
        fleet_serve(&app->fleet, s->number, sw, app_now(app));
        if ((sw & 0xFF00) == SW_OK_PROACTIVE)
            sw = SW_OK;
    }
    if (sw == CARD_MUTE)
        w->len = 0;
    else
        writer_u16(w, sw);
}

// --- messages --------------------------------------------------------------------------------

static void take_message(struct one_slot *s, struct bytes message)
{
    uint8_t octets[LENGTH_LEN + CARD_RESPONSE_MAX + 2];
    struct writer w = writer_of(octets + LENGTH_LEN, sizeof octets - LENGTH_LEN);
    if (message.len == 1) {
        switch (message.at[0]) {
        case VPCD_POWER_OFF:
        case VPCD_POWER_ON:
        case VPCD_RESET:
            power(s, (enum vpcd_control)message.at[0]);
            return;
        case VPCD_ATR:
            answer_atr(s, &w);
            break;
        default: // octets, of a later version
            return;
        }
    } else {
        answer_command(s, message, &w);
    }
    if (w.len == 0 && !s->slots->is_listening) {
        net_close(s->stream); // a card that is not there, for pcscd too
        return;
    }
    if (w.len == 0)
        writer_u8(&w, MUTE);
    struct writer length = writer_of(octets, LENGTH_LEN);
    writer_u16(&length, (uint16_t)w.len);
    if (!net_write(s->stream, bytes_of(octets, LENGTH_LEN + w.len)))
        net_close(s->stream); // it asks and does not read
}

static void on_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    (void)stream;
    struct one_slot *s = context;
    struct reader r = reader_of(octets);
    while (r.left > 0) {
        size_t wanted = LENGTH_LEN;
        if (s->len >= LENGTH_LEN)
            wanted += (size_t)s->input[0] << 8 | s->input[1];
        size_t part = wanted - s->len < r.left ? wanted - s->len : r.left;
        reader_copy(&r, s->input + s->len, part);
        s->len += part;
        if (s->len < LENGTH_LEN)
            continue;
        wanted = LENGTH_LEN + ((size_t)s->input[0] << 8 | s->input[1]);
        if (s->len == wanted) {
            s->len = 0;
            if (wanted > LENGTH_LEN)
                take_message(s, bytes_of(s->input + LENGTH_LEN, wanted - LENGTH_LEN));
        }
    }
}

// --- links -----------------------------------------------------------------------------------

static void tell(struct one_slot *s, const char *event)
{
    struct log *log = &s->slots->app->log;
    log_begin(log, LOG_INFO, clock_utc(), event);
    log_number(log, "slot", s->number + 1);
    log_end(log);
}

static void on_opened(void *context, struct net_stream *stream)
{
    struct one_slot *s = context;
    if (s->stream != NULL && s->stream != stream) {
        net_close(stream); // one reader per card
        return;
    }
    s->stream = stream;
    s->len = 0;
    net_set_context(stream, s);
    tell(s, "slot.connected");
}

static void on_closed(void *context, struct net_stream *stream, enum net_end end)
{
    (void)end;
    struct one_slot *s = context;
    if (s->stream != stream)
        return;
    s->stream = NULL;
    power(s, VPCD_POWER_OFF);
    if (!s->slots->is_listening && s->is_in)
        loop_timer_set(&s->retry, instant_after(loop_now(s->slots->app->loop), RETRY_MS));
}

static const struct net_handler handler = {
    .opened = on_opened, .octets = on_octets, .closed = on_closed};
static const struct net_limits limits = {
    .read_max = 4096, .output_max = 4096, .stream_max = 2, .is_prompt = true};

static void connect_slot(void *context, struct instant now)
{
    struct one_slot *s = context;
    if (s->stream != NULL)
        return;
    struct net_address address = next_address(s->slots->address, s->number);
    s->stream = net_connect(s->slots->app->net, &address, &limits, CONNECT_MS, &handler, s);
    if (s->stream == NULL)
        loop_timer_set(&s->retry, instant_after(now, RETRY_MS));
}

// --- opening ---------------------------------------------------------------------------------

static void stop_listening(struct slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        if (slots->slots[i].listener != NULL)
            net_listener_stop(slots->slots[i].listener);
        slots->slots[i].listener = NULL;
    }
}

static enum net_error listen_all(struct slots *slots, const struct net_address *first)
{
    struct net_address address = *first;
    for (uint32_t i = 0; i < slots->count; i++) {
        struct one_slot *s = &slots->slots[i];
        if (i > 0)
            address = next_address(slots->address, i);
        enum net_error error =
            net_listen(slots->app->net, &address, &limits, &handler, s, &s->listener);
        if (error != NET_OK) {
            s->listener = NULL;
            stop_listening(slots);
            return error;
        }
        if (i == 0)
            net_listener_address(s->listener, &slots->address);
    }
    return NET_OK;
}

// With port 0 the system chooses the first port; those after it may not be free.
static enum net_error listen_somewhere(struct slots *slots)
{
    struct net_address wanted = slots->address;
    bool is_any = ((struct sockaddr_in *)&wanted.at)->sin_port == 0;
    enum net_error error = NET_IN_USE;
    for (unsigned i = 0; error == NET_IN_USE && i < (is_any ? LISTEN_TRIES : 1); i++)
        error = listen_all(slots, &wanted);
    return error;
}

static bool open_all(struct slots *slots)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        struct one_slot *s = &slots->slots[i];
        s->slots = slots;
        s->number = i;
        s->is_in = true;
        if (!loop_timer_open(&s->retry, slots->app->loop, connect_slot, s))
            return false;
    }
    return true;
}

struct slots *slots_open(struct app *app, char error[CARDS_ERROR_SIZE])
{
    const struct options *o = &app->options;
    const char *text = o->listen != NULL ? o->listen : DEFAULT_VPCD;
    if (o->vpcd != NULL)
        text = o->vpcd;
    struct slots *slots = calloc(1, sizeof *slots);
    (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory");
    if (slots == NULL)
        return NULL;
    slots->app = app;
    slots->is_listening = o->listen != NULL;
    slots->count = app->fleet.count;
    if (slots->is_listening && slots->count < VPCD_SLOTS)
        slots->count = VPCD_SLOTS;
    slots->slots = calloc(slots->count, sizeof *slots->slots);
    enum net_error failed = net_resolve(text, &slots->address);
    if (slots->slots != NULL && failed == NET_OK && open_all(slots)) {
        if (slots->is_listening)
            failed = listen_somewhere(slots);
        for (uint32_t i = 0; !slots->is_listening && i < slots->count; i++)
            connect_slot(&slots->slots[i], loop_now(app->loop));
        if (failed == NET_OK)
            return slots;
    }
    if (failed != NET_OK)
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.120s: %s", text, net_error_name(failed));
    slots_close(slots);
    return NULL;
}

void slots_close(struct slots *slots)
{
    if (slots == NULL)
        return;
    for (uint32_t i = 0; slots->slots != NULL && i < slots->count; i++)
        loop_timer_close(&slots->slots[i].retry);
    free(slots->slots);
    free(slots);
}

void slots_address(const struct slots *slots, char text[NET_ADDRESS_TEXT_SIZE])
{
    net_address_format(&slots->address, text);
}

void slots_put(struct slots *slots, uint32_t number, bool is_in)
{
    check(number < slots->count);
    struct one_slot *s = &slots->slots[number];
    if (s->is_in == is_in)
        return;
    if (!is_in)
        power(s, VPCD_POWER_OFF);
    s->is_in = is_in;
    if (slots->is_listening)
        return;
    if (!is_in && s->stream != NULL)
        net_close(s->stream);
    loop_timer_set(&s->retry, is_in ? loop_now(slots->app->loop) : INSTANT_NEVER);
}

bool slots_has(const struct slots *slots, uint32_t number)
{
    return number < slots->count && slots->slots[number].is_in;
}

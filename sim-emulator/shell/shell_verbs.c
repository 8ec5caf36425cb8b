#include "sim-emulator/shell/shell.h"

#include "common/base/text.h"
#include "common/wire/show.h"
#include "sim-emulator/shell/truth.h"

#include <stdio.h>
#include <stdlib.h>

#define DEVICES_PER_STEP 64
#define TIME_MAX_S (100ULL * 366 * 86400)

static enum shell_code wrong(struct shell *s, enum shell_code code, const char *reason)
{
    (void)snprintf(s->reason, sizeof s->reason, "%s", reason);
    return code;
}

static struct device *device_of(struct shell *s)
{
    return &s->app.devices[s->card];
}

static struct card *card_of(struct shell *s)
{
    return &device_of(s)->card;
}

static bool read_number(const char *text, uint64_t max, uint64_t *value)
{
    return text_read_decimal(bytes_of_text(text), value) && *value <= max;
}

// What is due at this instant.
static void run_due(struct shell *s)
{
    while (fleet_step(&s->app.fleet, s->now, DEVICES_PER_STEP) == DEVICES_PER_STEP)
        ;
}

static enum shell_code act(struct shell *s, const struct scenario_step *step)
{
    if (!fleet_act(&s->app.fleet, s->card, step, s->now))
        return wrong(s, SHELL_WRONG_USE, "too many power cuts wait at once");
    run_due(s);
    return SHELL_DONE;
}

// --- APDUs -----------------------------------------------------------------------------------

static bool join_hex(char **words, size_t count, struct writer *w)
{
    for (size_t i = 0; i < count; i++) {
        if (!text_unhex(bytes_of_text(words[i]), w))
            return false;
    }
    return w->len > 0;
}

#define MUTE_WORD "mute" // for a status word that does not come, after tear

static bool read_sw(const char *text, uint16_t *sw)
{
    uint8_t octets[2];
    if (strcmp(text, MUTE_WORD) == 0) {
        *sw = CARD_MUTE;
        return true;
    }
    struct writer w = writer_of(octets, sizeof octets);
    if (!text_unhex(bytes_of_text(text), &w) || w.len != 2)
        return false;
    *sw = (uint16_t)(octets[0] << 8 | octets[1]);
    return true;
}

static void write_sw(uint16_t sw, char text[5])
{
    if (sw == CARD_MUTE)
        memcpy(text, MUTE_WORD, sizeof MUTE_WORD);
    else
        (void)snprintf(text, 5, "%04X", sw);
}

static enum shell_code exchange(struct shell *s, struct bytes command, const uint16_t *expected)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer response = writer_of(octets, sizeof octets);
    bool was_telling = s->is_telling;
    s->is_telling = true;
    uint16_t sw = card_exchange(card_of(s), command, &response);
    s->is_telling = was_telling;
    if (device_of(s)->state == DEVICE_RUNNING)
        fleet_serve(&s->app.fleet, s->card, sw, s->now);
    if (expected != NULL && sw != *expected) {
        char wanted[5], said[5];
        write_sw(*expected, wanted);
        write_sw(sw, said);
        (void)snprintf(s->reason, sizeof s->reason, "%s was expected, the card says %s", wanted,
                       said);
        return SHELL_VERIFICATION;
    }
    if (sw == CARD_MUTE && expected == NULL)
        return wrong(s, SHELL_CARD_ERROR, "the card has no power (reset, or power on)");
    return SHELL_DONE;
}

static enum shell_code do_apdu(struct shell *s, char **words, size_t count)
{
    uint8_t octets[512];
    struct writer w = writer_of(octets, sizeof octets);
    uint16_t expected = 0;
    bool is_expecting = count > 2 && strcmp(words[count - 2], "=") == 0;
    if (is_expecting && !read_sw(words[count - 1], &expected))
        return wrong(s, SHELL_WRONG_USE, "after = a status word of 4 digits is expected, or mute");
    if (!join_hex(words, is_expecting ? count - 2 : count, &w))
        return wrong(s, SHELL_WRONG_USE, "an APDU in hexadecimal is expected");
    return exchange(s, writer_bytes(&w), is_expecting ? &expected : NULL);
}

static enum shell_code do_reset(struct shell *s, char **words, size_t count)
{
    (void)words;
    (void)count;
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    if (device_of(s)->state != DEVICE_OFF)
        return wrong(s, SHELL_WRONG_USE, "the card is in a device that is on (power off first)");
    card_reset(card_of(s), &atr);
    struct writer w = writer_of(s->text, sizeof s->text);
    text_hex_upper(&w, writer_bytes(&atr));
    (void)printf("ATR %s\n", text_end(&w));
    return atr.len > 0 ? SHELL_DONE : wrong(s, SHELL_CARD_ERROR, "the power went in the start");
}

static enum shell_code do_give(struct shell *s, char **words, size_t count)
{
    uint8_t octets[CARD_GIVEN_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (!join_hex(words, count, &w))
        return wrong(s, SHELL_WRONG_USE,
                     "a proactive command is expected, in hexadecimal, from D0 on");
    switch (fleet_give(&s->app.fleet, s->card, writer_bytes(&w), s->now)) {
    case CARD_GIVEN:
        return SHELL_DONE;
    case CARD_GIVE_NONSENSE:
        return wrong(s, SHELL_WRONG_USE,
                     "no proactive command: D0 with command details and device identities");
    case CARD_GIVE_BUSY:
        break;
    }
    return wrong(s, SHELL_WRONG_USE, "another command waits: fetch that one first");
}

// The data of a command packet, secured with the card's keys and a counter that is higher, to the
// card: by the network when its device is attached, else as an ENVELOPE.
static enum shell_code do_ota(struct shell *s, char **words, size_t count)
{
    uint8_t data[COMMAND_BODY_MAX], packet[SMS_PACKET_MAX], user_data[SMS_USER_DATA_MAX];
    uint8_t tpdu[SMS_DELIVER_MAX], envelope[CAT_DATA_MAX], apdu[CAT_DATA_MAX + 6];
    struct writer d = writer_of(data, sizeof data);
    struct writer p = writer_of(packet, sizeof packet);
    const struct applet_factory *f = card_of(s)->factory;
    struct applet_port port = card_port(card_of(s));
    struct applet_dump dump;
    if (!join_hex(words, count, &d))
        return wrong(s, SHELL_WRONG_USE,
                     "the data of a command packet are expected, in hexadecimal");
    if (card_of(s)->nvm.written == 0 || !applet_dump(&card_of(s)->applet, &port, &dump))
        return wrong(s, SHELL_CARD_ERROR, "the card was never started (reset, or power on)");
    s->counter = (dump.mt_counter > s->counter ? dump.mt_counter : s->counter) + 1;
    uint8_t set = (uint8_t)(f->key_version << 4 | SECURED_AES);
    struct secured_command c = {.spi1 = 0x16,
                                .spi2 = 0x39,
                                .kic = set,
                                .kid = set,
                                .tar = f->tar,
                                .cntr = s->counter,
                                .data = writer_bytes(&d)};
    struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid};
    if (secured_write_command(&p, &c, &keys, &s->app.cipher) != SECURED_OK)
        return wrong(s, SHELL_WRONG_USE, "the packet does not fit");
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = s->counter & 0xFF};
    struct phone server = {.type = PHONE_UNKNOWN, .digits = "12345"};
    struct sms_address sender = sms_address_of(&server);
    static const uint8_t time[SMS_TIME_LEN] = {0x62, 0x11, 0x92, 0x21, 0x43, 0x65, 0x00};
    for (size_t i = 0; i < sms_cut_count(&cut, p.len); i++) {
        struct writer u = writer_of(user_data, sizeof user_data);
        struct writer t = writer_of(tpdu, sizeof tpdu);
        struct writer e = writer_of(envelope, sizeof envelope);
        struct writer a = writer_of(apdu, sizeof apdu);
        sms_cut_part(&cut, writer_bytes(&p), i, &u);
        struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&u));
        sms_write_deliver(&t, &m);
        struct cat_message download = cat_sms_download(bytes_of(NULL, 0), writer_bytes(&t));
        cat_write_envelope(&e, CAT_SMS_PP_DOWNLOAD, &download);
        struct apdu command = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&e)};
        apdu_write(&a, &command);
        enum shell_code code = exchange(s, writer_bytes(&a), NULL);
        if (code != SHELL_DONE)
            return code;
    }
    run_due(s);
    return SHELL_DONE;
}

// --- the device and its world ----------------------------------------------------------------

static enum shell_code do_power(struct shell *s, char **words, size_t count)
{
    (void)count;
    bool is_on = strcmp(words[0], "on") == 0;
    if (!is_on && strcmp(words[0], "off") != 0)
        return wrong(s, SHELL_WRONG_USE, "on or off is expected");
    struct scenario_step step = {.action = is_on ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF};
    return act(s, &step);
}

static enum shell_code do_move(struct shell *s, char **words, size_t count)
{
    (void)count;
    struct scenario_step step = {.action = SCENARIO_MOVE,
                                 .value = radio_area_find(&s->app.radio, words[0])};
    if (step.value == RADIO_AREAS_MAX)
        return wrong(s, SHELL_NOT_FOUND, "there is no such area in the scenario");
    return act(s, &step);
}

static enum shell_code do_coverage(struct shell *s, char **words, size_t count)
{
    uint8_t area = radio_area_find(&s->app.radio, words[0]);
    uint16_t networks = 0;
    if (area == RADIO_AREAS_MAX)
        return wrong(s, SHELL_NOT_FOUND, "there is no such area in the scenario");
    for (size_t i = 1; i < count; i++) {
        uint8_t network = radio_network_find(&s->app.radio, words[i]);
        if (network == RADIO_NETWORKS_MAX && strcmp(words[i], "none") != 0)
            return wrong(s, SHELL_NOT_FOUND, "there is no such network in the scenario");
        if (network != RADIO_NETWORKS_MAX)
            networks |= (uint16_t)(1U << network);
    }
    if (!fleet_cover(&s->app.fleet, area, networks, s->now))
        return wrong(s, SHELL_WRONG_USE, "there were too many changes of coverage");
    run_due(s);
    return SHELL_DONE;
}

static enum shell_code do_imei(struct shell *s, char **words, size_t count)
{
    (void)count;
    struct scenario_step step = {.action = SCENARIO_NO_IMEI};
    if (strcmp(words[0], "none") != 0) {
        step.action = SCENARIO_IMEI;
        if (!imei_write(words[0], step.imei))
            return wrong(s, SHELL_WRONG_USE, "15 digits, or none");
    }
    return act(s, &step);
}

// "90", "90s", "10m", "6h", "2d", with or without +.
static bool read_span(const char *text, uint64_t *seconds)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    text += *text == '+';
    size_t len = strlen(text);
    uint32_t factor = 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && len > 1; i++) {
        if (text[len - 1] == units[i].unit) {
            factor = units[i].seconds;
            len--;
            break;
        }
    }
    if (!text_read_decimal(bytes_of(text, len), seconds) || *seconds > TIME_MAX_S / factor)
        return false;
    *seconds *= factor;
    return true;
}

static enum shell_code do_time(struct shell *s, char **words, size_t count)
{
    uint64_t seconds = 0;
    if (count > 0 && !read_span(words[0], &seconds))
        return wrong(s, SHELL_WRONG_USE, "a time like 90, 10m, 6h or 2d is expected");
    struct instant end = instant_after(s->now, seconds * 1000);
    for (;;) {
        struct instant due = fleet_deadline(&s->app.fleet);
        if (due.ms > end.ms)
            break;
        s->now = due.ms > s->now.ms ? due : s->now;
        s->app.virtual_start = s->now;
        run_due(s);
    }
    s->now = end;
    s->app.virtual_start = s->now;
    (void)printf("time %llu.%03llu s\n", (unsigned long long)(s->now.ms / 1000),
                 (unsigned long long)(s->now.ms % 1000));
    return SHELL_DONE;
}

static enum shell_code do_tear(struct shell *s, char **words, size_t count)
{
    (void)count;
    uint64_t octet;
    if (!read_number(words[0], UINT32_MAX, &octet) || octet == 0)
        return wrong(s, SHELL_WRONG_USE, "the number of the octet written is expected, from 1");
    struct scenario_step step = {.action = SCENARIO_CUT, .value = (uint32_t)octet};
    return act(s, &step);
}

// --- looking ---------------------------------------------------------------------------------

static enum shell_code do_registry(struct shell *s, char **words, size_t count)
{
    (void)words;
    (void)count;
    static uint8_t octets[TRUTH_CARD_MAX + 1];
    struct writer w = writer_of(octets, sizeof octets - 1);
    struct json_writer json = json_writer_of(&w);
    truth_card(&s->app, s->card, &json);
    (void)printf("%.*s\n", (int)w.len, (const char *)octets);
    return SHELL_DONE;
}

static enum shell_code do_journal(struct shell *s, char **words, size_t count)
{
    (void)words;
    (void)count;
    static const char *const phases[] = {"none", "prepared", "switched", "confirming"};
    static const char *const reasons[] = {"none",     "command", "rotate",  "country",
                                          "fallback", "return",  "rollback"};
    struct applet_port port = card_port(card_of(s));
    struct applet_dump dump;
    if (card_of(s)->nvm.written == 0 || !applet_dump(&card_of(s)->applet, &port, &dump))
        return wrong(s, SHELL_CARD_ERROR, "the card was never started (reset, or power on)");
    const struct journal *j = &dump.image.journal;
    (void)printf("state %s, journal %s", show_switch_state(dump.state),
                 phases[j->phase <= JOURNAL_CONFIRMING ? j->phase : 0]);
    if (j->phase != JOURNAL_NONE)
        (void)printf(", reason %s, from slot %u to slot %u, operation %u, attempt %u, starts %u",
                     reasons[j->reason <= REASON_ROLLBACK ? j->reason : 0], j->from + 1U,
                     j->to + 1U, j->operation_id, j->attempt, j->starts);
    (void)printf("\n");
    for (uint8_t i = 0; i < dump.image.pending_count; i++) {
        const struct pending *p = &dump.image.pending[i];
        (void)printf("pending %s, sequence %u, operation %u\n", notify_cause_name(p->cause),
                     p->sequence, p->operation_id);
    }
    for (uint8_t i = 0; i < dump.image.outcome_count; i++) {
        const struct outcome *o = &dump.image.outcomes[i];
        (void)printf("operation %u: %s %s\n", o->operation_id, command_number_name(o->command),
                     result_code_name(o->code));
    }
    return SHELL_DONE;
}

static enum shell_code do_cards(struct shell *s, char **words, size_t count)
{
    (void)words;
    (void)count;
    for (uint32_t i = 0; i < s->app.fleet.count; i++) {
        char iccid[ICCID_SIZE];
        if (iccid_read(s->app.cards.factories[i].card_iccid, iccid))
            (void)printf("%c %u %s\n", i == s->card ? '*' : ' ', i + 1, iccid);
    }
    return SHELL_DONE;
}

static enum shell_code do_use(struct shell *s, char **words, size_t count)
{
    (void)count;
    uint64_t number;
    if (!read_number(words[0], s->app.fleet.count, &number) || number == 0)
        return wrong(s, SHELL_NOT_FOUND, "there is no card with this number (cards)");
    s->card = (uint32_t)number - 1;
    return SHELL_DONE;
}

static enum shell_code do_trace(struct shell *s, char **words, size_t count)
{
    (void)count;
    s->is_telling = strcmp(words[0], "on") == 0;
    if (!s->is_telling && strcmp(words[0], "off") != 0)
        return wrong(s, SHELL_WRONG_USE, "on or off is expected");
    return SHELL_DONE;
}

static enum shell_code do_exit(struct shell *s, char **words, size_t count)
{
    uint64_t code = 0;
    if (count > 0 && !read_number(words[0], 255, &code))
        return wrong(s, SHELL_WRONG_USE, "an exit code from 0 to 255 is expected");
    s->is_ending = true;
    s->exit_code = (int)code;
    return SHELL_DONE;
}

// --- the table -------------------------------------------------------------------------------

static enum shell_code do_help(struct shell *s, char **words, size_t count);

static const struct verb {
    const char *name;
    size_t least, most; // words after it
    const char *usage;
    const char *what;
    enum shell_code (*run)(struct shell *s, char **words, size_t count);
} verbs[] = {
    {"help", 0, 1, "[COMMAND]", "this list, or one command with an example", do_help},
    {"cards", 0, 0, "", "the cards; * is in use", do_cards},
    {"use", 1, 1, "NUMBER", "takes another card: use 2", do_use},
    {"reset", 0, 0, "", "power and reset of a card that is in no running device", do_reset},
    {"apdu", 1, SHELL_WORDS_MAX, "HEX... [= SW|mute]",
     "one command, told with its answer: apdu 00A40004 02 3F00 = 9000", do_apdu},
    {"ota", 1, SHELL_WORDS_MAX, "HEX...",
     "data of a command packet, secured with the card's keys: ota 80e2910513 8a08a0a1a2a3a4a5a6a7 "
     "8c0101 8d0400000007",
     do_ota},
    {"give", 1, SHELL_WORDS_MAX, "HEX...",
     "the card gives this proactive command (FETCH): give D009 8103010200 82028182", do_give},
    {"power", 1, 1, "on|off", "of the device around the card: power on; time 5", do_power},
    {"time", 0, 1, "[SPAN]", "lets time pass, event by event: time 10m", do_time},
    {"move", 1, 1, "AREA", "moves the device: move tunnel", do_move},
    {"coverage", 2, SHELL_WORDS_MAX, "AREA PLMN...|none",
     "what an area receives from now on: coverage home none", do_coverage},
    {"imei", 1, 1, "DIGITS|none", "of the device: imei 352099000000013", do_imei},
    {"tear", 1, 1, "N",
     "the power goes at the N-th octet written from now on: tear 100; apdu 00D6000001 FF = mute; "
     "reset",
     do_tear},
    {"registry", 0, 0, "", "what the card holds, without keys, as JSON", do_registry},
    {"journal", 0, 0, "", "the switch under way, pending notifications, stored results",
     do_journal},
    {"trace", 1, 1, "on|off", "tells every exchange, the device's too", do_trace},
    {"exit", 0, 1, "[CODE]", "ends", do_exit},
};

static enum shell_code do_help(struct shell *s, char **words, size_t count)
{
    bool is_found = false;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (count > 0 && strcmp(words[0], verbs[i].name) != 0)
            continue;
        (void)printf("%-9s %-20s %s\n", verbs[i].name, verbs[i].usage, verbs[i].what);
        is_found = true;
    }
    return is_found ? SHELL_DONE : wrong(s, SHELL_NOT_FOUND, "there is no such command (help)");
}

enum shell_code shell_do(struct shell *s, char **words, size_t count)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        const struct verb *v = &verbs[i];
        if (strcmp(words[0], v->name) != 0)
            continue;
        if (count - 1 < v->least || count - 1 > v->most) {
            (void)snprintf(s->reason, sizeof s->reason, "usage: %s %s", v->name, v->usage);
            return SHELL_WRONG_USE;
        }
        return v->run(s, words + 1, count - 1);
    }
    return wrong(s, SHELL_WRONG_USE, "there is no such command (help)");
}

#include "sim-emulator/core/story.h"

#include "common/base/text.h"
#include "common/wire/show.h"

void story_init(struct story *story)
{
    memset(story, 0, sizeof *story);
    sms_joiner_init(&story->to_card);
    sms_joiner_init(&story->from_card);
}

// --- what is not told ------------------------------------------------------------------------

static bool is_pin_command(struct bytes command)
{
    if (command.len < 5)
        return false;
    switch (command.at[1]) {
    case INS_VERIFY_PIN:
    case INS_CHANGE_PIN:
    case INS_DISABLE_PIN:
    case INS_ENABLE_PIN:
    case INS_UNBLOCK_PIN:
        return true;
    default: // octets
        return false;
    }
}

static void blank(struct writer *w, struct bytes secret)
{
    if (secret.len < 8 || w->len < secret.len)
        return;
    for (size_t at = 0; at + secret.len <= w->len; at++) {
        // tidy: secret, looked for in octets that nobody else sees the comparison of
        if (w->at[at] == secret.at[0] && memcmp(w->at + at, secret.at, secret.len) == 0)
            memset(w->at + at, 0, secret.len);
    }
}

static void blank_key(struct writer *w, const struct secret_key *key)
{
    blank(w, bytes_of(key->octets, key->len));
}

// Where keys stand in files that terminals keep them in [31.102 §4.2.3, §4.2.4, §4.4.3].
static const struct key_place {
    uint8_t folder; // enum uicc_folder
    uint16_t identifier;
    uint8_t offset;
    uint8_t len;
} key_places[] = {
    {UICC_USIM, 0x6F08, 1, 16},  {UICC_USIM, 0x6F08, 17, 16},     {UICC_USIM, 0x6F09, 1, 16},
    {UICC_USIM, 0x6F09, 17, 16}, {UICC_GSM_ACCESS, 0x4F20, 0, 8}, {UICC_GSM_ACCESS, 0x4F52, 0, 8},
};

static void blank_stored(const struct uicc_files *files, struct writer *w)
{
    static const uint8_t none[16] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                     0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    for (size_t i = 0; i < sizeof key_places / sizeof key_places[0]; i++) {
        const struct key_place *place = &key_places[i];
        uint8_t key[16];
        struct uicc_file file;
        bool is_there = uicc_find(files, place->folder, place->identifier, &file) &&
                        file.row->size >= place->offset + place->len &&
                        uicc_read(files, &file, place->offset, key, place->len);
        if (is_there && !secret_equal(key, none, place->len))
            blank(w, bytes_of(key, place->len));
        secret_wipe(key, sizeof key);
    }
}

static void blank_all(const struct story *story, const struct card *card,
                      const struct uicc_files *files, struct writer *w)
{
    const struct applet_factory *f = card->factory;
    const struct card_product *product = card->shop->product;
    blank_key(w, &f->kic);
    blank_key(w, &f->kid);
    blank_key(w, &f->kik);
    for (uint8_t i = 0; i < f->subscription_count; i++) {
        blank_key(w, &f->subscriptions[i].keys.k);
        blank_key(w, &f->subscriptions[i].keys.op);
    }
    for (size_t i = 0; product != NULL && i < product->key_set_count; i++) {
        blank_key(w, &product->key_sets[i].kic);
        blank_key(w, &product->key_sets[i].kid);
    }
    for (size_t i = 0; i < STORY_SESSIONS; i++)
        blank(w, bytes_of(story->sessions[i], story->session_lens[i]));
    blank_stored(files, w);
}

// A key of a session, at `key` of the response: it is blanked there, and remembered.
static void take_session(struct story *story, struct bytes key, size_t at, struct writer *response)
{
    size_t i = story->session_next;
    if (key.len == 0 || key.len > sizeof story->sessions[i])
        return;
    memcpy(story->sessions[i], key.at, key.len);
    story->session_lens[i] = (uint8_t)key.len;
    story->session_next = (uint8_t)((i + 1) % STORY_SESSIONS);
    if (!response->failed)
        memset(response->at + at, 0, key.len);
}

// DB RES CK IK [Kc], or SRES Kc, each after its length [31.102 §7.1.2]; class A0: SRES Kc without
// lengths [51.011 §9.2.16].
static void take_sessions(struct story *story, const struct card_seen *seen,
                          struct writer *response)
{
    bool is_authenticate =
        seen->command.len > 3 && (seen->command.at[1] & 0xFE) == INS_AUTHENTICATE;
    if (!is_authenticate || seen->response.len == 0)
        return;
    if (seen->command.at[0] == 0xA0) {
        take_session(story, bytes_slice(seen->response, 4, 8), 4, response);
        return;
    }
    bool is_gsm = (seen->command.at[3] & 0x07) == 0;
    struct reader r = reader_of(seen->response);
    if (!is_gsm && reader_u8(&r) != 0xDB)
        return;
    uint8_t res_len = reader_u8(&r);
    reader_skip(&r, res_len); // RES or SRES: the network hears it in clear
    while (r.left > 0 && !r.failed) {
        uint8_t len = reader_u8(&r);
        size_t at = seen->response.len - r.left;
        take_session(story, reader_bytes(&r, len), at, response);
    }
}

// What was read from or written to a file of keys, which is the current one since.
static void blank_file(const struct uicc_files *files, const struct card_seen *seen,
                       struct writer *command, struct writer *response)
{
    struct uicc_file file;
    if (seen->command.len < 5)
        return;
    bool is_gsm = seen->command.at[0] == 0xA0;
    const struct card_channel *channel =
        &seen->card->channels[is_gsm ? 0 : seen->command.at[0] & 3];
    if (!uicc_open(files, channel->file, &file) || file.origin == NULL || !file.origin->is_secret)
        return;
    switch (seen->command.at[1]) {
    case INS_READ_BINARY:
    case INS_READ_RECORD:
        if (!response->failed)
            memset(response->at, 0, response->len);
        break;
    case INS_UPDATE_BINARY:
    case INS_UPDATE_RECORD:
    case INS_SEARCH_RECORD:
        if (!command->failed)
            memset(command->at + 5, 0, command->len - 5);
        break;
    default: // octets
        break;
    }
}

void story_blank(struct story *story, const struct card_seen *seen, struct writer *command,
                 struct writer *response)
{
    struct applet_port port = card_port(seen->card);
    struct uicc_files files = card_files(seen->card, &port);
    writer_copy(command, seen->command);
    writer_copy(response, seen->response);
    if (is_pin_command(seen->command) && !command->failed)
        memset(command->at + 5, 0, command->len - 5);
    take_sessions(story, seen, response);
    blank_file(&files, seen, command, response);
    blank_all(story, seen->card, &files, command);
    blank_all(story, seen->card, &files, response);
}

// --- packets ---------------------------------------------------------------------------------

// One exchange that is being told.
struct telling {
    struct story *story;
    const struct card *card;
    struct instant at;
    struct writer *w;
};

// A line that belongs to an exchange.
static void begin_line(struct writer *w)
{
    text_put(w, "    ");
}

static void end_line(struct writer *w)
{
    text_put(w, "\n");
}

static void tell_header(struct writer *w, const struct secured_command *c)
{
    begin_line(w);
    show_spi(w, c->spi1, c->spi2);
    end_line(w);
    begin_line(w);
    show_kic(w, c->kic);
    text_put(w, "; ");
    show_kid(w, c->spi1, c->kid);
    text_put(w, "; ");
    show_tar(w, c->tar);
    end_line(w);
}

// Remote management of files by this TAR, if the card's product has it.
static const struct product_target *target_of(const struct telling *t, uint32_t tar)
{
    const struct card_product *product = t->card->shop->product;
    for (size_t i = 0; product != NULL && i < product->target_count; i++) {
        if (product->targets[i].tar == tar)
            return &product->targets[i];
    }
    return NULL;
}

static void tell_data(const struct telling *t, const struct secured_packet *p, bool is_from_card)
{
    struct writer *w = t->w;
    struct bytes data = p->data;
    struct command command;
    struct notification notification;
    begin_line(w);
    if (target_of(t, p->tar) != NULL) {
        t->story->format = remote_format_of(data);
        show_script(w, data);
    } else if (is_from_card) {
        if (notification_read(data, &notification))
            show_notification(w, &notification);
        else
            text_put(w, "data that are no notification");
    } else if (command_read(data, &command) == COMMAND_READ_OK) {
        show_command(w, &command);
    } else {
        text_put(w, "data that are no command of the applet: ");
        text_decimal(w, data.len);
        text_put(w, " octets");
    }
    end_line(w);
}

// The keys that a packet was secured with; false when the card has no such set.
static bool keys_of(const struct telling *t, const struct secured_packet *p,
                    struct secured_keys *keys)
{
    const struct product_target *target = target_of(t, p->tar);
    const struct applet_factory *factory = t->card->factory;
    uint8_t version = secured_key_version(p->kic);
    *keys = (struct secured_keys){.kic = &factory->kic, .kid = &factory->kid};
    if (target == NULL)
        return version == factory->key_version;
    const struct card_product *product = t->card->shop->product;
    for (size_t i = 0; i < product->key_set_count; i++) {
        const struct product_key_set *set = &product->key_sets[i];
        *keys = (struct secured_keys){.kic = &set->kic, .kid = &set->kid};
        if (set->version == version && (target->key_sets & 1U << i) != 0)
            return true;
    }
    return false;
}

// Deciphers and verifies; the reason why not, or NULL.
static const char *open_packet(const struct telling *t, struct secured_packet *p)
{
    struct story *story = t->story;
    const struct cipher *cipher = t->card->shop->cipher;
    struct secured_keys keys;
    struct writer buffer = writer_of(story->packet, sizeof story->packet);
    if (!keys_of(t, p, &keys))
        return "of a key set that this card does not have";
    if (secured_decipher(p, &keys, cipher, &buffer) != SECURED_OK)
        return "cannot be deciphered with the card's keys";
    switch (secured_verify(p, &keys, cipher)) {
    case SECURED_OK:
        return NULL;
    case SECURED_UNPROTECTED:
        return "without the integrity that was asked for";
    default: // octets, every other reason
        return "its RC or CC is wrong";
    }
}

static void tell_command_packet(const struct telling *t, struct bytes octets, bool is_from_card)
{
    struct story *story = t->story;
    struct writer *w = t->w;
    struct secured_packet p;
    begin_line(w);
    text_put(w, is_from_card ? "command packet of the card" : "command packet");
    if (secured_command_shape(octets, &p) != SECURED_OK) {
        text_put(w, ": its lengths contradict each other\n");
        return;
    }
    end_line(w);
    struct secured_command c = {
        .spi1 = p.spi1, .spi2 = p.spi2, .kic = p.kic, .kid = p.kid, .tar = p.tar};
    tell_header(w, &c);
    const char *refusal = open_packet(t, &p);
    begin_line(w);
    if (refusal != NULL) {
        text_put(w, refusal);
    } else {
        show_cntr(w, p.cntr);
        text_put(w, ", PCNTR ");
        text_decimal(w, p.pcntr);
        text_put(w, p.check_len > 0 ? ", integrity right" : ", no integrity");
    }
    end_line(w);
    if (!is_from_card) {
        c.cntr = p.cntr;
        story->command = c;
        story->has_command = true;
    }
    if (refusal == NULL)
        tell_data(t, &p, is_from_card);
}

static void tell_response_packet(const struct telling *t, struct bytes octets)
{
    struct story *story = t->story;
    struct writer *w = t->w;
    struct secured_packet p;
    begin_line(w);
    text_put(w, "response packet, ");
    if (!story->has_command || secured_response_shape(octets, &story->command, &p) != SECURED_OK) {
        text_put(w, "to no command that was seen\n");
        return;
    }
    show_tar(w, p.tar);
    const char *refusal = open_packet(t, &p);
    if (refusal != NULL) {
        text_put(w, ", ");
        text_put(w, refusal);
        end_line(w);
        return;
    }
    text_put(w, ", ");
    show_cntr(w, p.cntr);
    text_put(w, ", ");
    show_por_status(w, p.status);
    end_line(w);
    struct result result;
    if (p.data.len == 0)
        return;
    begin_line(w);
    if (target_of(t, p.tar) != NULL)
        show_script_result(w, story->format, p.data);
    else if (result_read(p.data, &result))
        show_result(w, &result);
    else
        text_put(w, "data that are no result of the applet");
    end_line(w);
}

static void tell_user_data(const struct telling *t, const struct sms_address *peer,
                           struct bytes user_data, bool is_from_card)
{
    struct story *story = t->story;
    struct sms_packet packet;
    struct sms_part part;
    struct sms_joiner *joiner = is_from_card ? &story->from_card : &story->to_card;
    if (sms_read_part(user_data, &part) && part.total > 1) {
        begin_line(t->w);
        text_put(t->w, "part ");
        text_decimal(t->w, part.number);
        text_put(t->w, " of ");
        text_decimal(t->w, part.total);
        text_put(t->w, ", reference ");
        text_decimal(t->w, part.reference);
        end_line(t->w);
    }
    if (sms_join(joiner, peer, user_data, t->at, &packet) != SMS_JOIN_COMPLETE)
        return;
    if (packet.kind == SMS_COMMAND_PACKET)
        tell_command_packet(t, packet.octets, is_from_card);
    else if (packet.kind == SMS_RESPONSE_PACKET)
        tell_response_packet(t, packet.octets);
}

// --- toolkit ---------------------------------------------------------------------------------

static void put_message(struct writer *w, const char *what, const struct sms_address *peer,
                        uint8_t pid, uint8_t dcs)
{
    struct phone phone;
    begin_line(w);
    text_put(w, what);
    text_put(w, sms_address_phone(peer, &phone) ? phone.digits : "an address that is no number");
    text_put(w, ", PID ");
    text_hex_upper(w, bytes_of(&pid, 1));
    text_put(w, ", DCS ");
    text_hex_upper(w, bytes_of(&dcs, 1));
    end_line(w);
}

static void tell_deliver(const struct telling *t, struct bytes tpdu)
{
    struct sms_deliver m;
    if (sms_read_deliver(tpdu, &m) != SMS_OK) {
        text_put(t->w, "    no SMS-DELIVER\n");
        return;
    }
    put_message(t->w, "SMS-DELIVER from ", &m.sender, m.pid, m.dcs);
    if ((m.first & SMS_HEADER_PRESENT) != 0)
        tell_user_data(t, &m.sender, m.user_data, false);
}

static void tell_submit(const struct telling *t, struct bytes tpdu)
{
    struct sms_submit m;
    if (sms_read_submit(tpdu, &m) != SMS_OK) {
        text_put(t->w, "    no SMS-SUBMIT\n");
        return;
    }
    put_message(t->w, "SMS-SUBMIT to ", &m.recipient, m.pid, m.dcs);
    if ((m.first & SMS_HEADER_PRESENT) != 0)
        tell_user_data(t, &m.recipient, m.user_data, true);
}

static void tell_envelope(const struct telling *t, struct bytes data)
{
    enum cat_envelope kind;
    struct cat_message m;
    static const char *const services[] = {"normal", "limited", "none"};
    struct writer *w = t->w;
    if (cat_read_envelope(data, &kind, &m) != CAT_OK)
        return;
    if (kind == CAT_SMS_PP_DOWNLOAD) {
        tell_deliver(t, m.tpdu);
        return;
    }
    begin_line(w);
    if (kind == CAT_TIMER_EXPIRATION) {
        text_put(w, "timer ");
        text_decimal(w, m.timer);
        text_put(w, " expired");
    } else {
        text_put(w, "event ");
        text_decimal(w, cat_event_of(&m));
        if ((m.has & CAT_HAS_LOCATION_STATUS) != 0 && m.location_status <= CAT_SERVICE_NONE) {
            text_put(w, ", service ");
            text_put(w, services[m.location_status]);
        }
        if ((m.has & CAT_HAS_REJECTION_CAUSE) != 0) {
            text_put(w, ", rejection cause ");
            text_decimal(w, m.rejection_cause);
        }
    }
    end_line(w);
}

// What the terminal takes to the network as user data of the delivery report [31.111 §7.1.1].
static void tell_report(const struct telling *t, struct bytes user_data)
{
    const struct sms_address nobody = {0};
    if (user_data.len == 0)
        return;
    text_put(t->w, "    in the delivery report:\n");
    tell_user_data(t, &nobody, user_data, true);
}

static const char *proactive_name(uint8_t type)
{
    switch (type) {
    case CAT_REFRESH:
        return "REFRESH";
    case CAT_MORE_TIME:
        return "MORE TIME";
    case CAT_POLL_INTERVAL:
        return "POLL INTERVAL";
    case CAT_POLLING_OFF:
        return "POLLING OFF";
    case CAT_SET_UP_EVENT_LIST:
        return "SET UP EVENT LIST";
    case CAT_SEND_SHORT_MESSAGE:
        return "SEND SHORT MESSAGE";
    case CAT_PROVIDE_LOCAL_INFORMATION:
        return "PROVIDE LOCAL INFORMATION";
    case CAT_TIMER_MANAGEMENT:
        return "TIMER MANAGEMENT";
    default: // octets
        return "another command";
    }
}

static void put_details(struct writer *w, const struct cat_message *m)
{
    begin_line(w);
    text_put(w, proactive_name(m->type));
    text_put(w, " number ");
    text_decimal(w, m->number);
    text_put(w, ", qualifier ");
    text_hex_upper(w, bytes_of(&m->qualifier, 1));
    if ((m->has & CAT_HAS_TIMER) != 0) {
        text_put(w, ", timer ");
        text_decimal(w, m->timer);
    }
    if ((m->has & CAT_HAS_TIMER_VALUE) != 0) {
        text_put(w, ", ");
        text_decimal(w, m->timer_seconds);
        text_put(w, " s");
    }
    if ((m->has & CAT_HAS_EVENTS) != 0) {
        text_put(w, ", events ");
        text_hex_upper(w, m->events);
    }
}

static void tell_proactive(const struct telling *t, struct bytes data)
{
    struct cat_message m;
    if (cat_read_command(data, &m) != CAT_OK)
        return;
    put_details(t->w, &m);
    end_line(t->w);
    if ((m.has & CAT_HAS_TPDU) != 0)
        tell_submit(t, m.tpdu);
}

static void tell_terminal_response(const struct telling *t, struct bytes data)
{
    struct cat_message m;
    if (cat_read_response(data, &m) != CAT_OK)
        return;
    put_details(t->w, &m);
    text_put(t->w, ", result ");
    text_hex_upper(t->w, bytes_of(&m.result, 1));
    if (m.result_info.len > 0) {
        text_put(t->w, " ");
        text_hex_upper(t->w, m.result_info);
    }
    end_line(t->w);
}

// --- the exchange ----------------------------------------------------------------------------

static void put_state(const struct card *card, struct writer *w)
{
    // The port asks for a card that it may write to; a dump only reads.
    struct applet_port port = card_port((struct card *)card);
    struct applet_dump dump;
    if (card->nvm.written == 0 || !applet_dump(&card->applet, &port, &dump)) {
        text_put(w, "no registry");
        return;
    }
    const struct image *image = &dump.image;
    const struct {
        const char *before;
        uint64_t value;
    } values[] = {{", journal ", image->journal.phase},
                  {", REGV ", image->registry_version},
                  {", MT ", dump.mt_counter},
                  {", MO ", dump.mo_counter},
                  {", operation ", image->operation_id_highest},
                  {", configuration ", image->configuration_version},
                  {", notification ", image->notify_sequence},
                  {", pending ", image->pending_count}};
    text_put(w, show_switch_state(dump.state));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        text_put(w, values[i].before);
        text_decimal(w, values[i].value);
    }
    text_put(w, dump.is_blocked ? ", blocked; slots" : "; slots");
    for (uint8_t i = 0; i < image->slot_count; i++) {
        const struct slot *s = &image->slots[i];
        if (s->state == SLOT_EMPTY)
            continue;
        text_put(w, " ");
        text_decimal(w, i + 1U);
        text_put(w, " ");
        text_put(w, show_slot_state(s->state));
        text_put(w, s->is_fallback ? " fallback" : "");
        text_put(w, s->is_proven ? " proven" : "");
    }
}

static void tell_state(const struct telling *t)
{
    struct story *story = t->story;
    char text[STORY_STATE_MAX];
    struct writer now = writer_of(text, sizeof text);
    put_state(t->card, &now);
    const char *state = text_end(&now);
    bool is_known = story->state[0] != 0;
    if (is_known && bytes_equal(bytes_of_text(story->state), bytes_of_text(state)))
        return; // nothing changed
    if (is_known) {
        text_put(t->w, "    before: ");
        text_put(t->w, story->state);
        end_line(t->w);
    }
    text_put(t->w, is_known ? "    after:  " : "    state: ");
    text_put(t->w, state);
    end_line(t->w);
    memcpy(story->state, state, strlen(state) + 1);
}

static void tell_content(const struct telling *t, const struct card_seen *seen)
{
    struct apdu apdu;
    if (apdu_read(seen->command, &apdu) != APDU_OK)
        return;
    switch (apdu.ins) {
    case INS_ENVELOPE:
        tell_envelope(t, apdu.data);
        tell_report(t, seen->response);
        break;
    case INS_FETCH:
        tell_proactive(t, seen->response);
        break;
    case INS_TERMINAL_RESPONSE:
        tell_terminal_response(t, apdu.data);
        break;
    default: // octets
        break;
    }
}

static void put_first_line(const struct telling *t, const struct card_seen *seen)
{
    char iccid[ICCID_SIZE];
    struct writer *w = t->w;
    text_decimal(w, t->at.ms);
    text_put(w, " ");
    text_put(w, iccid_read(t->card->factory->card_iccid, iccid) ? iccid : "?");
    if (seen->command.len == 0) {
        text_put(w, " reset, ATR ");
        text_hex_upper(w, seen->response);
        end_line(w);
        return;
    }
    text_put(w, " > ");
    text_hex_upper(w, seen->command);
    text_put(w, " ");
    if (seen->command.len > 1)
        show_instruction(w, seen->command.at[1]);
    end_line(w);
}

static void put_answer(const struct telling *t, const struct card_seen *seen)
{
    const uint8_t sw[2] = {(uint8_t)(seen->sw >> 8), (uint8_t)seen->sw};
    struct writer *w = t->w;
    text_put(w, "  < ");
    if (seen->sw == CARD_MUTE) {
        text_put(w, "nothing: the card lost its power\n");
        return;
    }
    text_hex_upper(w, seen->response);
    text_put(w, seen->response.len > 0 ? " " : "");
    text_hex_upper(w, bytes_of(sw, sizeof sw));
    text_put(w, " ");
    show_status_word(w, seen->sw);
    end_line(w);
}

void story_tell(struct story *story, const struct card_seen *blanked, struct instant at,
                struct writer *w)
{
    struct telling t = {.story = story, .card = blanked->card, .at = at, .w = w};
    put_first_line(&t, blanked);
    if (blanked->command.len > 0) {
        put_answer(&t, blanked);
        tell_content(&t, blanked);
    }
    tell_state(&t);
}

#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/keywrap.h"
#include "common/wire/secured.h"
#include "tests/lib/cmocka_all.h"

#define TAR 0xB00010

static bool nvm_read(void *context, size_t at, void *to, size_t len)
{
    struct bench_card *b = context;
    assert_true(at + len <= sizeof b->nvm);
    b->reads++;
    if (b->fail_read_at != 0 &&
        (b->reads == b->fail_read_at || (b->fails_on && b->reads > b->fail_read_at)))
        return false;
    memcpy(to, b->nvm + at, len);
    return true;
}

static bool nvm_write(void *context, size_t at, const void *from, size_t len)
{
    struct bench_card *b = context;
    assert_true(at + len <= sizeof b->nvm);
    b->writes++;
    if (b->writes < BENCH_WRITES_MAX)
        b->write_len[b->writes] = (uint16_t)len;
    if (b->is_cut)
        return false;
    if (b->fail_at != 0 && (b->writes == b->fail_at || (b->fails_on && b->writes > b->fail_at)))
        return false;
    if (b->writes != b->cut_at) {
        memcpy(b->nvm + at, from, len);
        b->is_cut = b->writes == b->cut_after;
        return true;
    }
    b->is_cut = true;
    size_t whole = b->cut_octet < len ? b->cut_octet : len - 1;
    memcpy(b->nvm + at, from, whole);
    b->nvm[at + whole] = b->cut_value;
    return false;
}

static uint32_t chance(void *context)
{
    struct bench_card *b = context;
    b->chance = b->chance * 1664525u + 1013904223u;
    return b->chance >> 8;
}

static struct sms_joiner *lend(void *context, bool wanted)
{
    struct bench_card *b = context;
    return wanted ? &b->joiner : NULL;
}

static struct secret_key key(uint8_t first)
{
    struct secret_key k = {.len = 16};
    for (uint8_t i = 0; i < 16; i++)
        k.octets[i] = (uint8_t)(first + i);
    return k;
}

void bench_imsi(uint8_t n, uint8_t imsi[COMMAND_IMSI_SIZE])
{
    // 0010100000000nn as EF.IMSI: length, first digit with the odd mark, then pairs.
    const uint8_t octets[COMMAND_IMSI_SIZE] = {
        8, 0x09, 0x10, 0x10, 0, 0, 0, 0, (uint8_t)((n % 10) << 4 | n / 10)};
    memcpy(imsi, octets, sizeof octets);
}

struct subscription_name bench_name(uint8_t n)
{
    struct subscription_name name = {.is_given = true, .is_iccid = false};
    bench_imsi(n, name.imsi);
    return name;
}

static struct slot subscription(uint8_t n, uint8_t state, bool is_fallback)
{
    struct slot s = {
        .state = state,
        .role = ROLE_OPERATIONAL,
        .rank = n,
        .is_fallback = is_fallback,
        .template_number = 1,
        .mnc_length = 2,
        .keys = {.k = key(0x40), .op = key(0x60)},
    };
    bench_imsi(n, s.imsi);
    return s;
}

static void set_profile(struct bench_card *b)
{
    static const enum cat_feature features[] = {
        CAT_FEATURE_PROFILE_DOWNLOAD,
        CAT_FEATURE_SMS_PP_DOWNLOAD,
        CAT_FEATURE_TIMER_EXPIRATION,
        CAT_FEATURE_POLL_INTERVAL,
        CAT_FEATURE_REFRESH,
        CAT_FEATURE_SEND_SHORT_MESSAGE,
        CAT_FEATURE_LOCATION_AND_IMEI,
        CAT_FEATURE_SET_UP_EVENT_LIST,
        CAT_FEATURE_EVENT_LOCATION_STATUS,
        CAT_FEATURE_TIMER_START_STOP,
        CAT_FEATURE_EVENT_REJECTION_EUTRAN,
    };
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        cat_profile_set(b->profile, sizeof b->profile, features[i], true);
}

void bench_init(struct bench_card *b)
{
    memset(b, 0, sizeof *b);
    assert_true(cipher_openssl_open(&b->cipher));
    memset(b->nvm, 0xFF, sizeof b->nvm);
    b->templates[0] = (struct applet_template){.number = 1, .role = 0, .rank = 5, .mnc_length = 2};
    b->templates[1] = (struct applet_template){.number = 2, .role = 0, .rank = 9, .mnc_length = 3};
    b->subscriptions[0] = subscription(1, SLOT_ENABLED, true);
    b->subscriptions[1] = subscription(2, SLOT_DISABLED, false);
    b->factory = (struct applet_factory){
        .version = {2, 4, 7},
        .card_iccid = {0x98, 0x88, 0x10, 0, 0, 0, 0, 0, 0, 0xF1},
        .level = 2,
        .slot_count = 4,
        .tar = TAR,
        .server_address = {.len = 4, .octets = {0x91, 0x21, 0x43, 0x65}},
        .key_version = 1,
        .kic = key(0x10),
        .kid = key(0x20),
        .kik = key(0x30),
        .template_count = 2,
        .templates = b->templates,
        .subscription_count = 2,
        .subscriptions = b->subscriptions,
    };
    b->port = (struct applet_port){
        .context = b,
        .nvm_read = nvm_read,
        .nvm_write = nvm_write,
        .nvm_size = sizeof b->nvm,
        .nvm_page = 1,
        .random = chance,
        .joiner = lend,
        .cipher = &b->cipher,
        .factory = &b->factory,
        .work = &b->work,
    };
    b->service = CAT_SERVICE_NONE;
    b->plmn[0] = 0x00;
    b->plmn[1] = 0xF1;
    b->plmn[2] = 0x10;
    set_profile(b);
}

void bench_close(struct bench_card *b)
{
    cipher_openssl_close(&b->cipher);
}

// --- the server ---

static struct secured_keys keys_of(struct bench_card *b)
{
    return (struct secured_keys){.kic = &b->factory.kic, .kid = &b->factory.kid, .cmac_len = 8};
}

static struct sent *new_sent(struct bench_card *b)
{
    assert_true(b->sent_count < BENCH_SENT_MAX);
    struct sent *s = &b->sent[b->sent_count++];
    memset(s, 0, sizeof *s);
    return s;
}

static void open_answer(struct bench_card *b, struct bytes packet)
{
    const struct secured_command asked = {
        .spi1 = 0x16, .spi2 = 0x39, .kic = 0x12, .kid = 0x12, .tar = TAR};
    struct secured_keys keys = keys_of(b);
    struct secured_packet p;
    uint8_t room[SMS_PACKET_MAX];
    struct writer buffer = writer_of(room, sizeof room);
    assert_int_equal(secured_response_shape(packet, &asked, &p), SECURED_OK);
    assert_int_equal(secured_decipher(&p, &keys, &b->cipher, &buffer), SECURED_OK);
    assert_int_equal(secured_verify(&p, &keys, &b->cipher), SECURED_OK);
    struct sent *s = new_sent(b);
    s->is_answer = true;
    s->status = p.status;
    s->counter = p.cntr;
    assert_true(p.data.len <= sizeof s->data);
    if (p.data.len == 0)
        return;
    memcpy(s->data, p.data.at, p.data.len);
    assert_true(result_read(bytes_of(s->data, p.data.len), &s->result));
}

static void open_note(struct bench_card *b, struct bytes packet)
{
    struct secured_keys keys = keys_of(b);
    struct secured_packet p;
    uint8_t room[SMS_PACKET_MAX];
    struct writer buffer = writer_of(room, sizeof room);
    assert_int_equal(secured_command_shape(packet, &p), SECURED_OK);
    assert_int_equal(p.tar, TAR + 1);
    assert_true(p.spi1 == 0x16 && p.spi2 == 0x00); // nothing answers it on this layer
    assert_int_equal(secured_decipher(&p, &keys, &b->cipher, &buffer), SECURED_OK);
    assert_int_equal(secured_verify(&p, &keys, &b->cipher), SECURED_OK);
    struct sent *s = new_sent(b);
    s->counter = p.cntr;
    assert_true(p.cntr > b->mo_seen);
    b->mo_seen = p.cntr;
    assert_true(notification_read(p.data, &s->note));
}

static void take_submit(struct bench_card *b, struct bytes tpdu)
{
    struct sms_submit m;
    struct sms_part part;
    assert_int_equal(sms_read_submit(tpdu, &m), SMS_OK);
    assert_true(sms_read_part(m.user_data, &part));
    // Every message says which card it is from, in its first part.
    if (part.number <= 1) {
        uint8_t reference[CARD_REFERENCE_SIZE];
        assert_true(card_reference(&b->cipher, &b->factory.kik, reference));
        assert_true(bytes_equal(part.card_reference, bytes_of(reference, sizeof reference)));
        b->parts_len = 0;
    }
    memcpy(b->parts + b->parts_len, part.octets.at, part.octets.len);
    b->parts_len += part.octets.len;
    if (part.total > 1 && part.number < part.total)
        return;
    uint8_t whole[SMS_PACKET_MAX];
    memcpy(whole, b->parts, b->parts_len);
    struct bytes packet = bytes_of(whole, b->parts_len);
    bool is_answer = b->parts_len > 4 && (part.total > 1 || part.kind == SMS_RESPONSE_PACKET);
    if (is_answer)
        open_answer(b, packet);
    else
        open_note(b, packet);
    struct sent *s = &b->sent[b->sent_count - 1];
    s->to = m.recipient;
    s->parts = part.total;
    s->reference = part.reference;
}

// --- the terminal ---

static void answer(struct bench_card *b, const struct cat_message *command)
{
    struct cat_message r = cat_answer(command, CAT_DONE);
    b->asked[command->type]++;
    if (command->type == CAT_REFRESH)
        r.result = b->refresh_result;
    if (command->type == CAT_PROVIDE_LOCAL_INFORMATION) {
        if (command->qualifier == CAT_INFORMATION_IMEI && b->has_imei) {
            r.has |= CAT_HAS_IMEI;
            memcpy(r.imei, b->imei, sizeof r.imei);
        } else if (command->qualifier == CAT_INFORMATION_LOCATION &&
                   b->service == CAT_SERVICE_NORMAL) {
            r.has |= CAT_HAS_LOCATION;
            r.location = cat_location_gsm(b->plmn, 1, 1);
        } else if (command->qualifier == CAT_INFORMATION_LOCATION) {
            static const uint8_t no_service[] = {CAT_CAUSE_NO_SERVICE};
            r.result = CAT_TERMINAL_UNABLE;
            r.result_info = bytes_of(no_service, 1);
        }
    }
    if (command->type == CAT_SEND_SHORT_MESSAGE)
        take_submit(b, command->tpdu);
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    cat_write_response(&w, &r);
    assert_false(w.failed);
    applet_terminal_response(&b->applet, &b->port, writer_bytes(&w));
}

void bench_pump(struct bench_card *b)
{
    for (unsigned i = 0; i < 200; i++) {
        if (b->is_cut)
            return;
        bench_check(b);
        size_t pending = applet_pending(&b->applet, &b->port);
        if (pending == 0)
            return;
        uint8_t octets[APPLET_COMMAND_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        bool is_there = applet_fetch(&b->applet, &b->port, &w);
        if (b->is_cut)
            return;
        assert_true(is_there);
        assert_int_equal(w.len, pending);
        struct cat_message command;
        assert_int_equal(cat_read_command(writer_bytes(&w), &command), CAT_OK);
        bool is_reset = command.type == CAT_REFRESH && b->refresh_result == 0;
        if (!is_reset) {
            answer(b, &command);
            continue;
        }
        b->refreshes++;
        if (b->ignores_refresh)
            answer(b, &command);
        else
            bench_boot(b);
        return;
    }
    fail_msg("the card asks for ever");
}

// Restarts without recursion: a reset within a pump is followed here.
void bench_boot(struct bench_card *b)
{
    applet_start(&b->applet, &b->port);
    if (b->is_cut)
        return;
    applet_profile(&b->applet, &b->port, bytes_of(b->profile, sizeof b->profile));
    // The new start finds no service until the test says so.
    if (b->refreshes > 0)
        b->service = CAT_SERVICE_NONE;
}

void bench_service(struct bench_card *b, enum cat_location_status service)
{
    b->service = (uint8_t)service;
    bench_pump(b);
    b->service = (uint8_t)service;
    const uint8_t *plmn = service == CAT_SERVICE_NORMAL ? b->plmn : NULL;
    if (b->is_cut)
        return;
    applet_location(&b->applet, &b->port, service, plmn);
    bench_pump(b);
}

void bench_timer(struct bench_card *b, enum applet_clock_use use)
{
    bench_pump(b);
    applet_timer(&b->applet, &b->port, (uint8_t)(use + 1));
    bench_pump(b);
}

void bench_run_out(struct bench_card *b, enum applet_clock_use use)
{
    bench_pump(b);
    for (unsigned i = 0; i < 8 && clock_is_on(&b->applet, use); i++) {
        uint32_t before = b->applet.clocks[use].left_s;
        applet_timer(&b->applet, &b->port, (uint8_t)(use + 1));
        bool is_last = before <= CLOCK_TIMER_MAX;
        bench_pump(b);
        if (is_last)
            return;
    }
}

// --- packets ---

static const struct sent *deliver(struct bench_card *b, struct bytes tpdu)
{
    unsigned before = b->sent_count;
    uint8_t octets[200];
    struct writer report = writer_of(octets, sizeof octets);
    enum applet_sms_answer a = applet_sms(&b->applet, &b->port, tpdu, &report);
    if (a == APPLET_SMS_REPORT) {
        assert_true(report.len <= 128);                 // [31.111 §7.1.1]
        assert_memory_equal(octets, "\x02\x71\x00", 3); // [31.115 §4.2]
        open_answer(b, bytes_of(octets + 3, report.len - 3));
    }
    bench_pump(b);
    return b->sent_count > before ? &b->sent[before] : NULL;
}

static struct bytes one_message(struct bench_card *b, const struct sms_cut *cut,
                                struct bytes packet, size_t index)
{
    uint8_t octets[SMS_USER_DATA_MAX];
    struct writer user_data = writer_of(octets, sizeof octets);
    sms_cut_part(cut, packet, index, &user_data);
    const struct sms_address sender = {.digit_count = 4, .type = 0x91, .octets = {0x21, 0x43}};
    const uint8_t time[SMS_TIME_LEN] = {0};
    struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&user_data));
    struct writer w = writer_of(b->last_tpdu, sizeof b->last_tpdu);
    sms_write_deliver(&w, &m);
    assert_false(w.failed || user_data.failed);
    b->last_tpdu_len = w.len;
    return writer_bytes(&w);
}

const struct sent *bench_packet(struct bench_card *b, struct bytes data, uint8_t spi1, uint8_t spi2,
                                uint32_t tar, uint64_t counter)
{
    struct secured_command command = {.spi1 = spi1,
                                      .spi2 = spi2,
                                      .kic = 0x12,
                                      .kid = 0x12,
                                      .tar = tar,
                                      .cntr = counter,
                                      .data = data};
    struct secured_keys keys = keys_of(b);
    uint8_t octets[SMS_PACKET_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    assert_int_equal(secured_write_command(&packet, &command, &keys, &b->cipher), SECURED_OK);
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = (uint8_t)counter};
    size_t count = sms_cut_count(&cut, packet.len);
    const struct sent *out = NULL;
    for (size_t i = 0; i < count; i++)
        out = deliver(b, one_message(b, &cut, writer_bytes(&packet), i));
    return out;
}

const struct sent *bench_command(struct bench_card *b, struct command *c)
{
    uint8_t octets[COMMAND_BODY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    command_write(&w, c);
    assert_false(w.failed);
    bench_pump(b);
    return bench_packet(b, writer_bytes(&w), 0x16, 0x39, TAR, ++b->counter);
}

const struct sent *bench_again(struct bench_card *b)
{
    uint8_t tpdu[SMS_DELIVER_MAX];
    memcpy(tpdu, b->last_tpdu, b->last_tpdu_len);
    return deliver(b, bytes_of(tpdu, b->last_tpdu_len));
}

struct command bench_download(struct bench_card *b, uint8_t n, uint8_t flags)
{
    static struct network_keys network;
    network = (struct network_keys){.k = key((uint8_t)(n * 7)), .op = key((uint8_t)(n * 11))};
    static struct keywrap_block block;
    struct command c = {.number = COMMAND_DOWNLOAD,
                        .operation_id = ++b->operation_id,
                        .flags = flags,
                        .download = {.template_number = 1}};
    bench_imsi(n, c.download.imsi);
    assert_int_equal(keywrap_seal(&b->cipher, &b->factory.kik, c.operation_id, &network,
                                  c.download.imsi, &block),
                     KEYWRAP_OK);
    c.download.wrapped_keys = bytes_of(block.octets, block.len);
    memcpy(c.download.check, block.check, sizeof c.download.check);
    return c;
}

struct command bench_target(struct bench_card *b, uint8_t number, uint8_t n, uint8_t flags)
{
    return (struct command){.number = number,
                            .operation_id = ++b->operation_id,
                            .flags = flags,
                            .target = bench_name(n)};
}

struct command bench_audit(struct bench_card *b)
{
    (void)b;
    return (struct command){.number = COMMAND_AUDIT,
                            .audit = {.nonce = {1, 2, 3, 4, 5, 6, 7, 8}, .first_slot = 1}};
}

struct command bench_confirm(struct bench_card *b, uint32_t sequence, uint32_t operation_id)
{
    (void)b;
    return (struct command){
        .number = COMMAND_CONFIRM, .operation_id = operation_id, .confirm = {.sequence = sequence}};
}

struct command bench_configure(struct bench_card *b, struct bytes writes, struct bytes reads)
{
    return (struct command){.number = COMMAND_CONFIGURE,
                            .operation_id = ++b->operation_id,
                            .configure = {.writes = writes, .reads = reads}};
}

// --- what must always hold ---

struct applet_dump bench_dump(struct bench_card *b)
{
    struct applet_dump dump;
    assert_true(applet_dump(&b->applet, &b->port, &dump));
    return dump;
}

// What the workspace keeps between calls is what the memory says.
static void check_held_image(struct bench_card *b)
{
    static struct image held;
    if (b->work.holder != &b->applet || b->work.holder_number != b->applet.bank_number)
        return;
    held = b->work.image;
    memory_release(&b->port);
    assert_true(memory_load(&b->applet, &b->port));
    uint8_t octets[2][IMAGE_LEN_MAX];
    struct writer kept = writer_of(octets[0], sizeof octets[0]);
    struct writer read = writer_of(octets[1], sizeof octets[1]);
    image_write(&kept, &held, NULL);
    image_write(&read, &b->work.image, NULL);
    assert_true(bytes_equal(writer_bytes(&kept), writer_bytes(&read)));
}

void bench_check(struct bench_card *b)
{
    check_held_image(b);
    struct applet_dump dump = bench_dump(b);
    assert_true(image_is_sound(&dump.image));
    assert_true(dump.mt_counter >= b->mt_seen);
    assert_true(dump.mo_counter >= b->mo_seen);
    b->mt_seen = dump.mt_counter;
    if (dump.image.journal.phase == JOURNAL_NONE)
        assert_true(dump.state != SWITCH_SWITCHING && dump.state != SWITCH_PROBATION &&
                    dump.state != SWITCH_CONFIRMING);
}

const struct notification *bench_note(const struct bench_card *b, uint8_t cause)
{
    for (unsigned i = b->sent_count; i > 0; i--) {
        if (!b->sent[i - 1].is_answer && b->sent[i - 1].note.cause == cause)
            return &b->sent[i - 1].note;
    }
    return NULL;
}

// --- whole steps ---

static void done(struct bench_card *b, struct command *c, enum result_code code)
{
    const struct sent *s = bench_command(b, c);
    assert_non_null(s);
    assert_int_equal(s->status, 0);
    assert_int_equal(s->result.code, code);
}

void bench_set(struct bench_card *b, const uint8_t *list, size_t len)
{
    struct command c = bench_configure(b, bytes_of(list, len), bytes_of(NULL, 0));
    done(b, &c, RESULT_OK);
}

void bench_confirm_all(struct bench_card *b)
{
    for (unsigned i = 0; i < 8; i++) {
        struct applet_dump d = bench_dump(b);
        if (d.image.pending_count == 0)
            return;
        struct command c =
            bench_confirm(b, d.image.pending[0].sequence, d.image.pending[0].operation_id);
        done(b, &c, RESULT_OK);
    }
    fail_msg("notifications without end");
}

void bench_install(struct bench_card *b, uint8_t n, uint8_t marks)
{
    struct command c = bench_download(b, n, 0);
    c.download.has_marks = true;
    c.download.marks = marks;
    done(b, &c, RESULT_OK);
}

void bench_enable(struct bench_card *b, uint8_t n)
{
    struct command c = bench_target(b, COMMAND_ENABLE, n, COMMAND_FLAG_ROLLBACK);
    done(b, &c, RESULT_OK_PENDING);
    bench_run_out(b, CLOCK_STATE); // T_REFRESH
}

void bench_settle_on(struct bench_card *b, uint8_t n)
{
    bench_enable(b, n);
    bench_service(b, CAT_SERVICE_NORMAL);
    bench_confirm_all(b);
    assert_int_equal(b->applet.state, SWITCH_STABLE);
    assert_int_equal(bench_enabled(b), n - 1);
}

void bench_rotate_away(struct bench_card *b)
{
    bench_service(b, CAT_SERVICE_NONE);
    bench_run_out(b, CLOCK_STATE);
    assert_int_equal(b->applet.state, SWITCH_PROBATION);
}

void bench_statuses(struct bench_card *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        applet_status(&b->applet, &b->port);
        bench_pump(b);
    }
}

uint8_t bench_enabled(struct bench_card *b)
{
    struct applet_dump d = bench_dump(b);
    return image_enabled(&d.image);
}

bool bench_is_pending(struct bench_card *b, uint8_t cause)
{
    struct applet_dump d = bench_dump(b);
    for (uint8_t i = 0; i < d.image.pending_count; i++) {
        if (d.image.pending[i].cause == cause)
            return true;
    }
    return false;
}

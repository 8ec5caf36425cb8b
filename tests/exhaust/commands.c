// The commands that the search sends: what they are to the model, and their octets.
#include "tests/exhaust/rig.h"

#include "common/base/check.h"
#include "common/wire/keywrap.h"
#include "common/wire/secured.h"

static void imsi_of(uint8_t n, uint8_t imsi[COMMAND_IMSI_SIZE])
{
    const uint8_t octets[COMMAND_IMSI_SIZE] = {8, 0x09, 0x10, 0x10, 0, 0, 0, 0, (uint8_t)(n << 4)};
    memcpy(imsi, octets, sizeof octets);
}

static struct subscription_name name_of(uint8_t n)
{
    struct subscription_name name = {.is_given = true, .is_iccid = false};
    imsi_of(n, name.imsi);
    return name;
}

static void download(struct rig *r, struct command *c, uint8_t flags, bool are_keys_good)
{
    static struct keywrap_block block;
    struct network_keys keys = {.k = {.len = 16, .octets = {1}}, .op = {.len = 16, .octets = {2}}};
    *c = (struct command){
        .number = COMMAND_DOWNLOAD, .flags = flags, .operation_id = r->now.operation_id};
    c->download.template_number = 1;
    imsi_of(3, c->download.imsi);
    check(keywrap_seal(&r->cipher, &r->factory.kik, c->operation_id, &keys, c->download.imsi,
                       &block) == KEYWRAP_OK);
    c->download.wrapped_keys = bytes_of(block.octets, block.len);
    memcpy(c->download.check, block.check, sizeof c->download.check);
    c->download.check[0] ^= !are_keys_good;
}

static void target(const struct rig *r, struct command *c, uint8_t number, uint8_t n, uint8_t flags)
{
    *c = (struct command){.number = number,
                          .flags = flags,
                          .operation_id = r->now.operation_id,
                          .target = name_of(n)};
}

static void configure(struct rig *r, struct command *c, uint8_t event)
{
    static const uint8_t address[] = {PARAMETER_SERVER_ADDR, 3, 0x91, 0x99, 0x99};
    static const uint8_t quick[] = {
        PARAMETER_JITTER_MAX,       2, 0, 0,  PARAMETER_T_REFRESH,  1, 0,
        PARAMETER_NOTIFY_WAITS,     2, 0, 60, PARAMETER_ROUNDS_MAX, 1, 1,
        PARAMETER_SWITCHES_PER_DAY, 1, 3};
    static const uint8_t slow[] = {PARAMETER_NOTIFY_WAITS,     4, 0, 60, 0, 120,
                                   PARAMETER_SWITCHES_PER_DAY, 1, 5};
    static const uint8_t wrong[] = {PARAMETER_T_ATTACH, 2, 0, 90, PARAMETER_AUTO_MODE, 1, 3};
    static uint8_t mode[] = {PARAMETER_AUTO_MODE, 1, 0};
    static uint8_t country[] = {
        PARAMETER_COUNTRY_TABLE, 13, 0x62, 0xF2, 0xFF, 8, 0x09, 0x10, 0x10, 0, 0, 0, 0, 0x20,
        COUNTRY_PREFER};
    *c = (struct command){.number = COMMAND_CONFIGURE, .operation_id = r->now.operation_id};
    if (event == RIG_CONFIGURE_MODE) {
        mode[2] = (uint8_t)((r->now.model.parameters.auto_mode + 1) % 3);
        c->configure.writes = bytes_of(mode, sizeof mode);
    } else if (event == RIG_CONFIGURE_COUNTRY) {
        c->configure.writes = bytes_of(country, sizeof country);
    } else if (event == RIG_CONFIGURE_ADDRESS) {
        c->configure.writes = bytes_of(address, sizeof address);
    } else if (event == RIG_SETUP_SHORT) {
        c->configure.writes = bytes_of(quick, sizeof quick);
    } else if (event == RIG_SETUP_LONG) {
        c->configure.writes = bytes_of(slow, sizeof slow);
    } else {
        c->configure.writes = bytes_of(wrong, sizeof wrong);
    }
}

static bool confirm(const struct rig *r, struct command *c, uint8_t event)
{
    const struct model_card *m = &r->now.model;
    if (m->note_count == 0)
        return false;
    const struct model_note *n = &m->notes[event == RIG_CONFIRM_NEWEST ? m->note_count - 1 : 0];
    if (event == RIG_CONFIRM_NEWEST && m->note_count == 1)
        return false; // the other one is the same
    *c = (struct command){.number = COMMAND_CONFIRM,
                          .operation_id = n->operation_id + (event == RIG_CONFIRM_WRONG),
                          .confirm = {.sequence = n->sequence}};
    return true;
}

// False: there is none of this kind now.
static bool content(struct rig *r, uint8_t event, struct command *c)
{
    const uint8_t all = COMMAND_FLAG_ENABLE | COMMAND_FLAG_SET_FALLBACK | COMMAND_FLAG_ROLLBACK;
    switch (event) {
    case RIG_DOWNLOAD:
    case RIG_DOWNLOAD_ENABLE:
    case RIG_DOWNLOAD_WRONG_KEYS:
        download(r, c, event == RIG_DOWNLOAD_ENABLE ? all : 0, event != RIG_DOWNLOAD_WRONG_KEYS);
        return true;
    case RIG_ENABLE_1:
        target(r, c, COMMAND_ENABLE, 1, COMMAND_FLAG_ROLLBACK);
        return true;
    case RIG_ENABLE_2:
    case RIG_ENABLE_2_FIRM:
        target(r, c, COMMAND_ENABLE, 2, event == RIG_ENABLE_2 ? COMMAND_FLAG_ROLLBACK : 0);
        return true;
    case RIG_ENABLE_3:
        target(r, c, COMMAND_ENABLE, 3, COMMAND_FLAG_ROLLBACK);
        return true;
    case RIG_DELETE_1:
    case RIG_DELETE_2:
    case RIG_DELETE_3:
        target(r, c, COMMAND_DELETE, (uint8_t)(event - RIG_DELETE_1 + 1), 0);
        return true;
    case RIG_FALLBACK_1:
    case RIG_FALLBACK_2:
    case RIG_FALLBACK_3_FORCED:
        target(r, c, COMMAND_SET_FALLBACK, (uint8_t)(event - RIG_FALLBACK_1 + 1),
               event == RIG_FALLBACK_3_FORCED ? COMMAND_FLAG_FORCE : 0);
        return true;
    case RIG_CONFIGURE_MODE:
    case RIG_CONFIGURE_COUNTRY:
    case RIG_CONFIGURE_ADDRESS:
    case RIG_CONFIGURE_WRONG:
    case RIG_SETUP_SHORT:
    case RIG_SETUP_LONG:
        configure(r, c, event);
        return true;
    case RIG_AUDIT:
    case RIG_OLD_COUNTER:
        *c = (struct command){.number = COMMAND_AUDIT, .audit = {.nonce = {1}, .first_slot = 1}};
        c->audit.has_lookup = true;
        c->audit.lookup_operation_id = r->now.last.operation_id;
        return true;
    default: // octets
        return confirm(r, c, event);
    }
}

static bool is_repeat(uint8_t event)
{
    return event == RIG_SAME_PACKET || event == RIG_SAME_OPERATION || event == RIG_OTHER_OPERATION;
}

static uint64_t sum(struct bytes b)
{
    uint64_t out = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < b.len; i++)
        out = (out ^ b.at[i]) * UINT64_C(0x100000001B3);
    return out;
}

static void put(struct rig *r, struct rig_command *out, struct bytes data)
{
    const struct secured_keys keys = {
        .kic = &r->factory.kic, .kid = &r->factory.kid, .cmac_len = 8};
    const struct secured_command secured = {.spi1 = 0x16,
                                            .spi2 = 0x39,
                                            .kic = 0x12,
                                            .kid = 0x12,
                                            .tar = r->factory.tar,
                                            .cntr = out->packet.counter,
                                            .data = data};
    uint8_t octets[SMS_PACKET_MAX];
    uint8_t part[SMS_USER_DATA_MAX];
    struct writer packet = writer_of(octets, sizeof octets);
    struct writer user_data = writer_of(part, sizeof part);
    check(secured_write_command(&packet, &secured, &keys, &r->cipher) == SECURED_OK);
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    check(sms_cut_count(&cut, packet.len) == 1);
    sms_cut_part(&cut, writer_bytes(&packet), 0, &user_data);
    const struct sms_address sender = {.digit_count = 4, .type = 0x91, .octets = {0x21, 0x43}};
    const uint8_t time[SMS_TIME_LEN] = {0};
    const struct sms_deliver m = sms_deliver_packet(&sender, time, writer_bytes(&user_data));
    struct writer w = writer_of(out->tpdu, sizeof out->tpdu);
    sms_write_deliver(&w, &m);
    check(!w.failed && !user_data.failed);
    out->tpdu_len = w.len;
    out->packet.packet = sum(writer_bytes(&packet));
}

// Puts the octets of a new command of this kind into `w`, under this operation id. False: there is
// none now.
static bool build(struct rig *r, uint8_t kind, uint32_t operation_id, struct writer *w)
{
    static const uint8_t nonsense[] = {0x80, 0xE2, 0x91, COMMAND_DELETE, 2, 0x5A, 0x0A};
    struct command c = {.number = 0};
    if (kind == RIG_NONSENSE) {
        writer_copy(w, bytes_of(nonsense, sizeof nonsense));
        return true;
    }
    const uint32_t newest = r->now.operation_id;
    r->now.operation_id = operation_id;
    const bool is_there = content(r, kind, &c);
    r->now.operation_id = newest;
    if (is_there)
        command_write(w, &c);
    return is_there;
}

// What is sent, and under which operation id and counter.
static bool choose(struct rig *r, uint8_t event, struct rig_last *next, struct writer *w)
{
    const struct rig_last *last = &r->now.last;
    if (is_repeat(event) && last->counter == 0)
        return false;
    if (event == RIG_SAME_PACKET || event == RIG_SAME_OPERATION) {
        *next = *last;
        writer_copy(w, bytes_of(last->data, last->len));
        next->counter += (event == RIG_SAME_OPERATION) * (r->now.counter + 1 - last->counter);
        return true;
    }
    *next = (struct rig_last){.event = event,
                              .counter = r->now.counter + 1,
                              .operation_id = r->now.operation_id + 1,
                              .are_keys_good = event != RIG_DOWNLOAD_WRONG_KEYS};
    if (event == RIG_OTHER_OPERATION) {
        next->event = last->event == RIG_DELETE_3 ? RIG_DELETE_2 : RIG_DELETE_3;
        next->operation_id = last->operation_id;
    }
    if (event == RIG_OLD_COUNTER && r->now.counter < 2)
        return false;
    if (event == RIG_BODY) {
        next->are_keys_good = r->are_body_keys_good;
        writer_copy(w, r->body);
        return true;
    }
    return build(r, next->event, next->operation_id, w);
}

// Is the command what it is to be? A body from elsewhere may be anything.
static void look(struct rig_last *next, struct bytes octets)
{
    struct command c;
    const enum command_read_status form = model_read(octets, &c);
    if (next->event != RIG_BODY)
        check(form == (next->event == RIG_NONSENSE ? COMMAND_READ_BAD_FORMAT : COMMAND_READ_OK));
    else if (form == COMMAND_READ_OK && command_is_state_changing(c.number))
        next->operation_id = c.operation_id;
}

bool rig_command(struct rig *r, uint8_t event, struct rig_command *out)
{
    memset(out, 0, sizeof *out);
    struct rig_last next;
    struct writer w = writer_of(out->data, sizeof out->data);
    if (!choose(r, event, &next, &w))
        return false;
    check(!w.failed && w.len <= sizeof next.data);
    next.len = (uint8_t)w.len;
    memcpy(next.data, out->data, w.len);
    look(&next, writer_bytes(&w));
    out->packet.data = writer_bytes(&w);
    out->packet.body = sum(writer_bytes(&w));
    out->packet.by_message = true;
    out->packet.are_keys_good = next.are_keys_good;
    out->packet.counter = event == RIG_OLD_COUNTER ? r->now.counter - 1 : next.counter;
    put(r, out, writer_bytes(&w));
    if (event == RIG_OLD_COUNTER)
        return true;
    if (next.counter > r->now.counter)
        r->now.counter = next.counter;
    if (next.operation_id > r->now.operation_id)
        r->now.operation_id = next.operation_id;
    r->now.last = next;
    return true;
}

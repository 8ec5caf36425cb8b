#include "sim-emulator/shell/conform_cases.h"

#include "common/base/check.h"

#include <stdio.h>

#define FLAGS_NONE 0

// --- common ----------------------------------------------------------------------------------

static void name_digits(uint8_t n, char iccid[ICCID_SIZE], char imsi[IMSI_SIZE])
{
    (void)snprintf(iccid, ICCID_SIZE, "899999877700000%03u", n);
    iccid[18] = luhn_digit(iccid, 18);
    iccid[19] = 0;
    (void)snprintf(imsi, IMSI_SIZE, "001017770000%03u", n);
}

struct subscription_name conform_name(uint8_t n)
{
    struct subscription_name name = {.is_iccid = true, .is_given = true};
    char iccid[ICCID_SIZE];
    char imsi[IMSI_SIZE];
    name_digits(n, iccid, imsi);
    check(iccid_write(iccid, name.iccid) && imsi_write(imsi, name.imsi));
    return name;
}

void conform_make_download(struct trial *t, uint8_t n, struct conform_download *out)
{
    static const uint8_t number[] = {PHONE_INTERNATIONAL, 0x99, 0x09, 0x00, 0x00, 0x00, 0x10};
    struct subscription_name name = conform_name(n);
    uint8_t k[16];
    uint8_t opc[16];
    memset(k, 0x40 + n, sizeof k);
    memset(opc, 0x70 + n, sizeof opc);
    struct network_keys keys = {.k = secret_key_of(bytes_of(k, sizeof k)),
                                .op = secret_key_of(bytes_of(opc, sizeof opc))};
    *out = (struct conform_download){
        .command = {.number = COMMAND_DOWNLOAD,
                    .operation_id = trial_next_operation(t),
                    .flags = COMMAND_FLAG_ROLLBACK,
                    .download = {.template_number = 1,
                                 .iccid = name,
                                 .smsc = bytes_of(number, sizeof number),
                                 .msisdn = bytes_of(number, sizeof number),
                                 .has_mnc_length = true,
                                 .mnc_length = 2}}};
    struct command_download *d = &out->command.download;
    memcpy(d->imsi, name.imsi, sizeof d->imsi);
    check(keywrap_seal(t->cipher, &t->card.kik, out->command.operation_id, &keys, d->imsi,
                       &out->block) == KEYWRAP_OK);
    d->wrapped_keys = bytes_of(out->block.octets, out->block.len);
    memcpy(d->check, out->block.check, sizeof d->check);
    secret_wipe(&keys, sizeof keys);
}

struct command conform_target(struct trial *t, enum command_number number,
                              const struct subscription_name *name, uint8_t flags)
{
    return (struct command){.number = (uint8_t)number,
                            .operation_id = trial_next_operation(t),
                            .flags = flags,
                            .target = *name};
}

const struct audit_slot *conform_slot(const struct audit_answer *a, bool is_fallback)
{
    for (uint8_t i = 0; i < a->slot_count_here; i++) {
        const struct audit_slot *s = &a->slots[i];
        if (is_fallback ? s->is_fallback : s->state == SLOT_ENABLED)
            return s;
    }
    return NULL;
}

struct subscription_name conform_slot_name(const struct audit_slot *slot)
{
    struct subscription_name name = {.is_iccid = slot->has_iccid, .is_given = true};
    memcpy(name.iccid, slot->iccid, sizeof name.iccid);
    memcpy(name.imsi, slot->imsi, sizeof name.imsi);
    return name;
}

const struct audit_slot *conform_find(const struct audit_answer *a, uint8_t n)
{
    struct subscription_name name = conform_name(n);
    for (uint8_t i = 0; i < a->slot_count_here; i++) {
        if (memcmp(a->slots[i].imsi, name.imsi, sizeof name.imsi) == 0)
            return &a->slots[i];
    }
    return NULL;
}

static void download(struct trial *t, uint8_t n)
{
    struct conform_download d;
    conform_make_download(t, n, &d);
    (void)trial_expect_code(t, &d.command, RESULT_OK);
}

static void delete_it(struct trial *t, uint8_t n)
{
    struct subscription_name name = conform_name(n);
    struct command c = conform_target(t, COMMAND_DELETE, &name, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_OK);
}

// --- forms -----------------------------------------------------------------------------------

static void expect_raw(struct trial *t, struct bytes data, uint8_t code)
{
    char text[TRIAL_REASON_SIZE];
    struct trial_packet packet = {.data = data};
    struct result r;
    trial_send(t, &packet);
    bool is_answered =
        t->answer.is_secured && result_read(bytes_of(t->answer.data, t->answer.len), &r);
    (void)snprintf(text, sizeof text, "%s was expected, the card says %s", result_code_name(code),
                   is_answered ? result_code_name(r.code) : "nothing");
    (void)trial_expect(t, is_answered && r.code == code, text);
}

// CONFIRM with its two objects and more: 80 E2 91 10 Lc 8F 04 id 91 04 sequence.
static void form_is_judged(struct trial *t, struct bytes more, bool has_sequence, uint8_t number)
{
    uint8_t octets[64];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u24(&w, 0x80E291);
    writer_u8(&w, number);
    writer_u8(&w, (uint8_t)(6 + (has_sequence ? 6 : 0) + more.len));
    writer_u16(&w, 0x8F04);
    writer_u32(&w, trial_next_operation(t));
    if (has_sequence) {
        writer_u16(&w, 0x9104);
        writer_u32(&w, 0x7FFFFFF0);
    }
    writer_copy(&w, more);
    expect_raw(t, writer_bytes(&w),
               number == COMMAND_CONFIRM ? RESULT_BAD_FORMAT : RESULT_UNKNOWN_COMMAND);
}

static void unknown_tag(struct trial *t)
{
    static const uint8_t object[] = {0x92, 0x01, 0x00};
    form_is_judged(t, bytes_of(object, sizeof object), true, COMMAND_CONFIRM);
}

static void missing_tag(struct trial *t)
{
    form_is_judged(t, bytes_of(NULL, 0), false, COMMAND_CONFIRM);
}

static void tag_twice(struct trial *t)
{
    static const uint8_t object[] = {0x91, 0x04, 0x7F, 0xFF, 0xFF, 0xF0};
    form_is_judged(t, bytes_of(object, sizeof object), true, COMMAND_CONFIRM);
}

static void wrong_length(struct trial *t)
{
    static const uint8_t object[] = {0x91, 0x03, 0x7F, 0xFF, 0xFF};
    form_is_judged(t, bytes_of(object, sizeof object), false, COMMAND_CONFIRM);
}

static void unknown_command(struct trial *t)
{
    form_is_judged(t, bytes_of(NULL, 0), false, 0x7F);
}

// --- operation ids ---------------------------------------------------------------------------

static struct command confirm_nothing(struct trial *t, uint32_t sequence)
{
    return (struct command){.number = COMMAND_CONFIRM,
                            .operation_id = trial_next_operation(t),
                            .confirm = {.sequence = sequence}};
}

static void confirm_of_nothing(struct trial *t)
{
    struct command c = confirm_nothing(t, 0x7FFFFFF0);
    (void)trial_expect_code(t, &c, RESULT_CONFIRM_UNKNOWN);
}

static void operation_is_replayed(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    struct result first = trial_expect_code(t, &d.command, RESULT_OK);
    uint32_t version = first.registry_version;
    (void)trial_expect(t, !first.replayed, "the first answer has the flag replayed");
    struct result second = trial_expect_code(t, &d.command, RESULT_OK);
    (void)trial_expect(t, second.replayed, "the second answer does not have the flag replayed");
    (void)trial_expect(t, second.registry_version == version, "REGV is another");
    delete_it(t, 1);
}

static void operation_is_reused(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    (void)trial_expect_code(t, &d.command, RESULT_OK);
    struct subscription_name name = conform_name(1);
    struct command c = conform_target(t, COMMAND_DELETE, &name, FLAGS_NONE);
    c.operation_id = d.command.operation_id;
    (void)trial_expect_code(t, &c, RESULT_OPID_REUSED);
    struct audit_answer a;
    if (trial_audit(t, &a))
        (void)trial_expect(t, conform_find(&a, 1) != NULL, "the command was executed");
    delete_it(t, 1);
}

static void operation_is_expired(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    struct command first = d.command;
    (void)trial_expect_code(t, &first, RESULT_OK);
    delete_it(t, 1);
    for (unsigned i = 0; i < 4; i++) { // with the two before: more than 8 results
        download(t, 2);
        delete_it(t, 2);
    }
    (void)trial_expect_code(t, &first, RESULT_OPID_EXPIRED);
    struct audit_answer a;
    if (trial_audit(t, &a))
        (void)trial_expect(t, conform_find(&a, 1) == NULL, "the command was executed");
}

static void audit_looks_operations_up(struct trial *t)
{
    struct command audit = {.number = COMMAND_AUDIT,
                            .audit = {.first_slot = 1, .has_lookup = true}};
    struct audit_answer a;
    download(t, 1);
    uint32_t ids[2] = {t->operation_id, t->operation_id + 1000};
    static const uint8_t kinds[2] = {LOOKUP_STORED, LOOKUP_NEVER_SEEN};
    for (size_t i = 0; i < 2; i++) {
        audit.audit.lookup_operation_id = ids[i];
        struct result r = trial_expect_code(t, &audit, RESULT_OK);
        bool is_read = r.code == RESULT_OK && audit_answer_read(r.data, &a);
        (void)trial_expect(t, is_read && a.lookup == kinds[i] && a.lookup_operation_id == ids[i],
                           "C2 tells another thing");
        (void)trial_expect(t, !is_read || i > 0 || a.lookup_code == RESULT_OK,
                           "C2 tells another result");
    }
    delete_it(t, 1);
}

// --- subscriptions ---------------------------------------------------------------------------

static void download_and_delete(struct trial *t)
{
    struct audit_answer before, with, after;
    struct conform_download d;
    if (!trial_audit(t, &before))
        return;
    conform_make_download(t, 1, &d);
    struct result r = trial_expect_code(t, &d.command, RESULT_OK);
    struct result_pair pair = {0, 0};
    (void)trial_expect(t, result_pair_read(r.data, &pair), "there are no slot and free slots");
    if (!trial_audit(t, &with))
        return;
    const struct audit_slot *s = conform_find(&with, 1);
    (void)trial_expect(t,
                       s != NULL && s->state == SLOT_DISABLED && !s->is_proven && !s->is_fallback &&
                           s->slot == pair.first,
                       "the slot is not there, or not disabled and unproven");
    (void)trial_expect(t, s != NULL && s->template_number == 1, "its template is another");
    (void)trial_expect(t, with.slot_count_here == before.slot_count_here + 1,
                       "not exactly one more slot is used");
    delete_it(t, 1);
    if (trial_audit(t, &after))
        (void)trial_expect(
            t, conform_find(&after, 1) == NULL && after.slot_count_here == before.slot_count_here,
            "DELETE did not empty the slot");
}

static void state_hash_is_right(struct trial *t)
{
    struct audit_answer a;
    uint8_t hash[COMMAND_HASH_SIZE];
    download(t, 1);
    struct command audit = {.number = COMMAND_AUDIT, .audit = {.first_slot = 1}};
    const struct result r = trial_expect_code(t, &audit, RESULT_OK);
    if (!r.has_hash) {
        trial_skip(t, "a card of level 1 has no state hash");
    } else if (!r.more && audit_answer_read(r.data, &a)) {
        bool ok = state_hash(t->cipher, a.slots, a.slot_count_here, hash) &&
                  memcmp(hash, r.state_hash, sizeof hash) == 0;
        (void)trial_expect(t, ok, "the state hash is not that of the slots");
    }
    delete_it(t, 1);
}

static void registry_version_counts(struct trial *t)
{
    struct conform_download d;
    struct command audit = {.number = COMMAND_AUDIT, .audit = {.first_slot = 1}};
    uint32_t before = trial_expect_code(t, &audit, RESULT_OK).registry_version;
    conform_make_download(t, 1, &d);
    uint32_t after = trial_expect_code(t, &d.command, RESULT_OK).registry_version;
    (void)trial_expect(t, after == before + 1, "REGV is not one more after DOWNLOAD");
    struct command c = confirm_nothing(t, 0x7FFFFFF0);
    uint32_t last = trial_expect_code(t, &c, RESULT_CONFIRM_UNKNOWN).registry_version;
    (void)trial_expect(t, last == after, "REGV changes although the registry does not");
    delete_it(t, 1);
}

static void download_twice(struct trial *t)
{
    struct conform_download d;
    download(t, 1);
    conform_make_download(t, 1, &d);
    (void)trial_expect_code(t, &d.command, RESULT_ALREADY_INSTALLED);
    delete_it(t, 1);
}

static void download_wrong_check(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    d.command.download.check[0] ^= 0x01;
    (void)trial_expect_code(t, &d.command, RESULT_KEY_CHECK_FAILED);
    // The keys of another subscription: the check value is bound to the IMSI.
    conform_make_download(t, 1, &d);
    memcpy(d.command.download.imsi, conform_name(2).imsi, COMMAND_IMSI_SIZE);
    (void)trial_expect_code(t, &d.command, RESULT_KEY_CHECK_FAILED);
    struct audit_answer a;
    if (trial_audit(t, &a))
        (void)trial_expect(t, conform_find(&a, 1) == NULL && conform_find(&a, 2) == NULL,
                           "the subscription is there");
}

static void download_unknown_template(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    d.command.download.template_number = 0xEE;
    (void)trial_expect_code(t, &d.command, RESULT_TEMPLATE_UNKNOWN);
}

static void download_fallback_alone(struct trial *t)
{
    struct conform_download d;
    conform_make_download(t, 1, &d);
    d.command.flags = COMMAND_FLAG_ROLLBACK | COMMAND_FLAG_SET_FALLBACK;
    (void)trial_expect_code(t, &d.command, RESULT_BAD_DATA);
}

static void download_until_full(struct trial *t)
{
    struct conform_download d;
    struct audit_answer a;
    uint8_t count = 0;
    if (!trial_audit(t, &a))
        return;
    uint8_t room = (uint8_t)(a.slot_count - a.slot_count_here);
    for (; count < room && t->reason[0] == 0; count++)
        download(t, (uint8_t)(10 + count));
    conform_make_download(t, (uint8_t)(10 + count), &d);
    (void)trial_expect_code(t, &d.command, RESULT_NO_FREE_SLOT);
    for (uint8_t i = 0; i < count; i++)
        delete_it(t, (uint8_t)(10 + i));
}

static void delete_unknown(struct trial *t)
{
    struct subscription_name name = conform_name(99);
    struct command c = conform_target(t, COMMAND_DELETE, &name, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_NOT_FOUND);
}

static void delete_enabled(struct trial *t)
{
    struct audit_answer a;
    if (!trial_audit(t, &a) || !trial_expect(t, conform_slot(&a, false) != NULL, "none is enabled"))
        return;
    struct subscription_name name = conform_slot_name(conform_slot(&a, false));
    struct command c = conform_target(t, COMMAND_DELETE, &name, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_IS_ENABLED);
}

static void fallback_moves_and_stays(struct trial *t)
{
    struct audit_answer a;
    if (!trial_audit(t, &a) || !trial_expect(t, conform_slot(&a, true) != NULL, "no fallback"))
        return;
    struct subscription_name former = conform_slot_name(conform_slot(&a, true));
    struct subscription_name name = conform_name(1);
    download(t, 1);
    struct command c = conform_target(t, COMMAND_SET_FALLBACK, &name, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_NOT_PROVEN);
    c = conform_target(t, COMMAND_SET_FALLBACK, &name, COMMAND_FLAG_FORCE);
    (void)trial_expect_code(t, &c, RESULT_OK);
    c = conform_target(t, COMMAND_DELETE, &name, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_IS_FALLBACK);
    if (trial_audit(t, &a)) {
        unsigned count = 0;
        for (uint8_t i = 0; i < a.slot_count_here; i++)
            count += a.slots[i].is_fallback;
        (void)trial_expect(t, count == 1, "not exactly one subscription is the fallback");
    }
    c = conform_target(t, COMMAND_SET_FALLBACK, &former, COMMAND_FLAG_FORCE);
    (void)trial_expect_code(t, &c, RESULT_OK);
    c = conform_target(t, COMMAND_SET_FALLBACK, &former, FLAGS_NONE);
    (void)trial_expect_code(t, &c, RESULT_OK_UNCHANGED);
    delete_it(t, 1);
}

// --- parameters ------------------------------------------------------------------------------

static struct result configure(struct trial *t, struct bytes writes, struct bytes reads,
                               uint8_t code)
{
    struct command c = {.number = COMMAND_CONFIGURE,
                        .operation_id = trial_next_operation(t),
                        .configure = {.writes = writes, .reads = reads}};
    struct result r = {.code = 0xFF};
    if (trial_ask(t, &c, &r) && r.code == RESULT_UNKNOWN_COMMAND) {
        trial_skip(t, "a card of level 1 has no CONFIGURE");
        return r;
    }
    char text[TRIAL_REASON_SIZE];
    (void)snprintf(text, sizeof text, "CONFIGURE: %s was expected, the card says %s",
                   result_code_name(code), result_code_name(r.code));
    (void)trial_expect(t, r.code == code, text);
    return r;
}

static const uint8_t read_attach[] = {PARAMETER_T_ATTACH};

static void expect_attach(struct trial *t, uint16_t seconds)
{
    struct result r =
        configure(t, bytes_of(NULL, 0), bytes_of(read_attach, sizeof read_attach), RESULT_OK);
    const uint8_t expected[] = {PARAMETER_T_ATTACH, 2, (uint8_t)(seconds >> 8), (uint8_t)seconds};
    (void)trial_expect(t,
                       r.data.len == 2 + sizeof expected &&
                           memcmp(r.data.at + 2, expected, sizeof expected) == 0,
                       "T_ATTACH has another value");
}

static void parameters_are_written(struct trial *t)
{
    static const uint8_t longer[] = {PARAMETER_T_ATTACH, 2, 0x01, 0x2C};
    static const uint8_t usual[] = {PARAMETER_T_ATTACH, 2, 0x00, 0xB4};
    (void)configure(t, bytes_of(longer, sizeof longer), bytes_of(NULL, 0), RESULT_OK);
    expect_attach(t, 300);
    (void)configure(t, bytes_of(usual, sizeof usual), bytes_of(NULL, 0), RESULT_OK);
    expect_attach(t, 180);
}

static void parameters_are_all_or_nothing(struct trial *t)
{
    // T_ATTACH 300 s with an unknown number, and with ROUNDS_MAX 11, which is 10 at most.
    static const uint8_t unknown[] = {PARAMETER_T_ATTACH, 2, 0x01, 0x2C, 0x7E, 1, 0};
    static const uint8_t range[] = {PARAMETER_T_ATTACH, 2, 0x01, 0x2C, PARAMETER_ROUNDS_MAX, 1, 11};
    static const uint8_t usual[] = {PARAMETER_T_ATTACH, 2, 0x00, 0xB4};
    (void)configure(t, bytes_of(usual, sizeof usual), bytes_of(NULL, 0), RESULT_OK);
    (void)configure(t, bytes_of(unknown, sizeof unknown), bytes_of(NULL, 0),
                    RESULT_UNKNOWN_PARAMETER);
    expect_attach(t, 180);
    (void)configure(t, bytes_of(range, sizeof range), bytes_of(NULL, 0), RESULT_OUT_OF_RANGE);
    expect_attach(t, 180);
}

static void parameters_have_bounds(struct trial *t)
{
    static const uint8_t below[] = {PARAMETER_T_ATTACH, 2, 0, 59};
    static const uint8_t above[] = {PARAMETER_T_ATTACH, 2, 0x03, 0x85}; // 901
    static const uint8_t length[] = {PARAMETER_T_ATTACH, 1, 180};
    (void)configure(t, bytes_of(below, sizeof below), bytes_of(NULL, 0), RESULT_OUT_OF_RANGE);
    (void)configure(t, bytes_of(above, sizeof above), bytes_of(NULL, 0), RESULT_OUT_OF_RANGE);
    (void)configure(t, bytes_of(length, sizeof length), bytes_of(NULL, 0), RESULT_OUT_OF_RANGE);
}

const struct conform_case conform_command_cases[] = {
    {"form.unknown-tag", "3", "an unknown tag is BAD_FORMAT", unknown_tag},
    {"form.missing-tag", "3", "a missing tag is BAD_FORMAT", missing_tag},
    {"form.tag-twice", "3", "a tag that stands twice is BAD_FORMAT", tag_twice},
    {"form.wrong-length", "3", "a wrong length is BAD_FORMAT", wrong_length},
    {"form.unknown-command", "3, 4", "a number that is no command is UNKNOWN_COMMAND",
     unknown_command},
    {"operation.replayed", "7",
     "the same operation again gives the stored result, marked, and nothing runs",
     operation_is_replayed},
    {"operation.reused", "7", "another command under the same id is OPID_REUSED, and nothing runs",
     operation_is_reused},
    {"operation.expired", "7", "an id of before the last 8 is OPID_EXPIRED, and nothing runs",
     operation_is_expired},
    {"operation.lookup", "4.1", "AUDIT tells what became of an operation",
     audit_looks_operations_up},
    {"audit.hash", "4.1", "the state hash is that of the slots without b6", state_hash_is_right},
    {"audit.version", "4", "REGV counts commits of the registry", registry_version_counts},
    {"confirm.unknown", "4", "CONFIRM of nothing is CONFIRM_UNKNOWN", confirm_of_nothing},
    {"download.and-delete", "3, 4", "DOWNLOAD in one SMS fills a slot, DELETE empties it",
     download_and_delete},
    {"download.twice", "4", "the same subscription again is ALREADY_INSTALLED", download_twice},
    {"download.wrong-check", "2", "keys that do not fit check value or IMSI are KEY_CHECK_FAILED",
     download_wrong_check},
    {"download.template", "4", "a template that there is not is TEMPLATE_UNKNOWN",
     download_unknown_template},
    {"download.fallback-alone", "3", "set fallback without enable is BAD_DATA",
     download_fallback_alone},
    {"download.full", "4", "without a free slot it is NO_FREE_SLOT", download_until_full},
    {"delete.unknown", "4", "DELETE of none is NOT_FOUND", delete_unknown},
    {"delete.enabled", "4", "DELETE of the enabled one is IS_ENABLED", delete_enabled},
    {"fallback.moves", "4",
     "the fallback attribute moves when proven or forced, and guards against DELETE",
     fallback_moves_and_stays},
    {"configure.written", "6", "parameters are written and read", parameters_are_written},
    {"configure.whole", "6", "a list is applied as a whole or not at all",
     parameters_are_all_or_nothing},
    {"configure.bounds", "6", "a value out of range or of a wrong length is OUT_OF_RANGE",
     parameters_have_bounds},
};
const size_t conform_command_case_count =
    sizeof conform_command_cases / sizeof conform_command_cases[0];

// Every example of docs/applet-protocol.md, both ways: built from its fields, and read from its
// octets.
#include "tests/lib/cmocka_all.h"

#include "common/host/cipher_openssl.h"
#include "common/wire/keywrap.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"
#include "tests/lib/vectors.h"

#define DOCUMENT "docs/applet-protocol.md"

static struct cipher cipher;
static size_t seen;

static uint64_t number(const struct vector *v, const char *key)
{
    struct bytes b = vector_get(v, key);
    uint64_t value = 0;
    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.at[i];
    return value;
}

static void copy(const struct vector *v, const char *key, uint8_t *to, size_t len)
{
    assert_int_equal(vector_get(v, key).len, len);
    memcpy(to, vector_get(v, key).at, len);
}

static void assert_octets(struct bytes got, struct bytes expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.at, expected.at, expected.len);
}

static void try_keys(const struct vector *v)
{
    struct secret_key kik = secret_key_of(vector_get(v, "kik"));
    struct network_keys keys = {secret_key_of(vector_get(v, "k")),
                                secret_key_of(vector_get(v, "opc"))};
    uint8_t reference[CARD_REFERENCE_SIZE];
    assert_true(card_reference(&cipher, &kik, reference));
    assert_octets(bytes_of(reference, sizeof reference), vector_get(v, "card_reference"));

    struct keywrap_block block;
    const uint32_t id = (uint32_t)number(v, "operation_id");
    assert_int_equal(keywrap_seal(&cipher, &kik, id, &keys, vector_get(v, "imsi").at, &block),
                     KEYWRAP_OK);
    assert_octets(bytes_of(block.octets, block.len), vector_get(v, "wrapped"));
    assert_octets(bytes_of(block.check, sizeof block.check), vector_get(v, "check"));

    struct command_download d = {.wrapped_keys = vector_get(v, "wrapped")};
    copy(v, "imsi", d.imsi, sizeof d.imsi);
    copy(v, "check", d.check, sizeof d.check);
    struct network_keys opened;
    assert_int_equal(keywrap_open(&cipher, &kik, id, &d, &opened), KEYWRAP_OK);
    assert_octets(bytes_of(opened.k.octets, opened.k.len), vector_get(v, "k"));
    assert_octets(bytes_of(opened.op.octets, opened.op.len), vector_get(v, "opc"));
    assert_int_equal(keywrap_open(&cipher, &kik, id + 1, &d, &opened), KEYWRAP_CHECK_FAILED);
    d.imsi[8] ^= 1;
    assert_int_equal(keywrap_open(&cipher, &kik, id, &d, &opened), KEYWRAP_CHECK_FAILED);
    assert_int_equal(opened.k.len, 0);
}

static struct command command_of(const struct vector *v)
{
    struct command c = {.number = (uint8_t)number(v, "number"),
                        .operation_id = (uint32_t)number(v, "operation_id"),
                        .flags = (uint8_t)number(v, "flags")};
    if (c.number == COMMAND_DOWNLOAD) {
        c.download = (struct command_download){
            .template_number = (uint8_t)number(v, "template"),
            .iccid = {.is_given = true, .is_iccid = true},
            .wrapped_keys = vector_get(v, "wrapped"),
            .smsc = vector_get(v, "smsc"),
            .msisdn = vector_get(v, "msisdn"),
            .has_mnc_length = true,
            .mnc_length = (uint8_t)number(v, "mnc_length"),
        };
        copy(v, "iccid", c.download.iccid.iccid, COMMAND_ICCID_SIZE);
        copy(v, "imsi", c.download.imsi, COMMAND_IMSI_SIZE);
        copy(v, "check", c.download.check, COMMAND_CHECK_SIZE);
    }
    c.target.is_given = vector_has(v, "target_iccid") || vector_has(v, "target_imsi");
    c.target.is_iccid = vector_has(v, "target_iccid");
    if (c.target.is_iccid)
        copy(v, "target_iccid", c.target.iccid, COMMAND_ICCID_SIZE);
    else if (c.target.is_given)
        copy(v, "target_imsi", c.target.imsi, COMMAND_IMSI_SIZE);
    if (c.number == COMMAND_AUDIT) {
        copy(v, "nonce", c.audit.nonce, COMMAND_NONCE_SIZE);
        c.audit.first_slot = (uint8_t)number(v, "first_slot");
        c.audit.has_lookup = true;
        c.audit.lookup_operation_id = (uint32_t)number(v, "lookup");
    }
    c.configure.writes = vector_get(v, "writes");
    c.configure.reads = vector_get(v, "reads");
    c.confirm.sequence = (uint32_t)number(v, "sequence");
    return c;
}

static void try_command(const struct vector *v)
{
    const struct command c = command_of(v);
    uint8_t octets[COMMAND_BODY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    assert_false(w.failed);
    assert_octets(writer_bytes(&w), vector_get(v, "data"));

    struct command read;
    assert_int_equal(command_read(vector_get(v, "data"), &read), COMMAND_READ_OK);
    struct writer again = writer_of(octets, sizeof octets);
    command_write(&again, &read);
    assert_octets(writer_bytes(&again), vector_get(v, "data"));
    assert_int_equal(read.operation_id, c.operation_id);
    assert_int_equal(read.flags, c.flags);
    assert_int_equal(read.number, c.number);
}

static void try_result(const struct vector *v)
{
    struct result r;
    assert_true(result_read(vector_get(v, "data"), &r));
    assert_int_equal(r.command, number(v, "command"));
    assert_int_equal(r.code, number(v, "code"));
    assert_int_equal(r.operation_id, number(v, "operation_id"));
    assert_int_equal(r.registry_version, number(v, "regv"));
    assert_true(r.has_hash && !r.replayed && !r.more);
    assert_octets(bytes_of(r.state_hash, COMMAND_HASH_SIZE), vector_get(v, "hash"));
    assert_octets(r.data, vector_get(v, "result_data"));
    uint8_t octets[COMMAND_RESULT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    result_write(&w, &r);
    assert_octets(writer_bytes(&w), vector_get(v, "data"));
}

static void try_audit(const struct vector *v)
{
    struct audit_answer a;
    assert_true(audit_answer_read(vector_get(v, "data"), &a));
    assert_octets(bytes_of(a.nonce, sizeof a.nonce), vector_get(v, "nonce"));
    assert_octets(bytes_of(a.card_iccid, sizeof a.card_iccid), vector_get(v, "card_iccid"));
    assert_octets(bytes_of(a.applet_version, 3), vector_get(v, "applet_version"));
    assert_int_equal(a.level, number(v, "level"));
    assert_int_equal(a.slot_count, number(v, "slot_count"));
    assert_int_equal(a.mt_counter, number(v, "mt_counter"));
    assert_int_equal(a.mo_counter, number(v, "mo_counter"));
    assert_int_equal(a.operation_id_highest, number(v, "operation_id_highest"));
    assert_int_equal(a.configuration_version, number(v, "configuration_version"));
    assert_int_equal(a.switch_state, number(v, "switch_state"));
    assert_int_equal(a.journal_phase, number(v, "journal_phase"));
    assert_int_equal(a.preferred_slot, number(v, "preferred_slot"));
    assert_int_equal(a.free_memory, number(v, "free_memory"));
    assert_int_equal(a.terminal, number(v, "terminal"));
    assert_int_equal(a.lookup, number(v, "lookup"));
    assert_int_equal(a.lookup_operation_id, number(v, "lookup_operation_id"));
    assert_int_equal(a.lookup_code, number(v, "lookup_code"));
    assert_octets(bytes_of(a.templates, a.template_count), vector_get(v, "templates"));
    assert_octets(bytes_of(a.plmn, 3), vector_get(v, "plmn"));
    assert_octets(bytes_of(a.imei, 8), vector_get(v, "imei"));
    assert_int_equal(a.slot_count_here, number(v, "slots"));
    // What the text below the example says.
    assert_int_equal(a.slots[0].state, SLOT_DISABLED);
    assert_int_equal(a.slots[0].role, ROLE_BOOTSTRAP);
    assert_true(a.slots[0].is_fallback && a.slots[0].is_proven);
    assert_int_equal(a.slots[1].state, SLOT_ENABLED);
    assert_int_equal(a.slots[1].rank, 2);
    assert_false(a.slots[1].is_fallback);

    uint8_t hash[COMMAND_HASH_SIZE];
    assert_true(state_hash(&cipher, a.slots, a.slot_count_here, hash));
    assert_octets(bytes_of(hash, sizeof hash), vector_get(v, "state_hash"));
    uint8_t octets[COMMAND_RESULT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    assert_int_equal(audit_answer_write(&w, &a, sizeof octets), a.slot_count_here);
    assert_octets(writer_bytes(&w), vector_get(v, "data"));
}

static void assert_name(const struct subscription_name *name, struct bytes expected)
{
    assert_int_equal(name->is_given, expected.len > 0);
    if (name->is_given && name->is_iccid)
        assert_octets(bytes_of(name->iccid, COMMAND_ICCID_SIZE), expected);
    else if (name->is_given)
        assert_octets(bytes_of(name->imsi, COMMAND_IMSI_SIZE), expected);
}

static void try_notification(const struct vector *v)
{
    struct notification n;
    assert_true(notification_read(vector_get(v, "data"), &n));
    assert_int_equal(n.cause, number(v, "cause"));
    assert_int_equal(n.sequence, number(v, "sequence"));
    assert_int_equal(n.operation_id, number(v, "operation_id"));
    assert_int_equal(n.registry_version, number(v, "regv"));
    assert_int_equal(n.coalesced, number(v, "coalesced"));
    assert_octets(bytes_of(n.state_hash, COMMAND_HASH_SIZE), vector_get(v, "hash"));
    assert_name(&n.from, vector_get(v, "from_iccid"));
    assert_name(&n.to, vector_get(v, "to_iccid"));
    assert_int_equal(n.has_plmn, vector_has(v, "plmn"));
    assert_int_equal(n.has_access, vector_has(v, "access"));
    assert_int_equal(n.access, number(v, "access"));
    assert_int_equal(n.has_imei, vector_has(v, "imei"));
    assert_int_equal(n.has_card, vector_has(v, "card"));
    assert_false(n.has_reject);
    uint8_t octets[COMMAND_NOTIFY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    notification_write(&w, &n);
    assert_octets(writer_bytes(&w), vector_get(v, "data"));
}

// Builds the packet of a block and the user data of its single message.
static void try_packet(const struct vector *v, bool is_response)
{
    const struct secret_key kic = secret_key_of(vector_get(v, "kic_key"));
    const struct secret_key kid = secret_key_of(vector_get(v, "kid_key"));
    const struct secured_keys keys = {.kic = &kic, .kid = &kid};
    const struct secured_command command = {
        .spi1 = vector_get(v, "spi").at[0],
        .spi2 = vector_get(v, "spi").at[1],
        .kic = (uint8_t)number(v, "kic"),
        .kid = (uint8_t)number(v, "kid"),
        .tar = (uint32_t)number(v, "tar"),
        .cntr = number(v, "cntr"),
        .data = vector_get(v, "data"),
    };
    const struct secured_response response = {
        .spi2 = command.spi2,
        .kic = command.kic,
        .kid = command.kid,
        .tar = command.tar,
        .cntr = command.cntr,
        .status = (uint8_t)number(v, "status"),
        .data = command.data,
    };
    uint8_t packet[512];
    struct writer w = writer_of(packet, sizeof packet);
    assert_int_equal(is_response ? secured_write_response(&w, &response, &keys, &cipher)
                                 : secured_write_command(&w, &command, &keys, &cipher),
                     SECURED_OK);
    const struct sms_cut cut = {
        .kind = is_response ? SMS_RESPONSE_PACKET : SMS_COMMAND_PACKET,
        .card_reference = vector_get(v, "card_reference"),
    };
    assert_int_equal(sms_cut_count(&cut, w.len), 1);
    uint8_t user_data[SMS_USER_DATA_MAX];
    struct writer u = writer_of(user_data, sizeof user_data);
    sms_cut_part(&cut, writer_bytes(&w), 0, &u);
    assert_octets(writer_bytes(&u), vector_get(v, "tp_ud"));
}

static void try_block(const struct vector *v, void *context)
{
    (void)context;
    seen++;
    if (strcmp(v->kind, "keys") == 0)
        try_keys(v);
    else if (strcmp(v->kind, "command") == 0)
        try_command(v);
    else if (strcmp(v->kind, "result") == 0)
        try_result(v);
    else if (strcmp(v->kind, "audit") == 0)
        try_audit(v);
    else if (strcmp(v->kind, "notification") == 0)
        try_notification(v);
    else if (strcmp(v->kind, "packet") == 0)
        try_packet(v, false);
    else if (strcmp(v->kind, "response") == 0)
        try_packet(v, true);
    else
        fail_msg("unknown block %s %s", v->kind, v->name);
}

static void every_example_of_the_document_is_what_the_code_does(void **state)
{
    (void)state;
    const size_t count = vectors_each(DOCUMENT, try_block, NULL);
    assert_int_equal(count, seen);
    assert_int_equal(seen, 20);
}

int main(void)
{
    if (!cipher_openssl_open(&cipher))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_document_is_what_the_code_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cipher_openssl_close(&cipher);
    return failed;
}

// The sample batch in all layouts, and its pool: the clear values were computed by hand with
// another implementation of AES and stand in docs/vendor-files.md.
#include "tests/lib/cmocka_all.h"

#include "tests/unit/vendor/lab.h"

#include "common/base/text.h"

#include <stdio.h>
#include <string.h>

struct expected {
    const char *iccid, *imsi1, *msisdn1, *puk1, *adm1, *ki1, *opc1, *imsi2, *ki2, *opc2, *kic1,
        *kid1, *kik1, *reference;
    uint16_t acc;
};

static const struct expected expected[3] = {
    {"89999000000717000019", "999700000000001", "9990000000001", "13600549", "99634052",
     "ABE8B156F9B3F2F4C88B369CC60EA0FC", "51A0644AC4150CFA70497AF839905E99", "001010000000001",
     "255DDC1E7E6D752FC360AC957508599E", "953B354E57A33E562B00FFC235A5DB87",
     "1D570A1ABC0427EE50EF4501E116AA17", "1A1480FB8DCCD3F62AB8C66B07648BA8",
     "69AF54EC7B31179B473917AD252B0C3D", "0945AE74AA5C1B64", 0x0002},
    {"89999000000717000027", "999700000000002", "9990000000002", "19938974", "52785505",
     "64292A7D6ED7666CABC59E4BAD91ED5E", "0F597AAA269EABACE6C288E2CC4ED8DC", "001010000000002",
     "976FD7BE636C10EADBE553036C29DE65", "3AC1533E15E17E000D92BAE924DD1587",
     "84542D08E9034F16C06D4C828E3C5D2A", "C2715BCF2C99F9161DB4B965C2CE0313",
     "A633698E9525A79E4362D8E65C4D6FF7", "4AE07BEB1CA12187", 0x0004},
    {"89999000000717000035", "999700000000003", "9990000000003", "84509835", "78569737",
     "F2C8071975E257497DC7B64E649CAA4A", "3C174C90711B7B835BFCBF30B7A66814", "001010000000003",
     "D6A8E7DDE7F3373CF617A1640A61169E", "16F356E0A20610E75EC52AA040A4245A",
     "1B2916FB3FCA540011933D28D2BEAEC0", "B8CFAA6B85A66F27944E3FBAFBEC3698",
     "6025411EE80A3D5BA8AEBF9DE9CBA70F", "7282DF786A4CE210", 0x0008},
};

static void assert_hex(const void *octets, size_t len, const char *hex)
{
    char text[2 * SECRET_KEY_MAX + 1];
    struct writer out = writer_of(text, sizeof text);
    text_hex_upper(&out, bytes_of(octets, len));
    assert_string_equal(text_end(&out), hex);
}

static void assert_key(const struct secret_key *key, const char *hex)
{
    assert_hex(key->octets, key->len, hex);
}

static void the_sample_loads_with_all_its_clear_values(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(import_exit_code(l->report.outcome), 0);
    assert_int_equal(l->report.records, 3);
    assert_int_equal(l->report.loaded, 3);
    assert_int_equal(l->card_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct vendor_card *card = &l->cards[i].card;
        const struct expected *e = &expected[i];
        assert_string_equal(card->iccid, e->iccid);
        assert_string_equal(card->codes.pin1, "0000");
        assert_string_equal(card->codes.puk1, e->puk1);
        assert_string_equal(card->codes.adm1, e->adm1);
        assert_int_equal(card->subscription_count, 2);
        assert_string_equal(card->subscriptions[0].imsi, e->imsi1);
        assert_string_equal(card->subscriptions[0].msisdn, e->msisdn1);
        assert_int_equal(card->subscriptions[0].acc, e->acc);
        assert_key(&card->subscriptions[0].k, e->ki1);
        assert_key(&card->subscriptions[0].opc, e->opc1);
        assert_string_equal(card->subscriptions[1].imsi, e->imsi2);
        assert_key(&card->subscriptions[1].k, e->ki2);
        assert_key(&card->subscriptions[1].opc, e->opc2);
        assert_key(&card->keyset.kic, e->kic1);
        assert_key(&card->keyset.kid, e->kid1);
        assert_key(&card->keyset.kik, e->kik1);
        assert_hex(card->keyset.reference, sizeof card->keyset.reference, e->reference);
    }
}

static void what_the_header_says_reaches_every_card(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    const struct vendor_header *h = &l->report.header;
    const struct vendor_card *card = &l->cards[0].card;
    assert_string_equal(h->tenant, "nordwind");
    assert_string_equal(h->batch, "0000717");
    // 2026-07-18T09:30:12Z is 20652 days and 34212 seconds after the epoch.
    assert_true(h->produced.ms == (INT64_C(20652) * 86400 + 34212) * 1000);
    assert_int_equal(h->minimum_level, 0x12);
    assert_hex(h->applet.aid, h->applet.aid_len, "F0000000015344FF49FF8900534D0100");
    assert_hex(h->applet.tar, 3, "534D01");
    assert_int_equal(h->applet.level, 2);
    assert_int_equal(h->applet.slot_count, 8);
    assert_int_equal(h->applet.template_count, 2);
    assert_int_equal(card->keyset.number, 1);
    assert_true(card->subscriptions[0].enabled && card->subscriptions[0].fallback);
    assert_int_equal(card->subscriptions[0].role, VENDOR_BOOTSTRAP);
    assert_false(card->subscriptions[1].enabled || card->subscriptions[1].fallback);
    assert_int_equal(card->subscriptions[1].role, VENDOR_OPERATIONAL);
    assert_string_equal(card->subscriptions[0].iccid, card->iccid);
    assert_string_equal(card->subscriptions[1].iccid, "");
    // Missing, so derived from the last digit of IMSI2.
    assert_int_equal(card->subscriptions[1].acc, 0x0002);
    assert_string_equal(card->subscriptions[1].operator_name, "TEST-001-01");
}

static void the_report_shows_digest_and_check_values_but_no_transport_key(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    assert_hex(l->report.sha256, 32,
               "44691D52CC716C914AD8191B71F5218946EC9F2C46F5146A5073F9BE1A14297C");
    assert_hex(l->report.header.transport[TRANSPORT_AUC].kcv, 3, "3544E0");
    assert_hex(l->report.header.transport[TRANSPORT_OTA].kcv, 3, "8F93D8");
    for (size_t i = 0; i < TRANSPORT_KINDS; i++)
        assert_int_equal(l->report.header.transport[i].key.len, 0);
    assert_int_equal(l->report.layout, VENDOR_VAROUT);
    assert_string_equal(import_outcome_name(l->report.outcome), "IMPORTED");
}

static size_t append_key(char *to, size_t cap, const struct secret_key *key)
{
    struct writer out = writer_of(to, cap);
    text_hex_upper(&out, bytes_of(key->octets, key->len));
    text_put(&out, ";");
    assert_false(out.failed);
    return out.len;
}

// Per card one line ICCID;IMSI1;MSISDN1;ACC;PIN1;PUK1;ADM1;KI1;OPC1;IMSI2;KI2;OPC2;KIC1;KID1;KIK1.
static void assert_digest_across_layouts(const struct lab *l)
{
    char text[4096];
    char hex[65];
    size_t len = 0;
    for (size_t i = 0; i < l->card_count; i++) {
        const struct vendor_card *c = &l->cards[i].card;
        const struct vendor_subscription *s = c->subscriptions;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s;%s;%s;%04X;%s;%s;%s;", c->iccid,
                                s[0].imsi, s[0].msisdn, s[0].acc, c->codes.pin1, c->codes.puk1,
                                c->codes.adm1);
        len += append_key(text + len, sizeof text - len, &s[0].k);
        len += append_key(text + len, sizeof text - len, &s[0].opc);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s;", s[1].imsi);
        len += append_key(text + len, sizeof text - len, &s[1].k);
        len += append_key(text + len, sizeof text - len, &s[1].opc);
        len += append_key(text + len, sizeof text - len, &c->keyset.kic);
        len += append_key(text + len, sizeof text - len, &c->keyset.kid);
        len += append_key(text + len, sizeof text - len, &c->keyset.kik);
        text[len - 1] = '\n';
    }
    lab_sha256(bytes_of(text, len), hex);
    assert_string_equal(hex, "74e7d7db0fa92d12ee95ca9bc874724e2ec042c61c948c98426ff127d1af1d02");
}

static void the_three_layouts_give_the_same_cards(void **state)
{
    struct lab *l = *state;
    lab_run(l);
    assert_int_equal(l->report.layout, VENDOR_VAROUT);
    assert_digest_across_layouts(l);

    l->card_count = 0;
    lab_to_csv(l);
    lab_run(l);
    assert_int_equal(l->report.layout, VENDOR_CSV);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_digest_across_layouts(l);

    l->card_count = 0;
    lab_read(l, "tests/samples/alder-0000717.out");
    lab_to_positional(l);
    lab_run(l);
    assert_int_equal(l->report.layout, VENDOR_POSITIONAL);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_hex(l->report.sha256, 32,
               "D1328D5687F489E46FD0DE53AFCDBA78289F4116C71E4D00A948AEF35C6F8360");
    assert_digest_across_layouts(l);
}

static void a_quoted_csv_gives_the_same_cards(void **state)
{
    struct lab *l = *state;
    lab_to_csv(l);
    lab_edit(l, "89999000000717000019,999700000000001",
             "\"89999000000717000019\",\"999700000000001\"");
    lab_edit(l, "iccid,imsi1", "\"ICCID\",IMSI");
    lab_edit(l, "\"ICCID\"", "iccid");
    lab_digest(l);
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_digest_across_layouts(l);
}

static const char pool[] =
    "#Kind: POOL\n#File-Version: 3.2\n#Customer: NORDWIND-IOT\n#Operator: TEST-001-01\n"
    "#Batch: P000001\n#Quantity: 2\n#ICCID-Format: 20D LUHN\n"
    "#Transport-Key-AUC: 07 AES128-CBC IV=0 KCV=3544E0\n#Encrypted: ki=07 opc=07\n"
    "iccid,imsi,msisdn,ki,opc\n"
    "89999000000901000015,001010000000101,9990000000101,CD9F73BEA2B8BA108897CF273832AAB4,"
    "3D1AF0FF289D17EF371F9ACD213F62E9\n"
    "89999000000901000023,001010000000102,9990000000102,F7456E1DBAA6454674FBB5F5C2CAFCB3,"
    "3AC2D5F08F712A96FB5226625FB146B2\n"
    "#Records: 2\n"
    "#SHA256-DATA: d03a99387284ef680f94ac7e022f0edd9bda8a2c239c05618109921bd5ca1d8a\n";

static void the_pool_loads_with_all_its_clear_values(void **state)
{
    struct lab *l = *state;
    lab_text(l, pool);
    l->options.file.kind = VENDOR_POOL;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_int_equal(l->card_count, 0);
    assert_int_equal(l->subscription_count, 2);
    const struct vendor_subscription *s = l->subscriptions;
    assert_string_equal(s[0].iccid, "89999000000901000015");
    assert_string_equal(s[0].imsi, "001010000000101");
    assert_string_equal(s[0].msisdn, "9990000000101");
    assert_key(&s[0].k, "A23EC3142C0B60F653F5A5AD3A074A87");
    assert_key(&s[0].opc, "DEB3DF0453FDC9814160966095350F0C");
    assert_key(&s[1].k, "B9985B11D0F470BCA129509B3E212E56");
    assert_key(&s[1].opc, "C14E3EE78F3F93D1DB8777C0AC1AA274");
    assert_string_equal(s[0].operator_name, "TEST-001-01");
    assert_int_equal(s[0].slot, 0);
}

static void an_imsi_of_another_operator_is_kept_out_of_a_pool(void **state)
{
    struct lab *l = *state;
    lab_text(l, pool);
    l->options.file.kind = VENDOR_POOL;
    lab_edit(l, ",001010000000101", ",999700000000101");
    lab_digest(l);
    lab_refuses(l, IMP_216, 11, "imsi");
}

static void a_pool_is_no_batch_of_cards_and_the_other_way_round(void **state)
{
    struct lab *l = *state;
    l->options.file.kind = VENDOR_POOL;
    lab_refuses(l, IMP_119, 0, "Kind");
    lab_text(l, pool);
    l->options.file.kind = VENDOR_CARDS;
    lab_refuses(l, IMP_119, 1, "Kind");
}

// Milenage test set 1 [35.208 §4.3.1]: K, OP and OPc.
static void an_op_becomes_an_opc(void **state)
{
    struct lab *l = *state;
    lab_text(l, "#Kind: POOL\n#File-Version: 3.2\n#Customer: NORDWIND-IOT\n#Operator: TEST-001-01\n"
                "#Batch: P2\n#Quantity: 1\nimsi,ki,op\n"
                "001010000000101,465B5CE8B199B49FAA5F0A2EE238A6BC,"
                "CDC202D5123E20F62B6D676AC72CB318\n#Records: 1\n");
    l->options.file.kind = VENDOR_POOL;
    l->options.is_lab = true;
    lab_run(l);
    assert_int_equal(l->report.outcome, REPORT_IMPORTED);
    assert_key(&l->subscriptions[0].opc, "CD63CB71954A9F4E48A5994E37A02BAF");
    // The published key is accepted in lab mode only, and with a warning.
    lab_expect(l, IMP_303, 8, "ki");
    assert_int_equal(l->report.findings.listed[0].level, FINDING_WARNING);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_sample_loads_with_all_its_clear_values),
        CASE(what_the_header_says_reaches_every_card),
        CASE(the_report_shows_digest_and_check_values_but_no_transport_key),
        CASE(the_three_layouts_give_the_same_cards),
        CASE(a_quoted_csv_gives_the_same_cards),
        CASE(the_pool_loads_with_all_its_clear_values),
        CASE(an_imsi_of_another_operator_is_kept_out_of_a_pool),
        CASE(a_pool_is_no_batch_of_cards_and_the_other_way_round),
        CASE(an_op_becomes_an_opc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

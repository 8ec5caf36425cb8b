// Templates, pools, transport keys, and what cards show besides their state.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_text.h"
#include "ota-server/store/backup.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define BASE "/connectivity-management/v1"

static struct lab lab;
static struct answer a;
static char path[256];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

// BASE, `before`, the id of this prefix in the answer, and `after`.
static const char *path_to(const char *before, const char *prefix, const char *after)
{
    const char *id = strstr(a.body, prefix);
    struct writer w = writer_of(path, sizeof(path));
    assert_non_null(id);
    text_put(&w, BASE);
    text_put(&w, before);
    writer_copy(&w, bytes_of(id, strlen(prefix) + 26));
    text_put(&w, after);
    return text_end(&w);
}

static const char *card_path(uint64_t card, const char *after)
{
    char text[API_ID_SIZE];
    struct writer w = writer_of(path, sizeof(path));
    api_id_write(text, "crd", card);
    text_put(&w, BASE "/cards/");
    text_put(&w, text);
    text_put(&w, after);
    return text_end(&w);
}

// --- cards ---

static void cards_are_found_by_label_and_field(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("GET", BASE "/cards?label=north", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":0"));
    ask("PATCH", card_path(card, ""),
        "{\"labels\":[\"south\",\"north\"],\"applicationField\":\"ENERGY\"}");
    assert_int_equal(a.status, 200);
    ask("GET", BASE "/cards?label=north&applicationField=ENERGY", NULL);
    assert_true(has("\"totalCount\":1") && has("\"applicationField\":\"ENERGY\""));
    ask("GET", BASE "/cards?label=nort", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", BASE "/cards?applicationField=FINANCE", NULL);
    assert_true(has("\"totalCount\":0"));
    static const char one_of[] = "One of PUBLIC_SERVICE FINANCE SMART_CITY SMART_RETAIL INDUSTRY "
                                 "ENERGY TRANSPORT AGRICULTURE OTHER: applicationField";
    ask("GET", BASE "/cards?applicationField=energy", NULL);
    assert_true(a.status == 400 && has(one_of));
    ask("POST", BASE "/cards/search", "{\"any\":\"8999900\",\"applicationField\":\"\"}");
    assert_true(a.status == 400 && has(one_of));
    ask("PATCH", card_path(card, ""), "{\"applicationField\":\"gardening\"}");
    assert_true(a.status == 400 && has(one_of));
    ask("POST", BASE "/card-groups", "{\"name\":\"x\",\"applicationField\":\"gardening\"}");
    assert_true(a.status == 400 && has(one_of));
    ask("PATCH", card_path(card, ""), "{\"applicationField\":\"\"}");
    assert_int_equal(a.status, 200);
    ask("GET", BASE "/cards?applicationField=ENERGY", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("PATCH", card_path(card, ""), "{\"applicationField\":\"ENERGY\"}");
    ask("POST", BASE "/cards/search",
        "{\"any\":\"89999000000000000012\",\"label\":\"south\",\"applicationField\":\"ENERGY\","
        "\"state\":\"OPERATIONAL\",\"openOperation\":false,\"sort\":\"-lastContactAt\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
    ask("POST", BASE "/cards/search", "{\"any\":\"89999000000000000012\",\"openOperation\":true}");
    assert_true(has("\"totalCount\":0"));
    ask("POST", BASE "/cards/search", "{\"any\":\"89999000000000000012\",\"sort\":\"colour\"}");
    assert_int_equal(a.status, 400);
}

static void expect_count(const char *method, const char *target, const char *body, unsigned count)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "\"totalCount\":%u", count);
    ask(method, target, body);
    if (a.status != 200 || !has(text))
        fail_msg("%s: %u instead of %s: %s", target, a.status, text, a.body);
}

static void a_card_without_a_field_is_in_that_of_its_group(void **state)
{
    (void)state;
    struct record record;
    static const char search[] =
        "{\"any\":\"899990\",\"match\":\"PREFIX\",\"applicationField\":\"SMART_CITY\"}";
    const uint64_t card =
        lab_card_of(&lab, "89999000000000000012", "001010000000001", "001010000000002", &record);
    const uint64_t other =
        lab_card_of(&lab, "89999000000000000020", "001010000000003", "001010000000004", &record);
    ask("POST", BASE "/card-groups", "{\"name\":\"lamps\",\"applicationField\":\"SMART_CITY\"}");
    const uint64_t lamps = lab_id(&a, "grp");
    ask("POST", BASE "/card-groups", "{\"name\":\"plain\"}");
    const uint64_t plain = lab_id(&a, "grp");
    lab_place(&lab, card, LAB_TENANT, lamps);
    lab_place(&lab, other, LAB_TENANT, plain);
    expect_count("GET", BASE "/cards?applicationField=SMART_CITY", NULL, 1);
    expect_count("GET", BASE "/cards?applicationField=ENERGY", NULL, 0);
    expect_count("POST", BASE "/cards/search", search, 1);
    ask("PATCH", card_path(card, ""), "{\"applicationField\":\"ENERGY\"}"); // wins over the group's
    expect_count("GET", BASE "/cards?applicationField=SMART_CITY", NULL, 0);
    expect_count("GET", BASE "/cards?applicationField=ENERGY", NULL, 1);
    expect_count("POST", BASE "/cards/search", search, 0);
    ask("PATCH", card_path(card, ""), "{\"applicationField\":\"\"}");
    expect_count("GET", BASE "/cards?applicationField=SMART_CITY", NULL, 1);
}

// At 12:00:00.000, .001 and .002 of 24 July 2026, as `date` says.
static void operations_are_found_by_both_kinds_of_ends(void **state)
{
    (void)state;
    static const int64_t noon = 1784894400000;
    static const struct {
        const char *range;
        unsigned count;
    } tries[] = {
        {"createdAt.gte=2026-07-24T12:00:00.001Z", 2},
        {"createdAt.gt=2026-07-24T12:00:00.001Z", 1},
        {"createdAt.lte=2026-07-24T12:00:00.001Z", 2},
        {"createdAt.lt=2026-07-24T12:00:00.001Z", 1},
        {"createdAt.gt=2026-07-24T12:00:00.000Z&createdAt.lt=2026-07-24T12:00:00.002Z", 1},
        {"createdAt.gt=2026-07-24T12:00:00.000Z&createdAt.gte=2026-07-24T12:00:00.000Z", 2},
        {"createdAt.lt=2026-07-24T12:00:00.001Z&createdAt.lte=2026-07-24T12:00:00.002Z", 1},
        {"createdAt.gt=2026-07-24T12:00:00.002Z", 0},
        {"createdAt.lt=1970-01-01T00:00:00.001Z", 0},
    };
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (int64_t i = 0; i < 3; i++) {
        const struct operation o = {.id = (uint64_t)(noon + i) << 20,
                                    .kind = OPERATION_ENABLE,
                                    .status = STATUS_ENDED,
                                    .created_at = {noon + i}};
        assert_int_equal(store_operation_put(lab.store, card, lab.tenant, &o), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        char target[256];
        (void)snprintf(target, sizeof(target), BASE "/operations?%s", tries[i].range);
        expect_count("GET", target, NULL, tries[i].count);
    }
    ask("GET", BASE "/operations?createdAt.lt=yesterday", NULL);
    assert_true(a.status == 400 && has("createdAt.lt"));
    expect_count("POST", BASE "/cards/search",
                 "{\"any\":\"89999000000000000012\",\"lastContactAt.gt\":\"1970-01-01T00:00:00Z\"}",
                 0); // it was never heard of
    expect_count(
        "POST", BASE "/cards/search",
        "{\"any\":\"89999000000000000012\",\"lastContactAt.gte\":\"1970-01-01T00:00:00Z\"}", 1);
}

static void groups_are_found_by_their_field(void **state)
{
    (void)state;
    ask("POST", BASE "/card-groups", "{\"name\":\"lamps\",\"applicationField\":\"SMART_CITY\"}");
    ask("POST", BASE "/card-groups", "{\"name\":\"plain\"}");
    expect_count("GET", BASE "/card-groups", NULL, 2);
    expect_count("GET", BASE "/card-groups?applicationField=SMART_CITY", NULL, 1);
    assert_true(has("\"name\":\"lamps\""));
    expect_count("GET", BASE "/card-groups?applicationField=ENERGY&sort=-createdAt", NULL, 0);
    ask("GET", BASE "/card-groups?applicationField=lamps", NULL);
    assert_int_equal(a.status, 400);
}

static void clear_values_need_a_reason_and_leave_a_row(void **state)
{
    (void)state;
    struct record record;
    lab_close(&lab);
    lab_open(&lab, "cards:read,cards:write,cards:reveal,audit-trail:read", true);
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("POST", card_path(card, "/reveal"), "{\"fields\":[\"iccid\"]}");
    assert_int_equal(a.status, 400);
    ask("POST", card_path(card, "/reveal"), "{\"fields\":[\"key\"],\"reason\":\"x\"}");
    assert_int_equal(a.status, 400);
    ask("POST", card_path(card, "/reveal"), "{\"fields\":[],\"reason\":\"x\"}");
    assert_int_equal(a.status, 400);
    ask("POST", card_path(card, "/reveal"),
        "{\"fields\":[\"iccid\",\"imsi\",\"msisdn\"],\"reason\":\"the customer calls\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"iccid\":\"89999000000000000012\""));
    assert_true(has("\"imsi\":[\"001010000000001\",\"999700000000001\"]"));
    assert_true(has("\"msisdn\":[\"999000000001\",\"999000000002\"]"));
    assert_false(has("\"imei\""));
    ask("GET", card_path(card, "/audit-trail"), NULL);
    assert_true(has("\"action\":\"card.revealed\"") && has("\"reason\":\"the customer calls\""));
    assert_true(has("\"after\":\"fields=[iccid imsi msisdn]\""));
    assert_true(has("\"address\":\"192.0.2.1\""));
}

static void an_imsi_is_shown_to_the_operator_alone(void **state)
{
    (void)state;
    struct record record;
    struct door desk;
    struct door them;
    const uint64_t other = 77;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    lab_user(&lab, "desk", ROLE_SUPPORT, LAB_TENANT, &desk);
    lab_user(&lab, "them", ROLE_ENTERPRISE_ADMIN, other, &them);
    const struct door *doors[] = {&desk, &them};
    lab_place(&lab, card, other,
              lab_grant(&lab, other, GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_REVEAL)));
    for (size_t i = 0; i < 2; i++) {
        lab_ask_as(&lab, doors[i], "POST", card_path(card, "/reveal"),
                   "{\"fields\":[\"iccid\",\"imsi\"],\"reason\":\"x\"}", &a);
        assert_int_equal(a.status, 403);
        assert_false(has("001010000000001"));
        lab_ask_as(&lab, doors[i], "POST", card_path(card, "/reveal"),
                   "{\"fields\":[\"iccid\"],\"reason\":\"x\"}", &a);
        assert_int_equal(a.status, 200);
    }
}

// Whoever was locked or revoked after the copy was made would else go on.
static void nobody_is_in_after_a_restore(void **state)
{
    (void)state;
    struct door door;
    lab_user(&lab, "olga", ROLE_OPERATOR, AUTH_OPERATOR, &door);
    lab_ask_as(&lab, &door, "GET", API_BASE "/session", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(store_put_back(lab.store, lab.now.utc), STORE_OK);
    assert_int_equal(turn_start(lab.turn, lab.now.utc), TURN_OK);
    lab_ask_as(&lab, &door, "GET", API_BASE "/session", NULL, &a);
    assert_int_equal(a.status, 401);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = API_BASE "/cards"}, &a);
    assert_int_equal(a.status, 401);
}

static void the_time_line_joins_steps_messages_and_trail(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    ask("PUT", card_path(card, "/dirty"), "{\"reason\":\"found in a drawer\"}");
    assert_int_equal(a.status, 200);
    ask("POST", card_path(card, "/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202); // and its packet leaves
    ask("GET", card_path(card, "/timeline"), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"kind\":\"STEP\",\"operationId\":\"op_") && has("\"type\":\"audit\""));
    assert_true(has("\"kind\":\"MESSAGE\"") && has("\"direction\":\"MT\""));
    assert_true(has("\"action\":\"card.dirty\",\"actor\":\"CLIENT\""));
    ask("GET", card_path(card, "/timeline?kind=MESSAGE"), NULL);
    assert_true(has("\"kind\":\"MESSAGE\"") && !has("\"kind\":\"STEP\""));
    ask("GET", card_path(card, "/timeline?to=2020-01-01T00:00:00Z"), NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", card_path(card, "/timeline?kind=NOISE"), NULL);
    assert_int_equal(a.status, 400);
    ask("GET", card_path(card, "/messages"), NULL);
    // SPI 16 39, key set 1 with AES, the applet's TAR [102.225 §5.1]; the ciphertext is for the
    // operator.
    assert_true(
        has("\"header\":{\"kind\":\"COMMAND\",\"spi\":\"1639\",\"kic\":\"12\",\"kid\":\"12\","
            "\"tar\":\"534d01\"}"));
    assert_true(has("\"packet\":\""));
    ask("GET", BASE "/audit-trail?actor=CLIENT&action=card.dirty", NULL);
    assert_true(has("\"totalCount\":1") && has("mark_dirty: found in a drawer"));
    ask("GET", BASE "/audit-trail?actor=CARD&action=card.dirty", NULL);
    assert_true(has("\"totalCount\":0"));
}

// --- the trail ---

static void the_trail_is_exported_as_lines_and_says_so(void **state)
{
    (void)state;
    ask("POST", BASE "/subscription-pools", "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1}");
    assert_int_equal(a.status, 201);
    ask("POST", BASE "/audit-trail/export", "{}");
    assert_int_equal(a.status, 400); // without a reason
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = BASE "/audit-trail/export",
                          .body = "{\"fromSequence\":1,\"reason\":\"yearly\"}",
                          .accept = "application/json"},
            &a);
    assert_int_equal(a.status, 406);
    ask("POST", BASE "/audit-trail/export", "{\"fromSequence\":2,\"reason\":\"yearly\"}");
    assert_int_equal(a.status, 200);
    assert_false(has("\"sequence\":1,"));
    assert_true(has("\"action\":\"pool.created\"") && has("\"action\":\"trail.exported\""));
    assert_int_equal(a.body[strlen(a.body) - 1], '\n');
    ask("GET", BASE "/audit-trail/checkpoints", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"items\":[]")); // this laboratory keeps no file of them
}

struct export
{
    uint64_t lines, octets;
};

static void count_lines(void *context, const struct api_answer *answer)
{
    struct export *e = context;
    uint8_t piece[700];
    long got;
    assert_int_equal(answer->status, 200);
    assert_non_null(answer->rest);
    while ((got = api_more(answer->rest, piece, sizeof(piece))) > 0) {
        for (long i = 0; i < got; i++)
            e->lines += piece[i] == '\n';
        e->octets += (uint64_t)got;
    }
    assert_int_equal(got, 0);
}

// However many rows there are: no part of the answer is held for longer than it takes to send it.
static void an_export_is_whole(void **state)
{
    (void)state;
    const uint64_t rows = 3000;
    struct export e = {0};
    const struct trail_new row = {.at = lab.now.utc, .tenant = LAB_TENANT, .action = "test.row"};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (uint64_t i = 0; i < rows; i++)
        assert_int_equal(store_trail_add(lab.store, &row), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    uint64_t head = 0;
    uint8_t hash[32];
    assert_int_equal(store_trail_head(lab.store, &head, hash), STORE_OK);
    const struct api_request request = {.method = bytes_of_text("POST"),
                                        .path = bytes_of_text(BASE "/audit-trail/export"),
                                        .authorization = bytes_of_text(lab.token),
                                        .authorization_count = 1,
                                        .content_type = bytes_of_text("application/json"),
                                        .body = bytes_of_text("{\"reason\":\"yearly\"}"),
                                        .peer = "192.0.2.1"};
    struct api_exchange *x = api_exchange_open();
    assert_non_null(x);
    api_handle(lab.api, x, &request, lab.now, count_lines, &e);
    lab_turn(&lab);
    api_exchange_close(x);
    assert_int_equal(e.lines, head + 1); // with the row that says that it was exported
    assert_true(e.octets > 10u * 65536); // many times what is held
}

// --- pools ---

static void a_pool_changes_member_by_member(void **state)
{
    (void)state;
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"north\",\"operator\":\"One\",\"templateId\":1}");
    assert_int_equal(a.status, 201);
    (void)path_to("/subscription-pools/", "pol_", "");
    char pool[sizeof(path)];
    memcpy(pool, path, sizeof(pool));
    ask("PATCH", pool, "{\"lowWaterMark\":50,\"name\":\"south\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"name\":\"south\"") && has("\"operator\":\"One\""));
    assert_true(has("\"lowWaterMark\":50") && has("\"version\":2") && has("\"FREE\":0"));
    lab_ask(&lab,
            &(struct ask){.method = "PATCH", .target = pool, .body = "{}", .if_match = "\"1\""},
            &a);
    assert_int_equal(a.status, 412);
    lab_ask(&lab, &(struct ask){.method = "DELETE", .target = pool, .if_match = "\"1\""}, &a);
    assert_int_equal(a.status, 412);
    ask("PATCH", pool, "{\"name\":null}");
    assert_int_equal(a.status, 400);
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"south\",\"operator\":\"Two\",\"templateId\":1}");
    assert_int_equal(a.status, 409);
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"north\",\"operator\":\"Two\",\"templateId\":1}");
    assert_int_equal(a.status, 201); // the name is free again
    ask("PATCH", pool, "{\"name\":\"north\"}");
    assert_int_equal(a.status, 409);
}

// --- templates ---

#define FILES                                                                                      \
    "\"files\":[{\"fileId\":\"7FFF6F07\",\"content\":\"{IMSI}\"},"                                 \
    "{\"fileId\":\"7FFF6F7B\",\"content\":\"FFFFFF\"}]"

static void a_template_has_versions_that_stay(void **state)
{
    (void)state;
    ask("POST", BASE "/profile-templates", "{\"templateId\":1,\"name\":\"meters\"," FILES "}");
    assert_int_equal(a.status, 201);
    assert_true(has("\"templateVersion\":1") && has("\"status\":\"DRAFT\""));
    assert_true(has("\"placeholders\":[\"IMSI\"]"));
    char template[sizeof(path)];
    memcpy(template, path_to("/profile-templates/", "tpl_", "/versions"), sizeof(template));
    ask("POST", template, "{\"templateId\":1," FILES "}");
    assert_int_equal(a.status, 409); // the number is taken
    ask("POST", template, "{\"templateId\":2,\"status\":\"PUBLISHED\"," FILES "}");
    assert_int_equal(a.status, 201);
    assert_true(has("\"templateVersion\":2") && has("\"name\":\"meters\""));
    ask("GET", template, NULL);
    assert_true(has("\"totalCount\":2"));
    *strstr(template, "/versions") = '\0';
    ask("GET", template, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"templateVersion\":2"));
    ask("POST", BASE "/profile-templates", "{\"templateId\":3,\"name\":\"meters\"," FILES "}");
    assert_int_equal(a.status, 409); // the name is taken
    ask("GET", BASE "/profile-templates", NULL);
    assert_true(has("\"totalCount\":1") && has("\"templateId\":2"));
}

static void an_operator_lock_is_not_published(void **state)
{
    (void)state;
    static const char lock[] =
        "{\"templateId\":9,\"name\":\"lock\",\"status\":\"%\",\"files\":[{\"fileId\":\"7FFF6F7B\","
        "\"content\":\"00F110\"}]}";
    char body[sizeof(lock) + 16];
    static const char *const statuses[] = {"PUBLISHED", "DRAFT"};
    for (size_t i = 0; i < 2; i++) {
        struct writer w = writer_of(body, sizeof(body));
        const struct bytes before = api_until(bytes_of_text(lock), '%');
        writer_copy(&w, before);
        text_put(&w, statuses[i]);
        text_put(&w, lock + before.len + 1);
        ask("POST", BASE "/profile-templates", text_end(&w));
        assert_int_equal(a.status, i == 0 ? 400 : 201);
    }
    static const char *const bad[] = {
        "{\"templateId\":9,\"name\":\"x\",\"files\":[]}",
        "{\"templateId\":0,\"name\":\"x\"," FILES "}",
        "{\"templateId\":9,\"name\":\"x\",\"files\":[{\"fileId\":\"6F\",\"content\":\"00\"}]}",
        "{\"templateId\":9,\"name\":\"x\",\"files\":[{\"fileId\":\"6F07\",\"content\":\"0\"}]}",
        "{\"templateId\":9,\"name\":\"x\",\"files\":[{\"fileId\":\"6F07\",\"content\":\"{KI}\"}]}",
        "{\"templateId\":9,\"name\":\"x\",\"files\":[{\"fileId\":\"6F07\"}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ask("POST", BASE "/profile-templates", bad[i]);
        assert_int_equal(a.status, 400);
    }
}

static void an_estimate_is_the_length_of_real_packets(void **state)
{
    (void)state;
    ask("POST", BASE "/profile-templates", "{\"templateId\":1,\"name\":\"meters\"," FILES "}");
    (void)path_to("/profile-templates/", "tpl_", "/estimate");
    char estimate[sizeof(path)];
    memcpy(estimate, path, sizeof(estimate));
    ask("POST", estimate, "{\"values\":{\"imsi\":\"001010000000001\"}}");
    assert_int_equal(a.status, 200);
    // Two files: SELECT 5 + 4, UPDATE 5 + 9, and SELECT 5 + 4, UPDATE 5 + 3: 40 octets of script;
    // 14 of header and 40 in blocks of 16 are 64, and 10 before them [102.225 §5.1]: 74.
    assert_true(has("\"fullProfileBytes\":74,\"fullProfileSms\":1"));
    assert_true(has("\"sms\":1"));
    ask("POST", estimate, "{\"values\":{\"iccid\":\"89999000000000000012\"}}");
    assert_int_equal(a.status, 400);
    ask("POST", estimate, "{\"values\":{\"imsi\":\"001010000000001\",\"colour\":\"red\"}}");
    assert_int_equal(a.status, 400);
}

// --- transport keys ---

// Check values by `openssl enc -aes-128-ecb` over sixteen octets of 01.
#define FIRST "{\"component\":\"00112233445566778899AABBCCDDEEFF\",\"kcv\":\"3544E0\"}"
#define SECOND "{\"component\":\"2B7E151628AED2A6ABF7158809CF4F3C\",\"kcv\":\"2CF6A4\"}"

static void a_key_is_entered_by_two_people(void **state)
{
    (void)state;
    struct door one;
    struct door other;
    lab_close(&lab);
    lab_open(&lab, "all", false);
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    ask("POST", BASE "/transport-keys",
        "{\"index\":3,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"00112233445566778899AABBCCDDEEFF\",\"00000000000000000000000000000000\"]}");
    assert_int_equal(a.status, 403); // one person cannot give both
    ask("POST", BASE "/transport-keys", "{\"index\":3,\"algorithm\":\"AES128-CBC\"}");
    assert_int_equal(a.status, 201);
    assert_true(has("\"complete\":false") && has("\"componentsNeeded\":2"));
    char key[sizeof(path)];
    memcpy(key, path_to("/transport-keys/", "rec_", "/components"), sizeof(key));
    ask("POST", key, FIRST);
    assert_int_equal(a.status, 403); // a machine is nobody
    lab_ask_as(&lab, &one, "POST", key,
               "{\"component\":\"00112233445566778899AABBCCDDEEFF\",\"kcv\":\"3544E1\"}", &a);
    assert_int_equal(a.status, 400);
    lab_ask_as(&lab, &one, "GET", BASE "/alarms?state=OPEN", NULL, &a);
    assert_true(has("\"key\":\"key.kcv.mismatch\",\"severity\":\"CRITICAL\",\"object\":\"rec_"));
    lab_ask_as(&lab, &one, "POST", key, FIRST, &a);
    assert_int_equal(a.status, 201);
    lab_ask_as(&lab, &one, "POST", key, SECOND, &a);
    assert_int_equal(a.status, 403); // the same person
    lab_ask_as(&lab, &other, "POST", key, SECOND, &a);
    assert_int_equal(a.status, 201);
    assert_true(has("\"complete\":true") && has("\"kcv\":"));
    lab_ask_as(&lab, &other, "POST", key, FIRST, &a);
    assert_int_equal(a.status, 409);
    ask("POST", BASE "/transport-keys", "{\"index\":3,\"algorithm\":\"AES128-CBC\"}");
    assert_int_equal(a.status, 409);
    ask("GET", BASE "/transport-keys", NULL);
    assert_true(has("\"totalCount\":1"));
    ask("GET", key, NULL);
    assert_true(has("\"kcv\":\"3544E0\"") && has("\"kcv\":\"2CF6A4\"") && !has("0011"));
}

static void a_key_of_equal_octets_is_none(void **state)
{
    (void)state;
    struct door one;
    struct door other;
    // All at once, where one person is all there is.
    ask("POST", BASE "/transport-keys",
        "{\"index\":3,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"00112233445566778899AABBCCDDEEFF\",\"00112233445566778899AABBCCDDEEFF\"]}");
    assert_int_equal(a.status, 400);
    assert_true(has("\"field\":\"components\"") && has("enter another component"));
    ask("POST", BASE "/transport-keys",
        "{\"index\":3,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"00112233445566778899AABBCCDDEEFF\",\"A5B48796E1F0C3D22D3C0F1E69784B5A\"]}");
    assert_int_equal(a.status, 400); // A5 everywhere
    lab_close(&lab);
    lab_open(&lab, "all", false);
    lab_user(&lab, "one", ROLE_PLATFORM_ADMIN, LAB_TENANT, &one);
    lab_user(&lab, "other", ROLE_PLATFORM_ADMIN, LAB_TENANT, &other);
    ask("POST", BASE "/transport-keys", "{\"index\":3,\"algorithm\":\"AES128-CBC\"}");
    assert_int_equal(a.status, 201);
    char key[sizeof(path)];
    memcpy(key, path_to("/transport-keys/", "rec_", "/components"), sizeof(key));
    lab_ask_as(&lab, &one, "POST", key, FIRST, &a);
    assert_int_equal(a.status, 201);
    lab_ask_as(&lab, &other, "POST", key, FIRST, &a);
    assert_int_equal(a.status, 400);
    assert_true(has("\"field\":\"component\"") && has("enter another component"));
    lab_ask_as(&lab, &other, "POST", key, SECOND, &a);
    assert_int_equal(a.status, 201);
    assert_true(has("\"complete\":true"));
}

// --- who sells for whom ---

static void an_enterprise_names_its_virtual_operator(void **state)
{
    (void)state;
    char body[256];
    char seller[API_ID_SIZE];
    ask("POST", BASE "/enterprises",
        "{\"name\":\"seller\",\"kind\":\"VIRTUAL_OPERATOR\",\"region\":\"cn\",\"timeZone\":\"UTC\","
        "\"approvalReference\":\"MIIT 7\"}");
    assert_int_equal(a.status, 201);
    assert_true(has("\"approvalReference\":\"MIIT 7\""));
    api_id_write(seller, "ent", lab_id(&a, "ent"));
    (void)snprintf(
        body, sizeof(body),
        "{\"name\":\"acme\",\"kind\":\"ENTERPRISE\",\"region\":\"cn\",\"timeZone\":\"UTC\","
        "\"parentId\":\"%s\"}",
        seller);
    ask("POST", BASE "/enterprises", body);
    assert_int_equal(a.status, 201);
    assert_true(has(seller));
    assert_true(has("\"status\":\"ACTIVE\"")); // though nobody said so
    const char *acme = path_to("/enterprises/", "ent_", "");
    ask("PATCH", acme, "{\"status\":\"SUSPENDED\"}");
    assert_true(has("\"status\":\"SUSPENDED\"") && !has("ACTIVE\""));
    ask("POST", BASE "/enterprises", NULL);
    assert_int_equal(a.status, 400);
    assert_true(has("The body is empty: send "));
    ask("PATCH", acme, "{\"approvalReference\":\"MIIT 8\"}");
    assert_int_equal(a.status, 400);
    ask("PATCH", acme, "{\"kind\":\"VIRTUAL_OPERATOR\"}");
    assert_int_equal(a.status, 400); // below another one
    ask("PATCH", acme, "{\"parentId\":\"ent_00000000000000000000000000\"}");
    assert_int_equal(a.status, 404);
    (void)snprintf(body, sizeof(body), "{\"parentId\":\"%s\"}", strrchr(acme, '/') + 1);
    ask("PATCH", acme, body);
    assert_int_equal(a.status, 400); // none that sells
    char nobody[API_ID_SIZE];
    api_id_write(nobody, "ent", 0x1234567890);
    (void)snprintf(body, sizeof(body), "{\"parentId\":\"%s\"}", nobody);
    ask("PATCH", acme, body);
    assert_int_equal(a.status, 404);
}

static void permissions_are_listed_by_operation(void **state)
{
    (void)state;
    (void)lab_grant(&lab, 77, GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_ENABLE));
    (void)lab_grant(&lab, 78, GRANT_BIT(GRANT_CARD_READ));
    ask("GET", BASE "/permissions?operation=card.read", NULL);
    assert_true(has("\"totalCount\":2"));
    ask("GET", BASE "/permissions?operation=subscription.enable&sort=-createdAt", NULL);
    assert_true(has("\"totalCount\":1") && has("subscription.enable"));
    ask("GET", BASE "/permissions?operation=subscription.delete", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", BASE "/permissions?operation=everything", NULL);
    assert_int_equal(a.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cards_are_found_by_label_and_field, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_card_without_a_field_is_in_that_of_its_group, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(operations_are_found_by_both_kinds_of_ends, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(groups_are_found_by_their_field, open_all, close_all),
        cmocka_unit_test_setup_teardown(clear_values_need_a_reason_and_leave_a_row, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_imsi_is_shown_to_the_operator_alone, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(nobody_is_in_after_a_restore, open_all, close_all),
        cmocka_unit_test_setup_teardown(the_time_line_joins_steps_messages_and_trail, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(the_trail_is_exported_as_lines_and_says_so, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(an_export_is_whole, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_pool_changes_member_by_member, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_template_has_versions_that_stay, open_all, close_all),
        cmocka_unit_test_setup_teardown(an_operator_lock_is_not_published, open_all, close_all),
        cmocka_unit_test_setup_teardown(an_estimate_is_the_length_of_real_packets, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_key_is_entered_by_two_people, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_key_of_equal_octets_is_none, open_all, close_all),
        cmocka_unit_test_setup_teardown(an_enterprise_names_its_virtual_operator, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(permissions_are_listed_by_operation, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Subscriptions that are entered and changed one at a time. The transport key and the keys under it
// were enciphered with `openssl enc -aes-128-cbc`, their check values with `-aes-128-ecb`.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define BASE "/connectivity-management/v1"
#define TRANSPORT                                                                                  \
    "{\"index\":7,\"algorithm\":\"AES128-CBC\",\"components\":["                                   \
    "\"a07c51e3d4920f8b7713c86d2e5bf491\",\"fd635d9d4631b7cf16f4116216995fe7\"]}"
#define WRAPPED(index, value, check)                                                               \
    "{\"transportKey\":" index ",\"value\":\"" value "\",\"check\":\"" check "\"}"
#define K WRAPPED("7", "b6e7c8b02fe4f9efe6e2a9c20b8bb871", "d898db")
#define OPC WRAPPED("7", "0707ae9339eeb4239e4c199ee2d3f6fb", "f3e58b")
#define ZEROS WRAPPED("7", "8f0dd7b76eff79a5e5c5151446d2943a", "e14d5d")

static const uint8_t clear_k[16] = {0x8B, 0x3A, 0x6F, 0x02, 0xD9, 0x5E, 0xC1, 0x47,
                                    0x7A, 0x20, 0xF4, 0xB8, 0x13, 0x5D, 0x9C, 0xE6};
static const uint8_t clear_opc[16] = {0x1E, 0x94, 0xC7, 0xA2, 0x5B, 0x08, 0xF6, 0x3D,
                                      0xD1, 0x70, 0xAB, 0x4E, 0x92, 0x63, 0x7F, 0xC8};

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t card;
static char pool[API_ID_SIZE];
static char path[256];

static void ask_if(const char *method, const char *target, const char *body, const char *if_match)
{
    const struct ask ask = {.method = method, .target = target, .body = body, .if_match = if_match};
    lab_ask(&lab, &ask, &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_if(method, target, body, NULL);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void take_id(const char *prefix, char id[API_ID_SIZE])
{
    const char *at = strstr(a.body, prefix);
    assert_non_null(at);
    (void)snprintf(id, API_ID_SIZE, "%.*s", (int)strlen(prefix) + 26, at);
}

static const char *path_of(const char *id)
{
    (void)snprintf(path, sizeof(path), BASE "/subscriptions/%s", id);
    return path;
}

static void open_lab(void)
{
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"Alder\",\"templateId\":3}");
    assert_int_equal(a.status, 201);
    take_id("pol_", pool);
}

static int open_all(void **state)
{
    (void)state;
    open_lab();
    ask("POST", BASE "/transport-keys", TRANSPORT);
    assert_true(a.status == 201 && has("\"kcv\":\"7F6F67\""));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// POST with this IMSI and further members.
static void enter(const char *imsi, const char *more)
{
    char body[1024];
    (void)snprintf(body, sizeof(body), "{\"poolId\":\"%s\",\"imsi\":\"%s\"%s}", pool, imsi, more);
    ask("POST", BASE "/subscriptions", body);
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%u instead of %u %s: %s", a.status, status, text, a.body);
}

static void keys_come_under_a_transport_key(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char wanted[128];
    struct network_keys keys;
    uint8_t imsi[IMSI_EF_LEN];
    enter("999700000000077", ",\"iccid\":\"8999900000000000095\",\"msisdn\":\"999000000077\","
                             "\"k\":" K ",\"opc\":" OPC);
    expect(201, "\"state\":\"FREE\"");
    take_id("sub_", id);
    (void)snprintf(wanted, sizeof(wanted), "\"matchingId\":\"%s\"", id + strlen("sub_"));
    assert_true(has(wanted) && has("\"fallbackEligible\":true") && has("\"version\":1"));
    assert_true(has("\"operator\":\"Alder\""));
    assert_non_null(strstr(a.headers, "ETag: \"1\"\n"));
    assert_non_null(strstr(a.headers, "Location: https://api.example.com" BASE "/subscriptions/"));
    assert_true(imsi_write("999700000000077", imsi));
    assert_int_equal(store_network_keys(lab.store, imsi, &keys), STORE_OK);
    assert_memory_equal(keys.k.octets, clear_k, 16);
    assert_memory_equal(keys.op.octets, clear_opc, 16);
    ask("GET", path_of(id), NULL);
    expect(200, "\"version\":1");
    assert_false(has("\"k\"") || has("8b3a6f02") || has("8B3A6F02"));
}

static void a_check_digit_makes_no_other_iccid(void **state)
{
    (void)state;
    enter("999700000000077", ",\"iccid\":\"8999900000000000095\"");
    expect(201, "\"state\":\"FREE\"");
    ask("POST", BASE "/subscriptions/search", "{\"iccid\":\"89999000000000000957\"}");
    expect(200, "\"totalCount\":1");
    enter("999700000000078", ",\"iccid\":\"89999000000000000957\"");
    expect(409, "ALREADY_EXISTS");
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    enter("999700000000077", ",\"k\":" K);
    expect(400, "opc");
    enter("999700000000077",
          ",\"k\":" WRAPPED("7", "b6e7c8b02fe4f9efe6e2a9c20b8bb871", "d898dc") ",\"opc\":" OPC);
    expect(400, "\"field\":\"k\"");
    enter("999700000000077",
          ",\"k\":" WRAPPED("8", "b6e7c8b02fe4f9efe6e2a9c20b8bb871", "d898db") ",\"opc\":" OPC);
    expect(404, "transport key");
    enter("99970000000007", "");
    expect(400, "imsi");
    enter("999700000000077", ",\"iccid\":\"99999000000000000950\"");
    expect(400, "iccid");
    enter("999700000000077", ",\"msisdn\":\"099900000007\"");
    expect(400, "msisdn");
    enter("999700000000077", ",\"iccid\":\"89999000000000000012\"");
    expect(409, "ALREADY_EXISTS");
    enter("999700000000001", "");
    expect(409, "\"field\":\"imsi\"");
    (void)snprintf(pool + 4, sizeof(pool) - 4, "01JZ8Q4M7Y2K9T3W5X6A7B8C9D");
    enter("999700000000077", "");
    expect(404, "poolId");
}

static void a_weak_key_is_for_laboratories(void **state)
{
    (void)state;
    enter("999700000000077", ",\"k\":" ZEROS ",\"opc\":" OPC);
    expect(201, "\"state\":\"FREE\"");
    lab.is_single_person = false;
    lab_reopen_api(&lab);
    enter("999700000000078", ",\"k\":" ZEROS ",\"opc\":" OPC);
    expect(400, "pattern");
    enter("999700000000078", ",\"k\":" K ",\"opc\":" OPC);
    expect(201, "\"state\":\"FREE\"");
}

static void what_has_no_keys_goes_to_no_card(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char body[256];
    char target[256];
    api_id_write(id, "crd", card);
    (void)snprintf(target, sizeof(target), BASE "/cards/%s/operations", id);
    enter("999700000000077", "");
    expect(201, "\"state\":\"FREE\"");
    take_id("sub_", id);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"subscriptionId\":\"%s\",\"enable\":\"LATER\"}", id);
    ask("POST", target, body);
    expect(409, "no keys");
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", pool);
    ask("POST", target, body);
    expect(409, "POOL_EMPTY");
    ask("PATCH", path_of(id), "{\"k\":" K ",\"opc\":" OPC "}");
    expect(200, "\"version\":2");
    ask("POST", target, body);
    expect(202, "\"type\":\"download\"");
    ask("PATCH", path_of(id), "{\"smsc\":\"999000000000\"}");
    expect(409, "INCOMPATIBLE_STATE");
}

static void a_change_counts_and_is_for_those_who_saw_the_last(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    enter("999700000000077", ",\"k\":" K ",\"opc\":" OPC);
    take_id("sub_", id);
    ask("PATCH", path_of(id), "{\"msisdn\":\"999000000078\",\"mncLength\":3}");
    expect(200, "\"version\":2");
    assert_true(has("\"mncLength\":3"));
    assert_non_null(strstr(a.headers, "ETag: \"2\"\n"));
    ask_if("PATCH", path_of(id), "{\"msisdn\":\"999000000079\"}", "\"1\"");
    expect(412, "FAILED_PRECONDITION");
    ask_if("PATCH", path_of(id), "{\"state\":\"RETIRED\"}", "\"2\"");
    expect(200, "\"state\":\"RETIRED\"");
    ask("PATCH", path_of(id), "{\"state\":\"ON_CARD\"}");
    expect(409, "INCOMPATIBLE_STATE");
    ask("PATCH", path_of(id), "{\"state\":\"FREE\"}");
    expect(200, "\"state\":\"FREE\"");
    ask("PATCH", path_of(id), "{\"imsi\":\"999700000000078\"}");
    expect(400, "imsi");
    ask("PATCH", path_of("sub_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"), "{\"state\":\"FREE\"}");
    expect(404, "NOT_FOUND");
    char foreign[LAB_TOKEN_SIZE];
    lab_client(&lab, "all", 2, foreign);
    lab_ask(&lab,
            &(struct ask){.method = "PATCH",
                          .target = path_of(id),
                          .body = "{\"state\":\"RETIRED\"}",
                          .authorization = foreign},
            &a);
    expect(404, "NOT_FOUND");
}

static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record.slots[1].subscription);
    (void)snprintf(path, sizeof(path), BASE "/subscriptions/%s?dryRun=true", id);
    ask("PATCH", path, "{\"fallbackEligible\":false}");
    expect(200, "\"dryRun\":true");
    ask("GET", path_of(id), NULL);
    expect(200, "\"fallbackEligible\":true");
}

static void who_is_not_eligible_does_not_become_the_fallback(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char target[256];
    char body[256];
    char card_id[API_ID_SIZE];
    api_id_write(card_id, "crd", card);
    api_id_write(id, "sub", record.slots[1].subscription);
    (void)snprintf(target, sizeof(target), BASE "/cards/%s/operations", card_id);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"set-fallback\",\"subscriptionId\":\"%s\",\"allowUnproven\":true}",
                   id);
    ask("PATCH", path_of(id), "{\"msisdn\":\"999000000079\"}");
    expect(409, "INCOMPATIBLE_STATE");
    ask("PATCH", path_of(id), "{\"fallbackEligible\":false,\"reason\":\"contract\"}");
    expect(200, "\"fallbackEligible\":false");
    assert_true(has("\"version\":2"));
    ask("POST", target, body);
    expect(422, "SERVICE_NOT_APPLICABLE");
    assert_true(has("\"reason\":\"NOT_ELIGIBLE\""));
    ask("PATCH", path_of(id), "{\"fallbackEligible\":true}");
    expect(200, "\"fallbackEligible\":true");
    ask("POST", target, body);
    expect(202, "\"type\":\"set-fallback\"");
    ask("GET", BASE "/audit-trail?action=subscription.changed", NULL);
    expect(200, "\"totalCount\":2");
    assert_true(has("\"reason\":\"contract\""));
}

static void a_rule_pack_counts_the_digits(void **state)
{
    (void)state;
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"q\",\"operator\":\"Birch\",\"templateId\":3,\"rulePack\":\"CN-IOT\"}");
    expect(400, "rulePack"); // nothing would follow it
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"q\",\"operator\":\"Birch\",\"templateId\":3,\"rulePack\":\"CN-IoT\"}");
    take_id("pol_", pool);
    enter("999700000000077", ",\"msisdn\":\"144000000001\"");
    expect(422, "RULE_PACK_VIOLATION");
    enter("999700000000077", ",\"msisdn\":\"1440000000012\"");
    expect(201, "\"rulePack\":\"CN-IoT\"");
    char id[API_ID_SIZE];
    take_id("sub_", id);
    ask("PATCH", path_of(id), "{\"msisdn\":\"144000000001\"}");
    expect(422, "RULE_PACK_VIOLATION");
}

static void a_slot_names_operator_and_version_of_its_template(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    struct subscription s;
    ask("POST", BASE "/profile-templates",
        "{\"templateId\":1,\"name\":\"t\",\"files\":[{\"fileId\":\"6F07\","
        "\"content\":\"{IMSI}\"}]}");
    assert_int_equal(a.status, 201);
    assert_int_equal(store_subscription_get(lab.store, record.slots[0].subscription, &s), STORE_OK);
    (void)snprintf(s.operator_name, sizeof(s.operator_name), "Alder");
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(id, "crd", card);
    (void)snprintf(path, sizeof(path), BASE "/cards/%s/subscriptions", id);
    ask("GET", path, NULL);
    expect(200, "\"operator\":\"Alder\"");
    assert_true(has("\"templateId\":1,\"templateVersion\":1"));
}

static void show_slots_to(const char *scopes, uint64_t tenant)
{
    char id[API_ID_SIZE];
    char target[128];
    lab_close(&lab);
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
    lab_client(&lab, scopes, tenant, lab.token);
    lab_place(&lab, card, tenant, lab_grant(&lab, tenant, GRANT_BIT(GRANT_CARD_READ)));
    api_id_write(id, "crd", card);
    (void)snprintf(target, sizeof(target), BASE "/cards/%s/subscriptions", id);
    ask("GET", target, NULL);
    assert_int_equal(a.status, 200);
}

static void an_imsi_is_clear_for_an_operator_that_changes_cards(void **state)
{
    (void)state;
    show_slots_to("cards:read,cards:write,identifiers:clear", LAB_TENANT);
    assert_true(has("\"imsi\":\"999700000000001\"") && has("\"msisdn\":\"999000000002\""));
    show_slots_to("cards:read,identifiers:clear", LAB_TENANT);
    assert_true(has("\"imsi\":\"99970******0001\"") && has("\"msisdn\":\"999000000002\""));
    show_slots_to("cards:read,cards:write,identifiers:clear", LAB_TENANT + 1);
    assert_true(has("\"imsi\":\"99970******0001\"") && has("\"msisdn\":\"999000000002\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_come_under_a_transport_key),
        TEST(a_check_digit_makes_no_other_iccid),
        TEST(what_does_not_fit_is_refused),
        TEST(a_weak_key_is_for_laboratories),
        TEST(what_has_no_keys_goes_to_no_card),
        TEST(a_change_counts_and_is_for_those_who_saw_the_last),
        TEST(a_dry_run_changes_nothing),
        TEST(who_is_not_eligible_does_not_become_the_fallback),
        TEST(a_rule_pack_counts_the_digits),
        TEST(a_slot_names_operator_and_version_of_its_template),
        TEST(an_imsi_is_clear_for_an_operator_that_changes_cards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The eSIM profile management API: the same operations under the names of CAMARA.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/registry_eid.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define CARD_ICCID "89999000000000000012"
#define OTHER_ICCID "89999000000000000020"
#define SLOT_ICCID "8999900000000007014"

static struct lab lab;
static struct answer a;
static struct record record;
static char eid[EID_SIZE];
static char body[512];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int open_strict(void **state)
{
    (void)state;
    lab_open(&lab, "all", false);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void pass_time(void)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
}

static void ask_by(const char *token, const char *verb, const char *text)
{
    static char target[256];
    (void)snprintf(target, sizeof(target), ESIM_BASE "/%s", verb);
    pass_time();
    lab_ask(&lab,
            &(struct ask){.method = text == NULL ? "GET" : "POST",
                          .target = target,
                          .body = text,
                          .authorization = token},
            &a);
}

static void ask(const char *verb, const char *text)
{
    ask_by(NULL, verb, text);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
    if (status >= 400) // status, code and message, and no other member
        assert_null(strstr(a.body, "\"details\""));
}

static const char *profile(const char *iccid)
{
    (void)snprintf(body, sizeof(body), "{\"esimProfile\":{\"iccid\":\"%s\"}}", iccid);
    return body;
}

static const char *both(const char *iccid, const char *its_eid)
{
    (void)snprintf(body, sizeof(body), "{\"esimProfile\":{\"iccid\":\"%s\",\"eid\":\"%s\"}}", iccid,
                   its_eid);
    return body;
}

// The card with an ICCID of its own for the operational subscription.
static uint64_t new_card(const char *iccid, const char *first, const char *second,
                         const char *slot_iccid)
{
    const uint64_t card = lab_card_of(&lab, iccid, first, second, &record);
    struct record next = record;
    struct subscription s;
    next.version++;
    next.slots[1].fact.has_iccid = true;
    next.slots[1].fact.is_proven = true;
    assert_true(iccid_write(slot_iccid, next.slots[1].fact.iccid));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_get(lab.store, next.slots[1].subscription, &s), STORE_OK);
    s.plan.has_iccid = true;
    assert_true(iccid_write(slot_iccid, s.plan.iccid));
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    record = next;
    registry_eid_write(card, eid);
    return card;
}

static uint64_t usual_card(void)
{
    return new_card(CARD_ICCID, "001010000000001", "999700000000001", SLOT_ICCID);
}

// --- EIDs of the registry --------------------------------------------------------------------

static void registry_eids_are_1_modulo_97(void **state)
{
    (void)state;
    static const uint64_t ids[] = {0, 1, 96, 97, 123456789, (uint64_t)INT64_MAX};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[EID_SIZE];
        uint64_t found = 1;
        unsigned rest = 0;
        registry_eid_write(ids[i], text);
        assert_int_equal(strlen(text), 32);
        assert_memory_equal(text, "89049999", 8);
        for (const char *c = text; *c != '\0'; c++)
            rest = (rest * 10 + (unsigned)(*c - '0')) % 97;
        assert_int_equal(rest, 1);
        assert_true(registry_eid_read(bytes_of_text(text), &found) && found == ids[i]);
        text[20] = text[20] == '0' ? '1' : '0';
        assert_false(registry_eid_read(bytes_of_text(text), &found));
    }
    uint64_t unused;
    // A serial that no id is: 2 to the 64th and 1; and what is no EID.
    assert_false(registry_eid_read(bytes_of_text("89049999000184467440737095516170"), &unused));
    assert_false(registry_eid_read(bytes_of_text("8904999900000000000000000000001"), &unused));
    assert_false(registry_eid_read(bytes_of_text("x9049999000000000000000000000001"), &unused));
}

// --- status ----------------------------------------------------------------------------------

static void a_card_is_found_by_its_eid_and_by_any_iccid(void **state)
{
    (void)state;
    (void)usual_card();
    (void)snprintf(body, sizeof(body), "{\"esimProfile\":{\"eid\":\"%s\"}}", eid);
    ask("retrieve-status", body);
    expect(200, "\"iccid\":\"" CARD_ICCID "\",\"state\":\"ENABLED\",\"isFallback\":true");
    assert_true(has("\"iccid\":\"" SLOT_ICCID "\",\"state\":\"DISABLED\",\"isFallback\":false"));
    assert_true(has(eid));
    ask("retrieve-status", profile(SLOT_ICCID));
    expect(200, "{\"esimProfiles\":[{\"eid\":\"89049999");
    assert_false(has(CARD_ICCID));
    // 20 digits with the check digit are the same as 19 without.
    char longer[32];
    for (char digit = '0'; digit <= '9'; digit++) {
        (void)snprintf(longer, sizeof(longer), SLOT_ICCID "%c", digit);
        if (iccid_luhn_is_valid(longer))
            break;
    }
    ask("retrieve-status", profile(longer));
    expect(200, SLOT_ICCID);
    ask("retrieve-status", both(SLOT_ICCID, eid));
    expect(200, SLOT_ICCID);
}

static unsigned found_by(const char *member, const char *digits, const char *match)
{
    (void)snprintf(body, sizeof(body), "{\"%s\":\"%s\",\"match\":\"%s\"}", member, digits, match);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = API_BASE "/cards/search", .body = body},
            &a);
    assert_int_equal(a.status, 200);
    return has("\"id\":\"crd_") ? 1 : 0;
}

static void a_registry_eid_is_searched_as_it_is_shown(void **state)
{
    (void)state;
    (void)usual_card();
    assert_int_equal(found_by("eid", eid, "EXACT"), 1);
    assert_int_equal(found_by("any", eid, "EXACT"), 1);
    assert_int_equal(found_by("imei", "89049999000000000", "EXACT"), 0);
    assert_int_equal(found_by("eid", eid, "PREFIX"), 0);
    eid[EID_DIGITS - 1] = eid[EID_DIGITS - 1] == '0' ? '1' : '0';
    assert_int_equal(found_by("eid", eid, "EXACT"), 0);
}

static void identifiers_that_do_not_fit_are_told_apart(void **state)
{
    (void)state;
    char first[EID_SIZE];
    (void)usual_card();
    memcpy(first, eid, sizeof(first));
    (void)new_card(OTHER_ICCID, "001010000000002", "999700000000002", "8999900000000007022");
    ask("retrieve-status", both(SLOT_ICCID, eid));
    expect(422, "\"code\":\"ESIM_PROFILE_MANAGEMENT.IDENTIFIER_MISMATCH\"");
    ask("enable", both(SLOT_ICCID, eid));
    expect(422, "IDENTIFIER_MISMATCH");
    ask("retrieve-status", profile("89999000000000000999"));
    expect(404, "\"code\":\"IDENTIFIER_NOT_FOUND\"");
    ask("retrieve-status", both(SLOT_ICCID, "89049999000000000000000000000187"));
    expect(404, "IDENTIFIER_NOT_FOUND");
}

// --- form ------------------------------------------------------------------------------------

static void it_is_strict_and_400_is_always_the_same_code(void **state)
{
    (void)state;
    static const struct {
        const char *verb, *text;
    } wrong[] = {
        {"enable", "{}"},
        {"enable", "{\"esimProfile\":{}}"},
        {"enable", "{\"esimProfile\":7}"},
        {"enable", "{\"esimProfile\":{\"iccid\":\"8999\"}}"},
        {"enable", "{\"esimProfile\":{\"iccid\":\"8999900000000000001x\"}}"},
        {"enable", "{\"esimProfile\":{\"iccid\":\"" CARD_ICCID "\",\"colour\":1}}"},
        {"enable", "{\"esimProfile\":{\"iccid\":\"" CARD_ICCID "\"},\"colour\":1}"},
        {"enable?dryRun=true", "{\"esimProfile\":{\"iccid\":\"" CARD_ICCID "\"}}"},
        {"retrieve-status", "{\"esimProfile\":{}}"},
        {"retrieve-status", "{\"esimProfile\":{\"eid\":\"123\"}}"},
        {"download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"}}"},
        {"download",
         "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\",\"iccid\":\"" CARD_ICCID
         "\"},\"activationCode\":\"LPA:1$api.example.com$A\"}"},
        {"download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                     "\"activationCode\":\"LPA:1$elsewhere.example.com$A\"}"},
        {"download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                     "\"activationCode\":\"LPA:1$api.example.com$\"}"},
        {"download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                     "\"activationCode\":\"LPA:1$api.example.com$A_B\"}"},
        {"download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                     "\"activationCode\":\"lpa:1$api.example.com$A\"}"},
    };
    (void)usual_card();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ask(wrong[i].verb, wrong[i].text);
        expect(400, "{\"status\":400,\"code\":\"INVALID_ARGUMENT\",\"message\":\"");
    }
    ask("operations/op%2A", NULL);
    expect(400, "INVALID_ARGUMENT");
}

// --- operations ------------------------------------------------------------------------------

static const char *operation_path(void)
{
    static char path[128];
    const char *at = strstr(a.body, "\"operationId\":\"");
    assert_non_null(at);
    (void)snprintf(path, sizeof(path), "operations/%.29s", at + strlen("\"operationId\":\""));
    return path;
}

static void end_with(uint64_t card, uint8_t code)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = record.flight.counter;
    e.as.por.has_result = true;
    e.as.por.result.code = code;
    e.as.por.result.command = record.flight.command;
    e.as.por.result.operation_id = record.flight.operation_id;
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
}

static void an_enable_is_accepted_followed_and_told(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    ask("enable", both(SLOT_ICCID, eid));
    expect(202, "\"operation\":\"enable\",\"status\":\"ACCEPTED\"");
    assert_true(has("\"iccid\":\"" SLOT_ICCID "\"") && has(eid));
    assert_non_null(
        strstr(a.headers, "Location: https://api.example.com" ESIM_BASE "/operations/op_"));
    const char *path = operation_path();
    ask(path, NULL);
    expect(200, "\"status\":\"ACCEPTED\"");
    assert_non_null(strstr(a.headers, "Retry-After: "));
    // It never waits behind another one.
    ask("enable", profile(SLOT_ICCID));
    expect(409, "\"code\":\"ABORTED\"");
    end_with(card, RESULT_POLICY_FORBIDS);
    ask(path, NULL);
    expect(200, "\"status\":\"COMPLETED\"");
    assert_true(has("\"outcome\":\"FAILED\",\"failureReason\":\"CARD_REFUSED: "));
    assert_true(has("(POLICY_FORBIDS)\""));
    // The other API has the same operation.
    char target[160];
    (void)snprintf(target, sizeof(target), API_BASE "/%s", path);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = target}, &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"type\":\"enable\"") && has("\"outcome\":\"failed\""));
    // After 30 days it is gone here.
    char token[LAB_TOKEN_SIZE];
    lab.now.utc.ms += 31ll * 24 * 3600 * 1000;
    lab_client(&lab, "all", LAB_TENANT, token);
    ask_by(token, path, NULL);
    expect(404, "\"code\":\"NOT_FOUND\"");
}

static void what_the_state_forbids_is_409(void **state)
{
    (void)state;
    (void)usual_card();
    ask("disable", profile(SLOT_ICCID)); // it is disabled
    expect(409, "INCOMPATIBLE_STATE");
    ask("disable", profile(CARD_ICCID)); // it is the fallback
    expect(409, "INCOMPATIBLE_STATE");
    ask("delete", profile(CARD_ICCID)); // it is enabled
    expect(409, "INCOMPATIBLE_STATE");
    ask("set-fallback", profile(CARD_ICCID)); // likewise
    expect(409, "INCOMPATIBLE_STATE");
    ask("set-fallback", profile(SLOT_ICCID));
    expect(202, "\"operation\":\"set-fallback\"");
}

static void disabling_goes_over_to_the_fallback_one(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    struct record next = record;
    next.version++;
    next.slots[0].fact.state = SLOT_DISABLED;
    next.slots[1].fact.state = SLOT_ENABLED;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("disable", profile(SLOT_ICCID));
    expect(202, "\"operation\":\"disable\",\"status\":\"ACCEPTED\"");
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    // On the card it is ENABLE of the other one, which has the card's ICCID and is named by IMSI.
    assert_false(record.open.target.is_iccid);
    ask(operation_path(), NULL);
    expect(200, "\"esimProfile\":{\"iccid\":\"" SLOT_ICCID "\"}");
}

static void what_nobody_has_is_not_found(void **state)
{
    (void)state;
    static const char *const verbs[] = {"enable", "disable", "delete", "set-fallback"};
    for (size_t i = 0; i < 4; i++) {
        ask(verbs[i], profile("89999000000000000999"));
        expect(404, "IDENTIFIER_NOT_FOUND");
    }
}

static void a_retired_and_a_dirty_card_are_told(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    ask("delete", profile(SLOT_ICCID));
    expect(409, "ABORTED");
    e = (struct event){.type = EVENT_RETIRE};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    for (size_t i = 0; i < 4; i++) {
        static const char *const verbs[] = {"enable", "disable", "delete", "set-fallback"};
        ask(verbs[i], profile(SLOT_ICCID));
        expect(422, "\"code\":\"SERVICE_NOT_APPLICABLE\"");
    }
    (void)snprintf(
        body, sizeof(body),
        "{\"esimProfile\":{\"eid\":\"%s\"},\"activationCode\":\"LPA:1$api.example.com$A\"}", eid);
    ask("download", body);
    expect(404, "IDENTIFIER_NOT_FOUND"); // nobody's subscription
}

static uint64_t new_subscription(const char *imsi, const char *iccid)
{
    struct subscription s;
    const uint64_t id = lab_subscription(&lab, 0, imsi);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_get(lab.store, id, &s), STORE_OK);
    s.plan.has_iccid = iccid != NULL;
    if (iccid != NULL)
        assert_true(iccid_write(iccid, s.plan.iccid));
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return id;
}

static const char *code_for(const char *host, uint64_t subscription)
{
    char id[API_ID_SIZE];
    api_id_write(id, "sub", subscription);
    (void)snprintf(body, sizeof(body),
                   "{\"esimProfile\":{\"eid\":\"%s\"},\"activationCode\":\"LPA:1$%s$%s\"}", eid,
                   host, id + strlen("sub_"));
    return body;
}

static void a_download_names_a_free_subscription_and_leaves_it_disabled(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    const uint64_t bare = new_subscription("999700000000008", NULL);
    const uint64_t wanted = new_subscription("999700000000009", "8999900000000007030");
    ask("download", code_for("api.example.com", bare));
    expect(404, "IDENTIFIER_NOT_FOUND"); // without an ICCID there is none here
    ask("download", code_for("API.Example.COM", wanted));
    expect(202, "\"operation\":\"download\",\"status\":\"ACCEPTED\",\"esimProfile\":{\"eid\":");
    const char *path = operation_path();
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    assert_int_equal(record.open.flags & COMMAND_FLAG_ENABLE, 0);
    ask("download", code_for("api.example.com", wanted));
    expect(409, "INCOMPATIBLE_STATE"); // it is reserved
    end_with(card, RESULT_OK);
    ask(path, NULL);
    expect(200, "\"outcome\":\"SUCCESS\",\"assignedIccid\":\"8999900000000007030\"");
    (void)snprintf(body, sizeof(body),
                   "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                   "\"activationCode\":\"LPA:1$api.example.com$A\"}");
    ask("download", body);
    expect(404, "IDENTIFIER_NOT_FOUND");
}

static const char *const changes[] = {"enable", "disable", "delete", "set-fallback"};

// An identifier of another card, on each way.
static void no_change_takes_identifiers_of_two_cards(void **state)
{
    (void)state;
    (void)usual_card();
    (void)new_card(OTHER_ICCID, "001010000000002", "999700000000002", "8999900000000007022");
    for (size_t i = 0; i < 4; i++) {
        ask(changes[i], both(SLOT_ICCID, eid));
        expect(422, "\"code\":\"ESIM_PROFILE_MANAGEMENT.IDENTIFIER_MISMATCH\"");
    }
}

static void a_card_in_doubt_or_quarantine_takes_no_change(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    const uint64_t wanted = new_subscription("999700000000009", "8999900000000007030");
    const struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    for (size_t i = 0; i < 4; i++) {
        ask(changes[i], profile(SLOT_ICCID));
        expect(409, "\"code\":\"ABORTED\"");
    }
    ask("download", code_for("api.example.com", wanted));
    expect(409, "\"code\":\"ABORTED\"");
    struct record next;
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    next = record;
    next.marks |= 1u << MARK_QUARANTINED;
    next.mark_since[MARK_QUARANTINED] = lab.now.utc;
    next.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    for (size_t i = 0; i < 4; i++) {
        ask(changes[i], profile(SLOT_ICCID));
        expect(409, "\"code\":\"INCOMPATIBLE_STATE\"");
    }
    ask("download", code_for("api.example.com", wanted));
    expect(409, "\"code\":\"INCOMPATIBLE_STATE\"");
}

static void a_retired_card_takes_no_download(void **state)
{
    (void)state;
    const uint64_t card = usual_card();
    const uint64_t wanted = new_subscription("999700000000009", "8999900000000007030");
    const struct event e = {.type = EVENT_RETIRE};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    ask("download", code_for("api.example.com", wanted));
    expect(422, "SERVICE_NOT_APPLICABLE");
}

static void operations_that_it_does_not_know_are_not_there(void **state)
{
    (void)state;
    char target[160];
    char id[API_ID_SIZE];
    const uint64_t card = usual_card();
    api_id_write(id, "crd", card);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s/operations", id);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = target, .body = "{\"type\":\"audit\"}"},
            &a);
    assert_int_equal(a.status, 202);
    api_id_write(id, "op", lab_id(&a, "op"));
    (void)snprintf(target, sizeof(target), "operations/%s", id);
    ask(target, NULL);
    expect(404, "NOT_FOUND");
}

static void the_same_key_starts_one_operation(void **state)
{
    (void)state;
    (void)usual_card();
    const struct ask first = {.method = "POST",
                              .target = ESIM_BASE "/enable",
                              .body = profile(SLOT_ICCID),
                              .key = "order-0001"};
    lab_ask(&lab, &first, &a);
    expect(202, "ACCEPTED");
    static struct answer again;
    lab_ask(&lab, &first, &again);
    assert_int_equal(again.status, 202);
    assert_string_equal(again.body, a.body);
    assert_non_null(strstr(again.headers, "Idempotency-Replayed: true"));
}

// --- whose it is -----------------------------------------------------------------------------

#define ESIM_SCOPES                                                                                \
    "iot-device-management:esim-profiles:enable,"                                                  \
    "iot-device-management:esim-profiles:retrieve-status,"                                         \
    "iot-device-management:esim-profiles:retrieve-operation"

static void strangers_find_nothing_and_others_do_what_they_were_granted(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    const uint64_t card = usual_card();
    lab_client(&lab, ESIM_SCOPES, 77, token);
    ask_by(token, "retrieve-status", profile(SLOT_ICCID));
    expect(404, "IDENTIFIER_NOT_FOUND");
    ask_by(token, "enable", profile(SLOT_ICCID));
    expect(404, "IDENTIFIER_NOT_FOUND");
    const uint64_t group = lab_grant(&lab, 77, GRANT_BIT(GRANT_CARD_READ));
    const struct event e = {.type = EVENT_MOVE, .group = group};
    assert_true(turn_event(lab.turn, card, &e, NULL, NULL));
    lab_turn(&lab);
    ask_by(token, "retrieve-status", profile(SLOT_ICCID));
    expect(200, SLOT_ICCID);
    ask_by(token, "enable", profile(SLOT_ICCID));
    expect(403, "PERMISSION_DENIED");
    ask_by(token, "disable", profile(SLOT_ICCID)); // the scope is missing
    expect(403, "PERMISSION_DENIED");
}

static void what_deletes_waits_for_a_second_person_as_accepted(void **state)
{
    (void)state;
    (void)usual_card();
    ask("delete", profile(SLOT_ICCID));
    expect(202, "\"operation\":\"delete\",\"status\":\"ACCEPTED\"");
    lab_ask(&lab, &(struct ask){.method = "GET", .target = API_BASE "/approvals"}, &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
}

static void get_open(const char *target)
{
    lab_ask(&lab, &(struct ask){.method = "GET", .target = target, .authorization = ""}, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.headers, "Content-Security-Policy: default-src 'none'; script-src "
                                      "'self'; style-src 'self'; connect-src 'self'; "));
}

// Nothing that a browser would fetch from elsewhere, or run from within the page.
static void the_page_of_the_documents_loads_nothing_from_elsewhere(void **state)
{
    (void)state;
    static const char *const foreign[] = {
        "http:",   "https:",    "//",          "data:",    "@import",  "innerHTML",
        "eval(",   "Function(", "import(",     "<style",   "style=\"", "onload",
        "onclick", "url(",      "javascript:", "<script>", "<iframe"};
    static const char *const files[] = {"/docs/", "/docs/viewer.js", "/docs/viewer.css"};
    for (size_t i = 0; i < 3; i++) {
        get_open(files[i]);
        for (size_t k = 0; k < sizeof(foreign) / sizeof(foreign[0]); k++) {
            // A comment of a script begins with two strokes.
            const bool is_comment = i == 1 && strcmp(foreign[k], "//") == 0;
            if (!is_comment && has(foreign[k]))
                fail_msg("%s has %s", files[i], foreign[k]);
        }
    }
    get_open("/docs/");
    assert_true(has("src=\"viewer.js\"") && has("href=\"viewer.css\""));
    assert_true(has("connectivity-management.yaml") && has("esim-profile-management.json"));
    get_open("/docs/connectivity-management.json");
    // Whoever keeps a copy knows where the server is.
    assert_string_equal(a.body,
                        "{\"servers\":[{\"url\":\"" LAB_ORIGIN
                        "\"}],\"x\":{\"openIdConnectUrl\":\"" LAB_ORIGIN "/.well-known/x\"}}");
    get_open("/docs/esim-profile-management.json");
}

static void its_document_is_served(void **state)
{
    (void)state;
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = "/docs/esim-profile-management.yaml",
                          .authorization = ""},
            &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "openapi: 3.0.3 of the other\nservers: [{url: " LAB_ORIGIN "}]\n");
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = "/.well-known/openid-configuration",
                          .authorization = ""},
            &a);
    assert_true(has("\"iot-device-management:esim-profiles:set-fallback\""));
    assert_false(has("connectivity-management:iot"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
#define STRICT(name) cmocka_unit_test_setup_teardown(name, open_strict, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_eids_are_1_modulo_97),
        CASE(a_card_is_found_by_its_eid_and_by_any_iccid),
        CASE(a_registry_eid_is_searched_as_it_is_shown),
        CASE(identifiers_that_do_not_fit_are_told_apart),
        CASE(it_is_strict_and_400_is_always_the_same_code),
        CASE(an_enable_is_accepted_followed_and_told),
        CASE(what_the_state_forbids_is_409),
        CASE(disabling_goes_over_to_the_fallback_one),
        CASE(what_nobody_has_is_not_found),
        CASE(a_retired_and_a_dirty_card_are_told),
        CASE(a_download_names_a_free_subscription_and_leaves_it_disabled),
        CASE(no_change_takes_identifiers_of_two_cards),
        CASE(a_card_in_doubt_or_quarantine_takes_no_change),
        CASE(a_retired_card_takes_no_download),
        CASE(operations_that_it_does_not_know_are_not_there),
        CASE(the_same_key_starts_one_operation),
        CASE(strangers_find_nothing_and_others_do_what_they_were_granted),
        STRICT(what_deletes_waits_for_a_second_person_as_accepted),
        CASE(its_document_is_served),
        CASE(the_page_of_the_documents_loads_nothing_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

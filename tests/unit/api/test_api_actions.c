// What can be done to cards and operations, and what stands in the way.
#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define BASE "/connectivity-management/v1"

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t card;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    card = lab_card(&lab, "89999000000000000012", &record);
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

static const char *card_path(const char *after)
{
    static char path[256];
    char text[API_ID_SIZE];
    struct writer w = writer_of(path, sizeof(path));
    api_id_write(text, "crd", card);
    text_put(&w, BASE "/cards/");
    text_put(&w, text);
    text_put(&w, after);
    return text_end(&w);
}

static const char *dirty_path(const char *after)
{
    static char path[256];
    char text[API_ID_SIZE];
    struct writer w = writer_of(path, sizeof(path));
    api_id_write(text, "crd", card);
    text_put(&w, BASE "/dirty-cards/");
    text_put(&w, text);
    text_put(&w, after);
    return text_end(&w);
}

// The id of an operation in the answer.
static void take_operation(char id[API_ID_SIZE])
{
    const char *at = strstr(a.body, "\"id\":\"op_");
    assert_non_null(at);
    memcpy(id, at + 6, API_ID_SIZE - 2);
    id[API_ID_SIZE - 2] = '\0';
}

static const char *operation_path(const char *id, const char *after)
{
    static char path[256];
    struct writer w = writer_of(path, sizeof(path));
    text_put(&w, BASE "/operations/");
    text_put(&w, id);
    text_put(&w, after);
    return text_end(&w);
}

// Changes the record behind the server's back, as an event of the card would.
static void save(const struct record *next)
{
    struct record before;
    assert_int_equal(store_card_load(lab.store, card, &before), STORE_OK);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &before, next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void what_was_not_sent_is_cancelled_and_repeated_on_demand(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    char poor[LAB_TOKEN_SIZE];
    lab_client(&lab, "operations:read", LAB_TENANT, poor);
    ask("POST", card_path("/operations"), "{\"type\":\"read-timers\",\"when\":\"NEXT_CONTACT\"}");
    assert_int_equal(a.status, 202);
    take_operation(id);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = card_path("/operations"),
                          .body = "{\"type\":\"audit\"}",
                          .authorization = poor},
            &a);
    assert_int_equal(a.status, 403);
    static const char *const actions[] = {"/cancel", "/resend"};
    for (size_t i = 0; i < 2; i++) {
        lab_ask(&lab,
                &(struct ask){.method = "POST",
                              .target = operation_path(id, actions[i]),
                              .authorization = poor},
                &a);
        assert_int_equal(a.status, 403);
    }
    ask("POST", operation_path(id, "/cancel?dryRun=true"), NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"dryRun\":true"));
    ask("GET", operation_path(id, ""), NULL);
    assert_true(has("\"status\":\"QUEUED\"")); // it was only a trial
    ask("POST", operation_path(id, "/cancel"), "{\"reason\":\"no longer wanted\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"outcome\":\"cancelled\""));
    ask("POST", operation_path(id, "/cancel"), NULL);
    assert_int_equal(a.status, 409);
    ask("POST", operation_path(id, "/resend"), NULL);
    assert_int_equal(a.status, 409); // cancelled is not failed
    ask("GET", card_path("/operations?outcome=cancelled&type=read-timers"), NULL);
    assert_true(has("\"totalCount\":1"));
    ask("GET", card_path("/audit-trail"), NULL);
    assert_true(has("no longer wanted"));
}

static void what_expired_is_sent_again_as_a_new_operation(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    ask("POST", card_path("/operations"),
        "{\"type\":\"read-timers\",\"when\":\"NEXT_CONTACT\",\"ttlSeconds\":300}");
    take_operation(id);
    lab.now.utc.ms += 301000;
    lab.now.instant.ms += 301000;
    lab_turn(&lab);
    ask("GET", operation_path(id, ""), NULL);
    assert_true(has("\"outcome\":\"expired\""));
    ask("POST", operation_path(id, "/resend"), "{\"reason\":\"try once more\"}");
    assert_int_equal(a.status, 202);
    assert_true(has("\"retryOf\":\"") && has(id));
}

// A download of a subscription of its own that expired before it left, and so gave it back.
static uint64_t expired_download(char id[API_ID_SIZE])
{
    char text[API_ID_SIZE], body[256];
    ask("POST", BASE "/subscription-pools",
        "{\"name\":\"north\",\"operator\":\"TEST-001-01\",\"templateId\":1}");
    const uint64_t subscription = lab_subscription(&lab, lab_id(&a, "pol"), "001010000000077");
    api_id_write(text, "sub", subscription);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"enable\":\"LATER\",\"subscriptionId\":\"%s\","
                   "\"when\":\"NEXT_CONTACT\",\"ttlSeconds\":300}",
                   text);
    ask("POST", card_path("/operations"), body);
    assert_int_equal(a.status, 202);
    take_operation(id);
    lab.now.utc.ms += 301000;
    lab.now.instant.ms += 301000;
    lab_turn(&lab);
    ask("GET", operation_path(id, ""), NULL);
    assert_true(has("\"outcome\":\"expired\""));
    return subscription;
}

static void expect_subscription(uint64_t id, enum subscription_state state, uint64_t of)
{
    struct subscription s;
    assert_int_equal(store_subscription_get(lab.store, id, &s), STORE_OK);
    assert_int_equal(s.state, state);
    assert_int_equal(s.card, of);
}

static void an_expired_download_takes_its_subscription_again(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    const uint64_t subscription = expired_download(id);
    expect_subscription(subscription, SUBSCRIPTION_FREE, 0);
    ask("POST", operation_path(id, "/resend?dryRun=true"), NULL);
    assert_int_equal(a.status, 200);
    expect_subscription(subscription, SUBSCRIPTION_FREE, 0);
    ask("POST", operation_path(id, "/resend"), NULL);
    assert_int_equal(a.status, 202);
    expect_subscription(subscription, SUBSCRIPTION_RESERVED, card);
    lab_turn(&lab);
    ask("GET", card_path("/operations?type=download"), NULL);
    assert_true(has("\"retryOf\":\"") && !has("\"outcome\":\"refused\""));
}

static void a_download_is_not_sent_again_when_another_card_has_its_subscription(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    struct subscription s;
    const uint64_t subscription = expired_download(id);
    assert_int_equal(store_subscription_get(lab.store, subscription, &s), STORE_OK);
    s.state = SUBSCRIPTION_RESERVED;
    s.card = card + 1;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_subscription_put(lab.store, &s), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("POST", operation_path(id, "/resend"), NULL);
    assert_int_equal(a.status, 409);
    assert_true(has("DUPLICATE_SUBSCRIPTION"));
}

// As if an attempt had come to nothing.
static void fail_once(void)
{
    struct record next;
    assert_int_equal(store_card_load(lab.store, card, &next), STORE_OK);
    assert_true(next.has_open);
    next.open.status = STATUS_QUEUED;
    next.open.attempts = 1;
    save(&next);
}

static void support_sends_again_what_others_asked_for_and_asks_for_nothing(void **state)
{
    (void)state;
    struct door desk;
    char id[API_ID_SIZE];
    lab_user(&lab, "desk", ROLE_SUPPORT, LAB_TENANT, &desk);
    ask("POST", card_path("/operations"),
        "{\"type\":\"set-timers\",\"parameters\":{\"T_ATTACH\":60},\"ttlSeconds\":300}");
    assert_int_equal(a.status, 202);
    take_operation(id);
    lab_turn(&lab);
    fail_once();
    lab_ask_as(&lab, &desk, "POST", operation_path(id, "/cancel"), NULL, &a);
    assert_int_equal(a.status, 403);
    lab_ask_as(&lab, &desk, "POST", operation_path(id, "/resend"), NULL, &a);
    assert_int_equal(a.status, 202);
    assert_true(has(id) && has("\"detail\":\"resend\""));
    lab.now.utc.ms += 301000;
    lab.now.instant.ms += 301000;
    lab_turn(&lab);
    ask("GET", operation_path(id, ""), NULL);
    assert_true(has("\"status\":\"ENDED\""));
    lab_ask_as(&lab, &desk, "POST", operation_path(id, "/resend"), NULL, &a);
    assert_int_equal(a.status, 403); // it would be a new one
    ask("POST", operation_path(id, "/resend"), NULL);
    assert_int_equal(a.status, 409); // whose right it is, is told what is in the way
    assert_true(has("CARD_DIRTY"));
}

static void a_retired_card_takes_nothing_more(void **state)
{
    (void)state;
    ask("PATCH", card_path("?dryRun=true"), "{\"state\":\"RETIRED\",\"reason\":\"lost\"}");
    assert_int_equal(a.status, 200);
    ask("GET", card_path(""), NULL);
    assert_true(has("\"state\":\"OPERATIONAL\""));
    ask("PATCH", card_path(""), "{\"state\":\"RETIRED\",\"reason\":\"lost\"}");
    assert_int_equal(a.status, 200);
    static const char *const orders[] = {"{\"type\":\"audit\"}", "{\"type\":\"read-timers\"}"};
    for (size_t i = 0; i < 2; i++) {
        ask("POST", card_path("/operations"), orders[i]);
        assert_int_equal(a.status, 422);
        assert_true(has("\"code\":\"SERVICE_NOT_APPLICABLE\"") && has("CARD_RETIRED"));
    }
    ask("POST", dirty_path("/audit"), NULL);
    assert_int_equal(a.status, 422);
    ask("PUT", card_path("/dirty"), "{\"reason\":\"x\"}");
    assert_int_equal(a.status, 422);
    assert_true(has("CARD_RETIRED"));
    ask("PATCH", card_path(""), "{\"state\":\"RETIRED\",\"reason\":\"lost\"}");
    assert_int_equal(a.status, 422);
}

static void doubt_is_marked_audited_and_cleared(void **state)
{
    (void)state;
    ask("DELETE", card_path("/dirty"), "{\"reason\":\"x\"}");
    assert_int_equal(a.status, 409); // it is not
    ask("PUT", card_path("/dirty?dryRun=true"), "{\"reason\":\"x\"}");
    assert_int_equal(a.status, 200);
    ask("GET", BASE "/dirty-cards", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("PUT", card_path("/dirty"), "{\"reason\":\"x\"}");
    assert_int_equal(a.status, 200);
    ask("POST", dirty_path("/audit"), "{\"reason\":\"now\"}");
    assert_int_equal(a.status, 202);
    assert_true(has("\"type\":\"audit\""));
    ask("DELETE", card_path("/dirty"), "{\"reason\":\"seen on the bench\"}");
    assert_int_equal(a.status, 200);
    assert_false(has("\"mark\":\"DIRTY\""));
}

static void a_quarantine_is_lifted_by_hand_only(void **state)
{
    (void)state;
    struct record next;
    ask("DELETE", card_path("/quarantine"), "{\"reason\":\"x\"}");
    assert_int_equal(a.status, 409);
    assert_int_equal(store_card_load(lab.store, card, &next), STORE_OK);
    next.marks = 1u << MARK_QUARANTINED;
    next.mark_since[MARK_QUARANTINED] = lab.now.utc;
    next.version++;
    save(&next);
    ask("POST", dirty_path("/audit"), NULL);
    assert_int_equal(a.status, 409);
    assert_true(has("CARD_QUARANTINED"));
    ask("DELETE", card_path("/quarantine"), "{\"reason\":\"keys are new\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"marks\":[]"));
}

static void an_open_question_is_decided_by_a_person(void **state)
{
    (void)state;
    struct record next;
    ask("POST", dirty_path("/resolve"), "{\"decision\":\"ACCEPT_CARD\",\"reason\":\"x\"}");
    assert_int_equal(a.status, 409);
    ask("PUT", card_path("/dirty"), "{\"reason\":\"x\"}");
    assert_int_equal(store_card_load(lab.store, card, &next), STORE_OK);
    next.needs_operator = true;
    next.last_audit_outcome = AUDIT_NEEDS_OPERATOR;
    next.last_audit_at = lab.now.utc;
    next.version++;
    save(&next);
    ask("POST", dirty_path("/resolve?dryRun=true"),
        "{\"decision\":\"ACCEPT_CARD\",\"reason\":\"x\"}");
    assert_int_equal(a.status, 200);
    ask("GET", BASE "/dirty-cards?needsOperator=true", NULL);
    assert_true(has("\"totalCount\":1"));
    ask("POST", dirty_path("/resolve"),
        "{\"decision\":\"ACCEPT_CARD\",\"reason\":\"the card is right\"}");
    assert_int_equal(a.status, 200);
    ask("GET", BASE "/dirty-cards?needsOperator=true", NULL);
    assert_true(has("\"totalCount\":0"));
}

static void subscriptions_are_found_by_their_beginnings(void **state)
{
    (void)state;
    ask("POST", BASE "/subscriptions/search", "{\"imsi\":\"9997\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1") && has("999700000000001"));
    char path[256] = BASE "/subscriptions/";
    const char *at = strstr(a.body, "\"id\":\"sub_");
    assert_non_null(at);
    memcpy(path + strlen(path), at + 6, API_ID_SIZE - 1);
    ask("GET", path, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"state\":\"ON_CARD\""));
    ask("GET", BASE "/subscriptions?state=ON_CARD", NULL);
    assert_true(has("\"totalCount\":2"));
}

// The example AUDIT-ANSWER-1 of docs/applet-protocol.md; its state hash is 81d73ba7.
static const char audit_answer[] =
    "8a08a0a1a2a3a4a5a6a7c12698990900007071000091020400020800000000150000000009000000070001010002"
    "0708007fc206010000000701c3020102940300f11096081a32547698103254c71801350001010899990700000000"
    "1098990900007071000091c718022200020108091010103254769898990900009010000051";

static void read_answer(struct audit_answer *answer)
{
    uint8_t octets[256];
    struct writer w = writer_of(octets, sizeof(octets));
    assert_true(text_unhex(bytes_of_text(audit_answer), &w));
    assert_true(audit_answer_read(writer_bytes(&w), answer));
}

static void both_views_carry_the_hash_of_their_slots(void **state)
{
    (void)state;
    struct card_view view = {.at = lab.now.utc, .operation = 7, .registry_version = 7};
    read_answer(&view.answer);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_view_put(lab.store, card, &view), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("GET", card_path("/subscriptions"), NULL);
    assert_int_equal(a.status, 200);
    const char *card_view = strstr(a.body, "\"cardView\":{");
    assert_non_null(card_view);
    assert_non_null(strstr(card_view, "\"stateHash\":\"81d73ba7\""));
    // SHA-256 over the laboratory's two slot records, without the bit that says proven:
    // 0116000101 080910100000000010, 0201000201 089999070000000010
    const char *server_hash = strstr(a.body, "\"stateHash\":\"125f51d2\"");
    assert_true(server_hash != NULL && server_hash < card_view);
}

static void an_audit_keeps_what_it_compared(void **state)
{
    (void)state;
    struct operation o;
    uint64_t of_card = 0;
    uint64_t id = 0;
    struct kept_audit audit = {.view = {.at = lab.now.utc, .outcome = AUDIT_SERVER_CORRECTED}};
    ask("POST", card_path("/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202);
    char path[256] = BASE "/operations/";
    const char *at = strstr(a.body, "\"id\":\"op_") + strlen("\"id\":\"");
    memcpy(path + strlen(path), at, strcspn(at, "\""));
    assert_true(api_id_read(bytes_of(at, strcspn(at, "\"")), "op", &id));
    ask("GET", path, NULL);
    assert_true(a.status == 200 && !has("\"audit\":"));
    assert_int_equal(store_operation_get(lab.store, id, &o, &of_card), STORE_OK);
    o.status = STATUS_ENDED;
    o.outcome = OUTCOME_DONE;
    read_answer(&audit.view.answer);
    audit.view.operation = id;
    audit.count = 3;
    audit.differences[0] = (struct difference){2, "state", SLOT_DISABLED, SLOT_ENABLED};
    audit.differences[1] = (struct difference){2, "fallback", 1, 0};
    audit.differences[2] = (struct difference){0, "highestOperationId", 6, 7};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_operation_put(lab.store, card, LAB_TENANT, &o), STORE_OK);
    assert_int_equal(store_audit_put(lab.store, card, &audit), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    ask("GET", path, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"audit\":{\"outcome\":\"server_corrected\",\"cardView\":{"));
    assert_true(has("\"stateHash\":\"81d73ba7\""));
    assert_true(
        has("\"differences\":[{\"slot\":2,\"field\":\"state\",\"server\":\"DISABLED\",\"card\":"
            "\"ENABLED\"},{\"slot\":2,\"field\":\"fallback\",\"server\":true,\"card\":false},"
            "{\"slot\":0,\"field\":\"highestOperationId\",\"server\":6,\"card\":7}]"));
}

static void an_operation_names_the_group_of_its_card(void **state)
{
    (void)state;
    char group[API_ID_SIZE];
    char wanted[64];
    struct record moved = record;
    moved.group = 4711;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &moved), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    api_id_write(group, "grp", 4711);
    (void)snprintf(wanted, sizeof(wanted), "\"groupId\":\"%s\"", group);
    ask("POST", card_path("/operations"), "{\"type\":\"audit\"}");
    assert_int_equal(a.status, 202);
    assert_true(has(wanted));
    ask("GET", BASE "/operations", NULL);
    assert_true(has("\"totalCount\":1") && has(wanted));
}

static const char *two_parts(const void *of, char text[STEP_MESSAGES_SIZE])
{
    struct writer w = writer_of(text, STEP_MESSAGES_SIZE);
    (void)of;
    text_put(&w, "7f3a - ");
    return text_end(&w);
}

static void a_step_names_the_parts_as_the_smsc_did(void **state)
{
    (void)state;
    char id[API_ID_SIZE];
    static struct record sent;
    char body[128];
    api_id_write(id, "sub", record.slots[1].subscription);
    (void)snprintf(body, sizeof(body), "{\"type\":\"enable\",\"subscriptionId\":\"%s\"}", id);
    ask("POST", card_path("/operations"), body);
    assert_int_equal(a.status, 202);
    take_operation(id);
    assert_int_equal(store_card_load(lab.store, card, &sent), STORE_OK);
    struct event e = {.type = EVENT_SUBMIT, .actor = {.kind = ACTOR_SYSTEM}};
    e.as.submit = (struct event_submit){
        .counter = sent.flight.counter, .outcome = SUBMIT_ACCEPTED, .parts = 2};
    const struct turn_prepared with = {.origin = {.messages = two_parts}};
    assert_true(turn_event_prepared(lab.turn, card, &e, &with));
    lab_turn(&lab);
    ask("GET", operation_path(id, ""), NULL);
    assert_non_null(strstr(a.headers, "ETag: \"5\"\n")); // as many as it has steps
    assert_true(has("\"smscMessageId\":\"7f3a\",\"messageIds\":[\"7f3a\",null]}"));
    const char *built = strstr(a.body, "\"name\":\"built\"");
    assert_non_null(built);
    const char *messages = strstr(built, "messageIds");
    assert_true(messages > built + strcspn(built, "}"));
}

static void the_system_tells_its_build_and_its_sizes(void **state)
{
    (void)state;
    ask("GET", BASE "/system", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"build\":{\"compiler\":\"clang ") || has("\"build\":{\"compiler\":\"gcc "));
    // A database in memory has no log, and pages of 4096 octets.
    assert_true(has("\"journalOctets\":0}"));
    const char *at = strstr(a.body, "\"database\":{\"octets\":");
    assert_non_null(at);
    const unsigned long octets = strtoul(at + strlen("\"database\":{\"octets\":"), NULL, 10);
    assert_true(octets >= 4096 && octets % 4096 == 0);
}

static void metrics_are_for_their_scope(void **state)
{
    (void)state;
    char poor[LAB_TOKEN_SIZE];
    lab_client(&lab, "cards:read", LAB_TENANT, poor);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = "/metrics", .authorization = poor}, &a);
    assert_int_equal(a.status, 403);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_sent_is_cancelled_and_repeated_on_demand),
        TEST(what_expired_is_sent_again_as_a_new_operation),
        TEST(an_expired_download_takes_its_subscription_again),
        TEST(a_download_is_not_sent_again_when_another_card_has_its_subscription),
        TEST(support_sends_again_what_others_asked_for_and_asks_for_nothing),
        TEST(a_retired_card_takes_nothing_more),
        TEST(doubt_is_marked_audited_and_cleared),
        TEST(a_quarantine_is_lifted_by_hand_only),
        TEST(an_open_question_is_decided_by_a_person),
        TEST(subscriptions_are_found_by_their_beginnings),
        TEST(both_views_carry_the_hash_of_their_slots),
        TEST(an_audit_keeps_what_it_compared),
        TEST(an_operation_names_the_group_of_its_card),
        TEST(a_step_names_the_parts_as_the_smsc_did),
        TEST(the_system_tells_its_build_and_its_sizes),
        TEST(metrics_are_for_their_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

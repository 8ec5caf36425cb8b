// Nothing of one enterprise reaches another: whatever has a name at B has the canary's, and no
// octet that A is given has it, whatever A asks for.
#include "common/base/text.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_upload.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/service/import_report.h"
#include "tests/unit/api/two_tenants.h"

#include <stdio.h>

#define OBJECTS_MAX 24

struct object {
    const char *collection, *prefix; // "": a number in place of an id
    uint64_t id;
};

static uint64_t find_id(const char *list, const char *prefix, const char *token)
{
    ask(token, "GET", list, NULL);
    expect(200);
    return lab_id(&a, prefix);
}

static uint64_t new_campaign(void)
{
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/campaigns",
                          .body = "{\"name\":\"" CANARY "\",\"operation\":{\"type\":\"audit\"},"
                                  "\"target\":{\"filter\":{\"label\":\"" CANARY "\"}},"
                                  "\"rate\":{\"perSecond\":1},\"reason\":\"" CANARY "\"}",
                          .key = "campaign-of-b",
                          .authorization = token_b},
            &a);
    expect(201);
    const uint64_t campaign = lab_id(&a, "cmp");
    ask(token_b, "POST", target("/campaigns/", "cmp", campaign, "/check"),
        "{\"reason\":\"" CANARY "\"}");
    expect(200);
    return campaign;
}

static uint64_t new_report(const char *token)
{
    ask(token, "POST", API_BASE "/reports",
        "{\"type\":\"INVENTORY\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":"
        "\"2026-07-01T00:00:00Z\",\"province\":\"" CANARY "\"}");
    expect(202);
    return lab_id(&a, "rpt");
}

static uint64_t new_move(const char *token)
{
    char id[API_ID_SIZE];
    char body[256];
    api_id_write(id, "grp", group_b);
    (void)snprintf(body, sizeof(body),
                   "{\"target\":{\"filter\":{}},\"groupId\":\"%s\",\"reason\":\"" CANARY "\"}", id);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/cards/moves",
                          .body = body,
                          .key = "move-of-b",
                          .authorization = token},
            &a);
    expect(202);
    return lab_id(&a, "mov");
}

static uint64_t new_sink_with_event(uint64_t *delivery)
{
    ask(token_b, "POST", API_BASE "/event-sinks",
        "{\"sink\":\"https://" CANARY ".example.com/\",\"types\":["
        "\"ota.connectivity-management.v1.card-dirty\"]}");
    const uint64_t sink = lab_id(&a, "snk");
    ask(token_b, "POST", target("/event-sinks/", "snk", sink, "/test"), NULL);
    *delivery = lab_id(&a, "dlv");
    return sink;
}

// What comes of work that this test does not do, as it is kept.
static uint64_t keep(const char *kind, int64_t state)
{
    static uint64_t last = 0x10000;
    const struct document d = {.kind = kind,
                               .id = ++last,
                               .owner = enterprise_b,
                               .parent = group_b,
                               .state = state,
                               .created_at = lab.now.utc,
                               .changed_at = lab.now.utc,
                               .body = bytes_of_text("{\"name\":\"" CANARY "\"}")};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return d.id;
}

// The number of a row that B may read.
static uint64_t row_of_b(void)
{
    uint64_t sequence = 0;
    ask(token_b, "GET", API_BASE "/audit-trail", NULL);
    expect(200);
    const char *at = strstr(a.body, "\"sequence\":");
    assert_non_null(at);
    for (at += strlen("\"sequence\":"); *at >= '0' && *at <= '9'; at++)
        sequence = 10 * sequence + (uint64_t)(*at - '0');
    return sequence;
}

static uint64_t new_user(void)
{
    char id[API_ID_SIZE];
    char body[512];
    api_id_write(id, "ent", enterprise_b);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"" CANARY "\",\"displayName\":\"" CANARY
                   "\",\"role\":\"ENTERPRISE_USER\",\"enterpriseId\":\"%s\"}",
                   id);
    ask(token_b, "POST", API_BASE "/users", body);
    expect(201);
    return lab_id(&a, "usr");
}

// Gives B something of every kind that there is, named with the canary wherever a name can stand.
static size_t fill_b(struct object *objects)
{
    char id[API_ID_SIZE];
    char body[512];
    grant(enterprise_b, group_b,
          "\"card.read\",\"card.move\",\"card.audit\",\"timers.set\",\"subscription.enable\"");
    ask(token_b, "PATCH", target("/cards/", "crd", record_b.card, ""),
        "{\"note\":\"" CANARY "\",\"labels\":[\"" CANARY "\"],\"applicationField\":\"OTHER\"}");
    expect(200);
    const uint64_t user = new_user();
    api_id_write(id, "ent", enterprise_b);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"" CANARY "\",\"scopes\":[\"cards:read\"],\"mechanisms\":[\"hmac\"],"
                   "\"enterpriseId\":\"%s\"}",
                   id);
    ask(token_b, "POST", API_BASE "/api-clients", body);
    expect(201);
    const uint64_t client = lab_id(&a, "cli");
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"" CANARY "\",\"operator\":\"" CANARY
                   "\",\"templateId\":1,\"enterpriseId\":\"%s\"}",
                   id);
    ask(NULL, "POST", API_BASE "/subscription-pools", body);
    expect(201);
    const uint64_t pool = lab_id(&a, "pol");
    ask(NULL, "PATCH", target("/card-groups/", "grp", group_b, "/rules"),
        "{\"retry\":{\"ttlSeconds\":600},\"reason\":\"" CANARY "\"}");
    expect(200);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = target("/cards/", "crd", record_b.card, "/operations"),
                          .body = "{\"type\":\"audit\",\"reason\":\"" CANARY "\"}",
                          .correlator = CANARY,
                          .authorization = token_b},
            &a);
    expect(202);
    const uint64_t operation = lab_id(&a, "op");
    const uint64_t campaign = new_campaign();
    uint64_t delivery = 0;
    const uint64_t sink = new_sink_with_event(&delivery);
    static char strong[LAB_TOKEN_SIZE];
    lab_client(&lab, "all", enterprise_b, strong);
    const struct object made[] = {{"/cards/*", "crd", record_b.card},
                                  {"/dirty-cards/*", "crd", record_b.card},
                                  {"/card-groups/*", "grp", group_b},
                                  {"/operations/*", "op", operation},
                                  {"/campaigns/*", "cmp", campaign},
                                  {"/reports/*", "rpt", new_report(strong)},
                                  {"/cards/moves/*", "mov", new_move(strong)},
                                  {"/users/*", "usr", user},
                                  {"/api-clients/*", "cli", client},
                                  {"/subscription-pools/*", "pol", pool},
                                  {"/subscriptions/*", "sub", record_b.slots[1].subscription},
                                  {"/event-sinks/*", "snk", sink},
                                  {"/event-deliveries/*", "dlv", delivery},
                                  {"/enterprises/*", "ent", enterprise_b},
                                  {"/permissions/*", "ent", enterprise_b},
                                  {"/alarms/*", "alm", keep(ALARM_KIND, 1)},
                                  {"/approvals/*", "apr", keep(APPROVAL_KIND, 0)},
                                  {"/bootstrap-jobs/*", "job", keep(JOB_KIND, 2)},
                                  {"/uploads/*", "upl", keep(UPLOAD_KIND, 0)},
                                  {"/batch-imports/*", "imp", keep(IMPORT_KIND, 0)},
                                  {"/verifications/*", "vrf", keep(TRAIL_CHECK_KIND, 1)},
                                  {"/audit-trail/*", "", row_of_b()}};
    assert_true(sizeof(made) <= OBJECTS_MAX * sizeof(made[0]));
    memcpy(objects, made, sizeof(made));
    return sizeof(made) / sizeof(made[0]);
}

static const char *method_of(const struct api_route_row *row)
{
    return row->method == API_GET     ? "GET"
           : row->method == API_POST  ? "POST"
           : row->method == API_PUT   ? "PUT"
           : row->method == API_PATCH ? "PATCH"
                                      : "DELETE";
}

// What the operator has for all.
static bool is_common(const struct api_route_row *row)
{
    return strstr(row->path, "/profile-templates/*") != NULL ||
           strstr(row->path, "/vendor-profiles/*") != NULL ||
           strstr(row->path, "/transport-keys/*") != NULL;
}

// The path with B's ids; false when B has nothing of its kind, as nobody has.
static bool fill_path(const struct api_route_row *row, const struct object *objects, size_t count)
{
    const struct object *found = NULL;
    struct writer w = writer_of(path, sizeof(path));
    for (size_t i = 0; i < count; i++) {
        if (strstr(row->path, objects[i].collection) != NULL)
            found = &objects[i];
    }
    if (strchr(row->path, '*') != NULL && found == NULL) {
        if (!is_common(row) && (row->flags & ROUTE_OPEN) == 0 &&
            strncmp(row->path, API_BASE, strlen(API_BASE)) == 0)
            fail_msg("%s: give B one", row->path);
        return false;
    }
    unsigned stars = 0;
    for (const char *c = row->path; *c != '\0'; c++) {
        char id[API_ID_SIZE];
        if (*c != '*') {
            writer_u8(&w, (uint8_t)*c);
            continue;
        }
        if (stars++ == 0 && found->prefix[0] == '\0')
            (void)snprintf(id, sizeof(id), "%llu", (unsigned long long)found->id);
        else if (stars == 1)
            api_id_write(id, found->prefix, found->id);
        else if (strcmp(found->prefix, "ent") == 0)
            api_id_write(id, "grp", group_b);
        else
            (void)snprintf(id, sizeof(id), "1");
        text_put(&w, id);
    }
    if (strstr(row->path, "/metering/") != NULL && row->method == API_GET &&
        strstr(row->path, "/tariffs") == NULL)
        text_put(&w, "?month=2026-07");
    return text_end(&w) != NULL;
}

static void expect_no_canary(const char *what)
{
    char number[] = "888800000000001";
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise_b);
    if (strstr(a.body, id) != NULL || strstr(a.body, CANARY) != NULL ||
        strstr(a.headers, CANARY) != NULL || strstr(a.body, number) != NULL ||
        strstr(a.body, ICCID_B) != NULL)
        fail_msg("%s: %s %s shows what is B's: %s", what, a.asked.method, a.asked.target, a.body);
}

static const char *body_of(const struct api_route_row *row)
{
    return row->takes == TAKES_NOTHING                                ? NULL
           : strcmp(row->path, API_BASE "/cards/search") == 0         ? "{\"any\":\"" ICCID_B "\"}"
           : strcmp(row->path, API_BASE "/subscriptions/search") == 0 ? "{\"imsi\":\"8888\"}"
           : strcmp(row->path, API_BASE "/cards/*/operations") == 0   ? "{\"type\":\"audit\"}"
           : strstr(row->path, "/reveal") != NULL ? "{\"fields\":[\"iccid\"],\"reason\":\"x\"}"
           : strstr(row->path, "/permissions/") != NULL
               ? "{\"operations\":[\"card.read\"],\"reason\":\"x\"}"
           : strcmp(row->path, API_BASE "/cards/*") == 0       ? "{\"note\":\"x\"}"
           : strcmp(row->path, API_BASE "/users/*") == 0       ? "{\"displayName\":\"x\"}"
           : strstr(row->path, "/password") != NULL            ? "{\"password\":\"twelve octets\"}"
           : strcmp(row->path, API_BASE "/api-clients/*") == 0 ? "{\"name\":\"y\"}"
           : row->takes == TAKES_MAYBE                         ? "{}"
                                                               : "{\"reason\":\"x\"}";
}

static void ask_every_route(const char *token, const struct object *objects, size_t count,
                            unsigned *asked)
{
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        if (row->takes == TAKES_FILE || (row->flags & ROUTE_OPEN) != 0 ||
            strstr(row->path, "/session") != NULL || !fill_path(row, objects, count))
            continue;
        lab.now.utc.ms += 1000;
        lab.now.instant.ms += 1000;
        lab_ask(&lab,
                &(struct ask){.method = method_of(row),
                              .target = path,
                              .body = body_of(row),
                              .key = (row->flags & ROUTE_NEEDS_KEY) != 0 ? "canary-0001" : NULL,
                              .authorization = token},
                &a);
        (*asked)++;
        expect_no_canary(row->path);
        if (strchr(row->path, '*') != NULL && a.status < 400)
            fail_msg("%s %s: %u on what is B's", method_of(row), path, a.status);
    }
}

static void nothing_of_b_is_in_any_answer_to_a(void **state)
{
    (void)state;
    struct object objects[OBJECTS_MAX];
    char strong[LAB_TOKEN_SIZE];
    unsigned asked = 0;
    const size_t count = fill_b(objects);
    grant(enterprise_a, group_a,
          "\"card.read\",\"card.reveal\",\"card.move\",\"card.audit\",\"timers.set\","
          "\"subscription.download\",\"subscription.enable\",\"subscription.disable\","
          "\"subscription.delete\",\"subscription.set-fallback\"");
    ask_every_route(token_a, objects, count, &asked);
    // And with every scope there is, which only a mistake could give to an enterprise.
    lab_client(&lab, "all", enterprise_a, strong);
    ask_every_route(strong, objects, count, &asked);
    assert_true(asked > 100);
    // B itself sees all of it, or the test would show nothing.
    ask(token_b, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    assert_true(has(CANARY));
    ask(token_b, "GET", API_BASE "/audit-trail", NULL);
    assert_true(has(CANARY));
    assert_true(find_id(API_BASE "/users", "usr", token_b) != 0);
}

static void what_is_bs_is_as_unknown_to_a_as_what_is_nobodys(void **state)
{
    (void)state;
    struct object objects[OBJECTS_MAX];
    const size_t count = fill_b(objects);
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        if (row->method != API_GET || strchr(row->path, '*') == NULL ||
            !fill_path(row, objects, count))
            continue;
        ask(token_a, "GET", path, NULL);
        char body[512];
        const unsigned status = a.status;
        (void)snprintf(body, sizeof(body), "%s", a.body);
        // The same with ids that belong to nobody.
        struct object nobodys[OBJECTS_MAX];
        for (size_t k = 0; k < count; k++) {
            nobodys[k] = objects[k];
            nobodys[k].id = 0x1234567890ABCDEull + k;
        }
        assert_true(fill_path(row, nobodys, count));
        ask(token_a, "GET", path, NULL);
        if (a.status != status || strcmp(a.body, body) != 0)
            fail_msg("%s: %u %s, for nobody's %u %s", row->path, status, body, a.status, a.body);
    }
}

// Where a request may name something: B's there is as good as nothing.
struct naming {
    const char *method, *target, *body; // the first %s is the id
    const char *collection;
};
static const struct naming namings[] = {
    {"GET", "/cards?groupId=%s", NULL, "/card-groups/*"},
    {"GET", "/operations?cardId=%s", NULL, "/cards/*"},
    {"GET", "/operations?campaignId=%s", NULL, "/campaigns/*"},
    {"GET", "/audit-trail?cardId=%s", NULL, "/cards/*"},
    {"GET", "/audit-trail?groupId=%s", NULL, "/card-groups/*"},
    {"GET", "/audit-trail?operationId=%s", NULL, "/operations/*"},
    {"GET", "/audit-trail?actor=%s", NULL, "/users/*"},
    {"GET", "/dirty-cards?groupId=%s", NULL, "/card-groups/*"},
    {"GET", "/subscriptions?poolId=%s", NULL, "/subscription-pools/*"},
    {"GET", "/event-deliveries?sinkId=%s", NULL, "/event-sinks/*"},
    {"GET", "/metering/calls?month=2026-07&enterpriseId=%s", NULL, "/enterprises/*"},
    {"GET", "/metering/cards-queried?month=2026-07&enterpriseId=%s", NULL, "/enterprises/*"},
    {"GET", "/metering/records?month=2026-07&enterpriseId=%s", NULL, "/enterprises/*"},
    {"GET", "/kpis?enterpriseId=%s", NULL, "/enterprises/*"},
    {"POST", "/reports",
     "{\"type\":\"INVENTORY\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-07-01T00:00:00Z\","
     "\"groupId\":\"%s\"}",
     "/card-groups/*"},
    {"POST", "/event-sinks",
     "{\"sink\":\"https://a.example.com/\",\"types\":["
     "\"ota.connectivity-management.v1.card-dirty\"],\"groupId\":\"%s\"}",
     "/card-groups/*"},
    {"POST", "/cards/moves", "{\"target\":{\"filter\":{}},\"groupId\":\"%s\"}", "/card-groups/*"},
    {"POST", "/campaigns",
     "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"target\":{\"groupIds\":[\"%s\"]},"
     "\"rate\":{\"perSecond\":1}}",
     "/card-groups/*"},
};

// No format that the compiler does not know.
static void put_id(char *to, size_t size, const char *text, const char *id)
{
    const char *at = strstr(text, "%s");
    if (at == NULL)
        (void)snprintf(to, size, "%s", text);
    else
        (void)snprintf(to, size, "%.*s%s%s", (int)(at - text), text, id, at + 2);
}

static void what_names_bs_finds_nothing(void **state)
{
    (void)state;
    struct object objects[OBJECTS_MAX];
    char strong[LAB_TOKEN_SIZE];
    const size_t count = fill_b(objects);
    lab_client(&lab, "all", enterprise_a, strong);
    for (size_t i = 0; i < sizeof(namings) / sizeof(namings[0]); i++) {
        const struct naming *n = &namings[i];
        const struct object *o = NULL;
        char id[API_ID_SIZE];
        char body[512];
        for (size_t k = 0; k < count && o == NULL; k++)
            o = strcmp(objects[k].collection, n->collection) == 0 ? &objects[k] : NULL;
        assert_non_null(o);
        api_id_write(id, o->prefix, o->id);
        put_id(path, sizeof(path), n->target, id);
        put_id(body, sizeof(body), n->body != NULL ? n->body : "", id);
        char full[600];
        (void)snprintf(full, sizeof(full), API_BASE "%s", path);
        lab.now.utc.ms += 1000;
        lab.now.instant.ms += 1000;
        lab_ask(&lab,
                &(struct ask){.method = n->method,
                              .target = full,
                              .body = n->body != NULL ? body : NULL,
                              .key = n->body != NULL ? "naming-0001" : NULL,
                              .authorization = strong},
                &a);
        expect_no_canary(n->target);
        if (a.status < 400 && !has("\"items\":[]"))
            fail_msg("%s %s: %u %s", n->method, n->target, a.status, a.body);
    }
}

// Each octet of a report and of an export that A is given.
static void what_a_is_given_as_a_whole_is_its_own(void **state)
{
    static const char *const types[] = {"OPERATIONS", "FALLBACK",     "BOOTSTRAP", "INVENTORY",
                                        "IMPORTS",    "CARD_WRITERS", "REGULATOR"};
    static const char *const exports[] = {"/cards/export", "/operations/export",
                                          "/audit-trail/export"};
    (void)state;
    struct object objects[OBJECTS_MAX];
    char strong[LAB_TOKEN_SIZE];
    char body[256];
    (void)fill_b(objects);
    lab_client(&lab, "all", enterprise_a, strong);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void)snprintf(body, sizeof(body),
                       "{\"type\":\"%s\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":"
                       "\"2026-12-01T00:00:00Z\"}",
                       types[i]);
        ask(strong, "POST", API_BASE "/reports", body);
        if (a.status == 403 || a.status == 404)
            continue; // not for enterprises
        expect(202);
        const uint64_t report = lab_id(&a, "rpt");
        lab_run_jobs(&lab);
        ask(strong, "GET", target("/reports/", "rpt", report, "/content"), NULL);
        expect(200);
        expect_no_canary(types[i]);
    }
    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
        (void)snprintf(path, sizeof(path), API_BASE "%s", exports[i]);
        ask(strong, "POST", path, "{\"reason\":\"all of it\"}");
        expect(200);
        expect_no_canary(exports[i]);
    }
    ask(strong, "GET", API_BASE "/metering/records?month=2026-07", NULL);
    expect(200);
    expect_no_canary("records");
    // The operator is given it, or the test would show nothing.
    ask(NULL, "POST", API_BASE "/audit-trail/export", "{\"reason\":\"all of it\"}");
    assert_true(has(CANARY));
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"INVENTORY\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":"
                   "\"2026-12-01T00:00:00Z\"}");
    ask(NULL, "POST", API_BASE "/reports", body);
    const uint64_t report = lab_id(&a, "rpt");
    lab_run_jobs(&lab);
    ask(NULL, "GET", target("/reports/", "rpt", report, "/content"), NULL);
    assert_true(has(CANARY));
}

// What it did for B stays with B and the operator.
static void a_card_that_comes_to_a_has_no_history_of_b(void **state)
{
    (void)state;
    char operation[API_ID_SIZE];
    grant(enterprise_b, group_b, "\"card.read\",\"card.audit\"");
    grant(enterprise_a, group_a, "\"card.read\",\"card.audit\"");
    ask(token_b, "POST", target("/cards/", "crd", record_b.card, "/operations"),
        "{\"type\":\"read-timers\",\"when\":\"NEXT_CONTACT\"}");
    expect(202);
    api_id_write(operation, "op", lab_id(&a, "op"));
    ask(token_b, "POST", target("/operations/", "op", lab_id(&a, "op"), "/cancel"), NULL);
    expect(200);
    ask(token_b, "GET", target("/cards/", "crd", record_b.card, "/timeline"), NULL);
    assert_true(has(operation));
    move(record_b.card, group_a);
    static const char *const parts[] = {"/timeline", "/messages", "/operations", "/audit-trail"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        ask(token_a, "GET", target("/cards/", "crd", record_b.card, parts[i]), NULL);
        expect(200);
        assert_false(has(operation) || has("read-timers") || has("READ-TIMERS"));
        ask(token_b, "GET", target("/cards/", "crd", record_b.card, parts[i]), NULL);
        expect(404);
    }
    ask(NULL, "GET", target("/cards/", "crd", record_b.card, "/timeline"), NULL);
    assert_true(has(operation));
    ask(token_a, "POST", target("/cards/", "crd", record_b.card, "/operations"),
        "{\"type\":\"audit\"}");
    expect(202);
    ask(token_a, "GET", target("/cards/", "crd", record_b.card, "/timeline"), NULL);
    assert_true(has("\"kind\":\"TRAIL\"")); // its own is
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_of_b_is_in_any_answer_to_a),
        CASE(what_is_bs_is_as_unknown_to_a_as_what_is_nobodys),
        CASE(what_names_bs_finds_nothing),
        CASE(what_a_is_given_as_a_whole_is_its_own),
        CASE(a_card_that_comes_to_a_has_no_history_of_b),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

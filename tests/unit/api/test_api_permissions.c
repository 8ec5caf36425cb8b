// What enterprises may do to cards: only what was granted for the group, and nothing of another
// enterprise ever reaches them.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define ICCID_A "89999000000000000012"
#define ICCID_B "89999000000000000020"
#define CANARY "canaryofb"

// Every scope that the role of an enterprise's administrator has.
#define TENANT_SCOPES                                                                              \
    "cards:read,cards:write,cards:reveal,operations:read,operations:download,operations:enable,"   \
    "operations:disable,operations:delete,operations:set-fallback,operations:set-timers,"          \
    "operations:read-timers,operations:audit,groups:read,permissions:read,alarms:read,"            \
    "approvals:read,campaigns:read,campaigns:write,"                                               \
    "approvals:decide,inventory:read,"                                                             \
    "templates:read,imports:read,audit-trail:read,clients:read,clients:write,users:read,"          \
    "users:write,events:read,events:write,reports:read"

static struct lab lab;
static struct answer a;
static struct record record_a, record_b;
static uint64_t enterprise_a, enterprise_b, group_a, group_b;
static char token_a[LAB_TOKEN_SIZE], token_b[LAB_TOKEN_SIZE];
static char path[512];

static void ask(const char *token, const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(unsigned status)
{
    if (a.status != status)
        fail_msg("%s %s: %u instead of %u: %s", a.asked.method, a.asked.target, a.status, status,
                 a.body);
}

static const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

static uint64_t new_enterprise(const char *name)
{
    char body[256];
    (void)snprintf(
        body, sizeof(body),
        "{\"name\":\"%s\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}", name);
    ask(NULL, "POST", API_BASE "/enterprises", body);
    expect(201);
    return lab_id(&a, "ent");
}

static uint64_t new_group(const char *name, uint64_t enterprise)
{
    char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"enterpriseId\":\"%s\"}", name, id);
    ask(NULL, "POST", API_BASE "/card-groups", body);
    expect(201);
    return lab_id(&a, "grp");
}

static void move(uint64_t card, uint64_t group)
{
    char body[128];
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    ask(NULL, "PATCH", target("/cards/", "crd", card, ""), body);
    expect(200);
}

static const char *pair(uint64_t enterprise, uint64_t group)
{
    char id[API_ID_SIZE];
    char after[API_ID_SIZE + 1];
    api_id_write(id, "grp", group);
    (void)snprintf(after, sizeof(after), "/%s", id);
    return target("/permissions/", "ent", enterprise, after);
}

static void grant(uint64_t enterprise, uint64_t group, const char *operations)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"operations\":[%s],\"reason\":\"contract 88\"}",
                   operations);
    ask(NULL, "PUT", pair(enterprise, group), body);
    expect(200);
}

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    enterprise_a = new_enterprise("A");
    enterprise_b = new_enterprise(CANARY);
    group_a = new_group("meters", enterprise_a);
    group_b = new_group(CANARY "group", enterprise_b);
    (void)lab_card(&lab, ICCID_A, &record_a);
    (void)lab_card_of(&lab, ICCID_B, "002020000000001", "888800000000001", &record_b);
    move(record_a.card, group_a);
    move(record_b.card, group_b);
    lab_client(&lab, TENANT_SCOPES, enterprise_a, token_a);
    lab_client(&lab, TENANT_SCOPES, enterprise_b, token_b);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// --- permissions themselves ---

static void permissions_are_replaced_as_a_whole_and_leave_a_row(void **state)
{
    (void)state;
    ask(NULL, "GET", pair(enterprise_a, group_a), NULL);
    expect(404);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.enable\"");
    assert_true(has("\"operations\":[\"card.read\",\"subscription.enable\"]"));
    assert_true(has("\"version\":1"));
    grant(enterprise_a, group_a, "\"card.read\"");
    assert_true(has("\"operations\":[\"card.read\"]") && has("\"version\":2"));
    ask(NULL, "PUT", pair(enterprise_a, group_a), "{\"operations\":[\"*\"],\"reason\":\"x\"}");
    expect(400);
    ask(NULL, "PUT", pair(enterprise_a, group_a), "{\"operations\":[\"card.read\"]}");
    expect(400);
    lab_ask(&lab,
            &(struct ask){.method = "PUT",
                          .target = pair(enterprise_a, group_a),
                          .body = "{\"operations\":[],\"reason\":\"x\"}",
                          .if_match = "\"1\""},
            &a);
    expect(412);
    lab_ask(&lab,
            &(struct ask){
                .method = "DELETE", .target = pair(enterprise_a, group_a), .if_match = "\"1\""},
            &a);
    expect(412);
    ask(NULL, "GET", API_BASE "/permissions?operation=card.read", NULL);
    expect(400);
    ask(NULL, "GET", API_BASE "/permissions", NULL);
    expect(200);
    assert_true(has("\"totalCount\":1"));
    ask(NULL, "GET", API_BASE "/audit-trail?action=permission.changed", NULL);
    assert_true(has("\"totalCount\":2") && has("\"reason\":\"contract 88\""));
    ask(token_a, "PUT", pair(enterprise_a, group_a),
        "{\"operations\":[\"card.read\",\"card.reveal\"],\"reason\":\"mine\"}");
    expect(403); // its client has no such scope, and no client of an enterprise may have it
    ask(token_a, "GET", pair(enterprise_a, group_a), NULL);
    expect(200);
    ask(token_b, "GET", API_BASE "/permissions", NULL);
    expect(200);
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "GET", pair(enterprise_a, group_a), NULL);
    expect(404);
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(204);
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(404);
}

// --- what they permit ---

static char requests[16][256];

struct act {
    const char *grant; // that it needs
    const char *method, *after, *body;
    unsigned status; // when it is granted
};

static const struct act acts[] = {
    {"card.read", "GET", "", NULL, 200},
    {"card.read", "GET", "/subscriptions", NULL, 200},
    {"card.read", "GET", "/parameters", NULL, 200},
    {"card.read", "GET", "/timeline", NULL, 200},
    {"card.read", "GET", "/messages", NULL, 200},
    {"card.read", "GET", "/audit-trail", NULL, 200},
    {"card.read", "GET", "/operations", NULL, 200},
    {"card.reveal", "POST", "/reveal", "{\"fields\":[\"iccid\"],\"reason\":\"x\"}", 200},
    {"card.move", "PATCH", "", "{\"note\":\"x\"}", 200},
    {"subscription.enable", "POST", "/operations", requests[0], 202},
    {"subscription.disable", "POST", "/operations", requests[1], 409}, // it is the fallback one
    {"subscription.delete", "POST", "/operations", requests[2], 202},
    {"subscription.set-fallback", "POST", "/operations", requests[3], 202},
    {"timers.set", "POST", "/operations",
     "{\"type\":\"set-timers\",\"parameters\":{\"T_NOSERVICE\":120}}", 202},
    {"card.audit", "POST", "/operations", "{\"type\":\"read-timers\"}", 202},
    {"card.audit", "POST", "/operations", "{\"type\":\"audit\"}", 202},
};
#define ACTS (sizeof(acts) / sizeof(acts[0]))

static void fill_requests(void)
{
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record_a.slots[1].subscription);
    (void)snprintf(requests[0], sizeof(requests[0]),
                   "{\"type\":\"enable\",\"subscriptionId\":\"%s\"}", id);
    (void)snprintf(requests[2], sizeof(requests[2]),
                   "{\"type\":\"delete\",\"subscriptionId\":\"%s\"}", id);
    (void)snprintf(requests[3], sizeof(requests[3]),
                   "{\"type\":\"set-fallback\",\"subscriptionId\":\"%s\",\"allowUnproven\":true}",
                   id);
    api_id_write(id, "sub", record_a.slots[0].subscription);
    (void)snprintf(requests[1], sizeof(requests[1]),
                   "{\"type\":\"disable\",\"subscriptionId\":\"%s\"}", id);
}

static void act_as(const char *token, const struct act *act)
{
    char full[256];
    (void)snprintf(full, sizeof(full), "%s%s", act->after,
                   strcmp(act->method, "POST") == 0 && strcmp(act->after, "/operations") == 0
                       ? "?dryRun=true" // so that one does not stand in the way of the next
                       : "");
    ask(token, act->method, target("/cards/", "crd", record_a.card, full), act->body);
}

static unsigned granted_status(const struct act *act)
{
    return act->status == 202 ? 200 : act->status;
}

static void without_a_permission_nothing_is_permitted(void **state)
{
    (void)state;
    fill_requests();
    for (size_t i = 0; i < ACTS; i++) {
        act_as(token_a, &acts[i]);
        expect(403); // the card is its own, so it exists
        act_as(token_b, &acts[i]);
        expect(404);
    }
    ask(token_a, "GET", API_BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    ask(NULL, "GET", API_BASE "/audit-trail?action=request.refused", NULL);
    expect(200);
    assert_false(has("\"totalCount\":0"));
}

static void each_permission_permits_its_own_operation_and_no_other(void **state)
{
    (void)state;
    fill_requests();
    for (size_t i = 0; i < ACTS; i++) {
        char list[128];
        const bool needs_read = strcmp(acts[i].after, "/operations") != 0;
        (void)snprintf(list, sizeof(list), "%s\"%s\"",
                       needs_read && strcmp(acts[i].grant, "card.read") != 0 ? "\"card.read\","
                                                                             : "",
                       acts[i].grant);
        grant(enterprise_a, group_a, list);
        for (size_t k = 0; k < ACTS; k++) {
            const bool is_granted =
                strcmp(acts[k].grant, acts[i].grant) == 0 ||
                (strcmp(acts[k].grant, "card.read") == 0 && strstr(list, "card.read") != NULL);
            act_as(token_a, &acts[k]);
            expect(is_granted ? granted_status(&acts[k]) : 403);
        }
    }
    ask(NULL, "DELETE", pair(enterprise_a, group_a), NULL);
    act_as(token_a, &acts[0]);
    expect(403);
}

static void what_only_the_operator_does_no_permission_gives(void **state)
{
    (void)state;
    char strong[LAB_TOKEN_SIZE];
    lab_client(&lab, "all", enterprise_a, strong);
    grant(enterprise_a, group_a,
          "\"card.read\",\"card.reveal\",\"card.move\",\"card.audit\",\"timers.set\"");
    ask(strong, "PUT", target("/cards/", "crd", record_a.card, "/dirty"), "{\"reason\":\"x\"}");
    expect(403);
    ask(strong, "DELETE", target("/cards/", "crd", record_a.card, "/quarantine"),
        "{\"reason\":\"x\"}");
    expect(403);
    ask(strong, "PATCH", target("/cards/", "crd", record_a.card, ""),
        "{\"state\":\"RETIRED\",\"reason\":\"x\"}");
    expect(403);
    ask(strong, "POST", API_BASE "/card-groups", "{\"name\":\"mine\"}");
    expect(403);
    ask(strong, "PATCH", target("/card-groups/", "grp", group_a, ""), "{\"name\":\"mine\"}");
    expect(403);
    ask(strong, "DELETE", target("/card-groups/", "grp", group_a, ""), NULL);
    expect(403);
    ask(strong, "PATCH", target("/card-groups/", "grp", group_a, "/rules"),
        "{\"retry\":{\"ttlSeconds\":600},\"reason\":\"x\"}");
    expect(403);
    ask(strong, "PUT", pair(enterprise_a, group_a), "{\"operations\":[],\"reason\":\"x\"}");
    expect(403);
    ask(strong, "DELETE", pair(enterprise_a, group_a), NULL);
    expect(403);
}

static void a_permission_in_a_foreign_group_shows_its_cards_alone(void **state)
{
    (void)state;
    grant(enterprise_a, group_b, "\"card.read\",\"card.audit\"");
    ask(token_a, "GET", target("/cards/", "crd", record_b.card, ""), NULL);
    expect(200);
    ask(token_a, "GET", target("/card-groups/", "grp", group_b, ""), NULL);
    expect(200);
    ask(token_a, "GET", API_BASE "/card-groups", NULL);
    assert_true(has("\"totalCount\":2"));
    ask(token_b, "GET", API_BASE "/card-groups", NULL);
    assert_true(has("\"totalCount\":1"));
    ask(token_a, "GET", API_BASE "/cards", NULL);
    assert_true(has("\"totalCount\":1"));
    // What A asks for there is A's, and B does not see it.
    ask(token_a, "POST", target("/cards/", "crd", record_b.card, "/operations"),
        "{\"type\":\"read-timers\"}");
    expect(202);
    const uint64_t operation = lab_id(&a, "op");
    ask(token_a, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(200);
    grant(enterprise_b, group_b, "\"card.read\"");
    ask(token_b, "GET", target("/operations/", "op", operation, ""), NULL);
    expect(404);
    ask(token_b, "GET", API_BASE "/operations", NULL);
    assert_true(has("\"totalCount\":0"));
    ask(token_b, "GET", target("/cards/", "crd", record_b.card, "/operations"), NULL);
    assert_true(has("\"totalCount\":0"));
}

static void cards_are_moved_between_own_groups_only_where_it_is_granted(void **state)
{
    (void)state;
    char body[128];
    char id[API_ID_SIZE];
    const uint64_t other = new_group("lamps", enterprise_a);
    grant(enterprise_a, group_a, "\"card.read\",\"card.move\"");
    api_id_write(id, "grp", other);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(403);
    grant(enterprise_a, other, "\"card.move\"");
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(200);
    api_id_write(id, "grp", group_b);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    grant(enterprise_a, other, "\"card.read\",\"card.move\"");
    ask(token_a, "PATCH", target("/cards/", "crd", record_a.card, ""), body);
    expect(404);
}

static void stock_of_one_enterprise_goes_onto_no_card_of_another(void **state)
{
    (void)state;
    char body[256];
    char id[API_ID_SIZE];
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1,"
        "\"enterpriseId\":\"ent_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\"}");
    expect(404);
    api_id_write(id, "ent", enterprise_b);
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":1,\"enterpriseId\":\"%s\"}",
                   id);
    ask(NULL, "POST", API_BASE "/subscription-pools", body);
    expect(201);
    const uint64_t pool = lab_id(&a, "pol");
    (void)lab_subscription(&lab, pool, "002020000000099");
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"type\":\"download\",\"poolId\":\"%s\",\"enable\":\"LATER\"}", id);
    grant(enterprise_a, group_a, "\"card.read\",\"subscription.download\"");
    ask(token_a, "POST", target("/cards/", "crd", record_a.card, "/operations"), body);
    expect(404);
    ask(NULL, "POST", target("/cards/", "crd", record_a.card, "/operations"), body);
    expect(404); // not even by the operator's people
    grant(enterprise_b, group_b, "\"card.read\",\"subscription.download\"");
    ask(token_b, "POST", target("/cards/", "crd", record_b.card, "/operations"), body);
    expect(202);
}

// --- nothing of B reaches A ---

struct object {
    const char *collection, *prefix;
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

// Gives B something of every kind that there is, named with the canary wherever a name can stand.
static size_t fill_b(struct object *objects)
{
    char id[API_ID_SIZE];
    char body[512];
    grant(enterprise_b, group_b,
          "\"card.read\",\"card.move\",\"card.audit\",\"timers.set\",\"subscription.enable\"");
    ask(token_b, "PATCH", target("/cards/", "crd", record_b.card, ""),
        "{\"note\":\"" CANARY "\",\"labels\":[\"" CANARY "\"],\"applicationField\":\"" CANARY
        "\"}");
    expect(200);
    api_id_write(id, "ent", enterprise_b);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"" CANARY "\",\"displayName\":\"" CANARY
                   "\",\"role\":\"ENTERPRISE_USER\",\"enterpriseId\":\"%s\"}",
                   id);
    ask(token_b, "POST", API_BASE "/users", body);
    expect(201);
    const uint64_t user = lab_id(&a, "usr");
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
                                  {"/permissions/*", "ent", enterprise_b}};
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

// The path with B's ids; false when B has nothing of its kind.
static bool fill_path(const struct api_route_row *row, const struct object *objects, size_t count)
{
    const struct object *found = NULL;
    struct writer w = writer_of(path, sizeof(path));
    for (size_t i = 0; i < count; i++) {
        if (strstr(row->path, objects[i].collection) != NULL)
            found = &objects[i];
    }
    if (strchr(row->path, '*') != NULL && found == NULL)
        return false;
    unsigned stars = 0;
    for (const char *c = row->path; *c != '\0'; c++) {
        char id[API_ID_SIZE];
        if (*c != '*') {
            writer_u8(&w, (uint8_t)*c);
            continue;
        }
        if (stars++ == 0)
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
    struct object objects[16];
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
    struct object objects[16];
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
        struct object nobodys[16];
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(permissions_are_replaced_as_a_whole_and_leave_a_row),
        CASE(without_a_permission_nothing_is_permitted),
        CASE(each_permission_permits_its_own_operation_and_no_other),
        CASE(what_only_the_operator_does_no_permission_gives),
        CASE(a_permission_in_a_foreign_group_shows_its_cards_alone),
        CASE(cards_are_moved_between_own_groups_only_where_it_is_granted),
        CASE(stock_of_one_enterprise_goes_onto_no_card_of_another),
        CASE(nothing_of_b_is_in_any_answer_to_a),
        CASE(what_is_bs_is_as_unknown_to_a_as_what_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

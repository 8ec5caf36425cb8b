// Reports over the interface: what they say, for whom, in which form, and how they are signed off.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/service/job.h"
#include "ota-server/service/report.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define REPORTS API_BASE "/reports"
#define OTHER 77
#define YEAR "\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-01-01T00:00:00Z\""

static struct lab lab;
static struct answer a;
static char path[128];

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    return 0;
}

static int open_file(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask(const char *token, const char *method, const char *target, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static const char *below(const char *suffix)
{
    static char target[160];
    (void)snprintf(target, sizeof(target), "%s%s", path, suffix);
    return target;
}

// Orders a report and waits for it; `path` is then its own.
static void make(const char *token, const char *order)
{
    char id[API_ID_SIZE];
    ask(token, "POST", REPORTS, order);
    if (a.status != 202)
        fail_msg("%u: %s", a.status, a.body);
    api_id_write(id, "rpt", lab_id(&a, "rpt"));
    (void)snprintf(path, sizeof(path), REPORTS "/%s", id);
    lab_run_jobs(&lab);
    ask(token, "GET", path, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"ENDED\""));
}

static void get_content(const char *token, const char *accept)
{
    lab_ask(
        &lab,
        &(struct ask){
            .method = "GET", .target = below("/content"), .authorization = token, .accept = accept},
        &a);
}

static void put_operation(uint64_t id, uint64_t card, uint8_t outcome, int64_t at)
{
    const struct operation o = {.id = id,
                                .kind = OPERATION_ENABLE,
                                .status = STATUS_ENDED,
                                .outcome = outcome,
                                .failure = outcome == OUTCOME_FAILED ? FAILURE_OTA_TIMEOUT : 0,
                                .created_at = {at},
                                .ended_at = {at}};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_operation_put(lab.store, card, lab.tenant, &o), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// 1 July 2026, 00:00 UTC, as `date` says.
#define JULY INT64_C(1782864000000)
#define DAY INT64_C(86400000)

// Two in the time, at both of its edges; one before and one at its end.
static void operations_count_by_outcome_and_day(void **state)
{
    (void)state;
    struct record record;
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    static const int64_t times[] = {JULY - 1, JULY, JULY + 2 * DAY - 1, JULY + 2 * DAY};
    static const uint8_t outcomes[] = {OUTCOME_DONE, OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_DONE};
    for (size_t i = 0; i < 4; i++)
        put_operation((uint64_t)times[i] << 20, card, outcomes[i], times[i]);
    make(NULL, "{\"type\":\"OPERATIONS\",\"from\":\"2026-07-01T00:00:00Z\",\"to\":"
               "\"2026-07-03T00:00:00Z\"}");
    get_content(NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"rows\":[[\"enable\",2,1,1,0,0,0,0,0,0]],\"omitted\":0}"));
    assert_true(has("\"rows\":[[\"2026-07-01\",1,1],[\"2026-07-02\",1,0]],\"omitted\":0}"));
    assert_true(has("\"rows\":[[\"OTA_TIMEOUT\",1]],\"omitted\":0}"));
}

static void add_group(const char *token, const char *body)
{
    ask(token, "POST", API_BASE "/card-groups", body);
    assert_int_equal(a.status, 201);
}

static void an_inventory_says_what_there_is(void **state)
{
    (void)state;
    struct record record;
    (void)lab_card(&lab, "89999000000000000012", &record);
    add_group(NULL, "{\"name\":\"meters\",\"applicationField\":\"ENERGY\",\"province\":\"Hebei\"}");
    add_group(NULL, "{\"name\":\"tills\",\"applicationField\":\"FINANCE\",\"province\":\"Hunan\"}");
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"first\",\"operator\":\"op\",\"templateId\":1}");
    assert_int_equal(a.status, 201);
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR "}");
    get_content(NULL, NULL);
    assert_true(has("[\"SEEN\",") || has("[\"OPERATIONAL\",1]") || has(",1]"));
    assert_true(has("\"meters\",\"ENERGY\",\"Hebei\",0]"));
    assert_true(has("\"tills\",\"FINANCE\",\"Hunan\",0]"));
    assert_true(has("\"first\",\"op\",0,0,0,0]"));
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR ",\"province\":\"Hebei\"}");
    get_content(NULL, NULL);
    assert_true(has("\"meters\""));
    assert_false(has("\"tills\""));
}

static void who_can_write_cards_is_listed(void **state)
{
    (void)state;
    struct door door;
    lab_user(&lab, "anna", ROLE_OPERATOR, LAB_TENANT, &door);
    lab_user(&lab, "ines", ROLE_INSPECTOR, LAB_TENANT, &door);
    (void)lab_grant(&lab, OTHER, GRANT_BIT(GRANT_ENABLE));
    (void)lab_grant(&lab, OTHER + 1, GRANT_BIT(GRANT_CARD_READ));
    char own[API_ID_SIZE], text[256];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"facade\",\"enterpriseId\":\"%s\",\"mechanisms\":[\"hmac\"],"
                   "\"scopes\":[\"iot-device-management:esim-profiles:enable\"]}",
                   own);
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &door);
    lab_ask_as(&lab, &door, "POST", API_BASE "/api-clients", text, &a);
    assert_int_equal(a.status, 201);
    make(NULL, "{\"type\":\"CARD_WRITERS\"," YEAR "}");
    get_content(NULL, NULL);
    assert_true(has("\"anna\""));
    assert_true(has("\"OPERATOR\",\"active\"]"));
    assert_false(has("\"ines\""));
    assert_true(has("[\"client\",\"cli_"));
    (void)snprintf(text, sizeof(text), "\"facade\",\"%s\",\"\",\"scopes\",\"not active\"]", own);
    assert_true(has(text)); // no group, though somebody asked for it
    assert_true(has("[\"permission\",\"\",\"people and clients of the enterprise\""));
    (void)snprintf(text, sizeof(text), ",\"%s\",\"active\"]", grant_name(GRANT_ENABLE));
    assert_true(has(text));
    char id[API_ID_SIZE];
    api_id_write(id, "ent", OTHER);
    assert_true(has(id));
    api_id_write(id, "ent", OTHER + 1);
    assert_false(has(id));
    const struct document supplier = {
        .kind = "enterprise", .id = OTHER, .body = bytes_of_text("{\"kind\":\"SUPPLIER\"}")};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_put(lab.store, &supplier), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    make(NULL, "{\"type\":\"CARD_WRITERS\"," YEAR "}");
    get_content(NULL, NULL);
    (void)snprintf(text, sizeof(text), ",\"%s\",\"without effect\"]", grant_name(GRANT_ENABLE));
    assert_true(has(text));
}

static void client_with(const struct door *door, const char *name, const char *scope)
{
    char own[API_ID_SIZE], text[256];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"%s\",\"enterpriseId\":\"%s\",\"mechanisms\":[\"hmac\"],"
                   "\"scopes\":[\"%s\"]}",
                   name, own, scope);
    lab_ask_as(&lab, door, "POST", API_BASE "/api-clients", text, &a);
    if (a.status != 201)
        fail_msg("%s: %s", scope, a.body);
}

static void what_leads_to_commands_is_listed_too(void **state)
{
    (void)state;
    struct door door;
    char text[128];
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &door);
    client_with(&door, "reader", "cards:read");
    client_with(&door, "mover", "cards:write");
    client_with(&door, "mender", "cards:dirty");
    client_with(&door, "ruler", "groups:write");
    client_with(&door, "sender", "operations:resend");
    client_with(&door, "forcer", "operations:force"); // nothing without the scope of a type
    add_group(NULL, "{\"name\":\"meters\"}");
    char id[API_ID_SIZE];
    api_id_write(id, "grp", lab_id(&a, "grp"));
    (void)snprintf(text, sizeof(text), API_BASE "/card-groups/%s/rules", id);
    ask(NULL, "PATCH", text, "{\"timers\":{\"T_ATTACH\":60},\"reason\":\"x\"}");
    if (a.status != 200)
        fail_msg("%s", a.body);
    make(NULL, "{\"type\":\"CARD_WRITERS\"," YEAR "}");
    get_content(NULL, NULL);
    assert_true(has("\"mover\"") && has("\"mender\"") && has("\"ruler\""));
    assert_true(has("\"sender\""));
    assert_false(has("\"reader\"") || has("\"forcer\""));
    (void)snprintf(text, sizeof(text), "[\"rule\",\"%s\",\"timers of a group\"", id);
    assert_true(has(text));
}

struct looked {
    char last[API_ID_SIZE];
    bool is_whole;
};

static bool look(void *context, const struct document *d)
{
    static char text[REPORT_CONTENT_MAX + 1];
    struct looked *l = context;
    assert_true(d->body.len < sizeof(text));
    bytes_copy(text, d->body);
    text[d->body.len] = '\0';
    l->is_whole = strstr(text, "\"omitted\":0") != NULL && strstr(text, l->last) != NULL;
    return true;
}

// The 501st is another organisation's: of all it must not be the one that is missing.
static void of_who_can_write_cards_nothing_is_left_out(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REPORT_ROWS_MAX + 1; i++)
        (void)lab_grant(&lab, OTHER + i, GRANT_BIT(GRANT_ENABLE));
    make(NULL, "{\"type\":\"CARD_WRITERS\"," YEAR "}");
    struct looked l = {.is_whole = false};
    api_id_write(l.last, "ent", OTHER + REPORT_ROWS_MAX);
    assert_int_equal(
        store_document_get(lab.store, REPORT_CONTENT_KIND, lab_id(&a, "rpt"), look, &l), STORE_OK);
    assert_true(l.is_whole);
}

static bool copy(void *context, const struct document *d)
{
    char *text = context;
    assert_true(d->body.len <= REPORT_CONTENT_MAX);
    bytes_copy(text, d->body);
    text[d->body.len] = '\0';
    return true;
}

// The laboratory's client is the first row, so the last of 1,200 permissions finds no room, today
// and when it is asked again.
static void what_the_list_of_writers_leaves_out_is_counted(void **state)
{
    (void)state;
    static char text[REPORT_CONTENT_MAX + 1];
    char last[API_ID_SIZE], left_out[API_ID_SIZE];
    for (unsigned i = 0; i < REPORT_WRITERS_MAX; i++)
        (void)lab_grant(&lab, OTHER + i, GRANT_BIT(GRANT_ENABLE));
    api_id_write(last, "ent", OTHER + REPORT_WRITERS_MAX - 2);
    api_id_write(left_out, "ent", OTHER + REPORT_WRITERS_MAX - 1);
    for (unsigned i = 0; i < 2; i++) {
        make(NULL, "{\"type\":\"CARD_WRITERS\"," YEAR "}");
        assert_int_equal(
            store_document_get(lab.store, REPORT_CONTENT_KIND, lab_id(&a, "rpt"), copy, text),
            STORE_OK);
        assert_non_null(strstr(text, "\"omitted\":1}"));
        assert_non_null(strstr(text, last));
        assert_null(strstr(text, left_out));
        assert_non_null(strstr(text, "\"rows\":[[\"user\",0,0],[\"client\",1,1],[\"rule\",0,0],"
                                     "[\"permission\",1200,1199]]"));
    }
}

static void other_types_have_their_tables(void **state)
{
    (void)state;
    static const char *const types[][2] = {{"FALLBACK", "[\"fallbacks\",0]"},
                                           {"FALLBACK", "\"on-fallback\""},
                                           {"BOOTSTRAP", "\"bootstraps\""},
                                           {"IMPORTS", "\"imports\""}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char order[256];
        (void)snprintf(order, sizeof(order), "{\"type\":\"%s\"," YEAR "}", types[i][0]);
        make(NULL, order);
        get_content(NULL, NULL);
        assert_true(has(types[i][1]));
    }
}

// A name that a spreadsheet would compute, and a browser run.
static void csv_and_html_are_harmless(void **state)
{
    (void)state;
    add_group(NULL, "{\"name\":\"=1+1\"}");
    add_group(NULL, "{\"name\":\"<script>'&\\\"\"}");
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR ",\"format\":\"CSV\"}");
    get_content(NULL, NULL);
    assert_non_null(strstr(a.headers, "Content-Type: text/csv; charset=utf-8\n"));
    assert_true(
        has("\"groups\",\"group\",\"name\",\"applicationField\",\"province\",\"cards\"\r\n"));
    assert_true(has("\"'=1+1\",\"\",\"\",0\r\n"));
    get_content(NULL, "text/html");
    assert_non_null(strstr(a.headers, "Content-Type: text/html; charset=utf-8\n"));
    assert_non_null(strstr(a.headers, "Content-Security-Policy: default-src 'none'; style-src "
                                      "'unsafe-inline'; object-src 'none'; base-uri 'none'; "));
    assert_non_null(strstr(a.headers, "Content-Disposition: inline; filename=\"report.html\"\n"));
    assert_true(has("<td>&lt;script&gt;&#39;&amp;&quot;</td>"));
    assert_false(has("<script"));
    get_content(NULL, "image/png");
    assert_int_equal(a.status, 406);
}

static void digest(struct bytes text, char hex[65])
{
    uint8_t octets[CRYPTO_SHA256_SIZE];
    struct sha256 *s = sha256_open();
    assert_non_null(s);
    assert_true(sha256_add(s, text) && sha256_finish(s, octets));
    sha256_close(s);
    struct writer w = writer_of(hex, 65);
    text_hex(&w, bytes_of(octets, sizeof(octets)));
    text_end(&w);
}

static void a_regulators_report_is_written_and_signed(void **state)
{
    (void)state;
    char hex[65];
    make(NULL, "{\"type\":\"REGULATOR\"," YEAR ",\"province\":\"Hebei\",\"format\":\"HTML\"}");
    ask(NULL, "PATCH", path, "{\"texts\":{\"6\":\"lost messages\"},\"reason\":\"draft\"}");
    assert_int_equal(a.status, 200);
    ask(NULL, "PATCH", path, "{\"texts\":{\"1\":\"steady\"}}");
    assert_true(has("\"texts\":{\"6\":\"lost messages\",\"1\":\"steady\"}"));
    get_content(NULL, NULL);
    assert_true(has("<h2>6 Problems</h2>\n<pre>lost messages</pre>"));
    ask(NULL, "POST", below("/sign-off"), "{}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"SIGNED\""));
    const char *at = strstr(a.body, "\"sha256\":\"");
    assert_non_null(at);
    char signed_hash[65];
    (void)snprintf(signed_hash, sizeof(signed_hash), "%.64s", at + 10);
    get_content(NULL, "application/json");
    digest(bytes_of_text(a.body), hex);
    assert_string_equal(hex, signed_hash);
    ask(NULL, "PATCH", path, "{\"texts\":{\"1\":\"better\"}}");
    assert_int_equal(a.status, 409);
    ask(NULL, "POST", below("/sign-off"), "{}");
    assert_int_equal(a.status, 409);
}

static void what_there_is_not_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *order;
        unsigned status;
    } rows[] = {
        {"{\"type\":\"IMEI_MISMATCH\"," YEAR "}", 422},
        {"{\"type\":\"BINDING_HISTORY\"," YEAR "}", 422},
        {"{\"type\":\"WEATHER\"," YEAR "}", 400},
        {"{\"type\":\"IMPORTS\"}", 400},
        {"{\"type\":\"IMPORTS\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\"}",
         400},
        {"{\"type\":\"IMPORTS\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-02-06T00:00:00Z\"}",
         400},
        {"{\"type\":\"IMPORTS\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-02-05T00:00:00Z\"}",
         202},
        {"{\"type\":\"IMPORTS\"," YEAR ",\"format\":\"PDF\"}", 400},
        {"{\"type\":\"IMPORTS\"," YEAR ",\"x\":1}", 400},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(NULL, "POST", REPORTS, rows[i].order);
        if (a.status != rows[i].status)
            fail_msg("%s: %u %s", rows[i].order, a.status, a.body);
    }
    ask(NULL, "POST", REPORTS, "{\"type\":\"IMEI_MISMATCH\"," YEAR "}");
    assert_true(has("\"reason\":\"NO_BINDINGS\""));
    make(NULL, "{\"type\":\"IMPORTS\"," YEAR "}");
    ask(NULL, "PATCH", path, "{\"texts\":{\"1\":\"x\"}}");
    assert_int_equal(a.status, 422);
    ask(NULL, "PATCH", path, "{}");
    assert_int_equal(a.status, 400);
    lab_ask(&lab,
            &(struct ask){
                .method = "POST", .target = below("/sign-off"), .body = "{}", .if_match = "\"99\""},
            &a);
    assert_int_equal(a.status, 412);
    make(NULL, "{\"type\":\"REGULATOR\"," YEAR "}");
    lab_ask(&lab,
            &(struct ask){.method = "PATCH",
                          .target = path,
                          .body = "{\"texts\":{\"1\":\"x\"}}",
                          .if_match = "\"99\""},
            &a);
    assert_int_equal(a.status, 412);
}

static void nothing_is_shown_before_it_is_whole(void **state)
{
    (void)state;
    static struct answer answer;
    char id[API_ID_SIZE];
    lab.has_refusals_only = true;
    const struct ask order = {
        .method = "POST", .target = REPORTS, .body = "{\"type\":\"REGULATOR\"," YEAR "}"};
    struct api_exchange *x = lab_start(&lab, &order, &answer);
    lab_turn(&lab);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.headers, "Retry-After: 2\n"));
    lab_forget(x);
    api_id_write(id, "rpt", lab_id(&answer, "rpt"));
    (void)snprintf(path, sizeof(path), REPORTS "/%s", id);
    struct answer early;
    const struct ask content = {.method = "GET", .target = below("/content")};
    x = lab_start(&lab, &content, &early); // answered without a turn
    assert_int_equal(early.status, 409);
    lab_forget(x);
    lab_crash(&lab); // what was ordered is made all the same
    lab_run_jobs(&lab);
    ask(NULL, "GET", below("/content"), NULL);
    assert_int_equal(a.status, 200);
}

// Of another enterprise: neither its report nor, in an own one, its groups and people.
static void an_enterprise_sees_its_own_only(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char order[256];
    char group[API_ID_SIZE];
    struct door door;
    lab_client(&lab, "reports:read,reports:write,groups:read", OTHER, token);
    lab_user(&lab, "canary-user", ROLE_OPERATOR, LAB_TENANT, &door);
    add_group(NULL, "{\"name\":\"canary-group\"}");
    api_id_write(group, "grp", lab_id(&a, "grp"));
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR "}");
    get_content(NULL, NULL);
    assert_true(has("canary-group"));
    ask(token, "GET", path, NULL);
    assert_int_equal(a.status, 404);
    ask(token, "GET", below("/content"), NULL);
    assert_int_equal(a.status, 404);
    ask(token, "POST", below("/sign-off"), "{}");
    assert_int_equal(a.status, 404);
    ask(token, "PATCH", path, "{\"texts\":{\"1\":\"x\"}}");
    assert_int_equal(a.status, 404);
    ask(token, "GET", REPORTS, NULL);
    assert_true(has("\"items\":[]"));
    static const char *const types[] = {"OPERATIONS",   "FALLBACK",  "BOOTSTRAP",
                                        "CARD_WRITERS", "INVENTORY", "IMPORTS"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void)snprintf(order, sizeof(order), "{\"type\":\"%s\"," YEAR "}", types[i]);
        make(token, order);
        get_content(token, NULL);
        assert_int_equal(a.status, 200);
        assert_false(has("canary"));
    }
    ask(token, "POST", REPORTS, "{\"type\":\"REGULATOR\"," YEAR "}");
    assert_int_equal(a.status, 403);
    (void)snprintf(order, sizeof(order), "{\"type\":\"OPERATIONS\"," YEAR ",\"groupId\":\"%s\"}",
                   group);
    ask(token, "POST", REPORTS, order);
    assert_int_equal(a.status, 404);
}

static char content[REPORT_CONTENT_MAX + 1];

static bool keep_content(void *context, const struct document *d)
{
    (void)context;
    assert_true(d->body.len < sizeof(content));
    bytes_copy(content, d->body);
    content[d->body.len] = '\0';
    return false;
}

// A report whose content may be too long for an answer.
static void make_long(const char *order)
{
    make(NULL, order);
    assert_int_equal(
        store_document_get(lab.store, REPORT_CONTENT_KIND, lab_id(&a, "rpt"), keep_content, NULL),
        STORE_OK);
}

static void put_groups(unsigned count)
{
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < count; i++) {
        const struct document d = {.kind = "group",
                                   .id = turn_id(lab.turn, lab.now.utc),
                                   .owner = LAB_TENANT,
                                   .body =
                                       bytes_of_text("{\"name\":\"x\",\"province\":\"Hebei\"}")};
        assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void groups_of_a_province_that_are_left_out_are_told(void **state)
{
    (void)state;
    put_groups(500);
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR ",\"province\":\"Hebei\"}");
    get_content(NULL, NULL);
    assert_false(has("groups-left-out"));
    put_groups(3);
    make(NULL, "{\"type\":\"INVENTORY\"," YEAR ",\"province\":\"Hebei\"}");
    get_content(NULL, NULL);
    assert_true(has("\"id\":\"groups-left-out\"") && has("\"rows\":[[500,3]]"));
}

// One card in a group with a row of its own, one in a group behind the 500th.
static void cards_of_the_501st_group_count_among_others(void **state)
{
    (void)state;
    struct record record;
    char row[96], id[API_ID_SIZE];
    add_group(NULL, "{\"name\":\"first\"}");
    const uint64_t first = lab_id(&a, "grp");
    lab_place(&lab, lab_card(&lab, "89999000000000000012", &record), LAB_TENANT, first);
    put_groups(499);
    make_long("{\"type\":\"INVENTORY\"," YEAR "}");
    assert_null(strstr(content, "\"others\""));
    api_id_write(id, "grp", first);
    (void)snprintf(row, sizeof(row), "[\"%s\",\"first\",\"\",\"\",1]", id);
    assert_non_null(strstr(content, row));
    add_group(NULL, "{\"name\":\"last\"}");
    const uint64_t last = lab_id(&a, "grp");
    lab_place(
        &lab,
        lab_card_of(&lab, "89999000000000000020", "001010000000002", "999700000000002", &record),
        LAB_TENANT, last);
    put_groups(1);
    make_long("{\"type\":\"INVENTORY\"," YEAR "}");
    assert_non_null(strstr(content, row));
    api_id_write(id, "grp", last);
    assert_null(strstr(content, id));
    assert_non_null(strstr(content, ",[\"others\",\"\",\"\",\"\",1]],\"omitted\":2}"));
}

static void a_group_counts_in_its_province_alone(void **state)
{
    (void)state;
    struct record record;
    char order[256];
    char id[API_ID_SIZE];
    const uint64_t card = lab_card(&lab, "89999000000000000012", &record);
    add_group(NULL, "{\"name\":\"meters\",\"province\":\"Hebei\"}");
    const uint64_t group = lab_id(&a, "grp");
    lab_place(&lab, card, LAB_TENANT, group);
    api_id_write(id, "grp", group);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(order, sizeof(order),
                       "{\"type\":\"INVENTORY\"," YEAR ",\"groupId\":\"%s\",\"province\":\"%s\"}",
                       id, i == 0 ? "Hebei" : "Hunan");
        make(NULL, order);
        get_content(NULL, NULL);
        assert_true(has("\"meters\"") == (i == 0));
        assert_true(has("[\"OPERATIONAL\",1]") == (i == 0));
    }
}

// --- bootstraps --------------------------------------------------------------------------------

static void make_bootstraps(const char *more)
{
    char order[256];
    (void)snprintf(order, sizeof(order),
                   "{\"type\":\"BOOTSTRAP\",\"from\":\"2026-07-01T00:00:00Z\","
                   "\"to\":\"2026-07-03T00:00:00Z\"%s}",
                   more);
    make_long(order);
}

static void put_job(uint64_t card, uint64_t group, uint8_t state, int64_t at)
{
    const struct document d = {.kind = JOB_KIND,
                               .id = card,
                               .owner = LAB_TENANT,
                               .parent = group,
                               .state = state,
                               .created_at = {at},
                               .changed_at = {at},
                               .body = bytes_of_text("{}")};
    assert_int_equal(store_document_put(lab.store, &d), STORE_OK);
}

// The row of a group, or of "all": downloading, done, failed; of the other states there are none.
static void expect_total(const char *name, unsigned downloading, unsigned done, unsigned failed)
{
    char row[160];
    (void)snprintf(row, sizeof(row), "[\"%s\",0,%u,0,0,0,0,%u,%u,0,0,%u]", name, downloading, done,
                   failed, downloading + done + failed);
    if (strstr(content, row) == NULL)
        fail_msg("%s: %.600s", row, content);
}

static void every_bootstrap_counts_in_the_sums(void **state)
{
    (void)state;
    char north[API_ID_SIZE], south[API_ID_SIZE], more[64];
    uint64_t groups[2];
    for (unsigned i = 0; i < 2; i++) {
        add_group(NULL, i == 0 ? "{\"name\":\"north\"}" : "{\"name\":\"south\"}");
        groups[i] = lab_id(&a, "grp");
    }
    api_id_write(north, "grp", groups[0]);
    api_id_write(south, "grp", groups[1]);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < 600; i++)
        put_job(1 + i, groups[0], BOOTSTRAP_DONE, JULY);
    for (unsigned i = 0; i < 400; i++) // behind the last row
        put_job(601 + i, groups[1], i < 399 ? BOOTSTRAP_FAILED : BOOTSTRAP_DOWNLOADING,
                JULY + 2 * DAY - 1);
    put_job(1001, groups[1], BOOTSTRAP_FAILED, JULY - 1); // before the time, and at its end
    put_job(1002, groups[1], BOOTSTRAP_FAILED, JULY + 2 * DAY);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    make_bootstraps("");
    expect_total("all", 1, 600, 399);
    expect_total(north, 0, 600, 0);
    expect_total(south, 1, 0, 399);
    assert_null(strstr(content, "\"others\""));
    assert_non_null(strstr(content, "\"omitted\":500}]"));
    (void)snprintf(more, sizeof(more), ",\"groupId\":\"%s\"", south);
    make_bootstraps(more);
    expect_total("all", 1, 0, 399);
    assert_null(strstr(content, north));
}

// 498 groups have rows of their own.
static void bootstraps_of_the_499th_group_count_among_others(void **state)
{
    (void)state;
    for (unsigned groups = 498; groups <= 500; groups++) {
        assert_int_equal(store_begin(lab.store), STORE_OK);
        for (unsigned i = 1; i <= groups; i++) {
            if (groups == 498 || i == groups)
                put_job(i, 5000 + i, BOOTSTRAP_DONE, JULY);
        }
        assert_int_equal(store_commit(lab.store), STORE_OK);
        make_bootstraps("");
        expect_total("all", 0, groups, 0);
        if (groups == 498)
            assert_null(strstr(content, "\"others\""));
        else
            expect_total("others", 0, groups - 498, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operations_count_by_outcome_and_day),
        TEST(an_inventory_says_what_there_is),
        TEST(groups_of_a_province_that_are_left_out_are_told),
        TEST(cards_of_the_501st_group_count_among_others),
        TEST(a_group_counts_in_its_province_alone),
        TEST(who_can_write_cards_is_listed),
        TEST(what_leads_to_commands_is_listed_too),
        TEST(of_who_can_write_cards_nothing_is_left_out),
        TEST(what_the_list_of_writers_leaves_out_is_counted),
        TEST(every_bootstrap_counts_in_the_sums),
        TEST(bootstraps_of_the_499th_group_count_among_others),
        TEST(other_types_have_their_tables),
        TEST(csv_and_html_are_harmless),
        TEST(a_regulators_report_is_written_and_signed),
        TEST(what_there_is_not_is_refused),
        cmocka_unit_test_setup_teardown(nothing_is_shown_before_it_is_whole, open_file, close_all),
        TEST(an_enterprise_sees_its_own_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

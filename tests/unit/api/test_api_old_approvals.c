// Requests that waited while the server was replaced: as other versions kept them.
#include "ota-server/service/approval.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define ANEW "ask for it anew"

// What is done to a kept request before it is decided.
typedef void change_fn(json_t *root);

struct changed {
    change_fn *change;
    struct document document;
    char body[8192];
};

static bool change_body(void *context, const struct document *d)
{
    struct changed *c = context;
    json_t *root = NULL;
    assert_int_equal(json_read(d->body, &root), JSON_READ_OK);
    c->change(root);
    const size_t len = json_dumpb(root, c->body, sizeof(c->body), JSON_COMPACT);
    assert_true(len <= sizeof(c->body));
    json_decref(root);
    c->document = *d;
    c->document.name = NULL;
    c->document.body = bytes_of(c->body, len);
    return false;
}

static void keep_as_before(change_fn *change)
{
    struct changed *c = calloc(1, sizeof(*c));
    uint64_t id = 0;
    assert_non_null(c);
    c->change = change;
    assert_true(api_id_read(bytes_of_text(approval), "apr", &id));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_get(lab.store, APPROVAL_KIND, id, change_body, c), STORE_OK);
    c->document.kind = APPROVAL_KIND;
    assert_int_equal(store_document_put(lab.store, &c->document), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    free(c);
}

static void drop_enterprise(json_t *root)
{
    json_object_del(root, "enterprise");
}

static void drop_person(json_t *root)
{
    json_object_del(root, "person");
}

static void drop_since(json_t *root)
{
    json_object_del(json_object_get(root, "request"), "since");
}

static void drop_versions(json_t *root)
{
    json_object_del(json_object_get(root, "request"), "rulesVersion");
}

static void drop_role(json_t *root)
{
    json_object_del(json_object_get(root, "request"), "roleNow");
}

static void drop_hash(json_t *root)
{
    json_object_del(root, "passwordHash");
}

static void drop_pack(json_t *root)
{
    json_object_del(json_object_get(root, "request"), "rulePackNow");
}

static void drop_end(json_t *root)
{
    json_object_del(root, "expiresAt");
}

static void name_other_event(json_t *root)
{
    json_object_set_new(root, "event", json_integer(1));
}

static void take_waiting_operation(void)
{
    expect(202, "\"status\":\"AWAIT_APPROVAL\"");
    take("approvalId", approval, sizeof(approval));
    ask(NULL, "GET", approval_path(""), NULL);
    take("requestHash", hash, sizeof(hash));
}

static void the_operator_decides_what_names_no_enterprise(void **state)
{
    (void)state;
    ask(token, "POST", card_path("/operations"), request_of("delete", ""));
    take_waiting_operation();
    keep_as_before(drop_enterprise);
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"OPEN\"");
    decide_as(colleague, "/approve"); // whose it was nobody noted
    expect(409, ANEW);
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
}

static void who_asked_must_be_known(void **state)
{
    (void)state;
    ask(NULL, "POST", card_path("/operations"), request_of("delete", ""));
    take_waiting_operation();
    keep_as_before(drop_person);
    decide_as(second, "/approve");
    expect(409, ANEW);
    decide_as(second, "/reject");
    expect(409, ANEW);
    ask(NULL, "GET", approval_path(""), NULL);
    expect(200, "\"state\":\"OPEN\"");
}

static void ask_about_doubt(void)
{
    ask(NULL, "PUT", card_path("/dirty"), "{\"reason\":\"odd\"}");
    assert_int_equal(a.status, 200);
    ask(NULL, "DELETE", card_path("/dirty"), "{\"reason\":\"it is known\"}");
    take_asked();
}

static void a_doubt_without_its_time_is_asked_about_anew(void **state)
{
    (void)state;
    ask_about_doubt();
    keep_as_before(drop_since);
    decide_as(second, "/approve");
    expect(409, ANEW);
    decide_as(second, "/reject"); // which needs no time
    expect(200, "\"state\":\"REJECTED\"");
}

static void an_event_that_waits_for_nobody_is_not_run(void **state)
{
    (void)state;
    ask_about_doubt();
    keep_as_before(name_other_event);
    decide_as(second, "/approve");
    expect(409, ANEW);
}

static void rules_without_their_version_are_asked_for_anew(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
    ask(NULL, "PATCH", path, "{\"fourEyes\":{\"delete\":false},\"reason\":\"x\"}");
    take_asked();
    keep_as_before(drop_versions);
    decide_as(second, "/approve");
    expect(409, ANEW);
}

// A member, and a value that no version takes any more.
static void spoil_rules(json_t *root)
{
    json_t *request = json_object_get(root, "request");
    json_object_set_new(request, "authorityMode", json_string("WHATEVER"));
}

static void rules_of_another_version_are_asked_for_anew(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
    ask(NULL, "PATCH", path, "{\"fourEyes\":{\"delete\":false},\"reason\":\"x\"}");
    take_asked();
    keep_as_before(spoil_rules);
    decide_as(second, "/approve");
    expect(409, ANEW);
}

static void spoil_role(json_t *root)
{
    json_object_set_new(json_object_get(root, "request"), "role", json_string("EMPEROR"));
}

static void people_are_not_made_of_half_a_request(void **state)
{
    (void)state;
    ask_for_user(NULL, "dora", "OPERATOR", LAB_TENANT);
    take_asked();
    keep_as_before(spoil_role);
    decide_as(second, "/approve");
    expect(409, ANEW);
    ask(NULL, "GET", API_BASE "/users", NULL);
    assert_false(has("dora"));
}

// A person's own path, of whom the list tells.
static const char *path_of(const char *name, const char *after)
{
    char member[64];
    (void)snprintf(member, sizeof(member), "\"username\":\"%s\"", name);
    ask(NULL, "GET", API_BASE "/users", NULL);
    const char *at = strstr(a.body, member);
    assert_non_null(at);
    while (strncmp(at, "usr_", 4) != 0)
        at--;
    (void)snprintf(path, sizeof(path), API_BASE "/users/%.30s%s", at, after);
    return path;
}

static void a_role_from_nowhere_is_not_left(void **state)
{
    (void)state;
    static change_fn *const changes[] = {drop_role, spoil_role};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        ask(NULL, "PATCH", path_of("otto", ""), "{\"role\":\"SUPPORT\"}");
        take_asked();
        keep_as_before(changes[i]);
        decide_as(second, "/approve");
        expect(409, ANEW);
    }
}

static void a_password_that_is_lost_is_not_set(void **state)
{
    (void)state;
    ask(NULL, "POST", path_of("otto", "/password"), "{\"password\":\"another horse battery\"}");
    take_asked();
    keep_as_before(drop_hash);
    decide_as(second, "/approve");
    expect(409, ANEW);
}

static void a_pool_is_not_made_of_half_a_request(void **state)
{
    (void)state;
    char own[128];
    char id[API_ID_SIZE];
    ask(NULL, "POST", API_BASE "/subscription-pools",
        "{\"name\":\"q\",\"operator\":\"Birch\",\"templateId\":3}");
    take("id", id, sizeof(id));
    (void)snprintf(own, sizeof(own), API_BASE "/subscription-pools/%s", id);
    ask(NULL, "PATCH", own, "{\"rulePack\":\"CN-IoT\"}");
    take_asked();
    keep_as_before(drop_pack);
    decide_as(second, "/approve");
    expect(409, ANEW);
    ask(NULL, "GET", own, NULL);
    assert_false(has("CN-IoT"));
}

static void what_names_no_end_ends(void **state)
{
    (void)state;
    ask_about_doubt();
    keep_as_before(drop_end);
    decide_as(second, "/approve");
    expect(409, ANEW);
    for (unsigned i = 0; i < 3; i++) {
        lab.now.utc.ms += 61000;
        api_tick(lab.api, lab.now);
        lab_turn(&lab);
    }
    // Without an end it is not as in the published document.
    lab_ask(&lab, &(struct ask){.method = "GET", .target = approval_path(""), .is_trial = true},
            &a);
    expect(200, "\"state\":\"EXPIRED\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_operator_decides_what_names_no_enterprise),
        CASE(who_asked_must_be_known),
        CASE(a_doubt_without_its_time_is_asked_about_anew),
        CASE(an_event_that_waits_for_nobody_is_not_run),
        CASE(rules_without_their_version_are_asked_for_anew),
        CASE(rules_of_another_version_are_asked_for_anew),
        CASE(people_are_not_made_of_half_a_request),
        CASE(a_role_from_nowhere_is_not_left),
        CASE(a_password_that_is_lost_is_not_set),
        CASE(a_pool_is_not_made_of_half_a_request),
        CASE(what_names_no_end_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

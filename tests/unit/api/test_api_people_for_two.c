// People who may approve are made and unmade by two, and so are all roles.
#include "ota-server/service/approval.h"
#include "ota-server/service/auth_user.h"
#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

// --- roles ---

static const char *user_path(const char *name)
{
    struct auth_user user;
    char id[API_ID_SIZE];
    assert_int_equal(auth_user_named(lab.store, bytes_of_text(name), &user), STORE_OK);
    api_id_write(id, "usr", user.id);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", id);
    return path;
}

static void ask_for_role(const char *as, const char *name, const char *body)
{
    ask(as, "PATCH", user_path(name), body);
    take_asked();
}

static void expect_user(const char *name, const char *text)
{
    ask(NULL, "GET", user_path(name), NULL);
    expect(200, text);
}

static void another_role_waits_for_a_second_person(void **state)
{
    (void)state;
    ask_for_role(NULL, "otto",
                 "{\"role\":\"SUPPORT\",\"displayName\":\"Otto\",\"reason\":\"moves\"}");
    assert_true(has("\"summary\":\"role of a user\"") && has("\"targetCount\":1") &&
                has("\"userId\":\"usr_") && has("\"roleNow\":\"OPERATOR\"") &&
                has("\"role\":\"SUPPORT\"") && has("\"reason\":\"moves\""));
    expect_user("otto", "\"role\":\"OPERATOR\"");
    assert_false(has("displayName"));
    decide_as(NULL, "/approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    decide_as(colleague, "/approve"); // it is the operator's
    expect(404, "NOT_FOUND");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("otto", "\"role\":\"SUPPORT\"");
    assert_true(has("\"displayName\":\"Otto\""));
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void a_role_that_is_rejected_is_not_given(void **state)
{
    (void)state;
    ask_for_role(NULL, "otto", "{\"role\":\"SUPPORT\"}");
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    expect_user("otto", "\"role\":\"OPERATOR\"");
}

// Else two who may less would make a third who may all.
static void who_asked_must_still_be_one_who_may_give_it(void **state)
{
    (void)state;
    char wanted[API_ID_SIZE];
    char wanted_hash[65];
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    ask_for_role(first_admin, "otto", "{\"role\":\"PLATFORM_ADMIN\"}");
    memcpy(wanted, approval, sizeof(wanted));
    memcpy(wanted_hash, hash, sizeof(wanted_hash));
    ask_for_role(NULL, "ada", "{\"role\":\"OPERATOR\"}");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    memcpy(approval, wanted, sizeof(approval));
    memcpy(hash, wanted_hash, sizeof(hash));
    decide_as(second, "/approve");
    expect(409, "may not give that role any more");
    expect_user("otto", "\"role\":\"OPERATOR\"");
    ask_for_role(NULL, "otto", "{\"role\":\"PLATFORM_ADMIN\"}");
    decide_as(second, "/approve"); // who looks at it need not be able to give it
    expect(200, "\"state\":\"APPROVED\"");
}

static void a_role_is_approved_for_who_they_were(void **state)
{
    (void)state;
    char old[API_ID_SIZE];
    char old_hash[65];
    ask_for_role(NULL, "otto", "{\"role\":\"INSPECTOR\"}");
    memcpy(old, approval, sizeof(old));
    memcpy(old_hash, hash, sizeof(old_hash));
    ask_for_role(NULL, "otto", "{\"role\":\"SUPPORT\"}");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    memcpy(approval, old, sizeof(old));
    memcpy(hash, old_hash, sizeof(old_hash));
    decide_as(second, "/approve");
    expect(409, "INCOMPATIBLE_STATE");
    expect_user("otto", "\"role\":\"SUPPORT\"");
}

static void what_is_no_other_role_waits_for_nobody(void **state)
{
    (void)state;
    ask(NULL, "PATCH", user_path("otto"), "{\"role\":\"OPERATOR\",\"displayName\":\"Otto\"}");
    expect(200, "\"displayName\":\"Otto\"");
    ask(NULL, "PATCH", user_path("otto"), "{\"locked\":true}");
    expect(200, "\"locked\":true");
    lab_close(&lab);
    assert_int_equal(open_with(true), 0);
    ask(NULL, "PATCH", user_path("otto"), "{\"role\":\"SUPPORT\"}");
    expect(200, "\"role\":\"SUPPORT\"");
}

static void two_admins_of_an_enterprise_change_its_roles(void **state)
{
    (void)state;
    add_user("eve", "ENTERPRISE_USER", enterprise);
    add_user("ann", "ENTERPRISE_ADMIN", enterprise);
    ask_for_role(colleague, "eve", "{\"role\":\"ENTERPRISE_ADMIN\"}");
    decide_as(colleague, "/approve"); // who asked
    expect(403, "PERMISSION_DENIED");
    decide_as(fellow, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("eve", "\"role\":\"ENTERPRISE_ADMIN\"");
}

// --- people who may approve ---

static void expect_rows(const char *action, const char *text)
{
    (void)snprintf(path, sizeof(path), API_BASE "/audit-trail?action=%s", action);
    ask(NULL, "GET", path, NULL);
    expect(200, text);
}

static void whoever_may_approve_is_entered_by_two(void **state)
{
    (void)state;
    static const char eve[] = "Basic ZXZlOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";
    ask_for_user(NULL, "eve", "OPERATOR", LAB_TENANT);
    take_asked();
    assert_true(has("\"summary\":\"new user\"") && has("\"role\":\"OPERATOR\"") &&
                has("\"deed\":\"ENTER\"") && has("\"username\":\"eve\""));
    assert_false(has("correct horse") || has("argon2") || has("assword"));
    ask(NULL, "GET", API_BASE "/users", NULL);
    assert_int_equal(a.status, 200);
    assert_false(has("\"eve\""));
    ask(eve, "GET", API_BASE "/cards", NULL);
    expect(401, "UNAUTHENTICATED");
    decide_as(NULL, "/approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    assert_false(has("argon2") || has("assword"));
    ask(eve, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    expect_rows("user.created", approval);
    ask_for_user(NULL, "eve", "OPERATOR", LAB_TENANT);
    expect(409, "ALREADY_EXISTS");
}

struct look {
    const char *text;
    bool has;
};

static bool see_text(void *context, const struct document *d)
{
    struct look *look = context;
    char body[4096];
    (void)snprintf(body, sizeof(body), "%.*s", (int)d->body.len, (const char *)d->body.at);
    look->has = strstr(body, look->text) != NULL;
    return false;
}

static bool is_kept_with(const struct document *d, const char *text)
{
    struct look look = {.text = text};
    assert_int_equal(store_document_get(lab.store, d->kind, d->id, see_text, &look), STORE_OK);
    return look.has;
}

static void the_hash_of_a_password_goes_with_the_decision(void **state)
{
    (void)state;
    struct document kept = {.kind = APPROVAL_KIND};
    ask_for_user(NULL, "eve", "OPERATOR", LAB_TENANT);
    take_asked();
    assert_true(api_id_read(bytes_of_text(approval), "apr", &kept.id));
    assert_true(is_kept_with(&kept, "argon2id"));
    decide_as(second, "/reject");
    expect(200, "\"state\":\"REJECTED\"");
    assert_false(is_kept_with(&kept, "argon2id"));
    ask(NULL, "GET", API_BASE "/users", NULL);
    assert_false(has("\"eve\""));
}

static void whoever_may_not_approve_is_entered_by_one(void **state)
{
    (void)state;
    ask_for_user(NULL, "eve", "SUPPORT", LAB_TENANT);
    assert_int_equal(a.status, 201);
    expect_rows("user.created", "\"action\":\"user.created\"");
    char own[sizeof(path)];
    (void)snprintf(own, sizeof(own), "%s/password", user_path("eve"));
    ask(NULL, "POST", own, "{\"password\":\"another horse battery\"}");
    assert_int_equal(a.status, 204);
    ask(NULL, "DELETE", user_path("eve"), NULL);
    assert_int_equal(a.status, 204);
}

// olga was entered when there was nobody else to ask, otto when there was.
static void what_is_done_alone_says_so(void **state)
{
    (void)state;
    ask(NULL, "GET", API_BASE "/audit-trail?action=user.created", NULL);
    assert_int_equal(a.status, 200);
    const char *first = strstr(a.body, ", alone\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, ", alone\""));
    lab_close(&lab);
    (void)open_with(true);
    expect_rows("user.created", "\"totalCount\":3");
    const char *at = a.body;
    for (unsigned i = 0; i < 3; i++) {
        at = strstr(at + 1, ", alone\"");
        assert_non_null(at);
    }
}

static void whoever_may_approve_is_deleted_by_two(void **state)
{
    (void)state;
    // Who is locked counts: else whoever locks all others would be alone.
    ask(NULL, "PATCH", user_path("olga"), "{\"locked\":true}");
    assert_int_equal(a.status, 200);
    ask(NULL, "PATCH", user_path("otto"), "{\"locked\":true}");
    assert_int_equal(a.status, 200);
    ask(NULL, "DELETE", user_path("otto"), NULL);
    take_asked();
    assert_true(has("\"summary\":\"deletion of a user\"") && has("\"roleNow\":\"OPERATOR\""));
    expect_user("otto", "\"locked\":true");
    ask(NULL, "PATCH", user_path("olga"), "{\"locked\":false}");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    ask(NULL, "GET", API_BASE "/users", NULL);
    assert_false(has("\"otto\""));
    expect_rows("user.deleted", approval);
}

static void the_password_of_whoever_may_approve_is_reset_by_two(void **state)
{
    (void)state;
    static const char old[] = "Basic b3R0bzpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
    static const char new[] = "Basic b3R0bzphbm90aGVyIGhvcnNlIGJhdHRlcnk=";
    char own[sizeof(path)];
    (void)snprintf(own, sizeof(own), "%s/password", user_path("otto"));
    ask(NULL, "POST", own, "{\"password\":\"another horse battery\"}");
    take_asked();
    assert_true(has("\"summary\":\"password of a user\""));
    assert_false(has("another horse") || has("argon2"));
    ask(old, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    ask(old, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 401);
    ask(new, "GET", API_BASE "/cards", NULL);
    assert_int_equal(a.status, 200);
    // One's own is one's own.
    add_user("ada", "PLATFORM_ADMIN", LAB_TENANT);
    (void)snprintf(own, sizeof(own), "%s/password", user_path("ada"));
    ask(first_admin, "POST", own,
        "{\"password\":\"another horse battery\",\"currentPassword\":\"correct horse battery\"}");
    assert_int_equal(a.status, 204);
}

static void an_admin_of_an_enterprise_makes_no_other_alone(void **state)
{
    (void)state;
    ask_for_user(colleague, "ann", "ENTERPRISE_ADMIN", enterprise);
    take_asked();
    decide_as(colleague, "/approve");
    expect(403, "PERMISSION_DENIED");
    decide_as(second, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    lab_own_password(&lab, "ann");
    ask_for_user(colleague, "eve", "ENTERPRISE_ADMIN", enterprise);
    take_asked();
    decide_as(fellow, "/approve");
    expect(200, "\"state\":\"APPROVED\"");
    expect_user("eve", "\"role\":\"ENTERPRISE_ADMIN\"");
}

static const char *own_path(const char *name)
{
    struct auth_user user;
    char id[API_ID_SIZE];
    assert_int_equal(auth_user_named(lab.store, bytes_of_text(name), &user), STORE_OK);
    api_id_write(id, "usr", user.id);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s/password", id);
    return path;
}

static void everybody_sets_their_own_password(void **state)
{
    (void)state;
    static const char wrong[] =
        "{\"password\":\"another horse battery\",\"currentPassword\":\"correct horse bakery\"}";
    static const char right[] =
        "{\"password\":\"another horse battery\",\"currentPassword\":\"correct horse battery\"}";
    ask(second, "POST", own_path("otto"), right); // an operator has no scope for others'
    expect(403, "PERMISSION_DENIED");
    ask(second, "POST", own_path("olga"), "{\"password\":\"another horse battery\"}");
    expect(400, "currentPassword");
    ask(second, "POST", own_path("olga"),
        "{\"password\":\"correct horse battery\",\"currentPassword\":\"correct horse battery\"}");
    expect(400, "choose another");
    ask(second, "POST", own_path("olga"), wrong);
    expect(403, "currentPassword is another one");
    ask(NULL, "GET", API_BASE "/audit-trail?action=password.refused", NULL);
    expect(200, "\"totalCount\":1");
    ask(second, "POST", own_path("olga"), right);
    assert_int_equal(a.status, 204);
    ask(second, "GET", API_BASE "/approvals", NULL);
    expect(401, "UNAUTHENTICATED");
    // A client gives it, and needs no present one.
    ask(NULL, "POST", own_path("bob"), right);
    expect(400, "currentPassword");
}

static void wrong_present_passwords_are_counted(void **state)
{
    (void)state;
    static const char wrong[] =
        "{\"password\":\"another horse battery\",\"currentPassword\":\"correct horse bakery\"}";
    ask(second, "GET", API_BASE "/approvals", NULL); // remembered for a minute
    expect(200, "items");
    for (unsigned i = 0; i < 5; i++) {
        ask(second, "POST", own_path("olga"), wrong);
        expect(403, "WRONG_PASSWORD");
    }
    ask(second, "POST", own_path("olga"), wrong);
    expect(429, "TOO_MANY_REQUESTS");
}

static void who_was_given_a_password_approves_nothing(void **state)
{
    (void)state;
    // As anybody who gave it knows it.
    ask_for_user(NULL, "ann", "OPERATOR", LAB_TENANT);
    take_asked();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    ask_for_user(second, "x", "ENTERPRISE_ADMIN", enterprise);
    if (a.status == 403)
        ask_for_user(NULL, "x", "ENTERPRISE_ADMIN", enterprise);
    take_asked();
    decide_as(fellow, "/approve");
    expect(403, "set your own");
    decide_as(fellow, "/reject");
    expect(403, "SET_OWN_PASSWORD");
    ask(fellow, "POST", own_path("ann"),
        "{\"password\":\"another horse battery\",\"currentPassword\":\"correct horse battery\"}");
    assert_int_equal(a.status, 204);
    static const char own[] = "Basic YW5uOmFub3RoZXIgaG9yc2UgYmF0dGVyeQ=="; // ann's another one
    decide_as(own, "/approve");
    expect(200, "APPROVED");
    // Given anew, it is somebody else's again.
    ask(NULL, "POST", own_path("ann"), "{\"password\":\"correct horse battery\"}");
    take_asked();
    decide_as(second, "/approve");
    expect(200, "APPROVED");
    ask_for_user(NULL, "y", "ENTERPRISE_ADMIN", enterprise);
    take_asked();
    decide_as(fellow, "/approve");
    expect(403, "SET_OWN_PASSWORD");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(another_role_waits_for_a_second_person),
        CASE(a_role_that_is_rejected_is_not_given),
        CASE(who_asked_must_still_be_one_who_may_give_it),
        CASE(a_role_is_approved_for_who_they_were),
        CASE(what_is_no_other_role_waits_for_nobody),
        CASE(two_admins_of_an_enterprise_change_its_roles),
        CASE(whoever_may_approve_is_entered_by_two),
        CASE(the_hash_of_a_password_goes_with_the_decision),
        CASE(whoever_may_not_approve_is_entered_by_one),
        CASE(what_is_done_alone_says_so),
        CASE(whoever_may_approve_is_deleted_by_two),
        CASE(the_password_of_whoever_may_approve_is_reset_by_two),
        CASE(an_admin_of_an_enterprise_makes_no_other_alone),
        CASE(everybody_sets_their_own_password),
        CASE(wrong_present_passwords_are_counted),
        CASE(who_was_given_a_password_approves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

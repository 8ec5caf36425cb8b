// HTTP Basic: a password with every request.
#include "common/host/password.h"
#include "tests/unit/api/api_lab.h"

#define BASE "/connectivity-management/v1"
#define PASSWORD "correct horse battery"

static struct lab lab;
static struct answer a;

static int open_all(void **state)
{
    (void)state;
    static const uint8_t salt[PASSWORD_SALT_SIZE] = {1};
    struct auth_user user = {.id = 77, .tenant = LAB_TENANT, .username = "root"};
    lab_open(&lab, "all", true);
    assert_true(password_hash(bytes_of_text(PASSWORD), salt, user.hash));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(auth_user_put(lab.store, &user, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void pass_time(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static void basic_is_off_unless_it_is_wanted(void **state)
{
    (void)state;
    // root:correct horse battery
    static const char basic[] = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
    struct ask ask = {.method = "GET", .target = BASE "/session", .authorization = basic};
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 401);
    lab.has_basic = true;
    lab_reopen_api(&lab);
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 200);
    ask.is_in_clear = true; // although the public URL is https
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 401);
    assert_null(strstr(a.headers, "Strict-Transport-Security"));
    ask.peer = "127.0.0.1";
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 200);
    ask.peer = NULL;
    ask.is_in_clear = false;
    ask.origin = "https://evil.example.com";
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 403);
    ask.origin = NULL;
    ask.authorization = "Basic cm9vdDp3cm9uZw==";
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 401);
}

// A right password is remembered for a minute: while the account is locked only that tells.
static void basic_is_locked_like_a_log_in(void **state)
{
    (void)state;
    struct ask right = {.method = "GET",
                        .target = BASE "/session",
                        .authorization = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="};
    struct ask wrong = {.method = "GET",
                        .target = BASE "/session",
                        .authorization = "Basic cm9vdDp3cm9uZw==",
                        .peer = "192.0.2.66"};
    const struct ask login = {.method = "POST",
                              .target = BASE "/session",
                              .authorization = "",
                              .body = "{\"username\":\"root\",\"password\":\"" PASSWORD "\"}",
                              .origin = LAB_ORIGIN};
    lab.has_basic = true;
    lab_reopen_api(&lab);
    lab_ask(&lab, &right, &a);
    assert_int_equal(a.status, 200);
    for (unsigned i = 0; i < 5; i++) {
        lab_ask(&lab, &wrong, &a);
        assert_int_equal(a.status, 401);
    }
    lab_ask(&lab, &wrong, &a);
    assert_int_equal(a.status, 429);
    assert_non_null(strstr(a.headers, "Retry-After: 900\n"));
    lab_ask(&lab, &login, &a);
    assert_int_equal(a.status, 429); // one count for both ways
    lab_ask(&lab, &right, &a);
    assert_int_equal(a.status, 200);
    pass_time(61000);
    lab_ask(&lab, &right, &a);
    assert_int_equal(a.status, 429);
    pass_time(15 * 60 * 1000);
    lab_ask(&lab, &right, &a);
    assert_int_equal(a.status, 200);
}

// At the listener in the clear beside the one with TLS, no password is taken and no cookie counts.
static void sessions_are_for_https(void **state)
{
    (void)state;
    struct door door;
    struct ask login = {.method = "POST",
                        .target = BASE "/session",
                        .authorization = "",
                        .body = "{\"username\":\"root\",\"password\":\"" PASSWORD "\"}",
                        .origin = LAB_ORIGIN,
                        .is_in_clear = true,
                        .peer = "127.0.0.1"};
    lab_ask(&lab, &login, &a);
    assert_int_equal(a.status, 403);
    assert_null(strstr(a.headers, "Set-Cookie"));
    login.is_in_clear = false;
    lab_ask(&lab, &login, &a);
    assert_int_equal(a.status, 200);
    lab_user(&lab, "anna", ROLE_OPERATOR, LAB_TENANT, &door);
    struct ask ask = {.method = "GET",
                      .target = BASE "/session",
                      .authorization = "",
                      .cookie = door.cookie,
                      .is_in_clear = true};
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 401);
    ask.is_in_clear = false;
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(basic_is_off_unless_it_is_wanted),
        TEST(basic_is_locked_like_a_log_in),
        TEST(sessions_are_for_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

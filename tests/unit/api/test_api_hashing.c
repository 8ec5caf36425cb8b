// Passwords are hashed beside the loop, and what asked for one waits.
#include "common/host/password.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#define BASE "/connectivity-management/v1"
#define PASSWORD "correct horse battery"
#define RIGHT "{\"username\":\"root\",\"password\":\"" PASSWORD "\"}"
#define WRONG "{\"username\":\"root\",\"password\":\"not this one\"}"

static struct lab lab;
static struct answer a, all[HASHING_PLACES];
static struct api_exchange *open[HASHING_PLACES];

static void wake(void *context)
{
    (void)context; // lab_hash() waits
}

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
    lab.wake = wake;
    lab.has_basic = true;
    lab_reopen_api(&lab);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static struct ask log_in(const char *peer, const char *body)
{
    return (struct ask){.method = "POST",
                        .target = BASE "/session",
                        .authorization = "",
                        .body = body,
                        .peer = peer,
                        .origin = LAB_ORIGIN};
}

// Several log-ins at once.
static void start(unsigned from, unsigned to, const char *peer, const char *body)
{
    const struct ask ask = log_in(peer, body);
    for (unsigned i = from; i < to; i++)
        open[i] = lab_start(&lab, &ask, &all[i]);
}

static void finish(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        lab_hash(&lab);
    lab_turn(&lab);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(all[i].count, 1);
        lab_forget(open[i]);
    }
}

static void others_are_answered_meanwhile(void **state)
{
    (void)state;
    start(0, 1, "192.0.2.1", RIGHT);
    lab_turn(&lab);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = BASE "/cards"}, &a);
    assert_int_equal(a.status, 200);
    finish(1);
    assert_int_equal(all[0].status, 200);
    assert_non_null(strstr(all[0].headers, "Set-Cookie: "));
}

static void few_wait_and_none_of_them_takes_all_places(void **state)
{
    (void)state;
    struct ask ask = log_in("192.0.2.1", RIGHT);
    start(0, HASHING_EACH, "192.0.2.1", RIGHT);
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(a.headers, "Retry-After: 1\n"));
    start(HASHING_EACH, HASHING_PLACES, "192.0.2.2", RIGHT);
    struct answer late;
    ask.peer = "192.0.2.3";
    struct api_exchange *x = lab_start(&lab, &ask, &late);
    assert_int_equal(late.status, 503);
    lab_forget(x);
    ask = (struct ask){.method = "GET",
                       .target = BASE "/session",
                       .peer = "192.0.2.3",
                       .authorization = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="};
    x = lab_start(&lab, &ask, &late);
    assert_int_equal(late.status, 503);
    lab_forget(x);
    finish(HASHING_PLACES);
    for (unsigned i = 0; i < HASHING_PLACES; i++)
        assert_int_equal(all[i].status, 200);
}

// Whoever asks at once does not learn more than whoever asks one after the other.
static void guesses_under_way_count(void **state)
{
    (void)state;
    start(0, 6, "192.0.2.1", WRONG);
    start(6, 8, "192.0.2.1", RIGHT);
    finish(8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(all[i].status, i < 5 ? 401 : 429);
}

static void who_has_gone_is_told_nothing(void **state)
{
    (void)state;
    start(0, 3, "192.0.2.1", RIGHT);
    lab_forget(open[0]); // maybe under way
    lab_forget(open[2]); // waits
    while (all[1].count == 0) {
        lab_hash(&lab);
        lab_turn(&lab);
    }
    assert_int_equal(all[1].status, 200);
    assert_int_equal(all[0].count + all[2].count, 0);
    lab_forget(open[1]);
}

static void a_stop_ends_those_that_wait(void **state)
{
    (void)state;
    start(0, 3, "192.0.2.1", RIGHT);
    assert_true(api_stop(lab.api, false, lab.now.utc));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(all[i].status, 503);
        lab_forget(open[i]);
    }
}

static void basic_waits_too(void **state)
{
    (void)state;
    struct ask ask = {
        .method = "GET", .target = BASE "/session", .authorization = "Basic cm9vdDp3cm9uZw=="};
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 401);
    ask.authorization = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, "\"username\":\"root\""));
}

// Who comes with a password, gives it again, and makes another: three are hashed.
static void what_was_compared_at_the_door_counts_no_more_inside(void **state)
{
    (void)state;
    struct ask ask = {.method = "POST",
                      .authorization = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
                      .body = "{\"currentPassword\":\"not this one\","
                              "\"password\":\"tidal ferret lantern\"}"};
    char target[96];
    char id[API_ID_SIZE];
    lab.has_refusals_only = true; // its repetition comes with a password that is no more
    api_id_write(id, "usr", 77);
    (void)snprintf(target, sizeof(target), BASE "/users/%s/password", id);
    ask.target = target;
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 403);
    assert_non_null(strstr(a.body, "WRONG_PASSWORD"));
    ask.body = "{\"currentPassword\":\"" PASSWORD "\",\"password\":\"tidal ferret lantern\"}";
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 204);
    const struct ask with_new =
        log_in("192.0.2.9", "{\"username\":\"root\",\"password\":\"tidal ferret lantern\"}");
    lab_ask(&lab, &with_new, &a);
    assert_int_equal(a.status, 200);
}

static void people_are_entered(void **state)
{
    (void)state;
    char enterprise[API_ID_SIZE];
    char body[512];
    api_id_write(enterprise, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"ann\",\"enterpriseId\":\"%s\",\"role\":\"SUPPORT\","
                   "\"password\":\"tidal ferret lantern\"}",
                   enterprise);
    const struct ask ask = {
        .method = "POST", .target = BASE "/users", .body = body, .key = "one-key-of-it"};
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 201);
    lab_ask(&lab, &ask, &a);
    assert_int_equal(a.status, 201);
    const struct ask in =
        log_in("192.0.2.9", "{\"username\":\"ann\",\"password\":\"tidal ferret lantern\"}");
    lab_ask(&lab, &in, &a);
    assert_int_equal(a.status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(others_are_answered_meanwhile),
        TEST(few_wait_and_none_of_them_takes_all_places),
        TEST(guesses_under_way_count),
        TEST(who_has_gone_is_told_nothing),
        TEST(a_stop_ends_those_that_wait),
        TEST(basic_waits_too),
        TEST(what_was_compared_at_the_door_counts_no_more_inside),
        TEST(people_are_entered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

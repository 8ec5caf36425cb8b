// Which passwords people may have, and the sessions that these open.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_leaked.h"
#include "ota-server/service/auth_words.h"
#include "tests/unit/api/api_lab.h"

#include <errno.h>
#include <unistd.h>

#define PASSWORD "correct horse battery"
#define LEAKED_ONE "correct horse battery staple"
#define LEAKED_SHA1 "ABF7AAD6438836DBE526AA231ABDE2D0EEF74D42"

static struct lab lab;
static struct answer a;
static struct door root;
static const char *cookie; // that a log-in comes with; or NULL
static char list[64];      // of passwords that leaked; "": none was written

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "cards:read", true);
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &root);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    if (list[0] != '\0')
        assert_int_equal(unlink(list), 0);
    list[0] = '\0';
    lab_close(&lab);
    return 0;
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void pass_time(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static unsigned ask_as(const struct door *door, const char *method, const char *target,
                       const char *body)
{
    pass_time(1000);
    lab_ask_as(&lab, door, method, target, body, &a);
    return a.status;
}

static void take(const char *member, char *to, size_t size)
{
    const char *at = strstr(a.body, member);
    assert_non_null(at);
    at += strlen(member);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static unsigned add_user(const char *name, const char *shown, const char *password)
{
    char body[512];
    char own[API_ID_SIZE];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"displayName\":\"%s\",\"password\":\"%s\","
                   "\"enterpriseId\":\"%s\",\"role\":\"SUPPORT\"}",
                   name, shown, password, own);
    return ask_as(&root, "POST", API_BASE "/users", body);
}

static unsigned log_in_and(const char *name, const char *password, const char *more,
                           struct door *door)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"%s\"%s}", name,
                   password, more);
    pass_time(1000);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .body = body,
                          .cookie = cookie,
                          .origin = LAB_ORIGIN},
            &a);
    if (a.status != 200)
        return a.status;
    const char *given = strstr(a.headers, "Set-Cookie: ");
    assert_non_null(given);
    (void)snprintf(door->cookie, sizeof(door->cookie), "%.*s", (int)strcspn(given + 12, ";"),
                   given + 12);
    take("\"csrfToken\":\"", door->csrf, sizeof(door->csrf));
    return 200;
}

static unsigned log_in(const char *name, const char *password, struct door *door)
{
    return log_in_and(name, password, "", door);
}

// --- which ones ---

static void what_is_guessed_soon_is_no_password(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "aaaaaaaaaaaaaaaa",     "123456789012",     "qwertyuiop12",      "passwordpassword",
        "PassWord123456",       "abcdefghijklmnop", "berta berta berta", "berta.Smith.1",
        "OtariaConnectivity",   "api.example.com",  "xyxyxyxyxyxyxyxy",  "Welcome123456",
        "1q2w3e4r5t6y7u8i9o0p", "987654321098",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(add_user("berta", "Berta Smith", bad[i]), 400);
        assert_true(has("\"field\":\"password\""));
    }
    assert_int_equal(add_user("berta", "Berta Smith", "eleven octe"), 400); // too short
    assert_int_equal(add_user("berta", "Berta Smith", PASSWORD), 201);
}

// Each way by which somebody gets a password asks the same.
static void so_it_is_whoever_sets_it(void **state)
{
    (void)state;
    struct door berta;
    char id[API_ID_SIZE];
    char path[128];
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    take("\"id\":\"", id, sizeof(id));
    assert_int_equal(log_in("berta", PASSWORD, &berta), 200);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s/password", id);
    assert_int_equal(ask_as(&root, "POST", path, "{\"password\":\"berta1234567\"}"), 400);
    assert_int_equal(ask_as(&berta, "POST", path,
                            "{\"password\":\"berta1234567\",\"currentPassword\":\"" PASSWORD "\"}"),
                     400);
    assert_int_equal(ask_as(&berta, "POST", path,
                            "{\"password\":\"another horse battery\",\"currentPassword\":"
                            "\"" PASSWORD "\"}"),
                     204);
}

// Of any characters, and as they are: neither cut nor folded [RFC 8265 §4.1].
static void any_characters_make_a_password_and_all_of_them_count(void **state)
{
    (void)state;
    struct door door;
    char longest[129];
    static const char *const good[] = {"twelve octets and a blank ", "ключ из десяти слов",
                                       "9f8s7g6h2j1k", "=+-@\\u0001~ no letters: 93"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "u%zu", i);
        assert_int_equal(add_user(name, "", good[i]), 201);
        assert_int_equal(log_in(name, good[i], &door), 200);
    }
    assert_int_equal(log_in("u0", "twelve octets and a blank", &door), 401);
    assert_int_equal(log_in("u0", "Twelve octets and a blank ", &door), 401);
    for (size_t i = 0; i < sizeof(longest) - 1; i++)
        longest[i] = "no row of words, "[i % 17];
    longest[sizeof(longest) - 2] = '!';
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(add_user("long", "", longest), 201);
    assert_int_equal(log_in("long", longest, &door), 200);
    longest[sizeof(longest) - 2] = '?'; // the last one of 128
    assert_int_equal(log_in("long", longest, &door), 401);
}

// Nobody is made to change a password that nobody else knows [SP 800-63B §5.1.1.2].
static void a_password_does_not_run_out(void **state)
{
    (void)state;
    struct door door;
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    pass_time(10ll * 365 * 24 * 3600 * 1000);
    assert_int_equal(log_in("berta", PASSWORD, &door), 200);
}

// --- those that leaked ---

static void write_list(const char *text)
{
    FILE *file;
    if (list[0] == '\0') {
        (void)snprintf(list, sizeof(list), "/tmp/leaked-XXXXXX");
        const int fd = mkstemp(list);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    file = fopen(list, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static enum leaked find(const char *password)
{
    return leaked_has(list, bytes_of_text(password));
}

static void a_password_that_leaked_is_refused(void **state)
{
    (void)state;
    lab.api->options.leaked_file = list;
    write_list("000000005AD76BD555C1D6D771DE417A4B87E4B4:10\r\n" LEAKED_SHA1 ":384\r\n"
               "FFFFFFFEE791CBAC0F6305CAF0CEE06BBE131160:2\r\n");
    assert_int_equal(add_user("berta", "", LEAKED_ONE), 400);
    assert_true(has("\"field\":\"password\"") && has("leaked"));
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    // Nobody can tell: that is no reason to take it.
    write_list("");
    assert_int_equal(add_user("anna", "", PASSWORD), 503);
    write_list(LEAKED_SHA1 "\n");
    assert_int_equal(add_user("anna", "", PASSWORD), 201);
}

static void a_list_is_searched_up_to_its_ends(void **state)
{
    (void)state;
    static char text[64 * 1024];
    // The first octets alone differ: 1000 lines, of which LEAKED_ONE is one.
    for (unsigned place = 0; place < 3; place++) {
        size_t len = 0;
        const unsigned at = place == 0 ? 0 : place == 1 ? 500 : 999;
        for (unsigned i = 0; i < 1000; i++) {
            const unsigned first = i < at ? i : 0xAC00 + i;
            len += (size_t)(i == at
                                ? snprintf(text + len, sizeof(text) - len, LEAKED_SHA1)
                                : snprintf(text + len, sizeof(text) - len, "%04X%036u", first, 0u));
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
                                    i == 999     ? ""
                                    : i % 3 == 0 ? ":12345678\n"
                                                 : "\n");
        }
        write_list(text);
        assert_true(leaked_check(list));
        assert_int_equal(find(LEAKED_ONE), LEAKED_YES);
        assert_int_equal(find("another"), LEAKED_NO);
        assert_int_equal(find(""), LEAKED_NO);
    }
}

static void what_is_no_such_list_is_told(void **state)
{
    (void)state;
    static char text[1024];
    write_list("password\n123456\n");
    assert_false(leaked_check(list));
    assert_int_equal(find(LEAKED_ONE), LEAKED_UNKNOWN);
    write_list("FF" LEAKED_SHA1 "\n"); // 42 digits
    assert_false(leaked_check(list));
    write_list(LEAKED_SHA1 "\n0" LEAKED_SHA1 "\n");
    assert_false(leaked_check(list));
    memset(text, 'A', sizeof(text) - 1); // one line that does not end
    write_list(text);
    assert_false(leaked_check(list));
    assert_false(leaked_check("/nonexistent"));
    assert_int_equal(leaked_has("/nonexistent", bytes_of_text("x")), LEAKED_UNKNOWN);
}

// --- sessions ---

static void a_person_sees_their_sessions_and_ends_the_others(void **state)
{
    (void)state;
    struct door first;
    struct door second;
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    assert_int_equal(log_in("berta", PASSWORD, &first), 200);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 200);
    assert_non_null(strstr(a.body, "\"sessions\":[{"));
    assert_true(has("\"current\":true}]"));
    assert_int_equal(log_in("berta", PASSWORD, &second), 200);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 200);
    assert_true(has("\"current\":true},{\"openedAt\"") && has("\"current\":false}]"));
    // Whoever logs in anew proves who they are, and nobody else is left.
    assert_int_equal(log_in_and("berta", PASSWORD, ",\"endOthers\":true", &first), 200);
    assert_int_equal(ask_as(&second, "GET", API_BASE "/session", NULL), 401);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 200);
    assert_true(has("\"current\":true}]") && !has("\"current\":false"));
    assert_int_equal(ask_as(&root, "GET", API_BASE "/session", NULL), 200); // another person's
    // A wrong password ends nothing.
    assert_int_equal(log_in_and("berta", "not this one", ",\"endOthers\":true", &second), 401);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 200);
}

static void a_log_in_ends_the_session_that_it_came_with(void **state)
{
    (void)state;
    struct door first;
    struct door second;
    struct door other;
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    assert_int_equal(log_in("berta", PASSWORD, &first), 200);
    assert_int_equal(log_in("berta", PASSWORD, &other), 200);
    second = first;
    cookie = first.cookie;
    assert_int_equal(log_in("berta", "not this one", &second), 401);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 200);
    assert_int_equal(log_in("berta", PASSWORD, &second), 200);
    cookie = NULL;
    assert_string_not_equal(first.cookie, second.cookie);
    assert_int_equal(ask_as(&first, "GET", API_BASE "/session", NULL), 401);
    assert_int_equal(ask_as(&second, "GET", API_BASE "/session", NULL), 200);
    assert_int_equal(ask_as(&other, "GET", API_BASE "/session", NULL), 200);
}

// Of those that were refused, too; and no password stands in any.
static void each_log_in_has_a_row(void **state)
{
    (void)state;
    struct door door;
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    assert_int_equal(log_in("berta", "not this one", &door), 401);
    assert_int_equal(ask_as(&root, "GET", API_BASE "/audit-trail?action=session.refused", NULL),
                     200);
    assert_true(has("\"action\":\"session.refused\"") && !has("not this one"));
    assert_int_equal(log_in("berta", PASSWORD, &door), 200);
    assert_int_equal(ask_as(&door, "DELETE", API_BASE "/session", NULL), 204);
    assert_int_equal(ask_as(&root, "GET", API_BASE "/audit-trail", NULL), 200);
    assert_true(has("\"action\":\"session.opened\"") && has("\"action\":\"session.closed\""));
    assert_false(has(PASSWORD));
}

static void who_is_deleted_is_in_no_more(void **state)
{
    (void)state;
    struct door berta;
    struct auth_sessions all;
    uint64_t user = 0;
    char id[API_ID_SIZE];
    char path[128];
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    take("\"id\":\"", id, sizeof(id));
    assert_true(api_id_read(bytes_of_text(id), "usr", &user));
    assert_int_equal(log_in("berta", PASSWORD, &berta), 200);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", id);
    assert_int_equal(ask_as(&root, "DELETE", path, NULL), 204);
    assert_int_equal(ask_as(&berta, "GET", API_BASE "/session", NULL), 401);
    assert_int_equal(auth_sessions_of(lab.store, user, &all), STORE_OK);
    assert_int_equal(all.total, 0);
}

static void the_oldest_of_too_many_sessions_ends(void **state)
{
    (void)state;
    struct door doors[AUTH_SESSIONS_MAX + 2];
    assert_int_equal(add_user("berta", "", PASSWORD), 201);
    for (unsigned i = 0; i < AUTH_SESSIONS_MAX + 2; i++) {
        assert_int_equal(log_in("berta", PASSWORD, &doors[i]), 200);
        const unsigned ended = i < AUTH_SESSIONS_MAX ? 0 : i - AUTH_SESSIONS_MAX + 1;
        for (unsigned k = 0; k <= i; k++)
            assert_int_equal(ask_as(&doors[k], "GET", API_BASE "/session", NULL),
                             k < ended ? 401 : 200);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_guessed_soon_is_no_password),
        TEST(so_it_is_whoever_sets_it),
        TEST(any_characters_make_a_password_and_all_of_them_count),
        TEST(a_password_does_not_run_out),
        TEST(a_password_that_leaked_is_refused),
        TEST(a_list_is_searched_up_to_its_ends),
        TEST(what_is_no_such_list_is_told),
        TEST(a_person_sees_their_sessions_and_ends_the_others),
        TEST(a_log_in_ends_the_session_that_it_came_with),
        TEST(each_log_in_has_a_row),
        TEST(who_is_deleted_is_in_no_more),
        TEST(the_oldest_of_too_many_sessions_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

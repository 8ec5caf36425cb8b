// Second factors: codes of the time, recovery codes, and what a role does without one.
#include "common/base/text.h"
#include "ota-server/service/rekey.h"
#include "tests/unit/api/factor_lab.h"

#include <stdio.h>

// --- the standards ---

static void codes_are_those_of_rfc_6238(void **state)
{
    (void)state;
    static const struct {
        int64_t s;
        const char *code;
    } rows[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char code[TOTP_CODE_SIZE];
        const struct utc at = {rows[i].s * 1000};
        assert_true(totp_code(bytes_of_text("12345678901234567890"), totp_step(at), 8, code));
        assert_string_equal(code, rows[i].code);
        assert_true(totp_code(bytes_of_text("12345678901234567890"), totp_step(at), 6, code));
        assert_string_equal(code, rows[i].code + 2);
    }
}

static void base32_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "MY"},
                                          {"fo", "MZXQ"},
                                          {"foo", "MZXW6"},
                                          {"foob", "MZXW6YQ"},
                                          {"fooba", "MZXW6YTB"},
                                          {"foobar", "MZXW6YTBOI"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        struct writer w = writer_of(text, sizeof(text));
        base32_put(&w, bytes_of_text(rows[i][0]));
        assert_string_equal(text_end(&w), rows[i][1]);
    }
}

// --- log-in ---

static void from_its_first_code_on_a_factor_is_asked_for(void **state)
{
    (void)state;
    struct door door;
    struct door before;
    enter("ann", NULL, &before);
    assert_true(has("\"secondFactor\":\"NONE\""));
    enter("ann", NULL, &door);
    begin(&door, ann);
    assert_int_equal(strlen(secret), 32);
    assert_true(has("\"uri\":\"otpauth://totp/Otaria:ann?secret=") &&
                has("&issuer=Otaria&algorithm=SHA1&digits=6&period=30\""));
    assert_int_equal(ask_as(&door, "GET", factor_of(ann), NULL), 200);
    assert_true(has("\"state\":\"PENDING\"") && !has(secret));
    enter("ann", NULL, &door); // nothing was proved yet
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(wrong())), 403);
    assert_true(has("\"reason\":\"WRONG_CODE\""));
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(shown(0))), 200);
    // Other sessions that a password alone opened have ended.
    assert_int_equal(ask_as(&door, "GET", API_BASE "/session", NULL), 200);
    assert_int_equal(ask_as(&before, "GET", API_BASE "/session", NULL), 401);
    pass_time(STEP_MS);
    assert_int_equal(log_in("ann", NULL), 401);
    assert_true(has("\"reason\":\"OTP_REQUIRED\""));
    assert_int_equal(log_in("ann", wrong()), 401);
    assert_false(has("OTP_REQUIRED"));
    enter("ann", shown(0), &door);
    assert_true(has("\"secondFactor\":\"ACTIVE\""));
    assert_int_equal(ask_as(&door, "GET", API_BASE "/cards", NULL), 200);
    assert_int_equal(ask_as(&door, "GET", factor_of(ann), NULL), 200);
    assert_true(has("\"state\":\"ACTIVE\"") && has("\"recoveryCodesLeft\":10"));
}

static void a_code_is_accepted_once(void **state)
{
    (void)state;
    struct door door;
    enrol("ann", ann);
    char code[TOTP_CODE_SIZE];
    (void)snprintf(code, sizeof(code), "%s", shown(0));
    enter("ann", code, &door);
    assert_int_equal(log_in("ann", code), 401);
    pass_time(STEP_MS);
    assert_int_equal(log_in("ann", code), 401); // it would still be taken
    assert_int_equal(log_in("ann", shown(0)), 200);
    assert_int_equal(log_in("ann", shown(-1)), 401); // nor one from before
}

static void of_two_at_once_with_one_code_one_gets_in(void **state)
{
    (void)state;
    struct answer other;
    char body[128];
    enrol("ann", ann);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"ann\",\"password\":\"" PASSWORD "\",\"otp\":\"%s\"}", shown(0));
    const struct ask ask = {.method = "POST",
                            .target = API_BASE "/session",
                            .authorization = "",
                            .body = body,
                            .origin = LAB_ORIGIN};
    struct api_exchange *one = lab_start(&lab, &ask, &a);
    struct api_exchange *two = lab_start(&lab, &ask, &other);
    lab_turn(&lab);
    lab_forget(one);
    lab_forget(two);
    assert_int_equal(a.status + other.status, 200 + 401);
}

// `one` as that person; both in one turn, in this order.
static void ask_at_once(const struct door *door, const struct ask *one, const struct ask *two,
                        struct answer *other)
{
    const struct ask ask = {.method = one->method,
                            .target = one->target,
                            .body = one->body,
                            .authorization = "",
                            .cookie = door->cookie,
                            .csrf_token = door->csrf,
                            .origin = LAB_ORIGIN};
    struct api_exchange *first = lab_start(&lab, &ask, &a);
    struct api_exchange *second = lab_start(&lab, two, other);
    lab_turn(&lab);
    lab_forget(first);
    lab_forget(second);
}

// When it asked, the password alone was enough.
static void a_log_in_beside_the_first_code_needs_one_too(void **state)
{
    (void)state;
    static struct answer other;
    struct door door;
    enter("ann", NULL, &door);
    begin(&door, ann);
    const struct ask login = {.method = "POST",
                              .target = API_BASE "/session",
                              .authorization = "",
                              .body = "{\"username\":\"ann\",\"password\":\"" PASSWORD "\"}",
                              .origin = LAB_ORIGIN};
    const struct ask confirm = {
        .method = "PATCH", .target = factor_of(ann), .body = otp_body(shown(0))};
    ask_at_once(&door, &confirm, &login, &other);
    assert_int_equal(a.status, 200);
    assert_int_equal(other.status, 401);
    assert_non_null(strstr(other.body, "\"reason\":\"OTP_REQUIRED\""));
    assert_null(strstr(other.headers, "Set-Cookie"));
}

// [RFC 6238 §5.2]: one step for the way, and as much for a clock that is ahead.
static void a_code_may_be_one_step_early_or_late(void **state)
{
    (void)state;
    enrol("ann", ann);
    pass_time(4 * STEP_MS);
    assert_int_equal(log_in("ann", shown(-2)), 401);
    assert_int_equal(log_in("ann", shown(2)), 401);
    assert_int_equal(log_in("ann", shown(-1)), 200);
    assert_int_equal(log_in("ann", shown(1)), 200);
    assert_int_equal(log_in("ann", shown(0)), 401); // a later one was used
}

// A laboratory's clock runs ahead of the world's, which apps go by.
static void codes_go_by_the_clock_of_the_world(void **state)
{
    (void)state;
    lab.now.ahead_ms = 3600 * 1000;
    enrol("ann", ann);
    assert_int_equal(log_in("ann", shown(0)), 200);
}

static void a_recovery_code_serves_once(void **state)
{
    (void)state;
    struct door door;
    enrol("ann", ann);
    assert_int_equal(log_in("ann", codes[3]), 200);
    assert_int_equal(log_in("ann", codes[3]), 401);
    char typed[FACTOR_CODE_SIZE];
    size_t len = 0;
    for (const char *c = codes[9]; *c != '\0'; c++) {
        if (*c != '-')
            typed[len++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    typed[len] = '\0';
    enter("ann", typed, &door);
    assert_int_equal(ask_as(&door, "GET", factor_of(ann), NULL), 200);
    assert_true(has("\"recoveryCodesLeft\":8"));
    lab_ask(&lab, &(struct ask){.method = "GET", .target = API_BASE "/audit-trail"}, &a);
    assert_true(has("\"recovery code\"") && !has(codes[3]) && !has(typed));
    for (size_t i = 0; i < FACTOR_CODES; i++) {
        if (i != 3 && i != 9)
            assert_int_equal(log_in("ann", codes[i]), 200);
    }
    assert_int_equal(log_in("ann", codes[0]), 401);
    assert_int_equal(log_in("ann", shown(0)), 200); // the app still serves
}

// So that a SHA-256 of it is enough to keep: 24 letters of 5 bits each, no two codes alike.
static void a_recovery_code_has_120_bits(void **state)
{
    (void)state;
    enrol("ann", ann);
    for (size_t i = 0; i < FACTOR_CODES; i++) {
        size_t letters = 0;
        for (const char *c = codes[i]; *c != '\0'; c++)
            letters += *c != '-' ? 1 : 0;
        assert_int_equal(letters, 24);
        assert_int_equal(strspn(codes[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-"), strlen(codes[i]));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(codes[i], codes[k]);
    }
}

// Those of 16 letters, from before.
static void a_shorter_code_that_was_given_still_serves(void **state)
{
    (void)state;
    struct auth_factor factor = {.is_active = true, .code_count = 1};
    struct sha256 *s = sha256_open();
    assert_non_null(s);
    assert_true(sha256_add(s, bytes_of_text("ABCDEFGHIJKLMNOP")));
    assert_true(sha256_finish(s, factor.codes[0]));
    sha256_close(s);
    assert_int_equal(auth_factor_use(&factor, bytes_of_text("ABCD-EFGH-IJKL-MNO"), lab.now.utc),
                     FACTOR_WRONG);
    assert_int_equal(
        auth_factor_use(&factor, bytes_of_text("ABCD-EFGH-IJKL-MNOP-QRST-UVWX"), lab.now.utc),
        FACTOR_WRONG);
    assert_int_equal(auth_factor_use(&factor, bytes_of_text("abcd-efgh-ijkl-mnop"), lab.now.utc),
                     FACTOR_RECOVERY);
    assert_int_equal(auth_factor_use(&factor, bytes_of_text("ABCD-EFGH-IJKL-MNOP"), lab.now.utc),
                     FACTOR_WRONG);
}

static void wrong_codes_are_counted_with_wrong_passwords(void **state)
{
    (void)state;
    enrol("ann", ann);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(log_in("ann", i % 2 == 0 ? wrong() : "AAAA-AAAA-AAAA-AAAA"), 401);
        // A password alone does not make good what was wrong.
        assert_int_equal(log_in("ann", NULL), i < 4 ? 401 : 429);
    }
    assert_int_equal(log_in("ann", shown(0)), 429);
    pass_time(15 * 60 * 1000);
    assert_int_equal(log_in("ann", shown(0)), 200);
}

static void a_session_cannot_guess(void **state)
{
    (void)state;
    struct door door;
    enter("ann", NULL, &door);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(ask_as(&door, "POST", factor_of(ann), "{\"password\":\"no\"}"), 403);
        assert_true(has("\"reason\":\"WRONG_PASSWORD\""));
    }
    assert_int_equal(ask_as(&door, "POST", factor_of(ann), "{\"password\":\"" PASSWORD "\"}"), 429);
    pass_time(15 * 60 * 1000);
    begin(&door, ann);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(wrong())), 403);
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(shown(0))), 429);
    pass_time(15 * 60 * 1000);
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(shown(0))), 200);
    pass_time(STEP_MS);
    enter("ann", shown(0), &door);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), otp_body(wrong())), 403);
    pass_time(STEP_MS);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), otp_body(shown(0))), 429);
}

// --- taking it away ---

static void ones_own_is_taken_away_with_a_code(void **state)
{
    (void)state;
    struct door door;
    enrol("ann", ann);
    enter("ann", shown(0), &door);
    assert_int_equal(ask_as(&door, "POST", factor_of(ann), "{\"password\":\"" PASSWORD "\"}"),
                     409); // there is one
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body(shown(0))), 409);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), NULL), 403);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), otp_body(codes[1])), 204);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), NULL), 404);
    assert_int_equal(ask_as(&door, "PATCH", factor_of(ann), otp_body("123456")), 409);
    begin(&door, ann);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(ann), NULL), 204); // it proved nothing
}

// When that was asked, nothing was proved yet.
static void the_first_code_beside_it_must_be_proved_to_take_it_away(void **state)
{
    (void)state;
    static struct answer other;
    struct door door;
    enter("ann", NULL, &door);
    begin(&door, ann);
    const struct ask confirm = {
        .method = "PATCH", .target = factor_of(ann), .body = otp_body(shown(0))};
    const struct ask away = {.method = "DELETE",
                             .target = factor_of(ann),
                             .authorization = "",
                             .cookie = door.cookie,
                             .csrf_token = door.csrf,
                             .origin = LAB_ORIGIN};
    ask_at_once(&door, &confirm, &away, &other);
    assert_int_equal(a.status, 200);
    assert_int_equal(other.status, 403);
    assert_non_null(strstr(other.body, "\"reason\":\"WRONG_CODE\""));
    assert_int_equal(ask_as(&door, "GET", factor_of(ann), NULL), 200);
    assert_true(has("\"state\":\"ACTIVE\""));
}

static void a_code_that_was_used_beside_it_takes_nothing_away(void **state)
{
    (void)state;
    static struct answer other;
    struct door door;
    char body[128];
    enrol("ann", ann);
    enter("ann", codes[0], &door);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"ann\",\"password\":\"" PASSWORD "\",\"otp\":\"%s\"}", codes[1]);
    const struct ask login = {.method = "POST", .target = API_BASE "/session", .body = body};
    const struct ask away = {.method = "DELETE",
                             .target = factor_of(ann),
                             .authorization = "",
                             .body = otp_body(codes[1]),
                             .cookie = door.cookie,
                             .csrf_token = door.csrf,
                             .origin = LAB_ORIGIN};
    ask_at_once(&door, &login, &away, &other);
    assert_int_equal(a.status, 200);
    assert_int_equal(other.status, 403);
}

static void whoever_may_change_a_user_takes_theirs_away(void **state)
{
    (void)state;
    struct door door;
    enrol("ann", ann);
    enter("ann", shown(0), &door);
    const struct ask away = {
        .method = "DELETE", .target = factor_of(ann), .body = "{\"reason\":\"telephone lost\"}"};
    lab_ask(&lab, &away, &a);
    assert_int_equal(a.status, 204);
    assert_int_equal(ask_as(&door, "GET", API_BASE "/session", NULL), 401);
    assert_int_equal(log_in("ann", NULL), 200);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = API_BASE "/audit-trail"}, &a);
    assert_true(has("\"second-factor.removed\"") && has("telephone lost"));
}

static void that_of_whoever_may_approve_is_taken_away_by_two(void **state)
{
    (void)state;
    static const char zoe[] = "Basic em9lOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";
    char id[API_ID_SIZE];
    char approval[API_ID_SIZE];
    char hash[65];
    char body[128];
    enrol("ann", ann);
    add_user("zoe", "OPERATOR", LAB_TENANT, id);
    lab_own_password(&lab, "zoe");
    lab.is_single_person = false;
    lab.has_basic = true;
    lab_reopen_api(&lab);
    lab_ask(&lab, &(struct ask){.method = "DELETE", .target = factor_of(ann)}, &a);
    assert_int_equal(a.status, 202);
    assert_true(has("\"summary\":\"second factor of a user\""));
    take_text("id", approval, sizeof(approval));
    take_text("requestHash", hash, sizeof(hash));
    assert_int_equal(log_in("ann", NULL), 401);
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s/approve", approval);
    const struct ask approve = {
        .method = "POST", .target = path, .body = body, .authorization = zoe};
    lab_ask(&lab, &approve, &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(log_in("ann", NULL), 200);
}

// Who asks, of whom, and what: every row of it.
static void each_caller_gets_as_far_as_it_may(void **state)
{
    (void)state;
    enum { GET, POST, PATCH, DELETE, METHODS };
    static const char *const methods[METHODS] = {"GET", "POST", "PATCH", "DELETE"};
    static const char *const asked[METHODS] = {NULL, "{\"password\":\"x\"}", "{\"otp\":\"123456\"}",
                                               "{\"otp\":\"123456\"}"};
    static const struct {
        const char *name;
        enum user_role role;
        uint64_t tenant;
        unsigned of_ann[METHODS];    // of the operator's enterprise, an OPERATOR, with none
        unsigned of_theirs[METHODS]; // of enterprise 77, an ENTERPRISE_USER, with none
    } rows[] = {
        {"admin", ROLE_PLATFORM_ADMIN, LAB_TENANT, {200, 403, 403, 404}, {200, 403, 403, 404}},
        {"operator", ROLE_OPERATOR, LAB_TENANT, {403, 403, 403, 403}, {403, 403, 403, 403}},
        {"support", ROLE_SUPPORT, LAB_TENANT, {403, 403, 403, 403}, {403, 403, 403, 403}},
        {"chief", ROLE_ENTERPRISE_ADMIN, 77, {404, 404, 404, 404}, {200, 403, 403, 404}},
        {"member", ROLE_ENTERPRISE_USER, 77, {404, 404, 404, 404}, {403, 403, 403, 403}},
        {"inspector", ROLE_INSPECTOR, 77, {404, 404, 404, 404}, {403, 403, 403, 403}},
        {"stranger", ROLE_ENTERPRISE_ADMIN, 78, {404, 404, 404, 404}, {404, 404, 404, 404}},
    };
    struct door theirs_door;
    struct auth_user theirs;
    char id[API_ID_SIZE];
    lab_user(&lab, "theirs", ROLE_ENTERPRISE_USER, 77, &theirs_door);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("theirs"), &theirs), STORE_OK);
    api_id_write(id, "usr", theirs.id);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct door door;
        lab_user(&lab, rows[i].name, rows[i].role, rows[i].tenant, &door);
        for (unsigned m = 0; m < METHODS; m++) {
            assert_int_equal(ask_as(&door, methods[m], factor_of(ann), asked[m]),
                             rows[i].of_ann[m]);
            assert_int_equal(ask_as(&door, methods[m], factor_of(id), asked[m]),
                             rows[i].of_theirs[m]);
        }
    }
    // A client is nobody's account.
    static const unsigned of_client[METHODS] = {200, 403, 403, 404};
    for (unsigned m = 0; m < METHODS; m++) {
        lab_ask(&lab,
                &(struct ask){.method = methods[m], .target = factor_of(ann), .body = asked[m]},
                &a);
        assert_int_equal(a.status, of_client[m]);
    }
}

// Nobody touches the account of somebody with a role that can more.
static void an_enterprises_admin_takes_nothing_from_a_higher_role(void **state)
{
    (void)state;
    struct door door;
    struct door root;
    char id[API_ID_SIZE];
    struct auth_user user;
    add_user("boss", "PLATFORM_ADMIN", LAB_TENANT, id);
    enrol("boss", id);
    lab_user(&lab, "clerk", ROLE_ENTERPRISE_ADMIN, LAB_TENANT, &door);
    assert_int_equal(ask_as(&door, "DELETE", factor_of(id), "{}"), 403);
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &root);
    assert_int_equal(ask_as(&root, "DELETE", factor_of(id), "{}"), 204);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("boss"), &user), STORE_OK);
}

// --- roles that need one ---

static void a_role_that_needs_one_does_nothing_before(void **state)
{
    (void)state;
    struct door door;
    lab.factor_roles = 1u << ROLE_OPERATOR;
    lab.has_basic = true;
    lab_reopen_api(&lab);
    enter("ann", NULL, &door);
    assert_true(has("\"secondFactor\":\"NEEDED\"") && has("\"scopes\":[]"));
    assert_int_equal(ask_as(&door, "GET", API_BASE "/cards", NULL), 403);
    assert_int_equal(ask_as(&door, "GET", API_BASE "/session", NULL), 200);
    assert_true(has("\"secondFactor\":\"NEEDED\"") && has("\"scopes\":[]"));
    const struct ask basic = {.method = "GET", // ann:correct horse battery
                              .target = API_BASE "/cards",
                              .authorization = "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="};
    lab_ask(&lab, &basic, &a);
    assert_int_equal(a.status, 403);
    assert_int_equal(ask_as(&door, "GET", factor_of(ann), NULL), 200);
    assert_true(has("\"needed\":true"));
    enrol("ann", ann);
    enter("ann", shown(0), &door);
    assert_int_equal(ask_as(&door, "GET", API_BASE "/cards", NULL), 200);
    // Another role is asked for nothing.
    char id[API_ID_SIZE];
    add_user("sam", "SUPPORT", LAB_TENANT, id);
    enter("sam", NULL, &door);
    assert_int_equal(ask_as(&door, "GET", API_BASE "/cards", NULL), 200);
}

static void a_session_from_before_the_role_needed_one_does_nothing_more(void **state)
{
    (void)state;
    struct door door;
    enter("ann", NULL, &door);
    lab.factor_roles = 1u << ROLE_OPERATOR;
    lab_reopen_api(&lab);
    assert_int_equal(ask_as(&door, "GET", API_BASE "/cards", NULL), 403);
}

static void basic_is_not_for_who_has_a_second_factor(void **state)
{
    (void)state;
    const struct ask basic = {.method = "GET",
                              .target = API_BASE "/cards",
                              .authorization = "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="};
    lab.has_basic = true;
    lab_reopen_api(&lab);
    lab_ask(&lab, &basic, &a);
    assert_int_equal(a.status, 200);
    enrol("ann", ann);
    lab_ask(&lab, &basic, &a);
    assert_int_equal(a.status, 401); // also while the password is remembered
}

// Whoever has the password guesses codes no faster with it.
static void basic_does_not_make_good_codes_that_were_wrong(void **state)
{
    (void)state;
    const struct ask basic = {.method = "GET",
                              .target = API_BASE "/cards",
                              .authorization = "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="};
    lab.has_basic = true;
    lab_reopen_api(&lab);
    enrol("ann", ann);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(log_in("ann", wrong()), 401);
        pass_time(61000); // a right password is remembered for a minute
        lab_ask(&lab, &basic, &a);
        assert_int_equal(a.status, i < 4 ? 401 : 429);
    }
    assert_int_equal(log_in("ann", shown(0)), 429);
}

// --- what is kept ---

struct seen {
    char body[2048];
};

static bool see(void *context, const struct document *d)
{
    struct seen *s = context;
    (void)snprintf(s->body, sizeof(s->body), "%.*s", (int)d->body.len, (const char *)d->body.at);
    return false;
}

static void what_is_kept_is_sealed_to_its_user(void **state)
{
    (void)state;
    struct seen first;
    struct seen other;
    struct auth_user user;
    char id[API_ID_SIZE];
    add_user("sam", "SUPPORT", LAB_TENANT, id);
    enrol("ann", ann);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("ann"), &user), STORE_OK);
    assert_int_equal(store_document_get(lab.store, FACTOR_KIND, user.id, see, &first), STORE_OK);
    assert_null(strstr(first.body, secret));
    enrol("sam", id);
    // The blob of another is none of this user's.
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("sam"), &user), STORE_OK);
    assert_int_equal(store_document_get(lab.store, FACTOR_KIND, user.id, see, &other), STORE_OK);
    assert_int_equal(strlen(first.body), strlen(other.body));
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_document_delete(lab.store, FACTOR_KIND, user.id), STORE_OK);
    const struct document swapped = {.kind = FACTOR_KIND,
                                     .id = user.id,
                                     .name = id,
                                     .created_at = lab.now.utc,
                                     .changed_at = lab.now.utc,
                                     .body = bytes_of_text(first.body)};
    assert_int_equal(store_document_put(lab.store, &swapped), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    assert_int_not_equal(log_in("sam", shown(0)), 200);
    assert_int_not_equal(log_in("sam", NULL), 200);
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, 9, len);
    return true;
}

static void another_key_seals_it_anew(void **state)
{
    (void)state;
    struct auth_user user;
    struct auth_factor factor;
    uint8_t octets[32] = {1};
    struct crypto *crypto = crypto_open();
    const struct secret_key key = secret_key_of(bytes_of(octets, sizeof(octets)));
    enrol("ann", ann);
    const struct rekey rekey = {.store = lab.store,
                                .crypto = crypto,
                                .old = &lab.client_key,
                                .new = &key,
                                .fill = fill,
                                .now = lab.now.utc};
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(rekey_documents(&rekey), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("ann"), &user), STORE_OK);
    const struct factor_safe old = {crypto, &lab.client_key};
    const struct factor_safe new = {crypto, &key};
    assert_int_equal(auth_factor_get(&old, lab.store, user.id, &factor), STORE_KEYS);
    assert_int_equal(auth_factor_get(&new, lab.store, user.id, &factor), STORE_OK);
    assert_true(factor.is_active);
    assert_int_equal(auth_factor_use(&factor, bytes_of_text(shown(0)), lab.now.utc), FACTOR_CODE);
    crypto_close(crypto);
}

// Whoever sets somebody's password gets not past what that person has besides.
static void another_password_takes_no_factor_away(void **state)
{
    (void)state;
    enrol("ann", ann);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s/password", ann);
    lab_ask(
        &lab,
        &(struct ask){.method = "POST", .target = path, .body = "{\"password\":\"" PASSWORD "\"}"},
        &a);
    assert_int_equal(a.status, 204);
    assert_int_equal(log_in("ann", NULL), 401);
    assert_true(has("OTP_REQUIRED"));
    assert_int_equal(log_in("ann", shown(0)), 200);
}

static void it_goes_with_its_user(void **state)
{
    (void)state;
    struct seen seen;
    struct auth_user user;
    enrol("ann", ann);
    assert_int_equal(auth_user_named(lab.store, bytes_of_text("ann"), &user), STORE_OK);
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s", ann);
    lab_ask(&lab, &(struct ask){.method = "DELETE", .target = path}, &a);
    assert_int_equal(a.status, 204);
    assert_int_equal(store_document_get(lab.store, FACTOR_KIND, user.id, see, &seen), STORE_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_rfc_6238),
        cmocka_unit_test(base32_is_that_of_rfc_4648),
        TEST(from_its_first_code_on_a_factor_is_asked_for),
        TEST(a_code_is_accepted_once),
        TEST(of_two_at_once_with_one_code_one_gets_in),
        TEST(a_log_in_beside_the_first_code_needs_one_too),
        TEST(a_code_may_be_one_step_early_or_late),
        TEST(codes_go_by_the_clock_of_the_world),
        TEST(a_recovery_code_serves_once),
        TEST(a_recovery_code_has_120_bits),
        TEST(a_shorter_code_that_was_given_still_serves),
        TEST(wrong_codes_are_counted_with_wrong_passwords),
        TEST(a_session_cannot_guess),
        TEST(ones_own_is_taken_away_with_a_code),
        TEST(the_first_code_beside_it_must_be_proved_to_take_it_away),
        TEST(a_code_that_was_used_beside_it_takes_nothing_away),
        TEST(whoever_may_change_a_user_takes_theirs_away),
        TEST(that_of_whoever_may_approve_is_taken_away_by_two),
        TEST(each_caller_gets_as_far_as_it_may),
        TEST(an_enterprises_admin_takes_nothing_from_a_higher_role),
        TEST(a_role_that_needs_one_does_nothing_before),
        TEST(a_session_from_before_the_role_needed_one_does_nothing_more),
        TEST(basic_is_not_for_who_has_a_second_factor),
        TEST(basic_does_not_make_good_codes_that_were_wrong),
        TEST(what_is_kept_is_sealed_to_its_user),
        TEST(another_key_seals_it_anew),
        TEST(another_password_takes_no_factor_away),
        TEST(it_goes_with_its_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

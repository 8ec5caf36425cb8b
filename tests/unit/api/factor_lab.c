#include "tests/unit/api/factor_lab.h"

#include <stdio.h>

struct lab lab;
struct answer a;
char ann[API_ID_SIZE], path[128];
char secret[64]; // of the last enrolment, in base32
char codes[FACTOR_CODES][FACTOR_CODE_SIZE];

bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

void pass_time(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

void take_text(const char *member, char *to, size_t size)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "\"%s\":\"", member);
    const char *at = strstr(a.body, name);
    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

void add_user(const char *name, const char *role, uint64_t enterprise, char id[API_ID_SIZE])
{
    char own[API_ID_SIZE];
    char body[512];
    api_id_write(own, "ent", enterprise);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"password\":\"" PASSWORD "\",\"enterpriseId\":\"%s\","
                   "\"role\":\"%s\"}",
                   name, own, role);
    lab_ask(&lab, &(struct ask){.method = "POST", .target = API_BASE "/users", .body = body}, &a);
    assert_int_equal(a.status, 201);
    take_text("id", id, API_ID_SIZE);
}

int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    add_user("ann", "OPERATOR", LAB_TENANT, ann);
    return 0;
}

int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

unsigned log_in(const char *name, const char *otp)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"" PASSWORD "\"%s%s%s}",
                   name, otp != NULL ? ",\"otp\":\"" : "", otp != NULL ? otp : "",
                   otp != NULL ? "\"" : "");
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = API_BASE "/session",
                          .authorization = "",
                          .body = body,
                          .origin = LAB_ORIGIN},
            &a);
    return a.status;
}

void enter(const char *name, const char *otp, struct door *door)
{
    assert_int_equal(log_in(name, otp), 200);
    const char *cookie = strstr(a.headers, "Set-Cookie: ");
    assert_non_null(cookie);
    (void)snprintf(door->cookie, sizeof(door->cookie), "%.*s", (int)strcspn(cookie + 12, ";"),
                   cookie + 12);
    take_text("csrfToken", door->csrf, sizeof(door->csrf));
}

unsigned ask_as(const struct door *door, const char *method, const char *target, const char *body)
{
    pass_time(1000);
    lab_ask_as(&lab, door, method, target, body, &a);
    return a.status;
}

const char *factor_of(const char *user)
{
    (void)snprintf(path, sizeof(path), API_BASE "/users/%s/second-factor", user);
    return path;
}

const char *otp_body(const char *otp)
{
    static char body[128];
    (void)snprintf(body, sizeof(body), "{\"otp\":\"%s\"}", otp);
    return body;
}

// What the app shows `steps` from now [RFC 4648 §6, RFC 6238].
const char *shown(int64_t steps)
{
    static char code[TOTP_CODE_SIZE];
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t octets[TOTP_SECRET_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    uint64_t held = 0;
    unsigned bits = 0;
    for (const char *c = secret; *c != '\0'; c++) {
        held = held << 5 | (uint64_t)(strchr(digits, *c) - digits);
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            writer_u8(&w, (uint8_t)(held >> bits));
        }
    }
    assert_int_equal(w.len, TOTP_SECRET_SIZE);
    const struct utc at = {lab.now.utc.ms - lab.now.ahead_ms + steps * STEP_MS};
    assert_true(totp_code(writer_bytes(&w), totp_step(at), TOTP_DIGITS, code));
    return code;
}

// A code that is none of those of now.
const char *wrong(void)
{
    static char code[TOTP_CODE_SIZE];
    (void)snprintf(code, sizeof(code), "%s", shown(0));
    for (char c = '0'; c <= '9'; c++) {
        code[0] = c;
        if (strcmp(code, shown(-1)) != 0 && strcmp(code, shown(0)) != 0 &&
            strcmp(code, shown(1)) != 0)
            break;
    }
    return code;
}

void begin(const struct door *door, const char *user)
{
    assert_int_equal(ask_as(door, "POST", factor_of(user), "{\"password\":\"" PASSWORD "\"}"), 201);
    take_text("secret", secret, sizeof(secret));
}

// From nothing to recovery codes; the next step has come then.
void enrol(const char *name, const char *user)
{
    struct door door;
    enter(name, NULL, &door);
    begin(&door, user);
    assert_int_equal(ask_as(&door, "PATCH", factor_of(user), otp_body(shown(0))), 200);
    const char *at = strchr(a.body, '[');
    for (size_t i = 0; i < FACTOR_CODES; i++, at += FACTOR_CODE_SIZE + 2)
        (void)snprintf(codes[i], FACTOR_CODE_SIZE, "%.29s", at + 2);
    pass_time(STEP_MS);
}

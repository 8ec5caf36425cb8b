// Clients that prove themselves with keys of their own, which stand in their record or where they
// publish them.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <stdio.h>

#define TOKEN "/oauth2/token"
#define FORM "application/x-www-form-urlencoded"
#define NOW_S 1784894400

static struct lab lab;
static struct answer a;
static char own[API_ID_SIZE], path[256];
static char app_key[32], client_id[API_ID_SIZE];

static int open_with(bool single_person)
{
    lab_open(&lab, "all", single_person);
    api_id_write(own, "ent", LAB_TENANT);
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    return open_with(true);
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void ask_with(const char *token, const char *method, const char *target, const char *body)
{
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

static void ask(const char *method, const char *target, const char *body)
{
    ask_with(NULL, method, target, body);
}

static void ask_form(const char *target, const char *body)
{
    lab_ask(
        &lab,
        &(struct ask){
            .method = "POST", .target = target, .type = FORM, .body = body, .authorization = ""},
        &a);
}

static void take_text(const char *member, char *to, size_t size)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "\"%s\":\"", member);
    const char *at = strstr(a.body, name);
    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static const char *client_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/api-clients/%s%s", client_id, after);
    return path;
}

// Asks for a client with these members besides, and remembers it.
static void add_client(const char *name, const char *mechanism, const char *more)
{
    char body[2048];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"enterpriseId\":\"%s\",\"scopes\":[\"cards:read\"],"
                   "\"mechanisms\":[\"%s\"]%s}",
                   name, own, mechanism, more);
    ask("POST", API_BASE "/api-clients", body);
    assert_int_equal(a.status, 201);
    assert_true(has("\"status\":\"REQUESTED\""));
    take_text("id", client_id, sizeof(client_id));
    take_text("appKey", app_key, sizeof(app_key));
}

static size_t to_base64url(const uint8_t *octets, size_t len, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = 0;
    for (size_t bit = 0; bit < len * 8; bit += 6) {
        unsigned digit = 0;
        for (size_t i = bit; i < bit + 6; i++)
            digit = digit << 1 | (i < len * 8 ? octets[i / 8] >> (7 - i % 8) & 1u : 0u);
        text[n++] = digits[digit];
    }
    text[n] = '\0';
    return n;
}

static EVP_PKEY *make_key(char jwks[512])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    uint8_t octets[32];
    char texts[2][64];
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y), 1);
    assert_int_equal(BN_bn2binpad(x, octets, 32), 32);
    (void)to_base64url(octets, 32, texts[0]);
    assert_int_equal(BN_bn2binpad(y, octets, 32), 32);
    (void)to_base64url(octets, 32, texts[1]);
    BN_free(x);
    BN_free(y);
    (void)snprintf(jwks, 512,
                   ",\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\","
                   "\"x\":\"%s\",\"y\":\"%s\"}]}",
                   texts[0], texts[1]);
    return key;
}

// Appends the signature of what stands in `jwt` [RFC 7518 §3.4].
static void sign(EVP_PKEY *key, char *jwt)
{
    uint8_t der[128];
    const uint8_t *at = der;
    uint8_t pair[64];
    size_t len = sizeof(der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, der, &len, (const uint8_t *)jwt, strlen(jwt)), 1);
    EVP_MD_CTX_free(context);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_non_null(signature);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + 32, 32), 32);
    ECDSA_SIG_free(signature);
    const size_t end = strlen(jwt);
    jwt[end] = '.';
    (void)to_base64url(pair, 64, jwt + end + 1);
}

struct claims {
    const char *header, *audience, *jti;
    int64_t issued, ends;
};

static void ask_with_assertion(EVP_PKEY *key, const struct claims *c)
{
    char claims[512];
    char jwt[2048];
    char body[4096];
    (void)snprintf(claims, sizeof(claims),
                   "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,"
                   "\"exp\":%lld}",
                   app_key, app_key, c->audience, c->jti, (long long)c->issued, (long long)c->ends);
    size_t len = to_base64url((const uint8_t *)c->header, strlen(c->header), jwt);
    jwt[len++] = '.';
    (void)to_base64url((const uint8_t *)claims, strlen(claims), jwt + len);
    sign(key, jwt);
    (void)snprintf(body, sizeof(body),
                   "grant_type=client_credentials&scope=connectivity-management:cards:read"
                   "&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                   "&client_assertion=%s",
                   jwt);
    lab.now.utc.ms = NOW_S * 1000ll;
    lab.now.instant.ms += 2000;
    ask_form(TOKEN, body);
}

#define ENDPOINT "https://api.example.com/oauth2/token"
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define TYPED(type) "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"" type "\"}"

static void an_assertion_serves_once_and_only_if_all_of_it_is_right(void **state)
{
    (void)state;
    char jwks[512];
    char other[512];
    EVP_PKEY *key = make_key(jwks);
    EVP_PKEY *wrong = make_key(other);
    add_client("app", "private_key_jwt", jwks);
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    const struct claims good = {HEADER, ENDPOINT, "j1", NOW_S - 5, NOW_S + 60};
    ask_with_assertion(key, &good);
    assert_int_equal(a.status, 200);
    assert_true(has("\"token_type\":\"Bearer\""));
    const struct claims bad[] = {
        good, // seen before
        {HEADER, "https://elsewhere.example.com/oauth2/token", "j2", NOW_S, NOW_S + 60},
        {HEADER, ENDPOINT, "j3", NOW_S - 400, NOW_S - 31}, // over
        {HEADER, ENDPOINT, "j4", NOW_S, NOW_S + 331},      // too long
        {HEADER, ENDPOINT, "j5", NOW_S + 31, NOW_S + 60},  // not yet
        {HEADER, ENDPOINT, "", NOW_S, NOW_S + 60},
        {"{\"alg\":\"none\"}", ENDPOINT, "j6", NOW_S, NOW_S + 60},
        {"{\"alg\":\"HS256\"}", ENDPOINT, "j7", NOW_S, NOW_S + 60},
        {"{\"alg\":\"ES256\",\"kid\":\"k2\"}", ENDPOINT, "j8", NOW_S, NOW_S + 60},
        {"{\"alg\":\"ES256\",\"crit\":[\"x\"]}", ENDPOINT, "j9", NOW_S, NOW_S + 60},
        {TYPED("at+jwt"), ENDPOINT, "j11", NOW_S, NOW_S + 60}, // another kind of token
        {TYPED("dpop+jwt"), ENDPOINT, "j12", NOW_S, NOW_S + 60},
        {TYPED(""), ENDPOINT, "j13", NOW_S, NOW_S + 60},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ask_with_assertion(key, &bad[i]);
        assert_int_equal(a.status, 401);
        assert_true(has("\"error\":\"invalid_client\""));
    }
    const struct claims fresh = {HEADER, "https://api.example.com", "j10", NOW_S, NOW_S + 300};
    ask_with_assertion(wrong, &fresh);
    assert_int_equal(a.status, 401);
    ask_with_assertion(key, &fresh); // the issuer is an audience, too
    assert_int_equal(a.status, 200);
    const struct claims typed = {TYPED("JWT"), ENDPOINT, "j14", NOW_S, NOW_S + 60};
    ask_with_assertion(key, &typed);
    assert_int_equal(a.status, 200);
    const struct claims named = {TYPED("client-authentication+jwt"), ENDPOINT, "j15", NOW_S,
                                 NOW_S + 60};
    ask_with_assertion(key, &named);
    assert_int_equal(a.status, 200);
    EVP_PKEY_free(key);
    EVP_PKEY_free(wrong);
}

// What a header says of keys is nobody's word [RFC 7515 §4.1.2, §4.1.3, §4.1.5].
static void a_key_that_an_assertion_brings_along_is_none(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"jwk\":", "\"jku\":\"https://keys.example.com/\",\"x\":",
        "\"x5u\":\"https://keys.example.com/\",\"x\":"};
    char jwks[512];
    char other[512];
    EVP_PKEY *key = make_key(jwks);
    EVP_PKEY *wrong = make_key(other);
    add_client("app", "private_key_jwt", jwks);
    ask("POST", client_path("/approve"), NULL);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char header[1024];
        char jti[8];
        const char *own_key = strstr(other, "{\"kty\"");
        (void)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",%s%.*s}", members[i],
                       (int)(strstr(own_key, "]}") - own_key), own_key);
        (void)snprintf(jti, sizeof(jti), "b%zu", i);
        const struct claims brought = {header, ENDPOINT, jti, NOW_S, NOW_S + 60};
        ask_with_assertion(wrong, &brought);
        assert_int_equal(a.status, 401);
        ask_with_assertion(key, &brought); // which itself harms nobody
        assert_int_equal(a.status, 200);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(wrong);
}

// The key of make_key() alone, with another name.
static const char *only_key(const char *jwks, const char *kid, char key[512])
{
    const char *start = strstr(jwks, "{\"kty\"");
    const char *name = strstr(jwks, "\"kid\":\"k1\"");
    const char *end = strstr(jwks, "]}");
    assert_true(start != NULL && name != NULL && end != NULL);
    (void)snprintf(key, 512, "%.*s\"kid\":\"%s\"%.*s", (int)(name - start), start, kid,
                   (int)(end - name - 10), name + 10);
    return key;
}

static void keys_stand_side_by_side_while_a_client_changes_them(void **state)
{
    (void)state;
    char old_jwks[512];
    char new_jwks[512];
    char one[512];
    char two[512];
    char body[2048];
    EVP_PKEY *old = make_key(old_jwks);
    EVP_PKEY *new = make_key(new_jwks);
    const struct claims by_old = {HEADER, ENDPOINT, "j1", NOW_S, NOW_S + 60};
    const struct claims by_new = {"{\"alg\":\"ES256\",\"kid\":\"k2\"}", ENDPOINT, "j2", NOW_S,
                                  NOW_S + 60};
    struct claims c = by_old;
    add_client("app", "private_key_jwt", old_jwks);
    ask("POST", client_path("/approve"), NULL);
    ask_with_assertion(old, &c);
    assert_int_equal(a.status, 200);
    (void)snprintf(body, sizeof(body), "{\"jwks\":{\"keys\":[%s,%s]}}",
                   only_key(old_jwks, "k1", one), only_key(new_jwks, "k2", two));
    ask("PATCH", client_path(""), body);
    assert_true(has("\"status\":\"REQUESTED\"")); // another person looks at the new key
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
    c.jti = "j3";
    ask_with_assertion(old, &c);
    assert_int_equal(a.status, 200);
    ask_with_assertion(new, &by_new);
    assert_int_equal(a.status, 200);
    c.jti = "j4"; // a key under the name of the other
    ask_with_assertion(new, &c);
    assert_int_equal(a.status, 401);
    (void)snprintf(body, sizeof(body), "{\"jwks\":{\"keys\":[%s]}}", two);
    ask("PATCH", client_path(""), body);
    ask("POST", client_path("/approve"), NULL);
    c.jti = "j5";
    ask_with_assertion(old, &c);
    assert_int_equal(a.status, 401);
    c = by_new;
    c.jti = "j6";
    ask_with_assertion(new, &c);
    assert_int_equal(a.status, 200);
    EVP_PKEY_free(old);
    EVP_PKEY_free(new);
}

// --- keys that a client publishes ---

static struct {
    unsigned count;
    uint64_t ticket;
    char url[256];
    bool is_full;
} asked;

static bool fetch(void *context, uint64_t ticket, const char *url, const struct sink_url *parts)
{
    (void)context;
    assert_true(bytes_equal(parts->host, bytes_of_text("keys.example.com")));
    asked.count++;
    asked.ticket = ticket;
    (void)snprintf(asked.url, sizeof(asked.url), "%s", url);
    return !asked.is_full;
}

#define KEYS_URL "https://keys.example.com/set"

static void open_published(void)
{
    memset(&asked, 0, sizeof(asked));
    lab.fetch_keys = fetch;
    lab_reopen_api(&lab);
    add_client("app", "private_key_jwt", ",\"jwksUri\":\"" KEYS_URL "\"");
    assert_true(has("\"jwksUri\":\"" KEYS_URL "\"") && !has("\"jwks\":"));
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(a.status, 200);
}

static void publish(unsigned status, const char *keys)
{
    char text[2048];
    (void)snprintf(text, sizeof(text), "{\"keys\":[%s]}", keys);
    api_keys_answered(lab.api, asked.ticket, status, bytes_of_text(text), lab.now.instant);
}

// An assertion that was never sent before.
static unsigned assert_with(EVP_PKEY *key, const char *kid)
{
    static unsigned count;
    char header[64];
    char jti[32];
    (void)snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
    (void)snprintf(jti, sizeof(jti), "p%u", ++count);
    const struct claims c = {header, ENDPOINT, jti, NOW_S, NOW_S + 60};
    ask_with_assertion(key, &c);
    return a.status;
}

static void pass_time(uint64_t ms)
{
    lab.now.instant.ms += ms;
}

static void keys_are_read_where_a_client_publishes_them(void **state)
{
    (void)state;
    char jwks[512];
    char other_jwks[512];
    char one[512];
    char two[512];
    EVP_PKEY *first = make_key(jwks);
    EVP_PKEY *second = make_key(other_jwks);
    (void)only_key(jwks, "k1", one);
    (void)only_key(other_jwks, "k2", two);
    open_published();
    assert_int_equal(assert_with(first, "k1"), 503);
    assert_non_null(strstr(a.headers, "Retry-After: 1\n"));
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.url, KEYS_URL);
    assert_int_equal(assert_with(first, "k1"), 503);
    assert_int_equal(asked.count, 1); // one answer is awaited
    publish(200, one);
    assert_int_equal(assert_with(first, "k1"), 200);
    assert_int_equal(assert_with(second, "k2"), 401);
    assert_int_equal(asked.count, 1); // it was asked just now
    pass_time(KEYS_AGAIN_MS);
    assert_int_equal(assert_with(second, "k2"), 503); // it may be new
    assert_int_equal(assert_with(first, "k1"), 200);  // meanwhile
    publish(200, two);
    assert_int_equal(assert_with(second, "k2"), 200);
    assert_int_equal(assert_with(first, "k1"), 401); // published no more
    assert_int_equal(asked.count, 2);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
}

static void nobody_makes_the_server_ask_more_than_once_a_minute(void **state)
{
    (void)state;
    char jwks[512];
    EVP_PKEY *key = make_key(jwks);
    open_published();
    for (unsigned i = 0; i < 40; i++) {
        (void)assert_with(key, "k9"); // 2 s apart
        publish(i % 2 == 0 ? 500 : 200, "nonsense");
    }
    assert_int_equal(asked.count, 2);
    pass_time(KEYS_AGAIN_MS);
    asked.is_full = true; // it cannot be asked now, so nobody can tell
    assert_int_equal(assert_with(key, "k9"), 503);
    asked.is_full = false;
    assert_int_equal(assert_with(key, "k9"), 503);
    assert_int_equal(asked.count, 4); // as soon as it can
    EVP_PKEY_free(key);
}

// Else many clients would make one ask a client's URL more than once a minute.
static void no_row_gives_way_that_waits_or_asked_a_moment_ago(void **state)
{
    (void)state;
    static struct key_sets k;
    static struct auth_client c;
    struct instant now = {1000000};
    memset(&asked, 0, sizeof(asked));
    k = (struct key_sets){.fetch = fetch};
    c = (struct auth_client){.jwks_uri = KEYS_URL};
    for (c.id = 1; c.id <= KEYS_MAX; c.id++)
        assert_true(keys_ask(&k, &c, now));
    assert_true(keys_ask(&k, &c, now)); // all wait, and so does this one
    assert_int_equal(asked.count, KEYS_MAX);
    for (uint64_t ticket = 2; ticket <= KEYS_MAX; ticket++)
        keys_answered(&k, ticket, 200, bytes_of_text("{\"keys\":[]}"), now);
    now.ms += KEYS_AGAIN_MS - 1;
    assert_true(keys_ask(&k, &c, now));
    assert_int_equal(asked.count, KEYS_MAX);
    now.ms++;
    assert_true(keys_ask(&k, &c, now));
    assert_int_equal(asked.count, KEYS_MAX + 1);
    c.id = 1;
    assert_true(keys_ask(&k, &c, now)); // its answer is still awaited
    assert_int_equal(asked.count, KEYS_MAX + 1);
}

static void what_was_read_serves_an_hour_and_is_read_anew_before(void **state)
{
    (void)state;
    char jwks[512];
    char one[512];
    EVP_PKEY *key = make_key(jwks);
    (void)only_key(jwks, "k1", one);
    open_published();
    (void)assert_with(key, "k1");
    publish(200, one);
    pass_time(KEYS_SOON_MS);
    assert_int_equal(assert_with(key, "k1"), 200);
    assert_int_equal(asked.count, 2); // beside it
    publish(0, "");
    pass_time(KEYS_LIFE_MS - KEYS_SOON_MS - 10000);
    assert_int_equal(assert_with(key, "k1"), 200); // they do not answer now
    publish(404, "");
    pass_time(KEYS_AGAIN_MS);
    assert_int_equal(assert_with(key, "k1"), 503);
    publish(0, "");
    assert_int_equal(assert_with(key, "k1"), 401);
    EVP_PKEY_free(key);
}

static void keys_stand_in_the_record_or_elsewhere(void **state)
{
    (void)state;
    char jwks[512];
    char body[1024];
    EVP_PKEY *key = make_key(jwks);
    open_published();
    (void)snprintf(body, sizeof(body), "{\"jwksUri\":\"" KEYS_URL "\"%s}", jwks);
    ask("PATCH", client_path(""), body);
    assert_int_equal(a.status, 400);
    ask("PATCH", client_path(""), "{\"jwksUri\":\"http://keys.example.com/set\"}");
    assert_int_equal(a.status, 400);
    ask("PATCH", client_path(""), "{\"jwksUri\":\"https://keys.example.com/other\"}");
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"REQUESTED\""));
    (void)snprintf(body, sizeof(body), "{%s}", jwks + 1);
    ask("PATCH", client_path(""), body);
    assert_int_equal(a.status, 200);
    assert_true(has("\"jwks\":{") && !has("jwksUri"));
    ask("POST", client_path("/approve"), NULL);
    assert_int_equal(assert_with(key, "k1"), 200);
    assert_int_equal(asked.count, 0);
    EVP_PKEY_free(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_assertion_serves_once_and_only_if_all_of_it_is_right),
        TEST(a_key_that_an_assertion_brings_along_is_none),
        TEST(keys_stand_side_by_side_while_a_client_changes_them),
        TEST(keys_are_read_where_a_client_publishes_them),
        TEST(no_row_gives_way_that_waits_or_asked_a_moment_ago),
        TEST(nobody_makes_the_server_ask_more_than_once_a_minute),
        TEST(what_was_read_serves_an_hour_and_is_read_anew_before),
        TEST(keys_stand_in_the_record_or_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

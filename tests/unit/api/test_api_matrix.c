// Every route under every condition that all routes share: who asks, what with, how often.
#include "common/base/text.h"
#include "ota-server/service/api_esim.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define BODY(route, text)                                                                          \
    {                                                                                              \
        API_BASE route, text                                                                       \
    }

#define HASH "\"requestHash\":\"0000000000000000000000000000000000000000000000000000000000000000\""

// Bodies that are right for routes that take one.
static const struct {
    const char *path, *body;
} bodies[] = {
    BODY("/setup", "{\"token\":\"x\",\"username\":\"x\",\"password\":\"twelve octets\","
                   "\"enterprise\":{\"name\":\"x\",\"region\":\"x\",\"timeZone\":\"UTC\"}}"),
    BODY("/session", "{\"username\":\"x\",\"password\":\"x\"}"),
    BODY("/api-clients/*", "{\"name\":\"y\"}"),
    BODY("/api-clients/*/revoke", "{\"reason\":\"x\"}"),
    BODY("/enterprises", "{\"name\":\"x\",\"kind\":\"ENTERPRISE\",\"region\":\"x\","
                         "\"timeZone\":\"UTC\"}"),
    BODY("/enterprises/*", "{\"name\":\"y\"}"),
    BODY("/users/*", "{\"displayName\":\"y\"}"),
    BODY("/users/*/password", "{\"password\":\"twelve octets\"}"),
    BODY("/users/*/second-factor", "{\"password\":\"twelve octets\"}"),
    BODY("/cards/export", "{\"reason\":\"x\"}"),
    BODY("/operations/export", "{\"reason\":\"x\"}"),
    BODY("/cards/search", "{\"any\":\"8999\"}"),
    BODY("/cards/*", "{\"note\":\"x\"}"),
    BODY("/cards/*/reveal", "{\"fields\":[\"iccid\"],\"reason\":\"x\"}"),
    BODY("/cards/*/operations", "{\"type\":\"audit\"}"),
    BODY("/cards/*/dirty", "{\"reason\":\"x\"}"),
    BODY("/cards/*/quarantine", "{\"reason\":\"x\"}"),
    BODY("/batch-imports/*/apply", "{\"reason\":\"x\"}"),
    BODY("/approvals/*/approve", "{" HASH "}"),
    BODY("/approvals/*/reject", "{" HASH "}"),
    BODY("/permissions/*/*", "{\"operations\":[\"card.read\"],\"reason\":\"x\"}"),
    BODY("/campaigns",
         "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"target\":{\"filter\":{}},"
         "\"rate\":{\"perSecond\":1}}"),
    BODY("/campaigns/*", "{\"rate\":{\"perSecond\":2}}"),
    BODY("/card-groups", "{\"name\":\"x\"}"),
    BODY("/card-groups/*", "{\"name\":\"y\"}"),
    BODY("/card-groups/*/rules", "{\"reason\":\"x\"}"),
    BODY("/event-sinks", "{\"sink\":\"https://events.example.com/\","
                         "\"types\":[\"ota.connectivity-management.v1.switched\"]}"),
    BODY("/event-sinks/*", "{\"status\":\"OK\"}"),
    BODY("/subscription-pools", "{\"name\":\"x\",\"operator\":\"x\",\"templateId\":1}"),
    BODY("/subscription-pools/*", "{\"name\":\"y\"}"),
    BODY("/subscriptions/*", "{\"state\":\"FREE\"}"),
    BODY("/subscriptions/search", "{\"imsi\":\"00101\"}"),
    BODY("/profile-templates", "{\"templateId\":1,\"name\":\"x\",\"files\":[{\"fileId\":\"6F07\","
                               "\"content\":\"{IMSI}\"}]}"),
    BODY("/profile-templates/*/versions",
         "{\"templateId\":2,\"files\":[{\"fileId\":\"6F07\",\"content\":\"00\"}]}"),
    BODY("/profile-templates/*/estimate", "{\"values\":{\"imsi\":\"001010000000001\"}}"),
    BODY("/transport-keys", "{\"index\":1,\"algorithm\":\"AES128-CBC\"}"),
    BODY("/transport-keys/*/components",
         "{\"component\":\"00112233445566778899AABBCCDDEEFF\",\"kcv\":\"3544E0\"}"),
    BODY("/dirty-cards/*/resolve", "{\"decision\":\"ACCEPT_CARD\",\"reason\":\"x\"}"),
    BODY("/reports", "{\"type\":\"INVENTORY\",\"from\":\"2026-01-01T00:00:00Z\","
                     "\"to\":\"2026-07-01T00:00:00Z\"}"),
    BODY("/reports/*", "{\"texts\":{\"6\":\"x\"}}"),
    BODY("/metering/tariffs",
         "{\"validFrom\":\"2030-01\",\"api\":\"E\",\"operationClass\":\"QUERY\","
         "\"unit\":\"x\",\"tiers\":[{\"from\":1,\"unitPrice\":1}]}"),
    BODY("/audit-trail/export", "{\"reason\":\"x\"}"),
    {ESIM_BASE "/download", "{\"esimProfile\":{\"eid\":\"89049999000000000000000000000187\"},"
                            "\"activationCode\":\"LPA:1$api.example.com$A\"}"},
    {ESIM_BASE "/enable", "{\"esimProfile\":{\"iccid\":\"89999000000000000012\"}}"},
    {ESIM_BASE "/disable", "{\"esimProfile\":{\"iccid\":\"89999000000000000012\"}}"},
    {ESIM_BASE "/delete", "{\"esimProfile\":{\"iccid\":\"89999000000000000012\"}}"},
    {ESIM_BASE "/set-fallback", "{\"esimProfile\":{\"iccid\":\"89999000000000000012\"}}"},
    {ESIM_BASE "/retrieve-status", "{\"esimProfile\":{\"iccid\":\"89999000000000000012\"}}"},
};

// Prefixes of the ids behind each collection.
static const struct {
    const char *collection, *prefix;
} prefixes[] = {
    {"/api-clients/*", "cli"},    {"/enterprises/*", "ent"},
    {"/users/*", "usr"},          {"/cards/*", "crd"},
    {"/bootstrap-jobs/*", "job"}, {"/approvals/*", "apr"},
    {"/alarms/*", "alm"},         {"/permissions/*", "ent"},
    {"/campaigns/*", "cmp"},      {"/card-groups/*", "grp"},
    {"/operations/*", "op"},      {"/subscription-pools/*", "pol"},
    {"/subscriptions/*", "sub"},  {"/profile-templates/*", "tpl"},
    {"/batch-imports/*", "imp"},  {"/vendor-profiles/*", "rec"},
    {"/transport-keys/*", "rec"}, {"/dirty-cards/*", "crd"},
    {"/cards/moves/*", "mov"},    {"/reports/*", "rpt"},
    {"/event-sinks/*", "snk"},    {"/event-deliveries/*", "dlv"},
    {"/uploads/*", "upl"},
};

#define NOBODYS_ID 0x1234567890ABCDEull

static struct lab lab;
static struct answer a;
static char profile[65536];
static char user[256], client[256], subscription[256], start[64], move[128];

static int open_all(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    lab.has_refusals_only = true;
    FILE *file = fopen("profiles/vendor/samples/alder.json", "rb");
    assert_non_null(file);
    profile[fread(profile, 1, sizeof(profile) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    char id[API_ID_SIZE];
    api_id_write(id, "crd", NOBODYS_ID);
    (void)snprintf(start, sizeof(start), "{\"cardId\":\"%s\"}", id);
    api_id_write(id, "grp", NOBODYS_ID);
    (void)snprintf(move, sizeof(move), "{\"target\":{\"filter\":{}},\"groupId\":\"%s\"}", id);
    api_id_write(id, "ent", LAB_TENANT);
    (void)snprintf(user, sizeof(user),
                   "{\"username\":\"x\",\"role\":\"INSPECTOR\",\"enterpriseId\":\"%s\"}", id);
    (void)snprintf(client, sizeof(client),
                   "{\"name\":\"x\",\"scopes\":[\"cards:read\"],\"mechanisms\":[\"hmac\"],"
                   "\"enterpriseId\":\"%s\"}",
                   id);
    api_id_write(id, "pol", NOBODYS_ID);
    (void)snprintf(subscription, sizeof(subscription),
                   "{\"poolId\":\"%s\",\"imsi\":\"001010000000009\"}", id);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static const char *method_of(const struct api_route_row *row)
{
    return row->method == API_GET     ? "GET"
           : row->method == API_POST  ? "POST"
           : row->method == API_PUT   ? "PUT"
           : row->method == API_PATCH ? "PATCH"
                                      : "DELETE";
}

// The path with an id that has the right form and belongs to nobody.
static const char *target_of(const struct api_route_row *row, const char *query)
{
    static char target[256];
    struct writer w = writer_of(target, sizeof(target));
    char id[API_ID_SIZE] = "999999";
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strstr(row->path, prefixes[i].collection) != NULL)
            api_id_write(id, prefixes[i].prefix, NOBODYS_ID);
    }
    for (const char *c = row->path; *c != '\0'; c++) {
        if (*c == '*')
            text_put(&w, id);
        else
            writer_u8(&w, (uint8_t)*c);
    }
    text_put(&w, query);
    return text_end(&w);
}

static const char *body_of(const struct api_route_row *row)
{
    if (row->takes == TAKES_FORM)
        return "grant_type=client_credentials";
    if (row->takes == TAKES_FILE)
        return "x";
    if (strstr(row->path, "/vendor-profiles") != NULL && row->takes != TAKES_NOTHING)
        return profile;
    if (strcmp(row->path, API_BASE "/card-groups/*/bootstrap-jobs") == 0 &&
        row->takes != TAKES_NOTHING)
        return start;
    if (strcmp(row->path, API_BASE "/cards/moves") == 0 && row->takes != TAKES_NOTHING)
        return move;
    if (strcmp(row->path, API_BASE "/users") == 0 && row->takes != TAKES_NOTHING)
        return user;
    if (strcmp(row->path, API_BASE "/api-clients") == 0 && row->takes != TAKES_NOTHING)
        return client;
    if (strcmp(row->path, API_BASE "/subscriptions") == 0 && row->takes != TAKES_NOTHING)
        return subscription;
    if (strcmp(row->path, API_BASE "/users/*/second-factor") == 0 && row->takes == TAKES_MERGE)
        return "{\"otp\":\"123456\"}";
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        if (row->takes != TAKES_NOTHING && row->takes != TAKES_MAYBE &&
            strcmp(bodies[i].path, row->path) == 0)
            return bodies[i].body;
    }
    // Every route that takes a body has one here.
    assert_true(row->takes == TAKES_NOTHING || row->takes == TAKES_MAYBE);
    return row->takes == TAKES_MAYBE ? "{}" : NULL;
}

static const char *type_of(const struct api_route_row *row)
{
    return row->takes == TAKES_FORM   ? "application/x-www-form-urlencoded"
           : row->takes == TAKES_FILE ? "text/plain"
                                      : "application/json";
}

static struct ask ask_for(const struct api_route_row *row, const char *query)
{
    return (struct ask){.method = method_of(row),
                        .target = target_of(row, query),
                        .body = body_of(row),
                        .type = type_of(row),
                        .key = (row->flags & ROUTE_NEEDS_KEY) != 0 ? "matrix-0001" : NULL};
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static void expect(const struct api_route_row *row, unsigned status, const char *code)
{
    if (a.status != status || !has(code))
        fail_msg("%s %s: %u instead of %u %s: %s", method_of(row), row->path, a.status, status,
                 code, a.body);
}

static const char import_query[] = "?vendorProfile=nobody";

// What the routes of imports want besides.
static const char *query_of_route(const struct api_route_row *row)
{
    return strcmp(row->path, API_BASE "/batch-imports") == 0 && row->takes == TAKES_FILE
               ? import_query
               : "";
}

static void pass_time(void)
{
    lab.now.utc.ms += 1000; // so that no rate is in the way
    lab.now.instant.ms += 1000;
}

static void each_route_wants_to_know_who_asks(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        struct ask ask = ask_for(&api_routes[i], "");
        ask.authorization = "Bearer nobody";
        pass_time();
        lab_ask(&lab, &ask, &a);
        if ((api_routes[i].flags & ROUTE_OPEN) == 0)
            expect(&api_routes[i], 401, "UNAUTHENTICATED");
        else
            assert_true(a.status != 200 || api_routes[i].method == API_GET);
    }
}

// --- credentials that are none ---

struct credential {
    const char *what;
    const char *authorization, *cookie, *csrf;
    bool is_twice;
    const uint8_t *certificate_sha256; // NULL: none
};

// Ways in that were good once, or never were. Each is dead when the routes are asked.
static struct {
    char ended[LAB_TOKEN_SIZE], revoked[LAB_TOKEN_SIZE], suspended[LAB_TOKEN_SIZE];
    char bound[LAB_TOKEN_SIZE]; // to the certificate of 32 octets 0
    struct door ended_door, idle, locked, expired, alive;
} once;

static void change_user(const char *username, bool is_locked, struct utc expires_at)
{
    struct auth_user found;
    assert_int_equal(auth_user_named(lab.store, bytes_of_text(username), &found), STORE_OK);
    found.is_locked = is_locked;
    found.expires_at = expires_at;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(auth_user_put(lab.store, &found, lab.now.utc), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void end_client(const char *token, enum auth_client_status status)
{
    struct auth_client found;
    assert_int_equal(auth_token_find(lab.store, NULL, bytes_of_text(token + strlen("Bearer ")),
                                     lab.now.utc, &found),
                     STORE_OK);
    found.status = (uint8_t)status;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(auth_client_put(lab.store, &found, lab.now.utc), STORE_OK);
    assert_int_equal(auth_end_all(lab.store, "token", found.id, 0), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

// A token as the endpoint gives them to who shows a certificate.
static void make_bound(char token[LAB_TOKEN_SIZE])
{
    static const char text[] = "bound-bound-bound-bound-bound-bound-bound-1";
    static const uint8_t digest[32];
    struct auth_client found;
    assert_int_equal(
        auth_client_by_key(lab.store, NULL, bytes_of_text(lab.credentials.app_key), &found),
        STORE_OK);
    auth_certificate_digest(digest, found.token_certificate);
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(
        auth_token_put(lab.store, turn_id(lab.turn, lab.now.utc), &found, text,
                       bytes_of_text("connectivity-management:cards:read"),
                       utc_after(lab.now.utc, 7ll * 24 * 3600 * 1000)), // past the end of the test
        STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    (void)snprintf(token, LAB_TOKEN_SIZE, "Bearer %s", text);
}

static void let_time_pass(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
}

static void make_what_was_good_once(void)
{
    lab_client(&lab, "all", LAB_TENANT, once.ended);
    lab_user(&lab, "early", ROLE_PLATFORM_ADMIN, LAB_TENANT, &once.ended_door);
    let_time_pass(SESSION_LIFE_MS + 1000);
    lab_user(&lab, "idle", ROLE_PLATFORM_ADMIN, LAB_TENANT, &once.idle);
    let_time_pass(SESSION_IDLE_MS + 1000);
    lab_client(&lab, "all", LAB_TENANT, once.revoked);
    end_client(once.revoked, CLIENT_REVOKED);
    lab_client(&lab, "all", LAB_TENANT, once.suspended);
    end_client(once.suspended, CLIENT_SUSPENDED);
    lab_user(&lab, "locked", ROLE_PLATFORM_ADMIN, LAB_TENANT, &once.locked);
    change_user("locked", true, (struct utc){0});
    lab_user(&lab, "expired", ROLE_PLATFORM_ADMIN, LAB_TENANT, &once.expired);
    change_user("expired", false, lab.now.utc);
    lab_user(&lab, "alive", ROLE_PLATFORM_ADMIN, LAB_TENANT, &once.alive);
    make_bound(once.bound);
}

static void no_route_takes_a_credential_that_is_none(void **state)
{
    (void)state;
    make_what_was_good_once();
    static const uint8_t another[32] = {1};
    const struct credential credentials[] = {
        {"nothing", "", NULL, NULL, false, NULL},
        {"an unknown token", "Bearer nobody", NULL, NULL, false, NULL},
        {"a token that has ended", once.ended, NULL, NULL, false, NULL},
        {"a token of a client that was revoked", once.revoked, NULL, NULL, false, NULL},
        {"a token of a client that was suspended", once.suspended, NULL, NULL, false, NULL},
        {"a bound token without its certificate", once.bound, NULL, NULL, false, NULL},
        {"a bound token with another certificate", once.bound, NULL, NULL, false, another},
        {"two headers", lab.token, NULL, NULL, true, NULL},
        {"a password while Basic is off", "Basic cm9vdDp4", NULL, NULL, false, NULL},
        {"a signature of nobody",
         "OTA1-HMAC-SHA256 appKey=AAAAAAAAAAAAAAAAAAAA,ts=1784894400,nonce=9f2c4e7ab1d05583,"
         "signature=c5d6fe3e1df6f8850050df2fea2555c6728e379982717a1bd04bc365c6ebcabd",
         NULL, NULL, false, NULL},
        {"an unknown cookie", "", "__Host-session=nobody", once.alive.csrf, false, NULL},
        {"a session that has ended", "", once.ended_door.cookie, once.ended_door.csrf, false, NULL},
        {"a session that was idle", "", once.idle.cookie, once.idle.csrf, false, NULL},
        {"a session of who was locked", "", once.locked.cookie, once.locked.csrf, false, NULL},
        {"a session of who has expired", "", once.expired.cookie, once.expired.csrf, false, NULL},
        {"a good session beside a bad header", "Bearer nobody", once.alive.cookie, once.alive.csrf,
         false, NULL},
        {"a cookie of the other name", "", once.alive.cookie + strlen("__Host-"), once.alive.csrf,
         false, NULL},
    };
    for (size_t i = 0; i < api_route_count; i++) {
        for (size_t k = 0; k < sizeof(credentials) / sizeof(credentials[0]); k++) {
            const struct credential *c = &credentials[k];
            struct ask ask = ask_for(&api_routes[i], query_of_route(&api_routes[i]));
            ask.authorization = c->authorization;
            ask.cookie = c->cookie;
            ask.csrf_token = c->csrf;
            ask.origin = LAB_ORIGIN;
            ask.is_twice = c->is_twice;
            ask.certificate_sha256 = c->certificate_sha256;
            if ((api_routes[i].flags & ROUTE_OPEN) != 0)
                break;
            pass_time();
            lab_ask(&lab, &ask, &a);
            // One answer, whatever the reason: nobody learns how near they were.
            if (a.status != 401 ||
                !has("\"message\":\"Request not authenticated due to missing, "
                     "invalid, or expired credentials: log in, or ask for a new token\"}") ||
                strstr(a.headers, "WWW-Authenticate: Bearer\n") == NULL)
                fail_msg("%s %s took %s: %u %s", method_of(&api_routes[i]), api_routes[i].path,
                         c->what, a.status, a.body);
        }
    }
}

// With a session every change needs its token and our own page.
static void no_route_is_changed_by_a_page_of_somebody_else(void **state)
{
    (void)state;
    struct door door;
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &door);
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        if ((row->flags & ROUTE_OPEN) != 0 || row->method == API_GET)
            continue;
        for (unsigned k = 0; k < 4; k++) {
            struct ask ask = ask_for(row, query_of_route(row));
            ask.authorization = "";
            ask.cookie = door.cookie;
            ask.csrf_token = k == 0 ? NULL : k == 1 ? "nobody" : door.csrf;
            ask.origin = k == 2 ? "https://evil.example.com" : k == 3 ? NULL : LAB_ORIGIN;
            pass_time();
            lab_ask(&lab, &ask, &a);
            expect(row, 403, "PERMISSION_DENIED");
        }
    }
}

static void each_route_wants_its_own_scope(void **state)
{
    (void)state;
    // A client with every scope but that of the route.
    for (size_t i = 0; i < api_route_count; i++) {
        char list[2048];
        char token[LAB_TOKEN_SIZE];
        struct writer w = writer_of(list, sizeof(list));
        const char *scope = api_routes[i].scope;
        if (scope == NULL)
            continue;
        for (size_t k = 0; client_scopes[k] != NULL; k++) {
            if (strcmp(client_scopes[k], scope) == 0)
                continue;
            text_put(&w, w.len == 0 ? "" : ",");
            text_put(&w, client_scopes[k]);
        }
        pass_time();
        lab_client(&lab, text_end(&w), LAB_TENANT, token);
        struct ask ask = ask_for(&api_routes[i], query_of_route(&api_routes[i]));
        ask.authorization = token;
        lab_ask(&lab, &ask, &a);
        expect(&api_routes[i], 403, "PERMISSION_DENIED");
    }
}

static void each_id_of_nobody_is_not_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        if (strchr(api_routes[i].path, '*') == NULL && api_routes[i].takes != TAKES_FILE)
            continue;
        struct ask ask = ask_for(&api_routes[i], query_of_route(&api_routes[i]));
        pass_time();
        lab_ask(&lab, &ask, &a);
        expect(&api_routes[i], 404, "NOT_FOUND");
        if (strchr(api_routes[i].path, '*') == NULL)
            continue;
        char damaged[256];
        struct writer w = writer_of(damaged, sizeof(damaged));
        text_put(&w, ask.target);
        // A digit of the id that is mistyped.
        char *digit = strchr(text_end(&w), '_');
        if (digit == NULL)
            continue;
        digit[26] = digit[26] == '0' ? '1' : '0';
        ask.target = damaged;
        lab_ask(&lab, &ask, &a);
        expect(&api_routes[i], 404, "NOT_FOUND");
    }
}

static void each_route_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        pass_time();
        struct ask ask = ask_for(row, *query_of_route(row) != '\0' ? "?vendorProfile=x&colour=red"
                                                                   : "?colour=red");
        if ((row->flags & ROUTE_OPEN) != 0)
            ask.correlator = "a b"; // these have no parameters to misspell
        lab_ask(&lab, &ask, &a);
        expect(row, 400, row->takes == TAKES_FORM ? "" : "INVALID_ARGUMENT");
    }
}

static void each_route_refuses_types_that_it_does_not_have(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        pass_time();
        struct ask ask = ask_for(row, query_of_route(row));
        ask.accept = "image/png";
        lab_ask(&lab, &ask, &a);
        expect(row, 406, "NOT_ACCEPTABLE");
        if (row->takes == TAKES_NOTHING)
            continue;
        ask = ask_for(row, query_of_route(row));
        ask.type = "image/png";
        ask.body = "x";
        lab_ask(&lab, &ask, &a);
        expect(row, 415, "UNSUPPORTED_MEDIA_TYPE");
        ask = ask_for(row, query_of_route(row));
        ask.is_too_large = true;
        lab_ask(&lab, &ask, &a);
        expect(row, 413, "INVALID_ARGUMENT");
    }
}

static void each_route_but_those_that_watch_is_limited(void **state)
{
    (void)state;
    pass_time();
    for (unsigned i = 0; i < 70 && a.status != 429; i++) {
        struct api_exchange *x = lab_start(
            &lab, &(struct ask){.method = "GET", .target = API_BASE "/cards", .authorization = "x"},
            &a);
        lab_forget(x);
    }
    assert_int_equal(a.status, 429);
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        const struct ask ask = ask_for(row, "");
        struct api_exchange *x = lab_start(&lab, &ask, &a); // no time passes
        lab_forget(x);
        if ((row->flags & ROUTE_UNLIMITED) == 0)
            expect(row, 429, "TOO_MANY_REQUESTS");
        else
            assert_true(a.status != 429);
    }
}

static uint64_t rows_of_the_trail(void)
{
    struct store_counts counts;
    assert_int_equal(store_counts(lab.store, 0, &counts), STORE_OK);
    return counts.trail;
}

// Whatever a page of somebody else can make a browser load does nothing [RFC 9110 §9.2.1].
static void no_method_that_is_safe_changes_anything(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS"};
    const uint64_t before = rows_of_the_trail();
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        if (row->method != API_GET || strcmp(row->path, API_BASE "/events") == 0) // goes on
            continue;
        assert_int_equal(row->flags & (ROUTE_CHANGES | ROUTE_SECRET | ROUTE_NO_KEY), 0);
        assert_int_equal(row->takes, TAKES_NOTHING);
        for (size_t k = 0; k < sizeof(methods) / sizeof(methods[0]); k++) {
            pass_time();
            const struct ask ask = {
                .method = methods[k], .target = target_of(row, ""), .is_trial = true};
            lab_ask(&lab, &ask, &a);
            assert_true(a.status != 401 && a.status != 403 && a.status != 405);
        }
    }
    assert_int_equal(rows_of_the_trail(), before);
}

static void each_path_names_the_methods_that_it_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        pass_time();
        const struct ask ask = {.method = "TRACE", .target = target_of(&api_routes[i], "")};
        lab_ask(&lab, &ask, &a);
        expect(&api_routes[i], 405, "METHOD_NOT_ALLOWED");
        const char *allow = strstr(a.headers, "Allow: ");
        assert_non_null(allow);
        const char *found = strstr(allow, method_of(&api_routes[i]));
        assert_true(found != NULL && found < strchr(allow, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_route_wants_to_know_who_asks, open_all, close_all),
        cmocka_unit_test_setup_teardown(no_route_takes_a_credential_that_is_none, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(no_route_is_changed_by_a_page_of_somebody_else, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(no_method_that_is_safe_changes_anything, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(each_route_wants_its_own_scope, open_all, close_all),
        cmocka_unit_test_setup_teardown(each_id_of_nobody_is_not_found, open_all, close_all),
        cmocka_unit_test_setup_teardown(each_route_refuses_what_it_does_not_know, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(each_route_refuses_types_that_it_does_not_have, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(each_route_but_those_that_watch_is_limited, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(each_path_names_the_methods_that_it_has, open_all,
                                        close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

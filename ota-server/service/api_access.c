// Steps 2 to 8: route, authentication, scope, rate, correlator, types, JSON syntax.
#include "common/base/text.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/quota.h"

#include <stdlib.h>

#define FAILURES_PER_S 1
#define FAILURES_BURST 60 // wrong credentials of one address before it has to wait

// Nobody's secret: an unknown APPKEY takes the same work as a known one.
static const char nobody[] = "nobody-has-this-secret-0123456789-0123456789";

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001B3u;
    return hash | 1;
}

// The bucket of `key`; the one that was used least lately gives way when all are taken.
static struct bucket *find_bucket(struct bucket_row *rows, uint64_t key, uint32_t per_second,
                                  uint32_t burst, struct instant now)
{
    struct bucket_row *found = &rows[0];
    for (size_t i = 0; i < API_BUCKETS_MAX; i++) {
        if (rows[i].key == key) {
            bucket_change(&rows[i].bucket, per_second, burst);
            return &rows[i].bucket;
        }
        if (rows[i].key == 0) {
            found = &rows[i];
            break;
        }
        if (rows[i].bucket.at.ms < found->bucket.at.ms)
            found = &rows[i];
    }
    found->key = key;
    bucket_init(&found->bucket, per_second, burst, now);
    return &found->bucket;
}

static struct bytes host_part(const char *url)
{
    struct bytes text = bytes_of_text(url);
    const size_t scheme = api_until(text, ':').len + 3; // "://"
    return bytes_slice(text, scheme, text.len);
}

static struct bytes prefix_of(const struct api *api)
{
    const struct bytes rest = host_part(api->options.public_url);
    return bytes_slice(rest, api_until(rest, '/').len, rest.len);
}

static struct bytes authority_of(const struct api *api, char text[API_URL_MAX])
{
    const struct bytes rest = host_part(api->options.public_url);
    struct bytes host = api_until(rest, '/');
    const char *default_port = strncmp(api->options.public_url, "https", 5) == 0 ? ":443" : ":80";
    const size_t port_len = strlen(default_port);
    if (host.len > port_len && memcmp(host.at + host.len - port_len, default_port, port_len) == 0)
        host.len -= port_len;
    for (size_t i = 0; i < host.len && i < API_URL_MAX; i++)
        text[i] = (char)(host.at[i] >= 'A' && host.at[i] <= 'Z' ? host.at[i] + 32 : host.at[i]);
    return bytes_of(text, host.len < API_URL_MAX ? host.len : API_URL_MAX);
}

bool api_is_host(const struct api *api, struct bytes host)
{
    char text[API_URL_MAX];
    const char *own = api->options.smdp_host;
    const struct bytes wanted =
        own != NULL ? bytes_of_text(own) : api_until(authority_of(api, text), ':');
    bool is_equal = host.len > 0 && host.len == wanted.len;
    for (size_t i = 0; i < host.len && is_equal; i++) {
        const uint8_t a = host.at[i];
        const uint8_t b = wanted.at[i];
        is_equal = (a >= 'A' && a <= 'Z' ? a + 32 : a) == (b >= 'A' && b <= 'Z' ? b + 32 : b);
    }
    return is_equal;
}

// The path below a gateway's prefix, which the gateway may have taken away already.
static struct bytes local_path(const struct api *api, struct bytes path)
{
    const struct bytes prefix = prefix_of(api);
    if (prefix.len > 0 && path.len > prefix.len && memcmp(path.at, prefix.at, prefix.len) == 0 &&
        path.at[prefix.len] == '/')
        return bytes_slice(path, prefix.len, path.len);
    return path;
}

// --- route ---

// Answers the methods that the path has.
static unsigned find_route(struct api_exchange *x)
{
    const struct bytes path = local_path(x->api, x->request->path);
    unsigned method = api_method_of(x->request->method);
    if (method == API_HEAD)
        method = API_GET;
    unsigned allowed = 0;
    for (size_t i = 0; i < api_route_count; i++) {
        struct api_match match;
        if (!api_path_matches(api_routes[i].path, path, &match))
            continue;
        allowed |= api_routes[i].method;
        if (api_routes[i].method == method && x->route == NULL) {
            x->route = &api_routes[i];
            x->match = match;
        }
    }
    return allowed;
}

static bool check_route(struct api_exchange *x, unsigned allowed)
{
    if (x->route != NULL)
        return true;
    if (allowed == 0) {
        api_refuse_code(x, API_NOT_FOUND);
        return false;
    }
    text_put(&x->headers, "Allow: ");
    api_allow_write(&x->headers, allowed);
    text_put(&x->headers, "\n");
    if (api_method_of(x->request->method) == API_OPTIONS)
        api_reply_empty(x, 204);
    else
        api_refuse_code(x, API_METHOD_NOT_ALLOWED);
    return false;
}

// --- authentication ---

static bool digest_of(struct bytes octets, uint8_t digest[32])
{
    struct sha256 *s = sha256_open();
    const bool ok = s != NULL && sha256_add(s, octets) && sha256_finish(s, digest);
    sha256_close(s);
    return ok;
}

// Whose credentials these are cannot be told now: that is not the caller's fault.
static bool cannot_tell(struct api_exchange *x)
{
    x->problem = api_problem_of(API_UNAVAILABLE);
    return false;
}

static bool is_found(struct api_exchange *x, enum store_status status)
{
    if (status != STORE_OK && status != STORE_NONE)
        (void)cannot_tell(x);
    return status == STORE_OK;
}

static bool mac_matches(struct api_exchange *x, struct bytes text, const uint8_t mac[AUTH_MAC_SIZE],
                        bool is_known)
{
    bool matches = false;
    for (unsigned i = 0; i < AUTH_SECRETS_MAX; i++) {
        uint8_t secret[AUTH_SECRET_SIZE];
        const bool has_secret =
            is_known && auth_client_secret(&x->client, x->api->crypto, &x->api->options.client_key,
                                           i, x->now.utc, secret);
        if (!has_secret)
            memcpy(secret, nobody, sizeof(secret));
        uint8_t expected[AUTH_MAC_SIZE];
        const bool is_made =
            crypto_hmac(x->api->crypto, bytes_of(secret, sizeof(secret)), &text, 1, expected);
        if (!is_made)
            (void)cannot_tell(x);
        matches |= is_made && has_secret && secret_equal(expected, mac, AUTH_MAC_SIZE);
        secret_wipe(secret, sizeof(secret));
        secret_wipe(expected, sizeof(expected));
    }
    return matches;
}

bool api_nonce_is_new(struct api_exchange *x, struct bytes who, struct bytes nonce)
{
    uint8_t digest[32];
    uint8_t octets[256];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_copy(&w, who);
    writer_u8(&w, 0);
    writer_copy(&w, nonce);
    if (w.failed)
        return false;
    if (!digest_of(writer_bytes(&w), digest))
        return cannot_tell(x);
    return nonce_use(&x->api->nonces, digest, x->now.instant, AUTH_NONCE_LIFE_S * 1000) == NONCE_OK;
}

static bool authenticate_signature(struct api_exchange *x)
{
    const struct api_request *r = x->request;
    struct auth_signature signature;
    if (!auth_signature_read(r->authorization, &signature))
        return false;
    char authority[API_URL_MAX];
    char path_text[8192 + API_URL_MAX];
    struct writer path = writer_of(path_text, sizeof(path_text));
    writer_copy(&path, prefix_of(x->api));
    writer_copy(&path, local_path(x->api, r->path));
    struct auth_signed_request signed_request = {
        .method = r->method,
        .authority = authority_of(x->api, authority),
        .path = writer_bytes(&path),
        .query = r->query,
        .content_type = r->content_type,
        .correlator = r->correlator,
        .idempotency_key = r->idempotency_key.len > 0 ? r->idempotency_key : r->client_token,
        .has_body = r->body.len > 0 || r->upload_len > 0,
    };
    memcpy(signed_request.body_sha256, x->body_digest, sizeof(x->body_digest));
    static uint8_t octets[AUTH_TEXT_MAX];
    struct writer text = writer_of(octets, sizeof(octets));
    if (auth_text(&text, &signed_request, &signature) != AUTH_TEXT_OK) {
        x->problem = api_problem_text(API_INVALID_ARGUMENT, "Dot segment, encoded slash or bad "
                                                            "percent-encoding in the target");
        return false;
    }
    const bool is_known =
        is_found(x, auth_client_by_key(x->reader, &x->api->kept, signature.app_key, &x->client)) &&
        (x->client.mechanisms & CLIENT_BY_HMAC) != 0;
    const bool matches = mac_matches(x, writer_bytes(&text), signature.mac, is_known);
    const int64_t off_s = (x->now.utc.ms - x->now.ahead_ms) / 1000 - signature.ts_s;
    if (!matches || off_s > AUTH_SKEW_MAX_S || off_s < -AUTH_SKEW_MAX_S)
        return false;
    return api_nonce_is_new(x, signature.app_key, signature.nonce);
}

// --- people ---

bool api_is_secure(const struct api *api)
{
    return strncmp(api->options.public_url, "https:", 6) == 0;
}

// The prefix binds a cookie to one host over TLS [RFC 6265bis §4.1.3].
const char *api_cookie_name(const struct api *api)
{
    return api_is_secure(api) ? "__Host-session" : "session";
}

bool api_is_loopback(const struct api_exchange *x)
{
    const char *peer = x->request->peer;
    return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
           strcmp(peer, "::1") == 0;
}

bool api_origin_is_ours(const struct api_exchange *x, bool may_lack)
{
    char text[API_URL_MAX + 16];
    char host[API_URL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    text_put(&w, api_is_secure(x->api) ? "https://" : "http://");
    writer_copy(&w, authority_of(x->api, host));
    const struct bytes own = writer_bytes(&w);
    const struct bytes origin = x->request->origin;
    const struct bytes referer = x->request->referer;
    if (origin.len > 0)
        return bytes_equal(origin, own);
    if (referer.len > 0)
        return referer.len > own.len && referer.at[own.len] == '/' &&
               bytes_equal(bytes_slice(referer, 0, own.len), own);
    return may_lack;
}

// The value of our cookie; empty when there is none.
static struct bytes cookie_of(const struct api *api, const struct api_request *request)
{
    const struct bytes name = bytes_of_text(api_cookie_name(api));
    const struct bytes all = request->cookie;
    for (size_t at = 0; at < all.len;) {
        const struct bytes pair = api_until(bytes_slice(all, at, all.len), ';');
        const struct bytes trimmed = api_trimmed(pair);
        const struct bytes found = api_until(trimmed, '=');
        if (bytes_equal(found, name))
            return bytes_slice(trimmed, name.len + 1, trimmed.len);
        at += pair.len + 1;
    }
    return bytes_of(NULL, 0);
}

// Notes that the session was used; false when it was idle for too long. After a restart the time
// since its log-in counts.
static bool touch_session(struct api_exchange *x)
{
    struct session_row *rows = x->api->sessions;
    struct session_row *found = &rows[0];
    struct utc used_at = x->session.created_at;
    for (size_t i = 0; i < API_SESSIONS_MAX; i++) {
        if (rows[i].id == x->session.id) {
            found = &rows[i];
            used_at = rows[i].used_at;
            break;
        }
        if (rows[i].used_at.ms < found->used_at.ms)
            found = &rows[i];
    }
    if (x->now.utc.ms - used_at.ms > SESSION_IDLE_MS || x->session.ends_at.ms <= x->now.utc.ms)
        return false;
    *found = (struct session_row){.id = x->session.id, .used_at = x->now.utc};
    return true;
}

static bool see_nothing(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

enum store_status api_session_lives(const struct api *api, const struct auth_session *session,
                                    struct utc now, bool *lives)
{
    struct utc used_at = session->created_at;
    for (size_t i = 0; i < API_SESSIONS_MAX; i++) {
        if (api->sessions[i].id == session->id)
            used_at = api->sessions[i].used_at;
    }
    const enum store_status status =
        store_document_get(api->options.reader, "session", session->id, see_nothing, NULL);
    *lives = status == STORE_OK && now.ms - used_at.ms <= SESSION_IDLE_MS &&
             session->ends_at.ms > now.ms;
    return status == STORE_NONE ? STORE_OK : status;
}

static bool take_user(struct api_exchange *x, const struct auth_user *user)
{
    if (!auth_user_is_active(user, x->now.utc))
        return false;
    auth_user_as_caller(user, &x->client);
    return true;
}

static bool authenticate_session(struct api_exchange *x)
{
    struct auth_user user;
    const struct bytes secret = cookie_of(x->api, x->request);
    if (secret.len == 0 || !is_found(x, auth_session_find(x->reader, secret, &x->session)) ||
        !is_found(x, auth_user_get(x->reader, x->session.user, &user)) || !touch_session(x) ||
        !take_user(x, &user)) {
        x->session = (struct auth_session){0};
        return false;
    }
    const struct bytes given = x->request->csrf_token;
    const bool changes = (x->route->method & (API_POST | API_PUT | API_PATCH | API_DELETE)) != 0;
    x->is_forged = changes && (given.len != AUTH_TOKEN_SIZE - 1 ||
                               !secret_equal(given.at, x->session.csrf, AUTH_TOKEN_SIZE - 1) ||
                               !api_origin_is_ours(x, false));
    return true;
}

// By its digest, or else by the names in it: what the client's record says.
static bool authenticate_certificate(struct api_exchange *x)
{
    const struct api_request *r = x->request;
    char name[AUTH_CERTIFICATE_SIZE];
    if (!r->has_certificate)
        return false;
    auth_certificate_digest(r->certificate_sha256, name);
    bool is_known = is_found(x, auth_client_by_certificate(x->reader, name, &x->client));
    if (!is_known && r->certificate_subject.len > 0 &&
        auth_certificate_name(r->certificate_issuer, r->certificate_subject, name))
        is_known = is_found(x, auth_client_by_certificate(x->reader, name, &x->client));
    if (!is_known || (x->client.mechanisms & CLIENT_BY_CERTIFICATE) == 0)
        return false;
    // A browser shows a certificate to whoever asks it to: like a cookie.
    x->is_forged = !api_origin_is_ours(x, true);
    return true;
}

static bool authenticate_basic(struct api_exchange *x)
{
    struct auth_user user;
    return api_basic(x, &user) && take_user(x, &user);
}

// Whoever belongs to a suspended enterprise is suspended with it, and whoever belongs to one whose
// agreement has ended.
static void check_enterprise(struct api_exchange *x)
{
    bool works = true;
    if (api_enterprise_works(x->reader, x->client.tenant, x->now.utc, &works) != STORE_OK)
        x->is_authenticated = cannot_tell(x);
    if (!works)
        x->client.is_suspended = true;
}

// What is kept of a body to know it again is of no use without our key: it may have a password.
static void seal_digest(struct api_exchange *x)
{
    const struct secret_key *key = &x->api->options.client_key;
    const struct bytes digest = bytes_of(x->body_digest, sizeof(x->body_digest));
    uint8_t mac[sizeof(x->body_digest)];
    if (!x->is_authenticated)
        return;
    if (crypto_hmac(x->api->crypto, bytes_of(key->octets, key->len), &digest, 1, mac))
        memcpy(x->body_digest, mac, sizeof(mac));
    else
        x->is_authenticated = cannot_tell(x);
}

bool api_authenticate(struct api_exchange *x)
{
    const struct bytes value = x->request->authorization;
    if (x->request->authorization_count > 1)
        return false;
    if (x->request->upload != NULL)
        memcpy(x->body_digest, x->request->upload_sha256, sizeof(x->body_digest));
    else if (!digest_of(x->request->body, x->body_digest))
        return cannot_tell(x);
    if (value.len == 0)
        x->is_authenticated = authenticate_certificate(x) || authenticate_session(x);
    else if (value.len > 6 && memcmp(value.at, "Basic ", 6) == 0)
        x->is_authenticated = authenticate_basic(x);
    else if (value.len > 7 && memcmp(value.at, "Bearer ", 7) == 0)
        x->is_authenticated =
            is_found(x, auth_token_find(x->reader, &x->api->kept, bytes_slice(value, 7, value.len),
                                        x->now.utc, &x->client));
    else
        x->is_authenticated = authenticate_signature(x);
    x->tenant = x->client.tenant;
    check_enterprise(x);
    seal_digest(x);
    x->is_clear =
        x->api->options.is_clear || auth_has_scope(&x->client, bytes_of_text("identifiers:clear"));
    return x->is_authenticated;
}

// --- rates ---

static struct bucket *failures_of(struct api_exchange *x)
{
    return find_bucket(x->api->failures, hash_of(x->request->peer), FAILURES_PER_S, FAILURES_BURST,
                       x->now.instant);
}

static struct bucket *bucket_of(struct api_exchange *x)
{
    return find_bucket(x->api->clients, x->client.id, x->client.per_second, x->client.burst,
                       x->now.instant);
}

void api_count_failure(struct api_exchange *x)
{
    // Whether there was one left is asked before the next request.
    const bool had_one = bucket_take(failures_of(x), x->now.instant);
    (void)had_one;
}

static void put_header_number(struct writer *w, const char *name, uint64_t value)
{
    text_put(w, name);
    text_put(w, ": ");
    text_decimal(w, value);
    text_put(w, "\n");
}

void api_rate_headers(struct api_exchange *x)
{
    const struct bucket_state state = bucket_look(bucket_of(x));
    put_header_number(&x->headers, "RateLimit-Limit", state.limit);
    put_header_number(&x->headers, "RateLimit-Remaining", state.remaining);
    put_header_number(&x->headers, "RateLimit-Reset", state.reset_s);
}

static bool refuse_rate(struct api_exchange *x)
{
    text_put(&x->headers, "Retry-After: 1\n");
    api_refuse_code(x, API_TOO_MANY_REQUESTS);
    return false;
}

// Of the contract: after the rate, so that whoever is refused by that uses nothing up.
static bool check_quota(struct api_exchange *x)
{
    const bool is_esim = (x->route->flags & ROUTE_CAMARA) != 0;
    switch (quotas_take(x->api->quotas, &x->client, is_esim ? AUTH_API_ESIM : AUTH_API_OWN,
                        x->now.utc)) {
    case QUOTA_LEFT:
        return true;
    case QUOTA_USED_UP:
        put_header_number(&x->headers, "Retry-After", quota_resets_after_s(x->now.utc));
        api_refuse_code(x, API_QUOTA_EXCEEDED);
        return false;
    case QUOTA_UNKNOWN:
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    return false;
}

// --- permission ---

static enum store_status note_refusal(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    return api_trail(x, store, "request.refused", "path", 0, "PERMISSION_DENIED");
}

static void refuse_after_note(struct api_exchange *x)
{
    api_refuse_code(x, API_PERMISSION_DENIED);
}

void api_refuse_permission(struct api_exchange *x)
{
    x->is_dry_run = false;
    x->is_refused = true;
    api_commit(x, note_refusal, refuse_after_note);
}

// `is_within` its rate: above it a refusal leaves no row, so that nobody fills the disk with them.
static bool check_permission(struct api_exchange *x, bool is_within)
{
    const char *scope = x->route->scope;
    if (!x->client.is_suspended && !x->is_forged && auth_is_source(&x->client, x->request->peer) &&
        (scope == NULL || api_has_scope(x, scope)))
        return true;
    // A refused attempt is a row of the trail.
    if (is_within)
        api_refuse_permission(x);
    else
        refuse_after_note(x);
    return false;
}

// --- types ---

static bool check_type(struct api_exchange *x)
{
    const struct bytes type = x->request->content_type;
    bool ok = true;
    switch (x->route->takes) {
    case TAKES_NOTHING:
        return true;
    case TAKES_JSON:
    case TAKES_MAYBE:
        ok = api_is_type(type, "application/json");
        break;
    case TAKES_MERGE:
        ok = api_is_type(type, "application/merge-patch+json") ||
             api_is_type(type, "application/json");
        break;
    case TAKES_FORM:
        ok = api_is_type(type, "application/x-www-form-urlencoded");
        break;
    case TAKES_FILE:
        ok = api_is_type(type, "application/octet-stream") || api_is_type(type, "text/plain") ||
             api_is_type(type, "text/csv");
        break;
    }
    return ok || (x->request->body.len == 0 && x->request->upload == NULL);
}

static bool read_json(struct api_exchange *x)
{
    const bool takes_json = x->route->takes == TAKES_JSON || x->route->takes == TAKES_MAYBE ||
                            x->route->takes == TAKES_MERGE;
    if (x->request->body.len == 0 && (!takes_json || x->route->takes == TAKES_MAYBE))
        return true;
    if (x->route->takes == TAKES_NOTHING) {
        x->problem = api_problem_text(API_INVALID_ARGUMENT, "The operation takes no body");
        return false;
    }
    if (!takes_json)
        return true;
    const enum json_fault fault = json_read(x->request->body, &x->root);
    if (fault == JSON_READ_NO_MEMORY)
        x->problem = api_problem_of(API_UNAVAILABLE);
    else if (fault != JSON_READ_OK)
        x->problem = api_problem_text(API_INVALID_ARGUMENT, json_fault_text(fault));
    else if (!json_is_object(x->root))
        x->problem = api_problem_text(API_INVALID_ARGUMENT, "The body is not an object");
    return x->problem.code == API_OK;
}

static bool check_form(struct api_exchange *x)
{
    if (x->request->correlator_count > 1 || !api_is_correlator(x->request->correlator)) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT, "Invalid x-correlator"));
        return false;
    }
    const bool is_any = (x->route->flags & ROUTE_ANY_TYPE) != 0;
    if (!is_any && !api_accepts(x->request->accept, "application/json")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return false;
    }
    if (!check_type(x)) {
        api_refuse_code(x, API_UNSUPPORTED_MEDIA_TYPE);
        return false;
    }
    if (!read_json(x)) {
        api_refuse(x, x->problem);
        return false;
    }
    api_body_init(&x->body, x->root);
    x->problem = api_query_read(&x->query, x->request->query);
    const unsigned kinds = x->route->flags & (ROUTE_CHANGES | ROUTE_CAMARA);
    if (x->problem.code == API_OK && kinds == ROUTE_CHANGES)
        x->problem = api_query_bool(&x->query, "dryRun", &x->is_dry_run);
    if (x->problem.code != API_OK) {
        api_refuse(x, x->problem);
        return false;
    }
    return true;
}

bool api_admit(struct api_exchange *x)
{
    if (x->request->has_certificate && !x->request->certificate_is_believed) {
        api_count_failure(x);
        api_refuse_code(x, API_UNAUTHENTICATED);
        return false;
    }
    if (x->request->is_too_large) {
        api_refuse_code(x, API_BODY_TOO_LARGE);
        return false;
    }
    struct bucket *failures = failures_of(x);
    struct bucket before = *failures;
    const unsigned allowed = find_route(x);
    const bool is_limited = x->route == NULL || (x->route->flags & ROUTE_UNLIMITED) == 0;
    if (is_limited && !bucket_take(&before, x->now.instant))
        return refuse_rate(x);
    if (!check_route(x, allowed))
        return false;
    if ((x->route->flags & ROUTE_OPEN) == 0) {
        if (!api_authenticate(x)) {
            if (x->problem.code == API_OK && !bucket_take(failures, x->now.instant))
                return refuse_rate(x);
            api_refuse(x, x->problem.code != API_OK ? x->problem
                                                    : api_problem_of(API_UNAUTHENTICATED));
            return false;
        }
        const bool is_within = bucket_take(bucket_of(x), x->now.instant);
        if (!check_permission(x, is_within))
            return false;
        if (!is_within)
            return refuse_rate(x);
        if (!check_quota(x))
            return false;
    }
    return check_form(x);
}

// The name of the caller without proof: enough to keep strangers from filling the disk.
static bool is_somebody(struct api *api, const struct api_request *request)
{
    const struct bytes value = request->authorization;
    struct auth_signature signature;
    struct auth_session session;
    struct auth_client *client = malloc(sizeof(*client));
    bool is_known = false;
    if (client == NULL)
        return false;
    if (auth_signature_read(value, &signature))
        is_known = auth_client_by_key(api->options.reader, &api->kept, signature.app_key, client) ==
                   STORE_OK;
    else if (value.len > 7 && memcmp(value.at, "Bearer ", 7) == 0)
        is_known =
            auth_token_find(api->options.reader, &api->kept, bytes_slice(value, 7, value.len),
                            (struct utc){0}, client) == STORE_OK;
    else if (value.len == 0)
        is_known =
            auth_session_find(api->options.reader, cookie_of(api, request), &session) == STORE_OK;
    free(client);
    return is_known;
}

uint64_t api_body_limit(struct api *api, const struct api_request *request)
{
    const struct bytes path = local_path(api, request->path);
    const size_t esim_len = strlen(ESIM_BASE);
    if (path.len > esim_len && memcmp(path.at, ESIM_BASE, esim_len) == 0)
        return ESIM_BODY_MAX;
    if (!bytes_equal(request->method, bytes_of_text("POST")) ||
        !bytes_equal(path, bytes_of_text(API_BASE "/batch-imports")) || !is_somebody(api, request))
        return API_BODY_MAX;
    return API_UPLOAD_MAX;
}

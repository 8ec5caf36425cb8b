// Who sends a request: a signature, a token, a certificate, a session or a password.
#include "common/base/text.h"
#include "ota-server/service/api_factor.h"

#include <stdlib.h>

// Nobody's secret: an unknown APPKEY takes the same work as a known one.
static const char nobody[] = "nobody-has-this-secret-0123456789-0123456789";

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
    writer_copy(&path, api_prefix(x->api));
    writer_copy(&path, api_local_path(x->api, r->path));
    struct auth_signed_request signed_request = {
        .method = r->method,
        .authority = api_authority(x->api, authority),
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
        x->problem = api_problem_text(API_INVALID_ARGUMENT,
                                      "A dot segment, encoded slash or bad "
                                      "percent-encoding in the target: encode other octets alone");
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

// The prefix binds a cookie to one host over TLS [RFC 6265bis §4.1.3].
const char *api_cookie_name(const struct api *api)
{
    return api_is_secure(api) ? "__Host-session" : "session";
}

// The value of our cookie; empty when there is none. In the clear, beside TLS, none counts.
static struct bytes cookie_of(const struct api *api, const struct api_request *request)
{
    if (request->is_in_clear)
        return bytes_of(NULL, 0);
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

// Whose role needs a second factor may do nothing before there is one but enrol. `has_proved`: what
// came tells also of the factor, where there is one.
static bool take_user(struct api_exchange *x, const struct auth_user *user, bool has_proved)
{
    struct auth_factor factor;
    enum api_factor has = API_FACTOR_NONE;
    if (!auth_user_is_active(user, x->now.utc))
        return false;
    if (!has_proved || api_factor_is_needed(x->api, user)) {
        const enum store_status status = api_factor_find(x, x->reader, user, &factor, &has);
        secret_wipe(&factor, sizeof(factor));
        if (status != STORE_OK)
            return cannot_tell(x);
    }
    auth_user_as_caller(user, &x->client);
    if (has == API_FACTOR_NEEDED)
        x->client.scope_count = 0;
    return has_proved || has != API_FACTOR_ACTIVE;
}

enum store_status api_session_of_cookie(const struct api_exchange *x, struct store *store,
                                        struct auth_session *session)
{
    const struct bytes secret = cookie_of(x->api, x->request);
    return secret.len == 0 ? STORE_NONE : auth_session_find(store, secret, session);
}

static bool authenticate_session(struct api_exchange *x)
{
    struct auth_user user;
    const struct bytes secret = cookie_of(x->api, x->request);
    if (secret.len == 0 || !is_found(x, auth_session_find(x->reader, secret, &x->session)) ||
        !is_found(x, auth_user_get(x->reader, x->session.user, &user)) || !touch_session(x) ||
        !take_user(x, &user, true)) {
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

bool api_shows_certificate(const struct api_request *request, const struct auth_client *client)
{
    char name[AUTH_CERTIFICATE_SIZE];
    if (!request->has_certificate || !request->certificate_is_believed)
        return false;
    auth_certificate_digest(request->certificate_sha256, name);
    if (strcmp(name, client->certificate) == 0)
        return true;
    return request->certificate_subject.len > 0 &&
           auth_certificate_name(request->certificate_issuer, request->certificate_subject, name) &&
           strcmp(name, client->certificate) == 0;
}

static bool has_bearer(const struct api_request *request)
{
    return request->authorization.len > 7 && memcmp(request->authorization.at, "Bearer ", 7) == 0;
}

// A token that is bound to a certificate is none without it [RFC 8705 §3].
static enum store_status find_bearer(struct api *api, const struct api_request *request,
                                     struct utc now, struct auth_client *out)
{
    const struct bytes value = request->authorization;
    char shown[AUTH_CERTIFICATE_SIZE] = "";
    if (request->has_certificate && request->certificate_is_believed)
        auth_certificate_digest(request->certificate_sha256, shown);
    const enum store_status status = auth_token_find(api->options.reader, &api->kept,
                                                     bytes_slice(value, 7, value.len), now, out);
    return status == STORE_OK && !auth_token_serves(out, shown) ? STORE_NONE : status;
}

static bool authenticate_basic(struct api_exchange *x)
{
    struct auth_user user;
    struct attempts attempts;
    if (!api_basic(x, &user, &attempts) || !take_user(x, &user, false))
        return false;
    api_attempts_right(&attempts);
    return true;
}

// Whoever belongs to a suspended enterprise is suspended with it, and whoever belongs to one whose
// agreement has ended.
static void check_enterprise(struct api_exchange *x)
{
    bool works = true;
    if (enterprise_works(x->reader, x->client.tenant, x->now.utc, &works) != STORE_OK)
        x->is_authenticated = cannot_tell(x);
    if (!works)
        x->client.is_suspended = true;
}

// What is kept of a body, and of the query that says what to do with it, to know them again is of
// no use without our key: it may have a password.
static void seal_digest(struct api_exchange *x)
{
    const struct secret_key *key = &x->api->options.client_key;
    const struct bytes asked[] = {bytes_of(x->body_digest, sizeof(x->body_digest)),
                                  x->request->query};
    uint8_t mac[sizeof(x->body_digest)];
    if (!x->is_authenticated)
        return;
    if (crypto_hmac(x->api->crypto, bytes_of(key->octets, key->len), asked, 2, mac))
        memcpy(x->body_digest, mac, sizeof(mac));
    else
        x->is_authenticated = cannot_tell(x);
}

// By an IMSI the operator alone tells subscribers apart on the air: whoever of it changes cards.
static enum clear clear_for(const struct api_exchange *x)
{
    if (x->api->options.is_clear)
        return CLEAR_ALL;
    if (!api_has_scope(x, "identifiers:clear"))
        return CLEAR_NOTHING;
    return api_is_operator(x) && api_has_scope(x, "cards:write") ? CLEAR_ALL : CLEAR_BUT_IMSI;
}

// By the one way that the request takes; by a cookie only where no certificate is a client's.
static void authenticate(struct api_exchange *x)
{
    const struct bytes value = x->request->authorization;
    if (value.len > 6 && memcmp(value.at, "Basic ", 6) == 0) {
        x->by = "basic";
        x->is_authenticated = authenticate_basic(x);
    } else if (has_bearer(x->request)) {
        x->by = "token";
        x->is_authenticated = is_found(x, find_bearer(x->api, x->request, x->now.utc, &x->client));
    } else if (value.len > 0) {
        x->by = "signature";
        x->is_authenticated = authenticate_signature(x);
    } else if (authenticate_certificate(x)) {
        x->by = "certificate";
        x->is_authenticated = true;
    } else if (cookie_of(x->api, x->request).len > 0) {
        x->by = "session";
        x->is_authenticated = authenticate_session(x);
    }
}

bool api_authenticate(struct api_exchange *x)
{
    if (x->request->authorization_count > 1)
        return false;
    if (x->request->upload != NULL)
        memcpy(x->body_digest, x->request->upload_sha256, sizeof(x->body_digest));
    else if (!digest_of(x->request->body, x->body_digest))
        return cannot_tell(x);
    authenticate(x);
    x->tenant = x->client.tenant;
    check_enterprise(x);
    seal_digest(x);
    x->clear = clear_for(x);
    return x->is_authenticated;
}

static bool is_person_with(struct api *api, const struct api_request *request, const char *scope,
                           struct utc now)
{
    struct auth_session session;
    struct auth_user user;
    return auth_session_find(api->options.reader, cookie_of(api, request), &session) == STORE_OK &&
           session.ends_at.ms > now.ms &&
           auth_user_get(api->options.reader, session.user, &user) == STORE_OK &&
           auth_user_is_active(&user, now) && user_role_has(user.role, scope);
}

bool api_may_send(struct api *api, const struct api_request *request, const char *scope,
                  struct utc now)
{
    const struct bytes value = request->authorization;
    struct auth_signature signature;
    enum store_status status = STORE_NONE;
    if (value.len == 0)
        return is_person_with(api, request, scope, now);
    struct auth_client *client = malloc(sizeof(*client));
    if (client == NULL)
        return false;
    if (auth_signature_read(value, &signature))
        status = auth_client_by_key(api->options.reader, &api->kept, signature.app_key, client);
    else if (has_bearer(request))
        status = find_bearer(api, request, now, client);
    const bool may =
        status == STORE_OK && !client->is_suspended && auth_has_scope(client, bytes_of_text(scope));
    free(client);
    return may;
}

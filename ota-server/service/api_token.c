// Tokens: client credentials [RFC 6749 §4.4], giving one back, and what one is worth.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/auth_jwt.h"

#include <stdlib.h>

#define SCOPE_LIST_MAX 4096
#define PURPOSE_PREFIX "dpv:" // of the W3C's vocabulary of purposes
#define PURPOSE_MAX 64

struct token_grant {
    char token[AUTH_TOKEN_SIZE];
    uint8_t scope[SCOPE_LIST_MAX];
    size_t scope_len;
    char purpose[PURPOSE_MAX + 1]; // what the client wants it for, or empty
};

// A refusal [RFC 6749 §5.2], and what helps against it.
struct grant_error {
    unsigned status;
    const char *name, *description; // without quotes and backslashes
};

static const struct grant_error
    BAD_FORM = {400, "invalid_request",
                "Send the form application/x-www-form-urlencoded with each name once, and nothing "
                "in the query"},
    NO_GRANT_TYPE = {400, "invalid_request", "Add grant_type=client_credentials to the form"},
    NO_TOKEN = {400, "invalid_request",
                "Send the token in a form application/x-www-form-urlencoded, each name once"},
    NO_CERTIFICATE = {400, "invalid_request",
                      "Show the certificate of the client: its tokens are bound to it"},
    OTHER_GRANT_TYPE = {400, "unsupported_grant_type", "Ask with grant_type=client_credentials"},
    UNKNOWN_CLIENT = {401, "invalid_client",
                      "Prove the client in one way that is registered for it, from a network that "
                      "is its own, while it is active"},
    WRONG_CLIENT = {400, "unauthorized_client", "Ask as a client of the operator"},
    NO_SCOPE = {400, "invalid_scope", "Add the scope to the form"},
    OTHER_SCOPE = {400, "invalid_scope",
                   "Ask for scopes that the client has, divided by one space, and for at most one "
                   "purpose"};

static void refuse_grant(struct api_exchange *x, const struct grant_error *error)
{
    json_begin_object(&x->json);
    api_put_text(&x->json, "error", error->name);
    api_put_text(&x->json, "error_description", error->description);
    json_end_object(&x->json);
    api_reply(x, error->status);
}

// Exactly one of the two ways to name the client.
static bool read_credentials(struct api_exchange *x, struct writer *scratch, struct bytes *key,
                             struct bytes *secret)
{
    const struct bytes value = x->request->authorization;
    const bool in_form = api_query_take(&x->query, "client_id", key);
    const bool has_secret = api_query_take(&x->query, "client_secret", secret);
    if (value.len == 0)
        return in_form && has_secret;
    if (in_form || has_secret || x->request->authorization_count != 1 || value.len < 6 ||
        memcmp(value.at, "Basic ", 6) != 0 ||
        !api_base64_read(bytes_slice(value, 6, value.len), scratch))
        return false;
    const struct bytes pair = writer_bytes(scratch);
    *key = api_until(pair, ':');
    *secret = bytes_slice(pair, key->len + 1, pair.len);
    return true;
}

// Known and wrong take the same work: both secrets are always compared.
static bool secret_matches(struct api_exchange *x, bool is_known, struct bytes given)
{
    bool matches = false;
    for (unsigned i = 0; i < AUTH_SECRETS_MAX; i++) {
        uint8_t secret[AUTH_SECRET_SIZE] = {0};
        uint8_t padded[AUTH_SECRET_SIZE] = {0};
        const bool has_secret =
            is_known && auth_client_secret(&x->client, x->api->crypto, &x->api->options.client_key,
                                           i, x->now.utc, secret);
        bytes_copy(padded,
                   given.len < sizeof(padded) ? given : bytes_slice(given, 0, sizeof(padded)));
        const bool is_equal = secret_equal(secret, padded, sizeof(secret));
        matches |= has_secret && is_equal && given.len == AUTH_SECRET_SIZE;
        secret_wipe(secret, sizeof(secret));
        secret_wipe(padded, sizeof(padded));
    }
    return matches;
}

static bool is_purpose(struct bytes scope)
{
    const size_t len = strlen(PURPOSE_PREFIX);
    return scope.len >= len && memcmp(scope.at, PURPOSE_PREFIX, len) == 0;
}

static bool purpose_is_valid(struct bytes scope)
{
    if (scope.len <= strlen(PURPOSE_PREFIX) || scope.len > PURPOSE_MAX)
        return false;
    for (size_t i = strlen(PURPOSE_PREFIX); i < scope.len; i++) {
        const uint8_t c = scope.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

// Scopes of the client, and at most one purpose.
static bool check_scopes(const struct auth_client *client, struct bytes list, struct bytes *purpose)
{
    size_t count = 0;
    for (size_t at = 0; at < list.len;) {
        const struct bytes scope = api_until(bytes_slice(list, at, list.len), ' ');
        at += scope.len + 1;
        struct bytes own;
        if (is_purpose(scope)) {
            if (purpose->len > 0 || !purpose_is_valid(scope))
                return false;
            *purpose = scope;
            continue;
        }
        if (!auth_scope_read(scope, &own) || !auth_has_scope(client, own))
            return false;
        count++;
    }
    return count > 0 && list.len <= SCOPE_LIST_MAX;
}

static enum store_status put_token(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct token_grant *grant = x->work;
    const enum store_status status = auth_token_put(store, api_new_id(x), &x->client, grant->token,
                                                    bytes_of(grant->scope, grant->scope_len), now);
    if (status != STORE_OK || grant->purpose[0] == '\0')
        return status;
    return api_trail(x, store, "token.issued", "client", x->client.id, grant->purpose);
}

static void reply_token(struct api_exchange *x)
{
    struct token_grant *grant = x->work;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_text(j, "access_token", grant->token);
    api_put_text(j, "token_type", "Bearer");
    api_put_number(j, "expires_in", AUTH_TOKEN_LIFE_S);
    api_put_octets(j, "scope", bytes_of(grant->scope, grant->scope_len));
    json_end_object(j);
    secret_wipe(grant->token, sizeof(grant->token));
    api_reply(x, 200);
}

static void grant_token(struct api_exchange *x, struct bytes scope, struct bytes purpose)
{
    uint8_t entropy[32];
    struct token_grant *grant = calloc(1, sizeof(*grant));
    x->work = grant;
    if (grant == NULL ||
        !x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy))) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    auth_secret_make(grant->token, entropy);
    secret_wipe(entropy, sizeof(entropy));
    bytes_copy(grant->scope, scope);
    grant->scope_len = scope.len;
    bytes_copy(grant->purpose, purpose); // and a zero: it is of calloc()
    api_commit(x, put_token, reply_token);
}

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Is it signed with one of these keys, and right?
static bool is_signed(struct api_exchange *x, struct bytes assertion, const char *client,
                      struct bytes keys, char jti[JWT_JTI_MAX + 1])
{
    char endpoint[API_URL_MAX + 16];
    struct writer w = writer_of(endpoint, sizeof(endpoint));
    json_t *jwks = NULL;
    text_put(&w, x->api->options.public_url);
    text_put(&w, "/oauth2/token");
    if (keys.len == 0 || json_read(keys, &jwks) != JSON_READ_OK)
        return false;
    const struct jwt_expected expected = {.client = client,
                                          .audiences = {text_end(&w), x->api->options.public_url},
                                          .now = {x->now.utc.ms - x->now.ahead_ms},
                                          .jwks = jwks};
    const bool ok = jwt_check(assertion, &expected, jti);
    json_decref(jwks);
    return ok;
}

// The keys that it publishes are read anew when none of those that were read fits: one of them may
// be new. Until then nobody can tell.
static bool is_signed_by_published(struct api_exchange *x, struct bytes assertion,
                                   const char *client, char jti[JWT_JTI_MAX + 1])
{
    struct key_sets *k = &x->api->keys;
    if (is_signed(x, assertion, client, keys_of(k, &x->client, x->now.instant), jti))
        return true;
    if (keys_ask(k, &x->client, x->now.instant))
        x->problem = api_problem_of(API_UNAVAILABLE);
    return false;
}

// The client's own signature [RFC 7523 §2.2]; each serves once.
static bool assertion_fits(struct api_exchange *x, struct bytes assertion)
{
    char client[JWT_CLIENT_MAX + 1];
    char jti[JWT_JTI_MAX + 1];
    struct bytes named = {0};
    jwt_client(assertion, client);
    if (auth_client_by_key(x->reader, &x->api->kept, bytes_of_text(client), &x->client) !=
            STORE_OK ||
        (x->client.mechanisms & CLIENT_BY_JWT) == 0 ||
        (api_query_take(&x->query, "client_id", &named) &&
         !bytes_equal(named, bytes_of_text(client))))
        return false;
    const bool ok = x->client.jwks_uri[0] != '\0'
                        ? is_signed_by_published(x, assertion, client, jti)
                        : is_signed(x, assertion, client, bytes_of_text(x->client.jwks), jti);
    return ok && api_nonce_is_new(x, bytes_of_text(client), bytes_of_text(jti));
}

// The form only names the client, whose certificate the connection has [RFC 8705 §2]. A browser
// shows one to whoever asks it to. What it gets is bound to the very certificate.
static bool certificate_fits(struct api_exchange *x, struct bytes key)
{
    if (auth_client_by_key(x->reader, &x->api->kept, key, &x->client) != STORE_OK ||
        (x->client.mechanisms & CLIENT_BY_CERTIFICATE) == 0 ||
        !api_shows_certificate(x->request, &x->client) || !api_origin_is_ours(x, true))
        return false;
    auth_certificate_digest(x->request->certificate_sha256, x->client.token_certificate);
    return true;
}

// By assertion, by name and secret, or by certificate; never two of them.
static bool client_fits(struct api_exchange *x)
{
    uint8_t octets[512];
    struct writer scratch = writer_of(octets, sizeof(octets));
    struct bytes type = {0};
    struct bytes assertion = {0};
    struct bytes key = {0};
    struct bytes secret = {0};
    const bool has_type = api_query_take(&x->query, "client_assertion_type", &type);
    const bool has_assertion = api_query_take(&x->query, "client_assertion", &assertion);
    if (has_type || has_assertion) {
        x->by = "assertion";
        return has_type && has_assertion && bytes_equal(type, bytes_of_text(ASSERTION_TYPE)) &&
               x->request->authorization.len == 0 &&
               !api_query_take(&x->query, "client_secret", &secret) && assertion_fits(x, assertion);
    }
    if (x->request->has_certificate && x->request->authorization.len == 0 &&
        api_query_take(&x->query, "client_id", &key) &&
        !api_query_take(&x->query, "client_secret", &secret)) {
        x->by = "certificate";
        return certificate_fits(x, key);
    }
    x->by = "secret";
    const bool is_named = read_credentials(x, &scratch, &key, &secret);
    const bool is_known =
        auth_client_by_key(x->reader, &x->api->kept, key, &x->client) == STORE_OK &&
        (x->client.mechanisms & CLIENT_BY_SECRET) != 0;
    const bool matches = secret_matches(x, is_known, secret);
    secret_wipe(octets, sizeof(octets));
    return is_named && matches;
}

// Is it a client that may ask for anything, from where it may ask?
static bool client_may_ask(struct api_exchange *x)
{
    const bool fits = client_fits(x);
    x->tenant = x->client.tenant;
    x->is_proved = fits && !x->client.is_suspended && auth_is_source(&x->client, x->request->peer);
    if (x->is_proved)
        return api_take_rate(x);
    if (x->problem.code == API_OK)
        api_count_failure(x);
    return false;
}

// Not now, or not at all.
static void refuse_client(struct api_exchange *x)
{
    if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else
        refuse_grant(x, &UNKNOWN_CLIENT);
}

// A client that wants nothing but bound tokens shows its certificate, however it proves itself
// [RFC 8705 §3.4].
static bool bind_token(struct api_exchange *x)
{
    struct auth_client *c = &x->client;
    if (c->has_bound_tokens && api_shows_certificate(x->request, c))
        auth_certificate_digest(x->request->certificate_sha256, c->token_certificate);
    return auth_token_serves(c, c->token_certificate);
}

// What is wrong with the request, or NULL; `scope` gets a copy of the scopes, `purpose` is in it.
static const struct grant_error *judge_form(struct api_exchange *x, struct writer *scope,
                                            struct bytes *purpose)
{
    struct bytes value = {0};
    if (!api_query_take(&x->query, "grant_type", &value))
        return &NO_GRANT_TYPE;
    if (!bytes_equal(value, bytes_of_text("client_credentials")))
        return &OTHER_GRANT_TYPE;
    if (!client_may_ask(x))
        return &UNKNOWN_CLIENT;
    if (!bind_token(x))
        return &NO_CERTIFICATE;
    if (!api_query_take(&x->query, "scope", &value))
        return &NO_SCOPE;
    writer_copy(scope, value);
    return check_scopes(&x->client, writer_bytes(scope), purpose) ? NULL : &OTHER_SCOPE;
}

// Reads the body as the query's twin; "+" stands for a space in it [RFC 6749 appendix B].
static bool read_form(struct api_exchange *x)
{
    static uint8_t form[API_QUERY_MAX];
    const struct bytes body = x->request->body;
    if (x->query.count != 0 || body.len > sizeof(form))
        return false;
    for (size_t i = 0; i < body.len; i++)
        form[i] = body.at[i] == '+' ? ' ' : body.at[i];
    const bool ok = api_query_read(&x->query, bytes_of(form, body.len)).code == API_OK;
    secret_wipe(form, sizeof(form));
    return ok;
}

void api_token_post(struct api_exchange *x)
{
    static uint8_t scope_octets[SCOPE_LIST_MAX];
    struct writer scope = writer_of(scope_octets, sizeof(scope_octets));
    struct bytes purpose = {0};
    const struct grant_error *error = read_form(x) ? judge_form(x, &scope, &purpose) : &BAD_FORM;
    secret_wipe(x->query.decoded, sizeof(x->query.decoded));
    if (error == NULL)
        grant_token(x, writer_bytes(&scope), purpose);
    else if (error == &UNKNOWN_CLIENT)
        refuse_client(x);
    else
        refuse_grant(x, error);
}

// --- tokens that there are ---

struct kept_token {
    uint64_t id, client;
    struct utc created_at, until;
};

static bool see_token(void *context, const struct document *d)
{
    *(struct kept_token *)context = (struct kept_token){
        .id = d->id, .client = d->parent, .created_at = d->created_at, .until = {d->state}};
    return false;
}

static bool find_token(struct api_exchange *x, struct bytes token, struct kept_token *found)
{
    char name[AUTH_DIGEST_NAME_SIZE];
    return auth_digest_name(token, name) &&
           store_document_named(x->reader, "token", name, see_token, found) == STORE_OK;
}

// The form names secrets; and who is answered may be gone at once.
static void forget_form(struct api_exchange *x)
{
    secret_wipe(x->query.decoded, sizeof(x->query.decoded));
}

// The token that the form names; false: refused.
static bool read_token(struct api_exchange *x, struct bytes *token)
{
    if (!read_form(x) || !api_query_take(&x->query, "token", token)) {
        forget_form(x);
        refuse_grant(x, &NO_TOKEN);
        return false;
    }
    if (client_may_ask(x))
        return true;
    forget_form(x);
    refuse_client(x);
    return false;
}

// --- giving one back [RFC 7009] ---

static enum store_status revoke(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    const enum store_status status = store_document_delete(store, "token", x->object_id);
    if (status != STORE_OK) // somebody else ended it meanwhile
        return status == STORE_NONE ? STORE_OK : status;
    return api_trail(x, store, "token.revoked", "client", x->client.id, NULL);
}

static void reply_revoked(struct api_exchange *x)
{
    api_reply_empty(x, 200);
}

void api_revoke_post(struct api_exchange *x)
{
    struct bytes token = {0};
    struct kept_token found = {0};
    if (!read_token(x, &token))
        return;
    const bool is_theirs = find_token(x, token, &found) && found.client == x->client.id;
    forget_form(x);
    if (!is_theirs) { // answered like one that was ended
        reply_revoked(x);
        return;
    }
    x->object_id = found.id;
    api_commit(x, revoke, reply_revoked);
}

// --- what one is worth [RFC 7662] ---

// Who may use it now, with the scopes that it still gives.
static bool is_live(struct api_exchange *x, struct bytes token, struct auth_client *who)
{
    bool works = false;
    return auth_token_find(x->reader, &x->api->kept, token, x->now.utc, who) == STORE_OK &&
           auth_token_serves(who, who->token_certificate) && !who->is_suspended &&
           enterprise_works(x->reader, who->tenant, x->now.utc, &works) == STORE_OK && works;
}

static void put_scope_list(struct json_writer *j, const struct auth_client *who)
{
    uint8_t octets[AUTH_SCOPES_MAX * (AUTH_WIRE_SCOPE_SIZE + 1)];
    struct writer w = writer_of(octets, sizeof(octets));
    for (unsigned i = 0; i < who->scope_count; i++) {
        text_put(&w, i > 0 ? " " : "");
        auth_scope_put(&w, who->scopes[i]);
    }
    api_put_octets(j, "scope", writer_bytes(&w));
}

// Whom it serves [RFC 8705 §3.2].
static void put_confirmation(struct json_writer *j, const struct auth_client *who)
{
    uint8_t digest[CRYPTO_SHA256_SIZE];
    uint8_t octets[AUTH_TOKEN_SIZE];
    struct writer d = writer_of(digest, sizeof(digest));
    struct writer w = writer_of(octets, sizeof(octets));
    if (who->token_certificate[0] == '\0' ||
        !text_unhex(bytes_of_text(strchr(who->token_certificate, ':') + 1), &d))
        return;
    api_base64url_put(&w, writer_bytes(&d));
    api_open_object(j, "cnf");
    api_put_octets(j, "x5t#S256", writer_bytes(&w));
    json_end_object(j);
}

static void reply_worth(struct api_exchange *x, const struct auth_client *who,
                        const struct kept_token *token)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_bool(j, "active", who != NULL);
    if (who != NULL) {
        api_put_text(j, "client_id", who->app_key);
        api_put_text(j, "sub", who->app_key);
        api_put_text(j, "iss", x->api->options.public_url);
        api_put_text(j, "token_type", "Bearer");
        api_put_number(j, "iat", (uint64_t)token->created_at.ms / 1000);
        api_put_number(j, "exp", (uint64_t)token->until.ms / 1000);
        put_scope_list(j, who);
        put_confirmation(j, who);
    }
    json_end_object(j);
    api_reply(x, 200);
}

void api_introspect_post(struct api_exchange *x)
{
    struct bytes token = {0};
    struct kept_token found = {0};
    if (!read_token(x, &token))
        return;
    struct auth_client *who = malloc(sizeof(*who));
    const bool is_operator = x->client.tenant == AUTH_OPERATOR;
    const bool is_active =
        who != NULL && is_operator && find_token(x, token, &found) && is_live(x, token, who);
    forget_form(x);
    if (!is_operator)
        refuse_grant(x, &WRONG_CLIENT);
    else if (who == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        reply_worth(x, is_active ? who : NULL, &found);
    free(who);
}

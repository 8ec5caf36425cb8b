// POST /oauth2/token: client credentials with APPKEY and APPSECRET [RFC 6749 §4.4].
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

#define SCOPE_PREFIX "connectivity-management:"
#define SCOPE_LIST_MAX 4096

struct grant {
    char token[AUTH_TOKEN_SIZE];
    uint8_t scope[SCOPE_LIST_MAX];
    size_t scope_len;
};

// Errors have the form of [RFC 6749 §5.2].
static void refuse_grant(struct api_exchange *x, unsigned status, const char *error)
{
    json_begin_object(&x->json);
    api_put_text(&x->json, "error", error);
    json_end_object(&x->json);
    api_reply(x, status);
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
        memcpy(padded, given.at, given.len < sizeof(padded) ? given.len : sizeof(padded));
        const bool is_equal = secret_equal(secret, padded, sizeof(secret));
        matches |= has_secret && is_equal && given.len == AUTH_SECRET_SIZE;
        secret_wipe(secret, sizeof(secret));
        secret_wipe(padded, sizeof(padded));
    }
    return matches;
}

static bool check_scopes(const struct auth_client *client, struct bytes list)
{
    const size_t prefix_len = strlen(SCOPE_PREFIX);
    size_t count = 0;
    for (size_t at = 0; at < list.len;) {
        const struct bytes scope = api_until(bytes_slice(list, at, list.len), ' ');
        at += scope.len + 1;
        if (scope.len <= prefix_len || memcmp(scope.at, SCOPE_PREFIX, prefix_len) != 0 ||
            !auth_has_scope(client, bytes_slice(scope, prefix_len, scope.len)))
            return false;
        count++;
    }
    return count > 0 && list.len <= SCOPE_LIST_MAX;
}

static enum store_status put_token(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct grant *grant = x->work;
    return auth_token_put(store, api_new_id(x), &x->client, grant->token,
                          bytes_of(grant->scope, grant->scope_len), now);
}

static void reply_token(struct api_exchange *x)
{
    struct grant *grant = x->work;
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

static void grant_token(struct api_exchange *x, struct bytes scope)
{
    uint8_t entropy[32];
    struct grant *grant = calloc(1, sizeof(*grant));
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
    api_commit(x, put_token, reply_token);
}

// What is wrong with the request, or NULL; `scope` gets a copy of the scopes.
static const char *judge_form(struct api_exchange *x, struct writer *scope)
{
    uint8_t octets[512];
    struct writer scratch = writer_of(octets, sizeof(octets));
    struct bytes value = {0};
    struct bytes key = {0};
    struct bytes secret = {0};
    if (!api_query_take(&x->query, "grant_type", &value))
        return "invalid_request";
    if (!bytes_equal(value, bytes_of_text("client_credentials")))
        return "unsupported_grant_type";
    const bool is_named = read_credentials(x, &scratch, &key, &secret);
    const bool is_known = auth_client_by_key(x->reader, key, &x->client) == STORE_OK;
    const bool matches = secret_matches(x, is_known, secret);
    secret_wipe(octets, sizeof(octets));
    x->tenant = x->client.tenant;
    if (!is_named || !matches || x->client.is_suspended) {
        api_count_failure(x);
        return "invalid_client";
    }
    if (!api_query_take(&x->query, "scope", &value) || !check_scopes(&x->client, value))
        return "invalid_scope";
    writer_copy(scope, value);
    return NULL;
}

void api_token_post(struct api_exchange *x)
{
    static uint8_t form[API_QUERY_MAX];
    static uint8_t scope_octets[SCOPE_LIST_MAX];
    struct writer scope = writer_of(scope_octets, sizeof(scope_octets));
    const struct bytes body = x->request->body;
    const char *error = "invalid_request";
    if (x->query.count == 0 && body.len <= sizeof(form)) {
        // The form is the query's twin; "+" stands for a space in it [RFC 6749 appendix B].
        for (size_t i = 0; i < body.len; i++)
            form[i] = body.at[i] == '+' ? ' ' : body.at[i];
        if (api_query_read(&x->query, bytes_of(form, body.len)).code == API_OK)
            error = judge_form(x, &scope);
        secret_wipe(form, sizeof(form));
        secret_wipe(x->query.decoded, sizeof(x->query.decoded));
    }
    if (error == NULL)
        grant_token(x, writer_bytes(&scope));
    else
        refuse_grant(x, strcmp(error, "invalid_client") == 0 ? 401 : 400, error);
}

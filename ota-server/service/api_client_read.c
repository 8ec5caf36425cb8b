#include "ota-server/service/api_client.h"

#include "common/base/text.h"
#include "common/host/ip.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/client_admin.h"
#include "ota-server/service/sink_url.h"

#define SHOWN_MAX 80            // octets of a scope that there is not
#define CALLS_MAX 1000000000000 // a month

const char *const api_client_mechanisms[] = {"client_secret", "hmac", "private_key_jwt",
                                             "tls_client_auth", NULL};

static void fail(struct api_exchange *x, const char *member, const char *text)
{
    api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member), text));
}

static bool is_known(struct bytes scope)
{
    for (size_t i = 0; client_scopes[i] != NULL; i++) {
        if (bytes_equal(scope, bytes_of_text(client_scopes[i])))
            return true;
    }
    return false;
}

// Nobody gives a client more than they have; who has what an administrator has, has everything.
static bool may_give(const struct api_exchange *x, struct bytes scope)
{
    return auth_has_scope(&x->client, scope) ||
           (api_is_operator(x) && user_role_is_within(ROLE_PLATFORM_ADMIN, &x->client));
}

bool api_client_reach(struct api_exchange *x, const struct auth_client *c)
{
    for (unsigned i = 0; i < c->scope_count; i++) {
        if (!may_give(x, bytes_of_text(c->scopes[i]))) {
            api_forbid(x, "a client gets scopes that you have yourself, leave out the others");
            return false;
        }
    }
    return true;
}

static void fail_scope(struct api_exchange *x, struct bytes scope)
{
    char text[API_MESSAGE_MAX - API_FIELD_MAX];
    struct writer w = writer_of(text, sizeof(text));
    text_put(&w, "Unknown scope ");
    writer_copy(&w, bytes_slice(scope, 0, scope.len < SHOWN_MAX ? scope.len : SHOWN_MAX));
    text_put(&w, ": /.well-known/openid-configuration lists them; connectivity-management: before "
                 "one may be left out");
    fail(x, "scopes", text_end(&w));
}

// As it is published, or without the name of this API.
static struct bytes scope_of(struct bytes text)
{
    struct bytes scope;
    return auth_scope_read(text, &scope) ? scope : text;
}

static void read_scopes(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const json_t *list = api_body_array(&x->body, "scopes", need);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->scope_count = 0;
    json_array_foreach(list, i, item)
    {
        const struct bytes text = bytes_of(json_string_value(item), json_string_length(item));
        const struct bytes scope = scope_of(text);
        if (!json_is_string(item) || !is_known(scope) || !auth_add_scope(c, scope))
            fail_scope(x, text);
        else if (!may_give(x, scope))
            fail(x, "scopes", "A scope that you do not have");
    }
    if (c->scope_count == 0)
        fail(x, "scopes", "At least one is needed");
}

static void read_mechanisms(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const json_t *list = api_body_array(&x->body, "mechanisms", need);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->mechanisms = 0;
    json_array_foreach(list, i, item)
    {
        unsigned bit = 0;
        for (unsigned k = 0; api_client_mechanisms[k] != NULL && json_is_string(item); k++)
            bit |= strcmp(json_string_value(item), api_client_mechanisms[k]) == 0 ? 1u << k : 0;
        c->mechanisms |= (uint8_t)bit;
        if (bit == 0)
            fail(x, "mechanisms", "One of client_secret, hmac, private_key_jwt, tls_client_auth");
    }
    if (c->mechanisms == 0)
        fail(x, "mechanisms",
             "At least one of client_secret, hmac, private_key_jwt, tls_client_auth is needed");
}

static void read_jwks(struct api_exchange *x, struct auth_client *c)
{
    const json_t *jwks = api_body_object(&x->body, "jwks", API_OPTIONAL);
    if (jwks == NULL)
        return;
    const size_t len = json_dumpb(jwks, c->jwks, sizeof(c->jwks) - 1, JSON_COMPACT);
    c->jwks[len < sizeof(c->jwks) ? len : 0] = '\0';
    if (len >= sizeof(c->jwks) || !json_is_array(json_object_get(jwks, "keys")))
        fail(x, "jwks", "A set of keys, of at most 2047 octets");
    memset(c->jwks_uri, 0, sizeof(c->jwks_uri));
}

static bool is_address(const struct api_exchange *x, struct bytes text)
{
    const struct api_options *o = &x->api->options;
    struct sink_url url;
    return sink_url_read(text, &url) == SINK_OK &&
           (o->sink_allows == NULL || o->sink_allows(o->sink_context, &url));
}

// In place of the set itself.
static void read_jwks_uri(struct api_exchange *x, struct auth_client *c)
{
    const struct bytes uri = api_body_text(&x->body, "jwksUri", API_OPTIONAL, 1, AUTH_URL_SIZE - 1);
    if (uri.len == 0 || uri.len >= AUTH_URL_SIZE)
        return;
    if (api_body_has(&x->body, "jwks") || !is_address(x, uri)) {
        fail(x, "jwksUri",
             "An https URL whose port and address are allowed, and no jwks beside it");
        return;
    }
    memset(c->jwks_uri, 0, sizeof(c->jwks_uri));
    bytes_copy(c->jwks_uri, uri);
    c->jwks[0] = '\0';
}

// By its own digest, or by the names of its issuer and subject, so that it can be renewed.
static bool take_certificate(struct auth_client *c, struct api_body *b)
{
    const struct bytes digest = api_body_text(b, "sha256", API_OPTIONAL, 64, 64);
    const struct bytes issuer = api_body_text(b, "issuer", API_OPTIONAL, 1, AUTH_DN_SIZE - 1);
    const struct bytes subject = api_body_text(b, "subject", API_OPTIONAL, 1, AUTH_DN_SIZE - 1);
    uint8_t octets[CRYPTO_SHA256_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    memset(c->issuer, 0, sizeof(c->issuer));
    memset(c->subject, 0, sizeof(c->subject));
    if (!api_body_end(b) || (issuer.len == 0) != (subject.len == 0) ||
        (digest.len == 0) == (issuer.len == 0))
        return false;
    if (digest.len > 0) {
        if (!text_unhex(digest, &w) || w.len != sizeof(octets))
            return false;
        auth_certificate_digest(octets, c->certificate);
        return true;
    }
    bytes_copy(c->issuer, issuer);
    bytes_copy(c->subject, subject);
    return auth_certificate_name(issuer, subject, c->certificate);
}

static void read_certificate(struct api_exchange *x, struct auth_client *c)
{
    const json_t *object = api_body_object(&x->body, "certificate", API_OPTIONAL);
    struct api_body b;
    if (object != NULL) {
        api_body_init(&b, object);
        if (!take_certificate(c, &b))
            fail(x, "certificate", "sha256 of 64 hexadecimal digits, or issuer and subject");
    }
}

static void read_sources(struct api_exchange *x, struct auth_client *c)
{
    const json_t *list = api_body_array(&x->body, "sourceCidrs", API_OPTIONAL);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->source_count = 0;
    json_array_foreach(list, i, item)
    {
        struct ip_network network;
        const char *text = json_string_value(item);
        const bool is_network = text != NULL && json_string_length(item) < AUTH_SOURCE_SIZE &&
                                strlen(text) == json_string_length(item) &&
                                ip_network_read(text, &network);
        if (!is_network || c->source_count == AUTH_SOURCES_MAX) {
            fail(x, "sourceCidrs", "At most 16 networks such as 192.0.2.0/24 or 2001:db8::/32");
            return;
        }
        bytes_copy(c->sources[c->source_count], bytes_of_text(text));
        c->sources[c->source_count++][strlen(text)] = '\0';
    }
}

// A URL of the form that sinks have, whole segments of which begin them.
static bool take_prefix(struct api_exchange *x, struct auth_client *c, const json_t *item)
{
    struct api_body b;
    if (!json_is_object(item) || c->prefix_count == AUTH_PREFIXES_MAX)
        return false;
    api_body_init(&b, item);
    const struct bytes prefix = api_body_text(&b, "prefix", API_REQUIRED, 1, AUTH_URL_SIZE - 1);
    if (!api_body_end(&b) || !sink_url_is_below(prefix, prefix) || !is_address(x, prefix))
        return false;
    bytes_copy(c->prefixes[c->prefix_count], prefix);
    c->prefixes[c->prefix_count++][prefix.len] = '\0';
    return true;
}

static void read_prefixes(struct api_exchange *x, struct auth_client *c)
{
    const json_t *list = api_body_array(&x->body, "sinkPrefixes", API_OPTIONAL);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->prefix_count = 0;
    json_array_foreach(list, i, item)
    {
        if (!take_prefix(x, c, item)) {
            fail(x, "sinkPrefixes",
                 "At most 8 of {\"prefix\"}, https URLs of at most 255 octets without a query");
            return;
        }
    }
}

// An address that the server will connect to: judged like a sink.
static void read_endpoint(struct api_exchange *x, struct auth_client *c)
{
    struct api_body b;
    if (!api_body_begin(&x->body, "sinkTokenEndpoint", &b))
        return;
    const struct bytes uri = api_body_text(&b, "tokenUri", API_REQUIRED, 1, AUTH_URL_SIZE - 1);
    const struct bytes id = api_body_text(&b, "clientId", API_REQUIRED, 1, AUTH_TOKEN_ID_SIZE - 1);
    if (b.problem.code == API_OK && !is_address(x, uri))
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("tokenUri"),
                                            "No https URL whose port and address are allowed"));
    if (b.problem.code == API_OK) {
        memset(c->token_uri, 0, sizeof(c->token_uri));
        memset(c->token_id, 0, sizeof(c->token_id));
        bytes_copy(c->token_uri, uri);
        bytes_copy(c->token_id, id);
    }
    api_body_close(&x->body, "sinkTokenEndpoint", &b);
}

// As a whole: an API that it does not name is not limited.
static void read_quotas(struct api_exchange *x, struct auth_client *c)
{
    struct api_body quotas;
    struct api_body calls;
    if (!api_body_begin(&x->body, "quotas", &quotas))
        return;
    memset(c->calls_per_month, 0, sizeof(c->calls_per_month));
    if (api_body_begin(&quotas, "callsPerMonth", &calls)) {
        for (size_t i = 0; i < AUTH_APIS; i++)
            c->calls_per_month[i] =
                (uint64_t)api_body_integer(&calls, auth_api_names[i], 1, CALLS_MAX, 0);
        api_body_close(&quotas, "callsPerMonth", &calls);
    }
    api_body_close(&x->body, "quotas", &quotas);
}

void api_client_read(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const struct bytes name = api_body_text(&x->body, "name", need, 1, AUTH_NAME_SIZE - 1);
    if (name.len > 0 && name.len < AUTH_NAME_SIZE) {
        memcpy(c->name, name.at, name.len);
        c->name[name.len] = '\0';
    }
    read_scopes(x, c, need);
    read_mechanisms(x, c, need);
    read_jwks(x, c);
    read_jwks_uri(x, c);
    read_certificate(x, c);
    c->has_bound_tokens = api_body_bool(&x->body, "certificateBoundTokens", c->has_bound_tokens);
    read_sources(x, c);
    read_prefixes(x, c);
    read_endpoint(x, c);
    read_quotas(x, c);
    c->per_second = (uint32_t)api_body_integer(&x->body, "ratePerSecond", 1, 100000, c->per_second);
    c->burst = (uint32_t)api_body_integer(&x->body, "burst", 1, 100000, c->burst);
}

bool api_client_contract(struct api_exchange *x, const struct auth_client *then,
                         const struct auth_client *now)
{
    bool is_more = now->per_second > then->per_second || now->burst > then->burst;
    for (size_t i = 0; i < AUTH_APIS; i++)
        is_more |= now->calls_per_month[i] != then->calls_per_month[i];
    if (!is_more || api_is_operator(x))
        return true;
    api_refuse_permission(x, "the operator alone raises rates and quotas, ask them");
    return false;
}

bool api_client_binds(struct api_exchange *x, const struct auth_client *c)
{
    if (!c->has_bound_tokens || c->certificate[0] != '\0')
        return true;
    api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("certificateBoundTokens"),
                                    "It has no certificate to bind them to"));
    return false;
}

// Texts of `size` octets each; none are no limit. Is there one that was none before?
struct limit {
    const char *texts;
    size_t count, size;
};

static bool is_more(const struct limit *then, const struct limit *now)
{
    if (then->count == 0)
        return false;
    for (size_t i = 0; i < now->count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < then->count; k++)
            is_known |= strcmp(now->texts + i * now->size, then->texts + k * then->size) == 0;
        if (!is_known)
            return true;
    }
    return now->count == 0;
}

static struct limit sources_of(const struct auth_client *c)
{
    return (struct limit){c->sources[0], c->source_count, AUTH_SOURCE_SIZE};
}

static struct limit prefixes_of(const struct auth_client *c)
{
    return (struct limit){c->prefixes[0], c->prefix_count, AUTH_URL_SIZE};
}

bool api_client_is_wider(const struct auth_client *then, const struct auth_client *now)
{
    const struct limit sources[] = {sources_of(then), sources_of(now)};
    const struct limit prefixes[] = {prefixes_of(then), prefixes_of(now)};
    for (unsigned i = 0; i < now->scope_count; i++) {
        if (!auth_has_scope(then, bytes_of_text(now->scopes[i])))
            return true;
    }
    return (now->mechanisms & ~then->mechanisms) != 0 ||
           (then->has_bound_tokens && !now->has_bound_tokens) ||
           strcmp(now->token_uri, then->token_uri) != 0 ||
           strcmp(now->token_id, then->token_id) != 0 || strcmp(now->jwks, then->jwks) != 0 ||
           strcmp(now->jwks_uri, then->jwks_uri) != 0 ||
           strcmp(now->certificate, then->certificate) != 0 || is_more(&sources[0], &sources[1]) ||
           is_more(&prefixes[0], &prefixes[1]);
}

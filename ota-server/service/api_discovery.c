// What clients find out by themselves: endpoints, scopes, keys; and how they give tokens back.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/client_admin.h"
#include "ota-server/service/sink_token.h"

static void put_url(struct api_exchange *x, const char *name, const char *path)
{
    char url[API_URL_MAX + 64];
    struct writer w = writer_of(url, sizeof(url));
    text_put(&w, x->api->options.public_url);
    text_put(&w, path);
    api_put_text(&x->json, name, text_end(&w));
}

static void put_texts(struct json_writer *j, const char *name, const char *const *texts)
{
    api_open_array(j, name);
    for (size_t i = 0; texts[i] != NULL; i++)
        api_put_text(j, NULL, texts[i]);
    json_end_array(j);
}

// [RFC 8414 §2; RFC 8705 §3.3; OpenID Connect Discovery 1.0 §3]
void api_discovery(struct api_exchange *x)
{
    static const char *const none[] = {"none", NULL};
    static const char *const grants[] = {"client_credentials", NULL};
    static const char *const methods[] = {"private_key_jwt", "tls_client_auth",
                                          "client_secret_basic", "client_secret_post", NULL};
    static const char *const algorithms[] = {"ES256", "PS256", "RS256", NULL};
    static const char *const subjects[] = {"pairwise", NULL};
    static const char *const signing[] = {"ES256", NULL};
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_text(j, "issuer", x->api->options.public_url);
    put_url(x, "token_endpoint", "/oauth2/token");
    put_url(x, "revocation_endpoint", "/oauth2/revoke");
    put_url(x, "introspection_endpoint", "/oauth2/introspect");
    put_url(x, "jwks_uri", "/.well-known/jwks.json");
    api_open_array(j, "scopes_supported");
    for (size_t i = 0; client_scopes[i] != NULL; i++) {
        char scope[AUTH_WIRE_SCOPE_SIZE];
        struct writer w = writer_of(scope, sizeof(scope));
        auth_scope_put(&w, client_scopes[i]);
        api_put_text(j, NULL, text_end(&w));
    }
    json_end_array(j);
    put_texts(j, "response_types_supported", none);
    put_texts(j, "grant_types_supported", grants);
    put_texts(j, "token_endpoint_auth_methods_supported", methods);
    put_texts(j, "token_endpoint_auth_signing_alg_values_supported", algorithms);
    api_put_bool(j, "tls_client_certificate_bound_access_tokens", true);
    put_texts(j, "subject_types_supported", subjects);
    put_texts(j, "id_token_signing_alg_values_supported", signing);
    json_end_object(j);
    api_reply(x, 200);
}

static void reply_keys(struct api_exchange *x, uint64_t enterprise)
{
    struct token_key key;
    const bool is_made =
        token_key_make(x->api->crypto, &x->api->options.client_key, enterprise, &key);
    secret_wipe(&key.number, sizeof(key.number));
    if (!is_made) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    json_begin_object(&x->json);
    api_open_array(&x->json, "keys");
    token_key_put(&x->json, &key);
    json_end_array(&x->json);
    json_end_object(&x->json);
    api_reply(x, 200);
}

// The key that the server signs its requests for tokens of the operator's own sinks with.
void api_jwks(struct api_exchange *x)
{
    reply_keys(x, AUTH_OPERATOR);
}

// That for an enterprise's sinks. Also of one that there is not, so that nobody learns who is here.
void api_enterprise_jwks(struct api_exchange *x)
{
    uint64_t enterprise = 0;
    if (api_capture(x, 0, "ent", &enterprise))
        reply_keys(x, enterprise);
}

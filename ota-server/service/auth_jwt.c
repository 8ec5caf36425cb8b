#include "ota-server/service/auth_jwt.h"

#include "common/base/text.h"
#include "common/host/crypto.h"
#include "ota-server/service/api_text.h"

struct parts {
    struct bytes header, claims, signature; // as they were sent
    struct bytes text;                      // what was signed
};

static bool split(struct bytes jwt, struct parts *p)
{
    p->header = api_until(jwt, '.');
    const struct bytes rest = bytes_slice(jwt, p->header.len + 1, jwt.len);
    p->claims = api_until(rest, '.');
    p->signature = bytes_slice(rest, p->claims.len + 1, rest.len);
    p->text = bytes_slice(jwt, 0, p->header.len + 1 + p->claims.len);
    return jwt.len <= JWT_SIZE_MAX && p->header.len > 0 && p->claims.len > 0 &&
           p->signature.len > 0 && api_until(p->signature, '.').len == p->signature.len;
}

static json_t *read_part(struct bytes part)
{
    uint8_t octets[JWT_SIZE_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    json_t *root = NULL;
    if (!api_base64url_read(part, &w) || json_read(writer_bytes(&w), &root) != JSON_READ_OK ||
        !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static bool text_is(const json_t *object, const char *name, const char *wanted)
{
    struct bytes text = {0};
    return json_get_text(object, name, &text) == JSON_FOUND &&
           bytes_equal(text, bytes_of_text(wanted));
}

void jwt_client(struct bytes jwt, char client[JWT_CLIENT_MAX + 1])
{
    struct parts p;
    struct bytes text = {0};
    client[0] = '\0';
    json_t *claims = split(jwt, &p) ? read_part(p.claims) : NULL;
    if (json_get_text(claims, "sub", &text) == JSON_FOUND && text.len <= JWT_CLIENT_MAX) {
        memcpy(client, text.at, text.len);
        client[text.len] = '\0';
    }
    json_decref(claims);
}

// --- the signature ---

static const struct {
    const char *name, *kind;
    enum crypto_scheme scheme;
} algorithms[] = {
    {"ES256", "EC", CRYPTO_ES256}, {"RS256", "RSA", CRYPTO_RS256}, {"PS256", "RSA", CRYPTO_PS256}};

static bool read_member(const json_t *key, const char *name, struct writer *w, struct bytes *out)
{
    struct bytes text = {0};
    const size_t start = w->len;
    if (json_get_text(key, name, &text) != JSON_FOUND || !api_base64url_read(text, w))
        return false;
    *out = bytes_slice(writer_bytes(w), start, w->len);
    return true;
}

static bool fits(const json_t *key, size_t algorithm, const struct parts *p, struct bytes signature)
{
    uint8_t octets[2048];
    struct writer w = writer_of(octets, sizeof(octets));
    struct crypto_public public = {0};
    const bool is_ec = algorithms[algorithm].scheme == CRYPTO_ES256;
    // A key that names its use or algorithm serves for nothing else [RFC 7517 §4.2, 4.4].
    if (!text_is(key, "kty", algorithms[algorithm].kind) ||
        (json_object_get(key, "use") != NULL && !text_is(key, "use", "sig")) ||
        (json_object_get(key, "alg") != NULL && !text_is(key, "alg", algorithms[algorithm].name)) ||
        (is_ec && !text_is(key, "crv", "P-256")))
        return false;
    return read_member(key, is_ec ? "x" : "n", &w, &public.a) &&
           read_member(key, is_ec ? "y" : "e", &w, &public.b) &&
           crypto_verify(algorithms[algorithm].scheme, &public, p->text, signature);
}

// What says that it is another kind of token proves nothing here [RFC 8725 §3.11].
static bool is_type(const json_t *header)
{
    const json_t *type = json_object_get(header, "typ");
    return type == NULL || text_is(header, "typ", "JWT") ||
           text_is(header, "typ", "client-authentication+jwt");
}

static bool is_signed(const struct parts *p, const json_t *header, const json_t *jwks)
{
    uint8_t octets[1024];
    struct writer w = writer_of(octets, sizeof(octets));
    size_t algorithm = 0;
    const size_t count = sizeof(algorithms) / sizeof(algorithms[0]);
    struct bytes kid = {0};
    size_t i;
    const json_t *key;
    while (algorithm < count && !text_is(header, "alg", algorithms[algorithm].name))
        algorithm++;
    // "crit" names what must be understood, and none of it is [RFC 7515 §4.1.11].
    if (algorithm == count || json_object_get(header, "crit") != NULL || !is_type(header) ||
        !api_base64url_read(p->signature, &w))
        return false;
    const bool has_kid = json_get_text(header, "kid", &kid) == JSON_FOUND;
    json_array_foreach(json_object_get(jwks, "keys"), i, key)
    {
        struct bytes own = {0};
        if (has_kid && (json_get_text(key, "kid", &own) != JSON_FOUND || !bytes_equal(own, kid)))
            continue;
        if (fits(key, algorithm, p, writer_bytes(&w)))
            return true;
    }
    return false;
}

// --- the claims ---

static bool is_for(const json_t *claims, const struct jwt_expected *e)
{
    const json_t *given = json_object_get(claims, "aud");
    for (size_t i = 0; i < 2; i++) {
        size_t k;
        const json_t *item;
        if (text_is(claims, "aud", e->audiences[i]))
            return true;
        json_array_foreach(given, k, item)
        {
            if (json_is_string(item) && strcmp(json_string_value(item), e->audiences[i]) == 0)
                return true;
        }
    }
    return false;
}

static bool is_in_time(const json_t *claims, struct utc now)
{
    int64_t issued = 0;
    int64_t ends = 0;
    int64_t begins = 0;
    const int64_t now_s = now.ms / 1000;
    const enum json_found found = json_get_integer(claims, "nbf", 0, INT64_MAX / 2, &begins);
    return json_get_integer(claims, "iat", 0, INT64_MAX / 2, &issued) == JSON_FOUND &&
           json_get_integer(claims, "exp", 0, INT64_MAX / 2, &ends) == JSON_FOUND &&
           (found == JSON_ABSENT || found == JSON_FOUND) && issued <= now_s + JWT_SKEW_S &&
           begins <= now_s + JWT_SKEW_S && ends > now_s - JWT_SKEW_S &&
           ends <= now_s + JWT_AHEAD_S + JWT_SKEW_S;
}

static bool judge(const json_t *claims, const struct jwt_expected *e, char jti[JWT_JTI_MAX + 1])
{
    struct bytes text = {0};
    if (!text_is(claims, "iss", e->client) || !text_is(claims, "sub", e->client) ||
        !is_for(claims, e) || !is_in_time(claims, e->now) ||
        json_get_text(claims, "jti", &text) != JSON_FOUND || text.len == 0 ||
        text.len > JWT_JTI_MAX)
        return false;
    memcpy(jti, text.at, text.len);
    jti[text.len] = '\0';
    return true;
}

bool jwt_check(struct bytes jwt, const struct jwt_expected *expected, char jti[JWT_JTI_MAX + 1])
{
    struct parts p;
    if (!split(jwt, &p))
        return false;
    json_t *header = read_part(p.header);
    json_t *claims = read_part(p.claims);
    const bool ok = header != NULL && claims != NULL && is_signed(&p, header, expected->jwks) &&
                    judge(claims, expected, jti);
    json_decref(header);
    json_decref(claims);
    return ok;
}

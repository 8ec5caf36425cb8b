// Assertions of strangers: any octets are judged, and none are right. Behind the octet 01 stand
// header and claims, a line each, that are signed here with the registered key, so that what lies
// behind the signature is reached: taken are those that a second judge takes.
#include "common/base/check.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>

#define CLAIMS_MAX 2048
#define TEXT_MAX (4 * CLAIMS_MAX)
#define NOW_S 1300819370

static EVP_PKEY *key;
static json_t *jwks;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_number(struct writer *w, const BIGNUM *n)
{
    uint8_t octets[32];
    check(BN_bn2binpad(n, octets, sizeof octets) == (int)sizeof octets);
    api_base64url_put(w, bytes_of(octets, sizeof octets));
    writer_u8(w, 0);
}

static void open_once(void)
{
    char x[48];
    char y[48];
    char text[256];
    BIGNUM *numbers[2] = {NULL, NULL};
    if (key != NULL)
        return;
    key = EVP_EC_gen("P-256");
    check(key != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &numbers[0]) == 1 &&
          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &numbers[1]) == 1);
    struct writer wx = writer_of(x, sizeof x);
    struct writer wy = writer_of(y, sizeof y);
    put_number(&wx, numbers[0]);
    put_number(&wy, numbers[1]);
    BN_free(numbers[0]);
    BN_free(numbers[1]);
    (void)snprintf(text, sizeof text,
                   "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"x\":\"%s\","
                   "\"y\":\"%s\"}]}",
                   x, y);
    check(json_read(bytes_of_text(text), &jwks) == JSON_READ_OK);
}

static bool is_right(struct bytes jwt)
{
    char client[JWT_CLIENT_MAX + 1];
    char jti[JWT_JTI_MAX + 1];
    const struct jwt_expected expected = {.client = client,
                                          .audiences = {"https://a", "https://b"},
                                          .now = {NOW_S * 1000ll},
                                          .jwks = jwks};
    jwt_client(jwt, client);
    check(memchr(client, 0, sizeof client) != NULL);
    if (!jwt_check(jwt, &expected, jti))
        return false;
    check(jti[0] != '\0' && memchr(jti, 0, sizeof jti) != NULL);
    return true;
}

// R and S, as two numbers of 32 octets [RFC 7518 §3.4].
static void put_signature(struct writer *w)
{
    uint8_t der[128];
    const uint8_t *at = der;
    uint8_t pair[64];
    size_t len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    check(context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
    check(EVP_DigestSign(context, der, &len, w->at, w->len) == 1);
    EVP_MD_CTX_free(context);
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    check(signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), pair, 32) == 32 &&
          BN_bn2binpad(ECDSA_SIG_get0_s(signature), pair + 32, 32) == 32);
    ECDSA_SIG_free(signature);
    writer_u8(w, '.');
    api_base64url_put(w, bytes_of(pair, sizeof pair));
}

// --- the second judge ----------------------------------------------------------------------------

static bool is_text(const json_t *value, const char *wanted)
{
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

static bool is_between(const json_t *value, json_int_t from, json_int_t to)
{
    return json_is_integer(value) && json_integer_value(value) >= from &&
           json_integer_value(value) <= to;
}

static bool is_audience(const json_t *value)
{
    size_t i;
    const json_t *item;
    bool is_one = is_text(value, "https://a") || is_text(value, "https://b");
    json_array_foreach(value, i, item)
    {
        is_one |= is_text(item, "https://a") || is_text(item, "https://b");
    }
    return is_one;
}

static bool should_be_right(const json_t *header, const json_t *claims)
{
    const json_t *kid = json_object_get(header, "kid");
    const json_t *iss = json_object_get(claims, "iss");
    const json_t *sub = json_object_get(claims, "sub");
    const json_t *begins = json_object_get(claims, "nbf");
    const json_t *jti = json_object_get(claims, "jti");
    const bool is_of_key = is_text(json_object_get(header, "alg"), "ES256") &&
                           json_object_get(header, "crit") == NULL &&
                           (!json_is_string(kid) || is_text(kid, "k1"));
    const bool is_of_client = json_is_string(sub) && json_string_length(sub) <= JWT_CLIENT_MAX &&
                              is_text(iss, json_string_value(sub));
    const bool is_in_time = is_between(json_object_get(claims, "iat"), 0, NOW_S + JWT_SKEW_S) &&
                            is_between(json_object_get(claims, "exp"), NOW_S - JWT_SKEW_S + 1,
                                       NOW_S + JWT_AHEAD_S + JWT_SKEW_S) &&
                            (begins == NULL || is_between(begins, 0, NOW_S + JWT_SKEW_S));
    return is_of_key && is_of_client && is_in_time && is_audience(json_object_get(claims, "aud")) &&
           json_string_length(jti) >= 1 && json_string_length(jti) <= JWT_JTI_MAX;
}

static json_t *object_of(struct bytes text)
{
    json_t *root = NULL;
    if (json_read(text, &root) == JSON_READ_OK && json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static void signed_here(struct bytes input)
{
    static uint8_t octets[TEXT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const struct bytes first = api_until(input, '\n');
    const struct bytes second = bytes_slice(input, first.len + 1, input.len);
    json_t *header = object_of(first);
    json_t *claims = object_of(second);
    api_base64url_put(&w, first);
    writer_u8(&w, '.');
    api_base64url_put(&w, second);
    put_signature(&w);
    check(!w.failed);
    const bool is_wanted = header != NULL && claims != NULL && should_be_right(header, claims);
    check(is_right(writer_bytes(&w)) == is_wanted);
    // An octet of what was signed is another one.
    if (is_wanted) {
        octets[input.len / 2] = octets[input.len / 2] == 'A' ? 'B' : 'A';
        check(!is_right(writer_bytes(&w)));
    }
    json_decref(header);
    json_decref(claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_once();
    if (size > 1 && size < CLAIMS_MAX && data[0] == 1)
        signed_here(bytes_of(data + 1, size - 1));
    else // whoever finds an input that passes has broken P-256
        check(!is_right(bytes_of(data, size)));
    return 0;
}

#include "ota-server/service/sink_token.h"

#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/api_text.h"

#define ASSERTION_S 60
#define PART_MAX 2048

// A number that is 0 or above the order of the curve comes once in 2^32 keys: then the next is
// made.
bool token_key_make(struct crypto *crypto, const struct secret_key *from, uint64_t enterprise,
                    struct token_key *out)
{
    uint8_t digest[CRYPTO_SHA256_SIZE];
    uint8_t octets[8];
    struct writer owner = writer_of(octets, sizeof(octets));
    bool is_made = false;
    writer_u64(&owner, enterprise);
    for (uint8_t count = 0; count < 8 && !is_made; count++) {
        const struct bytes parts[] = {bytes_of_text("sink-token"), writer_bytes(&owner),
                                      bytes_of(&count, 1)};
        if (!crypto_hmac(crypto, bytes_of(from->octets, from->len), parts, 3, digest))
            return false;
        out->number = secret_key_of(bytes_of(digest, sizeof(digest)));
        is_made = crypto_es256_public(&out->number, out->x, out->y);
    }
    secret_wipe(digest, sizeof(digest));
    const struct bytes public = bytes_of(out->x, sizeof(out->x));
    if (!is_made || !crypto_hmac(crypto, bytes_of_text("kid"), &public, 1, digest))
        return false;
    struct writer w = writer_of(out->kid, sizeof(out->kid));
    text_hex(&w, bytes_of(digest, 8));
    (void)text_end(&w);
    return true;
}

static void put_octets(struct json_writer *j, const char *name, const uint8_t octets[32])
{
    char text[64];
    struct writer w = writer_of(text, sizeof(text));
    api_base64url_put(&w, bytes_of(octets, 32));
    api_put_text(j, name, text_end(&w));
}

void token_key_put(struct json_writer *j, const struct token_key *key)
{
    json_begin_object(j);
    api_put_text(j, "kty", "EC");
    api_put_text(j, "crv", "P-256");
    api_put_text(j, "use", "sig");
    api_put_text(j, "alg", "ES256");
    api_put_text(j, "kid", key->kid);
    put_octets(j, "x", key->x);
    put_octets(j, "y", key->y);
    json_end_object(j);
}

static void put_part(struct writer *w, const struct json_writer *j, struct bytes octets)
{
    if (!json_done(j))
        w->failed = true;
    api_base64url_put(w, octets);
}

static void put_header(struct writer *w, const struct token_key *key)
{
    char text[PART_MAX];
    struct writer t = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&t);
    json_begin_object(&j);
    api_put_text(&j, "alg", "ES256");
    api_put_text(&j, "typ", "JWT");
    api_put_text(&j, "kid", key->kid);
    json_end_object(&j);
    put_part(w, &j, writer_bytes(&t));
}

static void put_claims(struct writer *w, const struct auth_client *client, const uint8_t jti[16],
                       struct utc now)
{
    char text[PART_MAX];
    char uuid[API_UUID_SIZE];
    struct writer t = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&t);
    api_uuid_make(uuid, jti);
    json_begin_object(&j);
    api_put_text(&j, "iss", client->token_id);
    api_put_text(&j, "sub", client->token_id);
    api_put_text(&j, "aud", client->token_uri);
    api_put_text(&j, "jti", uuid);
    api_put_number(&j, "iat", (uint64_t)now.ms / 1000);
    api_put_number(&j, "exp", (uint64_t)now.ms / 1000 + ASSERTION_S);
    json_end_object(&j);
    put_part(w, &j, writer_bytes(&t));
}

bool token_request_write(const struct token_key *key, const struct auth_client *client,
                         const uint8_t jti[16], struct utc now, struct writer *w)
{
    uint8_t signature[CRYPTO_ES256_SIZE];
    text_put(w, "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth"
                "%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=");
    const size_t start = w->len;
    put_header(w, key);
    text_put(w, ".");
    put_claims(w, client, jti, now);
    const struct bytes signed_text = bytes_slice(writer_bytes(w), start, w->len - start);
    if (w->failed || !crypto_es256_sign(&key->number, signed_text, signature))
        return false;
    text_put(w, ".");
    api_base64url_put(w, bytes_of(signature, sizeof(signature)));
    return !w->failed;
}

static bool is_bearer(struct bytes text)
{
    static const char name[] = "bearer"; // in any case [RFC 6749 §5.1]
    if (text.len != sizeof(name) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text_lower((char)text.at[i]) != name[i])
            return false;
    }
    return true;
}

bool token_answer_read(struct bytes body, struct utc now, struct secret_token *out)
{
    json_t *root = NULL;
    struct bytes token = {0};
    struct bytes type = {0};
    int64_t life_s = TOKEN_LIFE_S;
    bool is_read = json_read(body, &root) == JSON_READ_OK && json_is_object(root) &&
                   json_get_text(root, "access_token", &token) == JSON_FOUND &&
                   json_get_text(root, "token_type", &type) == JSON_FOUND && is_bearer(type) &&
                   sink_is_token(token) && token.len <= SINK_TOKEN_MAX;
    if (json_get_integer(root, "expires_in", 1, INT32_MAX, &life_s) == JSON_WRONG)
        is_read = false;
    if (is_read) {
        life_s = life_s < TOKEN_LIFE_MAX_S ? life_s : TOKEN_LIFE_MAX_S;
        out->until = utc_after(now, life_s * 1000);
        out->len = token.len;
        bytes_copy(out->text, token);
    }
    json_decref(root);
    return is_read;
}

struct secret_token *token_of(struct secret_tokens *tokens, uint64_t client)
{
    for (size_t i = 0; i < TOKENS_MAX; i++) {
        if (tokens->rows[i].client == client)
            return &tokens->rows[i];
    }
    return NULL;
}

void token_drop(struct secret_tokens *tokens, uint64_t client)
{
    struct secret_token *t = token_of(tokens, client);
    if (t != NULL)
        secret_wipe(t, sizeof(*t));
}

void token_keep(struct secret_tokens *tokens, const struct secret_token *token)
{
    struct secret_token *place = &tokens->rows[0];
    token_drop(tokens, token->client);
    for (size_t i = 1; i < TOKENS_MAX; i++) {
        if (tokens->rows[i].used < place->used)
            place = &tokens->rows[i];
    }
    *place = *token;
}

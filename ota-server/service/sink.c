#include "ota-server/service/sink.h"

#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/notice.h"

#define SINK_TYPE_PREFIX "ota.connectivity-management.v1."
#define SEALED_MAX (CRYPTO_NONCE_SIZE + SINK_TOKEN_MAX + CRYPTO_TAG_SIZE)

// --- types -----------------------------------------------------------------------------------

uint32_t sink_type_of(struct bytes name)
{
    const size_t start = strlen(SINK_TYPE_PREFIX);
    if (name.len < start || memcmp(name.at, SINK_TYPE_PREFIX, start) != 0)
        return 0;
    const struct bytes own = bytes_slice(name, start, name.len);
    for (unsigned kind = 0; kind < NOTICE_TEST; kind++) { // which comes when it is asked for
        const char *type = notice_form((uint8_t)kind).type;
        if (type != NULL && bytes_equal(own, bytes_of_text(type)))
            return UINT32_C(1) << kind;
    }
    return 0;
}

const char *sink_type_text(uint8_t kind, char text[SINK_TYPE_SIZE])
{
    const char *name = notice_form(kind).type;
    struct writer w = writer_of(text, SINK_TYPE_SIZE);
    text_put(&w, SINK_TYPE_PREFIX);
    text_put(&w, name != NULL ? name : "unknown");
    return text_end(&w);
}

// --- the document ----------------------------------------------------------------------------

static struct utc time_in(const json_t *object, const char *name)
{
    struct bytes text = {0};
    struct utc at = {0};
    if (json_get_text(object, name, &text) != JSON_FOUND || !api_read_time(text, &at))
        return (struct utc){0};
    return at;
}

static void read_secrets(const json_t *list, struct sink *out)
{
    for (size_t i = 0; i < json_array_size(list) && out->secret_count < SINK_SECRETS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        out->secrets[out->secret_count].number =
            (uint64_t)json_integer_value(json_object_get(one, "number"));
        out->secrets[out->secret_count++].until = time_in(one, "endsAt");
    }
}

bool sink_read(const struct document *d, struct sink *out)
{
    json_t *root = NULL;
    struct bytes url = {0};
    *out = (struct sink){
        .id = d->id, .owner = d->owner, .group = d->parent, .types = (uint32_t)d->state};
    const bool is_read = json_read(d->body, &root) == JSON_READ_OK &&
                         json_get_text(root, "sink", &url) == JSON_FOUND &&
                         url.len < sizeof(out->url);
    if (is_read) {
        bytes_copy(out->url, url);
        struct bytes client = {0};
        out->credential_until = time_in(root, "credentialExpiresAt");
        if (json_get_text(root, SINK_TOKEN_CLIENT, &client) == JSON_FOUND &&
            !api_id_read(client, "cli", &out->token_client))
            out->token_client = 0;
        read_secrets(json_object_get(root, "secrets"), out);
    }
    json_decref(root);
    return is_read;
}

struct found {
    struct sink *sink;
    bool is_read;
};

static bool take(void *context, const struct document *d)
{
    struct found *f = context;
    f->is_read = sink_read(d, f->sink);
    return false;
}

enum store_status sink_get(struct store *s, uint64_t id, struct sink *out)
{
    struct found f = {.sink = out};
    const enum store_status status = store_document_get(s, STORE_SINK_KIND, id, take, &f);
    return status == STORE_OK && !f.is_read ? STORE_FORM : status;
}

bool sink_is_token(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= 0x20 || text.at[i] >= 0x7F)
            return false;
    }
    return text.len > 0;
}

// --- secrets ---------------------------------------------------------------------------------

struct bytes sink_secret_place(uint64_t sink, uint64_t number, char text[64])
{
    char id[API_ID_SIZE];
    struct writer w = writer_of(text, 64);
    api_id_write(id, SINK_PREFIX, sink);
    text_put(&w, id);
    text_put(&w, "/");
    text_decimal(&w, number);
    return bytes_of_text(text_end(&w));
}

enum store_status sink_secret_put(const struct sink_safe *safe, struct store *s, uint64_t id,
                                  const struct sink_secret *secret,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE], struct utc now)
{
    uint8_t sealed[SEALED_MAX];
    char hex[2 * SEALED_MAX];
    char place[64];
    struct writer w = writer_of(sealed, sizeof(sealed));
    struct writer h = writer_of(hex, sizeof(hex));
    const struct bytes at = sink_secret_place(secret->sink, secret->number, place);
    writer_copy(&w, bytes_of(nonce, CRYPTO_NONCE_SIZE));
    if (!crypto_seal(safe->crypto, safe->key, nonce, at, bytes_of(secret->text, secret->len), &w))
        return STORE_FAILED;
    text_hex(&h, writer_bytes(&w));
    const struct document d = {.kind = SINK_SECRET_KIND,
                               .id = id,
                               .parent = secret->sink,
                               .name = place,
                               .state = (int64_t)secret->number,
                               .created_at = now,
                               .changed_at = now,
                               .body = writer_bytes(&h)};
    const enum store_status status = sink_secret_drop(s, secret->sink, secret->number);
    if (status != STORE_OK)
        return status;
    return h.failed ? STORE_FAILED : store_document_put(s, &d);
}

struct opened {
    uint64_t id;
    uint8_t octets[SEALED_MAX];
    size_t len;
};

static bool see_sealed(void *context, const struct document *d)
{
    struct opened *o = context;
    struct writer w = writer_of(o->octets, sizeof(o->octets));
    o->id = d->id;
    o->len = text_unhex(d->body, &w) ? w.len : 0;
    return false;
}

enum store_status sink_secret_get(const struct sink_safe *safe, struct store *s,
                                  struct sink_secret *secret)
{
    struct opened o = {.len = 0};
    char place[64];
    const struct bytes at = sink_secret_place(secret->sink, secret->number, place);
    struct writer w = writer_of(secret->text, sizeof(secret->text));
    const enum store_status status =
        store_document_named(s, SINK_SECRET_KIND, place, see_sealed, &o);
    if (status != STORE_OK)
        return status;
    if (o.len <= CRYPTO_NONCE_SIZE ||
        !crypto_unseal(safe->crypto, safe->key, o.octets, at,
                       bytes_of(o.octets + CRYPTO_NONCE_SIZE, o.len - CRYPTO_NONCE_SIZE), &w))
        return STORE_KEYS;
    secret->len = w.len;
    return STORE_OK;
}

enum store_status sink_secret_drop(struct store *s, uint64_t sink, uint64_t number)
{
    struct opened o = {.len = 0};
    char place[64];
    (void)sink_secret_place(sink, number, place);
    const enum store_status status =
        store_document_named(s, SINK_SECRET_KIND, place, see_sealed, &o);
    if (status == STORE_NONE)
        return STORE_OK;
    return status == STORE_OK ? store_document_delete(s, SINK_SECRET_KIND, o.id) : status;
}

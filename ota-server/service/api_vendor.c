// The profiles that read vendor files, and the transport keys that open them.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/import_registry.h"

#include <stdlib.h>

#define KEY_LEN 16

// --- documents shown as they are kept ---

struct shown {
    struct api_exchange *x;
    const char *prefix;
    bool is_ours;
};

// The check value of a key stands in the state of its document.
static void put_key(struct json_writer *j, uint64_t index, uint32_t kcv)
{
    const uint8_t octets[] = {(uint8_t)(kcv >> 16), (uint8_t)(kcv >> 8), (uint8_t)kcv};
    api_put_number(j, "index", index);
    api_put_text(j, "algorithm", "AES128-CBC");
    api_put_hex(j, "kcv", bytes_of(octets, sizeof(octets)));
}

static void put_shown(struct api_exchange *x, const struct document *d, const char *prefix)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_id(j, "id", prefix, d->id);
    if (strcmp(d->kind, "transport-key") == 0)
        put_key(j, d->parent, (uint32_t)d->state);
    else if (strcmp(d->kind, "vendor-profile") == 0)
        api_put_text(j, "vendor", d->name);
    if (strcmp(d->kind, "transport-key") != 0) {
        json_put_key(j, "content");
        json_put_raw(j, d->body);
    }
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
    json_end_object(j);
}

static bool show_one(void *context, const struct document *d)
{
    struct shown *s = context;
    s->is_ours = d->owner == s->x->tenant;
    if (s->is_ours)
        put_shown(s->x, d, s->prefix);
    return false;
}

static bool show_row(void *context, const struct document *d)
{
    struct shown *s = context;
    put_shown(s->x, d, s->prefix);
    return true;
}

static void get_document(struct api_exchange *x, const char *kind, const char *prefix)
{
    struct shown shown = {.x = x, .prefix = prefix};
    if (!api_end_reading(x) || !api_capture(x, 0, prefix, &x->object_id))
        return;
    const enum store_status status =
        store_document_get(x->reader, kind, x->object_id, show_one, &shown);
    if (status == STORE_OK && shown.is_ours)
        api_reply(x, 200);
    else
        api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
}

static void list_documents(struct api_exchange *x, const char *kind, const char *prefix)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct shown shown = {.x = x, .prefix = prefix};
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {
        .kind = kind, .owner = x->tenant, .state = -1, .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, show_row, &shown, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

static void reply_created(struct api_exchange *x, const char *path, const char *prefix)
{
    struct shown shown = {.x = x, .prefix = prefix};
    if (store_document_get(x->reader, x->document.kind, x->object_id, show_one, &shown) !=
        STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, path, prefix, x->object_id);
    api_reply(x, 201);
}

// --- vendor profiles ---

struct kept_profile {
    char vendor[PROFILE_WORD_SIZE];
    uint8_t body[PROFILE_JSON_MAX];
    size_t len;
};

static enum store_status insert_profile(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct kept_profile *kept = x->work;
    x->document.id = x->object_id;
    x->document.owner = x->tenant;
    x->document.name = kept->vendor;
    x->document.created_at = now;
    x->document.changed_at = now;
    x->document.body = bytes_of(kept->body, kept->len);
    const enum store_status status = store_document_put(store, &x->document);
    return status == STORE_OK
               ? api_trail(x, store, "vendor-profile.created", "vendor-profile", x->object_id, NULL)
               : status;
}

static void reply_profile(struct api_exchange *x)
{
    reply_created(x, "/vendor-profiles", "rec");
}

void api_vendor_profiles_post(struct api_exchange *x)
{
    char error[PROFILE_ERROR_SIZE];
    const struct api_problem p = api_query_end(&x->query);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    // The profile's own reader is as strict as ours and says what is wrong.
    struct vendor_profile *profile = profile_open(x->request->body, error);
    struct kept_profile *kept = calloc(1, sizeof(*kept));
    x->work = kept;
    if (profile == NULL || kept == NULL) {
        profile_close(profile);
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT, kept == NULL ? "" : error));
        return;
    }
    memcpy(kept->vendor, profile->vendor, sizeof(kept->vendor));
    profile_close(profile);
    memcpy(kept->body, x->request->body.at, x->request->body.len); // at most PROFILE_JSON_MAX
    kept->len = x->request->body.len;
    x->document.kind = "vendor-profile";
    x->object_id = api_new_id(x);
    api_commit(x, insert_profile, reply_profile);
}

void api_vendor_profiles_list(struct api_exchange *x)
{
    list_documents(x, "vendor-profile", "rec");
}

void api_vendor_profile_get(struct api_exchange *x)
{
    get_document(x, "vendor-profile", "rec");
}

// --- transport keys ---

struct key_work {
    struct import_target target;
    struct secret_key key;
    uint8_t index;
    uint32_t kcv;
};

static void close_key(void *work)
{
    struct key_work *w = work;
    secret_wipe(&w->key, sizeof(w->key));
}

static struct key_work *open_work(struct api_exchange *x)
{
    struct key_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL || x->api->options.cipher == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->close_work = close_key;
    w->target = (struct import_target){.turn = x->api->options.turn,
                                       .crypto = x->api->crypto,
                                       .key = &x->api->options.client_key,
                                       .tenant = x->tenant,
                                       .now = x->now.utc};
    return w;
}

// The key is the sum of its components, each of which alone tells nothing.
static bool add_component(const json_t *text, struct secret_key *key)
{
    uint8_t octets[KEY_LEN];
    struct writer w = writer_of(octets, sizeof(octets));
    const bool ok = json_is_string(text) &&
                    text_unhex(bytes_of(json_string_value(text), json_string_length(text)), &w) &&
                    w.len == KEY_LEN;
    for (size_t i = 0; ok && i < KEY_LEN; i++)
        key->octets[i] ^= octets[i];
    secret_wipe(octets, sizeof(octets));
    return ok;
}

// The first three octets of a ciphered block of ones (docs/vendor-files.md).
static bool find_kcv(struct api_exchange *x, struct key_work *w)
{
    static const uint8_t ones[CIPHER_AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    uint8_t block[CIPHER_AES_BLOCK];
    const struct cipher *cipher = x->api->options.cipher;
    if (!cipher->aes_block(cipher->context, &w->key, ones, block))
        return false;
    w->kcv = (uint32_t)block[0] << 16 | (uint32_t)block[1] << 8 | block[2];
    return true;
}

static enum store_status insert_key(struct api_exchange *x, struct store *store, struct utc now)
{
    struct key_work *w = x->work;
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    (void)now;
    if (!x->api->options.fill(x->api->options.fill_context, nonce, sizeof(nonce)))
        return STORE_FAILED;
    w->target.store = store;
    const enum store_status status =
        import_transport_key_put(&w->target, w->index, &w->key, w->kcv, nonce);
    secret_wipe(&w->key, sizeof(w->key));
    return status == STORE_OK
               ? api_trail(x, store, "transport-key.loaded", "transport-key", w->index, NULL)
               : status;
}

static void reply_key(struct api_exchange *x)
{
    const struct key_work *w = x->work;
    json_begin_object(&x->json);
    put_key(&x->json, w->index, w->kcv);
    json_end_object(&x->json);
    api_reply(x, 201);
}

void api_transport_keys_post(struct api_exchange *x)
{
    static const char *const algorithms[] = {"AES128-CBC", NULL};
    const int64_t index = api_body_integer(&x->body, "index", 1, 99, 0);
    (void)api_body_enum(&x->body, "algorithm", API_REQUIRED, algorithms);
    const json_t *components = api_body_array(&x->body, "components", API_REQUIRED);
    if (index == 0 || json_array_size(components) < 2 || json_array_size(components) > 8)
        api_body_fail(&x->body, api_problem_text(API_INVALID_ARGUMENT,
                                                 "An index and 2 to 8 components are needed"));
    // Components come from different people; in one call only where one person is all there is.
    if (!api_end_reading(x) || !api_four_eyes(x))
        return;
    struct key_work *w = open_work(x);
    if (w == NULL)
        return;
    w->index = (uint8_t)index;
    w->key.len = KEY_LEN;
    for (size_t i = 0; i < json_array_size(components); i++) {
        if (!add_component(json_array_get(components, i), &w->key)) {
            api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("components"),
                                            "Not 32 hexadecimal digits"));
            return;
        }
    }
    if (find_kcv(x, w))
        api_commit(x, insert_key, reply_key);
    else
        api_refuse_code(x, API_INTERNAL);
}

void api_transport_keys_list(struct api_exchange *x)
{
    list_documents(x, "transport-key", "rec");
}

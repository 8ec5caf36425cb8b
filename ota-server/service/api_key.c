// Transport keys, which open vendors' files. Each is the sum of components that different people
// enter, of which none alone tells anything; only check values are ever shown.
#include "common/base/text.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/import_registry.h"

#include <stdlib.h>

#define KEY_LEN 16
#define KCV_LEN 3
#define COMPONENTS_MAX 8
#define SEALED_LEN (CRYPTO_NONCE_SIZE + KEY_LEN + CRYPTO_TAG_SIZE)
#define COMPONENT "transport-component"

// A key that still waits for components has a body of JSON, one that is complete its sealed octets.
static bool is_complete(const struct document *d)
{
    return d->body.len > 0 && d->body.at[0] != '{';
}

static void put_kcv(struct json_writer *j, int64_t kcv)
{
    const uint8_t octets[KCV_LEN] = {(uint8_t)(kcv >> 16), (uint8_t)(kcv >> 8), (uint8_t)kcv};
    api_put_kcv(j, bytes_of(octets, sizeof(octets)));
}

static void put_key(struct api_exchange *x, const struct document *d)
{
    struct json_writer *j = &x->json;
    api_put_number(j, "index", d->parent);
    api_put_text(j, "algorithm", "AES128-CBC");
    api_put_bool(j, "complete", is_complete(d));
    if (is_complete(d))
        put_kcv(j, d->state);
    else
        api_put_number(j, "componentsNeeded", (uint64_t)d->state);
}

static const struct api_kind keys = {.kind = "transport-key",
                                     .prefix = "rec",
                                     .path = "/transport-keys",
                                     .more = put_key,
                                     .is_opaque = true};

void api_transport_keys_list(struct api_exchange *x)
{
    api_documents_list(x, &keys, 0);
}

// --- octets ---

struct key_work {
    struct import_target target;
    struct secret_key key; // the sum so far
    struct secret_key component;
    uint8_t index;
    uint32_t kcv;           // of the sum, once it is complete
    uint32_t component_kcv; // as it was entered
    uint64_t id, version, needed, given;
    bool is_same_person;
};

static void close_key(void *work)
{
    struct key_work *w = work;
    secret_wipe(&w->key, sizeof(w->key));
    secret_wipe(&w->component, sizeof(w->component));
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
    w->key.len = KEY_LEN;
    w->component.len = KEY_LEN;
    w->target = (struct import_target){.turn = x->api->options.turn,
                                       .crypto = x->api->crypto,
                                       .key = &x->api->options.client_key,
                                       .tenant = x->tenant,
                                       .now = x->now.utc};
    return w;
}

static bool read_component(struct bytes text, struct secret_key *key)
{
    struct writer w = writer_of(key->octets, KEY_LEN);
    return text_unhex(text, &w) && w.len == KEY_LEN;
}

static void add_to(struct secret_key *sum, const struct secret_key *component)
{
    for (size_t i = 0; i < KEY_LEN; i++)
        sum->octets[i] ^= component->octets[i];
}

// The first three octets of a ciphered block of ones (docs/vendor-files.md).
static bool find_kcv(struct api_exchange *x, const struct secret_key *key, uint32_t *kcv)
{
    static const uint8_t ones[CIPHER_AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    uint8_t block[CIPHER_AES_BLOCK];
    const struct cipher *cipher = x->api->options.cipher;
    if (!cipher->aes_block(cipher->context, key, ones, block))
        return false;
    *kcv = (uint32_t)block[0] << 16 | (uint32_t)block[1] << 8 | block[2];
    return true;
}

// All octets equal, as the sum of equal components is: no key. Not in a time that tells of others.
static bool is_constant(const struct secret_key *key)
{
    uint8_t other = 0;
    for (size_t i = 1; i < KEY_LEN; i++)
        other |= key->octets[i] ^ key->octets[0];
    return other == 0;
}

static struct api_problem no_key(const char *field)
{
    return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(field),
                             "All octets of the key would be equal: enter another component");
}

static bool draw(struct api_exchange *x, uint8_t nonce[CRYPTO_NONCE_SIZE])
{
    return x->api->options.fill(x->api->options.fill_context, nonce, CRYPTO_NONCE_SIZE);
}

static enum store_status keep_key(struct api_exchange *x, struct store *store, struct key_work *w)
{
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    if (!draw(x, nonce))
        return STORE_FAILED;
    w->target.store = store;
    const struct import_key key = {.id = w->id,
                                   .version = w->version,
                                   .index = w->index,
                                   .key = &w->key,
                                   .kcv = w->kcv,
                                   .nonce = nonce};
    return import_transport_key_put(&w->target, &key);
}

// --- a new key ---

static enum store_status insert_waiting(struct api_exchange *x, struct store *store,
                                        const struct key_work *w)
{
    char name[48];
    struct writer n = writer_of(name, sizeof(name));
    text_decimal(&n, x->tenant);
    text_put(&n, "/");
    text_decimal(&n, w->index);
    const struct document d = {.kind = keys.kind,
                               .id = w->id,
                               .owner = x->tenant,
                               .parent = w->index,
                               .name = text_end(&n),
                               .state = (int64_t)w->needed,
                               .created_at = x->now.utc,
                               .changed_at = x->now.utc,
                               .body = bytes_of_text("{}")};
    return store_document_put(store, &d);
}

// What the row of the trail says: "index=3, component=1, kcv=0A1B2C", the last once it is known.
static void tell(struct api_exchange *x, const struct key_work *w, bool is_whole)
{
    const uint32_t kcv = is_whole ? w->kcv : w->component_kcv;
    const uint8_t octets[KCV_LEN] = {(uint8_t)(kcv >> 16), (uint8_t)(kcv >> 8), (uint8_t)kcv};
    const bool is_waiting = !is_whole && w->given == 0;
    struct writer to = writer_of(x->after, sizeof(x->after));
    text_put(&to, "index=");
    text_decimal(&to, w->index);
    if (!is_whole) {
        text_put(&to, is_waiting ? ", componentsNeeded=" : ", component=");
        text_decimal(&to, is_waiting ? w->needed : w->given);
    }
    if (!is_waiting) {
        text_put(&to, ", kcv=");
        text_hex_upper(&to, bytes_of(octets, sizeof(octets)));
    }
    (void)text_end(&to);
}

static enum store_status insert_key(struct api_exchange *x, struct store *store, struct utc now)
{
    struct key_work *w = x->work;
    const bool is_whole = w->given > 0;
    (void)now;
    const enum store_status status = is_whole ? keep_key(x, store, w) : insert_waiting(x, store, w);
    tell(x, w, is_whole);
    return status == STORE_OK
               ? api_trail(x, store, is_whole ? "transport-key.loaded" : "transport-key.created",
                           keys.kind, w->id, NULL)
               : status;
}

static void reply_key(struct api_exchange *x)
{
    const struct key_work *w = x->work;
    uint64_t version = 0;
    if (!api_document_put(x, &keys, w->id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, keys.path, keys.prefix, w->id);
    api_reply(x, 201);
}

// All components at once: where one person is all there is.
static bool read_all(struct api_exchange *x, struct key_work *w, const json_t *components)
{
    size_t i;
    const json_t *item;
    json_array_foreach(components, i, item)
    {
        const struct bytes text = bytes_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item) || !read_component(text, &w->component)) {
            api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("components"),
                                            "It must be 32 hexadecimal digits"));
            return false;
        }
        add_to(&w->key, &w->component);
        w->given++;
    }
    if (components != NULL && is_constant(&w->key)) {
        api_refuse(x, no_key("components"));
        return false;
    }
    if (find_kcv(x, &w->key, &w->kcv))
        return true;
    api_refuse_code(x, API_INTERNAL);
    return false;
}

void api_transport_keys_post(struct api_exchange *x)
{
    static const char *const algorithms[] = {"AES128-CBC", NULL};
    const int64_t index = api_body_integer(&x->body, "index", 1, 99, 0);
    (void)api_body_enum(&x->body, "algorithm", API_REQUIRED, algorithms);
    const int64_t needed = api_body_integer(&x->body, "componentsNeeded", 2, COMPONENTS_MAX, 2);
    const json_t *components = api_body_array(&x->body, "components", API_OPTIONAL);
    const size_t given = json_array_size(components);
    if (index == 0 || (components != NULL && (given < 2 || given > COMPONENTS_MAX)))
        api_body_fail(&x->body,
                      api_problem_text(API_INVALID_ARGUMENT,
                                       "Incomplete: give an index, and 2 to 8 components or "
                                       "none yet"));
    if (!api_end_reading(x) || (components != NULL && !api_four_eyes(x)))
        return;
    struct key_work *w = open_work(x);
    if (w == NULL)
        return;
    w->id = api_new_id(x);
    w->index = (uint8_t)index;
    w->needed = (uint64_t)needed;
    if (read_all(x, w, components))
        api_commit(x, insert_key, reply_key);
}

// --- components ---

static bool see_key(void *context, const struct document *d)
{
    struct api_exchange *x = context;
    struct key_work *w = x->work;
    if (d->owner != x->tenant)
        return false;
    w->id = d->id;
    w->version = d->version;
    w->index = (uint8_t)d->parent;
    w->needed = is_complete(d) ? 0 : (uint64_t)d->state;
    return false;
}

static bool find_key(struct api_exchange *x, struct key_work *w)
{
    if (!api_capture(x, 0, keys.prefix, &x->object_id))
        return false;
    const enum store_status status =
        store_document_get(x->reader, keys.kind, x->object_id, see_key, x);
    if (status == STORE_OK && w->id != 0)
        return true;
    api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    return false;
}

static bool put_component(void *context, const struct document *d)
{
    struct api_exchange *x = context;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_id(j, "id", "rec", d->id);
    put_kcv(j, d->state);
    api_put_time(j, "createdAt", d->created_at);
    json_end_object(j);
    return true;
}

static struct document_filter components_of(const struct api_exchange *x, uint64_t key)
{
    return (struct document_filter){
        .kind = COMPONENT, .owner = x->tenant, .parent = key, .state = -1};
}

void api_key_components_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct key_work *w = open_work(x);
    if (w == NULL || !api_list_begin(x, &list, fields) || !api_end_reading(x) || !find_key(x, w))
        return;
    const struct document_filter filter = components_of(x, w->id);
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, put_component, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// What is sealed is bound to its key by the name of the key's id.
static const char *bound_to(uint64_t key, char text[API_ID_SIZE])
{
    api_id_write(text, keys.prefix, key);
    return text;
}

struct earlier {
    struct api_exchange *x;
    uint64_t ids[COMPONENTS_MAX];
    uint64_t versions[COMPONENTS_MAX];
    struct utc created[COMPONENTS_MAX];
    int64_t kcvs[COMPONENTS_MAX];
    size_t count;
    bool ok;
};

// Adds one that was entered before, and sees who entered it.
static bool see_earlier(void *context, const struct document *d)
{
    struct earlier *e = context;
    struct key_work *w = e->x->work;
    char name[API_ID_SIZE];
    uint8_t octets[SEALED_LEN];
    struct secret_key component = {.len = KEY_LEN};
    struct writer o = writer_of(octets, sizeof(octets));
    struct writer k = writer_of(component.octets, KEY_LEN);
    e->ok = e->ok && text_unhex(d->body, &o) && o.len == SEALED_LEN &&
            crypto_unseal(e->x->api->crypto, &e->x->api->options.client_key, octets,
                          bytes_of_text(bound_to(w->id, name)),
                          bytes_of(octets + CRYPTO_NONCE_SIZE, KEY_LEN + CRYPTO_TAG_SIZE), &k);
    add_to(&w->key, &component);
    secret_wipe(&component, sizeof(component));
    uint64_t who = 0;
    const struct bytes by = bytes_of_text(d->name != NULL ? d->name : "");
    const size_t slash = api_until(by, '/').len + 1;
    w->is_same_person =
        w->is_same_person ||
        (text_read_decimal(bytes_slice(by, slash, by.len), &who) && api_is_of(e->x, who));
    e->ids[e->count] = d->id;
    e->versions[e->count] = d->version;
    e->created[e->count] = d->created_at;
    e->kcvs[e->count] = d->state;
    return ++e->count < COMPONENTS_MAX;
}

// The one that was entered last; `is_kept` with its octets.
static enum store_status insert_component(struct api_exchange *x, struct store *store,
                                          const struct key_work *w, bool is_kept)
{
    uint8_t octets[SEALED_LEN];
    char hex[2 * SEALED_LEN];
    char name[64];
    char bound[API_ID_SIZE];
    struct writer o = writer_of(octets, sizeof(octets));
    struct writer h = writer_of(hex, sizeof(hex));
    struct writer n = writer_of(name, sizeof(name));
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    if (!draw(x, nonce))
        return STORE_FAILED;
    writer_copy(&o, bytes_of(nonce, sizeof(nonce)));
    if (!crypto_seal(x->api->crypto, &x->api->options.client_key, nonce,
                     bytes_of_text(bound_to(w->id, bound)), bytes_of(w->component.octets, KEY_LEN),
                     &o))
        return STORE_FAILED;
    text_hex(&h, writer_bytes(&o));
    // One component of a person for one key: the name is unique.
    text_decimal(&n, w->id);
    text_put(&n, "/");
    text_decimal(&n, api_person(x));
    const struct document d = {.kind = COMPONENT,
                               .id = api_new_id(x),
                               .owner = x->tenant,
                               .parent = w->id,
                               .name = x->api->options.single_person ? NULL : text_end(&n),
                               .state = w->component_kcv,
                               .created_at = x->now.utc,
                               .changed_at = x->now.utc,
                               .body = is_kept ? writer_bytes(&h) : bytes_of_text("")};
    return store_document_put(store, &d);
}

// Once the sum is kept, its parts are not.
static enum store_status forget_octets(struct api_exchange *x, struct store *store,
                                       const struct earlier *e, uint64_t key)
{
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < e->count && status == STORE_OK; i++) {
        const struct document d = {.kind = COMPONENT,
                                   .id = e->ids[i],
                                   .version = e->versions[i],
                                   .owner = x->tenant,
                                   .parent = key,
                                   .state = e->kcvs[i],
                                   .created_at = e->created[i],
                                   .changed_at = x->now.utc,
                                   .body = bytes_of_text("")};
        status = store_document_put(store, &d);
    }
    return status;
}

static enum store_status complete(struct api_exchange *x, struct store *store, struct key_work *w,
                                  const struct earlier *e)
{
    if (!find_kcv(x, &w->key, &w->kcv))
        return STORE_FAILED;
    const enum store_status status = keep_key(x, store, w);
    return status == STORE_OK ? forget_octets(x, store, e, w->id) : status;
}

static enum store_status add_component(struct api_exchange *x, struct store *store, struct utc now)
{
    struct key_work *w = x->work;
    struct earlier e = {.x = x, .ok = true};
    const struct document_filter filter = components_of(x, w->id);
    const struct store_page page = {.limit = COMPONENTS_MAX};
    (void)now;
    memset(w->key.octets, 0, sizeof(w->key.octets));
    w->is_same_person = false;
    enum store_status status = store_documents(store, &filter, &page, see_earlier, &e, NULL);
    if (status == STORE_OK && (w->needed == 0 || e.count >= w->needed)) {
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "The key has all its components: enter another "
                                      "key");
        return STORE_CONFLICT;
    }
    if (status == STORE_OK && w->is_same_person && !x->api->options.single_person) {
        x->problem = api_problem_text(API_PERMISSION_DENIED,
                                      "you entered a component, somebody else enters this one");
        return STORE_CONFLICT;
    }
    if (status != STORE_OK || !e.ok)
        return status != STORE_OK ? status : STORE_FAILED;
    add_to(&w->key, &w->component);
    w->given = e.count + 1;
    const bool is_last = w->given == w->needed;
    if (is_last && is_constant(&w->key)) {
        x->problem = no_key("component");
        return STORE_CONFLICT;
    }
    status = insert_component(x, store, w, !is_last);
    if (status == STORE_OK && is_last)
        status = complete(x, store, w, &e);
    tell(x, w, is_last);
    return status == STORE_OK
               ? api_trail(x, store, is_last ? "transport-key.loaded" : "transport-key.component",
                           keys.kind, w->id, NULL)
               : status;
}

static enum store_status raise_mismatch(struct api_exchange *x, struct store *store, struct utc now)
{
    char object[API_ID_SIZE];
    api_id_write(object, keys.prefix, x->object_id);
    const struct alarm_place at = {.key = "key.kcv.mismatch", .object = object, .owner = x->tenant};
    const enum store_status status = alarm_raise(store, &at, api_new_id(x), now);
    return status == STORE_OK
               ? api_trail(x, store, "transport-key.kcv-mismatch", keys.kind, x->object_id, NULL)
               : status;
}

static void refuse_mismatch(struct api_exchange *x)
{
    api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("kcv"),
                                    "It is not that of the component"));
}

void api_key_components_post(struct api_exchange *x)
{
    const struct bytes component =
        api_body_text(&x->body, "component", API_REQUIRED, 2 * KEY_LEN, 2 * KEY_LEN);
    const struct bytes kcv = api_body_text(&x->body, "kcv", API_REQUIRED, 2 * KCV_LEN, 2 * KCV_LEN);
    uint8_t octets[KCV_LEN] = {0};
    struct writer k = writer_of(octets, sizeof(octets));
    if (x->body.problem.code == API_OK && (!text_unhex(kcv, &k) || k.len != KCV_LEN))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("kcv"),
                                                  "It must be 6 hexadecimal digits"));
    if (!api_end_reading(x))
        return;
    struct key_work *w = open_work(x);
    if (w == NULL || !find_key(x, w) || !api_second_person(x))
        return;
    if (!read_component(component, &w->component)) {
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("component"),
                                        "It must be 32 hexadecimal digits"));
        return;
    }
    const uint32_t given = (uint32_t)octets[0] << 16 | (uint32_t)octets[1] << 8 | octets[2];
    const bool is_same = find_kcv(x, &w->component, &w->component_kcv) && w->component_kcv == given;
    if (is_same)
        api_commit(x, add_component, reply_key);
    else if (x->is_dry_run)
        refuse_mismatch(x);
    else
        api_commit(x, raise_mismatch, refuse_mismatch);
}

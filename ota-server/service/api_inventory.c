// Pools, subscriptions and profile templates. Pools and templates are documents whose body is what
// the caller sent, checked.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

#define BODY_MAX 4096
#define NAME_MAX 64

struct kept_body {
    char name[NAME_MAX + 1];
    uint8_t body[BODY_MAX];
    size_t len;
};

// --- documents as objects ---

// The members of the body after those that every object has.
static void put_object(struct api_exchange *x, const struct document *d, const char *prefix)
{
    struct json_writer *j = &x->json;
    json_t *root = NULL;
    api_put_id(j, "id", prefix, d->id);
    if (json_read(d->body, &root) == JSON_READ_OK) {
        const char *name;
        json_t *value;
        json_object_foreach(root, name, value)
        {
            char text[BODY_MAX];
            const size_t len =
                json_dumpb(value, text, sizeof(text), JSON_COMPACT | JSON_ENCODE_ANY);
            json_put_key(j, name);
            json_put_raw(j, bytes_of(text, len <= sizeof(text) ? len : 0));
        }
        json_decref(root);
    }
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
}

static void put_counts(struct api_exchange *x, uint64_t pool)
{
    uint64_t counts[4];
    if (store_pool_counts(x->reader, pool, counts) != STORE_OK)
        return;
    api_open_object(&x->json, "counts");
    for (unsigned i = 0; i < 4; i++)
        api_put_number(&x->json, subscription_state_name((uint8_t)i), counts[i]);
    json_end_object(&x->json);
}

struct page {
    struct api_exchange *x;
    const char *prefix;
    uint64_t ids[API_PER_PAGE_MAX]; // of pools, whose counts are another query
    size_t count;
};

static bool collect_id(void *context, const struct document *d)
{
    struct page *page = context;
    page->ids[page->count++] = d->id;
    return page->count < API_PER_PAGE_MAX;
}

struct one {
    struct api_exchange *x;
    const char *prefix;
    bool is_ours;
    uint64_t version;
};

static bool put_one(void *context, const struct document *d)
{
    struct one *one = context;
    one->is_ours = d->owner == one->x->tenant;
    one->version = d->version;
    if (one->is_ours) {
        json_begin_object(&one->x->json);
        put_object(one->x, d, one->prefix);
    }
    return false;
}

// Writes the object; false when there is none that the caller may see.
static bool put_document(struct api_exchange *x, const char *kind, const char *prefix, uint64_t id,
                         uint64_t *version)
{
    struct one one = {.x = x, .prefix = prefix};
    if (store_document_get(x->reader, kind, id, put_one, &one) != STORE_OK || !one.is_ours)
        return false;
    if (strcmp(kind, "pool") == 0)
        put_counts(x, id);
    json_end_object(&x->json);
    *version = one.version;
    return true;
}

static void list_documents(struct api_exchange *x, const char *kind, const char *prefix)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct page page = {.x = x, .prefix = prefix};
    uint64_t version = 0;
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {
        .kind = kind, .owner = x->tenant, .state = -1, .is_descending = list.page.is_descending};
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, collect_id, &page, &list.total);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    api_list_open(x);
    for (size_t i = 0; i < page.count; i++) {
        if (!put_document(x, kind, prefix, page.ids[i], &version))
            continue; // deleted since the list was read
    }
    api_list_end(x, &list);
}

static void get_document(struct api_exchange *x, const char *kind, const char *prefix)
{
    uint64_t version = 0;
    if (!api_end_reading(x) || !api_capture(x, 0, prefix, &x->object_id))
        return;
    if (!put_document(x, kind, prefix, x->object_id, &version)) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    api_etag(x, version);
    api_reply(x, 200);
}

static enum store_status insert(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct kept_body *kept = x->work;
    x->document.owner = x->tenant;
    x->document.name = kept->name;
    x->document.created_at = now;
    x->document.changed_at = now;
    x->document.body = bytes_of(kept->body, kept->len);
    const enum store_status status = store_document_put(store, &x->document);
    return status == STORE_OK
               ? api_trail(x, store, "object.created", x->document.kind, x->document.id, NULL)
               : status;
}

// Keeps the body as it came; it was checked to be what the interface describes.
static bool keep_body(struct api_exchange *x, struct bytes name)
{
    struct kept_body *kept = calloc(1, sizeof(*kept));
    x->work = kept;
    if (kept == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    memcpy(kept->name, name.at, name.len);
    kept->len = json_dumpb(x->root, (char *)kept->body, sizeof(kept->body), JSON_COMPACT);
    if (kept->len <= sizeof(kept->body))
        return true;
    api_refuse(x, api_problem_text(API_INVALID_ARGUMENT, "The object is too large"));
    return false;
}

static void reply_created(struct api_exchange *x, const char *kind, const char *path,
                          const char *prefix)
{
    uint64_t version = 0;
    if (!put_document(x, kind, prefix, x->document.id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, path, prefix, x->document.id);
    api_etag(x, version);
    api_reply(x, 201);
}

// --- pools ---

void api_pools_list(struct api_exchange *x)
{
    list_documents(x, "pool", "pol");
}

void api_pool_get(struct api_exchange *x)
{
    get_document(x, "pool", "pol");
}

static void reply_pool(struct api_exchange *x)
{
    reply_created(x, "pool", "/subscription-pools", "pol");
}

void api_pools_post(struct api_exchange *x)
{
    const struct bytes name = api_body_text(&x->body, "name", API_REQUIRED, 1, NAME_MAX);
    (void)api_body_text(&x->body, "operator", API_REQUIRED, 1, 47);
    (void)api_body_text(&x->body, "rulePack", API_OPTIONAL, 1, 31);
    (void)api_body_integer(&x->body, "templateId", 1, 254, 0);
    (void)api_body_integer(&x->body, "lowWaterMark", 0, 1000000000, 0);
    if (!api_body_has(&x->body, "templateId"))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("templateId"),
                                                  "Missing member"));
    if (!api_end_reading(x) || !keep_body(x, name))
        return;
    x->document.kind = "pool";
    x->document.id = api_new_id(x);
    api_commit(x, insert, reply_pool);
}

static enum store_status remove_pool(struct api_exchange *x, struct store *store, struct utc now)
{
    uint64_t counts[4];
    (void)now;
    enum store_status status = store_pool_counts(store, x->object_id, counts);
    if (status == STORE_OK &&
        (counts[SUBSCRIPTION_RESERVED] > 0 || counts[SUBSCRIPTION_ON_CARD] > 0)) {
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "Subscriptions of the pool are in use");
        return STORE_CONFLICT;
    }
    if (status == STORE_OK)
        status = store_document_delete(store, "pool", x->object_id);
    return status == STORE_OK ? api_trail(x, store, "object.deleted", "pool", x->object_id, NULL)
                              : status;
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_pool_delete(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_end_reading(x) || !api_capture(x, 0, "pol", &x->object_id))
        return;
    if (!put_document(x, "pool", "pol", x->object_id, &version)) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    if (api_if_match(x, version))
        api_commit(x, remove_pool, reply_nothing);
}

// --- subscriptions ---

static void put_subscription(struct api_exchange *x, const struct subscription *s)
{
    struct json_writer *j = &x->json;
    char text[ICCID_SIZE];
    json_begin_object(j);
    api_put_id(j, "id", "sub", s->id);
    api_put_id(j, "poolId", "pol", s->pool);
    if (s->plan.has_iccid && iccid_read(s->plan.iccid, text))
        api_put_identifier(j, "iccid", MASK_ICCID, x->is_clear, text);
    if (imsi_read(s->plan.imsi, text))
        api_put_identifier(j, "imsi", MASK_IMSI, x->is_clear, text);
    api_put_identifier(j, "msisdn", MASK_MSISDN, x->is_clear, s->plan.number);
    if (s->plan.has_mnc_length)
        api_put_number(j, "mncLength", s->plan.mnc_length);
    if (s->plan.smsc[0] != '\0')
        api_put_text(j, "smsc", s->plan.smsc);
    if (s->operator_name[0] != '\0')
        api_put_text(j, "operator", s->operator_name);
    if (s->rule_pack[0] != '\0')
        api_put_text(j, "rulePack", s->rule_pack);
    if (s->plan.template_number != 0)
        api_put_number(j, "templateId", s->plan.template_number);
    api_put_text(j, "state", subscription_state_name(s->state));
    api_put_id(j, "cardId", "crd", s->card);
    if (s->slot != 0)
        api_put_number(j, "slot", s->slot);
    api_put_time(j, "createdAt", s->created_at);
    api_put_time(j, "updatedAt", s->created_at);
    api_put_number(j, "version", 1);
    json_end_object(j);
}

static bool put_row(void *context, const struct subscription *s)
{
    put_subscription(context, s);
    return true;
}

static void reply_subscriptions(struct api_exchange *x, struct subscription_filter *filter,
                                struct api_list *list)
{
    filter->tenant = x->tenant;
    api_list_open(x);
    const enum store_status status =
        store_subscriptions(x->reader, filter, &list->window, put_row, x, &list->total);
    if (status == STORE_OK)
        api_list_end(x, list);
    else
        api_refuse_store(x, status);
}

static void take_id(struct api_exchange *x, const char *name, const char *prefix, uint64_t *id)
{
    struct bytes text;
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = UINT64_MAX >> 1;
}

void api_subscriptions_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const states[] = {"FREE", "RESERVED", "ON_CARD", "RETIRED", NULL};
    struct api_list list;
    struct subscription_filter filter = {.state = -1};
    take_id(x, "poolId", "pol", &filter.pool);
    take_id(x, "cardId", "crd", &filter.card);
    const struct api_problem p = api_query_enum(&x->query, "state", states, &filter.state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else if (api_list_begin(x, &list, fields) && api_end_reading(x))
        reply_subscriptions(x, &filter, &list);
}

void api_subscriptions_search(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const members[] = {"iccid", "imsi", "msisdn"};
    struct api_list list;
    struct bytes digits = {0};
    unsigned given = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct bytes text = api_body_text(&x->body, members[i], API_OPTIONAL, 1, 20);
        given += text.len > 0;
        digits = text.len > 0 ? text : digits;
    }
    if (given != 1 || !text_is_digits(digits))
        api_body_fail(&x->body, api_problem_text(API_INVALID_ARGUMENT,
                                                 "Exactly one identifier of digits is needed"));
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    char search[ICCID_SIZE];
    bytes_copy(search, digits);
    search[digits.len] = '\0';
    struct subscription_filter filter = {.state = -1, .search = search};
    reply_subscriptions(x, &filter, &list);
}

void api_subscription_get(struct api_exchange *x)
{
    struct subscription s;
    if (!api_end_reading(x) || !api_capture(x, 0, "sub", &x->object_id))
        return;
    if (store_subscription_get(x->reader, x->object_id, &s) != STORE_OK || s.tenant != x->tenant) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    put_subscription(x, &s);
    api_etag(x, 1);
    api_reply(x, 200);
}

static bool see_template(void *context, const struct document *d)
{
    int64_t number = 0;
    json_t *root = NULL;
    if (json_read(d->body, &root) == JSON_READ_OK &&
        json_get_integer(root, "templateId", 1, 254, &number) == JSON_FOUND)
        *(uint8_t *)context = (uint8_t)number;
    json_decref(root);
    return false;
}

uint8_t api_pool_template(struct store *store, uint64_t pool)
{
    uint8_t number = 0;
    return store_document_get(store, "pool", pool, see_template, &number) == STORE_OK ? number : 0;
}

bool api_pool_visible(struct api_exchange *x, uint64_t pool)
{
    uint64_t version = 0;
    const bool is_visible = put_document(x, "pool", "pol", pool, &version);
    api_start_answer(x);
    return is_visible;
}

// Pools of subscriptions, and subscriptions.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

// --- pools ---

static void put_counts(struct api_exchange *x, const struct document *d)
{
    uint64_t counts[4] = {0};
    if (store_pool_counts(x->reader, d->id, counts) != STORE_OK)
        memset(counts, 0, sizeof(counts));
    api_open_object(&x->json, "counts");
    for (unsigned i = 0; i < 4; i++)
        api_put_number(&x->json, subscription_state_name((uint8_t)i), counts[i]);
    json_end_object(&x->json);
}

static const struct api_kind pools = {
    .kind = "pool", .prefix = "pol", .path = "/subscription-pools", .more = put_counts};

void api_pools_list(struct api_exchange *x)
{
    api_documents_list(x, &pools, 0);
}

void api_pool_get(struct api_exchange *x)
{
    api_document_show(x, &pools);
}

// Every member of a pool; `need` says whether those that a new one must have may be missing.
static struct bytes read_pool(struct api_exchange *x, enum api_need need)
{
    const struct bytes name = api_body_text(&x->body, "name", need, 1, API_NAME_MAX);
    (void)api_body_text(&x->body, "operator", need, 1, 47);
    (void)api_body_text(&x->body, "rulePack", API_OPTIONAL, 1, 31);
    (void)api_body_integer(&x->body, "templateId", 1, 254, 0);
    (void)api_body_integer(&x->body, "lowWaterMark", 0, 1000000000, 0);
    if (need == API_REQUIRED && !api_body_has(&x->body, "templateId"))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("templateId"),
                                                  "Missing member"));
    return name;
}

void api_pools_post(struct api_exchange *x)
{
    const struct bytes name = read_pool(x, API_REQUIRED);
    if (api_end_reading(x) && api_document_new(x, &pools, x->tenant, name) != NULL)
        api_document_commit(x, &pools);
}

void api_pool_patch(struct api_exchange *x)
{
    const struct bytes name = read_pool(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    struct api_object *object = api_document_load(x, &pools);
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    if (name.len > 0)
        api_document_name(object, name);
    if (api_document_merge(x, object))
        api_document_commit(x, &pools);
}

static enum store_status judge_removal(struct api_exchange *x, struct store *store, struct utc now)
{
    uint64_t counts[4];
    (void)now;
    const enum store_status status = store_pool_counts(store, x->object_id, counts);
    if (status != STORE_OK ||
        (counts[SUBSCRIPTION_RESERVED] == 0 && counts[SUBSCRIPTION_ON_CARD] == 0))
        return status;
    x->problem = api_problem_text(API_INCOMPATIBLE_STATE, "Subscriptions of the pool are in use");
    return STORE_CONFLICT;
}

void api_pool_delete(struct api_exchange *x)
{
    if (!api_end_reading(x))
        return;
    const struct api_object *object = api_document_load(x, &pools);
    if (object != NULL && api_if_match(x, object->document.version))
        api_document_remove(x, &pools, judge_removal);
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
    filter->tenant = api_reach(x);
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
    if (store_subscription_get(x->reader, x->object_id, &s) != STORE_OK || !api_owns(x, s.tenant)) {
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

static bool see_owner(void *context, const struct document *d)
{
    *(uint64_t *)context = d->owner;
    return false;
}

bool api_pool_visible(struct api_exchange *x, uint64_t pool)
{
    uint64_t owner = 0;
    return store_document_get(x->reader, "pool", pool, see_owner, &owner) == STORE_OK &&
           api_owns(x, owner);
}

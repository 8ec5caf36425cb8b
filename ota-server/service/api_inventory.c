// Pools of subscriptions.
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_pack.h"

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
    (void)api_body_enum(&x->body, "rulePack", API_OPTIONAL, api_pack_names);
    (void)api_body_integer(&x->body, "templateId", 1, 254, 0);
    (void)api_body_integer(&x->body, "lowWaterMark", 0, 1000000000, 0);
    if (need == API_REQUIRED && !api_body_has(&x->body, "templateId"))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("templateId"),
                                                  "Missing member"));
    return name;
}

static void take_text(const json_t *root, const char *name, char *to, size_t size)
{
    struct bytes text = {0};
    if (json_get_text(root, name, &text) != JSON_FOUND || text.len >= size)
        text.len = 0;
    bytes_copy(to, text);
    to[text.len] = '\0';
}

// A new one needs a second person where packs matter: it brings one, or comes beside one that its
// cards may get subscriptions from, and would let them have others.
static enum store_status judge_new(struct api_exchange *x, uint64_t owner, bool *is_for_two)
{
    char pack[API_PACK_SIZE];
    take_text(x->root, "rulePack", pack, sizeof(pack));
    *is_for_two = api_pack_index(pack) != 0;
    return *is_for_two ? STORE_OK : api_packs_in_reach(x, owner, is_for_two);
}

void api_pools_post(struct api_exchange *x)
{
    const struct bytes name = read_pool(x, API_REQUIRED);
    const uint64_t given = api_body_id(&x->body, "enterpriseId", API_OPTIONAL, "ent");
    const uint64_t owner = given == 0 ? x->tenant : given;
    bool is_for_two = false;
    if (!api_end_reading(x) || !api_enterprise_allowed(x, given))
        return;
    const struct api_object *object = api_document_new(x, &pools, owner, name);
    if (object == NULL)
        return;
    const enum store_status status = judge_new(x, owner, &is_for_two);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else if (is_for_two && !x->api->options.single_person)
        api_approval_request_pool(x, &object->document, 0, NULL);
    else
        api_document_commit(x, &pools);
}

// Is x->root to give it another one than it has `now`?
static bool is_other_pack(const struct api_exchange *x, const struct api_object *object,
                          char now[API_PACK_SIZE])
{
    json_t *root = NULL;
    const char *given = json_string_value(json_object_get(x->root, "rulePack"));
    now[0] = '\0';
    if (json_read(object->document.body, &root) == JSON_READ_OK)
        take_text(root, "rulePack", now, API_PACK_SIZE);
    json_decref(root);
    if (now[0] == '\0')
        memcpy(now, api_pack_names[0], strlen(api_pack_names[0]) + 1);
    return given != NULL && strcmp(given, now) != 0;
}

static uint64_t count_of(const struct api_exchange *x)
{
    uint64_t counts[4] = {0};
    if (store_pool_counts(x->reader, x->object_id, counts) != STORE_OK)
        return 0;
    return counts[0] + counts[1] + counts[2] + counts[3];
}

void api_pool_patch(struct api_exchange *x)
{
    const struct bytes name = read_pool(x, API_OPTIONAL);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    struct api_object *object = api_document_load(x, &pools);
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    char now[API_PACK_SIZE];
    if (is_other_pack(x, object, now) && !x->api->options.single_person) {
        api_approval_request_pool(x, &object->document, count_of(x), now);
        return;
    }
    if (name.len > 0)
        api_document_name(object, name);
    if (api_document_merge(x, object))
        api_document_commit(x, &pools);
}

static enum store_status keep_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status == STORE_OK ? api_document_apply(x, store, now) : status;
}

// What was approved is a change from that pack, not from whichever it has now.
static bool change_approved(struct api_exchange *x, uint64_t pool, struct api_object *object,
                            struct bytes was)
{
    char now[API_PACK_SIZE];
    struct bytes name = {0};
    if (!api_document_get(x, &pools, pool, object) || !is_other_pack(x, object, now) ||
        !bytes_equal(was, bytes_of_text(now))) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The pool has another rule pack by now, or is gone: read "
                                       "it, and ask anew"));
        return false;
    }
    if (json_get_text(x->root, "name", &name) == JSON_FOUND)
        api_document_name(object, name);
    return api_document_merge(x, object);
}

static bool enter_approved(struct api_exchange *x, uint64_t pool, struct api_object *object)
{
    struct bytes name = {0};
    object->document = (struct document){.kind = pools.kind, .id = pool};
    const char *owner = json_string_value(json_object_get(x->root, "enterpriseId"));
    if (owner == NULL || !api_id_read(bytes_of_text(owner), "ent", &object->document.owner) ||
        json_get_text(x->root, "name", &name) != JSON_FOUND) {
        api_approval_refuse_old(x);
        return false;
    }
    api_document_name(object, name);
    return api_document_fill(x, object, x->root);
}

void api_pool_carry_out(struct api_exchange *x, uint64_t pool, json_t *request)
{
    struct bytes was = {0};
    struct api_object *object = calloc(1, sizeof(*object));
    x->work = object;
    json_decref(x->root);
    x->root = json_deep_copy(request);
    if (object == NULL || x->root == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const bool is_new = json_get_text(request, "rulePackNow", &was) != JSON_FOUND;
    json_object_del(x->root, "rulePackNow");
    json_object_del(x->root, "poolId");
    if (is_new ? enter_approved(x, pool, object) : change_approved(x, pool, object, was))
        api_commit(x, keep_approved, api_approval_reply);
}

static enum store_status judge_removal(struct api_exchange *x, struct store *store, struct utc now)
{
    uint64_t counts[4];
    (void)now;
    const enum store_status status = store_pool_counts(store, x->object_id, counts);
    if (status != STORE_OK ||
        (counts[SUBSCRIPTION_RESERVED] == 0 && counts[SUBSCRIPTION_ON_CARD] == 0))
        return status;
    x->problem =
        api_problem_text(API_INCOMPATIBLE_STATE, "Subscriptions of the pool are in use: retire "
                                                 "or move them first");
    return STORE_CONFLICT;
}

void api_pool_delete(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    const struct api_object *object = api_document_load(x, &pools);
    if (object != NULL && api_if_match(x, object->document.version))
        api_document_remove(x, &pools, judge_removal);
}

// --- what others ask of a pool ---

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

struct seen_pool {
    uint64_t owner;
    struct subscription *s; // that takes over what the pool says; or NULL
};

static bool see_pool(void *context, const struct document *d)
{
    struct seen_pool *seen = context;
    json_t *root = NULL;
    seen->owner = d->owner;
    if (seen->s != NULL && json_read(d->body, &root) == JSON_READ_OK) {
        take_text(root, "operator", seen->s->operator_name, sizeof(seen->s->operator_name));
        take_text(root, "rulePack", seen->s->rule_pack, sizeof(seen->s->rule_pack));
    }
    json_decref(root);
    return false;
}

static bool find_pool(struct api_exchange *x, uint64_t pool, struct seen_pool *seen)
{
    return store_document_get(x->reader, "pool", pool, see_pool, seen) == STORE_OK &&
           api_owns(x, seen->owner);
}

bool api_pool_join(struct api_exchange *x, uint64_t pool, struct subscription *s)
{
    struct seen_pool seen = {.s = s};
    if (!find_pool(x, pool, &seen) || (s->tenant != 0 && s->tenant != seen.owner))
        return false;
    s->pool = pool;
    s->tenant = seen.owner;
    return true;
}

bool api_pool_visible(struct api_exchange *x, uint64_t pool, uint64_t tenant)
{
    struct seen_pool seen = {.s = NULL};
    return find_pool(x, pool, &seen) &&
           (tenant == 0 || seen.owner == tenant || seen.owner == AUTH_OPERATOR);
}

bool api_pool_serves(struct api_exchange *x, uint64_t pool, uint64_t tenant)
{
    struct seen_pool seen = {.s = NULL};
    if (store_document_get(x->reader, "pool", pool, see_pool, &seen) != STORE_OK)
        return false;
    return seen.owner == AUTH_OPERATOR || (seen.owner == tenant && api_owns(x, tenant));
}

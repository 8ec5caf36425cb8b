// Card groups: a card is in at most one.
#include "ota-server/service/api_group.h"

#include "ota-server/service/api_handlers.h"
#include "ota-server/service/timers_run.h"

static const char *const classes[] = {"iot", NULL};
const char *const api_application_fields[] = {
    "PUBLIC_SERVICE", "FINANCE",   "SMART_CITY",  "SMART_RETAIL", "INDUSTRY",
    "ENERGY",         "TRANSPORT", "AGRICULTURE", "OTHER",        NULL};

static void put_count(struct api_exchange *x, const struct document *d)
{
    uint64_t counts[CARD_STATES];
    uint64_t total = 0;
    if (store_group_states(x->reader, d->id, counts) != STORE_OK)
        return;
    for (size_t i = 0; i < CARD_STATES; i++)
        total += counts[i];
    api_put_number(&x->json, "cardCount", total);
}

// Whoever may do something in a group knows it.
static bool is_shared(struct api_exchange *x, const struct document *d)
{
    uint32_t set = 0;
    bool is_there = false;
    return permission_of(x->reader, x->tenant, d->id, &set, &is_there) == STORE_OK && is_there;
}

bool api_group_rules_shown(const struct api_exchange *x, const struct document *group)
{
    return api_owns(x, group->owner) || group->owner == AUTH_OPERATOR;
}

const struct api_kind api_groups = {.kind = "group",
                                    .prefix = "grp",
                                    .path = "/card-groups",
                                    .more = put_count,
                                    .is_shared = is_shared};

bool api_operator_only(struct api_exchange *x)
{
    if (api_is_operator(x))
        return true;
    api_forbid(x, API_OPERATORS_OWN);
    return false;
}

static bool see_owner(void *context, const struct document *d)
{
    *(uint64_t *)context = d->owner;
    return false;
}

enum store_status api_group_owner(struct store *store, uint64_t group, uint64_t *owner)
{
    return store_document_get(store, api_groups.kind, group, see_owner, owner);
}

void api_groups_list(struct api_exchange *x)
{
    int field = -1;
    const struct api_problem p =
        api_query_enum(&x->query, "applicationField", api_application_fields, &field);
    if (p.code != API_OK)
        api_refuse(x, p);
    else
        api_documents_in_field(x, &api_groups, field < 0 ? NULL : api_application_fields[field]);
}

void api_group_get(struct api_exchange *x)
{
    api_document_show(x, &api_groups);
}

static struct bytes read_group(struct api_exchange *x, enum api_need need)
{
    const struct bytes name = api_body_text(&x->body, "name", need, 1, API_NAME_MAX);
    (void)api_body_enum(&x->body, "serviceClass", API_OPTIONAL, classes);
    (void)api_body_enum(&x->body, "applicationField", API_OPTIONAL, api_application_fields);
    (void)api_body_text(&x->body, "province", API_OPTIONAL, 1, 64);
    return name;
}

bool api_enterprise_is(struct api_exchange *x, uint64_t enterprise)
{
    return enterprise_is_there(x->reader, enterprise);
}

bool api_enterprise_allowed(struct api_exchange *x, uint64_t enterprise)
{
    if (enterprise == 0 || (api_enterprise_is(x, enterprise) && api_owns(x, enterprise)))
        return true;
    api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("enterpriseId"),
                                    "No such enterprise, GET /enterprises lists them"));
    return false;
}

void api_groups_post(struct api_exchange *x)
{
    const struct bytes name = read_group(x, API_REQUIRED);
    uint64_t owner = api_body_id(&x->body, "enterpriseId", API_OPTIONAL, "ent");
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    if (owner == 0) {
        char id[API_ID_SIZE];
        owner = x->tenant;
        api_id_write(id, "ent", owner);
        json_object_set_new(x->root, "enterpriseId", json_string(id));
    }
    if (api_enterprise_allowed(x, owner) && api_document_new(x, &api_groups, owner, name) != NULL)
        api_document_commit(x, &api_groups);
}

void api_group_patch(struct api_exchange *x)
{
    const struct bytes name = read_group(x, API_OPTIONAL);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    struct api_object *object = api_document_load(x, &api_groups);
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    if (name.len > 0)
        api_document_name(object, name);
    if (api_document_merge(x, object))
        api_document_commit(x, &api_groups);
}

static bool see_id(void *context, const struct document *d)
{
    *(uint64_t *)context = d->id;
    return false;
}

static enum store_status remove_below(struct store *store, const char *kind, uint64_t group)
{
    const struct document_filter filter = {.kind = kind, .parent = group, .state = -1};
    const struct store_page page = {.limit = 1};
    enum store_status status = STORE_OK;
    for (uint64_t id = 1; status == STORE_OK && id != 0;) {
        id = 0;
        status = store_documents(store, &filter, &page, see_id, &id, NULL);
        if (status == STORE_OK && id != 0)
            status = store_document_delete(store, kind, id);
    }
    return status;
}

static enum store_status judge_removal(struct api_exchange *x, struct store *store, struct utc now)
{
    uint64_t counts[CARD_STATES];
    bool is_empty = true;
    (void)now;
    enum store_status status = store_group_states(store, x->object_id, counts);
    for (size_t i = 0; status == STORE_OK && i < CARD_STATES; i++)
        is_empty = is_empty && counts[i] == 0;
    if (status == STORE_OK && !is_empty) {
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "There are cards in the group: move them to another "
                                      "one first");
        return STORE_CONFLICT;
    }
    if (status == STORE_OK)
        status = store_document_delete(store, RULES_KIND, x->object_id);
    if (status == STORE_OK || status == STORE_NONE)
        status = remove_below(store, RULES_VERSION_KIND, x->object_id);
    if (status == STORE_OK)
        status = remove_below(store, PERMISSION_KIND, x->object_id);
    if (status == STORE_OK)
        status = remove_below(store, TIMERS_RUN_KIND, x->object_id);
    return status;
}

void api_group_delete(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    const struct api_object *object = api_document_load(x, &api_groups);
    if (object != NULL && api_if_match(x, object->document.version))
        api_document_remove(x, &api_groups, judge_removal);
}

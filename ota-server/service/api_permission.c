// Who may do what to the cards of which group.
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

struct permission_work {
    uint64_t enterprise, group;
    uint32_t set;
    struct document document; // version 0: there is none yet
    char name[PERMISSION_NAME_SIZE];
    uint8_t body[1024]; // names of the operations, as they are shown
};

static void put_operations(struct json_writer *j, uint32_t set)
{
    api_open_array(j, "operations");
    for (unsigned i = GRANT_NONE + 1; i < GRANTS; i++) {
        if ((set & GRANT_BIT(i)) != 0)
            json_put_string(j, grant_name((enum grant)i));
    }
    json_end_array(j);
}

static void put_permission(struct json_writer *j, const struct document *d)
{
    json_begin_object(j);
    api_put_id(j, "enterpriseId", "ent", d->owner);
    api_put_id(j, "groupId", "grp", d->parent);
    put_operations(j, (uint32_t)d->state);
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
    json_end_object(j);
}

// --- reading ---

static bool put_row(void *context, const struct document *d)
{
    put_permission(context, d);
    return true;
}

static struct api_problem no_grant(const char *name)
{
    const char *names[GRANTS] = {NULL};
    for (unsigned i = 1; i < GRANTS; i++)
        names[i - 1] = grant_name((enum grant)i);
    return api_problem_enum(bytes_of_text(name), names);
}

void api_permissions_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct document_filter filter = {.kind = PERMISSION_KIND, .owner = api_reach(x), .state = -1};
    struct api_list list;
    struct bytes text;
    uint64_t given = 0;
    if (api_query_take(&x->query, "enterpriseId", &text)) {
        const bool is_ours = api_id_read(text, "ent", &given) && api_owns(x, given);
        filter.owner = is_ours ? given : UINT64_MAX >> 1; // of a foreign one the list is empty
    }
    if (api_query_take(&x->query, "groupId", &text) && !api_id_read(text, "grp", &filter.parent))
        filter.parent = UINT64_MAX >> 1;
    if (api_query_take(&x->query, "operation", &text)) {
        const enum grant grant = grant_of(text);
        if (grant == GRANT_NONE) {
            api_refuse(x, no_grant("operation"));
            return;
        }
        filter.bits = GRANT_BIT(grant);
    }
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    filter.is_descending = list.page.is_descending;
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, put_row, &x->json, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// --- what it comes to ---

struct pair {
    uint64_t enterprise, group;
    uint32_t set;
};

struct pairs {
    struct pair at[API_PER_PAGE_MAX];
    size_t count;
};

static bool collect(void *context, const struct document *d)
{
    struct pairs *pairs = context;
    pairs->at[pairs->count++] = (struct pair){d->owner, d->parent, (uint32_t)d->state};
    return pairs->count < API_PER_PAGE_MAX;
}

static void put_effect(struct json_writer *j, enum grant grant, const char *effect,
                       const char *source)
{
    api_open_object(j, grant_name(grant));
    api_put_text(j, "effect", effect);
    api_put_text(j, "source", source);
    json_end_object(j);
}

// Permission first, then authority, as a request is judged.
static enum store_status put_effects(struct api_exchange *x, const struct pair *p)
{
    static const char *const effects[] = {"ALLOWED", "ON_REQUEST", "DENIED"};
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    const enum store_status status =
        rules_authority_in(x->reader, p->enterprise, p->group, &mode, &by_group);
    json_begin_object(&x->json);
    api_put_id(&x->json, "enterpriseId", "ent", p->enterprise);
    api_put_id(&x->json, "groupId", "grp", p->group);
    api_open_object(&x->json, "operations");
    for (unsigned i = GRANT_NONE + 1; i < GRANTS; i++) {
        const enum grant grant = (enum grant)i;
        const bool is_granted = (p->set & GRANT_BIT(i)) != 0;
        if (is_granted && grant_writes_card(grant) && mode != AUTHORITY_SELF_SERVICE)
            put_effect(&x->json, grant, effects[mode], by_group ? "GROUP" : "ENTERPRISE");
        else
            put_effect(&x->json, grant, is_granted ? "ALLOWED" : "DENIED", "PERMISSION");
    }
    json_end_object(&x->json);
    json_end_object(&x->json);
    return status;
}

void api_permissions_effective(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct document_filter filter = {.kind = PERMISSION_KIND, .state = -1};
    struct pairs pairs = {.count = 0};
    struct api_list list;
    struct bytes text;
    uint64_t enterprise = x->tenant;
    if (api_query_take(&x->query, "enterpriseId", &text) && !api_id_read(text, "ent", &enterprise))
        enterprise = UINT64_MAX >> 1;
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    filter.owner = api_owns(x, enterprise) ? enterprise : UINT64_MAX >> 1;
    filter.is_descending = list.page.is_descending;
    enum store_status status =
        store_documents(x->reader, &filter, &list.window, collect, &pairs, &list.total);
    api_list_open(x);
    for (size_t i = 0; i < pairs.count && status == STORE_OK; i++)
        status = put_effects(x, &pairs.at[i]);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// --- one of them ---

static bool take_document(void *context, const struct document *d)
{
    struct permission_work *w = context;
    w->document = *d;
    return false;
}

// Enterprise and group of the path are there, and of the caller's; else refused.
static struct permission_work *open_pair(struct api_exchange *x)
{
    struct permission_work *w = calloc(1, sizeof(*w));
    uint64_t owner = 0;
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    if (!api_capture(x, 0, "ent", &w->enterprise) || !api_capture(x, 1, "grp", &w->group))
        return NULL;
    if (!api_enterprise_is(x, w->enterprise) || !api_owns(x, w->enterprise) ||
        api_group_owner(x->reader, w->group, &owner) != STORE_OK) {
        api_refuse_code(x, API_NOT_FOUND);
        return NULL;
    }
    (void)permission_name(w->enterprise, w->group, w->name);
    w->document = (struct document){.owner = w->enterprise, .parent = w->group};
    const enum store_status status =
        store_document_named(x->reader, PERMISSION_KIND, w->name, take_document, w);
    // What it points to was the reader's.
    w->document.kind = PERMISSION_KIND;
    w->document.name = w->name;
    w->document.body = bytes_of(w->body, 0);
    if (status == STORE_OK || status == STORE_NONE)
        return w;
    api_refuse_store(x, status);
    return NULL;
}

static void reply_pair(struct api_exchange *x)
{
    const struct permission_work *w = x->work;
    put_permission(&x->json, &w->document);
    api_etag(x, w->document.version);
    api_reply(x, 200);
}

void api_permission_get(struct api_exchange *x)
{
    if (!api_end_reading(x))
        return;
    const struct permission_work *w = open_pair(x);
    if (w != NULL && w->document.version == 0)
        api_refuse_code(x, API_NOT_FOUND);
    else if (w != NULL)
        reply_pair(x);
}

// --- changing ---

static uint32_t read_operations(struct api_exchange *x)
{
    const json_t *list = api_body_array(&x->body, "operations", API_REQUIRED);
    uint32_t set = 0;
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        const enum grant grant =
            json_is_string(item)
                ? grant_of(bytes_of(json_string_value(item), json_string_length(item)))
                : GRANT_NONE;
        if (grant == GRANT_NONE)
            api_body_fail(&x->body, no_grant("operations"));
        set |= GRANT_BIT(grant);
    }
    return set;
}

static enum store_status keep(struct api_exchange *x, struct store *store, struct utc now)
{
    struct permission_work *w = x->work;
    struct document *d = &w->document;
    uint64_t owner = 0;
    enum store_status status = api_group_owner(store, w->group, &owner);
    if (d->version == 0) {
        d->id = api_new_id(x);
        d->created_at = now;
    }
    d->changed_at = now;
    if (status == STORE_OK)
        status = api_difference_begin(x, store, PERMISSION_KIND, d->id, put_permission);
    if (status == STORE_OK)
        status = store_document_put(store, d);
    d->version++;
    return status == STORE_OK
               ? api_trail(x, store, "permission.changed", PERMISSION_KIND, d->id, NULL)
               : status;
}

static bool has_writing(uint32_t set)
{
    for (unsigned i = GRANT_NONE + 1; i < GRANTS; i++) {
        if ((set & GRANT_BIT(i)) != 0 && grant_writes_card((enum grant)i))
            return true;
    }
    return false;
}

// What nobody there may use is not granted; else refused.
static bool may_be_granted(struct api_exchange *x, const struct permission_work *w, uint32_t set)
{
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    if (w->enterprise == AUTH_OPERATOR || !has_writing(set))
        return true;
    const enum store_status status =
        rules_authority_in(x->reader, w->enterprise, w->group, &mode, &by_group);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return false;
    }
    if (mode != AUTHORITY_OPERATOR_ONLY)
        return true;
    api_refuse(x, api_problem_field(API_RULES_INCONSISTENT, bytes_of_text("operations"),
                                    by_group
                                        ? "Only reads: the group's rules say OPERATOR_ONLY"
                                        : "Only reads: the enterprise is OPERATOR_ONLY, as each of "
                                          "the kinds SUPPLIER and INSPECTOR is"));
    return false;
}

void api_permission_put(struct api_exchange *x)
{
    const uint32_t set = read_operations(x);
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    struct permission_work *w = open_pair(x);
    if (w == NULL || !api_if_match(x, w->document.version) || !may_be_granted(x, w, set))
        return;
    struct writer body = writer_of(w->body, sizeof(w->body));
    struct json_writer j = json_writer_of(&body);
    w->document.state = set;
    json_begin_object(&j);
    put_operations(&j, set);
    json_end_object(&j);
    w->document.body = writer_bytes(&body);
    api_commit(x, keep, reply_pair);
}

static enum store_status remove_pair(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct permission_work *w = x->work;
    (void)now;
    enum store_status status =
        api_difference_begin(x, store, PERMISSION_KIND, w->document.id, put_permission);
    if (status == STORE_OK)
        status = store_document_delete(store, PERMISSION_KIND, w->document.id);
    return status == STORE_OK
               ? api_trail(x, store, "permission.deleted", PERMISSION_KIND, w->document.id, NULL)
               : status;
}

static void reply_removed(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_permission_delete(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    const struct permission_work *w = open_pair(x);
    if (w == NULL)
        return;
    if (w->document.version == 0)
        api_refuse_code(x, API_NOT_FOUND);
    else if (api_if_match(x, w->document.version))
        api_commit(x, remove_pair, reply_removed);
}

// Virtual operators and their customers. What is visible to a customer is visible to the virtual
// operator: it is told that it may not, in place of that nothing is there. What it may do, it is
// granted like everybody.
#include "ota-server/service/api_exchange.h"

#define OWNERS_MAX 100 // of permissions, at a time

struct seen_enterprise {
    uint64_t parent;
    bool is_virtual;
};

static bool see_enterprise(void *context, const struct document *d)
{
    struct seen_enterprise *seen = context;
    json_t *root = NULL;
    struct bytes kind = {0};
    struct bytes parent = {0};
    if (json_read(d->body, &root) == JSON_READ_OK) {
        seen->is_virtual = json_get_text(root, "kind", &kind) == JSON_FOUND &&
                           bytes_equal(kind, bytes_of_text("VIRTUAL_OPERATOR"));
        if (json_get_text(root, "parentId", &parent) != JSON_FOUND ||
            !api_id_read(parent, "ent", &seen->parent))
            seen->parent = 0;
    }
    json_decref(root);
    return false;
}

static enum store_status find_enterprise(struct store *s, uint64_t id, struct seen_enterprise *seen)
{
    *seen = (struct seen_enterprise){.parent = 0};
    const enum store_status status = store_document_get(s, "enterprise", id, see_enterprise, seen);
    return status == STORE_NONE ? STORE_OK : status;
}

struct owners {
    uint64_t at[OWNERS_MAX], after;
    size_t count;
};

static bool collect(void *context, const struct document *d)
{
    struct owners *o = context;
    o->at[o->count++] = d->owner;
    o->after = d->id;
    return o->count < OWNERS_MAX;
}

// Of those who were granted something in the group, is one a customer?
static enum store_status search(struct api_exchange *x, uint64_t group, bool *is)
{
    struct owners o = {.count = OWNERS_MAX};
    const struct store_page page = {.limit = OWNERS_MAX};
    enum store_status status = STORE_OK;
    while (status == STORE_OK && !*is && o.count == OWNERS_MAX) {
        const struct document_filter filter = {
            .kind = PERMISSION_KIND, .parent = group, .state = -1, .after = o.after};
        o.count = 0;
        status = store_documents(x->reader, &filter, &page, collect, &o, NULL);
        for (size_t i = 0; i < o.count && status == STORE_OK && !*is; i++) {
            struct seen_enterprise seen;
            status = find_enterprise(x->reader, o.at[i], &seen);
            *is = seen.parent == x->tenant;
        }
    }
    return status;
}

enum store_status api_customer_sees(struct api_exchange *x, const struct record *record, bool *is)
{
    struct seen_enterprise seen;
    *is = false;
    enum store_status status = find_enterprise(x->reader, x->tenant, &seen);
    if (status != STORE_OK || !seen.is_virtual)
        return status;
    status = find_enterprise(x->reader, record->tenant, &seen);
    *is = seen.parent == x->tenant;
    return status == STORE_OK && !*is && record->group != 0 ? search(x, record->group, is) : status;
}

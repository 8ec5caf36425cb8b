// Rule packs of pools, and where they matter.
#include "ota-server/service/api_pack.h"

#include <string.h>

const char *const api_pack_names[] = {"NONE", "CN-IoT", NULL};

int api_pack_index(const char *name)
{
    int index = 0; // none was given: none holds
    for (int i = 0; api_pack_names[i] != NULL; i++) {
        if (strcmp(api_pack_names[i], name) == 0)
            index = i;
    }
    return index;
}

static int index_of(const struct document *d)
{
    json_t *root = NULL;
    const char *name = NULL;
    if (json_read(d->body, &root) == JSON_READ_OK)
        name = json_string_value(json_object_get(root, "rulePack"));
    const int index = api_pack_index(name != NULL ? name : "");
    json_decref(root);
    return index;
}

static bool see_pack(void *context, const struct document *d)
{
    *(int *)context = index_of(d);
    return false;
}

enum store_status api_pack_of(struct api_exchange *x, uint64_t pool, int *index)
{
    return store_document_get(x->reader, "pool", pool, see_pack, index);
}

struct reach {
    uint64_t owner;
    bool has_pack;
};

static bool see_reach(void *context, const struct document *d)
{
    struct reach *r = context;
    const bool is_in_reach =
        d->owner == r->owner || d->owner == AUTH_OPERATOR || r->owner == AUTH_OPERATOR;
    r->has_pack |= is_in_reach && index_of(d) != 0;
    return !r->has_pack;
}

enum store_status api_packs_in_reach(struct api_exchange *x, uint64_t owner, bool *is)
{
    struct reach r = {.owner = owner};
    const struct document_filter filter = {.kind = "pool", .state = -1};
    const struct store_page page = {.limit = UINT32_MAX};
    const enum store_status status =
        store_documents(x->reader, &filter, &page, see_reach, &r, NULL);
    *is = r.has_pack;
    return status;
}

#include "ota-server/service/api_move_effect.h"

#include "ota-server/service/api_group.h"

#include <stdlib.h>

void move_effect_add(struct move_effect *e, uint64_t group)
{
    size_t i = 0;
    while (i < e->count && e->from[i].group != group)
        i++;
    if (i == MOVE_GROUPS_MAX)
        return;
    if (i == e->count)
        e->from[e->count++].group = group;
    e->from[i].cards++;
}

// No group has the installation's rules, which whoever may read rules finds in those of each group.
static bool may_read(struct api_exchange *x, uint64_t group)
{
    uint64_t owner = 0;
    return api_has_scope(x, "groups:read") &&
           (group == 0 ||
            (api_group_owner(x->reader, group, &owner) == STORE_OK && api_owns(x, owner)));
}

// The rules of a group as they are shown; NULL: not to this caller, or not now.
static json_t *rules_shown(struct api_exchange *x, uint64_t group)
{
    json_t *root = NULL;
    struct group_rules rules;
    uint8_t *text = may_read(x, group) ? malloc(API_DOCUMENT_MAX) : NULL;
    if (text != NULL &&
        rules_of(x->reader, group, turn_policy(x->api->options.turn), &rules) == STORE_OK) {
        struct writer w = writer_of(text, API_DOCUMENT_MAX);
        struct json_writer j = json_writer_of(&w);
        json_begin_object(&j);
        rules_put(&j, &rules, x->clear);
        json_end_object(&j);
        if (!json_done(&j) || json_read(writer_bytes(&w), &root) != JSON_READ_OK)
            root = NULL;
    }
    free(text);
    return root;
}

static void put_value(struct json_writer *j, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_put_key(j, name);
    json_put_raw(j, bytes_of_text(text != NULL ? text : "null"));
    free(text);
}

// The members of one that are not the same in the other.
static void put_others(struct json_writer *j, const char *name, const json_t *of,
                       const json_t *other)
{
    api_open_object(j, name);
    for (size_t i = 0; rules_members[i] != NULL; i++) {
        const json_t *value = json_object_get(of, rules_members[i]);
        if (value != NULL && !json_equal(value, json_object_get(other, rules_members[i])))
            put_value(j, rules_members[i], value);
    }
    json_end_object(j);
}

void move_effect_put(struct api_exchange *x, const struct move_effect *e, uint64_t to)
{
    struct json_writer *j = &x->json;
    json_t *after = rules_shown(x, to);
    api_put_id(j, "groupId", "grp", to);
    if (after != NULL)
        put_value(j, "rules", after);
    api_open_array(j, "from");
    for (size_t i = 0; i < e->count; i++) {
        json_t *before = rules_shown(x, e->from[i].group);
        json_begin_object(j);
        api_put_id(j, "groupId", "grp", e->from[i].group);
        api_put_number(j, "count", e->from[i].cards);
        if (before != NULL && after != NULL) {
            put_others(j, "before", before, after);
            put_others(j, "after", after, before);
        }
        json_end_object(j);
        json_decref(before);
    }
    json_end_array(j);
    json_decref(after);
}

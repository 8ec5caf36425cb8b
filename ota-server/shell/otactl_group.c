// Card groups and their rules.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <stdlib.h>

#define RULES_MAX ((size_t)1 << 20)

enum ctl_exit group_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"GROUP", "id"},
                                                {"NAME", "name"},
                                                {"ENTERPRISE", "enterpriseId"},
                                                {"FIELD", "applicationField"},
                                                {"CARDS", "cardCount"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/card-groups", .noun = "groups", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/card-groups", id, "");
}

enum ctl_exit group_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "grp", show_one);
}

enum ctl_exit group_create_run(struct ctl_task *t)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    if (!ctl_has(t, OPTION_NAME))
        return ctl_wrong(t, "a group needs --name", NULL);
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_NAME, "name");
    ctl_put_text(t, &j, OPTION_ENTERPRISE, "enterpriseId");
    ctl_put_word(t, &j, OPTION_FIELD, "applicationField");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the group's texts are too long", NULL);
    ctl_request_init(&r, "POST", "/card-groups");
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}

enum ctl_exit group_change_run(struct ctl_task *t)
{
    return ctl_set(t, "/card-groups");
}

static enum ctl_exit delete_one(struct ctl_task *t, const char *id)
{
    return ctl_delete(t, "/card-groups", id);
}

enum ctl_exit group_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "grp", delete_one);
}

static enum ctl_exit rules_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/card-groups", id, "/rules");
}

enum ctl_exit group_rules_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "grp", rules_one);
}

enum ctl_exit group_versions_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"VERSION", "number"},  {"AT", "createdAt"},
                                                {"BY", "author"},       {"REASON", "reason"},
                                                {"CHANGED", "changed"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/card-groups",
                                  .id = t->args[0],
                                  .suffix = "/rules/versions",
                                  .noun = "versions",
                                  .key = "number",
                                  .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit ask_timers(struct ctl_task *t, const char *id, const char *cursor,
                                struct ctl_answer *a)
{
    struct ctl_request r;
    ctl_request_init(&r, "GET", "/card-groups");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/timers");
    if (cursor[0] != '\0')
        ctl_request_query(&r, "cursor", cursor);
    return ctl_ask(t, &r, a);
}

static void add_counts(json_t *to, const json_t *from)
{
    const char *name;
    json_t *value;
    json_object_foreach(to, name, value)
    {
        if (json_is_integer(value))
            (void)json_integer_set(value, json_integer_value(value) +
                                              json_integer_value(json_object_get(from, name)));
    }
}

// The counts of all pages are those of the group.
static enum ctl_exit add_pages(struct ctl_task *t, const char *id, struct ctl_answer *sum)
{
    json_t *cards = json_object_get(sum->json, "cards");
    enum ctl_exit exit = CTL_DONE;
    char cursor[256];
    snprintf(cursor, sizeof(cursor), "%s", ctl_string_at(sum->json, "nextCursor"));
    while (exit == CTL_DONE && cursor[0] != '\0') {
        struct ctl_answer page;
        exit = ask_timers(t, id, cursor, &page);
        add_counts(cards, json_object_get(page.json, "cards"));
        snprintf(cursor, sizeof(cursor), "%s",
                 exit == CTL_DONE ? ctl_string_at(page.json, "nextCursor") : "");
        ctl_answer_free(&page);
    }
    if (cards != NULL)
        json_object_set_new(cards, "isPartial", json_false());
    json_object_del(sum->json, "nextCursor");
    return exit;
}

static enum ctl_exit timers_one(struct ctl_task *t, const char *id)
{
    struct ctl_answer a;
    enum ctl_exit exit = ask_timers(t, id, "", &a);
    if (exit == CTL_DONE && *ctl_string_at(a.json, "nextCursor") != '\0')
        exit = add_pages(t, id, &a);
    if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        ctl_print_result(t, id);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit group_timers_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "grp", timers_one);
}

// Brings the cards to what the rules name.
static enum ctl_exit apply_one(struct ctl_task *t, const char *id)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    json_put_key(&j, "apply");
    json_put_bool(&j, true);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "PATCH", "/card-groups");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/rules");
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, id);
}

enum ctl_exit group_apply_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "grp", apply_one);
}

static json_t *read_rules(const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, RULES_MAX, &len);
    json_t *root = NULL;
    if (text == NULL)
        return NULL;
    const enum json_fault fault = json_read(bytes_of(text, len), &root);
    if (fault != JSON_READ_OK || !json_is_object(root)) {
        fprintf(stderr, "otactl: %s is no JSON object: %s\n", path, json_fault_text(fault));
        json_decref(root);
        root = NULL;
    }
    free(text);
    return root;
}

// The members of the file replace those of the rules; --reason says why.
enum ctl_exit group_set_run(struct ctl_task *t)
{
    struct ctl_request r;
    json_t *rules = read_rules(t->args[1]);
    if (rules == NULL)
        return CTL_WRONG_USE;
    ctl_put_reason(t, rules);
    char *text = json_dumps(rules, JSON_COMPACT);
    json_decref(rules);
    if (text == NULL)
        return CTL_INTERNAL;
    ctl_request_init(&r, "PATCH", "/card-groups");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/rules");
    ctl_request_json(&r, bytes_of_text(text));
    const enum ctl_exit exit = ctl_change(t, &r, t->args[0]);
    free(text);
    return exit;
}

// Commands to cards: subscriptions, parameters, audits.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <stdlib.h>

#define LIST_VALUE_MAX 2048

// --- the common members of an operation ---

static bool is_word(const char *value, const char *a, const char *b)
{
    return strcmp(value, a) == 0 || strcmp(value, b) == 0;
}

// "now", "next-contact", or a date-time as it is.
static void put_when(const struct ctl_task *t, struct json_writer *j)
{
    const char *when = t->option[OPTION_WHEN];
    if (when == NULL)
        return;
    if (is_word(when, "now", "next-contact"))
        ctl_put_word(t, j, OPTION_WHEN, "when");
    else
        ctl_put_text(t, j, OPTION_WHEN, "when");
}

static enum ctl_exit check_common(const struct ctl_task *t)
{
    static const enum ctl_option words[] = {OPTION_IF_DIRTY, OPTION_IF_BUSY};
    for (size_t i = 0; i < 2; i++) {
        const char *value = t->option[words[i]];
        if (value != NULL && !is_word(value, "wait", "refuse"))
            return ctl_wrong(t, "--if-dirty and --if-busy take wait or refuse, not", value);
    }
    if (ctl_has(t, OPTION_FORCE) && !ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "--force needs --reason", NULL);
    uint64_t number = 0;
    return ctl_number(t, OPTION_TTL, &number) ? CTL_DONE : CTL_WRONG_USE;
}

struct order {
    uint8_t text[CTL_BODY_MAX];
    struct writer w;
    struct json_writer j;
};

static void order_begin(struct ctl_task *t, struct order *o, const char *type)
{
    o->w = writer_of(o->text, sizeof(o->text));
    o->j = json_writer_of(&o->w);
    json_begin_object(&o->j);
    json_put_key(&o->j, "type");
    json_put_string(&o->j, type);
    put_when(t, &o->j);
    uint64_t ttl_s = 0;
    if (ctl_has(t, OPTION_TTL) && ctl_number(t, OPTION_TTL, &ttl_s)) {
        json_put_key(&o->j, "ttlSeconds");
        json_put_unsigned(&o->j, ttl_s);
    }
    ctl_put_word(t, &o->j, OPTION_IF_BUSY, "ifBusy");
    ctl_put_word(t, &o->j, OPTION_IF_DIRTY, "ifDirty");
    ctl_put_flag(t, &o->j, OPTION_FORCE, "force");
    ctl_put_text(t, &o->j, OPTION_REASON, "reason");
}

static enum ctl_exit order_send(struct ctl_task *t, struct order *o, const char *card)
{
    struct ctl_request r;
    json_end_object(&o->j);
    if (!json_done(&o->j))
        return ctl_wrong(t, "the command is too long", NULL);
    ctl_request_init(&r, "POST", "/cards");
    ctl_request_segment(&r, card);
    text_put(&r.path_w, "/operations");
    ctl_request_json(&r, writer_bytes(&o->w));
    return ctl_operate(t, &r);
}

// --- subscriptions ---

static const json_t *slot_of(const json_t *view, json_int_t slot)
{
    size_t i = 0;
    const json_t *s = NULL;
    json_array_foreach(json_object_get(view, "slots"), i, s)
    {
        if (json_integer_value(json_object_get(s, "slot")) == slot)
            return s;
    }
    return NULL;
}

static bool is_different(const json_t *row)
{
    return *ctl_string_at(row, "difference") != '\0';
}

static void name_differences(const json_t *differences, json_int_t slot, char *text, size_t size)
{
    size_t i = 0;
    const json_t *d = NULL;
    size_t len = 0;
    text[0] = '\0';
    json_array_foreach(differences, i, d)
    {
        if (json_integer_value(json_object_get(d, "slot")) != slot || len >= size)
            continue;
        len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? " " : "",
                                ctl_string_at(d, "field"));
    }
}

static void add_row(json_t *rows, const json_t *root, json_int_t number)
{
    const json_t *card_view = json_object_get(root, "cardView");
    const json_t *server = slot_of(json_object_get(root, "serverView"), number);
    const json_t *card = slot_of(card_view, number);
    const json_t *named = server != NULL ? server : card;
    char difference[128];
    if (named == NULL)
        return;
    name_differences(json_object_get(root, "differences"), number, difference, sizeof(difference));
    const bool is_fallback = json_is_true(json_object_get(named, "fallback"));
    (void)json_array_append_new(
        rows,
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "slot", number, "subscription",
                  ctl_string_at(named, "subscriptionId"), "iccid", ctl_string_at(named, "iccid"),
                  "role", ctl_string_at(named, "role"), "server", ctl_string_at(server, "state"),
                  "card", json_is_object(card_view) ? ctl_string_at(card, "state") : "?",
                  "fallback", is_fallback ? "yes" : "", "difference", difference));
}

static void print_view(struct ctl_task *t, const json_t *root)
{
    static const struct ctl_column columns[] = {{"SLOT", "slot"},
                                                {"SUBSCRIPTION", "subscription"},
                                                {"ICCID", "iccid"},
                                                {"ROLE", "role"},
                                                {"SERVER", "server"},
                                                {"CARD", "card"},
                                                {"FALLBACK", "fallback"},
                                                {"DIFFERENCE", "difference"},
                                                {NULL, NULL}};
    json_t *rows = json_array();
    for (json_int_t slot = 0; slot <= 16; slot++)
        add_row(rows, root, slot);
    if (!ctl_has(t, OPTION_QUIET))
        ctl_table_print(columns, rows, t->has_color, is_different);
    json_decref(rows);
    char line[128];
    const json_t *card_view = json_object_get(root, "cardView");
    const size_t count = json_array_size(json_object_get(root, "differences"));
    if (!json_is_object(card_view))
        snprintf(line, sizeof(line), "never audited");
    else if (count > 0)
        snprintf(line, sizeof(line), "%zu differences", count);
    else if (json_is_true(json_object_get(root, "inSync")))
        snprintf(line, sizeof(line), "in sync");
    else
        snprintf(line, sizeof(line), "not audited since the last change");
    ctl_print_result(t, line);
}

static enum ctl_exit list_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/subscriptions");
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        ctl_print_json(t, &a);
        if (!ctl_has(t, OPTION_JSON))
            print_view(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit sub_list_run(struct ctl_task *t)
{
    return ctl_each_card(t, list_one);
}

static void put_number(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                       const char *name)
{
    uint64_t value = 0;
    if (!ctl_has(t, option) || !ctl_number(t, option, &value))
        return;
    json_put_key(j, name);
    json_put_unsigned(j, value);
}

static void put_no_rollback(const struct ctl_task *t, struct json_writer *j)
{
    if (!ctl_has(t, OPTION_NO_ROLLBACK))
        return;
    json_put_key(j, "rollbackAllowed");
    json_put_bool(j, false);
}

static void put_subscription(struct json_writer *j, const char *id)
{
    json_put_key(j, "subscriptionId");
    json_put_string(j, id);
}

static enum ctl_exit download_one(struct ctl_task *t, const char *id)
{
    static struct order o; // as large as a body may be
    char subscription[CTL_ID_SIZE];
    order_begin(t, &o, "download");
    if (!ctl_has(t, OPTION_POOL)) {
        const enum ctl_exit exit = ctl_subscription_of(t, subscription);
        if (exit != CTL_DONE)
            return exit;
        put_subscription(&o.j, subscription);
    }
    ctl_put_text(t, &o.j, OPTION_POOL, "poolId");
    json_put_key(&o.j, "enable");
    json_put_string(&o.j, ctl_has(t, OPTION_ENABLE) && strcmp(t->option[OPTION_ENABLE], "now") == 0
                              ? "NOW"
                              : "LATER");
    ctl_put_flag(t, &o.j, OPTION_SET_FALLBACK, "setFallback");
    put_no_rollback(t, &o.j);
    put_number(t, &o.j, OPTION_TEMPLATE, "templateId");
    ctl_put_word(t, &o.j, OPTION_ROLE, "role");
    put_number(t, &o.j, OPTION_RANK, "rank");
    ctl_put_flag(t, &o.j, OPTION_NO_DISABLE, "noDisable");
    ctl_put_flag(t, &o.j, OPTION_NO_DELETE, "noDelete");
    return order_send(t, &o, id);
}

enum ctl_exit sub_download_run(struct ctl_task *t)
{
    const bool names_one = ctl_has(t, OPTION_SUBSCRIPTION) || ctl_has(t, OPTION_SUB_ICCID) ||
                           ctl_has(t, OPTION_SUB_IMSI);
    const char *enable = t->option[OPTION_ENABLE];
    uint64_t number = 0;
    if (ctl_has(t, OPTION_POOL) == names_one)
        return ctl_wrong(t, "give either --pool or one subscription", NULL);
    if (enable != NULL && !is_word(enable, "now", "later"))
        return ctl_wrong(t, "--enable takes now or later, not", enable);
    if (ctl_has(t, OPTION_SET_FALLBACK) && (enable == NULL || strcmp(enable, "now") != 0))
        return ctl_wrong(t, "--set-fallback goes with --enable now", NULL);
    if (!ctl_number(t, OPTION_TEMPLATE, &number) || !ctl_number(t, OPTION_RANK, &number))
        return CTL_WRONG_USE;
    const enum ctl_exit exit = check_common(t);
    return exit != CTL_DONE ? exit : ctl_each_card(t, download_one);
}

static enum ctl_exit name_one(struct ctl_task *t, const char *id)
{
    static struct order o;
    char subscription[CTL_ID_SIZE];
    const enum ctl_exit exit = ctl_subscription_of(t, subscription);
    if (exit != CTL_DONE)
        return exit;
    order_begin(t, &o, t->verb->verb); // the verbs are named like the types
    put_subscription(&o.j, subscription);
    put_no_rollback(t, &o.j);
    ctl_put_flag(t, &o.j, OPTION_ALLOW_UNPROVEN, "allowUnproven");
    return order_send(t, &o, id);
}

enum ctl_exit sub_name_run(struct ctl_task *t)
{
    const enum ctl_exit exit = check_common(t);
    return exit != CTL_DONE ? exit : ctl_each_card(t, name_one);
}

// --- audit ---

static enum ctl_exit audit_one(struct ctl_task *t, const char *id)
{
    static struct order o;
    order_begin(t, &o, "audit");
    return order_send(t, &o, id);
}

enum ctl_exit card_audit_run(struct ctl_task *t)
{
    const enum ctl_exit exit = check_common(t);
    return exit != CTL_DONE ? exit : ctl_each_card(t, audit_one);
}

// --- parameters ---

// The arguments that are no card.
static size_t first_name(const struct ctl_task *t)
{
    return ctl_names_card(t) ? 0 : 1;
}

static void print_named(const struct ctl_task *t, const json_t *parameters)
{
    const json_t *known = json_object_get(parameters, "known");
    json_t *named = json_object();
    for (size_t i = first_name(t); i < t->arg_count; i++)
        (void)json_object_set(named, t->args[i], json_object_get(known, t->args[i]));
    ctl_object_print(named);
    json_decref(named);
}

// What fails is said there; the operation itself is done all the same.
static void show_parameters(struct ctl_task *t, const json_t *operation)
{
    const char *card = ctl_string_at(operation, "cardId");
    struct ctl_request r;
    struct ctl_answer a;
    if (t->arg_count <= first_name(t)) {
        (void)!ctl_show(t, "/cards", card, "/parameters");
        return;
    }
    ctl_request_init(&r, "GET", "/cards");
    ctl_request_segment(&r, card);
    text_put(&r.path_w, "/parameters");
    if (ctl_ask(t, &r, &a) == CTL_DONE)
        print_named(t, a.json);
    ctl_answer_free(&a);
}

static enum ctl_exit get_one(struct ctl_task *t, const char *id)
{
    static struct order o;
    order_begin(t, &o, "read-timers");
    if (t->arg_count > first_name(t)) {
        json_put_key(&o.j, "names");
        json_begin_array(&o.j);
        for (size_t i = first_name(t); i < t->arg_count; i++)
            json_put_string(&o.j, t->args[i]);
        json_end_array(&o.j);
    }
    t->on_done = show_parameters;
    return order_send(t, &o, id);
}

enum ctl_exit config_get_run(struct ctl_task *t)
{
    const enum ctl_exit exit = check_common(t);
    return exit != CTL_DONE ? exit : ctl_each_card(t, get_one);
}

// A number; numbers joined by commas; JSON; or text.
static bool put_parameter(struct json_writer *j, const char *value, bool is_text)
{
    uint64_t number = 0;
    const struct bytes text = bytes_of_text(value);
    if (!is_text && text_read_decimal(text, &number)) {
        json_put_unsigned(j, number);
        return true;
    }
    if (*value == '[' || *value == '"') {
        json_t *root = NULL;
        const bool is_json = json_read(text, &root) == JSON_READ_OK;
        json_decref(root);
        if (is_json)
            json_put_raw(j, text);
        return is_json;
    }
    if (strchr(value, ',') == NULL) {
        json_put_string(j, value);
        return *value != '\0';
    }
    json_begin_array(j);
    for (size_t at = 0; at <= text.len;) {
        const size_t len = strcspn(value + at, ",");
        if (!text_read_decimal(bytes_of(value + at, len), &number))
            return false;
        json_put_unsigned(j, number);
        at += len + 1;
    }
    json_end_array(j);
    return true;
}

static enum ctl_exit set_one(struct ctl_task *t, const char *id)
{
    static struct order o;
    order_begin(t, &o, "set-timers");
    json_put_key(&o.j, "parameters");
    json_begin_object(&o.j);
    for (size_t i = first_name(t); i < t->arg_count; i++) {
        char name[32];
        const size_t len = strcspn(t->args[i], "=");
        if (t->args[i][len] == '\0' || len == 0 || len >= sizeof(name))
            return ctl_wrong(t, "expected NAME=VALUE, not", t->args[i]);
        memcpy(name, t->args[i], len);
        name[len] = '\0';
        json_put_key(&o.j, name);
        if (!put_parameter(&o.j, t->args[i] + len + 1, strcmp(name, "SERVER_ADDR") == 0))
            return ctl_wrong(t, "this value is none", t->args[i]);
    }
    json_end_object(&o.j);
    return order_send(t, &o, id);
}

enum ctl_exit config_set_run(struct ctl_task *t)
{
    if (t->arg_count <= first_name(t))
        return ctl_wrong(t, "nothing to set: give NAME=VALUE", NULL);
    const enum ctl_exit exit = check_common(t);
    return exit != CTL_DONE ? exit : ctl_each_card(t, set_one);
}

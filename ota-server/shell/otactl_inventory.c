// Pools, subscriptions, templates, vendor profiles, transport keys.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/secret.h"
#include "common/base/text.h"

#include <stdlib.h>

#define DOCUMENT_MAX ((size_t)1 << 20)
#define COMPONENT_DIGITS_MAX (2 * SECRET_KEY_MAX)
#define COMPONENTS_MAX 8 // of one key; the verb takes as many arguments

// --- pools and subscriptions ---

static bool is_low(const json_t *pool)
{
    const json_t *free_ones = json_object_get(json_object_get(pool, "counts"), "FREE");
    const json_t *mark = json_object_get(pool, "lowWaterMark");
    return json_integer_value(free_ones) < json_integer_value(mark);
}

enum ctl_exit pool_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"POOL", "id"},
                                                {"NAME", "name"},
                                                {"OPERATOR", "operator"},
                                                {"TEMPLATE", "templateId"},
                                                {"FREE", "counts.FREE"},
                                                {"LOW BELOW", "lowWaterMark"},
                                                {"ON CARD", "counts.ON_CARD"},
                                                {"RULE PACK", "rulePack"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {.path = "/subscription-pools",
                                  .noun = "pools",
                                  .key = "id",
                                  .columns = columns,
                                  .is_marked = is_low};
    return ctl_list(t, &l);
}

static enum ctl_exit pool_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/subscription-pools", id, "");
}

enum ctl_exit pool_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "pol", pool_one);
}

enum ctl_exit pool_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/subscription-pools");
}

static enum ctl_exit delete_pool(struct ctl_task *t, const char *id)
{
    return ctl_delete(t, "/subscription-pools", id);
}

enum ctl_exit pool_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "pol", delete_pool);
}

static bool put_number(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                       const char *name)
{
    uint64_t value = 0;
    if (!ctl_number(t, option, &value))
        return false;
    if (ctl_has(t, option)) {
        json_put_key(j, name);
        json_put_unsigned(j, value);
    }
    return true;
}

enum ctl_exit pool_create_run(struct ctl_task *t)
{
    uint8_t text[4096];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    if (!ctl_has(t, OPTION_NAME) || !ctl_has(t, OPTION_OPERATOR) || !ctl_has(t, OPTION_TEMPLATE))
        return ctl_wrong(t, "a pool needs --name, --operator and --template", NULL);
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_NAME, "name");
    ctl_put_text(t, &j, OPTION_ENTERPRISE, "enterpriseId");
    ctl_put_text(t, &j, OPTION_OPERATOR, "operator");
    ctl_put_text(t, &j, OPTION_RULE_PACK, "rulePack");
    if (!put_number(t, &j, OPTION_TEMPLATE, "templateId") ||
        !put_number(t, &j, OPTION_LOW_WATER, "lowWaterMark"))
        return CTL_WRONG_USE;
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the pool's texts are too long", NULL);
    ctl_request_init(&r, "POST", "/subscription-pools");
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}

static const struct ctl_column subscription_columns[] = {
    {"SUBSCRIPTION", "id"}, {"ICCID", "iccid"}, {"IMSI", "imsi"},   {"MSISDN", "msisdn"},
    {"STATE", "state"},     {"POOL", "poolId"}, {"CARD", "cardId"}, {NULL, NULL}};

enum ctl_exit subscription_list_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = "/subscriptions",
                                  .noun = "subscriptions",
                                  .key = "id",
                                  .columns = subscription_columns};
    return ctl_list(t, &l);
}

enum ctl_exit subscription_search_run(struct ctl_task *t)
{
    uint8_t text[512];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_ICCID, "iccid");
    ctl_put_text(t, &j, OPTION_IMSI, "imsi");
    ctl_put_text(t, &j, OPTION_MSISDN, "msisdn");
    writer_u8(&w, '\0');
    const unsigned count =
        ctl_has(t, OPTION_ICCID) + ctl_has(t, OPTION_IMSI) + ctl_has(t, OPTION_MSISDN);
    if (count != 1 || w.failed)
        return ctl_wrong(t, "give one of --iccid --imsi --msisdn", NULL);
    const struct ctl_listing l = {.path = "/subscriptions/search",
                                  .search = (const char *)text + 1, // behind the opening brace
                                  .has_page_in_query = true,
                                  .noun = "subscriptions",
                                  .key = "id",
                                  .columns = subscription_columns};
    return ctl_list(t, &l);
}

static enum ctl_exit show_subscription(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/subscriptions", id, "");
}

enum ctl_exit subscription_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "sub", show_subscription);
}

enum ctl_exit subscription_create_run(struct ctl_task *t)
{
    return ctl_create(t, "/subscriptions");
}

enum ctl_exit subscription_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/subscriptions");
}

// One member of a subscription that becomes `value`, which is JSON.
static enum ctl_exit change_subscription(struct ctl_task *t, const char *id, const char *member,
                                         const char *value)
{
    uint8_t text[512];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    json_put_key(&j, member);
    json_put_raw(&j, bytes_of_text(value));
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "PATCH", "/subscriptions");
    ctl_request_segment(&r, id);
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, id);
}

static enum ctl_exit bar_one(struct ctl_task *t, const char *id)
{
    return change_subscription(t, id, "fallbackEligible", "false");
}

static enum ctl_exit allow_one(struct ctl_task *t, const char *id)
{
    return change_subscription(t, id, "fallbackEligible", "true");
}

static enum ctl_exit retire_one(struct ctl_task *t, const char *id)
{
    return change_subscription(t, id, "state", "\"RETIRED\"");
}

enum ctl_exit subscription_bar_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "sub", bar_one);
}

enum ctl_exit subscription_allow_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "sub", allow_one);
}

enum ctl_exit subscription_retire_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "sub", retire_one);
}

// --- templates and vendor profiles: documents from files ---

enum ctl_exit template_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"TEMPLATE", "id"}, {"NUMBER", "templateId"},
                                                {"NAME", "name"},   {"VERSION", "version"},
                                                {"STATE", "state"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/profile-templates", .noun = "templates", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit send_document(struct ctl_task *t, struct ctl_request *r, const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, DOCUMENT_MAX, &len);
    json_t *root = NULL;
    if (text == NULL)
        return CTL_WRONG_USE;
    const enum json_fault fault = json_read(bytes_of(text, len), &root);
    enum ctl_exit exit = CTL_WRONG_USE;
    if (fault != JSON_READ_OK) {
        fprintf(stderr, "otactl: %s is no JSON document: %s\n", path, json_fault_text(fault));
    } else {
        json_decref(root);
        ctl_request_json(r, bytes_of(text, len));
        exit = ctl_change(t, r, NULL);
    }
    free(text);
    return exit;
}

static enum ctl_exit estimate_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/profile-templates");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/estimate");
    r.is_reading = true;
    return send_document(t, &r, t->option[OPTION_VALUES]);
}

enum ctl_exit template_estimate_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_VALUES))
        return ctl_wrong(t, "--values names a file with sample values", NULL);
    return ctl_each_id(t, "tpl", estimate_one);
}

static enum ctl_exit show_template(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/profile-templates", id, "");
}

enum ctl_exit template_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "tpl", show_template);
}

enum ctl_exit template_versions_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"VERSION", "templateVersion"},
                                                {"NUMBER", "templateId"},
                                                {"STATUS", "status"},
                                                {"AT", "createdAt"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {.path = "/profile-templates",
                                  .id = t->args[0],
                                  .suffix = "/versions",
                                  .noun = "versions",
                                  .key = "templateVersion",
                                  .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit template_create_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/profile-templates");
    return send_document(t, &r, t->args[0]);
}

enum ctl_exit template_renew_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", "/profile-templates");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/versions");
    return send_document(t, &r, t->args[1]);
}

static enum ctl_exit show_profile(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/vendor-profiles", id, "");
}

enum ctl_exit profile_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "rec", show_profile);
}

enum ctl_exit profile_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"PROFILE", "id"},
                                                {"VENDOR", "vendor"},
                                                {"VERSION", "version"},
                                                {"CHANGED", "updatedAt"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/vendor-profiles", .noun = "vendor profiles", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

// With a name the profile is replaced, without it a new one is made.
enum ctl_exit profile_put_run(struct ctl_task *t)
{
    struct ctl_request r;
    const bool replaces = t->arg_count == 2;
    ctl_request_init(&r, replaces ? "PUT" : "POST", "/vendor-profiles");
    if (replaces)
        ctl_request_segment(&r, t->args[0]);
    return send_document(t, &r, t->args[t->arg_count - 1]);
}

// --- transport keys ---

enum ctl_exit transport_key_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"KEY", "id"},  {"INDEX", "index"}, {"ALGORITHM", "algorithm"},
        {"KCV", "kcv"}, {"STATE", "state"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/transport-keys", .noun = "transport keys", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

struct secret_component {
    char digits[COMPONENT_DIGITS_MAX + 2];
    size_t len;
};

static bool read_component(const char *path, struct secret_component *c)
{
    if (!ctl_read_secret(path, c->digits, sizeof(c->digits), &c->len))
        return false;
    uint8_t octets[SECRET_KEY_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    const bool is_right = c->len > 0 && text_unhex(bytes_of(c->digits, c->len), &w);
    secret_wipe(octets, sizeof(octets));
    if (!is_right)
        fprintf(stderr, "otactl: %s holds no key component of 16 to 32 octets in hexadecimal\n",
                path);
    return is_right;
}

// The server makes the key from its components; their sum is never here.
static bool put_components(const struct ctl_task *t, struct json_writer *j)
{
    bool is_right = true;
    json_put_key(j, "components");
    json_begin_array(j);
    for (size_t i = 0; is_right && i < t->arg_count; i++) {
        struct secret_component component = {.len = 0};
        is_right = read_component(t->args[i], &component);
        if (is_right)
            json_put_text(j, bytes_of(component.digits, component.len));
        secret_wipe(&component, sizeof(component));
    }
    json_end_array(j);
    return is_right;
}

enum ctl_exit transport_key_add_run(struct ctl_task *t)
{
    uint8_t text[COMPONENTS_MAX * (COMPONENT_DIGITS_MAX + 8) + 128];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    char line[64];
    if (!ctl_has(t, OPTION_INDEX))
        return ctl_wrong(t, "--index says which key of the vendor's files it is", NULL);
    json_begin_object(&j);
    if (!put_number(t, &j, OPTION_INDEX, "index"))
        return CTL_WRONG_USE;
    json_put_key(&j, "algorithm");
    json_put_string(&j, ctl_has(t, OPTION_ALGORITHM) ? t->option[OPTION_ALGORITHM] : "AES128-CBC");
    enum ctl_exit exit = CTL_REFUSED;
    if (put_components(t, &j)) {
        json_end_object(&j);
        exit = json_done(&j) ? CTL_DONE : ctl_wrong(t, "too long", NULL);
    }
    if (exit == CTL_DONE) {
        ctl_request_init(&r, "POST", "/transport-keys");
        ctl_request_json(&r, writer_bytes(&w));
        snprintf(line, sizeof(line), "transport key %.8s", t->option[OPTION_INDEX]);
        exit = ctl_change(t, &r, line);
    }
    secret_wipe(text, sizeof(text));
    return exit;
}

// --- transport keys of several people ---

enum ctl_exit transport_key_create_run(struct ctl_task *t)
{
    return ctl_create(t, "/transport-keys");
}

enum ctl_exit transport_key_components_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"COMPONENT", "id"}, {"KCV", "kcv"}, {"AT", "createdAt"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/transport-keys",
                                  .id = t->args[0],
                                  .suffix = "/components",
                                  .noun = "components",
                                  .key = "kcv",
                                  .columns = columns};
    return ctl_list(t, &l);
}

// Each person enters their own; the server refuses a second one of the same.
enum ctl_exit transport_key_enter_run(struct ctl_task *t)
{
    uint8_t text[COMPONENT_DIGITS_MAX + 128];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    struct secret_component component = {.len = 0};
    enum ctl_exit exit = read_component(t->args[1], &component) ? CTL_DONE : CTL_REFUSED;
    json_begin_object(&j);
    json_put_key(&j, "component");
    json_put_text(&j, bytes_of(component.digits, component.len));
    json_put_key(&j, "kcv");
    json_put_string(&j, t->args[2]);
    json_end_object(&j);
    if (exit == CTL_DONE && !json_done(&j))
        exit = ctl_wrong(t, "too long", NULL);
    if (exit == CTL_DONE) {
        ctl_request_init(&r, "POST", "/transport-keys");
        ctl_request_segment(&r, t->args[0]);
        text_put(&r.path_w, "/components");
        ctl_request_json(&r, writer_bytes(&w));
        exit = ctl_change(t, &r, t->args[0]);
    }
    secret_wipe(&component, sizeof(component));
    secret_wipe(text, sizeof(text));
    return exit;
}

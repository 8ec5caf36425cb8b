// Enterprises, people, programs, and what each may do to the cards of which group.
//
// What is made or changed is given as NAME=VALUE, with the members' names of the interface:
// a list's values are joined by commas, nothing behind "=" takes a value away, @FILE is JSON of a
// file. The server says which names there are.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/secret.h"
#include "common/base/text.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)64 << 10)
#define PASSWORD_MAX 128 // octets, as the server takes them
#define TOKEN_MAX 128

// --- NAME=VALUE ---

// What has another JSON type than text.
static const struct {
    const char *name;
    enum { LIST, NUMBER, FLAG, TYPES } kind;
} members[] = {
    {"scopes", LIST},  {"mechanisms", LIST},       {"operations", LIST}, {"ratePerSecond", NUMBER},
    {"burst", NUMBER}, {"overlapSeconds", NUMBER}, {"locked", FLAG},     {"types", TYPES},
};

static json_t *list_of(const char *value)
{
    json_t *list = json_array();
    while (*value != '\0') {
        const size_t len = strcspn(value, ",");
        json_array_append_new(list, json_stringn(value, len));
        value += len + (value[len] == ',');
    }
    return list;
}

// Of events: those of the interface have one name in front, which need not be typed.
static json_t *types_of(const char *value)
{
    json_t *list = list_of(value);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (name != NULL && strchr(name, '.') == NULL)
            json_array_set_new(list, i, json_sprintf("ota.connectivity-management.v1.%s", name));
    }
    return list;
}

static json_t *file_of(const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, FILE_MAX, &len);
    json_t *root = NULL;
    if (text != NULL && json_read(bytes_of(text, len), &root) != JSON_READ_OK)
        fprintf(stderr, "otactl: %s is no JSON\n", path);
    free(text);
    return root;
}

// NULL: it is none.
static json_t *value_of(const char *name, const char *value)
{
    uint64_t number = 0;
    if (*value == '\0')
        return json_null();
    if (*value == '@')
        return file_of(value + 1);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, name) != 0)
            continue;
        switch (members[i].kind) {
        case LIST:
            return list_of(value);
        case TYPES:
            return types_of(value);
        case NUMBER:
            return text_read_decimal(bytes_of_text(value), &number) && number <= INT32_MAX
                       ? json_integer((json_int_t)number)
                       : NULL;
        case FLAG:
            if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
                return json_boolean(*value == 't');
            return NULL;
        }
    }
    return json_string(value);
}

// The arguments from `first` on as one object; NULL after saying what is wrong.
json_t *ctl_object_of_pairs(const struct ctl_task *t, size_t first)
{
    json_t *object = json_object();
    for (size_t i = first; i < t->arg_count; i++) {
        char name[32];
        const size_t len = strcspn(t->args[i], "=");
        const bool is_pair = t->args[i][len] == '=' && len > 0 && len < sizeof(name);
        json_t *value = NULL;
        if (is_pair) {
            memcpy(name, t->args[i], len);
            name[len] = '\0';
            value = value_of(name, t->args[i] + len + 1);
        }
        if (value == NULL || json_object_set_new(object, name, value) != 0) {
            ctl_wrong(t, is_pair ? "this value is none" : "expected NAME=VALUE, not", t->args[i]);
            json_decref(object);
            return NULL;
        }
    }
    if (ctl_has(t, OPTION_REASON))
        json_object_set_new(object, "reason", json_string(t->option[OPTION_REASON]));
    return object;
}

// Sends the object, which ends here, and prints the answer.
static enum ctl_exit send_object(struct ctl_task *t, struct ctl_request *r, json_t *object,
                                 const char *result)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return CTL_INTERNAL;
    ctl_request_json(r, bytes_of_text(text));
    const enum ctl_exit exit = ctl_change(t, r, result);
    free(text);
    return exit;
}

enum ctl_exit ctl_send_pairs(struct ctl_task *t, struct ctl_request *r, size_t first,
                             const char *result)
{
    json_t *object = ctl_object_of_pairs(t, first);
    return object != NULL ? send_object(t, r, object, result) : CTL_WRONG_USE;
}

static enum ctl_exit create(struct ctl_task *t, const char *path)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", path);
    return ctl_send_pairs(t, &r, 0, NULL);
}

static enum ctl_exit set(struct ctl_task *t, const char *path)
{
    struct ctl_request r;
    if (t->arg_count < 2)
        return ctl_wrong(t, "nothing to set: give NAME=VALUE", NULL);
    ctl_request_init(&r, "PATCH", path);
    ctl_request_segment(&r, t->args[0]);
    return ctl_send_pairs(t, &r, 1, t->args[0]);
}

// --- enterprises ---

enum ctl_exit enterprise_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"ENTERPRISE", "id"},           {"NAME", "name"},     {"KIND", "kind"},
        {"AUTHORITY", "authorityMode"}, {"STATUS", "status"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/enterprises", .noun = "enterprises", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit enterprise_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/enterprises", id, "");
}

enum ctl_exit enterprise_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "ent", enterprise_one);
}

enum ctl_exit enterprise_create_run(struct ctl_task *t)
{
    return create(t, "/enterprises");
}

enum ctl_exit enterprise_set_run(struct ctl_task *t)
{
    return set(t, "/enterprises");
}

// --- people ---

enum ctl_exit user_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"USER", "id"},
                                                {"NAME", "username"},
                                                {"ENTERPRISE", "enterpriseId"},
                                                {"ROLE", "role"},
                                                {"ENDS", "expiresAt"},
                                                {"LOCKED", "locked"},
                                                {"PASSWORD", "hasPassword"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/users", .noun = "users", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit user_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/users", id, "");
}

enum ctl_exit user_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "usr", user_one);
}

enum ctl_exit user_create_run(struct ctl_task *t)
{
    return create(t, "/users");
}

enum ctl_exit user_set_run(struct ctl_task *t)
{
    return set(t, "/users");
}

static enum ctl_exit delete_user(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", "/users");
    ctl_request_segment(&r, id);
    return ctl_change(t, &r, id);
}

enum ctl_exit user_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "usr", delete_user);
}

struct secret_password {
    char text[PASSWORD_MAX + 2];
    size_t len;
};

static bool put_password(struct json_writer *j, const char *path)
{
    struct secret_password password;
    const bool is_read = ctl_read_secret(path, password.text, sizeof(password.text), &password.len);
    if (is_read) {
        json_put_key(j, "password");
        json_put_text(j, bytes_of(password.text, password.len));
    }
    secret_wipe(&password, sizeof(password));
    return is_read;
}

// Read from a file that only its owner can read, never from the command line.
enum ctl_exit user_password_run(struct ctl_task *t)
{
    uint8_t text[6 * PASSWORD_MAX + 32];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    enum ctl_exit exit = put_password(&j, t->args[1]) ? CTL_DONE : CTL_REFUSED;
    json_end_object(&j);
    if (exit == CTL_DONE && !json_done(&j))
        exit = ctl_wrong(t, "the password is too long, or no UTF-8, in", t->args[1]);
    if (exit == CTL_DONE) {
        ctl_request_init(&r, "POST", "/users");
        ctl_request_segment(&r, t->args[0]);
        text_put(&r.path_w, "/password");
        ctl_request_json(&r, writer_bytes(&w));
        exit = ctl_change(t, &r, t->args[0]);
    }
    secret_wipe(text, sizeof(text));
    return exit;
}

enum ctl_exit user_factor_run(struct ctl_task *t)
{
    return ctl_show(t, "/users", t->args[0], "/second-factor");
}

static enum ctl_exit reset_factor(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", "/users");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/second-factor");
    return send_object(t, &r, ctl_object_of_pairs(t, t->arg_count), id);
}

enum ctl_exit user_reset_factor_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "usr", reset_factor);
}

// --- programs ---

enum ctl_exit client_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"CLIENT", "id"},
                                                {"NAME", "name"},
                                                {"ENTERPRISE", "enterpriseId"},
                                                {"PROVES BY", "mechanisms"},
                                                {"STATUS", "status"},
                                                {"APPKEY", "appKey"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/api-clients", .noun = "clients", .key = "id", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit client_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/api-clients", id, "");
}

enum ctl_exit client_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "cli", client_one);
}

enum ctl_exit client_create_run(struct ctl_task *t)
{
    return create(t, "/api-clients");
}

enum ctl_exit client_set_run(struct ctl_task *t)
{
    return set(t, "/api-clients");
}

// Approve, or revoke: the verb is the path's last word.
static enum ctl_exit judge_client(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    json_t *object = ctl_object_of_pairs(t, t->arg_count);
    ctl_request_init(&r, "POST", "/api-clients");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/");
    text_put(&r.path_w, t->verb->verb);
    return send_object(t, &r, object, id);
}

enum ctl_exit client_judge_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "cli", judge_client);
}

// The only answer that has the secret.
enum ctl_exit client_secret_run(struct ctl_task *t)
{
    struct ctl_request r;
    json_t *object = ctl_object_of_pairs(t, 1);
    if (object == NULL)
        return CTL_WRONG_USE;
    ctl_request_init(&r, "POST", "/api-clients");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/secrets");
    return send_object(t, &r, object, t->args[0]);
}

// --- permissions ---

enum ctl_exit permission_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"ENTERPRISE", "enterpriseId"}, {"GROUP", "groupId"}, {"MAY", "operations"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/permissions", .noun = "permissions", .key = "enterpriseId", .columns = columns};
    return ctl_list(t, &l);
}

static void begin_permission(const struct ctl_task *t, struct ctl_request *r, const char *method)
{
    ctl_request_init(r, method, "/permissions");
    ctl_request_segment(r, t->args[0]);
    ctl_request_segment(r, t->args[1]);
}

// They replace those that there were.
enum ctl_exit permission_set_run(struct ctl_task *t)
{
    struct ctl_request r;
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "--reason says why, for the audit trail", NULL);
    json_t *object = ctl_object_of_pairs(t, t->arg_count);
    json_object_set_new(object, "operations", list_of(t->args[2]));
    begin_permission(t, &r, "PUT");
    return send_object(t, &r, object, t->args[1]);
}

enum ctl_exit permission_delete_run(struct ctl_task *t)
{
    struct ctl_request r;
    begin_permission(t, &r, "DELETE");
    return ctl_change(t, &r, t->args[1]);
}

// --- the first person ---

struct secret_token {
    char text[TOKEN_MAX + 2];
    size_t len;
};

static bool put_token(struct json_writer *j, const char *path)
{
    struct secret_token token;
    const bool is_read = ctl_read_secret(path, token.text, sizeof(token.text), &token.len);
    if (is_read) {
        json_put_key(j, "token");
        json_put_text(j, bytes_of(token.text, token.len));
    }
    secret_wipe(&token, sizeof(token));
    return is_read;
}

// The token's file is the one that the server wrote at its first start.
enum ctl_exit setup_run(struct ctl_task *t)
{
    uint8_t text[6 * (PASSWORD_MAX + TOKEN_MAX) + 2048];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    json_put_key(&j, "username");
    json_put_string(&j, t->args[2]);
    json_put_key(&j, "enterprise");
    json_begin_object(&j);
    static const char *const names[] = {"name", "region", "timeZone"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_put_key(&j, names[i]);
        json_put_string(&j, t->args[3 + i]);
    }
    json_end_object(&j);
    enum ctl_exit exit =
        put_token(&j, t->args[0]) && put_password(&j, t->args[1]) ? CTL_DONE : CTL_REFUSED;
    json_end_object(&j);
    if (exit == CTL_DONE && !json_done(&j))
        exit = ctl_wrong(t, "a text is too long, or no UTF-8", NULL);
    if (exit == CTL_DONE) {
        ctl_request_init(&r, "POST", "/setup");
        r.is_unsigned = true; // the token shows who asks
        ctl_request_json(&r, writer_bytes(&w));
        exit = ctl_change(t, &r, t->args[2]);
    }
    secret_wipe(text, sizeof(text));
    return exit;
}

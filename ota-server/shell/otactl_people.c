// Enterprises, people, programs, and what each may do to the cards of which group.
//
// What is made or changed is given as NAME=VALUE (otactl_pairs.c); the server says which names
// there are.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/secret.h"
#include "common/base/text.h"

#include <stdlib.h>

#define PASSWORD_MAX 128 // octets, as the server takes them
#define TOKEN_MAX 128

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
    return ctl_create(t, "/enterprises");
}

enum ctl_exit enterprise_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/enterprises");
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
    return ctl_create(t, "/users");
}

enum ctl_exit user_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/users");
}

static enum ctl_exit delete_user(struct ctl_task *t, const char *id)
{
    return ctl_delete(t, "/users", id);
}

enum ctl_exit user_delete_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "usr", delete_user);
}

struct secret_password {
    char text[PASSWORD_MAX + 2];
    size_t len;
};

static bool put_secret(struct json_writer *j, const char *name, const char *path)
{
    struct secret_password password;
    const bool is_read = ctl_read_secret(path, password.text, sizeof(password.text), &password.len);
    if (is_read) {
        json_put_key(j, name);
        json_put_text(j, bytes_of(password.text, password.len));
    }
    secret_wipe(&password, sizeof(password));
    return is_read;
}

// Read from files that only their owner can read, never from the command line. The present one is
// needed for the own account.
enum ctl_exit user_password_run(struct ctl_task *t)
{
    uint8_t text[2 * 6 * PASSWORD_MAX + 6 * 256 + 64]; // with a reason
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    const bool is_read = put_secret(&j, "password", t->args[1]) &&
                         (t->arg_count < 3 || put_secret(&j, "currentPassword", t->args[2]));
    enum ctl_exit exit = is_read ? CTL_DONE : CTL_REFUSED;
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (exit == CTL_DONE && !json_done(&j))
        exit = ctl_wrong(t, "the password or the reason is too long, or no UTF-8: see", t->args[1]);
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
    return ctl_send_object(t, &r, ctl_object_of_pairs(t, t->arg_count), id);
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
    return ctl_create(t, "/api-clients");
}

enum ctl_exit client_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/api-clients");
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
    return ctl_send_object(t, &r, object, id);
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
    return ctl_send_object(t, &r, object, t->args[0]);
}

enum ctl_exit client_drop_secret_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", "/api-clients");
    ctl_request_segment(&r, t->args[0]);
    text_put(&r.path_w, "/secrets");
    ctl_request_segment(&r, t->args[1]);
    return ctl_send_reason(t, &r, t->args[0]);
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

enum ctl_exit permission_effective_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"ENTERPRISE", "enterpriseId"}, {"GROUP", "groupId"}, {"MAY", "operations"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/permissions/effective",
                                  .has_pairs = true,
                                  .noun = "permissions",
                                  .key = "groupId",
                                  .columns = columns};
    return ctl_list(t, &l);
}

static void begin_permission(const struct ctl_task *t, struct ctl_request *r, const char *method)
{
    ctl_request_init(r, method, "/permissions");
    ctl_request_segment(r, t->args[0]);
    ctl_request_segment(r, t->args[1]);
}

enum ctl_exit permission_show_run(struct ctl_task *t)
{
    struct ctl_request r;
    begin_permission(t, &r, "GET");
    return ctl_change(t, &r, t->args[1]);
}

// They replace those that there were.
enum ctl_exit permission_set_run(struct ctl_task *t)
{
    struct ctl_request r;
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "--reason says why, for the audit trail", NULL);
    json_t *object = ctl_object_of_pairs(t, t->arg_count);
    json_object_set_new(object, "operations", ctl_list_of(t->args[2]));
    begin_permission(t, &r, "PUT");
    return ctl_send_object(t, &r, object, t->args[1]);
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
    enum ctl_exit exit = put_token(&j, t->args[0]) && put_secret(&j, "password", t->args[1])
                             ? CTL_DONE
                             : CTL_REFUSED;
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

// Users.
#include "ota-server/service/api_user.h"

#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_factor.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/auth_leaked.h"
#include "ota-server/service/auth_words.h"

#include <stdlib.h>

#define VENDOR_SUPPORT_MS (7ll * 24 * 3600 * 1000)
#define OPERATORS_ONLY (1u << ROLE_PLATFORM_ADMIN | 1u << ROLE_OPERATOR | 1u << ROLE_SUPPORT)

struct user_work {
    struct auth_user user;
    bool is_new, has_password; // has_password: another one
    enum user_watch watch;
};

static struct user_work *open_work(struct api_exchange *x)
{
    struct user_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    return w;
}

static void put_user(struct json_writer *j, const struct auth_user *u, struct utc changed_at)
{
    json_begin_object(j);
    api_put_id(j, "id", "usr", u->id);
    api_put_text(j, "username", u->username);
    if (u->display_name[0] != '\0')
        api_put_text(j, "displayName", u->display_name);
    api_put_id(j, "enterpriseId", "ent", u->tenant);
    api_put_text(j, "role", user_role_names[u->role]);
    api_put_time(j, "expiresAt", u->expires_at);
    api_put_bool(j, "locked", u->is_locked);
    api_put_bool(j, "hasPassword", u->hash[0] != '\0');
    api_put_time(j, "createdAt", u->created_at);
    api_put_time(j, "updatedAt", changed_at);
    api_put_number(j, "version", u->version);
    json_end_object(j);
}

// With what no answer has, and the trail neither: only whether it changed.
static void put_compared(struct json_writer *j, const struct document *d)
{
    struct auth_user user;
    const bool is_read = auth_user_read(d, &user);
    json_begin_object(j);
    if (is_read) {
        api_put_text(j, "username", user.username);
        api_put_text(j, "displayName", user.display_name);
        api_put_text(j, "role", user_role_names[user.role]);
        api_put_time(j, "expiresAt", user.expires_at);
        api_put_bool(j, "locked", user.is_locked);
        api_put_text(j, "password", user.hash);
    }
    json_end_object(j);
}

static bool put_row(void *context, const struct document *d)
{
    struct auth_user user;
    if (auth_user_read(d, &user))
        put_user(&((struct api_exchange *)context)->json, &user, d->changed_at);
    return true;
}

void api_users_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    struct bytes text;
    uint64_t wanted = api_reach(x);
    if (api_query_take(&x->query, "enterpriseId", &text)) {
        uint64_t given = 0;
        const bool is_id = api_id_read(text, "ent", &given);
        // A foreign one gives an empty list.
        wanted = is_id && (wanted == 0 || given == wanted) ? given : UINT64_MAX >> 1;
    }
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {
        .kind = "user", .owner = wanted, .state = -1, .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, put_row, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

bool api_user_find(struct api_exchange *x, struct auth_user *user)
{
    if (!api_capture(x, 0, "usr", &x->object_id))
        return false;
    const enum store_status status = auth_user_get(x->reader, x->object_id, user);
    if (status == STORE_OK && api_owns(x, user->tenant))
        return true;
    api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    return false;
}

bool api_user_reach(struct api_exchange *x, enum user_role role)
{
    if (user_role_is_within(role, &x->client))
        return true;
    api_forbid(x, "a user gets no more than you have yourself, choose another role");
    return false;
}

static bool find_for_change(struct api_exchange *x, struct auth_user *user)
{
    return api_user_find(x, user) && api_user_reach(x, user->role);
}

static bool show_user(void *context, const struct document *d)
{
    return put_row(context, d) && false;
}

static void reply_with(struct api_exchange *x, unsigned status)
{
    struct auth_user user;
    if (auth_user_get(x->reader, x->object_id, &user) != STORE_OK ||
        store_document_get(x->reader, "user", x->object_id, show_user, x) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (status == 201)
        api_location(x, "/users", "usr", x->object_id);
    api_etag(x, user.version);
    api_reply(x, status);
}

void api_user_get(struct api_exchange *x)
{
    struct user_work *w = open_work(x);
    if (w != NULL && api_end_reading(x) && api_user_find(x, &w->user))
        reply_with(x, 200);
}

// --- changing ---

struct bytes api_user_read(struct api_exchange *x, struct auth_user *user, enum api_need password)
{
    const struct bytes name = api_body_text(&x->body, "username", API_REQUIRED, 1, USER_NAME_MAX);
    const struct bytes shown =
        api_body_text(&x->body, "displayName", API_OPTIONAL, 0, USER_NAME_MAX);
    const struct bytes secret =
        api_body_text(&x->body, "password", password, USER_PASSWORD_MIN, USER_PASSWORD_MAX);
    if (name.len > 0 && !auth_user_name_is_valid(name))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("username"),
                                                  "1 to 64 of a-z 0-9 . _ - @"));
    if (name.len <= USER_NAME_MAX)
        bytes_copy(user->username, name);
    if (shown.len <= USER_NAME_MAX)
        bytes_copy(user->display_name, shown);
    return secret;
}

// Is it none that is tried first, or that leaked elsewhere?
static bool check_password(struct api_exchange *x, const struct auth_user *user,
                           struct bytes password)
{
    const char *file = x->api->options.leaked_file;
    const struct password_context context = {.username = bytes_of_text(user->username),
                                             .display_name = bytes_of_text(user->display_name),
                                             .host = x->api->options.public_url};
    const enum leaked leaked =
        file != NULL && file[0] != '\0' ? leaked_has(file, password) : LEAKED_NO;
    if (leaked == LEAKED_UNKNOWN)
        api_refuse_code(x, API_UNAVAILABLE);
    else if (leaked == LEAKED_YES)
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("password"),
                                        "It leaked elsewhere, and is tried first: choose another"));
    else if (password_is_guessed(password, &context))
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("password"),
                                        "It is guessed soon: without names, words that are tried "
                                        "first, rows and repetitions too little is left of it"));
    else
        return true;
    return false;
}

bool api_user_set_password(struct api_exchange *x, struct auth_user *user, struct bytes password)
{
    return password.len == 0 ||
           (check_password(x, user, password) && api_hash_make(x, password, user->hash));
}

static void read_role(struct api_exchange *x, struct auth_user *user, enum api_need need)
{
    const int role = api_body_enum(&x->body, "role", need, user_role_names);
    if (role >= 0)
        user->role = (enum user_role)role;
    const struct utc expires = api_body_time(&x->body, "expiresAt");
    if (expires.ms != 0)
        user->expires_at = expires;
}

// Which roles there are in which enterprise.
static bool check_fit(struct api_exchange *x, const struct auth_user *user)
{
    const bool is_operators = (OPERATORS_ONLY >> user->role & 1) != 0;
    const int64_t left_ms = user->expires_at.ms - x->now.utc.ms;
    if (is_operators && user->tenant != AUTH_OPERATOR)
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("role"),
                                        "Only in the operator's own enterprise"));
    else if (user->role == ROLE_VENDOR_SUPPORT && (left_ms <= 0 || left_ms > VENDOR_SUPPORT_MS))
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("expiresAt"),
                                        "Within 7 days for this role"));
    else
        return true;
    return false;
}

// And who may give them.
static bool check_role(struct api_exchange *x, const struct auth_user *user)
{
    return check_fit(x, user) && api_user_reach(x, user->role);
}

static enum store_status keep_user(struct api_exchange *x, struct store *store, struct utc now)
{
    struct user_work *w = x->work;
    if (w->is_new || w->has_password)
        w->user.is_given = w->user.hash[0] != '\0';
    enum store_status status = api_difference_begin(x, store, "user", w->user.id, put_compared);
    if (status == STORE_OK)
        status = auth_user_put(store, &w->user, now);
    // Whoever knew the old password, or was locked out, is not to go on.
    if (status == STORE_OK && (w->has_password || w->user.is_locked))
        status = auth_end_all(store, "session", w->user.id, 0);
    return status == STORE_OK
               ? api_user_trail(x, store, w->is_new ? "user.created" : "user.changed", w->user.id,
                                w->watch)
               : status;
}

static void reply_created(struct api_exchange *x)
{
    reply_with(x, 201);
}

static void reply_changed(struct api_exchange *x)
{
    reply_with(x, 200);
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

// The members of a new one; the password.
static struct bytes read_new(struct api_exchange *x, struct auth_user *user)
{
    const struct bytes password = api_user_read(x, user, API_OPTIONAL);
    user->tenant = api_body_id(&x->body, "enterpriseId", API_REQUIRED, "ent");
    read_role(x, user, API_REQUIRED);
    return password;
}

// Before somebody approves what cannot be.
static bool check_name_is_free(struct api_exchange *x, const struct auth_user *user)
{
    struct auth_user other;
    const enum store_status status =
        auth_user_named(x->reader, bytes_of_text(user->username), &other);
    if (status == STORE_NONE)
        return true;
    api_refuse_store(x, status == STORE_OK ? STORE_CONFLICT : status);
    return false;
}

void api_users_post(struct api_exchange *x)
{
    struct user_work *w = open_work(x);
    if (w == NULL)
        return;
    w->is_new = true;
    const struct bytes password = read_new(x, &w->user);
    if (!api_end_reading(x) || !api_enterprise_allowed(x, w->user.tenant) ||
        !check_role(x, &w->user) || !check_name_is_free(x, &w->user) ||
        !api_user_watch(x, &w->user, &w->watch) || !api_user_set_password(x, &w->user, password))
        return;
    w->user.id = api_new_id(x);
    x->object_id = w->user.id;
    if (w->watch == USER_FOR_TWO)
        api_approval_request_user(x, USER_ENTERED, &w->user, w->user.hash);
    else
        api_commit(x, keep_user, reply_created);
}

// Nobody shuts the door behind themselves.
static bool check_other(struct api_exchange *x, bool is_shutting)
{
    if (!is_shutting || !x->client.is_user || x->client.id != x->object_id)
        return true;
    api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                   "It is your own account: another administrator does it"));
    return false;
}

// What a change gives, which nobody has looked at yet.
struct user_change {
    struct auth_user given;
    struct bytes shown;
    bool has_shown, has_role, has_locked, is_locked;
};

static void read_change(struct api_exchange *x, struct user_change *c)
{
    *c = (struct user_change){.given = {.role = ROLE_ENTERPRISE_USER}};
    c->has_shown = api_body_has(&x->body, "displayName");
    c->shown = api_body_text(&x->body, "displayName", API_OPTIONAL, 0, USER_NAME_MAX);
    c->has_role = api_body_has(&x->body, "role");
    read_role(x, &c->given, API_OPTIONAL);
    c->has_locked = api_body_has(&x->body, "locked");
    c->is_locked = api_body_bool(&x->body, "locked", false);
    api_read_reason(x, API_OPTIONAL);
}

static void change_user(struct auth_user *user, const struct user_change *c)
{
    if (c->has_shown) {
        bytes_copy(user->display_name, c->shown);
        user->display_name[c->shown.len] = '\0';
    }
    if (c->has_role)
        user->role = c->given.role;
    if (c->given.expires_at.ms != 0)
        user->expires_at = c->given.expires_at;
    if (c->has_locked)
        user->is_locked = c->is_locked;
}

void api_user_patch(struct api_exchange *x)
{
    struct user_work *w = open_work(x);
    struct user_change c;
    if (w == NULL)
        return;
    read_change(x, &c);
    if (!api_end_reading(x) || !find_for_change(x, &w->user) || !api_if_match(x, w->user.version) ||
        !check_other(x, (c.has_locked && c.is_locked) || c.has_role))
        return;
    const struct auth_user before = w->user;
    change_user(&w->user, &c);
    if (!check_role(x, &w->user))
        return;
    if (w->user.role != before.role && !x->api->options.single_person)
        api_approval_request_user(x, USER_ROLE, &before, NULL);
    else
        api_commit(x, keep_user, reply_changed);
}

// It was hashed before the turn: only the password is of then.
static enum store_status keep_password(struct api_exchange *x, struct store *store, struct utc now)
{
    struct user_work *w = x->work;
    struct auth_user present;
    const enum store_status status = auth_user_get(store, w->user.id, &present);
    if (status != STORE_OK)
        return status;
    if (present.role != w->user.role) { // which others may give passwords to
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "They have another role by now: ask for it anew");
        return STORE_CONFLICT;
    }
    memcpy(present.hash, w->user.hash, sizeof(present.hash));
    w->user = present;
    return keep_user(x, store, now);
}

void api_user_password_post(struct api_exchange *x)
{
    uint64_t id = 0;
    if (!api_capture(x, 0, "usr", &id))
        return;
    if (x->client.is_user && x->client.id == id) {
        api_own_password_post(x, id);
        return;
    }
    if (!api_has_scope(x, "users:write")) {
        api_refuse_scope(x, "users:write");
        return;
    }
    struct user_work *w = open_work(x);
    if (w == NULL)
        return;
    const struct bytes password =
        api_body_text(&x->body, "password", API_REQUIRED, USER_PASSWORD_MIN, USER_PASSWORD_MAX);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !find_for_change(x, &w->user) ||
        !api_user_watch(x, &w->user, &w->watch) || !api_user_set_password(x, &w->user, password))
        return;
    w->has_password = true;
    if (w->watch == USER_FOR_TWO)
        api_approval_request_user(x, USER_PASSWORD, &w->user, w->user.hash);
    else
        api_commit(x, keep_password, reply_nothing);
}

static enum store_status remove_user(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct user_work *w = x->work;
    (void)now;
    enum store_status status = api_difference_begin(x, store, "user", w->user.id, put_compared);
    if (status == STORE_OK)
        status = store_document_delete(store, "user", w->user.id);
    if (status == STORE_OK)
        status = auth_factor_drop(store, w->user.id);
    if (status == STORE_OK)
        status = auth_end_all(store, "session", w->user.id, 0);
    return status == STORE_OK ? api_user_trail(x, store, "user.deleted", w->user.id, w->watch)
                              : status;
}

void api_user_delete(struct api_exchange *x)
{
    struct user_work *w = open_work(x);
    api_read_reason(x, API_OPTIONAL);
    if (w == NULL || !api_end_reading(x) || !find_for_change(x, &w->user) ||
        !check_other(x, true) || !api_if_match(x, w->user.version) ||
        !api_user_watch(x, &w->user, &w->watch))
        return;
    if (w->watch == USER_FOR_TWO)
        api_approval_request_user(x, USER_DELETED, &w->user, NULL);
    else
        api_commit(x, remove_user, reply_nothing);
}

// --- what was approved ---

static enum store_status keep_decision(struct api_exchange *x, struct store *store)
{
    const enum store_status status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status;
}

static enum store_status keep_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = keep_decision(x, store);
    return status == STORE_OK ? keep_user(x, store, now) : status;
}

static enum store_status remove_approved(struct api_exchange *x, struct store *store,
                                         struct utc now)
{
    const enum store_status status = keep_decision(x, store);
    return status == STORE_OK ? remove_user(x, store, now) : status;
}

static enum store_status take_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct user_work *w = x->work;
    const enum store_status status = keep_decision(x, store);
    (void)now;
    return status == STORE_OK ? api_factor_take(x, store, w->user.id) : status;
}

// What was approved is for the role that they had, not for wherever they are now.
static bool check_as_approved(struct api_exchange *x, const struct user_request *r,
                              struct auth_user *user)
{
    struct bytes role = {0};
    if (auth_user_get(x->reader, r->user, user) == STORE_OK &&
        json_get_text(r->request, "roleNow", &role) == JSON_FOUND &&
        bytes_equal(role, bytes_of_text(user_role_names[user->role])))
        return true;
    api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                   "They have another role by now, or are gone: ask for it anew"));
    return false;
}

static void enter_approved(struct api_exchange *x, const struct user_request *r)
{
    struct user_work *w = x->work;
    bool works = false;
    w->is_new = true;
    (void)read_new(x, &w->user);
    w->user.id = r->user;
    memcpy(w->user.hash, r->hash, sizeof(w->user.hash));
    if (x->body.problem.code != API_OK)
        api_approval_refuse_old(x);
    else if (enterprise_works(x->reader, w->user.tenant, x->now.utc, &works) != STORE_OK || !works)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "Their enterprise is suspended: resume it first"));
    else if (check_fit(x, &w->user) && check_name_is_free(x, &w->user) &&
             api_user_asker_reaches(x, r->asker, w->user.role))
        api_commit(x, keep_approved, api_approval_reply);
}

static void change_approved(struct api_exchange *x, const struct user_request *r)
{
    struct user_work *w = x->work;
    struct user_change c;
    read_change(x, &c);
    if (x->body.problem.code != API_OK) {
        api_approval_refuse_old(x);
        return;
    }
    if (!api_user_asker_reaches(x, r->asker, w->user.role))
        return;
    change_user(&w->user, &c);
    if (check_fit(x, &w->user) && api_user_asker_reaches(x, r->asker, w->user.role))
        api_commit(x, keep_approved, api_approval_reply);
}

static enum user_deed deed_of(const json_t *request)
{
    struct bytes text = {0};
    enum user_deed deed = USER_ROLE; // of requests from before there were others
    if (json_get_text(request, "deed", &text) != JSON_FOUND)
        return deed;
    for (size_t i = 0; i < USER_DEEDS; i++) {
        if (bytes_equal(text, bytes_of_text(user_deeds[i])))
            deed = (enum user_deed)i;
    }
    return deed;
}

void api_user_carry_out(struct api_exchange *x, const struct user_request *r)
{
    struct user_work *w = open_work(x);
    if (w == NULL)
        return;
    json_decref(x->root);
    x->root = json_incref(r->request);
    api_body_init(&x->body, x->root);
    const enum user_deed deed = deed_of(r->request);
    if (deed == USER_ENTERED) {
        enter_approved(x, r);
        return;
    }
    if (!check_as_approved(x, r, &w->user))
        return;
    if (deed == USER_ROLE) {
        change_approved(x, r);
        return;
    }
    if (!api_user_asker_reaches(x, r->asker, w->user.role))
        return;
    w->has_password = deed == USER_PASSWORD;
    if (w->has_password && r->hash[0] == '\0') {
        api_approval_refuse_old(x);
        return;
    }
    if (w->has_password)
        memcpy(w->user.hash, r->hash, sizeof(w->user.hash));
    api_commit(x,
               deed == USER_DELETED    ? remove_approved
               : deed == USER_PASSWORD ? keep_approved
                                       : take_approved,
               api_approval_reply);
}

// Who a person is: set-up of the first one, log-in and log-out.
#include "common/base/text.h"
#include "ota-server/service/api_factor.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_user.h"
#include "ota-server/service/auth_setup.h"

#include <stdlib.h>

struct login {
    struct auth_user user;
    struct auth_factor factor;
    struct bytes otp;
    enum api_factor has_factor;
    struct auth_session session;
    char secret[AUTH_TOKEN_SIZE];
    struct attempts attempts;
    bool is_known, ends_others;
};

static void close_login(void *work)
{
    struct login *l = work;
    secret_wipe(l->secret, sizeof(l->secret));
    secret_wipe(&l->session, sizeof(l->session));
    secret_wipe(&l->factor, sizeof(l->factor));
}

static struct login *open_login(struct api_exchange *x)
{
    struct login *l = calloc(1, sizeof(*l));
    x->work = l;
    if (l == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->close_work = close_login;
    return l;
}

// --- answers ---

void api_put_user_summary(struct json_writer *j, const char *name, const struct auth_user *user)
{
    api_open_object(j, name);
    api_put_id(j, "id", "usr", user->id);
    api_put_text(j, "username", user->username);
    api_put_id(j, "enterpriseId", "ent", user->tenant);
    json_end_object(j);
}

static void put_scopes(struct json_writer *j, const struct auth_client *caller)
{
    api_open_array(j, "scopes");
    for (unsigned i = 0; i < caller->scope_count; i++)
        api_put_text(j, NULL, caller->scopes[i]);
    json_end_array(j);
}

// Those that a person has open, so that they see one that is not theirs.
static void put_sessions(struct api_exchange *x, const struct auth_sessions *all)
{
    struct json_writer *j = &x->json;
    api_open_array(j, "sessions");
    for (size_t i = 0; i < all->count; i++) {
        const struct auth_session *s = &all->at[i];
        bool lives = false;
        if (api_session_lives(x->api, s, x->now.utc, &lives) != STORE_OK || !lives)
            continue;
        json_begin_object(j);
        api_put_time(j, "openedAt", s->created_at);
        api_put_time(j, "expiresAt", s->ends_at);
        api_put_bool(j, "current", s->id == x->session.id);
        json_end_object(j);
    }
    json_end_array(j);
}

// `all` may be NULL.
static void put_session(struct api_exchange *x, const struct auth_user *user,
                        enum api_factor factor, const struct auth_session *session,
                        const struct auth_sessions *all)
{
    static const char *const factors[] = {
        [API_FACTOR_NONE] = "NONE", [API_FACTOR_NEEDED] = "NEEDED", [API_FACTOR_ACTIVE] = "ACTIVE"};
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_user_summary(j, "user", user);
    api_open_array(j, "roles");
    api_put_text(j, NULL, user_role_names[user->role]);
    json_end_array(j);
    put_scopes(j, &x->client);
    api_put_text(j, "secondFactor", factors[factor]);
    if (session != NULL) {
        api_put_text(j, "csrfToken", session->csrf);
        api_put_time(j, "expiresAt", session->ends_at);
    }
    if (all != NULL)
        put_sessions(x, all);
    json_end_object(j);
}

static void put_cookie(struct api_exchange *x, const char *value, const char *life)
{
    text_put(&x->headers, "Set-Cookie: ");
    text_put(&x->headers, api_cookie_name(x->api));
    text_put(&x->headers, "=");
    text_put(&x->headers, value);
    text_put(&x->headers, "; Path=/; HttpOnly; SameSite=Strict");
    text_put(&x->headers, api_is_secure(x->api) ? "; Secure" : "");
    text_put(&x->headers, life);
    text_put(&x->headers, "\n");
}

// --- log-in ---

static enum store_status note_wrong(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct login *l = x->work;
    (void)now;
    return api_trail(x, store, "session.refused", "user", l->is_known ? l->user.id : 0, NULL);
}

static void refuse_wrong(struct api_exchange *x)
{
    api_refuse_code(x, API_UNAUTHENTICATED);
}

static struct api_problem code_is_missing(void)
{
    return api_problem_reason(API_UNAUTHENTICATED, "OTP_REQUIRED", "");
}

// That which the browser forgets over the new one.
static enum store_status end_former(struct api_exchange *x, struct store *store)
{
    struct auth_session former;
    enum store_status status = api_session_of_cookie(x, store, &former);
    if (status == STORE_OK)
        status = store_document_delete(store, "session", former.id);
    return status == STORE_NONE ? STORE_OK : status;
}

// A factor that was proved after the password was judged, in the same turn, is asked for too.
static enum store_status keep_session(struct api_exchange *x, struct store *store, struct utc now)
{
    struct login *l = x->work;
    const char *reason = NULL;
    enum api_factor has = API_FACTOR_NONE;
    enum store_status status = api_factor_find(x, store, &l->user, &l->factor, &has);
    if (status == STORE_OK && has == API_FACTOR_ACTIVE && l->otp.len == 0) {
        x->problem = code_is_missing();
        return STORE_CONFLICT;
    }
    if (status == STORE_OK && (has == API_FACTOR_ACTIVE || l->has_factor == API_FACTOR_ACTIVE))
        status = api_factor_spend(x, store, l->user.id, l->otp, &reason);
    if (status == STORE_OK)
        status = end_former(x, store);
    if (status == STORE_OK && l->ends_others)
        status = auth_end_all(store, "session", l->user.id, 0);
    if (status == STORE_OK)
        status = auth_sessions_make_room(store, l->user.id);
    if (status == STORE_OK)
        status = auth_session_put(store, &l->session, l->secret, now);
    return status == STORE_OK ? api_trail(x, store, "session.opened", "user", l->user.id, reason)
                              : status;
}

static void reply_session(struct api_exchange *x)
{
    const struct login *l = x->work;
    x->is_proved = true;
    put_cookie(x, l->secret, "");
    put_session(x, &l->user, l->has_factor, &l->session, NULL);
    api_reply(x, 200);
}

static bool make_session(struct api_exchange *x, struct login *l)
{
    uint8_t entropy[64];
    if (!x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy)))
        return false;
    auth_secret_make(l->secret, entropy);
    auth_secret_make(l->session.csrf, entropy + 32);
    secret_wipe(entropy, sizeof(entropy));
    l->session.id = api_new_id(x);
    l->session.user = l->user.id;
    l->session.tenant = l->user.tenant;
    l->session.created_at = x->now.utc;
    l->session.ends_at = utc_after(x->now.utc, SESSION_LIFE_MS);
    return true;
}

static void refuse_login(struct api_exchange *x, struct login *l)
{
    api_attempts_wrong(x, &l->attempts);
    x->tenant = l->is_known ? l->user.tenant : AUTH_OPERATOR;
    api_commit(x, note_wrong, refuse_wrong);
}

// The password was right. A code that is missing is no wrong one, and does not make good those that
// were.
static void judge_factor(struct api_exchange *x, struct login *l)
{
    const enum store_status status =
        api_factor_find(x, x->reader, &l->user, &l->factor, &l->has_factor);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (l->has_factor == API_FACTOR_ACTIVE && l->otp.len == 0) {
        api_refuse(x, code_is_missing());
        return;
    }
    if (l->has_factor == API_FACTOR_ACTIVE &&
        auth_factor_use(&l->factor, l->otp, api_factor_time(x)) == FACTOR_WRONG) {
        refuse_login(x, l);
        return;
    }
    api_attempts_right(&l->attempts);
    auth_user_as_caller(&l->user, &x->client);
    if (l->has_factor == API_FACTOR_NEEDED)
        x->client.scope_count = 0;
    x->tenant = l->user.tenant;
    if (make_session(x, l))
        api_commit(x, keep_session, reply_session);
    else
        api_refuse_code(x, API_UNAVAILABLE);
}

void api_session_post(struct api_exchange *x)
{
    const struct bytes username = api_body_text(&x->body, "username", API_REQUIRED, 1, 256);
    const struct bytes password = api_body_text(&x->body, "password", API_REQUIRED, 1, 256);
    const struct bytes otp = api_body_text(&x->body, "otp", API_OPTIONAL, 1, FACTOR_TEXT_MAX);
    const bool ends_others = api_body_bool(&x->body, "endOthers", false);
    if (!api_end_reading(x))
        return;
    x->by = otp.len > 0 ? "password+code" : "password";
    if (!api_origin_is_ours(x, true)) {
        api_forbid(x, "a page of another origin asks, log in at this server's own");
        return;
    }
    if (x->request->is_in_clear) {
        api_refuse(x, api_problem_text(API_PERMISSION_DENIED,
                                       "a session is opened over HTTPS, log in there"));
        return;
    }
    struct login *l = open_login(x);
    if (l == NULL)
        return;
    if (!api_attempts_begin(x, username, &l->attempts)) {
        api_refuse_code(x, API_TOO_MANY_REQUESTS);
        return;
    }
    const enum store_status found = auth_user_named(x->reader, username, &l->user);
    if (found != STORE_OK && found != STORE_NONE) {
        api_refuse_store(x, found);
        return;
    }
    l->is_known = found == STORE_OK;
    l->ends_others = ends_others;
    l->otp = otp;
    const enum hashed hashed = api_hash_compare(x, l->is_known ? &l->user : NULL, password);
    if (hashed == HASHED_LATER)
        return;
    if (hashed == HASHED_RIGHT && auth_user_is_active(&l->user, x->now.utc))
        judge_factor(x, l);
    else
        refuse_login(x, l);
}

void api_session_get(struct api_exchange *x)
{
    struct auth_user user;
    if (!api_end_reading(x))
        return;
    if (!x->client.is_user) {
        struct json_writer *j = &x->json;
        json_begin_object(j);
        api_put_id(j, "clientId", "cli", x->client.id);
        api_put_id(j, "enterpriseId", "ent", x->tenant);
        put_scopes(j, &x->client);
        json_end_object(j);
        api_reply(x, 200);
        return;
    }
    struct auth_factor factor;
    struct auth_sessions all;
    enum api_factor has = API_FACTOR_NONE;
    enum store_status status = auth_user_get(x->reader, x->client.id, &user);
    if (status == STORE_OK)
        status = api_factor_find(x, x->reader, &user, &factor, &has);
    secret_wipe(&factor, sizeof(factor));
    if (status == STORE_OK)
        status = auth_sessions_of(x->reader, user.id, &all);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    put_session(x, &user, has, x->session.id != 0 ? &x->session : NULL, &all);
    api_reply(x, 200);
}

static enum store_status end_session(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    const enum store_status status = store_document_delete(store, "session", x->session.id);
    return status == STORE_OK ? api_trail(x, store, "session.closed", "user", x->client.id, NULL)
                              : status;
}

static void reply_ended(struct api_exchange *x)
{
    put_cookie(x, "", "; Max-Age=0");
    api_header(x, "Clear-Site-Data", "\"cache\", \"cookies\", \"storage\"");
    api_reply_empty(x, 204);
}

void api_session_delete(struct api_exchange *x)
{
    if (!api_end_reading(x))
        return;
    if (x->session.id == 0)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "There is no session: the request has other "
                                       "credentials"));
    else
        api_commit(x, end_session, reply_ended);
}

// --- set-up ---

struct setup {
    struct auth_user user;
    char enterprise[512];
    size_t enterprise_len;
};

static enum store_status keep_first(struct api_exchange *x, struct store *store, struct utc now)
{
    struct setup *s = x->work;
    x->tenant = AUTH_OPERATOR;
    const struct document d = {.kind = "enterprise",
                               .id = AUTH_OPERATOR,
                               .owner = AUTH_OPERATOR,
                               .state = 1,
                               .created_at = now,
                               .changed_at = now,
                               .body = bytes_of(s->enterprise, s->enterprise_len)};
    // Two requests with the token in one turn: the second finds it used.
    if (!auth_setup_is_open(store)) {
        x->problem = api_problem_of(API_UNAUTHENTICATED);
        return STORE_CONFLICT;
    }
    enum store_status status = store_document_put(store, &d);
    if (status == STORE_OK)
        status = auth_user_put(store, &s->user, now);
    if (status == STORE_OK)
        status = auth_setup_close(store);
    return status == STORE_OK ? api_trail(x, store, "installation.set-up", "user", s->user.id, NULL)
                              : status;
}

static void reply_first(struct api_exchange *x)
{
    const struct setup *s = x->work;
    json_begin_object(&x->json);
    api_put_user_summary(&x->json, "user", &s->user);
    json_end_object(&x->json);
    api_reply(x, 201);
}

static void read_enterprise(struct api_exchange *x, struct setup *s)
{
    static const char *const names[] = {"name", "region", "timeZone"};
    const json_t *given = api_body_object(&x->body, "enterprise", API_REQUIRED);
    struct writer w = writer_of(s->enterprise, sizeof(s->enterprise));
    struct json_writer j = json_writer_of(&w);
    bool ok = given != NULL && json_unknown(given, names, 3) == NULL;
    json_begin_object(&j);
    for (size_t i = 0; i < 3 && ok; i++) {
        struct bytes text = {0};
        ok = json_get_text(given, names[i], &text) == JSON_FOUND && text.len >= 1 && text.len <= 64;
        ok = ok && (i != 2 || api_is_zone(text));
        api_put_octets(&j, names[i], text);
    }
    api_put_text(&j, "kind", "OPERATOR");
    api_put_text(&j, "status", "ACTIVE");
    json_end_object(&j);
    s->enterprise_len = w.len;
    if (!ok && given != NULL)
        api_body_fail(&x->body,
                      api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("enterprise"),
                                        "name, region and timeZone, which is UTC, +08:00 or a "
                                        "name such as Asia/Shanghai"));
}

void api_setup_post(struct api_exchange *x)
{
    struct setup *s = calloc(1, sizeof(*s));
    x->work = s;
    if (s == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const struct bytes token = api_body_text(&x->body, "token", API_REQUIRED, 1, 64);
    const struct bytes password = api_user_read(x, &s->user, API_REQUIRED);
    read_enterprise(x, s);
    if (!api_end_reading(x))
        return;
    x->by = "setup-token";
    if (!api_is_loopback(x) || !auth_setup_fits(x->reader, token)) {
        api_count_failure(x);
        api_refuse_code(x, API_UNAUTHENTICATED);
        return;
    }
    s->user.id = api_new_id(x);
    s->user.tenant = AUTH_OPERATOR;
    s->user.role = ROLE_PLATFORM_ADMIN;
    if (api_user_set_password(x, &s->user, password))
        api_commit(x, keep_first, reply_first);
}

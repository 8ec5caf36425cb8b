#include "ota-server/service/auth_user.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_text.h"

#define BODY_MAX 1024

#define BIT(role) (1u << ROLE_##role)
#define ADMIN BIT(PLATFORM_ADMIN)
#define OPERATORS (ADMIN | BIT(OPERATOR))
#define TENANTS (BIT(ENTERPRISE_ADMIN) | BIT(ENTERPRISE_USER))
#define READERS (OPERATORS | BIT(SUPPORT) | TENANTS | BIT(VENDOR_SUPPORT))

// Who may do what. What stands in no row, nobody with a role may do.
static const struct {
    const char *scope;
    unsigned roles;
} grants[] = {
    {"cards:read", READERS},
    {"cards:write", OPERATORS | TENANTS},
    {"cards:dirty", OPERATORS},
    {"cards:reveal", OPERATORS | BIT(SUPPORT) | TENANTS},
    {"operations:read", READERS},
    {"operations:download", OPERATORS | TENANTS},
    {"operations:enable", OPERATORS | TENANTS},
    {"operations:disable", OPERATORS | TENANTS},
    {"operations:delete", OPERATORS | TENANTS},
    {"operations:set-fallback", OPERATORS | TENANTS},
    {"operations:set-timers", OPERATORS | TENANTS},
    {"operations:read-timers", OPERATORS | BIT(SUPPORT) | TENANTS},
    {"operations:audit", OPERATORS | BIT(SUPPORT) | TENANTS},
    {"operations:resend", OPERATORS | BIT(SUPPORT)},
    {"operations:force", OPERATORS},
    {"campaigns:read", READERS},
    {"campaigns:write", OPERATORS | TENANTS},
    {"groups:read", READERS},
    {"groups:write", OPERATORS},
    {"permissions:read", OPERATORS | TENANTS | BIT(INSPECTOR)},
    {"permissions:write", ADMIN},
    {"alarms:read", OPERATORS | BIT(SUPPORT) | TENANTS | BIT(INSPECTOR)},
    {"alarms:write", OPERATORS},
    {"approvals:read", OPERATORS | TENANTS | BIT(INSPECTOR)},
    {"approvals:decide", OPERATORS | BIT(ENTERPRISE_ADMIN)},
    {"inventory:read", READERS},
    {"inventory:write", OPERATORS},
    {"templates:read", READERS},
    {"templates:write", OPERATORS},
    {"imports:read", READERS},
    {"imports:write", OPERATORS},
    {"keys:write", ADMIN},
    {"audit-trail:read", OPERATORS | BIT(SUPPORT) | TENANTS | BIT(INSPECTOR)},
    {"audit-trail:verify", OPERATORS | BIT(INSPECTOR)},
    {"events:read", READERS | BIT(INSPECTOR)},
    {"events:write", OPERATORS | BIT(ENTERPRISE_ADMIN)},
    {"reports:read", OPERATORS | BIT(SUPPORT) | TENANTS | BIT(INSPECTOR)},
    {"reports:write", OPERATORS | BIT(ENTERPRISE_ADMIN)},
    {"metering:read", OPERATORS | BIT(ENTERPRISE_ADMIN) | BIT(INSPECTOR)},
    {"metering:write", ADMIN},
    {"system:read", OPERATORS | BIT(SUPPORT) | BIT(INSPECTOR) | BIT(VENDOR_SUPPORT)},
    {"metrics:read", OPERATORS},
    {"clients:read", ADMIN | BIT(ENTERPRISE_ADMIN)},
    {"clients:write", ADMIN | BIT(ENTERPRISE_ADMIN)},
    {"users:read", ADMIN | BIT(ENTERPRISE_ADMIN)},
    {"users:write", ADMIN | BIT(ENTERPRISE_ADMIN)},
    {"enterprises:read", OPERATORS},
    {"enterprises:write", ADMIN},
};

bool user_role_has(enum user_role role, const char *scope)
{
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
        if (strcmp(grants[i].scope, scope) == 0)
            return (grants[i].roles >> role & 1) != 0;
    }
    return false;
}

bool user_role_is_within(enum user_role role, const struct auth_client *caller)
{
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
        if ((grants[i].roles >> role & 1) != 0 &&
            !auth_has_scope(caller, bytes_of_text(grants[i].scope)))
            return false;
    }
    return true;
}

void auth_user_as_caller(const struct auth_user *user, struct auth_client *caller)
{
    *caller = (struct auth_client){.id = user->id,
                                   .tenant = user->tenant,
                                   .is_user = true,
                                   .is_given = user->is_given,
                                   .per_second = 20,
                                   .burst = 40};
    for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
        // The table has no more rows than a caller has room for.
        if ((grants[i].roles >> user->role & 1) != 0 &&
            !auth_add_scope(caller, bytes_of_text(grants[i].scope)))
            return;
    }
}

bool auth_user_name_is_valid(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' &&
            c != '-' && c != '@')
            return false;
    }
    return name.len >= 1 && name.len <= USER_NAME_MAX;
}

bool auth_user_is_active(const struct auth_user *user, struct utc now)
{
    return !user->is_locked && user->hash[0] != '\0' &&
           (user->expires_at.ms == 0 || user->expires_at.ms > now.ms);
}

const char *auth_user_hash(const struct auth_user *user)
{
    // Of a password that nobody knows, made with the parameters of all others.
    static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0"
                                 "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    return user != NULL && user->hash[0] != '\0' ? user->hash : nobody;
}

// --- as documents ---

static void copy(char *to, size_t size, struct bytes text)
{
    const size_t len = text.len < size - 1 ? text.len : size - 1;
    bytes_copy(to, bytes_slice(text, 0, len));
    to[len] = '\0';
}

bool auth_user_read(const struct document *d, struct auth_user *out)
{
    json_t *root = NULL;
    struct bytes hash = {0};
    struct bytes shown = {0};
    int64_t role = 0;
    *out = (struct auth_user){.id = d->id,
                              .tenant = d->owner,
                              .version = d->version,
                              .created_at = d->created_at,
                              .is_locked = d->state != 1};
    copy(out->username, sizeof(out->username), bytes_of_text(d->name != NULL ? d->name : ""));
    bool ok =
        json_read(d->body, &root) == JSON_READ_OK &&
        json_get_integer(root, "role", 0, USER_ROLES - 1, &role) == JSON_FOUND &&
        json_get_integer(root, "expiresAt", 0, INT64_MAX, &out->expires_at.ms) == JSON_FOUND &&
        json_get_text(root, "hash", &hash) == JSON_FOUND &&
        json_get_text(root, "displayName", &shown) == JSON_FOUND;
    if (ok) {
        out->role = (enum user_role)role;
        out->is_given = json_is_true(json_object_get(root, "given"));
        copy(out->hash, sizeof(out->hash), hash);
        copy(out->display_name, sizeof(out->display_name), shown);
    }
    json_decref(root);
    return ok;
}

struct found_user {
    struct auth_user *out;
    bool ok;
};

static bool take_user(void *context, const struct document *d)
{
    struct found_user *f = context;
    f->ok = auth_user_read(d, f->out);
    return false;
}

enum store_status auth_user_get(struct store *s, uint64_t id, struct auth_user *out)
{
    struct found_user f = {.out = out};
    const enum store_status status = store_document_get(s, "user", id, take_user, &f);
    return status == STORE_OK && !f.ok ? STORE_FAILED : status;
}

enum store_status auth_user_named(struct store *s, struct bytes username, struct auth_user *out)
{
    char name[USER_NAME_MAX + 1] = "";
    struct found_user f = {.out = out};
    if (username.len > USER_NAME_MAX)
        return STORE_NONE;
    for (size_t i = 0; i < username.len; i++) {
        const uint8_t c = username.at[i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    if (!auth_user_name_is_valid(bytes_of_text(name)))
        return STORE_NONE;
    const enum store_status status = store_document_named(s, "user", name, take_user, &f);
    return status == STORE_OK && !f.ok ? STORE_FAILED : status;
}

enum store_status auth_user_put(struct store *s, const struct auth_user *user, struct utc now)
{
    uint8_t body[BODY_MAX];
    struct writer w = writer_of(body, sizeof(body));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    json_put_key(&j, "displayName");
    json_put_string(&j, user->display_name);
    json_put_key(&j, "role");
    json_put_unsigned(&j, (uint64_t)user->role);
    json_put_key(&j, "expiresAt");
    json_put_signed(&j, user->expires_at.ms);
    json_put_key(&j, "hash");
    json_put_string(&j, user->hash);
    json_put_key(&j, "given");
    json_put_bool(&j, user->is_given);
    json_end_object(&j);
    const struct document d = {.kind = "user",
                               .id = user->id,
                               .owner = user->tenant,
                               .name = user->username,
                               .state = user->is_locked ? 0 : 1,
                               .created_at = user->version == 0 ? now : user->created_at,
                               .changed_at = now,
                               .version = user->version,
                               .body = writer_bytes(&w)};
    return json_done(&j) ? store_document_put(s, &d) : STORE_FAILED;
}

// --- sessions ---

struct found_session {
    struct auth_session *out;
};

static bool take_session(void *context, const struct document *d)
{
    struct auth_session *s = ((struct found_session *)context)->out;
    *s = (struct auth_session){.id = d->id,
                               .user = d->parent,
                               .tenant = d->owner,
                               .created_at = d->created_at,
                               .ends_at = {d->state}};
    copy(s->csrf, sizeof(s->csrf), d->body);
    return false;
}

enum store_status auth_session_find(struct store *s, struct bytes secret, struct auth_session *out)
{
    char name[AUTH_DIGEST_NAME_SIZE];
    struct found_session f = {out};
    if (!auth_digest_name(secret, name))
        return STORE_FAILED;
    return store_document_named(s, "session", name, take_session, &f);
}

enum store_status auth_session_put(struct store *s, const struct auth_session *session,
                                   const char *secret, struct utc now)
{
    char name[AUTH_DIGEST_NAME_SIZE];
    if (!auth_digest_name(bytes_of_text(secret), name))
        return STORE_FAILED;
    const struct document d = {.kind = "session",
                               .id = session->id,
                               .owner = session->tenant,
                               .parent = session->user,
                               .name = name,
                               .state = session->ends_at.ms,
                               .created_at = now,
                               .changed_at = now,
                               .body = bytes_of_text(session->csrf)};
    return store_document_put(s, &d);
}

static bool add_session(void *context, const struct document *d)
{
    struct auth_sessions *all = context;
    struct found_session f = {&all->at[all->count++]};
    (void)take_session(&f, d);
    secret_wipe(f.out->csrf, sizeof(f.out->csrf));
    return all->count < AUTH_SESSIONS_MAX;
}

enum store_status auth_sessions_of(struct store *s, uint64_t user, struct auth_sessions *out)
{
    const struct document_filter filter = {.kind = "session", .parent = user, .state = -1};
    const struct store_page page = {.limit = AUTH_SESSIONS_MAX};
    out->count = 0;
    return store_documents(s, &filter, &page, add_session, out, &out->total);
}

enum store_status auth_sessions_make_room(struct store *s, uint64_t user)
{
    struct auth_sessions all;
    for (;;) {
        enum store_status status = auth_sessions_of(s, user, &all);
        if (status != STORE_OK || all.total < AUTH_SESSIONS_MAX)
            return status;
        status = store_document_delete(s, "session", all.at[0].id);
        if (status != STORE_OK)
            return status;
    }
}

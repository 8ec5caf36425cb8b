// People: users with a role in one enterprise, and their sessions. Kept as documents of the kinds
// "user" and "session"; a password is there as Argon2id made it, a session's secret as its SHA-256.
//
// Promises: a role gives the scopes of the table in auth_user.c and no other; an unknown user takes
// the same work as a wrong password.
#pragma once

#include "ota-server/service/auth_client.h"
#include "ota-server/service/auth_role.h"

#define USER_NAME_MAX 64
#define USER_PASSWORD_MIN 12
#define USER_PASSWORD_MAX 128
#define USER_HASH_SIZE 128
#define SESSION_IDLE_MS (30 * 60 * 1000ll)
#define SESSION_LIFE_MS (12 * 60 * 60 * 1000ll)

bool user_role_has(enum user_role role, const char *scope);
// Has the caller every scope of the role?
bool user_role_is_within(enum user_role role, const struct auth_client *caller);

struct auth_user {
    uint64_t id;
    uint64_t tenant;
    uint64_t version;
    struct utc created_at;
    char username[USER_NAME_MAX + 1];
    char display_name[USER_NAME_MAX + 1];
    enum user_role role;
    bool is_locked;
    struct utc expires_at;     // 0: never
    char hash[USER_HASH_SIZE]; // of the password; "" when none was set
    bool is_given;             // it is: by somebody else, who knows it
};

enum store_status auth_user_get(struct store *s, uint64_t id, struct auth_user *out) MUST_USE;
// Finds by user name, whichever case it was typed in.
enum store_status auth_user_named(struct store *s, struct bytes username,
                                  struct auth_user *out) MUST_USE;
// Inserts with version 0, else replaces that version.
enum store_status auth_user_put(struct store *s, const struct auth_user *user,
                                struct utc now) MUST_USE;
// As a document shows it.
bool auth_user_read(const struct document *d, struct auth_user *out) MUST_USE;
// 1 to 64 of a-z 0-9 . _ - @
bool auth_user_name_is_valid(struct bytes username);
// May the user work at all now?
bool auth_user_is_active(const struct auth_user *user, struct utc now);
// What a password is compared with. `user` may be NULL: then it takes as long, and must not count.
const char *auth_user_hash(const struct auth_user *user);
// As a caller with the scopes of its role.
void auth_user_as_caller(const struct auth_user *user, struct auth_client *caller);

struct auth_session {
    uint64_t id, user, tenant;
    struct utc created_at, ends_at;
    char csrf[AUTH_TOKEN_SIZE];
};
// Those that one user has at once: the oldest ends when there are more.
#define AUTH_SESSIONS_MAX 16
struct auth_sessions {
    struct auth_session at[AUTH_SESSIONS_MAX]; // the oldest ones, without their CSRF tokens
    size_t count;
    uint64_t total; // that there are
};
enum store_status auth_sessions_of(struct store *s, uint64_t user,
                                   struct auth_sessions *out) MUST_USE;
// Ends the oldest ones until there is room for another.
enum store_status auth_sessions_make_room(struct store *s, uint64_t user) MUST_USE;
enum store_status auth_session_find(struct store *s, struct bytes secret,
                                    struct auth_session *out) MUST_USE;
enum store_status auth_session_put(struct store *s, const struct auth_session *session,
                                   const char *secret, struct utc now) MUST_USE;

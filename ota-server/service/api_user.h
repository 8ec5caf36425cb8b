// What the parts of the API that deal with people share. Internal to the service.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_user.h"

// {"id","username","enterpriseId"}
void api_put_user_summary(struct json_writer *j, const char *name, const struct auth_user *user);
// Members username, displayName and password of the body; the password.
struct bytes api_user_read(struct api_exchange *x, struct auth_user *user, enum api_need password);
// Hashes it; false: later [api_hash_make()], or refused, also because it is guessed soon or leaked
// elsewhere.
bool api_user_set_password(struct api_exchange *x, struct auth_user *user, struct bytes password);
// The user of capture 0, if the caller's enterprise may see them; else refused.
bool api_user_find(struct api_exchange *x, struct auth_user *user);
// Nobody gives a role that can more than they, and nobody touches who has one: else refused.
bool api_user_reach(struct api_exchange *x, enum user_role role);

// POST of the caller's own password, with the present one: takes no scope.
void api_own_password_post(struct api_exchange *x, uint64_t id);

// --- for two ---

// What one person does to another. Whoever may approve is made and unmade by two.
enum user_deed { USER_ENTERED, USER_ROLE, USER_DELETED, USER_PASSWORD, USER_FACTOR, USER_DEEDS };
extern const char *const user_deeds[USER_DEEDS + 1]; // ended by NULL
enum user_watch {
    USER_FREE,    // nobody who may approve
    USER_ALONE,   // there is nobody else to ask: the trail says so
    USER_FOR_TWO, // a second person has to approve
};
// Of a deed of the caller's on `user`, who has that role or is to have it. False: refused.
bool api_user_watch(struct api_exchange *x, const struct auth_user *user, enum user_watch *watch);
// Their row of the trail.
enum store_status api_user_trail(struct api_exchange *x, struct store *store, const char *action,
                                 uint64_t user, enum user_watch watch);

// What was asked for with api_approval_request_user() and is approved with x->approval.
struct user_request {
    uint64_t user;
    const char *asker; // "usr_..." or "cli_..."
    json_t *request;
    const char *hash; // USER_HASH_SIZE octets: of the password that they are to have, or ""
};
void api_user_carry_out(struct api_exchange *x, const struct user_request *r);
// May who asked still give this role? Two who may less must not make a third who may more.
bool api_user_asker_reaches(struct api_exchange *x, const char *asker, enum user_role role);
// Takes the second factor away, as was approved.
enum store_status api_factor_take(struct api_exchange *x, struct store *store, uint64_t user);

// A time zone that an enterprise may have [common/host/zone.h].
bool api_is_zone(struct bytes text);

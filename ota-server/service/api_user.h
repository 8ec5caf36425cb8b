// What the parts of the API that deal with people share. Internal to the service.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_user.h"

// {"id","username","enterpriseId"}
void api_put_user_summary(struct json_writer *j, const char *name, const struct auth_user *user);
// Members username, displayName and password of the body; the password.
struct bytes api_user_read(struct api_exchange *x, struct auth_user *user, enum api_need password);
// Hashes it; false: refused.
bool api_user_set_password(struct api_exchange *x, struct auth_user *user, struct bytes password);
// The user of capture 0, if the caller's enterprise may see them; else refused.
bool api_user_find(struct api_exchange *x, struct auth_user *user);
// Nobody gives a role that can more than they, and nobody touches who has one: else refused.
bool api_user_reach(struct api_exchange *x, enum user_role role);
// What was asked for with api_approval_request_user() and is approved with x->approval.
void api_user_carry_out(struct api_exchange *x, uint64_t user, json_t *request);
// A time zone that an enterprise may have [common/host/zone.h].
bool api_is_zone(struct bytes text);

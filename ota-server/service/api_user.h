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
// A time zone that an enterprise may have [common/host/zone.h].
bool api_is_zone(struct bytes text);

// A person's second factor, as log-in and authentication see it. Internal to the service.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_factor.h"

enum api_factor {
    API_FACTOR_NONE,
    API_FACTOR_NEEDED, // the role needs one, and there is none
    API_FACTOR_ACTIVE,
};
// Does the configuration ask it of the user's role?
bool api_factor_is_needed(const struct api *api, const struct auth_user *user);
// `factor` is of the user if `has` says ACTIVE. Other than STORE_OK: it cannot be told.
enum store_status api_factor_find(struct api_exchange *x, struct store *store,
                                  const struct auth_user *user, struct auth_factor *factor,
                                  enum api_factor *has) MUST_USE;
// The time of the world, which apps go by, and not a laboratory's.
struct utc api_factor_time(const struct api_exchange *x);
// Inside a transaction: uses the proof up. STORE_CONFLICT, with 401 as x->problem, when another
// request did meanwhile. `reason`: for the trail, or NULL.
enum store_status api_factor_spend(struct api_exchange *x, struct store *store, uint64_t user,
                                   struct bytes otp, const char **reason) MUST_USE;

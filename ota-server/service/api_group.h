// Card groups: what handlers of other objects need of them. Internal.
#pragma once

#include "ota-server/service/api_document.h"
#include "ota-server/service/group_rules.h"

extern const struct api_kind api_groups;

// Changes the rules as `request` says, which `author` made and x->approval approves.
void api_group_rules_carry_out(struct api_exchange *x, uint64_t group, json_t *request,
                               const char *author);
// What cards and groups are used for; ended by NULL.
extern const char *const api_application_fields[];
// Does the caller see more of the group than that it is there: its owner, the operator's people,
// and in a group of the operator's whoever may do something there?
bool api_group_rules_shown(const struct api_exchange *x, const struct document *group);
// Whose group it is; STORE_NONE when there is none.
enum store_status api_group_owner(struct store *store, uint64_t group, uint64_t *owner) MUST_USE;
bool api_enterprise_is(struct api_exchange *x, uint64_t enterprise);
// Is there this enterprise, and is it the caller's, or the caller the operator's? 0 is the caller's
// own. Else refused.
bool api_enterprise_allowed(struct api_exchange *x, uint64_t enterprise);
// Has the caller a part in running the installation? Else refused with 403.
bool api_operator_only(struct api_exchange *x);

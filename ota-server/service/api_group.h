// Card groups: what handlers of other objects need of them. Internal.
#pragma once

#include "ota-server/service/api_document.h"
#include "ota-server/service/group_rules.h"

extern const struct api_kind api_groups;

// Whose group it is; STORE_NONE when there is none.
enum store_status api_group_owner(struct store *store, uint64_t group, uint64_t *owner) MUST_USE;
// Has the caller a part in running the installation? Else refused with 403.
bool api_operator_only(struct api_exchange *x);

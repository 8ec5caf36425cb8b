// What a second person has to approve: documents of the kind "approval", with the request as it was
// made and its hash. This is what the turn needs of them; api_approval.h has the rest.
#pragma once

#include "ota-server/store/store.h"

#define APPROVAL_KIND "approval"

// As the state of the document.
enum approval_state {
    APPROVAL_OPEN,
    APPROVAL_APPROVED,
    APPROVAL_REJECTED,
    APPROVAL_EXPIRED,
    APPROVAL_WITHDRAWN, // what it was for is no more
};
extern const char *const approval_states[]; // names, ended by NULL

// Ends one that is open without a decision, and tells of it; STORE_NONE when it is not open.
enum store_status approval_end(struct store *s, uint64_t id, enum approval_state state,
                               struct utc at) MUST_USE;
// Was it for the operator's people to decide, as one of an enterprise that may only request?
enum store_status approval_is_operators(struct store *s, uint64_t id, bool *is) MUST_USE;
// Tells of one that was opened or decided, as its document is kept now.
enum store_status approval_tell(struct store *s, const struct document *d, struct utc at) MUST_USE;

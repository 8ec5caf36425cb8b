// What a second person has to approve: documents of the kind "approval", with the request as it was
// made and its hash. This is what the turn needs of them; api_approval.h has the rest.
#pragma once

#define APPROVAL_KIND "approval"

// As the state of the document.
enum approval_state {
    APPROVAL_OPEN,
    APPROVAL_APPROVED,
    APPROVAL_REJECTED,
    APPROVAL_EXPIRED,
    APPROVAL_WITHDRAWN, // what it was for is no more
};

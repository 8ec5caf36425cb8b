// What an enterprise may do to the cards of a group: one document of the kind "permission" for each
// pair, with a set of operations as its state. What stands in none is denied; there is no wildcard.
#pragma once

#include "common/base/bytes.h"
#include "ota-server/store/store.h"

#define PERMISSION_KIND STORE_PERMISSION_KIND
#define AUTH_OPERATOR 1 // the enterprise that runs the installation

// Only what the server can hold to; GRANT_NONE is for the operator's own people alone.
enum grant {
    GRANT_NONE,
    GRANT_CARD_READ,
    GRANT_CARD_REVEAL,
    GRANT_CARD_MOVE, // to another group, and what is written about it
    GRANT_DOWNLOAD,
    GRANT_ENABLE,
    GRANT_DISABLE,
    GRANT_DELETE,
    GRANT_SET_FALLBACK,
    GRANT_TIMERS_SET,
    GRANT_CARD_AUDIT, // and reading parameters
    GRANT_OPERATION_APPROVE,
    GRANT_CAMPAIGN_RUN, // besides that of the campaign's operation
};
#define GRANTS (GRANT_CAMPAIGN_RUN + 1)
#define GRANT_BIT(grant) (1u << (grant))

// "card.read"; GRANT_NONE has none.
const char *grant_name(enum grant grant);
// GRANT_NONE for a text that is none.
enum grant grant_of(struct bytes name);
// Is it for what writes to cards, which authority modes are about?
bool grant_writes_card(enum grant grant);
// What a request for an operation of this kind needs.
enum grant grant_of_operation(uint8_t kind);

// The set of (1 << grant), 0 when there is no document; `is_there` may be NULL.
enum store_status permission_of(struct store *s, uint64_t enterprise, uint64_t group, uint32_t *set,
                                bool *is_there) MUST_USE;
#define PERMISSION_NAME_SIZE 48
// Under which the document is found.
const char *permission_name(uint64_t enterprise, uint64_t group, char name[PERMISSION_NAME_SIZE]);

// When the agreement of an enterprise ends, which is such a document; false: nothing says so.
bool enterprise_agreement_end(const struct document *enterprise, struct utc *ends_at);
// The operator's own may not have been entered, and is there.
bool enterprise_is_there(struct store *s, uint64_t enterprise);
// Is the enterprise neither suspended nor its agreement over? The operator's own never is.
enum store_status enterprise_works(struct store *s, uint64_t enterprise, struct utc now,
                                   bool *works) MUST_USE;

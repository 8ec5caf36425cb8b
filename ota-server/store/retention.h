// What has stood its time leaves the database, some at a time, beside the work: whoever calls says
// how many. Nothing leaves that somebody waits for. All of it inside a transaction.
#pragma once

#include "ota-server/store/store.h"

// A card was retired at `at`. No effect on one that was before.
enum store_status store_retired_put(struct store *s, uint64_t card, struct utc at) MUST_USE;
// When the card that was retired first was; STORE_NONE: the keys of all that were are gone.
enum store_status store_retired_first(struct store *s, struct utc *at) MUST_USE;
// Erases the keys of up to `limit` cards that were retired at `before` or earlier, and those of the
// subscriptions on them or reserved for them; each with a row of the trail, dated `now`.
enum store_status store_retired_erase(struct store *s, struct utc before, struct utc now,
                                      uint32_t limit) MUST_USE;

// What is counted as it leaves. A location: where, and in which device, an audit found a card.
enum retained {
    RETAINED_OPERATION,
    RETAINED_MESSAGE,
    RETAINED_ALARM,
    RETAINED_LOCATION,
    RETAINED_CORRELATOR, // the text of one, by when it came first
    RETAINED_APPROVAL,   // that was decided
    RETAINED_CAMPAIGN,   // that ended, or never began; its cards count
    RETAINED_MOVE,       // of many cards
    RETAINED_REPORT,
    RETAINED_KINDS
};
// Removes up to `limit` of a kind that began, and alarms that were cleared, before `before`; an
// operation with its steps, what its audit answered, and by which identifiers it was asked for.
// What has not ended stays, and so does a message of an operation that has not. Of an answer older
// than that, the last one of its card included, only IMEI and PLMN leave, whatever its operation
// does.
enum store_status store_expire(struct store *s, enum retained kind, struct utc before,
                               uint32_t limit, uint32_t *count) MUST_USE;

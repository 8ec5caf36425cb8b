// What an event changed in the registry of a card, in the words of the API, for its row of the
// trail: as it was, and as it is.
//
// Promises: nothing of a subscriber is in it: a subscription stands there by its id, and of an
// IMSI or ICCID that changed under it, that it did. Who lays the rows of a card over each other, in
// their order, has its slots.
#pragma once

#include "ota-server/core/record.h"

#define SLOTS_TELL_SIZE 501 // as much as a row takes

// Of each slot in `set` (1 << slot) that found room, the members that differ; of one that is filled
// or emptied, what an empty slot does not have:
//   before "slot1.state=ENABLED, slot2.state=DISABLED"
//   after  "slot1.subscriptionId=sub_..., slot1.state=DISABLED, slot2.subscriptionId=sub_..., ..."
// `after` names the subscription of each slot, also where it is the same. 1 << 0 is the preferred
// one. Gives the set of what found no room: another row has it. Slots are whole or not there, and
// the first always has room.
uint32_t slots_tell(const struct record *was, const struct record *is, uint32_t set,
                    char before[SLOTS_TELL_SIZE], char after[SLOTS_TELL_SIZE]);

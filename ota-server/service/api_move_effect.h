// What a move of cards would change: the rules that they would be under, and which of those of the
// groups that they are in are others. Internal.
//
// Promises: a caller that may not read the rules of a group is shown none of them.
#pragma once

#include "ota-server/service/api_exchange.h"

#define MOVE_GROUPS_MAX 16 // former groups that are told apart

struct move_effect {
    struct {
        uint64_t group, cards;
    } from[MOVE_GROUPS_MAX];
    size_t count;
};

// A card of this group would be moved. Beyond the maximum, groups are left out.
void move_effect_add(struct move_effect *e, uint64_t group);
// Members "groupId", "rules" and "from" of an object that is open.
void move_effect_put(struct api_exchange *x, const struct move_effect *e, uint64_t to);

// Moving cards into another group: one, or many as a job. Internal.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/job.h"

#define MOVE_KIND "card-move"

// In the transaction of a move: the group is there, and what the former owner wrote about the card
// does not go with it. STORE_NONE: there is no such group.
enum store_status api_move_enter(struct store *store, uint64_t card, struct event *e) MUST_USE;
// May the caller move cards into the group, whose owner it gets? Else refused.
bool api_move_allowed(struct api_exchange *x, uint64_t group, uint64_t *owner);

// The next cards of a move.
enum store_status api_move_step(void *context, struct job *job);

void api_moves_post(struct api_exchange *x);
void api_move_get(struct api_exchange *x);

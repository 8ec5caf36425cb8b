// Moving cards into another group: one, or many as a job. Internal.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/group_rules.h"
#include "ota-server/service/job.h"

#define MOVE_KIND "card-move"

// In the transaction of a move: the group is there, and what the former owner wrote about the card
// does not go with it. STORE_NONE: there is no such group.
enum store_status api_move_enter(struct store *store, uint64_t card, struct event *e) MUST_USE;
// May the caller move cards into the group, whose owner it gets? Else refused.
bool api_move_allowed(struct api_exchange *x, uint64_t group, uint64_t *owner);

// Where a card is to be moved to.
struct api_move_to {
    uint64_t group, owner; // the group's enterprise
};
// Does a second person have to approve that, because the card would be where enterprises serve
// themselves that could not, or where one person does what needed two? `what` says so in a few
// words; NULL: no. What is in no group yet comes to its first rules, which are not looser.
enum store_status api_move_for_two(struct store *store, const struct policy *installation,
                                   const struct record *r, const struct api_move_to *to,
                                   const char **what) MUST_USE;
// Asks for it: 202 with the approval.
void api_move_request(struct api_exchange *x, const struct record *r, const struct api_move_to *to,
                      const char *what);
// What was asked for with it is approved with x->approval, on x->card_id.
void api_move_carry_out(struct api_exchange *x, const json_t *request);

// The next cards of a move.
enum store_status api_move_step(void *context, struct job *job);

void api_moves_post(struct api_exchange *x);
void api_move_get(struct api_exchange *x);

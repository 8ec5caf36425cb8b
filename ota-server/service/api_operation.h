// Operations on cards as the API shows and starts them. Internal to the service.
#pragma once

#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_exchange.h"

// Answers 202 with Location and the operation; false, and nothing is answered, when there is none
// that the caller may see.
bool api_operation_reply_accepted(struct api_exchange *x, uint64_t id);
// The operation, if the caller's enterprise asked for it; else refused: unknown.
bool api_operation_find(struct api_exchange *x, uint64_t id, struct operation *o, uint64_t *card);
// A sentence for people; "" for none.
const char *api_operation_failure(uint8_t failure);
// Submits x->event, a request for an operation on x->card_id, and answers 202, the plan of a dry
// run, or the refusal. `id` of the operation is chosen here.
void api_operation_submit(struct api_exchange *x);

// Before that: the operation waits for an approval, if there is a reason; false: refused.
bool api_operation_approval(struct api_exchange *x, enum approval_why why, uint64_t tenant);

// May x->card_id download it? Else x->problem: it is another card's, retired, or has no keys.
bool api_operation_is_free(struct api_exchange *x, const struct subscription *s);
// Makes a free subscription x->card_id's, in a turn; fills `s`. STORE_CONFLICT, with x->problem:
// the card may not download it.
enum store_status api_operation_take(struct api_exchange *x, struct store *store, uint64_t id,
                                     struct subscription *s) MUST_USE;

// Of a list, from the query.
struct api_problem api_operation_filter_read(struct api_exchange *x,
                                             struct operation_filter *f) MUST_USE;
// What lists show of an operation, as one object.
void api_put_operation(struct api_exchange *x, uint64_t card, const struct operation *o);

// Member `request`: what it was asked for with, as POST names it; no keys, identifiers masked
// unless they are clear for the caller.
void api_put_order(struct api_exchange *x, const struct operation *o);

void api_operations_export(struct api_exchange *x);
void api_operations_list(struct api_exchange *x);
void api_operation_get(struct api_exchange *x);
void api_operation_resend(struct api_exchange *x);
void api_operation_cancel(struct api_exchange *x);
void api_card_operations_list(struct api_exchange *x);
void api_card_operation_post(struct api_exchange *x);

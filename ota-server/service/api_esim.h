// The eSIM profile management API: the operations of this server under the names of CAMARA.
// Internal.
//
// Promises: what it starts is what the connectivity-management API starts, judged by the same code
// in the same order; its errors have status, code and message, and no other member.
#pragma once

#include "ota-server/service/api_exchange.h"

#define ESIM_BASE "/esim-profile-management/v0.1"
#define ESIM_BODY_MAX 65536

// The problem as this API tells it.
struct api_problem api_esim_problem(const struct api_exchange *x, struct api_problem p);
// Answers with the operation: 200, or 202 with its Location.
void api_esim_reply(struct api_exchange *x, uint64_t card, const struct operation *o,
                    unsigned status);
// Keeps what the caller named, in the transaction of the operation that x->event asks for.
enum store_status api_esim_keep(struct api_exchange *x, struct store *store,
                                struct utc now) MUST_USE;

void api_esim_download(struct api_exchange *x);
void api_esim_change(struct api_exchange *x);
void api_esim_status(struct api_exchange *x);
void api_esim_operation(struct api_exchange *x);

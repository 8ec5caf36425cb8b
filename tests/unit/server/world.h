// A card as the server's tests know it: a record with a bootstrap subscription in slot 1 (enabled,
// fallback) and an operational one in slot 2 (disabled, proven), and short ways to make events.
#pragma once

#include "ota-server/core/decision.h"

#include "common/host/cipher_openssl.h"

struct world {
    struct record record;
    struct policy policy;
    struct cipher cipher;
    struct decision decision;
    struct utc now;
    uint64_t next_id;
    uint8_t next_slot; // that a download takes
    bool are_downloads_held;
    decide_find_fn *find; // in the registry
};

void world_init(struct world *w);
void world_close(struct world *w);
// Decides and takes the next record.
void world_event(struct world *w, struct event *e);
void world_wake_after(struct world *w, int64_t ms);
// Asks for an operation of this kind on the subscription of slot 2; its id, or 0 when refused.
uint64_t world_request(struct world *w, uint8_t kind);
// What a link, the network and the card say about the packet under way.
void world_submit(struct world *w, uint8_t outcome);
void world_receipt(struct world *w, uint8_t state);
void world_por(struct world *w, uint8_t status);
void world_result(struct world *w, uint8_t code);
// A fresh notification about the open operation, with registry version and hash of the mirror as it
// will be; `to_slot` is 1 or 2.
void world_notify(struct world *w, uint8_t cause, uint8_t to_slot, bool is_commanded);
// A complete answer to the audit under way: the mirror's own facts; change it before giving it.
void world_answer_init(struct world *w, struct event *e, uint8_t lookup, uint8_t lookup_code);
// From request to OK_PENDING.
uint64_t world_switching(struct world *w);
bool world_is_dirty(const struct world *w, uint8_t reason);
// The last form of an operation that ended in the last decision; NULL when none did.
const struct operation *world_ended(const struct world *w);

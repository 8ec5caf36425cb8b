// What happened to one card: its messages, and everything as one list. Newest first.
#pragma once

#include "ota-server/store/store.h"

enum timeline_kind { TIMELINE_STEP, TIMELINE_MESSAGE, TIMELINE_TRAIL };
struct timeline_filter {
    uint64_t card;
    struct utc from, to; // both ends are in; to 0: no end
    int kind;            // enum timeline_kind, or -1
};
// Of the filter, the card and `from`.
enum store_status store_messages(struct store *s, const struct timeline_filter *filter,
                                 const struct store_page *page, store_message_fn *each,
                                 void *context, uint64_t *total) MUST_USE;
struct timeline_row {
    struct utc at;
    uint8_t kind;
    uint64_t id; // of the message, or sequence of the trail
    uint64_t operation;
    uint8_t what;     // STEP: enum step_name; MESSAGE: command or cause; TRAIL: enum actor_kind
    uint8_t count;    // STEP: attempt; MESSAGE: enum post_state
    uint8_t flag;     // STEP: enum operation_kind; MESSAGE: 0 to the card, 1 its answer, 2 its
                      // notification
    const char *text; // STEP: detail; TRAIL: action
};
typedef bool store_timeline_fn(void *context, const struct timeline_row *row);
enum store_status store_timeline(struct store *s, const struct timeline_filter *filter,
                                 const struct store_page *page, store_timeline_fn *each,
                                 void *context, uint64_t *total) MUST_USE;
// Since when a card is its enterprise's: what happened before is another one's to know. 0: always.
enum store_status store_card_since(struct store *s, uint64_t card, struct utc *at) MUST_USE;
enum store_status store_card_since_put(struct store *s, uint64_t card, struct utc at) MUST_USE;

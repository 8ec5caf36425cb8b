// What clients are told: one row for each event that `GET /events` and the event sinks tell of,
// written in the transaction of what happened. What stores promise, and their errors, say store.h.
//
// Promises: ids ascend in the order of the commits, and after a restore from a backup behind all
// that were ever given; of the newest NOTICES_KEPT none is missing. The store does not look into
// kinds and data: service/notice.h does.
#pragma once

#include "ota-server/store/store.h"

#define NOTICES_KEPT 10000
#define NOTICE_DATA_MAX 2048

struct notice {
    uint64_t id; // given by the store
    uint8_t kind;
    struct utc at;
    uint64_t tenant; // whose it is; 0: the installation's
    uint64_t card;   // that it is about; 0: about something else
    uint64_t group;  // of that card then
    struct bytes data;
    // Event sinks may want it: those of its enterprise; of a card, those of who has one of `grants`
    // in its group; and those of the overseer.
    bool is_for_sinks;
    uint64_t overseer;
    uint32_t grants;
};
enum store_status store_notice_add(struct store *s, const struct notice *n) MUST_USE;
// Was any committed since this was asked last? Of the writer.
bool store_notices_told(struct store *writer);

// The newest id; 0 when there is none.
enum store_status store_notice_last(struct store *s, uint64_t *id) MUST_USE;
// Who reads: an enterprise sees its own, but of cards those in groups in which it has a permission
// with one of `grants`; 0 sees all.
struct notice_reader {
    uint64_t tenant;
    uint32_t grants;
};
// Those behind `after`, oldest first, with what the reader may not see and must skip.
typedef bool store_notice_fn(void *context, const struct notice *n, bool is_visible);
enum store_status store_notices(struct store *s, const struct notice_reader *reader, uint64_t after,
                                uint32_t limit, store_notice_fn *each, void *context) MUST_USE;
// After a restore: the next ids lie behind all that the lost database may have given.
enum store_status store_notices_jump(struct store *s, struct utc now) MUST_USE;

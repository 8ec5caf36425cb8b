// The requests of ours that wait for a response: found by sequence number in one step, and in order
// of age for the time-outs. The places are the caller's memory.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define SMPP_WINDOW_MAX 1000 // places; 10 is what the standard advises

struct smpp_pending {
    uint64_t tag;
    struct instant due;
    uint32_t sequence; // 0: free
    uint32_t command;
    uint16_t older, newer; // private
};

struct smpp_window { // private; size and used may be read
    struct smpp_pending *at;
    uint16_t size;
    uint16_t used;
    uint16_t oldest, newest;
};

// `size` from 1 to SMPP_WINDOW_MAX.
void smpp_window_init(struct smpp_window *w, struct smpp_pending *at, size_t size);
// Whether a request with this number would have a place.
bool smpp_window_is_free(const struct smpp_window *w, uint32_t sequence);
// `pending.sequence` must have a free place.
void smpp_window_add(struct smpp_window *w, struct smpp_pending pending);
// The request with this number, or NULL.
struct smpp_pending *smpp_window_find(const struct smpp_window *w, uint32_t sequence);
// The request that waits longest, or NULL.
struct smpp_pending *smpp_window_oldest(const struct smpp_window *w);
void smpp_window_remove(struct smpp_window *w, struct smpp_pending *pending);

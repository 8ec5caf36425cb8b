// A trace: what happened, as lines, and a hash over them. The hash is the same for the same story
// on every compiler and machine, so two runs can be compared by 8 octets. Never give it a key, a
// MAC, or the clear text of a message.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

struct trace {
    // Called with each line (no line feed, not zero-ended), or NULL to keep the hash only.
    void (*sink)(void *context, struct bytes line);
    void *context;
    /* private */
    uint64_t hash;
    uint64_t count;
};

void trace_init(struct trace *t, void (*sink)(void *context, struct bytes line), void *context);
// One event: `<ms> <name> <detail>`. Detail is text, at most 900 octets; the rest is cut.
void trace_event(struct trace *t, struct instant at, const char *name, struct bytes detail);
// FNV-1a, 64 bit, over every line and a line feed after each.
static inline uint64_t trace_hash(const struct trace *t)
{
    return t->hash;
}

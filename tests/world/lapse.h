// That a card's memory failed: then it may have to make up for something, and what it does is not
// judged before it committed again. A cell that fails once excuses no more than that.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nvm;

// All zero: it never failed.
struct lapse {
    bool is_behind;
    bool is_mended; // it does not fail any more since this was written:
    uint32_t mended_at;
    uint64_t error_at; // of a plan whose only error was counted
};

// Has it failed since the last call?
bool lapse_is_new(struct lapse *l, const struct nvm *nvm);
// Is it still to be excused? `is_new`: it failed just now.
bool lapse_goes_on(struct lapse *l, const struct nvm *nvm, bool is_new);

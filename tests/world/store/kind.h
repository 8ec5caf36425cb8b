// Which store a program of worlds was linked with.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct store;

struct world_store {
    const char *name; // "SQLite", "arrays"
    bool has_files;   // outlives the process
};
extern const struct world_store world_store;
// Cards that were saved since the last call: bit n, the n-th that was added. 0 when it is not
// known.
uint64_t world_store_saved(struct store *store);

// Which store a program of worlds was linked with.
#pragma once

#include <stdbool.h>

struct world_store {
    const char *name; // "SQLite", "arrays"
    bool has_files;   // outlives the process
};
extern const struct world_store world_store;

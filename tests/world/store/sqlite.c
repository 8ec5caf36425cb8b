#include "tests/world/store/kind.h"

const struct world_store world_store = {.name = "SQLite", .has_files = true};

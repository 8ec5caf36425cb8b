// A campaign in a world: where its store can, and `ota-world --campaign` or a story wants one.
#pragma once

#include "ota-server/service/turn.h"

struct deed;
struct world;

struct world_campaigns {
    void (*begin)(struct world *w);
    // Around each life of the server.
    void (*join)(struct world *w, struct turn_options *options);
    void (*leave)(struct world *w);
    void (*happen)(struct world *w);                    // a person looks at it
    void (*act)(struct world *w, const struct deed *d); // and does something
    void (*calm)(struct world *w);                      // faults are over
    void (*look)(struct world *w);                      // after a commit
    const char *(*end)(struct world *w);                // NULL, or what is wrong or not over
};
extern const struct world_campaigns world_campaigns;

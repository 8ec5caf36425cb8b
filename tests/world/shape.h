// Cards that are not as usual, and what all are made of.
#pragma once

#include "applet/image.h"
#include "common/base/prng.h"
#include "ota-server/core/record.h"

#define SHAPE_SLOTS 4 // of a card that is as usual

struct card;
struct world;

struct shape {
    struct slot slots[COMMAND_SLOTS_MAX]; // as the factory fills them: its subscriptions, the stock
    uint64_t stock[COMMAND_SLOTS_MAX];    // the server's, of each of the stock
};

// In one world of four: how many slots each card has, and so on.
void shape_draw(struct world *w);
// Is it such a world?
bool shape_is_drawn(const struct world *w);
// How much memory it has, and how that is written.
void shape_limit(const struct world *w, uint32_t card, struct card *to);
// The server's last counter towards a card when that is imported.
uint64_t shape_counter(const struct world *w, uint32_t card);
// Is that counter at its end, and the card quarantined for that?
bool shape_is_at_end(const struct record *r);
// What this one has from the factory, once its other subscriptions are made.
void shape_make(struct world *w, uint32_t card);
struct secret_key shape_key(struct prng *p);

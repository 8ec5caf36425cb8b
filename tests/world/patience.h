// What a card is to do by itself, and when, by the world's clock (check_patience.c), and how often
// it switched (check_limits.c).
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "tests/world/lapse.h"

// Something that a card is to do after so long in service, by the world's clock.
struct patience_service {
    uint64_t key;    // what it was planned with; 0: it is not planned
    uint64_t ms;     // in service since
    uint32_t breaks; // how often that ended
    bool was_on;
};

// What a card is to do by itself.
struct patience {
    struct instant looked;
    struct instant out_since;    // without service, and nothing begun
    struct instant paused_since; // that pause:
    uint32_t pause_due;
    uint8_t pauses;
    struct patience_service back, beat; // return, heartbeat
    struct lapse lapse;                 // of its memory
};

// The newest switches of a card that nobody ordered: how long its device had been on.
#define WORLD_SWITCHES_MAX 128
struct switch_times {
    uint64_t on_ms[WORLD_SWITCHES_MAX];
    uint32_t count;
};

struct world;

// That a card does it in time.
void check_patience(struct world *w, uint32_t card);
// A message of a card leaves; this is the user data of its SMS-SUBMIT.
void check_message(struct world *w, uint32_t card, struct bytes user_data);

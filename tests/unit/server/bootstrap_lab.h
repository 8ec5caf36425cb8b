// The bootstrap of one card, for tests of the core: short ways to bring it from step to step.
#pragma once

#include "tests/unit/server/world.h"

#define MINUTE 60000
#define HOUR (60 * (int64_t)MINUTE)
#define FIRST 301 // subscriptions that the pools give
#define SECOND 302

extern struct world world;

// A card that was never seen, with the subscription of the factory; the rule: two downloads, the
// second is enabled.
int set_up(void **state);
int tear_down(void **state);
uint8_t job(void); // its state
void contact(void);
void act(uint8_t action);   // a person does
void plan(uint8_t refusal); // what the pools gave, or why nothing
uint8_t sent(void);         // command of the packet that leaves; 0xFF: none does
// The card answers what was sent.
void answer(uint8_t code);
void downloaded(void);
void enabled(uint8_t slot);
void audited(void);
// From the beginning.
void up_to_enabling(void);
void up_to_soaking(void);

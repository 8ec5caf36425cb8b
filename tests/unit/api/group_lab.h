// A group with a bootstrap rule and its pool, over the laboratory of the API.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

extern struct lab lab;
extern struct answer a;
extern struct record record; // of the card that was looked at last
extern uint64_t group, pool;
extern char path[256];

int open_all(void **state);
int close_all(void **state);
void open_on_disk(void); // its database outlives the program
void crash(void);        // the program is killed, and starts
void ask(const char *method, const char *target, const char *body);
bool has(const char *text);
void expect(unsigned status, const char *text);
const char *target(const char *before, const char *prefix, uint64_t id, const char *after);
// Two items of the pool, the second enabled; `more` members behind them.
void rule(const char *more);
// A card with the factory's subscription alone, in the group.
uint64_t new_card(const char *iccid, const char *first, const char *second);
void tell(uint64_t card, struct event *e);
void contact(uint64_t card);
// The next free subscription comes into the pool in a turn, as from an import.
void fill(const char *imsi);
void free_are(unsigned count);
uint8_t state_of(uint64_t card); // of its bootstrap
// No link takes the download: the job stops, and its place is another's.
void refuse(uint64_t card);

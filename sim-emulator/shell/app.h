// The program `sim-emulator`: what its commands and their parts share. A command opens with
// app_open(), adds what is its own, and closes in the reverse order.
#pragma once

#include "common/host/log.h"
#include "common/host/loop.h"
#include "common/host/net.h"
#include "sim-emulator/core/fleet.h"
#include "sim-emulator/core/product_read.h"
#include "sim-emulator/shell/cards.h"

struct app {
    struct options options;
    struct cipher cipher;
    struct cards cards;
    struct card_shop shop;
    struct product_image *product; // NULL: the standard one
    struct radio radio;
    struct scenario scenario;
    struct fleet fleet;
    struct device *devices;
    struct fleet_entry *heap;
    uint32_t *places;
    struct nvm_page *pages;
    struct prng random; // of the applets
    struct log log;
    struct loop *loop;
    struct net *net;
    struct loop_timer timer; // of the fleet
    struct loop_turn_end turn_end;
    bool is_open;              // the clock runs
    struct instant real_start; // real time at which the fleet's clock was `virtual_start`
    struct instant virtual_start;
    struct air *air;
    struct store *store; // NULL: nothing is kept
    struct tape *tape;   // traces, NULL: none
    struct slots *slots; // readers, NULL: none
    struct fleet_control *control;
    int lock_fd; // of the data folder, -1 = none
};

// The fleet's clock: starts with the program, or where the last run ended, and runs at the speed
// that the options say.
struct instant app_now(struct app *app);
// The same, also before the loop runs: the clock stands still until then.
struct instant app_clock(struct app *app);
// After anything that may have changed when the fleet is due.
void app_reschedule(struct app *app);

// What every command has: cipher, cards, radio world, fleet, log, loop and net. False with a
// message on standard error; app_close() then, too. `pages_per_card` bounds the memory of cards.
bool app_open(struct app *app, uint32_t pages_per_card) MUST_USE;
// False when the disk did not take everything.
bool app_close(struct app *app);
// At every turn's end: traces are flushed, and it is set when the fleet is due next. Not before: a
// deadline that is past would fire again in the same turn, whose `now` stands still.
void app_end_turn(struct app *app);
// Takes the folder of --data for this process.
bool app_lock_data(struct app *app) MUST_USE;
// The reason on standard error; answers false.
bool app_fail(const char *reason);

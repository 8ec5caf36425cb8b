// The program `sim-emulator fleet`: what its parts share.
#pragma once

#include "common/host/log.h"
#include "common/host/loop.h"
#include "common/host/net.h"
#include "sim-emulator/core/fleet.h"
#include "sim-emulator/shell/cards.h"

struct app {
    struct options options;
    struct cipher cipher;
    struct cards cards;
    struct card_shop shop;
    struct radio radio;
    struct scenario scenario;
    struct fleet fleet;
    struct device *devices;
    struct fleet_entry *heap;
    uint32_t *places;
    union nvm_page *pages;
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
    struct fleet_control *control;
    int lock_fd; // of the data folder, -1 = none
};

// The fleet's clock: starts with the program, or where the last run ended, and runs at the speed
// that the options say.
struct instant app_now(struct app *app);
// After anything that may have changed when the fleet is due.
void app_reschedule(struct app *app);

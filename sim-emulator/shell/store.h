// The memories of all cards in the data folder, so that a restart continues where the last run
// stopped: each card's non-volatile memory, the networks' sequence numbers, and the fleet's clock.
//
// Promises: the file is replaced whole or not at all; a file of other cards is refused.
// Not kept: what a device knows besides its card. Devices start anew, as after a power failure.
#pragma once

#include "sim-emulator/shell/app.h"

// Reads the folder's file, if there is one.
bool store_load(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
bool store_save(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;

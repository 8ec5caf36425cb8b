// The memories of all cards in the data folder, so that a restart continues where the last run
// stopped, however it stopped: each card's non-volatile memory, and the fleet's clock.
//
// Promises: what a card wrote is in the file before anything that it caused leaves the program
// (store_turn() goes first at a turn's end), so that `kill -9` takes nothing back that others have
// seen; a record that was cut by it counts as not written; a file of other cards, or a damaged one,
// is refused. When the machine itself stops, the last seconds may be lost.
// Not kept: what a device knows besides its card, which starts anew as after a power failure, and
// the networks' sequence numbers, which the cards resynchronise.
#pragma once

#include "sim-emulator/shell/app.h"

// Reads the folder's file, if there is one, and writes it anew.
bool store_open(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
void store_close(struct store *store);
// A device did something: its card's memory is noted if it changed.
void store_note(struct app *app, uint32_t device);
// At the turn's end: what was noted goes to the file. False once, when the disk fails.
bool store_turn(struct app *app) MUST_USE;
// Writes the file anew, and to the disk.
bool store_save(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;

// What happens between cards and their terminals, as the options ask for it: GSMTAP over UDP,
// a pcapng file, and a readable trace (sim-emulator(1)). No key is in any of them (story.h).
#pragma once

#include "sim-emulator/shell/app.h"

struct tape;

// NULL with a reason; with an empty reason when the options ask for none. From here on the shop's
// cards are watched.
struct tape *tape_open(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
// What was written so far goes to the files; false when the disk did not take it.
bool tape_flush(struct tape *tape);
bool tape_close(struct tape *tape);

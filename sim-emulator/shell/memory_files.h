// The memories of cards as files, one each, mapped: what a card writes is in its file octet by
// octet and in the order of the card's writes. A kill at any moment is to the card what a power cut
// at that moment is, and it comes back with a committed version. When the machine itself stops, the
// last seconds may be lost, or some of them: then the card's own check sums decide.
//
// A file is DIR/ICCID.nvm: MEMORY_HEAD_LEN octets that name the version, then those of the memory.
// A file without them is refused, and not changed. Whatever is behind them is a memory: damage is
// found by the card, which restores what it can and says so to its server. What a file is too short
// for reads as 00, and a longer one is cut.
#pragma once

#include "sim-emulator/shell/app.h"

#define MEMORY_HEAD_LEN 64 // "OTARIANV" and CARD_MEMORY_VERSION in two octets, then FF

struct memory_files;

// Loads the memories of all cards out of the folder of --data, and keeps them there from now on.
// NULL with a reason.
struct memory_files *memory_files_open(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
// False when the disk did not take everything.
bool memory_files_close(struct memory_files *files);

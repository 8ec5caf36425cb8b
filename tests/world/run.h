// What a card executed, as only the checkers know it: which command under which operation id, with
// what result, and how it ended.
#pragma once

#include "common/wire/command.h"

// How a run came to its end.
enum run_end {
    RUN_AT_ONCE, // its result says it all
    RUN_OPEN,    // a switch, and it is not over
    RUN_CONFIRMED,
    RUN_KEPT, // unconfirmed: it may not be rolled back
    RUN_ROLLED_BACK,
    RUN_FELL_BACK,
    RUN_SWITCH_FAILED,
};

struct run {
    uint32_t operation_id;
    uint8_t code;
    uint8_t command;
    uint8_t end; // enum run_end
    uint8_t digest[COMMAND_HASH_SIZE];
    bool is_lost;   // the card's memory went back to before it
    bool is_undone; // the same, to before its end
};

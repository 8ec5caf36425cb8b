// `sim-emulator shell`: cards in the hand of a tester, interactive or by scripts. The clock stands
// still between commands and moves only by `time`, so that a script always tells the same story.
//
// A line is commands with `;` between; `#` begins a comment. Errors name their place, FILE:LINE:
// COMMAND, and end a script with their exit code.
#pragma once

#include "sim-emulator/core/story.h"
#include "sim-emulator/shell/app.h"

enum shell_code {
    SHELL_DONE = 0,
    SHELL_WRONG_USE = 2,
    SHELL_NOT_FOUND = 3,
    SHELL_CARD_ERROR = 6,   // the card is mute
    SHELL_VERIFICATION = 7, // another answer than was expected
};

#define SHELL_WORDS_MAX 24
#define SHELL_REASON_SIZE 160

struct shell {
    struct app app;
    struct instant now;
    uint32_t card; // in use, from 0
    struct story *stories;
    void (*recorded)(void *context, const struct card_seen *seen); // by the traces, or NULL
    void *recorder;
    bool is_telling; // every exchange is told
    bool is_ending;
    int exit_code;
    uint64_t counter; // of the last packet written here
    char reason[SHELL_REASON_SIZE];
    char text[STORY_TEXT_MAX];
};

// One command of at most SHELL_WORDS_MAX words; says why not in `reason`.
enum shell_code shell_do(struct shell *s, char **words, size_t count);

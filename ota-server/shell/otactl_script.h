// Several commands in one text: separated by ";" or the line's end, words by spaces, '…' and "…"
// keep spaces and semicolons, a backslash keeps the next character, # begins a comment.
#pragma once

#include "common/base/bytes.h"

#define CTL_WORDS_MAX 256

struct ctl_script {
    char *at; // the text, which is changed while it is read
};

struct ctl_command {
    char *words[CTL_WORDS_MAX + 1]; // ends with NULL
    int count;
};

enum ctl_script_status {
    CTL_SCRIPT_COMMAND = 0,
    CTL_SCRIPT_END,
    CTL_SCRIPT_OPEN_QUOTE,
    CTL_SCRIPT_TOO_LONG, // more words than CTL_WORDS_MAX
};

// The next command that has words. They point into the text and begin at words[1]: words[0] is for
// the program's name.
enum ctl_script_status ctl_script_next(struct ctl_script *s, struct ctl_command *c) MUST_USE;

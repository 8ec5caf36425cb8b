// Reports of a conformance run: JUnit XML, which is also what runs are compared by, and HTML.
#pragma once

#include "sim-emulator/shell/conform_cases.h"

enum conform_verdict {
    CONFORM_PASSED = 0,
    CONFORM_FAILED,
    CONFORM_SKIPPED,
};

struct conform_outcome {
    const struct conform_case *what;
    enum conform_verdict verdict;
    char reason[TRIAL_REASON_SIZE];
    uint64_t ms;
    unsigned exchanges; // with the card
};

struct conform_run {
    const char *card; // what was judged
    struct conform_outcome *outcomes;
    size_t count;
};

size_t conform_count(const struct conform_run *run, enum conform_verdict verdict);
// Each false when the file cannot be written.
bool conform_write_junit(const struct conform_run *run, const char *path) MUST_USE;
bool conform_write_html(const struct conform_run *run, const char *path) MUST_USE;
// What is different from the run in that JUnit file of ours, a line each on standard output. False
// with a reason when it cannot be read. `new_failures` counts cases that passed there.
bool conform_compare(const struct conform_run *run, const char *path, unsigned *new_failures,
                     char error[CONFORM_ERROR_SIZE]) MUST_USE;

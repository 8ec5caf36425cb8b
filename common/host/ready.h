// What a program says when it is ready: one line of JSON on a descriptor (standard output), for
// scripts and tests that wait for it and want to know its ports:
// {"event":"ready","program":"smsc-sim","pid":4711,"smpp":"127.0.0.1:40123"}
#pragma once

#include "common/base/bytes.h"

struct ready_item {
    const char *name;  // "smpp", "http", ...
    const char *value; // an address, mostly
};

// False when the descriptor does not take it.
bool ready_say(int fd, const char *program, const struct ready_item *items,
               size_t item_count) MUST_USE;

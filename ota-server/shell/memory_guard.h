// Keeps the memory of the process, which has keys in it, from the disk.
//
// Promises: where the system allows it, no page is swapped out. See common/host/process.h for other
// programs and for cores.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

// Locks what is in memory and what will be: false when the limit of locked memory (RLIMIT_MEMLOCK)
// is for less, and nothing was locked. What is never touched is not taken from the machine.
bool memory_guard_lock(void) MUST_USE;

// Locks the pages of something with keys, which is enough of them for a low limit.
bool memory_guard_keep(const void *at, size_t len) MUST_USE;

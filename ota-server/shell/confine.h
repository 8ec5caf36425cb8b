// What the kernel refuses to a process of ours from here on, with EPERM, and to whatever it starts:
// decisions 251 and 294. False when the system does not do that.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>

// To open files, start programs or threads, reach other processes, and accept connections.
bool confine_worker(void) MUST_USE;
// To reach other processes, change the system, and listen on another port. All its threads.
bool confine_server(void) MUST_USE;
// To make, change, rename or remove files elsewhere than below these folders (EACCES), by Landlock.
// Of the thread that calls and those that it starts later. A folder that is not there is left out;
// where the kernel has no Landlock, or not enough of it, nothing changes. Reading stays as it was.
bool confine_writes(const char *const *folders, size_t count) MUST_USE;

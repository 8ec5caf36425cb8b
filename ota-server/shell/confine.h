// What the kernel refuses to a process of ours from here on, with EPERM, and to whatever it starts:
// decisions 251 and 294. False when the system does not do that.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>

// To open files, start programs or threads, reach other processes, and accept connections.
bool confine_worker(void) MUST_USE;
// To reach other processes, change the system, and listen on another port. All its threads.
bool confine_server(void) MUST_USE;

// The only place that asks for randomness that keys may be made of. Simulations use
// common/base/prng.h instead.
#pragma once

#include <stddef.h>

// Fills `len` octets from the kernel's generator; waits at most for its first seeding after the
// machine's start, and stops the program if the kernel refuses: nothing may go on without keys.
void entropy_fill(void *at, size_t len);

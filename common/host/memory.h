// Memory that was refused to a library: to who asked it, that looks like another failure, as if a
// text were wrong or a signature did not fit. Here it is counted, so that who judges can tell.
#pragma once

#include <stdint.h>

void memory_failed(void);
uint64_t memory_failures(void); // of this thread so far

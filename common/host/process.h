// What the system may show of this process, which has keys in its memory.
#pragma once

#include "common/base/bytes.h"

// From now on no core is written, and no other process of the same user can read the memory or
// trace it [prctl(2), PR_SET_DUMPABLE]. False: the system refused.
bool process_hide(void) MUST_USE;
// Takes the second back, once the keys are wiped: whoever looks for leaks at the end traces it.
void process_show(void);

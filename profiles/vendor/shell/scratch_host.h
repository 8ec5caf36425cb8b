// A scratch in a file without a name, which the system takes away with its last descriptor.
#pragma once

#include "profiles/vendor/scratch.h"

// In this folder, or where the system keeps temporary files when it is NULL. False when the system
// refuses.
bool vendor_scratch_open(struct vendor_scratch *scratch, const char *folder) MUST_USE;
// Harmless on a zeroed struct.
void vendor_scratch_close(struct vendor_scratch *scratch);

// A place for notes while a file is read, outside memory: written in order, then read in order,
// several times. The caller brings it; shell/scratch_host.h has a file without a name.
#pragma once

#include "common/base/bytes.h"

struct vendor_scratch {
    void *context;
    // Forgets what was written before.
    bool (*clear)(void *context);
    bool (*write)(void *context, const void *at, size_t len);
    // What is read next is the first octet.
    bool (*rewind)(void *context);
    // Up to `cap` octets; *got 0 = end. False when the world fails.
    bool (*read)(void *context, void *at, size_t cap, size_t *got);
};

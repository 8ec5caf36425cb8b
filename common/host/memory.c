#include "common/host/memory.h"

static _Thread_local uint64_t failures;

void memory_failed(void)
{
    failures++;
}

uint64_t memory_failures(void)
{
    return failures;
}

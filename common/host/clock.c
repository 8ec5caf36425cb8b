#include "common/host/clock.h"

#include "common/base/check.h"

#include <time.h>

struct instant clock_instant(void)
{
    struct timespec t;
    check(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (struct instant){(uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000};
}

struct utc clock_utc(void)
{
    struct timespec t;
    check(clock_gettime(CLOCK_REALTIME, &t) == 0);
    return (struct utc){(int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}

#include "ota-server/shell/memory_guard.h"

#include <sys/mman.h>
#include <sys/resource.h>

// Under a limit the system would refuse memory later on, in the middle of the work.
static bool is_unlimited(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ||
           (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

bool memory_guard_lock(void)
{
    return is_unlimited() && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

bool memory_guard_keep(const void *at, size_t len)
{
    return mlock(at, len) == 0;
}

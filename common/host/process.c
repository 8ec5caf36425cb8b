#include "common/host/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

bool process_hide(void)
{
    const struct rlimit nothing = {0, 0};
    return setrlimit(RLIMIT_CORE, &nothing) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

void process_show(void)
{
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

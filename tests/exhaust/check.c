// The product's own checks are findings here, not crashes.
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    (void)printf("VIOLATION check of the product: %s:%d: %s\n", file, line, condition);
    (void)fflush(stdout);
    _Exit(7);
}

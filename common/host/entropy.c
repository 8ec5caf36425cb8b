#include "common/host/entropy.h"

#include "common/base/check.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

void entropy_fill(void *at, size_t len)
{
    uint8_t *to = at;
    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);
        check(got > 0 || errno == EINTR);
        if (got > 0) {
            to += got;
            len -= (size_t)got;
        }
    }
}

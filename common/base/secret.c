#include "common/base/secret.h"

#include "common/base/check.h"

bool secret_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

void secret_wipe(void *at, size_t len)
{
    memset(at, 0, len);
    // Tells the compiler that the zeros are read, so that it cannot drop the store.
    __asm__ volatile("" : : "r"(at) : "memory");
}

struct secret_key secret_key_of(struct bytes octets)
{
    check(octets.len <= SECRET_KEY_MAX);
    struct secret_key key = {.len = (uint8_t)octets.len};
    if (octets.len > 0)
        memcpy(key.octets, octets.at, octets.len);
    return key;
}

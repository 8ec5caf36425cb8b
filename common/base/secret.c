#include "common/base/secret.h"

#include "common/base/check.h"

// Words at a time; that the compiler cannot know what is in `difference` keeps it from ending
// early.
bool secret_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    uint32_t difference = 0;
    size_t at = 0;
    for (; at + sizeof difference <= len; at += sizeof difference) {
        uint32_t x;
        uint32_t y;
        memcpy(&x, left + at, sizeof x);
        memcpy(&y, right + at, sizeof y);
        difference |= x ^ y;
        __asm__ volatile("" : "+r"(difference));
    }
    for (; at < len; at++) {
        difference |= (uint32_t)(left[at] ^ right[at]);
        __asm__ volatile("" : "+r"(difference));
    }
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

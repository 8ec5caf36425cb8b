// Keys and what is derived from them: a type without a printer, equality whose time does not depend
// on the octets, and a wipe that the compiler keeps.
#pragma once

#include "common/base/bytes.h"

#define SECRET_KEY_MAX 32

// A symmetric key of 16, 24 or 32 octets; len 0 = no key.
struct secret_key {
    uint8_t octets[SECRET_KEY_MAX];
    uint8_t len;
};

// True when all `len` octets are equal. Time depends on `len` only.
bool secret_equal(const void *a, const void *b, size_t len);
// Overwrites with zeros, also when nothing reads the memory afterwards.
/*@ requires len == 0 || \valid((uint8_t *)at + (0 .. len - 1));
  @ assigns ((uint8_t *)at)[0 .. len - 1];
  @ ensures \forall integer i; 0 <= i < len ==> ((uint8_t *)at)[i] == 0;
  @*/
void secret_wipe(void *at, size_t len);
// A key of these octets; check()s that there are at most SECRET_KEY_MAX.
struct secret_key secret_key_of(struct bytes octets);

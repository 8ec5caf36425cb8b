// The cipher interface of common/wire/cipher.h, brought by OpenSSL 3.
//
// Promises: algorithms are looked up once, at open; contexts are reused, and remember their last
// key, so that several operations with one key in a row expand it once; everything that held a key
// is wiped at close. One object serves one thread.
// Never: draws randomness, reads OpenSSL's configuration, or logs.
#pragma once

#include "common/wire/cipher.h"

// Fills `cipher`; false when OpenSSL lacks an algorithm or memory (nothing is then held).
// A build of OpenSSL without DES opens, and its triple DES functions answer false.
bool cipher_openssl_open(struct cipher *cipher) MUST_USE;
// Wipes and frees; `cipher` must not be used afterwards. Harmless on a zeroed struct.
void cipher_openssl_close(struct cipher *cipher);

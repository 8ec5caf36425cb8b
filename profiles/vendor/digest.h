// SHA-256 over a stream, which the caller brings; shell/digest_host.h has OpenSSL's.
#pragma once

#include "common/base/bytes.h"
#include "common/wire/cipher.h"

struct vendor_digest {
    // NULL when there is no memory.
    void *(*open)(void);
    bool (*add)(void *stream, struct bytes octets);
    // Gives the digest; the stream then starts a new one.
    bool (*finish)(void *stream, uint8_t digest[CIPHER_SHA256_SIZE]);
    void (*close)(void *stream); // NULL is harmless
};

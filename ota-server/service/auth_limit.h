// What keeps callers honest over time: the memory of used nonces, and one token bucket per client.
// Pure; the time is an argument and the memory is the caller's.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define NONCE_TAG_SIZE 16

// First octets of SHA-256 over APPKEY and nonce, so that nobody can aim at another's nonce.
struct nonce_entry {
    uint8_t tag[NONCE_TAG_SIZE];
    uint64_t until_ms; // 0: free
};

struct nonce_cache {
    struct nonce_entry *entries;
    size_t capacity; // a power of two
};

enum nonce_status {
    NONCE_OK = 0,
    NONCE_USED,
    NONCE_FULL, // refuse the request: forgetting a nonce would let it be replayed
};

void nonce_cache_init(struct nonce_cache *c, struct nonce_entry *entries, size_t capacity);
// Remembers the nonce for `life_ms` unless it is known. Look at most NONCE_PROBES_MAX entries.
#define NONCE_PROBES_MAX 64
enum nonce_status nonce_use(struct nonce_cache *c, const uint8_t tag[NONCE_TAG_SIZE],
                            struct instant now, uint64_t life_ms) MUST_USE;

// A bucket that holds at most `burst` requests and gains `per_second` of them.
struct bucket {
    uint32_t per_second; // at least 1
    uint32_t burst;      // at least 1
    /* private */
    uint64_t milli; // thousandths of a request in the bucket
    struct instant at;
};

struct bucket_state {
    uint32_t limit;     // RateLimit-Limit
    uint32_t remaining; // RateLimit-Remaining
    uint32_t reset_s;   // RateLimit-Reset: until the bucket is full again
};

// A full bucket.
void bucket_init(struct bucket *b, uint32_t per_second, uint32_t burst, struct instant now);
// Other numbers from now on; what is above the new burst is lost.
void bucket_change(struct bucket *b, uint32_t per_second, uint32_t burst);
// Takes one request out; false when there is none.
bool bucket_take(struct bucket *b, struct instant now) MUST_USE;
struct bucket_state bucket_look(const struct bucket *b);

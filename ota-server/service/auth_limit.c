#include "ota-server/service/auth_limit.h"

#include "common/base/check.h"

void nonce_cache_init(struct nonce_cache *c, struct nonce_entry *entries, size_t capacity)
{
    check(capacity > 0 && (capacity & (capacity - 1)) == 0);
    memset(entries, 0, capacity * sizeof(*entries));
    *c = (struct nonce_cache){.entries = entries, .capacity = capacity};
}

enum nonce_status nonce_use(struct nonce_cache *c, const uint8_t tag[NONCE_TAG_SIZE],
                            struct instant now, uint64_t life_ms)
{
    struct reader r = reader_of(bytes_of(tag, NONCE_TAG_SIZE));
    const uint64_t start = reader_u64(&r);
    struct nonce_entry *room = NULL;
    // Every probe is made before the nonce is called new: an expired entry in front of it must not
    // hide it.
    for (size_t i = 0; i < NONCE_PROBES_MAX && i < c->capacity; i++) {
        struct nonce_entry *e = &c->entries[(start + i) & (c->capacity - 1)];
        const bool is_live = e->until_ms > now.ms;
        if (is_live && memcmp(e->tag, tag, NONCE_TAG_SIZE) == 0)
            return NONCE_USED;
        if (!is_live && room == NULL)
            room = e;
    }
    if (room == NULL)
        return NONCE_FULL;
    memcpy(room->tag, tag, NONCE_TAG_SIZE);
    room->until_ms = instant_after(now, life_ms).ms;
    return NONCE_OK;
}

void bucket_init(struct bucket *b, uint32_t per_second, uint32_t burst, struct instant now)
{
    check(per_second >= 1 && burst >= 1);
    *b = (struct bucket){
        .per_second = per_second, .burst = burst, .milli = (uint64_t)burst * 1000, .at = now};
}

void bucket_change(struct bucket *b, uint32_t per_second, uint32_t burst)
{
    check(per_second >= 1 && burst >= 1);
    const uint64_t full = (uint64_t)burst * 1000;
    b->per_second = per_second;
    b->burst = burst;
    if (b->milli > full)
        b->milli = full;
}

bool bucket_take(struct bucket *b, struct instant now)
{
    const uint64_t full = (uint64_t)b->burst * 1000;
    const uint64_t passed_ms = now.ms > b->at.ms ? now.ms - b->at.ms : 0;
    // A pause longer than filling takes fills it; asking first keeps the product in range.
    if (passed_ms >= full)
        b->milli = full;
    else
        b->milli += passed_ms * b->per_second;
    if (b->milli > full)
        b->milli = full;
    b->at = now;
    if (b->milli < 1000)
        return false;
    b->milli -= 1000;
    return true;
}

struct bucket_state bucket_look(const struct bucket *b)
{
    const uint64_t missing = (uint64_t)b->burst * 1000 - b->milli;
    const uint64_t per_s = (uint64_t)b->per_second * 1000;
    return (struct bucket_state){.limit = b->burst,
                                 .remaining = (uint32_t)(b->milli / 1000),
                                 .reset_s = (uint32_t)((missing + per_s - 1) / per_s)};
}

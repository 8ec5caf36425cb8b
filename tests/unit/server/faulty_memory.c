#include "tests/unit/server/faulty_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

// What ours stand before: the C library's own, or the sanitizer's.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BEHIND(name) __interceptor_##name
#endif
#endif
#ifndef BEHIND
#define BEHIND(name) __libc_##name
#endif
void *BEHIND(malloc)(size_t len);
void *BEHIND(calloc)(size_t count, size_t len);
void *BEHIND(realloc)(void *at, size_t len);

static _Atomic uint32_t fails_at, calls;
static _Atomic bool is_for_all, is_lasting;
static _Thread_local bool is_own;

static void set(uint32_t at_call, bool lasts)
{
    fails_at = 0;
    if (at_call == 0)
        return;
    calls = 0;
    is_lasting = lasts;
    fails_at = at_call;
}

void faulty_memory_set(uint32_t at_call, bool lasts)
{
    is_for_all = false;
    is_own = at_call != 0;
    set(at_call, lasts);
}

void faulty_memory_set_all(uint32_t at_call, bool lasts)
{
    is_for_all = at_call != 0;
    set(at_call, lasts);
}

uint32_t faulty_memory_calls(void)
{
    return calls;
}

bool faulty_memory_was_hit(void)
{
    return fails_at != 0 && calls >= fails_at;
}

static bool is_refused(void)
{
    const uint32_t at = fails_at;
    if (at == 0 || !(is_own || is_for_all))
        return false;
    const uint32_t call = ++calls;
    const bool is_hit = call == at || (is_lasting && call > at);
    if (is_hit)
        errno = ENOMEM;
    return is_hit;
}

void *malloc(size_t len)
{
    return is_refused() ? NULL : BEHIND(malloc)(len);
}

void *calloc(size_t count, size_t len)
{
    return is_refused() ? NULL : BEHIND(calloc)(count, len);
}

void *realloc(void *at, size_t len)
{
    return is_refused() ? NULL : BEHIND(realloc)(at, len);
}

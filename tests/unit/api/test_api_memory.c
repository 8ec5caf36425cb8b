// Memory that runs out while a server is opened. Amid requests: api_fault.c.
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/store.h"
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/faulty_memory.h"

#include <stdio.h>
#include <stdlib.h>

// Making the tables takes some 18,000 allocations: behind the first ones every 31st fails, or, with
// OTARIA_EVERY_ALLOCATION in the environment, each. Under the address sanitizer every 311th does.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIRST 0
#define STRIDE 311
#endif
#endif
#ifndef FIRST
#define FIRST 2000
#define STRIDE 31
#endif

static uint32_t after(uint32_t n)
{
    return n < FIRST || getenv("OTARIA_EVERY_ALLOCATION") != NULL ? n + 1 : n + STRIDE;
}

static void whatever_opens_says_that_there_is_no_memory(void **state)
{
    (void)state;
    bool is_hit = true;
    unsigned failed = 0;
    for (uint32_t n = 1; is_hit; n = after(n)) {
        struct server_crypto crypto = {0};
        faulty_memory_set(n, false);
        const bool is_open = server_crypto_open(&crypto);
        struct store *store = NULL;
        struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
        const enum store_status status = is_open ? store_open(&options, &store) : STORE_FAILED;
        is_hit = faulty_memory_was_hit();
        faulty_memory_set(0, false);
        assert_true(status == STORE_OK || is_hit);
        assert_true((status == STORE_OK) == (store != NULL));
        store_close(store);
        if (is_open)
            server_crypto_close(&crypto);
        failed += is_hit;
    }
    assert_true(failed > 10);
    (void)printf("figure {\"name\": \"fault.loops\", \"value\": %u, \"unit\": \"calls failed\", "
                 "\"what\": \"allocations of an opening\"}\n",
                 failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_opens_says_that_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

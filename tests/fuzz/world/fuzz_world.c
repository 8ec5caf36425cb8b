// F18: the whole system, in the simulated world: server, message centre, devices and cards, with
// all faults, on a day of one to three cards. The input chooses the world; what was promised is
// checked after every event, as by ota-world.
#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world_result result;
    struct reader r = reader_of(bytes_of(data, len));
    const uint8_t cards = reader_u8(&r);
    const uint32_t seed = reader_u32(&r);
    if (r.failed)
        return 0;
    const struct world_options options = {.seed = seed, .cards = 1 + cards % 3, .days = 1};
    world_run(&options, &result);
    if (result.is_violated)
        (void)fprintf(stderr, "%s: %s\nrepeat with: ota-world --seed %u --cards %u --days 1\n",
                      result.rule, result.text, seed, options.cards);
    check(!result.is_violated);
    return 0;
}

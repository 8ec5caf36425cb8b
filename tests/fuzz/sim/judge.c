#include "tests/fuzz/sim/judge.h"

#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>

static struct world world;

void judge_open(struct lab *lab)
{
    memset(&world, 0, sizeof world);
    world.cards = 1;
    world.devices = lab->devices;
    world.cipher = lab->cipher;
    world.people[0].factory = lab->factories[0];
    world.is_by_hand = true; // no keys of a DOWNLOAD are right here
    trace_init(&world.trace, NULL, NULL);
    shadow_open(&world);
}

void judge_close(void)
{
    shadow_close(&world);
}

void judge_check(void)
{
    const struct world_result *r = &world.result;
    if (r->is_violated)
        (void)fprintf(stderr, "%s: %s\n", r->rule, r->text);
    check(!r->is_violated);
}

#include "tests/world/judged.h"

#include <stdio.h>

#define WORLDS_MIN 50 // fewer tell nothing

// About half of what fifty worlds judge.
static const struct {
    const char *name;
    unsigned percent_min; // of the steps
    unsigned per_world_min;
} rules[JUDGED_RULES] = {
    [JUDGED_PACKETS] = {"as_the_model, packets", 50, 20},
    [JUDGED_CALLS] = {"as_the_model, other calls", 30, 400},
    [JUDGED_REFUSED] = {"refused_does_nothing", 50, 20},
    [JUDGED_MIRRORS] = {"no_silent_difference", 40, 20},
    [JUDGED_RETURNS] = {"acts_in_time, returns", 10, 1},
    [JUDGED_BEATS] = {"acts_in_time, heartbeats", 10, 1},
    [JUDGED_SWITCHES] = {"ends_in_time", 30, 100},
    [JUDGED_DAYS] = {"few_switches, days", 25, 1},
    [JUDGED_CONFIRMED] = {"notified_is_told", 50, 30},
    [JUDGED_SLOTS] = {"slots_are_told", 2, 12},
    [JUDGED_SEEN] = {"sees_service", 20, 30},
    [JUDGED_OUTCOMES] = {"outcome_is_true", 75, 15},
    [JUDGED_DECISIONS] = {"as_the_registry", 50, 250},
    [JUDGED_ACCEPTED] = {"is_kept, wishes", 90, 50},
    [JUDGED_TAKEN] = {"is_kept, messages", 90, 30},
    [JUDGED_WAITS] = {"waits_for_nothing", 3, 0},
};

void judged_note(struct judged *j, enum judged_rule rule, bool is_judged)
{
    j->steps[rule]++;
    j->judged[rule] += is_judged;
}

void judged_add(struct judged *sum, const struct judged *j)
{
    for (unsigned i = 0; i < JUDGED_RULES; i++) {
        sum->steps[i] += j->steps[i];
        sum->judged[i] += j->judged[i];
    }
}

bool judged_report(const struct judged *sum, uint64_t worlds)
{
    bool is_enough = true;
    for (unsigned i = 0; i < JUDGED_RULES; i++) {
        const uint64_t judged = sum->judged[i];
        const bool is_blind =
            worlds >= WORLDS_MIN && (judged * 100 < sum->steps[i] * rules[i].percent_min ||
                                     judged < worlds * rules[i].per_world_min);
        printf("judged %s: %llu of %llu%s\n", rules[i].name, (unsigned long long)judged,
               (unsigned long long)sum->steps[i], is_blind ? ", TOO LITTLE" : "");
        is_enough &= !is_blind;
    }
    return is_enough;
}

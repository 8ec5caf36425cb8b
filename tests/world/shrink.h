// Makes a short story of a violation: the smallest world that shows it, then as few deeds as still
// do, each as plain as it can be.
//
// Promises: the story it gives violates the same rule. Each trial runs in a process of its own, so
// that one that trips over a check of the product counts as well (rule "check").
#pragma once

#include "tests/world/world.h"

struct shrink_result {
    char rule[STORY_WORD_SIZE]; // "" when nothing was violated
};

// Runs a world in a process of its own, recording it when `record` is not NULL.
struct shrink_result shrink_try(const struct world_options *options, struct story *record);
// `found` violated the rule in `result`; `story` gets the short one.
void shrink(const struct world_options *found, const struct shrink_result *result,
            struct story *story);

// A story: a world and every deed that is done to it, in a file of lines. Whoever replays it needs
// no chance but what cards and server draw for themselves, which the seed of its head says.
//
// Promises: a recorded story tells, replayed, the same trace; what is written reads back the same.
#pragma once

#include "tests/world/deed.h"

#include <stdio.h>

#define STORY_CARDS_MAX 64
#define STORY_ITEMS_MAX 3
#define STORY_CALM_MAX 10 // a wish for each card every 64 days
#define STORY_WORD_SIZE 48
#define STORY_MODELS 7
#define STORY_MODEL_REFUSING 5 // REFRESH
#define STORY_MODEL_OLD 6      // its card is of level 1

// The group that all cards are in, when its rule gives them subscriptions: they come with that of
// the bootstrap and, if one item is the factory's, one more.
struct story_group {
    uint32_t items;      // in the order in which they come; 0: there is no group
    uint32_t enable;     // which of them is enabled, from 0
    uint32_t of_factory; // which of them the factory put on the card, from 1; 0: none
    uint32_t deletes;    // the bootstrap subscription, afterwards
    uint32_t trigger;    // enum bootstrap_trigger
    uint32_t soak_s;
    uint32_t at_once; // cards
    uint32_t pool;    // subscriptions in it
};

struct story {
    char rule[STORY_WORD_SIZE]; // that it violated once, or ""
    char bug[STORY_WORD_SIZE];  // planted, with which it still does, or ""
    uint64_t seed;
    uint64_t faults_ms; // how long they last
    uint32_t cards;
    uint32_t calm;
    uint32_t is_alerted;
    uint32_t validity_s;
    uint32_t in_file;      // each life of the server opens the database anew
    uint32_t is_talkative; // cards answer what has no right MAC
    uint32_t clone_of;     // 1 more than the card that has a clone; 0: none has
    uint32_t has_campaign; // over all cards; not on arrays
    struct story_group group;
    uint32_t models[STORY_CARDS_MAX]; // of the devices, and their cards
    // Of cards that are not as usual; 0: as usual.
    uint32_t slots[STORY_CARDS_MAX];
    uint32_t stock[STORY_CARDS_MAX]; // subscriptions for tests, from the factory
    uint32_t
        spare[STORY_CARDS_MAX];     // memory for one subscription fewer than this (1: none) is free
    uint32_t page[STORY_CARDS_MAX]; // octets that are written at once
    uint32_t ends[STORY_CARDS_MAX]; // its counter is about to pass 2^39 (1), or at its end (2)
    struct deed *deeds;             // in order of time; on the heap
    uint32_t count;
    /* private */
    uint32_t max;
};

void story_add(struct story *story, const struct deed *deed);
void story_free(struct story *story);
// Head and deeds apart, so that a world that stops in the middle has told its story up to there.
void story_write_head(FILE *file, const struct story *story);
void story_write_deed(FILE *file, const struct deed *deed);
// True, or `line` is the number of the first line that is wrong.
bool story_read(FILE *file, struct story *story, unsigned *line) MUST_USE;

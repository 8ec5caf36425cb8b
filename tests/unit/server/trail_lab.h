// A trail in a folder of its own: a store, its checkpoints, and an archive; for tests of what is
// there, and of what somebody changed behind its back.
#pragma once

#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/tombstones.h"

#define TRAIL_JULY 1784894400000 // 2026-07-24T12:00:00Z
#define TRAIL_DAY 86400000ll

struct trail_lab {
    struct server_crypto crypto;
    char folder[64];
    char path[96];
    char checkpoints[96];
    char archive[96]; // a folder
};
extern struct trail_lab trail_lab;

// For cmocka.
int trail_set_up(void **state);
int trail_tear_down(void **state);

struct store *trail_store(const char *archive);
// Rows of July, August, September and October 2026, three each, with a checkpoint at the end of
// each.
struct store *trail_four_months(const char *archive);
// One step of up to 2 rows.
bool trail_expire(struct store *s, struct utc now, unsigned months);
void trail_behind_the_back(const char *text);
struct trail_verdict trail_verdict_from(struct store *s, uint64_t from);
// "" for a trail that holds.
void trail_expect(struct store *s, uint64_t from, const char *problem, uint64_t first_bad);

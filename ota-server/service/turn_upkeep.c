// What the turn does beside its work, a little at a time: what has stood its time leaves.
#include "ota-server/service/turn_part.h"
#include "ota-server/store/calls.h"
#include "ota-server/store/retention.h"
#include "ota-server/store/tombstones.h"

#define SWEEP_MS (60 * 60 * 1000)
#define EXPIRE_ROWS 500 // that are removed in a turn: some milliseconds
#define EXPIRE_MS 100   // until the next ones
#define CARDS_MAX 32    // whose keys are erased in a turn
#define DAY_MS (24ull * 60 * 60 * 1000)

static struct utc keys_end(const struct turn *t, struct utc retired_at)
{
    return utc_after(retired_at, (int64_t)(t->options.retired_key_days * DAY_MS));
}

enum store_status turn_note_retired(struct turn *t, struct utc at)
{
    const struct record *next = &t->decision.next;
    if (next->state != CARD_RETIRED || t->before.state == CARD_RETIRED)
        return STORE_OK;
    const struct utc end = keys_end(t, at);
    if (t->options.retired_key_days != 0 && (t->keys_due.ms == 0 || end.ms < t->keys_due.ms))
        t->keys_due = end;
    return store_retired_put(t->options.store, next->card, at);
}

static enum store_status erase_keys(struct turn *t, struct utc now)
{
    const int64_t kept_ms = (int64_t)(t->options.retired_key_days * DAY_MS);
    struct utc first;
    if (kept_ms == 0)
        return STORE_OK;
    enum store_status status =
        store_retired_erase(t->options.store, utc_after(now, -kept_ms), now, CARDS_MAX);
    if (status == STORE_OK)
        status = store_retired_first(t->options.store, &first);
    if (status != STORE_OK) {
        t->keys_due.ms = 0;
        return status == STORE_NONE ? STORE_OK : status;
    }
    t->keys_due = keys_end(t, first);
    if (t->keys_due.ms <= now.ms)
        t->keys_due = utc_after(now, EXPIRE_MS);
    return STORE_OK;
}

static enum store_status sweep(struct turn *t, struct utc now)
{
    bool is_more = false;
    bool is_more_calls = false;
    enum store_status status =
        store_trail_expire(t->options.store, now, t->options.trail_months, EXPIRE_ROWS, &is_more);
    if (store_archive_problem(t->options.store)[0] != '\0')
        t->counts.failures++;
    if (status == STORE_OK)
        status = store_calls_expire(t->options.store, now, EXPIRE_ROWS, &is_more_calls);
    is_more |= is_more_calls;
    t->next_sweep = utc_after(now, is_more ? EXPIRE_MS : SWEEP_MS);
    return status == STORE_OK && !is_more ? store_sweep(t->options.store, now) : status;
}

enum store_status turn_upkeep(struct turn *t, struct utc now)
{
    const bool is_sweep = t->next_sweep.ms <= now.ms;
    enum store_status status = is_sweep ? sweep(t, now) : STORE_OK;
    if (status == STORE_OK && (is_sweep || (t->keys_due.ms != 0 && t->keys_due.ms <= now.ms)))
        status = erase_keys(t, now);
    return status;
}

struct utc turn_upkeep_due(const struct turn *t, struct utc now)
{
    const bool is_sweep_near = t->next_sweep.ms <= now.ms + EXPIRE_MS; // more is on its way out
    if (!is_sweep_near)
        return t->keys_due;
    return t->keys_due.ms != 0 && t->keys_due.ms < t->next_sweep.ms ? t->keys_due : t->next_sweep;
}

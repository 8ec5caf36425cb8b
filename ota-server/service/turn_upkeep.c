// What the turn does beside its work, a little at a time: what has stood its time leaves.
#include "common/base/text.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/calls.h"
#include "ota-server/store/retention.h"
#include "ota-server/store/tombstones.h"

#define SWEEP_MS (60 * 60 * 1000)
#define EXPIRE_ROWS 500    // that are removed in a turn: some milliseconds
#define EXPIRE_MS 100      // until the next ones
#define EXPIRE_OF_KIND 200 // operations, messages, alarms, locations
#define CARDS_MAX 32       // whose keys are erased in a turn
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

// --- operations, messages, alarms, locations --------------------------------------------------

static const char *const objects[RETAINED_KINDS] = {
    [RETAINED_OPERATION] = "operation",   [RETAINED_MESSAGE] = "message",
    [RETAINED_ALARM] = "alarm",           [RETAINED_LOCATION] = "location",
    [RETAINED_CORRELATOR] = "correlator", [RETAINED_APPROVAL] = "approval",
    [RETAINED_CAMPAIGN] = "campaign",     [RETAINED_MOVE] = "card-move",
    [RETAINED_REPORT] = "report"};

// Operations and rows of the trail have them.
static uint64_t correlator_days(const struct turn *t)
{
    const unsigned operation = t->options.operation_months;
    const unsigned trail = t->options.trail_months;
    if (operation == 0 || trail == 0)
        return 0;
    return 31ull * (operation > trail ? operation : trail);
}

static uint64_t kept_days(const struct turn *t, enum retained kind)
{
    switch (kind) {
    case RETAINED_OPERATION:
    case RETAINED_APPROVAL:
        return 31ull * t->options.operation_months;
    case RETAINED_MESSAGE:
        return t->options.message_days;
    case RETAINED_ALARM:
        return 31ull * t->options.alarm_months;
    case RETAINED_LOCATION:
        return 31ull * t->options.location_months;
    case RETAINED_CORRELATOR:
        return correlator_days(t);
    case RETAINED_CAMPAIGN:
    case RETAINED_MOVE:
    case RETAINED_REPORT:
        return 31ull * t->options.campaign_months;
    case RETAINED_KINDS:
        break;
    }
    return 0;
}

// One row for all that left in a row of pieces.
static enum store_status note_removed(struct turn *t, enum retained kind, struct utc before,
                                      struct utc now)
{
    char until[UTC_TEXT_SIZE];
    char count[24];
    struct writer w = writer_of(count, sizeof(count));
    utc_format(before, until);
    text_decimal(&w, t->removed[kind]);
    const struct trail_new row = {.at = now,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "retention.removed",
                                  .object_kind = objects[kind],
                                  .before = until,
                                  .after = text_end(&w),
                                  .reason = "retention",
                                  .result = "done"};
    t->removed[kind] = 0;
    return store_trail_add(t->options.store, &row);
}

static enum store_status expire(struct turn *t, enum retained kind, struct utc now, bool *is_more)
{
    const uint64_t days = kept_days(t, kind);
    const struct utc before = utc_after(now, -(int64_t)(days * DAY_MS));
    uint32_t count = 0;
    if (days == 0)
        return STORE_OK;
    enum store_status status = store_expire(t->options.store, kind, before, EXPIRE_OF_KIND, &count);
    t->removed[kind] += count;
    t->counts.removed[kind] += count;
    if (count == EXPIRE_OF_KIND)
        *is_more = true;
    else if (status == STORE_OK && t->removed[kind] > 0)
        status = note_removed(t, kind, before, now);
    return status;
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
    for (unsigned kind = 0; kind < RETAINED_KINDS && status == STORE_OK; kind++)
        status = expire(t, (enum retained)kind, now, &is_more);
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

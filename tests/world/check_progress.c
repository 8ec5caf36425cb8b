// What must hold of time: an operation ends, or its card is in doubt, by the end of its own time
// and of the longest switch and rollback.
#include "common/base/check.h"
#include "ota-server/core/work.h"
#include "tests/world/world.h"

// A server that starts, or can write again, judges what came due meanwhile.
#define START_MS 600000

// What waits for a person has the person's time.
static void check_time(struct world *w, uint32_t card, const struct record *r,
                       const struct operation *o)
{
    const struct utc due = o->status == STATUS_AWAIT_APPROVAL ? o->deadline : o->not_after;
    const int64_t late_ms = server_utc(w).ms - due.ms - switch_ms(r) - rollback_ms(r) - START_MS;
    // An audit told that the card is still at it, and there is an end to that, too.
    const bool is_told = o->status == STATUS_SWITCHING && o->deadline.ms > server_utc(w).ms &&
                         o->deadline.ms <= server_utc(w).ms + switch_ms(r);
    if (late_ms > 0 && !is_told)
        world_violate(w, "progress", card, "%s %s is %lld s over its time, and nobody doubts",
                      operation_kind_name(o->kind), operation_status_name(o->status),
                      (long long)(late_ms / 1000));
}

void check_progress(struct world *w)
{
    const struct server *s = &w->server;
    const bool is_judged =
        s->is_running && w->now.ms >= s->started.ms + START_MS && !s->is_asleep &&
        w->now.ms >= s->woken.ms + START_MS && w->now.ms >= s->full_until.ms + START_MS &&
        w->now.ms >= s->busy_until.ms + START_MS && w->now.ms >= s->failing_until.ms + START_MS;
    for (uint32_t i = 0; i < w->cards; i++)
        check_limits(w, i);
    for (uint32_t i = 0; is_judged && i < w->cards; i++) {
        const struct record *r = world_store_record(w->server.store, w->people[i].id);
        if (r->dirty_since.ms != 0 || r->state == CARD_RETIRED)
            continue;
        if (r->has_open)
            check_time(w, i, r, &r->open);
        for (uint8_t k = 0; k < r->queue_len; k++)
            check_time(w, i, r, &r->queue[k]);
    }
}

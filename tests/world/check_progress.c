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

// --- what can be sent --------------------------------------------------------------------------

#define WAITS_MS 600000
#define LOOK_MS 60000
#define SOON_MS 60000 // an operation with less time left is not sent any more

static struct instant instant_of(const struct world *w, struct utc at)
{
    const int64_t from_now_ms = at.ms - server_utc(w).ms;
    return from_now_ms > 0 ? instant_after(w->now, (uint64_t)from_now_ms) : w->now;
}

// Since when a packet of it can leave. It may wait for its time (not_before, the back-off of a
// retry), for the card's next contact, for the end of a doubt, and for the end of another operation
// or packet of the card.
static struct instant sendable(const struct world *w, const struct record *r,
                               const struct operation *o)
{
    const bool is_held =
        r->dirty_since.ms != 0 && operation_is_state_changing(o->kind) && !o->force;
    const struct utc from = o->not_before.ms > server_utc(w).ms ? o->not_before : server_utc(w);
    const bool is_late = o->not_after.ms != 0 && o->not_after.ms - from.ms < SOON_MS;
    if (o->status != STATUS_QUEUED || o->at_next_contact || is_held || is_late ||
        (o->kind == OPERATION_DOWNLOAD && !o->force)) // held while any card doubts after a restore
        return INSTANT_NEVER;
    return instant_of(w, from);
}

void waits_note(struct world *w, uint32_t card, const struct record *r)
{
    struct truth *t = &w->truths[card];
    const struct mirror_slot *enabled = record_enabled(r);
    t->sendable = INSTANT_NEVER;
    if (r->state == CARD_RETIRED || r->state == CARD_IMPORTED_PARTIAL ||
        record_has_mark(r, MARK_QUARANTINED) || enabled == NULL || enabled->number[0] == 0)
        return;
    if (r->flight.kind == FLIGHT_OPERATION && r->flight.state == FLIGHT_SENDING)
        t->sendable = instant_of(w, r->flight.sent_at);
    if (r->flight.kind != FLIGHT_NONE)
        return;
    if (r->has_open) {
        t->sendable = sendable(w, r, &r->open);
        return;
    }
    for (uint8_t i = 0; i < r->queue_len; i++)
        t->sendable = instant_earlier(t->sendable, sendable(w, r, &r->queue[i]));
}

// The server is there, its database can be written, and a link carries.
static bool can_send(const struct world *w)
{
    const struct server *s = &w->server;
    bool is_bound = false;
    for (uint32_t i = 0; i < WORLD_NETWORK_CONNECTION; i++) {
        const struct connection *c = &w->connections[i];
        is_bound |= c->is_open && c->is_bound && !c->is_half_open && c->ghost == SMSC_NONE &&
                    c->stalled_until.ms <= w->now.ms;
    }
    return is_bound && server_is_awake(w) && w->now.ms >= s->full_until.ms &&
           w->now.ms >= s->busy_until.ms && w->now.ms >= s->failing_until.ms;
}

void waits_check(struct world *w)
{
    const bool is_able = can_send(w);
    if (is_able && !w->is_able) // and not since the look before, which may be long ago
        w->sends_since = w->now;
    w->is_able = is_able;
    if (w->now.ms < w->waits_looked.ms + LOOK_MS)
        return;
    w->waits_looked = w->now;
    for (uint32_t i = 0; i < w->cards; i++) {
        const struct truth *t = &w->truths[i];
        if (t->sendable.ms > w->now.ms)
            continue;
        const uint64_t since_ms =
            t->sendable.ms > w->sends_since.ms ? t->sendable.ms : w->sends_since.ms;
        judged_note(&w->result.judged, JUDGED_WAITS, is_able);
        if (is_able && w->now.ms > since_ms + WAITS_MS)
            world_violate(w, "waits_for_nothing", i, "something could be sent since %llu s ago",
                          (unsigned long long)(w->now.ms - since_ms) / 1000);
    }
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

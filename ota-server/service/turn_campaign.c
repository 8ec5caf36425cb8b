// Campaigns in the turn: those that are due run, and what becomes of their operations is noted.
#include "common/base/check.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/campaigns.h"

#define CAMPAIGNS_MAX 32 // that run in one turn
#define POSTPONE_MS (60 * 1000)

struct due {
    uint64_t ids[CAMPAIGNS_MAX];
    size_t count;
};

static bool note_due(void *context, uint64_t id)
{
    struct due *due = context;
    due->ids[due->count++] = id;
    return due->count < CAMPAIGNS_MAX;
}

static bool is_fatal(enum store_status status)
{
    return status == STORE_LOST || status == STORE_FULL || status == STORE_BUSY;
}

bool turn_has_room(const struct turn *t)
{
    return t->send_count < SENDS_MAX;
}

enum store_status turn_event_now(struct turn *t, uint64_t card, const struct event *event,
                                 const struct turn_prepared *with, struct turn_answer *answer)
{
    struct task *k = &t->now_task;
    k->kind = TASK_EVENT;
    k->card = card;
    k->event = *event;
    k->prepare = with->prepare;
    k->context = with->context;
    k->is_dry = with->is_dry;
    k->origin = with->origin;
    k->status = STORE_OK;
    const bool is_safe = turn_run_guarded(t, k, t->now);
    check(is_safe || k->status != STORE_OK);
    *answer = k->result;
    return k->status;
}

void turn_set_time(struct turn *t, struct utc now)
{
    t->now = now;
}

// One that fails must neither stop others nor be due for ever.
static enum store_status run_one(struct turn *t, uint64_t id, struct utc now)
{
    const size_t sends = t->send_count;
    const size_t alarms = t->alarm_count;
    const struct turn_counts counts = t->counts;
    enum store_status status = store_mark(t->options.store);
    if (status != STORE_OK)
        return status;
    status = t->options.campaign(t->options.campaign_context, t, id, now);
    if (status == STORE_OK)
        return store_mark_keep(t->options.store);
    t->send_count = sends;
    t->alarm_count = alarms;
    t->counts = counts;
    t->counts.failures++;
    store_mark_undo(t->options.store);
    return is_fatal(status)
               ? status
               : store_campaign_postpone(t->options.store, id, utc_after(now, POSTPONE_MS));
}

enum store_status turn_run_campaigns(struct turn *t, struct utc now, struct utc *next)
{
    struct due due = {.count = 0};
    enum store_status status = STORE_OK;
    if (t->options.campaign == NULL)
        return STORE_OK;
    if (now.ms != 0)
        status = store_campaigns_due(t->options.store, now, CAMPAIGNS_MAX, note_due, &due);
    for (size_t i = 0; i < due.count && status == STORE_OK; i++)
        status = run_one(t, due.ids[i], now);
    return status == STORE_OK ? store_campaign_next_due(t->options.store, next) : status;
}

// --- what becomes of the cards ---------------------------------------------------------------

enum store_status turn_note_operation(struct turn *t, const struct operation *before,
                                      const struct operation *o, struct utc at)
{
    struct campaign_row row = {.card = t->decision.next.card, .operation = o->id};
    uint8_t step = CAMPAIGN_LISTED;
    uint8_t reason = REFUSAL_NONE;
    if (o->campaign == 0)
        return STORE_OK;
    if (before != NULL)
        campaign_stage(before, &step, &reason);
    campaign_stage(o, &row.step, &row.reason);
    if (row.step == step && row.reason == reason)
        return STORE_OK;
    if (row.reason == CAMPAIGN_DONE || campaign_is_failure(row.reason))
        row.ended_at = at;
    return store_campaign_set(t->options.store, o->campaign, &row);
}

static uint64_t campaign_of(const struct decision *d)
{
    const struct record *r = &d->next;
    uint64_t campaign = r->has_open ? r->open.campaign : 0;
    for (uint8_t i = 0; i < d->ended_count && campaign == 0; i++)
        campaign = d->ended[i].campaign;
    for (uint8_t i = 0; i < r->queue_len && campaign == 0; i++)
        campaign = r->queue[i].campaign;
    return campaign;
}

enum store_status turn_note_quarantine(struct turn *t, struct utc at)
{
    const struct decision *d = &t->decision;
    if (!record_has_mark(&d->next, MARK_QUARANTINED) ||
        record_has_mark(&t->before, MARK_QUARANTINED) || campaign_of(d) == 0)
        return STORE_OK;
    return store_campaign_quarantined(t->options.store, campaign_of(d), d->next.card, at);
}

#include "ota-server/service/turn.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/notices.h"

#include <stdlib.h>

#define IDS_PER_EVENT 4
#define CHECKPOINT_MS (15 * 60 * 1000)
#define CHECKPOINT_ROWS 10000
#define CHECKPOINT_AGAIN_MS (60 * 1000) // after one that could not be written
#define POSTPONE_MS (60 * 1000)         // of a card whose work fails alone
#define TOGETHER_MAX 64                 // tasks that are undone together
#define AGAIN_MS 1000 // after a turn that could not be written; twice as long each time
#define AGAIN_MOST_MS (64 * AGAIN_MS)

struct turn *turn_open(const struct turn_options *options)
{
    struct turn *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->options = *options;
    t->tasks = calloc(TURN_EVENTS_MAX, sizeof(t->tasks[0]));
    t->sends = calloc(SENDS_MAX, sizeof(t->sends[0]));
    t->tallies = calloc(TALLIES_MAX, sizeof(t->tallies[0]));
    if (t->tasks == NULL || t->sends == NULL || t->tallies == NULL) {
        turn_close(t);
        return NULL;
    }
    return t;
}

void turn_close(struct turn *t)
{
    if (t == NULL)
        return;
    free(t->tasks);
    free(t->sends);
    free(t->tallies);
    free(t);
}

uint64_t turn_id(struct turn *t, struct utc now)
{
    return ids_next(&t->ids, now);
}

uint64_t turn_ids(struct turn *t, struct utc now, uint64_t count)
{
    const uint64_t first = turn_id(t, now);
    t->ids.last += count - 1;
    return first;
}

bool turn_has_work(const struct turn *t)
{
    return t->task_count > 0;
}

struct utc turn_due(const struct turn *t)
{
    const bool is_first = t->next_due.ms == 0 || t->next_checkpoint.ms < t->next_due.ms;
    return t->uncovered_since.ms != 0 && is_first ? t->next_checkpoint : t->next_due;
}

uint64_t turn_uncovered_ms(const struct turn *t, struct utc now)
{
    return t->uncovered_since.ms != 0 && t->uncovered_since.ms < now.ms
               ? (uint64_t)(now.ms - t->uncovered_since.ms)
               : 0;
}

struct turn_counts turn_counts(const struct turn *t)
{
    return t->counts;
}

static struct task *add(struct turn *t, uint8_t kind, void *context)
{
    if (t->task_count == TURN_EVENTS_MAX)
        return NULL;
    struct task *k = &t->tasks[t->task_count++];
    k->kind = kind;
    k->is_part = false;
    k->is_repeatable = kind != TASK_WRITE;
    k->context = context;
    k->prepare = NULL;
    k->decided = NULL;
    k->is_dry = false;
    k->origin = (struct turn_origin){0};
    k->answer = NULL;
    k->apply = NULL;
    k->done = NULL;
    k->status = STORE_OK;
    k->stray = 0;
    return k;
}

bool turn_event(struct turn *t, uint64_t card, const struct event *event, turn_answer_fn *answer,
                void *context)
{
    struct task *k = add(t, TASK_EVENT, context);
    if (k == NULL)
        return false;
    k->card = card;
    k->event = *event;
    k->answer = answer;
    return true;
}

bool turn_event_prepared(struct turn *t, uint64_t card, const struct event *event,
                         const struct turn_prepared *with)
{
    if (!turn_event(t, card, event, with->answer, with->context))
        return false;
    struct task *k = &t->tasks[t->task_count - 1];
    k->prepare = with->prepare;
    k->decided = with->decided;
    k->is_repeatable = with->prepare == NULL;
    k->is_dry = with->is_dry;
    k->origin = with->origin;
    return true;
}

bool turn_write(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    struct task *k = add(t, TASK_WRITE, context);
    if (k == NULL)
        return false;
    k->apply = apply;
    k->done = done;
    return true;
}

bool turn_write_repeatable(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    if (!turn_write(t, apply, done, context))
        return false;
    t->tasks[t->task_count - 1].is_repeatable = true;
    return true;
}

bool turn_write_part(struct turn *t, turn_apply_fn *apply, turn_done_fn *done, void *context)
{
    if (!turn_write(t, apply, done, context))
        return false;
    t->tasks[t->task_count - 1].is_part = true;
    return true;
}

bool turn_receive(struct turn *t, const struct turn_message *message, turn_done_fn *done,
                  void *context)
{
    struct task *k = add(t, TASK_MESSAGE, context);
    if (k == NULL)
        return false;
    k->message = *message;
    k->done = done;
    return true;
}

// --- one event -------------------------------------------------------------------------------

// STORE_NONE: there is no such card, and nothing to save.
static enum store_status judge_once(struct turn *t, uint64_t card, struct event *e,
                                    struct turn_answer *answer)
{
    struct decide_context context = {
        .cipher = t->options.cipher, .find = turn_find, .may = turn_may, .caller_context = t};
    enum store_status status = store_card_load(t->options.store, card, &t->before);
    t->now = e->at;
    if (status == STORE_NONE) {
        answer->refusal = REFUSAL_NOT_FOUND;
        return STORE_NONE;
    }
    if (status == STORE_OK)
        status = turn_policy_of(t, t->before.group, &context.policy);
    if (status == STORE_OK)
        status = turn_hold(t, &context.are_downloads_held);
    if (status != STORE_OK)
        return status;
    context.are_downloads_held |= e->type == EVENT_LOST; // its next one is asked for, too
    t->find_status = STORE_OK;
    e->fresh_id = turn_id(t, e->at);
    for (unsigned i = 1; i < IDS_PER_EVENT; i++)
        (void)turn_id(t, e->at);
    decide(&t->before, e, &context, &t->decision);
    answer->refusal = t->decision.refusal;
    answer->operation = t->decision.operation;
    t->counts.dropped += t->decision.is_dropped;
    return t->find_status;
}

static bool is_to_follow(const struct turn *t)
{
    const struct decision *d = &t->decision;
    return t->options.follow != NULL && (d->is_job_changed || d->released_count > 0);
}

// Saves the decision, and what follows from it.
static enum store_status save(struct turn *t, const struct event *e)
{
    const enum store_status status = turn_save(t, e);
    if (status != STORE_OK)
        return status;
    turn_note_place(t, e);
    turn_note_doubt(t);
    return is_to_follow(t)
               ? t->options.follow(t->options.follow_context, t->options.store, &t->decision, e->at)
               : STORE_OK;
}

static bool must_save(const struct turn *t, const struct event *e)
{
    return !t->is_dry && (e->type != EVENT_REQUEST || !e->as.request.is_dry_run);
}

// A card whose registry was behind may have what another was promised: the promise is taken back
// before anything leaves, and the event judged again.
static enum store_status judge(struct turn *t, uint64_t card, struct event *e,
                               struct turn_answer *answer)
{
    for (unsigned i = 0; i <= RECORD_QUEUE_MAX; i++) {
        enum store_status status = judge_once(t, card, e, answer);
        struct event lost = {.type = EVENT_LOST, .at = e->at};
        if (status == STORE_OK && must_save(t, e))
            status = turn_stolen(t, &lost.subscription);
        if (status != STORE_OK || lost.subscription == 0)
            return status;
        struct turn_answer unused = {0};
        status = judge_once(t, card, &lost, &unused);
        t->has_lost = true;
        if (status == STORE_OK)
            status = save(t, &lost);
        if (status != STORE_OK)
            return status;
    }
    return STORE_FAILED; // each takes one of the operations away
}

enum store_status turn_run_event(struct turn *t, uint64_t card, struct event *e,
                                 struct turn_answer *answer)
{
    const enum store_status status = judge(t, card, e, answer);
    if (status == STORE_NONE)
        return STORE_OK;
    return status == STORE_OK && must_save(t, e) ? save(t, e) : status;
}

// A card whose packet cannot be built (its keys are missing or do not open) must not stop others.
static void note_unbuildable(struct turn *t)
{
    t->counts.failures++;
}

// What was prepared for a request that is refused, or only judged, is undone without it.
static enum store_status run_prepared(struct turn *t, struct task *k)
{
    const size_t sends = t->send_count;
    const size_t tallies = t->tally_count;
    const size_t alarms = t->alarm_count;
    t->has_lost = false;
    enum store_status status = store_mark(t->options.store);
    if (status == STORE_OK)
        status = k->prepare(k->context, t->options.store, &k->event);
    if (status != STORE_OK)
        return status; // the whole event is undone
    status = judge(t, k->card, &k->event, &k->result);
    if (status != STORE_OK)
        return status;
    if (!must_save(t, &k->event) || k->result.refusal != REFUSAL_NONE) {
        store_mark_undo(t->options.store);
        t->send_count = sends;
        t->tally_count = tallies;
        t->alarm_count = alarms;
        if (t->has_lost) // that was undone with it
            status = judge(t, k->card, &k->event, &k->result);
    } else {
        status = store_mark_keep(t->options.store);
    }
    return status == STORE_OK && must_save(t, &k->event) ? save(t, &k->event) : status;
}

static enum store_status run_event(struct turn *t, struct task *k, struct utc now)
{
    k->event.at = now;
    const enum store_status status =
        k->prepare == NULL ? turn_run_event(t, k->card, &k->event, &k->result) : run_prepared(t, k);
    return status == STORE_OK && k->decided != NULL
               ? k->decided(k->context, t->options.store, &k->result)
               : status;
}

static enum store_status run_task(struct turn *t, struct task *k, struct utc now)
{
    t->origin = k->origin;
    t->is_dry = k->is_dry;
    switch ((enum task_kind)k->kind) {
    case TASK_EVENT:
        return run_event(t, k, now);
    case TASK_WRITE:
        return k->apply(k->context, t->options.store, now);
    case TASK_MESSAGE:
        return turn_run_message(t, &k->message, k->stray, now);
    }
    return STORE_FAILED;
}

// What was judged by a database that failed meanwhile must not stay, whatever came of it.
static enum store_status run_surely(struct turn *t, struct task *k, struct utc now)
{
    const uint64_t failures = store_failures(t->options.store);
    const enum store_status status = run_task(t, k, now);
    const bool is_quiet = status == STORE_OK || status == STORE_NONE || status == STORE_CONFLICT;
    return is_quiet && store_failures(t->options.store) != failures ? STORE_FAILED : status;
}

bool turn_run_guarded(struct turn *t, struct task *k, struct utc now)
{
    const size_t sends = t->send_count;
    const size_t tallies = t->tally_count;
    k->result = (struct turn_answer){0};
    k->status = store_mark(t->options.store);
    if (k->status != STORE_OK)
        return false;
    k->status = run_surely(t, k, now);
    if (k->status == STORE_OK) {
        t->counts.events++;
        k->status = store_mark_keep(t->options.store);
        return k->status == STORE_OK;
    }
    t->send_count = sends;
    t->tally_count = tallies;
    store_mark_undo(t->options.store);
    if (k->status == STORE_KEYS)
        note_unbuildable(t);
    k->result.refusal = REFUSAL_OVERLOADED;
    k->result.operation = 0;
    return k->status != STORE_LOST && k->status != STORE_FULL && k->status != STORE_BUSY;
}

// Runs tasks as one part, which costs less than many. False: one failed, and none of them was.
static bool run_together(struct turn *t, size_t from, size_t to, struct utc now)
{
    const struct turn_counts counts = t->counts;
    const size_t sends = t->send_count;
    const size_t alarms = t->alarm_count;
    const size_t tallies = t->tally_count;
    if (store_mark(t->options.store) != STORE_OK)
        return false;
    bool is_good = true;
    for (size_t i = from; i < to && is_good; i++) {
        struct task *k = &t->tasks[i];
        k->result = (struct turn_answer){0};
        k->status = run_surely(t, k, now);
        is_good = k->status == STORE_OK;
        t->counts.events++;
    }
    if (is_good && store_mark_keep(t->options.store) == STORE_OK)
        return true;
    store_mark_undo(t->options.store);
    t->counts = counts;
    t->send_count = sends;
    t->alarm_count = alarms;
    t->tally_count = tallies;
    return false;
}

// The end of those from here on that may run together.
static size_t repeatable(const struct turn *t, size_t from, size_t count)
{
    size_t to = from;
    while (to < count && to - from < TOGETHER_MAX && t->tasks[to].is_repeatable)
        to++;
    return to;
}

static enum store_status run_tasks(struct turn *t, struct utc now, size_t count)
{
    for (size_t at = 0; at < count;) {
        const size_t to = repeatable(t, at, count);
        if (to - at > 1 && run_together(t, at, to, now)) {
            at = to;
            continue;
        }
        do {
            if (!turn_run_guarded(t, &t->tasks[at], now))
                return t->tasks[at].status;
        } while (++at < to);
    }
    return STORE_OK;
}

// --- the turn --------------------------------------------------------------------------------

static bool note_wake(void *context, uint64_t card)
{
    struct turn *t = context;
    t->wakes[t->wake_count++] = card;
    return t->wake_count < WAKES_MAX;
}

static enum store_status run_wakes(struct turn *t, struct utc now)
{
    t->wake_count = 0;
    enum store_status status = store_due(t->options.store, now, WAKES_MAX, note_wake, t);
    for (size_t i = 0; i < t->wake_count && status == STORE_OK; i++) {
        struct task k = {.kind = TASK_EVENT, .card = t->wakes[i]};
        k.event.type = EVENT_WAKE;
        if (t->send_count == SENDS_MAX)
            break;
        if (!turn_run_guarded(t, &k, now))
            status = k.status;
        else if (k.status != STORE_OK) // it must not be due for ever, nor stand before others
            status = store_card_postpone(t->options.store, k.card, utc_after(now, POSTPONE_MS));
    }
    return status;
}

// Is there nothing in this turn that must be on the disk at its end?
static bool is_part(const struct turn *t, struct utc now, size_t count)
{
    const bool is_due = t->next_due.ms != 0 && t->next_due.ms <= now.ms;
    bool is_only = count > 0 && !is_due && t->next_sweep.ms > now.ms;
    for (size_t i = 0; i < count && is_only; i++)
        is_only = t->tasks[i].is_part;
    return is_only;
}

static void sooner(struct utc *due, struct utc at)
{
    if (at.ms != 0 && (due->ms == 0 || at.ms < due->ms))
        *due = at;
}

static enum store_status find_next_due(struct turn *t, struct utc now, struct utc campaign_due)
{
    const enum store_status status = store_next_due(t->options.store, &t->next_due);
    sooner(&t->next_due, campaign_due);
    sooner(&t->next_due, turn_upkeep_due(t, now));
    if (t->strays.is_wanted)
        sooner(&t->next_due, now); // the rest of them
    sooner(&t->next_due, turn_places_due(t, now));
    return status;
}

static enum store_status run_all(struct turn *t, struct utc now, size_t count)
{
    const struct strays strays = t->strays;
    uint64_t removed[RETAINED_KINDS];
    memcpy(removed, t->removed, sizeof(removed));
    const bool is_slice = is_part(t, now, count);
    struct utc campaign_due = {0};
    t->now = now;
    enum store_status status =
        is_slice ? store_begin_part(t->options.store) : store_begin(t->options.store);
    if (status != STORE_OK)
        return status;
    status = run_tasks(t, now, count);
    if (status == STORE_OK)
        status = run_wakes(t, now);
    if (status == STORE_OK)
        status = turn_run_campaigns(t, is_slice ? (struct utc){0} : now, &campaign_due);
    if (status == STORE_OK)
        status = turn_run_strays(t, now);
    if (status == STORE_OK && !is_slice)
        status = turn_run_hold(t, now);
    if (status == STORE_OK && !is_slice)
        status = turn_run_places(t, now);
    if (status == STORE_OK)
        status = turn_upkeep(t, now);
    if (status == STORE_OK)
        status = turn_figures_write(t);
    if (status == STORE_OK)
        status = find_next_due(t, now, campaign_due);
    if (status == STORE_OK) {
        t->counts.commits++;
        status = store_commit(t->options.store);
    } else {
        store_rollback(t->options.store);
        t->tally_count = 0;
    }
    if (status != STORE_OK) {
        turn_forget_rules(t); // what was learnt may never have been, nor what was served
        t->strays = strays;
        memcpy(t->removed, removed, sizeof(removed));
    }
    return status;
}

// After a turn that could not be written, its work is not done in vain again and again: first the
// store has to take something.
static enum store_status probe(struct turn *t, struct utc now)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u64(&w, (uint64_t)now.ms);
    enum store_status status = store_begin(t->options.store);
    if (status != STORE_OK)
        return status;
    status = store_value_put(t->options.store, "probe", writer_bytes(&w));
    if (status == STORE_OK)
        return store_commit(t->options.store);
    store_rollback(t->options.store);
    return status;
}

static void answer_all(struct turn *t, size_t count, enum store_status status)
{
    for (size_t i = 0; i < count; i++) {
        struct task *k = &t->tasks[i];
        const enum store_status own = status == STORE_OK ? k->status : status;
        if (own != STORE_OK && k->kind == TASK_EVENT) {
            k->result.refusal = REFUSAL_OVERLOADED;
            k->result.operation = 0;
        }
        if (k->answer != NULL)
            k->answer(k->context, &k->result);
        if (k->done != NULL)
            k->done(k->context, own);
    }
}

static void checkpoint(struct turn *t, struct utc now)
{
    uint64_t sequence;
    uint8_t hash[32];
    if (store_trail_head(t->options.store, &sequence, hash) != STORE_OK)
        return;
    if (sequence == t->checkpoint_sequence)
        return;
    if (t->uncovered_since.ms == 0)
        t->uncovered_since = now;
    if (now.ms < t->next_checkpoint.ms && sequence < t->checkpoint_sequence + CHECKPOINT_ROWS)
        return;
    if (store_checkpoint(t->options.store, now) != STORE_OK) {
        t->counts.failures++;
        t->next_checkpoint = utc_after(now, CHECKPOINT_AGAIN_MS);
        return;
    }
    t->checkpoint_sequence = sequence;
    t->uncovered_since.ms = 0;
    t->next_checkpoint = utc_after(now, CHECKPOINT_MS);
}

// The last row of a month gets a checkpoint: a segment of the trail ends there.
static void end_segment(struct turn *t, struct utc now)
{
    char text[UTC_TEXT_SIZE];
    utc_format(now, text);
    if (strncmp(text, t->month, sizeof(t->month) - 1) == 0)
        return;
    memcpy(t->month, text, sizeof(t->month) - 1);
    t->next_checkpoint = now;
    checkpoint(t, now);
}

enum turn_status turn_run(struct turn *t, struct utc now)
{
    check(!t->is_running);
    const bool is_idle = t->task_count == 0 && (t->next_due.ms == 0 || t->next_due.ms > now.ms);
    if (is_idle) {
        if (t->uncovered_since.ms != 0)
            checkpoint(t, now);
        return TURN_OK;
    }
    const size_t count = t->task_count;
    end_segment(t, now);
    t->is_running = true;
    t->send_count = 0;
    t->hurry_count = 0;
    t->alarm_count = 0;
    t->counts.turns++;
    enum store_status status = t->cannot_write ? probe(t, now) : STORE_OK;
    if (status == STORE_OK)
        status = run_all(t, now, count);
    if (status != STORE_OK)
        t->counts.failures++;
    // What is asked from here on belongs to the next turn.
    answer_all(t, count, status);
    memmove(t->tasks, t->tasks + count, (t->task_count - count) * sizeof(t->tasks[0]));
    t->task_count -= count;
    if (status == STORE_OK) {
        for (size_t i = 0; i < t->send_count; i++)
            t->options.send(t->options.send_context, &t->sends[i]);
        for (size_t i = 0; i < t->hurry_count; i++)
            t->options.hurry(t->options.send_context, t->hurries[i].card, t->hurries[i].message);
        for (size_t i = 0; i < t->alarm_count && t->options.alarm != NULL; i++)
            t->options.alarm(t->options.alarm_context, t->alarms[i].key, t->alarms[i].card,
                             t->alarms[i].is_raised);
        t->counts.sent += t->send_count;
        t->again_ms = 0;
        checkpoint(t, now);
    } else { // the disk may have room again; what the turn read about the next one was undone
        const uint32_t twice_ms = t->again_ms < AGAIN_MOST_MS ? 2 * t->again_ms : AGAIN_MOST_MS;
        t->again_ms = t->again_ms == 0 ? AGAIN_MS : twice_ms;
        t->next_due = utc_after(now, t->again_ms);
    }
    t->is_running = false;
    t->cannot_write = status != STORE_OK;
    if (status == STORE_OK)
        return TURN_OK;
    return status == STORE_LOST ? TURN_STOP : TURN_RETRY;
}

bool turn_has_told(struct turn *t)
{
    return store_notices_told(t->options.store);
}

bool turn_can_write(const struct turn *t)
{
    return !t->cannot_write;
}

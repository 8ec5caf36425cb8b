// The bootstrap of a card: from the subscription of the factory to those of its group.
//
// In each state this is true:
//   WAITING         for a place among those of the group that are at it, and for subscriptions of
//                   the pools unless they are reserved, because the job is resumed
//   DOWNLOADING     the items are reserved; those on the card are done
//   ENABLING        all items are on the card; ENABLE of the marked one is wanted or under way
//   CONFIRMING      the same, and its notification came
//   SOAKING         the marked one is confirmed; `due` is when it will have been in use long
//                   enough, 0 while the card uses another
//   FINISHING       the fallback attribute, the deletion, then the audit that must equal the plan
//   FAILED, PARTIAL stopped; the reservations are kept, for a resumption or a person's decision
//   CANCELLING      an audit is to show what can be given back
//
// No time wakes a card that waits: it is in a queue [bootstrap_place()], and whoever serves that
// tells it with EVENT_PLAN.
//
// A step's operation is in the record or has ended in this very decision; so whatever the server
// loses at a kill, the step and its operation are lost or kept together.
#include "ota-server/core/work.h"

#include "common/base/check.h"

#define AUDIT_RETRY_MS (10 * MINUTE_MS) // after one that did not end well
#define STEP_TRIES_MAX 3

static const char *name(const struct bootstrap *b)
{
    return bootstrap_state_name(b->state);
}

bool bootstrap_is_active(const struct record *r)
{
    const uint8_t state = r->bootstrap.state;
    return (state >= BOOTSTRAP_WAITING && state <= BOOTSTRAP_FINISHING) ||
           state == BOOTSTRAP_CANCELLING;
}

// Nothing new is begun in doubt.
static bool is_held(const struct record *r)
{
    return r->dirty_since.ms != 0 || record_has_mark(r, MARK_QUARANTINED);
}

int64_t bootstrap_place(const struct record *r)
{
    const struct bootstrap *b = &r->bootstrap;
    const bool is_elsewhere = b->state == BOOTSTRAP_SOAKING && b->due.ms == 0;
    if (r->state == CARD_BOOTSTRAPPING && !is_elsewhere)
        return PLACE_HELD;
    if (b->state != BOOTSTRAP_WAITING || is_held(r))
        return PLACE_NONE;
    return b->item_count > 0 ? PLACE_FIRST : b->started_at.ms;
}

// --- from state to state ---------------------------------------------------------------------

static void progress(struct work *w)
{
    struct bootstrap *b = &w->r->bootstrap;
    b->deadline = utc_after(w->now, (int64_t)b->deadline_s * 1000);
    if (b->is_stalled)
        work_alarm(w, ALARM_BOOTSTRAP_STALLED, false);
    b->is_stalled = false;
    w->d->is_job_changed = true;
}

static void go(struct work *w, uint8_t state, const char *why)
{
    struct bootstrap *b = &w->r->bootstrap;
    const char *before = name(b);
    b->state = state;
    b->tries = 0;
    b->due.ms = 0;
    b->is_audited = false;
    if (state != BOOTSTRAP_FAILED && state != BOOTSTRAP_PARTIAL) {
        b->failure = REFUSAL_NONE;
        b->operation = 0;
    }
    progress(w);
    work_trail(w, "card.bootstrap", b->operation, before, name(b), why);
}

static void set_card_state(struct work *w, uint8_t state)
{
    struct record *r = w->r;
    if (r->state == state || r->state == CARD_RETIRED)
        return;
    work_trail(w, "card.state", 0, card_state_name(r->state), card_state_name(state), "bootstrap");
    r->state = state;
}

static bool has_something(const struct record *r)
{
    for (uint8_t i = 0; i < r->bootstrap.item_count; i++) {
        const uint64_t id = r->bootstrap.items[i].subscription;
        if (id != 0 && record_slot_of(r, id) != NULL)
            return true;
    }
    return false;
}

// The operation that it failed with stays in `operation`.
static void stop(struct work *w, uint8_t refusal, const char *why)
{
    w->r->bootstrap.failure = refusal;
    go(w, has_something(w->r) ? BOOTSTRAP_PARTIAL : BOOTSTRAP_FAILED, why);
    if (w->r->state == CARD_BOOTSTRAPPING)
        set_card_state(w, CARD_SEEN);
}

// --- operations ------------------------------------------------------------------------------

// What became of the operation of this step in this decision; NULL: nothing yet.
static const struct operation *ended(const struct work *w)
{
    for (uint8_t i = 0; i < w->d->ended_count; i++) {
        if (w->d->ended[i].id == w->r->bootstrap.operation)
            return &w->d->ended[i];
    }
    return NULL;
}

static bool is_under_way(const struct work *w)
{
    const struct record *r = w->r;
    return r->bootstrap.operation != 0 && record_operation(r, r->bootstrap.operation) != NULL;
}

static void ask_audit(struct work *w, struct operation *o)
{
    if (!w->r->audit.is_open)
        audit_open(w, o);
    w->r->bootstrap.operation = w->r->audit.operation.id;
}

// Asks for an operation of the rule; it waits until the card is in no doubt.
static void ask(struct work *w, struct operation *o)
{
    struct record *r = w->r;
    o->id = work_id(w);
    o->actor = (struct actor){.kind = ACTOR_RULE, .id = r->group};
    o->status = STATUS_QUEUED;
    o->created_at = w->now;
    o->not_after = utc_after(w->now, w->policy->not_after_ms);
    o->wait_until_clean = true;
    const uint8_t refusal = refusal_of(w, o, false);
    if (refusal != REFUSAL_NONE) {
        stop(w, refusal, operation_kind_name(o->kind));
        return;
    }
    // One that a person asked for and nobody approved yet may never come.
    if (o->kind == OPERATION_AUDIT && r->audit.is_open &&
        r->audit.operation.status == STATUS_AWAIT_APPROVAL) {
        r->bootstrap.due = utc_after(w->now, AUDIT_RETRY_MS);
        return;
    }
    if (r->queue_len == RECORD_QUEUE_MAX)
        return; // it is asked for at the next event, such as the end of one of them
    r->bootstrap.operation = o->id;
    work_step(w, o, STEP_CREATED, operation_kind_name(o->kind));
    work_step(w, o, STEP_QUEUED, "bootstrap");
    work_trail(w, "operation.requested", o->id, "", operation_kind_name(o->kind), "bootstrap");
    if (o->kind == OPERATION_AUDIT)
        ask_audit(w, o);
    else
        r->queue[r->queue_len++] = *o;
}

static void ask_for(struct work *w, uint8_t kind, const struct mirror_slot *slot)
{
    struct operation o = {.kind = kind};
    if (slot != NULL) {
        o.subscription = slot->subscription;
        o.target = record_slot_name(slot);
    }
    if (kind == OPERATION_ENABLE)
        o.flags = COMMAND_FLAG_ROLLBACK;
    ask(w, &o);
}

// --- the steps -------------------------------------------------------------------------------

// The subscription that the card comes from, which is kept or deleted in the end: the enabled one,
// or, where a card has left that already, the bootstrap subscription. NULL: the server knows none.
static const struct mirror_slot *origin_of(const struct record *r)
{
    const struct mirror_slot *origin = record_enabled(r);
    if (origin == NULL)
        return NULL;
    for (uint8_t i = 0; i < r->slot_count && origin->fact.role == ROLE_OPERATIONAL; i++) {
        if (r->slots[i].fact.role == ROLE_BOOTSTRAP)
            origin = &r->slots[i];
    }
    return origin->subscription != 0 ? origin : NULL;
}

// A card that its factory left with an operational subscription enabled is owed none; one that
// waits is owed one, whatever the rule says by now.
bool bootstrap_is_owed(const struct work *w)
{
    const struct bootstrap_rule *rule = &w->policy->bootstrap;
    const struct mirror_slot *made = record_enabled(w->before);
    const bool is_made_so =
        w->before->state == CARD_IMPORTED && made != NULL && made->fact.role == ROLE_OPERATIONAL;
    const struct mirror_slot *origin = origin_of(w->r);
    const bool is_next = rule->is_enabled && rule->trigger != BOOTSTRAP_MANUAL && !is_made_so &&
                         w->r->bootstrap.state == BOOTSTRAP_NONE && origin != NULL &&
                         origin->fact.role == ROLE_BOOTSTRAP;
    return is_next || w->r->bootstrap.state == BOOTSTRAP_WAITING;
}

static void start(struct work *w)
{
    struct record *r = w->r;
    r->bootstrap = (struct bootstrap){.state = r->bootstrap.state, // of a former one
                                      .deadline_s = w->policy->bootstrap.deadline_s,
                                      .origin = origin_of(r)->subscription,
                                      .started_at = w->now};
    go(w, BOOTSTRAP_WAITING, event_type_name(w->e->type));
}

static void begin(struct work *w, const char *why)
{
    go(w, BOOTSTRAP_DOWNLOADING, why);
    set_card_state(w, CARD_BOOTSTRAPPING);
}

void decide_plan(struct work *w)
{
    const struct event_plan *p = &w->e->as.plan;
    struct bootstrap *b = &w->r->bootstrap;
    if (b->state != BOOTSTRAP_WAITING || is_held(w->r)) { // it does not wait
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    if (p->refusal == REFUSAL_NONE && b->item_count > 0) {
        begin(w, "resumed"); // what is done already is seen on the card
        return;
    }
    // The rule may have changed since the start, and the card its group: what was reserved counts.
    const struct bootstrap_rule *rule = &w->policy->bootstrap;
    if (p->refusal == REFUSAL_NOT_FOUND || !rule->is_enabled) {
        stop(w, REFUSAL_NOT_FOUND, "no rule");
        return;
    }
    if (p->refusal == REFUSAL_NOT_INSTALLED) {
        stop(w, REFUSAL_NOT_INSTALLED, "no subscription of the factory");
        return;
    }
    if (p->refusal != REFUSAL_NONE) {
        w->d->is_job_changed |= b->failure != p->refusal;
        b->failure = p->refusal;
        return;
    }
    check(p->count == rule->item_count && rule->enable < p->count);
    b->item_count = p->count;
    b->enable = rule->enable;
    b->deletes = rule->deletes;
    b->soak_s = rule->soak_s;
    b->deadline_s = rule->deadline_s;
    for (uint8_t i = 0; i < p->count; i++) {
        b->items[i].subscription = p->items[i].subscription;
        b->items[i].plan = p->items[i].plan;
    }
    begin(w, "reserved");
}

static const struct mirror_slot *slot_to_enable(const struct record *r)
{
    return record_slot_of(r, r->bootstrap.items[r->bootstrap.enable].subscription);
}

// Did the step's operation end well? Otherwise the job has stopped.
static bool went_well(struct work *w, const struct operation *o)
{
    struct bootstrap *b = &w->r->bootstrap;
    if (o->outcome != OUTCOME_DONE || ++b->tries > STEP_TRIES_MAX) {
        stop(w, REFUSAL_NONE, operation_outcome_name(o->outcome));
        return false;
    }
    b->operation = 0;
    progress(w);
    return true;
}

static void download(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    const struct operation *o = ended(w);
    if (o != NULL && !went_well(w, o))
        return;
    for (uint8_t i = 0; i < b->item_count; i++) {
        if (record_slot_of(r, b->items[i].subscription) != NULL) {
            b->tries = 0;
            continue;
        }
        if (b->items[i].subscription == 0) { // a person deleted it: it is another card's by now
            stop(w, REFUSAL_NOT_INSTALLED, "an item was deleted");
            return;
        }
        if (bootstrap_is_of_factory(b, i)) { // nobody can bring it there
            stop(w, REFUSAL_NOT_INSTALLED, "no subscription of the factory");
            return;
        }
        struct operation next = {.kind = OPERATION_DOWNLOAD,
                                 .subscription = b->items[i].subscription,
                                 .download = b->items[i].plan};
        next.target =
            (struct subscription_name){.is_given = true, .is_iccid = next.download.has_iccid};
        memcpy(next.target.iccid, next.download.iccid, sizeof(next.target.iccid));
        memcpy(next.target.imsi, next.download.imsi, sizeof(next.target.imsi));
        ask(w, &next);
        return;
    }
    go(w, BOOTSTRAP_ENABLING, "downloaded");
}

static void soak(struct work *w)
{
    go(w, BOOTSTRAP_SOAKING, "confirmed");
    w->r->bootstrap.due = utc_after(w->now, (int64_t)w->r->bootstrap.soak_s * 1000);
}

// A switch that was rolled back is tried once more, after an hour.
static void enable(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    const struct operation *o = ended(w);
    const struct mirror_slot *slot = slot_to_enable(r);
    if (o != NULL && o->outcome == OUTCOME_DONE) {
        soak(w);
        return;
    }
    if (o != NULL && (o->outcome != OUTCOME_ROLLED_BACK || b->tries > 0)) {
        stop(w, REFUSAL_NONE, operation_outcome_name(o->outcome));
        return;
    }
    if (o != NULL) {
        work_trail(w, "card.bootstrap", o->id, name(b), "ENABLING", "rolled back: once more");
        b->state = BOOTSTRAP_ENABLING;
        b->tries++;
        b->operation = 0;
        b->due = utc_after(w->now, HOUR_MS);
        w->d->is_job_changed = true;
        return;
    }
    if (slot == NULL)
        stop(w, REFUSAL_NOT_INSTALLED, "enable");
    else if (slot == record_enabled(r))
        soak(w);
    else
        ask_for(w, OPERATION_ENABLE, slot);
}

// The time of a card that fell back begins anew when it returns.
static void note_use(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    const bool is_in_use = slot_to_enable(r) != NULL && slot_to_enable(r) == record_enabled(r);
    if (b->state != BOOTSTRAP_SOAKING)
        return;
    if (!is_in_use)
        b->due.ms = 0;
    else if (b->due.ms == 0)
        b->due = utc_after(w->now, (int64_t)b->soak_s * 1000);
}

static void watch(struct work *w)
{
    const struct utc due = w->r->bootstrap.due;
    if (due.ms != 0 && due.ms <= w->now.ms)
        go(w, BOOTSTRAP_FINISHING, "soaked");
}

static const struct mirror_slot *wanted_fallback(const struct record *r)
{
    return r->bootstrap.deletes ? slot_to_enable(r) : record_slot_of(r, r->bootstrap.origin);
}

static bool is_as_planned(const struct record *r)
{
    const struct bootstrap *b = &r->bootstrap;
    for (uint8_t i = 0; i < b->item_count; i++) {
        if (record_slot_of(r, b->items[i].subscription) == NULL)
            return false;
    }
    const bool is_there = record_slot_of(r, b->origin) != NULL;
    return slot_to_enable(r) == record_enabled(r) && wanted_fallback(r) == record_fallback(r) &&
           is_there != b->deletes;
}

static void finish(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    const struct operation *o = ended(w);
    const struct mirror_slot *fallback = wanted_fallback(r);
    if (o != NULL && o->kind == OPERATION_AUDIT) {
        b->operation = 0;
        b->is_audited = o->outcome == OUTCOME_DONE;
        if (!b->is_audited)
            b->due = utc_after(w->now, AUDIT_RETRY_MS);
    } else if (o != NULL && !went_well(w, o)) {
        return;
    }
    if (b->is_audited && is_as_planned(r)) {
        go(w, BOOTSTRAP_DONE, "as planned");
        set_card_state(w, CARD_OPERATIONAL);
        return;
    }
    if (b->is_audited || fallback == NULL) {
        stop(w, REFUSAL_NOT_INSTALLED, "not as planned");
        return;
    }
    if (b->due.ms > w->now.ms)
        return;
    if (!fallback->fact.is_fallback)
        ask_for(w, OPERATION_SET_FALLBACK, fallback);
    else if (b->deletes && record_slot_of(r, b->origin) != NULL)
        ask_for(w, OPERATION_DELETE, record_slot_of(r, b->origin));
    else
        ask_for(w, OPERATION_AUDIT, NULL);
}

static bool is_item(const struct bootstrap *b, uint64_t subscription)
{
    bool is_item = false;
    for (uint8_t i = 0; i < b->item_count && subscription != 0; i++)
        is_item |= b->items[i].subscription == subscription;
    return is_item;
}

// Does an operation on an item wait, or is one under way?
static bool is_any_asked_for(const struct record *r)
{
    bool is_asked_for = r->has_open && is_item(&r->bootstrap, r->open.subscription);
    for (uint8_t i = 0; i < r->queue_len; i++)
        is_asked_for |= is_item(&r->bootstrap, r->queue[i].subscription);
    return is_asked_for;
}

// Or is it unknown what became of one? Audits ask for that, each for one.
static bool is_any_expected(const struct record *r)
{
    bool is_expected = is_any_asked_for(r);
    for (uint8_t i = 0; i < r->late_count; i++)
        is_expected |= is_item(&r->bootstrap, r->late[i].subscription);
    return is_expected;
}

// Only what an audit did not find on the card, and nothing can bring there, is given back.
static void give_back(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    const struct operation *o = ended(w);
    if (o != NULL && (o->outcome != OUTCOME_DONE || is_any_expected(r))) {
        b->operation = 0;
        b->due = utc_after(w->now, AUDIT_RETRY_MS);
        return;
    }
    if (o == NULL) {
        if (b->due.ms <= w->now.ms && !is_any_asked_for(r))
            ask_for(w, OPERATION_AUDIT, NULL);
        return;
    }
    for (uint8_t i = 0; i < b->item_count; i++) {
        const uint64_t id = b->items[i].subscription;
        if (id == 0 || record_slot_of(r, id) != NULL || bootstrap_is_of_factory(b, i))
            continue;
        w->d->released[w->d->released_count++] = id;
        b->items[i].subscription = 0;
    }
    b->operation = 0;
    stop(w, REFUSAL_NONE, "cancelled");
}

struct utc bootstrap_starts_at(const struct record *r, const struct bootstrap_rule *rule)
{
    const struct utc never = {0};
    if (r->state != CARD_SEEN || r->bootstrap.state != BOOTSTRAP_NONE || !rule->is_enabled)
        return never;
    switch ((enum bootstrap_trigger)rule->trigger) {
    case BOOTSTRAP_FIRST_CONTACT:
        return (struct utc){1}; // it was seen
    case BOOTSTRAP_FIRST_ATTACH:
        return r->attached_at;
    case BOOTSTRAP_AFTER_ACTIVATION:
        return utc_after(r->seen_at, (int64_t)rule->delay_s * 1000);
    case BOOTSTRAP_MANUAL:
        break;
    }
    return never;
}

static bool may_start(const struct work *w)
{
    const struct record *r = w->r;
    return w->e->type != EVENT_MOVE && // the policy is that of the group that it leaves
           origin_of(r) != NULL && r->dirty_since.ms == 0 &&
           utc_is_due(bootstrap_starts_at(r, &w->policy->bootstrap), w->now);
}

static void check_deadline(struct work *w)
{
    struct bootstrap *b = &w->r->bootstrap;
    if (b->is_stalled || !utc_is_due(b->deadline, w->now))
        return;
    b->is_stalled = true;
    w->d->is_job_changed = true;
    work_alarm(w, ALARM_BOOTSTRAP_STALLED, true);
}

static void note_confirming(struct work *w)
{
    struct record *r = w->r;
    if (r->bootstrap.state != BOOTSTRAP_ENABLING || !r->has_open ||
        r->open.id != r->bootstrap.operation || r->open.status != STATUS_CONFIRMING)
        return;
    work_trail(w, "card.bootstrap", r->open.id, name(&r->bootstrap), "CONFIRMING", "enabled");
    r->bootstrap.state = BOOTSTRAP_CONFIRMING;
    w->d->is_job_changed = true;
}

static void forget_item(struct bootstrap *b, uint64_t subscription)
{
    for (uint8_t k = 0; k < b->item_count; k++) {
        if (subscription == b->items[k].subscription)
            b->items[k].subscription = 0;
    }
}

// What was deleted on the card, also if it tells of that late, is its pool's again, or retired:
// nobody resumes with it.
static void forget_deleted(struct work *w)
{
    for (uint8_t i = 0; i < w->d->ended_count; i++) {
        const struct operation *o = &w->d->ended[i];
        if (o->kind == OPERATION_DELETE && o->outcome == OUTCOME_DONE)
            forget_item(&w->r->bootstrap, o->subscription);
    }
    for (uint8_t i = 0; i < w->d->settled_count; i++)
        forget_item(&w->r->bootstrap, w->d->settled[i].deleted);
}

static void step(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    forget_deleted(w);
    if (may_start(w))
        start(w);
    if (!bootstrap_is_active(r))
        return;
    if (r->state == CARD_RETIRED) {
        stop(w, REFUSAL_CARD_RETIRED, "retired");
        return;
    }
    check_deadline(w);
    note_confirming(w);
    note_use(w);
    // In doubt, too, what has ended is noted, for it is not told again.
    if (is_under_way(w) || (is_held(r) && ended(w) == NULL))
        return;
    switch ((enum bootstrap_state)b->state) {
    case BOOTSTRAP_DOWNLOADING:
        download(w);
        break;
    case BOOTSTRAP_ENABLING:
    case BOOTSTRAP_CONFIRMING:
        if (b->due.ms <= w->now.ms)
            enable(w);
        break;
    case BOOTSTRAP_SOAKING:
        watch(w);
        break;
    case BOOTSTRAP_FINISHING:
        finish(w);
        break;
    case BOOTSTRAP_CANCELLING:
        give_back(w);
        break;
    case BOOTSTRAP_NONE:
    case BOOTSTRAP_WAITING:
    case BOOTSTRAP_DONE:
    case BOOTSTRAP_FAILED:
    case BOOTSTRAP_PARTIAL:
        break;
    }
}

// From the reservation to the last audit there are fewer steps that need nothing from outside.
#define RUNS_MAX 12

void bootstrap_run(struct work *w)
{
    const struct bootstrap *b = &w->r->bootstrap;
    bootstrap_note_items(w);
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        const uint8_t state = b->state;
        const uint64_t operation = b->operation;
        step(w);
        plan_next_packet(w);
        if (b->state == state && b->operation == operation)
            break;
    }
}

// --- people ----------------------------------------------------------------------------------

static bool is_reserved(const struct bootstrap *b)
{
    for (uint8_t i = 0; i < b->item_count; i++) {
        if (b->items[i].subscription == 0)
            return false;
    }
    return b->item_count > 0;
}

// Does the job still hold something of a pool?
static bool holds_any(const struct bootstrap *b)
{
    bool holds = false;
    for (uint8_t i = 0; i < b->item_count; i++)
        holds |= b->items[i].subscription != 0 && !bootstrap_is_of_factory(b, i);
    return holds;
}

static bool is_stopped(const struct bootstrap *b)
{
    return b->state == BOOTSTRAP_FAILED || b->state == BOOTSTRAP_PARTIAL;
}

static uint8_t begin_by_hand(struct work *w)
{
    struct record *r = w->r;
    const uint8_t state = r->bootstrap.state;
    const bool is_over = state == BOOTSTRAP_NONE || state == BOOTSTRAP_DONE ||
                         (is_stopped(&r->bootstrap) && !holds_any(&r->bootstrap));
    if (!is_over || r->state != CARD_SEEN || origin_of(r) == NULL ||
        !w->policy->bootstrap.is_enabled)
        return REFUSAL_WRONG_STATUS;
    start(w);
    return REFUSAL_NONE;
}

static uint8_t resume(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    if (!is_stopped(b) || !is_reserved(b))
        return REFUSAL_WRONG_STATUS;
    go(w, BOOTSTRAP_WAITING, "resumed");
    return REFUSAL_NONE;
}

static uint8_t cancel(struct work *w)
{
    struct record *r = w->r;
    struct bootstrap *b = &r->bootstrap;
    if (b->state == BOOTSTRAP_WAITING && b->item_count == 0) {
        stop(w, REFUSAL_NONE, "cancelled");
        return REFUSAL_NONE;
    }
    if ((!bootstrap_is_active(r) && !is_stopped(b)) || b->state == BOOTSTRAP_CANCELLING ||
        !holds_any(b))
        return REFUSAL_WRONG_STATUS;
    const uint64_t id = b->operation;
    go(w, BOOTSTRAP_CANCELLING, "cancelled");
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].id == id && !r->queue[i].sent_any) {
            operation_input(w, &r->queue[i], IN_CANCEL);
            break;
        }
    }
    return REFUSAL_NONE;
}

void decide_bootstrap(struct work *w)
{
    if (w->r->state == CARD_RETIRED) {
        w->d->refusal = REFUSAL_CARD_RETIRED;
        return;
    }
    switch ((enum bootstrap_action)w->e->as.bootstrap) {
    case BOOTSTRAP_START:
        w->d->refusal = begin_by_hand(w);
        break;
    case BOOTSTRAP_RESUME:
        w->d->refusal = resume(w);
        break;
    case BOOTSTRAP_CANCEL:
        w->d->refusal = cancel(w);
        break;
    }
}

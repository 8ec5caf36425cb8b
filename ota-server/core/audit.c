// Audits: when to ask, how pages become one answer, what the answer changes. The card is the truth
// for facts, the server for intent.
#include "ota-server/core/work.h"

#define RESTARTS_MAX 3

void audit_open(struct work *w, const struct operation *requested)
{
    struct audit_job *a = &w->r->audit;
    memset(a, 0, sizeof(*a));
    a->is_open = true;
    a->next_slot = 1;
    if (requested != NULL) {
        a->operation = *requested;
        return;
    }
    struct operation *o = &a->operation;
    o->id = work_id(w);
    o->kind = OPERATION_AUDIT;
    o->status = STATUS_QUEUED;
    o->is_automatic = true;
    o->actor.kind = ACTOR_SYSTEM;
    o->created_at = w->now;
    work_step(w, o, STEP_CREATED, "dirty");
}

void audit_schedule(struct work *w)
{
    struct record *r = w->r;
    if (r->dirty_attempts < UINT8_MAX)
        r->dirty_attempts++;
    r->audit_turn++;
    r->last_attempt_at = w->now;
    audit_next(w);
}

void audit_next(struct work *w)
{
    struct record *r = w->r;
    if (r->dirty_since.ms == 0) {
        r->next_audit_at.ms = 0;
        return;
    }
    // Every subscription once a day; of an unreachable card, once in the time that made it so.
    const bool is_unreachable = record_has_mark(r, MARK_UNREACHABLE);
    const int64_t round_ms = is_unreachable ? w->policy->unreachable_ms : DAY_MS;
    struct audit_targets targets;
    audit_targets(r, &targets);
    r->next_audit_at =
        utc_after(r->last_attempt_at, round_ms / (targets.count == 0 ? 1 : targets.count));
    if (is_unreachable)
        return;
    for (uint8_t i = 0; i < w->policy->audit.count; i++) {
        const struct utc at =
            utc_after(r->dirty_since, (int64_t)w->policy->audit.after_s[i] * 1000);
        if (at.ms > w->now.ms) {
            r->next_audit_at = at;
            return;
        }
    }
}

// The times of a dirty card are its schedule's. Nothing is in doubt through an audit of another
// that was not answered: it is sent again like a packet that was not delivered.
void audit_unanswered(struct work *w)
{
    if (w->r->dirty_since.ms == 0)
        operation_retry_later(w, &w->r->audit.operation);
}

static void differ(struct work *w, uint8_t slot, const char *field, uint32_t server, uint32_t card)
{
    if (server == card || w->d->difference_count == DECISION_DIFFERENCES_MAX)
        return;
    w->d->differences[w->d->difference_count++] =
        (struct difference){.slot = slot, .field = field, .server = server, .card = card};
}

static void compare_slot(struct work *w, const struct audit_slot *s, const struct audit_slot *c)
{
    differ(w, c->slot, "slot", s->slot, c->slot);
    differ(w, c->slot, "state", s->state, c->state);
    differ(w, c->slot, "fallback", s->is_fallback, c->is_fallback);
    differ(w, c->slot, "role", s->role, c->role);
    differ(w, c->slot, "rank", s->rank, c->rank);
    differ(w, c->slot, "marks", s->marks, c->marks);
    differ(w, c->slot, "templateId", s->template_number, c->template_number);
}

static bool is_imsi(const struct mirror_slot *slot, const uint8_t imsi[COMMAND_IMSI_SIZE])
{
    return memcmp(slot->fact.imsi, imsi, sizeof(slot->fact.imsi)) == 0;
}

static void recognise(struct mirror_slot *to, uint64_t subscription, bool is_barred,
                      const char number[NUMBER_TEXT_SIZE])
{
    to->subscription = subscription;
    to->is_barred = is_barred;
    memcpy(to->number, number, sizeof(to->number));
}

// A registry from a backup believes it to be free, or promised it to somebody else.
static bool adopt_known(struct work *w, struct mirror_slot *to)
{
    struct found_subscription known;
    const struct decide_context *c = w->context;
    if (c->find != NULL && c->find(c->caller_context, w->r, to->fact.imsi, &known)) {
        recognise(to, known.id, known.is_barred, known.number);
        work_trail(w, "subscription.adopted", 0, known.is_promised ? "RESERVED" : "FREE", "ON_CARD",
                   "an audit found it");
        w->d->is_located = true;
        return true;
    }
    return false;
}

// What the server knows about a subscription that it did not expect on the card: a download whose
// outcome is unknown, one that a bootstrap was to bring before a backup was put back, what the
// registry knows, or nothing.
static void adopt(struct work *w, struct mirror_slot *to, struct findings *found)
{
    const struct record *r = w->r;
    const struct operation *o = &r->open;
    const struct bootstrap *b = &r->bootstrap;
    differ(w, to->fact.slot, "subscription", 0, 1);
    if (r->has_open && o->kind == OPERATION_DOWNLOAD && is_imsi(to, o->download.imsi)) {
        recognise(to, o->subscription, o->download.is_barred, o->download.number);
        return;
    }
    for (uint8_t i = 0; i < r->late_count; i++) {
        const struct late *late = &r->late[i];
        if (late->kind != OPERATION_DOWNLOAD || !is_imsi(to, late->imsi))
            continue;
        recognise(to, late->subscription, late->is_barred, late->number);
        return;
    }
    for (uint8_t i = 0; i < b->item_count; i++) {
        const struct download_plan *p = &b->items[i].plan;
        if (b->items[i].subscription == 0 || !is_imsi(to, p->imsi))
            continue;
        recognise(to, b->items[i].subscription, p->is_barred, p->number);
        return;
    }
    if (!adopt_known(w, to))
        found->needs_operator = true; // foreign: nobody deletes it by itself
}

static void correct_slots(struct work *w, struct findings *found)
{
    struct record *r = w->r;
    const struct audit_job *a = &r->audit;
    struct mirror_slot next[COMMAND_SLOTS_MAX];
    memset(next, 0, sizeof(next));
    for (uint8_t i = 0; i < a->slot_count; i++) {
        const struct audit_slot *c = &a->slots[i];
        struct mirror_slot wanted = {.fact = *c};
        const struct subscription_name name = record_slot_name(&wanted);
        const struct mirror_slot *s = record_slot_named(r, &name);
        next[i].fact = *c;
        if (s == NULL) {
            adopt(w, &next[i], found);
            continue;
        }
        compare_slot(w, &s->fact, c);
        if (memcmp(s->fact.imsi, c->imsi, sizeof(c->imsi)) != 0) {
            differ(w, c->slot, "imsi", 0, 1);
            found->needs_operator = true;
        }
        next[i].subscription = s->subscription;
        next[i].is_barred = s->is_barred;
        memcpy(next[i].number, s->number, sizeof(s->number));
        if (s->subscription == 0) // another card that had it may have lost it since
            (void)adopt_known(w, &next[i]);
    }
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct subscription_name name = record_slot_name(&r->slots[i]);
        bool is_there = false;
        for (uint8_t k = 0; k < a->slot_count; k++) {
            struct mirror_slot card = {.fact = a->slots[k]};
            const struct subscription_name other = record_slot_name(&card);
            is_there |= memcmp(&name, &other, sizeof(name)) == 0;
        }
        if (!is_there)
            differ(w, r->slots[i].fact.slot, "subscription", 1, 0);
    }
    memcpy(r->slots, next, sizeof(next));
    r->slot_count = a->slot_count;
    w->d->is_located = true;
}

static void correct_head(struct work *w, const struct audit_answer *a)
{
    struct record *r = w->r;
    differ(w, 0, "configurationVersion", r->configuration_version, a->configuration_version);
    differ(w, 0, "level", r->level, a->level);
    differ(
        w, 0, "appletVersion",
        (uint32_t)(r->applet_version[0] << 16 | r->applet_version[1] << 8 | r->applet_version[2]),
        (uint32_t)(a->applet_version[0] << 16 | a->applet_version[1] << 8 | a->applet_version[2]));
    r->configuration_version = a->configuration_version;
    r->level = a->level;
    memcpy(r->applet_version, a->applet_version, sizeof(r->applet_version));
    r->slot_limit = a->slot_count;
    r->terminal = a->terminal;
    r->free_memory = a->free_memory;
    r->template_count = a->template_count;
    memcpy(r->templates, a->templates, sizeof(r->templates));
    if (a->has_plmn)
        memcpy(r->plmn, a->plmn, sizeof(r->plmn));
    r->has_plmn |= a->has_plmn;
    if (a->has_imei) // a backup that was put back knows an older one
        (void)note_imei(r, a->imei);
    r->preferred = 0; // none, or one that nobody here knows
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.slot == a->preferred_slot)
            r->preferred = r->slots[i].subscription;
    }
    const struct mirror_slot *enabled = record_enabled(r);
    if (enabled != NULL && !enabled->fact.is_fallback)
        work_unmark(w, MARK_ON_FALLBACK, "audit");
}

// What the card counted against what this database gave out.
static void compare_numbers(struct work *w, const struct audit_answer *a, struct findings *found)
{
    struct record *r = w->r;
    if (a->operation_id_highest < r->operation_id_seen || a->mo_counter < r->mo_counter) {
        // After a clean audit in between it is no accident: two cards share these keys.
        found->needs_operator |= r->resets_suspected > 0;
        if (r->resets_suspected < UINT8_MAX)
            r->resets_suspected++;
        differ(w, 0, "highestOperationId", r->operation_id_seen, a->operation_id_highest);
    }
    r->operation_id_seen = a->operation_id_highest;
    if (a->operation_id_highest > r->operation_id_last)
        r->operation_id_last = a->operation_id_highest + COUNTER_JUMP;
    if (a->mt_counter > r->mt_counter)
        r->mt_counter = work_counter_above(a->mt_counter);
}

// Others ended without the card's word as well, and a question asks about one. It can be asked on
// when this one got its answer.
static bool has_more_to_ask(const struct record *r, const struct audit_answer *a)
{
    uint32_t first = 0;
    for (uint8_t i = 0; i < r->late_count && first == 0; i++)
        first = r->late[i].card_operation_id;
    return first != 0 && a->lookup != LOOKUP_NOT_ASKED && a->lookup_operation_id != first &&
           !audit_is_switching(a);
}

static void finish(struct work *w, const struct audit_answer *a, const struct findings *found)
{
    struct record *r = w->r;
    const bool differs = w->d->difference_count > 0;
    uint8_t outcome = found->is_reissued ? AUDIT_REISSUED
                      : differs          ? AUDIT_SERVER_CORRECTED
                                         : AUDIT_CLEAN;
    if (found->needs_operator || (differs && w->policy->operator_for_all))
        outcome = AUDIT_NEEDS_OPERATOR;
    r->last_audit_at = w->now;
    r->last_audit_outcome = outcome;
    work_trail(w, "card.audited", r->audit.operation.id, "", audit_outcome_name(outcome), "");
    work_step(w, &r->audit.operation, STEP_RECONCILED, audit_outcome_name(outcome));
    operation_input(w, &r->audit.operation, IN_DONE);
    if (outcome == AUDIT_NEEDS_OPERATOR) {
        if (!r->needs_operator)
            work_alarm(w, ALARM_NEEDS_OPERATOR, true);
        r->needs_operator = true;
        return;
    }
    if (r->needs_operator) // a person has to decide, also when the card agrees by now
        return;
    if (found->is_awaited) // until then, at the times of the doubt
        return;
    r->gap_sequences = 0;
    r->gap_deadline.ms = 0;
    // An answer to a question from before this operation says nothing about it.
    const bool is_unknown = r->has_open && r->open.status == STATUS_UNKNOWN;
    if (r->dirty_since.ms != 0 && (is_unknown || has_more_to_ask(r, a))) {
        r->next_audit_at = w->now;
        return;
    }
    if (r->dirty_since.ms != 0)
        work_clear_dirty(w, audit_outcome_name(outcome));
}

static void complete(struct work *w, const struct event_por *p)
{
    struct record *r = w->r;
    struct findings found = {.needs_operator = false};
    const struct audit_answer *a = &p->answer;
    if (memcmp(a->card_iccid, r->iccid, sizeof(r->iccid)) != 0) {
        differ(w, 0, "iccid", 0, 1);
        found.needs_operator = true;
    } else {
        correct_slots(w, &found);
        correct_head(w, a);
        compare_numbers(w, a, &found);
        r->has_registry_version = true;
        r->registry_version = p->result.registry_version;
        audit_resolve_late(w, a, p->counter);
        audit_resolve_open(w, a, &found); // behind it: what ends unresolved now was not asked about
        late_mirrored(w);
        if (r->parameters_version != a->configuration_version)
            timers_read(w);
    }
    w->d->has_answer = true;
    w->d->answer = *a;
    w->d->answer_registry_version = p->result.registry_version;
    w->d->answer.slot_count_here = r->audit.slot_count;
    memcpy(w->d->answer.slots, r->audit.slots, sizeof(r->audit.slots));
    finish(w, a, &found);
}

// The card changed while it was asked: from the first slot again, a few times.
static void restart(struct work *w)
{
    struct record *r = w->r;
    struct audit_job *a = &r->audit;
    a->slot_count = 0;
    a->next_slot = 1;
    if (a->restarts++ < RESTARTS_MAX) {
        a->is_page_due = true;
        return;
    }
    r->last_audit_outcome = AUDIT_INCOMPLETE;
    audit_unanswered(w);
    work_trail(w, "card.audited", a->operation.id, "", "incomplete", "");
}

// Was the answer to a packet that left later heard already? A CONFIRM moves the fallback mark; in a
// doubt the mirror does not follow.
static bool is_later_answered(const struct record *r, uint64_t counter)
{
    bool is_any = false;
    for (uint8_t i = 0; i < RECORD_ANSWERED_MAX; i++)
        is_any |= r->answered[i] > counter;
    return is_any;
}

// A notification that came after this answer on the card arrived before it; or the answer to a
// later packet did; or the registry is known to be newer.
// An older MO counter than was known when it was asked for is something else: the card went back.
static bool is_overtaken(const struct record *r, const struct event_por *p)
{
    const uint64_t mo_counter = p->answer.mo_counter;
    const bool is_before = mo_counter < r->mo_counter && mo_counter >= r->audit.mo_counter;
    const bool is_known_newer = p->counter < r->mt_counter && r->has_registry_version &&
                                p->result.registry_version < r->registry_version;
    const bool is_older = is_known_newer || is_later_answered(r, p->counter);
    return is_before || is_older;
}

void audit_page(struct work *w)
{
    const struct event_por *p = &w->e->as.por;
    struct record *r = w->r;
    struct audit_job *a = &r->audit;
    const bool is_ours = a->is_open && memcmp(a->nonce, p->answer.nonce, sizeof(a->nonce)) == 0;
    // That of an earlier attempt leaves the question under way as it is.
    if (r->flight.kind == FLIGHT_AUDIT && (is_ours || r->flight.counter == p->counter))
        flight_clear(w);
    if (!is_ours || p->counter < r->changed_counter) { // of an earlier attempt, or out of date
        w->d->is_dropped = true;
        return;
    }
    work_count_mo(&a->operation, p->sms, p->octets);
    if (a->slot_count == 0)
        a->registry_version = p->result.registry_version;
    if (a->registry_version != p->result.registry_version || is_overtaken(r, p)) {
        restart(w);
        return;
    }
    for (uint8_t i = 0; i < p->answer.slot_count_here && a->slot_count < COMMAND_SLOTS_MAX; i++) {
        const struct audit_slot *s = &p->answer.slots[i];
        if (a->slot_count == 0 || s->slot > a->slots[a->slot_count - 1].slot)
            a->slots[a->slot_count++] = *s;
    }
    const bool is_more = p->result.more && a->slot_count > 0 &&
                         a->slots[a->slot_count - 1].slot < COMMAND_SLOTS_MAX &&
                         p->answer.slot_count_here > 0;
    if (is_more) {
        a->next_slot = (uint8_t)(a->slots[a->slot_count - 1].slot + 1);
        a->is_page_due = true;
        return;
    }
    complete(w, p);
}

// Did anything raise doubt since the last complete answer?
static bool is_doubted_since(const struct record *r)
{
    bool is_so = false;
    for (unsigned i = 0; i < DIRTY_REASONS; i++)
        is_so |= r->reasons[i].since.ms > r->last_audit_at.ms;
    return is_so;
}

// A person decides what an audit left open; what came after that audit is for the next one.
void decide_resolve(struct work *w)
{
    struct record *r = w->r;
    if (!r->needs_operator) {
        w->d->refusal = REFUSAL_WRONG_STATUS;
        return;
    }
    work_alarm(w, ALARM_NEEDS_OPERATOR, false);
    r->resets_suspected = 0;
    const char *decided = w->e->push_server ? "server pushed" : "card accepted";
    if (is_doubted_since(r)) {
        r->needs_operator = false;
        r->next_audit_at = w->now;
        work_trail(w, "card.decided", 0, "", decided, "doubted since: asked again");
        return;
    }
    if (r->has_open && r->open.status == STATUS_UNKNOWN) {
        w->d->operation = r->open.id;
        operation_input(w, &r->open, w->e->push_server ? IN_AUDIT_ABSENT : IN_EXPIRED);
    }
    for (uint8_t i = 0; i < r->slot_count; i++) { // of another card by now, or of none
        if (r->slots[i].subscription == 0)
            (void)adopt_known(w, &r->slots[i]);
    }
    work_clear_dirty(w, decided);
}

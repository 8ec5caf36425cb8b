#include "ota-server/core/work.h"

#include "common/base/check.h"
#include "common/base/prng.h"

#define JUMPS_PER_DAY 3

static void put_text(char *to, size_t size, const char *text)
{
    struct writer w = writer_of(to, size - 1);
    struct bytes b = bytes_of_text(text);
    writer_copy(&w, bytes_slice(b, 0, size - 1));
    to[w.len] = 0;
}

uint64_t work_id(struct work *w)
{
    check(w->ids < FRESH_IDS);
    return w->e->fresh_id + w->ids++;
}

uint64_t work_draw(struct work *w, uint64_t bound)
{
    struct prng p;
    prng_init(&p, w->policy->seed ^ w->r->card, "decide", w->r->draws++);
    return prng_below(&p, bound);
}

void work_step(struct work *w, const struct operation *o, uint8_t name, const char *detail)
{
    if (w->d->step_count == DECISION_STEPS_MAX)
        return;
    struct step *s = &w->d->steps[w->d->step_count++];
    *s = (struct step){.operation = o->id, .name = name, .attempt = o->attempts};
    put_text(s->detail, sizeof(s->detail), detail);
}

void work_step_of(struct work *w, const struct packet_of *of, uint8_t name, const char *detail)
{
    const struct operation o = {.id = of->operation};
    const uint8_t count = w->d->step_count;
    if (of->operation == 0 || of->built_at.ms == 0)
        return;
    work_step(w, &o, name, detail);
    if (w->d->step_count > count)
        w->d->steps[count].built_at = of->built_at;
}

void work_trail(struct work *w, const char *action, uint64_t operation, const char *before,
                const char *after, const char *reason)
{
    check(w->d->trail_count < DECISION_TRAIL_MAX);
    struct trail_entry *t = &w->d->trail[w->d->trail_count++];
    memset(t, 0, sizeof(*t));
    t->operation = operation;
    put_text(t->action, sizeof(t->action), action);
    put_text(t->before, sizeof(t->before), before);
    put_text(t->after, sizeof(t->after), after);
    put_text(t->reason, sizeof(t->reason), reason);
}

void work_alarm(struct work *w, uint8_t key, bool is_raised)
{
    if (w->d->alarm_count < DECISION_ALARMS_MAX)
        w->d->alarms[w->d->alarm_count++] = (struct alarm_change){key, is_raised};
}

void work_mark(struct work *w, uint8_t mark, const char *why)
{
    if (record_has_mark(w->r, mark))
        return;
    w->r->marks |= (uint8_t)(1u << mark);
    w->r->mark_since[mark] = w->now;
    work_trail(w, "card.marked", 0, "", card_mark_name(mark), why);
}

void work_unmark(struct work *w, uint8_t mark, const char *why)
{
    if (!record_has_mark(w->r, mark))
        return;
    w->r->marks &= (uint8_t) ~(1u << mark);
    w->r->mark_since[mark].ms = 0;
    work_trail(w, "card.unmarked", 0, card_mark_name(mark), "", why);
}

struct utc work_first_audit(const struct work *w)
{
    const struct policy *p = w->policy;
    return utc_after(w->now, p->audit.count == 0 ? MINUTE_MS : (int64_t)p->audit.after_s[0] * 1000);
}

void work_dirty(struct work *w, uint8_t reason, uint64_t operation)
{
    struct record *r = w->r;
    struct dirty_entry *entry = &r->reasons[reason];
    if (r->state == CARD_RETIRED) // it is sent nothing any more, audits neither
        return;
    // A person who decides about the last audit must not wipe out what came after it.
    const bool is_news = r->needs_operator && entry->since.ms <= r->last_audit_at.ms;
    if (entry->since.ms != 0 && !is_news)
        return;
    *entry = (struct dirty_entry){w->now, operation};
    work_trail(w, "card.dirty", operation, "", dirty_reason_name(reason),
               event_type_name(w->e->type));
    if (r->dirty_since.ms == 0) {
        r->dirty_since = w->now;
        r->dirty_attempts = 0;
        r->reissues = 0;
        r->next_audit_at = work_first_audit(w);
    }
    r->marks |= 1u << MARK_DIRTY;
    if (r->mark_since[MARK_DIRTY].ms == 0)
        r->mark_since[MARK_DIRTY] = w->now;
}

void work_clear_dirty(struct work *w, const char *why)
{
    struct record *r = w->r;
    memset(r->reasons, 0, sizeof(r->reasons));
    r->dirty_since.ms = 0;
    r->next_audit_at.ms = 0;
    r->dirty_attempts = 0;
    r->reissues = 0;
    r->needs_operator = false;
    r->restored_sequence = 0;
    work_unmark(w, MARK_DIRTY, why);
    work_unmark(w, MARK_UNREACHABLE, why);
}

void work_quarantine(struct work *w, const char *why)
{
    if (record_has_mark(w->r, MARK_QUARANTINED))
        return;
    work_mark(w, MARK_QUARANTINED, why);
    work_alarm(w, ALARM_SECURITY_FAILURES, true);
}

void work_jump(struct work *w)
{
    struct record *r = w->r;
    const uint32_t day = (uint32_t)(w->now.ms / DAY_MS);
    if (r->jump_day != day) {
        r->jump_day = day;
        r->jumps_today = 0;
    }
    if (r->jumps_today == JUMPS_PER_DAY || r->mt_counter + COUNTER_JUMP >= COUNTER_LAST)
        return;
    r->jumps_today++;
    r->mt_counter += COUNTER_JUMP;
    work_trail(w, "card.counter_jumped", 0, "", "", event_type_name(w->e->type));
    // The card heard what it refused: asked soon again it may take the new counter, and what is
    // missing after several jumps does not cost a day each.
    const struct utc soon = work_first_audit(w);
    if (r->dirty_since.ms != 0 && r->next_audit_at.ms > soon.ms)
        r->next_audit_at = soon;
}

uint64_t work_counter_above(uint64_t counter)
{
    return counter + COUNTER_JUMP < COUNTER_LAST ? counter + COUNTER_JUMP : counter;
}

void work_restored(struct work *w, uint64_t operation)
{
    struct record *r = w->r;
    if (r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms == 0) {
        r->operation_id_last += COUNTER_JUMP;
        r->mt_counter = work_counter_above(r->mt_counter);
        r->changed_counter = r->mt_counter;
    }
    work_dirty(w, DIRTY_RESTORE_FROM_BACKUP, operation);
}

void work_heard(struct work *w, const char *number)
{
    if (number[0] == 0)
        return;
    memcpy(w->r->heard_from, number, strlen(number) + 1);
    w->r->audit_turn = 0;
}

void work_release(struct operation *o, struct utc at)
{
    if (!o->at_next_contact)
        return;
    o->at_next_contact = false;
    o->not_before = at;
    o->hold = o->attempts > 0 ? HOLD_RETRY : HOLD_NOT_BEFORE;
}

// What waits for a contact may go after a random delay; a dirty card is audited.
void work_contact(struct work *w)
{
    struct record *r = w->r;
    r->last_contact_at = w->now;
    if (r->seen_at.ms == 0)
        r->seen_at = w->now;
    const struct utc soon =
        utc_after(w->now, (int64_t)work_draw(w, (uint64_t)w->policy->contact_delay_ms + 1));
    const struct mirror_slot *enabled = record_enabled(r);
    const bool is_operational =
        enabled != NULL && enabled->fact.role == ROLE_OPERATIONAL && !bootstrap_is_owed(w);
    if (r->state == CARD_IMPORTED || (r->state == CARD_SEEN && is_operational)) {
        const uint8_t next = is_operational ? CARD_OPERATIONAL : CARD_SEEN;
        work_trail(w, "card.state", 0, card_state_name(r->state), card_state_name(next), "contact");
        r->state = next;
    }
    if (record_has_mark(r, MARK_UNREACHABLE)) {
        work_unmark(w, MARK_UNREACHABLE, "contact");
        audit_next(w); // no longer once in a week
        if (r->dirty_since.ms != 0 && r->next_audit_at.ms < soon.ms)
            r->next_audit_at = soon;
    }
    for (uint8_t i = 0; i < r->queue_len; i++)
        work_release(&r->queue[i], soon);
    if (r->has_open)
        work_release(&r->open, soon);
    if (r->audit.is_open)
        work_release(&r->audit.operation, soon);
    const bool is_rested = r->last_attempt_at.ms == 0 ||
                           w->now.ms - r->last_attempt_at.ms >= w->policy->contact_gap_ms;
    if (w->policy->audit_at_contact && r->dirty_since.ms != 0 && is_rested &&
        (r->next_audit_at.ms == 0 || r->next_audit_at.ms > soon.ms))
        r->next_audit_at = soon;
}

void work_attached(struct work *w)
{
    if (w->r->attached_at.ms == 0)
        w->r->attached_at = w->now;
}

void work_count_mo(struct operation *o, uint8_t sms, uint16_t octets)
{
    o->sms_mo += sms;
    o->bytes_mo += octets;
}

// Doubt, marks and contacts, as sections 8 and 11 have them.
#include "tests/model/registry_parts.h"

void registry_mark(struct registry_model *m, uint8_t mark)
{
    m->r.marks |= (uint8_t)(1u << mark);
}

void registry_unmark(struct registry_model *m, uint8_t mark)
{
    m->r.marks &= (uint8_t) ~(1u << mark);
}

void registry_doubt(struct registry_model *m, uint8_t reason)
{
    struct record *r = &m->r;
    if (r->state == CARD_RETIRED) // nobody would ask it any more [decision 317]
        return;
    if (r->reasons[reason].since.ms == 0)
        r->reasons[reason].since = m->now;
    if (r->dirty_since.ms == 0) {
        r->dirty_since = m->now;
        r->reissues = 0;
    }
    registry_mark(m, MARK_DIRTY);
}

void registry_clean(struct registry_model *m)
{
    struct record *r = &m->r;
    memset(r->reasons, 0, sizeof r->reasons);
    r->dirty_since.ms = 0;
    r->needs_operator = false;
    registry_unmark(m, MARK_DIRTY);
    registry_unmark(m, MARK_UNREACHABLE);
}

// What waits for a contact may go now, after a chance delay.
static void release(struct registry_model *m, struct operation *o)
{
    if (!o->at_next_contact)
        return;
    o->at_next_contact = false;
    o->not_before = m->now;
    m->left |= REGISTRY_DEADLINE;
}

void registry_contact(struct registry_model *m)
{
    struct record *r = &m->r;
    const struct mirror_slot *enabled = registry_enabled(m);
    const bool is_operational = enabled != NULL && enabled->fact.role == ROLE_OPERATIONAL;
    r->last_contact_at = m->now;
    registry_unmark(m, MARK_UNREACHABLE);
    if (r->state == CARD_IMPORTED || r->state == CARD_SEEN)
        r->state = is_operational ? CARD_OPERATIONAL : CARD_SEEN;
    for (uint8_t i = 0; i < r->queue_len; i++)
        release(m, &r->queue[i]);
    if (r->has_open)
        release(m, &r->open);
}

// A backup was put back: what waited to be sent again may have been sent since, and have run
// [decision 202].
void registry_restored(struct registry_model *m)
{
    struct record *r = &m->r;
    struct operation *o = registry_open(m);
    r->operation_id_last += COUNTER_JUMP;
    if (o != NULL && o->status == STATUS_QUEUED && o->card_operation_id != 0) {
        o->may_have_run = true;
        o->status = STATUS_UNKNOWN;
        o->deadline.ms = 0;
    }
    registry_doubt(m, DIRTY_RESTORE_FROM_BACKUP);
}

uint64_t registry_far_up(uint64_t counter)
{
    const uint64_t far = counter + COUNTER_JUMP;
    return far < COUNTER_LAST ? far : counter;
}

void registry_numbers_gone(struct registry_model *m)
{
    struct record *r = &m->r;
    if (r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms == 0) {
        r->operation_id_last += COUNTER_JUMP;
        r->mt_counter = registry_far_up(r->mt_counter);
    }
    registry_doubt(m, DIRTY_RESTORE_FROM_BACKUP);
}

void registry_jump(struct registry_model *m)
{
    struct record *r = &m->r;
    const uint32_t today = (uint32_t)(m->now.ms / DAYS_MS);
    const uint8_t jumps = r->jump_day == today ? r->jumps_today : 0;
    if (jumps < 3)
        r->mt_counter = registry_far_up(r->mt_counter);
}

// What leaves for a card, and whether it may: sections 9.1, 10 and 11. Which of what waits is sent
// is the product's choice; that it may be sent at all is judged here.
#include "tests/model/registry_parts.h"

uint8_t registry_command_of(uint8_t kind)
{
    switch ((enum operation_kind)kind) {
    case OPERATION_DOWNLOAD:
        return COMMAND_DOWNLOAD;
    case OPERATION_ENABLE:
    case OPERATION_DISABLE:
        return COMMAND_ENABLE;
    case OPERATION_DELETE:
        return COMMAND_DELETE;
    case OPERATION_SET_FALLBACK:
        return COMMAND_SET_FALLBACK;
    case OPERATION_SET_TIMERS:
    case OPERATION_READ_TIMERS:
        return COMMAND_CONFIGURE;
    case OPERATION_AUDIT:
        return COMMAND_AUDIT;
    case OPERATION_NONE:
        break;
    }
    return 0;
}

// A card that is out of use or quarantined is sent nothing; on a dirty one only what is forced.
static const char *may_be_sent(struct registry_model *m, const struct operation *o,
                               const struct send *s)
{
    const struct record *r = &m->r;
    const bool is_dirty = r->dirty_since.ms != 0;
    if (s->command != registry_command_of(o->kind))
        return "another command than its kind";
    if (o->status != STATUS_QUEUED)
        return "an operation that does not wait";
    if (r->has_open && r->open.id != o->id)
        return "a second one that changes the card";
    if (is_dirty && registry_is_changing(o->kind) && !o->force)
        return "a command for a card in doubt";
    if (o->at_next_contact)
        return "before a contact";
    if (o->not_before.ms > m->now.ms)
        return "before its time";
    if (o->not_after.ms != 0 && o->not_after.ms <= m->now.ms)
        return "after its time";
    if (o->card_operation_id != 0 && s->operation_id != o->card_operation_id)
        return "a new operation id on a retry";
    if (o->card_operation_id == 0 && s->operation_id != r->operation_id_last + 1)
        return "an operation id that is not the next";
    return NULL;
}

static void send_operation(struct registry_model *m, const struct send *s)
{
    struct record *r = &m->r;
    struct operation *o = registry_by_id(m, s->operation);
    if (o == NULL) {
        // Of a bootstrap, or what reads the timers: made in this step.
        if (s->operation_id > r->operation_id_last)
            r->operation_id_last = s->operation_id;
        return;
    }
    if (m->wrong_send == NULL)
        m->wrong_send = may_be_sent(m, o, s);
    if (o->card_operation_id == 0)
        r->operation_id_last = s->operation_id;
    o->card_operation_id = s->operation_id;
    o->attempts++;
    o->last_counter = s->counter;
    o->sent_any = o->may_have_run = true;
    o->has_result = false;
    registry_happened(m, o, HAPPENED_BUILT);
    if (r->has_open)
        return;
    const size_t at = (size_t)(o - r->queue);
    r->open = *o;
    r->has_open = true;
    r->queue_len--;
    memmove(&r->queue[at], &r->queue[at + 1], (r->queue_len - at) * sizeof r->queue[0]);
}

static bool is_told(const struct record *r, uint32_t sequence)
{
    for (uint8_t i = 0; i < r->confirm_count; i++) {
        if (r->confirms[i].sequence == sequence)
            return true;
    }
    return false;
}

void registry_send(struct registry_model *m, const struct send *s)
{
    struct record *r = &m->r;
    const struct event *e = m->e;
    const bool is_now = e->type == EVENT_NOTIFY &&
                        e->as.notify.notification.sequence == s->sequence &&
                        e->as.notify.mo_counter > m->before->mo_counter;
    if (s->counter <= r->mt_counter)
        m->wrong_send = "a counter that is not higher";
    r->mt_counter = s->counter;
    switch ((enum flight_kind)s->kind) {
    case FLIGHT_OPERATION:
        if (r->flight.kind != FLIGHT_NONE && !m->is_landing)
            m->wrong_send = "a second packet under way";
        send_operation(m, s);
        break;
    case FLIGHT_AUDIT:
        if (r->flight.kind != FLIGHT_NONE && r->flight.kind != FLIGHT_AUDIT && !m->is_landing)
            m->wrong_send = "a second packet under way";
        break;
    case FLIGHT_CONFIRM:
        if (!is_now && !is_told(m->before, s->sequence))
            m->wrong_send = "a confirmation of what was not told";
        break;
    case FLIGHT_NONE:
        break;
    }
    if (r->state == CARD_RETIRED || (r->marks >> MARK_QUARANTINED & 1) != 0)
        m->wrong_send = "for a card that is sent nothing";
}

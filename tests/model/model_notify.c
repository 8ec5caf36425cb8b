// Notifications: kept until confirmed, sent again and again.
#include "tests/model/model.h"

#define RESEND_S 86400u

static bool is_automatic(const struct model_note *n)
{
    return n->operation_id == 0 && n->cause != NOTIFY_ADDRESS_CHECK;
}

static void take_out(struct model_card *m, unsigned index)
{
    for (unsigned i = index + 1; i < m->note_count; i++)
        m->notes[i - 1] = m->notes[i];
    m->note_count--;
}

void model_drop(struct model_card *m, unsigned index)
{
    take_out(m, index);
    m->is_changed = true;
    if (m->note_count > 0)
        return;
    m->attempt = 0;
    m->notify.is_on = false;
}

// What one octet holds; 255 means that many or more.
static unsigned saturated(unsigned merged)
{
    return merged < 255 ? merged : 255;
}

// At most four are kept; the oldest that no command caused is merged into the newest.
static bool make_room(struct model_card *m, unsigned *merged)
{
    if (m->note_count < MODEL_NOTES)
        return true;
    for (unsigned i = 0; i < m->note_count; i++) {
        if (!is_automatic(&m->notes[i]))
            continue;
        *merged = saturated(m->notes[i].merged + 1);
        take_out(m, i);
        return true;
    }
    struct model_note *last = &m->notes[m->note_count - 1];
    last->merged = saturated(last->merged + 1);
    return false;
}

static bool is_of_switch(enum notify_cause cause)
{
    return cause == NOTIFY_ROTATED || cause == NOTIFY_FALLBACK || cause == NOTIFY_RETURNED ||
           cause == NOTIFY_COUNTRY || cause == NOTIFY_EXHAUSTED;
}

void model_queue(struct model_card *m, enum notify_cause cause, struct subscription_name from,
                 struct subscription_name to, uint32_t operation_id)
{
    struct model_note n = {.cause = (uint8_t)cause,
                           .sequence = ++m->notify_sequence,
                           .operation_id = operation_id,
                           .from = from,
                           .to = to,
                           .has_reject = m->has_reject,
                           .reject = m->reject};
    m->is_changed = true;
    // The outcome of a command replaces an earlier word on it, and counts what that counted.
    for (unsigned i = m->note_count; operation_id != 0 && i > 0; i--) {
        if (m->notes[i - 1].operation_id != operation_id)
            continue;
        n.merged = saturated(n.merged + m->notes[i - 1].merged);
        take_out(m, i - 1);
    }
    if (make_room(m, &n.merged))
        m->notes[m->note_count++] = n;
    if (cause == NOTIFY_ENABLED || m->attempt > 0)
        return; // sent with the others, or begun by the switch itself
    model_sending(m, is_of_switch(cause) && operation_id == 0 ? m->parameters.jitter_max_s : 0);
}

void model_sending(struct model_card *m, uint32_t max_delay_s)
{
    m->sent = 0;
    m->resend = 0;
    m->attempt = max_delay_s > 0 ? 0 : 1;
    m->notify = (struct model_time){.is_on = true, .max_s = max_delay_s};
    if (max_delay_s == 0)
        m->notify.min_s = m->notify.max_s = m->parameters.waits_s[0];
}

static void rest(struct model_card *m)
{
    m->attempt = 0;
    m->resend = m->now + RESEND_S;
    for (unsigned i = 0; i < m->note_count; i++) {
        if (m->notes[i].cause != NOTIFY_ADDRESS_CHECK)
            continue;
        m->address_new.len = 0;
        model_drop(m, i);
        break;
    }
    if (m->state == SWITCH_CONFIRMING)
        model_unconfirmed(m);
}

void model_notify(struct model_card *m)
{
    m->notify.is_on = false;
    if (m->attempt == 0) {
        if (m->note_count > 0)
            model_sending(m, 0);
    } else if (m->attempt >= m->parameters.wait_count) {
        rest(m);
    } else {
        m->attempt++;
        m->sent = 0;
        const uint32_t wait = m->parameters.waits_s[m->attempt - 1];
        m->notify = (struct model_time){true, wait, wait};
        if (m->state == SWITCH_CONFIRMING) {
            m->open.sendings = m->attempt;
            m->is_changed = true;
        }
    }
    model_settle(m);
}

// The counter is kept before the message leaves.
static uint64_t count(struct model_card *m)
{
    m->mo_counter++;
    if (m->committed != NULL)
        m->committed(m->context, m);
    return m->mo_counter;
}

bool model_send(struct model_card *m, struct model_note *out, uint64_t *counter)
{
    if (!m->is_profiled || (m->terminal & TERMINAL_SEND_SMS) == 0 || !model_is_normal(m))
        return false;
    for (unsigned i = 0; i < m->note_count && m->attempt > 0; i++) {
        const struct model_note *n = &m->notes[i];
        const bool is_rolled_back = n->cause == NOTIFY_ENABLED && m->open.phase != JOURNAL_NONE &&
                                    m->open.phase != JOURNAL_CONFIRMING &&
                                    m->open.operation_id == n->operation_id;
        if (n->sequence <= m->sent || is_rolled_back)
            continue;
        *out = *n;
        m->sent = n->sequence;
        *counter = count(m);
        return true;
    }
    if (!m->is_heartbeat)
        return false;
    *out = (struct model_note){.cause = NOTIFY_HEARTBEAT};
    *counter = count(m);
    model_heartbeat_left(m);
    return true;
}

void model_heartbeat_left(struct model_card *m)
{
    const uint32_t hours = m->parameters.heartbeat_h;
    m->is_heartbeat = false;
    m->heartbeat_due = hours != 0 ? m->now + hours * 3600u : 0;
    m->is_changed = true;
    model_commit(m);
}

#include "applet/notify.h"

#include "applet/clocks.h"

static bool is_commanded(const struct pending *p)
{
    return p->operation_id != 0 || p->cause == NOTIFY_ADDRESS_CHECK;
}

static bool is_of_switch(enum notify_cause cause)
{
    return cause == NOTIFY_ROTATED || cause == NOTIFY_FALLBACK || cause == NOTIFY_RETURNED ||
           cause == NOTIFY_COUNTRY || cause == NOTIFY_EXHAUSTED;
}

uint8_t notify_find(const struct image *m, uint32_t sequence)
{
    for (uint8_t i = 0; i < m->pending_count; i++) {
        if (m->pending[i].sequence == sequence)
            return i;
    }
    return IMAGE_PENDING_MAX;
}

static void drop(struct image *m, uint8_t index)
{
    memmove(&m->pending[index], &m->pending[index + 1],
            (size_t)(m->pending_count - index - 1) * sizeof m->pending[0]);
    m->pending_count--;
}

void notify_remove(struct turn *t, uint8_t index)
{
    drop(t->image, index);
    t->is_changed = true;
    if (t->image->pending_count == 0) {
        t->a->notify_attempt = 0;
        clock_stop(t->a, CLOCK_NOTIFY);
    }
}

static uint8_t oldest_automatic(const struct image *m)
{
    for (uint8_t i = 0; i < m->pending_count; i++) {
        if (!is_commanded(&m->pending[i]))
            return i;
    }
    return IMAGE_PENDING_MAX;
}

bool notify_has_room(const struct image *m)
{
    return m->pending_count < IMAGE_PENDING_MAX || oldest_automatic(m) < IMAGE_PENDING_MAX;
}

static uint8_t add_counts(unsigned a, unsigned b)
{
    return (uint8_t)(a + b < 255 ? a + b : 255);
}

// Room for one more; what it cost in merged ones. False: none, and nothing was lost but `p` itself.
static bool make_room(struct image *m, const struct pending *p, uint8_t *coalesced)
{
    if (m->pending_count < IMAGE_PENDING_MAX)
        return true;
    uint8_t oldest = oldest_automatic(m);
    if (oldest == IMAGE_PENDING_MAX) {
        struct pending *last = &m->pending[m->pending_count - 1];
        last->coalesced = add_counts(last->coalesced, p->coalesced + 1u);
        return false;
    }
    *coalesced = add_counts(m->pending[oldest].coalesced, 1);
    drop(m, oldest);
    return true;
}

// The outcome of a commanded switch takes the place of an earlier word on it, with what was merged
// into that.
static uint8_t supersede(struct image *m, uint32_t operation_id)
{
    uint8_t coalesced = 0;
    for (uint8_t i = m->pending_count; operation_id != 0 && i > 0; i--) {
        if (m->pending[i - 1].operation_id != operation_id)
            continue;
        coalesced = add_counts(coalesced, m->pending[i - 1].coalesced);
        drop(m, (uint8_t)(i - 1));
    }
    return coalesced;
}

void notify_queue(struct turn *t, enum notify_cause cause, struct subscription_name from,
                  struct subscription_name to, uint32_t operation_id)
{
    struct image *m = t->image;
    struct pending p = {
        .cause = (uint8_t)cause,
        .has_reject = t->a->has_reject,
        .reject = t->a->reject,
        .sequence = ++m->notify_sequence,
        .operation_id = operation_id,
        .from = from,
        .to = to,
    };
    t->is_changed = true;
    p.coalesced = supersede(m, operation_id);
    if (make_room(m, &p, &p.coalesced))
        m->pending[m->pending_count++] = p;
    if (cause == NOTIFY_ENABLED)
        return; // its sendings are counted by whoever queued it
    bool is_delayed = is_of_switch(cause) && operation_id == 0 && m->parameters.jitter_max_s > 0;
    uint32_t delay =
        is_delayed ? t->port->random(t->port->context) % (m->parameters.jitter_max_s + 1u) : 0;
    if (t->a->notify_attempt == 0)
        notify_begin(t, delay);
}

void notify_begin(struct turn *t, uint32_t delay_s)
{
    struct applet *a = t->a;
    a->notify_sent = 0;
    a->resend_s = 0;
    if (delay_s > 0) {
        clock_set(a, CLOCK_NOTIFY, delay_s);
        return;
    }
    a->notify_attempt = 1;
    clock_set(a, CLOCK_NOTIFY, t->image->parameters.waits_s[0]);
}

void notify_on_normal(struct turn *t)
{
    struct applet *a = t->a;
    if (t->image->pending_count > 0 && a->notify_attempt == 0 && !clock_is_on(a, CLOCK_NOTIFY))
        notify_begin(t, 0);
}

void notify_resume(struct turn *t)
{
    struct image *m = t->image;
    // One more than there are waits says that they are over, however often the card starts then.
    if (m->journal.attempt <= m->parameters.wait_count)
        m->journal.attempt++;
    t->is_changed = true;
    t->a->notify_sent = 0;
    t->a->notify_attempt = m->journal.attempt;
    bool is_over = m->journal.attempt > m->parameters.wait_count;
    clock_set(t->a, CLOCK_NOTIFY, is_over ? 0 : m->parameters.waits_s[m->journal.attempt - 1]);
}

// The last wait is over.
static void rest(struct turn *t)
{
    struct applet *a = t->a;
    a->notify_attempt = 0;
    a->resend_s = a->now_s + NOTIFY_RESEND_S;
    for (uint8_t i = 0; i < t->image->pending_count; i++) {
        if (t->image->pending[i].cause != NOTIFY_ADDRESS_CHECK)
            continue;
        // The new address was not confirmed: the old one stays.
        t->image->address_new.len = 0;
        notify_remove(t, i);
        break;
    }
    turn_feed(t, EVENT_UNCONFIRMED);
}

void notify_clock(struct turn *t)
{
    struct applet *a = t->a;
    const struct parameters *p = &t->image->parameters;
    if (a->notify_attempt >= p->wait_count) {
        rest(t);
        return;
    }
    a->notify_attempt++;
    a->notify_sent = 0;
    clock_set(a, CLOCK_NOTIFY, p->waits_s[a->notify_attempt - 1]);
    if (a->state == SWITCH_CONFIRMING) {
        t->image->journal.attempt = a->notify_attempt;
        t->is_changed = true;
    }
}

uint8_t notify_next(const struct applet *a, const struct image *m)
{
    if (a->notify_attempt == 0)
        return IMAGE_PENDING_MAX;
    for (uint8_t i = 0; i < m->pending_count; i++) {
        const struct pending *p = &m->pending[i];
        // A switch that is being rolled back no longer asks for confirmation.
        bool is_void = p->cause == NOTIFY_ENABLED && m->journal.phase != JOURNAL_NONE &&
                       m->journal.phase != JOURNAL_CONFIRMING &&
                       m->journal.operation_id == p->operation_id;
        if (p->sequence > a->notify_sent && !is_void)
            return i;
    }
    return IMAGE_PENDING_MAX;
}

struct notification notify_content(const struct applet *a, const struct applet_port *port,
                                   const struct pending *p)
{
    const struct image *m = &port->work->image;
    struct notification n = {
        .cause = p != NULL ? p->cause : NOTIFY_HEARTBEAT,
        .registry_version = m->registry_version,
        .has_plmn = a->has_plmn,
        .has_access = a->has_access,
        .access = a->access,
        .has_imei = m->has_imei,
    };
    memcpy(n.plmn, a->plmn, sizeof n.plmn);
    memcpy(n.imei, m->imei, sizeof n.imei);
    if (p != NULL) {
        n.sequence = p->sequence;
        n.operation_id = p->operation_id;
        n.coalesced = p->coalesced;
        n.from = p->from;
        n.to = p->to;
        n.has_reject = p->has_reject;
        n.reject = p->reject;
    }
    if (port->factory->level >= 2) {
        struct audit_slot slots[COMMAND_SLOTS_MAX];
        uint8_t count = image_audit_slots(m, slots);
        n.has_hash = state_hash(port->cipher, slots, count, n.state_hash);
    }
    if (n.cause == NOTIFY_FIRST_CONTACT) {
        n.has_card = true;
        memcpy(n.applet_version, port->factory->version, sizeof n.applet_version);
        n.level = port->factory->level;
        n.terminal = a->terminal;
    }
    return n;
}

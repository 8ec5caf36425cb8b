#include "smpp/core/smsc_queue.h"

#include "common/base/check.h"

#define SWEEP_LEAST 1024u // timers

static uint32_t bucket_of(const struct smsc_queue *q, const char *digits)
{
    uint32_t hash = 2166136261u; // FNV-1a, 32 bit
    for (const char *c = digits; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    return hash % q->message_count;
}

static bool is_same(const char *a, const char *b)
{
    return bytes_equal(bytes_of_text(a), bytes_of_text(b));
}

// When there are twice as many timers as now.
static void sweep_later(struct smsc_queue *q)
{
    const uint32_t twice = 2 * q->timers_used > SWEEP_LEAST ? 2 * q->timers_used : SWEEP_LEAST;
    q->sweep_at = twice < q->timer_count ? twice : q->timer_count;
}

void smsc_queue_init(struct smsc_queue *q)
{
    check(q->message_count > 0 && q->timer_count >= q->message_count);
    for (uint32_t i = 0; i < q->message_count; i++) {
        uint32_t next = i + 1 < q->message_count ? i + 1 : SMSC_NONE;
        q->messages[i] = (struct smsc_message){.next = next};
        q->mailboxes[i] = (struct smsc_mailbox){.hash_next = next};
        q->buckets[i] = SMSC_NONE;
    }
    q->free_message = 0;
    q->free_mailbox = 0;
    q->ready_first = q->ready_last = SMSC_NONE;
    q->timers_used = 0;
    sweep_later(q);
    q->timer_order = 0;
    q->held = 0;
}

uint32_t smsc_queue_find(const struct smsc_queue *q, const char *digits)
{
    uint32_t at = q->buckets[bucket_of(q, digits)];
    while (at != SMSC_NONE && !is_same(q->mailboxes[at].destination.digits, digits))
        at = q->mailboxes[at].hash_next;
    return at;
}

static uint32_t mailbox_for(struct smsc_queue *q, const struct smsc_number *destination)
{
    uint32_t at = smsc_queue_find(q, destination->digits);
    if (at != SMSC_NONE)
        return at;
    at = q->free_mailbox;
    check(at != SMSC_NONE); // never more mailboxes than messages
    uint32_t bucket = bucket_of(q, destination->digits);
    q->free_mailbox = q->mailboxes[at].hash_next;
    q->mailboxes[at] = (struct smsc_mailbox){
        .destination = *destination,
        .first = SMSC_NONE,
        .last = SMSC_NONE,
        .is_used = true,
        .ready_previous = SMSC_NONE,
        .ready_next = SMSC_NONE,
        .hash_next = q->buckets[bucket],
    };
    q->buckets[bucket] = at;
    return at;
}

static void ready_leave(struct smsc_queue *q, struct smsc_mailbox *box)
{
    if (!box->is_ready)
        return;
    box->is_ready = false;
    if (box->ready_previous != SMSC_NONE)
        q->mailboxes[box->ready_previous].ready_next = box->ready_next;
    else
        q->ready_first = box->ready_next;
    if (box->ready_next != SMSC_NONE)
        q->mailboxes[box->ready_next].ready_previous = box->ready_previous;
    else
        q->ready_last = box->ready_previous;
}

// A mailbox lives as long as it holds a message, so there are never more of them than messages.
static void mailbox_release(struct smsc_queue *q, uint32_t index)
{
    struct smsc_mailbox *box = &q->mailboxes[index];
    if (box->count > 0)
        return;
    ready_leave(q, box);
    uint32_t *link = &q->buckets[bucket_of(q, box->destination.digits)];
    while (*link != index)
        link = &q->mailboxes[*link].hash_next;
    *link = box->hash_next;
    box->is_used = false;
    box->hash_next = q->free_mailbox;
    q->free_mailbox = index;
}

uint32_t smsc_queue_add(struct smsc_queue *q, const struct smsc_number *destination)
{
    uint32_t at = q->free_message;
    if (at == SMSC_NONE)
        return SMSC_NONE;
    uint32_t mailbox = mailbox_for(q, destination);
    struct smsc_mailbox *box = &q->mailboxes[mailbox];
    struct smsc_message *m = &q->messages[at];
    q->free_message = m->next;
    *m = (struct smsc_message){
        .destination = *destination, .mailbox = mailbox, .previous = box->last, .next = SMSC_NONE};
    if (box->last != SMSC_NONE)
        q->messages[box->last].next = at;
    else
        box->first = at;
    box->last = at;
    box->count++;
    q->held++;
    return at;
}

static void unlink_message(struct smsc_queue *q, const struct smsc_message *m)
{
    struct smsc_mailbox *box = &q->mailboxes[m->mailbox];
    if (m->previous != SMSC_NONE)
        q->messages[m->previous].next = m->next;
    else
        box->first = m->next;
    if (m->next != SMSC_NONE)
        q->messages[m->next].previous = m->previous;
    else
        box->last = m->previous;
}

void smsc_queue_remove(struct smsc_queue *q, uint32_t message)
{
    struct smsc_message *m = &q->messages[message];
    uint32_t mailbox = m->mailbox;
    check(m->id != 0);
    unlink_message(q, m);
    if (m->is_in_flight)
        q->mailboxes[mailbox].in_flight--;
    m->id = 0;
    m->next = q->free_message;
    q->free_message = message;
    q->mailboxes[mailbox].count--;
    q->held--;
    mailbox_release(q, mailbox);
}

bool smsc_queue_pass(struct smsc_queue *q, uint32_t message)
{
    struct smsc_message *m = &q->messages[message];
    uint32_t other = m->next;
    if (other == SMSC_NONE)
        return false;
    unlink_message(q, m);
    struct smsc_mailbox *box = &q->mailboxes[m->mailbox];
    struct smsc_message *o = &q->messages[other];
    m->previous = other;
    m->next = o->next;
    if (o->next != SMSC_NONE)
        q->messages[o->next].previous = message;
    else
        box->last = message;
    o->next = message;
    return true;
}

void smsc_queue_ready(struct smsc_queue *q, uint32_t mailbox)
{
    struct smsc_mailbox *box = &q->mailboxes[mailbox];
    if (box->is_ready)
        return;
    box->is_ready = true;
    box->ready_previous = q->ready_last;
    box->ready_next = SMSC_NONE;
    if (q->ready_last != SMSC_NONE)
        q->mailboxes[q->ready_last].ready_next = mailbox;
    else
        q->ready_first = mailbox;
    q->ready_last = mailbox;
}

uint32_t smsc_queue_take_ready(struct smsc_queue *q)
{
    const uint32_t at = q->ready_first;
    if (at != SMSC_NONE)
        ready_leave(q, &q->mailboxes[at]);
    return at;
}

static bool is_before(const struct smsc_timer *a, const struct smsc_timer *b)
{
    return a->due.ms < b->due.ms || (a->due.ms == b->due.ms && a->order < b->order);
}

static void timer_rise(struct smsc_queue *q, uint32_t at, struct smsc_timer timer)
{
    while (at > 0 && is_before(&timer, &q->timers[(at - 1) / 2])) {
        q->timers[at] = q->timers[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    q->timers[at] = timer;
}

// Whether something still waits for it.
static bool is_meant(const struct smsc_queue *q, const struct smsc_timer *timer)
{
    if (timer->id == 0) {
        const struct smsc_mailbox *box = &q->mailboxes[timer->subject];
        return box->is_used && box->retry.ms == timer->due.ms;
    }
    const struct smsc_message *m = &q->messages[timer->subject];
    return m->id == timer->id && (m->expiry.ms == timer->due.ms || m->is_held);
}

// A message that is delivered at once leaves its expiry behind, a day ahead perhaps.
static void timers_sweep(struct smsc_queue *q)
{
    const uint32_t all = q->timers_used;
    q->timers_used = 0;
    for (uint32_t i = 0; i < all; i++) {
        const struct smsc_timer timer = q->timers[i];
        if (is_meant(q, &timer))
            timer_rise(q, q->timers_used++, timer);
    }
    sweep_later(q);
}

bool smsc_queue_timer(struct smsc_queue *q, struct instant due, uint32_t subject, uint64_t id)
{
    if (q->timers_used >= q->sweep_at)
        timers_sweep(q);
    if (q->timers_used == q->timer_count)
        return false;
    timer_rise(q, q->timers_used++, (struct smsc_timer){due, q->timer_order++, id, subject});
    return true;
}

// What stood at the top, and is not there any more.
static struct smsc_timer timer_take(struct smsc_queue *q)
{
    const struct smsc_timer first = q->timers[0];
    const struct smsc_timer last = q->timers[--q->timers_used];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= q->timers_used)
            break;
        if (child + 1 < q->timers_used && is_before(&q->timers[child + 1], &q->timers[child]))
            child++;
        if (!is_before(&q->timers[child], &last))
            break;
        q->timers[at] = q->timers[child];
        at = child;
    }
    q->timers[at] = last;
    return first;
}

struct instant smsc_queue_due(struct smsc_queue *q)
{
    while (q->timers_used > 0 && !is_meant(q, &q->timers[0]))
        (void)timer_take(q);
    return q->timers_used > 0 ? q->timers[0].due : INSTANT_NEVER;
}

bool smsc_queue_expire(struct smsc_queue *q, struct instant now, struct smsc_timer *out)
{
    if (q->timers_used == 0 || !instant_is_due(q->timers[0].due, now))
        return false;
    *out = timer_take(q);
    return true;
}

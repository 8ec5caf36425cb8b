// When two states behave alike: without the numbers that only ever grow, and with times as what is
// left of them.
#include "tests/exhaust/rig.h"

static uint64_t add(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 31;
}

static uint64_t add_time(uint64_t sum, uint32_t at, uint32_t now)
{
    return add(sum, at == 0 ? 0 : at > now ? at - now + 1 : 1);
}

static uint64_t add_slot(uint64_t sum, const struct slot *s)
{
    sum = add(sum, (uint64_t)s->state | (uint64_t)s->marks << 8 | (uint64_t)s->rank << 16);
    return add(sum, s->imsi[8] | s->is_fallback << 8 | s->is_proven << 9 | s->has_iccid << 10);
}

static uint64_t add_name(uint64_t sum, const struct subscription_name *n)
{
    return add(sum, n->is_given ? 1u + (n->is_iccid ? 0x100u : n->imsi[8]) : 0);
}

static uint64_t add_pending(uint64_t sum, const struct image *m, uint32_t last_id)
{
    for (uint8_t i = 0; i < m->pending_count; i++) {
        const struct pending *p = &m->pending[i];
        sum = add(sum, p->cause | (p->coalesced > 0) << 8 | p->has_reject << 9 | p->reject << 16);
        sum = add(sum, p->operation_id == 0 ? 0 : p->operation_id == last_id ? 1 : 2);
        sum = add(sum, p->set_fallback);
        sum = add_name(add_name(sum, &p->from), &p->to);
    }
    return sum;
}

static uint64_t add_journal(uint64_t sum, const struct journal *j, const struct search *s,
                            uint32_t now)
{
    sum = add(sum, j->phase | j->reason << 4 | j->from << 8 | j->to << 16 | j->attempt << 24);
    sum = add(sum, j->starts | j->may_roll_back << 8 | j->set_fallback << 9 |
                       (j->operation_id != 0) << 10);
    sum = add(sum, (uint64_t)s->is_open | s->is_exhausted << 1 | s->is_paused << 2);
    sum =
        add(sum, s->origin | s->round << 8 | (uint64_t)s->tried << 16 | (uint64_t)s->failed << 32);
    return add_time(add(sum, s->pauses), s->is_paused ? s->pause_due : 0, now);
}

static uint64_t add_image(uint64_t sum, const struct image *m, const struct rig_last *last,
                          uint32_t now)
{
    for (uint8_t i = 0; i < m->slot_count; i++) {
        sum = add_slot(sum, &m->slots[i]);
        sum = add_time(sum, m->dues.cool[i], now);
    }
    sum = add_journal(sum, &m->journal, &m->search, now);
    sum = add_pending(sum, m, last->operation_id);
    sum = add(sum, m->preferred | m->is_contacted << 8 | m->is_automatic << 9 | m->is_capped << 10 |
                       m->is_cap_used << 11 | m->switches << 16);
    sum = add(sum, m->country[0] | m->return_doublings << 8 | m->address_new.len << 16);
    sum = add_time(add_time(sum, m->dues.back, now), m->dues.day, now);
    sum = add(sum, now - m->dues.now); // how long ago the clock was kept
    sum = add(sum, m->parameters.auto_mode | m->parameters.country_count << 8);
    sum = add(sum, m->parameters.server_address[1]);
    const struct outcome *o = m->outcome_count > 0 ? &m->outcomes[m->outcome_count - 1] : NULL;
    sum = add(sum, o == NULL ? 0 : 1u + o->code + o->command * 256u);
    return add(sum, last->event | (m->last_counter == last->counter) << 8 |
                        (o != NULL && o->operation_id == last->operation_id) << 9);
}

static uint64_t add_applet(uint64_t sum, const struct applet *a, const struct image *m)
{
    sum = add(sum, a->state | a->service << 8 | a->has_service << 12 | a->is_profiled << 13 |
                       a->wait << 16 | a->tries << 24);
    sum = add(sum, a->todo | a->command << 16 | (uint64_t)a->terminal_slot << 24 |
                       (uint64_t)a->notify_attempt << 32);
    sum = add(sum, a->is_cause_final | a->has_reject << 1 | a->has_plmn << 2 |
                       a->is_country_stable << 3 | a->reject << 8 | a->plmn[0] << 16);
    sum = add(sum, a->answer.is_wanted | a->sending.kind << 8 | a->is_heartbeat_due << 16);
    unsigned unsent = 0;
    for (uint8_t i = 0; i < m->pending_count; i++)
        unsent += m->pending[i].sequence > a->notify_sent;
    sum = add_time(add(sum, unsent), a->resend_s, a->now_s);
    for (unsigned i = 0; i < APPLET_CLOCKS; i++)
        sum = add(sum, a->clocks[i].left_s * 2u + a->clocks[i].is_told);
    return sum;
}

uint64_t rig_key(struct rig *r)
{
    static struct applet_dump dump;
    const struct applet *a = &r->now.applet;
    if (!applet_dump(a, &r->port, &dump))
        return 0;
    return add_applet(add_image(5, &dump.image, &r->now.last, a->now_s), a, &dump.image);
}

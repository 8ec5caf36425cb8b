// Model against card, field by field.
#include "tests/model/model.h"

static bool is_same_dialling(const struct dialling *a, const struct dialling *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

static const char *slot_differs(const struct model_slot *s, const struct slot *t)
{
    if (s->is_used != (t->state != SLOT_EMPTY))
        return "slot used";
    if (!s->is_used)
        return NULL;
    if (s->is_enabled != (t->state == SLOT_ENABLED))
        return "slot enabled";
    if (s->is_fallback != t->is_fallback)
        return "slot fallback";
    if (s->is_proven != t->is_proven)
        return "slot proven";
    if (s->role != t->role || s->marks != t->marks || s->rank != t->rank ||
        s->template_number != t->template_number || s->mnc_length != t->mnc_length)
        return "slot attributes";
    if (memcmp(s->imsi, t->imsi, sizeof s->imsi) != 0 || s->has_iccid != t->has_iccid ||
        (s->has_iccid && memcmp(s->iccid, t->iccid, sizeof s->iccid) != 0))
        return "slot identity";
    if (!is_same_dialling(&s->msisdn, &t->msisdn) || !is_same_dialling(&s->smsc, &t->smsc))
        return "slot numbers";
    return s->plmns_len != t->plmns_len || memcmp(s->plmns, t->plmns, s->plmns_len) != 0
               ? "slot networks"
               : NULL;
}

static bool is_same_name(const struct subscription_name *a, const struct subscription_name *b)
{
    if (a->is_given != b->is_given)
        return false;
    if (!a->is_given)
        return true;
    return a->is_iccid == b->is_iccid &&
           (a->is_iccid ? memcmp(a->iccid, b->iccid, 10) == 0 : memcmp(a->imsi, b->imsi, 9) == 0);
}

static const char *notes_differ(const struct model_card *m, const struct image *image)
{
    if (m->note_count != image->pending_count)
        return "count of notifications";
    for (unsigned i = 0; i < m->note_count; i++) {
        const struct model_note *n = &m->notes[i];
        const struct pending *p = &image->pending[i];
        if (n->cause != p->cause)
            return "cause of a notification";
        if (n->sequence != p->sequence || n->operation_id != p->operation_id)
            return "sequence or operation of a notification";
        if (n->merged != p->coalesced)
            return "merged notifications";
        if (!is_same_name(&n->from, &p->from) || !is_same_name(&n->to, &p->to))
            return "subscriptions of a notification";
        if (n->has_reject != p->has_reject || n->reject != p->reject ||
            n->takes_fallback != p->set_fallback)
            return "content of a notification";
    }
    return m->notify_sequence != image->notify_sequence ? "notification sequence" : NULL;
}

static const char *kept_differ(const struct model_card *m, const struct image *image)
{
    if (m->kept_count != image->outcome_count)
        return "count of results";
    for (unsigned i = 0; i < m->kept_count; i++) {
        const struct model_answer *a = &m->kept[i].answer;
        const struct outcome *o = &image->outcomes[i];
        if (a->operation_id != o->operation_id || a->command != o->command || a->code != o->code ||
            a->registry_version != o->registry_version || a->has_pair != o->has_pair ||
            a->first != o->first || a->second != o->second)
            return "a kept result";
    }
    return m->operation_id_highest != image->operation_id_highest ? "highest operation" : NULL;
}

static const char *switch_differs(const struct model_card *m, const struct image *image)
{
    const struct model_switch *o = &m->open;
    const struct journal *j = &image->journal;
    if (o->phase != j->phase)
        return "journal phase";
    if (o->phase == JOURNAL_NONE)
        return NULL;
    if (o->reason != j->reason || o->from != j->from || o->to != j->to)
        return "journal switch";
    if (o->operation_id != j->operation_id || o->sequence != j->sequence ||
        o->may_roll_back != j->may_roll_back || o->takes_fallback != j->set_fallback)
        return "journal command";
    return o->starts != j->starts || o->sendings != j->attempt ? "journal counts" : NULL;
}

static const char *search_differs(const struct model_card *m, const struct image *image)
{
    const struct model_search *s = &m->search;
    const struct search *t = &image->search;
    if (s->is_open != t->is_open || s->is_exhausted != t->is_exhausted ||
        s->is_paused != t->is_paused || s->pauses != t->pauses)
        return "search";
    if (s->is_open && (s->round != t->round || s->origin != t->origin))
        return "search round";
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++) {
        if (s->is_open && s->tried[i] != ((t->tried >> i & 1u) != 0))
            return "search tried";
        if (s->failed[i] != ((t->failed >> i & 1u) != 0))
            return "search failed";
    }
    return s->is_paused && s->pause_due != t->pause_due ? "end of the pause" : NULL;
}

static bool is_in(const struct model_time *t, uint32_t value)
{
    return t->is_on ? value >= t->min_s && value <= t->max_s : value == 0;
}

static const char *times_differ(const struct model_card *m, const struct image *image)
{
    const struct dues *d = &image->dues;
    if (m->kept_now != d->now)
        return "kept clock";
    if (!is_in(&m->back, d->back))
        return "time of return";
    if (!is_in(&m->reuse, d->reuse))
        return "time of reuse";
    if (m->heartbeat_due != d->heartbeat || m->day_end != d->day)
        return "heartbeat or day";
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++) {
        if (!is_in(&m->cool[i], d->cool[i]))
            return "cool-down";
    }
    if (m->switches != image->switches || m->is_capped != image->is_capped ||
        m->is_cap_used != image->is_cap_used || m->return_doublings != image->return_doublings)
        return "switches of the day";
    return NULL;
}

static const char *rest_differs(const struct model_card *m, const struct applet_dump *dump)
{
    const struct image *image = &dump->image;
    if (m->registry_version != image->registry_version || m->generation != image->generation)
        return "registry version";
    if (m->configuration_version != image->configuration_version)
        return "configuration version";
    const uint8_t preferred = image->preferred == IMAGE_NO_SLOT ? MODEL_NONE : image->preferred;
    if (m->preferred != preferred || m->is_automatic != image->is_automatic)
        return "preferred subscription";
    if (m->is_contacted != image->is_contacted || m->has_imei != image->has_imei ||
        (m->has_imei && memcmp(m->imei, image->imei, sizeof m->imei) != 0))
        return "first contact or IMEI";
    if (m->has_country != (image->country[0] != 0xFF) ||
        (m->has_country && memcmp(m->country, image->country, 2) != 0))
        return "country";
    if (!is_same_dialling(&m->address_new, &image->address_new))
        return "address on trial";
    if (m->last_counter != image->last_counter)
        return "counter of the last answer";
    // As they are written: what lies behind a list counts for nothing.
    const struct parameters *all = &m->parameters;
    const bool is_same = memcmp(all, &image->parameters, sizeof *all) == 0;
    for (uint8_t n = 1; n <= PARAMETER_LAST && !is_same; n++) {
        uint8_t ours[256];
        uint8_t theirs[256];
        struct writer a = writer_of(ours, sizeof ours);
        struct writer b = writer_of(theirs, sizeof theirs);
        if (!parameter_write(&a, &m->parameters, n) ||
            !parameter_write(&b, &image->parameters, n) ||
            !bytes_equal(writer_bytes(&a), writer_bytes(&b)))
            return "parameters";
    }
    return m->mt_counter != dump->mt_counter || m->mo_counter != dump->mo_counter ? "counters"
                                                                                  : NULL;
}

static bool is_clock_same(const struct model_time *t, const struct applet_clock *c, bool is_exact)
{
    if (t->is_on != (c->left_s > 0))
        return false;
    return !t->is_on || (c->left_s <= t->max_s && (!is_exact || c->left_s >= t->min_s));
}

static const char *clocks_differ(const struct model_card *m, const struct applet *a)
{
    if (m->state != a->state)
        return "state";
    if (!is_clock_same(&m->clock, &a->clocks[0], m->is_exact))
        return "clock of the state";
    if (!is_clock_same(&m->notify, &a->clocks[1], m->is_exact))
        return "clock of the notifications";
    if (!is_clock_same(&m->country_clock, &a->clocks[2], m->is_exact))
        return "clock of the country";
    if (m->terminal_on != a->terminal_slot)
        return "subscription of the terminal";
    if (m->attempt != a->notify_attempt)
        return "sending";
    return m->now != a->now_s ? "the card's clock" : NULL;
}

const char *model_differs(const struct model_card *m, const struct applet *a,
                          const struct applet_dump *dump)
{
    const char *text = NULL;
    for (uint8_t i = 0; i < m->factory->slot_count && text == NULL; i++)
        text = slot_differs(&m->slots[i], &dump->image.slots[i]);
    if (text == NULL)
        text = clocks_differ(m, a);
    if (text == NULL)
        text = switch_differs(m, &dump->image);
    if (text == NULL)
        text = notes_differ(m, &dump->image);
    if (text == NULL)
        text = kept_differ(m, &dump->image);
    if (text == NULL)
        text = search_differs(m, &dump->image);
    if (text == NULL)
        text = times_differ(m, &dump->image);
    return text != NULL ? text : rest_differs(m, dump);
}

void model_adopt(struct model_card *m, const struct image *image)
{
    if (m->back.is_on && is_in(&m->back, image->dues.back))
        m->back.min_s = m->back.max_s = image->dues.back;
}

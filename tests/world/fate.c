// What befalls a message on its way, or a decision: drawn from the seed, or as the story has it.
#include "common/base/check.h"
#include "tests/world/world.h"

#define LATE_MS 3600000

// The `place`-th message of a card at this stage in this very millisecond.
void fate_stage(struct world *w, enum deed_stage stage, uint32_t card)
{
    struct moment *m = &w->moments[stage][card];
    m->place = m->ms == w->now.ms ? m->place + 1 : 0;
    m->ms = w->now.ms;
}

// --- as the story has it -----------------------------------------------------------------------

static bool is_meant(const struct world *w, const struct deed *d, enum deed_kind kind,
                     uint32_t card)
{
    const uint32_t place = w->moments[deed_stage(kind)][card].place;
    return d->kind == kind && d->card == card && (d->at_ms < w->now.ms || d->place == place);
}

static bool take(struct world *w, enum deed_kind kind, uint32_t card, struct deed *out)
{
    const struct story *s = w->options.story;
    for (uint32_t i = w->fate_next; i < s->count && s->deeds[i].at_ms <= w->now.ms; i++) {
        if (w->is_done[i] || !is_meant(w, &s->deeds[i], kind, card))
            continue;
        w->is_done[i] = 1;
        *out = s->deeds[i];
        return true;
    }
    while (w->fate_next < s->count && w->is_done[w->fate_next])
        w->fate_next++;
    return false;
}

// --- as it is drawn ----------------------------------------------------------------------------

static bool is_forged(struct world *w, uint32_t chance, struct deed *d)
{
    struct prng *p = &w->chance_adversary;
    if (!prng_chance(p, chance))
        return false;
    d->octet = (uint32_t)prng_below(p, 1000);
    d->value = 1 + (uint32_t)prng_below(p, 255);
    d->after_ms = 1 + (uint32_t)prng_below(p, LATE_MS);
    return true;
}

static bool is_kept(struct world *w, uint32_t chance, struct deed *d)
{
    if (!prng_chance(&w->chance_air, chance))
        return false;
    d->after_ms = (uint32_t)world_delay(&w->chance_air, LATE_MS);
    return true;
}

static bool is_altered(struct world *w, struct deed *d)
{
    struct prng *p = &w->chance_transport;
    if (w->knobs.alter == 0 || !prng_chance(p, w->knobs.alter))
        return false;
    d->what = (uint32_t)prng_below(p, ALTERATIONS);
    d->octet = (uint32_t)prng_below(p, 1000);
    d->value = 1 + (uint32_t)prng_below(p, 255);
    return true;
}

static bool is_mixed(struct world *w, struct deed *d)
{
    struct prng *p = &w->chance_transport;
    if (w->knobs.seg_mix == 0 || !prng_chance(p, w->knobs.seg_mix))
        return false;
    d->flags = (uint32_t)prng_below(p, 2);
    return true;
}

static bool is_merged(struct world *w, struct deed *d)
{
    struct prng *p = &w->chance_merge;
    if (w->knobs.merge == 0 || !prng_chance(p, w->knobs.merge))
        return false;
    d->flags = (uint32_t)prng_below(p, 2);
    return true;
}

static bool draw(struct world *w, struct deed *d)
{
    const struct knobs *k = &w->knobs;
    switch (d->kind) {
    case DEED_MT_LOST:
        return prng_chance(&w->chance_air, k->mt_lost);
    case DEED_MT_LATE:
        return is_kept(w, k->mt_late, d);
    case DEED_MT_COPY:
        return is_kept(w, k->mt_copy, d);
    case DEED_MT_FORGED:
        return is_forged(w, k->mt_forged, d);
    case DEED_MT_RADIO:
        return prng_chance(&w->chance_air, k->radio_loss);
    case DEED_MT_DENIED:
        return prng_chance(&w->chance_air, k->mt_unacknowledged);
    case DEED_MO_LOST:
        return prng_chance(&w->chance_air, k->mo_lost);
    case DEED_MO_LATE:
        return is_kept(w, k->mo_late, d);
    case DEED_MO_COPY:
        return is_kept(w, k->mo_copy, d);
    case DEED_MO_FORGED:
        return is_forged(w, k->mo_forged, d);
    case DEED_REFLECTED:
        d->after_ms = 1 + (uint32_t)prng_below(&w->chance_adversary, LATE_MS);
        return prng_chance(&w->chance_adversary, k->reflected);
    case DEED_MT_ALTERED:
    case DEED_MO_ALTERED:
        return is_altered(w, d);
    case DEED_MT_MIXED:
    case DEED_MO_MIXED:
        return is_mixed(w, d);
    case DEED_MT_MERGED:
    case DEED_MO_MERGED:
        return is_merged(w, d);
    case DEED_PUSH:
        return prng_below(&w->chance_people, 2) == 0;
    default: // the others strike by themselves
        check(false);
        return false;
    }
}

bool fate_befalls(struct world *w, enum deed_kind kind, uint32_t card, struct deed *out)
{
    *out = (struct deed){.kind = kind, .card = card};
    if (w->is_settling && kind != DEED_PUSH)
        return false;
    if (w->options.story != NULL)
        return take(w, kind, card, out);
    if (!draw(w, out))
        return false;
    out->place = w->moments[deed_stage(kind)][card].place;
    world_record(w, out);
    return true;
}

// --- the message centre's faults ---------------------------------------------------------------

static void arm(struct world *w, const struct deed *d, const struct smpp_message *m)
{
    struct smsc_rule rule = {
        .fault = (enum smsc_fault)d->what, .per_million = 1000000, .count = 1, .value = d->value};
    check(m->source.digits.len < sizeof rule.source &&
          m->destination.digits.len < sizeof rule.destination);
    memcpy(rule.source, m->source.digits.at, m->source.digits.len);
    memcpy(rule.destination, m->destination.digits.at, m->destination.digits.len);
    // No room: it does not happen. Those that hit are removed when all is carried.
    (void)smsc_faults_add(&w->faults, &rule);
}

static void befall(struct world *w, enum deed_kind kind, uint32_t card,
                   const struct smpp_message *m, enum smsc_fault fault, uint32_t value)
{
    const struct deed d = {.kind = kind,
                           .card = card,
                           .what = fault,
                           .value = value,
                           .place = w->moments[deed_stage(kind)][card].place};
    world_record(w, &d);
    arm(w, &d, m);
}

void fate_swallow(struct world *w, const struct smpp_message *m)
{
    arm(w, &(struct deed){.what = SMSC_FAULT_LOSE}, m);
    probes_met(&w->result.probes, PROBE_SWALLOWED);
}

static void draw_submit(struct world *w, enum deed_kind kind, uint32_t card,
                        const struct smpp_message *m)
{
    const struct knobs *k = &w->knobs;
    const struct {
        uint8_t fault;
        uint64_t per_million;
        uint32_t value;
    } rows[] = {
        {SMSC_FAULT_LOSE, k->smsc_lose, 0},
        {SMSC_FAULT_DELAY, k->smsc_delay, 20000},
        {SMSC_FAULT_DELAY, k->smsc_delay / 4, 900000},
        {SMSC_FAULT_DELAY, k->smsc_delay / 16, 14400000},
        {SMSC_FAULT_DUPLICATE, k->smsc_duplicate, 1},
        {SMSC_FAULT_REORDER, k->smsc_reorder, 60000},
        {SMSC_FAULT_STATUS, k->smsc_status, ESME_RTHROTTLED},
        {SMSC_FAULT_STATUS, k->smsc_status / 2, ESME_RMSGQFUL},
        {SMSC_FAULT_STATUS, k->smsc_status / 2, ESME_RSYSERR},
        {SMSC_FAULT_STATUS, k->smsc_status / 8, ESME_RSUBMITFAIL},
        {SMSC_FAULT_DROP_RECEIPT, k->smsc_drop_receipt, 0},
        {SMSC_FAULT_DROP_RESPONSE, k->smsc_drop_response, 0},
        {SMSC_FAULT_CUT_LINK, k->smsc_cut, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].per_million != 0 && prng_chance(&w->chance_smsc, rows[i].per_million))
            befall(w, kind, card, m, (enum smsc_fault)rows[i].fault, rows[i].value);
    }
    struct prng *p = &w->chance_transport;
    if (k->smsc_mute != 0 && prng_chance(&w->chance_seldom, k->smsc_mute))
        befall(w, kind, card, m, SMSC_FAULT_DROP_RESPONSE, 0);
    if (k->smsc_reject != 0 && prng_chance(&w->chance_office, k->smsc_reject))
        befall(w, kind, card, m, SMSC_FAULT_STATUS, ESME_RINVDSTADR);
    if (kind != DEED_SMSC_MT)
        return; // nobody asks for receipts
    if (k->receipt_dup != 0 && prng_chance(p, k->receipt_dup))
        befall(w, kind, card, m, SMSC_FAULT_DUPLICATE_RECEIPT, 1 + (uint32_t)prng_below(p, 3));
    if (k->receipt_early != 0 && prng_chance(p, k->receipt_early))
        befall(w, kind, card, m, SMSC_FAULT_EARLY_RECEIPT, 0);
}

void fate_submit(struct world *w, enum deed_kind kind, uint32_t card, const struct smpp_message *m)
{
    fate_stage(w, deed_stage(kind), card);
    if (w->is_settling)
        return;
    if (w->options.story == NULL) {
        draw_submit(w, kind, card, m);
        return;
    }
    struct deed d;
    while (take(w, kind, card, &d))
        arm(w, &d, m);
}

void fate_sweep(struct world *w)
{
    for (uint32_t i = w->faults.rule_count; i > 0; i--) {
        if (w->faults.rules[i - 1].hit > 0)
            check(smsc_faults_remove(&w->faults, w->faults.rules[i - 1].id));
    }
}

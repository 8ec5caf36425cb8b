// Cells of a card's memory that lose their value while the card is off. What the card makes of it
// when it starts: the state is as it was, or it says that it was restored.
#include "common/base/check.h"
#include "tests/world/world.h"

#define COUNTERS_COPY 30 // octets; the other copy stands behind it [applet/memory.h]

// The octet changes, whatever else is wrong with the memory.
static void flip(struct card *c, size_t at, uint8_t by)
{
    const struct applet_port port = card_port(c);
    struct nvm_faults *const faults = c->nvm.faults;
    const bool is_cut = c->nvm.is_cut;
    uint8_t octet = 0;
    c->nvm.faults = NULL;
    c->nvm.is_cut = false;
    check(port.nvm_read(port.context, at, &octet, 1));
    octet ^= by;
    check(port.nvm_write(port.context, at, &octet, 1));
    c->nvm.faults = faults;
    c->nvm.is_cut = is_cut;
    port.work->holder = NULL; // nobody remembers what stood there
}

static void power(struct world *w, uint32_t card, enum scenario_action action)
{
    const struct scenario_step step = {.action = action};
    check(fleet_act(&w->fleet, card, &step, w->now));
}

void rot_do(struct world *w, const struct deed *d)
{
    struct device *device = &w->devices[d->card];
    struct truth *t = &w->truths[d->card];
    const bool is_on = device->state != DEVICE_OFF;
    const size_t at = d->octet % card_port(&device->card).nvm_size;
    const bool is_twice = d->kind == DEED_COUNTERS;
    if (device->card.nvm.written == 0 || (d->value & 0xFF) == 0)
        return;
    world_note(w, deed_name(d->kind), "card=%u octet=%u value=%u", d->card, d->octet, d->value);
    if (is_on)
        power(w, d->card, SCENARIO_POWER_OFF);
    // What it did until then is looked at now: later it may be gone.
    w->cards_touched |= UINT64_C(1) << d->card;
    check_cards(w);
    flip(&device->card, at, (uint8_t)d->value);
    if (is_twice)
        flip(&device->card, at + COUNTERS_COPY, (uint8_t)d->value);
    t->is_rotten = t->is_known;
    if (is_on)
        power(w, d->card, SCENARIO_POWER_ON);
}

// Is there a word of it that was not there before?
static bool is_told(const struct image *before, const struct image *now)
{
    bool is_new = false;
    for (uint8_t i = 0; i < now->pending_count; i++) {
        const struct pending *p = &now->pending[i];
        bool was_there = false;
        for (uint8_t k = 0; k < before->pending_count; k++)
            was_there |=
                before->pending[k].cause == p->cause && before->pending[k].sequence == p->sequence;
        is_new |= p->cause == NOTIFY_RESTORED && !was_there;
    }
    return is_new;
}

// What a card that went back may do, and tell, once more.
static void forget(struct truth *t, const struct image *now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->confirm_count; i++) {
        if (t->confirms[i] <= now->notify_sequence)
            t->confirms[kept++] = t->confirms[i];
    }
    t->confirm_count = kept;
    if (t->audit_version > now->registry_version)
        t->audit_version = now->registry_version;
    t->is_mirrored = false;
    t->has_forgotten = true;
    for (uint32_t i = 0; i < WORLD_PAST; i++)
        t->past[i].is_known &= t->past[i].version <= now->registry_version;
}

bool rot_check(struct world *w, uint32_t card, const struct applet_dump *before,
               const struct applet_dump *now)
{
    struct truth *t = &w->truths[card];
    const struct image *a = &before->image;
    const struct image *b = &now->image;
    const bool went_back =
        b->registry_version < a->registry_version || b->notify_sequence < a->notify_sequence ||
        b->operation_id_highest < a->operation_id_highest || b->last_counter < a->last_counter ||
        b->configuration_version < a->configuration_version ||
        now->mt_counter < before->mt_counter || now->mo_counter < before->mo_counter;
    const bool is_known = is_told(a, b);
    // A memory that cannot keep the note costs the word until it can.
    const bool is_excused = w->devices[card].card.applet.is_late;
    t->is_rotten = false;
    if (!went_back && !is_known && !now->is_blocked)
        return false;
    world_note(w, "went_back", "card=%u version=%u was=%u blocked=%d", card, b->registry_version,
               a->registry_version, now->is_blocked);
    if (now->mo_counter < before->mo_counter && !now->is_blocked)
        world_violate(w, "rot_is_told", card, "the MO counter %llu is used again",
                      (unsigned long long)before->mo_counter);
    // What ran is forgotten with the image: a copy of the last packet would run again.
    const bool is_forgotten = a->last_counter != 0 && b->last_counter == 0;
    if (now->mt_counter < before->mt_counter && is_forgotten && !now->is_blocked)
        world_violate(w, "rot_is_told", card, "the MT counter %llu may be used again",
                      (unsigned long long)before->mt_counter);
    if (!is_known && !is_excused && !now->is_blocked)
        world_violate(w, "rot_is_told", card, "REGV %u became %u, and the card says nothing",
                      a->registry_version, b->registry_version);
    t->reused_until = a->notify_sequence > t->reused_until ? a->notify_sequence : t->reused_until;
    forget(t, b);
    // Two faults at once may cost the word for good; the next message of the card tells.
    t->is_foreign |= !is_known;
    return true;
}

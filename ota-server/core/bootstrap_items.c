// The subscriptions of a bootstrap: which may have reached the card, and what becomes of the others
// when the card is retired.
#include "ota-server/core/work.h"

bool bootstrap_is_of_factory(const struct bootstrap *b, uint8_t index)
{
    return b->items[index].plan.template_number == 0 && !b->items[index].plan.has_role;
}

void bootstrap_doubt_items(struct record *r)
{
    for (uint8_t i = 0; i < r->bootstrap.item_count; i++)
        r->bootstrap.items[i].may_be_there = true;
}

// Did a packet of it leave? What a receipt says does not count, it may be wrong: its packets do.
static bool has_left(const struct operation *o)
{
    return o->attempts > 0 || o->sent_any || o->may_have_run;
}

static void note_downloads(struct work *w)
{
    struct bootstrap *b = &w->r->bootstrap;
    for (uint8_t k = 0; k < w->d->ended_count; k++) {
        const struct operation *o = &w->d->ended[k];
        for (uint8_t i = 0; i < b->item_count; i++) {
            if (o->kind == OPERATION_DOWNLOAD && o->subscription == b->items[i].subscription)
                b->items[i].may_be_there |= has_left(o);
        }
    }
}

// No audit is asked for of a retired card; but what was never sent is not there.
static void give_back_unsent(struct work *w)
{
    struct bootstrap *b = &w->r->bootstrap;
    for (uint8_t i = 0; i < b->item_count; i++) {
        const uint64_t id = b->items[i].subscription;
        if (id == 0 || b->items[i].may_be_there || record_slot_of(w->r, id) != NULL ||
            bootstrap_is_of_factory(b, i))
            continue;
        w->d->released[w->d->released_count++] = id;
        w->d->is_job_changed = true;
        b->items[i].subscription = 0;
    }
}

void bootstrap_note_items(struct work *w)
{
    note_downloads(w);
    if (w->r->state == CARD_RETIRED && w->before->state != CARD_RETIRED)
        give_back_unsent(w);
}

// What must hold of bootstraps and the pool: a subscription is one card's, what is reserved is
// wanted, and a job does what the rule says, in its order.
#include "common/base/check.h"
#include "ota-server/store/places.h"
#include "tests/world/world.h"

// --- subscriptions -----------------------------------------------------------------------------

static bool has_imsi(const struct slot *s, const uint8_t *imsi)
{
    return s->state != SLOT_EMPTY && memcmp(s->imsi, imsi, sizeof s->imsi) == 0;
}

// Is it in the card's registry?
static const struct slot *slot_with(const struct world *w, uint32_t card, const uint8_t *imsi)
{
    const struct image *image = &w->truths[card].dump.image;
    for (uint8_t i = 0; i < image->slot_count; i++) {
        if (has_imsi(&image->slots[i], imsi))
            return &image->slots[i];
    }
    return NULL;
}

// The same for one that the server knows by this id.
static const struct slot *slot_of(const struct world *w, uint32_t card, uint64_t id)
{
    if (id == 0)
        return NULL;
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = 0; k < WORLD_SUBSCRIPTIONS; k++) {
            if (w->people[i].subscriptions[k] == id)
                return slot_with(w, card, w->people[i].slots[k].imsi);
        }
    }
    return NULL;
}

static void name(struct pool_look *look, bool is_download, uint64_t id)
{
    if (is_download)
        look->named[look->named_count++] = id;
}

// What the server means to bring to the card, or fears that it comes; and what the card has.
static void look_at(const struct world *w, uint32_t card, const struct record *r,
                    struct pool_look *look)
{
    const struct image *image = &w->truths[card].dump.image;
    memset(look, 0, sizeof *look); // they are compared as octets
    look->writes = w->pool_writes;
    look->is_known = w->truths[card].is_known;
    look->is_forgotten = r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0;
    name(look, r->has_open && r->open.kind == OPERATION_DOWNLOAD, r->open.subscription);
    for (uint8_t i = 0; i < r->bootstrap.item_count; i++)
        name(look, true, r->bootstrap.items[i].subscription);
    for (uint8_t i = 0; i < r->queue_len; i++)
        name(look, r->queue[i].kind == OPERATION_DOWNLOAD, r->queue[i].subscription);
    for (uint8_t i = 0; i < r->late_count; i++)
        name(look, r->late[i].kind == OPERATION_DOWNLOAD, r->late[i].subscription);
    for (uint8_t i = 0; look->is_known && i < image->slot_count; i++) {
        if (image->slots[i].state != SLOT_EMPTY)
            memcpy(look->imsis[i], image->slots[i].imsi, sizeof look->imsis[i]);
    }
}

static bool is_named(const struct pool_look *look, uint64_t id)
{
    bool is_named = false;
    for (uint8_t i = 0; i < look->named_count; i++)
        is_named |= look->named[i] == id;
    return is_named;
}

static void check_row(struct world *w, uint32_t card, uint32_t person, unsigned k,
                      const struct record *r)
{
    const uint64_t id = w->people[person].subscriptions[k];
    const struct pool_row *row = group_row(w, person, k);
    const bool is_ours = row->card == r->card && row->state != SUBSCRIPTION_FREE;
    const struct pool_look *look = &w->truths[card].look;
    const bool is_there =
        look->is_known && slot_with(w, card, w->people[person].slots[k].imsi) != NULL;
    uint32_t *adopter = &w->people[person].adopters[k];
    if (is_there && !is_ours && look->is_forgotten)
        *adopter = card + 1;
    // One that another card had in the backup stays foreign, also when a person accepts the card.
    if (is_there && !is_ours && !look->is_forgotten && *adopter != card + 1)
        world_violate(w, "pool_once", card, "it has subscription %u of %u, which is another's", k,
                      person);
    // What was promised in a backup is taken back when it would be sent.
    if (is_named(look, id) && !is_ours && *adopter == 0)
        world_violate(w, "pool_once", card,
                      "it counts on subscription %u of %u, which is another's", k, person);
    // What was adopted and has left the card since stays its until a person decides.
    if (is_ours && row->state == SUBSCRIPTION_RESERVED && !is_named(look, id) &&
        *adopter != card + 1)
        world_violate(w, "reserved_is_wanted", card, "nobody wants subscription %u of %u", k,
                      person);
}

void check_job_restored(struct world *w)
{
    w->pool_writes++;
}

// The same need not be looked at again.
static void check_pool(struct world *w, uint32_t card, const struct record *r)
{
    struct pool_look look;
    look_at(w, card, r, &look);
    // What pads them is zero, too.
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    if (memcmp(&look, &w->truths[card].look, sizeof look) == 0)
        return;
    memcpy(&w->truths[card].look, &look, sizeof look);
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = 0; k < WORLD_SUBSCRIPTIONS; k++) {
            if (group_is_pooled(w, i, k))
                check_row(w, card, i, k, r);
        }
    }
}

// --- jobs --------------------------------------------------------------------------------------

static uint64_t marked(const struct record *r)
{
    return r->bootstrap.items[r->bootstrap.enable].subscription;
}

static uint64_t counted_ms(const struct world *w)
{
    return w->now.ms + w->server.skipped_ms;
}

static bool is_soaked(const struct world *w, uint64_t in_use_ms)
{
    return in_use_ms != 0 && counted_ms(w) - in_use_ms >= w->story.group.soak_s * UINT64_C(1000);
}

static void note_use(struct world *w, uint32_t card, const struct record *r)
{
    struct truth *t = &w->truths[card];
    const struct slot *slot = slot_of(w, card, marked(r));
    const bool is_used = r->bootstrap.item_count > 0 && slot != NULL && slot->state == SLOT_ENABLED;
    if (is_used && t->in_use_ms == 0)
        t->in_use_ms = counted_ms(w);
    if (!is_used && t->is_mirrored)
        t->in_use_ms = 0;
    const struct mirror_slot *enabled = record_enabled(r);
    const bool is_believed =
        r->bootstrap.item_count > 0 && enabled != NULL && enabled->subscription == marked(r);
    if (!is_believed)
        t->believed_ms = 0;
    else if (t->believed_ms == 0)
        t->believed_ms = counted_ms(w);
}

// NULL, or in what the card is not as the rule wants it at the end.
static const char *differs(const struct world *w, uint32_t card, const struct record *r)
{
    const struct story_group *g = &w->story.group;
    const struct slot *enabled = slot_of(w, card, marked(r));
    const struct slot *origin = slot_of(w, card, r->bootstrap.origin);
    const struct slot *fallback = g->deletes ? enabled : origin;
    if (r->bootstrap.item_count != g->items || r->bootstrap.enable != g->enable)
        return "its items";
    for (uint32_t i = 0; i < g->items; i++) {
        if (slot_of(w, card, r->bootstrap.items[i].subscription) == NULL)
            return "an item is missing";
    }
    if (enabled == NULL || enabled->state != SLOT_ENABLED)
        return "what is enabled";
    if ((origin == NULL) != (g->deletes != 0))
        return "whether the bootstrap subscription is there";
    return fallback == NULL || !fallback->is_fallback ? "the fallback attribute" : NULL;
}

// `in_use_ms`: when it was looked at last. What left the card in the same moment as the job went on
// was heard of after that. What never left it is not known: a card out of coverage may use another
// by now, or may have done for a while.
static void check_step(struct world *w, uint32_t card, const struct record *r, uint64_t in_use_ms)
{
    struct truth *t = &w->truths[card];
    const uint8_t was = t->job;
    const bool is_judged = t->hand_count == 0;
    t->job = r->bootstrap.state;
    if (t->job == was)
        return;
    world_note(w, "job", "card=%u state=%s", card, bootstrap_state_name(t->job));
    const bool was_before = was < BOOTSTRAP_FINISHING;
    const bool is_behind = t->job == BOOTSTRAP_FINISHING || t->job == BOOTSTRAP_DONE;
    const bool is_soon =
        !is_soaked(w, t->in_use_ms) && !is_soaked(w, in_use_ms) && !is_soaked(w, t->believed_ms);
    if (is_judged && was_before && is_behind && is_soon)
        world_violate(w, "soak", card, "its bootstrap goes on before the time is over");
    const char *text =
        t->job == BOOTSTRAP_DONE && is_judged && t->is_mirrored ? differs(w, card, r) : NULL;
    if (text != NULL)
        world_violate(w, "as_the_rule", card, "its bootstrap is done, but not %s", text);
}

void check_job(struct world *w, uint32_t card, const struct record *r, bool is_saved)
{
    if (!group_has_rule(w))
        return;
    const uint64_t in_use_ms = w->truths[card].in_use_ms;
    note_use(w, card, r);
    check_pool(w, card, r);
    if (is_saved)
        check_step(w, card, r, in_use_ms);
}

// --- on the wire -------------------------------------------------------------------------------

// It is the card's in the database, nobody else has it, and what comes before it in the rule is
// there.
static void check_download(struct world *w, uint32_t card, const uint8_t *imsi,
                           const struct record *r)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        if (i != card && slot_with(w, i, imsi) != NULL)
            world_violate(w, "pool_once", card, "it is given what card %u has", i);
    }
    struct subscription row;
    check(store_subscription_by_imsi(w->server.store, imsi, &row) == STORE_OK);
    if (row.card != r->card)
        world_violate(w, "pool_once", card, "it is given what is not reserved for it");
    const struct bootstrap *b = &r->bootstrap;
    // One that lost its counters cannot say any more that it went back.
    const bool is_judged = w->truths[card].hand_count == 0 && !w->truths[card].dump.is_blocked;
    for (uint8_t i = 0; i < b->item_count; i++) {
        if (memcmp(b->items[i].plan.imsi, imsi, COMMAND_IMSI_SIZE) == 0)
            return;
        if (b->items[i].subscription != 0 && slot_of(w, card, b->items[i].subscription) == NULL &&
            is_judged)
            world_violate(w, "as_the_rule", card, "item %u is not there, and a later one comes", i);
    }
}

// Nothing is deleted that still has the attribute, which a person may have moved on since; that it
// was in use for its time is judged when the job goes on.
static void check_deletion(struct world *w, uint32_t card, const struct record *r)
{
    const struct slot *origin = slot_of(w, card, r->bootstrap.origin);
    const struct slot *slot = slot_of(w, card, marked(r));
    if (w->truths[card].hand_count > 0)
        return;
    if (slot == NULL || (origin != NULL && origin->is_fallback))
        world_violate(w, "as_the_rule", card, "the bootstrap subscription is deleted too early");
}

void check_job_packet(struct world *w, uint32_t card, const struct command *c, uint64_t operation)
{
    struct operation o;
    uint64_t unused;
    const bool is_of_interest = c->number == COMMAND_DOWNLOAD || c->number == COMMAND_DELETE;
    if (!group_has_rule(w) || !is_of_interest)
        return;
    const enum store_status status = store_operation_get(w->server.store, operation, &o, &unused);
    // It was under way and is forgotten, or another packet of the card was handed over since.
    if (status == STORE_NONE && (w->server.was_put_back || operation == 0))
        return;
    check(status == STORE_OK);
    if (o.actor.kind != ACTOR_RULE)
        return;
    const struct record *r = world_store_record(w->server.store, w->people[card].id);
    if (c->number == COMMAND_DELETE) {
        check_deletion(w, card, r);
    } else {
        group_hold(w, c->download.imsi, card);
        check_download(w, card, c->download.imsi, r);
    }
}

// --- the end -----------------------------------------------------------------------------------

static uint32_t free_in_pool(const struct world *w)
{
    uint64_t counts[4];
    check(store_pool_counts(w->server.store, w->pool, counts) == STORE_OK);
    return (uint32_t)counts[SUBSCRIPTION_FREE];
}

// As many as the rule lets at it at once.
static bool are_enough_at_it(const struct world *w)
{
    uint64_t count = 0;
    check(store_places_held(w->server.store, w->group, WORLD_CARDS_MAX, &count) == STORE_OK);
    return count >= w->story.group.at_once;
}

// An alarm says that it waits for others, or there is nothing left for it. That is judged of the
// first one: who is behind it was told why when something happened to it last.
static bool may_wait(const struct world *w, const struct record *r)
{
    const uint64_t card = r->card;
    const bool is_stalled = r->bootstrap.is_stalled;
    const uint8_t failure = r->bootstrap.failure;
    // From here on the record may be another one's.
    for (uint32_t i = 0; i < w->cards; i++) { // until every card has said what it has
        if (check_is_forgotten(w, i))
            return true;
    }
    const struct story_group *g = &w->story.group;
    uint64_t first = 0;
    check(store_place_next(w->server.store, w->group, &first) == STORE_OK);
    if (first != card)
        return is_stalled && (failure == REFUSAL_CARD_BUSY || failure == REFUSAL_POOL_EMPTY);
    if (failure == REFUSAL_CARD_BUSY)
        return is_stalled && are_enough_at_it(w);
    return failure == REFUSAL_POOL_EMPTY && free_in_pool(w) < g->items - (g->of_factory != 0);
}

static bool has_bootstrap_slot(const struct record *r)
{
    bool has = false;
    for (uint8_t i = 0; i < r->slot_count; i++)
        has |= r->slots[i].fact.role == ROLE_BOOTSTRAP;
    return has;
}

// Of its only notification so far the server never heard: somebody else confirmed it. An answer is
// no event of a network.
static bool may_be_unattached(const struct world *w, uint32_t card, const struct record *r)
{
    return w->story.group.trigger == BOOTSTRAP_FIRST_ATTACH && w->truths[card].hand_count > 0 &&
           r->attached_at.ms == 0;
}

const char *check_job_end(const struct world *w, uint32_t card, const struct record *r)
{
    const struct bootstrap *b = &r->bootstrap;
    if (!group_has_rule(w))
        return NULL;
    switch ((enum bootstrap_state)b->state) {
    case BOOTSTRAP_DONE:
        return NULL;
    case BOOTSTRAP_WAITING:
        return may_wait(w, r) ? NULL : "its bootstrap waits";
    case BOOTSTRAP_FAILED:
    case BOOTSTRAP_PARTIAL:
        if (b->failure == REFUSAL_DELETE_FALLBACK)
            return "its bootstrap did not move the fallback attribute first";
        return b->failure != REFUSAL_NONE || b->operation != 0 || w->truths[card].is_job_touched
                   ? NULL
                   : "its bootstrap stopped without a reason";
    case BOOTSTRAP_NONE: // a card without the subscription that it should come from
        return (r->state == CARD_OPERATIONAL && !has_bootstrap_slot(r)) ||
                       may_be_unattached(w, card, r)
                   ? NULL
                   : "its bootstrap was never begun";
    case BOOTSTRAP_DOWNLOADING:
    case BOOTSTRAP_ENABLING:
    case BOOTSTRAP_CONFIRMING:
    case BOOTSTRAP_FINISHING:
    case BOOTSTRAP_CANCELLING:
        break;
    case BOOTSTRAP_SOAKING: // while the card uses another, an alarm says that it does not go on
        if (b->is_stalled && w->truths[card].in_use_ms == 0)
            return NULL;
        break;
    }
    return "its bootstrap is under way";
}

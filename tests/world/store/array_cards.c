// Cards, and the subscriptions that are or could be on them.
#include "common/base/check.h"
#include "tests/world/store/array.h"

// --- cards -----------------------------------------------------------------------------------

static struct card_place *card_find(const struct store *s, uint64_t card)
{
    uint32_t at = 0;
    struct card_place *c = row_with(s, CARDS, card, &at);
    while (c != NULL && c->record.card != card)
        c = row_with(s, CARDS, card, &at);
    return c;
}

static struct subscription_place *subscription_find(const struct store *s, uint64_t id)
{
    uint32_t at = 0;
    struct subscription_place *v = row_with(s, SUBSCRIPTIONS, id, &at);
    while (v != NULL && v->row.id != id)
        v = row_with(s, SUBSCRIPTIONS, id, &at);
    return v;
}

enum store_status store_card_add(struct store *s, const struct card_new *card)
{
    check(card->has_reference && card->has_keys);
    struct card_place *c = row_add(s, CARDS, card->record->card);
    record_copy(&c->record, card->record);
    c->keys = card->keys;
    struct wake_place *v = row_add(s, WAKES, card->record->card);
    v->card = card->record->card;
    v->group = card->record->group;
    memcpy(v->reference, card->reference, sizeof v->reference);
    return STORE_OK;
}

enum store_status store_card_load(struct store *s, uint64_t card, struct record *out)
{
    const struct card_place *c = card_find(s, card);
    if (c == NULL)
        return STORE_NONE;
    record_copy(out, &c->record);
    return STORE_OK;
}

// Before it is changed.
static void change_row(struct store *s, struct subscription_place *v)
{
    if (s->watch != NULL)
        s->watch(s->watch_context, SAVED_SUBSCRIPTION, v->row.id);
    row_keep(s, &v->row, sizeof v->row);
}

const struct record *world_store_record(struct store *s, uint64_t card)
{
    const struct card_place *c = card_find(s, card);
    check(c != NULL);
    return &c->record;
}

// Which subscriptions are on the card, as the mirror says it.
static void save_slots(struct store *s, const struct record *r)
{
    for (uint32_t i = 0; i < s->rows[SUBSCRIPTIONS].count; i++) {
        struct subscription_place *v = row_at(s, SUBSCRIPTIONS, i);
        const struct mirror_slot *slot = NULL;
        for (uint8_t k = 0; k < r->slot_count; k++) {
            if (r->slots[k].subscription == v->row.id)
                slot = &r->slots[k];
        }
        const bool has_left =
            slot == NULL && v->row.card == r->card && v->row.state == SUBSCRIPTION_ON_CARD;
        if (slot == NULL && !has_left)
            continue;
        change_row(s, v);
        v->row.slot = slot == NULL ? 0 : slot->fact.slot;
        v->row.state = slot == NULL ? SUBSCRIPTION_RESERVED : SUBSCRIPTION_ON_CARD;
        v->row.card = r->card;
        if (slot != NULL)
            memcpy(v->row.plan.number, slot->number, sizeof v->row.plan.number);
    }
}

static bool are_slots_same(const struct record *a, const struct record *b)
{
    bool is_same = a->slot_count == b->slot_count;
    for (uint8_t i = 0; is_same && i < a->slot_count; i++)
        is_same = a->slots[i].subscription == b->slots[i].subscription &&
                  a->slots[i].fact.slot == b->slots[i].fact.slot &&
                  strcmp(a->slots[i].number, b->slots[i].number) == 0;
    return is_same;
}

enum store_status store_card_save(struct store *s, const struct record *before,
                                  const struct record *next)
{
    struct card_place *c = card_find(s, next->card);
    if (c == NULL || c->record.version != before->version)
        return STORE_CONFLICT;
    if (s->watch != NULL)
        s->watch(s->watch_context, SAVED_CARD, next->card);
    row_keep(s, &c->record, record_size(&c->record));
    record_copy(&c->record, next);
    struct wake_place *v = wake_of(s, next->card);
    v->at_ms = next->wake_at.ms;
    v->group = next->group;
    v->place = bootstrap_place(next);
    if (!are_slots_same(before, next))
        save_slots(s, next);
    return STORE_OK;
}

enum store_status store_card_keys(struct store *s, uint64_t card, struct card_keys *out)
{
    const struct card_place *c = card_find(s, card);
    if (c == NULL)
        return STORE_NONE;
    *out = c->keys;
    return STORE_OK;
}

enum store_status store_card_group(struct store *s, uint64_t card, uint64_t *group)
{
    const struct card_place *c = card_find(s, card);
    if (c == NULL)
        return STORE_NONE;
    *group = c->record.group;
    return STORE_OK;
}

enum store_status store_card_by_reference(struct store *s,
                                          const uint8_t reference[CARD_REFERENCE_SIZE],
                                          uint64_t *card)
{
    for (uint32_t i = 0; i < s->rows[WAKES].count; i++) {
        const struct wake_place *c = row_at(s, WAKES, i);
        if (memcmp(c->reference, reference, sizeof c->reference) == 0) {
            *card = c->card;
            return STORE_OK;
        }
    }
    return STORE_NONE;
}

// A number that two cards claim finds neither.
enum store_status store_card_by_number(struct store *s, const char *number, uint64_t *card)
{
    bool is_found = false;
    for (uint32_t i = 0; i < s->rows[SUBSCRIPTIONS].count; i++) {
        const struct subscription *v =
            &((struct subscription_place *)row_at(s, SUBSCRIPTIONS, i))->row;
        if (v->card == 0 || v->state != SUBSCRIPTION_ON_CARD || number[0] == 0 ||
            strcmp(v->plan.number, number) != 0)
            continue;
        if (is_found && *card != v->card)
            return STORE_NONE;
        *card = v->card;
        is_found = true;
    }
    return is_found ? STORE_OK : STORE_NONE;
}

enum store_status store_card_postpone(struct store *s, uint64_t card, struct utc at)
{
    wake_of(s, card)->at_ms = at.ms;
    return STORE_OK;
}

// The first card behind (wake, index) of those that wake.
static const struct wake_place *next_awake(const struct store *s, const struct wake_place *behind)
{
    const struct wake_place *best = NULL;
    bool is_behind = false;
    for (uint32_t i = 0; i < s->rows[WAKES].count; i++) {
        const struct wake_place *c = row_at(s, WAKES, i);
        const bool comes =
            c->at_ms > 0 && (behind == NULL || c->at_ms > behind->at_ms ||
                             (c->at_ms == behind->at_ms && is_behind && c != behind));
        if (comes && (best == NULL || c->at_ms < best->at_ms))
            best = c;
        is_behind |= c == behind;
    }
    return best;
}

enum store_status store_due(struct store *s, struct utc now, uint32_t limit, store_id_fn *each,
                            void *context)
{
    const struct wake_place *c = next_awake(s, NULL);
    for (; c != NULL && c->at_ms <= now.ms && limit > 0; limit--) {
        if (!each(context, c->card))
            break;
        c = next_awake(s, c);
    }
    return STORE_OK;
}

enum store_status store_next_due(struct store *s, struct utc *at)
{
    const struct wake_place *c = next_awake(s, NULL);
    at->ms = c == NULL ? 0 : c->at_ms;
    return STORE_OK;
}

static bool is_under_way(const struct record *r)
{
    return r->flight.kind != FLIGHT_NONE ||
           (r->has_open && r->open.status >= STATUS_SENDING && r->open.status <= STATUS_CONFIRMING);
}

static bool is_waiting(const struct record *r)
{
    return r->wake_at.ms != 0 || is_under_way(r) || bootstrap_place(r) != 0;
}

static bool is_card(const struct record *r)
{
    (void)r;
    return true;
}

static enum store_status list(struct store *s, uint64_t after, uint32_t limit,
                              bool (*is_wanted)(const struct record *), store_id_fn *each,
                              void *context)
{
    // Their ids ascend.
    for (uint32_t i = 0; i < s->rows[CARDS].count && limit > 0; i++) {
        const struct record *r = &((struct card_place *)row_at(s, CARDS, i))->record;
        if (r->card <= after || !is_wanted(r))
            continue;
        limit--;
        if (!each(context, r->card))
            break;
    }
    return STORE_OK;
}

enum store_status store_under_way(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context)
{
    return list(s, after, limit, is_under_way, each, context);
}

enum store_status store_waiting(struct store *s, uint64_t after, uint32_t limit, store_id_fn *each,
                                void *context)
{
    return list(s, after, limit, is_waiting, each, context);
}

enum store_status store_all_cards(struct store *s, uint64_t after, uint32_t limit,
                                  store_id_fn *each, void *context)
{
    return list(s, after, limit, is_card, each, context);
}

enum store_status store_card_view_put(struct store *s, uint64_t card, const struct card_view *view)
{
    s->is_touched = true;
    (void)card;
    (void)view;
    return STORE_OK;
}

enum store_status store_audit_put(struct store *s, uint64_t card, const struct kept_audit *audit)
{
    s->is_touched = true;
    (void)card;
    (void)audit;
    return STORE_OK;
}

// --- subscriptions ---------------------------------------------------------------------------

enum store_status store_subscription_put(struct store *s, const struct subscription *v)
{
    struct subscription_place *place = row_add(s, SUBSCRIPTIONS, v->id);
    place->row = *v;
    s->has_filled |= v->pool != 0 && v->state == SUBSCRIPTION_FREE;
    return STORE_OK;
}

enum store_status store_subscription_get(struct store *s, uint64_t id, struct subscription *out)
{
    const struct subscription_place *v = subscription_find(s, id);
    if (v == NULL)
        return STORE_NONE;
    *out = v->row;
    return STORE_OK;
}

enum store_status store_subscription_release(struct store *s, uint64_t id, uint64_t card,
                                             bool was_on_card, struct utc at)
{
    (void)at;
    struct subscription_place *v = subscription_find(s, id);
    if (v == NULL || v->row.card != card || v->row.state != SUBSCRIPTION_RESERVED)
        return STORE_OK;
    change_row(s, v);
    v->row.card = 0;
    v->row.slot = 0;
    v->row.state =
        !v->row.has_keys && was_on_card ? SUBSCRIPTION_RETIRED : (uint8_t)SUBSCRIPTION_FREE;
    s->has_filled = true;
    return STORE_OK;
}

// The one with the lowest id.
enum store_status store_pool_reserve(struct store *s, uint64_t pool, bool is_for_fallback,
                                     uint64_t card, struct utc at, struct subscription *out)
{
    (void)at;
    struct subscription_place *best = NULL;
    for (uint32_t i = 0; i < s->rows[SUBSCRIPTIONS].count; i++) {
        struct subscription_place *v = row_at(s, SUBSCRIPTIONS, i);
        if (v->row.pool == pool && pool != 0 && v->row.state == SUBSCRIPTION_FREE &&
            v->row.has_keys && !(is_for_fallback && v->row.plan.is_barred) &&
            (best == NULL || v->row.id < best->row.id))
            best = v;
    }
    if (best == NULL)
        return STORE_NONE;
    change_row(s, best);
    best->row.state = SUBSCRIPTION_RESERVED;
    best->row.card = card;
    *out = best->row;
    return STORE_OK;
}

enum store_status store_any_dirty(struct store *s, struct utc until, bool *is_any)
{
    *is_any = false;
    for (uint32_t i = 0; i < s->rows[CARDS].count; i++) {
        const struct record *r = &((struct card_place *)row_at(s, CARDS, i))->record;
        const bool is_asked = r->state != CARD_RETIRED && r->state != CARD_IMPORTED_PARTIAL;
        *is_any |= is_asked && r->dirty_since.ms != 0 && r->dirty_since.ms <= until.ms;
    }
    return STORE_OK;
}

enum store_status store_pool_counts(struct store *s, uint64_t pool, uint64_t counts[4])
{
    memset(counts, 0, 4 * sizeof counts[0]);
    for (uint32_t i = 0; i < s->rows[SUBSCRIPTIONS].count; i++) {
        const struct subscription_place *v = row_at(s, SUBSCRIPTIONS, i);
        counts[v->row.state & 3] += v->row.pool == pool;
    }
    return STORE_OK;
}

static struct subscription_place *subscription_with(const struct store *s, const uint8_t *imsi)
{
    for (uint32_t i = 0; i < s->rows[SUBSCRIPTIONS].count; i++) {
        struct subscription_place *v = row_at(s, SUBSCRIPTIONS, i);
        if (memcmp(v->row.plan.imsi, imsi, COMMAND_IMSI_SIZE) == 0)
            return v;
    }
    return NULL;
}

enum store_status store_subscription_by_imsi(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                             struct subscription *out)
{
    const struct subscription_place *v = subscription_with(s, imsi);
    if (v == NULL)
        return STORE_NONE;
    *out = v->row;
    return STORE_OK;
}

enum store_status store_network_keys_put(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                         const struct network_keys *keys)
{
    struct subscription_place *v = subscription_with(s, imsi);
    check(v != NULL);
    v->keys = *keys;
    return STORE_OK;
}

enum store_status store_network_keys(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                     struct network_keys *out)
{
    const struct subscription_place *v = subscription_with(s, imsi);
    if (v == NULL)
        return STORE_NONE;
    *out = v->keys;
    return STORE_OK;
}

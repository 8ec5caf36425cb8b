#include "applet/select.h"

#define RETURN_MAX_S (7u * 86400u)

static bool is_set(uint16_t mask, uint8_t slot)
{
    return (mask >> slot & 1u) != 0;
}

static uint16_t with(uint16_t mask, uint8_t slot)
{
    return (uint16_t)(mask | 1u << slot);
}

// --- countries ---

// 2: country and network; 1: the country, any network; 0: another place.
static unsigned row_weight(const struct country_row *row, const uint8_t *plmn)
{
    if (row->plmn[0] != plmn[0] || (row->plmn[1] & 0x0F) != (plmn[1] & 0x0F))
        return 0;
    if ((row->plmn[1] & 0xF0) == 0xF0 && row->plmn[2] == 0xFF)
        return 1;
    return row->plmn[1] == plmn[1] && row->plmn[2] == plmn[2] ? 2 : 0;
}

static uint8_t row_slot(const struct image *m, const struct country_row *row)
{
    struct subscription_name name = {.is_given = true, .is_iccid = false};
    memcpy(name.imsi, row->imsi, sizeof name.imsi);
    return image_find(m, &name);
}

// The row that decides: the exact one, and of equals the one with the lower number. For any slot
// if `slot` is IMAGE_NO_SLOT, and then only rows that prefer.
static const struct country_row *deciding_row(const struct image *m, uint8_t slot,
                                              const uint8_t *plmn)
{
    const struct country_row *best = NULL;
    unsigned weight = 0;
    for (uint8_t i = 0; plmn != NULL && i < m->parameters.country_count; i++) {
        const struct country_row *row = &m->parameters.countries[i];
        unsigned w = row_weight(row, plmn);
        if (w <= weight)
            continue;
        uint8_t of = row_slot(m, row);
        bool fits = slot == IMAGE_NO_SLOT ? row->action == COUNTRY_PREFER : of == slot;
        if (of == IMAGE_NO_SLOT || !fits)
            continue;
        best = row;
        weight = w;
    }
    return best;
}

uint8_t select_preferred_here(const struct image *m, const uint8_t *plmn)
{
    const struct country_row *row = deciding_row(m, IMAGE_NO_SLOT, plmn);
    uint8_t slot = row == NULL ? IMAGE_NO_SLOT : row_slot(m, row);
    // An exact row that forbids it beats the one that prefers it in the whole country.
    return slot != IMAGE_NO_SLOT && select_is_forbidden(m, slot, plmn) ? IMAGE_NO_SLOT : slot;
}

uint32_t select_prefer_again_s(const struct image *m, const uint8_t *plmn)
{
    uint8_t slot = select_preferred_here(m, plmn);
    if (slot == IMAGE_NO_SLOT || slot == image_enabled(m))
        return 0;
    uint32_t cool = m->dues.cool[slot];
    return cool > m->dues.day ? cool : m->dues.day;
}

bool select_is_forbidden(const struct image *m, uint8_t slot_index, const uint8_t *plmn)
{
    const struct country_row *row = deciding_row(m, slot_index, plmn);
    return row != NULL && row->action == COUNTRY_FORBID;
}

// --- the day ---

bool select_has_room(const struct image *m, uint32_t now, unsigned count)
{
    unsigned used = m->dues.day > now ? m->switches : 0;
    return used + count <= m->parameters.switches_per_day;
}

bool select_is_capped(const struct image *m, uint32_t now)
{
    return !select_has_room(m, now, 1);
}

// --- rounds ---

static bool is_candidate(const struct image *m, uint8_t slot, uint32_t now, const uint8_t *plmn)
{
    const struct slot *s = &m->slots[slot];
    if (s->state == SLOT_EMPTY || s->is_fallback || s->role == ROLE_TEST ||
        select_is_forbidden(m, slot, plmn))
        return false;
    if (m->parameters.auto_mode == 1)
        return slot == m->preferred;
    bool is_cooling = m->dues.cool[slot] > now && !is_set(m->search.failed, slot);
    return (s->marks & SLOT_MARK_NOT_AUTO) == 0 && !is_cooling;
}

// Order of the rotation: rank, then slot number.
static unsigned place(const struct image *m, uint8_t slot)
{
    return m->slots[slot].rank * 256u + slot;
}

// The candidate next behind `current` that is not in `tried`, or IMAGE_NO_SLOT.
static uint8_t next_candidate(const struct image *m, uint8_t current, uint16_t tried,
                              uint16_t candidates)
{
    uint8_t behind = IMAGE_NO_SLOT;
    uint8_t first = IMAGE_NO_SLOT;
    for (uint8_t i = 0; i < m->slot_count; i++) {
        if (!is_set(candidates, i) || is_set(tried, i))
            continue;
        if (first == IMAGE_NO_SLOT || place(m, i) < place(m, first))
            first = i;
        if (place(m, i) > place(m, current) &&
            (behind == IMAGE_NO_SLOT || place(m, i) < place(m, behind)))
            behind = i;
    }
    return behind != IMAGE_NO_SLOT ? behind : first;
}

static unsigned count_bits(uint16_t mask)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < 16; i++)
        count += is_set(mask, i);
    return count;
}

static struct search search_after(const struct image *m, uint8_t current, uint8_t failed)
{
    struct search s = m->search;
    if (!s.is_open) {
        uint8_t origin = m->journal.phase != JOURNAL_NONE ? m->journal.from : current;
        s.is_open = true;
        s.origin = origin;
        s.round = 1;
        s.tried = with(0, origin);
    }
    s.is_paused = false;
    if (failed != IMAGE_NO_SLOT) {
        s.tried = with(s.tried, failed);
        s.failed = with(s.failed, failed);
    }
    return s;
}

struct plan select_next(const struct image *m, uint32_t now, uint8_t failed, const uint8_t *plmn)
{
    uint8_t current = image_enabled(m);
    uint8_t fallback = image_fallback(m);
    struct plan plan = {
        .kind = PLAN_SWITCH,
        .slot = fallback,
        .reason = REASON_FALLBACK,
        .search = search_after(m, current, failed),
    };
    if (m->parameters.auto_mode == 0)
        return (struct plan){.kind = PLAN_NONE};
    if (select_is_capped(m, now)) {
        bool is_used = m->is_cap_used && m->dues.day > now;
        if (current == fallback || is_used)
            plan.kind = PLAN_CAPPED;
        return plan;
    }
    uint16_t candidates = 0;
    // Only the fallback may take the place of one that must not be disabled.
    bool is_held = (m->slots[current].marks & SLOT_MARK_NO_DISABLE) != 0;
    for (uint8_t i = 0; i < m->slot_count && !is_held; i++) {
        if (is_candidate(m, i, now, plmn))
            candidates = with(candidates, i);
    }
    uint8_t next = next_candidate(m, current, plan.search.tried, candidates);
    bool is_last = plan.search.round >= m->parameters.rounds_max || count_bits(candidates) < 2;
    if (next == IMAGE_NO_SLOT && !is_last) {
        plan.search.round++;
        plan.search.tried = 0;
        next = next_candidate(m, current, plan.search.tried, candidates);
    }
    if (next != IMAGE_NO_SLOT) {
        plan.slot = next;
        plan.reason = REASON_ROTATE;
    } else if (current == fallback) {
        plan.kind = PLAN_PAUSE;
    }
    return plan;
}

uint32_t select_pause_s(const struct parameters *p, uint8_t n)
{
    uint32_t max = p->backoff_max_h * 3600u;
    uint32_t pause = p->backoff_base_min * 60u;
    for (uint8_t i = 0; i < n && pause < max; i++)
        pause *= 2;
    return pause < max ? pause : max;
}

uint32_t select_return_s(const struct image *m, uint32_t chance)
{
    uint32_t base = m->parameters.return_s;
    uint32_t max = base > RETURN_MAX_S ? base : RETURN_MAX_S;
    for (uint8_t i = 0; i < m->return_doublings && base < max; i++)
        base *= 2;
    base = base < max ? base : max;
    return base - base / 10 + chance % (base / 10 * 2 + 1);
}

// The slots of a card's record, made from its trail alone: what it was imported with, and each row
// that tells of a change since, which goes on where the one before ended [docs/SIMULATION.md].
//
// Rows are read when the record is another than the rows so far tell, and at the end: what has its
// row in the commit of the change is equal then. A row of what did not change shows when the next
// ones are read.
#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <stdlib.h>

#define ROW_TEXT_SIZE 501
#define PAGE_ROWS 1000

enum {
    TOLD_SUBSCRIPTION,
    TOLD_STATE,
    TOLD_ROLE,
    TOLD_FALLBACK,
    TOLD_PROVEN,
    TOLD_NO_DISABLE,
    TOLD_NO_DELETE,
    TOLD_NOT_AUTO,
    TOLD_RANK,
    TOLD_TEMPLATE,
};
_Static_assert(TOLD_TEMPLATE + 1 == TOLD_MEMBERS, "each has a place");

static const char *const members[TOLD_MEMBERS] = {
    "subscriptionId", "state",    "role", "fallback", "proven",
    "noDisable",      "noDelete", "auto", "rank",     "templateId"};

// --- the record ----------------------------------------------------------------------------------

// An empty slot has zeros alone.
static void take_record(struct told_slots *t, const struct record *r)
{
    memset(t->slots, 0, sizeof t->slots);
    t->preferred = r->preferred;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct mirror_slot *s = &r->slots[i];
        const struct audit_slot *f = &s->fact;
        uint64_t *v = t->slots[f->slot - 1];
        v[TOLD_SUBSCRIPTION] = s->subscription;
        v[TOLD_STATE] = f->state;
        v[TOLD_ROLE] = f->role;
        v[TOLD_FALLBACK] = f->is_fallback;
        v[TOLD_PROVEN] = f->is_proven;
        v[TOLD_NO_DISABLE] = (f->marks & SLOT_MARK_NO_DISABLE) != 0;
        v[TOLD_NO_DELETE] = (f->marks & SLOT_MARK_NO_DELETE) != 0;
        v[TOLD_NOT_AUTO] = (f->marks & SLOT_MARK_NOT_AUTO) != 0;
        v[TOLD_RANK] = f->rank;
        v[TOLD_TEMPLATE] = f->template_number;
    }
}

static bool is_equal(const struct told_slots *a, const struct told_slots *b)
{
    return a->preferred == b->preferred && memcmp(a->slots, b->slots, sizeof a->slots) == 0;
}

// --- the rows ------------------------------------------------------------------------------------

struct told_row {
    char before[ROW_TEXT_SIZE], after[ROW_TEXT_SIZE];
};

// Newest first, as they are read.
struct told_rows {
    struct told_row *rows;
    uint32_t count, max;
};

static bool keep_row(void *context, const struct trail_row *row)
{
    struct told_rows *k = context;
    if (k->count == k->max) {
        k->max = k->max * 2 + 16;
        k->rows = realloc(k->rows, k->max * sizeof *k->rows);
        check(k->rows != NULL);
    }
    struct told_row *to = &k->rows[k->count++];
    (void)snprintf(to->before, sizeof to->before, "%s", row->before);
    (void)snprintf(to->after, sizeof to->after, "%s", row->after);
    return true;
}

static void read_rows(const struct world *w, uint32_t card, struct told_rows *k)
{
    struct trail_filter filter;
    struct store_page page = {.limit = PAGE_ROWS};
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = w->people[card].id;
    filter.action = "card.slots";
    filter.sequence_from = w->truths[card].told.sequence + 1;
    do {
        check(store_trail(w->server.store, &filter, &page, keep_row, k, NULL) == STORE_OK);
        page.offset += page.limit;
    } while (k->count == page.offset);
}

// --- what they say -------------------------------------------------------------------------------

static bool read_word(const char *const *words, uint64_t count, const char *text, uint64_t *value)
{
    *value = 0;
    while (*value < count && strcmp(words[*value], text) != 0)
        (*value)++;
    return *value < count;
}

static bool read_value(unsigned member, const char *text, uint64_t *value)
{
    static const char *const states[] = {"EMPTY", "DISABLED", "ENABLED"};
    static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST"};
    static const char *const flags[] = {"false", "true"};
    bool is_read = false;
    switch (member) {
    case TOLD_SUBSCRIPTION:
        *value = 0;
        return strcmp(text, "null") == 0 || api_id_read(bytes_of_text(text), "sub", value);
    case TOLD_STATE:
        return read_word(states, 3, text, value);
    case TOLD_ROLE:
        return read_word(roles, 3, text, value);
    case TOLD_NOT_AUTO:
        is_read = read_word(flags, 2, text, value);
        *value ^= 1;
        return is_read;
    case TOLD_RANK:
    case TOLD_TEMPLATE:
        return text_read_decimal(bytes_of_text(text), value);
    default:
        return read_word(flags, 2, text, value);
    }
}

// "slot2.state" or "preferred": where its value stands; NULL: the row does not tell the value.
static uint64_t *place_of(struct told_slots *t, const char *path, unsigned *member)
{
    uint64_t slot = 0;
    *member = TOLD_SUBSCRIPTION;
    if (strcmp(path, "preferred") == 0)
        return &t->preferred;
    const char *name = strchr(path, '.');
    const bool is_slot = strncmp(path, "slot", 4) == 0 && name != NULL &&
                         text_read_decimal(bytes_of(path + 4, (size_t)(name - path) - 4), &slot);
    check(is_slot && slot >= 1 && slot <= COMMAND_SLOTS_MAX);
    if (strcmp(name + 1, "iccid") == 0 || strcmp(name + 1, "imsi") == 0)
        return NULL;
    while (*member < TOLD_MEMBERS && strcmp(members[*member], name + 1) != 0)
        (*member)++;
    check(*member < TOLD_MEMBERS);
    return &t->slots[slot - 1][*member];
}

// One member of a side: compared with what was told before, or taken.
static void take_member(struct world *w, uint32_t card, const char *path, const char *text,
                        bool is_after)
{
    struct told_slots *t = &w->truths[card].told;
    unsigned member = 0;
    uint64_t value = 0;
    uint64_t *at = place_of(t, path, &member);
    if (at == NULL)
        return;
    check(read_value(member, text, &value));
    if (!is_after && *at != value)
        world_violate(w, "slots_are_told", card, "a row begins with %s=%s, and none said so", path,
                      text);
    if (is_after && member == TOLD_STATE && value == SLOT_EMPTY)
        memset(at - TOLD_STATE, 0, sizeof t->slots[0]);
    if (is_after)
        *at = value;
}

// "slot1.state=ENABLED, slot2.state=DISABLED"
static void take_side(struct world *w, uint32_t card, const char *text, bool is_after)
{
    char copy[ROW_TEXT_SIZE];
    char *at = copy;
    (void)snprintf(copy, sizeof copy, "%s", text);
    while (*at != 0) {
        char *end = strchr(at, ',');
        char *next = end == NULL ? at + strlen(at) : end + 2;
        char *value = strchr(at, '=');
        if (end != NULL)
            *end = 0;
        check(value != NULL);
        *value = 0;
        take_member(w, card, at, value + 1, is_after);
        at = next;
    }
}

static void take_rows(struct world *w, uint32_t card)
{
    struct told_rows k = {0};
    uint8_t hash[32];
    read_rows(w, card, &k);
    check(store_trail_head(w->server.store, &w->truths[card].told.sequence, hash) == STORE_OK);
    for (uint32_t i = k.count; i > 0; i--) {
        take_side(w, card, k.rows[i - 1].before, false);
        take_side(w, card, k.rows[i - 1].after, true);
    }
    free(k.rows);
}

// --- compared ------------------------------------------------------------------------------------

static void compare(struct world *w, uint32_t card, const struct told_slots *now)
{
    const struct told_slots *t = &w->truths[card].told;
    for (unsigned slot = 1; slot <= COMMAND_SLOTS_MAX; slot++) {
        for (unsigned i = 0; i < TOLD_MEMBERS; i++) {
            if (now->slots[slot - 1][i] != t->slots[slot - 1][i])
                world_violate(w, "slots_are_told", card,
                              "%s of slot %u is %llu, and the trail says %llu", members[i], slot,
                              (unsigned long long)now->slots[slot - 1][i],
                              (unsigned long long)t->slots[slot - 1][i]);
        }
    }
    if (now->preferred != t->preferred)
        world_violate(w, "slots_are_told", card,
                      "another subscription is preferred than the trail says");
}

void fold_slots_begin(struct world *w, uint32_t card, const struct record *imported)
{
    struct truth *t = &w->truths[card];
    take_record(&t->imported, imported);
    t->told = t->imported;
}

void fold_slots_restored(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    t->told = t->imported;
}

void fold_slots(struct world *w, uint32_t card, const struct record *r, bool is_end)
{
    struct told_slots now;
    take_record(&now, r);
    const bool has_changed = !is_equal(&now, &w->truths[card].told);
    if (!is_end)
        judged_note(&w->result.judged, JUDGED_SLOTS, has_changed);
    if (!has_changed && !is_end)
        return;
    take_rows(w, card);
    compare(w, card, &now);
}

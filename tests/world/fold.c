// The registry, made again from the trail alone: what its rows say of each card is what its record
// says, and each row goes on where the one before ended [docs/SIMULATION.md].
#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_SIZE TRAIL_TEXT_SIZE
#define OPERATIONS_MAX 32768 // of a world; a power of two

// A value that rows tell with before and after. Rows come newest first.
struct told {
    bool is_told;
    char last[TEXT_SIZE];  // the newest row's after
    char first[TEXT_SIZE]; // the before of the oldest so far
};

struct told_operation {
    uint64_t id; // 0: the place is free
    uint32_t requests, ends;
    bool has_status, has_outcome;
    bool is_unknown;         // says the newest row of its status
    char outcome[TEXT_SIZE]; // the newest row's
};

struct fold {
    struct world *w;
    uint32_t card;
    struct told state, bootstrap;
    uint8_t told_marks, marks;
    uint32_t reasons;
    bool is_doubt_over; // rows from here on are of a former doubt
    struct told_operation *operations;
};

static void keep(char to[TEXT_SIZE], const char *text)
{
    (void)snprintf(to, TEXT_SIZE, "%s", text);
}

static void tell(struct fold *f, struct told *t, const struct trail_row *row)
{
    struct world *w = f->w;
    if (!t->is_told)
        keep(t->last, row->after);
    else if (strcmp(t->first, row->after) != 0)
        world_violate(w, "fold", f->card, "%s: a row ends with %s, the next begins with %s",
                      row->action, row->after, t->first);
    t->is_told = true;
    keep(t->first, row->before);
}

static void tell_mark(struct fold *f, const char *name, bool is_set)
{
    for (uint8_t i = 0; i < CARD_MARKS; i++) {
        const uint8_t bit = (uint8_t)(1u << i);
        if (strcmp(name, card_mark_name(i)) != 0 || (f->told_marks & bit) != 0)
            continue;
        f->told_marks |= bit;
        f->marks |= is_set ? bit : 0;
    }
}

static void tell_doubt(struct fold *f, const char *reason)
{
    tell_mark(f, card_mark_name(MARK_DIRTY), true);
    for (uint8_t i = DIRTY_NONE + 1; i < DIRTY_REASONS && !f->is_doubt_over; i++) {
        if (strcmp(reason, dirty_reason_name(i)) == 0)
            f->reasons |= 1u << i;
    }
}

static struct told_operation *operation_of(struct fold *f, uint64_t id)
{
    uint32_t at = (uint32_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 32) % OPERATIONS_MAX;
    for (uint32_t i = 0; f->operations[at].id != 0 && f->operations[at].id != id; i++) {
        check(i < OPERATIONS_MAX);
        at = (at + 1) % OPERATIONS_MAX;
    }
    f->operations[at].id = id;
    return &f->operations[at];
}

static void tell_operation(struct fold *f, const struct trail_row *row)
{
    struct told_operation *o = operation_of(f, row->operation);
    const bool is_end = strcmp(row->action, "operation.ended") == 0;
    const bool is_corrected = strcmp(row->action, "operation.corrected") == 0;
    o->requests += strcmp(row->action, "operation.requested") == 0;
    o->ends += is_end;
    if (is_end || strcmp(row->action, "operation.status") == 0) {
        o->is_unknown |=
            !o->has_status && strcmp(row->after, operation_status_name(STATUS_UNKNOWN)) == 0;
        o->has_status = true;
    }
    // That it never ran is no other outcome.
    if ((is_end || is_corrected) && !o->has_outcome && strcmp(row->after, "never ran") != 0) {
        keep(o->outcome, row->after);
        o->has_outcome = true;
    }
}

static bool take(void *context, const struct trail_row *row)
{
    struct fold *f = context;
    if (strcmp(row->action, "card.state") == 0) {
        tell(f, &f->state, row);
    } else if (strcmp(row->action, "card.bootstrap") == 0) {
        tell(f, &f->bootstrap, row);
    } else if (strcmp(row->action, "card.marked") == 0) {
        tell_mark(f, row->after, true);
    } else if (strcmp(row->action, "card.unmarked") == 0) {
        f->is_doubt_over |= strcmp(row->before, card_mark_name(MARK_DIRTY)) == 0;
        tell_mark(f, row->before, false);
    } else if (strcmp(row->action, "card.dirty") == 0) {
        tell_doubt(f, row->after);
    } else if (row->operation != 0 && strncmp(row->action, "operation.", 10) == 0) {
        tell_operation(f, row);
    }
    return true;
}

// --- and compared ------------------------------------------------------------------------------

static void compare_value(struct fold *f, const char *what, const struct told *t, const char *first,
                          const char *now)
{
    struct world *w = f->w;
    const char *told = t->is_told ? t->last : first;
    if (t->is_told && strcmp(t->first, first) != 0)
        world_violate(w, "fold", f->card, "%s began with %s, says the trail", what, t->first);
    if (strcmp(told, now) != 0)
        world_violate(w, "fold", f->card, "%s is %s, and the trail says %s", what, now, told);
}

static void compare_card(struct fold *f)
{
    struct world *w = f->w;
    struct record r;
    uint32_t reasons = 0;
    check(store_card_load(w->server.store, w->people[f->card].id, &r) == STORE_OK);
    fold_slots(w, f->card, &r, true);
    for (uint8_t i = DIRTY_NONE + 1; i < DIRTY_REASONS; i++)
        reasons |= r.reasons[i].since.ms != 0 ? 1u << i : 0;
    compare_value(f, "the state", &f->state, card_state_name(CARD_IMPORTED),
                  card_state_name(r.state));
    compare_value(f, "the bootstrap", &f->bootstrap, bootstrap_state_name(BOOTSTRAP_NONE),
                  bootstrap_state_name(r.bootstrap.state));
    if (f->marks != r.marks)
        world_violate(w, "fold", f->card, "marks are %x, and the trail says %x", r.marks, f->marks);
    if (f->reasons != reasons)
        world_violate(w, "fold", f->card, "reasons for doubt are %x, and the trail says %x",
                      reasons, f->reasons);
}

// NULL, or what the trail does not tell of it.
static const char *untold(const struct told_operation *t, const struct operation *o)
{
    const bool is_ended = o->status == STATUS_ENDED;
    if (t->requests != 1)
        return t->requests == 0 ? "was never requested" : "was requested twice";
    if (t->ends != is_ended)
        return is_ended ? "has not ended once" : "has ended";
    if (t->is_unknown != (o->status == STATUS_UNKNOWN))
        return t->is_unknown ? "is unknown" : "is not unknown";
    return is_ended && strcmp(t->outcome, operation_outcome_name(o->outcome)) != 0
               ? "has another outcome"
               : NULL;
}

static bool compare_operation(void *context, uint64_t card, const struct operation *o)
{
    struct fold *f = context;
    struct world *w = f->w;
    const char *why = o->kind == OPERATION_AUDIT ? NULL : untold(operation_of(f, o->id), o);
    if (why != NULL)
        world_violate(w, "fold", card_of(w, card), "%s %u %s, says the trail",
                      operation_kind_name(o->kind), o->card_operation_id, why);
    return true;
}

static void read_card(struct fold *f)
{
    struct trail_filter filter;
    struct store_page page = {.limit = 1000};
    uint64_t total = 0;
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = f->w->people[f->card].id;
    do {
        check(store_trail(f->w->server.store, &filter, &page, take, f, &total) == STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
}

void fold_check(struct world *w)
{
    struct fold f = {.w = w};
    struct operation_filter filter;
    struct store_page page = {.limit = 500};
    uint64_t total = 0;
    f.operations = calloc(OPERATIONS_MAX, sizeof *f.operations);
    check(f.operations != NULL);
    for (uint32_t i = 0; i < w->cards; i++) {
        struct fold of_card = {.w = w, .card = i, .operations = f.operations};
        read_card(&of_card);
        compare_card(&of_card);
    }
    operation_filter_init(&filter);
    do {
        check(store_operations(w->server.store, &filter, &page, compare_operation, &f, &total) ==
              STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
    free(f.operations);
}

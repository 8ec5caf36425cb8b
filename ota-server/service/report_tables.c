// The tables of reports, in the order in which they stand. Each goes on a page at a time.
#include "ota-server/service/auth_user.h"
#include "ota-server/service/report_part.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

// --- whose groups a province has ---------------------------------------------------------------

static void tell_left_out(struct report_work *r, struct utc now)
{
    static const char *const columns[] = {"groups", "left out", NULL};
    const struct report_heading h = {1, "groups-left-out", "Groups of the province",
                                     "card groups; of those left out nothing is in this report",
                                     columns};
    report_open(r, &h, now);
    if (report_row(r)) {
        report_number(r, r->group_count);
        report_number(r, r->groups_left_out);
        report_row_end(r);
    }
    report_close(r);
}

static bool find_groups(struct report_work *r, struct store *s, struct utc now,
                        enum store_status *status)
{
    bool is_last = true;
    if (r->order.province[0] == '\0')
        return true;
    struct report_page *p = report_page_new(report_group_texts, NULL, status);
    if (p == NULL)
        return false;
    *status = report_read(r, s, "group", REPORT_PAGE, p, &is_last);
    for (size_t i = 0; i < p->count; i++) {
        const bool is_wanted = strcmp(p->notes[i].texts[2], r->order.province) == 0 &&
                               (r->order.group == 0 || r->order.group == p->notes[i].id);
        if (is_wanted && r->group_count < REPORT_GROUPS_MAX)
            r->groups[r->group_count++] = p->notes[i].id;
        else
            r->groups_left_out += is_wanted;
    }
    free(p);
    if (is_last && r->groups_left_out > 0)
        tell_left_out(r, now);
    return is_last;
}

// --- operations --------------------------------------------------------------------------------

struct operation_note {
    uint64_t id, card;
    struct utc created_at;
    uint8_t kind, outcome, failure;
};

struct operation_page {
    struct operation_note notes[REPORT_PAGE];
    size_t count;
};

static bool note_operation(void *context, uint64_t card, const struct operation *o)
{
    struct operation_page *p = context;
    p->notes[p->count++] =
        (struct operation_note){o->id, card, o->created_at, o->kind, o->outcome, o->failure};
    return p->count < REPORT_PAGE;
}

static void count_operation(struct report_work *r, const struct operation_note *n)
{
    struct report_counts *c = &r->counts;
    const size_t day = (size_t)((n->created_at.ms - r->order.from.ms) / DAY_MS);
    const bool is_known = n->kind < REPORT_KINDS && n->outcome < FIGURE_OUTCOMES;
    if (!is_known || day > REPORT_DAYS_MAX)
        return;
    c->by_kind[n->kind][n->outcome]++;
    c->failures[n->failure]++;
    c->asked[day]++;
    c->done[day] += n->outcome == OUTCOME_DONE;
}

static void put_kinds(struct report_work *r, struct utc now)
{
    static const char *const columns[] = {"type",        "asked",     "done",    "failed",
                                          "rolled_back", "refused",   "expired", "cancelled",
                                          "unresolved",  "not ended", NULL};
    static const uint8_t outcomes[] = {OUTCOME_DONE,       OUTCOME_FAILED,  OUTCOME_ROLLED_BACK,
                                       OUTCOME_REFUSED,    OUTCOME_EXPIRED, OUTCOME_CANCELLED,
                                       OUTCOME_UNRESOLVED, OUTCOME_NONE};
    const struct report_heading h = {1, "operations", "Operations by type and outcome",
                                     "operations that were asked for in the time", columns};
    report_open(r, &h, now);
    for (unsigned kind = 1; kind < REPORT_KINDS; kind++) {
        uint64_t asked = 0;
        for (size_t i = 0; i < sizeof(outcomes); i++)
            asked += r->counts.by_kind[kind][outcomes[i]];
        if (asked == 0 || !report_row(r))
            continue;
        report_text(r, operation_kind_name((uint8_t)kind));
        report_number(r, asked);
        for (size_t i = 0; i < sizeof(outcomes); i++)
            report_number(r, r->counts.by_kind[kind][outcomes[i]]);
        report_row_end(r);
    }
    report_close(r);
}

static void put_days(struct report_work *r, struct utc now)
{
    static const char *const columns[] = {"day (UTC)", "asked", "done", NULL};
    const struct report_heading h = {1, "operations-by-day", "Operations by day",
                                     "operations that were asked for in the time", columns};
    const size_t days = (size_t)((r->order.to.ms - r->order.from.ms + DAY_MS - 1) / DAY_MS);
    report_open(r, &h, now);
    for (size_t i = 0; i < days && i <= REPORT_DAYS_MAX; i++) {
        char text[UTC_TEXT_SIZE];
        if (r->counts.asked[i] == 0 || !report_row(r))
            continue;
        utc_format(utc_after(r->order.from, (int64_t)i * DAY_MS), text);
        text[10] = '\0';
        report_text(r, text);
        report_number(r, r->counts.asked[i]);
        report_number(r, r->counts.done[i]);
        report_row_end(r);
    }
    report_close(r);
}

static void put_failures(struct report_work *r, struct utc now)
{
    static const char *const columns[] = {"failureCode", "operations", NULL};
    const struct report_heading h = {6, "failures", "Why operations failed",
                                     "operations that were asked for in the time", columns};
    report_open(r, &h, now);
    for (unsigned i = 1; i < 256; i++) {
        if (r->counts.failures[i] == 0 || !report_row(r))
            continue;
        report_text(r, operation_failure_name((uint8_t)i));
        report_number(r, r->counts.failures[i]);
        report_row_end(r);
    }
    report_close(r);
}

static bool scan_operations(struct report_work *r, struct store *s, struct utc now,
                            enum store_status *status)
{
    struct operation_filter f;
    operation_filter_init(&f);
    f.tenant = r->order.reach;
    f.from = r->order.from;
    // Ids begin with the time of their making.
    f.after = r->after != 0 ? r->after : ((uint64_t)r->order.from.ms << 20) - 1;
    struct operation_page *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        *status = STORE_BUSY;
        return false;
    }
    *status = store_operations_behind(s, &f, REPORT_PAGE, note_operation, p);
    bool is_over = p->count < REPORT_PAGE;
    for (size_t i = 0; i < p->count && *status == STORE_OK; i++) {
        uint64_t group = 0;
        r->after = p->notes[i].id;
        is_over = is_over || p->notes[i].created_at.ms >= r->order.to.ms;
        if (!report_covers(r, p->notes[i].created_at))
            continue;
        if (r->is_limited)
            *status = store_card_group(s, p->notes[i].card, &group);
        if (*status == STORE_NONE) // a card that is gone
            *status = STORE_OK;
        if (report_has(r, group))
            count_operation(r, &p->notes[i]);
    }
    free(p);
    if (!is_over || *status != STORE_OK)
        return false;
    put_kinds(r, now);
    put_days(r, now);
    put_failures(r, now);
    return true;
}

// --- cards -------------------------------------------------------------------------------------

static bool put_cards(struct report_work *r, struct store *s, struct utc now,
                      enum store_status *status)
{
    static const char *const columns[] = {"state or mark", "cards", NULL};
    struct store_counts counts = {0};
    if (r->is_limited && r->after < r->group_count) { // one a step: it counts its cards
        *status = report_add_group(s, r->groups[r->after++], r->states);
        return false;
    }
    if (r->is_limited)
        memcpy(counts.cards_by_state, r->states, sizeof(r->states));
    else
        *status = store_card_counts(s, r->order.reach, &counts);
    const struct report_heading h = {2, "cards",
                                     r->is_limited ? "Cards by state" : "Cards by state and mark",
                                     "cards as they stand now", columns};
    report_open(r, &h, now);
    for (size_t i = 0; i < CARD_STATES; i++) {
        if (!report_row(r))
            continue;
        report_text(r, card_state_name((uint8_t)i));
        report_number(r, counts.cards_by_state[i]);
        report_row_end(r);
    }
    for (size_t i = 0; i < CARD_MARKS && !r->is_limited; i++) {
        if (!report_row(r))
            continue;
        report_text(r, card_mark_name((uint8_t)i));
        report_number(r, counts.cards_by_mark[i]);
        report_row_end(r);
    }
    report_close(r);
    return true;
}

// --- fallbacks ---------------------------------------------------------------------------------

static uint64_t sum_of(const struct figure_sums *sums, unsigned figure)
{
    int64_t sum = 0;
    for (size_t i = 0; i < FIGURE_DETAILS; i++)
        sum += sums->counts[figure][i];
    return sum > 0 ? (uint64_t)sum : 0;
}

// Of an enterprise and not of a group: sums are kept so.
static bool put_fallbacks(struct report_work *r, struct store *s, struct utc now,
                          enum store_status *status)
{
    static const char *const columns[] = {"figure", "count", NULL};
    const struct report_heading h = {
        1, "fallbacks", "Cards that fell back and came back by themselves",
        "sums by the hour of the whole enterprise, whatever the group", columns};
    struct figure_sums *sums = calloc(1, sizeof(*sums));
    if (sums == NULL) {
        *status = STORE_BUSY;
        return false;
    }
    *status = store_tallies(s, r->order.reach, r->order.from, utc_after(r->order.to, -1), sums);
    const uint64_t counts[] = {sum_of(sums, FIGURE_FALLBACKS), sum_of(sums, FIGURE_RETURNS)};
    static const char *const names[] = {"fallbacks", "returns"};
    free(sums);
    report_open(r, &h, now);
    for (size_t i = 0; i < 2; i++) {
        if (!report_row(r))
            continue;
        report_text(r, names[i]);
        report_number(r, counts[i]);
        report_row_end(r);
    }
    report_close(r);
    return true;
}

struct cards_page {
    struct card_row rows[REPORT_PAGE];
    size_t count;
};

static bool note_card(void *context, const struct card_row *row)
{
    struct cards_page *p = context;
    p->rows[p->count++] = *row;
    return p->count < REPORT_PAGE;
}

static bool put_on_fallback(struct report_work *r, struct store *s, struct utc now,
                            enum store_status *status)
{
    static const char *const columns[] = {"card", "group", "lastContactAt", NULL};
    const struct report_heading h = {4, "on-fallback", "Cards on their fallback subscription",
                                     "cards as they stand now", columns};
    const struct store_page page = {.limit = REPORT_PAGE};
    struct card_filter f;
    card_filter_init(&f);
    f.tenant = r->order.reach;
    f.after = r->after;
    struct cards_page *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        *status = STORE_BUSY;
        return false;
    }
    if (!r->is_open)
        report_open(r, &h, now);
    *status = store_cards(s, &f, &page, note_card, p, NULL);
    const bool is_last = p->count < REPORT_PAGE;
    for (size_t i = 0; i < p->count; i++) {
        r->after = p->rows[i].card;
        // The store would look for the mark among all cards at once.
        if ((p->rows[i].marks >> MARK_ON_FALLBACK & 1) == 0 || !report_has(r, p->rows[i].group) ||
            !report_row(r))
            continue;
        report_id(r, "crd", p->rows[i].card);
        report_id(r, "grp", p->rows[i].group);
        report_time(r, p->rows[i].last_contact_at);
        report_row_end(r);
    }
    free(p);
    if (is_last)
        report_close(r);
    return is_last;
}

// --- the catalogue -----------------------------------------------------------------------------

#define IN(type) (1u << REPORT_##type)

const struct report_table report_tables[] = {
    {~0u, find_groups},
    {IN(OPERATIONS) | IN(REGULATOR), scan_operations},
    {IN(FALLBACK) | IN(REGULATOR), put_fallbacks},
    {IN(FALLBACK), put_on_fallback},
    {IN(BOOTSTRAP), report_bootstrap_totals},
    {IN(BOOTSTRAP), report_bootstraps},
    {IN(INVENTORY) | IN(REGULATOR), put_cards},
    {IN(REGULATOR), report_customers},
    {IN(INVENTORY) | IN(REGULATOR), report_groups},
    {IN(CARD_WRITERS) | IN(REGULATOR), report_writers},
    {IN(INVENTORY) | IN(REGULATOR), report_pools},
    {IN(INVENTORY) | IN(REGULATOR), report_templates},
    {IN(IMPORTS) | IN(REGULATOR), report_imports},
};
const size_t report_table_count = sizeof(report_tables) / sizeof(report_tables[0]);

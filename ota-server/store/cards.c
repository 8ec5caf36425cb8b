// Cards: added, loaded, saved, found, listed.
#include "ota-server/store/campaigns.h"
#include "ota-server/store/driver.h"

#include "common/base/text.h"
#include "common/wire/ident.h"

#include <stdio.h>

static bool is_under_way(const struct record *r)
{
    return r->flight.kind != FLIGHT_NONE ||
           (r->has_open && r->open.status >= STATUS_SENDING && r->open.status <= STATUS_CONFIRMING);
}

enum store_status cards_count(struct store *s)
{
    if (s->counted.cards == 0)
        return STORE_OK;
    struct query q = query_of(s, STATEMENT_CARD_COUNTED);
    bind_number(&q, 1, (int64_t)s->counted.tenant);
    bind_number(&q, 2, (int64_t)s->counted.import);
    bind_number(&q, 3, s->counted.state);
    bind_number(&q, 4, s->counted.marks);
    bind_number(&q, 5, s->counted.cards);
    s->counted.cards = 0;
    return query_run(&q);
}

// Cards that are added together are mostly of one kind.
enum store_status cards_counted(struct store *s, const struct counted *cards)
{
    struct counted *c = &s->counted;
    const bool is_same = c->tenant == cards->tenant && c->import == cards->import &&
                         c->state == cards->state && c->marks == cards->marks;
    const enum store_status status = is_same ? STORE_OK : cards_count(s);
    const uint32_t before = is_same ? c->cards : 0;
    *c = *cards;
    c->cards += before;
    return status;
}

static enum store_status put_reference(struct store *s, enum statement statement, uint64_t card,
                                       const uint8_t reference[CARD_REFERENCE_SIZE])
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)card);
    bind_octets(&q, 2, bytes_of(reference, CARD_REFERENCE_SIZE));
    return query_run(&q);
}

enum store_status store_card_add(struct store *s, const struct card_new *c)
{
    const struct record *r = c->record;
    uint8_t octets[RECORD_OCTETS_MAX];
    char iccid[ICCID_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, r);
    if (w.failed || !iccid_read(r->iccid, iccid))
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_CARD_ADD);
    bind_number(&q, 1, (int64_t)r->card);
    bind_number(&q, 2, (int64_t)r->version);
    bind_number(&q, 3, (int64_t)r->tenant);
    bind_number(&q, 4, (int64_t)r->group);
    bind_number(&q, 5, (int64_t)r->batch);
    bind_text(&q, 6, iccid);
    if (c->has_reference)
        bind_octets(&q, 7, bytes_of(c->reference, sizeof(c->reference)));
    bind_text(&q, 8, c->eid);
    bind_number(&q, 9, r->state);
    bind_number(&q, 10, r->marks);
    bind_number(&q, 11, c->at.ms);
    bind_text(&q, 12, c->label);
    bind_number(&q, 13, (int64_t)c->import);
    bind_octets(&q, 14, writer_bytes(&w));
    enum store_status status = query_run(&q);
    if (status == STORE_OK && sqlite3_changes(s->db) == 0)
        return STORE_CONFLICT;
    if (status == STORE_OK)
        status = cards_counted(s, &(struct counted){.tenant = r->tenant,
                                                    .import = c->import,
                                                    .state = r->state,
                                                    .marks = r->marks,
                                                    .cards = 1});
    if (status == STORE_OK && c->has_reference)
        status = put_reference(s, STATEMENT_REFERENCE_PUT, r->card, c->reference);
    return status == STORE_OK && c->has_keys ? store_card_keys_put(s, r->card, r->iccid, &c->keys)
                                             : status;
}

enum store_status store_card_load(struct store *s, uint64_t card, struct record *out)
{
    struct query q = query_of(s, STATEMENT_CARD_LOAD);
    bind_number(&q, 1, (int64_t)card);
    enum store_status status = query_step(&q);
    if (status == STORE_OK && !record_read(column_octets(&q, 0), out)) {
        snprintf(s->problem, sizeof(s->problem), "a card's record is unreadable");
        status = STORE_FAILED;
    }
    query_end(&q);
    return status;
}

// Which subscriptions are on the card, as the mirror says it since the card was heard last.
static enum store_status save_slots(struct store *s, const struct record *r)
{
    char list[COMMAND_SLOTS_MAX * 21 + 3];
    struct writer w = writer_of(list, sizeof(list));
    text_put(&w, "[");
    for (uint8_t i = 0; i < r->slot_count; i++) {
        text_put(&w, i == 0 ? "" : ",");
        text_decimal(&w, r->slots[i].subscription);
        if (r->slots[i].subscription == 0)
            continue;
        struct query q = query_of(s, STATEMENT_SUBSCRIPTION_ON_CARD);
        bind_number(&q, 1, (int64_t)r->slots[i].subscription);
        bind_number(&q, 2, (int64_t)r->card);
        bind_number(&q, 3, r->slots[i].fact.slot);
        bind_text(&q, 4, r->slots[i].number);
        bind_number(&q, 5, r->last_contact_at.ms);
        const enum store_status status = query_run(&q);
        if (status != STORE_OK)
            return status;
    }
    text_put(&w, "]");
    struct query q = query_of(s, STATEMENT_SUBSCRIPTIONS_LEFT);
    bind_number(&q, 1, (int64_t)r->card);
    bind_text(&q, 2, text_end(&w));
    bind_number(&q, 3, r->last_contact_at.ms);
    return query_run(&q);
}

static bool same_slots(const struct record *a, const struct record *b)
{
    bool is_same = a->slot_count == b->slot_count;
    for (uint8_t i = 0; is_same && i < a->slot_count; i++)
        is_same = a->slots[i].subscription == b->slots[i].subscription &&
                  a->slots[i].fact.slot == b->slots[i].fact.slot &&
                  strcmp(a->slots[i].number, b->slots[i].number) == 0;
    return is_same;
}

// What stands in indexes and changes rarely: an engine renews the entries of every column that a
// statement names.
static bool same_place(const struct record *a, const struct record *b)
{
    return a->tenant == b->tenant && a->group == b->group && a->has_imei == b->has_imei &&
           memcmp(a->imei, b->imei, sizeof(a->imei)) == 0 &&
           a->dirty_since.ms == b->dirty_since.ms && a->state == b->state && a->marks == b->marks;
}

static enum store_status save_place(struct store *s, const struct record *r)
{
    char imei[IMEI_SIZE];
    if (!r->has_imei || !imei_read(r->imei, imei))
        imei[0] = 0;
    struct query q = query_of(s, STATEMENT_CARD_PLACE);
    bind_number(&q, 1, (int64_t)r->card);
    bind_number(&q, 2, (int64_t)r->tenant);
    bind_number(&q, 3, (int64_t)r->group);
    bind_text(&q, 4, imei);
    bind_number(&q, 5, r->dirty_since.ms);
    bind_number(&q, 6, r->state);
    bind_number(&q, 7, r->marks);
    return query_run(&q);
}

// What took a card that waits out of the queue holds until its next event. The row of a card that
// is at its bootstrap may name a place that it does not hold: an upgrade gave each of them one.
static enum store_status save_queue(struct store *s, const struct record *before,
                                    const struct record *r)
{
    const int64_t place = bootstrap_place(r);
    if (place <= 0 && place == bootstrap_place(before) && r->state != CARD_BOOTSTRAPPING)
        return STORE_OK;
    struct query q = query_of(s, STATEMENT_CARD_QUEUE);
    bind_number(&q, 1, (int64_t)r->card);
    bind_number(&q, 2, place);
    return query_run(&q);
}

enum store_status store_card_save(struct store *s, const struct record *before,
                                  const struct record *r)
{
    uint8_t octets[RECORD_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, r);
    if (w.failed)
        return STORE_FAILED;
    const bool has_way = is_under_way(before) != is_under_way(r);
    struct query q = query_of(s, has_way ? STATEMENT_CARD_SAVE_WAY : STATEMENT_CARD_SAVE);
    bind_number(&q, 1, (int64_t)r->card);
    bind_number(&q, 2, (int64_t)before->version);
    bind_number(&q, 3, (int64_t)r->version);
    bind_number(&q, 4, r->last_contact_at.ms);
    bind_number(&q, 5, r->needs_operator);
    bind_number(&q, 6, r->has_open ? (int64_t)r->open.id : 0);
    bind_number(&q, 7, r->queue_len);
    bind_number(&q, 8, r->wake_at.ms);
    bind_octets(&q, 9, writer_bytes(&w));
    if (has_way)
        bind_number(&q, 10, is_under_way(r));
    enum store_status status = query_run(&q);
    if (status == STORE_OK && sqlite3_changes(s->db) != 1)
        status = STORE_CONFLICT;
    if (status == STORE_OK && !same_place(before, r))
        status = save_place(s, r);
    if (status == STORE_OK)
        status = save_queue(s, before, r);
    return status != STORE_OK || same_slots(before, r) ? status : save_slots(s, r);
}

static enum store_status one_id(struct query *q, uint64_t *id)
{
    const enum store_status status = query_step(q);
    if (status == STORE_OK)
        *id = (uint64_t)column_number(q, 0);
    query_end(q);
    return status;
}

enum store_status store_card_by_reference(struct store *s,
                                          const uint8_t reference[CARD_REFERENCE_SIZE],
                                          uint64_t *card)
{
    struct query q = query_of(s, STATEMENT_CARD_BY_REFERENCE);
    bind_octets(&q, 1, bytes_of(reference, CARD_REFERENCE_SIZE));
    return one_id(&q, card);
}

// A number that two cards claim finds neither.
enum store_status store_card_by_number(struct store *s, const char *number, uint64_t *card)
{
    struct query q = query_of(s, STATEMENT_CARD_BY_NUMBER);
    bind_text(&q, 1, number);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        *card = (uint64_t)column_number(&q, 0);
        status = *card != 0 && *card == (uint64_t)column_number(&q, 1) ? STORE_OK : STORE_NONE;
    }
    query_end(&q);
    return status;
}

enum store_status store_card_by_iccid(struct store *s, const uint8_t iccid[COMMAND_ICCID_SIZE],
                                      uint64_t *card)
{
    char text[ICCID_SIZE];
    if (!iccid_read(iccid, text))
        return STORE_NONE;
    struct query q = query_of(s, STATEMENT_CARD_BY_ICCID);
    bind_text(&q, 1, text);
    return one_id(&q, card);
}

enum store_status store_card_by_imsi(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                     uint64_t *card)
{
    char text[IMSI_SIZE];
    if (!imsi_read(imsi, text))
        return STORE_NONE;
    struct query q = query_of(s, STATEMENT_CARD_BY_IMSI);
    bind_text(&q, 1, text);
    return one_id(&q, card);
}

enum store_status store_card_by_eid(struct store *s, const char *eid, uint64_t *card)
{
    struct query q = query_of(s, STATEMENT_CARD_BY_EID);
    bind_text(&q, 1, eid);
    return one_id(&q, card);
}

enum store_status store_card_eid(struct store *s, uint64_t card, char eid[STORE_EID_SIZE])
{
    struct query q = query_of(s, STATEMENT_CARD_EID);
    bind_number(&q, 1, (int64_t)card);
    const enum store_status status = query_step(&q);
    struct writer w = writer_of(eid, STORE_EID_SIZE);
    if (status == STORE_OK)
        text_put(&w, column_text(&q, 0));
    text_end(&w);
    query_end(&q);
    return status;
}

enum store_status store_card_group(struct store *s, uint64_t card, uint64_t *group)
{
    struct query q = query_of(s, STATEMENT_CARD_GROUP);
    bind_number(&q, 1, (int64_t)card);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *group = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_group_states(struct store *s, uint64_t group, uint64_t counts[CARD_STATES])
{
    struct query q = query_of(s, STATEMENT_GROUP_STATES);
    bind_number(&q, 1, (int64_t)group);
    memset(counts, 0, CARD_STATES * sizeof(counts[0]));
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        const int64_t state = column_number(&q, 0);
        if (state >= 0 && state < CARD_STATES)
            counts[state] = (uint64_t)column_number(&q, 1);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_card_notes(struct store *s, uint64_t card, struct writer *out)
{
    struct query q = query_of(s, STATEMENT_CARD_NOTES);
    bind_number(&q, 1, (int64_t)card);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        writer_copy(out, column_octets(&q, 0));
    query_end(&q);
    return status;
}

static enum store_status change_card(struct store *s, struct query *q)
{
    const enum store_status status = query_run(q);
    return status == STORE_OK && sqlite3_changes(s->db) == 0 ? STORE_NONE : status;
}

enum store_status store_card_notes_put(struct store *s, uint64_t card, struct bytes notes)
{
    struct query q = query_of(s, STATEMENT_CARD_NOTES_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_octets(&q, 2, notes);
    enum store_status status = change_card(s, &q);
    if (status != STORE_OK)
        return status;
    q = query_of(s, STATEMENT_LABELS_DROP);
    bind_number(&q, 1, (int64_t)card);
    status = query_run(&q);
    if (status != STORE_OK || notes.len == 0)
        return status;
    q = query_of(s, STATEMENT_LABELS_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_octets(&q, 2, notes);
    return query_run(&q);
}

enum store_status store_card_field_put(struct store *s, uint64_t card,
                                       const char *application_field)
{
    struct query q = query_of(s, STATEMENT_CARD_FIELD_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_text(&q, 2, application_field);
    return change_card(s, &q);
}

enum store_status store_card_reference_put(struct store *s, uint64_t card,
                                           const uint8_t reference[CARD_REFERENCE_SIZE])
{
    struct query q = query_of(s, STATEMENT_REFERENCE_DROP);
    bind_number(&q, 1, (int64_t)card);
    enum store_status status = query_run(&q);
    if (status == STORE_OK)
        status = put_reference(s, STATEMENT_CARD_REFERENCE_PUT, card, reference);
    if (status == STORE_OK && sqlite3_changes(s->db) == 0)
        return STORE_NONE;
    return status == STORE_OK ? put_reference(s, STATEMENT_REFERENCE_PUT, card, reference) : status;
}

// --- lists -----------------------------------------------------------------------------------

void card_filter_init(struct card_filter *f)
{
    *f = (struct card_filter){.state = -1,
                              .mark = -1,
                              .dirty_reason = -1,
                              .needs_operator = -1,
                              .is_unreachable = -1,
                              .has_open = -1,
                              .search_in = 'a',
                              .search_how = 'e'};
}

#define SEARCH_TEXT_SIZE 40

// The mark of $19 is MARK_UNREACHABLE. A card without a field of its own has that of its group.
#define FILTERS                                                                                    \
    " FROM card WHERE %s AND ($1 = 0 OR ($18 = 0 AND tenant = $1) OR ($18 <> 0 AND grp IN "        \
    "(" GRANTED(                                                                                   \
        "$1",                                                                                      \
        "$18") "))) AND ($2 = 0 OR grp = $2) AND ($3 = 0 OR batch = $3)"                           \
               " AND ($4 < 0 OR state = $4) AND ($5 < 0 OR (marks >> $5) & 1 = 1)"                 \
               " AND ($19 < 0 OR (marks >> 1 & 1) = $19)"                                          \
               " AND ($6 < 0 OR needs_operator = $6) AND ($7 < 0 OR (open_operation > 0) = $7)"    \
               " AND contact_at >= $8 AND ($9 = 0 OR contact_at <= $9)"                            \
               " AND ($10 = '' OR application_field = $10 OR (application_field = '' AND grp"      \
               " IN (SELECT id FROM document WHERE kind = 'group' AND " IN_FIELD(                  \
                   "$10") "))) AND" VISIBLE

#define STATEMENT_MAX 3072

// Both ends of the range that the text can stand in, and a pattern for its end. Of a whole ICCID
// the low end is the one without check digit, which is the same.
#define SEARCH                                                                                     \
    " AND id IN (SELECT id FROM card WHERE $14 & 1 AND iccid >= $11 AND iccid <= $12"              \
    " AND (iccid LIKE $13 OR iccid = $11)"                                                         \
    " UNION ALL SELECT id FROM card WHERE $14 & 8 AND eid <> '' AND eid >= $11 AND eid <= $12 "    \
    "AND eid LIKE $13"                                                                             \
    " UNION ALL SELECT id FROM card WHERE $14 & 16 AND imei <> '' AND imei >= $11"                 \
    " AND imei <= $12 AND imei LIKE $13 UNION ALL SELECT card FROM subscription WHERE $14 & 1"     \
    " AND iccid <> '' AND iccid >= $11 AND iccid <= $12 AND (iccid LIKE $13 OR iccid = $11)"       \
    " UNION ALL SELECT card FROM subscription WHERE $14 & 2 AND imsi >= $11 AND imsi <= $12"       \
    " AND imsi LIKE $13 UNION ALL SELECT card FROM subscription WHERE $14 & 4 AND number <> ''"    \
    " AND number >= $11 AND number <= $12 AND number LIKE $13"                                     \
    " UNION ALL SELECT id FROM card WHERE id = $21 AND eid = '')"

#define LABELLED " AND id IN (SELECT card FROM card_label WHERE label = $17)"

static int64_t search_set(char in)
{
    switch (in) {
    case 'c':
        return 1;
    case 'i':
        return 2;
    case 'm':
        return 4;
    case 'e':
        return 8;
    case 'd':
        return 16;
    default:
        return 31;
    }
}

static void bind_search(struct query *q, const struct card_filter *f)
{
    char low[SEARCH_TEXT_SIZE];
    char high[SEARCH_TEXT_SIZE];
    char pattern[SEARCH_TEXT_SIZE];
    const bool is_suffix = f->search_how == 's';
    const bool is_prefix = f->search_how == 'p';
    const bool is_whole = f->search_how == 'e' && strlen(f->search) == ICCID_SIZE - 1;
    // ':' follows '9': above every number that begins with these digits
    snprintf(high, sizeof(high), "%s%s", is_suffix ? "" : f->search,
             is_suffix || is_prefix ? ":" : "");
    snprintf(low, sizeof(low), "%s", is_suffix ? "" : f->search);
    if (is_whole)
        low[ICCID_SIZE - 2] = '\0';
    snprintf(pattern, sizeof(pattern), "%s%s", is_whole ? "" : "%",
             is_suffix || is_whole ? f->search : "");
    bind_text(q, 11, low);
    bind_text(q, 12, high);
    bind_text(q, 13, pattern);
    bind_number(q, 14, search_set(f->search_in));
    bind_number(q, 21, (int64_t)f->search_card);
}

static void bind_filter(struct query *q, const struct card_filter *f)
{
    bind_number(q, 1, (int64_t)f->tenant);
    bind_number(q, 2, (int64_t)f->group);
    bind_number(q, 3, (int64_t)f->batch);
    bind_number(q, 4, f->state);
    bind_number(q, 5, f->dirty_reason >= 0 ? MARK_DIRTY : f->mark);
    bind_number(q, 6, f->needs_operator);
    bind_number(q, 19, f->is_unreachable);
    bind_number(q, 7, f->has_open);
    bind_number(q, 8, f->contact_from.ms);
    bind_number(q, 9, f->contact_to.ms);
    bind_text(q, 10, f->application_field);
    bind_number(q, 18, f->grants);
    if (f->label != NULL)
        bind_text(q, 17, f->label);
    if (f->after != 0)
        bind_number(q, 20, (int64_t)f->after);
    if (f->search != NULL)
        bind_search(q, f);
}

static struct card_row row_of(const struct query *q)
{
    struct card_row row = {.card = (uint64_t)column_number(q, 0),
                           .tenant = (uint64_t)column_number(q, 1),
                           .group = (uint64_t)column_number(q, 2),
                           .batch = (uint64_t)column_number(q, 3),
                           .state = (uint8_t)column_number(q, 5),
                           .marks = (uint8_t)column_number(q, 6),
                           .created_at = {column_number(q, 7)},
                           .last_contact_at = {column_number(q, 8)},
                           .dirty_since = {column_number(q, 9)},
                           .open_operation = (uint64_t)column_number(q, 10),
                           .queued = (uint8_t)column_number(q, 11),
                           .application_field = column_text(q, 12)};
    if (!iccid_write(column_text(q, 4), row.iccid))
        memset(row.iccid, 0xFF, sizeof(row.iccid));
    return row;
}

static const char *order_of(const struct card_filter *f)
{
    static const char *const orders[][2] = {
        {" ORDER BY id", " ORDER BY id DESC"},
        {" ORDER BY contact_at, id", " ORDER BY contact_at DESC, id DESC"},
        {" ORDER BY state, id", " ORDER BY state DESC, id DESC"},
        {" ORDER BY dirty_since, id", " ORDER BY dirty_since DESC, id DESC"},
    };
    return orders[f->sort <= SORT_DIRTY ? f->sort : SORT_CREATED][f->is_descending];
}

static bool has_reason(const struct query *q, int reason)
{
    struct record r;
    return record_read(column_octets(q, 13), &r) && r.reasons[reason].since.ms != 0;
}

// The same among the cards of everybody: what few have before what many have.
static const char *leading_of_all(const struct card_filter *f)
{
    static const char *const marks[CARD_MARKS] = {[MARK_ON_FALLBACK] = "(marks & 1) <> 0",
                                                  [MARK_UNREACHABLE] = "(marks & 2) <> 0",
                                                  [MARK_BLOCKED] = "(marks & 4) <> 0",
                                                  [MARK_DIRTY] = "(marks & 8) <> 0",
                                                  [MARK_QUARANTINED] = "(marks & 16) <> 0"};
    if (f->needs_operator == 1)
        return "needs_operator = 1";
    if (f->has_open == 1)
        return "id IN (SELECT card FROM operation WHERE status < 8)";
    if (f->dirty_reason >= 0)
        return marks[MARK_DIRTY];
    if (f->mark >= 0 && f->mark < CARD_MARKS)
        return marks[f->mark];
    if (f->is_unreachable == 1)
        return marks[MARK_UNREACHABLE];
    return f->batch != 0 ? "batch = $3" : f->state >= 0 ? "state = $4" : "1";
}

// What finds the cards by an index, when nothing else does.
static const char *leading(const struct card_filter *f)
{
    if (f->search != NULL || f->label != NULL)
        return f->in_no_group ? "+grp = 0" : "1";
    if (f->in_no_group)
        return "grp = 0";
    if (f->group != 0)
        return "grp = $2";
    if (f->grants != 0)
        return "grp IN (" GRANTED("$1", "$18") ")";
    return f->tenant != 0 ? "tenant = $1" : leading_of_all(f);
}

static enum store_status count_cards(struct store *s, const struct card_filter *f,
                                     const struct store_page *page, uint64_t *total)
{
    char text[STATEMENT_MAX];
    snprintf(text, sizeof(text), COUNT_UP_TO FILTERS "%s%s" COUNT_ENDS("$15", "$16"), leading(f),
             f->search != NULL ? SEARCH : "", f->label != NULL ? LABELLED : "");
    struct query q = query_text(s, text);
    bind_filter(&q, f);
    bind_page(&q, 15, page);
    return one_id(&q, total);
}

// A reason stands in the record: those of dirty cards, which are few, are looked into.
enum store_status store_cards(struct store *s, const struct card_filter *f,
                              const struct store_page *page, store_card_fn *each, void *context,
                              uint64_t *total)
{
    char text[STATEMENT_MAX];
    const bool by_reason = f->dirty_reason >= 0 && f->dirty_reason < DIRTY_REASONS;
    snprintf(text, sizeof(text), "SELECT " CARD_COLUMNS ", %s" FILTERS "%s%s%s%s%s",
             by_reason ? "record" : "0", leading(f), f->search != NULL ? SEARCH : "",
             f->label != NULL ? LABELLED : "", f->after != 0 ? " AND id > $20" : "", order_of(f),
             by_reason ? "" : " LIMIT $15 OFFSET $16");
    struct query q = query_text(s, text);
    bind_filter(&q, f);
    if (!by_reason) {
        bind_page(&q, 15, page);
    }
    uint64_t found = 0;
    enum store_status status = query_step(&q);
    bool is_wanted = true;
    while (status == STORE_OK) {
        if (!by_reason || has_reason(&q, f->dirty_reason)) {
            const struct card_row row = row_of(&q);
            const bool is_here =
                !by_reason || (found >= page->offset && found - page->offset < page->limit);
            found++;
            is_wanted = !is_here || each(context, &row);
        }
        if (!is_wanted)
            break;
        status = query_step(&q);
    }
    query_end(&q);
    if (status == STORE_NONE)
        status = STORE_OK;
    if (status == STORE_OK && total != NULL && by_reason)
        *total = found;
    else if (status == STORE_OK && total != NULL)
        status = count_cards(s, f, page, total);
    return status;
}

enum store_status store_any_dirty(struct store *s, struct utc until, bool *is_any)
{
    struct query q = query_of(s, STATEMENT_CARD_ANY_DIRTY);
    bind_number(&q, 1, until.ms);
    bind_number(&q, 2, CARD_RETIRED);
    bind_number(&q, 3, CARD_IMPORTED_PARTIAL);
    const enum store_status status = query_step(&q);
    query_end(&q);
    *is_any = status == STORE_OK;
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_campaign_take(struct store *s, uint64_t campaign,
                                      const struct card_filter *f, uint32_t limit)
{
    char text[STATEMENT_MAX];
    snprintf(text, sizeof(text),
             CAMPAIGN_CARD_NEW
             " SELECT $20, id, 0, 0, " CAMPAIGN_DRAW("id") ", 0, 0, 0, 0" FILTERS
                                                           "%s%s LIMIT $15 ON CONFLICT DO NOTHING",
             leading(f), f->search != NULL ? SEARCH : "", f->label != NULL ? LABELLED : "");
    struct query q = query_text(s, text);
    bind_filter(&q, f);
    bind_number(&q, 15, limit);
    bind_number(&q, 20, (int64_t)campaign);
    const enum store_status status = query_step(&q);
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

#include "ota-server/store/load.h"

#include "ota-server/store/driver.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/wire/ident.h"

#include <stdlib.h>

#define OCTETS_SIZE (2U << 20)
#define OCTETS_OF_ONE (2U * RECORD_OCTETS_MAX) // more than a card, its subscriptions and keys take
#define SUBSCRIPTIONS 4096
#define REFERENCES (1U << 18) // 8 MiB of cells
#define TOGETHER 32           // rows in a statement: more save little
#define TEXT_SIZE 16384
#define SHARED 7 // parameters of the head

enum cell_kind { CELL_NONE, CELL_NUMBER, CELL_TEXT, CELL_OCTETS, CELL_REFERENCE };

struct cell {
    int64_t number; // or where its octets begin; or the octets of a reference
    uint32_t len;
    uint8_t kind; // enum cell_kind
};

// $1 to $7 are of the head, @ is the next cell of the row.
static const struct {
    const char *into, *row;
    uint8_t cells;
    uint32_t rows;
} tables[LOAD_TABLES] = {
    [LOAD_TABLE_CARD] =
        {"card (id, version, tenant, grp, batch, iccid, reference, eid, imei, state, marks,"
         " created_at, contact_at, dirty_since, needs_operator, open_operation, queued, wake_at,"
         " is_under_way, application_field, label, notes, import, record)",
         "(@,@,$2,0,$7,@,@,@,'',$5,0,$6,0,0,0,0,0,0,0,'','',x'',$1,@)", 6, LOAD_CARDS},
    [LOAD_TABLE_SUBSCRIPTION] =
        {"subscription (id, tenant, pool, card, slot, state, iccid, imsi, number, smsc, template,"
         " mnc_length, role, rank, marks, operator, rule_pack, has_keys, created_at, import,"
         " version, changed_at, is_barred)",
         "(@,$3,$4,@,@,@,@,@,@,'',0,0,0,0,0,@,@,@,$6,$1,1,$6,0)", 10, SUBSCRIPTIONS},
    [LOAD_TABLE_OTA_KEY] = {"ota_key (card, key_id, version, tar, spi1, spi2, cmac_len, generation,"
                            " sealed)",
                            "(@,0,@,@,@,@,@,@,@)", 8, LOAD_CARDS},
    [LOAD_TABLE_NETWORK_KEY] = {"network_key (imsi, key_id, generation, sealed)", "(@,0,@,@)", 3,
                                SUBSCRIPTIONS},
    [LOAD_TABLE_PART] = {"part (import, card, generation, sealed)", "($1,@,@,@)", 3, LOAD_CARDS},
    [LOAD_TABLE_REFERENCE] = {"card_reference (reference, card)", "(@,@)", 2,
                              REFERENCES + LOAD_CARDS},
};

_Static_assert(sizeof(int64_t) == CARD_REFERENCE_SIZE, "a reference fits in a cell");

struct load {
    struct load_head head;
    struct cell *cells[LOAD_TABLES];
    uint32_t counts[LOAD_TABLES];
    uint32_t units; // cards, subscriptions of a pool, parts
    uint8_t *octets;
    uint32_t octets_len;
};

struct load *load_open(void)
{
    struct load *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->octets = malloc(OCTETS_SIZE);
    bool is_good = l->octets != NULL;
    for (size_t i = 0; i < LOAD_TABLES && is_good; i++) {
        l->cells[i] = calloc((size_t)tables[i].rows * tables[i].cells, sizeof(struct cell));
        is_good = l->cells[i] != NULL;
    }
    if (is_good)
        return l;
    load_close(l);
    return NULL;
}

void load_close(struct load *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < LOAD_TABLES; i++)
        free(l->cells[i]);
    free(l->octets);
    free(l);
}

void load_begin(struct load *l, const struct load_head *head)
{
    l->head = *head;
    l->units = 0;
    l->octets_len = 0;
    memset(l->counts, 0, sizeof(l->counts));
}

bool load_is_empty(const struct load *l)
{
    return l->units == 0;
}

bool load_is_full(const struct load *l)
{
    return l->units == LOAD_CARDS || OCTETS_SIZE - l->octets_len < OCTETS_OF_ONE ||
           SUBSCRIPTIONS - l->counts[LOAD_TABLE_SUBSCRIPTION] < COMMAND_SLOTS_MAX;
}

static int compare_references(const void *a, const void *b)
{
    const struct cell *x = a;
    const struct cell *y = b;
    const int by_octets = memcmp(&x->number, &y->number, CARD_REFERENCE_SIZE);
    return by_octets != 0 ? by_octets : (x[1].number > y[1].number) - (x[1].number < y[1].number);
}

void load_pass_references(struct load *from, struct load *to)
{
    struct cell *cells = to->cells[LOAD_TABLE_REFERENCE];
    check(to->counts[LOAD_TABLE_REFERENCE] == 0);
    to->cells[LOAD_TABLE_REFERENCE] = from->cells[LOAD_TABLE_REFERENCE];
    to->counts[LOAD_TABLE_REFERENCE] = from->counts[LOAD_TABLE_REFERENCE];
    from->cells[LOAD_TABLE_REFERENCE] = cells;
    from->counts[LOAD_TABLE_REFERENCE] = 0;
}

bool load_has_many_references(const struct load *l)
{
    return l->counts[LOAD_TABLE_REFERENCE] >= REFERENCES;
}

void load_sort_references(struct load *l)
{
    struct cell *cells = l->cells[LOAD_TABLE_REFERENCE];
    qsort(cells, l->counts[LOAD_TABLE_REFERENCE], 2 * sizeof(*cells), compare_references);
}

uint32_t load_reference_count(const struct load *l)
{
    return l->counts[LOAD_TABLE_REFERENCE];
}

void load_forget_references(struct load *l)
{
    l->counts[LOAD_TABLE_REFERENCE] = 0;
}

// --- rows ------------------------------------------------------------------------------------

struct row {
    struct load *l;
    struct cell *next;
};

static struct row new_row(struct load *l, enum load_table table)
{
    check(l->counts[table] < tables[table].rows);
    return (struct row){.l = l,
                        .next = &l->cells[table][(size_t)l->counts[table]++ * tables[table].cells]};
}

static void put_number(struct row *r, int64_t number)
{
    *r->next++ = (struct cell){.number = number, .kind = CELL_NUMBER};
}

static void put_octets(struct row *r, enum cell_kind kind, struct bytes octets)
{
    struct load *l = r->l;
    check(octets.len <= OCTETS_SIZE - l->octets_len);
    bytes_copy(l->octets + l->octets_len, octets);
    *r->next++ =
        (struct cell){.number = l->octets_len, .len = (uint32_t)octets.len, .kind = (uint8_t)kind};
    l->octets_len += (uint32_t)octets.len;
}

static void put_text(struct row *r, const char *text)
{
    put_octets(r, CELL_TEXT, bytes_of_text(text == NULL ? "" : text));
}

// What the octets that come are written with.
static struct writer begin_octets(const struct row *r)
{
    return writer_of(r->l->octets + r->l->octets_len, OCTETS_SIZE - r->l->octets_len);
}

static void end_octets(struct row *r, const struct writer *w)
{
    *r->next++ =
        (struct cell){.number = r->l->octets_len, .len = (uint32_t)w->len, .kind = CELL_OCTETS};
    r->l->octets_len += (uint32_t)w->len;
}

static enum store_status add_card_keys(struct load *l, struct store *sealer, const struct record *c,
                                       const struct card_keys *keys)
{
    struct row r = new_row(l, LOAD_TABLE_OTA_KEY);
    put_number(&r, (int64_t)c->card);
    put_number(&r, keys->version);
    put_number(&r, keys->tar);
    put_number(&r, keys->spi1);
    put_number(&r, keys->spi2);
    put_number(&r, keys->cmac_len);
    put_number(&r, sealer->generation);
    struct writer w = begin_octets(&r);
    if (!card_keys_seal(sealer, c->iccid, keys, &w))
        return STORE_KEYS;
    end_octets(&r, &w);
    return STORE_OK;
}

static void add_reference(struct load *l, uint64_t card,
                          const uint8_t reference[CARD_REFERENCE_SIZE])
{
    struct row r = new_row(l, LOAD_TABLE_REFERENCE);
    struct cell c = {.kind = CELL_REFERENCE};
    memcpy(&c.number, reference, CARD_REFERENCE_SIZE);
    *r.next++ = c;
    put_number(&r, (int64_t)card);
}

enum store_status load_card(struct load *l, struct store *sealer, const struct card_new *c)
{
    char iccid[ICCID_SIZE];
    if (!iccid_read(c->record->iccid, iccid))
        return STORE_FAILED;
    l->units++;
    struct row r = new_row(l, LOAD_TABLE_CARD);
    put_number(&r, (int64_t)c->record->card);
    put_number(&r, (int64_t)c->record->version);
    put_text(&r, iccid);
    if (c->has_reference)
        put_octets(&r, CELL_OCTETS, bytes_of(c->reference, sizeof(c->reference)));
    else
        *r.next++ = (struct cell){.kind = CELL_NONE};
    put_text(&r, c->eid);
    struct writer w = begin_octets(&r);
    record_write(&w, c->record);
    if (w.failed)
        return STORE_FAILED;
    end_octets(&r, &w);
    if (c->has_reference)
        add_reference(l, c->record->card, c->reference);
    return c->has_keys ? add_card_keys(l, sealer, c->record, &c->keys) : STORE_OK;
}

enum store_status load_subscription(struct load *l, struct store *sealer,
                                    const struct subscription *s, const struct network_keys *keys)
{
    const struct download_plan *p = &s->plan;
    char iccid[ICCID_SIZE] = "";
    char imsi[IMSI_SIZE];
    if (!imsi_read(p->imsi, imsi) || (p->has_iccid && !iccid_read(p->iccid, iccid)))
        return STORE_FAILED;
    l->units += l->head.pool != 0;
    struct row r = new_row(l, LOAD_TABLE_SUBSCRIPTION);
    put_number(&r, (int64_t)s->id);
    put_number(&r, (int64_t)s->card);
    put_number(&r, s->slot);
    put_number(&r, s->state);
    put_text(&r, iccid);
    put_text(&r, imsi);
    put_text(&r, p->number);
    put_text(&r, s->operator_name);
    put_text(&r, s->rule_pack);
    put_number(&r, keys != NULL);
    if (keys == NULL)
        return STORE_OK;
    struct row k = new_row(l, LOAD_TABLE_NETWORK_KEY);
    put_octets(&k, CELL_OCTETS, bytes_of(p->imsi, sizeof(p->imsi)));
    put_number(&k, sealer->generation);
    struct writer w = begin_octets(&k);
    if (!network_keys_seal(sealer, p->imsi, keys, &w))
        return STORE_KEYS;
    end_octets(&k, &w);
    return STORE_OK;
}

enum store_status load_part(struct load *l, struct store *sealer, uint64_t card,
                            struct bytes content)
{
    l->units++;
    struct row r = new_row(l, LOAD_TABLE_PART);
    put_number(&r, (int64_t)card);
    put_number(&r, sealer->generation);
    struct writer w = begin_octets(&r);
    if (!part_seal(sealer, l->head.import, card, content, &w))
        return STORE_KEYS;
    end_octets(&r, &w);
    return STORE_OK;
}

// --- writing ---------------------------------------------------------------------------------

// OR FAIL: who undoes a statement undoes the whole slice, so the engine need not be able to.
static const char *write_text(enum load_table table, uint32_t rows, struct writer *w)
{
    unsigned next = SHARED;
    text_put(w, "INSERT OR FAIL INTO ");
    text_put(w, tables[table].into);
    text_put(w, " VALUES ");
    for (uint32_t i = 0; i < rows; i++) {
        writer_copy(w, bytes_of_text(i == 0 ? "" : ","));
        for (const char *at = tables[table].row; *at != '\0'; at++) {
            writer_u8(w, (uint8_t)(*at == '$' || *at == '@' ? '?' : *at));
            if (*at == '@')
                text_decimal(w, ++next);
        }
    }
    return text_end(w);
}

static enum store_status prepare(struct store *s, enum load_table table, uint32_t rows,
                                 sqlite3_stmt **out)
{
    char text[TEXT_SIZE];
    struct writer w = writer_of(text, sizeof(text));
    const char *whole = write_text(table, rows, &w);
    check(!w.failed);
    const unsigned flags = rows == TOGETHER ? SQLITE_PREPARE_PERSISTENT : 0;
    const int code = sqlite3_prepare_v3(s->db, whole, -1, flags, out, NULL);
    return code == SQLITE_OK ? STORE_OK : store_failed(s, sqlite3_extended_errcode(s->db));
}

static int bind(sqlite3_stmt *to, int n, const struct load *l, const struct cell *c)
{
    switch ((enum cell_kind)c->kind) {
    case CELL_NONE:
        return sqlite3_bind_null(to, n);
    case CELL_NUMBER:
        return sqlite3_bind_int64(to, n, c->number);
    case CELL_TEXT:
        return sqlite3_bind_text(to, n, (const char *)l->octets + c->number, (int)c->len,
                                 SQLITE_STATIC);
    case CELL_REFERENCE:
        return sqlite3_bind_blob(to, n, &c->number, CARD_REFERENCE_SIZE, SQLITE_STATIC);
    case CELL_OCTETS:
        return sqlite3_bind_blob(to, n, l->octets + c->number, (int)c->len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int bind_head(sqlite3_stmt *to, const struct load_head *h)
{
    const int64_t shared[SHARED] = {(int64_t)h->import, (int64_t)h->tenant, (int64_t)h->owner,
                                    (int64_t)h->pool,   h->state,           h->at.ms,
                                    (int64_t)h->batch};
    int code = SQLITE_OK;
    for (int i = 0; i < SHARED && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(to, i + 1, shared[i]);
    return code;
}

static enum store_status write_rows(struct store *s, sqlite3_stmt *to, const struct load *l,
                                    const struct cell *cells, uint32_t count)
{
    if (store_is_undone(s))
        return STORE_FAILED;
    int code = bind_head(to, &l->head);
    for (uint32_t i = 0; i < count && code == SQLITE_OK; i++)
        code = bind(to, (int)(SHARED + 1 + i), l, &cells[i]);
    if (code == SQLITE_OK)
        code = sqlite3_step(to);
    const enum store_status status =
        code == SQLITE_DONE ? STORE_OK : store_failed(s, sqlite3_extended_errcode(s->db));
    (void)sqlite3_reset(to); // says what the step said
    (void)sqlite3_clear_bindings(to);
    return status;
}

static enum store_status write_table(struct store *s, const struct load *l, enum load_table table,
                                     uint32_t from, uint32_t to)
{
    enum store_status status = STORE_OK;
    for (uint32_t at = from; at < to && status == STORE_OK; at += TOGETHER) {
        const uint32_t rows = to - at < TOGETHER ? to - at : TOGETHER;
        const struct cell *cells = &l->cells[table][(size_t)at * tables[table].cells];
        sqlite3_stmt *rest = NULL;
        sqlite3_stmt **with = rows == TOGETHER ? &s->loads[table] : &rest;
        if (*with == NULL)
            status = prepare(s, table, rows, with);
        if (status == STORE_OK)
            status = write_rows(s, *with, l, cells, rows * tables[table].cells);
        sqlite3_finalize(rest);
    }
    return status;
}

enum store_status store_load_references(struct store *s, const struct load *l, uint32_t from)
{
    const uint32_t left = l->counts[LOAD_TABLE_REFERENCE] - from;
    return write_table(s, l, LOAD_TABLE_REFERENCE, from,
                       from + (left < LOAD_REFERENCES ? left : LOAD_REFERENCES));
}

enum store_status store_load(struct store *s, const struct load *l)
{
    const struct counted cards = {.tenant = l->head.tenant,
                                  .import = l->head.import,
                                  .state = l->head.state,
                                  .cards = l->counts[LOAD_TABLE_CARD]};
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < LOAD_TABLE_REFERENCE && status == STORE_OK; i++)
        status = write_table(s, l, (enum load_table)i, 0, l->counts[i]);
    return status == STORE_OK ? cards_counted(s, &cards) : status;
}

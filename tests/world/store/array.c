// Rows, transactions and what is undone.
#include "tests/world/store/array.h"

#include "common/base/check.h"
#include "tests/world/store/kind.h"

#include <stdlib.h>

const struct world_store world_store = {.name = "arrays", .has_files = false};

void world_store_watch(struct store *s, world_saved_fn *saved, void *context)
{
    s->watch = saved;
    s->watch_context = context;
}

void world_store_disk(struct store *s, enum world_disk disk)
{
    s->disk = disk;
    s->was_struck = false;
}

bool world_store_was_struck(const struct store *s)
{
    return s->was_struck;
}

void world_store_use_files(void)
{
}

// --- rows ------------------------------------------------------------------------------------

void *row_at(const struct store *s, int kind, uint32_t index)
{
    const struct rows *r = &s->rows[kind];
    return r->chunks[index / CHUNK] + (size_t)(index % CHUNK) * r->size;
}

static struct chain *chain_at(const struct store *s, int kind, uint32_t index)
{
    return s->rows[kind].chains[index / CHUNK] + index % CHUNK;
}

static uint32_t bucket_of(uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) % BUCKETS;
}

uint64_t row_key(const char *text)
{
    uint64_t key = 0;
    for (; *text != 0; text++)
        key = key * 31 + (uint8_t)*text;
    return key;
}

void *row_add(struct store *s, int kind, uint64_t key)
{
    struct rows *r = &s->rows[kind];
    const uint32_t index = r->count;
    s->is_touched = true;
    check(s->is_open && index < CHUNK * CHUNKS_MAX);
    uint8_t **chunk = &r->chunks[index / CHUNK];
    struct chain **chains = &r->chains[index / CHUNK];
    if (*chunk == NULL) {
        *chunk = malloc(CHUNK * r->size);
        *chains = malloc(CHUNK * sizeof **chains);
    }
    check(*chunk != NULL && *chains != NULL);
    const uint32_t bucket = bucket_of(key);
    *chain_at(s, kind, index) = (struct chain){.bucket = bucket, .older = r->newest[bucket]};
    r->newest[bucket] = ++r->count;
    void *row = row_at(s, kind, index);
    memset(row, 0, r->size);
    return row;
}

void *row_with(const struct store *s, int kind, uint64_t key, uint32_t *before)
{
    *before =
        *before == 0 ? s->rows[kind].newest[bucket_of(key)] : chain_at(s, kind, *before - 1)->older;
    return *before == 0 ? NULL : row_at(s, kind, *before - 1);
}

// Before a row that is there is changed.
void row_keep(struct store *s, void *at, size_t len)
{
    check(s->is_open);
    s->is_touched = true;
    if (s->change_count == s->change_max) {
        s->change_max = s->change_max * 2 + 64;
        s->changes = realloc(s->changes, s->change_max * sizeof *s->changes);
    }
    if (s->octets_len + len > s->octets_max) {
        s->octets_max = (s->octets_len + len) * 2;
        s->octets = realloc(s->octets, s->octets_max);
    }
    check(s->changes != NULL && s->octets != NULL);
    s->changes[s->change_count++] = (struct change){.at = at, .len = len, .old = s->octets_len};
    memcpy(s->octets + s->octets_len, at, len);
    s->octets_len += len;
}

static struct point point_of(const struct store *s)
{
    struct point p = {.changes = s->change_count, .octets = s->octets_len};
    for (int i = 0; i < ROW_KINDS; i++)
        p.counts[i] = s->rows[i].count;
    return p;
}

static void go_back(struct store *s, const struct point *p)
{
    for (; s->change_count > p->changes; s->change_count--) {
        const struct change *c = &s->changes[s->change_count - 1];
        memcpy(c->at, s->octets + c->old, c->len);
    }
    s->octets_len = p->octets;
    for (uint32_t i = p->counts[TRAIL]; i < s->rows[TRAIL].count; i++)
        free(((struct trail_place *)row_at(s, TRAIL, i))->texts);
    for (int i = 0; i < ROW_KINDS; i++) {
        struct rows *r = &s->rows[i];
        for (; r->count > p->counts[i]; r->count--) {
            const struct chain *c = chain_at(s, i, r->count - 1);
            r->newest[c->bucket] = c->older;
        }
    }
}

// --- life and transactions -------------------------------------------------------------------

enum store_status store_open(const struct store_options *options, struct store **out)
{
    static const size_t sizes[ROW_KINDS] = {sizeof(struct card_place),
                                            sizeof(struct wake_place),
                                            sizeof(struct subscription_place),
                                            sizeof(struct operation_place),
                                            sizeof(struct message),
                                            sizeof(struct receipt_place),
                                            sizeof(struct value_place),
                                            sizeof(struct trail_place),
                                            sizeof(struct part_place),
                                            sizeof(struct document_place)};
    struct store *s = calloc(1, sizeof *s);
    check(s != NULL && strcmp(options->path, ":memory:") == 0);
    s->crypto = options->crypto;
    s->pseudonym_key = options->pseudonym_key;
    for (int i = 0; i < ROW_KINDS; i++)
        s->rows[i].size = sizes[i];
    *out = s;
    return STORE_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    const struct point nothing = {.changes = s->change_count};
    go_back(s, &nothing);
    for (int i = 0; i < ROW_KINDS; i++) {
        for (uint32_t k = 0; k < CHUNKS_MAX && s->rows[i].chunks[k] != NULL; k++) {
            free(s->rows[i].chunks[k]);
            free(s->rows[i].chains[k]);
        }
    }
    free(s->changes);
    free(s->octets);
    free(s);
}

const char *store_problem(const struct store *s)
{
    (void)s;
    return "";
}

uint64_t store_failures(const struct store *s)
{
    (void)s;
    return 0;
}

enum store_status store_begin(struct store *s)
{
    check(!s->is_open);
    if (s->disk == WORLD_DISK_BUSY) {
        s->was_struck = true;
        return STORE_BUSY;
    }
    s->is_open = true;
    s->is_touched = false;
    s->begun = point_of(s);
    return STORE_OK;
}

enum store_status store_begin_part(struct store *s)
{
    return store_begin(s);
}

// As SQLite answers; where nothing was written, nothing has to reach the disk.
static enum store_status status_of(const struct store *s)
{
    if (s->disk == WORLD_DISK_FULL)
        return STORE_CONFLICT; // its hook
    if (s->disk < WORLD_DISK_WRITE_FAILS || !s->is_touched)
        return STORE_OK;
    return s->disk == WORLD_DISK_WRITE_FAILS ? STORE_FULL : STORE_LOST;
}

enum store_status store_commit(struct store *s)
{
    check(s->is_open);
    const enum store_status status = status_of(s);
    s->was_struck |= status != STORE_OK;
    if (status != STORE_OK && s->disk != WORLD_DISK_SYNC_KEPT) {
        store_rollback(s);
        return status;
    }
    s->is_open = false;
    s->change_count = 0;
    s->octets_len = 0;
    return status;
}

void store_rollback(struct store *s)
{
    if (!s->is_open)
        return;
    go_back(s, &s->begun);
    s->is_open = false;
}

enum store_status store_mark(struct store *s)
{
    s->mark = point_of(s);
    return STORE_OK;
}

enum store_status store_mark_keep(struct store *s)
{
    (void)s;
    return STORE_OK;
}

void store_mark_undo(struct store *s)
{
    go_back(s, &s->mark);
}

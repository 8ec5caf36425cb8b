#include "ota-server/store/driver.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_SIZE 4096

#define STATEMENT(name, text) text,
static const char *const texts[] = {STORE_STATEMENTS(STATEMENT)};
#undef STATEMENT

// What an error of the engine means to us. A failed sync is the one that must not be retried.
enum store_status store_failed(struct store *s, int code)
{
    snprintf(s->problem, sizeof(s->problem), "%s (%d)", sqlite3_errstr(code), code);
    s->failures += (code & 0xFF) != SQLITE_CONSTRAINT;
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STORE_BUSY;
    case SQLITE_FULL:
    case SQLITE_READONLY:
        return STORE_FULL;
    case SQLITE_CONSTRAINT:
        return STORE_CONFLICT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_LOST;
    case SQLITE_IOERR:
        if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
            return STORE_LOST;
        return code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE ? STORE_FULL
                                                                          : STORE_FAILED;
    default:
        return STORE_FAILED;
    }
}

static enum store_status prepare(struct store *s, struct prepared *p, const char *text,
                                 unsigned flags)
{
    const int code = sqlite3_prepare_v3(s->db, text, -1, flags, &p->at, NULL);
    if (code != SQLITE_OK)
        return store_failed(s, sqlite3_extended_errcode(s->db));
    char name[8];
    for (unsigned n = 1; n <= QUERY_PARAMETERS_MAX; n++) {
        snprintf(name, sizeof(name), "$%u", n);
        p->index[n] = (uint8_t)sqlite3_bind_parameter_index(p->at, name);
    }
    return STORE_OK;
}

static struct query listed(struct store *s, enum statement statement)
{
    struct query q = {.s = s, .status = STORE_OK};
    q.p = &s->prepared[statement];
    if (q.p->at == NULL)
        q.status = prepare(s, q.p, texts[statement], SQLITE_PREPARE_PERSISTENT);
    return q;
}

// A state that could not be begun is no error: the query then sees one of its own.
static void begin_state(struct store *s)
{
    if (!s->holds_state || !sqlite3_get_autocommit(s->db))
        return;
    struct query q = listed(s, STATEMENT_SNAPSHOT);
    (void)query_run(&q);
}

void store_refresh(struct store *reader)
{
    if (!reader->options.is_reader)
        return;
    reader->holds_state = true;
    if (sqlite3_get_autocommit(reader->db))
        return;
    struct query q = listed(reader, STATEMENT_ROLLBACK);
    (void)query_run(&q);
}

bool store_is_undone(struct store *s)
{
    if (!s->is_writing || !sqlite3_get_autocommit(s->db))
        return false;
    snprintf(s->problem, sizeof(s->problem), "the transaction was undone");
    return true;
}

struct query query_of(struct store *s, enum statement statement)
{
    if (store_is_undone(s))
        return (struct query){.s = s, .status = STORE_FAILED};
    begin_state(s);
    return listed(s, statement);
}

struct query query_text(struct store *s, const char *text)
{
    struct query q = {.s = s, .status = STORE_FAILED};
    if (store_is_undone(s))
        return q;
    begin_state(s);
    q.status = prepare(s, &q.own, text, 0);
    return q;
}

static struct prepared *prepared_of(const struct query *q)
{
    return q->p != NULL ? q->p : (struct prepared *)&q->own;
}

static void bound(struct query *q, int code)
{
    if (code != SQLITE_OK && q->status == STORE_OK)
        q->status = store_failed(q->s, code);
}

void bind_number(struct query *q, unsigned n, int64_t v)
{
    if (q->status == STORE_OK)
        bound(q, sqlite3_bind_int64(prepared_of(q)->at, prepared_of(q)->index[n], v));
}

// Copies what is bound into the statement's own memory, which it keeps: the engine would allocate
// and free for each. What does not fit there it does copy.
static const void *keep(struct prepared *p, const void *at, size_t len)
{
    if (p->kept == NULL)
        p->kept = malloc(KEPT_SIZE);
    if (p->kept == NULL || len > KEPT_SIZE - p->kept_len)
        return NULL;
    uint8_t *to = p->kept + p->kept_len;
    memcpy(to, at, len);
    p->kept_len += len;
    return to;
}

void bind_text(struct query *q, unsigned n, const char *v)
{
    if (q->status != STORE_OK)
        return;
    struct prepared *p = prepared_of(q);
    const char *text = v == NULL ? "" : v;
    const size_t len = strlen(text);
    const char *kept = q->p != NULL ? keep(p, text, len) : NULL;
    bound(q, sqlite3_bind_text(p->at, p->index[n], kept != NULL ? kept : text, (int)len,
                               kept != NULL ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

void bind_octets(struct query *q, unsigned n, struct bytes v)
{
    if (q->status != STORE_OK)
        return;
    struct prepared *p = prepared_of(q);
    const void *octets = v.len == 0 ? (const void *)"" : v.at;
    const void *kept = q->p != NULL ? keep(p, octets, v.len) : NULL;
    bound(q, sqlite3_bind_blob64(p->at, p->index[n], kept != NULL ? kept : octets, v.len,
                                 kept != NULL ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

void bind_page(struct query *q, unsigned n, const struct store_page *page)
{
    bind_number(q, n, page->limit);
    bind_number(q, n + 1, (int64_t)page->offset);
}

enum store_status query_step(struct query *q)
{
    if (q->status != STORE_OK)
        return q->status;
    const int code = sqlite3_step(prepared_of(q)->at);
    if (code == SQLITE_ROW)
        return STORE_OK;
    if (code == SQLITE_DONE)
        return STORE_NONE;
    q->status = store_failed(q->s, sqlite3_extended_errcode(q->s->db));
    return q->status;
}

int64_t column_number(const struct query *q, int column)
{
    return sqlite3_column_int64(prepared_of(q)->at, column);
}

const char *column_text(const struct query *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(prepared_of(q)->at, column);
    return text == NULL ? "" : text;
}

struct bytes column_octets(const struct query *q, int column)
{
    const void *at = sqlite3_column_blob(prepared_of(q)->at, column);
    return bytes_of(at, (size_t)sqlite3_column_bytes(prepared_of(q)->at, column));
}

void query_end(struct query *q)
{
    if (q->p == NULL) {
        sqlite3_finalize(q->own.at);
        q->own.at = NULL;
    } else if (q->p->at != NULL) {
        sqlite3_reset(q->p->at);
        sqlite3_clear_bindings(q->p->at);
        q->p->kept_len = 0;
    }
}

enum store_status query_run(struct query *q)
{
    enum store_status status = query_step(q);
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_run_text(struct store *s, const char *text)
{
    const int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : store_failed(s, sqlite3_extended_errcode(s->db));
}

// The months of the trail, and the tombstones of those that are gone.
#include "ota-server/store/tombstones.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/store/driver.h"

#include <stdio.h>

#define DAY_MS (24ll * 60 * 60 * 1000)

// From year 0.
static uint32_t month_of(struct utc at)
{
    char text[UTC_TEXT_SIZE];
    uint64_t year = 0;
    uint64_t month = 0;
    utc_format(at, text);
    check(text_read_decimal(bytes_of(text, 4), &year) &&
          text_read_decimal(bytes_of(text + 5, 2), &month));
    return (uint32_t)(year * 12 + month - 1);
}

enum store_status segment_open(struct store *s)
{
    struct query q = query_of(s, STATEMENT_SEGMENT_LAST);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        s->head.month = (uint32_t)column_number(&q, 0);
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

// A clock that goes back does not go back to the month before.
enum store_status segment_begin(struct store *s, const struct trail_row *first)
{
    const int64_t day = first->at.ms / DAY_MS;
    if (day == s->head.day)
        return STORE_OK;
    const uint32_t month = month_of(first->at);
    s->head.day = day;
    if (month <= s->head.month)
        return STORE_OK;
    s->head.month = month;
    struct query q = query_of(s, STATEMENT_SEGMENT_ADD);
    bind_number(&q, 1, (int64_t)first->sequence);
    bind_number(&q, 2, month);
    bind_octets(&q, 3, bytes_of(first->previous, sizeof(first->previous)));
    return query_run(&q);
}

// --- tombstones --------------------------------------------------------------------------------

static void copy_octets(uint8_t *to, size_t size, struct bytes from)
{
    memset(to, 0, size);
    memcpy(to, from.at, from.len > size ? size : from.len);
}

static void read_tombstone(const struct query *q, struct tombstone *t)
{
    t->last = (uint64_t)column_number(q, 0);
    t->first = (uint64_t)column_number(q, 1);
    t->month = (uint32_t)column_number(q, 2);
    copy_octets(t->previous, sizeof(t->previous), column_octets(q, 3));
    copy_octets(t->hash, sizeof(t->hash), column_octets(q, 4));
    t->at.ms = column_number(q, 5);
    copy_octets(t->signature, sizeof(t->signature), column_octets(q, 6));
}

static bool is_genuine(const struct store *s, const struct tombstone *t)
{
    char text[TOMBSTONE_TEXT_SIZE];
    return s->signing.len == 0 ||
           s->crypto->is_signed(s->signer, tombstone_text(t, text), t->signature);
}

enum store_status store_tombstones(struct store *s, store_tombstone_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_TOMBSTONES);
    bind_number(&q, 1, 0);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct tombstone t;
        read_tombstone(&q, &t);
        if (!each(context, &t))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

struct proof {
    struct store *s;
    uint64_t next;
    uint8_t hash[32];
    struct trail_verdict *out;
};

// Each begins where the one before it ended.
static bool prove(void *context, const struct tombstone *t)
{
    struct proof *p = context;
    const char *problem = t->first != p->next || t->last < t->first                ? "GAP"
                          : memcmp(t->previous, p->hash, sizeof(t->previous)) != 0 ? "HASH"
                          : !is_genuine(p->s, t)                                   ? "SIGNATURE"
                                                                                   : NULL;
    if (problem != NULL) {
        p->out->ok = false;
        p->out->problem = problem;
        p->out->first_bad = p->next;
        return false;
    }
    p->next = t->last + 1;
    memcpy(p->hash, t->hash, sizeof(p->hash));
    return true;
}

enum store_status tombstones_verify(struct store *s, uint64_t *first, uint8_t before[32],
                                    struct trail_verdict *out)
{
    struct proof p = {.s = s, .next = 1, .out = out};
    const enum store_status status = store_tombstones(s, prove, &p);
    *first = p.next;
    memcpy(before, p.hash, sizeof(p.hash));
    return status;
}

enum store_status tombstone_hash(struct store *s, uint64_t sequence, uint8_t hash[32],
                                 bool *is_removed)
{
    struct query q = query_of(s, STATEMENT_TOMBSTONES);
    struct tombstone t;
    bind_number(&q, 1, (int64_t)sequence);
    enum store_status status = query_step(&q);
    *is_removed = false;
    if (status == STORE_OK) {
        read_tombstone(&q, &t);
        *is_removed = t.last > sequence;
        memcpy(hash, t.hash, sizeof(t.hash));
        status = *is_removed ? STORE_NONE : STORE_OK;
    }
    query_end(&q);
    return status;
}

// --- expiry --------------------------------------------------------------------------------------

static bool sign(struct store *s, struct tombstone *t)
{
    char text[TOMBSTONE_TEXT_SIZE];
    return s->signing.len == 0 ||
           s->crypto->sign(&s->signing, tombstone_text(t, text), t->signature);
}

static enum store_status put_tombstone(struct store *s, const struct tombstone *t)
{
    struct query q = query_of(s, STATEMENT_TOMBSTONE_ADD);
    bind_number(&q, 1, (int64_t)t->last);
    bind_number(&q, 2, (int64_t)t->first);
    bind_number(&q, 3, t->month);
    bind_octets(&q, 4, bytes_of(t->previous, sizeof(t->previous)));
    bind_octets(&q, 5, bytes_of(t->hash, sizeof(t->hash)));
    bind_number(&q, 6, t->at.ms);
    bind_octets(&q, 7, bytes_of(t->signature, sizeof(t->signature)));
    enum store_status status = query_run(&q);
    if (status != STORE_OK)
        return status;
    q = query_of(s, STATEMENT_SEGMENT_DELETE);
    bind_number(&q, 1, (int64_t)t->first);
    return query_run(&q);
}

static enum store_status note_removal(struct store *s, const struct tombstone *t)
{
    char month[16];
    char rows[64];
    char file[ARCHIVE_NAME_SIZE] = "";
    if (s->options.archive != NULL)
        archive_name(t, file);
    snprintf(month, sizeof(month), "%04u-%02u", t->month / 12, t->month % 12 + 1);
    snprintf(rows, sizeof(rows), "%llu to %llu", (unsigned long long)t->first,
             (unsigned long long)t->last);
    const struct trail_new row = {.at = t->at,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "trail.month.removed",
                                  .object_kind = "trail",
                                  .before = month,
                                  .after = rows,
                                  .reason = "retention",
                                  .result = file};
    return store_trail_add(s, &row);
}

// The oldest month and where the one after it begins; STORE_NONE when there is no second.
static enum store_status find_oldest(struct store *s, struct tombstone *t)
{
    struct query q = query_of(s, STATEMENT_SEGMENTS);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        t->first = (uint64_t)column_number(&q, 0);
        t->month = (uint32_t)column_number(&q, 1);
        status = query_step(&q);
    }
    if (status == STORE_OK)
        t->last = (uint64_t)column_number(&q, 0) - 1;
    query_end(&q);
    return status;
}

// What a month was chained from and to; STORE_NONE when that does not fit. Of one that is on its
// way to its file it is known.
static enum store_status find_ends(struct store *s, struct tombstone *t)
{
    const struct tombstone *known = &s->archiving.of;
    struct trail_verdict v = {.ok = true};
    uint64_t first = 0;
    if (s->archiving.file != NULL && known->first == t->first && known->last == t->last) {
        memcpy(t->previous, known->previous, sizeof(t->previous));
        memcpy(t->hash, known->hash, sizeof(t->hash));
        return STORE_OK;
    }
    enum store_status status = tombstones_verify(s, &first, t->previous, &v);
    if (status == STORE_OK)
        status = trail_hash_at(s, t->last, t->hash);
    return status == STORE_OK && (!v.ok || first != t->first) ? STORE_NONE : status;
}

static enum store_status bury_oldest(struct store *s, struct utc now, unsigned months,
                                     uint32_t rows_max, bool *is_more)
{
    struct tombstone t = {.at = now};
    bool is_kept = true;
    enum store_status status = find_oldest(s, &t);
    if (status != STORE_OK || t.month + months >= month_of(now))
        return status == STORE_NONE ? STORE_OK : status;
    status = find_ends(s, &t);
    if (status != STORE_OK) // what does not fit stays
        return status == STORE_NONE ? STORE_OK : status;
    if (!sign(s, &t))
        return STORE_FAILED;
    if (s->options.archive != NULL)
        status = archive_step(s, &t, rows_max, &is_kept);
    if (status != STORE_OK || !is_kept) {
        *is_more = s->archiving.file != NULL;
        return status;
    }
    status = put_tombstone(s, &t);
    if (status == STORE_OK)
        status = note_removal(s, &t);
    *is_more = status == STORE_OK;
    return status;
}

static enum store_status look_for_covered(struct store *s, bool *is_there)
{
    struct query q = query_of(s, STATEMENT_TRAIL_IS_COVERED);
    const enum store_status status = query_step(&q);
    query_end(&q);
    *is_there = status == STORE_OK;
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_trail_expire(struct store *s, struct utc now, unsigned months,
                                     uint32_t rows_max, bool *is_more)
{
    bool is_covered = false;
    *is_more = false;
    enum store_status status = look_for_covered(s, &is_covered);
    if (status != STORE_OK)
        return status;
    if (!is_covered)
        return months == 0 ? STORE_OK : bury_oldest(s, now, months, rows_max, is_more);
    struct query q = query_of(s, STATEMENT_TRAIL_REMOVE);
    bind_number(&q, 1, rows_max);
    *is_more = true;
    return query_run(&q);
}

// What proves the trail: its chain computed again, and checkpoints outside the database that tell
// when its tail was cut or the whole was put back.
#include "ota-server/store/driver.h"

#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKPOINT_LINE_MIN 200            // of one that is signed
#define CHECKPOINTS_MANY 1000              // whose signatures take some 50 ms
#define UNCOVERED_MS (INT64_C(30) * 60000) // two intervals of checkpoints

// The seed comes from the key of the pseudonyms, which outlives changes of the master key.
bool trail_signer(struct store *s)
{
    static const char use[] = "otaria checkpoints 1";
    const struct secret_key *key = &s->options.pseudonym_key;
    const struct bytes part = bytes_of_text(use);
    uint8_t seed[CIPHER_SHA256_SIZE];
    if (key->len == 0 || s->crypto->sign == NULL)
        return true;
    const bool is_made =
        s->crypto->hmac(s->crypto->context, bytes_of(key->octets, key->len), &part, 1, seed);
    s->signing = secret_key_of(bytes_of(seed, sizeof(seed)));
    secret_wipe(seed, sizeof(seed));
    return is_made && s->crypto->signer(&s->signing, s->signer);
}

void store_checkpoint_signer(const struct store *s, uint8_t public[32])
{
    memcpy(public, s->signer, sizeof(s->signer));
}

// --- checkpoints -----------------------------------------------------------------------------

// What was not signed before anything was may be of the first release.
static bool is_genuine(const struct store *s, const struct checkpoint *c, struct bytes text,
                       bool has_signed)
{
    if (s->signing.len == 0)
        return true;
    return c->is_signed ? s->crypto->is_signed(s->signer, text, c->signature) : !has_signed;
}

static bool sign_line(struct store *s, struct writer *w)
{
    uint8_t signature[64];
    if (s->signing.len == 0)
        return true;
    text_put(w, " ");
    text_decimal(w, s->head.sequence); // rows: none has been removed
    if (!s->crypto->sign(&s->signing, writer_bytes(w), signature))
        return false;
    text_put(w, " ");
    text_hex(w, bytes_of(signature, sizeof(signature)));
    return true;
}

enum store_status store_checkpoint(struct store *s, struct utc at)
{
    char line[CHECKPOINT_LINE_MAX];
    struct writer w = writer_of(line, sizeof(line));
    if (s->options.checkpoints == NULL || s->head.sequence == 0)
        return STORE_OK;
    text_decimal(&w, s->head.sequence);
    text_put(&w, " ");
    text_decimal(&w, (uint64_t)at.ms);
    text_put(&w, " ");
    text_hex(&w, bytes_of(s->head.hash, sizeof(s->head.hash)));
    if (!sign_line(s, &w))
        return STORE_FAILED;
    text_put(&w, "\n");
    const int fd = open(s->options.checkpoints, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool is_written = fd >= 0;
    if (is_written)
        is_written = write(fd, line, w.len) == (ssize_t)w.len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    if (!is_written)
        snprintf(s->problem, sizeof(s->problem), "checkpoint: %s", strerror(errno));
    return is_written ? STORE_OK : STORE_FULL;
}

enum store_status store_checkpoints(struct store *s, const struct store_page *page,
                                    store_checkpoint_fn *each, void *context, uint64_t *total)
{
    FILE *f = s->options.checkpoints == NULL ? NULL : fopen(s->options.checkpoints, "r");
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    bool is_wanted = true;
    *total = 0;
    if (f == NULL)
        return STORE_OK;
    while (fgets(line, sizeof(line), f) != NULL) {
        if (!checkpoint_read(line, &c, &text))
            continue;
        if (is_wanted && *total >= page->offset && *total - page->offset < page->limit)
            is_wanted = each(context, &c);
        (*total)++;
    }
    fclose(f);
    return STORE_OK;
}

enum store_status trail_hash_at(struct store *s, uint64_t sequence, uint8_t hash[32])
{
    struct query q = query_of(s, STATEMENT_TRAIL_RANGE);
    bind_number(&q, 1, (int64_t)sequence);
    bind_number(&q, 2, (int64_t)sequence);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        struct trail_row r;
        trail_read(&q, &r);
        memcpy(hash, r.hash, sizeof(r.hash));
    }
    query_end(&q);
    return status;
}

// Does the row that it names have that hash? Of rows that are gone only the last of a month is
// known.
static enum store_status compare_checkpoint(struct store *s, const struct checkpoint *c, bool *fits)
{
    uint8_t hash[32];
    bool is_removed = false;
    enum store_status status = tombstone_hash(s, c->sequence, hash, &is_removed);
    if (status == STORE_NONE && !is_removed)
        status = trail_hash_at(s, c->sequence, hash);
    *fits = is_removed || (status == STORE_OK && memcmp(hash, c->hash, sizeof(hash)) == 0);
    return is_removed || status == STORE_NONE ? STORE_OK : status;
}

// Those of rows that came later, or came otherwise before it was put back, are not of this trail.
enum store_status store_checkpoints_keep(struct store *s, const char *from, const char *to)
{
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    bool is_good = out != NULL;
    enum store_status status = STORE_OK;
    while (is_good && in != NULL && fgets(line, sizeof(line), in) != NULL) {
        bool fits = false;
        if (checkpoint_read(line, &c, &text))
            status = compare_checkpoint(s, &c, &fits);
        is_good = status == STORE_OK && (!fits || fputs(line, out) >= 0);
    }
    if (in != NULL)
        fclose(in);
    is_good = is_good && fflush(out) == 0 && fsync(fileno(out)) == 0;
    if (out != NULL)
        is_good = fclose(out) == 0 && is_good;
    if (status != STORE_OK)
        return status;
    return is_good ? STORE_OK : STORE_FULL;
}

// One that could not be compared is none that is lost.
enum store_status checkpoint_lost(struct store *s, uint64_t *sequence)
{
    FILE *f = s->options.checkpoints == NULL ? NULL : fopen(s->options.checkpoints, "r");
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    enum store_status status = STORE_OK;
    *sequence = 0;
    if (f == NULL)
        return STORE_OK;
    while (status == STORE_OK && fgets(line, sizeof(line), f) != NULL) {
        bool fits = true;
        if (checkpoint_read(line, &c, &text) && c.sequence > *sequence)
            status = compare_checkpoint(s, &c, &fits);
        if (status == STORE_OK && !fits)
            *sequence = c.sequence;
    }
    fclose(f);
    return status;
}

enum store_status store_is_restored(struct store *s, bool *is_restored)
{
    uint64_t lost = 0;
    enum store_status status = store_is_put_back(s, is_restored);
    if (status != STORE_OK || *is_restored)
        return status;
    status = checkpoint_lost(s, &lost);
    *is_restored = lost > 0;
    return status;
}

static void verify_checkpoint(struct store *s, const struct checkpoint *c, bool is_genuine_one,
                              struct trail_verdict *out)
{
    out->checkpoints++;
    out->checkpoint_last = c->sequence;
    bool fits = false;
    if (compare_checkpoint(s, c, &fits) != STORE_OK || !fits)
        out->problem = "CHECKPOINT";
    else if (!is_genuine_one)
        out->problem = "SIGNATURE";
    else
        return;
    out->ok = false;
    out->first_bad = c->sequence;
}

// --- rows that have none behind them ---------------------------------------------------------

// The first row at or behind `sequence`; at.ms is 0 without one.
static enum store_status row_time(struct store *s, uint64_t *sequence, struct utc *at)
{
    struct query q = query_of(s, STATEMENT_TRAIL_TIME);
    bind_number(&q, 1, (int64_t)*sequence);
    const enum store_status status = query_step(&q);
    *at = (struct utc){0};
    if (status == STORE_OK) {
        *sequence = (uint64_t)column_number(&q, 0);
        at->ms = column_number(&q, 1);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

// A checkpoint is written 15 min after a row that has none, or at the next start. So of the rows
// between two of them (`from` to `to`, `at`: when the second one was written) those of the
// beginning are at most that much apart, and those behind a start are new. A row that is neither
// lacked its checkpoint for long; twice the time is allowed, as for the alarm.
static enum store_status find_lack(struct store *s, uint64_t from, uint64_t to, int64_t at,
                                   uint64_t *lack)
{
    struct utc first;
    enum store_status status = row_time(s, &from, &first);
    *lack = 0;
    if (status != STORE_OK || first.ms == 0 || from > to || at - first.ms <= 2 * UNCOVERED_MS)
        return status;
    struct query q = query_of(s, STATEMENT_TRAIL_BETWEEN);
    bind_number(&q, 1, (int64_t)from);
    bind_number(&q, 2, (int64_t)to);
    bind_number(&q, 3, first.ms + UNCOVERED_MS);
    bind_number(&q, 4, at - UNCOVERED_MS);
    status = query_step(&q);
    *lack = status == STORE_OK ? from : 0;
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

// Those of the first release, which were not signed, are compared, but anybody can write one.
static bool covers(const struct store *s, const struct checkpoint *c)
{
    return c->is_signed || s->signing.len == 0;
}

static void judge_lack(struct store *s, uint64_t from, uint64_t to, int64_t at,
                       struct trail_verdict *out)
{
    uint64_t lack = 0;
    if (!out->ok || find_lack(s, from, to, at, &lack) != STORE_OK || lack == 0)
        return;
    out->ok = false;
    out->problem = "CHECKPOINT";
    out->first_bad = lack;
}

// Behind the last checkpoint: the time of the last row stands for now.
static void judge_tail(struct store *s, uint64_t from, uint64_t to, struct trail_verdict *out)
{
    uint64_t head = 0;
    uint8_t hash[32];
    struct utc at = {0};
    if (store_trail_head(s, &head, hash) != STORE_OK || row_time(s, &head, &at) != STORE_OK)
        return;
    judge_lack(s, from, to < head ? to : head, at.ms, out);
}

// Each hash is compared and each signature verified, for a line without one covers no row.
// `next` becomes the first row that none covers.
static void witness_lines(struct store *s, FILE *f, uint64_t *next, uint64_t to,
                          struct trail_verdict *out)
{
    const uint64_t from = *next;
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    bool has_signed = false;
    while (out->ok && fgets(line, sizeof(line), f) != NULL) {
        if (!checkpoint_read(line, &c, &text))
            continue;
        const bool is_genuine_one = is_genuine(s, &c, text, has_signed);
        if (c.sequence >= from && c.sequence <= to)
            verify_checkpoint(s, &c, is_genuine_one, out);
        has_signed = has_signed || c.is_signed;
        if (c.sequence < *next || *next > to || !is_genuine_one || !covers(s, &c))
            continue;
        judge_lack(s, *next, c.sequence < to ? c.sequence : to, (int64_t)c.at, out);
        *next = c.sequence + 1;
    }
}

void store_trail_witness(struct store *s, uint64_t from, uint64_t to, struct trail_verdict *out)
{
    uint64_t next = from;
    if (s->options.checkpoints == NULL)
        return;
    FILE *f = fopen(s->options.checkpoints, "r");
    if (f != NULL) {
        witness_lines(s, f, &next, to, out);
        fclose(f);
    }
    if (out->ok && next <= to)
        judge_tail(s, next, to, out);
}

bool store_checkpoints_are_many(const struct store *s)
{
    struct stat st;
    return s->options.checkpoints != NULL && stat(s->options.checkpoints, &st) == 0 &&
           st.st_size > CHECKPOINTS_MANY * CHECKPOINT_LINE_MIN;
}

const char *trail_row_problem(struct store *s, const struct trail_row *r, uint64_t expected,
                              const uint8_t *previous)
{
    uint8_t hash[32];
    if (r->sequence != expected)
        return "GAP";
    if (memcmp(r->previous, previous, 32) != 0)
        return "HASH";
    return trail_row_hash(s->crypto->cipher, r, hash) && memcmp(hash, r->hash, 32) == 0 ? NULL
                                                                                        : "HASH";
}

// The first row at or behind `start` that must be there, and the hash that it is chained from.
static enum store_status find_start(struct store *s, uint64_t *start, uint8_t before[32],
                                    struct trail_verdict *out)
{
    uint64_t first = 0;
    enum store_status status = tombstones_verify(s, &first, before, out);
    if (status != STORE_OK || !out->ok || *start <= first) {
        *start = first;
        return status;
    }
    status = trail_hash_at(s, *start - 1, before);
    if (status != STORE_NONE)
        return status;
    out->ok = false;
    out->problem = "GAP";
    out->first_bad = *start - 1;
    return STORE_OK;
}

enum store_status store_trail_chain(struct store *s, uint64_t from, uint64_t to,
                                    struct trail_verdict *out)
{
    uint8_t before[32];
    uint64_t start = from == 0 ? 1 : from;
    memset(out, 0, sizeof(*out));
    out->ok = true;
    out->problem = "";
    out->from = start;
    out->to = to;
    enum store_status status = find_start(s, &start, before, out);
    if (status != STORE_OK || !out->ok)
        return status;
    memcpy(out->head, before, sizeof(before));
    if (to != 0 && start > to) // all of it is covered by tombstones
        return STORE_OK;
    struct query q = query_of(s, STATEMENT_TRAIL_RANGE);
    bind_number(&q, 1, (int64_t)start);
    bind_number(&q, 2, to == 0 ? INT64_MAX : (int64_t)to);
    status = query_step(&q);
    const uint8_t *previous = before;
    uint64_t expected = start;
    while (status == STORE_OK && out->ok) {
        struct trail_row r;
        trail_read(&q, &r);
        const char *problem = trail_row_problem(s, &r, expected, previous);
        if (problem != NULL) {
            out->ok = false;
            out->problem = problem;
            out->first_bad = expected;
            break;
        }
        out->checked++;
        memcpy(out->head, r.hash, sizeof(out->head));
        previous = out->head;
        expected++;
        status = query_step(&q);
    }
    query_end(&q);
    if (out->ok && to != 0 && expected <= to && status == STORE_NONE) {
        out->ok = false; // the tail is missing
        out->problem = "GAP";
        out->first_bad = expected;
    }
    if (to == 0)
        out->to = expected - 1;
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_trail_verify(struct store *s, uint64_t from, uint64_t to,
                                     struct trail_verdict *out)
{
    const enum store_status status = store_trail_chain(s, from, to, out);
    if (status == STORE_OK && out->ok)
        store_trail_witness(s, out->from, to == 0 ? UINT64_MAX : to, out);
    return status;
}

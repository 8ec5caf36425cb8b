// What proves the trail: its chain computed again, and checkpoints outside the database that tell
// when its tail was cut or the whole was put back.
#include "ota-server/store/driver.h"

#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECKPOINT_LINE_MAX 320
#define SIGNATURES_VERIFIED 100

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

// The next word of a line; empty when there is none.
static struct bytes next_word(struct bytes *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->at[len] != ' ')
        len++;
    const struct bytes word = bytes_slice(*rest, 0, len);
    *rest = bytes_slice(*rest, len + 1, rest->len);
    return word;
}

// A line that is cut (a crash while writing) does not count. `text` is what a signature is over.
static bool read_checkpoint(const char *line, struct checkpoint *c, struct bytes *text)
{
    struct bytes rest = bytes_of_text(line);
    *c = (struct checkpoint){.sequence = 0};
    if (rest.len == 0 || rest.at[rest.len - 1] != '\n')
        return false;
    rest.len--;
    const struct bytes whole = rest;
    struct writer hash = writer_of(c->hash, sizeof(c->hash));
    struct writer signature = writer_of(c->signature, sizeof(c->signature));
    if (!text_read_decimal(next_word(&rest), &c->sequence) ||
        !text_read_decimal(next_word(&rest), &c->at) || !text_unhex(next_word(&rest), &hash) ||
        hash.len != sizeof(c->hash))
        return false;
    c->is_signed = rest.len > 0;
    if (!c->is_signed)
        return true;
    if (!text_read_decimal(next_word(&rest), &c->rows))
        return false;
    *text = bytes_slice(whole, 0, (size_t)(rest.at - whole.at) - 1);
    return text_unhex(rest, &signature) && signature.len == sizeof(c->signature);
}

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
        if (!read_checkpoint(line, &c, &text))
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
        if (read_checkpoint(line, &c, &text))
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
        if (read_checkpoint(line, &c, &text) && c.sequence > *sequence)
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

static uint64_t count_checkpoints(FILE *f, uint64_t from, uint64_t to)
{
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    uint64_t count = 0;
    while (fgets(line, sizeof(line), f) != NULL)
        count += read_checkpoint(line, &c, &text) && c.sequence >= from && c.sequence <= to;
    rewind(f);
    return count;
}

// Every hash is compared; of the signatures only the last ones are verified (each takes as long as
// a hundred rows): one of them proves all rows before it.
void store_trail_witness(struct store *s, uint64_t from, uint64_t to, struct trail_verdict *out)
{
    FILE *f = s->options.checkpoints == NULL ? NULL : fopen(s->options.checkpoints, "r");
    if (f == NULL)
        return;
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    bool has_signed = false;
    const uint64_t count = count_checkpoints(f, from, to);
    while (out->ok && fgets(line, sizeof(line), f) != NULL) {
        if (!read_checkpoint(line, &c, &text) || c.sequence > to)
            continue;
        if (c.sequence >= from) {
            const bool is_last = count - out->checkpoints <= SIGNATURES_VERIFIED;
            verify_checkpoint(s, &c, !is_last || is_genuine(s, &c, text, has_signed), out);
        }
        has_signed = has_signed || c.is_signed;
    }
    fclose(f);
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

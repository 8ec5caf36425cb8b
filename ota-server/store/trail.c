// The trail: rows chained by hashes, and checkpoints outside the database that tell when its tail
// was cut or the whole was put back.
#include "ota-server/store/driver.h"

#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROW_OCTETS_MAX (1400 + 40)
#define TEXT_MAX 200 // octets of one text; longer ones are cut before they are hashed
#define CHECKPOINT_LINE_MAX 320
#define SIGNATURES_VERIFIED 100

static void make_pseudonym(struct store *s, const char *kind, uint64_t object, char text[33])
{
    uint8_t id[8];
    uint8_t mac[CIPHER_SHA256_SIZE];
    struct writer w = writer_of(id, sizeof(id));
    writer_u64(&w, object);
    const struct bytes parts[] = {bytes_of_text(kind), bytes_of(id, sizeof(id))};
    const struct secret_key *key = &s->options.pseudonym_key;
    if (!s->crypto->hmac(s->crypto->context, bytes_of(key->octets, key->len), parts, 2, mac))
        memset(mac, 0, sizeof(mac));
    struct writer t = writer_of(text, 33);
    text_hex(&t, bytes_of(mac, 16));
    (void)text_end(&t);
}

// An event tells several things of one card.
void pseudonym_of(struct store *s, const char *kind, uint64_t object, char text[33])
{
    const bool is_card = strcmp(kind, "card") == 0;
    if (!is_card || object == 0 || object != s->card_named)
        make_pseudonym(s, kind, object, text);
    else
        memcpy(text, s->card_pseudonym, sizeof(s->card_pseudonym));
    if (is_card) {
        s->card_named = object;
        memcpy(s->card_pseudonym, text, sizeof(s->card_pseudonym));
    }
}

static void put_field(struct writer *w, struct bytes text)
{
    writer_u32(w, (uint32_t)text.len);
    writer_copy(w, text);
}

// The digits of a number, two at a time: seven of them are in every row.
static void put_number(struct writer *w, uint64_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "68697071727374757677787980818283848586878889909192939495969798990000";
    char text[20];
    size_t at = sizeof(text);
    for (; v >= 100; v /= 100) {
        at -= 2;
        memcpy(text + at, pairs + v % 100 * 2, 2);
    }
    at -= v >= 10 ? 2 : 1;
    memcpy(text + at, pairs + v * 2 + (v < 10), v >= 10 ? 2 : 1);
    put_field(w, bytes_of(text + at, sizeof(text) - at));
}

// hash = SHA-256(previous || sequence || row): the fields in fixed order, each with its length.
static bool hash_row(struct store *s, const struct trail_row *r, uint8_t hash[32])
{
    uint8_t row[ROW_OCTETS_MAX];
    struct writer w = writer_of(row, sizeof(row));
    writer_copy(&w, bytes_of(r->previous, sizeof(r->previous)));
    writer_u64(&w, r->sequence);
    put_number(&w, (uint64_t)r->at.ms);
    put_number(&w, r->tenant);
    put_field(&w, bytes_of_text(actor_kind_name(r->actor.kind)));
    put_number(&w, r->actor.id);
    put_field(&w, bytes_of_text(r->address));
    put_field(&w, bytes_of_text(r->action));
    put_field(&w, bytes_of_text(r->object_kind));
    put_field(&w, bytes_of_text(r->pseudonym));
    put_number(&w, r->operation);
    put_number(&w, r->correlator);
    put_field(&w, bytes_of_text(r->before));
    put_field(&w, bytes_of_text(r->after));
    put_field(&w, bytes_of_text(r->reason));
    put_number(&w, r->approval);
    put_field(&w, bytes_of_text(r->result));
    const struct bytes octets = writer_bytes(&w);
    return !w.failed && s->crypto->cipher->sha256(s->crypto->cipher->context, &octets, 1, hash);
}

// The seed comes from the key of the pseudonyms, which outlives changes of the master key.
static bool make_signer(struct store *s)
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

static enum store_status read_head(struct store *s)
{
    struct query q = query_of(s, STATEMENT_TRAIL_HEAD);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        const struct bytes hash = column_octets(&q, 1);
        s->head.sequence = (uint64_t)column_number(&q, 0);
        if (hash.len == sizeof(s->head.hash))
            bytes_copy(s->head.hash, hash);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status trail_open(struct store *s)
{
    return make_signer(s) ? read_head(s) : STORE_FAILED;
}

static const char *cut(char to[TEXT_MAX + 1], const char *from)
{
    snprintf(to, TEXT_MAX + 1, "%s", from == NULL ? "" : from);
    return to;
}

// Which card a pseudonym stands for is kept apart, from the card's first row on.
static enum store_status name_card(struct store *s, uint64_t card, const char *pseudonym)
{
    uint64_t *named = &s->named[(card ^ card >> 20) % STORE_NAMED];
    if (*named == card)
        return STORE_OK;
    struct query q = query_of(s, STATEMENT_PSEUDONYM_PUT);
    bind_text(&q, 1, pseudonym);
    bind_text(&q, 2, "card");
    bind_number(&q, 3, (int64_t)card);
    const enum store_status status = query_run(&q);
    if (status == STORE_OK)
        *named = card;
    return status;
}

enum store_status store_trail_add(struct store *s, const struct trail_new *v)
{
    char texts[7][TEXT_MAX + 1];
    char pseudonym[33] = "";
    struct trail_row r = {.sequence = s->head.sequence + 1,
                          .at = v->at,
                          .tenant = v->tenant,
                          .actor = v->actor,
                          .address = cut(texts[0], v->address),
                          .action = cut(texts[1], v->action),
                          .object_kind = cut(texts[2], v->object_kind),
                          .pseudonym = pseudonym,
                          .operation = v->operation,
                          .correlator = v->correlator,
                          .approval = v->approval,
                          .before = cut(texts[3], v->before),
                          .after = cut(texts[4], v->after),
                          .reason = cut(texts[5], v->reason),
                          .result = cut(texts[6], v->result)};
    if (v->object != 0)
        pseudonym_of(s, r.object_kind, v->object, pseudonym);
    memcpy(r.previous, s->head.hash, sizeof(r.previous));
    if (!hash_row(s, &r, r.hash))
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_TRAIL_ADD);
    bind_number(&q, 1, (int64_t)r.sequence);
    bind_number(&q, 2, r.at.ms);
    bind_number(&q, 3, (int64_t)r.tenant);
    bind_number(&q, 4, r.actor.kind);
    bind_number(&q, 5, (int64_t)r.actor.id);
    bind_text(&q, 6, r.address);
    bind_text(&q, 7, r.action);
    bind_text(&q, 8, r.object_kind);
    bind_text(&q, 9, r.pseudonym);
    bind_number(&q, 10, (int64_t)r.operation);
    bind_number(&q, 11, (int64_t)r.correlator);
    bind_number(&q, 12, (int64_t)r.approval);
    bind_text(&q, 13, r.before);
    bind_text(&q, 14, r.after);
    bind_text(&q, 15, r.reason);
    bind_text(&q, 16, r.result);
    bind_octets(&q, 17, bytes_of(r.previous, sizeof(r.previous)));
    bind_octets(&q, 18, bytes_of(r.hash, sizeof(r.hash)));
    bind_number(&q, 19, strcmp(r.object_kind, "card") == 0 ? (int64_t)v->object : 0);
    enum store_status status = query_run(&q);
    if (status == STORE_OK && v->object != 0 && strcmp(r.object_kind, "card") == 0)
        status = name_card(s, v->object, pseudonym);
    if (status != STORE_OK)
        return status;
    s->head.sequence = r.sequence;
    memcpy(s->head.hash, r.hash, sizeof(r.hash));
    return STORE_OK;
}

static void copy_hash(uint8_t to[32], struct bytes from)
{
    memset(to, 0, 32);
    memcpy(to, from.at, from.len > 32 ? 32 : from.len);
}

static void read_row(const struct query *q, struct trail_row *r)
{
    r->sequence = (uint64_t)column_number(q, 0);
    r->at.ms = column_number(q, 1);
    r->tenant = (uint64_t)column_number(q, 2);
    r->actor.kind = (uint8_t)column_number(q, 3);
    r->actor.id = (uint64_t)column_number(q, 4);
    r->address = column_text(q, 5);
    r->action = column_text(q, 6);
    r->object_kind = column_text(q, 7);
    r->pseudonym = column_text(q, 8);
    r->operation = (uint64_t)column_number(q, 9);
    r->correlator = (uint64_t)column_number(q, 10);
    r->approval = (uint64_t)column_number(q, 11);
    r->before = column_text(q, 12);
    r->after = column_text(q, 13);
    r->reason = column_text(q, 14);
    r->result = column_text(q, 15);
    copy_hash(r->previous, column_octets(q, 16));
    copy_hash(r->hash, column_octets(q, 17));
}

void trail_filter_init(struct trail_filter *f)
{
    *f = (struct trail_filter){.actor_kind = -1};
}

#define TRAIL_FILTERS                                                                              \
    " FROM trail WHERE %s AND ($1 = 0 OR tenant = $1) AND ($3 = 0 OR operation = $3)"              \
    " AND ($4 = 0 OR correlator = $4) AND ($5 = 0 OR sequence = $5)"                               \
    " AND ($6 = '' OR object_kind = $6) AND ($7 = '' OR action = $7)"                              \
    " AND ($8 < 0 OR actor_kind = $8) AND ($9 = 0 OR actor_id = $9) AND at >= $10"                 \
    " AND ($11 = 0 OR at <= $11)"                                                                  \
    " AND sequence >= $15"                                                                         \
    " AND ($14 = 0 OR grp = $14)"

static struct query trail_query(struct store *s, const struct trail_filter *f, const char *text)
{
    char pseudonym[33] = "";
    if (f->object != 0)
        pseudonym_of(s, f->object_kind == NULL ? "card" : f->object_kind, f->object, pseudonym);
    struct query q = query_text(s, text);
    bind_number(&q, 1, (int64_t)f->tenant);
    if (f->object != 0)
        bind_text(&q, 2, pseudonym);
    bind_number(&q, 3, (int64_t)f->operation);
    bind_number(&q, 4, (int64_t)f->correlator);
    bind_number(&q, 5, (int64_t)f->sequence);
    bind_text(&q, 6, f->object_kind);
    bind_text(&q, 7, f->action);
    bind_number(&q, 8, f->actor_kind);
    bind_number(&q, 9, (int64_t)f->actor_id);
    bind_number(&q, 10, f->from.ms);
    bind_number(&q, 11, f->to.ms);
    bind_number(&q, 14, (int64_t)f->group);
    bind_number(&q, 15, (int64_t)f->sequence_from);
    return q;
}

// What finds the rows by an index; the object's are those of one tenant, however many it has.
static const char *leading(const struct trail_filter *f)
{
    if (f->object != 0)
        return "pseudonym = $2";
    if (f->operation != 0)
        return "operation = $3 AND operation > 0";
    if (f->sequence != 0)
        return "sequence = $5";
    if (f->group != 0)
        return "grp = $14 AND grp > 0";
    return f->tenant != 0 ? "tenant = $1" : "1";
}

enum store_status store_trail(struct store *s, const struct trail_filter *f,
                              const struct store_page *page, store_trail_fn *each, void *context,
                              uint64_t *total)
{
    char text[1600];
    snprintf(text, sizeof(text),
             "SELECT " TRAIL_COLUMNS TRAIL_FILTERS " ORDER BY sequence%s LIMIT $12 OFFSET $13",
             leading(f), f->is_ascending ? "" : " DESC");
    struct query q = trail_query(s, f, text);
    bind_page(&q, 12, page);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct trail_row r;
        read_row(&q, &r);
        if (!each(context, &r))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    if ((status != STORE_OK && status != STORE_NONE) || total == NULL)
        return status == STORE_NONE ? STORE_OK : status;
    snprintf(text, sizeof(text), COUNT_UP_TO TRAIL_FILTERS COUNT_ENDS("$12", "$13"), leading(f));
    q = trail_query(s, f, text);
    bind_page(&q, 12, page);
    status = query_step(&q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_trail_head(struct store *s, uint64_t *sequence, uint8_t hash[32])
{
    if (s->options.is_reader) { // the writer's head moves on without us
        const enum store_status status = read_head(s);
        if (status != STORE_OK)
            return status;
    }
    *sequence = s->head.sequence;
    memcpy(hash, s->head.hash, 32);
    return STORE_OK;
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

static enum store_status hash_at(struct store *s, uint64_t sequence, uint8_t hash[32])
{
    struct query q = query_of(s, STATEMENT_TRAIL_RANGE);
    bind_number(&q, 1, (int64_t)sequence);
    bind_number(&q, 2, (int64_t)sequence);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        copy_hash(hash, column_octets(&q, 17));
    query_end(&q);
    return status;
}

// Those of rows that came later, or came otherwise before it was put back, are not of this trail.
enum store_status store_checkpoints_keep(struct store *s, const char *from, const char *to)
{
    char line[CHECKPOINT_LINE_MAX];
    uint8_t hash[32];
    struct bytes text;
    struct checkpoint c;
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    bool is_good = out != NULL;
    while (is_good && in != NULL && fgets(line, sizeof(line), in) != NULL) {
        const bool fits = read_checkpoint(line, &c, &text) &&
                          hash_at(s, c.sequence, hash) == STORE_OK &&
                          memcmp(hash, c.hash, sizeof(hash)) == 0;
        is_good = !fits || fputs(line, out) >= 0;
    }
    if (in != NULL)
        fclose(in);
    is_good = is_good && fflush(out) == 0 && fsync(fileno(out)) == 0;
    if (out != NULL)
        is_good = fclose(out) == 0 && is_good;
    return is_good ? STORE_OK : STORE_FULL;
}

enum store_status store_is_restored(struct store *s, bool *is_restored)
{
    enum store_status status = store_is_put_back(s, is_restored);
    FILE *f = s->options.checkpoints == NULL ? NULL : fopen(s->options.checkpoints, "r");
    if (f == NULL || *is_restored) {
        if (f != NULL)
            fclose(f);
        return status;
    }
    char line[CHECKPOINT_LINE_MAX];
    struct bytes text;
    struct checkpoint c;
    while (status == STORE_OK && fgets(line, sizeof(line), f) != NULL) {
        uint8_t hash[32];
        if (!read_checkpoint(line, &c, &text))
            continue;
        status = hash_at(s, c.sequence, hash);
        *is_restored = status != STORE_OK || memcmp(hash, c.hash, sizeof(hash)) != 0;
        if (status == STORE_NONE)
            status = STORE_OK;
    }
    fclose(f);
    return status;
}

static void verify_checkpoint(struct store *s, const struct checkpoint *c, bool is_genuine_one,
                              struct trail_verdict *out)
{
    uint8_t hash[32];
    out->checkpoints++;
    out->checkpoint_last = c->sequence;
    if (hash_at(s, c->sequence, hash) != STORE_OK || memcmp(hash, c->hash, 32) != 0)
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
static void verify_checkpoints(struct store *s, uint64_t from, uint64_t to,
                               struct trail_verdict *out)
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

static const char *problem_of(struct store *s, const struct trail_row *r, uint64_t expected,
                              const uint8_t *previous)
{
    uint8_t hash[32];
    if (r->sequence != expected)
        return "GAP";
    if (memcmp(r->previous, previous, 32) != 0)
        return "HASH";
    return hash_row(s, r, hash) && memcmp(hash, r->hash, 32) == 0 ? NULL : "HASH";
}

enum store_status store_trail_verify(struct store *s, uint64_t from, uint64_t to,
                                     struct trail_verdict *out)
{
    uint8_t before[32] = {0}; // the first row has none before it
    memset(out, 0, sizeof(*out));
    out->ok = true;
    out->problem = "";
    const uint64_t start = from == 0 ? 1 : from;
    out->from = start;
    out->to = to;
    if (start > 1 && hash_at(s, start - 1, before) == STORE_NONE) {
        out->ok = false;
        out->problem = "GAP";
        out->first_bad = start - 1;
        return STORE_OK;
    }
    struct query q = query_of(s, STATEMENT_TRAIL_RANGE);
    bind_number(&q, 1, (int64_t)start);
    bind_number(&q, 2, to == 0 ? INT64_MAX : (int64_t)to);
    enum store_status status = query_step(&q);
    const uint8_t *previous = before;
    uint64_t expected = start;
    while (status == STORE_OK && out->ok) {
        struct trail_row r;
        read_row(&q, &r);
        const char *problem = problem_of(s, &r, expected, previous);
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
    if (out->ok)
        verify_checkpoints(s, start, to == 0 ? UINT64_MAX : to, out);
    if (to == 0)
        out->to = expected - 1;
    return status == STORE_NONE ? STORE_OK : status;
}

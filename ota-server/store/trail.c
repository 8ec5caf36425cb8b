// The trail: rows chained by hashes. What proves it is in trail_proof.c.
#include "ota-server/store/driver.h"

#include "common/base/text.h"

#include <stdio.h>

// Octets of one text, and of one that says what a change changed or why; longer ones are cut before
// they are hashed.
#define TEXT_MAX 200
#define CHANGE_MAX 500

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
    if (!is_card && s->options.name_object != NULL && s->options.name_object(kind, object, text))
        return;
    if (!is_card || object == 0 || object != s->card_named)
        make_pseudonym(s, kind, object, text);
    else
        memcpy(text, s->card_pseudonym, sizeof(s->card_pseudonym));
    if (is_card) {
        s->card_named = object;
        memcpy(s->card_pseudonym, text, sizeof(s->card_pseudonym));
    }
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
    const enum store_status status = trail_signer(s) ? read_head(s) : STORE_FAILED;
    return status == STORE_OK ? segment_open(s) : status;
}

// Between two characters.
static const char *cut_to(char *to, size_t max, const char *from)
{
    size_t len = from == NULL ? 0 : strnlen(from, max + 1);
    if (len > max) {
        len = max;
        while (len > 0 && ((uint8_t)from[len] & 0xC0) == 0x80)
            len--;
    }
    if (len > 0)
        memcpy(to, from, len);
    to[len] = '\0';
    return to;
}

static const char *cut(char to[TEXT_MAX + 1], const char *from)
{
    return cut_to(to, TEXT_MAX, from);
}

static const char *cut_change(char to[CHANGE_MAX + 1], const char *from)
{
    return cut_to(to, CHANGE_MAX, from);
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
    char texts[4][TEXT_MAX + 1];
    char changes[3][CHANGE_MAX + 1];
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
                          .before = cut_change(changes[0], v->before),
                          .after = cut_change(changes[1], v->after),
                          .reason = cut_change(changes[2], v->reason),
                          .result = cut(texts[3], v->result)};
    if (v->object != 0)
        pseudonym_of(s, r.object_kind, v->object, pseudonym);
    memcpy(r.previous, s->head.hash, sizeof(r.previous));
    if (!trail_row_hash(s->crypto->cipher, &r, r.hash))
        return STORE_FAILED;
    enum store_status status = segment_begin(s, &r);
    if (status != STORE_OK)
        return status;
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
    status = query_run(&q);
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

void trail_read(const struct query *q, struct trail_row *r)
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
    if (f->object_name != NULL)
        bind_text(&q, 2, f->object_name);
    else if (f->object != 0)
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
    if (f->object != 0 || f->object_name != NULL)
        return "pseudonym = $2";
    if (f->operation != 0)
        return "operation = $3 AND operation > 0";
    if (f->sequence != 0)
        return "sequence = $5";
    if (f->group != 0)
        return "grp = $14 AND grp > 0";
    if (f->correlator != 0)
        return "correlator = $4 AND correlator > 0";
    if (f->tenant != 0)
        return "tenant = $1";
    if (f->actor_id != 0)
        return "actor_id = $9 AND actor_id > 0";
    return f->action != NULL && f->action[0] != '\0' ? "action = $7" : "1";
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
        trail_read(&q, &r);
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

#include "ota-server/core/trail_file.h"

#include "common/base/text.h"

static const char mark[] = "otaria-trail 1";

// --- writing -------------------------------------------------------------------------------------

static void put_number(struct writer *w, uint64_t v)
{
    text_put(w, "\t");
    text_decimal(w, v);
}

static void put_hex(struct writer *w, struct bytes octets)
{
    text_put(w, "\t");
    text_hex(w, octets);
}

static void put_text(struct writer *w, const char *text)
{
    text_put(w, "\t");
    for (const char *at = text; *at != '\0'; at++) {
        const uint8_t octet = (uint8_t)*at;
        if (octet < 0x20 || octet == 0x7F || octet == '\\') {
            text_put(w, "\\x");
            text_hex(w, bytes_of(&octet, 1));
        } else {
            writer_u8(w, octet);
        }
    }
}

void trail_file_head_write(struct writer *w, const struct trail_file_head *h)
{
    text_put(w, mark);
    put_number(w, h->first);
    put_hex(w, bytes_of(h->previous, sizeof(h->previous)));
    put_hex(w, bytes_of(h->signer, sizeof(h->signer)));
    text_put(w, "\n");
}

void trail_file_row_write(struct writer *w, const struct trail_row *r)
{
    text_decimal(w, r->sequence);
    put_number(w, (uint64_t)r->at.ms);
    put_number(w, r->tenant);
    put_text(w, actor_kind_name(r->actor.kind));
    put_number(w, r->actor.id);
    put_text(w, r->address);
    put_text(w, r->action);
    put_text(w, r->object_kind);
    put_text(w, r->pseudonym);
    put_number(w, r->operation);
    put_number(w, r->correlator);
    put_text(w, r->before);
    put_text(w, r->after);
    put_text(w, r->reason);
    put_number(w, r->approval);
    put_text(w, r->result);
    put_hex(w, bytes_of(r->hash, sizeof(r->hash)));
    text_put(w, "\n");
}

void trail_file_end_write(struct writer *w, const struct tombstone *t)
{
    text_put(w, "tombstone");
    put_number(w, t->first);
    put_number(w, t->last);
    put_number(w, t->month);
    put_number(w, (uint64_t)t->at.ms);
    put_hex(w, bytes_of(t->previous, sizeof(t->previous)));
    put_hex(w, bytes_of(t->hash, sizeof(t->hash)));
    put_hex(w, bytes_of(t->signature, sizeof(t->signature)));
    text_put(w, "\n");
}

// --- reading -------------------------------------------------------------------------------------

// The fields that are left of a line; `is_wrong` stays once something was.
struct fields {
    struct bytes rest;
    struct writer texts;
    bool is_wrong;
};

static struct bytes next_field(struct fields *f)
{
    size_t len = 0;
    while (len < f->rest.len && f->rest.at[len] != '\t')
        len++;
    const struct bytes field = bytes_slice(f->rest, 0, len);
    f->rest = bytes_slice(f->rest, len + 1, f->rest.len);
    return field;
}

static uint64_t take_number(struct fields *f)
{
    uint64_t v = 0;
    if (!text_read_decimal(next_field(f), &v))
        f->is_wrong = true;
    return v;
}

static void take_hex(struct fields *f, uint8_t *to, size_t size)
{
    struct writer w = writer_of(to, size);
    if (!text_unhex(next_field(f), &w) || w.len != size)
        f->is_wrong = true;
}

static uint8_t take_escaped(struct fields *f, struct bytes text)
{
    uint8_t octet = 0;
    struct writer w = writer_of(&octet, 1);
    if (text.len < 4 || !text_unhex(bytes_slice(text, 2, 2), &w) || octet == 0)
        f->is_wrong = true;
    return octet;
}

static const char *take_text(struct fields *f)
{
    const struct bytes field = next_field(f);
    const char *text = (const char *)f->texts.at + f->texts.len;
    for (size_t i = 0; i < field.len; i++) {
        const bool is_escaped = field.at[i] == '\\';
        writer_u8(&f->texts, is_escaped ? take_escaped(f, bytes_slice(field, i, 4)) : field.at[i]);
        i += is_escaped ? 3 : 0;
    }
    writer_u8(&f->texts, 0);
    f->is_wrong = f->is_wrong || f->texts.failed;
    return text;
}

static uint8_t take_actor_kind(struct fields *f)
{
    const struct bytes name = next_field(f);
    for (unsigned kind = ACTOR_SYSTEM; kind <= ACTOR_CARD; kind++) {
        if (bytes_equal(name, bytes_of_text(actor_kind_name((uint8_t)kind))))
            return (uint8_t)kind;
    }
    f->is_wrong = true;
    return 0;
}

static struct fields fields_of(struct trail_file *f, struct bytes line)
{
    return (struct fields){.rest = line, .texts = writer_of(f->texts, sizeof(f->texts))};
}

// Does what was read spell that line? A number with a zero in front, an upper-case digit or a
// needless escape does not.
static bool is_spelt(const struct writer *w, struct bytes line)
{
    const struct bytes spelt = writer_bytes(w);
    return !w->failed && spelt.len == line.len + 1 &&
           bytes_equal(bytes_slice(spelt, 0, line.len), line);
}

static enum trail_file_status take_head(struct trail_file *f, struct bytes line)
{
    char spelt[sizeof(mark) + 160];
    struct writer w = writer_of(spelt, sizeof(spelt));
    struct fields in = fields_of(f, line);
    struct trail_file_head h;
    (void)next_field(&in);
    h.first = take_number(&in);
    take_hex(&in, h.previous, sizeof(h.previous));
    take_hex(&in, h.signer, sizeof(h.signer));
    if (in.is_wrong || h.first == 0)
        return TRAIL_FILE_FORM;
    trail_file_head_write(&w, &h);
    if (!is_spelt(&w, line))
        return TRAIL_FILE_FORM;
    f->head = h;
    f->next = h.first;
    memcpy(f->hash, h.previous, sizeof(f->hash));
    return TRAIL_FILE_OK;
}

static enum trail_file_status take_row(struct trail_file *f, const struct cipher *cipher,
                                       struct bytes line)
{
    char spelt[TRAIL_LINE_MAX];
    struct writer w = writer_of(spelt, sizeof(spelt));
    struct fields in = fields_of(f, line);
    struct trail_row r;
    uint8_t hash[CIPHER_SHA256_SIZE];
    r.sequence = take_number(&in);
    r.at.ms = (int64_t)take_number(&in);
    r.tenant = take_number(&in);
    r.actor.kind = take_actor_kind(&in);
    r.actor.id = take_number(&in);
    r.address = take_text(&in);
    r.action = take_text(&in);
    r.object_kind = take_text(&in);
    r.pseudonym = take_text(&in);
    r.operation = take_number(&in);
    r.correlator = take_number(&in);
    r.before = take_text(&in);
    r.after = take_text(&in);
    r.reason = take_text(&in);
    r.approval = take_number(&in);
    r.result = take_text(&in);
    take_hex(&in, r.hash, sizeof(r.hash));
    if (in.is_wrong)
        return TRAIL_FILE_FORM;
    trail_file_row_write(&w, &r);
    if (!is_spelt(&w, line))
        return TRAIL_FILE_FORM;
    if (r.sequence != f->next)
        return TRAIL_FILE_GAP;
    memcpy(r.previous, f->hash, sizeof(r.previous));
    if (!trail_row_hash(cipher, &r, hash) || memcmp(hash, r.hash, sizeof(hash)) != 0)
        return TRAIL_FILE_HASH;
    memcpy(f->hash, hash, sizeof(hash));
    f->next++;
    return TRAIL_FILE_OK;
}

static enum trail_file_status take_end(struct trail_file *f, struct bytes line)
{
    char spelt[512];
    struct writer w = writer_of(spelt, sizeof(spelt));
    struct fields in = fields_of(f, line);
    struct tombstone t;
    (void)next_field(&in);
    t.first = take_number(&in);
    t.last = take_number(&in);
    const uint64_t month = take_number(&in);
    t.month = (uint32_t)month;
    t.at.ms = (int64_t)take_number(&in);
    take_hex(&in, t.previous, sizeof(t.previous));
    take_hex(&in, t.hash, sizeof(t.hash));
    take_hex(&in, t.signature, sizeof(t.signature));
    if (in.is_wrong)
        return TRAIL_FILE_FORM;
    trail_file_end_write(&w, &t);
    if (!is_spelt(&w, line))
        return TRAIL_FILE_FORM;
    if (t.first != f->head.first || t.last != f->next - 1 || t.last < t.first)
        return TRAIL_FILE_GAP;
    if (memcmp(t.previous, f->head.previous, sizeof(t.previous)) != 0 ||
        memcmp(t.hash, f->hash, sizeof(t.hash)) != 0)
        return TRAIL_FILE_HASH;
    f->end = t;
    f->has_ended = true;
    return TRAIL_FILE_END;
}

void trail_file_init(struct trail_file *f)
{
    memset(f, 0, sizeof(*f));
}

enum trail_file_status trail_file_line(struct trail_file *f, const struct cipher *cipher,
                                       struct bytes line)
{
    static const char end[] = "tombstone\t";
    if (f->has_ended || line.len >= TRAIL_LINE_MAX)
        return TRAIL_FILE_FORM;
    if (f->next == 0)
        return take_head(f, line);
    const bool is_end = bytes_equal(bytes_slice(line, 0, sizeof(end) - 1), bytes_of_text(end));
    return is_end ? take_end(f, line) : take_row(f, cipher, line);
}

#include "ota-server/core/trail.h"

#include "common/base/text.h"

// What is before the fields, their lengths, the numbers, the kind of actor and the pseudonym; four
// texts of 200 octets, and three of 500.
#define ROW_OCTETS_MAX (40 + 15 * 4 + 6 * 20 + 16 + 32 + 4 * 200 + 3 * 500)

// A row as it is hashed. Millions are, one after the other: what is not needed for one row is left
// out, and the end is looked at once per field.
struct row_octets {
    uint8_t at[ROW_OCTETS_MAX];
    size_t len;
    bool has_no_room;
};

static inline void put_field(struct row_octets *o, const void *text, size_t len)
{
    if (len > ROW_OCTETS_MAX - 4 - o->len) {
        o->has_no_room = true; // longer than any that we wrote
        return;
    }
    uint8_t *to = o->at + o->len;
    to[0] = to[1] = 0;
    to[2] = (uint8_t)(len >> 8);
    to[3] = (uint8_t)len;
    memcpy(to + 4, text, len);
    o->len += 4 + len;
}

static void put_text(struct row_octets *o, const char *text)
{
    put_field(o, text, strlen(text));
}

// The digits of a number, two at a time: seven of them are in every row.
static void put_number(struct row_octets *o, uint64_t v)
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
    put_field(o, text + at, sizeof(text) - at);
}

bool trail_row_hash(const struct cipher *cipher, const struct trail_row *r,
                    uint8_t hash[CIPHER_SHA256_SIZE])
{
    struct row_octets o;
    struct writer sequence = writer_of(o.at + sizeof(r->previous), sizeof(r->sequence));
    o.has_no_room = false;
    o.len = sizeof(r->previous) + sizeof(r->sequence);
    memcpy(o.at, r->previous, sizeof(r->previous));
    writer_u64(&sequence, r->sequence);
    put_number(&o, (uint64_t)r->at.ms);
    put_number(&o, r->tenant);
    put_text(&o, actor_kind_name(r->actor.kind));
    put_number(&o, r->actor.id);
    put_text(&o, r->address);
    put_text(&o, r->action);
    put_text(&o, r->object_kind);
    put_text(&o, r->pseudonym);
    put_number(&o, r->operation);
    put_number(&o, r->correlator);
    put_text(&o, r->before);
    put_text(&o, r->after);
    put_text(&o, r->reason);
    put_number(&o, r->approval);
    put_text(&o, r->result);
    const struct bytes octets = bytes_of(o.at, o.len);
    return !o.has_no_room && cipher->sha256(cipher->context, &octets, 1, hash);
}

struct bytes tombstone_text(const struct tombstone *t, char text[TOMBSTONE_TEXT_SIZE])
{
    struct writer w = writer_of(text, TOMBSTONE_TEXT_SIZE);
    text_put(&w, "tombstone ");
    text_decimal(&w, t->first);
    text_put(&w, " ");
    text_decimal(&w, t->last);
    text_put(&w, " ");
    text_decimal(&w, t->month);
    text_put(&w, " ");
    text_decimal(&w, (uint64_t)t->at.ms);
    text_put(&w, " ");
    text_hex(&w, bytes_of(t->previous, sizeof(t->previous)));
    text_put(&w, " ");
    text_hex(&w, bytes_of(t->hash, sizeof(t->hash)));
    return writer_bytes(&w);
}

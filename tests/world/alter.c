// What becomes of a message on its way: it is altered, a part of it comes among those of another
// packet, under their reference, or the message centre makes one message of all parts.
#include "tests/world/alter.h"

#include "common/base/check.h"
#include "tests/world/world.h"

#define DCS_SEPTETS 0x00 // [23.038 §4]: the default alphabet; not for the card
#define PID_NONE 0x00

// A message of either direction, taken apart.
struct opened {
    bool is_deliver;
    struct sms_deliver deliver;
    struct sms_submit submit;
    uint8_t *user_data; // in the message
    size_t len;
};

static void open_message(struct air_message *m, bool is_deliver, struct opened *o)
{
    const struct bytes tpdu = bytes_of(m->tpdu, m->len);
    *o = (struct opened){.is_deliver = is_deliver};
    check((is_deliver ? sms_read_deliver(tpdu, &o->deliver) : sms_read_submit(tpdu, &o->submit)) ==
          SMS_OK);
    const struct bytes text = is_deliver ? o->deliver.user_data : o->submit.user_data;
    o->user_data = m->tpdu + (m->len - text.len);
    o->len = text.len;
}

static void close_message(struct air_message *m, const struct opened *o)
{
    struct air_message out = *m;
    struct writer w = writer_of(out.tpdu, sizeof out.tpdu);
    if (o->is_deliver)
        sms_write_deliver(&w, &o->deliver);
    else
        sms_write_submit(&w, &o->submit);
    check(!w.failed);
    out.len = (uint8_t)w.len;
    *m = out;
}

static bool is_part(const struct opened *o, struct sms_part *part)
{
    return sms_read_part(bytes_of(o->user_data, o->len), part) && part->total > 1;
}

// --- altered -----------------------------------------------------------------------------------

static void set_text(struct opened *o, struct bytes text)
{
    if (o->is_deliver)
        o->deliver.user_data = text;
    else
        o->submit.user_data = text;
    if (o->is_deliver)
        o->deliver.user_data_length = (uint8_t)text.len;
    else
        o->submit.user_data_length = (uint8_t)text.len;
}

// A header without what says that there are other parts, at the beginning of `text`.
static void write_header(struct writer *w, uint8_t *text, struct bytes elements)
{
    struct sms_element e;
    struct reader r = reader_of(elements);
    writer_u8(w, 0);
    while (sms_element_next(&r, &e)) {
        if (e.id == SMS_ELEMENT_CONCATENATED || e.id == SMS_ELEMENT_CONCATENATED_WIDE)
            continue;
        writer_u8(w, e.id);
        writer_u8(w, (uint8_t)e.value.len);
        writer_copy(w, e.value);
    }
    text[0] = (uint8_t)(w->len - 1);
}

static void lose_concatenation(struct opened *o, uint8_t text[SMS_USER_DATA_MAX])
{
    struct bytes elements;
    struct bytes rest;
    if (!sms_header_split(bytes_of(o->user_data, o->len), &elements, &rest))
        return;
    struct writer w = writer_of(text, SMS_USER_DATA_MAX);
    write_header(&w, text, elements);
    writer_copy(&w, rest);
    check(!w.failed);
    set_text(o, writer_bytes(&w));
}

void alter(struct world *w, struct air_message *m, bool is_deliver, const struct deed *d)
{
    uint8_t text[SMS_USER_DATA_MAX];
    struct opened o;
    open_message(m, is_deliver, &o);
    uint8_t *first = is_deliver ? &o.deliver.first : &o.submit.first;
    switch ((enum alteration)(d->what % ALTERATIONS)) {
    case ALTER_OCTET: // the header as well
        o.user_data[d->octet % o.len] ^= (uint8_t)d->value;
        break;
    case ALTER_CODING: // the octets stay, and are said to be septets
        *(is_deliver ? &o.deliver.dcs : &o.submit.dcs) = DCS_SEPTETS;
        *(is_deliver ? &o.deliver.user_data_length : &o.submit.user_data_length) =
            (uint8_t)(o.len * 8 / 7);
        break;
    case ALTER_PROTOCOL:
        *(is_deliver ? &o.deliver.pid : &o.submit.pid) = PID_NONE;
        break;
    case ALTER_INDICATOR:
        *first &= (uint8_t)~SMS_HEADER_PRESENT;
        break;
    case ALTER_HEADER:
        lose_concatenation(&o, text);
        break;
    case ALTER_END:
        set_text(&o, bytes_of(o.user_data, 1 + d->octet % o.len));
        break;
    }
    close_message(m, &o);
    probes_met(&w->result.probes, is_deliver ? PROBE_ALTERED_MT : PROBE_ALTERED_MO);
}

// --- merged ------------------------------------------------------------------------------------

// All texts behind each other, as far as there is room.
static struct bytes join_texts(const struct merging *g, uint8_t text[MERGED_MAX])
{
    struct writer w = writer_of(text, MERGED_MAX);
    for (uint8_t i = 0; i < g->total; i++) {
        struct bytes elements;
        struct bytes rest;
        check(sms_header_split(bytes_of(g->texts[i], g->lens[i]), &elements, &rest));
        if (i == 0 && g->has_header)
            write_header(&w, text, elements);
        writer_copy(&w, bytes_slice(rest, 0, MERGED_MAX - w.len));
    }
    check(!w.failed);
    return writer_bytes(&w);
}

// Over the air it has room for one message only.
static void become_one(struct merging *g, struct air_message *m, struct opened *o)
{
    uint8_t text[MERGED_MAX];
    const struct bytes all = join_texts(g, text);
    g->is_on = false;
    if (!g->has_header)
        *(o->is_deliver ? &o->deliver.first : &o->submit.first) &= (uint8_t)~SMS_HEADER_PRESENT;
    set_text(o, bytes_slice(all, 0, SMS_USER_DATA_MAX));
    close_message(m, o);
    if (o->is_deliver)
        return;
    m->merged_len = (uint8_t)all.len;
    memcpy(m->merged, all.at, all.len);
}

bool alter_merge(struct world *w, uint32_t card, struct air_message *m, bool is_deliver,
                 enum deed_kind kind)
{
    struct opened o;
    struct sms_part part;
    struct deed d;
    open_message(m, is_deliver, &o);
    if (card >= w->cards || w->is_settling || !is_part(&o, &part) || part.total > SMS_PARTS_MAX)
        return false;
    struct merging *g = &w->people[card].merging[is_deliver ? 0 : 1];
    if (!g->is_on || g->reference != part.reference || g->total != part.total) {
        if (part.number != 1 || !fate_befalls(w, kind, card, &d))
            return false;
        *g = (struct merging){.is_on = true,
                              .has_header = d.flags != 0,
                              .reference = part.reference,
                              .total = part.total};
    }
    g->count += g->lens[part.number - 1] == 0;
    g->lens[part.number - 1] = (uint8_t)o.len;
    memcpy(g->texts[part.number - 1], o.user_data, o.len);
    if (g->count < g->total)
        return true;
    become_one(g, m, &o);
    probes_met(&w->result.probes, is_deliver ? PROBE_JOINED_MT : PROBE_JOINED_MO);
    return false;
}

// --- mixed -------------------------------------------------------------------------------------

static struct mixed *mixed_of(struct world *w, uint32_t card, bool is_deliver)
{
    return &w->people[card].mixed[is_deliver ? 0 : 1];
}

static void set_reference(struct opened *o, uint16_t reference)
{
    struct bytes elements;
    struct bytes rest;
    struct sms_element e;
    if (!sms_header_split(bytes_of(o->user_data, o->len), &elements, &rest))
        return;
    struct reader r = reader_of(elements);
    while (sms_element_next(&r, &e)) {
        if (e.id == SMS_ELEMENT_CONCATENATED)
            o->user_data[e.value.at - o->user_data] = (uint8_t)reference;
    }
}

bool alter_keep(struct world *w, uint32_t card, const struct air_message *m, bool is_deliver,
                enum deed_kind kind)
{
    struct air_message copy = *m;
    struct opened o;
    struct sms_part part;
    struct deed d;
    open_message(&copy, is_deliver, &o);
    if (card >= w->cards || !is_part(&o, &part) || !fate_befalls(w, kind, card, &d))
        return false;
    *mixed_of(w, card, is_deliver) =
        (struct mixed){.is_kept = true, .is_behind = d.flags != 0, .message = *m};
    return true;
}

bool alter_mix(struct world *w, uint32_t card, const struct air_message *m, bool is_deliver,
               struct air_message *out, bool *is_behind)
{
    struct air_message copy = *m;
    struct opened now;
    struct opened before;
    struct sms_part part;
    struct sms_part kept;
    if (card >= w->cards || !mixed_of(w, card, is_deliver)->is_kept)
        return false;
    struct mixed *mixed = mixed_of(w, card, is_deliver);
    open_message(&copy, is_deliver, &now);
    open_message(&mixed->message, is_deliver, &before);
    if (!is_part(&now, &part) || !is_part(&before, &kept) || kept.reference == part.reference)
        return false; // none of several, or of the same packet
    set_reference(&before, part.reference);
    *out = mixed->message;
    *is_behind = mixed->is_behind;
    mixed->is_kept = false;
    probes_met(&w->result.probes, is_deliver ? PROBE_MIXED_MT : PROBE_MIXED_MO);
    return true;
}

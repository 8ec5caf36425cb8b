// What the card says: results, audit answers, notifications, and the state hash.
#include "common/wire/command.h"

#include "common/wire/tlv.h"

// Compact response [102.226 §5.1.2]: one command executed, 90 00, then the result.
#define EXECUTED 1
#define STATUS_WORD 0x9000

enum {
    RESULT_FLAG_REPLAYED = 0x01,
    RESULT_FLAG_MORE = 0x02,
    RESULT_FLAG_HASH = 0x04,
};

enum {
    TAG_FROM = 0x92,
    TAG_TO = 0x93,
    TAG_PLMN = 0x94,
    TAG_ACCESS = 0x95,
    TAG_IMEI = 0x96,
    TAG_REJECT = 0x97,
    TAG_CARD = 0x98,
    TAG_NONCE = 0x8A,
    TAG_HEAD = 0xC1,
    TAG_LOOKUP = 0xC2,
    TAG_TEMPLATES = 0xC3,
    TAG_SLOT = 0xC7,
};

enum {
    SLOT_BIT_FALLBACK = 0x10,
    SLOT_BIT_PROVEN = 0x20,
};

#define HEAD_SIZE 38
#define SLOT_RECORD_MAX 24
#define SLOT_OBJECT_MAX (2 + SLOT_RECORD_MAX)

bool result_read(struct bytes por_data, struct result *out)
{
    *out = (struct result){0};
    struct reader r = reader_of(por_data);
    uint8_t executed = reader_u8(&r);
    uint16_t status = reader_u16(&r);
    out->command = reader_u8(&r);
    out->code = reader_u8(&r);
    uint8_t flags = reader_u8(&r);
    out->replayed = (flags & RESULT_FLAG_REPLAYED) != 0;
    out->more = (flags & RESULT_FLAG_MORE) != 0;
    out->has_hash = (flags & RESULT_FLAG_HASH) != 0;
    out->operation_id = reader_u32(&r);
    out->registry_version = reader_u32(&r);
    if (out->has_hash)
        reader_copy(&r, out->state_hash, COMMAND_HASH_SIZE);
    out->data = reader_rest(&r);
    return !r.failed && por_data.len <= COMMAND_RESULT_MAX && executed == EXECUTED &&
           status == STATUS_WORD && flags < 8;
}

void result_write(struct writer *w, const struct result *r)
{
    uint8_t flags = 0;
    flags |= r->replayed ? RESULT_FLAG_REPLAYED : 0;
    flags |= r->more ? RESULT_FLAG_MORE : 0;
    flags |= r->has_hash ? RESULT_FLAG_HASH : 0;
    writer_u8(w, EXECUTED);
    writer_u16(w, STATUS_WORD);
    writer_u8(w, r->command);
    writer_u8(w, r->code);
    writer_u8(w, flags);
    writer_u32(w, r->operation_id);
    writer_u32(w, r->registry_version);
    if (r->has_hash)
        writer_copy(w, bytes_of(r->state_hash, COMMAND_HASH_SIZE));
    writer_copy(w, r->data);
}

bool result_pair_read(struct bytes data, struct result_pair *out)
{
    struct reader r = reader_of(data);
    out->first = reader_u8(&r);
    out->second = reader_u8(&r);
    return reader_done(&r);
}

static void write_slot(struct writer *w, const struct audit_slot *s, bool with_proven)
{
    uint8_t bits = (uint8_t)((s->state & 3) | (s->role & 3) << 2);
    bits |= s->is_fallback ? SLOT_BIT_FALLBACK : 0;
    bits |= with_proven && s->is_proven ? SLOT_BIT_PROVEN : 0;
    writer_u8(w, s->slot);
    writer_u8(w, bits);
    writer_u8(w, s->marks);
    writer_u8(w, s->rank);
    writer_u8(w, s->template_number);
    writer_copy(w, bytes_of(s->imsi, COMMAND_IMSI_SIZE));
    if (s->has_iccid)
        writer_copy(w, bytes_of(s->iccid, COMMAND_ICCID_SIZE));
}

static bool read_slot(struct bytes value, struct audit_slot *s)
{
    *s = (struct audit_slot){0};
    struct reader r = reader_of(value);
    s->slot = reader_u8(&r);
    uint8_t bits = reader_u8(&r);
    s->state = bits & 3;
    s->role = bits >> 2 & 3;
    s->is_fallback = (bits & SLOT_BIT_FALLBACK) != 0;
    s->is_proven = (bits & SLOT_BIT_PROVEN) != 0;
    s->marks = reader_u8(&r);
    s->rank = reader_u8(&r);
    s->template_number = reader_u8(&r);
    reader_copy(&r, s->imsi, COMMAND_IMSI_SIZE);
    s->has_iccid = r.left > 0;
    if (s->has_iccid)
        reader_copy(&r, s->iccid, COMMAND_ICCID_SIZE);
    return reader_done(&r) && s->slot >= 1 && s->slot <= COMMAND_SLOTS_MAX && bits < 0x40 &&
           (s->state == SLOT_DISABLED || s->state == SLOT_ENABLED) && s->role <= ROLE_TEST;
}

static bool read_head(struct bytes value, struct audit_answer *out)
{
    struct reader r = reader_of(value);
    reader_copy(&r, out->card_iccid, COMMAND_ICCID_SIZE);
    reader_copy(&r, out->applet_version, sizeof out->applet_version);
    out->level = reader_u8(&r);
    out->slot_count = reader_u8(&r);
    out->mt_counter = reader_u40(&r);
    out->mo_counter = reader_u40(&r);
    out->operation_id_highest = reader_u32(&r);
    out->configuration_version = reader_u16(&r);
    out->switch_state = reader_u8(&r);
    out->journal_phase = reader_u8(&r);
    out->preferred_slot = reader_u8(&r);
    out->free_memory = reader_u16(&r);
    out->terminal = reader_u16(&r);
    return reader_done(&r) && out->slot_count <= COMMAND_SLOTS_MAX &&
           out->switch_state <= SWITCH_BACKOFF && out->journal_phase <= JOURNAL_CONFIRMING;
}

static bool read_lookup(struct bytes value, struct audit_answer *out)
{
    struct reader r = reader_of(value);
    out->lookup = reader_u8(&r);
    out->lookup_operation_id = reader_u32(&r);
    out->lookup_code = reader_u8(&r);
    return reader_done(&r) && out->lookup >= LOOKUP_STORED && out->lookup <= LOOKUP_NOT_STORED;
}

static bool copy_exactly(struct bytes value, uint8_t *to, size_t len)
{
    if (value.len != len)
        return false;
    memcpy(to, value.at, len);
    return true;
}

static bool read_audit_object(const struct tlv *object, struct audit_answer *out)
{
    switch (object->tag) { // octets
    case TAG_NONCE:
        return copy_exactly(object->value, out->nonce, COMMAND_NONCE_SIZE);
    case TAG_HEAD:
        return read_head(object->value, out);
    case TAG_LOOKUP:
        return read_lookup(object->value, out);
    case TAG_TEMPLATES:
        if (object->value.len > COMMAND_TEMPLATES_MAX)
            return false;
        out->template_count = (uint8_t)object->value.len;
        return copy_exactly(object->value, out->templates, object->value.len);
    case TAG_PLMN:
        out->has_plmn = true;
        return copy_exactly(object->value, out->plmn, COMMAND_PLMN_SIZE);
    case TAG_IMEI:
        out->has_imei = true;
        return copy_exactly(object->value, out->imei, COMMAND_IMEI_SIZE);
    case TAG_SLOT:
        return out->slot_count_here < COMMAND_SLOTS_MAX &&
               read_slot(object->value, &out->slots[out->slot_count_here++]);
    default:         // octets
        return true; // a later version of the protocol may say more
    }
}

bool audit_answer_read(struct bytes data, struct audit_answer *out)
{
    *out = (struct audit_answer){0};
    struct reader r = reader_of(data);
    struct tlv object;
    bool has_nonce = false;
    bool has_head = false;
    while (tlv_next(&r, &object)) {
        if (!read_audit_object(&object, out))
            return false;
        has_nonce = has_nonce || object.tag == TAG_NONCE;
        has_head = has_head || object.tag == TAG_HEAD;
    }
    for (uint8_t i = 1; i < out->slot_count_here; i++)
        if (out->slots[i].slot <= out->slots[i - 1].slot)
            return false;
    return reader_done(&r) && has_nonce && has_head;
}

static void write_audit_head(struct writer *w, const struct audit_answer *a)
{
    tlv_write(w, TAG_NONCE, bytes_of(a->nonce, COMMAND_NONCE_SIZE));
    tlv_write_head(w, TAG_HEAD, HEAD_SIZE);
    writer_copy(w, bytes_of(a->card_iccid, COMMAND_ICCID_SIZE));
    writer_copy(w, bytes_of(a->applet_version, sizeof a->applet_version));
    writer_u8(w, a->level);
    writer_u8(w, a->slot_count);
    writer_u40(w, a->mt_counter);
    writer_u40(w, a->mo_counter);
    writer_u32(w, a->operation_id_highest);
    writer_u16(w, a->configuration_version);
    writer_u8(w, a->switch_state);
    writer_u8(w, a->journal_phase);
    writer_u8(w, a->preferred_slot);
    writer_u16(w, a->free_memory);
    writer_u16(w, a->terminal);
    if (a->lookup != LOOKUP_NOT_ASKED) {
        tlv_write_head(w, TAG_LOOKUP, 6);
        writer_u8(w, a->lookup);
        writer_u32(w, a->lookup_operation_id);
        writer_u8(w, a->lookup_code);
    }
    tlv_write(w, TAG_TEMPLATES, bytes_of(a->templates, a->template_count));
    if (a->has_plmn)
        tlv_write(w, TAG_PLMN, bytes_of(a->plmn, COMMAND_PLMN_SIZE));
    if (a->has_imei)
        tlv_write(w, TAG_IMEI, bytes_of(a->imei, COMMAND_IMEI_SIZE));
}

uint8_t audit_answer_write(struct writer *w, const struct audit_answer *a, size_t data_max)
{
    size_t start = w->len;
    write_audit_head(w, a);
    uint8_t written = 0;
    while (written < a->slot_count_here && w->len - start + SLOT_OBJECT_MAX <= data_max) {
        const struct audit_slot *slot = &a->slots[written];
        tlv_write_head(w, TAG_SLOT, SLOT_RECORD_MAX - (slot->has_iccid ? 0 : COMMAND_ICCID_SIZE));
        write_slot(w, slot, true);
        written++;
    }
    return written;
}

bool state_hash(const struct cipher *cipher, const struct audit_slot *slots, size_t slot_count,
                uint8_t hash[COMMAND_HASH_SIZE])
{
    uint8_t records[COMMAND_SLOTS_MAX * SLOT_RECORD_MAX];
    struct writer w = writer_of(records, sizeof records);
    for (size_t i = 0; i < slot_count; i++)
        write_slot(&w, &slots[i], false);
    uint8_t digest[CIPHER_SHA256_SIZE];
    struct bytes part = writer_bytes(&w);
    if (w.failed || !cipher->sha256(cipher->context, &part, 1, digest))
        return false;
    memcpy(hash, digest, COMMAND_HASH_SIZE);
    return true;
}

static bool read_name(struct bytes value, struct subscription_name *name)
{
    name->is_given = true;
    name->is_iccid = value.len == COMMAND_ICCID_SIZE;
    return name->is_iccid ? copy_exactly(value, name->iccid, COMMAND_ICCID_SIZE)
                          : copy_exactly(value, name->imsi, COMMAND_IMSI_SIZE);
}

static bool read_card(struct bytes value, struct notification *out)
{
    struct reader r = reader_of(value);
    reader_copy(&r, out->applet_version, sizeof out->applet_version);
    out->level = reader_u8(&r);
    out->terminal = reader_u16(&r);
    out->has_card = true;
    return reader_done(&r);
}

static bool read_notify_object(const struct tlv *object, struct notification *out)
{
    switch (object->tag) { // octets
    case TAG_FROM:
        return read_name(object->value, &out->from);
    case TAG_TO:
        return read_name(object->value, &out->to);
    case TAG_PLMN:
        out->has_plmn = true;
        return copy_exactly(object->value, out->plmn, COMMAND_PLMN_SIZE);
    case TAG_ACCESS:
        out->has_access = true;
        return copy_exactly(object->value, &out->access, 1);
    case TAG_IMEI:
        out->has_imei = true;
        return copy_exactly(object->value, out->imei, COMMAND_IMEI_SIZE);
    case TAG_REJECT:
        out->has_reject = true;
        return copy_exactly(object->value, &out->reject, 1);
    case TAG_CARD:
        return read_card(object->value, out);
    default:         // octets
        return true; // a later version of the protocol may say more
    }
}

bool notification_read(struct bytes data, struct notification *out)
{
    *out = (struct notification){0};
    struct reader r = reader_of(data);
    out->cause = reader_u8(&r);
    uint8_t flags = reader_u8(&r);
    out->has_hash = (flags & RESULT_FLAG_HASH) != 0;
    out->sequence = reader_u32(&r);
    out->operation_id = reader_u32(&r);
    out->registry_version = reader_u32(&r);
    if (out->has_hash)
        reader_copy(&r, out->state_hash, COMMAND_HASH_SIZE);
    out->coalesced = reader_u8(&r);
    struct tlv object;
    while (tlv_next(&r, &object))
        if (!read_notify_object(&object, out))
            return false;
    return reader_done(&r) && (flags & ~RESULT_FLAG_HASH) == 0 &&
           out->cause >= NOTIFY_FIRST_CONTACT && out->cause <= NOTIFY_RESTORED &&
           (out->sequence == 0) == (out->cause == NOTIFY_HEARTBEAT);
}

static void write_name(struct writer *w, uint16_t tag, const struct subscription_name *name)
{
    if (!name->is_given)
        return;
    tlv_write(w, tag,
              name->is_iccid ? bytes_of(name->iccid, COMMAND_ICCID_SIZE)
                             : bytes_of(name->imsi, COMMAND_IMSI_SIZE));
}

void notification_write(struct writer *w, const struct notification *n)
{
    writer_u8(w, n->cause);
    writer_u8(w, n->has_hash ? RESULT_FLAG_HASH : 0);
    writer_u32(w, n->sequence);
    writer_u32(w, n->operation_id);
    writer_u32(w, n->registry_version);
    if (n->has_hash)
        writer_copy(w, bytes_of(n->state_hash, COMMAND_HASH_SIZE));
    writer_u8(w, n->coalesced);
    write_name(w, TAG_FROM, &n->from);
    write_name(w, TAG_TO, &n->to);
    if (n->has_plmn)
        tlv_write(w, TAG_PLMN, bytes_of(n->plmn, COMMAND_PLMN_SIZE));
    if (n->has_access)
        tlv_write(w, TAG_ACCESS, bytes_of(&n->access, 1));
    if (n->has_imei)
        tlv_write(w, TAG_IMEI, bytes_of(n->imei, COMMAND_IMEI_SIZE));
    if (n->has_reject)
        tlv_write(w, TAG_REJECT, bytes_of(&n->reject, 1));
    if (n->has_card) {
        tlv_write_head(w, TAG_CARD, 6);
        writer_copy(w, bytes_of(n->applet_version, sizeof n->applet_version));
        writer_u8(w, n->level);
        writer_u16(w, n->terminal);
    }
}

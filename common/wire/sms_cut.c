#include "common/wire/sms.h"

#include "common/base/check.h"

bool sms_element_next(struct reader *elements, struct sms_element *out)
{
    if (elements->failed || elements->left == 0)
        return false;
    out->id = reader_u8(elements);
    const uint8_t len = reader_u8(elements);
    out->value = reader_bytes(elements, len);
    return !elements->failed;
}

bool sms_header_split(struct bytes user_data, struct bytes *elements, struct bytes *rest)
{
    struct reader r = reader_of(user_data);
    const uint8_t len = reader_u8(&r);
    *elements = reader_bytes(&r, len);
    *rest = reader_rest(&r);
    struct reader walk = reader_of(*elements);
    struct sms_element element;
    while (sms_element_next(&walk, &element))
        ;
    return !r.failed && !walk.failed;
}

// Takes a concatenation; false when there is one already or its length is wrong.
static bool take_concatenation(struct sms_part *part, const struct sms_element *element)
{
    const bool is_wide = element->id == SMS_ELEMENT_CONCATENATED_WIDE;
    struct reader r = reader_of(element->value);
    const uint16_t reference = is_wide ? reader_u16(&r) : reader_u8(&r);
    const uint8_t total = reader_u8(&r);
    const uint8_t number = reader_u8(&r);
    if (!reader_done(&r))
        return false;
    if (number == 0 || number > total)
        return true; // the element is ignored
    if (part->total != 0)
        return false;
    part->is_wide = is_wide;
    part->reference = reference;
    part->total = total;
    part->number = number;
    return true;
}

static bool take_element(struct sms_part *part, const struct sms_element *element)
{
    switch (element->id) {
    case SMS_ELEMENT_CONCATENATED:
    case SMS_ELEMENT_CONCATENATED_WIDE:
        return take_concatenation(part, element);
    case SMS_ELEMENT_COMMAND:
    case SMS_ELEMENT_RESPONSE:
        if (part->kind != SMS_NO_PACKET || element->value.len != 0)
            return false;
        part->kind = (enum sms_packet_kind)element->id;
        return true;
    case SMS_ELEMENT_CARD_REFERENCE:
        // Others may use this identifier for something else: only our length is ours.
        if (element->value.len == SMS_CARD_REFERENCE_LEN && part->card_reference.len == 0)
            part->card_reference = element->value;
        return true;
    default: // octets
        return true;
    }
}

bool sms_read_part(struct bytes user_data, struct sms_part *out)
{
    struct bytes elements;
    *out = (struct sms_part){0};
    if (!sms_header_split(user_data, &elements, &out->octets))
        return false;
    struct reader r = reader_of(elements);
    struct sms_element element;
    while (sms_element_next(&r, &element)) {
        if (!take_element(out, &element))
            return false;
    }
    if (out->total == 0) {
        out->total = 1;
        out->number = 1;
    }
    return true;
}

// --- cutting

// Octets of header, its length octet included.
static size_t header_len(const struct sms_cut *cut, bool is_first, bool is_single)
{
    size_t len = 1;
    if (!is_single)
        len += cut->is_wide ? 6 : 5;
    if (is_first)
        len += 2 + (cut->card_reference.len > 0 ? 2 + cut->card_reference.len : 0);
    return len;
}

static size_t part_room(const struct sms_cut *cut, bool is_first, bool is_single)
{
    return SMS_USER_DATA_MAX - header_len(cut, is_first, is_single);
}

size_t sms_cut_room(const struct sms_cut *cut, size_t parts)
{
    if (parts == 0)
        return 0;
    if (parts == 1)
        return part_room(cut, true, true);
    return part_room(cut, true, false) + (parts - 1) * part_room(cut, false, false);
}

size_t sms_cut_count(const struct sms_cut *cut, size_t packet_len)
{
    if (packet_len <= part_room(cut, true, true))
        return 1;
    const size_t further = part_room(cut, false, false);
    return 1 + (packet_len - part_room(cut, true, false) + further - 1) / further;
}

static void write_header(const struct sms_cut *cut, size_t index, size_t count, struct writer *w)
{
    const bool is_first = index == 0;
    writer_u8(w, (uint8_t)(header_len(cut, is_first, count == 1) - 1));
    if (count > 1 && cut->is_wide) {
        writer_u8(w, SMS_ELEMENT_CONCATENATED_WIDE);
        writer_u8(w, 4);
        writer_u16(w, cut->reference);
    } else if (count > 1) {
        writer_u8(w, SMS_ELEMENT_CONCATENATED);
        writer_u8(w, 3);
        writer_u8(w, (uint8_t)cut->reference);
    }
    if (count > 1) {
        writer_u8(w, (uint8_t)count);
        writer_u8(w, (uint8_t)(index + 1));
    }
    if (is_first) {
        writer_u8(w, (uint8_t)cut->kind);
        writer_u8(w, 0);
    }
    if (is_first && cut->card_reference.len > 0) {
        writer_u8(w, SMS_ELEMENT_CARD_REFERENCE);
        writer_u8(w, (uint8_t)cut->card_reference.len);
        writer_copy(w, cut->card_reference);
    }
}

void sms_cut_part(const struct sms_cut *cut, struct bytes packet, size_t index, struct writer *w)
{
    check(cut->kind != SMS_NO_PACKET);
    check(cut->card_reference.len == 0 || cut->card_reference.len == SMS_CARD_REFERENCE_LEN);
    check(cut->is_wide || cut->reference <= 0xFF);
    const size_t count = sms_cut_count(cut, packet.len);
    if (count > SMS_PARTS_MAX || index >= count) {
        w->failed = true;
        return;
    }
    write_header(cut, index, count, w);
    if (count == 1)
        writer_copy(w, packet);
    else if (index == 0)
        writer_copy(w, bytes_slice(packet, 0, part_room(cut, true, false)));
    else
        writer_copy(w,
                    bytes_slice(packet, sms_cut_room(cut, index + 1) - part_room(cut, false, false),
                                part_room(cut, false, false)));
}

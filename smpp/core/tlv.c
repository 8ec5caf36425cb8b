#include "smpp/core/pdu.h"

// TLVs whose length is fixed or bounded [SMPP 3.4 §5.3.2]. Others may have any.
struct tlv_rule {
    uint16_t tag;
    uint16_t len_min;
    uint16_t len_max;
};

// clang-format off
static const struct tlv_rule rules[] = {
    {0x0005, 1, 1}, {0x0006, 1, 1}, {0x0007, 1, 1}, {0x0008, 2, 2}, {0x000D, 1, 1}, {0x000E, 1, 1},
    {0x000F, 1, 1}, {0x0010, 1, 1}, {0x0017, 4, 4}, {0x0019, 1, 1}, {0x001D, 1, 256}, {0x001E, 1, 65},
    {0x0030, 1, 1}, {0x0201, 1, 1}, {0x0202, 2, 23}, {0x0203, 2, 23}, {0x0204, 2, 2}, {0x0205, 1, 1},
    {0x020A, 2, 2}, {0x020B, 2, 2}, {0x020C, 2, 2}, {0x020D, 1, 1}, {0x020E, 1, 1}, {0x020F, 1, 1},
    {0x0210, 1, 1}, {0x0302, 1, 1}, {0x0304, 1, 1}, {0x0420, 1, 1}, {0x0421, 1, 1}, {0x0422, 1, 1},
    {0x0423, 3, 3}, {0x0425, 1, 1}, {0x0426, 1, 1}, {0x0427, 1, 1}, {0x0501, 1, 1}, {0x1201, 1, 1},
    {0x1203, 2, 2}, {0x1204, 1, 4}, {0x130C, 0, 0}, {0x1380, 1, 1}, {0x1383, 2, 2},
};
// clang-format on

bool smpp_tlv_next(struct bytes *tlvs, struct smpp_tlv *tlv)
{
    if (tlvs->len < 4)
        return false;
    const uint8_t *at = tlvs->at;
    const size_t len = (size_t)at[2] << 8 | at[3];
    if (len > tlvs->len - 4)
        return false;
    tlv->tag = (uint16_t)(at[0] << 8 | at[1]);
    tlv->value = bytes_of(at + 4, len);
    *tlvs = bytes_of(at + 4 + len, tlvs->len - 4 - len);
    return true;
}

bool smpp_tlv_find(struct bytes tlvs, uint16_t tag, struct bytes *value)
{
    struct smpp_tlv tlv;
    while (smpp_tlv_next(&tlvs, &tlv)) {
        if (tlv.tag == tag) {
            *value = tlv.value;
            return true;
        }
    }
    return false;
}

bool smpp_tlv_find_integer(struct bytes tlvs, uint16_t tag, uint32_t *value)
{
    struct bytes octets;
    if (!smpp_tlv_find(tlvs, tag, &octets))
        return false;
    if (octets.len != 1 && octets.len != 2 && octets.len != 4)
        return false;
    uint32_t sum = 0;
    for (size_t i = 0; i < octets.len; i++)
        sum = sum << 8 | octets.at[i];
    *value = sum;
    return true;
}

static bool length_is_right(const struct smpp_tlv *tlv)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].tag == tlv->tag)
            return tlv->value.len >= rules[i].len_min && tlv->value.len <= rules[i].len_max;
    return true;
}

enum smpp_status smpp_tlvs_check(struct bytes tlvs)
{
    struct smpp_tlv tlv;
    bool lengths_right = true;
    unsigned count = 0;
    while (tlvs.len > 0) {
        if (count == SMPP_TLVS_MAX || !smpp_tlv_next(&tlvs, &tlv))
            return ESME_RINVOPTPARSTREAM;
        count++;
        lengths_right = lengths_right && length_is_right(&tlv);
    }
    return lengths_right ? ESME_ROK : ESME_RINVPARLEN;
}

void smpp_tlv_write(struct writer *w, uint16_t tag, struct bytes value)
{
    if (value.len > UINT16_MAX || writer_room(w) < 4 + value.len) {
        w->failed = true;
        return;
    }
    writer_u16(w, tag);
    writer_u16(w, (uint16_t)value.len);
    writer_copy(w, value);
}

void smpp_tlv_write_u8(struct writer *w, uint16_t tag, uint8_t value)
{
    smpp_tlv_write(w, tag, bytes_of(&value, 1));
}

void smpp_tlv_write_u16(struct writer *w, uint16_t tag, uint16_t value)
{
    const uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    smpp_tlv_write(w, tag, bytes_of(octets, sizeof octets));
}

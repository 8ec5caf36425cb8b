#include "smpp/core/receipt.h"

#include "common/base/text.h"

static const char *const state_texts[] = {
    [SMPP_MESSAGE_NO_STATE] = "UNKNOWN",  [SMPP_MESSAGE_ENROUTE] = "ENROUTE",
    [SMPP_MESSAGE_DELIVERED] = "DELIVRD", [SMPP_MESSAGE_EXPIRED] = "EXPIRED",
    [SMPP_MESSAGE_DELETED] = "DELETED",   [SMPP_MESSAGE_UNDELIVERABLE] = "UNDELIV",
    [SMPP_MESSAGE_ACCEPTED] = "ACCEPTD",  [SMPP_MESSAGE_UNKNOWN] = "UNKNOWN",
    [SMPP_MESSAGE_REJECTED] = "REJECTD",
};
#define STATE_COUNT (sizeof state_texts / sizeof state_texts[0])

const char *smpp_message_state_text(enum smpp_message_state state)
{
    return (size_t)state < STATE_COUNT ? state_texts[state] : "UNKNOWN";
}

static bool equal_in_any_case(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (text_lower((char)a.at[i]) != text_lower((char)b.at[i]))
            return false;
    return true;
}

// Some SMSCs write the whole word (DELIVERED, UNDELIVERABLE), so four letters decide.
static enum smpp_message_state state_of(struct bytes text)
{
    for (size_t state = STATE_COUNT - 1; state > 0; state--)
        if (text.len >= 4 &&
            equal_in_any_case(bytes_slice(text, 0, 4), bytes_of(state_texts[state], 4)))
            return (enum smpp_message_state)state;
    return SMPP_MESSAGE_NO_STATE;
}

bool smpp_is_receipt(const struct smpp_pdu *pdu)
{
    if (pdu->command != SMPP_DELIVER_SM && pdu->command != SMPP_DATA_SM)
        return false;
    if ((pdu->message.esm_class & 0x3C) == SMPP_ESM_CLASS_RECEIPT)
        return true;
    struct bytes value;
    return smpp_tlv_find(pdu->tlvs, SMPP_TLV_RECEIPTED_MESSAGE_ID, &value) &&
           smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_STATE, &value);
}

// The value of `name:` in the text: up to the next blank. A name begins the text or follows a
// blank.
static struct bytes field_of(struct bytes text, const char *name)
{
    const struct bytes wanted = bytes_of_text(name);
    for (size_t at = 0; at + wanted.len < text.len; at++) {
        if (at > 0 && text.at[at - 1] != ' ')
            continue;
        if (text.at[at + wanted.len] != ':' ||
            !equal_in_any_case(bytes_slice(text, at, wanted.len), wanted))
            continue;
        const struct bytes rest = bytes_slice(text, at + wanted.len + 1, text.len);
        size_t len = 0;
        while (len < rest.len && rest.at[len] != ' ' && rest.at[len] != 0)
            len++;
        return bytes_of(rest.at, len);
    }
    return bytes_of(NULL, 0);
}

// What follows `text:` is the user's and may look like fields: it is not searched.
static struct bytes without_user_text(struct bytes text)
{
    const struct bytes user = field_of(text, "text");
    if (user.at == NULL)
        return text;
    return bytes_of(text.at, (size_t)(user.at - text.at));
}

static void read_text(struct bytes text, struct smpp_receipt *receipt)
{
    receipt->message_id = field_of(text, "id");
    receipt->submit_date = field_of(text, "submit date");
    receipt->done_date = field_of(text, "done date");
    receipt->error = field_of(text, "err");
    receipt->state = state_of(field_of(text, "stat"));
}

void smpp_receipt_read(const struct smpp_pdu *pdu, struct smpp_receipt *receipt)
{
    *receipt = (struct smpp_receipt){0};
    struct bytes text =
        pdu->command == SMPP_DELIVER_SM ? pdu->message.short_message : bytes_of(NULL, 0);
    if (text.len == 0)
        (void)smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &text);
    read_text(without_user_text(text), receipt);
    struct bytes value;
    if (smpp_tlv_find(pdu->tlvs, SMPP_TLV_RECEIPTED_MESSAGE_ID, &value)) {
        // A C-octet string, but some leave its zero away.
        while (value.len > 0 && value.at[value.len - 1] == 0)
            value.len--;
        if (value.len > 0)
            receipt->message_id = value;
    }
    uint32_t state = 0;
    if (smpp_tlv_find_integer(pdu->tlvs, SMPP_TLV_MESSAGE_STATE, &state) && state > 0 &&
        state < STATE_COUNT)
        receipt->state = (enum smpp_message_state)state;
    if (smpp_tlv_find(pdu->tlvs, SMPP_TLV_NETWORK_ERROR_CODE, &value) && value.len == 3) {
        receipt->has_network_error = true;
        receipt->network_type = value.at[0];
        receipt->network_error = (uint16_t)(value.at[1] << 8 | value.at[2]);
    }
}

// YYMMDDhhmm from `2026-07-24T12:00...`.
static void put_date(struct writer *w, struct utc at)
{
    static const uint8_t digits[] = {2, 3, 5, 6, 8, 9, 11, 12, 14, 15};
    char text[UTC_TEXT_SIZE];
    utc_format(at, text);
    for (size_t i = 0; i < sizeof digits; i++)
        writer_u8(w, (uint8_t)text[digits[i]]);
}

void smpp_receipt_write_text(struct writer *w, const struct smpp_receipt_text *receipt)
{
    const uint16_t error = receipt->error < 1000 ? receipt->error : 999;
    text_put(w, "id:");
    writer_copy(w, receipt->message_id);
    text_put(w, receipt->state == SMPP_MESSAGE_DELIVERED ? " sub:001 dlvrd:001 submit date:"
                                                         : " sub:001 dlvrd:000 submit date:");
    put_date(w, receipt->submitted);
    text_put(w, " done date:");
    put_date(w, receipt->done);
    text_put(w, " stat:");
    text_put(w, smpp_message_state_text(receipt->state));
    text_put(w, " err:");
    writer_u8(w, (uint8_t)('0' + error / 100));
    writer_u8(w, (uint8_t)('0' + error / 10 % 10));
    writer_u8(w, (uint8_t)('0' + error % 10));
    text_put(w, " text:");
}

void smpp_receipt_write_tlvs(struct writer *w, const struct smpp_receipt *receipt)
{
    uint8_t id[65];
    struct writer text = writer_of(id, sizeof id);
    writer_copy(&text, receipt->message_id);
    writer_u8(&text, 0);
    smpp_tlv_write(w, SMPP_TLV_RECEIPTED_MESSAGE_ID, writer_bytes(&text));
    smpp_tlv_write_u8(w, SMPP_TLV_MESSAGE_STATE, (uint8_t)receipt->state);
    if (!receipt->has_network_error)
        return;
    const uint8_t error[3] = {receipt->network_type, (uint8_t)(receipt->network_error >> 8),
                              (uint8_t)receipt->network_error};
    smpp_tlv_write(w, SMPP_TLV_NETWORK_ERROR_CODE, bytes_of(error, sizeof error));
}

static struct bytes without_zeros(struct bytes id)
{
    while (id.len > 1 && id.at[0] == '0') {
        id.at++;
        id.len--;
    }
    return id;
}

// `id` without leading zeros, as 1 to 16 hexadecimal digits.
static bool read_hex(struct bytes id, uint64_t *value)
{
    if (id.len == 0 || id.len > 16)
        return false;
    *value = 0;
    for (size_t i = 0; i < id.len; i++) {
        const int digit = text_hex_digit((char)id.at[i]);
        if (digit < 0)
            return false;
        *value = *value << 4 | (unsigned)digit;
    }
    return true;
}

static bool is_hex_of_decimal(struct bytes hex, struct bytes decimal)
{
    uint64_t a = 0;
    uint64_t b = 0;
    return read_hex(hex, &a) && text_read_decimal(decimal, &b) && a == b;
}

bool smpp_ids_match(struct bytes a, struct bytes b)
{
    if (a.len == 0 || b.len == 0)
        return false;
    a = without_zeros(a);
    b = without_zeros(b);
    return equal_in_any_case(a, b) || is_hex_of_decimal(a, b) || is_hex_of_decimal(b, a);
}

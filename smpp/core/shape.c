#include "smpp/core/shape.h"

#include "smpp/core/pdu.h"

// A field by one number: a C-octet string by its maximum (6 or more), others by these.
enum { END, OCTET, EMPTY, TON, NPI, VERSION, MESSAGE = 255 };

struct row {
    uint32_t command;
    uint8_t fields[20];
};

// clang-format off
static const struct row rows[] = { // [SMPP 3.4 §4]
    {SMPP_BIND_RECEIVER, {16, 9, 13, VERSION, TON, NPI, 41}},
    {SMPP_BIND_TRANSMITTER, {16, 9, 13, VERSION, TON, NPI, 41}},
    {SMPP_BIND_TRANSCEIVER, {16, 9, 13, VERSION, TON, NPI, 41}},
    {SMPP_BIND_RECEIVER | SMPP_RESPONSE, {16}},
    {SMPP_BIND_TRANSMITTER | SMPP_RESPONSE, {16}},
    {SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE, {16}},
    {SMPP_OUTBIND, {16, 9}},
    {SMPP_SUBMIT_SM, {6, TON, NPI, 21, TON, NPI, 21, OCTET, OCTET, OCTET, 17, 17,
                      OCTET, OCTET, OCTET, OCTET, MESSAGE}},
    {SMPP_DELIVER_SM, {6, TON, NPI, 21, TON, NPI, 21, OCTET, OCTET, OCTET, EMPTY, EMPTY,
                       OCTET, OCTET, OCTET, OCTET, MESSAGE}},
    {SMPP_SUBMIT_SM_RESP, {65}},
    {SMPP_DATA_SM, {6, TON, NPI, 21, TON, NPI, 65, OCTET, OCTET, OCTET}},
    {SMPP_DATA_SM_RESP, {65}},
    {SMPP_QUERY_SM, {65, TON, NPI, 21}},
    {SMPP_QUERY_SM | SMPP_RESPONSE, {65, 17, OCTET, OCTET}},
    {SMPP_CANCEL_SM, {6, 65, TON, NPI, 21, TON, NPI, 21}},
    {SMPP_REPLACE_SM, {65, TON, NPI, 21, 17, 17, OCTET, OCTET, MESSAGE}},
    {SMPP_ALERT_NOTIFICATION, {TON, NPI, 65, TON, NPI, 65}},
};
// clang-format on

static const struct row *find_row(uint32_t command)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].command == command)
            return &rows[i];
    return NULL;
}

static void walk_string(struct reader *r, size_t max)
{
    for (size_t i = 0; i < max && !r->failed; i++)
        if (reader_u8(r) == 0)
            return;
    r->failed = true;
}

static void note(struct smpp_shape *shape, size_t at, uint8_t kind)
{
    shape->fields[shape->field_count] = (uint16_t)at;
    shape->kinds[shape->field_count] = kind;
    shape->field_count++;
}

static void walk_field(struct reader *r, uint8_t field, size_t at, struct smpp_shape *shape)
{
    switch (field) {
    case OCTET:
        reader_skip(r, 1);
        break;
    case EMPTY: // a string that may only be its zero
        walk_string(r, 1);
        break;
    case TON:
    case NPI:
    case VERSION:
        note(shape, at, field);
        reader_skip(r, 1);
        break;
    case MESSAGE: {
        const uint8_t len = reader_u8(r);
        reader_skip(r, len);
        r->failed = r->failed || len == 255;
        break;
    }
    default: // octets
        walk_string(r, field);
        break;
    }
}

enum smpp_shape_result smpp_shape_check(struct bytes pdu, struct smpp_shape *shape)
{
    struct reader r = reader_of(pdu);
    const uint32_t command_length = reader_u32(&r);
    *shape = (struct smpp_shape){.command = reader_u32(&r)};
    reader_skip(&r, 8);
    if (r.failed || command_length != pdu.len || pdu.len > UINT16_MAX)
        return SMPP_SHAPE_BROKEN;
    const struct row *row = find_row(shape->command);
    if (row == NULL || r.left == 0)
        return SMPP_SHAPE_FOREIGN;
    for (size_t i = 0; row->fields[i] != END; i++)
        walk_field(&r, row->fields[i], pdu.len - r.left, shape);
    if (r.failed || smpp_tlvs_check(bytes_of(r.at, r.left)) == ESME_RINVOPTPARSTREAM)
        return SMPP_SHAPE_BROKEN;
    shape->mandatory_end = pdu.len - r.left;
    return SMPP_SHAPE_OK;
}

static bool is_listed(uint8_t kind, uint8_t value)
{
    static const uint8_t npis[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
    if (kind == TON)
        return value <= 6;
    if (kind == VERSION)
        return value == 0x34;
    for (size_t i = 0; i < sizeof npis; i++)
        if (npis[i] == value)
            return true;
    return false;
}

bool smpp_shape_copy(struct bytes pdu, const struct smpp_shape *shape, struct writer *to)
{
    if (writer_room(to) < shape->mandatory_end + 1)
        return false;
    uint8_t *copy = to->at + to->len;
    writer_u32(to, (uint32_t)shape->mandatory_end);
    writer_u32(to, shape->command);
    writer_u32(to, 0);
    writer_u32(to, 1);
    writer_copy(to, bytes_slice(pdu, SMPP_HEADER_LEN, shape->mandatory_end - SMPP_HEADER_LEN));
    writer_u8(to, 0);
    for (size_t i = 0; i < shape->field_count; i++) {
        uint8_t *value = copy + shape->fields[i];
        if (!is_listed(shape->kinds[i], *value))
            *value = shape->kinds[i] == VERSION ? 0x34 : 1;
    }
    return true;
}

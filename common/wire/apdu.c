#include "common/wire/apdu.h"

static void read_header(struct reader *r, struct apdu *out)
{
    *out = (struct apdu){.cla = reader_u8(r), .ins = 0};
    out->ins = reader_u8(r);
    out->p1 = reader_u8(r);
    out->p2 = reader_u8(r);
}

static uint16_t le_of(uint8_t octet)
{
    return octet == 0 ? APDU_LE_MAX : octet;
}

enum apdu_error apdu_read(struct bytes octets, struct apdu *out)
{
    struct reader r = reader_of(octets);
    read_header(&r, out);
    if (r.failed)
        return APDU_SHORT;
    if (r.left == 0)
        return APDU_OK;
    const uint8_t p3 = reader_u8(&r);
    if (r.left == 0) {
        out->le = le_of(p3);
        return APDU_OK;
    }
    if (p3 == 0) // announces an extended length
        return APDU_LENGTH;
    out->data = reader_bytes(&r, p3);
    if (r.failed)
        return APDU_SHORT;
    if (r.left == 1)
        out->le = le_of(reader_u8(&r));
    return reader_done(&r) ? APDU_OK : APDU_LENGTH;
}

bool apdu_brings_data(uint8_t cla, uint8_t ins, uint8_t p1, uint8_t p2)
{
    switch (ins) {
    case INS_FETCH:
    case INS_MANAGE_CHANNEL:
    case INS_GET_CHALLENGE:
    case INS_READ_BINARY:
    case INS_READ_RECORD:
    case INS_GET_RESPONSE:
    case INS_GET_DATA:
        return false;
    case INS_RETRIEVE_DATA: // the first block brings the tag [102.221 §11.3.1]
        return (p2 & 0x80) != 0;
    case INS_STATUS: // P1 00, 01, 02 of the UICC; 10 to 80 of GlobalPlatform's GET STATUS
        return (cla & 0x80) != 0 && p1 >= 0x10;
    default: // octets
        return true;
    }
}

enum apdu_error apdu_next(struct reader *r, struct apdu *out)
{
    read_header(r, out);
    const uint8_t p3 = reader_u8(r);
    if (r->failed)
        return APDU_SHORT;
    if (apdu_brings_data(out->cla, out->ins, out->p1, out->p2))
        out->data = reader_bytes(r, p3);
    else
        out->le = le_of(p3);
    return r->failed ? APDU_SHORT : APDU_OK;
}

static void write_header(struct writer *w, const struct apdu *a)
{
    writer_u8(w, a->cla);
    writer_u8(w, a->ins);
    writer_u8(w, a->p1);
    writer_u8(w, a->p2);
}

void apdu_write(struct writer *w, const struct apdu *a)
{
    if (a->data.len > APDU_DATA_MAX || a->le > APDU_LE_MAX) {
        w->failed = true;
        return;
    }
    write_header(w, a);
    if (a->data.len > 0) {
        writer_u8(w, (uint8_t)a->data.len);
        writer_copy(w, a->data);
    }
    if (a->le > 0)
        writer_u8(w, (uint8_t)a->le);
}

void apdu_write_p3(struct writer *w, const struct apdu *a)
{
    if (a->data.len > APDU_DATA_MAX || a->le > APDU_LE_MAX || (a->data.len > 0 && a->le > 0)) {
        w->failed = true;
        return;
    }
    write_header(w, a);
    writer_u8(w, (uint8_t)(a->data.len > 0 ? a->data.len : a->le));
    writer_copy(w, a->data);
}

// Identifiers read from any octets write back the octets they came from.
#include "common/base/check.h"
#include "common/wire/ident.h"

static void files(const uint8_t *data)
{
    uint8_t octets[ICCID_EF_LEN];
    char text[ICCID_SIZE];
    if (iccid_read(data, text)) {
        check(iccid_write(text, octets));
        check(memcmp(octets, data, ICCID_EF_LEN) == 0);
    }
    if (imsi_read(data, text)) {
        check(imsi_write(text, octets));
        check(memcmp(octets, data, (size_t)data[0] + 1) == 0);
        check(imsi_access_class(text) != 0);
    }
    if (imei_read(data, text)) {
        check(imei_write(text, octets));
        check(memcmp(octets, data, IMEI_LEN) == 0);
        check(imei_is_same(text, text));
    }
    if (imeisv_read(data, text)) {
        check(imeisv_write(text, octets));
        check(memcmp(octets, data, IMEISV_LEN) == 0);
    }
    if (plmn_read(data, text)) {
        check(plmn_write(text, octets));
        check(memcmp(octets, data, PLMN_LEN) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct phone phone;
    if (len >= ICCID_EF_LEN)
        files(data);
    if (phone_read(PHONE_UNKNOWN, bytes_of(data, len), &phone)) {
        uint8_t out[PHONE_BCD_MAX];
        struct phone again;
        struct writer w = writer_of(out, sizeof out);
        phone_write_bcd(&w, &phone);
        check(!w.failed && phone_read(PHONE_UNKNOWN, writer_bytes(&w), &again));
        check(phone_is_equal(&phone, &again));
    }
    char text[32];
    const size_t text_len = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, data, text_len);
    text[text_len] = '\0';
    check(!iccid_luhn_is_valid(text) || strlen(text) < ICCID_SIZE);
    check(!imsi_is_valid(text) || imsi_access_class(text) != 0);
    if (phone_of_text(text, &phone))
        check(phone_bcd_len(&phone) > 0);
    return 0;
}

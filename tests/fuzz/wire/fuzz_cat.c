// A message that is read, written and read again is written the same.
#include "common/base/check.h"
#include "common/wire/cat.h"

#define OUT_MAX 4096

enum kind { COMMAND, RESPONSE, ENVELOPE, KINDS };

static bool read_as(enum kind kind, struct bytes data, enum cat_envelope *envelope,
                    struct cat_message *m)
{
    switch (kind) {
    case COMMAND:
        return cat_read_command(data, m) == CAT_OK;
    case RESPONSE:
        return cat_read_response(data, m) == CAT_OK;
    case ENVELOPE:
    case KINDS:
        return cat_read_envelope(data, envelope, m) == CAT_OK;
    }
    return false;
}

static void write_as(enum kind kind, struct writer *w, enum cat_envelope envelope,
                     const struct cat_message *m)
{
    if (kind == COMMAND)
        cat_write_command(w, m);
    else if (kind == RESPONSE)
        cat_write_response(w, m);
    else
        cat_write_envelope(w, envelope, m);
}

static void round_trip(enum kind kind, struct bytes data)
{
    static uint8_t once[OUT_MAX];
    static uint8_t twice[OUT_MAX];
    enum cat_envelope envelope = CAT_EVENT_DOWNLOAD;
    struct cat_message m;
    struct cat_message again;
    if (!read_as(kind, data, &envelope, &m))
        return;
    struct phone phone;
    if (cat_address_read(m.address, &phone))
        check(phone_bcd_len(&phone) <= PHONE_BCD_MAX);
    struct writer first = writer_of(once, sizeof once);
    write_as(kind, &first, envelope, &m);
    check(!first.failed);
    check(read_as(kind, writer_bytes(&first), &envelope, &again));
    check(again.has == (m.has & ~(uint32_t)CAT_HAS_UNKNOWN_REQUIRED));
    struct writer second = writer_of(twice, sizeof twice);
    write_as(kind, &second, envelope, &again);
    check(bytes_equal(writer_bytes(&first), writer_bytes(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > 1024)
        return 0;
    for (enum kind kind = COMMAND; kind < KINDS; kind++)
        round_trip(kind, bytes_of(data, len));
    return 0;
}

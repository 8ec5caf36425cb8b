#include "common/base/mask.h"

#include "common/base/check.h"

#define HIDDEN_MIN 4

// Digits of the country code at the start of an international number [E.164 list of codes].
static size_t country_code_len(struct bytes digits)
{
    static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 "
                              "55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";
    if (digits.len < 2 || digits.at[0] == '1' || digits.at[0] == '7')
        return 1;
    for (size_t i = 0; i + 1 < sizeof two; i += 3) {
        if (memcmp(two + i, digits.at, 2) == 0)
            return 2;
    }
    return 3;
}

static size_t groups_len(struct bytes text)
{
    size_t separators = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '.' || text.at[i] == ':')
            separators++;
        if (separators == 2)
            return i + 1;
    }
    return 0;
}

static size_t shown_first(enum mask mask, struct bytes text)
{
    switch (mask) {
    case MASK_ICCID:
    case MASK_IMSI:
        return 5;
    case MASK_MSISDN: {
        size_t plus = text.len > 0 && text.at[0] == '+' ? 1 : 0;
        return plus + country_code_len(bytes_slice(text, plus, text.len));
    }
    case MASK_IP:
        return groups_len(text);
    case MASK_NAME:
        return 1;
    case MASK_IMEI:
    case MASK_NUMBER:
    case MASK_ALL:
        return 0;
    }
    check(false);
}

static size_t shown_last(enum mask mask)
{
    switch (mask) {
    case MASK_ICCID:
    case MASK_IMSI:
    case MASK_MSISDN:
    case MASK_IMEI:
    case MASK_NUMBER:
        return 4;
    case MASK_IP:
    case MASK_NAME:
    case MASK_ALL:
        return 0;
    }
    check(false);
}

void mask_write(struct writer *out, enum mask mask, struct bytes text)
{
    size_t first = shown_first(mask, text);
    size_t last = shown_last(mask);
    size_t hidden_min = mask == MASK_IP || mask == MASK_NAME ? 1 : HIDDEN_MIN;
    if (text.len < first + last + hidden_min) {
        writer_fill(out, '*', text.len);
        return;
    }
    writer_copy(out, bytes_slice(text, 0, first));
    writer_fill(out, '*', text.len - first - last);
    writer_copy(out, bytes_slice(text, text.len - last, last));
}

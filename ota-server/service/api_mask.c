#include "ota-server/service/api_mask.h"

static void put_masked(struct writer *w, struct bytes clear, size_t first, size_t last)
{
    const bool is_short = clear.len <= first + last;
    for (size_t i = 0; i < clear.len; i++) {
        const bool is_shown = !is_short && (i < first || i >= clear.len - last);
        writer_u8(w, is_shown ? clear.at[i] : '*');
    }
}

void mask_iccid(struct writer *w, struct bytes clear)
{
    put_masked(w, clear, 5, 4);
}

void mask_eid(struct writer *w, struct bytes clear)
{
    put_masked(w, clear, 5, 4);
}

void mask_imsi(struct writer *w, struct bytes clear, unsigned mnc_length)
{
    put_masked(w, clear, 3 + mnc_length, 4);
}

void mask_imei(struct writer *w, struct bytes clear)
{
    put_masked(w, clear, 0, 4);
}

// Length of the country code [E.164, list of assigned codes]: 1 and 7 stand alone, these pairs are
// codes of two digits, everything else has three.
static size_t country_code_len(struct bytes number)
{
    static const char two[] =
        "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 "
        "56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
    if (number.len < 2)
        return number.len;
    if (number.at[0] == '1' || number.at[0] == '7')
        return 1;
    for (const char *code = two; *code != '\0'; code += 3) {
        if (memcmp(code, number.at, 2) == 0)
            return 2;
    }
    return 3;
}

void mask_msisdn(struct writer *w, struct bytes clear)
{
    put_masked(w, clear, country_code_len(clear), 4);
}

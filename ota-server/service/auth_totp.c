#include "ota-server/service/auth_totp.h"

#include "common/base/check.h"
#include "common/host/crypto.h"

uint64_t totp_step(struct utc now)
{
    return now.ms > 0 ? (uint64_t)now.ms / (TOTP_STEP_S * 1000) : 0;
}

bool totp_code(struct bytes secret, uint64_t step, unsigned digits, char code[TOTP_CODE_SIZE])
{
    uint8_t counter[8];
    uint8_t mac[CRYPTO_SHA1_SIZE];
    struct writer w = writer_of(counter, sizeof(counter));
    check(digits >= 1 && digits <= TOTP_DIGITS_MAX);
    writer_u64(&w, step);
    if (!crypto_hmac_sha1(secret, writer_bytes(&w), mac))
        return false;
    // Dynamic truncation [RFC 4226 §5.3].
    struct reader r = reader_of(bytes_of(mac + (mac[CRYPTO_SHA1_SIZE - 1] & 15), 4));
    uint32_t number = reader_u32(&r) & 0x7FFFFFFF;
    for (unsigned i = digits; i-- > 0; number /= 10)
        code[i] = (char)('0' + number % 10);
    code[digits] = '\0';
    secret_wipe(mac, sizeof(mac));
    return true;
}

void base32_put(struct writer *w, struct bytes octets)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < octets.len; i++) {
        held = held << 8 | octets.at[i];
        for (bits += 8; bits >= 5; bits -= 5)
            writer_u8(w, (uint8_t)alphabet[held >> (bits - 5) & 31]);
    }
    if (bits > 0)
        writer_u8(w, (uint8_t)alphabet[held << (5 - bits) & 31]);
}

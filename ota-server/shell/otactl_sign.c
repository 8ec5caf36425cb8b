#include "ota-server/shell/otactl_sign.h"

#include "common/base/text.h"

bool ctl_sign(const struct ctl_signer *s, const struct auth_signed_request *request, struct utc at,
              struct bytes nonce, char header[CTL_SIGNED_MAX])
{
    uint8_t octets[AUTH_TEXT_MAX];
    uint8_t digits[20];
    uint8_t mac[AUTH_MAC_SIZE];
    struct writer text = writer_of(octets, sizeof(octets));
    struct writer ts = writer_of(digits, sizeof(digits));
    text_decimal(&ts, (uint64_t)(at.ms / 1000));
    const struct auth_signature signature = {.ts_text = writer_bytes(&ts), .nonce = nonce};
    if (auth_text(&text, request, &signature) != AUTH_TEXT_OK)
        return false;
    const struct bytes signed_text = writer_bytes(&text);
    if (!crypto_hmac(s->crypto, s->app_secret, &signed_text, 1, mac))
        return false;
    struct writer out = writer_of(header, CTL_SIGNED_MAX);
    text_put(&out, "OTA1-HMAC-SHA256 appKey=");
    writer_copy(&out, s->app_key);
    text_put(&out, ",ts=");
    writer_copy(&out, signature.ts_text);
    text_put(&out, ",nonce=");
    writer_copy(&out, nonce);
    text_put(&out, ",signature=");
    text_hex(&out, bytes_of(mac, sizeof(mac)));
    text_end(&out);
    return !out.failed;
}

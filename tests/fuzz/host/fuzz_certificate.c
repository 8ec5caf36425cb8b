// What a gateway tells of a client's certificate: any octets. Believed is only what is one, known
// by its digest; its names end, hold no control characters, and are the same when read once more.
#include "common/base/check.h"
#include "common/host/crypto.h"
#include "common/host/http_tls.h"

#define DER_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http_certificate c;
    static struct http_certificate again;
    static const uint8_t none[32] = {0};
    uint8_t digest[CRYPTO_SHA256_SIZE];
    const struct bytes der = bytes_of(data, len);
    if (len > DER_MAX)
        return 0;
    http_certificate_of(der, &c);
    check(c.is_there && memchr(c.reason, 0, sizeof c.reason) != NULL);
    check(memchr(c.subject, 0, sizeof c.subject) != NULL);
    check(memchr(c.issuer, 0, sizeof c.issuer) != NULL);
    if (!c.is_believed) {
        check(c.reason[0] != '\0' && memcmp(c.sha256, none, sizeof none) == 0);
        return 0;
    }
    struct sha256 *sum = sha256_open();
    check(sum != NULL && sha256_add(sum, der) && sha256_finish(sum, digest));
    sha256_close(sum);
    check(memcmp(c.sha256, digest, sizeof digest) == 0);
    check(c.reason[0] == '\0');
    http_certificate_of(der, &again);
    check(strcmp(c.subject, again.subject) == 0 && strcmp(c.issuer, again.issuer) == 0);
    // One octet more or less, and it is another one or none.
    http_certificate_of(bytes_slice(der, 0, len - 1), &again);
    check(!again.is_believed || memcmp(c.sha256, again.sha256, sizeof c.sha256) != 0);
    return 0;
}

#include "profiles/vendor/shell/digest_host.h"

#include "common/host/crypto.h"

static void *open_stream(void)
{
    return sha256_open();
}

static bool add(void *stream, struct bytes octets)
{
    return sha256_add(stream, octets);
}

static bool finish(void *stream, uint8_t digest[CIPHER_SHA256_SIZE])
{
    return sha256_finish(stream, digest);
}

static void close_stream(void *stream)
{
    sha256_close(stream);
}

const struct vendor_digest vendor_digest_host = {
    .open = open_stream, .add = add, .finish = finish, .close = close_stream};

// Small texts of the interface. Base64 is what the library of OpenSSL decodes, and in one form
// only; months and EIDs that are read are written the same.
#include "common/base/check.h"
#include "ota-server/core/metering.h"
#include "ota-server/service/api_tariff.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/registry_eid.h"

#include <openssl/evp.h>

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// Whole groups of four, of which the last may end in "=": false where OpenSSL reads nothing.
static bool decode(struct bytes text, struct writer *out)
{
    static uint8_t octets[TEXT_MAX];
    size_t padding = 0;
    for (; padding < 2 && padding < text.len && text.at[text.len - 1 - padding] == '='; padding++)
        ;
    if (text.len % 4 != 0 || text.len == 0)
        return false;
    const int got = EVP_DecodeBlock(octets, text.at, (int)text.len);
    if (got < 0)
        return false;
    writer_copy(out, bytes_of(octets, (size_t)got - padding));
    return !out->failed;
}

static void base64(struct bytes text)
{
    static uint8_t ours[TEXT_MAX];
    static uint8_t theirs[TEXT_MAX];
    static uint8_t encoded[TEXT_MAX * 2];
    struct writer w = writer_of(ours, sizeof ours);
    struct writer v = writer_of(theirs, sizeof theirs);
    if (!api_base64_read(text, &w) || w.len == 0)
        return;
    const int len = EVP_EncodeBlock(encoded, ours, (int)w.len);
    const struct bytes form = bytes_of(encoded, (size_t)len);
    // With its padding or without it.
    check(text.len <= form.len && bytes_equal(text, bytes_slice(form, 0, text.len)));
    for (size_t i = text.len; i < form.len; i++)
        check(form.at[i] == '=');
    check(decode(form, &v) && bytes_equal(writer_bytes(&w), writer_bytes(&v)));
}

// Between colons it is what it is without them; and nothing else stands there.
static void binary(struct bytes text)
{
    static uint8_t whole[TEXT_MAX];
    static uint8_t inner[TEXT_MAX];
    struct writer w = writer_of(whole, sizeof whole);
    struct writer v = writer_of(inner, sizeof inner);
    if (!api_binary_read(text, &w))
        return;
    check(text.len >= 2 && text.at[0] == ':' && text.at[text.len - 1] == ':');
    const struct bytes between = bytes_slice(text, 1, text.len - 2);
    check(api_base64_read(between, &v) && bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    for (size_t i = 0; i < between.len; i++)
        check(between.at[i] != ':');
}

// Octets as they come, in either form and back.
static void encoded(struct bytes octets)
{
    static uint8_t standard[TEXT_MAX * 2];
    static uint8_t read[TEXT_MAX];
    static uint8_t url[TEXT_MAX * 2];
    struct writer w = writer_of(read, sizeof read);
    const int len = EVP_EncodeBlock(standard, octets.at, (int)octets.len);
    check(api_base64_read(bytes_of(standard, (size_t)len), &w));
    check(bytes_equal(writer_bytes(&w), octets));
    struct writer u = writer_of(url, sizeof url);
    api_base64url_put(&u, octets);
    w = writer_of(read, sizeof read);
    check(!u.failed && api_base64url_read(writer_bytes(&u), &w));
    check(bytes_equal(writer_bytes(&w), octets));
}

static void base64url(struct bytes text)
{
    static uint8_t read[TEXT_MAX];
    static uint8_t written[TEXT_MAX * 2];
    struct writer w = writer_of(read, sizeof read);
    struct writer again = writer_of(written, sizeof written);
    if (!api_base64url_read(text, &w))
        return;
    api_base64url_put(&again, writer_bytes(&w));
    check(bytes_equal(text, writer_bytes(&again)));
}

static void words(struct bytes text)
{
    char month[API_MONTH_SIZE];
    char eid[EID_SIZE];
    uint64_t card = 0;
    const uint32_t period = api_month_read(text);
    if (period != 0) {
        check(period / 100 >= 2000 && period / 100 <= 9999 && period % 100 >= 1 &&
              period % 100 <= 12);
        check(bytes_equal(text, bytes_of_text(api_month_write(period, month))));
    }
    if (registry_eid_read(text, &card)) {
        unsigned rest = 0;
        for (size_t i = 0; i < text.len; i++)
            rest = (rest * 10 + (unsigned)(text.at[i] - '0')) % 97;
        check(rest == 1);
        registry_eid_write(card, eid);
        check(bytes_equal(text, bytes_of_text(eid)));
    }
}

// Any id is an EID, and read as it is.
static void eid_of(struct bytes octets)
{
    char eid[EID_SIZE];
    uint64_t card = 0;
    uint64_t again = 0;
    for (size_t i = 0; i < octets.len && i < 8; i++)
        card = card << 8 | octets.at[i];
    registry_eid_write(card, eid);
    check(registry_eid_read(bytes_of_text(eid), &again) && again == card);
    // One digit wrong is always found.
    const size_t at = octets.len > 8 ? octets.at[8] % EID_DIGITS : 0;
    eid[at] = (char)('0' + (eid[at] - '0' + 1) % 10);
    check(!registry_eid_read(bytes_of_text(eid), &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const readers[])(struct bytes) = {base64, base64url, encoded,
                                                    words,  eid_of,    binary};
    if (len < 1 || len > TEXT_MAX)
        return 0;
    readers[data[0] % 6](bytes_of(data + 1, len - 1));
    return 0;
}

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/crypto.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_hmac.h"
#include "ota-server/service/auth_limit.h"
#include "tests/lib/cmocka_all.h"

static const char secret[] = "example-appsecret-not-a-real-one-0123456789";

static void digest(const char *body, uint8_t out[32])
{
    struct sha256 *s = sha256_open();
    assert_non_null(s);
    assert_true(sha256_add(s, bytes_of_text(body)));
    assert_true(sha256_finish(s, out));
    sha256_close(s);
}

// Lower-case hexadecimal of the signature over `request` with the published secret.
static void sign(const struct auth_signed_request *request, const char *nonce, char hex[65])
{
    static uint8_t octets[AUTH_TEXT_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    const struct auth_signature signature = {.ts_text = bytes_of_text("1784894400"),
                                             .nonce = bytes_of_text(nonce)};
    assert_int_equal(auth_text(&w, request, &signature), AUTH_TEXT_OK);
    struct crypto *c = crypto_open();
    assert_non_null(c);
    const struct bytes text = writer_bytes(&w);
    uint8_t mac[32];
    assert_true(crypto_hmac(c, bytes_of_text(secret), &text, 1, mac));
    crypto_close(c);
    struct writer h = writer_of(hex, 65);
    text_hex(&h, bytes_of(mac, sizeof(mac)));
    text_end(&h);
}

// The two test values that docs/api.md publishes for writers of clients.
static void the_published_post_is_signed_as_published(void **state)
{
    (void)state;
    struct auth_signed_request r = {
        .method = bytes_of_text("POST"),
        .authority = bytes_of_text("api.example.com"),
        .path = bytes_of_text("/iot-sim-fraud-prevention/v0.1/bind"),
        .content_type = bytes_of_text(" application/json "),
        .correlator = bytes_of_text("demo-0001"),
        .has_body = true,
    };
    digest("{\"device\":{\"phoneNumber\":\"+9990000000001\"},\"bindType\":\"IMEIBIND\"}",
           r.body_sha256);
    char hex[65];
    sign(&r, "9f2c4e7ab1d05583", hex);
    assert_string_equal(hex, "c5d6fe3e1df6f8850050df2fea2555c6728e379982717a1bd04bc365c6ebcabd");
}

static void the_published_get_is_signed_as_published(void **state)
{
    (void)state;
    struct auth_signed_request r = {
        .method = bytes_of_text("GET"),
        .authority = bytes_of_text("api.example.com"),
        .path = bytes_of_text("/connectivity-management/v1/cards"),
        .query = bytes_of_text("page=2&mark=DIRTY&label=a%20b"),
        .content_type = bytes_of_text("ignored/without-body"),
    };
    digest("", r.body_sha256);
    char hex[65];
    sign(&r, "9f2c4e7ab1d05584", hex);
    assert_string_equal(hex, "3644a73d0286efe16b4733464ebbcdfff6305e0287dde3282307433336e1ef85");
}

// Lines 4 and 5 of the text, ended by LF each.
static enum auth_text_status lines(const char *path, const char *query, char out[512])
{
    static uint8_t octets[AUTH_TEXT_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    const struct auth_signed_request r = {.path = bytes_of_text(path),
                                          .query = bytes_of_text(query)};
    const struct auth_signature s = {0};
    const enum auth_text_status status = auth_text(&w, &r, &s);
    if (status != AUTH_TEXT_OK)
        return status;
    struct bytes text = writer_bytes(&w);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *end = memchr(text.at, '\n', text.len);
        text = bytes_slice(text, (size_t)(end - text.at) + 1, text.len);
    }
    const uint8_t *first = memchr(text.at, '\n', text.len);
    const uint8_t *second = memchr(first + 1, '\n', text.len);
    const size_t len = (size_t)(second - text.at);
    memcpy(out, text.at, len);
    out[len] = '\0';
    return status;
}

static void path_and_query_have_one_form(void **state)
{
    (void)state;
    char out[512];
    assert_int_equal(lines("/a%7eb/%c3%a9", "b=2&a=%2f&a=&c&b=+1", out), AUTH_TEXT_OK);
    assert_string_equal(out, "/a~b/%C3%A9\na=&a=%2F&b=%2B1&b=2&c=");
    assert_int_equal(lines("/", "a=b=c&aa=1", out), AUTH_TEXT_OK);
    assert_string_equal(out, "/\na=b%3Dc&aa=1");
}

static void dot_segments_and_encoded_slashes_are_refused(void **state)
{
    (void)state;
    char out[512];
    assert_int_equal(lines("/a/../b", "", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a/%2e/b", "", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a/..", "", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a%2Fb", "", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a%2", "", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a", "b=%zz", out), AUTH_TEXT_BAD_TARGET);
    assert_int_equal(lines("/a/...", "", out), AUTH_TEXT_OK);
}

static void more_pairs_than_the_limit_are_refused(void **state)
{
    (void)state;
    char query[AUTH_QUERY_PAIRS_MAX * 2 + 2];
    char out[512];
    for (size_t i = 0; i <= AUTH_QUERY_PAIRS_MAX; i++) {
        query[2 * i] = 'a';
        query[2 * i + 1] = '&';
    }
    query[AUTH_QUERY_PAIRS_MAX * 2 - 1] = '\0';
    assert_int_equal(lines("/", query, out), AUTH_TEXT_OK);
    query[AUTH_QUERY_PAIRS_MAX * 2 - 1] = '&';
    query[AUTH_QUERY_PAIRS_MAX * 2 + 1] = '\0';
    assert_int_equal(lines("/", query, out), AUTH_TEXT_TOO_LONG);
}

#define MAC "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void the_header_has_one_form_only(void **state)
{
    (void)state;
    struct auth_signature s;
    const char *good = "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,"
                       "nonce=9f2c4e7ab1d05583,signature=" MAC;
    assert_true(auth_signature_read(bytes_of_text(good), &s));
    assert_true(bytes_equal(s.app_key, bytes_of_text("AAAAABBBBBCCCCC12345")));
    assert_int_equal(s.ts_s, 1784894400);
    assert_int_equal(s.mac[31], 0xFF);
    static const char *const bad[] = {
        "",
        "Bearer x",
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC1234,ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=" MAC,
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345, ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=" MAC,
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=178489440,nonce=9f2c4e7ab1d05583,"
        "signature=" MAC,
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,nonce=9f2c4e7ab1d0558,"
        "signature=" MAC,
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=" MAC "00",
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff",
        "OTA1-HMAC-SHA256 ts=1784894400,appKey=AAAAABBBBBCCCCC12345,nonce=9f2c4e7ab1d05583,"
        "signature=" MAC,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(auth_signature_read(bytes_of_text(bad[i]), &s));
}

static void a_nonce_serves_once_in_its_life(void **state)
{
    (void)state;
    struct nonce_entry entries[4];
    struct nonce_cache c;
    nonce_cache_init(&c, entries, 4);
    const uint8_t tag[NONCE_TAG_SIZE] = {1, 2, 3};
    assert_int_equal(nonce_use(&c, tag, (struct instant){1000}, 500), NONCE_OK);
    assert_int_equal(nonce_use(&c, tag, (struct instant){1499}, 500), NONCE_USED);
    assert_int_equal(nonce_use(&c, tag, (struct instant){1500}, 500), NONCE_OK);
}

static void a_full_memory_refuses_instead_of_forgetting(void **state)
{
    (void)state;
    struct nonce_entry entries[4];
    struct nonce_cache c;
    nonce_cache_init(&c, entries, 4);
    uint8_t tag[NONCE_TAG_SIZE] = {0};
    for (uint8_t i = 0; i < 4; i++) {
        tag[15] = i;
        assert_int_equal(nonce_use(&c, tag, (struct instant){1}, 100), NONCE_OK);
    }
    tag[15] = 4;
    assert_int_equal(nonce_use(&c, tag, (struct instant){1}, 100), NONCE_FULL);
    assert_int_equal(nonce_use(&c, tag, (struct instant){101}, 100), NONCE_OK);
}

static void a_nonce_behind_an_expired_one_is_still_known(void **state)
{
    (void)state;
    struct nonce_entry entries[4];
    struct nonce_cache c;
    nonce_cache_init(&c, entries, 4);
    const uint8_t first[NONCE_TAG_SIZE] = {0};
    const uint8_t second[NONCE_TAG_SIZE] = {[15] = 1}; // same place in the table
    assert_int_equal(nonce_use(&c, first, (struct instant){1}, 10), NONCE_OK);
    assert_int_equal(nonce_use(&c, second, (struct instant){1}, 100), NONCE_OK);
    assert_int_equal(nonce_use(&c, second, (struct instant){50}, 100), NONCE_USED);
}

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    struct bucket b;
    bucket_init(&b, 2, 3, (struct instant){0});
    for (unsigned i = 0; i < 3; i++)
        assert_true(bucket_take(&b, (struct instant){0}));
    assert_false(bucket_take(&b, (struct instant){499}));
    assert_true(bucket_take(&b, (struct instant){500}));
    assert_false(bucket_take(&b, (struct instant){500}));
    assert_int_equal(bucket_look(&b).limit, 3);
    assert_int_equal(bucket_look(&b).remaining, 0);
    assert_int_equal(bucket_look(&b).reset_s, 2); // 3 requests at 2 per second, rounded up
    assert_true(bucket_take(&b, (struct instant){UINT64_MAX - 1}));
    assert_int_equal(bucket_look(&b).remaining, 2);
}

// [RFC 7515 A.2, A.3]: header and claims as they were sent, key and signature.
#define CLAIMS                                                                                     \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
static const struct {
    enum crypto_scheme scheme;
    const char *text, *a, *b, *signature;
} published[] = {
    {CRYPTO_ES256, "eyJhbGciOiJFUzI1NiJ9." CLAIMS, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
     "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {CRYPTO_RS256, "eyJhbGciOiJSUzI1NiJ9." CLAIMS,
     "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
     "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
     "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
     "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
     "AQAB",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
};

static void published_signatures_are_right_and_their_neighbours_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        uint8_t octets[3][512];
        struct writer w[3];
        const char *const texts[] = {published[i].a, published[i].b, published[i].signature};
        for (size_t k = 0; k < 3; k++) {
            w[k] = writer_of(octets[k], sizeof(octets[k]));
            assert_true(api_base64url_read(bytes_of_text(texts[k]), &w[k]));
        }
        const struct crypto_public key = {writer_bytes(&w[0]), writer_bytes(&w[1])};
        const struct bytes text = bytes_of_text(published[i].text);
        assert_true(crypto_verify(published[i].scheme, &key, text, writer_bytes(&w[2])));
        assert_false(crypto_verify(published[i].scheme, &key, bytes_slice(text, 1, text.len),
                                   writer_bytes(&w[2])));
        octets[2][5] ^= 1;
        assert_false(crypto_verify(published[i].scheme, &key, text, writer_bytes(&w[2])));
        octets[2][5] ^= 1;
        octets[0][31] ^= 1; // not on the curve, or another modulus
        assert_false(crypto_verify(published[i].scheme, &key, text, writer_bytes(&w[2])));
        w[2].len = 0;
        assert_false(crypto_verify(published[i].scheme, &key, text, writer_bytes(&w[2])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_post_is_signed_as_published),
        cmocka_unit_test(the_published_get_is_signed_as_published),
        cmocka_unit_test(path_and_query_have_one_form),
        cmocka_unit_test(dot_segments_and_encoded_slashes_are_refused),
        cmocka_unit_test(more_pairs_than_the_limit_are_refused),
        cmocka_unit_test(the_header_has_one_form_only),
        cmocka_unit_test(a_nonce_serves_once_in_its_life),
        cmocka_unit_test(a_full_memory_refuses_instead_of_forgetting),
        cmocka_unit_test(a_nonce_behind_an_expired_one_is_still_known),
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(published_signatures_are_right_and_their_neighbours_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

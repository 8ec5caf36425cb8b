#include "ota-server/service/auth_hmac.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#define SCHEME "OTA1-HMAC-SHA256"
#define DECODED_MAX 8192 // of a request line

static bool is_app_key_octet(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool auth_is_app_key(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_app_key_octet(text.at[i]))
            return false;
    }
    return text.len == AUTH_APP_KEY_SIZE;
}

// Takes `expected` from the front; fails the reader when something else stands there.
static void take(struct reader *r, const char *expected)
{
    if (!bytes_equal(reader_bytes(r, strlen(expected)), bytes_of_text(expected)))
        r->failed = true;
}

static struct bytes take_until_comma(struct reader *r)
{
    size_t len = 0;
    while (len < r->left && r->at[len] != ',')
        len++;
    return reader_bytes(r, len);
}

static bool is_nonce(struct bytes nonce)
{
    for (size_t i = 0; i < nonce.len; i++) {
        if (!is_app_key_octet(nonce.at[i]) && nonce.at[i] != '_' && nonce.at[i] != '-')
            return false;
    }
    return nonce.len >= AUTH_NONCE_MIN && nonce.len <= AUTH_NONCE_MAX;
}

static bool read_mac(struct bytes text, uint8_t mac[AUTH_MAC_SIZE])
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] >= 'A' && text.at[i] <= 'F') // the signature is lower case
            return false;
    }
    struct writer w = writer_of(mac, AUTH_MAC_SIZE);
    return text_unhex(text, &w) && w.len == AUTH_MAC_SIZE;
}

bool auth_signature_read(struct bytes value, struct auth_signature *out)
{
    *out = (struct auth_signature){0};
    struct reader r = reader_of(value);
    take(&r, SCHEME " appKey=");
    out->app_key = take_until_comma(&r);
    take(&r, ",ts=");
    out->ts_text = take_until_comma(&r);
    take(&r, ",nonce=");
    out->nonce = take_until_comma(&r);
    take(&r, ",signature=");
    const struct bytes mac = reader_rest(&r);
    uint64_t ts = 0;
    if (r.failed || out->ts_text.len != 10 || !text_read_decimal(out->ts_text, &ts))
        return false;
    out->ts_s = (int64_t)ts;
    return auth_is_app_key(out->app_key) && is_nonce(out->nonce) && read_mac(mac, out->mac);
}

// --- the text ---

static bool has_dot_segment(struct bytes path)
{
    size_t start = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.at[i] != '/')
            continue;
        const struct bytes segment = bytes_slice(path, start, i - start);
        if (bytes_equal(segment, bytes_of_text(".")) || bytes_equal(segment, bytes_of_text("..")))
            return true;
        start = i + 1;
    }
    return false;
}

static size_t slashes(struct bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == '/';
    return count;
}

static bool put_path(struct writer *w, struct bytes path)
{
    uint8_t decoded[DECODED_MAX];
    struct writer d = writer_of(decoded, sizeof(decoded));
    if (!api_percent_decode(path, &d))
        return false;
    // Decoding may only add a slash where an encoded one stood.
    if (slashes(writer_bytes(&d)) != slashes(path) || has_dot_segment(writer_bytes(&d)))
        return false;
    api_percent_encode(writer_bytes(&d), true, w);
    return true;
}

struct pair {
    struct bytes name;
    struct bytes value;
};

static int compare(struct bytes a, struct bytes b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_before(const struct pair *a, const struct pair *b)
{
    const int order = compare(a->name, b->name);
    return order < 0 || (order == 0 && compare(a->value, b->value) < 0);
}

static void insert(struct pair *pairs, size_t count, struct pair pair)
{
    size_t at = count;
    while (at > 0 && is_before(&pair, &pairs[at - 1])) {
        pairs[at] = pairs[at - 1];
        at--;
    }
    pairs[at] = pair;
}

// Brings one name or value to its one form inside `scratch`.
static bool recode(struct bytes text, struct writer *scratch, struct bytes *out)
{
    uint8_t decoded[DECODED_MAX];
    struct writer d = writer_of(decoded, sizeof(decoded));
    if (!api_percent_decode(text, &d))
        return false;
    const size_t start = scratch->len;
    api_percent_encode(writer_bytes(&d), false, scratch);
    *out = bytes_of(scratch->at + start, scratch->len - start);
    return true;
}

static enum auth_text_status put_query(struct writer *w, struct bytes query)
{
    uint8_t octets[AUTH_TEXT_MAX];
    struct writer scratch = writer_of(octets, sizeof(octets));
    struct pair pairs[AUTH_QUERY_PAIRS_MAX];
    size_t count = 0;
    for (size_t at = 0; at < query.len;) {
        const struct bytes part = api_until(bytes_slice(query, at, query.len), '&');
        at += part.len + 1;
        const struct bytes name = api_until(part, '=');
        struct pair pair;
        if (!recode(name, &scratch, &pair.name) ||
            !recode(bytes_slice(part, name.len + 1, part.len), &scratch, &pair.value))
            return AUTH_TEXT_BAD_TARGET;
        if (count == AUTH_QUERY_PAIRS_MAX || scratch.failed)
            return AUTH_TEXT_TOO_LONG;
        insert(pairs, count++, pair);
    }
    for (size_t i = 0; i < count; i++) {
        text_put(w, i == 0 ? "" : "&");
        writer_copy(w, pairs[i].name);
        text_put(w, "=");
        writer_copy(w, pairs[i].value);
    }
    return AUTH_TEXT_OK;
}

static void put_line(struct writer *w, struct bytes line)
{
    writer_copy(w, line);
    text_put(w, "\n");
}

enum auth_text_status auth_text(struct writer *w, const struct auth_signed_request *request,
                                const struct auth_signature *signature)
{
    put_line(w, bytes_of_text(SCHEME));
    put_line(w, request->method);
    put_line(w, request->authority);
    if (!put_path(w, request->path))
        return AUTH_TEXT_BAD_TARGET;
    text_put(w, "\n");
    const enum auth_text_status status = put_query(w, request->query);
    if (status != AUTH_TEXT_OK)
        return status;
    text_put(w, "\n");
    put_line(w, request->has_body ? api_trimmed(request->content_type) : bytes_of(NULL, 0));
    put_line(w, request->correlator);
    put_line(w, request->idempotency_key);
    put_line(w, signature->ts_text);
    put_line(w, signature->nonce);
    text_hex(w, bytes_of(request->body_sha256, sizeof(request->body_sha256)));
    return w->failed ? AUTH_TEXT_TOO_LONG : AUTH_TEXT_OK;
}

#include "profiles/vendor/lines.h"

#include "common/base/secret.h"

#include <stdlib.h>

static const uint8_t mark[3] = {0xEF, 0xBB, 0xBF};

struct lines *lines_open(const struct vendor_source *source, const struct vendor_digest *digest)
{
    struct lines *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->source = *source;
    l->digest = digest;
    l->stream = digest->open();
    if (l->stream == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void lines_close(struct lines *l)
{
    if (l == NULL)
        return;
    l->digest->close(l->stream);
    // A file with clear fields may stand in the buffers.
    secret_wipe(l->line, sizeof l->line);
    secret_wipe(l->chunk, sizeof l->chunk);
    free(l);
}

// Fills the empty chunk.
static bool refill(struct lines *l)
{
    l->at = 0;
    l->len = 0;
    while (l->len < sizeof l->chunk && !l->at_end) {
        size_t got = 0;
        if (!l->source.read(l->source.context, l->chunk + l->len, sizeof l->chunk - l->len, &got))
            return false;
        l->at_end = got == 0;
        l->len += got;
    }
    return true;
}

enum lines_verdict lines_start(struct lines *l, bool is_digested)
{
    uint8_t unused[CIPHER_SHA256_SIZE];
    l->is_digested = is_digested;
    if (!l->digest->finish(l->stream, unused) || !l->source.rewind(l->source.context))
        return LINES_UNREADABLE;
    l->has_mark = false;
    l->crlf_line = 0;
    l->line_number = 0;
    l->offset = 0;
    l->at_end = false;
    return refill(l) ? LINES_OK : LINES_UNREADABLE;
}

struct bytes lines_peek(const struct lines *l, size_t max)
{
    return bytes_slice(bytes_of(l->chunk, l->len), 0, max);
}

// Collects one line as it came, with its line feed; LINES_END when nothing is left.
static enum lines_verdict collect(struct lines *l)
{
    l->line_len = 0;
    for (;;) {
        if (l->at == l->len) {
            if (!l->at_end && !refill(l))
                return LINES_UNREADABLE;
            if (l->at == l->len)
                return l->line_len > 0 ? LINES_OK : LINES_END;
        }
        const uint8_t *from = l->chunk + l->at;
        const uint8_t *feed = memchr(from, '\n', l->len - l->at);
        size_t part = feed != NULL ? (size_t)(feed - from) + 1 : l->len - l->at;
        if (part > sizeof l->line - l->line_len)
            return LINES_LONG;
        memcpy(l->line + l->line_len, from, part);
        l->line_len += part;
        l->at += part;
        if (feed != NULL)
            return LINES_OK;
    }
}

static bool is_refused(uint8_t c)
{
    return (c < 0x20 && c != '\t') || c > 0x7E;
}

// Of eight octets at once: one below 20, 7F, or one above it. A tab is one of the first, too.
static bool has_doubtful(struct bytes text)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t high = 0;
    size_t at = 0;
    for (; text.len - at >= sizeof high; at += sizeof high) {
        uint64_t x;
        memcpy(&x, text.at + at, sizeof x);
        high |= x | (x - 0x20 * ones) | (x + ones);
    }
    for (; at < text.len; at++)
        high |= text.at[at] < 0x20 || text.at[at] > 0x7E ? 0x80 : 0;
    return (high & 0x80 * ones) != 0;
}

// Where the first one is, or the length.
static size_t find_refused(struct bytes text)
{
    if (!has_doubtful(text)) // as nearly every line
        return text.len;
    size_t at = 0;
    while (at < text.len && !is_refused(text.at[at]))
        at++;
    return at;
}

enum lines_verdict lines_next(struct lines *l, struct line *line)
{
    if (l->offset == 0 && l->len >= sizeof mark && memcmp(l->chunk, mark, sizeof mark) == 0) {
        l->has_mark = true;
        l->at = sizeof mark;
        l->offset = sizeof mark;
    }
    uint64_t start = l->offset;
    enum lines_verdict verdict = collect(l);
    if (verdict == LINES_END || verdict == LINES_UNREADABLE)
        return verdict;
    l->line_number++;
    if (verdict != LINES_OK)
        return verdict;
    l->offset += l->line_len;
    if (l->offset > FILE_MAX_SIZE || l->line_number > LINES_MAX)
        return LINES_LARGE;

    size_t len = l->line_len;
    bool ended = l->line[len - 1] == '\n';
    len -= ended;
    bool crlf = ended && len > 0 && l->line[len - 1] == '\r';
    len -= crlf;
    struct bytes text = bytes_of(l->line, len);
    if (len > LINE_MAX_LEN)
        return LINES_LONG;
    const size_t refused = find_refused(text);
    l->bad_offset = start + refused;
    if (refused < text.len)
        return LINES_OCTET;
    if (crlf && l->crlf_line == 0)
        l->crlf_line = l->line_number;
    const struct bytes feed = bytes_of("\n", 1);
    if (l->is_digested &&
        (!l->digest->add(l->stream, text) || (ended && !l->digest->add(l->stream, feed))))
        return LINES_UNREADABLE;
    *line = (struct line){.text = text, .number = l->line_number, .ended = ended};
    return LINES_OK;
}

bool lines_digest(struct lines *l, uint8_t sha256[CIPHER_SHA256_SIZE])
{
    return l->digest->finish(l->stream, sha256);
}

// The lines of a vendor file, read as a stream in fixed memory.
//
// Promises: a byte order mark and carriage returns before line feeds are removed, and reported once
// each; what is left is what the digest covers. Printable ASCII and tabs only. Lines up to
// LINE_MAX_LEN octets, files up to FILE_MAX_SIZE octets and LINES_MAX lines: beyond that reading
// stops. Empty lines are given too, so that line numbers are those of the file.
// Never: allocates after lines_open(), or reads on after a refusal.
#pragma once

#include "common/base/bytes.h"
#include "profiles/vendor/digest.h"

#define LINE_MAX_LEN 8192
#define FILE_MAX_SIZE (512ULL * 1024 * 1024)
#define LINES_MAX ((1U << 24) - 1)

// Where the octets come from; read more than once.
struct vendor_source {
    void *context;
    // Up to `cap` octets to `at`; *got 0 = end. False when the world fails.
    bool (*read)(void *context, uint8_t *at, size_t cap, size_t *got);
    // Back to the first octet.
    bool (*rewind)(void *context);
};

enum lines_verdict {
    LINES_OK,
    LINES_END,
    LINES_LONG,      // the line now begun is longer than LINE_MAX_LEN
    LINES_LARGE,     // the file is larger than FILE_MAX_SIZE or has more than LINES_MAX lines
    LINES_OCTET,     // NUL, control or non-ASCII octet at `bad_offset`
    LINES_UNREADABLE // the source failed
};

struct line {
    struct bytes text; // without its end; valid until the next call
    uint32_t number;   // 1 is the first
    bool ended;        // by a line feed; false for a last line without one
};

struct lines {
    bool has_mark;        // byte order mark seen
    uint32_t crlf_line;   // first line that ended with CRLF, or 0
    uint32_t line_number; // of the line last given or refused
    uint64_t bad_offset;  // of LINES_OCTET, in the file as it came, 0 is the first octet
    /* private */
    struct vendor_source source;
    const struct vendor_digest *digest;
    void *stream;
    bool is_digested;
    uint64_t offset;
    size_t at;
    size_t len;
    size_t line_len;
    bool at_end;
    uint8_t line[LINE_MAX_LEN + 2];
    uint8_t chunk[65536];
};

// NULL when there is no memory. The source is rewound by lines_start().
struct lines *lines_open(const struct vendor_source *source,
                         const struct vendor_digest *digest) MUST_USE;
void lines_close(struct lines *l);
// Begins with the first octet; LINES_OK or LINES_UNREADABLE.
enum lines_verdict lines_start(struct lines *l, bool is_digested) MUST_USE;
// The first octets of the file as they came, at most `max`; after lines_start(), before the first
// lines_next().
struct bytes lines_peek(const struct lines *l, size_t max);
enum lines_verdict lines_next(struct lines *l, struct line *line) MUST_USE;
// SHA-256 of everything since lines_start() with `is_digested`, without byte order mark and
// carriage returns.
bool lines_digest(struct lines *l, uint8_t sha256[CIPHER_SHA256_SIZE]) MUST_USE;

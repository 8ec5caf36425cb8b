// JSON out [RFC 8259]: text straight into a bounded writer; no tree, no allocation.
//
// Promises: commas and escapes are right; text that is not UTF-8 comes out as U+FFFD, so the
// document is always valid; a control character never comes out raw, so a document is one line.
// Failure is the writer's and sticky: ask json_done() once, at the end.
// Never: checks that a name is given once, or that a member has a name where one belongs.
#pragma once

#include "common/base/bytes.h"

struct json_writer {
    struct writer *out;
    /* private */
    unsigned depth;
    bool comma; // a value stands before the next one
};

static inline struct json_writer json_writer_of(struct writer *out)
{
    return (struct json_writer){.out = out, .depth = 0, .comma = false};
}

void json_begin_object(struct json_writer *j);
void json_end_object(struct json_writer *j);
void json_begin_array(struct json_writer *j);
void json_end_array(struct json_writer *j);
// The name of the member whose value comes next.
void json_put_key(struct json_writer *j, const char *name);
void json_put_text(struct json_writer *j, struct bytes text);
void json_put_string(struct json_writer *j, const char *text);
// Readers that keep numbers as doubles are exact up to 2^53; longer identifiers are strings.
void json_put_unsigned(struct json_writer *j, uint64_t value);
void json_put_signed(struct json_writer *j, int64_t value);
// `value` / 10^digits with exactly `digits` (0..18) decimals: 475 and 1 give 47.5.
void json_put_fixed(struct json_writer *j, int64_t value, unsigned digits);
void json_put_bool(struct json_writer *j, bool value);
void json_put_null(struct json_writer *j);
// Octets that are one JSON value already.
void json_put_raw(struct json_writer *j, struct bytes value);

// Everything that was begun is ended, and all of it fitted.
static inline bool json_done(const struct json_writer *j)
{
    return j->depth == 0 && !j->out->failed;
}

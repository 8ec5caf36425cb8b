// The log: one line is one event, `time level event key=value ...` or a JSON object, by choice.
//
// Promises: a line is one line whatever the values hold (quoted and escaped); it never blocks: a
// line that cannot be written at once is dropped and counted, and the count is logged when writing
// works again. A line longer than LOG_LINE_MAX loses its last values and says `cut=true`.
// Never: give it a key, a MAC or a message body; personal identifiers go through log_masked().
#pragma once

#include "common/base/bytes.h"
#include "common/base/json_writer.h"
#include "common/base/mask.h"
#include "common/base/time.h"

#define LOG_LINE_MAX 2048

enum log_level {
    LOG_ERROR, // wakes someone
    LOG_WARN,  // for tomorrow
    LOG_INFO,  // the audit
    LOG_DEBUG,
};

enum log_form {
    LOG_TEXT,
    LOG_JSON,
};

struct log {
    int fd;               // stays the caller's
    enum log_level level; // lines above it are not written
    enum log_form form;
    bool clear; // personal data unmasked: for a lab with test data only
    uint64_t dropped;
    /* private */
    uint8_t line[LOG_LINE_MAX];
    struct writer out;
    struct json_writer json;
    bool open, cut;
    uint64_t dropped_told;
};

void log_init(struct log *l, int fd, enum log_form form, enum log_level level);
// "error", "warn", "info", "debug"; false for another word.
bool log_level_read(const char *word, enum log_level *level) MUST_USE;

// Begins a line; `event` is a constant word such as "smpp.bound". What follows is ignored when the
// level is above the log's, so no caller asks. log_end() writes it.
void log_begin(struct log *l, enum log_level level, struct utc at, const char *event);
void log_text(struct log *l, const char *key, struct bytes value);
void log_string(struct log *l, const char *key, const char *value);
void log_number(struct log *l, const char *key, int64_t value);
void log_bool(struct log *l, const char *key, bool value);
void log_masked(struct log *l, const char *key, enum mask mask, struct bytes value);
void log_end(struct log *l);

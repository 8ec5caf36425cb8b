// Remote APDU scripts and their answers in the compact and the expanded format [102.226 §5].
//
// Promises: reads and writes both sides of both formats, chooses the format of a script by its
// first octet, and shows commands one by one so that a card can stop at the first failure.
// Commands and data are views. Never: executes anything, or answers.
#pragma once

#include "common/base/bytes.h"
#include "common/wire/apdu.h"
#include "common/wire/tlv.h"

enum remote_format {
    REMOTE_COMPACT,
    REMOTE_DEFINITE,   // AA L .., answered by AB L ..
    REMOTE_INDEFINITE, // AE 80 .. 00 00, answered by AF 80 .. 00 00
};

// Why the rest of an expanded script is not understood: the value of a bad-format object
// [102.226 §5.2.2]. For a compact script there is no such object; the value is then only ours.
enum remote_error {
    REMOTE_OK = 0,
    REMOTE_UNKNOWN_TAG = 1,
    REMOTE_WRONG_LENGTH = 2,
    REMOTE_LENGTH_NOT_FOUND = 3,
};

enum remote_kind {
    REMOTE_COMMAND,          // 22, or any command of a compact script
    REMOTE_IMMEDIATE_ACTION, // 81
    REMOTE_ERROR_ACTION,     // 82
    REMOTE_CHAINING,         // 83
};

struct remote_item {
    enum remote_kind kind;
    struct bytes value; // the object's value; for a command its octets
    struct apdu apdu;   // only for REMOTE_COMMAND
};

struct remote_script {
    enum remote_format format;
    enum remote_error error; // why remote_next() stopped; REMOTE_OK = at the end
    // private
    struct reader rest;
    bool ended;
};

// What a receiver that takes every format takes it for, by the first octet: AA and AE are expanded,
// anything else is compact.
enum remote_format remote_format_of(struct bytes script);
// Begins reading; an error of the frame shows in `error` at once and in remote_next().
struct remote_script remote_open(struct bytes script);
// The next item, or false at the end or at an error.
bool remote_next(struct remote_script *script, struct remote_item *item);

// Writing a script: begin, any number of commands, end.
struct remote_writer {
    // private
    struct writer *out;
    enum remote_format format;
    struct tlv_mark mark;
};
struct remote_writer remote_begin(struct writer *out, enum remote_format format);
void remote_add(struct remote_writer *w, const struct apdu *command);
void remote_end(struct remote_writer *w);

// Answering a script: begin, one result for each executed command in order, end. In the compact and
// definite formats the answer holds the number executed and the last result only; in the
// indefinite one it holds every result. `data` may not lie in the writer's octets.
struct remote_answer {
    // private
    struct writer *out;
    enum remote_format format;
    struct tlv_mark mark;
    size_t start;
    unsigned executed;
};
struct remote_answer remote_answer_begin(struct writer *out, enum remote_format format);
void remote_answer_add(struct remote_answer *a, uint16_t sw, struct bytes data);
// The script was understood up to an error: adds the bad-format object. Expanded formats only; a
// compact answer has no such object and stays as it is.
void remote_answer_bad_format(struct remote_answer *a, enum remote_error error);
void remote_answer_end(struct remote_answer *a);

// An answer as the server reads it. `sw` and `data` are those of the last result in the answer.
struct remote_result {
    enum remote_format format;
    unsigned executed;
    bool has_result; // false: nothing was executed, sw and data say nothing
    uint16_t sw;
    struct bytes data;
    uint8_t bad_format;   // 0 = none
    struct bytes objects; // for remote_result_next()
};
// Reads an answer to a script of the given format; false when it is malformed.
bool remote_result_read(enum remote_format format, struct bytes answer,
                        struct remote_result *out) MUST_USE;
// All results of an indefinite answer in turn: begin with reader_of(result.objects).
bool remote_result_next(struct reader *objects, uint16_t *sw, struct bytes *data);

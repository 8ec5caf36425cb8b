// A month of the audit trail as a text file: what is kept when its rows leave the database. Every
// line is fields with a tab between them, a control character or backslash in them is \xHH:
//
//     otaria-trail 1   FIRST   HASH-BEFORE   PUBLIC-KEY
//     SEQUENCE   MILLISECONDS   TENANT   ACTOR-KIND   ACTOR   ADDRESS   ACTION   OBJECT-KIND
//         OBJECT   OPERATION   CORRELATOR   BEFORE   AFTER   REASON   APPROVAL   RESULT   HASH
//     tombstone   FIRST   LAST   MONTH   MILLISECONDS   HASH-BEFORE   HASH-OF-LAST   SIGNATURE
//
// The tombstone is that of the database: its signature covers the chain, and so every row.
//
// Promises: each line has one spelling, so that no octet of it can be another; a row is taken only
// when it fits the one before it. Never: verifies a signature (that needs the world's key).
#pragma once

#include "ota-server/core/trail.h"

#define TRAIL_LINE_MAX 12288 // more than any row takes, all of it escaped
#define TRAIL_SIGNER_SIZE 32

struct trail_file_head {
    uint64_t first;
    uint8_t previous[CIPHER_SHA256_SIZE];
    uint8_t signer[TRAIL_SIGNER_SIZE]; // all zero: nobody signs
};
// Each writes a line with its end.
void trail_file_head_write(struct writer *w, const struct trail_file_head *h);
void trail_file_row_write(struct writer *w, const struct trail_row *r);
void trail_file_end_write(struct writer *w, const struct tombstone *t);

enum trail_file_status {
    TRAIL_FILE_OK = 0, // the line fits
    TRAIL_FILE_END,    // as does the tombstone: the file must end here
    TRAIL_FILE_FORM,   // no such line, or none that may stand here
    TRAIL_FILE_GAP,    // another row was expected
    TRAIL_FILE_HASH,   // a row that was altered
};

// A file that is read, line by line.
struct trail_file {
    struct trail_file_head head; // once there was a line
    struct tombstone end;        // once it ended
    uint64_t next;               // row that is expected; 0: the head
    uint8_t hash[CIPHER_SHA256_SIZE];
    bool has_ended;
    /* private */
    char texts[TRAIL_LINE_MAX];
};
void trail_file_init(struct trail_file *f);
// `line` is without its end. What does not fit leaves `next`: the first bad row.
enum trail_file_status trail_file_line(struct trail_file *f, const struct cipher *cipher,
                                       struct bytes line) MUST_USE;

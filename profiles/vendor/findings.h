// What is wrong with a vendor file: stable codes, each with level, line, field and a text for
// people.
//
// Promises: at most FINDINGS_LISTED_MAX per code are listed, the rest is counted; memory is bounded
// by that. Texts never hold keys, card codes or whole identifiers: whoever adds a finding passes
// only counts, positions and what findings_quote() lets through.
// Never: decides anything; levels are looked up, outcomes are import.h's.
// The codes are explained for users in docs/vendor-files.md.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define FINDINGS_LISTED_MAX 1000 // per code
#define FINDING_FIELD_SIZE 32
#define FINDING_TEXT_SIZE 160

#define PRINTF_LIKE(format_at, first) __attribute__((format(printf, format_at, first)))

enum finding_code {
    IMP_100, // layout not recognised; XML, PGP, compressed
    IMP_101, // unsupported File-Version
    IMP_102, // file cut
    IMP_103, // SHA256-DATA differs
    IMP_104, // unknown field name
    IMP_105, // quantity, trailer and counted lines differ
    IMP_106, // mandatory key or field name missing
    IMP_107, // header key or column twice
    IMP_108, // line too long, file too large
    IMP_109, // NUL, control or non-ASCII octet
    IMP_110, // transport key not loaded
    IMP_111, // transport key is another one: check values differ
    IMP_112, // slots
    IMP_113, // not exactly one enabled and one fallback
    IMP_114, // TAR is not octets 13 to 15 of the AID
    IMP_115, // SPI or minimum level
    IMP_116, // algorithm
    IMP_117, // customer
    IMP_118, // product id unknown (positional)
    IMP_119, // malformed value in a header line
    IMP_120, // same batch being imported now
    IMP_121, // same batch and target, other content, already loaded
    IMP_200, // field missing or too many
    IMP_201, // check digit of an ICCID
    IMP_202, // length or characters of an ICCID or EID
    IMP_203, // IMSI not 15 digits
    IMP_204, // not hexadecimal, or not a word that is allowed there
    IMP_205, // length of a key or encrypted field
    IMP_206, // PIN, PUK or ADM1 digits
    IMP_210, // ICCID twice in the file
    IMP_211, // ICCID loaded with other content
    IMP_212, // IMSI on two cards
    IMP_213, // ICCID of another tenant's card
    IMP_214, // MSISDN on two subscriptions
    IMP_215, // split files disagree
    IMP_216, // IMSI of no known operator
    IMP_220, // number breaks the rule pack
    IMP_221, // number ambiguous under the rule pack
    IMP_301, // card KCV differs
    IMP_302, // ADM1 padding after deciphering
    IMP_303, // weak or shared key
    W_001,   // byte order mark
    W_002,   // CRLF
    W_003,   // tabs or several spaces between fields
    W_010,   // unknown header key
    W_020,   // gap or disorder against Start-IMSI
    W_021,   // ACC does not fit the IMSI
    W_022,   // minimum level weaker than 16
    W_030,   // CSV without trailer
    FINDING_CODES,
};

enum finding_level {
    FINDING_FILE,    // the file is refused
    FINDING_RECORD,  // the record goes to quarantine
    FINDING_WARNING, // nothing is held back
};

struct finding {
    enum finding_code code;
    enum finding_level level;
    uint32_t line; // 1 is the first; 0 = the file as a whole
    char field[FINDING_FIELD_SIZE];
    char text[FINDING_TEXT_SIZE];
};

struct findings {
    uint64_t by_code[FINDING_CODES];
    uint64_t by_level[FINDING_WARNING + 1];
    struct finding *listed;
    size_t listed_count;
    /* private */
    size_t cap;
    uint32_t listed_by_code[FINDING_CODES];
};

// A zeroed struct is an empty list. Closing a closed one is harmless.
void findings_close(struct findings *f);

// "IMP-100", "W-001".
const char *finding_code_name(enum finding_code code);
// The name shown to a tenant: IMP-213 is shown as IMP-211, so that nobody learns that another
// tenant has the card.
const char *finding_code_shown(enum finding_code code);
// "F", "R" or "W".
const char *finding_level_name(enum finding_level level);

// Adds one at the code's own level. `f` NULL: nothing happens (a second reading of a checked file).
void findings_add(struct findings *f, enum finding_code code, uint32_t line, const char *field,
                  const char *format, ...) PRINTF_LIKE(5, 6);
// The same as a warning, whatever the code's level (a published test key in lab mode).
void findings_warn(struct findings *f, enum finding_code code, uint32_t line, const char *field,
                   const char *format, ...) PRINTF_LIKE(5, 6);
// Orders the list by line, code and field.
void findings_sort(struct findings *f);

// Text of a file in a form fit for a finding: short names and version numbers as they stand,
// anything long, unprintable or with many digits only as its length.
struct quoted {
    char text[40];
};
struct quoted findings_quote(struct bytes text);
// The same without quotation marks, for the field of a finding; "?" when it is not fit.
struct quoted findings_field(struct bytes text);

// One vendor file read record by record, whatever its layout.
//
// Promises: fixed memory; file_start() reads and judges the header, file_next() gives the fields of
// one record after the other, file_finish() says whether the file was complete. Everything wrong is
// a finding; a header with a finding of level F gives no records.
// Never: interprets a record (record.h) or knows the registry.
#pragma once

#include "common/wire/cipher.h"
#include "profiles/vendor/findings.h"
#include "profiles/vendor/header.h"
#include "profiles/vendor/lines.h"
#include "profiles/vendor/profile.h"

#define VENDOR_COLUMNS_MAX PROFILE_COLUMNS_MAX

enum vendor_kind {
    VENDOR_CARDS,
    VENDOR_POOL,
};

struct file_options {
    const struct vendor_profile *profile;
    const struct cipher *cipher;
    const struct vendor_digest *digest;
    enum vendor_layout layout; // VENDOR_LAYOUT_UNKNOWN: recognise it
    enum vendor_kind kind;     // what the user means to import
    const char *tenant;        // the user's; NULL = any that the profile names
    const char *batch;         // for a CSV without metadata; NULL = not stated
    uint64_t quantity;         // for a CSV without trailer; 0 = not stated
    void *context;
    // The transport key loaded under this index; false when there is none.
    bool (*transport_key)(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key);
};

struct vendor_column {
    char name[VENDOR_NAME_SIZE]; // as in the file
    struct vendor_meaning meaning;
    bool is_stored;    // false: checked for format and thrown away
    bool is_encrypted; // under transport[transport]
    enum transport_kind transport;
    uint8_t subscription; // index into slots[], for names with a slot
};

struct vendor_fields {
    struct bytes at[VENDOR_COLUMNS_MAX];
    size_t count; // may be larger than VENDOR_COLUMNS_MAX; the rest is not kept
    uint32_t line;
    struct bytes raw; // the line as it stands
};

enum file_verdict {
    FILE_OK,
    FILE_END,
    FILE_REFUSED,    // a finding says why
    FILE_UNREADABLE, // the source, the cryptography or memory failed
};

struct vendor_file {
    enum vendor_layout layout;
    struct vendor_header header;
    struct vendor_column columns[VENDOR_COLUMNS_MAX];
    size_t column_count;
    uint8_t slots[VENDOR_SLOTS_MAX]; // of the subscriptions named, ascending; {0} in a pool
    uint8_t slot_count;
    uint64_t record_count;
    uint8_t sha256[CIPHER_SHA256_SIZE]; // of the whole file, after file_recognise()
    /* private */
    const struct file_options *options;
    struct findings *findings;
    struct lines *lines;
    void *data_digest;    // a stream of options->digest
    uint32_t data_line;   // of *DATA, or of the column names
    uint32_t record_line; // of the last complete record
    bool has_metadata;
    bool is_ended;
    bool is_cut;
    struct {
        bool has_records, has_digest;
        uint64_t records;
        uint32_t line;
        uint8_t digest[CIPHER_SHA256_SIZE];
    } trailer;
    char scratch[LINE_MAX_LEN];
};

// NULL when there is no memory. `options` must stay.
struct vendor_file *file_open(const struct file_options *options,
                              const struct vendor_source *source) MUST_USE;
// Wipes transport keys.
void file_close(struct vendor_file *f);

// Reads everything once: the digest, the layout, and what makes a file unreadable as text.
// FILE_OK, FILE_REFUSED or FILE_UNREADABLE.
enum file_verdict file_recognise(struct vendor_file *f, struct findings *findings) MUST_USE;
// Begins (again) with the first record. Without `findings` it is a second reading of what was
// judged before: it ends with file_is_unchanged(), not with file_finish().
enum file_verdict file_start(struct vendor_file *f, struct findings *findings) MUST_USE;
// FILE_OK and a record, valid until the next call; FILE_END; or no more.
enum file_verdict file_next(struct vendor_file *f, struct vendor_fields *fields) MUST_USE;
// After FILE_END: completeness. FILE_OK, FILE_REFUSED or FILE_UNREADABLE.
enum file_verdict file_finish(struct vendor_file *f) MUST_USE;
// After FILE_END: whether the octets read since file_start() are those of file_recognise().
bool file_is_unchanged(struct vendor_file *f) MUST_USE;

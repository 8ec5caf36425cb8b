// A bench for the importer's tests: the sample batch as editable text, a registry in memory behind
// the importer's callbacks, and expectations about the report.
#pragma once

#include "profiles/vendor/import.h"

#define LAB_CARDS_MAX 16
#define LAB_FILE_MAX (256U * 1024)
#define LAB_FILES_MAX 8

struct lab_card {
    char tenant[HEADER_TEXT_SIZE];
    char batch[HEADER_TEXT_SIZE];
    unsigned targets;
    struct vendor_card card;
};

struct lab {
    // The file, and how it is read.
    uint8_t file[LAB_FILE_MAX];
    size_t len;
    size_t at;
    size_t change_at_rewind; // 0 = never; else the rewind at which the last octet changes
    size_t rewinds;
    struct cipher cipher;
    struct vendor_profile *profile;
    struct vendor_scratch scratch;
    struct import_options options;
    struct import_report report;
    // The registry.
    struct lab_card cards[LAB_CARDS_MAX];
    size_t card_count;
    struct vendor_subscription subscriptions[LAB_CARDS_MAX];
    size_t subscription_count;
    uint8_t files[LAB_FILES_MAX][CIPHER_SHA256_SIZE];
    size_t file_count;
    bool is_busy;
    bool fails_to_load;
    bool has_cn_iot;
    unsigned cancelled_pass; // 0 = none
    size_t progress_count;
    // The unit: what is staged until commit.
    struct lab_card staged[LAB_CARDS_MAX];
    size_t staged_count;
    struct vendor_subscription staged_subscriptions[LAB_CARDS_MAX];
    size_t staged_subscription_count;
    uint32_t held_back[LAB_CARDS_MAX]; // lines
    size_t held_back_count;
    size_t begun, committed, aborted;
};

// The sample batch with an empty registry. cmocka setup and teardown.
int lab_setup(void **state);
int lab_teardown(void **state);

// Takes a file of the repository, or a text, instead.
void lab_read(struct lab *l, const char *path);
void lab_text(struct lab *l, const char *text);
// Replaces the first `from`; it must be there.
void lab_edit(struct lab *l, const char *from, const char *to);
// Makes the trailer's digest (layouts varout and csv) right again.
void lab_digest(struct lab *l);
// The SHA-256 of a text in lower-case hexadecimal.
void lab_sha256(struct bytes text, char hex[65]);
// Line `number` (1 is the first) of the file, without its end.
struct bytes lab_line(const struct lab *l, uint32_t number);
// Replaces or appends whole lines.
void lab_set_line(struct lab *l, uint32_t number, const char *text);
// Turns the sample into the other layouts.
void lab_to_csv(struct lab *l);
void lab_to_positional(struct lab *l);

// Runs the import; the verdict must be IMPORT_DONE. Remembers an imported file.
void lab_run(struct lab *l);
enum import_verdict lab_try(struct lab *l);
// Fails the test unless the report has such a finding.
void lab_expect(const struct lab *l, enum finding_code code, uint32_t line, const char *field);
bool lab_has(const struct lab *l, enum finding_code code);
const char *lab_text_of(const struct lab *l, enum finding_code code);
// A run that must refuse the file with this finding and change nothing.
void lab_refuses(struct lab *l, enum finding_code code, uint32_t line, const char *field);

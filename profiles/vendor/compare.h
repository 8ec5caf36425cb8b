// One record against the rest of its file and against the registry: duplicates, gaps, strangers.
// Behind import.h.
#pragma once

#include "profiles/vendor/import.h"
#include "profiles/vendor/line_set.h"
#include "profiles/vendor/seen.h"

struct compare {
    const struct import_options *options;
    struct vendor_file *file;
    struct findings *findings;
    struct seen iccids;
    struct seen imsis;
    struct seen msisdns;
    struct seen keys;
    uint64_t next_imsi[VENDOR_SLOTS_MAX]; // by subscription; 0 = no Start-IMSI
    struct line_set bad;                  // lines that go to quarantine
    struct line_set equal;                // lines of cards known with equal content
};

// Sized by the announced quantity; false when there is no memory.
bool compare_open(struct compare *c, const struct import_options *options, struct vendor_file *file,
                  struct findings *findings) MUST_USE;
void compare_close(struct compare *c);

// Judges a record that vendor_record_read() has read, whatever came out of that (`is_bad`), and
// puts its line into the sets; also those of earlier records that share something with it. False
// when memory or the cryptography fails.
bool compare_record(struct compare *c, const struct vendor_card *card, bool is_bad) MUST_USE;

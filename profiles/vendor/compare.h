// One record against the rest of its file and against the registry: duplicates, gaps, strangers.
// Behind import.h.
#pragma once

#include "profiles/vendor/import.h"
#include "profiles/vendor/line_set.h"
#include "profiles/vendor/values.h"

struct compare {
    const struct import_options *options;
    struct vendor_file *file;
    struct findings *findings;
    struct values values;
    uint64_t next_imsi[VENDOR_SLOTS_MAX]; // by subscription; 0 = no Start-IMSI
    struct line_set bad;                  // lines that go to quarantine
    struct line_set equal;                // lines of cards known with equal content
};

// False when there is no memory, or the scratch fails.
bool compare_open(struct compare *c, const struct import_options *options, struct vendor_file *file,
                  struct findings *findings) MUST_USE;
void compare_close(struct compare *c);

// Judges a record that vendor_record_read() has read, whatever came out of that (`is_bad`), against
// the registry, and puts its line into the sets. False when memory, the scratch or the cryptography
// fails.
bool compare_record(struct compare *c, const struct vendor_card *card, bool is_bad) MUST_USE;
// After the last record: those that share something with another one go to quarantine as well.
bool compare_finish(struct compare *c) MUST_USE;

// What keys are compared by: a MAC of one key under another.
bool compare_fingerprint(const struct cipher *cipher, const struct secret_key *under,
                         const struct secret_key *key, uint8_t mac[CIPHER_AES_BLOCK]) MUST_USE;

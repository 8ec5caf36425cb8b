// The importer: a vendor file, a vendor profile and a registry in; cards or subscriptions out, as
// one unit, with a report.
//
// Promises: pass 1 checks everything and changes nothing. Pass 2 reads the file again (and gives up
// when it is no longer the same), hands each good record to `load` between `begin` and `commit`, or
// ends with `abort`: never both. Memory is fixed but for one bit per line: what must not be twice
// in a file is noted in a scratch. Keys in clear live for one record and are wiped. Never: logs,
// asks a clock, or keeps what it has read. Blocks while it runs: it is a job for a thread or
// process of its own; `progress` is the place to stop it.
#pragma once

#include "profiles/vendor/file.h"
#include "profiles/vendor/record.h"
#include "profiles/vendor/scratch.h"

#define IMPORT_REFERENCE_SIZE 64

enum import_batch {
    BATCH_NEW,    // also: same batch, another target (split files)
    BATCH_BUSY,   // being imported now: IMP-120
    BATCH_LOADED, // same batch and target with other content: IMP-121
};

// What the registry has under the ICCID of a card; without one, as in a pool, under its IMSI.
enum import_known {
    KNOWN_NOT,
    KNOWN_EQUAL,     // the same content: counted as unchanged
    KNOWN_OTHER,     // other content: IMP-211; in a pool IMP-212
    KNOWN_FOREIGN,   // another tenant's: IMP-213
    KNOWN_MERGES,    // another part of the same split batch, and what is in both agrees
    KNOWN_DISAGREES, // another part of the same split batch, but they differ: IMP-215
};

enum import_value {
    VALUE_ICCID, // of a pool subscription
    VALUE_IMSI,
    VALUE_MSISDN,
    VALUE_KEY, // a keyed fingerprint of 16 octets
};

// Counted over pass 1, before anything is loaded.
struct import_counts {
    uint64_t records;
    uint64_t unchanged;
    uint64_t quarantined;
};

// The registry's side. `header` has batch, customer, tenant, targets, applet, factory
// subscriptions.
struct import_registry {
    void *context;
    // Whether this very file has been imported; then the reference of that import.
    bool (*file_known)(void *context, const uint8_t sha256[CIPHER_SHA256_SIZE],
                       char reference[IMPORT_REFERENCE_SIZE]);
    // Asked once the header is read; BATCH_NEW claims the batch until the caller's job ends.
    enum import_batch (*batch)(void *context, const struct vendor_header *header);
    // `card` is in clear, fields with a finding are empty. In a pool it has one subscription in
    // slot 0 and nothing else.
    enum import_known (*card_known)(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card);
    // Whether another card (or pool subscription) than this one has the value. Not asked for cards
    // that are known with equal content.
    bool (*value_known)(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card);
    // Pass 2. False from any of them: the unit is aborted, IMPORT_REGISTRY_FAILED.
    bool (*begin)(void *context, const struct vendor_header *header, struct import_counts counts);
    bool (*load_card)(void *context, const struct vendor_header *header,
                      const struct vendor_card *card);
    bool (*load_subscription)(void *context, const struct vendor_header *header,
                              const struct vendor_subscription *subscription);
    // A record held back in a partial import, as it stands in the file.
    bool (*quarantine)(void *context, uint32_t line, struct bytes raw);
    bool (*commit)(void *context);
    void (*abort)(void *context);
};

struct import_options {
    struct file_options file;
    struct import_registry registry;
    bool is_dry_run;
    bool is_partial; // good records load although others are in quarantine
    bool is_lab;     // published test keys are accepted with a warning
    // Notes of identifiers as numbers and of keys as fingerprints: 16 octets for each.
    const struct vendor_scratch *scratch;
    // Keys are compared by a MAC under this key; the product's own, at least for one run.
    struct secret_key fingerprint_key;
    void *context;
    const struct number_rule *(*number_rule)(void *context, const char *operator_name); // or NULL
    // Now and then, with the pass (1 or 2), records done and announced; false cancels. Or NULL.
    bool (*progress)(void *context, unsigned pass, uint64_t done, uint64_t total);
};

enum import_outcome {
    REPORT_IMPORTED,
    REPORT_IMPORTED_IN_PART,
    REPORT_ALREADY_IMPORTED,
    REPORT_REFUSED,
    REPORT_DRY_RUN_OK,
    REPORT_DRY_RUN_FINDINGS,
};

// How the run itself went. Without IMPORT_DONE nothing was changed and there is no outcome.
enum import_verdict {
    IMPORT_DONE,
    IMPORT_CANCELLED,
    IMPORT_UNREADABLE,      // the source, the cryptography or memory failed
    IMPORT_CHANGED,         // the file was not the same in pass 2
    IMPORT_REGISTRY_FAILED, // a callback of pass 2 said no
};

struct import_report {
    enum import_outcome outcome;
    uint8_t sha256[CIPHER_SHA256_SIZE];
    enum vendor_layout layout;
    struct vendor_header header; // transport keys wiped; their KCVs are those of the loaded keys
    char first_import[IMPORT_REFERENCE_SIZE]; // of ALREADY_IMPORTED
    uint64_t records;
    uint64_t loaded; // in a dry run: what would load
    uint64_t unchanged;
    uint64_t quarantined;
    bool kcv_mismatch; // raise alarm key.kcv.mismatch
    struct findings findings;
};

// Fills `report`, whose findings the caller closes with import_report_close().
enum import_verdict import_run(const struct import_options *options,
                               const struct vendor_source *source,
                               struct import_report *report) MUST_USE;
void import_report_close(struct import_report *report);

// "IMPORTED", "DRY_RUN_OK", ...
const char *import_outcome_name(enum import_outcome outcome);
// 0, 4 or 8, as the command line ends.
int import_exit_code(enum import_outcome outcome);

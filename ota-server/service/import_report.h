// What is kept of an import: a document that says how it stands, and its findings in pages.
//
// Never: a key, a whole identifier, or that another tenant has a card (IMP-213 is shown as
// IMP-211).
#pragma once

#include "ota-server/service/import_registry.h"

#define IMPORT_DOCUMENT_MAX 8192
#define IMPORT_PAGE 100 // findings in a document
#define IMPORT_VENDOR_SIZE 64

// What a request for an import said.
struct import_order {
    uint64_t import, tenant, pool;
    uint64_t corrects; // the import whose held-back records it brings, the first of several; or 0
    uint64_t correlator;
    struct actor actor; // who ordered it
    char vendor[IMPORT_VENDOR_SIZE];
    char batch[HEADER_TEXT_SIZE]; // of a CSV without a header of its own, or ""
    char address[48];
    bool is_partial, is_dry;
    bool is_update;   // cards that are known change; such an import is dry until it is applied
    uint64_t applies; // the import whose kept file it applies; or 0
    uint64_t quantity;
    struct utc created_at;
};

struct import_state {
    const char *status;  // "UPLOADED", "CHECKING", "LOADING", "ENDED"
    const char *failure; // why it ended without an outcome of its own, or NULL
    uint64_t done;       // records of the pass under way
    uint64_t total;      // announced by the file
    struct utc at;
    const struct import_report *report;   // when ended, or NULL
    const struct import_changes *changes; // of an update with a report
    bool is_dropped;                      // what was held back
    bool is_kept;                         // the file, see import_body.h
};

// Kinds of documents.
#define IMPORT_KIND "import"
#define IMPORT_FINDINGS_KIND "import-findings"
enum { IMPORT_OPEN, IMPORT_ENDED }; // states of the first

void import_document_write(struct writer *out, const struct import_order *order,
                           const struct import_state *state);
// The document of an import that was ordered, and its row of the trail.
enum store_status import_order_put(struct store *store, const struct import_order *order,
                                   struct utc now) MUST_USE;
// The same document later: one of the states below. It must have been changed never before.
enum store_status import_state_put(struct store *store, const struct import_order *order,
                                   const struct import_state *state,
                                   int64_t document_state) MUST_USE;
// What was put as the end of an import that was still open: now it counts.
enum store_status import_outcome_show(struct store *store, uint64_t import,
                                      struct utc now) MUST_USE;
// Tells clients how far it is, or that it has ended: then `failure` is its outcome.
enum store_status import_tell(struct store *store, uint64_t import, uint64_t tenant,
                              const struct import_state *state, struct utc now) MUST_USE;
// The row of the trail that tells of its end, and what clients are told.
enum store_status import_trail_put(struct store *store, const struct import_order *order,
                                   const char *result, struct utc now) MUST_USE;
// The alarms of an import that was refused, or whose keys are not those of their check values.
// `report` NULL: it failed without one.
enum store_status import_alarms_raise(const struct import_target *target,
                                      const struct import_report *report) MUST_USE;
// What the document of an import that has not ended says of its order.
void import_order_read(const struct document *d, struct import_order *order);
// The findings as documents below the import, in their order.
enum store_status import_findings_put(const struct import_target *target,
                                      const struct findings *findings) MUST_USE;

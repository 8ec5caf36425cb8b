// The values of a file that may be there only once: noted while it is read, compared at its end.
//
// Promises: memory is fixed, whatever the file: notes go to a scratch, and are compared in as many
// passes over it as fit the table. Every value that comes again is told of, in the order of the
// file for each value. Values are told apart as seen.h says.
// Never: leaves a note behind.
#pragma once

#include "profiles/vendor/scratch.h"
#include "profiles/vendor/seen.h"

enum value_kind { VALUES_ICCID, VALUES_IMSI, VALUES_MSISDN, VALUES_KEY, VALUE_KINDS };

struct value_note {
    uint64_t value;
    uint32_t line;
    uint8_t kind; // enum value_kind
    uint8_t column;
    uint8_t unused[2];
};

#define VALUES_BUFFERED 4096
#define VALUES_TABLE 1200000 // values compared in a pass: 17 MB

struct values {
    /* private */
    const struct vendor_scratch *scratch;
    struct value_note *buffer;
    size_t len;
    uint64_t counts[VALUE_KINDS];
    uint64_t seed;
    size_t table; // VALUES_TABLE, or less in tests
};

// One that comes again: `first` is where it was first, `is_repeated` when that has been told.
typedef bool values_again_fn(void *context, const struct value_note *note,
                             const struct seen_place *first, bool is_repeated);

bool values_open(struct values *v, const struct vendor_scratch *scratch, uint64_t seed) MUST_USE;
// Harmless on a zeroed struct.
void values_close(struct values *v);
// False when the scratch fails.
bool values_add(struct values *v, const struct value_note *note) MUST_USE;
// False when memory, the scratch or `again` fails.
bool values_compare(struct values *v, values_again_fn *again, void *context) MUST_USE;

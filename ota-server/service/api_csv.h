// Lines of CSV [RFC 4180]: every text is quoted.
//
// Promises: a spreadsheet does not take a text for a formula: one that starts as such gets an
// apostrophe before it.
#pragma once

#include "common/base/bytes.h"

// A line of fields; `csv_end` ends it.
struct csv {
    struct writer *out;
    bool has_field; // on the line under way
};
static inline struct csv csv_of(struct writer *out)
{
    return (struct csv){.out = out};
}
void csv_text(struct csv *c, const char *text);
void csv_number(struct csv *c, uint64_t number);
void csv_fixed(struct csv *c, int64_t number, unsigned digits); // behind the point, at most 18
void csv_nothing(struct csv *c);
void csv_end(struct csv *c);

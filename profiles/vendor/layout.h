// What the three layouts share behind file.h; used by nobody else.
#pragma once

#include "profiles/vendor/file.h"

// The next line, with refusals of the stream turned into findings.
enum file_verdict layout_line(struct vendor_file *f, struct line *line) MUST_USE;
// Counts a record and takes it into the digest of the data.
enum file_verdict layout_record(struct vendor_file *f, const struct line *line) MUST_USE;
// A line "Records: n" or "SHA256-DATA: hex" of a trailer; others are a warning.
void layout_trailer(struct vendor_file *f, const struct line *line, struct bytes text);
// Keeps one field; counts it in any case.
static inline void layout_field(struct vendor_fields *fields, struct bytes text)
{
    if (fields->count < VENDOR_COLUMNS_MAX)
        fields->at[fields->count] = text;
    fields->count++;
}

// Each reads to the first record; judge_header() follows.
enum file_verdict varout_header(struct vendor_file *f) MUST_USE;
enum file_verdict csv_header(struct vendor_file *f) MUST_USE;
enum file_verdict positional_header(struct vendor_file *f) MUST_USE;

enum file_verdict varout_next(struct vendor_file *f, struct vendor_fields *fields) MUST_USE;
enum file_verdict csv_next(struct vendor_file *f, struct vendor_fields *fields) MUST_USE;
enum file_verdict positional_next(struct vendor_file *f, struct vendor_fields *fields) MUST_USE;

// True when a line is the column names of a CSV, or the first line of a positional file.
bool csv_is_columns(struct bytes line) MUST_USE;
bool positional_is_first(struct bytes line) MUST_USE;

// Turns the names of the record into columns: IMP-104, IMP-107. `line` is where they stand.
void columns_add(struct vendor_file *f, struct bytes name, uint32_t line);
// The column of a name, or NULL.
struct vendor_column *columns_find(struct vendor_file *f, struct bytes name);
// Whether the columns hold what the targets and the profile require, and which slots there are.
void columns_judge(struct vendor_file *f);

// Everything about the header that needs more than one line of it; loads the transport keys.
enum file_verdict judge_header(struct vendor_file *f) MUST_USE;

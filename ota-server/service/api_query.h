// Query parameters and lists: strict reading, pages, range filters and the headers that repeat
// them.
//
// A handler takes the parameters it knows; api_query_end() then refuses what nobody took. So the
// list of known parameters stands in one place, the code that uses them.
#pragma once

#include "common/base/time.h"
#include "ota-server/service/api_error.h"
#include "ota-server/service/api_text.h"

#define API_PARAMETERS_MAX 32
#define API_QUERY_MAX 8192
#define API_PER_PAGE_MAX 100
#define API_PER_PAGE 20
#define API_DEPTH_MAX 10000 // page * perPage; beyond it a cursor
#define API_CURSOR_MAX 200
#define API_CURSOR_FORM "It must be the cursor of an answer that is no older than an hour"

struct api_parameter {
    struct bytes name;
    struct bytes value;
    bool is_taken;
};

struct api_query {
    struct api_parameter items[API_PARAMETERS_MAX];
    size_t count;
    /* private */
    uint8_t decoded[API_QUERY_MAX];
};

// Decodes `raw` (without "?"). Refused: a bad percent sign, a name given twice, too many.
struct api_problem api_query_read(struct api_query *q, struct bytes raw) MUST_USE;
// The value of `name`, which is then known; false when it was not given.
bool api_query_take(struct api_query *q, const char *name, struct bytes *value);
// INVALID_ARGUMENT for the first parameter that nobody took.
struct api_problem api_query_end(const struct api_query *q) MUST_USE;

// Each leaves `out` as it is when the parameter is absent, and refuses a value of another form.
struct api_problem api_query_bool(struct api_query *q, const char *name, bool *out) MUST_USE;
struct api_problem api_query_number(struct api_query *q, const char *name, uint64_t *out) MUST_USE;
struct api_problem api_query_time(struct api_query *q, const char *name, struct utc *out) MUST_USE;
// Of API_RANGE().
struct api_problem api_query_range(struct api_query *q, const char *const names[API_RANGE_ENDS],
                                   struct utc *from, struct utc *to) MUST_USE;
// The index of the value in `names` (ended by NULL); `out` stays -1 when absent.
struct api_problem api_query_enum(struct api_query *q, const char *name, const char *const *names,
                                  int *out) MUST_USE;

struct api_page {
    uint32_t page;     // from 1
    uint32_t per_page; // 1 to API_PER_PAGE_MAX
    int sort;          // index into the allowed fields; 0, the first, when not given
    bool is_descending;
    bool has_cursor;
    uint64_t cursor; // the key after which the list goes on
};

// Takes page, perPage, sort and cursor. `fields` are the allowed sort fields, ended by NULL; the
// first one is the default. `now` judges the age of the cursor.
struct api_problem api_page_read(struct api_query *q, const char *const *fields, struct utc now,
                                 struct api_page *out) MUST_USE;
// The same from numbers that stood in a body; 0 stands for "not given".
struct api_problem api_page_check(struct api_page *page) MUST_USE;
// Rows before the page.
static inline uint64_t api_page_offset(const struct api_page *page)
{
    return (uint64_t)(page->page - 1) * page->per_page;
}

// Opaque text of the cursor that goes on after `key`; valid for an hour.
void api_cursor_write(struct writer *w, uint64_t key, struct utc now);
// False when malformed or too old.
bool api_cursor_read(struct bytes text, struct utc now, uint64_t *key) MUST_USE;

struct api_total {
    uint64_t count;
    bool is_estimate;
    bool has_next; // there is a row after the page
    uint64_t next; // key of the last row of the page, when has_next
};

uint64_t api_total_pages(const struct api_total *total, const struct api_page *page);
// X-Total-Count, X-Total-Pages and Link as lines `Name: value` ended by LF. `url` is the list's own
// absolute URL without query; `raw` the query as sent, whose page and cursor are replaced.
void api_page_headers(struct writer *headers, struct bytes url, struct bytes raw,
                      const struct api_page *page, const struct api_total *total);

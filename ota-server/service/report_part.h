// What the tables of reports are made with. Not for others.
#pragma once

#include "ota-server/service/api_text.h"
#include "ota-server/service/report.h"

#define REPORT_TEXT_MAX 160 // octets of a cell that is read from a document: all that one may do

struct report_heading {
    unsigned chapter; // from 1, of the regulator's
    const char *id, *title;
    const char *source;         // what it is made of
    const char *const *columns; // ended by NULL
};

void report_open(struct report_work *r, const struct report_heading *h, struct utc now);
void report_close(struct report_work *r);
// False: it is one that is left out.
bool report_row(struct report_work *r);
// The row behind the others, of all that were left out; there is always room for it.
void report_last_row(struct report_work *r);
void report_row_end(struct report_work *r);
void report_text(struct report_work *r, const char *text);
void report_number(struct report_work *r, uint64_t number);
void report_id(struct report_work *r, const char *prefix, uint64_t id); // "" for 0
void report_time(struct report_work *r, struct utc at);                 // "" for 0
// Is the report about cards of this group, and about this moment?
bool report_has(const struct report_work *r, uint64_t group);
bool report_covers(const struct report_work *r, struct utc at);

// --- documents, a page at a time ---------------------------------------------------------------

struct report_note {
    uint64_t id, owner, parent;
    int64_t state;
    struct utc created_at;
    char texts[4][REPORT_TEXT_MAX + 1];
    uint64_t numbers[3];
};

struct report_page {
    const char *const *texts;   // names of members, at most 4; ended by NULL
    const char *const *numbers; // at most 3
    struct report_note notes[REPORT_PAGE];
    size_t count, seen;
    uint64_t reach, last; // whose objects count, or 0; and the last one that was seen
    bool (*read)(const struct document *d, struct report_note *n); // instead; or NULL
};

// NULL, and a status, when there is no memory.
struct report_page *report_page_new(const char *const *texts, const char *const *numbers,
                                    enum store_status *status);
// The next of a kind, of which at most `limit` are looked at; `is_last` when there are no more.
enum store_status report_read(struct report_work *r, struct store *s, const char *kind,
                              uint32_t limit, struct report_page *p, bool *is_last) MUST_USE;

// A table of documents: each of a kind is a row, or none.
struct report_listing {
    struct report_heading heading;
    const char *kind;
    uint32_t limit; // of rows in a step: 1 where each counts many others
    const char *const *texts, *const *numbers;
    enum store_status (*put)(struct report_work *r, struct store *s, const struct report_note *n);
    void (*put_last)(struct report_work *r); // or NULL
};

bool report_list(struct report_work *r, struct store *s, struct utc now, enum store_status *status,
                 const struct report_listing *l);

extern const char *const report_group_texts[]; // name, application field, province
// Adds the cards of a group.
enum store_status report_add_group(struct store *s, uint64_t group,
                                   uint64_t counts[CARD_STATES]) MUST_USE;

// --- report_lists.c: see report_table.run -------------------------------------------------------

bool report_groups(struct report_work *r, struct store *s, struct utc now,
                   enum store_status *status);
bool report_customers(struct report_work *r, struct store *s, struct utc now,
                      enum store_status *status);
bool report_bootstrap_totals(struct report_work *r, struct store *s, struct utc now,
                             enum store_status *status);
bool report_bootstraps(struct report_work *r, struct store *s, struct utc now,
                       enum store_status *status);
bool report_writers(struct report_work *r, struct store *s, struct utc now,
                    enum store_status *status);
bool report_pools(struct report_work *r, struct store *s, struct utc now,
                  enum store_status *status);
bool report_templates(struct report_work *r, struct store *s, struct utc now,
                      enum store_status *status);
bool report_imports(struct report_work *r, struct store *s, struct utc now,
                    enum store_status *status);

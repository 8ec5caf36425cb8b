// Reports: tables of a time, made a piece at a time from what the store holds [job.h], and kept.
//
// Promises: each table says what it was made of and when; an enterprise's report has nothing of
// another; identifiers of cards are ids only. Never: more than REPORT_ROWS_MAX rows of a table,
// or REPORT_WRITERS_MAX of who can write cards; what is left out is said, and the cards of groups
// that are stand in one row more.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/service/job.h"

#define REPORT_KIND "report"
#define REPORT_CONTENT_KIND "report-content" // the tables of the report with the same id, as JSON
#define REPORT_CONTENT_MAX (256u * 1024)     // as HTML it fits an answer
#define REPORT_ROWS_MAX 500
#define REPORT_WRITERS_MAX 1200 // as many of its rows as the content has room for
#define REPORT_DAYS_MAX 400
#define REPORT_GROUPS_MAX 500 // of one province
#define REPORT_PROVINCE_MAX 64
enum { REPORT_SIGNED = JOB_FAILED + 1 }; // behind the states of jobs

enum report_type {
    REPORT_OPERATIONS,
    REPORT_FALLBACK,
    REPORT_BOOTSTRAP,
    REPORT_IMEI_MISMATCH,   // there are no bindings yet
    REPORT_BINDING_HISTORY, // likewise
    REPORT_CARD_WRITERS,
    REPORT_INVENTORY,
    REPORT_IMPORTS,
    REPORT_REGULATOR,
};
extern const char *const report_types[];   // "OPERATIONS" ..., ended by NULL
extern const char *const report_formats[]; // "JSON", "CSV", "HTML", ended by NULL
#define REPORT_CHAPTERS 6
extern const char *const report_chapters[REPORT_CHAPTERS];

struct report_order {
    enum report_type type;
    int format;
    uint64_t owner; // enterprise that asked
    uint64_t reach; // whose objects it is about; 0: all
    uint64_t group; // or 0
    struct utc from, to;
    char province[REPORT_PROVINCE_MAX + 1]; // or ""
};
bool report_order_read(const struct document *d, struct report_order *o);

// A step of the job.
enum store_status report_step(void *context, struct job *job);

// --- a report in the making; see report_part.h -----------------------------------------------

#define REPORT_PAGE 200 // objects that a step looks at

#define REPORT_KINDS (OPERATION_AUDIT + 1)
// Of operations that were asked for in the time.
struct report_counts {
    uint64_t by_kind[REPORT_KINDS][FIGURE_OUTCOMES]; // enum operation_outcome; 0: not ended
    uint64_t failures[256];                          // enum operation_failure
    uint64_t asked[REPORT_DAYS_MAX + 1], done[REPORT_DAYS_MAX + 1]; // days from the first
};

#define REPORT_TOTALS_MAX (REPORT_ROWS_MAX - 2) // besides a row of all, and one of all others
// Bootstraps that began in the time, of a group or of several.
struct report_total {
    uint64_t group;
    uint64_t by_state[BOOTSTRAP_STATES], jobs;
};

#define REPORT_WRITER_KINDS 4 // user, client, rule, permission
struct report_writers {
    uint64_t found, listed;
};

struct report_work {
    struct report_order order;
    size_t table;                     // of the catalogue
    uint64_t after;                   // where the table is: an id, or a number
    unsigned part;                    // of the table
    uint32_t rows, rows_max, omitted; // of the table
    bool is_open;                     // the table
    bool is_limited;                  // to the groups below
    uint64_t groups[REPORT_GROUPS_MAX];
    size_t group_count, groups_left_out;
    struct report_counts counts;
    uint64_t states[CARD_STATES]; // cards of the groups
    struct report_total all, others, totals[REPORT_TOTALS_MAX];
    size_t total_count;
    uint64_t other_cards; // of the groups that have no row
    struct report_writers writers[REPORT_WRITER_KINDS];
    struct writer w;
    struct json_writer j;
    uint8_t octets[REPORT_CONTENT_MAX];
};

struct report_table {
    unsigned types; // set of (1 << enum report_type)
    // Goes on with it; true when it is whole. On a status other than OK the report begins again.
    bool (*run)(struct report_work *r, struct store *s, struct utc now, enum store_status *status);
};
extern const struct report_table report_tables[];
extern const size_t report_table_count;

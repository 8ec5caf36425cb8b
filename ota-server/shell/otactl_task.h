// What every verb does: ask the server, go through ids and pages, start operations and wait for
// them, and say the result on the last line of standard output.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/shell/otactl_options.h"
#include "ota-server/shell/otactl_show.h"

#define CTL_ID_SIZE 65
#define CTL_BODY_MAX 65536

// ctl_call() with the options --dry-run and --idempotency-key of the task. In --json mode an
// answer that is an error is printed too.
enum ctl_exit ctl_ask(struct ctl_task *t, struct ctl_request *r, struct ctl_answer *a) MUST_USE;
// "card show", for messages.
const char *ctl_task_name(const struct ctl_task *t, char name[64]);
// Says on standard error what is wrong with the command and answers CTL_WRONG_USE.
enum ctl_exit ctl_wrong(const struct ctl_task *t, const char *what, const char *value);
// Has the id this prefix and nothing that ids do not have?
bool ctl_is_id(const char *text, const char *prefix);

// The JSON of an answer as it came: one document, or an element when there are several ids.
void ctl_print_json(struct ctl_task *t, const struct ctl_answer *a);
// In --json mode prints the document; else, unless --quiet, its members as a table.
void ctl_print_object(struct ctl_task *t, const struct ctl_answer *a);
// The last line: nothing in --json mode.
void ctl_print_result(const struct ctl_task *t, const char *text);
bool ctl_is_dry_run(const struct ctl_task *t);
// The answer to a dry run.
void ctl_print_dry_run(struct ctl_task *t, const struct ctl_answer *a);

// Calls `one` for the object named by the first argument, or each line of standard input when that
// is "-"; answers for all of them together.
enum ctl_exit ctl_each_id(struct ctl_task *t, const char *prefix,
                          enum ctl_exit (*one)(struct ctl_task *t, const char *id)) MUST_USE;
// The same for all arguments.
enum ctl_exit ctl_each_of_ids(struct ctl_task *t, const char *prefix,
                              enum ctl_exit (*one)(struct ctl_task *t, const char *id)) MUST_USE;
// For cards, which may be named by --iccid and the like instead; `rest` is the number of the first
// argument that is not a card then.
enum ctl_exit ctl_each_card(struct ctl_task *t,
                            enum ctl_exit (*one)(struct ctl_task *t, const char *id)) MUST_USE;
bool ctl_names_card(const struct ctl_task *t);
// The one subscription that --subscription, --sub-iccid or --sub-imsi names. CTL_WRONG_USE when
// none is named.
enum ctl_exit ctl_subscription_of(struct ctl_task *t, char id[CTL_ID_SIZE]) MUST_USE;

struct ctl_listing {
    const char *path;
    const char *id; // the object, between path and suffix; NULL: none
    const char *suffix;
    const char *search;     // members of a search, `"iccid":"…"`; NULL: a GET
    bool has_page_in_query; // of a search; else its body has the page
    bool has_pairs;         // the arguments are parameters as NAME=VALUE
    const char *noun;       // of the last line, plural
    const char *key;        // the column that --quiet prints
    const char *sort;       // unless --sort says otherwise; NULL: as the server does
    const struct ctl_column *columns;
    bool (*is_marked)(const json_t *item);
};
// All pages up to --limit, with the filters the verb takes, printed.
enum ctl_exit ctl_list(struct ctl_task *t, const struct ctl_listing *l) MUST_USE;

// GET of path/id+suffix, printed as an object; the last line is its id and state.
enum ctl_exit ctl_show(struct ctl_task *t, const char *path, const char *id,
                       const char *suffix) MUST_USE;
// Sends a body that is complete; then prints the object and its id.
enum ctl_exit ctl_change(struct ctl_task *t, struct ctl_request *r, const char *result) MUST_USE;
// POST path/id/act, whose body is --reason alone; `text` keeps it.
#define CTL_REASON_SIZE 1024
enum ctl_exit ctl_act_request(struct ctl_task *t, const char *path, const char *id, const char *act,
                              uint8_t text[CTL_REASON_SIZE], struct ctl_request *r) MUST_USE;
// ctl_change() of it.
enum ctl_exit ctl_act(struct ctl_task *t, const char *path, const char *id, const char *act,
                      const char *result) MUST_USE;

// Starts an operation that `r` asks for and, with --wait, follows it to its end.
enum ctl_exit ctl_operate(struct ctl_task *t, struct ctl_request *r) MUST_USE;
// Follows an operation until it ends or --wait is over, and prints it. The exit code is its
// outcome's.
enum ctl_exit ctl_follow(struct ctl_task *t, const char *id) MUST_USE;

// Waiting for something that the server does: asks for path/id until its `status` is ENDED.
struct ctl_wait {
    const char *path, *id;
    // A few words for the progress line;
    void (*describe)(const json_t *object, char *text, size_t size);
    const char *resume; // what to type to go on waiting, "otactl op wait"
    // When it is not for its status; with the member that says where it is.
    bool (*has_ended)(const json_t *object);
    const char *state;
};
// CTL_DONE when it ended, whatever the outcome: `a` is its last state, to be freed in every case.
enum ctl_exit ctl_wait(struct ctl_task *t, const struct ctl_wait *w, struct ctl_answer *a) MUST_USE;
// The progress line on a terminal; NULL clears it.
void ctl_progress(const struct ctl_task *t, const char *text);

// The whole file, or standard input for "-"; NULL after saying why. The caller frees it.
char *ctl_read_file(const char *path, size_t len_max, size_t *len) MUST_USE;
// The file, to be sent; standard input for "-", kept in a file first: it is read twice, to be
// signed and to be sent. NULL: errno says why.
FILE *ctl_open_upload(const char *path) MUST_USE;
// A secret of one line from a file that only its owner can read, without the line's end: never from
// the command line, where others see it. False after saying why; the caller wipes `text` always.
bool ctl_read_secret(const char *path, char *text, size_t size, size_t *len) MUST_USE;
// Adds the arguments, each NAME=VALUE, as parameters; false after saying which is none.
bool ctl_put_pairs(const struct ctl_task *t, struct ctl_request *r) MUST_USE;
// Sends the arguments from `first` on, each NAME=VALUE, as an object, with --reason; and prints the
// answer. The values of a list are joined by commas; nothing behind "=" takes a value away; @FILE
// is JSON of a file.
enum ctl_exit ctl_send_pairs(struct ctl_task *t, struct ctl_request *r, size_t first,
                             const char *result) MUST_USE;
// Those as an object; NULL after saying what is wrong.
json_t *ctl_pairs(const struct ctl_task *t, size_t first);
// The same with --reason.
json_t *ctl_object_of_pairs(const struct ctl_task *t, size_t first);
// Values joined by commas.
json_t *ctl_list_of(const char *value);
// Adds --reason, if it was given.
void ctl_put_reason(const struct ctl_task *t, json_t *object);
// Sends the object, which ends here, and prints the answer.
enum ctl_exit ctl_send_object(struct ctl_task *t, struct ctl_request *r, json_t *object,
                              const char *result) MUST_USE;
// What the arguments say: POST of all to `path`; PATCH of all but the first, which is the id.
enum ctl_exit ctl_create(struct ctl_task *t, const char *path) MUST_USE;
enum ctl_exit ctl_set(struct ctl_task *t, const char *path) MUST_USE;
enum ctl_exit ctl_delete(struct ctl_task *t, const char *path, const char *id) MUST_USE;
// A change whose body is the reason alone, where there is one.
enum ctl_exit ctl_send_reason(struct ctl_task *t, struct ctl_request *r,
                              const char *result) MUST_USE;
// Adds every option that is a query parameter.
void ctl_put_query(const struct ctl_task *t, struct ctl_request *r);
// A number option; the value stays as it is when the option is not given.
bool ctl_number(const struct ctl_task *t, enum ctl_option option, uint64_t *value) MUST_USE;
// Puts the member unless the option is absent: as text, upper case with "-" as "_", or true.
void ctl_put_text(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name);
void ctl_put_word(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name);
void ctl_put_flag(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name);

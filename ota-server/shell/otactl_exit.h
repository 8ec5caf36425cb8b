// otactl's exit codes, and which one belongs to what the server answered. The same code always
// means the same to a script, whatever the verb.
#pragma once

#include "common/base/bytes.h"

enum ctl_exit {
    CTL_DONE = 0,
    CTL_INTERNAL,     // ours or the server's defect, or the server cannot be reached
    CTL_WRONG_USE,    // of the command line, or a value that the server calls wrong
    CTL_NOT_FOUND,    // the object, or the path
    CTL_REFUSED,      // policy, permission, state, rule pack, findings of an import
    CTL_TIMEOUT,      // the answer or the outcome did not come in time
    CTL_CARD_ERROR,   // the card answered an error, or went back
    CTL_NOT_VERIFIED, // a chain or digest is wrong
    CTL_IN_PART,      // some of it was done
};

// Of an HTTP status; 2xx is CTL_DONE.
enum ctl_exit ctl_exit_of_status(unsigned status);
// Of an operation that ended; `failure_code` may be NULL.
enum ctl_exit ctl_exit_of_operation(const char *outcome, const char *failure_code);
// Of an import that ended.
enum ctl_exit ctl_exit_of_import(const char *outcome);
// Of several results together: all alike, or some done and some not, or the first that failed.
struct ctl_tally {
    unsigned done_count, failed_count;
    enum ctl_exit first_failure;
};
void ctl_tally_add(struct ctl_tally *t, enum ctl_exit one);
enum ctl_exit ctl_tally_exit(const struct ctl_tally *t);

// What a person can do about a refusal: by its reason first, then by its code. NULL when there is
// nothing to say that the message does not say.
const char *ctl_advice(const char *reason, const char *code);

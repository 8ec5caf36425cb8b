// Months of the audit trail that left the server, verified from their files (core/trail_file.h).
//
// Promises: without --live nobody is asked, so that it serves where there is no server any more.
#pragma once

#include "ota-server/shell/otactl_task.h"

// The arguments are files, in the order of their months. The verdict has the members of the
// server's; `next` is the row behind them. The caller frees the verdict.
enum ctl_exit ctl_prove_files(struct ctl_task *t, uint64_t *next, json_t **verdict) MUST_USE;

// Months of the audit trail that left the server, verified from their files (core/trail_file.h).
//
// Promises: without --live nobody is asked, so that it serves where there is no server any more.
#pragma once

#include "ota-server/shell/otactl_task.h"

// The arguments are files, in the order of their months. The verdict has the members of the
// server's; `next` is the row behind them. The caller frees the verdict.
enum ctl_exit ctl_prove_files(struct ctl_task *t, uint64_t *next, json_t **verdict) MUST_USE;
// The key that --checkpoint-key gives, else the server's, which is believed to know it. The size is
// CRYPTO_SIGNER_SIZE.
enum ctl_exit ctl_proof_signer(struct ctl_task *t, uint8_t *signer) MUST_USE;
// otactl_witness.c: compares the checkpoints of --checkpoints with a trail that the server verified
// with this verdict, and completes it.
enum ctl_exit ctl_prove_copy(struct ctl_task *t, json_t *verdict) MUST_USE;

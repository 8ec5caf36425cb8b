// What contracts allow a client in a calendar month of UTC: calls of each API. Counted are the
// requests that were admitted, whatever became of them; those of clients without a quota are not.
//
// The counts are kept as documents of the kind "client-calls", some of them every second: a stop of
// the server may forget the calls of the last one. Never: counts what was refused before it.
#pragma once

#include "ota-server/service/auth_client.h"
#include "ota-server/service/turn.h"

#define QUOTA_CLIENTS_MAX 1024 // with a quota, that called since the start

struct quotas;

enum quota_status {
    QUOTA_LEFT,
    QUOTA_USED_UP,
    QUOTA_UNKNOWN, // the database does not tell, or too many clients have one
};

// NULL when there is no memory.
struct quotas *quotas_open(struct turn *turn, struct store *reader) MUST_USE;
void quotas_close(struct quotas *q);
// Takes a call of this API.
enum quota_status quotas_take(struct quotas *q, const struct auth_client *client, enum auth_api api,
                              struct utc now) MUST_USE;
// Keeps what was counted since: once a second.
void quotas_tick(struct quotas *q);
// Seconds to the next month.
uint64_t quota_resets_after_s(struct utc now);

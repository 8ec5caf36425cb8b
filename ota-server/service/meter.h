// Which calls of the interfaces are metered, and how they get into the call log.
//
// Promises: a call of a client under an API's base path becomes one line, with the class of its
// answer; a change is in the log with the commit of the change itself; a call that changes nothing
// is written with the next turn that has work, at the latest after a second, and waits while the
// disk refuses. Never: delays an answer, or counts a call twice. A kill may take the last second of
// calls that changed nothing, in favour of whom they would be charged to.
#pragma once

#include "common/host/zone.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/store/calls.h"

struct meter;

// NULL when there is no memory.
struct meter *meter_open(struct turn *turn) MUST_USE;
void meter_close(struct meter *m);

// The interface and the kind of operation of a route; false: it is none that is metered.
bool meter_of_route(const struct api_route_row *row, enum meter_api *api,
                    enum meter_operation *kind);
// The operation as the log names it: "POST /enable".
void meter_operation_name(const struct api_route_row *row, char name[CALL_OPERATION_SIZE]);

// The exchange is about to be answered with x->status: notes it, unless that is done.
void meter_answered(struct api_exchange *x);
// In the transaction of a change that will be answered with `status`.
enum store_status meter_changed(struct api_exchange *x, struct store *store,
                                unsigned status) MUST_USE;
// How the transaction ended.
void meter_settled(struct api_exchange *x, bool is_committed);

// Gives the turn what was noted: before each turn, if it has work; and once a second.
void meter_step(struct meter *m);
void meter_tick(struct meter *m);

struct meter_counts {
    uint64_t waiting, lost; // lost: the disk refused for long, and there was no room
};
struct meter_counts meter_counts(const struct meter *m);

// The time zone of an enterprise; "UTC" when it has none.
#define METER_ZONE_SIZE (ZONE_NAME_MAX + 1)
enum store_status meter_zone(struct store *store, uint64_t tenant,
                             char zone[METER_ZONE_SIZE]) MUST_USE;
// Is the month or year over there, and a minute more?
bool meter_is_closed(const char *zone, uint32_t period, struct utc now);
// Over everywhere that it ends first: 14 hours east of Greenwich.
bool meter_is_closed_somewhere(uint32_t month, struct utc now);

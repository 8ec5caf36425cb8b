// The applet's parameters as the API names and counts them: durations in seconds, REUSE_LIMIT in
// days, HEARTBEAT in hours; the card counts some of them otherwise (common/wire/parameter.h).
#pragma once

#include "ota-server/core/message.h"
#include "ota-server/core/timers.h"
#include "ota-server/service/api_body.h"
#include "ota-server/service/api_json.h"

// Writes a map of names to values as the list that CONFIGURE carries, and judges the ranges against
// `present`. The problem names the parameter. `changes_address` tells that SERVER_ADDR is in it.
struct api_problem api_parameters_read(const json_t *map, const struct parameters *present,
                                       struct writer *list, bool *changes_address) MUST_USE;
// Writes an array of names as the list of numbers to read; NULL: all.
struct api_problem api_parameter_names_read(const json_t *names, struct writer *list) MUST_USE;
// Members for the parameters of a set: bit n is number n.
#define API_PARAMETERS_ALL (((uint32_t)2 << PARAMETER_LAST) - 2)
void api_put_parameters(struct json_writer *j, const char *name, const struct parameters *p,
                        uint32_t set, enum clear clear);
// Members for those that a group wants, with the values that it wants.
void api_put_timers(struct json_writer *j, const char *name, const struct policy_timers *wanted,
                    enum clear clear);
// One of them as text: "300", "[60 120]"; the server's number masked, networks without IMSIs as
// "[46000=PREFER 262=FORBID]".
void api_parameter_tell(struct writer *w, const struct parameters *p, uint8_t number);
// What `count` operations that cost so much take; in at least so many seconds, if not 0.
void api_put_estimate(struct json_writer *j, struct message_cost cost, uint64_t count,
                      uint64_t seconds);
// Names of a set.
void api_put_parameter_names(struct json_writer *j, const char *name, uint32_t set);

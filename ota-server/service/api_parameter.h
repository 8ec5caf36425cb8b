// The applet's parameters as the API names and counts them: durations in seconds, REUSE_LIMIT in
// days, HEARTBEAT in hours; the card counts some of them otherwise (common/wire/parameter.h).
#pragma once

#include "ota-server/core/record.h"
#include "ota-server/service/api_body.h"
#include "ota-server/service/api_json.h"

// Writes a map of names to values as the list that CONFIGURE carries, and judges the ranges against
// `present`. The problem names the parameter. `changes_address` tells that SERVER_ADDR is in it.
struct api_problem api_parameters_read(const json_t *map, const struct parameters *present,
                                       struct writer *list, bool *changes_address) MUST_USE;
// Writes an array of names as the list of numbers to read; NULL: all.
struct api_problem api_parameter_names_read(const json_t *names, struct writer *list) MUST_USE;
// Members for every parameter.
void api_put_parameters(struct json_writer *j, const char *name, const struct parameters *p,
                        bool is_clear);

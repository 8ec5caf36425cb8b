// Members of an answer: a name and a value at once, in the forms that all answers share.
#pragma once

#include "common/base/json_writer.h"
#include "common/base/mask.h"
#include "common/base/time.h"
#include "common/host/json.h"
#include "ota-server/service/api_error.h"

void api_put_text(struct json_writer *j, const char *name, const char *text);
void api_put_octets(struct json_writer *j, const char *name, struct bytes text);
// Lower-case hexadecimal.
void api_put_hex(struct json_writer *j, const char *name, struct bytes octets);
// A check value of 3 octets, in capitals as vendor files and findings write it.
void api_put_kcv(struct json_writer *j, struct bytes kcv);
void api_put_number(struct json_writer *j, const char *name, uint64_t value);
// As an element of a list, how many are left out for a reason; nothing when none is.
void api_put_reason(struct json_writer *j, const char *reason, uint64_t count);
void api_put_bool(struct json_writer *j, const char *name, bool value);
void api_put_null(struct json_writer *j, const char *name);
// Nothing for the time 0.
void api_put_time(struct json_writer *j, const char *name, struct utc at);
// Nothing for the id 0.
void api_put_id(struct json_writer *j, const char *name, const char *prefix, uint64_t id);
// Which identifiers are not masked.
enum clear { CLEAR_NOTHING, CLEAR_BUT_IMSI, CLEAR_ALL };
bool api_is_clear(enum clear clear, enum mask mask);
// Masked unless it is clear; nothing for an empty text. Of a person: api_put_personal().
void api_put_identifier(struct json_writer *j, const char *name, enum mask mask, enum clear clear,
                        const char *text);
// As a member of an object that is kept.
void api_set_time(json_t *object, const char *name, struct utc at);
void api_open_object(struct json_writer *j, const char *name);
void api_open_array(struct json_writer *j, const char *name);
// The ErrorInfo object.
void api_put_problem(struct json_writer *j, const struct api_problem *p);

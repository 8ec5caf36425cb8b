// Reading a JSON body strictly: members are taken one by one, the first wrong one is the problem
// that is kept, and what nobody took is refused at the end.
//
// After a problem every further taking gives its default, so a handler asks once, at the end.
#pragma once

#include "common/base/time.h"
#include "common/host/json.h"
#include "ota-server/service/api_error.h"
#include "ota-server/service/api_text.h"

#define API_MEMBERS_MAX 48

enum api_need {
    API_OPTIONAL,
    API_REQUIRED,
};

struct api_body {
    const json_t *object;
    struct api_problem problem;
    /* private */
    const char *taken[API_MEMBERS_MAX];
    size_t taken_count;
};

// `object` may be NULL: then every required member is missing.
void api_body_init(struct api_body *b, const json_t *object);
// A given name that is not null; takes nothing.
bool api_body_has(const struct api_body *b, const char *name);
// Is the member null? Then it is known, and what takes it away.
bool api_body_is_null(struct api_body *b, const char *name);
// Between `min` and `max` octets; empty when absent.
struct bytes api_body_text(struct api_body *b, const char *name, enum api_need need, size_t min,
                           size_t max);
// OUT_OF_RANGE outside the bounds; `absent` when not given.
int64_t api_body_integer(struct api_body *b, const char *name, int64_t min, int64_t max,
                         int64_t absent);
bool api_body_bool(struct api_body *b, const char *name, bool absent);
// The index in `names`, which NULL ends; -1 when absent.
int api_body_enum(struct api_body *b, const char *name, enum api_need need,
                  const char *const *names);
// 0 when absent.
uint64_t api_body_id(struct api_body *b, const char *name, enum api_need need, const char *prefix);
struct utc api_body_time(struct api_body *b, const char *name);
// Of API_RANGE(), which the body keeps until its end.
void api_body_range(struct api_body *b, const char *const names[API_RANGE_ENDS], struct utc *from,
                    struct utc *to);
// NULL when absent.
const json_t *api_body_object(struct api_body *b, const char *name, enum api_need need);
const json_t *api_body_array(struct api_body *b, const char *name, enum api_need need);
// Keeps this as the problem unless there is one.
void api_body_fail(struct api_body *b, struct api_problem problem);
// Refuses what was not taken; true when all is well.
bool api_body_end(struct api_body *b) MUST_USE;

// An object inside: false when it was not given. What was not taken of it, and its first problem,
// is the outer one's at its close.
bool api_body_begin(struct api_body *outer, const char *name, struct api_body *inner) MUST_USE;
void api_body_close(struct api_body *outer, const char *name, struct api_body *inner);
// A problem of a member inside: its field gets the path.
void api_body_fail_within(struct api_body *outer, const char *name, struct api_problem p);

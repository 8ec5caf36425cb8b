// The tables, as steps from one version to the next. A step, once published, never changes. A new
// form of records (record.h) is a step, too, even if it changes no table.
#pragma once

#include <stddef.h>

extern const char *const schema_steps[];
extern const size_t schema_step_count;

// The tables, as steps from one version to the next. A step, once published, never changes.
#pragma once

#include <stddef.h>

extern const char *const schema_steps[];
extern const size_t schema_step_count;

// The server's JSON as tables for people. Values are found by a path of names ("applet.version"),
// and control characters a peer may have sent never reach the terminal.
#pragma once

#include "common/base/bytes.h"

#include <jansson.h>

#define CTL_CELL_MAX 32768

struct ctl_column {
    const char *title;
    const char *path;
};

// The value at `path` as text: arrays joined by spaces, objects as JSON, "" when absent or null.
// One that has no room ends with "...".
const char *ctl_text_at(const json_t *object, const char *path, char cell[CTL_CELL_MAX]);
// The member's text, or "" when there is none.
const char *ctl_string_at(const json_t *object, const char *name);

// One line per item on standard output; ends with a column whose title is NULL. `is_marked` (may
// be NULL) picks lines that are coloured when `has_color`.
void ctl_table_print(const struct ctl_column *columns, const json_t *items, bool has_color,
                     bool (*is_marked)(const json_t *item));
// All members of an object, one per line, those of inner objects as "outer.inner".
void ctl_object_print(const json_t *object);

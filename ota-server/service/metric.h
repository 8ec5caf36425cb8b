// Lines of a Prometheus scrape [Prometheus text exposition format 0.0.4]. Names are given without
// their prefix "otaria_".
#pragma once

#include "common/base/bytes.h"

// `type` is "gauge" or "counter"; the family's values follow.
void metric_family(struct writer *w, const char *name, const char *type, const char *help);
// `label` NULL: none.
void metric_value(struct writer *w, const char *name, const char *label, const char *value,
                  uint64_t number);
// A family of one value.
void metric_put(struct writer *w, const char *name, const char *type, const char *help,
                uint64_t number);

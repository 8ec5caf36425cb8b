// A report as people take it: JSON, CSV or HTML, from its document and its tables.
#pragma once

#include "common/host/json.h"
#include "ota-server/service/report.h"

// What is signed: order, texts and tables as one object. `report` is the document's body.
void report_put_json(struct json_writer *j, const char *id, const json_t *report,
                     struct bytes tables);
// A line for each row, which begins with its table; formulas are neutralised [api_csv.h].
void report_put_csv(struct writer *w, const json_t *report, const json_t *tables);
// A page that needs nothing but itself.
void report_put_html(struct writer *w, const char *id, const json_t *report, const json_t *tables);

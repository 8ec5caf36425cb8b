// What a change of a document changed, for its row of the trail: "role=OPERATOR, locked=false" as
// it was, and as it is.
//
// Promises: no secret is in it and nothing of a person; such members are named, with a star for
// their values.
#pragma once

#include "ota-server/service/api_exchange.h"

#define API_DIFFERENCE_JSON_MAX 65536 // more than any document takes

// Writes a document as the API shows it; NULL: its body.
typedef void api_difference_fn(struct json_writer *j, const struct document *d);

// How the document is now, in the transaction of its change and before it.
enum store_status api_difference_begin(struct api_exchange *x, struct store *store,
                                       const char *kind, uint64_t id,
                                       api_difference_fn *show) MUST_USE;
// After it, by the function that writes the row. Nothing without a beginning.
enum store_status api_difference_end(struct api_exchange *x, struct store *store) MUST_USE;
// The same of what is no document; NULL: it is new, or gone.
void api_difference_put(struct api_exchange *x, const char *kind, const json_t *was,
                        const json_t *is);
void api_difference_free(struct api_exchange *x);

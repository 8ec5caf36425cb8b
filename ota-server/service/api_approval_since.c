// What a request about a card's doubt, or its quarantine, was made for: a later one is another
// matter.
#include "ota-server/service/api_approval.h"

#include <stdlib.h>

struct utc api_approval_since(const struct record *record, uint8_t event_type)
{
    return event_type == EVENT_CLEAR_DIRTY ? record_doubted_at(record)
                                           : record->mark_since[MARK_QUARANTINED];
}

// Is the doubt, or the quarantine, still the one that the request was made for?
enum store_status api_approval_judge_since(struct api_exchange *x, struct store *store,
                                           const struct api_object *object)
{
    struct record *record = malloc(sizeof(*record));
    json_t *root = NULL;
    struct bytes text = {0};
    struct utc since = {0};
    enum store_status status =
        record != NULL ? store_card_load(store, x->card_id, record) : STORE_FAILED;
    const bool has_since =
        json_read(object->document.body, &root) == JSON_READ_OK &&
        json_get_text(json_object_get(root, "request"), "since", &text) == JSON_FOUND &&
        api_read_time(text, &since);
    if (status == STORE_OK &&
        (!has_since || since.ms == 0 || api_approval_since(record, x->event.type).ms != since.ms)) {
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "The card has changed since: ask for it anew");
        status = STORE_CONFLICT;
    }
    json_decref(root);
    free(record);
    return status;
}

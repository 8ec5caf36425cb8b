// The queue of cards whose state is in doubt.
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_operation.h"

#include <stdlib.h>

int api_dirty_reason_of(struct bytes name)
{
    for (unsigned i = 1; i < DIRTY_REASONS; i++) {
        if (bytes_equal(name, bytes_of_text(dirty_reason_name((uint8_t)i))))
            return (int)i;
    }
    return -1;
}

static struct api_problem no_reason(void)
{
    const char *names[DIRTY_REASONS] = {NULL};
    for (unsigned i = 1; i < DIRTY_REASONS; i++)
        names[i - 1] = dirty_reason_name((uint8_t)i);
    return api_problem_enum(bytes_of_text("reason"), names);
}

struct dirty_rows {
    uint64_t cards[API_PER_PAGE_MAX];
    size_t count;
    struct record record;
};

static bool collect(void *context, const struct card_row *row)
{
    struct dirty_rows *rows = context;
    rows->cards[rows->count] = row->card;
    return ++rows->count < API_PER_PAGE_MAX;
}

static void put_dirty(struct api_exchange *x, const struct record *r)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_id(j, "cardId", "crd", r->card);
    api_open_array(j, "reasons");
    for (unsigned i = 1; i < DIRTY_REASONS; i++) {
        if (r->reasons[i].since.ms == 0)
            continue;
        json_begin_object(j);
        api_put_text(j, "reason", dirty_reason_name((uint8_t)i));
        api_put_time(j, "since", r->reasons[i].since);
        api_put_id(j, "operationId", "op", r->reasons[i].operation);
        json_end_object(j);
    }
    json_end_array(j);
    const int64_t age_ms = x->now.utc.ms - r->dirty_since.ms;
    api_put_number(j, "age", age_ms > 0 ? (uint64_t)age_ms / 1000 : 0);
    api_put_number(j, "attempts", r->dirty_attempts);
    api_put_time(j, "nextAttemptAt", r->next_audit_at);
    if (r->last_audit_outcome != AUDIT_NONE)
        api_put_text(j, "lastOutcome", audit_outcome_name(r->last_audit_outcome));
    api_put_bool(j, "needsOperator", r->needs_operator);
    api_put_bool(j, "unreachable", record_has_mark(r, MARK_UNREACHABLE));
    json_end_object(j);
}

static bool read_filter(struct api_exchange *x, struct card_filter *f)
{
    bool is_unreachable = false;
    bool needs_operator = false;
    struct bytes text;
    struct api_problem p = api_problem_of(API_OK);
    card_filter_init(f);
    f->tenant = api_reach(x);
    f->grants = api_reading(x);
    f->mark = MARK_DIRTY;
    f->sort = SORT_DIRTY;
    if (api_query_take(&x->query, "reason", &text)) {
        f->dirty_reason = api_dirty_reason_of(text);
        if (f->dirty_reason < 0)
            p = no_reason();
    }
    if (api_query_take(&x->query, "groupId", &text))
        api_card_group_read(text, f);
    if (p.code == API_OK && api_query_take(&x->query, "unreachable", &text)) {
        p = api_query_bool(&x->query, "unreachable", &is_unreachable);
        f->is_unreachable = is_unreachable ? 1 : 0;
    }
    if (p.code == API_OK && api_query_take(&x->query, "needsOperator", &text)) {
        p = api_query_bool(&x->query, "needsOperator", &needs_operator);
        f->needs_operator = needs_operator ? 1 : 0;
    }
    if (p.code == API_OK)
        return true;
    api_refuse(x, p);
    return false;
}

void api_dirty_list(struct api_exchange *x)
{
    static const char *const fields[] = {"dirtySince", NULL};
    struct card_filter filter;
    struct api_list list;
    if (!read_filter(x, &filter) || !api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    filter.is_descending = list.page.is_descending;
    struct dirty_rows *rows = calloc(1, sizeof(*rows));
    x->work = rows;
    if (rows == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    enum store_status status =
        store_cards(x->reader, &filter, &list.window, collect, rows, &list.total);
    api_list_open(x);
    for (size_t i = 0; i < rows->count && status == STORE_OK; i++) {
        status = store_card_load(x->reader, rows->cards[i], &rows->record);
        if (status == STORE_OK)
            put_dirty(x, &rows->record);
    }
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

void api_dirty_summary(struct api_exchange *x)
{
    static const char *const ages[] = {"under1h", "under24h", "under7d", "older"};
    struct json_writer *j = &x->json;
    struct dirty_summary summary;
    if (!api_end_reading(x))
        return;
    const enum store_status status =
        store_dirty_summary(x->reader, api_reach(x), api_reading(x), x->now.utc, &summary);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    json_begin_object(j);
    api_put_number(j, "total", summary.total);
    api_put_number(j, "unreachable", summary.unreachable);
    api_put_number(j, "needsOperator", summary.needs_operator);
    api_open_object(j, "byReason");
    for (unsigned i = 1; i < DIRTY_REASONS; i++) {
        if (summary.by_reason[i] > 0)
            api_put_number(j, dirty_reason_name((uint8_t)i), summary.by_reason[i]);
    }
    json_end_object(j);
    api_open_object(j, "byAge");
    for (unsigned i = 0; i < 4; i++)
        api_put_number(j, ages[i], summary.by_age[i]);
    json_end_object(j);
    json_end_object(j);
    api_reply(x, 200);
}

// --- actions ---

static struct record *open_record(struct api_exchange *x)
{
    struct record *record = calloc(1, sizeof(*record));
    x->work = record;
    if (record == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    return api_card(x, record) ? record : NULL;
}

void api_dirty_audit(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || open_record(x) == NULL)
        return;
    x->event.as.request.operation = (struct operation){
        .id = api_new_id(x),
        .kind = OPERATION_AUDIT,
        .actor = api_actor(x),
        .correlator = x->correlator_id,
    };
    api_operation_submit(x);
}

static void answer_resolved(struct api_exchange *x, const struct turn_answer *answer)
{
    if (answer->refusal != REFUSAL_NONE) {
        api_refuse(x, api_refusal(answer->refusal));
        return;
    }
    if (x->is_dry_run) {
        api_reply_plan(x, answer->operation != 0 ? 202 : 200);
        return;
    }
    if (answer->operation != 0 && api_operation_reply_accepted(x, answer->operation))
        return;
    struct record *record = x->work;
    if (store_card_load(x->reader, x->card_id, record) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_put_card(x, record);
    api_reply(x, 200);
}

void api_dirty_resolve(struct api_exchange *x)
{
    static const char *const decisions[] = {"ACCEPT_CARD", "PUSH_SERVER", NULL};
    const int decision = api_body_enum(&x->body, "decision", API_REQUIRED, decisions);
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x))
        return;
    const struct record *record = open_record(x);
    if (record == NULL)
        return;
    if (!record->needs_operator) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "No finished audit waits for a decision: wait "
                                       "for the audit's end"));
        return;
    }
    x->event.type = EVENT_RESOLVE;
    x->event.push_server = decision == 1;
    api_submit(x, answer_resolved);
}

#include "ota-server/service/api_operation.h"

#include "common/base/text.h"
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/template_size.h"

#include <stdlib.h>

// --- showing ---

static void put_if(struct json_writer *j, const char *name, const char *text)
{
    if (text[0] != '\0')
        api_put_text(j, name, text);
}

// A rule is that of a group.
static const char *actor_prefix(uint8_t kind)
{
    return kind == ACTOR_USER ? "usr" : kind == ACTOR_RULE ? "grp" : "cli";
}

static void put_origin(struct api_exchange *x, const struct operation *o)
{
    struct json_writer *j = &x->json;
    char correlator[API_CORRELATOR_MAX + 1];
    api_open_object(j, "requestedBy");
    api_put_text(j, "kind", actor_kind_name(o->actor.kind));
    api_put_id(j, "id", actor_prefix(o->actor.kind), o->actor.id);
    json_end_object(j);
    api_put_id(j, "approvalId", "apr", o->approval);
    api_put_id(j, "campaignId", "cmp", o->campaign);
    api_put_id(j, "retryOf", "op", o->retry_of);
    api_correlator_find(x, o->correlator, correlator);
    put_if(j, "correlator", correlator);
}

const char *api_operation_failure(uint8_t failure)
{
    static const char *const texts[] = {
        [FAILURE_NONE] = "",
        [FAILURE_NO_LINK] = "No link to an SMSC took the message",
        [FAILURE_SUBMIT_REJECTED] = "The SMSC refused the message",
        [FAILURE_DELIVERY_FAILED] = "The message could not be delivered",
        [FAILURE_DELIVERY_EXPIRED] = "The message expired before it was delivered",
        [FAILURE_OTA_TIMEOUT] = "The card did not answer in time",
        [FAILURE_POR_ERROR] = "The card refused the secured packet",
        [FAILURE_CARD_REFUSED] = "The applet refused the command",
        [FAILURE_ROLLED_BACK] = "The card went back to the subscription before",
        [FAILURE_APPROVAL_REJECTED] = "The approval was refused",
        [FAILURE_APPROVAL_EXPIRED] = "Nobody approved in time",
        [FAILURE_REFUSED_AT_SEND] = "The state had changed when it was to be sent",
        [FAILURE_CARD_UNREACHABLE] = "The card was not reached within the lifetime",
        [FAILURE_CANCELLED] = "It was cancelled",
        [FAILURE_INTERNAL] = "Internal error",
    };
    return failure < sizeof(texts) / sizeof(texts[0]) ? texts[failure] : "";
}

static bool see_full(void *context, const struct document *d)
{
    *(size_t *)context = template_full_octets(d->body);
    return false;
}

// What the template saved, if the inventory of who has the subscription knows how much the profile
// is without it.
static void put_saved(struct api_exchange *x, const struct operation *o)
{
    char name[32];
    struct writer w = writer_of(name, sizeof(name));
    struct subscription s;
    size_t full = 0;
    if (o->kind != OPERATION_DOWNLOAD || o->bytes_mt == 0 ||
        store_subscription_get(x->reader, o->subscription, &s) != STORE_OK)
        return;
    text_decimal(&w, s.tenant);
    text_put(&w, "/");
    text_decimal(&w, o->download.template_number);
    if (store_document_named(x->reader, "template-version", text_end(&w), see_full, &full) !=
            STORE_OK ||
        full == 0)
        return;
    const struct template_sizes sizes = {.command_octets = o->bytes_mt, .full_octets = full};
    json_put_key(&x->json, "savedPercent");
    json_put_fixed(&x->json, (int64_t)template_saved(&sizes), 1);
}

static void put_progress(struct api_exchange *x, const struct operation *o)
{
    struct json_writer *j = &x->json;
    api_put_text(j, "status", operation_status_name(o->status));
    put_if(j, "outcome", operation_outcome_name(o->outcome));
    if (o->has_result)
        api_put_text(j, "cardResult", result_code_name(o->result));
    put_if(j, "failureCode", operation_failure_name(o->failure));
    put_if(j, "failureText", api_operation_failure(o->failure));
    if (o->status == STATUS_QUEUED)
        put_if(j, "holdReason", operation_hold_name(o->hold));
    if (o->status <= STATUS_QUEUED && o->not_before.ms > x->now.utc.ms)
        api_put_time(j, "notBefore", o->not_before);
    api_put_bool(j, "stateCertain", !o->is_uncertain);
    api_put_number(j, "attempts", o->attempts);
    api_open_object(j, "counts");
    api_put_number(j, "smsMt", o->sms_mt);
    api_put_number(j, "smsMo", o->sms_mo);
    api_put_number(j, "bytesMt", o->bytes_mt);
    api_put_number(j, "bytesMo", o->bytes_mo);
    put_saved(x, o);
    json_end_object(j);
}

static void put_members(struct api_exchange *x, uint64_t card, const struct operation *o)
{
    struct json_writer *j = &x->json;
    api_put_id(j, "id", "op", o->id);
    api_put_text(j, "type", operation_kind_name(o->kind));
    api_put_id(j, "cardId", "crd", card);
    uint64_t group = 0;
    if (store_card_group(x->reader, card, &group) == STORE_OK)
        api_put_id(j, "groupId", "grp", group);
    api_put_id(j, "subscriptionId", "sub", o->subscription);
    if (o->card_operation_id != 0)
        api_put_number(j, "cardOperationId", o->card_operation_id);
    put_progress(x, o);
    put_origin(x, o);
    api_put_time(j, "createdAt", o->created_at);
    api_put_time(j, "expiresAt", o->not_after);
    api_put_time(j, "endedAt", o->ended_at);
}

void api_put_operation(struct api_exchange *x, uint64_t card, const struct operation *o)
{
    json_begin_object(&x->json);
    put_members(x, card, o);
    json_end_object(&x->json);
}

struct steps {
    struct json_writer *j;
    struct utc last;
    uint64_t count;
};

// Parts in their order; the first one alone, too, since most packets have one.
static void put_messages(struct json_writer *j, const char *messages)
{
    struct bytes left = bytes_of_text(messages);
    if (left.len == 0)
        return;
    const struct bytes first = api_until(left, ' ');
    if (!bytes_equal(first, bytes_of_text("-")))
        api_put_octets(j, "smscMessageId", first);
    api_open_array(j, "messageIds");
    while (left.len > 0) {
        const struct bytes id = api_until(left, ' ');
        if (bytes_equal(id, bytes_of_text("-")))
            api_put_null(j, NULL);
        else
            api_put_octets(j, NULL, id);
        left = bytes_slice(left, id.len + 1, left.len);
    }
    json_end_array(j);
}

static bool put_step(void *context, const struct step *step, struct utc at, const char *messages)
{
    struct steps *s = context;
    json_begin_object(s->j);
    api_put_text(s->j, "name", step_name_text(step->name));
    api_put_time(s->j, "at", at);
    api_put_number(s->j, "attempt", step->attempt);
    put_if(s->j, "detail", step->detail);
    put_messages(s->j, messages);
    json_end_object(s->j);
    s->last = at;
    s->count++;
    return true;
}

// An audit that ended shows what the card answered and what differed then.
static void put_audit(struct api_exchange *x, uint64_t card, const struct operation *o)
{
    struct kept_audit *audit = malloc(sizeof(*audit));
    if (audit != NULL && store_audit(x->reader, o->id, audit) == STORE_OK) {
        api_open_object(&x->json, "audit");
        api_put_text(&x->json, "outcome", audit_outcome_name(audit->view.outcome));
        api_put_card_view(x, "cardView", card, &audit->view);
        api_put_differences(&x->json, audit->differences, audit->count);
        json_end_object(&x->json);
    }
    free(audit);
}

static bool put_whole(struct api_exchange *x, uint64_t card, const struct operation *o)
{
    struct steps steps = {.j = &x->json, .last = o->created_at};
    json_begin_object(&x->json);
    put_members(x, card, o);
    api_put_order(x, o);
    if (o->kind == OPERATION_AUDIT && o->status == STATUS_ENDED)
        put_audit(x, card, o);
    api_open_array(&x->json, "steps");
    if (store_steps(x->reader, o->id, put_step, &steps) != STORE_OK)
        return false;
    json_end_array(&x->json);
    api_put_time(&x->json, "updatedAt", steps.last);
    api_put_number(&x->json, "version", steps.count);
    json_end_object(&x->json);
    api_etag(x, steps.count);
    return true;
}

// May the caller do this to the card? Else refused.
static bool may_act(struct api_exchange *x, uint64_t card, uint32_t grants)
{
    struct record *record = malloc(sizeof(*record));
    if (record == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    const enum store_status status = store_card_load(x->reader, card, record);
    bool may = false;
    if (status == STORE_OK)
        may = api_card_allowed(x, record, grants);
    else
        api_refuse_store(x, status);
    free(record);
    return may;
}

// The operation, if the caller's enterprise asked for it; what others asked for is unknown to it.
bool api_operation_find(struct api_exchange *x, uint64_t id, struct operation *o, uint64_t *card)
{
    uint64_t tenant = 0;
    enum store_status status = store_operation_get(x->reader, id, o, card);
    if (status == STORE_OK && !api_is_operator(x))
        status = store_operation_tenant(x->reader, id, &tenant);
    if (status == STORE_OK && !api_is_operator(x) && tenant != x->tenant)
        status = STORE_NONE;
    if (status != STORE_OK)
        api_refuse_store(x, status);
    return status == STORE_OK;
}

// Shows an operation as it is now; false when it is not there.
static bool reply_operation(struct api_exchange *x, uint64_t id, unsigned status)
{
    struct operation o;
    uint64_t card = 0;
    if (store_operation_get(x->reader, id, &o, &card) != STORE_OK)
        return false;
    if ((x->route->flags & ROUTE_CAMARA) != 0) {
        api_esim_reply(x, card, &o, status);
        return true;
    }
    if (!put_whole(x, card, &o)) {
        api_refuse_code(x, API_INTERNAL);
        return true;
    }
    if (status == 202)
        api_location(x, "/operations", "op", id);
    if (o.status != STATUS_ENDED)
        api_header(x, "Retry-After", "2");
    api_reply(x, status);
    return true;
}

bool api_operation_reply_accepted(struct api_exchange *x, uint64_t id)
{
    return reply_operation(x, id, 202);
}

void api_operation_get(struct api_exchange *x)
{
    struct operation o;
    uint64_t id = 0;
    if (!api_end_reading(x) || !api_capture(x, 0, "op", &id) ||
        !api_operation_find(x, id, &o, &x->card_id) ||
        !may_act(x, x->card_id, GRANT_BIT(api_route_grant(x->route))))
        return;
    if (!reply_operation(x, id, 200))
        api_refuse_code(x, API_NOT_FOUND);
}

// --- lists ---

static const char *const kinds[] = {"download",    "enable",       "disable",
                                    "delete",      "set-fallback", "set-timers",
                                    "read-timers", "audit",        NULL};
static const char *const statuses[] = {"AWAIT_APPROVAL", "QUEUED",    "SENDING",    "SENT",
                                       "DELIVERED",      "SWITCHING", "CONFIRMING", "UNKNOWN",
                                       "ENDED",          NULL};
static const char *const outcomes[] = {"done",    "failed",    "rolled_back", "refused",
                                       "expired", "cancelled", "unresolved",  NULL};
static const char *const failures[] = {"NO_LINK",          "SUBMIT_REJECTED", "DELIVERY_FAILED",
                                       "DELIVERY_EXPIRED", "OTA_TIMEOUT",     "POR_ERROR",
                                       "CARD_REFUSED",     "ROLLED_BACK",     "APPROVAL_REJECTED",
                                       "APPROVAL_EXPIRED", "REFUSED_AT_SEND", "CARD_UNREACHABLE",
                                       "CANCELLED",        "INTERNAL",        NULL};

struct rows {
    struct {
        uint64_t card;
        struct operation operation;
    } at[API_PER_PAGE_MAX];
    size_t count;
};

static bool collect(void *context, uint64_t card, const struct operation *o)
{
    struct rows *rows = context;
    rows->at[rows->count].card = card;
    rows->at[rows->count].operation = *o;
    return ++rows->count < API_PER_PAGE_MAX;
}

static struct api_problem take_id(struct api_exchange *x, const char *name, const char *prefix,
                                  uint64_t *id)
{
    struct bytes text;
    // A foreign or unknown object gives an empty list.
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = UINT64_MAX >> 1;
    return api_problem_of(API_OK);
}

struct api_problem api_operation_filter_read(struct api_exchange *x, struct operation_filter *f)
{
    int kind = -1;
    int outcome = -1;
    int failure = -1;
    struct api_problem p = api_query_enum(&x->query, "type", kinds, &kind);
    if (p.code == API_OK)
        p = api_query_enum(&x->query, "status", statuses, &f->status);
    if (p.code == API_OK)
        p = api_query_enum(&x->query, "outcome", outcomes, &outcome);
    if (p.code == API_OK)
        p = api_query_enum(&x->query, "failureCode", failures, &failure);
    if (p.code == API_OK)
        p = api_query_range(&x->query, API_RANGE("createdAt"), &f->from, &f->to);
    if (p.code == API_OK)
        p = take_id(x, "groupId", "grp", &f->group);
    if (p.code == API_OK)
        p = take_id(x, "campaignId", "cmp", &f->campaign);
    if (p.code == API_OK)
        p = take_id(x, "clientId", "cli", &f->client);
    // The core's first value stands for "none".
    f->kind = kind < 0 ? -1 : kind + 1;
    f->outcome = outcome < 0 ? -1 : outcome + 1;
    f->failure = failure < 0 ? -1 : failure + 1;
    return p;
}

static void list_operations(struct api_exchange *x, struct operation_filter *filter)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    const struct api_problem p = api_operation_filter_read(x, filter);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    if (x->card_id != 0 && !may_act(x, x->card_id, GRANT_BIT(api_route_grant(x->route))))
        return;
    struct rows *rows = calloc(1, sizeof(*rows));
    x->work = rows;
    if (rows == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    filter->tenant = api_reach(x);
    filter->grants = api_reading(x);
    const enum store_status status =
        store_operations(x->reader, filter, &list.window, collect, rows, &list.total);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    api_list_open(x);
    for (size_t i = 0; i < rows->count; i++)
        api_put_operation(x, rows->at[i].card, &rows->at[i].operation);
    api_list_end(x, &list);
}

void api_operations_list(struct api_exchange *x)
{
    struct operation_filter filter;
    operation_filter_init(&filter);
    const struct api_problem p = take_id(x, "cardId", "crd", &filter.card);
    if (p.code == API_OK)
        list_operations(x, &filter);
    else
        api_refuse(x, p);
}

void api_card_operations_list(struct api_exchange *x)
{
    struct operation_filter filter;
    operation_filter_init(&filter);
    if (!api_capture(x, 0, "crd", &filter.card))
        return;
    x->card_id = filter.card;
    list_operations(x, &filter);
}

// --- starting ---

static void reply_plan(struct api_exchange *x)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_bool(j, "dryRun", true);
    api_put_number(j, "wouldAnswer", 202);
    api_put_number(j, "targeted", 1);
    api_put_number(j, "eligible", 1);
    api_open_array(j, "skipped");
    json_end_array(j);
    api_open_array(j, "sample");
    api_put_id(j, NULL, "crd", x->card_id);
    json_end_array(j);
    api_put_estimate(j, message_cost(&x->event.as.request.operation), 1, 0);
    api_put_number(j, "approvalsNeeded", x->event.as.request.operation.needs_approval);
    json_end_object(j);
    api_reply(x, 200);
}

// What a card lacks tells the operation.
static struct api_problem refusal_of_request(const struct api_exchange *x, uint8_t refusal)
{
    const bool is_download = x->event.as.request.operation.kind == OPERATION_DOWNLOAD;
    struct api_problem p = api_refusal(refusal);
    if (refusal == REFUSAL_NOT_SUPPORTED_BY_CARD && is_download)
        p = api_problem_reason(p.code, p.reason,
                               "The card lacks the subscription's template: GET /cards/{id} shows "
                               "what it has, name a pool with one of these");
    return p;
}

static void answer_request(struct api_exchange *x, const struct turn_answer *answer)
{
    if (answer->refusal != REFUSAL_NONE) {
        const bool is_own = x->problem.code != API_OK; // found while it was prepared
        api_refuse(x, is_own ? x->problem : refusal_of_request(x, answer->refusal));
        return;
    }
    if (x->is_dry_run)
        reply_plan(x);
    else if (!reply_operation(x, answer->operation, 202))
        api_refuse_code(x, API_INTERNAL);
}

bool api_operation_approval(struct api_exchange *x, enum approval_why why, uint64_t tenant)
{
    struct operation *o = &x->event.as.request.operation;
    x->event.type = EVENT_REQUEST;
    o->needs_approval = why != APPROVAL_NOT_NEEDED;
    return !o->needs_approval || x->is_dry_run ||
           api_approval_begin(x, operation_kind_name(o->kind), why, tenant);
}

static enum store_status keep_approval(void *context, struct store *store, struct event *e)
{
    (void)e;
    return api_approval_keep(context, store);
}

void api_operation_submit(struct api_exchange *x)
{
    if (x->approval != NULL && x->prepare == NULL)
        x->prepare = keep_approval;
    x->event.type = EVENT_REQUEST;
    x->event.as.request.is_dry_run = x->is_dry_run;
    x->object_id = x->event.as.request.operation.id;
    api_submit(x, answer_request);
}

// --- resend and cancel ---

static bool find_operation(struct api_exchange *x, struct operation *o)
{
    uint64_t id = 0;
    return api_end_reading(x) && api_capture(x, 0, "op", &id) &&
           api_operation_find(x, id, o, &x->card_id);
}

// May the caller ask for the like of it, or else has it the other scope? Else refused.
static bool may_change(struct api_exchange *x, const struct operation *o, const char *other)
{
    char scope[AUTH_SCOPE_SIZE];
    struct writer w = writer_of(scope, sizeof(scope));
    text_put(&w, "operations:");
    text_put(&w, operation_kind_name(o->kind));
    if (api_has_scope(x, text_end(&w)) || (other != NULL && api_has_scope(x, other)))
        return may_act(x, x->card_id, GRANT_BIT(grant_of_operation(o->kind)));
    api_refuse_scope(x, scope);
    return false;
}

// It was found, so what the card's record no longer has, has ended.
static struct api_problem refusal_of(const struct turn_answer *answer)
{
    return api_refusal(answer->refusal == REFUSAL_NOT_FOUND ? REFUSAL_WRONG_STATUS
                                                            : answer->refusal);
}

static void answer_accepted(struct api_exchange *x, const struct turn_answer *answer)
{
    if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, refusal_of(answer));
    else if (x->is_dry_run)
        api_reply_plan(x, 202);
    else if (!reply_operation(x, x->event.operation, 202))
        api_refuse_code(x, API_INTERNAL);
}

static void answer_cancelled(struct api_exchange *x, const struct turn_answer *answer)
{
    if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, refusal_of(answer));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else if (!reply_operation(x, x->event.operation, 200))
        api_refuse_code(x, API_INTERNAL);
}

static bool may_be_repeated(const struct operation *o)
{
    return o->status == STATUS_ENDED &&
           (o->outcome == OUTCOME_FAILED || o->outcome == OUTCOME_EXPIRED ||
            o->outcome == OUTCOME_ROLLED_BACK || o->outcome == OUTCOME_UNRESOLVED);
}

// Is the card told to report to another address?
static bool sets_address(const struct operation *o)
{
    struct reader r = reader_of(bytes_of(o->list, o->list_len));
    bool is_set = false;
    while (o->kind == OPERATION_SET_TIMERS && r.left > 0 && !r.failed) {
        is_set |= reader_u8(&r) == PARAMETER_SERVER_ADDR;
        reader_skip(&r, reader_u8(&r));
    }
    return is_set;
}

// When it ended, the subscription may have been given back.
static enum store_status take_again(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    struct subscription s;
    x->problem = api_problem_of(API_OK);
    enum store_status status =
        api_operation_take(x, store, e->as.request.operation.subscription, &s);
    if (status == STORE_NONE)
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "Its subscription is gone: ask for a new one");
    return status == STORE_OK ? api_approval_keep(x, store) : status;
}

// May the card still have what it did not get? Else refused.
static bool may_be_taken(struct api_exchange *x, uint64_t subscription)
{
    struct subscription s;
    const enum store_status status = store_subscription_get(x->reader, subscription, &s);
    if (status == STORE_NONE)
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "Its subscription is gone: ask for a new one");
    else if (status != STORE_OK)
        x->problem = api_problem_of(API_UNAVAILABLE);
    else if (api_operation_is_free(x, &s))
        return true;
    api_refuse(x, x->problem);
    return false;
}

// What the caller asked for then, as a new request.
static void repeat(struct api_exchange *x, const struct operation *old)
{
    const int64_t ttl_ms = old->not_after.ms - old->created_at.ms;
    struct operation *o = &x->event.as.request.operation;
    *o = (struct operation){
        .id = api_new_id(x),
        .kind = old->kind,
        .subscription = old->subscription,
        .target = old->target,
        .flags = old->flags,
        .download = old->download,
        .list_len = old->list_len,
        .lookup = old->lookup,
        .wait_until_clean = old->wait_until_clean,
        .retry_of = old->id,
        .actor = api_actor(x),
        .correlator = x->correlator_id,
        .not_after = utc_after(x->now.utc, ttl_ms),
    };
    memcpy(o->list, old->list, sizeof(o->list));
    if (o->kind == OPERATION_DOWNLOAD && !may_be_taken(x, o->subscription))
        return;
    if (o->kind == OPERATION_DOWNLOAD && !x->is_dry_run)
        x->prepare = take_again;
    struct record *record = malloc(sizeof(*record));
    enum approval_why why = APPROVAL_NOT_NEEDED;
    x->work = record;
    if (record == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else if (store_card_load(x->reader, x->card_id, record) != STORE_OK)
        api_refuse_code(x, API_INTERNAL);
    else if (api_approval_need(x, record, o->kind, sets_address(o), &why) &&
             api_operation_approval(x, why, record->tenant))
        api_operation_submit(x);
}

void api_operation_resend(struct api_exchange *x)
{
    struct operation o;
    api_read_reason(x, API_OPTIONAL);
    if (!find_operation(x, &o))
        return;
    const bool is_new = may_be_repeated(&o);
    if (!may_change(x, &o, is_new ? NULL : "operations:resend"))
        return;
    if (is_new) {
        repeat(x, &o);
        return;
    }
    x->event.type = EVENT_RESEND;
    x->event.operation = o.id;
    api_submit(x, answer_accepted);
}

void api_operation_cancel(struct api_exchange *x)
{
    struct operation o;
    api_read_reason(x, API_OPTIONAL);
    if (!find_operation(x, &o) || !may_change(x, &o, NULL))
        return;
    x->event.type = EVENT_CANCEL;
    x->event.operation = o.id;
    api_submit(x, answer_cancelled);
}

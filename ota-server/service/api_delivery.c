// What was sent to event sinks, is to be sent, or did not get there.
#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/sink_run.h"

#include <stdlib.h>

// --- showing ---------------------------------------------------------------------------------

static const char *const delivery_states[] = {"WAITING", "DELIVERED", "DEAD", NULL};

static void put_members(struct json_writer *j, const struct delivery *d)
{
    char type[SINK_TYPE_SIZE];
    char uuid[API_UUID_SIZE];
    api_uuid_make(uuid, d->uuid);
    api_put_id(j, "id", DELIVERY_PREFIX, d->id);
    api_put_id(j, "sinkId", SINK_PREFIX, d->sink);
    api_put_text(j, "eventId", uuid);
    api_put_text(j, "type", sink_type_text(d->kind, type));
    api_put_id(j, "cardId", "crd", d->card);
    api_put_text(j, "state", delivery_states[d->state]);
    api_put_time(j, "occurredAt", d->at);
    api_put_number(j, "attempts", d->attempts);
    if (d->status != 0)
        api_put_number(j, "lastStatus", d->status);
    if (d->problem[0] != '\0')
        api_put_text(j, "lastProblem", d->problem);
    api_put_time(j, "endedAt", d->ended_at);
    if (d->state == DELIVERY_DONE)
        api_put_number(j, "deliveredAfterMs", (uint64_t)(d->ended_at.ms - d->at.ms));
}

static bool put_row(void *context, const struct delivery *d)
{
    struct json_writer *j = context;
    json_begin_object(j);
    put_members(j, d);
    json_end_object(j);
    return true;
}

struct one_delivery {
    struct api_exchange *x;
    struct delivery is; // without data
    bool is_seen;
};

static bool take_delivery(void *context, const struct delivery *d)
{
    struct one_delivery *o = context;
    o->is = *d;
    o->is.problem = "";
    o->is.data = bytes_of(NULL, 0);
    o->is_seen = api_owns(o->x, d->tenant);
    return false;
}

static bool put_attempt(void *context, const struct delivery_attempt *a)
{
    struct json_writer *j = context;
    json_begin_object(j);
    api_put_time(j, "at", a->at);
    api_put_number(j, "tookMs", a->took_ms);
    if (a->status != 0)
        api_put_number(j, "status", a->status);
    if (a->problem[0] != '\0')
        api_put_text(j, "problem", a->problem);
    json_end_object(j);
    return true;
}

static bool put_one(void *context, const struct delivery *d)
{
    struct api_exchange *x = context;
    json_begin_object(&x->json);
    put_members(&x->json, d);
    api_open_array(&x->json, "attemptLog");
    const enum store_status status = store_attempts(x->reader, d->id, put_attempt, &x->json);
    json_end_array(&x->json);
    json_end_object(&x->json);
    x->out.failed = x->out.failed || status != STORE_OK;
    return false;
}

bool api_delivery_put(struct api_exchange *x, uint64_t id)
{
    return store_delivery_get(x->reader, id, put_one, x) == STORE_OK;
}

static bool find_delivery(struct api_exchange *x, struct one_delivery *o)
{
    *o = (struct one_delivery){.x = x};
    if (!api_capture(x, 0, DELIVERY_PREFIX, &x->object_id))
        return false;
    const enum store_status status = store_delivery_get(x->reader, x->object_id, take_delivery, o);
    if (status == STORE_OK && o->is_seen)
        return true;
    if (status == STORE_OK || status == STORE_NONE)
        api_refuse_code(x, API_NOT_FOUND);
    else
        api_refuse_store(x, status);
    return false;
}

void api_deliveries_list(struct api_exchange *x)
{
    static const char *const sorts[] = {"id", NULL};
    struct delivery_filter filter = {.tenant = api_reach(x), .state = -1};
    struct api_list list;
    struct bytes text;
    const struct api_problem p = api_query_enum(&x->query, "state", delivery_states, &filter.state);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (api_query_take(&x->query, "sinkId", &text) && !api_id_read(text, SINK_PREFIX, &filter.sink))
        filter.sink = UINT64_MAX >> 1; // nobody's
    if (!api_list_begin(x, &list, sorts) || !api_end_reading(x))
        return;
    api_list_open(x);
    const enum store_status status =
        store_deliveries(x->reader, &filter, &list.window, put_row, &x->json, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

void api_delivery_get(struct api_exchange *x)
{
    struct one_delivery o;
    if (!api_end_reading(x) || !find_delivery(x, &o))
        return;
    if (api_delivery_put(x, x->object_id))
        api_reply(x, 200);
    else
        api_refuse_code(x, API_INTERNAL);
}

// --- once more -------------------------------------------------------------------------------

static enum store_status apply_again(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct one_delivery *o = x->work;
    enum store_status status =
        store_delivery_again(store, x->object_id, o->is.sink, utc_after(now, SINK_GIVE_UP_MS));
    if (status == STORE_NONE) {
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "It is no dead letter: it was delivered, or still will be");
        return STORE_CONFLICT;
    }
    if (status == STORE_OK)
        status = sink_alarm_keep(store, x->api->options.turn, o->is.sink, now);
    return status == STORE_OK
               ? api_trail(x, store, "event-delivery.resent", "event-delivery", x->object_id, NULL)
               : status;
}

static void reply_again(struct api_exchange *x)
{
    if (api_delivery_put(x, x->object_id))
        api_reply(x, 202);
    else
        api_refuse_code(x, API_INTERNAL);
}

void api_delivery_resend(struct api_exchange *x)
{
    struct one_delivery *o = calloc(1, sizeof(*o));
    x->work = o;
    if (o == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (api_end_reading(x) && find_delivery(x, o))
        api_commit(x, apply_again, reply_again);
}

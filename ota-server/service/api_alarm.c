// Alarms: what is wrong now, and was.
#include "common/base/text.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_handlers.h"

static void put_state(struct api_exchange *x, const struct document *d)
{
    api_put_text(&x->json, "state", alarm_states[d->state]);
}

static const struct api_kind alarms = {
    .kind = ALARM_KIND, .prefix = "alm", .path = "/alarms", .more = put_state};

void api_alarms_list(struct api_exchange *x)
{
    int state = -1;
    const struct api_problem p = api_query_enum(&x->query, "state", alarm_states, &state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else
        api_documents_in_state(x, &alarms, state);
}

void api_alarm_get(struct api_exchange *x)
{
    api_document_show(x, &alarms);
}

static enum store_status acknowledge(struct api_exchange *x, struct store *store, struct utc now)
{
    char by[API_ID_SIZE];
    api_id_write(by, x->client.is_user ? "usr" : "cli", x->client.id);
    const enum store_status status = alarm_acknowledge(store, x->object_id, by, now);
    if (status == STORE_CONFLICT)
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "It is over, or was acknowledged: there is nothing to do");
    return status == STORE_OK
               ? api_trail(x, store, "alarm.acknowledged", ALARM_KIND, x->object_id, NULL)
               : status;
}

static void reply_alarm(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &alarms, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_etag(x, version);
    api_reply(x, 200);
}

void api_alarm_acknowledge(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    const struct api_object *object = api_document_load(x, &alarms);
    if (object == NULL)
        return;
    x->object_id = object->document.id;
    api_commit(x, acknowledge, reply_alarm);
}

// What an operation was asked for with, as the members of the request that asks for the same. What
// it waits for (`when`) changes with each attempt and stands with its progress; lifetime and reason
// are kept as the end and in the trail.
#include "ota-server/service/api_operation.h"

#include "ota-server/service/api_parameter.h"

static bool has_flag(const struct operation *o, uint8_t flag)
{
    return (o->flags & flag) != 0;
}

static void put_rollback(struct json_writer *j, const struct operation *o)
{
    api_put_bool(j, "rollbackAllowed", has_flag(o, COMMAND_FLAG_ROLLBACK));
}

static void put_download(struct json_writer *j, const struct operation *o)
{
    static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST"};
    const struct download_plan *d = &o->download;
    if (d->template_number != 0)
        api_put_number(j, "templateId", d->template_number);
    api_put_text(j, "enable", has_flag(o, COMMAND_FLAG_ENABLE) ? "NOW" : "LATER");
    api_put_bool(j, "setFallback", has_flag(o, COMMAND_FLAG_SET_FALLBACK));
    put_rollback(j, o);
    if (d->has_role && d->role <= ROLE_TEST)
        api_put_text(j, "role", roles[d->role]);
    if (d->has_rank)
        api_put_number(j, "rank", d->rank);
    if (!d->has_marks)
        return;
    api_put_bool(j, "noDisable", (d->marks & SLOT_MARK_NO_DISABLE) != 0);
    api_put_bool(j, "noDelete", (d->marks & SLOT_MARK_NO_DELETE) != 0);
}

// A table of countries has IMSIs, of which the trail tells when they are shown in clear.
static void put_values(struct api_exchange *x, const struct operation *o)
{
    struct policy_timers wanted = {.len = o->list_len};
    struct parameters values;
    memcpy(wanted.list, o->list, o->list_len);
    parameters_default(&values);
    api_put_timers(&x->json, "parameters", &wanted, x->clear);
    if (api_is_clear(x->clear, MASK_IMSI) &&
        parameters_apply(&values, bytes_of(o->list, o->list_len), NULL) == PARAMETER_OK)
        x->shown += values.country_count;
}

// Absent, as in the request, when all of them are read.
static void put_names(struct json_writer *j, const struct operation *o)
{
    uint32_t set = 0;
    for (uint16_t i = 0; i < o->list_len; i++) {
        if (o->list[i] == READ_ALL)
            return;
        if (o->list[i] <= PARAMETER_LAST)
            set |= (uint32_t)1 << o->list[i];
    }
    api_put_parameter_names(j, "names", set);
}

static void put_conditions(struct json_writer *j, const struct operation *o)
{
    if (o->wait_until_clean)
        api_put_text(j, "ifDirty", "WAIT");
    if (o->force)
        api_put_bool(j, "force", true);
}

void api_put_order(struct api_exchange *x, const struct operation *o)
{
    struct json_writer *j = &x->json;
    api_open_object(j, "request");
    api_put_text(j, "type", operation_kind_name(o->kind));
    api_put_id(j, "subscriptionId", "sub", o->subscription);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        put_download(j, o);
        break;
    case OPERATION_ENABLE:
        put_rollback(j, o);
        break;
    case OPERATION_SET_FALLBACK:
        api_put_bool(j, "allowUnproven", has_flag(o, COMMAND_FLAG_FORCE));
        break;
    case OPERATION_SET_TIMERS:
        put_values(x, o);
        break;
    case OPERATION_READ_TIMERS:
        put_names(j, o);
        break;
    case OPERATION_AUDIT:
        if (o->lookup != 0)
            api_put_number(j, "lookupCardOperationId", o->lookup);
        break;
    case OPERATION_DISABLE:
    case OPERATION_DELETE:
    case OPERATION_NONE:
        break;
    }
    put_conditions(j, o);
    json_end_object(j);
}

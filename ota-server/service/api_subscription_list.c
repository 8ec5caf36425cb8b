// The inventory of subscriptions: how one is shown, and found.
#include "ota-server/service/api_subscription.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_handlers.h"

// --- showing ---

// What an activation code calls the subscription: its id without the prefix.
static void put_matching_id(struct json_writer *j, uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, "sub", id);
    api_put_text(j, "matchingId", text + strlen("sub_"));
}

void api_subscription_put(struct api_exchange *x, const struct subscription *s)
{
    struct json_writer *j = &x->json;
    char text[ICCID_SIZE];
    json_begin_object(j);
    api_put_id(j, "id", "sub", s->id);
    api_put_id(j, "poolId", "pol", s->pool);
    if (s->plan.has_iccid && iccid_read(s->plan.iccid, text))
        api_put_personal(x, "iccid", MASK_ICCID, text);
    if (imsi_read(s->plan.imsi, text))
        api_put_personal(x, "imsi", MASK_IMSI, text);
    api_put_personal(x, "msisdn", MASK_MSISDN, s->plan.number);
    if (s->plan.has_mnc_length)
        api_put_number(j, "mncLength", s->plan.mnc_length);
    if (s->plan.smsc[0] != '\0')
        api_put_text(j, "smsc", s->plan.smsc);
    if (s->operator_name[0] != '\0')
        api_put_text(j, "operator", s->operator_name);
    if (s->rule_pack[0] != '\0')
        api_put_text(j, "rulePack", s->rule_pack);
    if (s->plan.template_number != 0)
        api_put_number(j, "templateId", s->plan.template_number);
    api_put_bool(j, "fallbackEligible", !s->plan.is_barred);
    api_put_text(j, "state", subscription_state_name(s->state));
    api_put_id(j, "cardId", "crd", s->card);
    if (s->slot != 0)
        api_put_number(j, "slot", s->slot);
    put_matching_id(j, s->id);
    api_put_time(j, "createdAt", s->created_at);
    api_put_time(j, "updatedAt", s->changed_at);
    api_put_number(j, "version", s->version);
    json_end_object(j);
}

static bool put_row(void *context, const struct subscription *s)
{
    api_subscription_put(context, s);
    return true;
}

// --- lists ---

static void reply_subscriptions(struct api_exchange *x, struct subscription_filter *filter,
                                struct api_list *list)
{
    filter->tenant = api_reach(x);
    filter->grants = filter->card != 0 || filter->search != NULL ? api_reading(x) : 0;
    api_list_open(x);
    const enum store_status status =
        store_subscriptions(x->reader, filter, &list->window, put_row, x, &list->total);
    if (status == STORE_OK)
        api_list_end(x, list);
    else
        api_refuse_store(x, status);
}

static void take_id(struct api_exchange *x, const char *name, const char *prefix, uint64_t *id)
{
    struct bytes text;
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = UINT64_MAX >> 1;
}

void api_subscriptions_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const states[] = {"FREE", "RESERVED", "ON_CARD", "RETIRED", NULL};
    struct api_list list;
    struct subscription_filter filter = {.state = -1};
    take_id(x, "poolId", "pol", &filter.pool);
    take_id(x, "cardId", "crd", &filter.card);
    const struct api_problem p = api_query_enum(&x->query, "state", states, &filter.state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else if (api_list_begin(x, &list, fields) && api_end_reading(x))
        reply_subscriptions(x, &filter, &list);
}

void api_subscriptions_search(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const members[] = {"iccid", "imsi", "msisdn"};
    struct api_list list;
    struct bytes digits = {0};
    unsigned given = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct bytes text = api_body_text(&x->body, members[i], API_OPTIONAL, 1, 20);
        given += text.len > 0;
        digits = text.len > 0 ? text : digits;
    }
    if (given != 1 || !text_is_digits(digits))
        api_body_fail(&x->body, api_problem_text(API_INVALID_ARGUMENT,
                                                 "Exactly one, as digits: iccid, imsi or msisdn"));
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    char search[ICCID_SIZE];
    bytes_copy(search, digits);
    search[digits.len] = '\0';
    struct subscription_filter filter = {.state = -1, .search = search};
    reply_subscriptions(x, &filter, &list);
}

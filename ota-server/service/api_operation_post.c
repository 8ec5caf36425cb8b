// POST /cards/{cardId}/operations: from the body to the event.
#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_operation.h"
#include "ota-server/service/api_parameter.h"

#include <stdlib.h>

#define TTL_MIN_S 300
#define TTL_MAX_S 1209600

// What the body says and the store adds.
struct order {
    struct record record;
    uint64_t subscription_id, pool_id;
    struct subscription subscription;
    int kind; // enum operation_kind
    int64_t template_number, rank;
    int role;
    bool has_marks;
    uint8_t marks;
    bool changes_address;
    enum approval_why why;
};

static const char *const kinds[] = {"download",    "enable",       "disable",
                                    "delete",      "set-fallback", "set-timers",
                                    "read-timers", "audit",        NULL};

// --- members ---

static void read_when(struct api_exchange *x, struct operation *o)
{
    if (!api_body_has(&x->body, "when"))
        return;
    const struct bytes when = api_body_text(&x->body, "when", API_OPTIONAL, 1, 40);
    if (bytes_equal(when, bytes_of_text("NEXT_CONTACT")))
        o->at_next_contact = true;
    else if (!bytes_equal(when, bytes_of_text("NOW")) && !api_read_time(when, &o->not_before))
        api_body_fail(&x->body,
                      api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("when"),
                                        "It must be NOW, NEXT_CONTACT or " API_TIME_NAME));
}

static bool read_common(struct api_exchange *x, struct operation *o)
{
    static const char *const busy[] = {"WAIT", "REFUSE", NULL};
    static const char *const dirty[] = {"REFUSE", "WAIT", NULL};
    static const char *const channels[] = {"SMS", NULL};
    struct api_body *b = &x->body;
    read_when(x, o);
    const int64_t ttl_s = api_body_integer(b, "ttlSeconds", TTL_MIN_S, TTL_MAX_S, 0);
    x->event.as.request.refuse_if_busy = api_body_enum(b, "ifBusy", API_OPTIONAL, busy) == 1;
    o->wait_until_clean = api_body_enum(b, "ifDirty", API_OPTIONAL, dirty) == 1;
    o->force = api_body_bool(b, "force", false);
    api_read_reason(x, o->force ? API_REQUIRED : API_OPTIONAL);
    (void)api_body_enum(b, "channel", API_OPTIONAL, channels);
    if (ttl_s != 0) // else what the card's group says
        o->not_after = utc_after(x->now.utc, ttl_s * 1000);
    o->actor = api_actor(x);
    o->correlator = x->correlator_id;
    return o->force;
}

static void read_download(struct api_exchange *x, struct order *order, struct operation *o)
{
    static const char *const enables[] = {"NOW", "LATER", NULL};
    static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST", NULL};
    struct api_body *b = &x->body;
    order->subscription_id = api_body_id(b, "subscriptionId", API_OPTIONAL, "sub");
    order->pool_id = api_body_id(b, "poolId", API_OPTIONAL, "pol");
    if ((order->subscription_id == 0) == (order->pool_id == 0))
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("subscriptionId"),
                                           "Exactly one of subscriptionId and poolId"));
    order->template_number = api_body_integer(b, "templateId", 1, 254, 0);
    const int enable = api_body_enum(b, "enable", API_REQUIRED, enables);
    const bool set_fallback = api_body_bool(b, "setFallback", false);
    if (set_fallback && enable != 0)
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("setFallback"),
                                           "Only together with enable NOW"));
    const bool may_roll_back = api_body_bool(b, "rollbackAllowed", true);
    order->role = api_body_enum(b, "role", API_OPTIONAL, roles);
    order->rank = api_body_integer(b, "rank", 1, 255, 0);
    order->has_marks = api_body_has(b, "noDisable") || api_body_has(b, "noDelete");
    order->marks = api_body_bool(b, "noDisable", false) ? SLOT_MARK_NO_DISABLE : 0;
    order->marks |= api_body_bool(b, "noDelete", false) ? SLOT_MARK_NO_DELETE : 0;
    o->flags = (enable == 0 ? COMMAND_FLAG_ENABLE : 0) |
               (set_fallback ? COMMAND_FLAG_SET_FALLBACK : 0) |
               (may_roll_back ? COMMAND_FLAG_ROLLBACK : 0);
}

static void read_timers(struct api_exchange *x, struct order *order, struct operation *o)
{
    const json_t *map = api_body_object(&x->body, "parameters", API_REQUIRED);
    struct writer list = writer_of(o->list, sizeof(o->list));
    if (map == NULL)
        return;
    api_body_fail(&x->body, api_parameters_read(map, &order->record.parameters, &list,
                                                &order->changes_address));
    o->list_len = (uint16_t)list.len;
}

static void read_names(struct api_exchange *x, struct operation *o)
{
    const json_t *names = api_body_array(&x->body, "names", API_OPTIONAL);
    struct writer list = writer_of(o->list, sizeof(o->list));
    api_body_fail(&x->body, api_parameter_names_read(names, &list));
    o->list_len = (uint16_t)list.len;
}

static void read_members(struct api_exchange *x, struct order *order, struct operation *o)
{
    struct api_body *b = &x->body;
    switch ((enum operation_kind)order->kind) {
    case OPERATION_DOWNLOAD:
        read_download(x, order, o);
        break;
    case OPERATION_ENABLE:
        order->subscription_id = api_body_id(b, "subscriptionId", API_REQUIRED, "sub");
        o->flags = api_body_bool(b, "rollbackAllowed", true) ? COMMAND_FLAG_ROLLBACK : 0;
        break;
    case OPERATION_DISABLE:
    case OPERATION_DELETE:
        order->subscription_id = api_body_id(b, "subscriptionId", API_REQUIRED, "sub");
        break;
    case OPERATION_SET_FALLBACK:
        order->subscription_id = api_body_id(b, "subscriptionId", API_REQUIRED, "sub");
        o->flags = api_body_bool(b, "allowUnproven", false) ? COMMAND_FLAG_FORCE : 0;
        break;
    case OPERATION_SET_TIMERS:
        read_timers(x, order, o);
        break;
    case OPERATION_READ_TIMERS:
        read_names(x, o);
        break;
    case OPERATION_AUDIT:
        // The number on the card of an operation; the card keeps the results of the last eight.
        x->object_id = api_body_id(b, "lookupOperationId", API_OPTIONAL, "op");
        break;
    case OPERATION_NONE:
        break;
    }
}

// --- checks ---

static bool check_scope(struct api_exchange *x, struct order *order, bool is_forced)
{
    // Reading ended well, so the name of the kind was one of the list.
    check(order->kind >= OPERATION_DOWNLOAD && order->kind <= OPERATION_AUDIT);
    char scope[AUTH_SCOPE_SIZE];
    struct writer w = writer_of(scope, sizeof(scope));
    text_put(&w, "operations:");
    text_put(&w, kinds[order->kind - 1]);
    (void)text_end(&w);
    const bool is_checked = (x->route->flags & ROUTE_CAMARA) != 0; // by the scope of its route
    const bool has_scope = is_checked || api_has_scope(x, scope);
    if (!has_scope || (is_forced && !api_has_scope(x, "operations:force"))) {
        api_refuse_scope(x, has_scope ? "operations:force" : scope);
        return false;
    }
    if (is_forced && !api_is_operator(x)) { // whoever gave it the scope
        api_refuse_force(x);
        return false;
    }
    if (!api_card_allowed(x, &order->record, GRANT_BIT(grant_of_operation((uint8_t)order->kind))))
        return false;
    return api_approval_need(x, &order->record, (uint8_t)order->kind,
                             is_forced || order->changes_address, &order->why);
}

static bool refuse_field(struct api_exchange *x, enum api_code code, const char *field,
                         const char *text)
{
    api_refuse(x, api_problem_field(code, bytes_of_text(field), text));
    return false;
}

static bool find_lookup(struct api_exchange *x, struct operation *o)
{
    struct operation looked;
    uint64_t card = 0;
    if (x->object_id == 0)
        return true;
    if (store_operation_get(x->reader, x->object_id, &looked, &card) != STORE_OK ||
        card != x->card_id || looked.card_operation_id == 0)
        return refuse_field(x, API_NOT_FOUND, "lookupOperationId",
                            "No such operation on the card, GET /cards/{id}/operations lists them");
    o->lookup = looked.card_operation_id;
    return true;
}

static struct subscription_name name_of(const struct download_plan *plan)
{
    struct subscription_name name = {.is_given = true, .is_iccid = plan->has_iccid};
    memcpy(name.iccid, plan->iccid, sizeof(name.iccid));
    memcpy(name.imsi, plan->imsi, sizeof(name.imsi));
    return name;
}

// What is on the card is for whom the card is; stock is its owner's, or the operator's people's.
// But nobody's stock goes onto the card of a third.
static bool is_for_card(struct api_exchange *x, const struct order *order)
{
    const struct subscription *s = &order->subscription;
    return (s->card != 0 && s->card == x->card_id) || s->tenant == order->record.tenant ||
           (api_owns(x, s->tenant) && s->tenant == AUTH_OPERATOR) ||
           (s->pool != 0 && api_pool_visible(x, s->pool, order->record.tenant));
}

static bool find_target(struct api_exchange *x, struct order *order, struct operation *o)
{
    if (order->pool_id != 0 && !api_pool_serves(x, order->pool_id, order->record.tenant))
        return refuse_field(x, API_NOT_FOUND, "poolId",
                            "No such pool, GET /subscription-pools lists them");
    if (order->subscription_id == 0)
        return true;
    if (store_subscription_get(x->reader, order->subscription_id, &order->subscription) !=
            STORE_OK ||
        !is_for_card(x, order))
        return refuse_field(x, API_NOT_FOUND, "subscriptionId",
                            "No such subscription, GET /subscriptions lists them");
    const struct mirror_slot *slot = record_slot_of(&order->record, order->subscription_id);
    o->subscription = order->subscription_id;
    o->target = slot != NULL ? record_slot_name(slot) : name_of(&order->subscription.plan);
    return true;
}

// --- download: the subscription must be nobody else's ---

bool api_operation_is_free(struct api_exchange *x, const struct subscription *s)
{
    if (s->state == SUBSCRIPTION_RETIRED)
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "The subscription is retired: name another one");
    else if (!s->has_keys && s->card != x->card_id)
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "The subscription has no keys here: name "
                                                     "another one");
    else if (s->state != SUBSCRIPTION_FREE && s->card != x->card_id)
        x->problem = api_problem_reason(API_ALREADY_EXISTS, "DUPLICATE_SUBSCRIPTION",
                                        "The subscription is another card's: name another one");
    return x->problem.code == API_OK;
}

static void plan_download(const struct order *order, struct operation *o)
{
    o->subscription = order->subscription.id;
    o->download = order->subscription.plan;
    o->target = name_of(&o->download);
    if (order->template_number != 0)
        o->download.template_number = (uint8_t)order->template_number;
    if (order->role >= 0) {
        o->download.has_role = true;
        o->download.role = (uint8_t)order->role;
    }
    if (order->rank != 0) {
        o->download.has_rank = true;
        o->download.rank = (uint8_t)order->rank;
    }
    if (order->has_marks) {
        o->download.has_marks = true;
        o->download.marks = order->marks;
    }
}

// Without a template of its own a subscription is downloaded with that of its pool.
static void choose_template(struct store *store, struct subscription *s)
{
    if (s->plan.template_number == 0 && s->pool != 0)
        s->plan.template_number = api_pool_template(store, s->pool);
}

enum store_status api_operation_take(struct api_exchange *x, struct store *store, uint64_t id,
                                     struct subscription *s)
{
    enum store_status status = store_subscription_get(store, id, s);
    if (status == STORE_OK && !api_operation_is_free(x, s))
        status = STORE_CONFLICT;
    if (status != STORE_OK || s->state != SUBSCRIPTION_FREE)
        return status; // or already this card's; the core judges whether it is installed
    s->state = SUBSCRIPTION_RESERVED;
    s->card = x->card_id;
    s->changed_at = x->now.utc;
    return store_subscription_put(store, s);
}

// In the transaction of the operation: neither is there without the other.
static enum store_status reserve(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    struct order *order = x->work;
    struct subscription *s = &order->subscription;
    enum store_status status;
    x->problem = api_problem_of(API_OK);
    if (order->pool_id != 0) {
        status = store_pool_reserve(store, order->pool_id, false, x->card_id, x->now.utc, s);
        if (status == STORE_NONE)
            x->problem = api_refusal(REFUSAL_POOL_EMPTY);
    } else {
        status = api_operation_take(x, store, order->subscription_id, s);
    }
    if (status == STORE_OK) {
        choose_template(store, s);
        plan_download(order, &e->as.request.operation);
        status = api_approval_keep(x, store);
    }
    return status;
}

static bool check_pool(struct api_exchange *x, struct order *order)
{
    const enum store_status status =
        store_pool_free(x->reader, order->pool_id, false, &order->subscription);
    if (status == STORE_NONE)
        api_refuse(x, api_refusal(REFUSAL_POOL_EMPTY));
    else if (status != STORE_OK)
        api_refuse_store(x, status);
    return status == STORE_OK;
}

static void download(struct api_exchange *x, struct order *order)
{
    if (order->pool_id != 0 && !check_pool(x, order))
        return;
    if (order->pool_id == 0 && !api_operation_is_free(x, &order->subscription)) {
        api_refuse(x, x->problem);
        return;
    }
    if (x->is_dry_run) // takes nothing out of the pool
        plan_download(order, &x->event.as.request.operation);
    else
        x->prepare = reserve;
    api_operation_submit(x);
}

// Looked for before the body is read, because its parameters are judged against the card's; a card
// that is not there is reported afterwards.
static enum store_status find_card(struct api_exchange *x, struct order *order)
{
    enum store_status status = STORE_NONE;
    if (api_id_read(x->match.captures[0], "crd", &x->card_id))
        status = store_card_load(x->reader, x->card_id, &order->record);
    if (status == STORE_OK && api_access_to(x, &order->record, 0) != API_ACCESS_NONE)
        return STORE_OK;
    record_init(&order->record, 0);
    return status == STORE_OK ? STORE_NONE : status;
}

void api_card_operation_post(struct api_exchange *x)
{
    struct order *order = calloc(1, sizeof(*order));
    struct operation *o = &x->event.as.request.operation;
    x->work = order;
    if (order == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const enum store_status found = find_card(x, order);
    order->kind = api_body_enum(&x->body, "type", API_REQUIRED, kinds) + 1;
    const bool is_forced = read_common(x, o);
    read_members(x, order, o);
    if (!api_end_reading(x))
        return;
    if (found != STORE_OK) {
        api_refuse_store(x, found);
        return;
    }
    if (!check_scope(x, order, is_forced) || !find_lookup(x, o) || !find_target(x, order, o))
        return;
    o->id = api_new_id(x);
    o->kind = (uint8_t)order->kind;
    if (!api_operation_approval(x, order->why, order->record.tenant))
        return;
    if (order->kind == OPERATION_DOWNLOAD)
        download(x, order);
    else
        api_operation_submit(x);
}

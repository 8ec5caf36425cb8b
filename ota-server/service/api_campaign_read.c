// A campaign from a body.
#include "ota-server/service/api_campaign.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/api_upload.h"

#include "common/base/text.h"
#include "common/wire/ident.h"

#include <stdlib.h>

#define TTL_MIN_S 300
#define TTL_MAX_S 1209600
#define LISTED "listed" // how many cards a kept target has that were named one by one

static const char *const kinds[] = {"download",    "enable",       "disable",
                                    "delete",      "set-fallback", "set-timers",
                                    "read-timers", "audit",        NULL};

static void fail(struct api_body *b, const char *field, const char *text)
{
    api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(field), text));
}

// --- the operation ---

static void read_download(struct api_body *b, struct campaign *c)
{
    static const char *const enables[] = {"NOW", "LATER", NULL};
    static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST", NULL};
    struct operation *o = &c->operation;
    struct download_plan *plan = &o->download;
    plan->template_number = (uint8_t)api_body_integer(b, "templateId", 1, 254, 0);
    const int enable = api_body_enum(b, "enable", API_REQUIRED, enables);
    const bool set_fallback = api_body_bool(b, "setFallback", false);
    if (set_fallback && enable != 0)
        fail(b, "setFallback", "Only together with enable NOW");
    const bool may_roll_back = api_body_bool(b, "rollbackAllowed", true);
    const int role = api_body_enum(b, "role", API_OPTIONAL, roles);
    plan->has_role = role >= 0;
    plan->role = role >= 0 ? (uint8_t)role : 0;
    plan->rank = (uint8_t)api_body_integer(b, "rank", 1, 255, 0);
    plan->has_rank = plan->rank != 0;
    plan->has_marks = api_body_has(b, "noDisable") || api_body_has(b, "noDelete");
    plan->marks = api_body_bool(b, "noDisable", false) ? SLOT_MARK_NO_DISABLE : 0;
    plan->marks |= api_body_bool(b, "noDelete", false) ? SLOT_MARK_NO_DELETE : 0;
    o->flags = (enable == 0 ? COMMAND_FLAG_ENABLE : 0) |
               (set_fallback ? COMMAND_FLAG_SET_FALLBACK : 0) |
               (may_roll_back ? COMMAND_FLAG_ROLLBACK : 0);
}

// Their ranges are judged against the defaults: each card judges them against its own.
static void read_timers(struct api_body *b, struct campaign *c)
{
    struct parameters defaults;
    const json_t *map = api_body_object(b, "parameters", API_REQUIRED);
    struct writer list = writer_of(c->operation.list, sizeof(c->operation.list));
    parameters_default(&defaults);
    if (map != NULL)
        api_body_fail(b, api_parameters_read(map, &defaults, &list, &c->is_sharp));
    c->operation.list_len = (uint16_t)list.len;
}

static void read_members(struct api_body *b, struct campaign *c)
{
    struct operation *o = &c->operation;
    struct writer list = writer_of(o->list, sizeof(o->list));
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        read_download(b, c);
        break;
    case OPERATION_ENABLE:
        o->flags = api_body_bool(b, "rollbackAllowed", true) ? COMMAND_FLAG_ROLLBACK : 0;
        break;
    case OPERATION_SET_FALLBACK:
        o->flags = api_body_bool(b, "allowUnproven", false) ? COMMAND_FLAG_FORCE : 0;
        break;
    case OPERATION_SET_TIMERS:
        read_timers(b, c);
        break;
    case OPERATION_READ_TIMERS:
        api_body_fail(b, api_parameter_names_read(api_body_array(b, "names", API_OPTIONAL), &list));
        o->list_len = (uint16_t)list.len;
        break;
    case OPERATION_DISABLE:
    case OPERATION_DELETE:
    case OPERATION_AUDIT:
    case OPERATION_NONE:
        break;
    }
}

static bool see_owner(void *context, const struct document *d)
{
    *(uint64_t *)context = d->owner;
    return false;
}

// The pool's owner, whose stock goes onto nobody else's cards unless it is the operator.
static void find_pool(struct api_exchange *x, struct api_body *b, struct campaign *c)
{
    uint64_t owner = 0;
    if (c->pool == 0 || b->problem.code != API_OK)
        return;
    if (!api_pool_visible(x, c->pool, 0) ||
        store_document_get(x->reader, "pool", c->pool, see_owner, &owner) != STORE_OK) {
        api_body_fail(b, api_problem_field(API_NOT_FOUND, bytes_of_text("poolId"),
                                           "No such pool, GET /subscription-pools lists them"));
        return;
    }
    c->pool_owner = owner == AUTH_OPERATOR ? 0 : owner;
    c->template_default = api_pool_template(x->reader, c->pool);
}

static void read_operation(struct api_exchange *x, struct api_body *outer, enum api_need need,
                           struct campaign *c)
{
    static const char *const channels[] = {"SMS", NULL};
    struct api_body b;
    if (!api_body_begin(outer, "operation", &b)) {
        if (need == API_REQUIRED)
            fail(outer, "operation", "Missing member");
        return;
    }
    const int kind = api_body_enum(&b, "type", API_REQUIRED, kinds);
    c->operation = (struct operation){.kind = kind < 0 ? OPERATION_NONE : (uint8_t)(kind + 1)};
    const bool has_pool = kind >= 0 && c->operation.kind <= OPERATION_SET_FALLBACK;
    c->pool = has_pool ? api_body_id(&b, "poolId", API_REQUIRED, "pol") : 0;
    c->ttl_s = (uint32_t)api_body_integer(&b, "ttlSeconds", TTL_MIN_S, TTL_MAX_S, 0);
    (void)api_body_enum(&b, "channel", API_OPTIONAL, channels);
    c->is_sharp = false;
    read_members(&b, c);
    find_pool(x, &b, c);
    api_body_close(outer, "operation", &b);
}

// --- how ---

static uint8_t read_days(struct api_body *b)
{
    static const char *const names[] = {"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"};
    const json_t *days = api_body_array(b, "days", API_OPTIONAL);
    size_t i;
    const json_t *day;
    uint8_t set = 0;
    if (days == NULL)
        return 0x7F;
    json_array_foreach(days, i, day)
    {
        unsigned at = 0;
        const char *text = json_string_value(day);
        while (at < 7 && (text == NULL || strcmp(text, names[at]) != 0))
            at++;
        if (at == 7)
            return 0;
        set |= (uint8_t)(1u << at);
    }
    return set;
}

static bool read_window(const json_t *object, struct utc now, struct campaign_window *w)
{
    struct api_body b;
    char name[ZONE_NAME_MAX + 1];
    api_body_init(&b, object);
    const int from = rules_minutes(api_body_text(&b, "from", API_REQUIRED, 1, 5));
    const int to = rules_minutes(api_body_text(&b, "to", API_REQUIRED, 1, 5));
    const struct bytes zone = api_body_text(&b, "timeZone", API_REQUIRED, 1, ZONE_NAME_MAX);
    const uint8_t days = read_days(&b);
    if (!json_is_object(object) || !api_body_end(&b) || from < 0 || to < 0 || days == 0)
        return false;
    rules_zone(zone, name);
    *w = (struct campaign_window){days, (uint16_t)from, (uint16_t)to, zone_offset(name, now)};
    return zone_is_known(name);
}

static void read_schedule(struct api_body *outer, struct utc now, struct campaign *c)
{
    struct api_body b;
    size_t i;
    const json_t *object;
    if (!api_body_begin(outer, "schedule", &b))
        return;
    c->start_at = api_body_time(&b, "startAt");
    c->end_at = api_body_time(&b, "endAt");
    if (c->end_at.ms != 0 && c->end_at.ms <= c->start_at.ms)
        fail(&b, "endAt", "It must be after startAt");
    const json_t *windows = api_body_array(&b, "windows", API_OPTIONAL);
    bool ok = json_array_size(windows) <= CAMPAIGN_WINDOWS_MAX;
    c->window_count = 0;
    json_array_foreach(windows, i, object)
    {
        ok = ok && read_window(object, now, &c->windows[i]);
        c->window_count += ok;
    }
    if (!ok)
        fail(&b, "windows",
             "At most 8 of days (MON to SUN), from and to as hh:mm, timeZone as UTC, +hh:mm or a "
             "name such as Europe/Berlin");
    api_body_close(outer, "schedule", &b);
}

static void read_rate(struct api_body *outer, enum api_need need, struct campaign *c)
{
    struct api_body b;
    if (!api_body_begin(outer, "rate", &b)) {
        if (need == API_REQUIRED)
            fail(outer, "rate", "Missing member");
        return;
    }
    if (!api_body_has(&b, "perSecond"))
        fail(&b, "perSecond", "Missing member");
    c->per_second =
        (uint16_t)api_body_integer(&b, "perSecond", 1, CAMPAIGN_RATE_MAX, c->per_second);
    c->per_network = (uint16_t)api_body_integer(&b, "perPlmn", 1, CAMPAIGN_RATE_MAX, 0);
    c->open_max = (uint32_t)api_body_integer(&b, "maxOpen", 1, CAMPAIGN_OPEN_MAX, 1000);
    api_body_close(outer, "rate", &b);
}

static void read_limits(struct api_body *outer, struct campaign *c)
{
    struct api_body b;
    if (api_body_begin(outer, "canary", &b)) {
        c->canary_count = (uint32_t)api_body_integer(&b, "count", 1, CAMPAIGN_CARDS_MAX, 0);
        c->success_min = (uint8_t)api_body_integer(&b, "minSuccessPercent", 0, 100, 95);
        c->rollback_max = (uint8_t)api_body_integer(&b, "maxRollbackPercent", 0, 100, 1);
        api_body_close(outer, "canary", &b);
    }
    if (api_body_begin(outer, "autoPause", &b)) {
        c->failure_max = (uint8_t)api_body_integer(&b, "failurePercent", 0, 100, 5);
        c->look = (uint16_t)api_body_integer(&b, "window", 1, CAMPAIGN_LOOK_MAX, 200);
        api_body_close(outer, "autoPause", &b);
    }
    c->with_blocked = api_body_bool(outer, "includeBlocked", false);
}

void api_campaign_read(struct api_exchange *x, struct api_body *b, enum api_need need,
                       struct campaign *c)
{
    (void)api_body_text(b, "name", need, 1, API_NAME_MAX);
    read_operation(x, b, need, c);
    read_schedule(b, x->now.utc, c);
    read_rate(b, need, c);
    read_limits(b, c);
}

// --- the target ---

static bool is_group(struct api_exchange *x, uint64_t id)
{
    struct api_object *group = calloc(1, sizeof(*group));
    const bool is_there = group != NULL && api_document_get(x, &api_groups, id, group);
    free(group);
    return is_there;
}

static void read_groups(struct api_exchange *x, struct api_body *b, const json_t *array,
                        struct campaign_target *t)
{
    size_t i;
    const json_t *item;
    t->kind = TARGET_GROUPS;
    if (json_array_size(array) == 0 || json_array_size(array) > CAMPAIGN_GROUPS_MAX) {
        fail(b, "groupIds", "1 to 50 groups");
        return;
    }
    json_array_foreach(array, i, item)
    {
        uint64_t id = 0;
        const char *text = json_string_value(item);
        if (text == NULL || !api_id_read(bytes_of_text(text), "grp", &id))
            fail(b, "groupIds", "Each must be the id of a group, grp_ and 26 characters");
        else if (!is_group(x, id))
            api_body_fail(b, api_problem_field(API_NOT_FOUND, bytes_of_text("groupIds"),
                                               "No such group, GET /card-groups lists them"));
        t->groups[t->group_count++] = id;
    }
}

// The first that is not there for the caller is told by its place, from 1 on: identifiers stand in
// no answer.
static void read_list(struct api_exchange *x, struct api_body *b, const char *name,
                      struct campaign_target *t)
{
    const bool is_iccid = strcmp(name, "list") == 0;
    const json_t *array = api_body_array(b, name, API_OPTIONAL);
    size_t i;
    const json_t *item;
    t->kind = TARGET_LIST;
    if (json_array_size(array) == 0 || json_array_size(array) > CAMPAIGN_LIST_MAX) {
        fail(b, name, "1 to 10000 cards");
        return;
    }
    t->cards = calloc(json_array_size(array), sizeof(t->cards[0]));
    json_array_foreach(array, i, item)
    {
        const char *text = json_string_value(item);
        char why[64];
        enum store_status status = t->cards == NULL ? STORE_FAILED : STORE_NONE;
        if (t->cards != NULL && text != NULL)
            status = upload_card(x, text, is_iccid, &t->cards[i]);
        if (status == STORE_OK) {
            t->card_count++;
            continue;
        }
        if (status != STORE_NONE) {
            api_body_fail(b, api_problem_of(API_UNAVAILABLE));
            return;
        }
        struct writer w = writer_of(why, sizeof(why));
        text_put(&w, "No such card: number ");
        text_decimal(&w, i + 1);
        text_put(&w, " of the list, GET /cards lists them");
        api_body_fail(b, api_problem_field(API_NOT_FOUND, bytes_of_text(name), text_end(&w)));
        return;
    }
}

static void read_upload(struct api_exchange *x, struct api_body *b, struct campaign_target *t)
{
    struct api_object *upload = calloc(1, sizeof(*upload));
    t->kind = TARGET_UPLOAD;
    t->upload = api_body_id(b, "uploadId", API_REQUIRED, api_uploads.prefix);
    if (b->problem.code == API_OK &&
        (upload == NULL || !api_document_get(x, &api_uploads, t->upload, upload)))
        api_body_fail(b, api_problem_field(API_NOT_FOUND, bytes_of_text("uploadId"),
                                           "No such upload, GET /uploads lists them"));
    free(upload);
}

static void read_filter(struct api_body *outer, struct campaign_target *t)
{
    struct api_body b;
    if (!api_body_begin(outer, "filter", &b))
        return;
    t->kind = TARGET_FILTER;
    if (t->is_kept)
        api_card_kept_filter_read(&b, &t->words, &t->filter);
    else
        api_card_filter_read(&b, &t->words, &t->filter);
    api_body_close(outer, "filter", &b);
}

void api_campaign_read_target(struct api_exchange *x, struct api_body *outer, enum api_need need,
                              struct campaign_target *t)
{
    static const char *const names[] = {"groupIds", "filter", "cardIds", "list", "uploadId"};
    struct api_body b;
    unsigned given = 0;
    if (!api_body_begin(outer, "target", &b)) {
        if (need == API_REQUIRED)
            fail(outer, "target", "Missing member");
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        given += api_body_has(&b, names[i]);
    if (given != 1)
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("groupIds"),
                                            "Exactly one of groupIds, filter, cardIds, list "
                                            "and uploadId"));
    else if (api_body_has(&b, "groupIds"))
        read_groups(x, &b, api_body_array(&b, "groupIds", API_OPTIONAL), t);
    else if (api_body_has(&b, "filter"))
        read_filter(&b, t);
    else if (api_body_has(&b, "uploadId"))
        read_upload(x, &b, t);
    else
        read_list(x, &b, api_body_has(&b, "list") ? "list" : "cardIds", t);
    t->filter.tenant = api_reach(x);
    t->filter.grants = api_reading(x);
    api_body_close(outer, "target", &b);
}

bool api_campaign_kept_target(struct api_exchange *x, struct bytes body, struct campaign_target *t)
{
    json_t *root = NULL;
    struct api_body b;
    if (json_read(body, &root) != JSON_READ_OK)
        return false;
    api_body_init(&b, root);
    t->is_kept = true;
    if (json_object_get(json_object_get(root, "target"), LISTED) != NULL)
        t->kind = TARGET_LIST;
    else
        api_campaign_read_target(x, &b, API_REQUIRED, t);
    json_decref(root);
    return b.problem.code == API_OK;
}

json_t *api_campaign_body(const json_t *given, const struct campaign_target *t)
{
    json_t *root = json_deep_copy(given);
    json_object_del(root, "reason"); // which is the trail's
    if (t->kind == TARGET_LIST && t->card_count > 0)
        json_object_set_new(root, "target", json_pack("{sI}", LISTED, (json_int_t)t->card_count));
    return root;
}

#include "ota-server/service/api_tariff.h"

#include "common/base/text.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/meter.h"

#include <stdio.h>

#define TARIFF_KIND "tariff"
#define ENTERPRISE_KIND "enterprise"

const char *const api_meter_kinds[] = {"QUERY", "CHANGE", NULL};
const char *const api_meter_apis[] = {"A", "B", "C", "D", "E", "F", NULL};

// --- months ------------------------------------------------------------------------------------

uint32_t api_month_read(struct bytes text)
{
    uint64_t year = 0;
    uint64_t month = 0;
    if (text.len != 7 || text.at[4] != '-' || !text_read_decimal(bytes_slice(text, 0, 4), &year) ||
        !text_read_decimal(bytes_slice(text, 5, 7), &month) || year < 2000 || month < 1 ||
        month > 12)
        return 0;
    return (uint32_t)(year * 100 + month);
}

const char *api_month_write(uint32_t period, char text[API_MONTH_SIZE])
{
    if (period == meter_year_of(period))
        (void)snprintf(text, API_MONTH_SIZE, "%u", period / 100 % 10000);
    else
        (void)snprintf(text, API_MONTH_SIZE, "%u-%02u", period / 100 % 10000, period % 100);
    return text;
}

// --- keeping and finding -----------------------------------------------------------------------

static int64_t state_of(const struct tariff_key *k)
{
    return (int64_t)k->valid_from * 100 + k->api * 10 + k->kind;
}

static bool note_key(void *context, const struct document *d)
{
    struct tariffs *t = context;
    t->keys[t->count++] = (struct tariff_key){.id = d->id,
                                              .enterprise = d->parent,
                                              .valid_from = (uint32_t)(d->state / 100),
                                              .api = (uint8_t)(d->state / 10 % 10),
                                              .kind = (uint8_t)(d->state % 10)};
    return t->count < TARIFFS_MAX;
}

enum store_status tariffs_load(struct store *store, struct tariffs *out)
{
    const struct document_filter filter = {.kind = TARIFF_KIND, .state = -1};
    const struct store_page page = {.limit = TARIFFS_MAX};
    out->count = 0;
    return store_documents(store, &filter, &page, note_key, out, NULL);
}

static bool see_tariff(void *context, const struct document *d)
{
    struct tariff *t = context;
    struct bytes unit = {0};
    json_t *root = NULL;
    size_t i;
    const json_t *tier;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    t->id = d->id;
    t->valid_from = (uint32_t)(d->state / 100);
    if (json_get_text(root, "unit", &unit) == JSON_FOUND && unit.len <= TARIFF_UNIT_MAX)
        bytes_copy(t->unit, unit);
    json_array_foreach(json_object_get(root, "tiers"), i, tier)
    {
        if (t->tier_count < METER_TIERS_MAX)
            t->tiers[t->tier_count++] =
                (struct meter_tier){json_unsigned(tier, "from"), json_unsigned(tier, "to"),
                                    (int64_t)json_unsigned(tier, "unitPrice")};
    }
    json_decref(root);
    return false;
}

enum store_status tariff_find(struct store *store, const struct tariffs *tariffs,
                              const struct tariff_key *wanted, struct tariff *out)
{
    const struct tariff_key *best = NULL;
    *out = (struct tariff){.id = 0};
    for (size_t i = 0; i < tariffs->count; i++) {
        const struct tariff_key *k = &tariffs->keys[i];
        if (k->api != wanted->api || k->kind != wanted->kind ||
            k->valid_from > wanted->valid_from ||
            (k->enterprise != 0 && k->enterprise != wanted->enterprise))
            continue;
        const bool is_nearer =
            best == NULL || (k->enterprise == best->enterprise ? k->valid_from > best->valid_from
                                                               : k->enterprise != 0);
        if (is_nearer)
            best = k;
    }
    if (best == NULL)
        return STORE_OK;
    const enum store_status status =
        store_document_get(store, TARIFF_KIND, best->id, see_tariff, out);
    return status == STORE_NONE ? STORE_OK : status;
}

// --- the interface -----------------------------------------------------------------------------

static const struct api_kind tariffs_kind = {
    .kind = TARIFF_KIND, .prefix = "rec", .path = "/metering/tariffs"};

void api_tariffs_list(struct api_exchange *x)
{
    if (api_operator_only(x))
        api_documents_list(x, &tariffs_kind, 0);
}

static void read_tiers(struct api_body *b)
{
    static const char *const problems[] = {
        [METER_TABLE_EMPTY] = "1 to 16 tiers",
        [METER_TABLE_GAP] = "The first begins at 1, each other one behind the one before",
        [METER_TABLE_END] = "All but the last have a to, which is not before their from",
        [METER_TABLE_PRICE] = "A unitPrice is 0 to 1000000"};
    struct meter_tier tiers[METER_TIERS_MAX];
    const json_t *array = api_body_array(b, "tiers", API_REQUIRED);
    size_t count = 0;
    size_t i;
    const json_t *object;
    enum meter_table_status status = METER_TABLE_OK;
    if (json_array_size(array) > METER_TIERS_MAX)
        status = METER_TABLE_EMPTY;
    json_array_foreach(array, i, object)
    {
        struct api_body inner;
        if (status != METER_TABLE_OK || b->problem.code != API_OK)
            break;
        api_body_init(&inner, object);
        tiers[count].from = (uint64_t)api_body_integer(&inner, "from", 1, METER_CALLS_MAX, 0);
        tiers[count].to = (uint64_t)api_body_integer(&inner, "to", 1, METER_CALLS_MAX, 0);
        tiers[count].unit_price = api_body_integer(&inner, "unitPrice", 0, INT32_MAX, -1);
        if (!json_is_object(object) || !api_body_end(&inner))
            api_body_fail_within(
                b, "tiers",
                json_is_object(object)
                    ? inner.problem
                    : api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("tiers"),
                                        "Each must be an object with from, to and unitPrice"));
        count++;
    }
    if (status == METER_TABLE_OK && b->problem.code == API_OK)
        status = meter_table_judge(tiers, count);
    if (status != METER_TABLE_OK)
        api_body_fail(
            b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("tiers"), problems[status]));
}

static void read_table(struct api_exchange *x, struct tariff_key *k, int64_t *version)
{
    struct api_body *b = &x->body;
    const struct bytes from = api_body_text(b, "validFrom", API_REQUIRED, 7, 7);
    const int api = api_body_enum(b, "api", API_REQUIRED, api_meter_apis);
    const int kind = api_body_enum(b, "operationClass", API_REQUIRED, api_meter_kinds);
    k->enterprise = api_body_id(b, "enterpriseId", API_OPTIONAL, "ent");
    (void)api_body_text(b, "unit", API_REQUIRED, 1, TARIFF_UNIT_MAX);
    read_tiers(b);
    api_read_reason(x, API_OPTIONAL);
    k->id = api_body_id(b, "id", API_OPTIONAL, "rec");
    (void)api_body_time(b, "createdAt");
    (void)api_body_time(b, "updatedAt");
    *version = api_body_integer(b, "version", 1, INT64_MAX, -1);
    k->valid_from = api_month_read(from);
    k->api = (uint8_t)(api > 0 ? api : 0);
    k->kind = (uint8_t)(kind > 0 ? kind : 0);
    if (k->valid_from == 0)
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("validFrom"),
                                           "A month such as 2026-07"));
}

// What a closed month costs does not change any more.
static enum store_status is_frozen(struct store *store, const struct tariff_key *k, struct utc now,
                                   bool *out)
{
    char zone[METER_ZONE_SIZE];
    *out = meter_is_closed_somewhere(k->valid_from, now);
    if (k->enterprise == 0)
        return STORE_OK;
    const enum store_status status = meter_zone(store, k->enterprise, zone);
    *out = meter_is_closed(zone, k->valid_from, now);
    return status;
}

static bool see_present(void *context, const struct document *d)
{
    struct document *to = context;
    to->id = d->id;
    to->version = d->version;
    to->created_at = d->created_at;
    return false;
}

static enum store_status keep_table(struct api_exchange *x, struct store *store, struct utc now)
{
    struct api_object *object = x->work;
    struct document *d = &object->document;
    const struct document_filter all = {.kind = TARIFF_KIND, .state = -1};
    const struct store_page none = {.limit = 0};
    uint64_t total = 0;
    d->version = 0;
    enum store_status status = store_document_named(store, TARIFF_KIND, d->name, see_present, d);
    x->object_id = d->id;
    if (status == STORE_NONE)
        status = store_documents(store, &all, &none, see_present, d, &total);
    if (status != STORE_OK)
        return status;
    if (total < TARIFFS_MAX)
        return api_document_apply(x, store, now);
    x->problem =
        api_problem_text(API_INCOMPATIBLE_STATE, "There are 500 price tables already: replace one");
    return STORE_CONFLICT;
}

static void reply_table(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &tariffs_kind, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_etag(x, version);
    api_reply(x, 200);
}

// Members that a table has in the list; `reason` is the trail's.
static void drop_fixed(json_t *root)
{
    static const char *const fixed[] = {"id", "createdAt", "updatedAt", "version", "reason"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        json_object_del(root, fixed[i]);
}

// Is the table that the caller changed, by If-Match or what it sends back, the one that is there?
// False: refused.
static bool is_present(struct api_exchange *x, const struct document *d, uint64_t id,
                       int64_t version)
{
    struct document present = {.id = 0};
    const bool is_named = id != 0 || version >= 0;
    const bool is_matched = x->request->if_match.len > 0;
    if (!is_named && !is_matched)
        return true;
    const enum store_status status =
        store_document_named(x->reader, TARIFF_KIND, d->name, see_present, &present);
    if (status != STORE_OK && status != STORE_NONE)
        api_refuse_store(x, status);
    else if ((is_matched && status == STORE_NONE) ||
             (is_named && (present.id != id || (int64_t)present.version != version)))
        api_refuse_code(x, API_FAILED_PRECONDITION);
    else
        return api_if_match(x, present.version);
    return false;
}

static struct bytes name_of(const struct tariff_key *k, char name[API_NAME_MAX])
{
    (void)snprintf(name, API_NAME_MAX, "%s/%s/%llu/%u", meter_api_name(k->api),
                   api_meter_kinds[k->kind], (unsigned long long)k->enterprise, k->valid_from);
    return bytes_of_text(name);
}

void api_tariffs_put(struct api_exchange *x)
{
    struct tariff_key key = {.id = 0};
    char name[API_NAME_MAX];
    bool is_late = false;
    int64_t version = -1;
    read_table(x, &key, &version);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    if (key.enterprise != 0 && !api_enterprise_is(x, key.enterprise)) {
        api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("enterpriseId"),
                                        "No such enterprise, GET /enterprises lists them"));
        return;
    }
    const enum store_status status = is_frozen(x->reader, &key, x->now.utc, &is_late);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (is_late) {
        api_refuse(x, api_problem_reason(API_INCOMPATIBLE_STATE, "PERIOD_CLOSED",
                                         "The month is closed, and its prices with it: choose a "
                                         "later validFrom"));
        return;
    }
    drop_fixed(x->root);
    struct api_object *object =
        api_document_new(x, &tariffs_kind, AUTH_OPERATOR, name_of(&key, name));
    if (object == NULL || !is_present(x, &object->document, key.id, version))
        return;
    object->document.parent = key.enterprise;
    object->document.state = state_of(&key);
    api_commit(x, keep_table, reply_table);
}

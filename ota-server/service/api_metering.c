// What enterprises are charged for: cards that were queried, calls and what they cost, and the
// lines from which both can be made again.
#include "common/base/text.h"
#include "ota-server/service/api_csv.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_tariff.h"
#include "ota-server/service/meter.h"

#include <stdlib.h>

static const char *const sorts[] = {"enterpriseId", NULL};
static const char *const results[METER_CLASSES] = {"BILLABLE", "REPEATED", "DRY_RUN", "REFUSED",
                                                   "FAILED"};

// --- parameters --------------------------------------------------------------------------------

static bool refuse_parameter(struct api_exchange *x, const char *name, const char *why)
{
    api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(name), why));
    return false;
}

static bool read_month(struct api_exchange *x, uint32_t *month)
{
    struct bytes text;
    *month = api_query_take(&x->query, "month", &text) ? api_month_read(text) : 0;
    return *month != 0 || refuse_parameter(x, "month", "A month such as 2026-07");
}

// A month or a year.
static bool read_period(struct api_exchange *x, uint32_t *period)
{
    struct bytes text;
    uint64_t year = 0;
    if (!api_query_take(&x->query, "year", &text))
        return read_month(x, period);
    if (api_query_take(&x->query, "month", &text))
        return refuse_parameter(x, "year", "A month or a year, not both");
    const struct api_problem p = api_query_number(&x->query, "year", &year);
    if (p.code != API_OK || year < 2000 || year > 9999)
        return refuse_parameter(x, "year", "A year such as 2026");
    *period = meter_year_of((uint32_t)year * 100);
    return true;
}

static bool read_api(struct api_exchange *x, int *api)
{
    const struct api_problem p = api_query_enum(&x->query, "api", api_meter_apis, api);
    if (p.code == API_OK)
        return true;
    api_refuse(x, p);
    return false;
}

// Whose figures, of which period, and whether that is closed.
static void put_period(struct api_exchange *x, uint64_t tenant, uint32_t period, const char *name)
{
    struct json_writer *j = &x->json;
    char zone[METER_ZONE_SIZE];
    char text[API_MONTH_SIZE];
    if (meter_zone(x->reader, tenant, zone) != STORE_OK)
        x->out.failed = true;
    api_put_id(j, "enterpriseId", "ent", tenant);
    api_put_text(j, name, api_month_write(period, text));
    api_put_text(j, "timeZone", zone);
    api_put_bool(j, "closed", meter_is_closed(zone, period, x->now.utc));
}

// --- cards that were queried -------------------------------------------------------------------

struct queried_page {
    struct queried_sum rows[API_PER_PAGE_MAX];
    size_t count;
};

static bool collect_queried(void *context, const struct queried_sum *sum)
{
    struct queried_page *p = context;
    p->rows[p->count++] = *sum;
    return p->count < API_PER_PAGE_MAX;
}

void api_metering_cards(struct api_exchange *x)
{
    struct queried_filter filter = {.family = METER_A};
    struct queried_page page = {.count = 0};
    struct api_list list;
    int api = METER_A;
    if (!read_period(x, &filter.period) || !read_api(x, &api) ||
        !api_take_enterprise(x, &filter.tenant) || !api_list_begin(x, &list, sorts) ||
        !api_end_reading(x))
        return;
    filter.family = (uint8_t)meter_family((enum meter_api)api);
    const enum store_status status =
        store_queried(x->reader, &filter, &list.window, collect_queried, &page, &list.total);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    api_list_open(x);
    for (size_t i = 0; i < page.count; i++) {
        json_begin_object(&x->json);
        put_period(x, page.rows[i].tenant, filter.period, "period");
        api_put_number(&x->json, "distinctCards", page.rows[i].cards);
        api_put_number(&x->json, "calls", page.rows[i].calls);
        json_end_object(&x->json);
    }
    api_list_end(x, &list);
}

// --- calls -------------------------------------------------------------------------------------

struct sums_page {
    struct call_sum rows[API_PER_PAGE_MAX];
    size_t count;
    struct tariffs tariffs;
};

static bool collect_sum(void *context, const struct call_sum *sum)
{
    struct sums_page *p = context;
    p->rows[p->count++] = *sum;
    return p->count < API_PER_PAGE_MAX;
}

static void put_signed(struct json_writer *j, const char *name, int64_t value)
{
    json_put_key(j, name);
    json_put_signed(j, value);
}

// The tiers that `calls` behind `before` fall into, and the sum.
static void put_tiers(struct json_writer *j, const struct tariff *t, uint64_t before,
                      uint64_t calls)
{
    struct meter_line lines[METER_TIERS_MAX];
    int64_t amount = 0;
    const size_t count =
        t->id != 0 ? meter_price(t->tiers, t->tier_count, before, (int64_t)calls, lines) : 0;
    api_open_array(j, "tiers");
    for (size_t i = 0; i < count; i++) {
        json_begin_object(j);
        api_put_number(j, "from", lines[i].tier.from);
        if (lines[i].tier.to != 0)
            api_put_number(j, "to", lines[i].tier.to);
        put_signed(j, "unitPrice", lines[i].tier.unit_price);
        put_signed(j, "calls", lines[i].calls);
        put_signed(j, "amount", lines[i].amount);
        json_end_object(j);
        amount += lines[i].amount;
    }
    json_end_array(j);
    if (t->id != 0)
        put_signed(j, "amount", amount);
}

static void put_tariff(struct json_writer *j, const struct tariff *t)
{
    char text[API_MONTH_SIZE];
    if (t->id == 0)
        return;
    api_open_object(j, "tariff");
    api_put_id(j, "id", "rec", t->id);
    api_put_text(j, "validFrom", api_month_write(t->valid_from, text));
    api_put_text(j, "unit", t->unit);
    json_end_object(j);
}

static void put_sum(struct api_exchange *x, const struct sums_page *page, uint32_t month,
                    const struct call_sum *s)
{
    struct json_writer *j = &x->json;
    struct tariff tariff;
    const struct tariff_key wanted = {
        .enterprise = s->tenant, .valid_from = month, .api = s->api, .kind = s->kind};
    if (tariff_find(x->reader, &page->tariffs, &wanted, &tariff) != STORE_OK)
        x->out.failed = true;
    json_begin_object(j);
    put_period(x, s->tenant, month, "month");
    api_put_text(j, "api", meter_api_name(s->api));
    api_put_text(j, "operationClass", api_meter_kinds[s->kind]);
    api_put_number(j, "billable", s->calls[METER_BILLABLE]);
    api_put_number(j, "repeated", s->calls[METER_REPEATED]);
    api_put_number(j, "dryRuns", s->calls[METER_DRY]);
    api_put_number(j, "refused", s->calls[METER_REFUSED]);
    api_put_number(j, "failed", s->calls[METER_FAILED]);
    put_tariff(j, &tariff);
    put_tiers(j, &tariff, 0, s->calls[METER_BILLABLE]);
    if (s->late > 0) {
        api_open_object(j, "correction");
        api_put_number(j, "billable", s->late);
        put_tiers(j, &tariff, s->calls[METER_BILLABLE], s->late);
        json_end_object(j);
    }
    json_end_object(j);
}

void api_metering_calls(struct api_exchange *x)
{
    struct sums_page *page = calloc(1, sizeof(*page));
    struct api_list list;
    struct call_filter filter = {.api = CALL_ANY};
    x->work = page;
    if (page == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (!read_month(x, &filter.month) || !api_take_enterprise(x, &filter.tenant) ||
        !api_list_begin(x, &list, sorts) || !api_end_reading(x))
        return;
    enum store_status status =
        store_call_sums(x->reader, &filter, &list.window, collect_sum, page, &list.total);
    if (status == STORE_OK)
        status = tariffs_load(x->reader, &page->tariffs);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    api_list_open(x);
    for (size_t i = 0; i < page->count; i++)
        put_sum(x, page, filter.month, &page->rows[i]);
    api_list_end(x, &list);
}

// --- the log -----------------------------------------------------------------------------------

#define PIECE_LINES 150 // that fit a piece of CSV

struct lines {
    struct call_filter filter;
    struct api_exchange *x;
};

static bool put_line(void *context, const struct call_line *l)
{
    struct json_writer *j = &((struct api_exchange *)context)->json;
    char text[API_MONTH_SIZE];
    json_begin_object(j);
    api_put_time(j, "minute", l->minute);
    api_put_text(j, "month", api_month_write(l->month, text));
    api_put_id(j, "enterpriseId", "ent", l->tenant);
    api_put_id(j, "clientId", "cli", l->client);
    api_put_text(j, "api", meter_api_name(l->api));
    api_put_text(j, "operation", l->operation);
    api_put_text(j, "operationClass", api_meter_kinds[l->kind]);
    api_put_text(j, "result", results[l->result]);
    api_put_id(j, "cardId", "crd", l->card);
    api_put_number(j, "calls", l->calls);
    api_put_bool(j, "correction", l->is_late);
    json_end_object(j);
    return true;
}

static void csv_id(struct csv *c, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE];
    if (id == 0) {
        csv_nothing(c);
        return;
    }
    api_id_write(text, prefix, id);
    csv_text(c, text);
}

static bool put_csv_line(void *context, const struct call_line *l)
{
    struct lines *lines = context;
    struct csv c = csv_of(&lines->x->out);
    char minute[UTC_TEXT_SIZE];
    char month[API_MONTH_SIZE];
    utc_format(l->minute, minute);
    csv_text(&c, minute);
    csv_text(&c, api_month_write(l->month, month));
    csv_id(&c, "ent", l->tenant);
    csv_id(&c, "cli", l->client);
    csv_text(&c, meter_api_name(l->api));
    csv_text(&c, l->operation);
    csv_text(&c, api_meter_kinds[l->kind]);
    csv_text(&c, results[l->result]);
    csv_id(&c, "crd", l->card);
    csv_number(&c, l->calls);
    csv_text(&c, l->is_late ? "true" : "false");
    csv_end(&c);
    lines->filter.after = l->id;
    return true;
}

static bool put_csv_piece(struct api_exchange *x)
{
    struct lines *lines = x->rest_work;
    const struct store_page page = {.limit = PIECE_LINES};
    lines->x = x;
    if (x->more_from++ == 0)
        text_put(&x->out, "minute,month,enterpriseId,clientId,api,operation,operationClass,result,"
                          "cardId,calls,correction\r\n");
    return store_calls(x->reader, &lines->filter, &page, put_csv_line, lines, NULL) == STORE_OK &&
           !x->out.failed;
}

static void reply_csv(struct api_exchange *x, const struct call_filter *filter)
{
    struct lines *lines = calloc(1, sizeof(*lines));
    x->rest_work = lines;
    if (lines == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    lines->filter = *filter;
    x->more = put_csv_piece;
    x->type = "text/csv";
    api_reply(x, 200);
}

void api_metering_records(struct api_exchange *x)
{
    struct call_filter filter = {.api = CALL_ANY};
    struct api_list list;
    int api = -1;
    const bool takes_json = api_accepts(x->request->accept, "application/json");
    if (!takes_json && !api_accepts(x->request->accept, "text/csv")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    if (!read_month(x, &filter.month) || !read_api(x, &api) ||
        !api_take_enterprise(x, &filter.tenant) || !api_list_begin(x, &list, sorts) ||
        !api_end_reading(x))
        return;
    if (api >= 0)
        filter.api = (uint8_t)api;
    if (!takes_json) {
        reply_csv(x, &filter);
        return;
    }
    api_list_open(x);
    const enum store_status status =
        store_calls(x->reader, &filter, &list.window, put_line, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

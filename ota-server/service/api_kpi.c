// Key figures of a window, with their definitions.
#include "common/base/text.h"
#include "ota-server/service/api_csv.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

#define HOUR_MS ((int64_t)60 * 60 * 1000)

static const char *const windows[] = {"1h", "24h", "7d", "30d", NULL};
static const int64_t window_hours[] = {1, 24, 7 * 24, 30 * 24};

struct kpi_work {
    struct figure_sums sums;
    struct kpi_cards cards;
    int window; // index
    uint64_t tenant;
    struct utc from, to;
    bool is_csv;
};

// --- JSON ---

static void put_value(struct json_writer *j, const struct kpi *k)
{
    if (k->has_value) {
        json_put_key(j, "value");
        json_put_fixed(j, k->value, 1);
    }
    api_put_number(j, "part", k->part);
    api_put_number(j, "whole", k->whole);
}

static void put_limit(struct json_writer *j, const char *name, uint8_t class)
{
    if (figure_class_limit_s(class) > 0)
        api_put_number(j, name, figure_class_limit_s(class));
}

static void put_duration(struct json_writer *j, const struct kpi *k)
{
    api_put_number(j, "count", k->count);
    if (k->has_value) {
        put_limit(j, "p50", k->p50);
        put_limit(j, "p95", k->p95);
        put_limit(j, "p99", k->p99);
    }
    api_open_array(j, "histogram");
    for (uint8_t i = 0; i < FIGURE_CLASSES; i++) {
        if (k->classes[i] == 0)
            continue;
        json_begin_object(j);
        put_limit(j, "upTo", i);
        api_put_number(j, "count", k->classes[i]);
        json_end_object(j);
    }
    json_end_array(j);
}

static const char *unit_of(const struct kpi *k)
{
    return k->form == KPI_PERCENT ? "percent" : k->form == KPI_MEAN ? "mean" : "seconds";
}

static void put_kpi(struct json_writer *j, const struct kpi_work *w, const struct kpi *k)
{
    json_begin_object(j);
    api_put_text(j, "id", k->id);
    api_put_text(j, "definition", k->definition);
    if (k->kind != OPERATION_NONE)
        api_put_text(j, "type", operation_kind_name(k->kind));
    api_put_text(j, "window", k->is_now ? "now" : windows[w->window]);
    api_put_text(j, "unit", unit_of(k));
    if (k->form == KPI_DURATION)
        put_duration(j, k);
    else
        put_value(j, k);
    json_end_object(j);
}

static void put_all(struct api_exchange *x, const struct kpi_work *w)
{
    struct json_writer *j = &x->json;
    struct kpi k;
    json_begin_object(j);
    api_put_text(j, "window", windows[w->window]);
    api_put_time(j, "from", w->from);
    api_put_time(j, "to", w->to);
    api_put_id(j, "enterpriseId", "ent", w->tenant);
    api_open_array(j, "items");
    for (unsigned i = 0; i < KPI_COUNT; i++) {
        kpi_make(&w->sums, &w->cards, i, &k);
        put_kpi(j, w, &k);
    }
    json_end_array(j);
    json_end_object(j);
}

// --- CSV ---

static void csv_limit(struct csv *c, const struct kpi *k, uint8_t class)
{
    if (k->form == KPI_DURATION && k->has_value && figure_class_limit_s(class) > 0)
        csv_number(c, figure_class_limit_s(class));
    else
        csv_nothing(c);
}

static void csv_time(struct csv *c, struct utc at)
{
    char text[UTC_TEXT_SIZE];
    utc_format(at, text);
    csv_text(c, text);
}

static void csv_line(struct csv *c, const struct kpi_work *w, const struct kpi *k)
{
    csv_text(c, k->id);
    csv_text(c, k->kind != OPERATION_NONE ? operation_kind_name(k->kind) : "");
    csv_text(c, k->is_now ? "now" : windows[w->window]);
    csv_time(c, k->is_now ? w->to : w->from);
    csv_time(c, w->to);
    csv_text(c, unit_of(k));
    if (k->has_value && k->form != KPI_DURATION)
        csv_fixed(c, k->value, 1);
    else
        csv_nothing(c);
    csv_number(c, k->part);
    csv_number(c, k->form == KPI_DURATION ? k->count : k->whole);
    csv_limit(c, k, k->p50);
    csv_limit(c, k, k->p95);
    csv_limit(c, k, k->p99);
    csv_text(c, k->definition);
    csv_end(c);
}

static void put_csv(struct api_exchange *x, const struct kpi_work *w)
{
    struct csv c = csv_of(&x->out);
    struct kpi k;
    text_put(&x->out, "id,type,window,from,to,unit,value,part,whole,p50,p95,p99,definition\r\n");
    for (unsigned i = 0; i < KPI_COUNT; i++) {
        kpi_make(&w->sums, &w->cards, i, &k);
        csv_line(&c, w, &k);
    }
    x->type = "text/csv";
}

// --- the request ---

static bool read_window(struct api_exchange *x, struct kpi_work *w)
{
    w->window = -1;
    const struct api_problem p = api_query_enum(&x->query, "window", windows, &w->window);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return false;
    }
    if (w->window < 0)
        w->window = 1;
    w->to = x->now.utc;
    w->from = utc_after(w->to, -window_hours[w->window] * HOUR_MS);
    w->from.ms -= w->from.ms % HOUR_MS;
    return true;
}

static enum store_status load(struct api_exchange *x, struct kpi_work *w)
{
    struct store_counts counts = {0};
    enum store_status status = store_card_counts(x->reader, w->tenant, &counts);
    w->cards = (struct kpi_cards){.seen = counts.seen,
                                  .dirty = counts.seen_by_mark[MARK_DIRTY],
                                  .on_fallback = counts.seen_by_mark[MARK_ON_FALLBACK]};
    return status == STORE_OK ? store_tallies(x->reader, w->tenant, w->from, w->to, &w->sums)
                              : status;
}

void api_kpis_get(struct api_exchange *x)
{
    struct kpi_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const bool takes_json = api_accepts(x->request->accept, "application/json");
    w->is_csv = !takes_json && api_accepts(x->request->accept, "text/csv");
    if (!takes_json && !w->is_csv) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return;
    }
    if (!read_window(x, w) || !api_take_enterprise(x, &w->tenant) || !api_end_reading(x))
        return;
    const enum store_status status = load(x, w);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (w->is_csv)
        put_csv(x, w);
    else
        put_all(x, w);
    api_reply(x, 200);
}

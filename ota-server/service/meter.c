#include "ota-server/service/meter.h"

#include "common/base/text.h"
#include "common/host/json.h"

#include <stdio.h>
#include <stdlib.h>

#define NOTES_MAX 4096
#define GIVEN_MAX 512 // to one turn: some ten milliseconds
#define MINUTE_MS INT64_C(60000)
#define CLOSING_MS MINUTE_MS // after a month's end: what was answered at its end is written by then
#define EARLIEST_MINUTES (14 * 60)

// So many calls of the same kind.
struct note {
    const struct api_route_row *route;
    struct call_line line; // month and operation are found when it is written
};

struct meter {
    struct turn *turn;
    struct note notes[NOTES_MAX];
    size_t count;
    size_t given; // of them, to the turn that comes
    bool is_given, is_due;
    uint64_t lost;
};

struct meter *meter_open(struct turn *turn)
{
    struct meter *m = calloc(1, sizeof(*m));
    if (m != NULL)
        m->turn = turn;
    return m;
}

void meter_close(struct meter *m)
{
    free(m);
}

struct meter_counts meter_counts(const struct meter *m)
{
    return (struct meter_counts){.waiting = m->count, .lost = m->lost};
}

// --- routes ------------------------------------------------------------------------------------

static const struct {
    const char *base;
    enum meter_api api;
} bases[] = {
    {"/iot-sim-fraud-prevention/v0.1/", METER_A},
    {"/device-card-binding/v0.1/", METER_B},
    {"/iot-sim-fraud-prevention-subscriptions/v0.1/", METER_C},
    {"/device-communication-function/v0.1/", METER_D},
    {"/esim-profile-management/v0.1/", METER_E},
    {API_BASE "/", METER_F},
};

static const char *base_of(const struct api_route_row *row, enum meter_api *api)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        const size_t len = strlen(bases[i].base);
        if (strncmp(row->path, bases[i].base, len) == 0) {
            *api = bases[i].api;
            return row->path + len - 1;
        }
    }
    return NULL;
}

bool meter_of_route(const struct api_route_row *row, enum meter_api *api,
                    enum meter_operation *kind)
{
    *kind = (row->flags & ROUTE_CHANGES) != 0 ? METER_CHANGE : METER_QUERY;
    return (row->flags & ROUTE_OPEN) == 0 && base_of(row, api) != NULL;
}

void meter_operation_name(const struct api_route_row *row, char name[CALL_OPERATION_SIZE])
{
    enum meter_api api = METER_F;
    const char *path = base_of(row, &api);
    struct writer w = writer_of(name, CALL_OPERATION_SIZE - 1);
    text_put(&w, row->method == API_GET     ? "GET "
                 : row->method == API_POST  ? "POST "
                 : row->method == API_PUT   ? "PUT "
                 : row->method == API_PATCH ? "PATCH "
                                            : "DELETE ");
    for (const char *c = path; c != NULL && *c != '\0' && w.len < CALL_OPERATION_SIZE - 1; c++)
        writer_u8(&w, (uint8_t)*c);
    name[w.len] = '\0';
}

// --- months ------------------------------------------------------------------------------------

static bool see_zone(void *context, const struct document *d)
{
    json_t *root = NULL;
    struct bytes text = {0};
    char *zone = context;
    if (json_read(d->body, &root) == JSON_READ_OK &&
        json_get_text(root, "timeZone", &text) == JSON_FOUND && text.len <= ZONE_NAME_MAX) {
        bytes_copy(zone, text);
        zone[text.len] = '\0';
    }
    json_decref(root);
    return false;
}

enum store_status meter_zone(struct store *store, uint64_t tenant, char zone[METER_ZONE_SIZE])
{
    (void)snprintf(zone, METER_ZONE_SIZE, "UTC");
    const enum store_status status =
        store_document_get(store, "enterprise", tenant, see_zone, zone);
    return status == STORE_NONE ? STORE_OK : status;
}

static bool is_over(uint32_t period, struct meter_month present)
{
    // The number of a year is behind those of its months and before the next year's.
    return period < meter_period(present);
}

bool meter_is_closed(const char *zone, uint32_t period, struct utc now)
{
    const struct utc before = utc_after(now, -CLOSING_MS);
    return is_over(period, meter_month_of(before, zone_minutes(zone, before)));
}

bool meter_is_closed_somewhere(uint32_t month, struct utc now)
{
    return is_over(month, meter_month_of(utc_after(now, -CLOSING_MS), EARLIEST_MINUTES));
}

// --- notes -------------------------------------------------------------------------------------

static bool fill(const struct api_exchange *x, unsigned status, struct note *n)
{
    enum meter_api api = METER_F;
    enum meter_operation kind = METER_QUERY;
    if (x->route == NULL || !x->is_authenticated || x->client.is_user || x->client.id == 0 ||
        !meter_of_route(x->route, &api, &kind))
        return false;
    *n = (struct note){
        .route = x->route,
        .line = {.tenant = x->tenant,
                 .client = x->client.id,
                 .card = kind == METER_QUERY ? x->queried_card : 0,
                 .minute = {x->now.utc.ms - x->now.utc.ms % MINUTE_MS},
                 .api = (uint8_t)api,
                 .kind = (uint8_t)kind,
                 .result = (uint8_t)meter_class_of(status, x->is_replayed, x->is_dry_run),
                 .calls = 1}};
    return true;
}

static bool is_same(const struct note *a, const struct note *b)
{
    return a->route == b->route && a->line.tenant == b->line.tenant &&
           a->line.client == b->line.client && a->line.card == b->line.card &&
           a->line.minute.ms == b->line.minute.ms && a->line.result == b->line.result;
}

#define LOOK_BACK 16 // at the last notes, for one of the same kind

static void add(struct meter *m, const struct note *n)
{
    // Those that the turn has are as they are.
    const size_t first = m->count > m->given + LOOK_BACK ? m->count - LOOK_BACK : m->given;
    for (size_t i = m->count; i > first; i--) {
        if (is_same(&m->notes[i - 1], n)) {
            m->notes[i - 1].line.calls++;
            return;
        }
    }
    if (m->count == NOTES_MAX)
        m->lost++;
    else
        m->notes[m->count++] = *n;
}

static enum store_status write_note(struct store *store, const struct note *n, struct utc now)
{
    struct call_line line = n->line;
    char operation[CALL_OPERATION_SIZE];
    char zone[METER_ZONE_SIZE];
    const enum store_status status = meter_zone(store, line.tenant, zone);
    line.month = meter_period(meter_month_of(line.minute, zone_minutes(zone, line.minute)));
    line.is_late = meter_is_closed(zone, line.month, now);
    meter_operation_name(n->route, operation);
    line.operation = operation;
    return status == STORE_OK ? store_call_add(store, &line) : status;
}

void meter_answered(struct api_exchange *x)
{
    struct note n;
    if (x->metered == METERED_NOT && fill(x, x->status, &n))
        add(x->api->meter, &n);
}

enum store_status meter_changed(struct api_exchange *x, struct store *store, unsigned status)
{
    struct note n;
    if (x->metered == METERED_DONE || !fill(x, status, &n))
        return STORE_OK;
    x->metered = METERED_WRITTEN; // perhaps again, when what ran before was undone
    return write_note(store, &n, x->now.utc);
}

void meter_settled(struct api_exchange *x, bool is_committed)
{
    if (x->metered == METERED_WRITTEN)
        x->metered = is_committed ? METERED_DONE : METERED_NOT;
}

// --- writing -----------------------------------------------------------------------------------

static enum store_status write_all(void *context, struct store *store, struct utc now)
{
    const struct meter *m = context;
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < m->given && status == STORE_OK; i++)
        status = write_note(store, &m->notes[i], now);
    return status;
}

static void written(void *context, enum store_status status)
{
    struct meter *m = context;
    const bool is_more = status == STORE_OK && m->given == GIVEN_MAX;
    if (status == STORE_OK) {
        m->count -= m->given;
        memmove(m->notes, m->notes + m->given, m->count * sizeof(m->notes[0]));
    }
    m->given = 0;
    m->is_given = false;
    m->is_due = m->is_due || is_more;
    if (is_more)
        meter_step(m);
}

void meter_step(struct meter *m)
{
    const bool is_due = m->is_due || m->count >= NOTES_MAX / 2 || turn_has_work(m->turn);
    if (m->count == 0 || m->is_given || !is_due)
        return;
    m->given = m->count < GIVEN_MAX ? m->count : GIVEN_MAX;
    m->is_due = false;
    m->is_given = turn_write_part(m->turn, write_all, written, m);
    if (!m->is_given)
        m->given = 0; // the turn is full
}

void meter_tick(struct meter *m)
{
    m->is_due = true;
    meter_step(m);
}

#include "ota-server/service/quota.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/core/metering.h"

#include <stdlib.h>

#define KIND "client-calls"
#define KEPT_MAX 64 // rows in one transaction
#define DAY_MS (24ll * 3600 * 1000)

struct row {
    uint64_t client; // 0: free
    uint64_t tenant;
    uint32_t month;
    uint64_t used[AUTH_APIS];
    uint64_t version; // of its document
    struct utc created_at;
    bool is_changed;
};

struct quotas {
    struct turn *turn;
    struct store *reader;
    bool is_keeping;
    uint64_t kept[KEPT_MAX]; // indices of the rows under way
    size_t kept_count;
    struct row rows[QUOTA_CLIENTS_MAX];
};

struct quotas *quotas_open(struct turn *turn, struct store *reader)
{
    struct quotas *q = calloc(1, sizeof(*q));
    if (q != NULL) {
        q->turn = turn;
        q->reader = reader;
    }
    return q;
}

void quotas_close(struct quotas *q)
{
    free(q);
}

// --- months ---

// From year 0.
static uint32_t month_of(struct utc at)
{
    const struct meter_month m = meter_month_of(at, 0);
    return m.year * 12u + m.month - 1;
}

uint64_t quota_resets_after_s(struct utc now)
{
    const uint32_t month = month_of(now);
    struct utc at = {now.ms - now.ms % DAY_MS};
    while (month_of(at) == month)
        at.ms += DAY_MS;
    return (uint64_t)(at.ms - now.ms + 999) / 1000;
}

// --- rows ---

static bool see_row(void *context, const struct document *d)
{
    struct row *row = context;
    json_t *root = NULL;
    row->version = d->version;
    row->created_at = d->created_at;
    row->month = (uint32_t)d->state;
    if (json_read(d->body, &root) == JSON_READ_OK) {
        for (size_t i = 0; i < AUTH_APIS; i++) {
            int64_t used = 0;
            if (json_get_integer(root, auth_api_names[i], 0, INT64_MAX, &used) == JSON_FOUND)
                row->used[i] = (uint64_t)used;
        }
    }
    json_decref(root);
    return false;
}

static struct row *find_row(struct quotas *q, const struct auth_client *client)
{
    struct row *free_row = NULL;
    for (size_t i = 0; i < QUOTA_CLIENTS_MAX; i++) {
        if (q->rows[i].client == client->id)
            return &q->rows[i];
        if (free_row == NULL && q->rows[i].client == 0)
            free_row = &q->rows[i];
    }
    struct row row = {.client = client->id, .tenant = client->tenant};
    if (free_row == NULL)
        return NULL;
    const enum store_status status = store_document_get(q->reader, KIND, client->id, see_row, &row);
    if (status != STORE_OK && status != STORE_NONE)
        return NULL;
    *free_row = row;
    return free_row;
}

enum quota_status quotas_take(struct quotas *q, const struct auth_client *client, enum auth_api api,
                              struct utc now)
{
    const uint64_t limit = client->calls_per_month[api];
    if (limit == 0)
        return QUOTA_LEFT;
    struct row *row = find_row(q, client);
    if (row == NULL)
        return QUOTA_UNKNOWN;
    const uint32_t month = month_of(now);
    if (row->month != month) {
        row->month = month;
        memset(row->used, 0, sizeof(row->used));
    }
    if (row->used[api] >= limit)
        return QUOTA_USED_UP;
    row->used[api]++;
    row->is_changed = true;
    return QUOTA_LEFT;
}

// --- keeping ---

static enum store_status put_row(struct store *store, const struct row *row, struct utc now)
{
    char body[256];
    struct writer w = writer_of(body, sizeof(body));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    for (size_t i = 0; i < AUTH_APIS; i++) {
        json_put_key(&j, auth_api_names[i]);
        json_put_unsigned(&j, row->used[i]);
    }
    json_end_object(&j);
    const struct document d = {.kind = KIND,
                               .id = row->client,
                               .owner = row->tenant,
                               .state = row->month,
                               .version = row->version,
                               .created_at = row->created_at,
                               .changed_at = now,
                               .body = writer_bytes(&w)};
    return store_document_put(store, &d);
}

static enum store_status keep(void *context, struct store *store, struct utc now)
{
    struct quotas *q = context;
    enum store_status status = STORE_OK;
    q->kept_count = 0;
    for (size_t i = 0; i < QUOTA_CLIENTS_MAX && status == STORE_OK; i++) {
        if (!q->rows[i].is_changed || q->kept_count == KEPT_MAX)
            continue;
        if (q->rows[i].version == 0)
            q->rows[i].created_at = now;
        status = put_row(store, &q->rows[i], now);
        q->rows[i].is_changed = false; // what is counted from here on is for the next time
        q->kept[q->kept_count++] = i;
    }
    return status;
}

static void kept(void *context, enum store_status status)
{
    struct quotas *q = context;
    for (size_t i = 0; i < q->kept_count; i++) {
        struct row *row = &q->rows[q->kept[i]];
        if (status == STORE_OK)
            row->version++;
        else
            row->is_changed = true; // again
    }
    q->kept_count = 0;
    q->is_keeping = false;
}

void quotas_tick(struct quotas *q)
{
    bool is_any = false;
    for (size_t i = 0; i < QUOTA_CLIENTS_MAX; i++)
        is_any |= q->rows[i].is_changed;
    if (is_any && !q->is_keeping)
        q->is_keeping = turn_write(q->turn, keep, kept, q);
}

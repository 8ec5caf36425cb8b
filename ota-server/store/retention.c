#include "ota-server/store/retention.h"

#include "common/wire/ident.h"
#include "ota-server/core/campaign.h"
#include "ota-server/store/driver.h"

enum store_status store_retired_put(struct store *s, uint64_t card, struct utc at)
{
    struct query q = query_of(s, STATEMENT_RETIRED_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, at.ms);
    return query_run(&q);
}

struct retired {
    uint64_t card, tenant;
    struct utc at;
};

static enum store_status next_retired(struct store *s, struct retired *out)
{
    struct query q = query_of(s, STATEMENT_RETIRED_NEXT);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *out = (struct retired){.card = (uint64_t)column_number(&q, 0),
                                .at = {column_number(&q, 1)},
                                .tenant = (uint64_t)column_number(&q, 2)};
    query_end(&q);
    return status;
}

enum store_status store_retired_first(struct store *s, struct utc *at)
{
    struct retired first;
    const enum store_status status = next_retired(s, &first);
    if (status == STORE_OK)
        *at = first.at;
    return status;
}

struct keyed {
    uint64_t id;
    uint8_t imsi[COMMAND_IMSI_SIZE];
};

static enum store_status next_keyed(struct store *s, uint64_t card, struct keyed *out)
{
    struct query q = query_of(s, STATEMENT_SUBSCRIPTION_KEYED);
    bind_number(&q, 1, (int64_t)card);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        out->id = (uint64_t)column_number(&q, 0);
        status = imsi_write(column_text(&q, 1), out->imsi) ? STORE_OK : STORE_FAILED;
    }
    query_end(&q);
    return status;
}

static enum store_status erase_network(struct store *s, uint64_t card, struct utc now)
{
    struct keyed k;
    enum store_status status = next_keyed(s, card, &k);
    while (status == STORE_OK) {
        status = store_network_keys_erase(s, k.imsi);
        struct query q = query_of(s, STATEMENT_SUBSCRIPTION_KEYLESS);
        bind_number(&q, 1, (int64_t)k.id);
        bind_number(&q, 2, now.ms);
        if (status == STORE_OK)
            status = query_run(&q);
        if (status == STORE_OK)
            status = next_keyed(s, card, &k);
    }
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status forget(struct store *s, uint64_t card)
{
    struct query q = query_of(s, STATEMENT_RETIRED_DONE);
    bind_number(&q, 1, (int64_t)card);
    return query_run(&q);
}

static enum store_status erase(struct store *s, const struct retired *r, struct utc now)
{
    const struct trail_new row = {.at = now,
                                  .tenant = r->tenant,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "card.keys.erased",
                                  .object_kind = "card",
                                  .object = r->card,
                                  .reason = "retention",
                                  .result = "done"};
    enum store_status status = store_card_keys_erase(s, r->card);
    if (status == STORE_OK)
        status = erase_network(s, r->card, now);
    if (status == STORE_OK)
        status = forget(s, r->card);
    s->has_erased = s->is_log_to_empty = true;
    return status == STORE_OK ? store_trail_add(s, &row) : status;
}

enum store_status store_retired_erase(struct store *s, struct utc before, struct utc now,
                                      uint32_t limit)
{
    struct retired r;
    enum store_status status = STORE_OK;
    for (uint32_t i = 0; i < limit && status == STORE_OK; i++) {
        status = next_retired(s, &r);
        if (status == STORE_OK && r.at.ms > before.ms)
            return STORE_OK;
        if (status == STORE_OK)
            status = erase(s, &r, now);
    }
    return status == STORE_NONE ? STORE_OK : status;
}

// --- operations, messages, alarms ------------------------------------------------------------

#define OPERATIONS_MAX 256 // in one call
#define ALARM_IS_CLEARED 0 // as the state of its document

static struct query expire_query(struct store *s, enum statement statement, struct utc before,
                                 uint32_t limit)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)ids_first(before)); // ids ascend with the time
    bind_number(&q, 2, limit);
    bind_number(&q, 3, statement == STATEMENT_ALARMS_EXPIRE ? ALARM_IS_CLEARED : STATUS_ENDED);
    if (statement == STATEMENT_ALARMS_EXPIRE)
        bind_number(&q, 4, before.ms);
    return q;
}

static enum store_status drop(struct store *s, enum statement statement, uint64_t operation)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)operation);
    return query_run(&q);
}

static enum store_status drop_operation(struct store *s, uint64_t id)
{
    enum store_status status = drop(s, STATEMENT_STEPS_DROP, id);
    if (status == STORE_OK)
        status = drop(s, STATEMENT_AUDIT_DROP, id);
    if (status == STORE_OK)
        status = drop(s, STATEMENT_ESIM_ORDER_DROP, id);
    return status == STORE_OK ? drop(s, STATEMENT_OPERATION_DROP, id) : status;
}

static enum store_status expire_operations(struct store *s, struct utc before, uint32_t limit,
                                           uint32_t *count)
{
    uint64_t ids[OPERATIONS_MAX];
    const uint32_t most = limit < OPERATIONS_MAX ? limit : OPERATIONS_MAX;
    struct query q = expire_query(s, STATEMENT_OPERATIONS_OLD, before, most);
    enum store_status status = query_step(&q);
    for (*count = 0; status == STORE_OK && *count < most; status = query_step(&q))
        ids[(*count)++] = (uint64_t)column_number(&q, 0);
    query_end(&q);
    if (status == STORE_NONE)
        status = STORE_OK;
    for (uint32_t i = 0; i < *count && status == STORE_OK; i++)
        status = drop_operation(s, ids[i]);
    return status;
}

// --- documents, campaigns ----------------------------------------------------------------------

// Those whose work is open have state 0.
static enum store_status expire_documents(struct store *s, const char *kind, const char *of,
                                          struct utc before, uint32_t limit)
{
    struct query q = query_of(s, STATEMENT_DOCUMENTS_EXPIRE);
    bind_text(&q, 1, kind);
    bind_text(&q, 2, of);
    bind_number(&q, 3, (int64_t)ids_first(before));
    bind_number(&q, 4, limit);
    return query_run(&q);
}

static enum store_status expire_correlators(struct store *s, struct utc before, uint32_t limit)
{
    struct query q = query_of(s, STATEMENT_CORRELATORS_EXPIRE);
    bind_number(&q, 1, before.ms);
    bind_number(&q, 2, limit);
    return query_run(&q);
}

static enum store_status next_campaign(struct store *s, struct utc before, uint64_t *id)
{
    struct query q = query_of(s, STATEMENT_CAMPAIGN_OLD);
    bind_number(&q, 1, (int64_t)ids_first(before));
    bind_number(&q, 2, CAMPAIGN_AWAIT_APPROVAL);
    bind_number(&q, 3, CAMPAIGN_PAUSED);
    const enum store_status status = query_step(&q);
    *id = status == STORE_OK ? (uint64_t)column_number(&q, 0) : 0;
    query_end(&q);
    return status;
}

// The last of it, when its cards are gone.
static enum store_status drop_campaign(struct store *s, uint64_t id)
{
    static const enum statement parts[] = {STATEMENT_CAMPAIGN_COUNTS_DROP,
                                           STATEMENT_CAMPAIGN_SLOTS_DROP, STATEMENT_CAMPAIGN_DROP};
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && status == STORE_OK; i++)
        status = drop(s, parts[i], id);
    if (status == STORE_OK)
        status = store_document_delete(s, "campaign", id);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status expire_campaigns(struct store *s, struct utc before, uint32_t limit,
                                          uint32_t *count)
{
    uint64_t id = 0;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && *count < limit) {
        status = next_campaign(s, before, &id);
        if (status != STORE_OK)
            break;
        struct query q = query_of(s, STATEMENT_CAMPAIGN_CARDS_DROP);
        bind_number(&q, 1, (int64_t)id);
        bind_number(&q, 2, limit - *count);
        status = query_run(&q);
        *count += (uint32_t)sqlite3_changes(s->db);
        if (status != STORE_OK || *count == limit)
            break;
        status = drop_campaign(s, id);
        *count += 1;
    }
    return status == STORE_NONE ? STORE_OK : status;
}

// --- locations ---------------------------------------------------------------------------------

// Where answers are kept, and where a blank one is put. One that nobody can read becomes empty.
struct answers {
    enum statement next, blank;
};

static enum store_status blank_next(struct store *s, const struct answers *at, struct utc before)
{
    uint8_t octets[STORE_ANSWER_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct audit_answer answer;
    int64_t id = 0;
    struct query q = query_of(s, at->next);
    bind_number(&q, 1, before.ms);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        id = column_number(&q, 0);
        if (audit_answer_read(column_octets(&q, 1), &answer)) {
            answer.has_imei = answer.has_plmn = false;
            (void)audit_answer_write(&w, &answer, w.cap);
        }
    }
    query_end(&q);
    if (status != STORE_OK)
        return status;
    q = query_of(s, at->blank);
    bind_number(&q, 1, id);
    bind_octets(&q, 2, writer_bytes(&w));
    return query_run(&q);
}

static enum store_status expire_locations(struct store *s, struct utc before, uint32_t limit,
                                          uint32_t *count)
{
    static const struct answers places[] = {
        {STATEMENT_AUDIT_LOCATED, STATEMENT_AUDIT_BLANK},
        {STATEMENT_VIEW_LOCATED, STATEMENT_VIEW_BLANK},
    };
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < 2 && (status == STORE_OK || status == STORE_NONE); i++) {
        status = STORE_OK;
        while (status == STORE_OK && *count < limit) {
            status = blank_next(s, &places[i], before);
            *count += status == STORE_OK;
        }
    }
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_expire(struct store *s, enum retained kind, struct utc before,
                               uint32_t limit, uint32_t *count)
{
    *count = 0;
    enum store_status status = STORE_OK;
    struct query q;
    switch (kind) {
    case RETAINED_OPERATION:
        return expire_operations(s, before, limit, count);
    case RETAINED_LOCATION:
        return expire_locations(s, before, limit, count);
    case RETAINED_CAMPAIGN:
        return expire_campaigns(s, before, limit, count);
    case RETAINED_ALARM:
    case RETAINED_MESSAGE:
        q = expire_query(
            s, kind == RETAINED_ALARM ? STATEMENT_ALARMS_EXPIRE : STATEMENT_MESSAGES_EXPIRE, before,
            limit);
        status = query_run(&q);
        break;
    case RETAINED_CORRELATOR:
        status = expire_correlators(s, before, limit);
        break;
    case RETAINED_APPROVAL:
        status = expire_documents(s, "approval", "approval", before, limit);
        break;
    case RETAINED_MOVE:
        status = expire_documents(s, "card-move", "card-move", before, limit);
        break;
    case RETAINED_REPORT:
        status = expire_documents(s, "report-content", "report", before, limit);
        if (status == STORE_OK)
            status = expire_documents(s, "report", "report", before, limit);
        break;
    case RETAINED_KINDS:
        return STORE_OK;
    }
    if (status == STORE_OK)
        *count = (uint32_t)sqlite3_changes(s->db);
    return status;
}

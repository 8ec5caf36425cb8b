// Exports of cards and of operations, with the filters of their lists.
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_export.h"
#include "ota-server/service/api_operation.h"

#include <stdlib.h>

#define PIECE_ROWS 100 // read at a time

static bool open_export(struct api_exchange *x, size_t size)
{
    x->work = calloc(1, size);
    if (x->work != NULL)
        return true;
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

// --- cards ---

struct card_export {
    struct export export;
    struct card_filter filter;
    struct card_words words;
    uint64_t cards[PIECE_ROWS];
    size_t count;
    struct record record;
};

static bool collect(void *context, const struct card_row *row)
{
    struct card_export *e = context;
    e->cards[e->count++] = row->card;
    return e->count < PIECE_ROWS;
}

static bool put_card(struct api_exchange *x, const void *of)
{
    api_put_card(x, of);
    return true;
}

// A card that is gone by now is left out.
static bool export_cards(struct api_exchange *x)
{
    struct card_export *e = x->rest_work;
    const struct store_page page = {.limit = PIECE_ROWS};
    e->count = 0;
    e->filter.after = x->more_from;
    enum store_status status = store_cards(x->reader, &e->filter, &page, collect, e, NULL);
    for (size_t i = 0; i < e->count && status == STORE_OK; i++) {
        status = store_card_load(x->reader, e->cards[i], &e->record);
        if (status == STORE_OK && !export_line(x, put_card, &e->record))
            break;
        if (status == STORE_NONE)
            status = STORE_OK;
        x->more_from = e->cards[i];
    }
    return status == STORE_OK;
}

static const struct export_column card_columns[] = {
    {"id", "id"},
    {"groupId", "groupId"},
    {"batchId", "batchId"},
    {"iccid", "iccid"},
    {"eid", "eid"},
    {"state", "state"},
    {"marks", "marks.mark"},
    {"enabledSubscriptionId", "enabledSubscriptionId"},
    {"fallbackSubscriptionId", "fallbackSubscriptionId"},
    {"appletVersion", "applet.version"},
    {"level", "applet.level"},
    {"slots", "applet.slots"},
    {"freeSlots", "applet.freeSlots"},
    {"lastContactAt", "lastContactAt"},
    {"lastAuditAt", "lastAudit.at"},
    {"lastAuditOutcome", "lastAudit.outcome"},
    {"openOperationId", "openOperationId"},
    {"queuedOperations", "queuedOperations"},
    {"applicationField", "applicationField"},
    {"labels", "labels"},
    {"note", "note"},
    {"createdAt", "createdAt"},
    {NULL, NULL}};

static const struct export_kind cards = {.object = "card",
                                         .action = "cards.exported",
                                         .columns = card_columns,
                                         .is_marked = true,
                                         .page = export_cards};

void api_cards_export(struct api_exchange *x)
{
    if (!open_export(x, sizeof(struct card_export)))
        return;
    struct card_export *e = x->work;
    const struct api_problem p = api_card_query_read(x, &e->words, &e->filter);
    if (p.code == API_OK)
        export_begin(x, &cards);
    else
        api_refuse(x, p);
}

// --- operations ---

struct operation_export {
    struct export export;
    struct operation_filter filter;
};

struct one {
    uint64_t card;
    const struct operation *operation;
};

static bool put_operation(struct api_exchange *x, const void *of)
{
    const struct one *one = of;
    api_put_operation(x, one->card, one->operation);
    return true;
}

static bool export_operation(void *context, uint64_t card, const struct operation *o)
{
    struct api_exchange *x = context;
    const struct one one = {card, o};
    if (!export_line(x, put_operation, &one))
        return false;
    x->more_from = o->id;
    return true;
}

static bool export_operations(struct api_exchange *x)
{
    struct operation_export *e = x->rest_work;
    e->filter.after = x->more_from;
    return store_operations_behind(x->reader, &e->filter, PIECE_ROWS, export_operation, x) ==
           STORE_OK;
}

static const struct export_column operation_columns[] = {{"id", "id"},
                                                         {"type", "type"},
                                                         {"cardId", "cardId"},
                                                         {"groupId", "groupId"},
                                                         {"subscriptionId", "subscriptionId"},
                                                         {"status", "status"},
                                                         {"outcome", "outcome"},
                                                         {"cardResult", "cardResult"},
                                                         {"failureCode", "failureCode"},
                                                         {"holdReason", "holdReason"},
                                                         {"attempts", "attempts"},
                                                         {"smsMt", "counts.smsMt"},
                                                         {"smsMo", "counts.smsMo"},
                                                         {"bytesMt", "counts.bytesMt"},
                                                         {"bytesMo", "counts.bytesMo"},
                                                         {"requestedBy", "requestedBy.id"},
                                                         {"campaignId", "campaignId"},
                                                         {"retryOf", "retryOf"},
                                                         {"createdAt", "createdAt"},
                                                         {"expiresAt", "expiresAt"},
                                                         {"endedAt", "endedAt"},
                                                         {NULL, NULL}};

static const struct export_kind operations = {.object = "operation",
                                              .action = "operations.exported",
                                              .columns = operation_columns,
                                              .is_marked = true,
                                              .page = export_operations};

void api_operations_export(struct api_exchange *x)
{
    if (!open_export(x, sizeof(struct operation_export)))
        return;
    struct operation_export *e = x->work;
    struct bytes card;
    operation_filter_init(&e->filter);
    // A foreign or unknown card has none.
    if (api_query_take(&x->query, "cardId", &card) && !api_id_read(card, "crd", &e->filter.card))
        e->filter.card = UINT64_MAX >> 1;
    const struct api_problem p = api_operation_filter_read(x, &e->filter);
    e->filter.tenant = api_reach(x);
    e->filter.grants = api_reading(x);
    if (p.code == API_OK)
        export_begin(x, &operations);
    else
        api_refuse(x, p);
}

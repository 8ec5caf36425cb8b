// What was under way when the process stopped: taken away, or carried through.
#include "ota-server/service/import_job.h"
#include "ota-server/service/turn.h"

#define ROWS 256       // taken away in a transaction
#define MERGE_CARDS 64 // completed in one

static enum store_status take_away(struct store *store, uint64_t import, bool *is_done)
{
    const enum store_status status = store_loading_undo(store, import, ROWS, is_done);
    return status == STORE_OK && *is_done ? store_loading_end(store, import) : status;
}

static enum store_status carry_through(struct import_target *t, bool *is_done)
{
    const struct import_order order = {.import = t->import, .tenant = t->tenant};
    enum store_status status = import_parts_merge(t, MERGE_CARDS, is_done);
    if (status == STORE_OK && *is_done)
        status = import_outcome_show(t->store, t->import, t->now);
    if (status == STORE_OK && *is_done)
        status = store_loading_end(t->store, t->import);
    if (status == STORE_OK && *is_done)
        status = import_trail_put(t->store, &order, "IMPORTED", t->now);
    return status;
}

static enum store_status recover_one(struct import_target *t, bool is_merging)
{
    bool is_done = false;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && !is_done) {
        status = store_begin(t->store);
        if (status == STORE_OK)
            status =
                is_merging ? carry_through(t, &is_done) : take_away(t->store, t->import, &is_done);
        if (status == STORE_OK)
            status = store_commit(t->store);
        else
            store_rollback(t->store);
    }
    return status;
}

static bool copy_order(void *context, const struct document *d)
{
    import_order_read(d, context);
    return false;
}

static enum store_status recover_loads(struct store *store, struct turn *turn, struct utc now)
{
    struct import_target t = {.store = store, .turn = turn, .now = now};
    struct import_order order = {.import = 0};
    bool is_merging = false;
    turn_set_time(turn, now);
    enum store_status status = store_loading_next(store, &t.import, &is_merging);
    while (status == STORE_OK) {
        status = store_document_get(store, IMPORT_KIND, t.import, copy_order, &order);
        t.tenant = order.tenant;
        t.is_update = order.is_update;
        if (status == STORE_OK || status == STORE_NONE)
            status = recover_one(&t, is_merging);
        if (status == STORE_OK)
            status = store_loading_next(store, &t.import, &is_merging);
    }
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status end_one(struct store *store, const struct import_order *order,
                                 struct utc now)
{
    const struct import_state state = {.status = "ENDED", .failure = "INTERRUPTED", .at = now};
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = import_state_put(store, order, &state, IMPORT_ENDED);
    if (status == STORE_OK)
        status = import_trail_put(store, order, state.failure, now);
    if (status == STORE_OK)
        return store_commit(store);
    store_rollback(store);
    return status;
}

enum store_status import_recover(struct store *store, struct turn *turn, struct utc now)
{
    const struct document_filter open = {.kind = IMPORT_KIND, .state = IMPORT_OPEN};
    const struct store_page one = {.limit = 1};
    struct import_order order = {.import = 0};
    enum store_status status = recover_loads(store, turn, now);
    while (status == STORE_OK) {
        order.import = 0;
        status = store_documents(store, &open, &one, copy_order, &order, NULL);
        if (status != STORE_OK || order.import == 0)
            break;
        status = end_one(store, &order, now);
    }
    return status;
}

// The half of an import that writes, on the server's thread: a slice a turn, and its end.
#include "ota-server/service/import_job_part.h"

#define UNDO_ROWS 256
#define MERGE_CARDS 64
#define SWEEP_TICKS 600 // of a second

// The thread gives the ids out by itself, to as many subscriptions as a card can have.
static void begin(struct import_jobs *j, struct utc now)
{
    const uint64_t count = j->running->total * (1 + VENDOR_SLOTS_MAX);
    j->reads.now = now;
    j->reads.ids.last = turn_ids(j->options.turn, now, count + 1) - 1;
}

static enum store_status write_slice(struct import_jobs *j, const struct import_target *t)
{
    const enum store_status status = store_loading_begin(t->store, t->import);
    return status == STORE_OK ? store_load(t->store, j->loads[j->filling ^ 1]) : status;
}

// What is kept of the import: how it ended, its findings, and that the file is known.
static enum store_status write_outcome(struct import_jobs *j, const struct import_target *t,
                                       int64_t document_state)
{
    const struct import_report *r = &j->report;
    const bool is_loaded = j->failure == NULL &&
                           (r->outcome == REPORT_IMPORTED || r->outcome == REPORT_IMPORTED_IN_PART);
    const struct import_state state = {.status = "ENDED",
                                       .failure = j->failure,
                                       .at = t->now,
                                       .is_kept = j->is_kept,
                                       .report = j->failure == NULL ? r : NULL,
                                       .changes = &j->reads.changes};
    enum store_status status =
        import_state_put(t->store, &j->running->order, &state, document_state);
    if (status == STORE_OK)
        status = import_findings_put(t, &r->findings);
    if (status == STORE_OK && j->is_kept)
        status = import_body_put(t, j->writer_crypto, &j->body, j->body_nonce);
    if (status == STORE_OK && is_loaded)
        status = import_batch_put(t, &j->header);
    return status == STORE_OK && is_loaded ? import_file_put(t, r->sha256) : status;
}

// The first time: all is judged and stands ready. From here on a stop changes nothing any more.
static enum store_status write_merge(struct import_jobs *j, struct import_target *t)
{
    enum store_status status = STORE_OK;
    if (!j->is_decided)
        status = write_outcome(j, t, IMPORT_OPEN);
    if (status == STORE_OK && !j->is_decided)
        status = store_loading_merge(t->store, t->import);
    if (status == STORE_OK)
        status = import_parts_merge(t, MERGE_CARDS, &j->is_merged);
    return status;
}

// One transaction: what was loaded is seen, its report is kept, and the file is known.
static enum store_status write_end(struct import_jobs *j, const struct import_target *t)
{
    const struct import_report *r = &j->report;
    const bool is_loaded = j->failure == NULL && j->has_loaded;
    const char *result = j->failure != NULL ? j->failure : import_outcome_name(r->outcome);
    enum store_status status = j->is_decided ? import_outcome_show(t->store, t->import, t->now)
                                             : write_outcome(j, t, IMPORT_ENDED);
    if (status == STORE_OK && (is_loaded || j->is_gone))
        status = store_loading_end(t->store, t->import);
    // A trial tells whoever asks for it; one that a person ended is nobody's failure.
    if (status == STORE_OK && !j->running->order.is_dry && !j->running->is_cancelled)
        status = import_alarms_raise(t, j->failure == NULL ? r : NULL);
    return status == STORE_OK ? import_trail_put(t->store, &j->running->order, result, t->now)
                              : status;
}

static enum store_status apply(void *context, struct store *store, struct utc now)
{
    struct import_jobs *j = context;
    const struct import_order *o = &j->running->order;
    struct import_target t = {.store = store,
                              .turn = j->options.turn,
                              .key = j->options.key,
                              .tenant = o->tenant,
                              .import = o->import,
                              .pool = o->pool,
                              .corrects = o->corrects,
                              .is_update = o->is_update,
                              .actor = o->actor,
                              .address = o->address,
                              .pool_owner = j->reads.pool_owner,
                              .now = now};
    switch ((enum hand_kind)j->kind) {
    case HAND_BEGIN:
        begin(j, now);
        return STORE_OK;
    case HAND_SLICE:
        return write_slice(j, &t);
    case HAND_REFERENCES:
        return store_load_references(store, j->reads.load, j->reference);
    case HAND_UNDO:
        return store_loading_undo(store, o->import, UNDO_ROWS, &j->is_gone);
    case HAND_MERGE:
        return write_merge(j, &t);
    case HAND_END:
        return write_end(j, &t);
    }
    return STORE_FAILED;
}

static void applied(void *context, enum store_status status)
{
    struct import_jobs *j = context;
    const bool is_later = status == STORE_FULL || status == STORE_BUSY;
    (void)pthread_mutex_lock(&j->mutex);
    j->hand = is_later ? HAND_LATER : HAND_FREE;
    j->hand_ended = status;
    if (j->kind == HAND_END && status == STORE_OK) {
        j->running->has_ended = true;
        turn_look_at_strays(j->options.turn);
    }
    if (j->kind == HAND_MERGE && status == STORE_OK)
        j->is_decided = true;
    (void)pthread_cond_broadcast(&j->moved);
    (void)pthread_mutex_unlock(&j->mutex);
}

void import_jobs_step(struct import_jobs *j)
{
    (void)pthread_mutex_lock(&j->mutex);
    // A full turn takes it next time. Only the end must be on the disk: until then what was loaded
    // counts as nothing, and is taken away at the next start.
    if (j->hand == HAND_GIVEN &&
        (j->kind <= HAND_REFERENCES ? turn_write_part(j->options.turn, apply, applied, j)
                                    : turn_write(j->options.turn, apply, applied, j)))
        j->hand = HAND_IN_TURN;
    (void)pthread_mutex_unlock(&j->mutex);
}

static enum store_status tell(void *context, struct store *store, struct utc now)
{
    struct import_jobs *j = context;
    struct import_state state;
    return import_jobs_state(j, j->told_import, &state)
               ? import_tell(store, j->told_import, j->told_tenant, &state, now)
               : STORE_OK; // its end was told
}

// Under the mutex: did the import under way come further?
static bool has_news(struct import_jobs *j)
{
    const struct seat *s = j->running;
    if (s == NULL || s->has_ended || s->is_ending ||
        (s->order.import == j->told_import && s->done == j->told_done && s->pass == j->told_pass))
        return false;
    j->told_import = s->order.import;
    j->told_tenant = s->order.tenant;
    j->told_done = s->done;
    j->told_pass = s->pass;
    return true;
}

static enum store_status sweep(void *context, struct store *store, struct utc now)
{
    struct import_jobs *j = context;
    return import_bodies_sweep(store, now, j->swept, &j->swept_count);
}

static void swept(void *context, enum store_status status)
{
    struct import_jobs *j = context;
    for (size_t i = 0; i < j->swept_count && status == STORE_OK; i++)
        import_body_remove(j->options.folder, j->swept[i]);
    if (status == STORE_OK && j->swept_count == IMPORT_BODIES_MAX)
        j->ticks = 0; // there may be more
}

void import_jobs_tick(struct import_jobs *j)
{
    if (j->options.folder != NULL && j->ticks++ % SWEEP_TICKS == 0 &&
        !turn_write(j->options.turn, sweep, swept, j))
        j->ticks = 0;
    (void)pthread_mutex_lock(&j->mutex);
    if (j->hand == HAND_LATER)
        j->hand = HAND_GIVEN;
    const bool is_to_tell = has_news(j);
    (void)pthread_mutex_unlock(&j->mutex);
    if (is_to_tell && !turn_write_repeatable(j->options.turn, tell, NULL, j))
        j->told_import = 0; // a second later
    import_jobs_step(j);
}

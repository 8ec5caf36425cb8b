#include "ota-server/service/timers_run.h"

#include "common/host/json.h"
#include "ota-server/service/api_json.h"

#include <stdlib.h>

#define RUNS_MAX 8 // at once; others wait for their turn
#define BODY_MAX 1024
#define BATCH_TRIES_MAX 3 // of cards that nothing could be saved for

// What became of the cards so far.
struct counts {
    uint64_t after; // the last one
    uint64_t asked, agreed;
    uint64_t refused[REFUSALS];
};

struct run {
    struct timers_runs *runs;
    uint64_t group;   // 0: free
    uint64_t version; // of the document that `counts` goes on from
    uint64_t owner;
    struct utc created_at;
    struct counts counts;
    struct counts batch; // with the cards that the turn has now
    unsigned waiting;    // for the turn's answers
    bool has_batch, is_failed;
    bool is_wanted; // the store says that it is to go on
    uint8_t tries;
    uint8_t body[BODY_MAX];
    struct document document; // on its way to the store
    bool is_saving;
};

struct timers_runs {
    struct turn *turn;
    struct store *reader;
    struct run rows[RUNS_MAX];
};

struct timers_runs *timers_runs_open(struct turn *turn, struct store *reader)
{
    struct timers_runs *runs = calloc(1, sizeof(*runs));
    if (runs == NULL)
        return NULL;
    runs->turn = turn;
    runs->reader = reader;
    for (size_t i = 0; i < RUNS_MAX; i++)
        runs->rows[i].runs = runs;
    return runs;
}

void timers_runs_close(struct timers_runs *runs)
{
    free(runs);
}

// --- the document ----------------------------------------------------------------------------

static struct bytes body_of(const struct counts *c, uint8_t body[BODY_MAX])
{
    struct writer w = writer_of(body, BODY_MAX);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    api_put_number(&j, "after", c->after);
    api_put_number(&j, "asked", c->asked);
    api_put_number(&j, "agreed", c->agreed);
    for (unsigned i = 1; i < REFUSALS; i++) {
        if (c->refused[i] > 0)
            api_put_number(&j, refusal_name((uint8_t)i), c->refused[i]);
    }
    json_end_object(&j);
    return json_done(&j) ? writer_bytes(&w) : bytes_of(NULL, 0);
}

static struct counts counts_in(struct bytes body)
{
    struct counts c = {.after = 0};
    json_t *root = NULL;
    if (json_read(body, &root) != JSON_READ_OK)
        return c;
    c.after = json_unsigned(root, "after");
    c.asked = json_unsigned(root, "asked");
    c.agreed = json_unsigned(root, "agreed");
    for (unsigned i = 1; i < REFUSALS; i++)
        c.refused[i] = json_unsigned(root, refusal_name((uint8_t)i));
    json_decref(root);
    return c;
}

struct seen_run {
    struct utc created_at, changed_at;
    uint64_t version;
    int64_t state;
    struct counts counts;
};

static bool see_run(void *context, const struct document *d)
{
    *(struct seen_run *)context = (struct seen_run){.created_at = d->created_at,
                                                    .changed_at = d->changed_at,
                                                    .version = d->version,
                                                    .state = d->state,
                                                    .counts = counts_in(d->body)};
    return false;
}

enum store_status timers_run_begin(struct store *store, uint64_t group, uint64_t owner,
                                   struct utc now)
{
    uint8_t body[BODY_MAX];
    struct seen_run seen = {.version = 0};
    const struct counts none = {.after = 0};
    const enum store_status status =
        store_document_get(store, TIMERS_RUN_KIND, group, see_run, &seen);
    const struct document d = {.kind = TIMERS_RUN_KIND,
                               .id = group,
                               .owner = owner,
                               .parent = group,
                               .state = TIMERS_RUNNING,
                               .created_at = now,
                               .changed_at = now,
                               .version = seen.version,
                               .body = body_of(&none, body)};
    return status == STORE_OK || status == STORE_NONE ? store_document_put(store, &d) : status;
}

enum store_status timers_run_stop(struct store *store, uint64_t group, struct utc now)
{
    const enum store_status status =
        store_document_state(store, TIMERS_RUN_KIND, group, TIMERS_RUNNING, TIMERS_STOPPED, now);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status timers_run_put(struct store *store, struct json_writer *j, const char *name,
                                 uint64_t group)
{
    static const char *const states[] = {"RUNNING", "ENDED", "STOPPED"};
    struct seen_run seen = {.version = 0};
    const struct counts *c = &seen.counts;
    const enum store_status status =
        store_document_get(store, TIMERS_RUN_KIND, group, see_run, &seen);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_OK : status;
    uint64_t visited = c->asked + c->agreed;
    for (unsigned i = 1; i < REFUSALS; i++)
        visited += c->refused[i];
    api_open_object(j, name);
    api_put_text(j, "state", states[seen.state]);
    api_put_time(j, "startedAt", seen.created_at);
    api_put_time(j, "updatedAt", seen.changed_at);
    api_put_number(j, "visited", visited);
    api_put_number(j, "asked", c->asked);
    api_put_number(j, "agreed", c->agreed);
    api_open_array(j, "refused");
    for (unsigned i = 1; i < REFUSALS; i++) {
        if (c->refused[i] == 0)
            continue;
        json_begin_object(j);
        api_put_text(j, "reason", refusal_name((uint8_t)i));
        api_put_number(j, "count", c->refused[i]);
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
    return STORE_OK;
}

// --- the pass --------------------------------------------------------------------------------

static void answered(void *context, const struct turn_answer *answer)
{
    struct run *r = context;
    r->waiting--;
    if (answer->refusal == REFUSAL_OVERLOADED)
        r->is_failed = true;
    if (answer->refusal != REFUSAL_NONE)
        r->batch.refused[answer->refusal]++;
    else if (answer->operation != 0)
        r->batch.asked++;
    else
        r->batch.agreed++;
}

static bool ask_card(void *context, uint64_t card)
{
    struct run *r = context;
    const struct event e = {.type = EVENT_TIMERS, .actor = {ACTOR_RULE, r->group}};
    if (!turn_event(r->runs->turn, card, &e, answered, r))
        return false; // the turn is full: the rest comes with the next tick
    r->batch.after = card;
    r->has_batch = true;
    r->waiting++;
    return true;
}

static enum store_status save(void *context, struct store *store, struct utc now)
{
    struct run *r = context;
    (void)now;
    return store_document_put(store, &r->document);
}

// Somebody may have begun anew or stopped it meanwhile: then the document says so.
static void saved(void *context, enum store_status status)
{
    struct run *r = context;
    r->is_saving = false;
    r->version++;
    if (status != STORE_OK || r->document.state == TIMERS_ENDED)
        r->group = 0;
}

static void keep(struct run *r, enum timers_run_state state, struct utc now)
{
    r->document = (struct document){.kind = TIMERS_RUN_KIND,
                                    .id = r->group,
                                    .owner = r->owner,
                                    .parent = r->group,
                                    .state = state,
                                    .created_at = r->created_at,
                                    .changed_at = now,
                                    .version = r->version,
                                    .body = body_of(&r->counts, r->body)};
    r->is_saving = turn_write(r->runs->turn, save, saved, r);
}

// What the last batch brought counts, unless nothing could be saved: then it is asked again.
static bool take_batch(struct run *r)
{
    const bool is_taken = r->has_batch && (!r->is_failed || ++r->tries >= BATCH_TRIES_MAX);
    if (is_taken) {
        r->counts = r->batch;
        r->tries = 0;
    }
    r->has_batch = false;
    r->is_failed = false;
    return is_taken;
}

static void go_on(struct run *r, struct utc now)
{
    if (r->waiting > 0 || r->is_saving)
        return;
    if (!r->is_wanted) {
        r->group = 0;
        return;
    }
    const bool has_news = take_batch(r);
    r->batch = r->counts;
    const enum store_status status =
        store_group_cards(r->runs->reader, r->group, r->counts.after, TIMERS_RATE, ask_card, r);
    if (has_news || (status == STORE_OK && !r->has_batch))
        keep(r, status == STORE_OK && !r->has_batch ? TIMERS_ENDED : TIMERS_RUNNING, now);
}

static struct run *row_of(struct timers_runs *runs, uint64_t group)
{
    struct run *free_row = NULL;
    for (size_t i = 0; i < RUNS_MAX; i++) {
        struct run *r = &runs->rows[i];
        if (r->group == group)
            return r;
        if (r->group == 0 && r->waiting == 0 && !r->is_saving)
            free_row = r;
    }
    return free_row;
}

static bool see_running(void *context, const struct document *d)
{
    struct timers_runs *runs = context;
    struct run *r = row_of(runs, d->id);
    if (r == NULL)
        return false;
    const bool is_other = r->group == 0 || r->version != d->version;
    if (is_other && r->waiting == 0 && !r->is_saving)
        *r = (struct run){.runs = runs,
                          .group = d->id,
                          .version = d->version,
                          .owner = d->owner,
                          .created_at = d->created_at,
                          .counts = counts_in(d->body)};
    r->is_wanted = true;
    return true;
}

void timers_runs_tick(struct timers_runs *runs, struct utc now)
{
    const struct document_filter filter = {.kind = TIMERS_RUN_KIND, .state = TIMERS_RUNNING};
    const struct store_page page = {.limit = RUNS_MAX};
    for (size_t i = 0; i < RUNS_MAX; i++)
        runs->rows[i].is_wanted = false;
    if (store_documents(runs->reader, &filter, &page, see_running, runs, NULL) != STORE_OK)
        return; // the next tick asks again
    for (size_t i = 0; i < RUNS_MAX; i++) {
        if (runs->rows[i].group != 0)
            go_on(&runs->rows[i], now);
    }
}

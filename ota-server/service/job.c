#include "ota-server/service/job.h"

#include <stdlib.h>

#define TRIES_MAX 5

const char *const job_states[] = {"RUNNING", "ENDED", "FAILED"};

// The job of a kind that is under way.
struct seat {
    uint64_t id; // 0: none
    void *memory;
    unsigned tries;
};

struct jobs {
    struct turn *turn;
    struct store *reader;
    const struct job_kind *kinds;
    size_t kind_count, at; // at: the kind whose turn it is
    void *context;
    struct seat seats[JOB_KINDS_MAX];
    bool is_wanted, is_busy;
    struct job job; // of the step under way
    uint8_t before[JOB_BODY_MAX], after[JOB_BODY_MAX];
};

struct jobs *jobs_open(struct turn *turn, struct store *reader, const struct job_kind *kinds,
                       size_t kind_count, void *context)
{
    struct jobs *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return NULL;
    j->turn = turn;
    j->reader = reader;
    j->kinds = kinds;
    j->kind_count = kind_count;
    j->context = context;
    j->is_wanted = true; // what was under way when the process stopped goes on
    return j;
}

void jobs_close(struct jobs *j)
{
    if (j == NULL)
        return;
    for (size_t i = 0; i < j->kind_count; i++)
        free(j->seats[i].memory);
    free(j);
}

// --- a step ------------------------------------------------------------------------------------

static bool take_document(void *context, const struct document *d)
{
    struct jobs *j = context;
    if (d->body.len > sizeof(j->before))
        return false;
    j->job.document = *d;
    bytes_copy(j->before, d->body);
    j->job.document.body = bytes_of(j->before, d->body.len);
    j->job.document.kind = j->kinds[j->at].kind;
    j->job.document.name = NULL;
    return false;
}

static enum store_status keep(struct jobs *j, struct store *store, struct utc now)
{
    struct document *d = &j->job.document;
    if (j->job.body.failed)
        return STORE_FAILED;
    if (j->job.body.len > 0)
        d->body = writer_bytes(&j->job.body);
    if (j->job.is_done)
        d->state = JOB_ENDED;
    d->changed_at = now;
    return j->job.body.len > 0 || j->job.is_done ? store_document_put(store, d) : STORE_OK;
}

static enum store_status run(void *context, struct store *store, struct utc now)
{
    struct jobs *j = context;
    struct seat *seat = &j->seats[j->at];
    j->job = (struct job){.turn = j->turn,
                          .store = store,
                          .now = now,
                          .body = writer_of(j->after, sizeof(j->after)),
                          .memory = &seat->memory};
    enum store_status status =
        store_document_get(store, j->kinds[j->at].kind, seat->id, take_document, j);
    if (status == STORE_OK && j->job.document.id != seat->id)
        return STORE_FAILED;
    if (status == STORE_NONE || (status == STORE_OK && j->job.document.state != JOB_OPEN)) {
        j->job.is_done = true; // somebody ended it
        return STORE_OK;
    }
    if (status == STORE_OK)
        status = j->kinds[j->at].step(j->context, &j->job);
    return status == STORE_OK ? keep(j, store, now) : status;
}

static enum store_status give_up(void *context, struct store *store, struct utc now)
{
    const struct jobs *j = context;
    const enum store_status status = store_document_state(
        store, j->kinds[j->at].kind, j->seats[j->at].id, JOB_OPEN, JOB_FAILED, now);
    return status == STORE_NONE ? STORE_OK : status;
}

static void end_seat(struct seat *seat)
{
    free(seat->memory);
    *seat = (struct seat){.id = 0};
}

static void given_up(void *context, enum store_status status)
{
    struct jobs *j = context;
    j->is_busy = false;
    if (status == STORE_OK)
        end_seat(&j->seats[j->at]);
}

static void ran(void *context, enum store_status status)
{
    struct jobs *j = context;
    struct seat *seat = &j->seats[j->at];
    j->is_busy = false;
    if (status != STORE_OK) {
        j->is_wanted = false; // until the next tick
        free(seat->memory);
        seat->memory = NULL;
        const bool is_world = status == STORE_BUSY || status == STORE_FULL;
        seat->tries += is_world ? 0 : 1;
        if (seat->tries >= TRIES_MAX)
            j->is_busy = turn_write(j->turn, give_up, given_up, j);
        return;
    }
    seat->tries = 0;
    if (j->job.is_done)
        end_seat(seat);
    j->at = (j->at + 1) % j->kind_count;
    jobs_step(j);
}

// --- which one ---------------------------------------------------------------------------------

static bool take_id(void *context, const struct document *d)
{
    *(uint64_t *)context = d->id;
    return false;
}

// The next kind that has something to do becomes the present one; false: none has.
static bool find_work(struct jobs *j)
{
    const struct store_page page = {.limit = 1};
    for (size_t i = 0; i < j->kind_count; i++) {
        const size_t at = (j->at + i) % j->kind_count;
        const struct document_filter open = {.kind = j->kinds[at].kind, .state = JOB_OPEN};
        struct seat *seat = &j->seats[at];
        if (seat->id == 0 &&
            store_documents(j->reader, &open, &page, take_id, &seat->id, NULL) != STORE_OK)
            seat->id = 0;
        if (seat->id != 0) {
            j->at = at;
            return true;
        }
    }
    return false;
}

void jobs_step(struct jobs *j)
{
    if (j->is_busy || !j->is_wanted)
        return;
    j->is_wanted = find_work(j);
    if (j->is_wanted)
        j->is_busy = turn_write(j->turn, run, ran, j); // a full turn is tried the next time
}

void jobs_wake(struct jobs *j)
{
    j->is_wanted = true;
}

void jobs_tick(struct jobs *j)
{
    for (size_t i = 0; i < j->kind_count; i++)
        j->is_wanted |= j->seats[i].id != 0;
    jobs_step(j);
}

bool jobs_are_idle(const struct jobs *j)
{
    return !j->is_busy && !j->is_wanted;
}

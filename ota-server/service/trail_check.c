#include "ota-server/service/trail_check.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_json.h"

#include <pthread.h>
#include <stdlib.h>

#define PIECE_ROWS 20000 // of the chain: some 20 ms, after which the log may be copied

enum seat_state {
    SEAT_FREE,
    SEAT_HELD,
    SEAT_WAITING,
    SEAT_RUNNING,
    SEAT_DONE,    // recomputed; its end is to be written
    SEAT_WRITING, // in the turn
    SEAT_LATER,   // the disk refused
};

struct seat {
    struct trail_checks *checks;
    uint8_t state; // enum seat_state
    struct trail_check check;
    uint64_t next;       // the first row of the next piece
    unsigned busy;       // pieces under way
    bool is_witnessing;  // the last thread compares the checkpoints
    bool is_failed;      // the database could not be read
    uint64_t rows, last; // recomputed; end of the furthest piece
    struct trail_verdict verdict;
};

struct trail_checks {
    struct trail_checks_options options;
    pthread_t threads[TRAIL_CHECK_THREADS];
    unsigned thread_count;
    pthread_mutex_t mutex;
    pthread_cond_t moved; // any of what follows
    struct seat seats[TRAIL_CHECK_SEATS];
    bool is_closing;
};

struct thread_start {
    struct trail_checks *checks;
    struct store *reader;
};

// --- documents -------------------------------------------------------------------------------

void trail_verdict_put(struct json_writer *j, const struct trail_verdict *v, uint64_t head)
{
    json_begin_object(j);
    api_put_bool(j, "ok", v->ok);
    api_put_number(j, "fromSequence", v->from);
    api_put_number(j, "toSequence", v->to);
    api_put_number(j, "headSequence", head);
    api_put_number(j, "checked", v->checked);
    api_put_hex(j, "headHash", bytes_of(v->head, sizeof(v->head)));
    if (!v->ok) {
        api_put_number(j, "firstBadSequence", v->first_bad);
        api_put_text(j, "problem", v->problem);
    }
    api_open_object(j, "checkpoints");
    api_put_number(j, "checked", v->checkpoints);
    api_put_number(j, "lastSequence", v->checkpoint_last);
    json_end_object(j);
    json_end_object(j);
}

enum store_status trail_broken_raise(struct store *store, uint64_t id, struct utc now)
{
    const struct alarm_place at = {.key = ALARM_CHAIN_BROKEN, .object = ""};
    return alarm_raise(store, &at, id, now);
}

static void begin_document(struct json_writer *j, const struct trail_check *c, const char *status,
                           uint64_t rows)
{
    json_begin_object(j);
    api_put_id(j, "id", "vrf", c->id);
    api_put_text(j, "status", status);
    api_put_number(j, "fromSequence", c->from);
    api_put_number(j, "toSequence", c->to);
    api_put_number(j, "checked", rows);
    api_put_time(j, "createdAt", c->created_at);
    api_put_bool(j, "whole", c->is_whole);
}

void trail_check_write(struct writer *out, const struct trail_check *c, uint64_t rows)
{
    struct json_writer j = json_writer_of(out);
    begin_document(&j, c, "RUNNING", rows);
    json_end_object(&j);
}

void trail_check_read(const struct document *d, struct trail_check *c)
{
    json_t *root = NULL;
    *c = (struct trail_check){.id = d->id, .owner = d->owner, .created_at = d->created_at};
    if (json_read(d->body, &root) == JSON_READ_OK) {
        c->from = json_unsigned(root, "fromSequence");
        c->to = json_unsigned(root, "toSequence");
        c->is_whole = json_is_true(json_object_get(root, "whole"));
    }
    json_decref(root);
}

static enum store_status put(struct store *store, const struct trail_check *c, struct document *d,
                             const struct writer *w)
{
    d->kind = TRAIL_CHECK_KIND;
    d->id = c->id;
    d->owner = c->owner;
    d->created_at = c->created_at;
    d->body = writer_bytes(w);
    return w->failed ? STORE_FAILED : store_document_put(store, d);
}

enum store_status trail_check_put(struct store *store, const struct trail_check *c)
{
    uint8_t octets[TRAIL_CHECK_DOCUMENT_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct document d = {.state = TRAIL_CHECK_OPEN, .changed_at = c->created_at};
    trail_check_write(&w, c, 0);
    return put(store, c, &d, &w);
}

// --- pieces, on the threads --------------------------------------------------------------------

// The oldest that may be worked on.
static struct seat *next_seat(struct trail_checks *c)
{
    struct seat *found = NULL;
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++) {
        struct seat *s = &c->seats[i];
        if (s->state != SEAT_WAITING && s->state != SEAT_RUNNING)
            continue;
        if (found == NULL || s->check.id < found->check.id)
            found = s;
    }
    return found;
}

static bool has_piece(const struct seat *s)
{
    return s->verdict.ok && !s->is_failed && s->next <= s->check.to;
}

// What one piece showed; of several that do not hold, the first row counts.
static void add_piece(struct seat *s, const struct trail_verdict *v, enum store_status status)
{
    if (status != STORE_OK) {
        s->is_failed = true;
        return;
    }
    s->rows += v->checked;
    if (!v->ok && (s->verdict.ok || v->first_bad < s->verdict.first_bad)) {
        s->verdict = *v;
        s->verdict.from = s->check.from;
        s->verdict.to = s->check.to;
        s->verdict.checked = v->first_bad > s->check.from ? v->first_bad - s->check.from : 0;
    } else if (s->verdict.ok && v->to >= s->last) {
        s->last = v->to;
        memcpy(s->verdict.head, v->head, sizeof(v->head));
    }
}

// With the mutex, which it gives away meanwhile.
static void run_piece(struct trail_checks *c, struct seat *s, struct store *reader)
{
    struct trail_verdict v;
    const uint64_t from = s->next;
    const uint64_t to = s->check.to - from < PIECE_ROWS ? s->check.to : from + PIECE_ROWS - 1;
    s->state = SEAT_RUNNING;
    s->next = to + 1;
    s->busy++;
    (void)pthread_mutex_unlock(&c->mutex);
    store_refresh(reader); // it must not keep the log from being copied
    const enum store_status status = store_trail_chain(reader, from, to, &v);
    (void)pthread_mutex_lock(&c->mutex);
    s->busy--;
    add_piece(s, &v, status);
}

static void run_end(struct trail_checks *c, struct seat *s, struct store *reader)
{
    s->is_witnessing = true;
    if (s->verdict.ok && !s->is_failed) {
        struct trail_verdict v = s->verdict;
        v.from = s->check.from;
        v.to = s->check.to;
        v.checked = s->rows;
        (void)pthread_mutex_unlock(&c->mutex);
        store_trail_witness(reader, v.from, s->check.is_whole ? UINT64_MAX : v.to, &v);
        (void)pthread_mutex_lock(&c->mutex);
        s->verdict = v;
    }
    s->state = SEAT_DONE;
    if (c->options.wake != NULL)
        c->options.wake(c->options.wake_context);
}

static void *work(void *context)
{
    const struct thread_start start = *(struct thread_start *)context;
    struct trail_checks *c = start.checks;
    free(context);
    (void)pthread_mutex_lock(&c->mutex);
    while (!c->is_closing) {
        struct seat *s = next_seat(c);
        if (s != NULL && has_piece(s)) {
            run_piece(c, s, start.reader);
        } else if (s != NULL && s->busy == 0 && !s->is_witnessing) {
            run_end(c, s, start.reader);
        } else {
            store_refresh(start.reader);
            (void)pthread_cond_wait(&c->moved, &c->mutex);
            continue;
        }
        (void)pthread_cond_broadcast(&c->moved);
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return NULL;
}

// --- the end, on the server's thread -----------------------------------------------------------

static enum store_status write_end(void *context, struct store *store, struct utc now)
{
    const struct seat *s = context;
    uint8_t octets[TRAIL_CHECK_DOCUMENT_MAX];
    uint8_t hash[32];
    uint64_t head = 0;
    struct writer w = writer_of(octets, sizeof(octets));
    struct json_writer j = json_writer_of(&w);
    struct document d = {.state = TRAIL_CHECK_ENDED, .version = 1, .changed_at = now};
    enum store_status status = store_trail_head(store, &head, hash);
    begin_document(&j, &s->check, "ENDED", s->rows);
    api_put_time(&j, "endedAt", now);
    if (s->is_failed) {
        api_put_text(&j, "failure", "UNREADABLE");
    } else {
        json_put_key(&j, "verdict");
        trail_verdict_put(&j, &s->verdict, head);
    }
    json_end_object(&j);
    if (status == STORE_OK)
        status = put(store, &s->check, &d, &w);
    if (status == STORE_OK && !s->is_failed && !s->verdict.ok)
        status = trail_broken_raise(store, turn_id(s->checks->options.turn, now), now);
    return status;
}

static void end_written(void *context, enum store_status status)
{
    struct seat *s = context;
    (void)pthread_mutex_lock(&s->checks->mutex);
    if (status == STORE_OK)
        *s = (struct seat){.checks = s->checks};
    else
        s->state = SEAT_LATER;
    (void)pthread_mutex_unlock(&s->checks->mutex);
}

void trail_checks_step(struct trail_checks *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++) {
        struct seat *s = &c->seats[i];
        if (s->state == SEAT_DONE && turn_write(c->options.turn, write_end, end_written, s))
            s->state = SEAT_WRITING;
    }
    (void)pthread_mutex_unlock(&c->mutex);
}

void trail_checks_tick(struct trail_checks *c)
{
    (void)pthread_mutex_lock(&c->mutex);
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++) {
        if (c->seats[i].state == SEAT_LATER)
            c->seats[i].state = SEAT_DONE;
    }
    (void)pthread_mutex_unlock(&c->mutex);
    trail_checks_step(c);
}

bool trail_checks_wait(struct trail_checks *c)
{
    bool is_done = false;
    (void)pthread_mutex_lock(&c->mutex);
    for (;;) {
        for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++)
            is_done = is_done || c->seats[i].state >= SEAT_DONE;
        if (is_done || next_seat(c) == NULL)
            break;
        (void)pthread_cond_wait(&c->moved, &c->mutex);
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return is_done;
}

// --- seats -------------------------------------------------------------------------------------

static struct seat *find_seat(struct trail_checks *c, uint64_t id)
{
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS; i++) {
        if (c->seats[i].state != SEAT_FREE && c->seats[i].check.id == id)
            return &c->seats[i];
    }
    return NULL;
}

bool trail_checks_add(struct trail_checks *c, const struct trail_check *check)
{
    struct seat *free_one = NULL;
    (void)pthread_mutex_lock(&c->mutex);
    for (unsigned i = 0; i < TRAIL_CHECK_SEATS && free_one == NULL; i++) {
        if (c->seats[i].state == SEAT_FREE)
            free_one = &c->seats[i];
    }
    if (free_one != NULL)
        *free_one = (struct seat){.checks = c,
                                  .state = SEAT_HELD,
                                  .check = *check,
                                  .next = check->from,
                                  .verdict = {.ok = true, .problem = ""}};
    (void)pthread_mutex_unlock(&c->mutex);
    return free_one != NULL;
}

void trail_checks_start(struct trail_checks *c, uint64_t id)
{
    (void)pthread_mutex_lock(&c->mutex);
    struct seat *s = find_seat(c, id);
    check(s != NULL);
    s->state = SEAT_WAITING;
    (void)pthread_cond_broadcast(&c->moved);
    (void)pthread_mutex_unlock(&c->mutex);
}

void trail_checks_drop(struct trail_checks *c, uint64_t id)
{
    (void)pthread_mutex_lock(&c->mutex);
    struct seat *s = find_seat(c, id);
    if (s != NULL && s->state == SEAT_HELD)
        s->state = SEAT_FREE;
    (void)pthread_mutex_unlock(&c->mutex);
}

bool trail_checks_done(struct trail_checks *c, uint64_t id, uint64_t *rows)
{
    (void)pthread_mutex_lock(&c->mutex);
    const struct seat *s = find_seat(c, id);
    *rows = s != NULL ? s->rows : 0;
    (void)pthread_mutex_unlock(&c->mutex);
    return s != NULL;
}

// --- opening and closing -----------------------------------------------------------------------

struct found {
    struct trail_checks *checks;
    bool is_full;
};

static bool begin_again(void *context, const struct document *d)
{
    struct found *f = context;
    struct trail_check check;
    trail_check_read(d, &check);
    f->is_full = !trail_checks_add(f->checks, &check);
    if (!f->is_full)
        trail_checks_start(f->checks, check.id);
    return !f->is_full;
}

enum store_status trail_checks_recover(struct trail_checks *c, struct store *store)
{
    const struct document_filter open = {.kind = TRAIL_CHECK_KIND, .state = TRAIL_CHECK_OPEN};
    const struct store_page page = {.limit = TRAIL_CHECK_SEATS}; // no more were ever open
    struct found f = {.checks = c};
    return store_documents(store, &open, &page, begin_again, &f, NULL);
}

static bool start_threads(struct trail_checks *c)
{
    while (c->thread_count < TRAIL_CHECK_THREADS) {
        struct thread_start *start = malloc(sizeof(*start));
        if (start == NULL)
            return false;
        *start = (struct thread_start){c, c->options.readers[c->thread_count]};
        if (pthread_create(&c->threads[c->thread_count], NULL, work, start) != 0) {
            free(start);
            return false;
        }
        c->thread_count++;
    }
    return true;
}

struct trail_checks *trail_checks_open(const struct trail_checks_options *options)
{
    struct trail_checks *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->options = *options;
    if (pthread_mutex_init(&c->mutex, NULL) != 0 || pthread_cond_init(&c->moved, NULL) != 0) {
        free(c);
        return NULL;
    }
    if (start_threads(c))
        return c;
    trail_checks_close(c);
    return NULL;
}

void trail_checks_close(struct trail_checks *c)
{
    if (c == NULL)
        return;
    (void)pthread_mutex_lock(&c->mutex);
    c->is_closing = true;
    (void)pthread_cond_broadcast(&c->moved);
    (void)pthread_mutex_unlock(&c->mutex);
    for (unsigned i = 0; i < c->thread_count; i++)
        (void)pthread_join(c->threads[i], NULL);
    (void)pthread_cond_destroy(&c->moved);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

// The half of an import that reads and judges, on a thread of its own; and those that wait for it.
#include "ota-server/service/import_job.h"

#include "common/base/check.h"
#include "common/host/crypto.h"
#include "ota-server/service/import_job_part.h"

#include <stdlib.h>

// --- handing over ----------------------------------------------------------------------------

// Waits until the last thing handed over is written; false when it was not, or at the end.
static bool settle(struct import_jobs *j)
{
    (void)pthread_mutex_lock(&j->mutex);
    while (j->hand != HAND_FREE && !j->is_closing)
        (void)pthread_cond_wait(&j->moved, &j->mutex);
    const bool ok = j->hand == HAND_FREE && j->hand_ended == STORE_OK && !j->is_closing;
    (void)pthread_mutex_unlock(&j->mutex);
    return ok;
}

static void give(struct import_jobs *j, enum hand_kind kind)
{
    (void)pthread_mutex_lock(&j->mutex);
    j->kind = (uint8_t)kind;
    j->hand = HAND_GIVEN;
    (void)pthread_cond_broadcast(&j->moved);
    (void)pthread_mutex_unlock(&j->mutex);
    if (j->options.wake != NULL)
        j->options.wake(j->options.wake_context);
}

// Nothing else is filled meanwhile, which costs little: it is rare.
static bool give_references(struct import_jobs *j)
{
    load_sort_references(j->reads.load);
    const uint32_t count = load_reference_count(j->reads.load);
    bool ok = settle(j);
    for (j->reference = 0; j->reference < count && ok; j->reference += LOAD_REFERENCES) {
        give(j, HAND_REFERENCES);
        ok = settle(j);
    }
    load_forget_references(j->reads.load);
    return ok;
}

// The other slice is filled while this one is written.
static bool give_slice(struct import_jobs *j, bool is_last)
{
    const struct load_head head = import_load_head(&j->reads, &j->header);
    struct load *full = j->reads.load;
    if (!load_is_empty(full)) {
        if (!settle(j))
            return false;
        j->filling ^= 1;
        j->reads.load = j->loads[j->filling];
        load_begin(j->reads.load, &head);
        load_pass_references(full, j->reads.load);
        j->has_loaded = true;
        give(j, HAND_SLICE);
    }
    const bool is_time = is_last || load_has_many_references(j->reads.load);
    return !is_time || give_references(j);
}

// --- the importer's callbacks, on the thread --------------------------------------------------

static struct import_jobs *jobs_of(void *context)
{
    return ((struct import_target *)context)->owner;
}

static bool progress(void *context, unsigned pass, uint64_t done, uint64_t total)
{
    struct import_jobs *j = jobs_of(context);
    (void)pthread_mutex_lock(&j->mutex);
    j->running->pass = pass;
    j->running->done = done;
    j->running->total = total;
    const bool goes_on = !j->is_closing && !j->running->is_cancelled;
    (void)pthread_mutex_unlock(&j->mutex);
    store_refresh(j->options.reader); // it must not keep the log from being copied
    import_registry_forget(&j->reads);
    return goes_on;
}

static bool begin(void *context, const struct vendor_header *header, struct import_counts counts)
{
    struct import_jobs *j = jobs_of(context);
    j->header = *header;
    header_wipe(&j->header); // keys stay with the importer
    if (!progress(context, 2, 0, counts.records))
        return false;
    give(j, HAND_BEGIN);
    if (!settle(j))
        return false;
    const struct load_head head = import_load_head(&j->reads, header);
    load_begin(j->reads.load, &head);
    return true;
}

static bool take_card(void *context, const struct vendor_header *header,
                      const struct vendor_card *card)
{
    struct import_jobs *j = jobs_of(context);
    uint64_t known = 0;
    j->has_parts = import_finds(&j->reads, card, &known) || j->has_parts;
    const enum store_status status = known == 0 ? import_load(&j->reads, header, card)
                                                : import_part_add(&j->reads, header, card, known);
    return status == STORE_OK && (!load_is_full(j->reads.load) || give_slice(j, false));
}

static bool take_subscription(void *context, const struct vendor_header *header,
                              const struct vendor_subscription *subscription)
{
    struct vendor_card card = {.subscription_count = 1};
    card.subscriptions[0] = *subscription;
    const bool ok = take_card(context, header, &card);
    secret_wipe(&card, sizeof(card));
    return ok;
}

static bool quarantine(void *context, uint32_t line, struct bytes raw)
{
    // Its findings are in the report; the line itself, with wrapped keys, is not kept.
    (void)context;
    (void)line;
    (void)raw;
    return true;
}

static bool commit(void *context)
{
    struct import_jobs *j = jobs_of(context);
    return give_slice(j, true) && settle(j);
}

static void give_up(void *context)
{
    (void)context; // what was loaded is taken away afterwards
}

static bool read_file(void *context, uint8_t *at, size_t cap, size_t *got)
{
    FILE *file = context;
    *got = fread(at, 1, cap, file);
    return ferror(file) == 0;
}

static bool rewind_file(void *context)
{
    return fseek(context, 0, SEEK_SET) == 0;
}

// --- one import, on the thread -----------------------------------------------------------------

static const char *failure_of(enum import_verdict verdict)
{
    switch (verdict) {
    case IMPORT_DONE:
        return NULL;
    case IMPORT_CANCELLED:
        return "CANCELLED";
    case IMPORT_UNREADABLE:
        return "UNREADABLE";
    case IMPORT_CHANGED:
        return "FILE_CHANGED";
    case IMPORT_REGISTRY_FAILED:
        return "REGISTRY_REFUSED";
    }
    return "INTERNAL";
}

static enum import_verdict read_all(struct import_jobs *j, const struct seat *s)
{
    const struct import_jobs_options *o = &j->options;
    j->reads = (struct import_target){.store = o->reader,
                                      .crypto = j->crypto,
                                      .key = o->key,
                                      .tenant = s->order.tenant,
                                      .import = s->order.import,
                                      .pool = s->order.pool,
                                      .corrects = s->order.corrects,
                                      .is_update = s->order.is_update,
                                      .load = j->loads[j->filling],
                                      .record = j->record,
                                      .owner = j};
    struct import_options options = {
        .file = {.profile = s->profile,
                 .cipher = o->crypto->cipher,
                 .digest = o->digest,
                 .kind = s->order.pool != 0 ? VENDOR_POOL : VENDOR_CARDS,
                 .batch = s->order.batch[0] != '\0' ? s->order.batch : NULL,
                 .quantity = s->order.quantity,
                 .context = &j->reads,
                 .transport_key = import_transport_key},
        .registry = {.begin = begin,
                     .load_card = take_card,
                     .load_subscription = take_subscription,
                     .quarantine = quarantine,
                     .commit = commit,
                     .abort = give_up},
        .is_dry_run = s->order.is_dry,
        .is_partial = s->order.is_partial,
        .is_lab = o->is_lab,
        .number_rule = import_number_rule,
        .fingerprint_key = *o->key,
        .scratch = o->scratch,
        .context = &j->reads,
        .progress = progress,
    };
    if (!import_pool_owner(&j->reads))
        return IMPORT_REGISTRY_FAILED;
    import_registry_reads(&j->reads, &options.registry);
    const struct vendor_source source = {
        .context = s->file, .read = read_file, .rewind = rewind_file};
    const enum import_verdict verdict = import_run(&options, &source, &j->report);
    secret_wipe(&options.fingerprint_key, sizeof(options.fingerprint_key));
    return verdict;
}

// What is applied was kept when it was judged. False: it is gone, or cannot be read.
static bool open_kept(struct import_jobs *j, struct seat *s)
{
    const struct import_target kept = {.store = j->options.reader,
                                       .crypto = j->crypto,
                                       .key = j->options.key,
                                       .tenant = s->order.tenant,
                                       .import = s->order.applies};
    struct import_body body = {.import = s->order.applies};
    s->file = tmpfile();
    const bool ok = s->file != NULL && j->options.folder != NULL &&
                    import_body_get(&kept, &body) == STORE_OK &&
                    import_body_read(j->crypto, j->options.folder, &body, s->file) &&
                    fseek(s->file, 0, SEEK_SET) == 0;
    secret_wipe(&body, sizeof(body));
    return ok;
}

static bool is_cancelled(struct import_jobs *j, const struct seat *s)
{
    (void)pthread_mutex_lock(&j->mutex);
    const bool is_so = s->is_cancelled;
    (void)pthread_mutex_unlock(&j->mutex);
    return is_so;
}

// From here on nobody cancels: what was asked for until now counts.
static void begin_end(struct import_jobs *j, struct seat *s)
{
    (void)pthread_mutex_lock(&j->mutex);
    while (s->holds > 0 && !j->is_closing)
        (void)pthread_cond_wait(&j->moved, &j->mutex);
    s->is_ending = true;
    if (s->is_cancelled) // whatever it was that stopped because of it
        j->failure = failure_of(IMPORT_CANCELLED);
    (void)pthread_mutex_unlock(&j->mutex);
}

// A disk without room for it makes no import fail: then its document names no time.
static void keep_file(struct import_jobs *j, const struct seat *s)
{
    const struct import_jobs_options *o = &j->options;
    j->is_kept = false;
    const bool is_trial = s->order.is_dry && !s->order.is_update;
    if (o->folder == NULL || is_trial || j->failure != NULL ||
        j->report.outcome == REPORT_ALREADY_IMPORTED)
        return;
    j->body = (struct import_body){.import = s->order.import, .seed = {.len = IMPORT_BODY_SEED}};
    o->crypto->random(j->body.seed.octets, IMPORT_BODY_SEED);
    o->crypto->random(j->body_nonce, sizeof(j->body_nonce));
    j->is_kept = import_body_write(j->crypto, o->folder, &j->body, s->file);
}

// The file is judged, and what it took on the disk may be what the end needs.
static void drop_file(struct import_jobs *j, struct seat *s)
{
    const struct vendor_scratch *scratch = j->options.scratch;
    if (s->file != NULL)
        (void)fclose(s->file);
    s->file = NULL;
    if (scratch != NULL)
        (void)scratch->clear(scratch->context); // one that fails is cleared by the next import
}

static void complete_cards(struct import_jobs *j, bool ok)
{
    while (j->failure == NULL && j->has_parts && !j->is_merged && ok) {
        give(j, HAND_MERGE);
        ok = settle(j);
    }
    if (!ok && j->has_parts && !j->is_decided && j->failure == NULL)
        j->failure = failure_of(IMPORT_REGISTRY_FAILED);
}

static void run_job(struct import_jobs *j, struct seat *s)
{
    j->report = (struct import_report){0};
    j->has_loaded = false;
    j->is_gone = false;
    j->has_parts = false;
    j->is_decided = false;
    j->is_merged = false;
    store_refresh(j->options.reader);
    j->failure = failure_of(is_cancelled(j, s)                          ? IMPORT_CANCELLED
                            : s->order.applies != 0 && !open_kept(j, s) ? IMPORT_UNREADABLE
                                                                        : read_all(j, s));
    store_refresh(j->options.reader);
    keep_file(j, s);
    drop_file(j, s);
    bool ok = settle(j) || j->failure != NULL;
    begin_end(j, s);
    complete_cards(j, ok);
    while (j->failure != NULL && j->has_loaded && !j->is_gone && ok) {
        give(j, HAND_UNDO);
        ok = settle(j);
    }
    if (!j->is_decided || j->is_merged) // else the next start carries it through
        give(j, HAND_END);
    (void)settle(j); // what the registry refuses even now ends at the next start
    secret_wipe(&j->body, sizeof(j->body));
    import_report_close(&j->report);
}

static void free_seat(struct seat *s)
{
    profile_close(s->profile);
    if (s->file != NULL)
        (void)fclose(s->file);
    *s = (struct seat){0};
}

// The oldest that waits.
static struct seat *next_seat(struct import_jobs *j)
{
    struct seat *found = NULL;
    for (unsigned i = 0; i < IMPORT_SEATS; i++) {
        struct seat *s = &j->seats[i];
        if (s->state == SEAT_WAITING && (found == NULL || s->order.import < found->order.import))
            found = s;
    }
    return found;
}

static void *work(void *context)
{
    struct import_jobs *j = context;
    (void)pthread_mutex_lock(&j->mutex);
    while (!j->is_closing) {
        struct seat *s = next_seat(j);
        if (s == NULL) {
            (void)pthread_cond_wait(&j->moved, &j->mutex);
            continue;
        }
        s->state = SEAT_RUNNING;
        j->running = s;
        j->hand_ended = STORE_OK;
        (void)pthread_mutex_unlock(&j->mutex);
        run_job(j, s);
        (void)pthread_mutex_lock(&j->mutex);
        j->running = NULL;
        free_seat(s);
        (void)pthread_cond_broadcast(&j->moved);
    }
    (void)pthread_mutex_unlock(&j->mutex);
    return NULL;
}

// --- seats -------------------------------------------------------------------------------------

static struct seat *find_seat(struct import_jobs *j, uint64_t import)
{
    for (unsigned i = 0; i < IMPORT_SEATS; i++) {
        if (j->seats[i].state != SEAT_FREE && j->seats[i].order.import == import)
            return &j->seats[i];
    }
    return NULL;
}

enum import_seat import_jobs_add(struct import_jobs *j, const struct import_order *order,
                                 const uint8_t sha256[32], FILE *file,
                                 struct vendor_profile *profile)
{
    struct seat *free_one = NULL;
    bool is_busy = false;
    (void)pthread_mutex_lock(&j->mutex);
    for (unsigned i = 0; i < IMPORT_SEATS; i++) {
        struct seat *s = &j->seats[i];
        if (s->state == SEAT_FREE)
            free_one = s;
        else if (!s->has_ended && s->order.tenant == order->tenant &&
                 memcmp(s->sha256, sha256, 32) == 0)
            is_busy = true;
    }
    if (free_one != NULL && !is_busy) {
        *free_one =
            (struct seat){.state = SEAT_HELD, .order = *order, .file = file, .profile = profile};
        memcpy(free_one->sha256, sha256, 32);
    }
    (void)pthread_mutex_unlock(&j->mutex);
    if (is_busy)
        return SEAT_BUSY;
    return free_one != NULL ? SEAT_TAKEN : SEAT_NONE;
}

void import_jobs_start(struct import_jobs *j, uint64_t import)
{
    (void)pthread_mutex_lock(&j->mutex);
    struct seat *s = find_seat(j, import);
    check(s != NULL);
    s->state = SEAT_WAITING;
    (void)pthread_cond_broadcast(&j->moved);
    (void)pthread_mutex_unlock(&j->mutex);
}

void import_jobs_drop(struct import_jobs *j, uint64_t import)
{
    (void)pthread_mutex_lock(&j->mutex);
    struct seat *s = find_seat(j, import);
    if (s != NULL && s->state == SEAT_HELD)
        free_seat(s);
    (void)pthread_mutex_unlock(&j->mutex);
}

bool import_jobs_can_cancel(struct import_jobs *j, uint64_t import, bool is_held)
{
    (void)pthread_mutex_lock(&j->mutex);
    struct seat *s = find_seat(j, import);
    const bool can = s != NULL && !s->is_ending;
    if (can && is_held)
        s->holds++;
    (void)pthread_mutex_unlock(&j->mutex);
    return can;
}

void import_jobs_cancel(struct import_jobs *j, uint64_t import)
{
    (void)pthread_mutex_lock(&j->mutex);
    struct seat *s = find_seat(j, import);
    if (s != NULL)
        s->is_cancelled = true;
    if (s != NULL && s == j->running && j->hand == HAND_LATER && j->kind <= HAND_REFERENCES) {
        j->hand = HAND_FREE; // nobody waits for the disk any more
        (void)pthread_cond_broadcast(&j->moved);
    }
    (void)pthread_mutex_unlock(&j->mutex);
}

void import_jobs_let_go(struct import_jobs *j, uint64_t import)
{
    (void)pthread_mutex_lock(&j->mutex);
    struct seat *s = find_seat(j, import);
    if (s != NULL)
        s->holds--;
    (void)pthread_cond_broadcast(&j->moved);
    (void)pthread_mutex_unlock(&j->mutex);
}

bool import_jobs_state(struct import_jobs *j, uint64_t import, struct import_state *state)
{
    static const char *const names[] = {"UPLOADED", "CHECKING", "LOADING"};
    (void)pthread_mutex_lock(&j->mutex);
    const struct seat *s = find_seat(j, import);
    if (s != NULL) {
        const unsigned pass = s->state == SEAT_RUNNING && s->pass == 0 ? 1 : s->pass;
        *state =
            (struct import_state){.status = names[pass % 3], .done = s->done, .total = s->total};
    }
    (void)pthread_mutex_unlock(&j->mutex);
    return s != NULL;
}

bool import_jobs_wait(struct import_jobs *j)
{
    (void)pthread_mutex_lock(&j->mutex);
    while (j->hand == HAND_FREE && (j->running != NULL || next_seat(j) != NULL))
        (void)pthread_cond_wait(&j->moved, &j->mutex);
    const bool has_work = j->hand != HAND_FREE;
    (void)pthread_mutex_unlock(&j->mutex);
    return has_work;
}

// --- opening and closing -----------------------------------------------------------------------

static void release(struct import_jobs *j)
{
    load_close(j->loads[0]);
    load_close(j->loads[1]);
    free(j->record);
    crypto_close(j->crypto);
    crypto_close(j->writer_crypto);
    free(j);
}

static bool allocate(struct import_jobs *j)
{
    j->loads[0] = load_open();
    j->loads[1] = load_open();
    j->record = malloc(sizeof(*j->record));
    j->crypto = crypto_open();
    j->writer_crypto = crypto_open();
    return j->loads[0] != NULL && j->loads[1] != NULL && j->record != NULL && j->crypto != NULL &&
           j->writer_crypto != NULL;
}

struct import_jobs *import_jobs_open(const struct import_jobs_options *options)
{
    struct import_jobs *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return NULL;
    j->options = *options;
    if (options->folder != NULL)
        import_bodies_tidy(options->reader, options->folder);
    if (!allocate(j) || pthread_mutex_init(&j->mutex, NULL) != 0 ||
        pthread_cond_init(&j->moved, NULL) != 0 || pthread_create(&j->thread, NULL, work, j) != 0) {
        release(j);
        return NULL;
    }
    return j;
}

void import_jobs_close(struct import_jobs *j)
{
    if (j == NULL)
        return;
    (void)pthread_mutex_lock(&j->mutex);
    j->is_closing = true;
    (void)pthread_cond_broadcast(&j->moved);
    (void)pthread_mutex_unlock(&j->mutex);
    (void)pthread_join(j->thread, NULL);
    for (unsigned i = 0; i < IMPORT_SEATS; i++)
        free_seat(&j->seats[i]);
    (void)pthread_cond_destroy(&j->moved);
    (void)pthread_mutex_destroy(&j->mutex);
    release(j);
}

#include "ota-server/shell/folders.h"

#include "common/base/text.h"
#include "common/host/clock.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/permission.h"
#include "ota-server/shell/log_id.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 1000
#define NAME_SIZE 256 // of the system
#define MADE_NAME_SIZE (NAME_SIZE + 48)
#define NAME_KEPT 200 // octets of it, before an id and what a report has behind it

enum stage {
    STAGE_IDLE,
    STAGE_ORDERED, // in a turn
    STAGE_RUNNING,
};

enum place { PLACE_TAKEN, PLACE_DONE, PLACE_REFUSED, PLACES };

struct folder {
    const struct server_folder *settings;
    int fd;
    int places[PLACES];
    bool is_told; // what is wrong with it has been logged
};

struct folders {
    struct folders_options options;
    struct loop_timer timer;
    struct folder folder[SERVER_FOLDERS_MAX];
    unsigned count, next; // the folder that is looked at first
    // The import under way.
    enum stage stage;
    struct folder *of;
    char name[NAME_SIZE];
    struct import_order order;
};

// --- files -----------------------------------------------------------------------------------

static bool ends_with(const char *name, const char *end)
{
    const size_t len = strlen(name);
    const size_t end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool is_under_way(const char *name)
{
    static const char *const ends[] = {".part", ".filepart", ".partial", ".tmp"};
    bool is_so = name[0] == '.';
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        is_so = is_so || ends_with(name, ends[i]);
    return is_so;
}

// Whatever writes to a file, names it or sets its times moves its change time, and nothing sets it
// back.
static bool is_settled(const struct stat *about, unsigned settle_s)
{
    const struct utc now = clock_utc();
    const int64_t changed =
        (int64_t)about->st_ctim.tv_sec * 1000 + about->st_ctim.tv_nsec / 1000000;
    return now.ms - changed >= (int64_t)settle_s * 1000;
}

// The first name, in the order of its octets, of a file that may be taken.
static bool find_file(int fd, unsigned settle_s, char name[NAME_SIZE])
{
    const int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own >= 0 ? fdopendir(own) : NULL;
    name[0] = '\0';
    if (dir == NULL) {
        if (own >= 0)
            (void)close(own);
        return false;
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct stat about;
        const bool is_first = name[0] == '\0' || strcmp(e->d_name, name) < 0;
        if (is_first && !is_under_way(e->d_name) && strlen(e->d_name) < NAME_SIZE &&
            fstatat(fd, e->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode) &&
            is_settled(&about, settle_s))
            (void)snprintf(name, NAME_SIZE, "%s", e->d_name);
    }
    (void)closedir(dir);
    return name[0] != '\0';
}

static FILE *open_taken(const struct folder *f, const char *name)
{
    struct stat about;
    const int fd =
        openat(f->places[PLACE_TAKEN], name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    FILE *file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? fdopen(fd, "rb") : NULL;
    if (file == NULL)
        (void)close(fd);
    return file;
}

// --- the log ---------------------------------------------------------------------------------

static void tell(struct folders *v, const struct folder *f, enum log_level level, const char *event,
                 const char *reason)
{
    struct log *log = v->options.log;
    log_begin(log, level, clock_utc(), event);
    log_string(log, "folder", f->settings->name);
    if (v->name[0] != '\0')
        log_string(log, "file", v->name);
    if (v->order.import != 0)
        log_id(log, "import", "imp", v->order.import);
    if (reason != NULL)
        log_string(log, "reason", reason);
    log_end(log);
}

// Once, until something works again.
static void tell_once(struct folders *v, struct folder *f, const char *reason)
{
    if (!f->is_told)
        tell(v, f, LOG_ERROR, "folder.stuck", reason);
    f->is_told = true;
}

// --- the end of one --------------------------------------------------------------------------

struct ended {
    bool is_ended;
    bool is_refused;
    bool is_kept; // enciphered, by this import or by the one before it
    FILE *report; // its body is written here, or NULL
};

static bool has(struct bytes body, const char *text)
{
    const size_t len = strlen(text);
    bool is_there = false;
    for (size_t i = 0; i + len <= body.len && !is_there; i++)
        is_there = memcmp(body.at + i, text, len) == 0;
    return is_there;
}

static bool see_import(void *context, const struct document *d)
{
    struct ended *e = context;
    e->is_ended = d->state == IMPORT_ENDED;
    e->is_refused = has(d->body, "\"outcome\":\"REFUSED\"");
    e->is_kept =
        has(d->body, "\"fileKeptUntil\":") || has(d->body, "\"outcome\":\"ALREADY_IMPORTED\"");
    if (e->report != NULL)
        (void)fwrite(d->body.at, 1, d->body.len, e->report);
    return false;
}

struct pages {
    FILE *to;
    bool has_one;
};

// A page is an array; all of them become one.
static bool put_page(void *context, const struct document *d)
{
    struct pages *p = context;
    const struct bytes inside = bytes_slice(d->body, 1, d->body.len - 2);
    if (d->body.len <= 2)
        return true;
    if (p->has_one)
        (void)fputs(",", p->to);
    p->has_one = true;
    (void)fwrite(inside.at, 1, inside.len, p->to);
    return true;
}

// Of one that could not begin.
static bool write_refusal(const struct folders *v, const char *failure, FILE *file)
{
    uint8_t body[IMPORT_DOCUMENT_MAX];
    struct writer w = writer_of(body, sizeof body);
    struct import_order order = v->order;
    const struct import_state state = {
        .status = "ENDED", .failure = failure, .at = order.created_at};
    order.import = 0; // it is not there
    import_document_write(&w, &order, &state);
    const struct bytes text = writer_bytes(&w);
    (void)fputs("{\"import\":", file);
    (void)fwrite(text.at, 1, text.len, file);
    (void)fputs(",\"findings\":[]}\n", file);
    return text.len > 0;
}

static bool write_import(struct folders *v, FILE *file)
{
    struct ended e = {.report = file};
    struct pages pages = {.to = file};
    const struct document_filter filter = {.kind = IMPORT_FINDINGS_KIND,
                                           .owner = v->order.tenant,
                                           .parent = v->order.import,
                                           .state = -1};
    const struct store_page all = {.limit = UINT32_MAX};
    (void)fputs("{\"import\":", file);
    bool is_good = store_document_get(v->options.reader, IMPORT_KIND, v->order.import, see_import,
                                      &e) == STORE_OK;
    (void)fputs(",\"findings\":[", file);
    is_good = is_good &&
              store_documents(v->options.reader, &filter, &all, put_page, &pages, NULL) == STORE_OK;
    (void)fputs("]}\n", file);
    return is_good;
}

static bool write_report(struct folders *v, const char *failure, FILE *file)
{
    const bool is_good = failure != NULL ? write_refusal(v, failure, file) : write_import(v, file);
    return is_good && fflush(file) == 0 && ferror(file) == 0 && fsync(fileno(file)) == 0;
}

static void report_name(const char *name, char report[MADE_NAME_SIZE + 24])
{
    (void)snprintf(report, MADE_NAME_SIZE + 24, "%s.report.json", name);
}

// Written under a hidden name and then named, so that whoever waits for it reads all of it.
// `failure`: why there is no import, or NULL.
static bool put_report(struct folders *v, int place, const char *name, const char *failure)
{
    char hidden[MADE_NAME_SIZE + 24];
    char final[MADE_NAME_SIZE + 24];
    (void)snprintf(hidden, sizeof hidden, ".%s.report", name);
    report_name(name, final);
    (void)unlinkat(place, hidden, 0);
    const int fd =
        openat(place, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    const bool is_written = write_report(v, failure, file);
    return fclose(file) == 0 && is_written && renameat(place, hidden, place, final) == 0;
}

// A file of this name that came before keeps it; one that leaves its report no room is cut.
static void final_name(const struct folders *v, int place, char name[MADE_NAME_SIZE])
{
    char id[API_ID_SIZE];
    char report[MADE_NAME_SIZE + 24];
    struct stat about;
    api_id_write(id, "imp", v->order.import);
    report_name(v->name, report);
    const bool is_there = strlen(report) >= NAME_SIZE ||
                          fstatat(place, v->name, &about, AT_SYMLINK_NOFOLLOW) == 0 ||
                          fstatat(place, report, &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there)
        (void)snprintf(name, MADE_NAME_SIZE, "%.*s.%s", NAME_KEPT, v->name, id);
    else
        (void)snprintf(name, MADE_NAME_SIZE, "%s", v->name);
}

// Beside its report, or away, where no file is to stay in the clear that is kept enciphered.
static bool put_away(const struct folders *v, const struct ended *e, int place, const char *name)
{
    const int taken = v->of->places[PLACE_TAKEN];
    return e->is_kept && !v->of->settings->keeps_clear ? unlinkat(taken, v->name, 0) == 0
                                                       : renameat(taken, v->name, place, name) == 0;
}

static void finish(struct folders *v)
{
    struct ended e = {.is_ended = false};
    char name[MADE_NAME_SIZE];
    if (store_document_get(v->options.reader, IMPORT_KIND, v->order.import, see_import, &e) !=
            STORE_OK ||
        !e.is_ended)
        return;
    struct folder *f = v->of;
    const int place = f->places[e.is_refused ? PLACE_REFUSED : PLACE_DONE];
    final_name(v, place, name);
    if (!put_report(v, place, name, NULL) || !put_away(v, &e, place, name)) {
        tell_once(v, f, strerror(errno)); // and again at the next look
        return;
    }
    (void)fsync(place);
    tell(v, f, e.is_refused ? LOG_WARN : LOG_INFO,
         e.is_refused ? "folder.refused" : "folder.imported", NULL);
    f->is_told = false;
    v->stage = STAGE_IDLE;
    v->order.import = 0;
}

// --- ordering --------------------------------------------------------------------------------

static enum store_status insert(void *context, struct store *store, struct utc now)
{
    struct folders *v = context;
    return import_order_put(store, &v->order, now);
}

static void inserted(void *context, enum store_status status)
{
    struct folders *v = context;
    if (status != STORE_OK) {
        import_jobs_drop(v->options.jobs, v->order.import);
        tell_once(v, v->of, "the database cannot be written");
        v->stage = STAGE_IDLE; // the file stands in `taken`, and is found there again
        return;
    }
    v->stage = STAGE_RUNNING;
    v->of->is_told = false;
    import_jobs_start(v->options.jobs, v->order.import);
    tell(v, v->of, LOG_INFO, "folder.taken", NULL);
}

// Seats are told apart by what would be the file's digest: here its place is.
static void place_digest(const struct folders *v, uint8_t sha256[32])
{
    memset(sha256, 0, 32);
    const uint64_t import = v->order.import;
    memcpy(sha256, &import, sizeof import);
}

// What cannot begin before somebody changes something: nobody would look into `taken` for it.
static void refuse(struct folders *v, struct folder *f, const char *failure, const char *reason)
{
    char name[MADE_NAME_SIZE];
    const struct ended e = {.is_refused = true};
    const int place = f->places[PLACE_REFUSED];
    v->of = f;
    final_name(v, place, name);
    if (!put_report(v, place, name, failure) || !put_away(v, &e, place, name)) {
        tell_once(v, f, strerror(errno)); // and again at the next look
        return;
    }
    (void)fsync(place);
    v->order.import = 0;
    tell(v, f, LOG_WARN, "folder.refused", reason);
    f->is_told = false;
}

// Somebody took it away, or the system has nothing left for now.
static bool is_passing(int error)
{
    return error == ENOENT || error == EMFILE || error == ENFILE || error == ENOMEM ||
           error == EINTR;
}

static void begin(struct folders *v, struct folder *f)
{
    const struct server_folder *s = f->settings;
    uint8_t sha256[32];
    const struct utc now = v->options.utc(v->options.utc_context);
    v->order = (struct import_order){.import = turn_id(v->options.turn, now),
                                     .tenant = s->tenant,
                                     .pool = s->pool,
                                     .actor = {.kind = ACTOR_SYSTEM},
                                     .is_partial = s->is_partial,
                                     .created_at = now};
    v->order.correlator = v->order.import;
    (void)snprintf(v->order.vendor, sizeof v->order.vendor, "%s", s->vendor);
    (void)snprintf(v->order.address, sizeof v->order.address, "folder %s", s->name);
    struct vendor_profile *profile = NULL;
    const enum store_status status =
        import_profile_open(v->options.reader, s->tenant, s->vendor, &profile);
    FILE *file = profile != NULL ? open_taken(f, v->name) : NULL;
    place_digest(v, sha256);
    const int error = errno;
    if (profile == NULL && status != STORE_NONE) {
        tell_once(v, f, "the database cannot be read"); // and again at the next look
    } else if (profile == NULL) {
        refuse(v, f, "NO_VENDOR_PROFILE", "there is no such vendor profile");
    } else if (file == NULL) {
        profile_close(profile);
        if (is_passing(error))
            tell_once(v, f, strerror(error));
        else
            refuse(v, f, "UNREADABLE", strerror(error));
    } else if (import_jobs_add(v->options.jobs, &v->order, sha256, file, profile) != SEAT_TAKEN) {
        profile_close(profile); // too many wait: later
        (void)fclose(file);
    } else if (!turn_write(v->options.turn, insert, inserted, v)) {
        import_jobs_drop(v->options.jobs, v->order.import);
    } else {
        v->of = f;
        v->stage = STAGE_ORDERED;
        loop_wake(v->options.loop);
    }
    if (v->stage == STAGE_IDLE)
        v->order.import = 0;
}

// What a stop left there, else a new one.
static bool take(struct folders *v, struct folder *f)
{
    if (find_file(f->places[PLACE_TAKEN], 0, v->name))
        return true;
    if (!find_file(f->fd, f->settings->settle_s, v->name))
        return false;
    if (renameat(f->fd, v->name, f->places[PLACE_TAKEN], v->name) == 0)
        return true;
    if (errno != ENOENT) // another server was quicker
        tell_once(v, f, strerror(errno));
    return false;
}

static void look(void *context, struct instant now)
{
    struct folders *v = context;
    loop_timer_set(&v->timer, instant_after(now, LOOK_MS));
    if (v->stage == STAGE_RUNNING)
        finish(v);
    for (unsigned i = 0; i < v->count && v->stage == STAGE_IDLE; i++) {
        struct folder *f = &v->folder[v->next];
        v->next = (v->next + 1) % v->count; // none has to wait for all files of another
        v->name[0] = '\0';
        if (take(v, f))
            begin(v, f);
    }
}

// --- opening and closing -----------------------------------------------------------------------

static bool is_owned(const struct folders *v, const struct server_folder *s)
{
    char id[API_ID_SIZE];
    if (enterprise_is_there(v->options.reader, s->tenant))
        return true;
    api_id_write(id, "ent", s->tenant);
    (void)fprintf(stderr, "ota-server: import-folder \"%s\": there is no enterprise %s\n", s->name,
                  id);
    return false;
}

static bool open_folder(struct folder *f, const struct server_folder *settings)
{
    static const char *const names[PLACES] = {"taken", "done", "refused"};
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    f->settings = settings;
    f->fd = open(settings->path, flags);
    bool is_open = f->fd >= 0;
    for (unsigned i = 0; i < PLACES; i++) {
        f->places[i] = -1;
        if (is_open && (mkdirat(f->fd, names[i], 0750) == 0 || errno == EEXIST))
            f->places[i] = openat(f->fd, names[i], flags | O_NOFOLLOW);
        is_open = is_open && f->places[i] >= 0 && faccessat(f->fd, names[i], W_OK, 0) == 0;
    }
    if (!is_open)
        (void)fprintf(stderr, "ota-server: import-folder \"%s\": %s: %s\n", settings->name,
                      settings->path, strerror(errno));
    return is_open;
}

struct folders *folders_open(const struct folders_options *options)
{
    struct folders *v = calloc(1, sizeof *v);
    if (v == NULL)
        return NULL;
    v->options = *options;
    bool is_open = loop_timer_open(&v->timer, options->loop, look, v);
    for (unsigned i = 0; i < options->settings->folder_count && is_open; i++) {
        v->count++;
        is_open = is_owned(v, &options->settings->folders[i]) &&
                  open_folder(&v->folder[i], &options->settings->folders[i]);
    }
    if (!is_open) {
        folders_close(v);
        return NULL;
    }
    if (v->count > 0)
        loop_timer_set(&v->timer, loop_now(options->loop));
    return v;
}

void folders_close(struct folders *v)
{
    if (v == NULL)
        return;
    loop_timer_close(&v->timer);
    for (unsigned i = 0; i < v->count; i++) {
        for (unsigned k = 0; k < PLACES; k++) {
            if (v->folder[i].places[k] >= 0)
                (void)close(v->folder[i].places[k]);
        }
        if (v->folder[i].fd >= 0)
            (void)close(v->folder[i].fd);
    }
    free(v);
}

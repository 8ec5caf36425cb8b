// Changes that a crash meets. Every change that a test of the interface asks for is first tried on
// copies of its database, so that a new route is covered by whatever test it has.
#include "tests/unit/api/api_crash.h"

#include "ota-server/store/backup.h"
#include "tests/unit/server/faulty_disk.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSED_MAX 12 // of each route in a process, after which what is refused is not tried
#define COMMITS_MAX 8
#define ROUTES_MAX 512
#define KEY "crash-0000001"
#define CORRELATOR "crash-everywhere"
#define CORRELATOR_AGAIN "crash-again"
#define PATH_SIZE 96 // of lab.path

static bool tried[ROUTES_MAX];
static uint8_t refused[ROUTES_MAX];
static char folder[PATH_SIZE - 16];

long trial_route(const struct ask *ask)
{
    const struct bytes target = bytes_of_text(ask->target);
    const unsigned method = api_method_of(bytes_of_text(ask->method));
    assert_true(api_route_count <= ROUTES_MAX);
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        struct api_match match;
        if (row->method == method && api_path_matches(row->path, api_until(target, '?'), &match))
            return (long)i;
    }
    return -1;
}

// --- copies ---

static void name_copy(char path[PATH_SIZE], const char *name, unsigned number)
{
    (void)snprintf(path, PATH_SIZE, "%s/%s-%u.db", folder, name, number);
}

// After so many commits; 0 is what there was before.
static void keep_copy(struct lab *lab, unsigned commit)
{
    char path[PATH_SIZE];
    name_copy(path, "after", commit);
    assert_int_equal(store_copy(lab->store, path), STORE_OK);
}

static void remove_copy(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".writer"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char name[PATH_SIZE + 8];
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static void copy_file(const char *from, const char *to)
{
    static uint8_t octets[1 << 16];
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    assert_true(in != NULL && out != NULL);
    size_t len = 0;
    do {
        len = fread(octets, 1, sizeof(octets), in);
        assert_int_equal(fwrite(octets, 1, len, out), len);
    } while (len > 0);
    assert_int_equal(fclose(in), 0);
    assert_int_equal(fclose(out), 0);
}

// Another connection to the database of the twin.
static sqlite3 *look;
static int64_t version;

static int64_t data_version(void)
{
    sqlite3_stmt *ask = NULL;
    assert_int_equal(sqlite3_prepare_v2(look, "PRAGMA data_version", -1, &ask, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(ask), SQLITE_ROW);
    const int64_t found = sqlite3_column_int64(ask, 0);
    assert_int_equal(sqlite3_finalize(ask), SQLITE_OK);
    return found;
}

void trial_open(const struct trial *t)
{
    (void)snprintf(folder, sizeof(folder), "%s/otaria-crash-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    keep_copy(t->lab, 0);
}

void trial_close(unsigned commits)
{
    for (unsigned i = 0; i <= commits; i++) {
        char path[PATH_SIZE];
        name_copy(path, "after", i);
        remove_copy(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

void trial_begin(const struct trial *t, struct lab *twin)
{
    static unsigned count;
    char from[PATH_SIZE];
    char path[PATH_SIZE];
    name_copy(from, "after", 0);
    name_copy(path, "twin", ++count);
    copy_file(from, path);
    lab_twin(t->lab, path, twin);
    look = database_mark_open(path);
    version = data_version();
}

bool trial_is_untouched(void)
{
    return data_version() == version;
}

void trial_restart(const struct trial *t, struct lab *twin)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s", twin->path);
    lab_twin_close(twin);
    faulty_disk_set(DISK_GOOD, 0, false);
    lab_twin(t->lab, path, twin);
}

void trial_end(struct lab *twin)
{
    database_mark_close(look);
    lab_twin_close(twin);
    remove_copy(twin->path);
}

// --- what is looked at ---

static bool count_row(void *context, const struct trail_row *row)
{
    struct rows *r = context;
    r->all++;
    const bool is_state = strcmp(row->action, "card.state") == 0;
    const bool is_reopened = // the first of two steps
        strcmp(row->action, "campaign.state") == 0 && strcmp(row->after, "DRAFT") == 0;
    const bool follows = is_reopened || strcmp(row->action, "command.sent") == 0 ||
                         strcmp(row->reason, "bootstrap") == 0 || row->actor.kind == ACTOR_RULE;
    r->states += is_state;
    r->own += !is_state && !follows;
    return true;
}

static struct rows rows_of(struct lab *twin, const char *correlator)
{
    const struct store_page page = {.limit = 100};
    struct trail_filter filter;
    struct rows rows = {0};
    trail_filter_init(&filter);
    filter.correlator = api_correlator_hash(bytes_of_text(correlator));
    assert_int_equal(store_trail(twin->store, &filter, &page, count_row, &rows, NULL), STORE_OK);
    if (rows.own == 0) // then the state is what was asked for
        rows.own = rows.states;
    return rows;
}

struct rows trial_rows(struct lab *twin)
{
    return rows_of(twin, CORRELATOR);
}

struct database_mark trial_mark(void)
{
    struct database_mark mark = database_mark_of(look, NOT_COUNTED);
    mark.amounts = database_mark_of(look, FOLLOWS).amounts;
    return mark;
}

static void assert_the_same(const struct answer *first, const struct answer *a, const char *when)
{
    const bool is_replayed = strstr(a->headers, "Idempotency-Replayed: true") != NULL;
    if (a->status != first->status || (is_replayed && strcmp(a->body, first->body) != 0))
        fail_msg("%s %s %s: %u instead of %u\n%s\n%s", a->asked.method, a->asked.target, when,
                 a->status, first->status, a->body, first->body);
}

// --- trials ---

void trial_ask(const struct ask *ask, struct lab *twin, struct answer *a)
{
    struct api_exchange *x = lab_start(twin, ask, a);
    for (unsigned i = 0; i < COMMITS_MAX && a->count == 0; i++)
        (void)lab_try_turn(twin);
    assert_int_equal(a->count, 1);
    lab_forget(x);
}

void trial_repeat(const struct trial *t, struct lab *twin, const struct answer *first,
                  const char *when)
{
    static struct answer again;
    const bool was_done = trial_rows(twin).all > 0;
    twin->now.instant.ms += 1000; // the client's rate is not what is tried
    trial_ask(&t->ask, twin, &again);
    assert_the_same(first, &again, when);
    const bool is_replayed = strstr(again.headers, "Idempotency-Replayed: true") != NULL;
    const struct rows rows = trial_rows(twin);
    if (rows.own != t->rows.own || (rows.all > 0 && is_replayed != was_done))
        fail_msg("%s %s %s: %llu rows instead of %llu%s", t->ask.method, t->ask.target, when,
                 (unsigned long long)rows.own, (unsigned long long)t->rows.own,
                 was_done && !is_replayed ? ", done anew" : "");
}

static struct database_mark mark_idle(const struct trial *t)
{
    static struct lab twin;
    trial_begin(t, &twin);
    lab_turn(&twin);
    const struct database_mark mark = trial_mark();
    trial_end(&twin);
    return mark;
}

// Asks on a copy of what there was before, and copies what is there after each commit: the number
// of them.
static unsigned ask_first(struct trial *t)
{
    static struct lab twin;
    unsigned commits = 0;
    t->idle = mark_idle(t);
    trial_begin(t, &twin);
    t->before = trial_mark();
    struct api_exchange *x = lab_start(&twin, &t->ask, &t->answer);
    while (t->answer.count == 0 && commits < COMMITS_MAX) {
        lab_turn(&twin);
        keep_copy(&twin, ++commits);
    }
    assert_int_equal(t->answer.count, 1);
    lab_forget(x);
    t->rows = trial_rows(&twin);
    t->after = trial_mark();
    trial_end(&twin);
    return commits;
}

// The server stopped when it had made so many commits of the request, and the client asks again.
static void crash_after(const struct trial *t, unsigned commit)
{
    static struct lab twin;
    char path[PATH_SIZE];
    char when[32];
    name_copy(path, "after", commit);
    (void)snprintf(when, sizeof(when), "after commit %u", commit);
    lab_twin(t->lab, path, &twin);
    if (t->has_key)
        trial_repeat(t, &twin, &t->answer, when);
    lab_twin_close(&twin);
}

// A token is given without one, and a short verification of the trail only reads.
static bool may_lack(const struct trial *t, const struct answer *a)
{
    return strcmp(t->route->path, "/oauth2/token") == 0 ||
           (a->status == 200 && strstr(t->ask.target, "/audit-trail/verify") != NULL);
}

static void assert_one_row(const struct trial *t)
{
    const bool has_changed = t->before.content != t->after.content;
    if (t->rows.own != (has_changed ? 1 : 0) && (t->rows.own != 0 || !may_lack(t, &t->answer)))
        fail_msg("%s %s left %llu rows", t->ask.method, t->ask.target,
                 (unsigned long long)t->rows.own);
}

// Who wants the same once more, where it is done already, leaves a row as well, unless that changed
// nothing.
static void ask_once_more(const struct trial *t)
{
    static struct lab twin;
    static struct answer a;
    char path[PATH_SIZE];
    struct ask ask = t->ask;
    ask.key = NULL; // an answer that is kept is a change
    ask.correlator = CORRELATOR_AGAIN;
    name_copy(path, "after", t->commits);
    lab_twin(t->lab, path, &twin);
    look = database_mark_open(path);
    twin.now.instant.ms += 1000;
    lab_turn(&twin); // what follows from the first
    const struct database_mark before = trial_mark();
    trial_ask(&ask, &twin, &a);
    const uint64_t rows = rows_of(&twin, CORRELATOR_AGAIN).own;
    const bool has_changed = before.content != trial_mark().content;
    if (a.status < 300 && rows != (has_changed ? 1 : 0) && (rows != 0 || !may_lack(t, &a)))
        fail_msg("%s %s left %llu rows when it was asked for again", ask.method, ask.target,
                 (unsigned long long)rows);
    database_mark_close(look);
    lab_twin_close(&twin);
}

// What only reads is no worse after a crash.
static bool try_reading(struct trial *t)
{
    static struct lab twin;
    trial_begin(t, &twin);
    trial_ask(&t->ask, &twin, &t->answer);
    trial_end(&twin);
    const bool is_done = t->answer.status < 300;
    if (is_done)
        t->answer.faults = trial_fail_reading(t);
    return is_done;
}

// False: refused, so that there is nothing to see.
static bool try_all(struct trial *t)
{
    t->commits = ask_first(t);
    const bool is_done = t->answer.status < 300;
    if (is_done) {
        assert_one_row(t);
        t->answer.faults = trial_fail(t);
    }
    for (unsigned i = 0; is_done && i <= t->commits; i++)
        crash_after(t, i);
    if (is_done && trial_can_repeat(&t->ask, t->route))
        ask_once_more(t);
    return is_done;
}

static bool has_key(const struct api_route_row *route)
{
    return (route->flags & ROUTE_CHANGES) != 0 && (route->flags & ROUTE_OPEN) == 0;
}

// What can be sent twice as it is: no signature, assertion or code that serves once.
bool trial_can_repeat(const struct ask *ask, const struct api_route_row *route)
{
    const bool is_bearer =
        ask->authorization == NULL || strncmp(ask->authorization, "Bearer ", 7) == 0;
    return has_key(route) && (is_bearer || ask->cookie != NULL);
}

// Requests of a route are tried by the first program of a run that has one to which the answer is
// good: a file per route says so, in a folder that each run empties. A request that is not noted is
// not tried either: api_document would not learn of it.
static bool open_mark(long route, const char *mode)
{
    const char *place = getenv("OTARIA_TRIED");
    char path[4096];
    if (place == NULL)
        return false;
    (void)snprintf(path, sizeof(path), "%s/%ld", place, route);
    FILE *file = fopen(path, mode);
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

void lab_crash_everywhere(struct lab *lab, const struct ask *ask)
{
    static struct trial t;
    const long route = trial_route(ask);
    const bool is_open = lab->token[0] != '\0'; // else it only takes its own token
    if (route < 0 || !is_open || lab->has_refusals_only || ask->is_trial || tried[route] ||
        refused[route] >= REFUSED_MAX || strstr(ask->target, "dryRun=true") != NULL ||
        open_mark(route, "r"))
        return;
    t = (struct trial){.lab = lab, .route = &api_routes[route], .ask = *ask};
    t.has_key = has_key(t.route);
    t.is_again = trial_can_repeat(ask, t.route);
    t.ask.key = t.has_key ? KEY : NULL;
    t.ask.correlator = CORRELATOR;
    t.ask.is_trial = true;
    trial_open(&t);
    tried[route] = t.route->method == API_GET ? try_reading(&t) : try_all(&t);
    trial_close(t.commits);
    refused[route] += !tried[route];
    if (!tried[route])
        return;
    (void)open_mark(route, "w");
    lab_keep_exchange(ask, &t.answer);
}

void lab_own_password(struct lab *lab, const char *username)
{
    struct auth_user user;
    assert_int_equal(auth_user_named(lab->store, bytes_of_text(username), &user), STORE_OK);
    user.is_given = false;
    assert_int_equal(store_begin(lab->store), STORE_OK);
    assert_int_equal(auth_user_put(lab->store, &user, lab->now.utc), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
}

// Changes that a crash meets. Every change that a test of the interface asks for is first tried on
// copies of its database, so that a new route is covered by whatever test it has.
#include "ota-server/service/api_exchange.h"
#include "ota-server/store/backup.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRIES 2        // of each route in a process
#define REFUSED_MAX 12 // likewise, after which what is refused is not tried any more
#define COMMITS_MAX 8
#define ROUTES_MAX 512
#define KEY "crash-0000001"
#define CORRELATOR "crash-everywhere"
#define PATH_SIZE 96 // of lab.path

static uint8_t tried[ROUTES_MAX], refused[ROUTES_MAX];
static char folder[PATH_SIZE - 16];

// The route of a change, or -1.
static long find_route(const struct ask *ask)
{
    const struct bytes target = bytes_of_text(ask->target);
    const unsigned method = api_method_of(bytes_of_text(ask->method));
    assert_true(api_route_count <= ROUTES_MAX);
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        struct api_match match;
        if (row->method == method && (row->flags & ROUTE_CHANGES) != 0 &&
            (row->flags & ROUTE_OPEN) == 0 &&
            api_path_matches(row->path, api_until(target, '?'), &match))
            return (long)i;
    }
    return -1;
}

static const char *copy_name(unsigned commit)
{
    static char name[PATH_SIZE];
    (void)snprintf(name, sizeof(name), "%s/%u.db", folder, commit);
    return name;
}

static void keep_copy(struct lab *lab, unsigned commit)
{
    assert_int_equal(store_copy(lab->store, copy_name(commit)), STORE_OK);
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

struct rows {
    uint64_t all;
    uint64_t own;    // without what follows from them: packets, and what a bootstrap goes on with
    uint64_t states; // of a card, which most of them change as well
};

static bool count_row(void *context, const struct trail_row *row)
{
    struct rows *r = context;
    r->all++;
    const bool is_state = strcmp(row->action, "card.state") == 0;
    const bool follows = strcmp(row->action, "command.sent") == 0 ||
                         strcmp(row->reason, "bootstrap") == 0 || row->actor.kind == ACTOR_RULE;
    r->states += is_state;
    r->own += !is_state && !follows;
    return true;
}

static struct rows rows_of_it(struct lab *lab)
{
    const struct store_page page = {.limit = 100};
    struct trail_filter filter;
    struct rows rows = {0};
    trail_filter_init(&filter);
    filter.correlator = api_correlator_hash(bytes_of_text(CORRELATOR));
    assert_int_equal(store_trail(lab->store, &filter, &page, count_row, &rows, NULL), STORE_OK);
    return rows;
}

// Asks on a copy of what there was before, and copies what is there after each commit: the number
// of them. Commits are numbered from 1; copy 0 is of before.
static unsigned ask_first(struct lab *lab, const struct ask *ask, struct answer *answer,
                          struct rows *rows)
{
    static struct lab twin;
    unsigned commits = 0;
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/first.db", folder);
    assert_int_equal(store_copy(lab->store, path), STORE_OK);
    lab_twin(lab, path, &twin);
    struct api_exchange *x = lab_start(&twin, ask, answer);
    while (answer->count == 0 && commits < COMMITS_MAX) {
        lab_turn(&twin);
        keep_copy(&twin, ++commits);
    }
    assert_int_equal(answer->count, 1);
    lab_forget(x);
    *rows = rows_of_it(&twin);
    lab_twin_close(&twin);
    remove_copy(path);
    return commits;
}

// The server stopped when it had made so many commits of the request, and the client asks again.
static void ask_again(struct lab *lab, const struct ask *ask, unsigned commit,
                      const struct answer *first, struct rows rows)
{
    static struct lab twin;
    static struct answer again;
    lab_twin(lab, copy_name(commit), &twin);
    const bool is_done = rows_of_it(&twin).all > 0;
    struct api_exchange *x = lab_start(&twin, ask, &again);
    for (unsigned i = 0; i < COMMITS_MAX && again.count == 0; i++)
        lab_turn(&twin);
    assert_int_equal(again.count, 1);
    lab_forget(x);
    const bool is_replayed = strstr(again.headers, "Idempotency-Replayed: true") != NULL;
    if (again.status != first->status || rows_of_it(&twin).all != rows.all ||
        (is_done && (!is_replayed || strcmp(again.body, first->body) != 0)))
        fail_msg("%s %s after commit %u: %u, %llu rows, instead of %u, %llu rows\n%s\n%s",
                 ask->method, ask->target, commit, again.status,
                 (unsigned long long)rows_of_it(&twin).all, first->status,
                 (unsigned long long)rows.all, again.body, first->body);
    lab_twin_close(&twin);
}

static void try_at(struct lab *lab, const struct ask *ask, long route)
{
    static struct answer first;
    struct rows rows;
    struct ask keyed = *ask;
    keyed.key = KEY;
    keyed.correlator = CORRELATOR;
    keyed.is_trial = true;
    keep_copy(lab, 0);
    const unsigned commits = ask_first(lab, &keyed, &first, &rows);
    const bool is_done = first.status < 300;
    for (unsigned i = 0; i <= commits && is_done; i++)
        ask_again(lab, &keyed, i, &first, rows);
    // A short verification only reads.
    const bool is_reading = first.status == 200 && strstr(ask->target, "/audit-trail/verify");
    if (rows.own == 0) // then the state is what was asked for
        rows.own = rows.states;
    if (is_done && rows.own != (is_reading ? 0 : 1))
        fail_msg("%s %s left %llu rows", ask->method, ask->target, (unsigned long long)rows.own);
    for (unsigned i = 0; i <= commits; i++)
        remove_copy(copy_name(i));
    if (!is_done) {
        refused[route]++;
        return;
    }
    tried[route]++;
    first.commits = commits;
    lab_keep_exchange(ask, &first);
}

void lab_crash_everywhere(struct lab *lab, const struct ask *ask)
{
    const long route = find_route(ask);
    if (route < 0 || lab->has_refusals_only || tried[route] >= TRIES ||
        refused[route] >= REFUSED_MAX || strstr(ask->target, "dryRun=true") != NULL)
        return;
    (void)snprintf(folder, sizeof(folder), "%s/otaria-crash-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    try_at(lab, ask, route);
    assert_int_equal(rmdir(folder), 0);
}

// Dry runs. Every change that a test of the interface asks for is first tried as one, on a copy of
// its database: it must say what the test's own call is then answered.
#include "tests/unit/api/api_crash.h"

#include <stdio.h>
#include <stdlib.h>

#define TRIES_MAX 24 // of each route in a process, and of those that came to be compared
#define COMPARED_MAX 6
#define ROUTES_MAX 512
#define TURNS_MAX 40

static uint8_t tries[ROUTES_MAX];
static uint8_t compared[ROUTES_MAX];

static long route_to_try(const struct lab *lab, const struct ask *ask)
{
    const long route = trial_route(ask);
    if (route < 0 || lab->token[0] == '\0' || lab->has_refusals_only ||
        (api_routes[route].flags & ROUTE_CAMARA) != 0 ||
        !trial_can_repeat(ask, &api_routes[route]) || strstr(ask->target, "dryRun=") != NULL ||
        tries[route] >= TRIES_MAX || compared[route] >= COMPARED_MAX)
        return -1;
    return route;
}

bool lab_dry_run(struct lab *lab, const struct ask *ask, struct answer *dry)
{
    static struct trial t;
    static struct lab twin;
    static char target[4096];
    const long route = route_to_try(lab, ask);
    if (route < 0)
        return false;
    tries[route]++;
    (void)snprintf(target, sizeof(target), "%s%sdryRun=true", ask->target,
                   strchr(ask->target, '?') != NULL ? "&" : "?");
    t = (struct trial){.lab = lab, .route = &api_routes[route], .ask = *ask};
    t.ask.target = target;
    t.ask.is_trial = true;
    trial_open(&t);
    trial_begin(&t, &twin);
    struct api_exchange *x = lab_start(&twin, &t.ask, dry);
    for (unsigned i = 0; i < TURNS_MAX && dry->count == 0; i++)
        lab_turn(&twin);
    assert_int_equal(dry->count, 1);
    lab_forget(x);
    trial_end(&twin);
    trial_close(0);
    return true;
}

static bool is_plan(const struct answer *dry)
{
    static const char start[] = "{\"dryRun\":true,\"wouldAnswer\":";
    return dry->status == 200 && strncmp(dry->body, start, sizeof(start) - 1) == 0;
}

// Does it wait for a second person?
static bool waits(const struct answer *a)
{
    return a->status < 300 &&
           (strstr(a->headers, "/approvals/apr_") != NULL ||
            strstr(a->body, "\"AWAIT_APPROVAL\"") != NULL) &&
           strstr(a->asked.target, "/approvals/") == NULL;
}

// What the copy has not: calls of before, and imports under way. A dry run takes no key.
static bool is_of_this_moment(const struct answer *dry, const struct answer *a)
{
    const bool is_import = (a->status == 409 || dry->status == 409) &&
                           strstr(a->asked.target, "/batch-imports") != NULL;
    const bool is_of_key = strstr(a->headers, "Idempotency-Replayed: true") != NULL ||
                           strstr(a->body, "Idempotency-Key was used") != NULL;
    return a->status == 429 || a->status == 503 || is_import || is_of_key;
}

void lab_dry_compare(const struct answer *dry, const struct answer *real)
{
    static const char start[] = "\"wouldAnswer\":";
    const char *at = is_plan(dry) ? strstr(dry->body, start) + sizeof(start) - 1 : NULL;
    const unsigned told = at != NULL ? (unsigned)strtoul(at, NULL, 10) : dry->status;
    const char *needed = strstr(dry->body, "\"approvalsNeeded\":");
    if (is_of_this_moment(dry, real))
        return;
    if (told != real->status)
        fail_msg("%s %s: the dry run told %u, the call is answered %u\n%s\n%s", real->asked.method,
                 real->asked.target, told, real->status, dry->body, real->body);
    if (needed != NULL && (needed[18] == '1') != waits(real))
        fail_msg("%s %s: another person is %s\n%s\n%s", real->asked.method, real->asked.target,
                 waits(real) ? "needed" : "not needed", dry->body, real->body);
    if (dry->status >= 300)
        return;
    compared[trial_route(&real->asked)]++;
    lab_keep_exchange(&dry->asked, dry);
}

// Changes amid which a statement fails, or the power.
#include "tests/unit/api/api_crash.h"
#include "tests/unit/server/faulty_disk.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 2000 // of one request
// Of a change, how many writes are cut at, and every how many-th statement fails, unless everything
// is wanted.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUTS 1 // programs are slow
#define STRIDE 31
#endif
#endif
#ifndef CUTS
#define CUTS 3
#define STRIDE 1
#endif

static bool is_everything_wanted(void)
{
    return getenv("OTARIA_EVERY_FAULT") != NULL;
}

// What leads nowhere is swept away later.
static bool is_in_steps(const struct trial *t)
{
    return t->commits > 1;
}

// Does the server have work of its own in the turn that it is asked in?
static bool is_at_work(const struct trial *t)
{
    return t->idle.content != t->before.content;
}

static bool is_as_before(const struct trial *t)
{
    const uint64_t content = trial_mark().content;
    return content == t->before.content || content == t->idle.content;
}

static void assert_nothing_is_done(const struct trial *t, struct lab *twin, const struct answer *a)
{
    if (a->status != 503)
        fail_msg("%s %s is answered with %u when this fails: %s\n%s", t->ask.method, t->ask.target,
                 a->status, faulty_statement_text(), a->body);
    if (trial_is_untouched())
        return;
    const uint64_t rows = trial_rows(twin).all;
    if (rows != 0 || (!is_in_steps(t) && !is_as_before(t)))
        fail_msg("%s %s is half done, with %llu rows, when this fails: %s\n%s", t->ask.method,
                 t->ask.target, (unsigned long long)rows, faulty_statement_text(), a->body);
}

static void assert_all_is_done(const struct trial *t, struct lab *twin, const struct answer *a)
{
    // The answer of what only reads need not be kept.
    const bool is_compared = t->rows.all > 0 && !is_in_steps(t);
    if (a->status != t->answer.status || trial_rows(twin).own != t->rows.own ||
        (is_compared && trial_mark().amounts != t->after.amounts))
        fail_msg("%s %s is done otherwise after statements that failed: %u instead of %u\n%s",
                 t->ask.method, t->ask.target, a->status, t->answer.status, a->body);
}

// The key belongs to the body that it was first used with.
static void ask_with_another_body(const struct trial *t, struct lab *twin)
{
    static struct answer a;
    static char body[sizeof(a.body)];
    struct ask ask = t->ask;
    if (t->route->takes == TAKES_NOTHING)
        return;
    (void)snprintf(body, sizeof(body), "%s\n", ask.body != NULL ? ask.body : "{}");
    ask.body = body;
    twin->now.instant.ms += 1000;
    trial_ask(&ask, twin, &a);
    if (a.status != 400 || strstr(a.body, "Idempotency-Key was used with another body") == NULL ||
        trial_rows(twin).own != t->rows.own)
        fail_msg("%s %s with another body: %u %s", ask.method, ask.target, a.status, a.body);
}

// When it was acknowledged: it is done, and asking again does nothing more.
static void end_done(const struct trial *t, struct lab *twin, const struct answer *a, bool is_last)
{
    assert_all_is_done(t, twin, a);
    if (t->is_again)
        trial_repeat(t, twin, a, "again");
    if (t->is_again && is_last)
        ask_with_another_body(t, twin);
    trial_end(twin);
}

// One statement after the other. A server in which one failed goes on, unless it has work of its
// own beside, and what it was asked for can be asked again, until it is done.
static unsigned fail_statements(const struct trial *t)
{
    static struct lab twin;
    static struct answer a;
    bool is_hit = true;
    bool is_begun = false;
    const uint32_t stride = is_everything_wanted() ? 1 : STRIDE;
    unsigned asked = 0;
    const uint32_t second = 1 + (uint32_t)(t->route - api_routes) % stride; // behind the first
    for (uint32_t at = 1; is_hit; at += at == 1 ? second : stride) {
        asked++;
        assert_true(at < CALLS_MAX);
        if (!is_begun)
            trial_begin(t, &twin);
        twin.now.instant.ms += 1000; // the client's rate is not what is tried
        faulty_statement_set(at);
        trial_ask(&t->ask, &twin, &a);
        is_hit = faulty_statement_was_hit();
        faulty_statement_set(0);
        const bool is_done = a.status < 300;
        is_begun = false;
        if (a.is_cut) { // it was counted as read before it began
            trial_end(&twin);
            continue;
        }
        is_begun = !is_done && t->is_again && !is_at_work(t);
        if (!is_done)
            assert_nothing_is_done(t, &twin, &a);
        if (is_done)
            end_done(t, &twin, &a, !is_hit);
        else if (!is_begun)
            trial_end(&twin);
    }
    assert_false(is_begun);
    return asked - 1; // the last one is behind its end
}

// The n-th write is the last that the disk takes. What is there when the server starts again?
static void cut_at(const struct trial *t, uint32_t at)
{
    static struct lab twin;
    static struct answer a;
    char when[48];
    (void)snprintf(when, sizeof(when), "cut at write %u", at);
    trial_begin(t, &twin);
    faulty_disk_set(DISK_LOSES_POWER, at, true);
    trial_ask(&t->ask, &twin, &a);
    trial_restart(t, &twin);
    const uint64_t rows = trial_rows(&twin).own;
    if (rows != t->rows.own && (rows != 0 || a.status < 300))
        fail_msg("%s %s %s: %llu rows, answered with %u", t->ask.method, t->ask.target, when,
                 (unsigned long long)rows, a.status);
    if (t->has_key)
        trial_repeat(t, &twin, &t->answer, when);
    trial_end(&twin);
}

static uint32_t count_writes(const struct trial *t)
{
    static struct lab twin;
    static struct answer a;
    trial_begin(t, &twin);
    faulty_disk_set(DISK_LOSES_POWER, UINT32_MAX, false);
    trial_ask(&t->ask, &twin, &a);
    const uint32_t count = faulty_disk_calls();
    faulty_disk_set(DISK_GOOD, 0, false);
    trial_end(&twin);
    return count;
}

static unsigned cut_writes(const struct trial *t)
{
    const uint32_t count = count_writes(t);
    const bool is_each = is_everything_wanted() || count <= CUTS;
    const uint32_t cuts = is_each ? count : CUTS;
    // One that differs from route to route, the first, and the last.
    const uint32_t drawn = count > 2 ? 2 + (uint32_t)(t->route - api_routes) % (count - 2) : 1;
    const uint32_t few[] = {drawn, 1, count};
    for (uint32_t i = 0; i < cuts; i++)
        cut_at(t, is_each ? i + 1 : few[i]);
    return cuts;
}

unsigned trial_fail(const struct trial *t)
{
    const unsigned faults = fail_statements(t) + cut_writes(t);
    (void)printf("figure {\"name\": \"fault.loops\", \"value\": %u, \"unit\": \"calls failed\", "
                 "\"what\": \"statements and writes of changes\"}\n",
                 faults);
    return faults;
}

// Requests amid which a statement fails, an allocation, or the power.
#include "tests/unit/api/api_crash.h"
#include "tests/unit/server/faulty_disk.h"
#include "tests/unit/server/faulty_memory.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>
#include <stdlib.h>

// Of a change, how many writes are cut at, every how many-th statement fails, and how many of the
// allocations, unless everything is wanted.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUTS 1 // programs are slow
#define STATEMENTS 31
#define ALLOCATIONS 2
#endif
#endif
#ifndef CUTS
#define CUTS 3
#define STATEMENTS 1
#define ALLOCATIONS 6
#endif
#define CALLS_MAX 1000000   // of one request
#define MANY_ALLOCATIONS 60 // when everything is wanted: all of them take hours

// Calls of which one fails, or from which on all fail.
struct fault {
    void (*set)(uint32_t at_call); // counts from 1; 0: none
    bool (*was_hit)(void);
    const char *(*text)(void); // which
};

static void set_allocation(uint32_t at, bool is_lasting)
{
    // The first is the exchange's: without it there is no request.
    faulty_memory_set(at > 0 ? at + 1 : 0, is_lasting);
}

static void set_one_allocation(uint32_t at)
{
    set_allocation(at, false);
}

static void set_allocations(uint32_t at)
{
    set_allocation(at, true);
}

static const char *name_allocation(void)
{
    static char text[64];
    (void)snprintf(text, sizeof(text), "an allocation, of %u", faulty_memory_calls() - 1);
    return text;
}

static const struct fault of_statement = {faulty_statement_set, faulty_statement_was_hit,
                                          faulty_statement_text};
static const struct fault of_allocation = {set_one_allocation, faulty_memory_was_hit,
                                           name_allocation};
static const struct fault of_allocations = {set_allocations, faulty_memory_was_hit,
                                            name_allocation};

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

static void assert_nothing_is_done(const struct trial *t, const struct fault *fault,
                                   struct lab *twin, const struct answer *a)
{
    if (a->status != 503 || strstr(a->body, "\"code\":\"UNAVAILABLE\"") == NULL)
        fail_msg("%s %s is answered with %u when this fails: %s\n%s", t->ask.method, t->ask.target,
                 a->status, fault->text(), a->body);
    if (trial_is_untouched())
        return;
    const uint64_t rows = trial_rows(twin).all;
    if (rows != 0 || (!is_in_steps(t) && !is_as_before(t)))
        fail_msg("%s %s is half done, with %llu rows, when this fails: %s\n%s", t->ask.method,
                 t->ask.target, (unsigned long long)rows, fault->text(), a->body);
}

static void assert_all_is_done(const struct trial *t, struct lab *twin, const struct answer *a)
{
    // The answer of what only reads need not be kept.
    const bool is_compared = t->rows.all > 0 && !is_in_steps(t);
    if (a->status != t->answer.status || trial_rows(twin).own != t->rows.own ||
        (is_compared && trial_mark().amounts != t->after.amounts))
        fail_msg("%s %s is done otherwise after calls that failed: %u instead of %u\n%s",
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

// Behind the first, a place that differs from route to route.
static uint32_t next_call(const struct trial *t, uint32_t stride, uint32_t at)
{
    const uint32_t second = 1 + (uint32_t)(t->route - api_routes) % stride;
    return at + (at == 1 ? second : stride);
}

static void ask_amid(const struct trial *t, const struct fault *fault, uint32_t at,
                     struct lab *twin, struct answer *a)
{
    assert_true(at < CALLS_MAX);
    twin->now.instant.ms += 1000; // the client's rate is not what is tried
    fault->set(at);
    trial_ask(&t->ask, twin, a);
}

// One call after the other. A server in which one failed goes on, unless it has work of its
// own beside, and what it was asked for can be asked again, until it is done.
static unsigned fail_calls(const struct trial *t, const struct fault *fault, uint32_t stride)
{
    static struct lab twin;
    static struct answer a;
    bool is_hit = true;
    bool is_begun = false;
    unsigned asked = 0;
    for (uint32_t at = 1; is_hit; at = next_call(t, stride, at)) {
        asked++;
        if (!is_begun)
            trial_begin(t, &twin);
        ask_amid(t, fault, at, &twin, &a);
        is_hit = fault->was_hit();
        fault->set(0);
        const bool is_done = a.status < 300;
        is_begun = false;
        if (a.is_cut) { // it was counted as read before it began
            trial_end(&twin);
            continue;
        }
        is_begun = !is_done && t->is_again && !is_at_work(t);
        if (!is_done)
            assert_nothing_is_done(t, fault, &twin, &a);
        if (is_done)
            end_done(t, &twin, &a, !is_hit);
        else if (!is_begun)
            trial_end(&twin);
    }
    assert_false(is_begun);
    return asked - 1; // the last one is behind its end
}

// Every how many-th allocation fails.
static uint32_t allocation_stride(const struct trial *t)
{
    static struct lab twin;
    static struct answer a;
    const uint32_t most = is_everything_wanted() ? MANY_ALLOCATIONS : ALLOCATIONS;
    if (getenv("OTARIA_EVERY_ALLOCATION") != NULL)
        return 1;
    trial_begin(t, &twin);
    ask_amid(t, &of_allocation, CALLS_MAX - 1, &twin, &a);
    faulty_memory_set(0, false);
    trial_end(&twin);
    return 1 + faulty_memory_calls() / most;
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

static void tell(unsigned faults, const char *what)
{
    (void)printf("figure {\"name\": \"fault.loops\", \"value\": %u, \"unit\": \"calls failed\", "
                 "\"what\": \"%s\"}\n",
                 faults, what);
}

unsigned trial_fail(const struct trial *t)
{
    const uint32_t statements = is_everything_wanted() ? 1 : STATEMENTS;
    const unsigned faults = fail_calls(t, &of_statement, statements) + cut_writes(t);
    const uint32_t stride = allocation_stride(t);
    const unsigned allocations =
        fail_calls(t, &of_allocation, stride) + fail_calls(t, &of_allocations, stride);
    tell(faults, "statements and writes of changes");
    tell(allocations, "allocations of changes");
    return faults + allocations;
}

static bool read_amid(const struct trial *t, const struct fault *fault, uint32_t at,
                      struct lab *twin)
{
    static struct answer a;
    ask_amid(t, fault, at, twin, &a);
    const bool is_hit = fault->was_hit();
    fault->set(0);
    if (a.status != t->answer.status && !(is_hit && a.status == 503))
        fail_msg("%s %s is answered with %u when this fails: %s\n%s", t->ask.method, t->ask.target,
                 a.status, fault->text(), a.body);
    assert_true(is_hit || a.is_cut == t->answer.is_cut);
    return is_hit;
}

unsigned trial_fail_reading(const struct trial *t)
{
    static struct lab twin;
    const struct fault *const faults[] = {&of_allocation, &of_allocations};
    unsigned failed = 0;
    const uint32_t stride = allocation_stride(t);
    trial_begin(t, &twin);
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t at = 1; read_amid(t, faults[i], at, &twin); at = next_call(t, stride, at))
            failed++;
    }
    trial_end(&twin);
    tell(failed, "allocations of readings");
    return failed + 2; // and twice none: some need no memory
}

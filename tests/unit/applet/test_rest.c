// A card at rest whose ticks were spared is, octet for octet, the card that did each of them in
// full: the applet, the memory, and how often it was written are compared.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "tests/lib/cmocka_all.h"

#define TICKS 80 // 24,000 s: the clock is kept six times in them

static struct bench_card begin;
static struct bench_card full;
static struct bench_card spared;

static void copy(struct bench_card *to, const struct bench_card *from)
{
    memcpy(to, from, sizeof *to);
    to->port.context = to;
    to->port.cipher = &to->cipher;
    to->port.factory = &to->factory;
    to->port.work = &to->work;
    to->factory.templates = to->templates;
    to->factory.subscriptions = to->subscriptions;
    memory_release(&to->port);
    to->work.maker = NULL;
}

// A card that waits for its heartbeat, `hours` from now.
static void rest(uint8_t hours)
{
    const uint8_t list[] = {PARAMETER_HEARTBEAT, 2, 0, hours, PARAMETER_T_COUNTRY, 2, 0, 0};
    bench_init(&begin);
    bench_boot(&begin);
    bench_service(&begin, CAT_SERVICE_NORMAL);
    bench_confirm_all(&begin);
    bench_timer(&begin, CLOCK_SLOW);
    bench_set(&begin, list, sizeof list);
    bench_timer(&begin, CLOCK_SLOW);
    assert_true(applet_is_at_rest(&begin.applet));
    // What a tick in full sets anew.
    begin.applet.command_s = 40;
    begin.applet.command_timer = APPLET_CLOCKS;
    begin.applet.clocks[CLOCK_SLOW].status_s = 30;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&begin);
    return 0;
}

static void tick_in_full(struct bench_card *b, unsigned statuses)
{
    for (unsigned i = 0; i < statuses; i++)
        applet_status(&b->applet, &b->port);
    bench_timer(b, CLOCK_SLOW);
}

// Commits that are made up for; gives how many were not needed.
static uint32_t keep(struct bench_card *b, unsigned *commits)
{
    uint32_t others = 0;
    *commits = 0;
    if (b->applet.kept == 0) {
        assert_false(applet_rest_keep(&b->applet, &b->port, &others));
        return 0;
    }
    while (applet_rest_keep(&b->applet, &b->port, &others))
        ++*commits;
    ++*commits;
    return others;
}

static void assert_same(void)
{
    struct applet a = full.applet;
    struct applet b = spared.applet;
    a.kept_s = b.kept_s = 0; // when a commit was passed over
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(full.nvm, spared.nvm, sizeof full.nvm);
    // What the workspace holds is what stands there.
    const struct image held = spared.work.image;
    if (spared.work.holder == &spared.applet) {
        memory_release(&spared.port);
        assert_true(memory_load(&spared.applet, &spared.port));
        assert_memory_equal(&held.dues, &spared.work.image.dues, sizeof held.dues);
    }
}

static void spare(unsigned count, unsigned statuses)
{
    copy(&full, &begin);
    copy(&spared, &begin);
    const uint32_t number = full.applet.bank_number;
    for (unsigned i = 0; i < count; i++)
        tick_in_full(&full, i == 0 ? 0 : statuses);
    const unsigned kept = full.applet.bank_number - number;
    assert_int_equal(applet_rest_ticks(&spared.applet, count, 9, true), count);
    assert_int_equal(spared.applet.kept, kept);
    unsigned commits = 0;
    const uint32_t others = keep(&spared, &commits);
    assert_int_equal(commits + others, kept);
    assert_int_equal(commits, kept < 2 ? kept : 2); // there are two banks
    assert_int_equal(spared.applet.kept, 0);
    assert_same();
}

static void spared_ticks_are_those_that_were_done(void **state)
{
    (void)state;
    rest(24);
    for (unsigned count = 1; count <= TICKS; count++)
        spare(count, count % 3);
}

static void a_card_that_waits_for_nothing_only_ticks(void **state)
{
    (void)state;
    rest(0);
    for (unsigned count = 1; count <= TICKS; count += 13)
        spare(count, 1);
}

static void ticks_end_before_the_one_that_does_something(void **state)
{
    (void)state;
    rest(2);
    // The heartbeat is due 7,200 s after it was set; one tick has passed since.
    copy(&spared, &begin);
    assert_int_equal(applet_rest_ticks(&spared.applet, TICKS, 9, true), 22);
    for (unsigned count = 1; count <= 22; count++)
        spare(count, 1);
    tick_in_full(&full, 0);
    tick_in_full(&spared, 0);
    assert_same();
    assert_non_null(bench_note(&spared, NOTIFY_HEARTBEAT));
    // Nothing is spared then, and one by one at a terminal that polls more often than it has
    // timers.
    copy(&spared, &begin);
    spared.applet.due_s = spared.applet.now_s;
    spared.applet.busy_s = spared.applet.now_s;
    assert_int_equal(applet_rest_ticks(&spared.applet, 1, 9, true), 0);
}

// The power fails behind the commits that were made up for: the card finds the last of them.
static void what_was_kept_is_found_at_the_next_start(void **state)
{
    (void)state;
    rest(24);
    for (unsigned count = 11; count <= 70; count += 12) {
        spare(count, 0);
        bench_boot(&full);
        bench_boot(&spared);
        assert_int_equal(full.applet.now_s, spared.applet.now_s);
        assert_same();
    }
}

// A deletion's remains need no second look once a later commit has overwritten them.
static void what_was_to_be_scrubbed_is_not_scrubbed_for_ever(void **state)
{
    (void)state;
    rest(24);
    assert_true(memory_load(&begin.applet, &begin.port));
    memory_release(&begin.port);
    begin.work.image.is_scrub_due = true;
    assert_int_equal(memory_commit(&begin.applet, &begin.port), MEMORY_OK);
    spare(12, 0);
    assert_false(bench_dump(&spared).image.is_scrub_due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(spared_ticks_are_those_that_were_done, teardown),
        cmocka_unit_test_teardown(a_card_that_waits_for_nothing_only_ticks, teardown),
        cmocka_unit_test_teardown(ticks_end_before_the_one_that_does_something, teardown),
        cmocka_unit_test_teardown(what_was_kept_is_found_at_the_next_start, teardown),
        cmocka_unit_test_teardown(what_was_to_be_scrubbed_is_not_scrubbed_for_ever, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

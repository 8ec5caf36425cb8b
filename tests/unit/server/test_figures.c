// Figures and the key figures made of them, from histories whose sums are made by hand.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/core/kpi.h"

#include <string.h>

#define SECOND 1000

static struct world world;
static struct figure_sums sums;
static struct figure_count counts[FIGURE_COUNTS_MAX];
static struct kpi_cards cards;
static struct kpi kpi;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    memset(&sums, 0, sizeof(sums));
    cards = (struct kpi_cards){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void take(size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums.counts[counts[i].figure][counts[i].detail] += counts[i].count;
}

static void make(const char *id, uint8_t kind)
{
    for (unsigned i = 0; i < KPI_COUNT; i++) {
        kpi_make(&sums, &cards, i, &kpi);
        if (strcmp(kpi.id, id) == 0 && kpi.kind == kind)
            return;
    }
    fail_msg("no figure %s", id);
}

static void ended(uint8_t kind, uint8_t outcome, unsigned times)
{
    const struct operation o = {.kind = kind, .outcome = outcome};
    for (unsigned i = 0; i < times; i++)
        take(figures_of_operation(&o, &(struct figure_times){0}, counts));
}

// done / (done + failed + rolled_back + expired + unresolved) = 39 / (39 + 2 + 3 + 1 + 4).
static void refused_and_cancelled_operations_are_neither_success_nor_failure(void **state)
{
    (void)state;
    ended(OPERATION_ENABLE, OUTCOME_DONE, 39);
    ended(OPERATION_ENABLE, OUTCOME_FAILED, 2);
    ended(OPERATION_ENABLE, OUTCOME_ROLLED_BACK, 3);
    ended(OPERATION_ENABLE, OUTCOME_EXPIRED, 1);
    ended(OPERATION_ENABLE, OUTCOME_UNRESOLVED, 4);
    ended(OPERATION_ENABLE, OUTCOME_REFUSED, 50);
    ended(OPERATION_ENABLE, OUTCOME_CANCELLED, 60);
    ended(OPERATION_DELETE, OUTCOME_FAILED, 1);
    make("operation-success-rate", OPERATION_ENABLE);
    assert_int_equal(kpi.part, 39);
    assert_int_equal(kpi.whole, 49);
    assert_int_equal(kpi.value, 796); // 79.59 %
    make("operation-success-rate", OPERATION_DELETE);
    assert_int_equal(kpi.whole, 1);
    assert_int_equal(kpi.value, 0);
    make("operation-success-rate", OPERATION_DOWNLOAD);
    assert_false(kpi.has_value); // of nothing
    make("rollback-rate", OPERATION_NONE);
    assert_int_equal(kpi.part, 3);
    assert_int_equal(kpi.whole, 42);
    assert_int_equal(kpi.value, 71); // 7.14 %
}

// (12,500 - 98) + (12,500 - 433) of 25,000 octets; and one that cost more than it would have.
static void a_template_saves_what_the_profile_has_beyond_it(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_DOWNLOAD, .outcome = OUTCOME_DONE, .bytes_mt = 98};
    take(figures_of_download(&o, 12500, counts));
    o.bytes_mt = 433;
    take(figures_of_download(&o, 12500, counts));
    o.outcome = OUTCOME_FAILED;
    take(figures_of_download(&o, 12500, counts));
    make("template-saving", OPERATION_NONE);
    assert_int_equal(kpi.part, 24469);
    assert_int_equal(kpi.whole, 25000);
    assert_int_equal(kpi.value, 979); // 97.88 %
    o.outcome = OUTCOME_DONE;
    o.bytes_mt = 600;
    assert_int_equal(figures_of_download(&o, 0, counts), 0); // nobody knows
    take(figures_of_download(&o, 250, counts));
    make("template-saving", OPERATION_NONE);
    assert_int_equal(kpi.part, 24119);
    assert_int_equal(kpi.whole, 25250);
    o.kind = OPERATION_ENABLE;
    assert_int_equal(figures_of_download(&o, 250, counts), 0);
}

static void a_download_that_enables_is_a_switch(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_DOWNLOAD, .outcome = OUTCOME_DONE};
    take(figures_of_operation(&o, &(struct figure_times){0}, counts));
    make("rollback-rate", OPERATION_NONE);
    assert_int_equal(kpi.whole, 0);
    o.flags = COMMAND_FLAG_ENABLE;
    take(figures_of_operation(&o, &(struct figure_times){0}, counts));
    make("rollback-rate", OPERATION_NONE);
    assert_int_equal(kpi.whole, 1);
}

static void what_was_sent_counts_and_what_was_not_does_not(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_DELETE,
                          .outcome = OUTCOME_DONE,
                          .attempts = 1,
                          .sms_mt = 1,
                          .sms_mo = 1,
                          .bytes_mt = 98,
                          .bytes_mo = 54};
    take(figures_of_operation(&o, &(struct figure_times){0}, counts));
    o = (struct operation){.kind = OPERATION_DOWNLOAD,
                           .outcome = OUTCOME_FAILED,
                           .attempts = 2,
                           .sms_mt = 4,
                           .bytes_mt = 433};
    take(figures_of_operation(&o, &(struct figure_times){0}, counts));
    ended(OPERATION_DELETE, OUTCOME_CANCELLED, 10); // before anything left
    make("sms-mt-per-operation", OPERATION_NONE);
    assert_int_equal(kpi.part, 5);
    assert_int_equal(kpi.whole, 2);
    assert_int_equal(kpi.value, 25); // 2.5
    make("sms-mo-per-operation", OPERATION_NONE);
    assert_int_equal(kpi.value, 5); // 0.5
    make("bytes-mt-per-operation", OPERATION_NONE);
    assert_int_equal(kpi.value, 2655); // 531 / 2
    make("bytes-mo-per-operation", OPERATION_NONE);
    assert_int_equal(kpi.value, 270); // 54 / 2
}

static void a_correction_takes_back_what_it_counted_as(void **state)
{
    (void)state;
    struct operation before = {
        .kind = OPERATION_ENABLE, .outcome = OUTCOME_UNRESOLVED, .failure = FAILURE_OTA_TIMEOUT};
    struct operation after = before;
    ended(OPERATION_ENABLE, OUTCOME_UNRESOLVED, 1);
    assert_int_equal(figures_of_correction(&before, &after, counts), 0);
    after.outcome = OUTCOME_DONE;
    after.failure = FAILURE_NONE;
    sums.counts[FIGURE_FAILURE][FAILURE_OTA_TIMEOUT] = 1;
    take(figures_of_correction(&before, &after, counts));
    make("operation-success-rate", OPERATION_ENABLE);
    assert_int_equal(kpi.part, 1);
    assert_int_equal(kpi.whole, 1);
    assert_int_equal(sums.counts[FIGURE_FAILURE][FAILURE_OTA_TIMEOUT], 0);
    assert_int_equal(sums.counts[FIGURE_SWITCH][OUTCOME_DONE], 1);
}

// --- durations -------------------------------------------------------------------------------

static void a_class_holds_durations_up_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(figure_class(0), 0);
    assert_int_equal(figure_class(999), 0);
    assert_int_equal(figure_class(1000), 0);
    assert_int_equal(figure_class(1001), 1);
    assert_int_equal(figure_class_limit_s(figure_class(30 * SECOND)), 30);
    assert_int_equal(figure_class_limit_s(figure_class(30 * SECOND + 1)), 45);
    assert_int_equal(figure_class(INT64_C(604800) * SECOND), FIGURE_CLASSES - 2);
    assert_int_equal(figure_class(INT64_C(604800) * SECOND + 1), FIGURE_CLASSES - 1);
    assert_int_equal(figure_class_limit_s(FIGURE_CLASSES - 1), 0);
}

// Nearest rank: of 100 the 95th, of 20 the 19th, of 19 the 19th (0.95 * 19 = 18.05).
static void percentiles_are_those_of_the_nearest_rank(void **state)
{
    uint64_t classes[FIGURE_CLASSES] = {94, 5, 1};
    (void)state;
    assert_int_equal(kpi_percentile(classes, 100, 50), 0);
    assert_int_equal(kpi_percentile(classes, 100, 94), 0);
    assert_int_equal(kpi_percentile(classes, 100, 95), 1);
    assert_int_equal(kpi_percentile(classes, 100, 99), 1);
    assert_int_equal(kpi_percentile(classes, 100, 100), 2);
    classes[0] = 18;
    classes[1] = 1;
    classes[2] = 1;
    assert_int_equal(kpi_percentile(classes, 20, 95), 1);
    classes[2] = 0;
    assert_int_equal(kpi_percentile(classes, 19, 95), 1);
    assert_int_equal(kpi_percentile(classes, 19, 94), 0);
}

static void note(struct figure_times *t, uint8_t name, const char *detail, int64_t at_s)
{
    struct step step = {.name = name};
    memcpy(step.detail, detail, strlen(detail) + 1);
    figure_note_step(t, &step, (struct utc){1784894400000 + at_s * SECOND});
}

// Accepted at 2 s, answered at 9 s after a forged answer at 4 s, confirmed at 50 s.
static void times_run_from_the_first_acceptance_to_the_first_authentic_answer(void **state)
{
    struct figure_times t = {0};
    (void)state;
    note(&t, STEP_BUILT, "", 0);
    note(&t, STEP_ACCEPTED, "", 2);
    note(&t, STEP_POR, "not authentic", 4);
    note(&t, STEP_ACCEPTED, "", 5);
    note(&t, STEP_POR, "OK_PENDING", 9);
    note(&t, STEP_NOTIFIED, "ENABLED", 40);
    note(&t, STEP_CONFIRMED, "OK", 50);
    const struct operation o = {.kind = OPERATION_ENABLE, .outcome = OUTCOME_DONE};
    take(figures_of_operation(&o, &t, counts));
    make("time-to-por", OPERATION_NONE);
    assert_int_equal(kpi.count, 1);
    assert_int_equal(figure_class_limit_s(kpi.p50), 7); // exactly
    make("time-to-confirm", OPERATION_NONE);
    assert_int_equal(kpi.count, 1);
    assert_int_equal(figure_class_limit_s(kpi.p95), 60); // 48 s
}

static void an_answer_before_the_smsc_said_yes_is_timed_from_the_packet(void **state)
{
    struct figure_times t = {0};
    (void)state;
    note(&t, STEP_BUILT, "", 0);
    note(&t, STEP_POR, "OK", 4);
    const struct operation o = {.kind = OPERATION_DELETE, .outcome = OUTCOME_DONE};
    take(figures_of_operation(&o, &t, counts));
    make("time-to-por", OPERATION_NONE);
    assert_int_equal(figure_class_limit_s(kpi.p50), 5);
    make("time-to-confirm", OPERATION_NONE);
    assert_false(kpi.has_value);
}

// Built at 0 s, answered at 4 s, confirmed at 50 s; that the SMSC took it was told at 6 s.
static void what_the_smsc_says_behind_the_answer_does_not_change_the_times(void **state)
{
    struct figure_times t = {0};
    (void)state;
    note(&t, STEP_BUILT, "", 0);
    note(&t, STEP_POR, "OK_PENDING", 4);
    note(&t, STEP_ACCEPTED, "", 6);
    note(&t, STEP_CONFIRMED, "OK", 50);
    const struct operation o = {.kind = OPERATION_ENABLE, .outcome = OUTCOME_DONE};
    take(figures_of_operation(&o, &t, counts));
    make("time-to-por", OPERATION_NONE);
    assert_int_equal(figure_class_limit_s(kpi.p50), 5);
    make("time-to-confirm", OPERATION_NONE);
    assert_int_equal(figure_class_limit_s(kpi.p50), 60);
}

// --- events of a card ------------------------------------------------------------------------

static size_t figures_since(const struct record *before, uint8_t type)
{
    struct event e = {.type = type, .at = world.now};
    const uint64_t counter = before->flight.counter;
    e.as.submit = (struct event_submit){.counter = counter, .outcome = SUBMIT_ACCEPTED, .parts = 2};
    if (type == EVENT_RECEIPT)
        e.as.receipt = (struct event_receipt){counter, RECEIPT_DELIVERED, 1, {0}};
    const size_t count = figures_of_event(before, &e, &world.decision, counts);
    take(count);
    return count;
}

static void a_packet_its_receipt_and_its_answer_make_the_delivery_rates(void **state)
{
    (void)state;
    (void)world_request(&world, OPERATION_DELETE);
    struct record before = world.record;
    world_submit(&world, SUBMIT_ACCEPTED);
    (void)figures_since(&before, EVENT_SUBMIT);
    before = world.record;
    world_receipt(&world, RECEIPT_DELIVERED);
    (void)figures_since(&before, EVENT_RECEIPT);
    before = world.record;
    world_receipt(&world, RECEIPT_DELIVERED);
    assert_int_equal(figures_since(&before, EVENT_RECEIPT), 0); // the same again
    before = world.record;
    const uint64_t counter = world.record.flight.counter;
    world_result(&world, RESULT_OK);
    (void)figures_since(&before, EVENT_POR);
    before = world.record;
    struct event twice = {.type = EVENT_POR};
    twice.as.por = (struct event_por){.is_authentic = true, .counter = counter};
    world_event(&world, &twice);
    assert_int_equal(figures_since(&before, EVENT_POR), 0);
    make("command-delivery-rate", OPERATION_NONE);
    assert_int_equal(kpi.part, 1);
    assert_int_equal(kpi.whole, 1);
    make("sms-delivery-rate", OPERATION_NONE);
    assert_int_equal(kpi.part, 1);
    assert_int_equal(kpi.whole, 2);
    assert_int_equal(kpi.value, 500);
}

static void a_packet_that_no_smsc_took_was_not_submitted(void **state)
{
    (void)state;
    static const uint8_t outcomes[] = {SUBMIT_TEMPORARY, SUBMIT_REJECTED, SUBMIT_UNSENT};
    (void)world_request(&world, OPERATION_DELETE);
    for (size_t i = 0; i < sizeof(outcomes); i++) {
        const struct event e = {.type = EVENT_SUBMIT,
                                .as.submit = {.outcome = outcomes[i], .parts = 1}};
        assert_int_equal(figures_of_event(&world.record, &e, &world.decision, counts), 0);
    }
}

// From dirty to clean in 61 s, by one audit that was answered.
static void an_answered_audit_cleans_a_card(void **state)
{
    (void)state;
    struct event dirty = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    world_event(&world, &dirty);
    struct record before = world.record;
    world_wake_after(&world, 60 * SECOND);
    (void)figures_since(&before, EVENT_WAKE);
    make("audit-success-rate", OPERATION_NONE);
    assert_int_equal(kpi.whole, 1);
    assert_int_equal(kpi.part, 0);
    world_submit(&world, SUBMIT_ACCEPTED);
    struct event answer;
    world_answer_init(&world, &answer, 0, 0);
    world.now.ms += SECOND;
    before = world.record;
    world_event(&world, &answer);
    (void)figures_since(&before, EVENT_POR);
    assert_int_equal(world.record.dirty_since.ms, 0);
    make("audit-success-rate", OPERATION_NONE);
    assert_int_equal(kpi.value, 1000);
    make("time-to-clean", OPERATION_NONE);
    assert_int_equal(kpi.count, 1);
    assert_int_equal(figure_class_limit_s(kpi.p50), 90);
}

static void notified(uint8_t cause, uint8_t to_slot)
{
    const struct record before = world.record;
    world_notify(&world, cause, to_slot, false);
    struct event e = {.type = EVENT_NOTIFY, .at = world.now};
    e.as.notify.notification.cause = cause;
    take(figures_of_event(&before, &e, &world.decision, counts));
}

static void a_card_that_falls_back_and_returns_counts_once_each(void **state)
{
    (void)state;
    world.record.slots[0].fact.state = SLOT_DISABLED;
    world.record.slots[1].fact.state = SLOT_ENABLED;
    const struct record before = world.record;
    notified(NOTIFY_FALLBACK, 1);
    assert_int_equal(figure_fallen_from(&before, &world.decision), 102); // that of slot 2
    make("return-rate", OPERATION_NONE);
    assert_int_equal(kpi.part, 0);
    assert_int_equal(kpi.whole, 1);
    notified(NOTIFY_RETURNED, 2);
    assert_int_equal(figure_fallen_from(&before, &world.decision), 0);
    make("return-rate", OPERATION_NONE);
    assert_int_equal(kpi.part, 1);
    assert_int_equal(kpi.whole, 1);
}

static void rates_of_cards_are_of_those_that_were_seen(void **state)
{
    (void)state;
    cards = (struct kpi_cards){.seen = 800, .dirty = 6, .on_fallback = 2};
    make("dirty-rate", OPERATION_NONE);
    assert_true(kpi.is_now && kpi.has_value);
    assert_int_equal(kpi.value, 8); // 0.75 %
    make("fallback-rate", OPERATION_NONE);
    assert_int_equal(kpi.value, 3); // 0.25 %
    cards.seen = cards.dirty = 0;
    make("dirty-rate", OPERATION_NONE);
    assert_false(kpi.has_value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(refused_and_cancelled_operations_are_neither_success_nor_failure),
        TEST(a_template_saves_what_the_profile_has_beyond_it),
        TEST(a_download_that_enables_is_a_switch),
        TEST(what_was_sent_counts_and_what_was_not_does_not),
        TEST(a_correction_takes_back_what_it_counted_as),
        TEST(a_class_holds_durations_up_to_its_limit),
        TEST(percentiles_are_those_of_the_nearest_rank),
        TEST(times_run_from_the_first_acceptance_to_the_first_authentic_answer),
        TEST(an_answer_before_the_smsc_said_yes_is_timed_from_the_packet),
        TEST(what_the_smsc_says_behind_the_answer_does_not_change_the_times),
        TEST(a_packet_its_receipt_and_its_answer_make_the_delivery_rates),
        TEST(a_packet_that_no_smsc_took_was_not_submitted),
        TEST(an_answered_audit_cleans_a_card),
        TEST(a_card_that_falls_back_and_returns_counts_once_each),
        TEST(rates_of_cards_are_of_those_that_were_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// A clock that went back while the server was away: what waited is due after as long as before.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/fault_lab.h"

#include "ota-server/store/backup.h"
#include "ota-server/store/campaigns.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define TEN_YEARS_MS (INT64_C(315360000) * 1000)

static struct record card_now(uint64_t id)
{
    static struct record r;
    assert_int_equal(store_card_load(store, id, &r), STORE_OK);
    return r;
}

// Dirty a moment ago, so that the first audit is due in a minute.
static void doubt(uint64_t card)
{
    const struct event e = {.type = EVENT_MARK_DIRTY,
                            .actor = {.kind = ACTOR_USER, .id = 1},
                            .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, card, &e, NULL, NULL));
    assert_int_equal(run(), TURN_OK);
}

static void goes_back(int64_t ms)
{
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    world.now.ms -= ms;
    reopen();
}

static bool note_row(void *context, const struct trail_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return true;
}

static unsigned rows_of(const char *action)
{
    struct trail_filter f;
    unsigned count = 0;
    uint64_t total;
    const struct store_page page = {.limit = 100};
    trail_filter_init(&f);
    f.action = action;
    assert_int_equal(store_trail(store, &f, &page, note_row, &count, &total), STORE_OK);
    return count;
}

static void a_card_in_doubt_is_asked_as_soon_as_before(void **state)
{
    (void)state;
    doubt(1);
    const int64_t wait_ms = card_now(1).next_audit_at.ms - world.now.ms;
    assert_in_range(wait_ms, 1, 10 * MINUTE_MS);
    goes_back(TEN_YEARS_MS);
    const struct record r = card_now(1);
    assert_int_equal(r.next_audit_at.ms, world.now.ms + wait_ms);
    assert_int_equal(r.dirty_since.ms, world.now.ms);
    assert_int_equal(turn_clock_back_ms(turn), TEN_YEARS_MS);
    assert_int_equal(rows_of("card.times_back"), 1); // the other cards wait for nothing
    assert_int_equal(rows_of("server.clock_back"), 1);
    assert_whole();
    sent_count = 0;
    world.now.ms += wait_ms;
    assert_int_equal(run(), TURN_OK);
    assert_int_equal(sent_count, 1);
}

static void what_is_under_way_is_waited_for_as_long_as_before(void **state)
{
    (void)state;
    (void)ask(1);
    assert_int_equal(run(), TURN_OK);
    const struct record before = card_now(1);
    assert_true(before.has_open);
    goes_back(TEN_YEARS_MS);
    const struct record after = card_now(1);
    assert_int_equal(after.open.status, before.open.status);
    assert_int_equal(after.open.created_at.ms, before.open.created_at.ms - TEN_YEARS_MS);
    assert_int_equal(after.open.not_after.ms, before.open.not_after.ms - TEN_YEARS_MS);
    assert_int_equal(after.flight.sent_at.ms, before.flight.sent_at.ms - TEN_YEARS_MS);
    assert_int_equal(after.created_at.ms, before.created_at.ms); // it happened then
}

static struct world own;

// Ten years behind what it remembers.
static void a_card_at_rest_is_asked_and_given_up_as_ever(void **state)
{
    (void)state;
    world_init(&own);
    const struct utc ahead = {own.now.ms + TEN_YEARS_MS};
    struct record *r = &own.record;
    r->last_contact_at = r->last_attempt_at = r->last_audit_at = r->seen_at = ahead;
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    own.policy.audit = (struct policy_steps){.count = 1, .after_s = {8 * 86400}};
    world_event(&own, &e);
    assert_int_equal(r->last_contact_at.ms, own.now.ms - 1);
    assert_int_equal(r->seen_at.ms, own.now.ms - 1);
    assert_int_equal(r->last_audit_at.ms, own.now.ms - 1); // the doubt came after it
    world_wake_after(&own, 7 * 24 * 60 * MINUTE_MS);
    assert_true(record_has_mark(r, MARK_UNREACHABLE));
    e = (struct event){.type = EVENT_CONTACT};
    world_event(&own, &e);
    assert_in_range(r->next_audit_at.ms - own.now.ms, 0, 30000);
    world_close(&own);
}

static void a_card_made_ahead_begins_its_bootstrap(void **state)
{
    (void)state;
    world_init(&own);
    struct record *r = &own.record;
    r->state = CARD_IMPORTED;
    r->slot_count = 1;
    r->created_at.ms = own.now.ms + TEN_YEARS_MS;
    own.policy.bootstrap = (struct bootstrap_rule){
        .is_enabled = true, .item_count = 1, .deadline_s = 86400, .items = {{.pool = 9}}};
    struct event e = {.type = EVENT_CONTACT};
    world_event(&own, &e);
    assert_int_equal(r->bootstrap.state, BOOTSTRAP_WAITING);
    world_close(&own);
}

static void a_step_of_minutes_is_left_alone(void **state)
{
    (void)state;
    doubt(1);
    const struct record before = card_now(1);
    goes_back(5 * MINUTE_MS);
    assert_int_equal(turn_clock_back_ms(turn), 0);
    assert_int_equal(card_now(1).next_audit_at.ms, before.next_audit_at.ms);
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    world.now.ms--;
    reopen();
    assert_int_equal(turn_clock_back_ms(turn), 5 * MINUTE_MS + 1);
    assert_int_equal(card_now(1).next_audit_at.ms, before.next_audit_at.ms - 5 * MINUTE_MS - 1);
}

// The command that puts a backup back writes a row with the clock as it stands then.
static void a_backup_put_back_does_not_hide_it(void **state)
{
    (void)state;
    doubt(1);
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    close_server();
    world.now.ms -= TEN_YEARS_MS;
    open_server(note_sent, NULL);
    assert_int_equal(store_put_back(store, world.now), STORE_OK);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    assert_int_equal(turn_clock_back_ms(turn), TEN_YEARS_MS);
    assert_in_range(card_now(1).next_audit_at.ms - world.now.ms, 0, 10 * MINUTE_MS);
}

// Card 1 was told, card 3 was not, when the server was killed.
static void a_start_that_is_killed_meanwhile_goes_on_where_it_was(void **state)
{
    (void)state;
    doubt(1);
    doubt(3);
    const struct record before[] = {card_now(1), card_now(3)};
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u64(&w, TEN_YEARS_MS);
    writer_u64(&w, 2);
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_value_put(store, "clock-back", writer_bytes(&w)), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    goes_back(TEN_YEARS_MS);
    assert_int_equal(card_now(1).next_audit_at.ms, before[0].next_audit_at.ms);
    assert_int_equal(card_now(3).next_audit_at.ms, before[1].next_audit_at.ms - TEN_YEARS_MS);
    reopen(); // and it is over
    assert_int_equal(card_now(3).next_audit_at.ms, before[1].next_audit_at.ms - TEN_YEARS_MS);
}

static struct campaign due_campaign(void)
{
    static struct campaign c;
    campaign_init(&c, 77);
    c.state = CAMPAIGN_SCHEDULED;
    return c;
}

static void a_campaign_is_looked_at_as_soon_as_before(void **state)
{
    (void)state;
    const struct campaign c = due_campaign();
    const struct utc due = utc_after(world.now, MINUTE_MS);
    doubt(1); // something is written at this time
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_campaign_put(store, &c, due), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    goes_back(TEN_YEARS_MS);
    struct utc next;
    assert_int_equal(store_campaign_next_due(store, &next), STORE_OK);
    assert_int_equal(next.ms, due.ms - TEN_YEARS_MS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_lab_open, fault_lab_close)
    const struct CMUnitTest tests[] = {
        TEST(a_card_in_doubt_is_asked_as_soon_as_before),
        TEST(what_is_under_way_is_waited_for_as_long_as_before),
        TEST(a_card_at_rest_is_asked_and_given_up_as_ever),
        TEST(a_card_made_ahead_begins_its_bootstrap),
        TEST(a_step_of_minutes_is_left_alone),
        TEST(a_backup_put_back_does_not_hide_it),
        TEST(a_start_that_is_killed_meanwhile_goes_on_where_it_was),
        TEST(a_campaign_is_looked_at_as_soon_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

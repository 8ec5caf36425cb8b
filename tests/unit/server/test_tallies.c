// What the turn counts, and where it stands: a card's history of one hour and the next.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000
#define HOUR (3600 * SECOND)
#define TENANT 42

static struct world world; // at 12:00:00
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static struct message sent;
static struct figure_sums sums;

static void note_sent(void *context, const struct message *m)
{
    (void)context;
    sent = *m;
}

static int set_up(void **state)
{
    (void)state;
    static const uint8_t octets[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    struct card_keys keys = {.version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39};
    keys.kic = keys.kid = keys.kik = secret_key_of(bytes_of(octets, 16));
    keys.kid.octets[0] = 0x77;
    world_init(&world);
    world.record.tenant = TENANT;
    assert_true(server_crypto_open(&crypto));
    struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &store), STORE_OK);
    const struct card_new c = {
        .record = &world.record, .has_keys = true, .keys = keys, .at = world.now};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_card_add(store, &c), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    const struct turn_options t = {
        .store = store, .policy = &world.policy, .cipher = crypto.store.cipher, .send = note_sent};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    turn_close(turn);
    store_close(store);
    server_crypto_close(&crypto);
    world_close(&world);
    return 0;
}

static void run_at(int64_t ms, const struct event *e)
{
    assert_true(turn_event(turn, 7, e, NULL, NULL));
    assert_int_equal(turn_run(turn, utc_after(world.now, ms)), TURN_OK);
}

static struct event request(uint8_t kind)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_RULE, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = kind;
    e.as.request.operation.target = record_slot_name(&world.record.slots[1]);
    return e;
}

static struct event submitted(uint8_t outcome, uint8_t parts)
{
    return (struct event){
        .type = EVENT_SUBMIT,
        .as.submit = {.counter = sent.counter, .outcome = outcome, .parts = parts}};
}

static struct event delivered(void)
{
    return (struct event){.type = EVENT_RECEIPT,
                          .as.receipt = {sent.counter, RECEIPT_DELIVERED, 1, {0}}};
}

static struct event answered(uint8_t code)
{
    struct record r;
    struct event e = {.type = EVENT_POR};
    assert_int_equal(store_card_load(store, 7, &r), STORE_OK);
    e.as.por = (struct event_por){
        .is_authentic = true, .counter = sent.counter, .has_result = true, .sms = 1, .octets = 54};
    e.as.por.result = (struct result){.command = r.flight.command,
                                      .code = code,
                                      .operation_id = r.flight.operation_id,
                                      .registry_version = 11};
    return e;
}

static int64_t count(uint64_t tenant, int64_t from_ms, int64_t to_ms, uint8_t figure,
                     uint8_t detail)
{
    assert_int_equal(store_tallies(store, tenant, utc_after(world.now, from_ms),
                                   utc_after(world.now, to_ms), &sums),
                     STORE_OK);
    return sums.counts[figure][detail];
}

// Asked for at 12:00:00, accepted at :02, delivered at :03, answered at :09.
static void delete_the_subscription(void)
{
    struct event e = request(OPERATION_DELETE);
    run_at(0, &e);
    e = submitted(SUBMIT_ACCEPTED, 1);
    run_at(2 * SECOND, &e);
    e = delivered();
    run_at(3 * SECOND, &e);
    e = answered(RESULT_OK);
    run_at(9 * SECOND, &e);
}

static void an_operation_counts_for_its_enterprise_and_for_the_installation(void **state)
{
    (void)state;
    static const uint64_t tenants[] = {TENANT, 0};
    const uint8_t done = figure_ended(OPERATION_DELETE, OUTCOME_DONE);
    delete_the_subscription();
    for (size_t i = 0; i < 2; i++) {
        const uint64_t tenant = tenants[i];
        assert_int_equal(count(tenant, 0, HOUR, FIGURE_ENDED, done), 1);
        assert_int_equal(sums.counts[FIGURE_PACKETS][0], 1);
        assert_int_equal(sums.counts[FIGURE_MESSAGES][0], 1);
        assert_int_equal(sums.counts[FIGURE_RECEIPTS][0], 1);
        assert_int_equal(sums.counts[FIGURE_PORS][0], 1);
        assert_int_equal(sums.counts[FIGURE_SENT][OPERATION_DELETE], 1);
        assert_int_equal(sums.counts[FIGURE_SMS_MT][OPERATION_DELETE], 1);
        assert_int_equal(sums.counts[FIGURE_BYTES_MT][OPERATION_DELETE], sent.packet_len);
        assert_int_equal(sums.counts[FIGURE_BYTES_MO][OPERATION_DELETE], 54);
        assert_int_equal(sums.counts[FIGURE_TIME_POR][figure_class(7 * SECOND)], 1);
    }
    assert_int_equal(count(TENANT + 1, 0, HOUR, FIGURE_ENDED, done), 0);
}

static void what_happens_in_another_hour_stands_in_that_hour(void **state)
{
    (void)state;
    delete_the_subscription();
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    run_at(HOUR, &e);
    e = (struct event){.type = EVENT_CLEAR_DIRTY};
    run_at(HOUR + 40 * SECOND, &e);
    assert_int_equal(count(0, HOUR, 2 * HOUR, FIGURE_TIME_CLEAN, figure_class(40 * SECOND)), 1);
    assert_int_equal(sums.counts[FIGURE_PORS][0], 0);
    assert_int_equal(count(0, 0, HOUR - 1, FIGURE_PORS, 0), 1);
    assert_int_equal(sums.counts[FIGURE_TIME_CLEAN][figure_class(40 * SECOND)], 0);
    assert_int_equal(count(0, 0, HOUR, FIGURE_PORS, 0), 1);
    assert_int_equal(sums.counts[FIGURE_TIME_CLEAN][figure_class(40 * SECOND)], 1);
}

static enum store_status fail_once(void *context, struct store *to, struct utc now)
{
    unsigned *calls = context;
    (void)to;
    (void)now;
    return (*calls)++ == 0 ? STORE_FAILED : STORE_OK;
}

static void ignore(void *context, enum store_status status)
{
    (void)context;
    (void)status;
}

// Tasks that run together are undone together, and run again one by one.
static void what_is_undone_does_not_count(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct event e = request(OPERATION_DELETE);
    run_at(0, &e);
    e = submitted(SUBMIT_ACCEPTED, 3);
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    assert_true(turn_write_repeatable(turn, fail_once, ignore, &calls));
    assert_int_equal(turn_run(turn, utc_after(world.now, SECOND)), TURN_OK);
    assert_int_equal(calls, 2);
    assert_int_equal(count(0, 0, HOUR, FIGURE_MESSAGES, 0), 3);
    assert_int_equal(sums.counts[FIGURE_PACKETS][0], 1);
}

static void tallies_are_kept_for_24_months(void **state)
{
    (void)state;
    const struct figure_tally old = {.at = world.now, .what = {FIGURE_PORS, 0, 5}};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_tally_add(store, &old), STORE_OK);
    assert_int_equal(store_tally_add(store, &old), STORE_OK); // adds
    assert_int_equal(store_fallback_add(store, "alder", world.now), STORE_OK);
    assert_int_equal(store_sweep(store, utc_after(world.now, INT64_C(731) * 24 * HOUR)), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    assert_int_equal(count(0, 0, HOUR, FIGURE_PORS, 0), 10);
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_sweep(store, utc_after(world.now, INT64_C(731) * 24 * HOUR + 1)),
                     STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    assert_int_equal(count(0, 0, HOUR, FIGURE_PORS, 0), 0);
}

struct seen {
    unsigned operators;
    uint64_t recent, week;
};

static void see(void *context, const char *operator_name, uint64_t recent, uint64_t week)
{
    struct seen *s = context;
    assert_string_equal(operator_name, "alder");
    s->operators++;
    s->recent = recent;
    s->week = week;
}

// Ten minutes and the one under way; the week before them.
static void fallbacks_are_those_of_ten_minutes_and_of_the_week_before(void **state)
{
    (void)state;
    static const int64_t ago_ms[] = {0,
                                     9 * 60 * SECOND,
                                     10 * 60 * SECOND,
                                     24 * HOUR,
                                     7 * 24 * HOUR + 9 * 60 * SECOND,
                                     7 * 24 * HOUR + 11 * 60 * SECOND};
    struct seen seen = {0};
    assert_int_equal(store_begin(store), STORE_OK);
    for (size_t i = 0; i < sizeof(ago_ms) / sizeof(ago_ms[0]); i++)
        assert_int_equal(store_fallback_add(store, "alder", utc_after(world.now, -ago_ms[i])),
                         STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    assert_int_equal(store_fallbacks(store, world.now, see, &seen), STORE_OK);
    assert_int_equal(seen.operators, 1);
    assert_int_equal(seen.recent, 2); // now, and 9 minutes ago
    assert_int_equal(seen.week, 3);   // 10 minutes, a day, and a week and 9 minutes ago
}

// --- what templates save ---

#define FREE_ONE 200
#define FILE_OCTETS 200
// One file of 200 octets, as a script: SELECT with a path of 2 (5 + 2), UPDATE BINARY (5 + 200).
// With the 14 octets of the header that are ciphered 226, padded to 240, and 10 before them.
#define PROFILE_OCTETS 250

static void add_template(void)
{
    char body[FILE_OCTETS * 2 + 64] = "";
    char zeros[FILE_OCTETS * 2 + 1];
    memset(zeros, '0', sizeof(zeros) - 1);
    zeros[sizeof(zeros) - 1] = '\0';
    (void)snprintf(body, sizeof(body), "{\"files\":[{\"fileId\":\"6F07\",\"content\":\"%s\"}]}",
                   zeros);
    const struct document d = {.kind = "template-version",
                               .id = 900,
                               .owner = TENANT,
                               .name = "42/3", // whose, and its number
                               .body = bytes_of_text(body),
                               .created_at = world.now,
                               .changed_at = world.now};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_document_put(store, &d), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
}

static void add_free_subscription(uint8_t template_number)
{
    static const uint8_t imsi[COMMAND_IMSI_SIZE] = {8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0x90};
    static const uint8_t octets[16] = {1, 4, 1, 4, 2, 1, 3, 5, 6, 2, 3, 7, 3, 0, 9, 5};
    const struct network_keys keys = {.k = secret_key_of(bytes_of(octets, 16)),
                                      .op = secret_key_of(bytes_of(octets, 16))};
    struct subscription s = {.id = FREE_ONE,
                             .tenant = TENANT,
                             .pool = 50,
                             .has_keys = true,
                             .created_at = world.now,
                             .plan = {.template_number = template_number}};
    memcpy(s.plan.imsi, imsi, sizeof(imsi));
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_subscription_put(store, &s), STORE_OK);
    assert_int_equal(store_network_keys_put(store, imsi, &keys), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
}

// As it is asked for and answered; what was sent for it.
static int64_t download(uint8_t code)
{
    static const uint8_t slots[] = {3, 5}; // its own, and how many are free
    struct subscription taken;
    struct event e = request(OPERATION_DOWNLOAD);
    memset(&e.as.request.operation.target, 0, sizeof(e.as.request.operation.target));
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_pool_reserve(store, 50, false, 7, world.now, &taken), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    e.as.request.operation.subscription = taken.id;
    e.as.request.operation.download = taken.plan;
    run_at(0, &e);
    e = submitted(SUBMIT_ACCEPTED, 1);
    run_at(2 * SECOND, &e);
    const int64_t octets = (int64_t)sent.packet_len;
    e = answered(code);
    if (code == RESULT_OK)
        e.as.por.result.data = bytes_of(slots, sizeof(slots));
    run_at(9 * SECOND, &e);
    return octets;
}

static void a_template_saves_what_was_not_sent(void **state)
{
    (void)state;
    add_template();
    add_free_subscription(3);
    const int64_t octets = download(RESULT_OK);
    assert_int_equal(
        count(TENANT, 0, HOUR, FIGURE_ENDED, figure_ended(OPERATION_DOWNLOAD, OUTCOME_DONE)), 1);
    assert_int_equal(sums.counts[FIGURE_BYTES_FULL][0], PROFILE_OCTETS);
    assert_int_equal(sums.counts[FIGURE_BYTES_SAVED][0], PROFILE_OCTETS - octets);
    assert_int_equal(turn_counts(turn).profile_octets, PROFILE_OCTETS);
    assert_int_equal(turn_counts(turn).download_octets, octets);
}

static void a_download_that_failed_saved_nothing(void **state)
{
    (void)state;
    add_template();
    add_free_subscription(3);
    (void)download(RESULT_KEY_CHECK_FAILED);
    assert_int_equal(
        count(TENANT, 0, HOUR, FIGURE_ENDED, figure_ended(OPERATION_DOWNLOAD, OUTCOME_FAILED)), 1);
    assert_int_equal(sums.counts[FIGURE_BYTES_FULL][0], 0);
}

static void a_template_that_nobody_knows_counts_for_nothing(void **state)
{
    (void)state;
    add_template();
    add_free_subscription(4);
    (void)download(RESULT_OK);
    assert_int_equal(
        count(TENANT, 0, HOUR, FIGURE_ENDED, figure_ended(OPERATION_DOWNLOAD, OUTCOME_DONE)), 1);
    assert_int_equal(sums.counts[FIGURE_BYTES_FULL][0], 0);
    assert_int_equal(turn_counts(turn).profile_octets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_operation_counts_for_its_enterprise_and_for_the_installation),
        TEST(what_happens_in_another_hour_stands_in_that_hour),
        TEST(what_is_undone_does_not_count),
        TEST(tallies_are_kept_for_24_months),
        TEST(fallbacks_are_those_of_ten_minutes_and_of_the_week_before),
        TEST(a_template_saves_what_was_not_sent),
        TEST(a_download_that_failed_saved_nothing),
        TEST(a_template_that_nobody_knows_counts_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

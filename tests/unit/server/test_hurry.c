// The turn: automatic audits that no link had yet when somebody began to wait for them.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

static struct world world;
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static struct message sent;
static unsigned sent_count, hurried_count;
static uint64_t hurried; // the packet
static struct turn_answer answered;

static void note_sent(void *context, const struct message *m)
{
    (void)context;
    sent = *m;
    sent_count++;
}

static void note_hurried(void *context, uint64_t card, uint64_t message)
{
    (void)context;
    assert_int_equal(card, 7);
    hurried = message;
    hurried_count++;
}

static void note_answer(void *context, const struct turn_answer *a)
{
    (void)context;
    answered = *a;
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    if (!server_crypto_open(&crypto))
        return 1;
    struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &store), STORE_OK);
    static const uint8_t octets[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    const struct secret_key key = secret_key_of(bytes_of(octets, 16));
    const struct card_new c = {.record = &world.record,
                               .reference = {8, 7, 6, 5, 4, 3, 2, 1},
                               .has_reference = true,
                               .has_keys = true,
                               .keys = {.version = 1,
                                        .tar = 0x534D01,
                                        .spi1 = 0x16,
                                        .spi2 = 0x39,
                                        .kic = key,
                                        .kid = key,
                                        .kik = key},
                               .at = world.now};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_card_add(store, &c), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    const struct turn_options t = {.store = store,
                                   .policy = &world.policy,
                                   .cipher = crypto.store.cipher,
                                   .send = note_sent,
                                   .hurry = note_hurried};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    sent_count = hurried_count = 0;
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

static void run(void)
{
    world.now.ms += 20;
    assert_int_equal(turn_run(turn, world.now), TURN_OK);
}

static void doubt_it_and_audit(void)
{
    const struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    world.now.ms += 60000;
    run();
    assert_true(sent_count == 1 && sent.is_automatic);
}

static void ask_as(uint8_t actor, uint8_t kind, bool at_next_contact)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = actor, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = kind;
    e.as.request.operation.at_next_contact = at_next_contact;
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    run();
    assert_int_equal(answered.refusal, REFUSAL_NONE);
}

static void an_audit_that_no_link_had_is_hurried_by_who_waits_for_it(void **state)
{
    (void)state;
    doubt_it_and_audit();
    ask_as(ACTOR_RULE, OPERATION_READ_TIMERS, false);
    ask_as(ACTOR_USER, OPERATION_AUDIT, true);
    assert_int_equal(hurried_count, 0);
    ask_as(ACTOR_USER, OPERATION_AUDIT, false);
    assert_int_equal(hurried_count, 1);
    assert_true(hurried == sent.id);
    ask_as(ACTOR_CLIENT, OPERATION_READ_TIMERS, false);
    assert_int_equal(hurried_count, 2);
    assert_int_equal(sent_count, 1); // one packet at a time
    const struct event accepted = {
        .type = EVENT_SUBMIT,
        .as.submit = {.counter = sent.counter, .outcome = SUBMIT_ACCEPTED, .parts = 1}};
    assert_true(turn_event(turn, 7, &accepted, NULL, NULL));
    run();
    ask_as(ACTOR_USER, OPERATION_AUDIT, false);
    assert_int_equal(hurried_count, 2); // it is under way
}

// It began to wait for a later attempt: the packets of the first one were never answered.
static void an_attempt_that_somebody_waits_for_is_no_automatic_one(void **state)
{
    (void)state;
    doubt_it_and_audit();
    const struct event accepted = {
        .type = EVENT_SUBMIT,
        .as.submit = {.counter = sent.counter, .outcome = SUBMIT_ACCEPTED, .parts = 1}};
    assert_true(turn_event(turn, 7, &accepted, NULL, NULL));
    run();
    assert_int_equal(sent_count, 1);
    ask_as(ACTOR_USER, OPERATION_AUDIT, false);
    assert_int_equal(sent_count, 2);
    assert_int_equal(sent.command, COMMAND_AUDIT);
    assert_false(sent.is_automatic);
    assert_int_equal(hurried_count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_audit_that_no_link_had_is_hurried_by_who_waits_for_it),
        CASE(an_attempt_that_somebody_waits_for_is_no_automatic_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

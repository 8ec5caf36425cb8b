// What links and network say of a packet is a step of its operation, also when the card's answer
// came first; and nothing more.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

#include <stdio.h>

#define MINUTE 60000

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

// --- decide() --------------------------------------------------------------------------------

static struct event submit_of(uint64_t counter, uint8_t outcome, struct packet_of of)
{
    return (struct event){.type = EVENT_SUBMIT,
                          .as.submit = {counter, .outcome = outcome, .parts = 1, .of = of}};
}

static struct event receipt_of(uint64_t counter, uint8_t state, struct packet_of of)
{
    return (struct event){.type = EVENT_RECEIPT, .as.receipt = {counter, state, 1, of}};
}

static void assert_only_step(const struct packet_of *of, uint8_t name, const char *detail)
{
    const struct decision *d = &world.decision;
    assert_int_equal(d->step_count, 1);
    assert_true(d->steps[0].operation == of->operation);
    assert_true(d->steps[0].built_at.ms == of->built_at.ms);
    assert_int_equal(d->steps[0].name, name);
    assert_string_equal(d->steps[0].detail, detail);
    assert_true(d->ended_count == 0 && d->settled_count == 0 && d->send_count == 0);
    assert_true(d->is_dropped && d->trail_count == 0);
}

static void what_comes_behind_the_answer_is_a_step_and_changes_nothing(void **state)
{
    (void)state;
    const struct packet_of of = {world_request(&world, OPERATION_DELETE), world.now};
    const uint64_t counter = world.record.flight.counter;
    world_result(&world, RESULT_OK);
    assert_int_equal(world_ended(&world)->outcome, OUTCOME_DONE);
    world.now.ms += 1000;
    struct event e = submit_of(counter, SUBMIT_ACCEPTED, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_ACCEPTED, "");
    e = submit_of(counter, SUBMIT_UNKNOWN, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_ACCEPTED, "submit outcome unknown");
    e = submit_of(counter, SUBMIT_REJECTED, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_SUBMITTED, "");
    e = receipt_of(counter, RECEIPT_LOST, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_RECEIPT, "not delivered");
    e = receipt_of(counter, RECEIPT_DELIVERED, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_RECEIPT, "delivered");
    assert_false(record_has_mark(&world.record, MARK_DIRTY));
}

static void what_is_of_no_operation_is_no_step(void **state)
{
    (void)state;
    const struct packet_of of = {world_request(&world, OPERATION_DELETE), world.now};
    const uint64_t counter = world.record.flight.counter;
    world_result(&world, RESULT_OK);
    struct event e = submit_of(counter, SUBMIT_ACCEPTED, (struct packet_of){0}); // of a CONFIRM
    world_event(&world, &e);
    assert_int_equal(world.decision.step_count, 0);
    e = receipt_of(counter, RECEIPT_PENDING, of); // the packet is on its way
    world_event(&world, &e);
    assert_int_equal(world.decision.step_count, 0);
    e = receipt_of(counter, RECEIPT_DELIVERED, of);
    e.as.receipt.part = 0;
    world_event(&world, &e);
    assert_int_equal(world.decision.step_count, 0);
}

// The switch was answered before the SMSC said that it took the command.
static void an_operation_that_is_open_has_such_steps_as_well(void **state)
{
    (void)state;
    const struct packet_of of = {world_request(&world, OPERATION_ENABLE), world.now};
    const uint64_t counter = world.record.flight.counter;
    world_result(&world, RESULT_OK_PENDING);
    assert_int_equal(world.record.open.status, STATUS_SWITCHING);
    const struct operation before = world.record.open;
    struct event e = submit_of(counter, SUBMIT_REJECTED, of);
    world_event(&world, &e);
    assert_only_step(&of, STEP_SUBMITTED, "");
    assert_memory_equal(&world.record.open, &before, sizeof(before));
}

static void an_audit_has_the_steps_of_its_packet(void **state)
{
    (void)state;
    const uint64_t id = world_request(&world, OPERATION_AUDIT);
    world_submit(&world, SUBMIT_ACCEPTED);
    assert_int_equal(world.decision.step_count, 1);
    assert_true(world.decision.steps[0].operation == id);
    assert_int_equal(world.decision.steps[0].name, STEP_ACCEPTED);
    assert_int_equal(world.decision.steps[0].attempt, 1);
    world_receipt(&world, RECEIPT_DELIVERED);
    assert_int_equal(world.decision.step_count, 1);
    assert_int_equal(world.decision.steps[0].name, STEP_RECEIPT);
    assert_int_equal(world.decision.steps[0].built_at.ms, 0);
}

// --- the turn --------------------------------------------------------------------------------

static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static struct message sent[4];
static unsigned sent_count;
static uint64_t operation;

static void note_sent(void *context, const struct message *m)
{
    (void)context;
    assert_true(sent_count < 4);
    sent[sent_count++] = *m;
}

static void note_answer(void *context, const struct turn_answer *a)
{
    (void)context;
    operation = a->operation;
}

static int open_turn(void **state)
{
    (void)set_up(state);
    if (!server_crypto_open(&crypto))
        return 1;
    struct store_options options = {.path = ":memory:", .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &store), STORE_OK);
    static const uint8_t octets[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    const struct secret_key key = secret_key_of(bytes_of(octets, 16));
    const struct card_new c = {.record = &world.record,
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
    const struct turn_options t = {
        .store = store, .policy = &world.policy, .cipher = crypto.store.cipher, .send = note_sent};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    sent_count = 0;
    return 0;
}

static int close_turn(void **state)
{
    turn_close(turn);
    store_close(store);
    server_crypto_close(&crypto);
    return tear_down(state);
}

static void run(int64_t later_ms)
{
    world.now.ms += later_ms;
    assert_int_equal(turn_run(turn, world.now), TURN_OK);
}

static const char *own_name(const void *of, char text[STEP_MESSAGES_SIZE])
{
    memcpy(text, of, strlen(of) + 1);
    return text;
}

static void tell(struct event e, const char *name)
{
    const struct turn_prepared with = {.origin = {.messages = own_name, .messages_of = name}};
    assert_true(turn_event_prepared(turn, world.record.card, &e, &with));
    run(20);
}

static char history[512];

static bool add_to_history(void *context, const struct step *s, struct utc at, const char *messages)
{
    (void)context;
    (void)at;
    const size_t len = strlen(history);
    (void)snprintf(history + len, sizeof(history) - len, "%s %u %s%s\n", step_name_text(s->name),
                   s->attempt, s->detail, messages);
    return true;
}

static const char *history_of(uint64_t id)
{
    history[0] = '\0';
    assert_int_equal(store_steps(store, id, add_to_history, NULL), STORE_OK);
    return history;
}

// The first packet was lost, says the SMSC, and its receipt is followed by another one once the
// second packet has gone and the operation is over.
static void each_step_has_the_attempt_of_its_packet_and_the_names_of_its_parts(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_CLIENT, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_DELETE;
    e.as.request.operation.target = record_slot_name(&world.record.slots[1]);
    assert_true(turn_event(turn, world.record.card, &e, note_answer, NULL));
    run(20);
    const struct packet_of first = {operation, sent[0].at};
    tell(submit_of(sent[0].counter, SUBMIT_ACCEPTED, first), "a1 ");
    tell(receipt_of(sent[0].counter, RECEIPT_LOST, first), "a1 ");
    run(10 * MINUTE);
    assert_int_equal(sent_count, 2);
    const struct packet_of second = {operation, sent[1].at};
    tell(receipt_of(sent[0].counter, RECEIPT_DELIVERED, first), "a1 ");
    const struct event cancelled = {.type = EVENT_RETIRE};
    assert_true(turn_event(turn, world.record.card, &cancelled, NULL, NULL));
    run(20);
    struct operation o;
    uint64_t card;
    assert_int_equal(store_operation_get(store, operation, &o, &card), STORE_OK);
    assert_int_equal(o.status, STATUS_ENDED);
    const uint8_t outcome = o.outcome;
    tell(submit_of(sent[1].counter, SUBMIT_ACCEPTED, second), "b2 ");
    const char *steps = history_of(operation);
    assert_non_null(strstr(steps, "built 1 \naccepted 1 a1 \nreceipt 1 not delivereda1 \n"));
    assert_non_null(strstr(steps, "built 2 \nreceipt 1 delivereda1 \n"));
    const char *end = strstr(steps, "ended 2 ");
    assert_non_null(end);
    assert_non_null(strstr(end, "\naccepted 2 b2 \n"));
    assert_int_equal(store_operation_get(store, operation, &o, &card), STORE_OK);
    assert_int_equal(o.outcome, outcome);
}

static void an_operation_that_is_not_kept_any_more_gets_no_step(void **state)
{
    (void)state;
    const struct packet_of of = {77, world.now};
    tell(submit_of(5, SUBMIT_ACCEPTED, of), "a1 ");
    assert_string_equal(history_of(77), "");
}

#define DECIDE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TURN(name) cmocka_unit_test_setup_teardown(name, open_turn, close_turn)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DECIDE(what_comes_behind_the_answer_is_a_step_and_changes_nothing),
        DECIDE(what_is_of_no_operation_is_no_step),
        DECIDE(an_operation_that_is_open_has_such_steps_as_well),
        DECIDE(an_audit_has_the_steps_of_its_packet),
        TURN(each_step_has_the_attempt_of_its_packet_and_the_names_of_its_parts),
        TURN(an_operation_that_is_not_kept_any_more_gets_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

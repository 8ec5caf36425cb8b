// Campaigns in the turn: cards judged and asked, each once, and what becomes of them.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/alarm.h"
#include "ota-server/service/campaign_run.h"
#include "ota-server/shell/server_crypto.h"

#define CAMPAIGN 500
#define OTHER 501
#define CARDS_MAX 64
#define POOL 9

static struct world world;
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static struct campaign_runner *runner;
static struct campaign campaign;
static struct {
    uint64_t card, counter, operation;
} sent[256];
static unsigned sent_count, answered; // the latter by answer_all()

static void note_sent(void *context, const struct message *m)
{
    (void)context;
    assert_true(sent_count < sizeof(sent) / sizeof(sent[0]));
    sent[sent_count].card = m->card;
    sent[sent_count].operation = m->operation;
    sent[sent_count++].counter = m->counter;
}

static struct card_keys keys_of_card(void)
{
    static const uint8_t octets[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    struct card_keys k = {.version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39};
    k.kic = secret_key_of(bytes_of(octets, 16));
    k.kid = k.kic;
    k.kik = k.kic;
    k.kid.octets[0] = 0x77;
    return k;
}

static void open_turn(void)
{
    runner = campaign_runner_open(store, crypto.store.cipher);
    const struct turn_options t = {.store = store,
                                   .policy = &world.policy,
                                   .cipher = crypto.store.cipher,
                                   .send = note_sent,
                                   .campaign = campaign_run,
                                   .campaign_context = runner};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
}

static void close_turn(void)
{
    turn_close(turn);
    campaign_runner_close(runner);
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
    sent_count = 0;
    answered = 0;
    campaign_init(&campaign, CAMPAIGN);
    campaign.operation.kind = OPERATION_READ_TIMERS;
    campaign.per_second = 1000;
    campaign.actor = (struct actor){ACTOR_USER, 3};
    open_turn();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_turn();
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

static void run_some(void)
{
    for (unsigned i = 0; i < 30; i++)
        run();
}

// Ids from 1 on; the one card that has no keys cannot be written to.
static void add_cards(unsigned count, uint64_t without_keys)
{
    assert_int_equal(store_begin(store), STORE_OK);
    for (unsigned i = 1; i <= count; i++) {
        struct record r = world.record;
        r.card = i;
        r.iccid[8] = (uint8_t)(i % 10 << 4 | i / 10);
        r.slots[0].subscription = 1000 + i;
        r.slots[1].subscription = 2000 + i;
        const struct card_new c = {
            .record = &r, .has_keys = i != without_keys, .keys = keys_of_card(), .at = world.now};
        assert_int_equal(store_card_add(store, &c), STORE_OK);
    }
    assert_int_equal(store_commit(store), STORE_OK);
}

static void add_subscription(uint64_t id, uint64_t card, uint8_t state)
{
    struct subscription s = {
        .id = id, .pool = POOL, .card = card, .state = state, .has_keys = true};
    memcpy(s.plan.imsi, (uint8_t[]){8, 0x99, 0x99, 0x17, 0, 0, 0, 0, 0}, 9);
    s.plan.imsi[7] = (uint8_t)(id / 10 % 10 << 4 | id / 100 % 10);
    s.plan.imsi[8] = (uint8_t)(id % 10 << 4 | id / 1000 % 10);
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_subscription_put(store, &s), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
}

static void event(uint64_t card, struct event *e)
{
    assert_true(turn_event(turn, card, e, NULL, NULL));
    run();
}

static void make_dirty(uint64_t card)
{
    struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    event(card, &e);
}

// --- what people do ---

static enum store_status take_and_check(void *context, struct store *s, struct utc now)
{
    static const uint8_t seed[32];
    struct card_filter f;
    bool is_done = context == NULL; // never
    card_filter_init(&f);
    assert_int_equal(store_campaign_take(s, campaign.id, &f, CARDS_MAX), STORE_OK);
    campaign_check_begin(&campaign, seed);
    while (!is_done)
        assert_int_equal(campaign_check_some(runner, turn, &campaign, now, &is_done), STORE_OK);
    const struct campaign_by by = {.actor = campaign.actor};
    return campaign_act(runner, &campaign, CAMPAIGN_IN_CHECKED, &by, now);
}

static void done(void *context, enum store_status status)
{
    *(enum store_status *)context = status;
}

static void check_it(void)
{
    enum store_status status = STORE_FAILED;
    assert_true(turn_write(turn, take_and_check, done, &status));
    run();
    assert_int_equal(status, STORE_OK);
}

static uint8_t wanted;

static enum store_status act_now(void *context, struct store *s, struct utc now)
{
    const struct campaign_by by = {.actor = campaign.actor};
    (void)context;
    assert_int_equal(store_campaign_get(s, campaign.id, &campaign), STORE_OK);
    return campaign_act(runner, &campaign, wanted, &by, now);
}

static enum store_status act(uint8_t input)
{
    enum store_status status = STORE_FAILED;
    wanted = input;
    assert_true(turn_write(turn, act_now, done, &status));
    run();
    return status;
}

static void start(void)
{
    check_it();
    assert_int_equal(act(CAMPAIGN_IN_STARTED), STORE_OK);
}

// --- what the network and the cards do ---

// The card of a sent packet answers it; the SMSC took it before.
static void answer(unsigned index, uint8_t code)
{
    struct record r;
    struct event e = {.type = EVENT_SUBMIT};
    assert_int_equal(store_card_load(store, sent[index].card, &r), STORE_OK);
    e.as.submit = (struct event_submit){
        .counter = sent[index].counter, .outcome = SUBMIT_ACCEPTED, .parts = 1, .octets = 98};
    assert_true(turn_event(turn, sent[index].card, &e, NULL, NULL));
    e = (struct event){.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = sent[index].counter;
    e.as.por.has_result = true;
    e.as.por.result = (struct result){.command = COMMAND_CONFIGURE,
                                      .code = code,
                                      .operation_id = r.open.card_operation_id,
                                      .registry_version = r.registry_version};
    assert_true(turn_event(turn, sent[index].card, &e, NULL, NULL));
}

// It says that its counter is blocked, which ends its trust.
static void block(unsigned index)
{
    struct event e = {.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = sent[index].counter;
    e.as.por.status = 0x04; // [102.225 table 5]
    assert_true(turn_event(turn, sent[index].card, &e, NULL, NULL));
}

static void answer_all(uint8_t code)
{
    for (; answered < sent_count; answered++)
        answer(answered, code);
    run();
}

static uint8_t state_now(void)
{
    assert_int_equal(store_campaign_get(store, campaign.id, &campaign), STORE_OK);
    return campaign.state;
}

static void run_to(uint8_t state)
{
    for (unsigned i = 0; i < 1000 && state_now() != state; i++)
        answer_all(RESULT_OK);
    assert_int_equal(state_now(), state);
}

static struct campaign_counts counts_now(void)
{
    struct campaign_counts n;
    assert_int_equal(campaign_counts_of(store, campaign.id, &n), STORE_OK);
    return n;
}

static bool see_row(void *context, const struct campaign_row *row)
{
    *(struct campaign_row *)context = *row;
    return false;
}

static struct campaign_row row_of(uint64_t card)
{
    const struct campaign_card_filter f = {.campaign = campaign.id,
                                           .step_to = CAMPAIGN_CONFIRMED,
                                           .reason_to = UINT8_MAX,
                                           .after = card - 1};
    const struct store_page page = {.limit = 1};
    struct campaign_row row = {.card = 0};
    assert_int_equal(store_campaign_cards(store, &f, &page, see_row, &row, NULL), STORE_OK);
    assert_int_equal(row.card, card);
    return row;
}

static bool is_alarmed(void)
{
    bool is_raised = false;
    assert_int_equal(alarm_is_raised(store, "campaign.autopaused", &is_raised), STORE_OK);
    return is_raised;
}

// --- tests ---

static void each_card_is_asked_once_and_the_numbers_add_up(void **state)
{
    (void)state;
    add_cards(60, 0);
    start();
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(sent_count, 60);
    for (uint64_t card = 1; card <= 60; card++) {
        unsigned times = 0;
        for (unsigned i = 0; i < sent_count; i++)
            times += sent[i].card == card;
        assert_int_equal(times, 1);
        assert_int_equal(row_of(card).step, CAMPAIGN_CONFIRMED);
        assert_int_equal(row_of(card).reason, CAMPAIGN_DONE);
    }
    assert_int_equal(counts_now().done, 60);
    assert_int_equal(counts_now().by_step[CAMPAIGN_CONFIRMED], 60); // and nobody elsewhere
    assert_int_equal(campaign.targeted, 60);
    assert_int_equal(campaign.eligible, 60);
}

static void the_canary_goes_first_and_alone(void **state)
{
    (void)state;
    add_cards(40, 0);
    campaign.canary_count = 3;
    start();
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_CANARY);
    assert_int_equal(sent_count, 3);
    for (; answered < 2; answered++)
        answer(answered, RESULT_OK);
    run_some();
    assert_int_equal(sent_count, 3);
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(sent_count, 40);
}

static void a_canary_that_fails_pauses_with_an_alarm_until_somebody_goes_on(void **state)
{
    (void)state;
    add_cards(10, 0);
    start();
    run_some();
    answer_all(RESULT_BAD_FORMAT); // final
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_CANARY_SUCCESS);
    assert_int_equal(sent_count, 1);
    assert_true(is_alarmed());
    assert_int_equal(act(CAMPAIGN_IN_RESUMED), STORE_OK);
    assert_false(is_alarmed());
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(sent_count, 10);
    assert_int_equal(counts_now().failed, 1);
}

static void a_dirty_card_is_excluded_at_the_check_and_at_its_turn(void **state)
{
    (void)state;
    add_cards(5, 0);
    make_dirty(2);
    sent_count = 0; // its audit
    check_it();
    assert_int_equal(campaign.eligible, 4);
    assert_int_equal(row_of(2).step, CAMPAIGN_LISTED);
    assert_int_equal(row_of(2).reason, REFUSAL_CARD_DIRTY);
    make_dirty(4);
    assert_int_equal(act(CAMPAIGN_IN_STARTED), STORE_OK);
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(row_of(4).step, CAMPAIGN_WAITING);
    assert_int_equal(row_of(4).reason, REFUSAL_CARD_DIRTY);
    assert_int_equal(counts_now().done, 3);
}

static void what_is_paused_asks_nobody_and_goes_on_where_it_was(void **state)
{
    (void)state;
    add_cards(50, 0);
    campaign.per_second = 100;
    start();
    while (state_now() != CAMPAIGN_RUNNING)
        answer_all(RESULT_OK);
    run();
    run();
    assert_int_equal(act(CAMPAIGN_IN_PAUSED), STORE_OK);
    const unsigned before = sent_count;
    assert_true(before > 1 && before < 50);
    for (unsigned i = 0; i < 100; i++)
        answer_all(RESULT_OK); // what is open ends
    assert_int_equal(sent_count, before);
    assert_int_equal(counts_now().done, before);
    close_turn(); // as at a restart
    open_turn();
    sent_count = before; // this outbox forgets nothing
    run_some();
    assert_int_equal(sent_count, before);
    assert_int_equal(act(CAMPAIGN_IN_RESUMED), STORE_OK);
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(sent_count, 50);
}

static void a_stop_cancels_what_nobody_has_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        world.record.slots[i].number[0] = '\0'; // nobody can be reached
    add_cards(10, 0);
    campaign.canary_count = 4;
    start();
    run_some();
    assert_int_equal(counts_now().open, 4);
    assert_int_equal(act(CAMPAIGN_IN_STOPPED), STORE_OK);
    run_some();
    const struct campaign_counts n = counts_now();
    assert_int_equal(n.open, 0);
    assert_int_equal(n.waiting, 6); // for ever
    assert_int_equal(n.by_step[CAMPAIGN_ASKED], 4);
    assert_int_equal(n.failed, 0);
    assert_int_equal(state_now(), CAMPAIGN_STOPPED);
    assert_int_equal(act(CAMPAIGN_IN_RESUMED), STORE_CONFLICT);
}

static void a_card_of_a_running_campaign_is_no_other_campaigns(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        world.record.slots[i].number[0] = '\0';
    add_cards(3, 0);
    for (uint64_t card = 1; card <= 3; card++)
        add_subscription(2000 + card, card, SUBSCRIPTION_ON_CARD);
    campaign.operation.kind = OPERATION_ENABLE;
    campaign.pool = POOL;
    campaign.start_at.ms = world.now.ms + 3600000;
    start();
    assert_int_equal(campaign.eligible, 3);
    campaign.id = OTHER;
    campaign.state = CAMPAIGN_DRAFT;
    check_it();
    assert_int_equal(campaign.eligible, 0);
    assert_int_equal(row_of(1).reason, CAMPAIGN_CARD_ELSEWHERE);
}

static void a_card_with_none_or_several_of_the_pool_is_excluded(void **state)
{
    (void)state;
    add_cards(3, 0);
    add_subscription(2001, 1, SUBSCRIPTION_ON_CARD);
    add_subscription(2002, 2, SUBSCRIPTION_ON_CARD);
    add_subscription(1002, 2, SUBSCRIPTION_ON_CARD);
    add_subscription(2003, 3, SUBSCRIPTION_RESERVED); // not on it
    campaign.operation.kind = OPERATION_ENABLE;
    campaign.pool = POOL;
    check_it();
    assert_int_equal(campaign.eligible, 1);
    assert_int_equal(row_of(1).step, CAMPAIGN_WAITING);
    assert_int_equal(row_of(2).reason, CAMPAIGN_SEVERAL);
    assert_int_equal(row_of(3).reason, REFUSAL_NOT_INSTALLED);
}

static void a_download_takes_one_for_each_card_until_the_pool_is_empty(void **state)
{
    uint64_t counts[4];
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        world.record.slots[i].number[0] = '\0';
    world.record.slot_limit = 5;
    add_cards(3, 0);
    add_subscription(3001, 0, SUBSCRIPTION_FREE);
    add_subscription(3002, 0, SUBSCRIPTION_FREE);
    campaign.operation.kind = OPERATION_DOWNLOAD;
    campaign.pool = POOL;
    campaign.stock = 2;
    campaign.canary_count = 3;
    check_it();
    assert_int_equal(campaign.eligible, 2);
    assert_int_equal(store_pool_counts(store, POOL, counts), STORE_OK);
    assert_int_equal(counts[SUBSCRIPTION_FREE], 2); // a check takes nothing
    assert_int_equal(act(CAMPAIGN_IN_STARTED), STORE_OK);
    run_some();
    assert_int_equal(counts_now().open, 2);
    assert_int_equal(store_pool_counts(store, POOL, counts), STORE_OK);
    assert_int_equal(counts[SUBSCRIPTION_RESERVED], 2);
    assert_int_equal(act(CAMPAIGN_IN_STOPPED), STORE_OK);
    run_some();
    assert_int_equal(store_pool_counts(store, POOL, counts), STORE_OK);
    assert_int_equal(counts[SUBSCRIPTION_FREE], 2); // given back
}

static void a_card_without_keys_stops_no_other(void **state)
{
    (void)state;
    add_cards(5, 3);
    start();
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(row_of(3).reason, CAMPAIGN_FAILURE + FAILURE_INTERNAL);
    assert_int_equal(counts_now().done, 4);
}

static void in_quiet_hours_nobody_is_asked(void **state)
{
    (void)state;
    world.policy.quiet_count = 1;
    world.policy.quiet[0] = (struct policy_quiet){11 * 60, 13 * 60, {0}}; // it is 12:00
    add_cards(3, 0);
    start();
    run_some();
    assert_int_equal(counts_now().waiting, 3);
    assert_int_equal(counts_now().open, 0);
    world.now.ms += 3600000;
    run_to(CAMPAIGN_COMPLETED);
    assert_int_equal(counts_now().done, 3);
}

// Of the even cards a network, of the odd ones another.
static void spread(unsigned count)
{
    for (uint64_t card = 1; card <= count; card++) {
        struct record r;
        assert_int_equal(store_card_load(store, card, &r), STORE_OK);
        struct record next = r;
        next.has_plmn = true;
        next.plmn[0] = (uint8_t)(card % 2);
        assert_int_equal(store_begin(store), STORE_OK);
        assert_int_equal(store_card_save(store, &r, &next), STORE_OK);
        assert_int_equal(store_commit(store), STORE_OK);
    }
}

static enum store_status hurry(void *context, struct store *s, struct utc now)
{
    (void)context;
    assert_int_equal(store_campaign_get(s, campaign.id, &campaign), STORE_OK);
    campaign.per_network = 0;
    assert_int_equal(store_campaign_unreserve(s, campaign.id), STORE_OK);
    return store_campaign_put(s, &campaign, now);
}

static void each_network_has_its_own_pace(void **state)
{
    enum store_status status = STORE_FAILED;
    (void)state;
    campaign.per_network = 2; // each half a second
    campaign.canary_count = 20;
    add_cards(40, 0);
    spread(40);
    start();
    const struct utc begun = world.now;
    while (world.now.ms < begun.ms + 1900)
        answer_all(RESULT_OK);
    assert_int_equal(sent_count, 8); // at 0, 0.5, 1 and 1.5 s, in both
    unsigned odd = 0;
    for (unsigned i = 0; i < sent_count; i++)
        odd += sent[i].card % 2;
    assert_int_equal(odd, 4);
    assert_true(turn_write(turn, hurry, done, &status));
    for (unsigned i = 0; i < 20; i++)
        answer_all(RESULT_OK);
    assert_int_equal(state_now(), CAMPAIGN_COMPLETED);
    assert_int_equal(sent_count, 40);
}

static enum store_status lose_the_link(void *context, struct store *s, struct utc now)
{
    const struct alarm_place at = {.key = "smsc.down", .object = ""};
    (void)context;
    return alarm_raise(s, &at, 77, now);
}

static void without_a_link_it_pauses_itself(void **state)
{
    enum store_status status = STORE_FAILED;
    (void)state;
    add_cards(30, 0);
    start();
    while (state_now() != CAMPAIGN_RUNNING)
        answer_all(RESULT_OK);
    assert_true(turn_write(turn, lose_the_link, done, &status));
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_NO_LINK);
    assert_true(is_alarmed());
    assert_int_equal(act(CAMPAIGN_IN_STOPPED), STORE_OK);
    assert_false(is_alarmed());
}

static void three_quarantined_cards_pause_it(void **state)
{
    (void)state;
    campaign.canary_count = 20;
    add_cards(30, 0);
    start();
    while (sent_count < 20)
        run();
    block(0);
    block(1);
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_CANARY);
    block(2);
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_PAUSED);
    assert_int_equal(campaign.why, CAMPAIGN_WHY_QUARANTINE);
    assert_true(is_alarmed());
    assert_int_equal(row_of(sent[0].card).step, CAMPAIGN_ANSWERED);
    assert_int_equal(row_of(sent[0].card).reason, CAMPAIGN_FAILURE + FAILURE_POR_ERROR);
    assert_int_equal(act(CAMPAIGN_IN_RESUMED), STORE_OK); // by somebody who has seen it
    run_some();
    assert_int_equal(state_now(), CAMPAIGN_CANARY);
}

// A card that was not reached in time tells later that it had carried it out.
static void a_late_word_of_the_card_corrects_its_row(void **state)
{
    (void)state;
    campaign.ttl_s = 300;
    add_cards(1, 0);
    start();
    while (sent_count < 1)
        run();
    struct record r;
    assert_int_equal(store_card_load(store, 1, &r), STORE_OK);
    const uint32_t id = r.open.card_operation_id;
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit = (struct event_submit){
        .counter = sent[0].counter, .outcome = SUBMIT_ACCEPTED, .parts = 1, .octets = 98};
    event(1, &e);
    e = (struct event){.type = EVENT_RECEIPT};
    e.as.receipt = (struct event_receipt){sent[0].counter, RECEIPT_LOST, 1, {0}};
    event(1, &e);
    world.now.ms += 301000;
    run();
    run();
    assert_int_equal(row_of(1).reason, CAMPAIGN_FAILURE + FAILURE_DELIVERY_EXPIRED);
    assert_int_equal(row_of(1).step, CAMPAIGN_SENT);
    e = (struct event){.type = EVENT_POR};
    e.as.por.is_authentic = true;
    e.as.por.counter = sent[0].counter;
    e.as.por.has_result = true;
    e.as.por.result = (struct result){.command = COMMAND_CONFIGURE,
                                      .code = RESULT_OK,
                                      .operation_id = id,
                                      .registry_version = r.registry_version};
    event(1, &e);
    assert_int_equal(row_of(1).reason, CAMPAIGN_DONE);
    assert_int_equal(row_of(1).step, CAMPAIGN_CONFIRMED);
    assert_int_equal(counts_now().failed, 0);
}

static enum store_status take_lost(void *context, struct store *s, struct utc now)
{
    (void)context;
    (void)now;
    return store_campaign_take_lost(s, OTHER, CAMPAIGN);
}

static void a_second_campaign_takes_what_the_first_one_lost(void **state)
{
    enum store_status status = STORE_FAILED;
    (void)state;
    add_cards(6, 3);
    make_dirty(2);
    sent_count = 0;
    check_it();
    assert_int_equal(act(CAMPAIGN_IN_STARTED), STORE_OK);
    run_to(CAMPAIGN_COMPLETED);
    assert_true(turn_write(turn, take_lost, done, &status));
    run();
    campaign.id = OTHER;
    const struct campaign_counts n = counts_now();
    assert_int_equal(n.by_step[CAMPAIGN_LISTED], 1); // not the one that never was eligible
    assert_int_equal(row_of(3).step, CAMPAIGN_LISTED);
}

static void the_same_cards_have_the_same_hash_and_others_another(void **state)
{
    uint8_t first[32];
    (void)state;
    add_cards(5, 0);
    check_it();
    memcpy(first, campaign.hash, sizeof(first));
    check_it();
    assert_memory_equal(campaign.hash, first, sizeof(first));
    make_dirty(5);
    check_it();
    assert_memory_not_equal(campaign.hash, first, sizeof(first));
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUN(each_card_is_asked_once_and_the_numbers_add_up),
        RUN(the_canary_goes_first_and_alone),
        RUN(a_canary_that_fails_pauses_with_an_alarm_until_somebody_goes_on),
        RUN(a_dirty_card_is_excluded_at_the_check_and_at_its_turn),
        RUN(what_is_paused_asks_nobody_and_goes_on_where_it_was),
        RUN(a_stop_cancels_what_nobody_has_sent),
        RUN(a_card_of_a_running_campaign_is_no_other_campaigns),
        RUN(a_card_with_none_or_several_of_the_pool_is_excluded),
        RUN(a_download_takes_one_for_each_card_until_the_pool_is_empty),
        RUN(a_card_without_keys_stops_no_other),
        RUN(in_quiet_hours_nobody_is_asked),
        RUN(each_network_has_its_own_pace),
        RUN(three_quarantined_cards_pause_it),
        RUN(a_late_word_of_the_card_corrects_its_row),
        RUN(without_a_link_it_pauses_itself),
        RUN(a_second_campaign_takes_what_the_first_one_lost),
        RUN(the_same_cards_have_the_same_hash_and_others_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

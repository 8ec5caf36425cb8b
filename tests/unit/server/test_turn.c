// The turn, from a request to the card's answer and back: a fake link carries the octets, a fake
// card opens and answers them with the wire's own codecs.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "common/wire/secured.h"
#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

static struct world world;
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static struct message sent;
static unsigned sent_count;
static struct turn_answer answered;
static unsigned answer_count;
static enum store_status done_status;

static struct card_keys keys_of_card(void)
{
    struct card_keys k = {.version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39};
    static const uint8_t octets[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    k.kic = secret_key_of(bytes_of(octets, 16));
    k.kid = k.kic;
    k.kik = k.kic;
    k.kid.octets[0] = 0x77;
    return k;
}

static void note_sent(void *context, const struct message *m)
{
    (void)context;
    sent = *m;
    sent_count++;
}

static void note_answer(void *context, const struct turn_answer *a)
{
    (void)context;
    answered = *a;
    answer_count++;
}

static void note_done(void *context, enum store_status status)
{
    (void)context;
    done_status = status;
}

static void start_turn(void)
{
    const struct turn_options t = {
        .store = store, .policy = &world.policy, .cipher = crypto.store.cipher, .send = note_sent};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
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
    const struct card_new c = {.record = &world.record,
                               .reference = {8, 7, 6, 5, 4, 3, 2, 1},
                               .has_reference = true,
                               .has_keys = true,
                               .keys = keys_of_card(),
                               .at = world.now};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_card_add(store, &c), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    start_turn();
    sent_count = 0;
    answer_count = 0;
    done_status = STORE_FAILED;
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

static void request(uint8_t kind)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_CLIENT, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = kind;
    e.as.request.operation.target = record_slot_name(&world.record.slots[1]);
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    run();
}

// The card opens the packet with its keys and answers `code`.
static void card_answers(uint8_t code, const struct card_keys *with, struct turn_message *m)
{
    const struct secured_keys k = {.kic = &with->kic, .kid = &with->kid};
    struct secured_packet p;
    struct command c;
    uint8_t clear[MESSAGE_PACKET_MAX];
    struct writer w = writer_of(clear, sizeof(clear));
    const struct card_keys own = keys_of_card();
    const struct secured_keys right = {.kic = &own.kic, .kid = &own.kid};
    assert_int_equal(secured_command_shape(bytes_of(sent.packet, sent.packet_len), &p), SECURED_OK);
    assert_int_equal(secured_decipher(&p, &right, &world.cipher, &w), SECURED_OK);
    assert_int_equal(secured_verify(&p, &right, &world.cipher), SECURED_OK);
    assert_int_equal(command_read(p.data, &c), COMMAND_READ_OK);
    struct audit_slot slot = world.record.slots[0].fact;
    struct result r = {.command = c.number,
                       .code = code,
                       .operation_id = c.operation_id,
                       .registry_version = 11,
                       .has_hash = true,
                       .data = bytes_of("\x02\x07", 2)};
    assert_true(state_hash(&world.cipher, &slot, 1, r.state_hash));
    uint8_t data[COMMAND_RESULT_MAX];
    struct writer d = writer_of(data, sizeof(data));
    result_write(&d, &r);
    const struct secured_response response = {.spi2 = p.spi2,
                                              .kic = p.kic,
                                              .kid = p.kid,
                                              .tar = p.tar,
                                              .cntr = p.cntr,
                                              .data = writer_bytes(&d)};
    *m = (struct turn_message){.has_reference = true,
                               .reference = {8, 7, 6, 5, 4, 3, 2, 1},
                               .is_response = true,
                               .sms = 1};
    struct writer out = writer_of(m->packet, sizeof(m->packet));
    assert_int_equal(secured_write_response(&out, &response, &k, &world.cipher), SECURED_OK);
    m->packet_len = (uint16_t)out.len;
}

static void load(struct record *r)
{
    assert_int_equal(store_card_load(store, 7, r), STORE_OK);
}

static void a_request_is_answered_and_sent_only_after_the_commit(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_DELETE;
    e.as.request.operation.target = record_slot_name(&world.record.slots[1]);
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    assert_int_equal(answer_count, 0);
    assert_int_equal(sent_count, 0);
    run();
    assert_int_equal(answer_count, 1);
    assert_int_equal(answered.operation, e.as.request.operation.id);
    assert_int_equal(sent_count, 1);
    struct record r;
    load(&r);
    assert_int_equal(r.mt_counter, sent.counter);
}

static void a_delete_goes_to_the_card_and_ends_done(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    struct operation o;
    uint64_t card;
    request(OPERATION_DELETE);
    card_answers(RESULT_OK, &keys, &m);
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    assert_int_equal(done_status, STORE_OK);
    assert_int_equal(store_operation_get(store, answered.operation, &o, &card), STORE_OK);
    assert_int_equal(o.outcome, OUTCOME_DONE);
    assert_int_equal(o.sms_mt, 1);
    assert_int_equal(o.sms_mo, 1);
    struct record r;
    load(&r);
    assert_int_equal(r.slot_count, 1);
    assert_false(record_has_mark(&r, MARK_DIRTY));
    struct trail_verdict v;
    assert_int_equal(store_trail_verify(store, 0, 0, &v), STORE_OK);
    assert_true(v.ok);
    assert_true(v.checked >= 3); // requested, sent, ended
}

// In that hour.
static int64_t deletions_ended(struct utc at, uint8_t outcome)
{
    static struct figure_sums sums;
    assert_int_equal(store_tallies(store, 0, at, at, &sums), STORE_OK);
    return sums.counts[FIGURE_ENDED][figure_ended(OPERATION_DELETE, outcome)];
}

// The store corrects what was given up when the card tells at last.
static void a_late_answer_corrects_the_outcome_in_the_store(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    struct operation o;
    uint64_t card;
    struct event e = {.type = EVENT_RECEIPT};
    request(OPERATION_DELETE);
    card_answers(RESULT_OK, &keys, &m);
    e.as.receipt = (struct event_receipt){sent.counter, RECEIPT_LOST, 1, {0}};
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    world.now.ms += 24 * 3600 * 1000;
    run();
    assert_int_equal(store_operation_get(store, answered.operation, &o, &card), STORE_OK);
    assert_int_equal(o.outcome, OUTCOME_EXPIRED);
    assert_true(o.may_still_arrive);
    const struct utc ended_at = o.ended_at;
    assert_int_equal(deletions_ended(ended_at, OUTCOME_EXPIRED), 1);
    world.now.ms += 3600 * 1000; // another hour: the correction stands in that of the end
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    assert_int_equal(store_operation_get(store, answered.operation, &o, &card), STORE_OK);
    assert_int_equal(o.outcome, OUTCOME_DONE);
    assert_int_equal(o.result, RESULT_OK);
    assert_false(o.may_still_arrive);
    assert_int_equal(deletions_ended(ended_at, OUTCOME_EXPIRED), 0);
    assert_int_equal(deletions_ended(ended_at, OUTCOME_DONE), 1);
}

static void an_answer_under_other_keys_is_a_stray_and_changes_nothing(void **state)
{
    (void)state;
    struct card_keys keys = keys_of_card();
    keys.kid.octets[5] ^= 1;
    struct turn_message m;
    struct record r;
    uint64_t strays = 0;
    request(OPERATION_DELETE);
    card_answers(RESULT_OK, &keys, &m);
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    load(&r);
    assert_true(r.has_open);
    assert_int_equal(r.slot_count, 2);
    assert_int_equal(store_strays_count(store, &strays), STORE_OK);
    assert_int_equal(strays, 1);
}

// A reference says which card it is; a number beside it says nothing.
static void an_answer_under_an_unknown_reference_is_a_stray_whatever_its_number(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    struct record before;
    struct record after;
    uint64_t strays = 0;
    request(OPERATION_DELETE);
    card_answers(RESULT_OK, &keys, &m);
    m.reference[0] ^= 1;
    memcpy(m.number, world.record.slots[0].number, sizeof(m.number));
    load(&before);
    done_status = STORE_FAILED;
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    assert_int_equal(done_status, STORE_OK); // the SMSC need not keep it
    load(&after);
    assert_int_equal(after.version, before.version);
    assert_true(after.has_open);
    assert_int_equal(turn_counts(turn).strays, 1);
    assert_int_equal(store_strays_count(store, &strays), STORE_OK);
    assert_int_equal(strays, 1);
    m.reference[0] ^= 1;
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    load(&after);
    assert_false(after.has_open); // the right one is heard after it as before
    assert_int_equal(turn_counts(turn).strays, 1);
}

// The vendor's file came after the cards were sold.
static void what_came_from_a_card_before_it_was_known_is_heard_once_it_is(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    struct record r = world.record;
    uint64_t strays = 0;
    request(OPERATION_DELETE);
    card_answers(RESULT_OK, &keys, &m);
    m.reference[0] ^= 1;
    for (int i = 0; i < 64; i++) { // more than one turn looks at, and nobody's
        m.packet[20] ^= 1;
        assert_true(turn_receive(turn, &m, note_done, NULL));
    }
    run();
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    r.card = 8;
    r.iccid[5] ^= 0x10;
    const struct card_new late = {.record = &r,
                                  .reference = {9, 7, 6, 5, 4, 3, 2, 1},
                                  .has_reference = true,
                                  .has_keys = true,
                                  .keys = keys,
                                  .at = world.now};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_card_add(store, &late), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    turn_look_at_strays(turn);
    assert_true(turn_due(turn).ms <= world.now.ms);
    run();
    run();
    assert_int_equal(store_card_load(store, 8, &r), STORE_OK);
    assert_int_equal(r.last_contact_at.ms, world.now.ms - 20);
    assert_int_equal(turn_counts(turn).strays, 65);
    assert_int_equal(store_strays_count(store, &strays), STORE_OK);
    assert_int_equal(strays, 32);
}

static void a_refused_request_sends_nothing(void **state)
{
    (void)state;
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_DELETE;
    e.as.request.operation.target = record_slot_name(&world.record.slots[0]);
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    run();
    assert_int_equal(answered.refusal, REFUSAL_DELETE_NOT_DISABLED);
    assert_int_equal(sent_count, 0);
}

static void an_unknown_card_is_not_found(void **state)
{
    (void)state;
    const struct event e = {.type = EVENT_RETIRE};
    assert_true(turn_event(turn, 12345, &e, note_answer, NULL));
    run();
    assert_int_equal(answered.refusal, REFUSAL_NOT_FOUND);
}

static void a_full_turn_takes_nothing_more(void **state)
{
    (void)state;
    const struct event e = {.type = EVENT_WAKE};
    for (int i = 0; i < TURN_EVENTS_MAX; i++)
        assert_true(turn_event(turn, 7, &e, NULL, NULL));
    assert_false(turn_event(turn, 7, &e, NULL, NULL));
    run();
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
}

static enum store_status write_and_fail(void *context, struct store *s, struct utc now)
{
    (void)context;
    (void)now;
    const struct trail_new row = {.action = "lost"};
    return store_trail_add(s, &row) == STORE_OK ? STORE_CONFLICT : STORE_FAILED;
}

static void a_write_that_fails_is_undone_alone(void **state)
{
    (void)state;
    uint64_t before;
    uint64_t after;
    uint8_t hash[32];
    assert_int_equal(store_trail_head(store, &before, hash), STORE_OK);
    assert_true(turn_write(turn, write_and_fail, note_done, NULL));
    const struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    assert_int_equal(done_status, STORE_CONFLICT);
    assert_int_equal(store_trail_head(store, &after, hash), STORE_OK);
    assert_int_equal(after, before + 1); // the dirty mark alone
}

// Tasks that can run again share what undoes them: all are undone, and run again each alone.
static void among_tasks_that_run_together_one_that_fails_is_undone_alone(void **state)
{
    (void)state;
    uint64_t before;
    uint64_t after;
    uint8_t hash[32];
    struct record r;
    assert_int_equal(store_trail_head(store, &before, hash), STORE_OK);
    const struct turn_counts counts = turn_counts(turn);
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_CLIENT, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_AUDIT;
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    assert_true(turn_write_repeatable(turn, write_and_fail, note_done, NULL));
    const struct event dirty = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, 7, &dirty, NULL, NULL));
    sent_count = 0;
    run();
    assert_int_equal(done_status, STORE_CONFLICT);
    assert_int_equal(answered.refusal, REFUSAL_NONE);
    assert_int_equal(sent_count, 1); // the audit's packet, once
    assert_int_equal(turn_counts(turn).events, counts.events + 2);
    load(&r);
    assert_int_equal(r.mt_counter, sent.counter);
    assert_true(record_has_mark(&r, MARK_DIRTY));
    struct trail_verdict v;
    assert_int_equal(store_trail_verify(store, 0, 0, &v), STORE_OK);
    assert_true(v.ok);
    assert_int_equal(store_trail_head(store, &after, hash), STORE_OK);
    assert_int_equal(v.checked, after);
    assert_true(after > before);
}

static void an_unclean_stop_makes_the_open_card_dirty_and_a_clean_one_does_not(void **state)
{
    (void)state;
    struct record r;
    request(OPERATION_DELETE);
    const uint64_t counter = sent.counter;
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    sent_count = 0;
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    load(&r);
    assert_false(record_has_mark(&r, MARK_DIRTY));
    assert_int_equal(r.open.status, STATUS_SENDING);
    assert_int_equal(sent_count, 1); // the outbox brings the same packet again
    assert_int_equal(sent.counter, counter);
    assert_int_equal(turn_start(turn, world.now), TURN_OK); // no stop in between: a crash
    load(&r);
    assert_true(r.reasons[DIRTY_SERVER_RESTART_WITH_OPEN_OP].since.ms != 0);
    assert_int_equal(r.open.status, STATUS_UNKNOWN);
}

// The outbox takes messages in the order of their ids: a lower one would never leave.
static void ids_go_on_behind_the_store_after_a_clock_went_back(void **state)
{
    (void)state;
    request(OPERATION_DELETE);
    const uint64_t former = sent.id;
    turn_close(turn);
    world.now.ms -= 3600 * 1000;
    start_turn();
    assert_true(turn_id(turn, world.now) > former);
}

// A correlator's id is a digest of it: as good as any number of 63 bits.
static void ids_do_not_go_on_behind_a_digest(void **state)
{
    (void)state;
    const struct document d = {.kind = "correlator", .id = INT64_MAX, .body = bytes_of_text("x")};
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_document_put(store, &d), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    turn_close(turn);
    start_turn();
    assert_int_equal(turn_id(turn, world.now) >> 20, world.now.ms);
}

static void a_due_card_wakes_by_itself(void **state)
{
    (void)state;
    request(OPERATION_DELETE);
    const struct event accepted = {
        .type = EVENT_SUBMIT,
        .as.submit = {.counter = sent.counter, .outcome = SUBMIT_ACCEPTED, .parts = 1}};
    assert_true(turn_event(turn, 7, &accepted, NULL, NULL));
    run();
    assert_true(turn_due(turn).ms > world.now.ms);
    world.now.ms = turn_due(turn).ms - 20;
    run();
    load(&world.record);
    assert_int_equal(world.record.open.status, STATUS_UNKNOWN);
    world.now.ms += 60000; // the first audit of a card in doubt: nobody asked for it
    run();
    assert_true(sent_count == 2 && sent.is_automatic);
}

static void a_card_whose_packet_cannot_be_built_waits_and_stops_nobody(void **state)
{
    (void)state;
    const struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_card_keys_erase(store, 7), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    world.now = turn_due(turn);
    assert_int_equal(turn_run(turn, world.now), TURN_OK);
    assert_true(turn_due(turn).ms > world.now.ms);
    assert_int_equal(sent_count, 0);
}

// --- subscriptions of a pool -----------------------------------------------------------------

#define POOL 50

static void add_subscription(uint64_t id, uint8_t state, uint64_t card, const uint8_t *imsi)
{
    struct subscription s = {.id = id, .tenant = 1, .pool = POOL, .card = card, .state = state};
    static const uint8_t octets[16] = {1, 4, 1, 4, 2, 1, 3, 5, 6, 2, 3, 7, 3, 0, 9, 5};
    const struct network_keys keys = {.k = secret_key_of(bytes_of(octets, 16)),
                                      .op = secret_key_of(bytes_of(octets, 16))};
    s.has_keys = true;
    s.created_at = world.now;
    memcpy(s.plan.imsi, imsi, sizeof(s.plan.imsi));
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_subscription_put(store, &s), STORE_OK);
    assert_int_equal(store_network_keys_put(store, imsi, &keys), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
}

static struct subscription subscription(uint64_t id)
{
    struct subscription s;
    assert_int_equal(store_subscription_get(store, id, &s), STORE_OK);
    return s;
}

static void a_deleted_subscription_is_free_again(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    add_subscription(102, SUBSCRIPTION_ON_CARD, 7, world.record.slots[1].fact.imsi);
    struct event e = {.type = EVENT_REQUEST};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_DELETE;
    e.as.request.operation.subscription = 102;
    e.as.request.operation.target = record_slot_name(&world.record.slots[1]);
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    run();
    card_answers(RESULT_OK, &keys, &m);
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    assert_int_equal(subscription(102).state, SUBSCRIPTION_FREE);
    assert_int_equal(subscription(102).card, 0);
}

static enum store_status take_from_pool(void *context, struct store *s, struct event *e)
{
    struct subscription taken;
    const enum store_status status = store_pool_reserve(s, POOL, false, 7, (struct utc){1}, &taken);
    (void)context;
    if (status == STORE_OK) {
        e->as.request.operation.subscription = taken.id;
        e->as.request.operation.download = taken.plan;
    }
    return status;
}

static const uint8_t pool_imsi[9] = {8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0x90};

static void request_download(bool is_dry_run)
{
    struct event e = {.type = EVENT_REQUEST};
    const struct turn_prepared with = {.prepare = take_from_pool, .answer = note_answer};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_DOWNLOAD;
    e.as.request.is_dry_run = is_dry_run;
    assert_true(turn_event_prepared(turn, 7, &e, &with));
    run();
}

static void a_download_and_its_reservation_are_there_together(void **state)
{
    (void)state;
    struct operation o;
    uint64_t card;
    add_subscription(200, SUBSCRIPTION_FREE, 0, pool_imsi);
    request_download(false);
    assert_int_equal(answered.refusal, REFUSAL_NONE);
    assert_int_equal(subscription(200).state, SUBSCRIPTION_RESERVED);
    assert_int_equal(store_operation_get(store, answered.operation, &o, &card), STORE_OK);
    assert_int_equal(o.subscription, 200);
    assert_int_equal(sent_count, 1);
}

static void a_refused_or_judged_download_reserves_nothing(void **state)
{
    (void)state;
    uint64_t rows = 0;
    uint64_t after = 0;
    uint8_t hash[32];
    add_subscription(200, SUBSCRIPTION_FREE, 0, pool_imsi);
    request_download(true);
    assert_int_equal(answered.refusal, REFUSAL_NONE);
    assert_int_equal(subscription(200).state, SUBSCRIPTION_FREE);
    const struct event e = {.type = EVENT_MARK_DIRTY, .reason = DIRTY_OPERATOR_REQUEST};
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    assert_int_equal(store_trail_head(store, &rows, hash), STORE_OK);
    request_download(false);
    assert_int_equal(answered.refusal, REFUSAL_CARD_DIRTY);
    assert_int_equal(subscription(200).state, SUBSCRIPTION_FREE);
    assert_int_equal(store_trail_head(store, &after, hash), STORE_OK);
    assert_int_equal(after, rows + 1); // the refusal itself is told
}

static void a_refused_download_gives_its_subscription_back(void **state)
{
    (void)state;
    const struct card_keys keys = keys_of_card();
    struct turn_message m;
    add_subscription(200, SUBSCRIPTION_FREE, 0, pool_imsi);
    request_download(false);
    card_answers(RESULT_NO_FREE_SLOT, &keys, &m);
    assert_true(turn_receive(turn, &m, note_done, NULL));
    run();
    assert_int_equal(subscription(200).state, SUBSCRIPTION_FREE);
}

static void a_download_cancelled_before_it_left_gives_its_subscription_back(void **state)
{
    (void)state;
    add_subscription(200, SUBSCRIPTION_FREE, 0, pool_imsi);
    request(OPERATION_DELETE); // it has to wait for this one
    request_download(false);
    assert_int_equal(subscription(200).state, SUBSCRIPTION_RESERVED);
    const struct event e = {.type = EVENT_CANCEL, .operation = answered.operation};
    assert_true(turn_event(turn, 7, &e, note_answer, NULL));
    run();
    assert_int_equal(answered.refusal, REFUSAL_NONE);
    assert_int_equal(subscription(200).state, SUBSCRIPTION_FREE);
}

// The card answers with the mirror's facts, but slot 2 has this rank.
static uint64_t audit_with_rank(uint8_t rank)
{
    struct event e;
    request(OPERATION_AUDIT);
    assert_true(answered.refusal == REFUSAL_NONE && !sent.is_automatic);
    const uint64_t operation = answered.operation;
    load(&world.record);
    world_answer_init(&world, &e, LOOKUP_NOT_ASKED, 0);
    e.as.por.answer.slots[1].rank = rank;
    assert_true(turn_event(turn, 7, &e, NULL, NULL));
    run();
    return operation;
}

static void every_audit_keeps_what_differed_then(void **state)
{
    (void)state;
    struct kept_audit first;
    struct kept_audit second;
    const uint8_t rank = world.record.slots[1].fact.rank;
    const uint64_t one = audit_with_rank(rank + 4);
    const uint64_t other = audit_with_rank(rank + 4);
    assert_int_equal(store_audit(store, one, &first), STORE_OK);
    assert_int_equal(store_audit(store, other, &second), STORE_OK);
    assert_int_equal(first.count, 1);
    assert_int_equal(first.differences[0].slot, 2);
    assert_string_equal(first.differences[0].field, "rank");
    assert_int_equal(first.differences[0].server, rank);
    assert_int_equal(first.differences[0].card, rank + 4);
    assert_int_equal(first.view.answer.slots[1].rank, rank + 4);
    assert_int_equal(first.view.outcome, AUDIT_SERVER_CORRECTED);
    assert_int_equal(second.count, 0); // the mirror had been corrected
    assert_int_equal(second.view.outcome, AUDIT_CLEAN);
    assert_int_equal(store_audit(store, one + other, &first), STORE_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_and_sent_only_after_the_commit),
        TEST(a_delete_goes_to_the_card_and_ends_done),
        TEST(a_late_answer_corrects_the_outcome_in_the_store),
        TEST(an_answer_under_other_keys_is_a_stray_and_changes_nothing),
        TEST(an_answer_under_an_unknown_reference_is_a_stray_whatever_its_number),
        TEST(what_came_from_a_card_before_it_was_known_is_heard_once_it_is),
        TEST(a_refused_request_sends_nothing),
        TEST(an_unknown_card_is_not_found),
        TEST(a_full_turn_takes_nothing_more),
        TEST(a_write_that_fails_is_undone_alone),
        TEST(among_tasks_that_run_together_one_that_fails_is_undone_alone),
        TEST(an_unclean_stop_makes_the_open_card_dirty_and_a_clean_one_does_not),
        TEST(every_audit_keeps_what_differed_then),
        TEST(ids_go_on_behind_the_store_after_a_clock_went_back),
        TEST(ids_do_not_go_on_behind_a_digest),
        TEST(a_due_card_wakes_by_itself),
        TEST(a_card_whose_packet_cannot_be_built_waits_and_stops_nobody),
        TEST(a_deleted_subscription_is_free_again),
        TEST(a_download_and_its_reservation_are_there_together),
        TEST(a_refused_or_judged_download_reserves_nothing),
        TEST(a_refused_download_gives_its_subscription_back),
        TEST(a_download_cancelled_before_it_left_gives_its_subscription_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

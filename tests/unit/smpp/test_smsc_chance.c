// The message centre under every fault at once, with receivers that answer as they like: whatever
// happens, each accepted message ends once and nothing stays behind. In virtual time.
#include "tests/lib/cmocka_all.h"

#include "common/base/prng.h"
#include "smpp/core/smsc.h"

#define MESSAGES 48
#define CLIENTS 3 // a submitter, and two that receive; one link each
#define WINDOW 8
#define BUFFER 4096
#define SUBMITS 3000
#define NUMBERS 24
#define ROUNDS_MAX 200000

struct memory {
    struct smpp_pending window[WINDOW];
    struct smpp_owed owed[WINDOW];
    uint8_t input[BUFFER];
    uint8_t output[2 * BUFFER];
};

struct client {
    struct smpp_session session;
    struct memory memory;
    bool is_open;
};

static const struct smsc_account ACCOUNTS[] = {
    {.system_id = "server", .password = "secret1"},
    {.system_id = "network", .password = "secret2"},
};
static const struct smsc_route ROUTES[] = {
    {.prefix = "12345", .account = 0},
    {.prefix = "9", .account = 1, .is_ordered = true},
    {.prefix = "8", .account = 1},
};

static struct smsc_message messages[MESSAGES];
static struct smsc_mailbox mailboxes[MESSAGES];
static uint32_t buckets[MESSAGES];
static struct smsc_timer timers[4 * MESSAGES];
static struct smsc_link links[CLIENTS];
static struct memory link_memory[CLIENTS];
static struct client clients[CLIENTS];
static struct smsc_queue queue;
static struct smsc_faults faults;
static struct smsc smsc;
static struct prng chance;
static struct instant now;
static bool is_calm; // receivers take everything, nobody is cut

static struct smpp_session_config session_config(struct memory *m)
{
    return (struct smpp_session_config){.role = SMPP_ESME,
                                        .window = m->window,
                                        .window_size = WINDOW,
                                        .owed = m->owed,
                                        .owed_size = WINDOW,
                                        .input = m->input,
                                        .input_size = sizeof m->input,
                                        .output = m->output,
                                        .output_size = sizeof m->output};
}

static void connect_client(uint32_t index)
{
    struct client *c = &clients[index];
    const struct smpp_session_config ours = session_config(&c->memory);
    smpp_session_init(&c->session, &ours, now);
    // Links are taken in order, so memory goes by the first free one.
    uint32_t free_at = 0;
    while (links[free_at].is_used)
        free_at++;
    const struct smpp_session_config theirs = session_config(&link_memory[free_at]);
    assert_int_equal(smsc_link_open(&smsc, &theirs), free_at);
    assert_int_equal(free_at, index); // a client comes back before another one goes
    const struct smpp_bind bind = {
        .system_id = bytes_of_text(index == 0 ? "server" : "network"),
        .password = bytes_of_text(index == 0 ? "secret1" : "secret2"),
        .interface_version = 0x34,
        .address_range = bytes_of_text(index == 2 ? "97*,88" : ""),
    };
    assert_int_equal(smpp_session_bind(&c->session, SMPP_TRX, &bind), SMPP_SEND_OK);
    c->is_open = true;
}

static void receive(struct client *c, const struct smpp_event *event)
{
    static const uint32_t STATUSES[] = {ESME_RX_T_APPN, ESME_RTHROTTLED, ESME_RMSGQFUL,
                                        ESME_RSYSERR, ESME_RX_R_APPN};
    if (event->type != SMPP_EVENT_REQUEST)
        return;
    const uint64_t mood = is_calm ? 9 : prng_below(&chance, 10);
    if (mood == 0) {
        smpp_session_forget(&c->session, event->handle);
        return;
    }
    const uint32_t status = mood < 4 ? STATUSES[prng_below(&chance, 5)] : ESME_ROK;
    assert_int_equal(smpp_session_accept(&c->session, event->handle, status, bytes_of(NULL, 0)),
                     SMPP_SEND_OK);
}

static void drain(struct client *c)
{
    struct smpp_event event;
    while (smpp_session_next(&c->session, &event))
        receive(c, &event);
}

static void carry(uint32_t index)
{
    struct client *c = &clients[index];
    struct smpp_session *theirs = smsc_session(&smsc, index);
    smpp_session_written(&c->session,
                         smpp_session_receive(theirs, smpp_session_output(&c->session)));
    const bool stays = smsc_link_handle(&smsc, index);
    smsc_pump(&smsc);
    smpp_session_written(theirs, smpp_session_receive(&c->session, smpp_session_output(theirs)));
    drain(c);
    if (stays)
        return;
    smsc_link_gone(&smsc, index);
    smpp_session_disconnected(&c->session);
    drain(c);
    connect_client(index);
}

static void pass(uint64_t ms)
{
    now = instant_after(now, ms);
    smsc_tick(&smsc, now, (struct utc){(int64_t)now.ms});
    for (uint32_t i = 0; i < CLIENTS; i++)
        smpp_session_tick(&clients[i].session, now);
    for (unsigned turn = 0; turn < 3; turn++)
        for (uint32_t i = 0; i < CLIENTS; i++)
            carry(i);
}

static void submit(void)
{
    static const char *const VALIDITIES[] = {"", "000000001000000R", "000000000010000R",
                                             "000000000000300R"};
    char digits[] = "900";
    const uint64_t number = prng_below(&chance, NUMBERS);
    digits[0] = number % 2 == 0 ? '9' : '8';
    digits[1] = (char)('0' + number / 3);
    digits[2] = (char)('0' + number % 3);
    const uint8_t text[] = {0x02, 0x70, 0x00, 0x00};
    const struct smpp_pdu pdu = {
        .command = SMPP_SUBMIT_SM,
        .message = {.source = {1, 1, bytes_of_text("12345")},
                    .destination = {1, 1, bytes_of_text(digits)},
                    .esm_class = 0x40,
                    .registered_delivery = (uint8_t)prng_below(&chance, 3),
                    .validity_period = bytes_of_text(VALIDITIES[prng_below(&chance, 4)]),
                    .short_message = bytes_of(text, sizeof text)},
    };
    // While it is unbound or its window is full it does not send: that is no message then.
    const enum smpp_send sent = smpp_session_request(&clients[0].session, &pdu, 1);
    assert_int_not_equal(sent, SMPP_SEND_INVALID);
}

static void add_fault(enum smsc_fault fault, uint32_t per_million, uint32_t value)
{
    const struct smsc_rule rule = {.fault = fault, .per_million = per_million, .value = value};
    assert_int_not_equal(smsc_faults_add(&faults, &rule), 0);
}

static void start(uint64_t seed)
{
    queue = (struct smsc_queue){.messages = messages,
                                .mailboxes = mailboxes,
                                .buckets = buckets,
                                .timers = timers,
                                .message_count = MESSAGES,
                                .timer_count = 4 * MESSAGES};
    smsc_queue_init(&queue);
    smsc_faults_init(&faults, seed);
    prng_init(&chance, seed, "test", 0);
    const struct smsc_config config = {.accounts = ACCOUNTS,
                                       .account_count = 2,
                                       .routes = ROUTES,
                                       .route_count = 3,
                                       .links = links,
                                       .link_count = CLIENTS,
                                       .range_is_ordered = true};
    smsc_init(&smsc, &config, &queue, &faults);
    now = (struct instant){1000000};
    is_calm = false;
    smsc_tick(&smsc, now, (struct utc){(int64_t)now.ms});
    for (uint32_t i = 0; i < CLIENTS; i++)
        connect_client(i);
    pass(0);
}

// What came in is what went out and what is still there; receipts are not counted here.
static void everything_is_accounted_for(void)
{
    uint64_t waiting = 0;
    uint64_t in_flight = 0;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        waiting += messages[i].id != 0 && messages[i].kind == SMSC_KIND_SHORT_MESSAGE;
        in_flight += messages[i].id != 0 && messages[i].is_in_flight;
    }
    const struct smsc_counts *c = &smsc.counts;
    assert_int_equal(c->accepted + c->duplicated,
                     c->lost + c->delivered + c->undeliverable + c->expired + waiting);
    uint64_t boxes_in_flight = 0;
    uint64_t windows = 0;
    for (uint32_t i = 0; i < MESSAGES; i++)
        boxes_in_flight += mailboxes[i].is_used ? mailboxes[i].in_flight : 0;
    for (uint32_t i = 0; i < CLIENTS; i++)
        windows += smpp_session_in_flight(&links[i].session);
    assert_int_equal(in_flight, boxes_in_flight);
    assert_true(in_flight <= windows); // less when one expired under way
}

static void run(uint64_t seed)
{
    start(seed);
    add_fault(SMSC_FAULT_LOSE, 50000, 0);
    add_fault(SMSC_FAULT_DELAY, 100000, 7000);
    add_fault(SMSC_FAULT_DUPLICATE, 100000, 2);
    add_fault(SMSC_FAULT_REORDER, 150000, 20000);
    add_fault(SMSC_FAULT_REORDER, 50000, 0);
    add_fault(SMSC_FAULT_STATUS, 50000, ESME_RTHROTTLED);
    add_fault(SMSC_FAULT_DROP_RECEIPT, 100000, 0);
    add_fault(SMSC_FAULT_DROP_RESPONSE, 30000, 0);
    add_fault(SMSC_FAULT_CUT_LINK, 10000, 0);
    unsigned rounds = 0;
    while (smsc.counts.submitted < SUBMITS && rounds++ < ROUNDS_MAX) {
        for (uint64_t i = prng_below(&chance, 6); i > 0; i--)
            submit();
        if (prng_chance(&chance, 5000))
            smsc_cut(&smsc, (uint32_t)prng_below(&chance, CLIENTS));
        pass(prng_below(&chance, 4000));
        everything_is_accounted_for();
    }
    assert_true(smsc.counts.submitted >= SUBMITS);
    is_calm = true;
    // Longer than the longest validity, of messages and then of the receipts of those.
    for (rounds = 0; rounds < 2 * 8640 + 100 && queue.held > 0; rounds++)
        pass(10000);
    everything_is_accounted_for();
    assert_int_equal(queue.held, 0);
    for (uint32_t i = 0; i < MESSAGES; i++)
        assert_false(mailboxes[i].is_used);
    assert_true(smsc.counts.queue_full > 0 && smsc.counts.expired > 0 && smsc.counts.cut > 0);
}

static void every_accepted_message_ends_once_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        run(seed);
}

static void messages_that_ended_leave_no_room_taken(void **state)
{
    (void)state;
    start(1);
    is_calm = true;
    // Far more than there is room for timers, each with an expiry a day ahead.
    while (smsc.counts.submitted < 100 * MESSAGES) {
        submit();
        pass(1);
    }
    assert_int_equal(smsc.counts.refused, 0);
    assert_int_equal(smsc.counts.dropped_receipts, 0);
}

// Its memory follows what is held, not what came by.
static void timers_of_messages_that_ended_are_swept_early(void **state)
{
    (void)state;
    static struct smsc_message many[4096];
    static struct smsc_mailbox boxes[4096];
    static uint32_t heads[4096];
    static struct smsc_timer room[4 * 4096];
    struct smsc_queue q = {.messages = many,
                           .mailboxes = boxes,
                           .buckets = heads,
                           .timers = room,
                           .message_count = 4096,
                           .timer_count = 4 * 4096};
    smsc_queue_init(&q);
    const struct smsc_number to = {.digits = "911"};
    for (uint64_t id = 1; id <= 100000; id++) {
        const uint32_t at = smsc_queue_add(&q, &to);
        many[at].id = id;
        many[at].expiry = (struct instant){86400000 + id};
        assert_true(smsc_queue_timer(&q, many[at].expiry, at, id));
        if (id > 8)
            smsc_queue_remove(&q, at);
        assert_in_range(q.timers_used, 1, 1024);
    }
    struct smsc_timer timer;
    for (uint64_t id = 1; id <= 8; id++) { // those that are held lost none
        assert_true(smsc_queue_expire(&q, (struct instant){86400000 + id}, &timer));
        assert_int_equal(timer.id, id);
    }
}

static void a_full_queue_has_room_for_the_receipt_of_what_it_delivers(void **state)
{
    (void)state;
    start(1);
    is_calm = true;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        const struct smsc_number to = {.digits = {'9', (char)('A' + i), '\0'}};
        const uint32_t at = smsc_queue_add(&queue, &to);
        assert_int_not_equal(at, SMSC_NONE);
        messages[at].id = ++smsc.last_id;
        messages[at].source = (struct smsc_number){.digits = "12345"};
        messages[at].registered_delivery = 1;
        messages[at].expiry = instant_after(now, 60000);
        assert_true(smsc_queue_timer(&queue, messages[at].expiry, at, messages[at].id));
        smsc_queue_ready(&queue, messages[at].mailbox);
    }
    assert_int_equal(queue.held, MESSAGES);
    for (unsigned i = 0; i < 100; i++)
        pass(10);
    assert_int_equal(smsc.counts.delivered, MESSAGES);
    assert_int_equal(smsc.counts.receipts, MESSAGES);
    assert_int_equal(smsc.counts.dropped_receipts, 0);
}

static void what_fails_together_is_one_failure(void **state)
{
    (void)state;
    start(1);
    const struct smsc_number to = {.digits = "811"};
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t at = smsc_queue_add(&queue, &to);
        messages[at].id = i + 1;
        messages[at].expiry = instant_after(now, 3600000);
        smsc_queue_ready(&queue, messages[at].mailbox);
    }
    smsc_pump(&smsc);
    const struct smsc_mailbox *box = &mailboxes[smsc_queue_find(&queue, "811")];
    assert_int_equal(box->in_flight, 3);
    smsc_link_gone(&smsc, 1);
    smsc_link_gone(&smsc, 2); // both links of the account had a part
    assert_int_equal(box->in_flight, 0);
    assert_int_equal(box->failures, 1);
    assert_int_equal(box->retry.ms, now.ms + 5000); // the first wait, not a doubled one
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_message_ends_once_whatever_happens),
        cmocka_unit_test(messages_that_ended_leave_no_room_taken),
        cmocka_unit_test(timers_of_messages_that_ended_are_swept_early),
        cmocka_unit_test(a_full_queue_has_room_for_the_receipt_of_what_it_delivers),
        cmocka_unit_test(what_fails_together_is_one_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

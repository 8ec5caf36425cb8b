// The message centre with real sessions on both sides, in virtual time: what its tests share.
#pragma once

#include "tests/lib/cmocka_all.h"

#include "smpp/core/receipt.h"
#include "smpp/core/smsc.h"

#define MESSAGES 64
#define LINKS 4
#define WINDOW 10
#define BUFFER 4096

// Memory of one session.
struct memory {
    struct smpp_pending window[WINDOW];
    struct smpp_owed owed[WINDOW];
    uint8_t input[BUFFER];
    uint8_t output[2 * BUFFER];
};

struct delivery {
    char source[SMSC_NUMBER_SIZE];
    uint8_t esm_class, protocol_id, data_coding;
    uint8_t text[SMSC_MESSAGE_MAX];
    size_t text_len;
    enum smpp_message_state state; // of a receipt
};

// One ESME and what came to it.
struct client {
    struct smpp_session session;
    struct memory memory;
    uint32_t link;
    bool is_open;
    uint32_t deliver_status; // what it answers to deliver_sm
    bool keeps_silent;       // does not answer deliver_sm
    struct delivery deliveries[32];
    size_t delivery_count;
    uint32_t statuses[32]; // of the answers to submit_sm
    size_t response_count;
    size_t unknown_count;
    bool was_receipt_first; // one came before any answer
    char id_in_answer[24];  // of the last ones
    char id_in_receipt[24];
};

static const struct smsc_account ACCOUNTS[] = {
    {.system_id = "server", .password = "secret1"},
    {.system_id = "network", .password = "secret2"},
};
static const struct smsc_route ROUTES[] = {
    {.prefix = "12345", .account = 0, .is_ordered = false},
    {.prefix = "999", .account = 1, .is_ordered = true},
};

static struct smsc_message messages[MESSAGES];
static struct smsc_mailbox mailboxes[MESSAGES];
static uint32_t buckets[MESSAGES];
static struct smsc_timer timers[4 * MESSAGES];
static struct smsc_link links[LINKS];
static struct memory link_memory[LINKS];
static struct smsc_queue queue;
static struct smsc_faults faults;
static struct smsc smsc;
static struct client server;
static struct client network;
static uint64_t clock_ms;

static inline struct smpp_session_config session_config(struct memory *m, enum smpp_role role)
{
    return (struct smpp_session_config){
        .role = role,
        .window = m->window,
        .window_size = WINDOW,
        .owed = m->owed,
        .owed_size = WINDOW,
        .input = m->input,
        .input_size = sizeof m->input,
        .output = m->output,
        .output_size = sizeof m->output,
    };
}

static inline void keep_id(char to[24], struct bytes id)
{
    assert_true(id.len < 24);
    bytes_copy(to, id);
    to[id.len] = 0;
}

static inline void client_event(struct client *c, const struct smpp_event *event)
{
    if (event->type == SMPP_EVENT_RESPONSE) {
        c->statuses[c->response_count++] = event->pdu.status;
        keep_id(c->id_in_answer, event->pdu.id.message_id);
    }
    if (event->type == SMPP_EVENT_UNKNOWN)
        c->unknown_count++;
    if (event->type != SMPP_EVENT_REQUEST)
        return;
    struct delivery *d = &c->deliveries[c->delivery_count++];
    const struct smpp_message *m = &event->pdu.message;
    *d = (struct delivery){.esm_class = m->esm_class,
                           .protocol_id = m->protocol_id,
                           .data_coding = m->data_coding,
                           .text_len = m->short_message.len};
    memcpy(d->source, m->source.digits.at, m->source.digits.len);
    memcpy(d->text, m->short_message.at, m->short_message.len);
    struct smpp_receipt receipt;
    smpp_receipt_read(&event->pdu, &receipt);
    d->state = receipt.state;
    if (smpp_is_receipt(&event->pdu)) {
        c->was_receipt_first = c->was_receipt_first || c->response_count == 0;
        keep_id(c->id_in_receipt, receipt.message_id);
    }
    if (!c->keeps_silent)
        assert_int_equal(
            smpp_session_accept(&c->session, event->handle, c->deliver_status, bytes_of(NULL, 0)),
            SMPP_SEND_OK);
}

// Carries octets both ways once. True when something moved.
static inline bool carry(struct client *c)
{
    if (!c->is_open)
        return false;
    struct smpp_session *theirs = smsc_session(&smsc, c->link);
    struct bytes out = smpp_session_output(&c->session);
    size_t moved = smpp_session_receive(theirs, out);
    smpp_session_written(&c->session, moved);
    bool stays = smsc_link_handle(&smsc, c->link);
    smsc_pump(&smsc);
    struct bytes back = smpp_session_output(theirs);
    size_t returned = smpp_session_receive(&c->session, back);
    smpp_session_written(theirs, returned);
    struct smpp_event event;
    while (smpp_session_next(&c->session, &event))
        client_event(c, &event);
    if (!stays) {
        smsc_link_gone(&smsc, c->link);
        smpp_session_disconnected(&c->session);
        while (smpp_session_next(&c->session, &event))
            client_event(c, &event);
        c->is_open = false;
    }
    return moved > 0 || returned > 0;
}

static inline void settle(void)
{
    while (carry(&server) || carry(&network))
        continue;
}

static inline void tick(void)
{
    smsc_tick(&smsc, (struct instant){clock_ms}, (struct utc){(int64_t)clock_ms});
    if (server.is_open)
        smpp_session_tick(&server.session, (struct instant){clock_ms});
    if (network.is_open)
        smpp_session_tick(&network.session, (struct instant){clock_ms});
    settle();
}

static inline void wait_ms(uint64_t ms)
{
    // One second at a time, so that keep-alives go their way.
    for (uint64_t end = clock_ms + ms; clock_ms < end;) {
        clock_ms += end - clock_ms < 1000 ? end - clock_ms : 1000;
        tick();
    }
}

static inline void connect_client(struct client *c, const char *id, const char *password,
                                  const char *range)
{
    memset(c, 0, sizeof *c);
    struct smpp_session_config ours = session_config(&c->memory, SMPP_ESME);
    smpp_session_init(&c->session, &ours, (struct instant){clock_ms});
    // Each open link has its own memory; index by what is free.
    size_t free_at = 0;
    while (links[free_at].is_used)
        free_at++;
    struct smpp_session_config theirs = session_config(&link_memory[free_at], SMPP_SMSC);
    c->link = smsc_link_open(&smsc, &theirs);
    assert_int_not_equal(c->link, SMSC_NONE);
    c->is_open = true;
    const struct smpp_bind bind = {.system_id = bytes_of_text(id),
                                   .password = bytes_of_text(password),
                                   .interface_version = 0x34,
                                   .address_range = bytes_of_text(range)};
    assert_int_equal(smpp_session_bind(&c->session, SMPP_TRX, &bind), SMPP_SEND_OK);
    settle();
}

static inline int start(void **state)
{
    (void)state;
    clock_ms = 1000000;
    memset(&server, 0, sizeof server);
    memset(&network, 0, sizeof network);
    queue = (struct smsc_queue){.messages = messages,
                                .mailboxes = mailboxes,
                                .buckets = buckets,
                                .timers = timers,
                                .message_count = MESSAGES,
                                .timer_count = 4 * MESSAGES};
    smsc_queue_init(&queue);
    smsc_faults_init(&faults, 1);
    const struct smsc_config config = {
        .accounts = ACCOUNTS,
        .account_count = 2,
        .routes = ROUTES,
        .route_count = 2,
        .links = links,
        .link_count = LINKS,
        .range_is_ordered = true,
    };
    smsc_init(&smsc, &config, &queue, &faults);
    tick();
    connect_client(&server, "server", "secret1", "");
    connect_client(&network, "network", "secret2", "");
    assert_int_equal(server.session.state, SMPP_STATE_BOUND);
    assert_int_equal(network.session.state, SMPP_STATE_BOUND);
    return 0;
}

static inline void submit_to(struct client *c, const char *source, const char *destination,
                             const char *validity, uint8_t mark)
{
    static const uint8_t packet[] = {0x02, 0x70, 0x00, 0x00};
    uint8_t text[sizeof packet];
    memcpy(text, packet, sizeof text);
    text[3] = mark;
    const struct smpp_pdu pdu = {
        .command = SMPP_SUBMIT_SM,
        .message =
            {
                .source = {1, 1, bytes_of_text(source)},
                .destination = {1, 1, bytes_of_text(destination)},
                .esm_class = 0x40,
                .protocol_id = 0x7F,
                .data_coding = 0xF6,
                .registered_delivery = 1,
                .validity_period = bytes_of_text(validity),
                .short_message = bytes_of(text, sizeof text),
            },
    };
    assert_int_equal(smpp_session_request(&c->session, &pdu, mark), SMPP_SEND_OK);
}

// What of the deliveries are messages, by their marks, as a text: "AB".
static inline const char *marks(const struct client *c)
{
    static char text[64];
    size_t len = 0;
    for (size_t i = 0; i < c->delivery_count; i++)
        if ((c->deliveries[i].esm_class & 0x04) == 0)
            text[len++] = (char)c->deliveries[i].text[3];
    text[len] = '\0';
    return text;
}

static inline size_t receipts_of(const struct client *c, enum smpp_message_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < c->delivery_count; i++)
        count += (c->deliveries[i].esm_class & 0x04) != 0 && c->deliveries[i].state == state;
    return count;
}

static inline void add_rule(enum smsc_fault fault, uint32_t skip, uint32_t count, uint32_t value)
{
    const struct smsc_rule rule = {.fault = fault,
                                   .destination = "999",
                                   .skip = skip,
                                   .count = count,
                                   .per_million = 1000000,
                                   .value = value};
    assert_int_not_equal(smsc_faults_add(&faults, &rule), 0);
}

static inline void submit_three(void)
{
    for (uint8_t mark = 'A'; mark <= 'C'; mark++) {
        submit_to(&server, "12345", "9990000000001", "", mark);
        settle();
    }
}

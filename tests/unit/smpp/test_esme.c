// The link of an ESME on a real loop and real sockets, against the SMSC's core on the other side.
#include "tests/lib/cmocka_all.h"

#include "smpp/shell/esme.h"
#include "smpp/shell/links.h"

#include <stdio.h>
#include <unistd.h>

static struct loop *loop;
static struct net *net;
static struct log quiet;
static struct settings settings;
static struct links *links;
static struct esme *server;
static struct esme *network;
static unsigned bound, lost, responses, unknowns, deliveries;
static uint32_t last_status;

static void on_bound(void *context, struct esme *e)
{
    (void)context;
    (void)e;
    bound++;
}

static void on_lost(void *context, struct esme *e)
{
    (void)context;
    (void)e;
    lost++;
}

static void on_request(void *context, struct esme *e, const struct smpp_event *event)
{
    (void)context;
    deliveries++;
    esme_accept(e, event->handle, ESME_ROK);
}

static void on_response(void *context, struct esme *e, uint64_t tag, const struct smpp_pdu *pdu)
{
    (void)context;
    (void)e;
    assert_int_equal(tag, 77);
    last_status = pdu->status;
    responses++;
}

static void on_unknown(void *context, struct esme *e, uint64_t tag)
{
    (void)context;
    (void)e;
    (void)tag;
    unknowns++;
}

static const struct esme_handler HANDLER = {.bound = on_bound,
                                            .lost = on_lost,
                                            .request = on_request,
                                            .response = on_response,
                                            .unknown = on_unknown};

static struct esme *open_link(const char *id, const char *password)
{
    static char address[NET_ADDRESS_TEXT_SIZE];
    links_address(links, address);
    const struct esme_config config = {.address = address,
                                       .system_id = id,
                                       .password = password,
                                       .system_type = "",
                                       .address_range = "",
                                       .type = SMPP_TRX,
                                       .window = 10,
                                       .seed = 1};
    return esme_open(loop, net, &config, &HANDLER, NULL, &quiet);
}

static int start(void **state)
{
    (void)state;
    char error[SETTINGS_ERROR_SIZE];
    bound = lost = responses = unknowns = deliveries = 0;
    settings = (struct settings){
        .listen = "127.0.0.1:0",
        .speed = 1,
        .queue_max = 16,
        .link_max = 4,
        .window = 10,
        .accounts = {{.system_id = "server", .password = "s"},
                     {.system_id = "network", .password = "n"}},
        .account_count = 2,
        .routes = {{.prefix = "999", .account = 1}},
        .route_count = 1,
    };
    log_init(&quiet, STDERR_FILENO, LOG_TEXT, LOG_ERROR);
    loop = loop_open();
    net = net_open(loop);
    links = links_open(loop, &settings, &quiet, NULL, error);
    assert_non_null(links);
    server = open_link("server", "s");
    network = open_link("network", "n");
    while (bound < 2)
        loop_turn(loop);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    net_close_all(net);
    esme_close(server);
    esme_close(network);
    links_close(links);
    loop_close(loop);
    return 0;
}

static enum smpp_send send_one(void)
{
    const struct smpp_pdu pdu = {
        .command = SMPP_SUBMIT_SM,
        .message = {.source = {1, 1, bytes_of_text("12345")},
                    .destination = {1, 1, bytes_of_text("9990000000001")},
                    .short_message = bytes_of_text("x")},
    };
    return esme_send(server, &pdu, 77);
}

static void a_message_goes_from_link_to_link(void **state)
{
    (void)state;
    assert_int_equal(send_one(), SMPP_SEND_OK);
    while (links_smsc(links)->counts.delivered == 0)
        loop_turn(loop);
    assert_int_equal(responses, 1);
    assert_int_equal(last_status, ESME_ROK);
    assert_int_equal(deliveries, 1);
}

static void a_cut_link_comes_back_and_tells_what_was_lost(void **state)
{
    (void)state;
    const struct smsc_rule rule = {
        .fault = SMSC_FAULT_CUT_LINK, .count = 1, .per_million = 1000000};
    assert_int_not_equal(smsc_faults_add(links_smsc(links)->faults, &rule), 0);
    assert_int_equal(send_one(), SMPP_SEND_OK);
    while (unknowns == 0 || lost == 0)
        loop_turn(loop);
    assert_false(esme_is_bound(server));
    assert_int_equal(send_one(), SMPP_SEND_NOT_BOUND);
    while (bound < 3) // after a pause of at most 1 s
        loop_turn(loop);
    assert_true(esme_is_bound(server));
    assert_int_equal(esme_times_bound(server), 2);
}

static void unbinding_is_orderly_and_final(void **state)
{
    (void)state;
    esme_unbind(server);
    while (lost == 0)
        loop_turn(loop);
    assert_false(esme_is_bound(server));
    assert_int_equal(unknowns, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_from_link_to_link),
        TEST(a_cut_link_comes_back_and_tells_what_was_lost),
        TEST(unbinding_is_orderly_and_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

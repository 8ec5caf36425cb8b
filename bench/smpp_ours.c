#include "bench/smpp_bench.h"

#include "common/base/check.h"
#include "common/host/net.h"
#include "smpp/core/session.h"

#include <stdlib.h>
#include <unistd.h>

#define BUFFER 65536

struct link {
    struct smpp_session session;
    struct smpp_pending window[BENCH_WINDOW_MAX];
    struct smpp_owed owed[BENCH_WINDOW_MAX + 1];
    uint8_t input[BUFFER];
    uint8_t output[BUFFER];
};

struct bench {
    struct loop *loop;
    struct net *net;
    struct link *links;
    unsigned link_count;
    uint64_t done;
};

static const struct net_limits limits = {
    .read_max = BUFFER, .output_max = 2 * BUFFER, .stream_max = 64};

static struct bench *bench_open(unsigned links)
{
    struct bench *b = calloc(1, sizeof *b);
    check(b != NULL);
    b->links = calloc(links, sizeof *b->links);
    b->loop = loop_open();
    b->net = b->loop != NULL ? net_open(b->loop) : NULL;
    check(b->links != NULL && b->net != NULL);
    return b;
}

static void link_start(struct link *l, enum smpp_role role, unsigned window, struct instant now)
{
    const struct smpp_session_config config = {.role = role,
                                               .window = l->window,
                                               .window_size = window,
                                               .owed = l->owed,
                                               .owed_size = BENCH_WINDOW_MAX + 1,
                                               .input = l->input,
                                               .input_size = sizeof l->input,
                                               .output = l->output,
                                               .output_size = sizeof l->output};
    smpp_session_init(&l->session, &config, now);
}

static void flush(struct link *l, struct net_stream *stream)
{
    const struct bytes out = smpp_session_output(&l->session);
    if (out.len == 0)
        return;
    check(net_write(stream, out));
    smpp_session_written(&l->session, out.len);
}

// The server

static struct bench *served; // one per process: the handler's context is the link

static void accept_one(void *context, struct net_stream *stream)
{
    (void)context;
    struct link *l = &served->links[served->link_count++ % limits.stream_max];
    link_start(l, SMPP_SMSC, 1, loop_now(served->loop));
    net_set_context(stream, l);
}

static void serve_events(struct link *l)
{
    static const struct bytes id = {(const uint8_t *)"00000001", 8};
    struct smpp_event event;
    while (smpp_session_next(&l->session, &event)) {
        if (event.type == SMPP_EVENT_BIND)
            check(smpp_session_answer_bind(&l->session, ESME_ROK, id) == SMPP_SEND_OK);
        if (event.type == SMPP_EVENT_REQUEST)
            check(smpp_session_accept(&l->session, event.handle, ESME_ROK, id) == SMPP_SEND_OK);
    }
}

static void serve_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    struct link *l = context;
    smpp_session_tick(&l->session, loop_now(served->loop));
    while (octets.len > 0) {
        const size_t taken = smpp_session_receive(&l->session, octets);
        octets = bytes_slice(octets, taken, octets.len);
        serve_events(l);
    }
    flush(l, stream);
}

static void forget(void *context, struct net_stream *stream, enum net_end end)
{
    (void)context;
    (void)stream;
    (void)end;
}

static void serve(int port_fd)
{
    static const struct net_handler handler = {
        .opened = accept_one, .octets = serve_octets, .closed = forget};
    served = bench_open(limits.stream_max);
    struct net_address address;
    struct net_listener *listener = NULL;
    check(net_resolve("127.0.0.1:0", &address) == NET_OK);
    check(net_listen(served->net, &address, &limits, &handler, NULL, &listener) == NET_OK);
    net_listener_address(listener, &address);
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_format(&address, text);
    const uint16_t port = (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
    check(write(port_fd, &port, sizeof port) == sizeof port);
    loop_run(served->loop);
}

// The client

static const struct smpp_pdu message = {
    .command = SMPP_SUBMIT_SM,
    .message = {.source = {1, 1, {(const uint8_t *)"10086", 5}},
                .destination = {1, 1, {(const uint8_t *)"8613800000001", 13}},
                .esm_class = 0x40,
                .protocol_id = 0x7F,
                .registered_delivery = 1,
                .data_coding = 0xF6,
                .short_message = {(const uint8_t[140]){2, 0x70, 0}, 140}},
    // So that it has the 197 octets of the other rivals' messages.
    .tlvs = {(const uint8_t *)"\x02\x04\x00\x02\x12\x34", 6}};

static struct bench *driven;

static void send_one(struct link *l)
{
    check(smpp_session_request(&l->session, &message, 0) == SMPP_SEND_OK);
}

static void drive_events(struct link *l)
{
    struct smpp_event event;
    while (smpp_session_next(&l->session, &event)) {
        switch (event.type) {
        case SMPP_EVENT_BOUND:
            while (smpp_session_free(&l->session) > 0)
                send_one(l);
            break;
        case SMPP_EVENT_RESPONSE:
            check(event.pdu.status == ESME_ROK);
            driven->done++;
            send_one(l);
            break;
        case SMPP_EVENT_BIND:
        case SMPP_EVENT_REQUEST:
        case SMPP_EVENT_NOTICE:
        case SMPP_EVENT_UNKNOWN:
        case SMPP_EVENT_CLOSED:
            check(!"an event that only a server or a broken link has");
        }
    }
}

static void drive_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    struct link *l = context;
    smpp_session_tick(&l->session, loop_now(driven->loop));
    while (octets.len > 0) {
        const size_t taken = smpp_session_receive(&l->session, octets);
        octets = bytes_slice(octets, taken, octets.len);
        drive_events(l);
    }
    flush(l, stream);
}

static void connected(void *context, struct net_stream *stream)
{
    struct link *l = context;
    const struct smpp_bind bind = {.system_id = bytes_of_text("bench"), .interface_version = 0x34};
    check(smpp_session_bind(&l->session, SMPP_TRX, &bind) == SMPP_SEND_OK);
    flush(l, stream);
}

static void time_is_up(void *context, struct instant now)
{
    (void)now;
    loop_stop(context);
}

static uint64_t drive(uint16_t port, const struct bench_load *load)
{
    static const struct net_handler handler = {
        .opened = connected, .octets = drive_octets, .closed = forget};
    struct bench *b = bench_open(load->links);
    driven = b;
    char text[32] = "127.0.0.1:";
    char *digits = text + strlen(text);
    for (unsigned scale = 10000; scale > 0; scale /= 10)
        *digits++ = (char)('0' + port / scale % 10);
    struct net_address address;
    check(net_resolve(text, &address) == NET_OK);
    for (unsigned i = 0; i < load->links; i++) {
        link_start(&b->links[i], SMPP_ESME, load->window, loop_now(b->loop));
        check(net_connect(b->net, &address, &limits, 1000, &handler, &b->links[i]) != NULL);
    }
    struct loop_timer timer;
    check(loop_timer_open(&timer, b->loop, time_is_up, b->loop));
    loop_timer_set(&timer, instant_after(loop_now(b->loop), load->ms));
    loop_run(b->loop);
    loop_timer_close(&timer);
    net_close_all(b->net);
    loop_close(b->loop);
    const uint64_t done = b->done;
    free(b->links);
    free(b);
    return done;
}

const struct bench_rival bench_ours = {.name = "ours", .serve = serve, .drive = drive};

// The floor and libsmpp34: epoll, one read and one write per connection and turn, no sessions.
#include "bench/smpp_bench.h"

#include "common/base/check.h"

#include <arpa/inet.h>
#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER 65536
#define CONNECTIONS_MAX 64
#define REQUEST_LEN 197
#define RESPONSE_LEN 25

// Appends to `to` what answers one PDU, gives its length.
typedef size_t answer(const uint8_t *pdu, size_t len, uint8_t *to);

struct connection {
    int fd;
    size_t waiting;
    uint8_t input[BUFFER];
    uint8_t output[BUFFER];
};

static struct connection connections[CONNECTIONS_MAX];

static void set_u32(uint8_t *to, uint32_t value)
{
    const uint32_t wire = htonl(value);
    memcpy(to, &wire, 4);
}

static uint32_t get_u32(const uint8_t *from)
{
    uint32_t wire;
    memcpy(&wire, from, 4);
    return ntohl(wire);
}

static size_t header(uint8_t *to, uint32_t len, uint32_t command, uint32_t sequence)
{
    set_u32(to, len);
    set_u32(to + 4, command);
    set_u32(to + 8, 0);
    set_u32(to + 12, sequence);
    return len;
}

static size_t floor_respond(const uint8_t *pdu, size_t len, uint8_t *to)
{
    check(len == REQUEST_LEN);
    memcpy(to + 16, "00000001", 9);
    return header(to, RESPONSE_LEN, SUBMIT_SM_RESP, get_u32(pdu + 12));
}

static uint64_t done;
static uint32_t sequence;

static size_t floor_request(const uint8_t *pdu, size_t len, uint8_t *to)
{
    (void)pdu;
    (void)len;
    done++;
    memset(to + 16, 0, REQUEST_LEN - 16);
    return header(to, REQUEST_LEN, SUBMIT_SM, ++sequence);
}

static size_t library_respond(const uint8_t *pdu, size_t len, uint8_t *to)
{
    static submit_sm_t request;
    static submit_sm_resp_t response;
    int packed = 0;
    smpp34_strerror[0] = 0;
    check(smpp34_unpack2(&request, pdu, (int)len) == 0);
    response.command_id = SUBMIT_SM_RESP;
    response.command_status = 0;
    response.sequence_number = request.sequence_number;
    memcpy(response.message_id, "00000001", 9);
    smpp34_strerror[0] = 0;
    check(smpp34_pack2(to, 1024, &packed, &response) == 0);
    return (size_t)packed;
}

static size_t library_request(const uint8_t *pdu, size_t len, uint8_t *to)
{
    static submit_sm_resp_t response;
    static submit_sm_t request;
    if (len > 0) {
        smpp34_strerror[0] = 0;
        check(smpp34_unpack2(&response, pdu, (int)len) == 0);
    }
    done++;
    request.command_id = SUBMIT_SM;
    request.sequence_number = ++sequence;
    request.source_addr_ton = request.source_addr_npi = 1;
    request.dest_addr_ton = request.dest_addr_npi = 1;
    memcpy(request.source_addr, "10086000000", 12); // makes 197 octets without a TLV
    memcpy(request.destination_addr, "8613800000001", 14);
    request.esm_class = 0x40;
    request.protocol_id = 0x7F;
    request.data_coding = 0xF6;
    request.sm_length = 140;
    int packed = 0;
    smpp34_strerror[0] = 0;
    check(smpp34_pack2(to, 1024, &packed, &request) == 0);
    return (size_t)packed;
}

static void watch(int epoll, struct connection *c)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    const int yes = 1;
    check(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0);
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) == 0);
}

static void write_all(int fd, const uint8_t *from, size_t len)
{
    while (len > 0) {
        const ssize_t written = write(fd, from, len);
        if (written <= 0)
            return; // the other side was stopped
        from += written;
        len -= (size_t)written;
    }
}

// One turn of one connection; false at its end.
static bool turn(struct connection *c, answer *give)
{
    const ssize_t got = read(c->fd, c->input + c->waiting, BUFFER - c->waiting);
    if (got <= 0)
        return false;
    const size_t end = c->waiting + (size_t)got;
    size_t at = 0;
    size_t out = 0;
    while (end - at >= 16 && end - at >= get_u32(c->input + at) && out < BUFFER - 1024) {
        const size_t len = get_u32(c->input + at);
        out += give(c->input + at, len, c->output + out);
        at += len;
    }
    write_all(c->fd, c->output, out);
    memmove(c->input, c->input + at, end - at);
    c->waiting = end - at;
    return true;
}

static void serve_with(int port_fd, answer *give)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 16) == 0);
    check(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    const uint16_t port = ntohs(address.sin_port);
    const int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    check(write(port_fd, &port, sizeof port) == sizeof port);
    for (size_t used = 0;;) {
        struct epoll_event ready[16];
        const int count = epoll_wait(epoll, ready, 16, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c == NULL) {
                c = &connections[used++ % CONNECTIONS_MAX];
                c->fd = accept(listener, NULL, NULL);
                c->waiting = 0;
                watch(epoll, c);
            } else if (!turn(c, give)) {
                (void)close(c->fd);
            }
        }
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t drive_with(uint16_t port, const struct bench_load *load, answer *give)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int epoll = epoll_create1(0);
    for (unsigned i = 0; i < load->links; i++) {
        struct connection *c = &connections[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        c->waiting = 0;
        check(connect(c->fd, (const struct sockaddr *)&address, sizeof address) == 0);
        watch(epoll, c);
        size_t out = 0;
        for (unsigned k = 0; k < load->window; k++)
            out += give(NULL, 0, c->output + out);
        write_all(c->fd, c->output, out);
    }
    done = 0;
    const uint64_t end = now_ms() + load->ms;
    while (now_ms() < end) {
        struct epoll_event ready[16];
        const int count = epoll_wait(epoll, ready, 16, 100);
        for (int i = 0; i < count; i++)
            check(turn(ready[i].data.ptr, give));
    }
    for (unsigned i = 0; i < load->links; i++)
        (void)close(connections[i].fd);
    (void)close(epoll);
    return done;
}

static void floor_serve(int port_fd)
{
    serve_with(port_fd, floor_respond);
}

static uint64_t floor_drive(uint16_t port, const struct bench_load *load)
{
    return drive_with(port, load, floor_request);
}

static void library_serve(int port_fd)
{
    serve_with(port_fd, library_respond);
}

static uint64_t library_drive(uint16_t port, const struct bench_load *load)
{
    return drive_with(port, load, library_request);
}

const struct bench_rival bench_floor = {"floor", floor_serve, floor_drive};
const struct bench_rival bench_library = {"libsmpp34", library_serve, library_drive};

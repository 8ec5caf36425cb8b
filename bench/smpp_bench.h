// The rivals of bench_smpp: each can serve in one process and drive in another, over loopback.
// One message is a submit_sm of 197 octets, 140 of them user data, and its response of 25.
#pragma once

#include <stdint.h>

#define BENCH_LINKS_MAX 4
#define BENCH_WINDOW_MAX 100

struct bench_load {
    unsigned links;
    unsigned window; // per link
    unsigned ms;
};

struct bench_rival {
    const char *name;
    // Listens on a free port of loopback, writes it (uint16_t) to `port_fd`, serves until killed.
    void (*serve)(int port_fd);
    // Keeps every window full for load.ms; gives the round trips that were completed.
    uint64_t (*drive)(uint16_t port, const struct bench_load *load);
};

extern const struct bench_rival bench_ours;    // sessions on common/host's loop and streams
extern const struct bench_rival bench_floor;   // epoll, no codec: a template and a copied number
extern const struct bench_rival bench_library; // the same loop, every PDU through libsmpp34

// Requests to servers of others, made by a process of its own: what post.h does, but who opens the
// connections and reads the answers holds neither keys nor the database.
//
// Promises: `done` of each request is called once, whatever becomes of the worker; what it says is
// judged like a stranger's octets, and one that says something else is ended. One that ended is
// started anew; requests that it had are BROKEN, those that still wait go to the next one. It ends
// with the server. Never: waits for the worker, but when the server starts.
#pragma once

#include "common/host/log.h"
#include "ota-server/shell/egress_message.h"

// The first and only argument of the program that is the worker, and its descriptor.
#define EGRESS_WORKER "egress-worker"
#define EGRESS_FD 3

// After which it is the worker that is silent, not the server that was asked.
#define EGRESS_SILENT_MS (POST_MS + 5000)

struct egress;

struct egress_options {
    struct loop *loop;
    struct log *log;
    uint32_t silent_ms;
    struct egress_settings settings;
};

// NULL, with a reason that is constant text, when the worker does not start.
struct egress *egress_open(const struct egress_options *options, const char **reason) MUST_USE;
// Requests that are under way end without a word.
void egress_close(struct egress *e);
// As post_send(): copies what it needs; `done` is called in a later turn. False: no room, or the
// request is too long.
bool egress_send(struct egress *e, const struct post_request *request) MUST_USE;
// Workers that ended and were not to.
uint64_t egress_losses(const struct egress *e);

// How a worker ends, for the server's log.
enum egress_exit {
    EGRESS_EXIT_DONE = 0, // the server has gone
    EGRESS_EXIT_MESSAGE = 64,
    EGRESS_EXIT_POST,
    EGRESS_EXIT_FILES,
    EGRESS_EXIT_USER,
    EGRESS_EXIT_CONFINE,
};
// egress_worker.c: what the program does when it is the worker.
_Noreturn void egress_work(void);

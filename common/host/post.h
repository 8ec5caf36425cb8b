// Requests to servers of others over HTTPS [RFC 9110], without waiting: libcurl over the loop.
//
// Promises: the name is asked for anew each time, every address that it has must be allowed, and
// the connection goes to one of them; chain and name of the certificate are verified; no more than
// POST_ANSWER_MAX octets of an answer are read, and only what was asked for is kept; whoever is
// slow is left after POST_MS, POST_CONNECT_MS for the connection. Never: follows a redirect, asks a
// proxy, or speaks anything but HTTP/1.1 over TLS 1.2 or newer.
#pragma once

#include "common/host/dns.h"

#define POST_CONNECT_MS 5000
#define POST_MS 10000
#define POST_ANSWER_MAX 65536

struct post;

struct post_options {
    struct loop *loop;
    const char *dns_server; // see dns_open()
    const char *ca_file;    // whom to trust, read when it opens; NULL: the system's
    uint32_t at_once;       // requests; more are refused
    // May anybody make us connect to this address? `is_literal`: it stood in the URL itself.
    bool (*is_allowed)(void *context, const struct ip *address, bool is_literal);
    void *context;
};

// NULL when the system refuses, or a name server or file is none.
struct post *post_open(const struct post_options *options) MUST_USE;
// Requests that are under way end without a word.
void post_close(struct post *post);

enum post_problem {
    POST_ANSWERED = 0,
    POST_NO_ADDRESS,
    POST_ADDRESS_REFUSED,
    POST_NOT_CONNECTED,
    POST_TLS_FAILED,
    POST_TIMEOUT,
    POST_BROKEN, // the connection, or what came over it
};
const char *post_problem_name(enum post_problem problem); // "NAME_NOT_FOUND"; "" for none

struct post_answer {
    enum post_problem problem;
    unsigned status;       // of an answer; else 0
    int64_t retry_after_s; // -1: not said
    uint32_t took_ms;
    struct bytes body; // that was kept; good during the call
};
typedef void post_done_fn(void *context, uint64_t ticket, const struct post_answer *answer);

struct post_request {
    const char *url;            // https, judged before
    struct bytes host;          // in it; without brackets
    uint16_t port;              //
    bool is_literal;            // the host is an address
    const char *const *headers; // lines `Name: value`, ended by NULL
    struct bytes body;
    bool is_get;       // without a body
    size_t answer_max; // octets of the answer's body that are kept; 0: none. A longer one is BROKEN
    uint64_t ticket;
    post_done_fn *done;
    void *context;
};
// Copies what it needs. `done` is called once, in a later turn. False: no room.
bool post_send(struct post *post, const struct post_request *request) MUST_USE;

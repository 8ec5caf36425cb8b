// A stage for otactl: a server that answers what the test lays out, checks every signature, and
// keeps what was asked; and the program as a process beside it, in the same loop.
#pragma once

#include "common/host/crypto.h"
#include "common/host/http.h"

#define STAGE_REQUESTS_MAX 32
#define STAGE_REPLIES_MAX 32
#define STAGE_TEXT_MAX 262144
#define STAGE_APP_KEY "AAAAABBBBBCCCCC12345"
#define STAGE_SECRET "example-appsecret-not-a-real-one-0123456789"

struct stage_reply {
    unsigned status;
    const char *body;        // NULL: none
    const char *retry_after; // NULL: no such header
    const char *date;        // NULL: the true one
};

struct stage_request {
    char line[1024]; // "GET /cards?page=2", with the API's path when it is another
    char body[4096];
    char key[128]; // Idempotency-Key
    char last[32]; // Last-Event-ID
    struct instant at;
    bool is_signed; // rightly
};

struct stage {
    struct loop *loop;
    struct http *http;
    struct crypto *crypto;
    struct loop_timer give_up;
    char authority[64];
    char credentials[64]; // path of a file with mode 600
    struct stage_request requests[STAGE_REQUESTS_MAX];
    size_t request_count;
    struct stage_reply replies[STAGE_REPLIES_MAX];
    size_t reply_count;
    int exit; // of the program
    char out[STAGE_TEXT_MAX], err[STAGE_TEXT_MAX];
    /* private */
    size_t out_len, err_len;
    int out_fd, err_fd;
    bool out_open, err_open;
    struct loop_watch out_watch, err_watch;
};

void stage_open(struct stage *s);
void stage_close(struct stage *s);
// The next answer; the last one is given again and again.
void stage_reply(struct stage *s, unsigned status, const char *body);
// Runs the program with the words of `command` and `input` on its standard input.
void stage_run(struct stage *s, const char *command, const char *input);
// The last line of standard output, in a buffer of its own.
const char *stage_result(struct stage *s);

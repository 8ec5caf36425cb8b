#include "ota-server/shell/egress.h"

#include "common/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000 // for the first worker to be ready
#define TICK_MS 1000
#define AGAIN_MS 100 // between two starts; twice as long after each in vain
#define AGAIN_MOST_MS 60000
#define MESSAGES_EACH 64 // that are read before others have their turn

// One request.
struct flight {
    uint64_t id;               // 0: free
    struct instant start, due; // due: it is left, or the worker is
    size_t answer_max;
    uint8_t *message; // that waits for a worker, or for room; NULL: sent
    size_t message_len;
    uint64_t ticket;
    post_done_fn *done;
    void *context;
};

struct egress {
    struct egress_options options;
    pid_t worker;
    int fd; // -1: there is none
    struct loop_watch watch;
    struct loop_timer timer;
    struct flight *flights;
    uint64_t last_id, losses;
    struct instant again_at; // when the next worker may start
    uint32_t again_ms;
    bool is_ready, is_useful; // it said so; and answered something
    uint8_t out[EGRESS_REQUEST_MAX];
    uint8_t in[EGRESS_ANSWER_MAX];
};

static struct instant now_of(const struct egress *e)
{
    return loop_now(e->options.loop);
}

// --- the end of a request ------------------------------------------------------------------------

static void drop_message(struct flight *f)
{
    uint8_t *message = f->message;
    f->message = NULL;
    if (message != NULL)
        secret_wipe(message, f->message_len);
    free(message);
}

static void finish(struct egress *e, struct flight *f, struct post_answer *answer)
{
    drop_message(f);
    const struct flight was = *f;
    *f = (struct flight){0};
    answer->took_ms = (uint32_t)(now_of(e).ms - was.start.ms);
    was.done(was.context, was.ticket, answer);
}

static void fail(struct egress *e, struct flight *f)
{
    struct post_answer answer = {.problem = POST_BROKEN, .retry_after_s = -1};
    finish(e, f, &answer);
}

// --- the worker ----------------------------------------------------------------------------------

static const char *exit_text(int status)
{
    if (!WIFEXITED(status))
        return "it was killed";
    switch (WEXITSTATUS(status)) { // octets
    case EGRESS_EXIT_DONE:
        return "it ended";
    case EGRESS_EXIT_MESSAGE:
        return "it did not understand the server";
    case EGRESS_EXIT_POST:
        return "sink-ca-file cannot be read, or name-server is no ADDRESS:PORT";
    case EGRESS_EXIT_FILES:
        return "it needs more open files than the system permits";
    case EGRESS_EXIT_USER:
        return "it may not become its egress-user";
    case EGRESS_EXIT_CONFINE:
        return "the system does not confine it";
    default:
        return "it broke";
    }
}

// Ends it, however it is; says how it had ended, when it had by itself.
static const char *end_worker(struct egress *e)
{
    int status = 0;
    loop_watch_close(&e->watch);
    if (e->fd >= 0)
        (void)close(e->fd);
    e->fd = -1;
    // One of another user is left to end by itself when we may not kill it.
    const bool is_killed = e->worker > 0 && kill(e->worker, SIGKILL) == 0;
    const bool is_known =
        e->worker > 0 && waitpid(e->worker, &status, is_killed ? 0 : WNOHANG) == e->worker;
    e->worker = 0;
    return is_known ? exit_text(status) : "it ended";
}

static bool spawn(struct egress *e, int fd)
{
    static char program[] = "ota-server";
    static char word[] = EGRESS_WORKER;
    static char *const arguments[] = {program, word, NULL};
    static char *const nothing[] = {NULL}; // of the environment: it needs none of it
    posix_spawn_file_actions_t files;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    // The program itself, also when its file was replaced meanwhile; with nothing open that is
    // ours.
    const bool is_started =
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO) == 0 &&
        posix_spawn_file_actions_adddup2(&files, fd, EGRESS_FD) == 0 &&
        posix_spawn_file_actions_addclosefrom_np(&files, EGRESS_FD + 1) == 0 &&
        posix_spawn(&e->worker, "/proc/self/exe", &files, NULL, arguments, nothing) == 0;
    (void)posix_spawn_file_actions_destroy(&files);
    return is_started;
}

static void ready(void *context, bool readable, bool writable);

static bool put(const struct egress *e, struct bytes message)
{
    return e->fd >= 0 && send(e->fd, message.at, message.len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
                             (ssize_t)message.len;
}

static bool start_worker(struct egress *e)
{
    int ends[2];
    struct writer w = writer_of(e->out, sizeof e->out);
    egress_settings_write(&w, &e->options.settings);
    e->is_ready = false;
    e->is_useful = false;
    e->again_at = instant_after(now_of(e), e->again_ms);
    if (w.failed || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    e->fd = ends[0];
    const bool is_started = spawn(e, ends[1]);
    (void)close(ends[1]);
    if (!is_started || !put(e, writer_bytes(&w)) ||
        !loop_watch_open(&e->watch, e->options.loop, e->fd, ready, e))
        return false;
    loop_watch_set(&e->watch, true, true);
    return true;
}

// Requests that it had failed; the others wait for the next worker.
static void lose_worker(struct egress *e, const char *why)
{
    const char *how = end_worker(e);
    struct log *log = e->options.log;
    e->losses++;
    log_begin(log, LOG_ERROR, loop_utc(e->options.loop), "egress.lost");
    log_string(log, "reason", why != NULL ? why : how);
    log_end(log);
    const uint32_t twice_ms = e->again_ms < AGAIN_MOST_MS ? 2 * e->again_ms : AGAIN_MOST_MS;
    e->again_ms = e->is_useful ? AGAIN_MS : twice_ms;
    loop_timer_set(&e->timer, now_of(e));
    for (uint32_t i = 0; i < e->options.settings.at_once; i++) {
        struct flight *f = &e->flights[i];
        if (f->id != 0 && f->message == NULL)
            fail(e, f);
    }
}

// --- sending -------------------------------------------------------------------------------------

// In any order: a place that waits for another is not asked for before that one has ended.
static void put_waiting(struct egress *e)
{
    bool is_full = false;
    for (uint32_t i = 0; i < e->options.settings.at_once && !is_full; i++) {
        struct flight *f = &e->flights[i];
        if (f->message == NULL)
            continue;
        is_full = !put(e, bytes_of(f->message, f->message_len));
        if (is_full)
            continue;
        drop_message(f);
        f->due = instant_after(now_of(e), e->options.silent_ms);
    }
    if (e->fd >= 0)
        loop_watch_set(&e->watch, true, is_full);
}

bool egress_send(struct egress *e, const struct post_request *r)
{
    struct flight *f = e->flights;
    struct flight *end = e->flights + e->options.settings.at_once;
    struct writer w = writer_of(e->out, sizeof e->out);
    while (f < end && f->id != 0)
        f++;
    egress_request_write(&w, e->last_id + 1, r);
    uint8_t *message = f < end && !w.failed ? malloc(w.len) : NULL;
    if (message != NULL)
        memcpy(message, e->out, w.len);
    secret_wipe(e->out, w.len);
    if (message == NULL)
        return false;
    const struct instant now = now_of(e);
    *f = (struct flight){.id = ++e->last_id,
                         .start = now,
                         .due = instant_after(now, e->options.silent_ms),
                         .answer_max = r->answer_max,
                         .message = message,
                         .message_len = w.len,
                         .ticket = r->ticket,
                         .done = r->done,
                         .context = r->context};
    put_waiting(e);
    return true;
}

// --- receiving -----------------------------------------------------------------------------------

static struct flight *flight_of(struct egress *e, uint64_t id)
{
    for (uint32_t i = 0; i < e->options.settings.at_once; i++) {
        struct flight *f = &e->flights[i];
        if (f->id == id && f->message == NULL)
            return f;
    }
    return NULL;
}

// False for what no worker of ours says.
static bool take(struct egress *e, struct bytes message)
{
    struct egress_answer said;
    if (egress_ready_read(message)) {
        const bool is_first = !e->is_ready;
        e->is_ready = true;
        return is_first;
    }
    if (!e->is_ready || !egress_answer_read(message, &said) || said.id == 0)
        return false;
    struct flight *f = flight_of(e, said.id);
    if (f == NULL || said.body.len > f->answer_max)
        return false;
    struct post_answer answer = {
        .problem = said.problem, .status = said.status, .retry_after_s = -1, .body = said.body};
    if (said.has_retry_after)
        answer.retry_after_s = said.retry_after_s;
    e->is_useful = true;
    finish(e, f, &answer);
    return true;
}

static void ready(void *context, bool readable, bool writable)
{
    struct egress *e = context;
    if (writable)
        put_waiting(e);
    for (unsigned i = 0; readable && i < MESSAGES_EACH; i++) {
        // The length that it had, also when it was longer than the room.
        const ssize_t len = recv(e->fd, e->in, sizeof e->in, MSG_DONTWAIT | MSG_TRUNC);
        if (len < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (len <= 0) {
            lose_worker(e, NULL);
            return;
        }
        const bool is_whole = (size_t)len <= sizeof e->in;
        const bool is_taken = is_whole && take(e, bytes_of(e->in, (size_t)len));
        secret_wipe(e->in, is_whole ? (size_t)len : sizeof e->in);
        if (!is_taken) {
            lose_worker(e, "it said what no worker says");
            return;
        }
    }
}

// --- time ----------------------------------------------------------------------------------------

static void tick(void *context, struct instant now)
{
    struct egress *e = context;
    bool is_silent = false;
    loop_timer_set(&e->timer, instant_after(now, TICK_MS));
    if (e->fd < 0 && instant_is_due(e->again_at, now) && !start_worker(e))
        lose_worker(e, "it cannot be started");
    put_waiting(e);
    for (uint32_t i = 0; i < e->options.settings.at_once; i++) {
        struct flight *f = &e->flights[i];
        if (f->id == 0 || !instant_is_due(f->due, now))
            continue;
        if (f->message != NULL)
            fail(e, f);
        else
            is_silent = true;
    }
    if (is_silent)
        lose_worker(e, "it is silent");
}

// --- opening and closing -------------------------------------------------------------------------

static const char *wait_for_ready(struct egress *e)
{
    struct pollfd answer = {.fd = e->fd, .events = POLLIN};
    if (poll(&answer, 1, START_MS) != 1)
        return "the worker does not start";
    const ssize_t len = recv(e->fd, e->in, sizeof e->in, MSG_DONTWAIT | MSG_TRUNC);
    if (len <= 0)
        return end_worker(e);
    return len == 1 && take(e, bytes_of(e->in, 1)) ? NULL : "the worker is not ours";
}

struct egress *egress_open(const struct egress_options *options, const char **reason)
{
    struct egress *e = calloc(1, sizeof *e);
    *reason = "not enough memory";
    if (e == NULL)
        return NULL;
    e->options = *options;
    e->fd = -1;
    e->again_ms = AGAIN_MS;
    e->flights = calloc(options->settings.at_once, sizeof *e->flights);
    if (e->flights != NULL && loop_timer_open(&e->timer, options->loop, tick, e)) {
        *reason = start_worker(e) ? wait_for_ready(e) : "the worker cannot be started";
        loop_timer_set(&e->timer, instant_after(now_of(e), TICK_MS));
    }
    if (*reason == NULL)
        return e;
    egress_close(e);
    return NULL;
}

void egress_close(struct egress *e)
{
    if (e == NULL)
        return;
    (void)end_worker(e);
    for (uint32_t i = 0; e->flights != NULL && i < e->options.settings.at_once; i++)
        drop_message(&e->flights[i]);
    loop_timer_close(&e->timer);
    free(e->flights);
    free(e);
}

uint64_t egress_losses(const struct egress *e)
{
    return e->losses;
}

#include "common/host/net.h"

#include "common/base/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_MAX 65536
#define ACCEPT_REST_MS 100
#define SHAKE_MS 10000 // for TLS with someone who connected

enum stream_state {
    STREAM_FREE,
    STREAM_CONNECTING,
    STREAM_SHAKING, // TLS
    STREAM_OPEN,
    STREAM_ENDED, // `closed` is due at the turn's end
};

struct net_stream {
    enum stream_state state;
    enum net_end end;
    struct net *net;
    struct net_listener *listener; // NULL: ours, to be freed
    struct net_stream *previous, *next;
    struct net_stream *dirty_next; // to be looked at when the turn ends
    bool dirty;
    int fd;
    struct loop_watch watch;
    struct loop_timer timer; // of a connection being made; then: octets that TLS still holds
    struct tls_session *tls; // NULL: plain
    struct tls *tls_rules;
    char *tls_name;
    bool waits_write; // TLS must write before it goes on
    const struct net_handler *handler;
    void *context;
    size_t read_max;
    bool is_prompt;
    bool paused, read_ended, finishing, finished, refused, blocked;
    uint8_t *output; // a ring
    size_t output_max, output_start, output_len;
};

struct net_listener {
    struct net *net;
    struct net_listener *next;
    int fd;
    struct loop_watch watch;
    struct loop_timer rest; // after the system ran out of descriptors
    struct net_limits limits;
    const struct net_handler *handler;
    void *context;
    uint64_t refused;
    struct net_stream *streams;
    uint8_t *outputs;
};

struct net {
    struct loop *loop;
    struct net_stream *streams;
    struct net_listener *listeners;
    struct net_stream *dirty, **dirty_last;
    struct loop_turn_end turn_end;
    uint8_t input[READ_MAX];
};

static void mark_dirty(struct net_stream *s)
{
    if (s->dirty)
        return;
    s->dirty = true;
    s->dirty_next = NULL;
    *s->net->dirty_last = s;
    s->net->dirty_last = &s->dirty_next;
    loop_wake(s->net->loop);
}

static void set_watch(struct net_stream *s)
{
    bool connecting = s->state == STREAM_CONNECTING;
    bool open = s->state == STREAM_OPEN;
    const bool shaking = s->state == STREAM_SHAKING;
    loop_watch_set(&s->watch, shaking || (open && !s->paused && !s->read_ended),
                   connecting || s->waits_write || (open && s->blocked));
}

static void end_stream(struct net_stream *s, enum net_end end)
{
    if (s->state == STREAM_ENDED)
        return;
    s->state = STREAM_ENDED;
    s->end = end;
    set_watch(s);
    mark_dirty(s);
}

static enum net_end end_of_errno(int error)
{
    if (error == ECONNRESET || error == EPIPE)
        return NET_END_RESET;
    if (error == ECONNREFUSED)
        return NET_END_REFUSED;
    if (error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL)
        return NET_END_UNREACHABLE;
    if (error == EPROTO)
        return NET_END_TLS;
    return error == ETIMEDOUT ? NET_END_TIMEOUT : NET_END_FAILED;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// What the socket's own calls would have said: octets, 0 at the end, or -1 and errno.
static ssize_t as_of_socket(struct net_stream *s, enum tls_status status, const size_t *octets)
{
    s->waits_write = status == TLS_WAIT_WRITE;
    if (status == TLS_OK || status == TLS_ENDED)
        return (ssize_t)*octets;
    errno = status == TLS_FAILED ? EPROTO : EAGAIN;
    return -1;
}

// The two functions that touch a connected socket.
static ssize_t stream_receive(struct net_stream *s, uint8_t *to, size_t len)
{
    size_t octets = 0;
    if (s->tls != NULL)
        return as_of_socket(s, tls_read(s->tls, to, len, &octets), &octets);
    ssize_t got = recv(s->fd, to, len, 0);
    const int on = 1;
    if (s->is_prompt && got > 0) // the system forgets it after some acknowledgements
        (void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    return got;
}

static ssize_t stream_send(struct net_stream *s)
{
    size_t first = s->output_max - s->output_start;
    if (first > s->output_len)
        first = s->output_len;
    if (s->tls != NULL) {
        size_t gone = 0;
        const struct bytes octets = bytes_of(s->output + s->output_start, first);
        return as_of_socket(s, tls_write(s->tls, octets, &gone), &gone);
    }
    if (first == s->output_len)
        return send(s->fd, s->output + s->output_start, first, MSG_NOSIGNAL);
    struct iovec pieces[2] = {{s->output + s->output_start, first},
                              {s->output, s->output_len - first}};
    return writev(s->fd, pieces, 2);
}

static void after_output(struct net_stream *s)
{
    if (s->output_len > 0)
        return;
    if (s->finishing && !s->finished) {
        s->finished = true;
        if (s->tls != NULL)
            tls_finish(s->tls);
        (void)shutdown(s->fd, SHUT_WR); // a failure shows at the next read
    }
    if (s->read_ended && s->finishing)
        end_stream(s, s->handler->ended ? NET_END_OWN : NET_END_PEER);
}

static void flush(struct net_stream *s)
{
    if (s->state != STREAM_OPEN)
        return;
    s->blocked = false;
    if (s->output_len > 0) {
        ssize_t sent = stream_send(s);
        if (sent < 0 && !is_passing(errno)) {
            end_stream(s, end_of_errno(errno));
            return;
        }
        size_t gone = sent > 0 ? (size_t)sent : 0;
        s->output_start = (s->output_start + gone) % s->output_max;
        s->output_len -= gone;
        if (s->output_len == 0)
            s->output_start = 0; // the next octets find warm memory
    }
    s->blocked = s->output_len > 0 || s->refused;
    after_output(s);
    set_watch(s);
}

static void on_end_of_input(struct net_stream *s)
{
    s->read_ended = true;
    set_watch(s);
    if (!s->handler->ended)
        s->finishing = true;
    else if (!s->finishing)
        s->handler->ended(s->context, s);
    mark_dirty(s);
}

static bool reads(const struct net_stream *s)
{
    return s->state == STREAM_OPEN && !s->paused && !s->read_ended;
}

static bool has_pending(const struct net_stream *s)
{
    return s->tls != NULL && tls_has_pending(s->tls);
}

static void on_readable(struct net_stream *s)
{
    do {
        ssize_t got = stream_receive(s, s->net->input, s->read_max);
        if (got > 0)
            s->handler->octets(s->context, s, bytes_of(s->net->input, (size_t)got));
        else if (got == 0)
            on_end_of_input(s);
        else if (!is_passing(errno))
            end_stream(s, end_of_errno(errno));
    } while (reads(s) && has_pending(s)); // of one record, at most
}

static void open_stream(struct net_stream *s)
{
    s->state = STREAM_OPEN;
    set_watch(s);
    if (s->handler->opened)
        s->handler->opened(s->context, s);
}

static void shake(struct net_stream *s)
{
    const enum tls_status status = tls_handshake(s->tls);
    s->waits_write = status == TLS_WAIT_WRITE;
    if (status == TLS_FAILED || status == TLS_ENDED) {
        end_stream(s, NET_END_TLS);
    } else if (status == TLS_OK) {
        loop_timer_set(&s->timer, INSTANT_NEVER);
        open_stream(s);
        if (reads(s) && has_pending(s))
            on_readable(s);
    } else {
        set_watch(s);
    }
}

static void begin(struct net_stream *s)
{
    if (s->tls_rules == NULL) {
        open_stream(s);
        return;
    }
    s->state = STREAM_SHAKING;
    s->tls = tls_session_open(s->tls_rules, s->fd, s->tls_name);
    if (s->tls == NULL)
        end_stream(s, NET_END_FAILED);
    else
        shake(s);
}

static void on_connected(struct net_stream *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    check(getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0);
    if (s->tls_rules == NULL)
        loop_timer_set(&s->timer, INSTANT_NEVER);
    if (error != 0) {
        end_stream(s, end_of_errno(error));
        return;
    }
    begin(s);
}

static void on_stream(void *context, bool readable, bool writable)
{
    struct net_stream *s = context;
    if (s->state == STREAM_CONNECTING) {
        on_connected(s);
        return;
    }
    if (s->state == STREAM_SHAKING) {
        shake(s);
        return;
    }
    if (writable) {
        bool refused = s->refused;
        s->refused = false;
        flush(s);
        if (refused && s->output_len > 0)
            s->refused = true;
        else if (refused && s->state == STREAM_OPEN && s->handler->drained)
            s->handler->drained(s->context, s);
    }
    if ((readable || s->waits_write) && s->state == STREAM_OPEN && !s->paused)
        on_readable(s);
}

static void on_timer(void *context, struct instant now)
{
    struct net_stream *s = context;
    (void)now;
    if (s->state == STREAM_CONNECTING || s->state == STREAM_SHAKING)
        end_stream(s, NET_END_TIMEOUT);
    else if (reads(s))
        on_readable(s);
}

// Gives descriptor and memory back; no callback.
static void release(struct net_stream *s)
{
    loop_timer_close(&s->timer);
    loop_watch_close(&s->watch);
    tls_session_close(s->tls);
    s->tls = NULL;
    (void)close(s->fd);
    if (s->previous)
        s->previous->next = s->next;
    else
        s->net->streams = s->next;
    if (s->next)
        s->next->previous = s->previous;
    if (s->listener) {
        s->state = STREAM_FREE;
        return;
    }
    free(s->output);
    free(s->tls_name);
    free(s);
}

static void on_turn_end(void *context, struct instant now)
{
    (void)now;
    struct net *net = context;
    struct net_stream *s = net->dirty;
    net->dirty = NULL;
    net->dirty_last = &net->dirty;
    while (s) {
        struct net_stream *next = s->dirty_next;
        s->dirty = false;
        flush(s);
        if (s->state == STREAM_ENDED && !s->dirty) {
            s->handler->closed(s->context, s, s->end);
            release(s);
        }
        s = next;
    }
}

struct net *net_open(struct loop *loop)
{
    struct net *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    net->loop = loop;
    net->dirty_last = &net->dirty;
    net->turn_end = (struct loop_turn_end){.end = on_turn_end, .context = net};
    loop_turn_end_add(loop, &net->turn_end);
    return net;
}

void net_close_all(struct net *net)
{
    if (!net)
        return;
    for (struct net_stream *s = net->streams, *next; s; s = next) {
        next = s->next;
        release(s);
    }
    while (net->listeners) {
        struct net_listener *l = net->listeners;
        net->listeners = l->next;
        net_listener_stop(l);
        free(l->streams);
        free(l->outputs);
        free(l);
    }
    loop_turn_end_remove(net->loop, &net->turn_end);
    free(net);
}

// Fills a stream whose output is in place; false when there is no memory for the watch.
static bool stream_start(struct net_stream *s, struct net *net, int fd, enum stream_state state)
{
    s->net = net;
    s->fd = fd;
    s->state = state;
    if (!loop_watch_open(&s->watch, net->loop, fd, on_stream, s))
        return false;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // slower without, not wrong
    s->next = net->streams;
    if (s->next)
        s->next->previous = s;
    net->streams = s;
    return true;
}

static struct net_stream *free_stream(struct net_listener *l, size_t *index)
{
    for (*index = 0; *index < l->limits.stream_max; ++*index) {
        if (l->streams[*index].state == STREAM_FREE)
            return &l->streams[*index];
    }
    return NULL;
}

static void on_rested(void *context, struct instant now)
{
    (void)now;
    struct net_listener *l = context;
    loop_watch_set(&l->watch, true, false);
}

static void on_accept(void *context, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct net_listener *l = context;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (!is_passing(errno) && errno != ECONNABORTED) { // trying again at once would only spin
            loop_watch_set(&l->watch, false, false);
            loop_timer_set(&l->rest, instant_after(loop_now(l->net->loop), ACCEPT_REST_MS));
        }
        return;
    }
    size_t index;
    struct net_stream *s = free_stream(l, &index);
    if (s) {
        *s = (struct net_stream){.listener = l,
                                 .handler = l->handler,
                                 .context = l->context,
                                 .read_max = l->limits.read_max,
                                 .is_prompt = l->limits.is_prompt,
                                 .tls_rules = l->limits.tls,
                                 .output = l->outputs + index * l->limits.output_max,
                                 .output_max = l->limits.output_max};
        if (loop_timer_open(&s->timer, l->net->loop, on_timer, s) &&
            stream_start(s, l->net, fd, STREAM_OPEN)) {
            if (s->tls_rules != NULL)
                loop_timer_set(&s->timer, instant_after(loop_now(l->net->loop), SHAKE_MS));
            begin(s);
            return;
        }
        loop_timer_close(&s->timer);
        s->state = STREAM_FREE;
    }
    l->refused++;
    (void)close(fd);
}

static void check_limits(const struct net_limits *limits)
{
    check(limits->read_max > 0 && limits->read_max <= READ_MAX && limits->output_max > 0);
}

static enum net_error listener_bind(struct net_listener *l, const struct net_address *address)
{
    enum net_error error = net_bind(address, &l->fd);
    if (error != NET_OK)
        return error;
    bool opened = loop_timer_open(&l->rest, l->net->loop, on_rested, l) &&
                  loop_watch_open(&l->watch, l->net->loop, l->fd, on_accept, l);
    return opened ? NET_OK : NET_NO_RESOURCES;
}

enum net_error net_listen(struct net *net, const struct net_address *address,
                          const struct net_limits *limits, const struct net_handler *handler,
                          void *context, struct net_listener **listener)
{
    check_limits(limits);
    check(limits->stream_max > 0);
    struct net_listener *l = calloc(1, sizeof *l);
    if (!l)
        return NET_NO_RESOURCES;
    *l = (struct net_listener){
        .net = net, .fd = -1, .limits = *limits, .handler = handler, .context = context};
    l->streams = calloc(limits->stream_max, sizeof *l->streams);
    l->outputs = calloc(limits->stream_max, limits->output_max);
    enum net_error error = l->streams && l->outputs ? listener_bind(l, address) : NET_NO_RESOURCES;
    if (error != NET_OK) {
        net_listener_stop(l);
        free(l->streams);
        free(l->outputs);
        free(l);
        return error;
    }
    loop_watch_set(&l->watch, true, false);
    l->next = net->listeners;
    net->listeners = l;
    *listener = l;
    return NET_OK;
}

void net_listener_address(const struct net_listener *listener, struct net_address *address)
{
    address->len = sizeof address->at;
    check(getsockname(listener->fd, (struct sockaddr *)&address->at, &address->len) == 0);
}

uint64_t net_listener_refused(const struct net_listener *listener)
{
    return listener->refused;
}

void net_listener_stop(struct net_listener *listener)
{
    loop_timer_close(&listener->rest);
    loop_watch_close(&listener->watch);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
}

static int connect_socket(const struct net_address *address, int *error)
{
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *error = 0;
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->at, address->len) != 0 &&
        errno != EINPROGRESS)
        *error = errno;
    return fd;
}

struct net_stream *net_connect(struct net *net, const struct net_address *address,
                               const struct net_limits *limits, uint32_t timeout_ms,
                               const struct net_handler *handler, void *context)
{
    check_limits(limits);
    int error;
    int fd = connect_socket(address, &error);
    struct net_stream *s = calloc(1, sizeof *s);
    uint8_t *output = calloc(1, limits->output_max);
    char *name = limits->tls != NULL ? strdup(limits->tls_name) : NULL;
    if (fd >= 0 && s && output && (limits->tls == NULL || name)) {
        *s = (struct net_stream){.handler = handler,
                                 .context = context,
                                 .read_max = limits->read_max,
                                 .is_prompt = limits->is_prompt,
                                 .tls_rules = limits->tls,
                                 .tls_name = name,
                                 .output = output,
                                 .output_max = limits->output_max};
        if (loop_timer_open(&s->timer, net->loop, on_timer, s) &&
            stream_start(s, net, fd, STREAM_CONNECTING)) {
            loop_timer_set(&s->timer, instant_after(loop_now(net->loop), timeout_ms));
            set_watch(s);
            if (error != 0)
                end_stream(s, end_of_errno(error));
            return s;
        }
        loop_timer_close(&s->timer);
    }
    free(name);
    free(output);
    free(s);
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

void net_set_context(struct net_stream *stream, void *context)
{
    stream->context = context;
}

const char *net_end_reason(const struct net_stream *stream)
{
    return stream->end == NET_END_TLS && stream->tls != NULL ? tls_session_reason(stream->tls)
                                                             : net_end_name(stream->end);
}

void net_peer(const struct net_stream *stream, struct net_address *address)
{
    address->len = sizeof address->at;
    if (getpeername(stream->fd, (struct sockaddr *)&address->at, &address->len) != 0)
        *address = (struct net_address){.len = 0};
}

size_t net_room(const struct net_stream *stream)
{
    bool writes = stream->state == STREAM_OPEN && !stream->finishing;
    return writes ? stream->output_max - stream->output_len : 0;
}

bool net_write(struct net_stream *stream, struct bytes octets)
{
    if (octets.len > net_room(stream)) {
        stream->refused = true;
        mark_dirty(stream);
        return false;
    }
    size_t at = (stream->output_start + stream->output_len) % stream->output_max;
    size_t first = stream->output_max - at;
    if (first > octets.len)
        first = octets.len;
    if (octets.len > 0) {
        memcpy(stream->output + at, octets.at, first);
        memcpy(stream->output, octets.at + first, octets.len - first);
    }
    stream->output_len += octets.len;
    mark_dirty(stream);
    return true;
}

void net_pause(struct net_stream *stream)
{
    stream->paused = true;
    set_watch(stream);
}

void net_resume(struct net_stream *stream)
{
    stream->paused = false;
    set_watch(stream);
    if (reads(stream) && has_pending(stream)) // the socket will not tell of it
        loop_timer_set(&stream->timer, loop_now(stream->net->loop));
}

void net_finish(struct net_stream *stream)
{
    if (stream->state == STREAM_CONNECTING || stream->state == STREAM_SHAKING) {
        net_close(stream);
        return;
    }
    stream->finishing = true;
    mark_dirty(stream);
}

void net_close(struct net_stream *stream)
{
    end_stream(stream, NET_END_OWN);
}

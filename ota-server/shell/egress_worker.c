#include "ota-server/shell/egress.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "ota-server/shell/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES_OF_OURS 64 // the loop, the resolver, what libraries open
#define FILES_EACH 4     // libcurl tries addresses side by side
#define REQUESTS_EACH 64 // that are read before others have their turn

struct worker {
    struct egress_settings settings;
    struct loop *loop;
    struct post *post;
    struct loop_watch watch;
    struct egress_request request;
    uint8_t message[EGRESS_ANSWER_MAX];
};

static _Noreturn void leave(enum egress_exit how)
{
    _exit(how);
}

// --- requests ------------------------------------------------------------------------------------

static bool is_allowed(void *context, const struct ip *address, bool is_literal)
{
    const struct worker *w = context;
    return egress_allows(w->settings.allowed, w->settings.allowed_count, address, is_literal);
}

// Waits for a server that is busy: nothing is lost meanwhile.
static void say(struct bytes message)
{
    if (send(EGRESS_FD, message.at, message.len, MSG_NOSIGNAL) != (ssize_t)message.len)
        leave(EGRESS_EXIT_DONE);
}

static void answered(void *context, uint64_t ticket, const struct post_answer *a)
{
    struct worker *w = context;
    const int64_t after_s = a->retry_after_s < UINT32_MAX ? a->retry_after_s : UINT32_MAX;
    const bool has_after = after_s >= 0;
    const struct egress_answer answer = {.id = ticket,
                                         .problem = a->problem,
                                         .status = (uint16_t)a->status,
                                         .has_retry_after = has_after,
                                         .retry_after_s = has_after ? (uint32_t)after_s : 0,
                                         .body = a->body};
    struct writer out = writer_of(w->message, sizeof w->message);
    egress_answer_write(&out, &answer);
    check(!out.failed);
    say(writer_bytes(&out));
    secret_wipe(w->message, out.len);
}

static void ask(struct worker *w, struct bytes message)
{
    struct egress_request *q = &w->request;
    const struct post_answer no_room = {.problem = POST_BROKEN, .retry_after_s = -1};
    if (!egress_request_read(message, q))
        leave(EGRESS_EXIT_MESSAGE);
    q->post.ticket = q->id;
    q->post.done = answered;
    q->post.context = w;
    const bool is_begun = post_send(w->post, &q->post);
    secret_wipe(q->text, sizeof q->text);
    if (!is_begun)
        answered(w, q->id, &no_room);
}

static bool take(struct worker *w, int flags, struct bytes *message)
{
    const ssize_t len = recv(EGRESS_FD, w->message, sizeof w->message, flags | MSG_TRUNC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (len <= 0)
        leave(EGRESS_EXIT_DONE);
    if ((size_t)len > sizeof w->message)
        leave(EGRESS_EXIT_MESSAGE);
    *message = bytes_of(w->message, (size_t)len);
    return true;
}

static void asked(void *context, bool readable, bool writable)
{
    struct worker *w = context;
    struct bytes message;
    (void)writable;
    for (unsigned i = 0; readable && i < REQUESTS_EACH && take(w, MSG_DONTWAIT, &message); i++) {
        ask(w, message);
        secret_wipe(w->message, message.len);
    }
}

// --- the start -----------------------------------------------------------------------------------

static bool open_post(struct worker *w)
{
    const struct egress_settings *s = &w->settings;
    w->loop = loop_open();
    if (w->loop == NULL)
        return false;
    const struct post_options options = {.loop = w->loop,
                                         .dns_server =
                                             s->name_server[0] != '\0' ? s->name_server : NULL,
                                         .ca_file = s->ca_file[0] != '\0' ? s->ca_file : NULL,
                                         .at_once = s->at_once,
                                         .is_allowed = is_allowed,
                                         .context = w};
    w->post = post_open(&options);
    return w->post != NULL && loop_watch_open(&w->watch, w->loop, EGRESS_FD, asked, w);
}

// It lasts as long as the server does, which ends it: not what is said to both.
static void mind_only_the_server(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaction(numbers[i], &ignore, NULL);
}

static bool limit(uint32_t at_once)
{
    const struct rlimit nothing = {0, 0};
    const rlim_t least = at_once + FILES_OF_OURS;
    struct rlimit files;
    if (setrlimit(RLIMIT_CORE, &nothing) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return false;
    const rlim_t most = (rlim_t)at_once * FILES_EACH + FILES_OF_OURS;
    if (files.rlim_max > most)
        files.rlim_max = most;
    files.rlim_cur = files.rlim_max;
    return files.rlim_max >= least && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

// Another user, if there is to be one, and in any case without rights beyond those of a user.
static bool become(const struct egress_settings *s)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    if (s->has_user && (setgroups(0, NULL) != 0 || setresgid(s->group, s->group, s->group) != 0 ||
                        setresuid(s->user, s->user, s->user) != 0))
        return false;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

void egress_work(void)
{
    static struct worker w;
    struct bytes message;
    uint8_t octet;
    if (!take(&w, 0, &message) || !egress_settings_read(message, &w.settings))
        leave(EGRESS_EXIT_MESSAGE);
    if (!limit(w.settings.at_once))
        leave(EGRESS_EXIT_FILES);
    if (!open_post(&w))
        leave(EGRESS_EXIT_POST);
    mind_only_the_server();
    if (!become(&w.settings))
        leave(EGRESS_EXIT_USER);
    if (!confine_worker())
        leave(EGRESS_EXIT_CONFINE);
    struct writer ready = writer_of(&octet, sizeof octet);
    egress_ready_write(&ready);
    say(writer_bytes(&ready));
    loop_watch_set(&w.watch, true, false);
    for (;;)
        loop_turn(w.loop);
}

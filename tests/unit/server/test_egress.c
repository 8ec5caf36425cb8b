// The process that makes requests, and what the server does about what it says. Workers of the
// tests are this program itself, which does what the name of the process that started it says: they
// have nothing else of it.
#include "ota-server/shell/confine.h"
#include "ota-server/shell/egress.h"
#include "tests/lib/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIND_SIZE 16 // of a process's name, with its end [prctl(2), PR_SET_NAME]

static void set_kind(const char *kind)
{
    assert_true(strlen(kind) < KIND_SIZE);
    assert_int_equal(prctl(PR_SET_NAME, kind), 0);
}

static void read_kind(char kind[KIND_SIZE])
{
    char path[40];
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)getppid());
    FILE *file = fopen(path, "r");
    const bool is_read = file != NULL && fgets(kind, KIND_SIZE, file) != NULL;
    if (file != NULL)
        (void)fclose(file);
    if (!is_read)
        exit(EXIT_FAILURE);
    kind[strcspn(kind, "\n")] = '\0';
}

// --- the workers ---------------------------------------------------------------------------------

static void say(const void *at, size_t len)
{
    if (send(EGRESS_FD, at, len, MSG_NOSIGNAL) != (ssize_t)len)
        _exit(EGRESS_EXIT_DONE);
}

static void answer(uint64_t id, unsigned status, struct bytes body)
{
    static uint8_t octets[EGRESS_ANSWER_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    const struct egress_answer a = {.id = id, .status = (uint16_t)status, .body = body};
    egress_answer_write(&w, &a);
    say(octets, w.len);
}

static void answer_wrongly(const char *kind, const struct egress_request *q)
{
    static uint8_t zeros[EGRESS_ANSWER_MAX + 1];
    const uint8_t ready = EGRESS_READY;
    if (strcmp(kind, "dies") == 0)
        _exit(EGRESS_EXIT_DONE);
    else if (strcmp(kind, "garbage") == 0)
        say("\x04garbage", 8);
    else if (strcmp(kind, "ready again") == 0)
        say(&ready, 1);
    else if (strcmp(kind, "of nobody") == 0)
        answer(q->id + 100, 204, bytes_of(NULL, 0));
    else if (strcmp(kind, "of number 0") == 0)
        answer(0, 204, bytes_of(NULL, 0));
    else if (strcmp(kind, "too much") == 0)
        answer(q->id, 200, bytes_of(zeros, q->post.answer_max + 1));
    else if (strcmp(kind, "no status") == 0)
        answer(q->id, 0, bytes_of(NULL, 0));
    else if (strcmp(kind, "beyond all") == 0)
        say(zeros, sizeof(zeros));
    else if (strcmp(kind, "silent") != 0) // "twice"
        answer(q->id, 204, bytes_of(NULL, 0));
}

static void work(const char *kind)
{
    static uint8_t octets[EGRESS_REQUEST_MAX];
    static struct egress_request q;
    const uint8_t ready = EGRESS_READY;
    if (strcmp(kind, "early") == 0)
        answer(1, 204, bytes_of(NULL, 0));
    ssize_t len = recv(EGRESS_FD, octets, sizeof(octets), 0); // the settings
    say(&ready, 1);
    len = recv(EGRESS_FD, octets, sizeof(octets), 0);
    while (len > 0 && egress_request_read(bytes_of(octets, (size_t)len), &q)) {
        if (strcmp(kind, "echo") == 0 || strcmp(kind, "twice") == 0)
            answer(q.id, 200, bytes_slice(q.post.body, 0, q.post.answer_max));
        if (strcmp(kind, "echo") != 0)
            answer_wrongly(kind, &q);
        len = recv(EGRESS_FD, octets, sizeof(octets), 0);
    }
    _exit(len > 0 ? EGRESS_EXIT_MESSAGE : EGRESS_EXIT_DONE);
}

// --- who asks ------------------------------------------------------------------------------------

#define REQUESTS 8

struct story {
    struct loop *loop;
    struct log log;
    struct egress *egress;
    struct egress_options options;
    unsigned told[REQUESTS];
    struct post_answer answers[REQUESTS];
    char bodies[REQUESTS][32];
    unsigned count;
};

static void told(void *context, uint64_t ticket, const struct post_answer *a)
{
    struct story *s = context;
    assert_true(ticket < REQUESTS && a->body.len < sizeof(s->bodies[0]));
    s->told[ticket]++;
    s->answers[ticket] = *a;
    bytes_copy(s->bodies[ticket], a->body);
    s->bodies[ticket][a->body.len] = '\0';
    s->count++;
}

static void ask_at(struct story *s, const char *url, uint16_t port, uint64_t ticket)
{
    static const char *const headers[] = {"Authorization: Bearer x", "Expect:", NULL};
    const struct post_request r = {.url = url,
                                   .host = bytes_of_text("127.0.0.1"),
                                   .port = port,
                                   .is_literal = true,
                                   .headers = headers,
                                   .body = bytes_of_text("what is asked"),
                                   .answer_max = 20,
                                   .ticket = ticket,
                                   .done = told,
                                   .context = s};
    assert_true(egress_send(s->egress, &r));
}

static void ask(struct story *s, uint64_t ticket)
{
    ask_at(s, "https://127.0.0.1/", 443, ticket);
}

static void wait_for(struct story *s, unsigned count)
{
    while (s->count < count)
        loop_turn(s->loop);
    assert_int_equal(s->count, count);
}

static const char *begin(struct story *s, const char *kind)
{
    const char *reason = NULL;
    *s = (struct story){.loop = loop_open()};
    assert_non_null(s->loop);
    log_init(&s->log, -1, LOG_TEXT, LOG_ERROR);
    s->options = (struct egress_options){.loop = s->loop,
                                         .log = &s->log,
                                         .silent_ms = EGRESS_SILENT_MS,
                                         .settings = {.at_once = REQUESTS}};
    set_kind(kind);
    s->egress = egress_open(&s->options, &reason);
    return reason;
}

static void end(struct story *s)
{
    egress_close(s->egress);
    loop_close(s->loop);
}

// --- messages ------------------------------------------------------------------------------------

static void what_is_said_is_read_back(void **state)
{
    (void)state;
    static uint8_t octets[EGRESS_REQUEST_MAX];
    static struct egress_request q;
    static struct egress_settings read;
    static const char *const headers[] = {"A: b", "C:", NULL};
    struct egress_settings s = {.at_once = 7,
                                .user = 65534,
                                .group = 99,
                                .has_user = true,
                                .ca_file = "/etc/ca.pem",
                                .name_server = "192.0.2.1:53",
                                .allowed_count = 1};
    assert_true(ip_network_read("10.0.0.0/8", &s.allowed[0]));
    struct writer w = writer_of(octets, sizeof(octets));
    egress_settings_write(&w, &s);
    assert_true(egress_settings_read(writer_bytes(&w), &read));
    assert_memory_equal(&read, &s, sizeof(s));
    for (size_t len = 0; len < w.len; len++)
        assert_false(egress_settings_read(bytes_of(octets, len), &read));
    const struct post_request p = {.url = "https://a.example/b",
                                   .host = bytes_of_text("a.example"),
                                   .port = 8443,
                                   .headers = headers,
                                   .is_get = true,
                                   .body = bytes_of_text("body"),
                                   .answer_max = 65536};
    w = writer_of(octets, sizeof(octets));
    egress_request_write(&w, 77, &p);
    assert_true(egress_request_read(writer_bytes(&w), &q));
    assert_int_equal(q.id, 77);
    assert_string_equal(q.post.url, p.url);
    assert_true(bytes_equal(q.post.host, p.host) && bytes_equal(q.post.body, p.body));
    assert_string_equal(q.post.headers[0], "A: b");
    assert_string_equal(q.post.headers[1], "C:");
    assert_null(q.post.headers[2]);
    assert_true(q.post.is_get && !q.post.is_literal);
    assert_int_equal(q.post.port, 8443);
    assert_int_equal(q.post.answer_max, 65536);
    for (size_t len = 0; len < w.len - p.body.len; len++)
        assert_false(egress_request_read(bytes_of(octets, len), &q));
    octets[20] = 0; // in the URL
    assert_false(egress_request_read(writer_bytes(&w), &q));
}

static bool reads(const char *octets, size_t len)
{
    struct egress_answer a;
    return egress_answer_read(bytes_of(octets, len), &a);
}
// kind, id, problem, status, retry: a flag and seconds, body
#define ID "\0\0\0\0\0\0\0\1"
#define ANSWER(problem, status, retry) "\4" ID problem status retry

static void an_answer_is_a_status_or_a_problem(void **state)
{
    (void)state;
    struct egress_answer a;
    assert_true(egress_answer_read(bytes_of(ANSWER("\0", "\0\xC8", "\1\0\0\0\7") "body", 21), &a));
    assert_int_equal(a.id, 1);
    assert_int_equal(a.status, 200);
    assert_true(a.has_retry_after);
    assert_int_equal(a.retry_after_s, 7);
    assert_true(bytes_equal(a.body, bytes_of_text("body")));
    assert_true(reads(ANSWER("\6", "\0\0", "\0\0\0\0\0"), 17));      // BROKEN, the last one
    assert_false(reads(ANSWER("\7", "\0\0", "\0\0\0\0\0"), 17));     // no such problem
    assert_false(reads(ANSWER("\6", "\0\xC8", "\0\0\0\0\0"), 17));   // with a status
    assert_false(reads(ANSWER("\6", "\0\0", "\1\0\0\0\0"), 17));     // with a time
    assert_false(reads(ANSWER("\6", "\0\0", "\0\0\0\0\1"), 17));     // one that is not there
    assert_false(reads(ANSWER("\6", "\0\0", "\0\0\0\0\0") "x", 18)); // with a body
    assert_false(reads(ANSWER("\0", "\0\0", "\0\0\0\0\0"), 17));     // neither
    assert_false(reads(ANSWER("\0", "\0\x63", "\0\0\0\0\0"), 17));   // 99
    assert_true(reads(ANSWER("\0", "\0\x64", "\0\0\0\0\0"), 17));    // 100
    assert_true(reads(ANSWER("\0", "\3\xE7", "\0\0\0\0\0"), 17));    // 999
    assert_false(reads(ANSWER("\0", "\3\xE8", "\0\0\0\0\0"), 17));   // 1000
    assert_false(reads(ANSWER("\0", "\0\xC8", "\2\0\0\0\0"), 17));   // a flag is 0 or 1
    assert_false(reads(ANSWER("\0", "\0\xC8", "\0\0\0\0\1"), 17));
    assert_false(reads("\3" ID "\0\0\xC8\0\0\0\0\0", 17)); // another kind
    for (size_t len = 0; len < 17; len++)
        assert_false(reads(ANSWER("\0", "\0\xC8", "\0\0\0\0\0"), len));
    assert_true(egress_ready_read(bytes_of("\3", 1)));
    assert_false(egress_ready_read(bytes_of("\3\3", 2)));
    assert_false(egress_ready_read(bytes_of("\4", 1)));
    assert_false(egress_ready_read(bytes_of(NULL, 0)));
}

static void a_body_of_an_answer_is_as_long_as_one_is_read(void **state)
{
    (void)state;
    static uint8_t octets[EGRESS_ANSWER_MAX + 1];
    static const uint8_t body[POST_ANSWER_MAX + 1];
    struct egress_answer a = {.id = 1, .status = 200, .body = bytes_of(body, POST_ANSWER_MAX)};
    struct writer w = writer_of(octets, EGRESS_ANSWER_MAX);
    egress_answer_write(&w, &a);
    assert_false(w.failed);
    assert_true(egress_answer_read(writer_bytes(&w), &a));
    a.body = bytes_of(body, POST_ANSWER_MAX + 1);
    w = writer_of(octets, sizeof(octets));
    egress_answer_write(&w, &a);
    assert_false(egress_answer_read(writer_bytes(&w), &a));
}

// --- the server's side ---------------------------------------------------------------------------

static void what_a_worker_says_reaches_who_asked(void **state)
{
    (void)state;
    struct story s;
    assert_null(begin(&s, "echo"));
    for (unsigned i = 0; i < REQUESTS; i++)
        ask(&s, i);
    wait_for(&s, REQUESTS);
    for (unsigned i = 0; i < REQUESTS; i++) {
        assert_int_equal(s.told[i], 1);
        assert_int_equal(s.answers[i].status, 200);
        assert_string_equal(s.bodies[i], "what is asked");
    }
    assert_int_equal(egress_losses(s.egress), 0);
    end(&s);
}

static void there_is_no_room_for_more_than_was_agreed(void **state)
{
    (void)state;
    struct story s;
    static const char *const headers[] = {NULL};
    assert_null(begin(&s, "echo"));
    const struct post_request r = {
        .url = "https://a/", .headers = headers, .done = told, .context = &s};
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_true(egress_send(s.egress, &r));
    assert_false(egress_send(s.egress, &r));
    wait_for(&s, REQUESTS);
    static const uint8_t long_one[EGRESS_REQUEST_MAX];
    struct post_request too_long = r;
    too_long.body = bytes_of(long_one, sizeof(long_one));
    assert_false(egress_send(s.egress, &too_long));
    end(&s);
}

static void a_worker_that_says_something_else_is_ended_and_another_one_works(void **state)
{
    (void)state;
    static const char *const kinds[] = {"dies",        "garbage",  "ready again", "of nobody",
                                        "of number 0", "too much", "no status",   "beyond all"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct story s;
        assert_null(begin(&s, kinds[i]));
        ask(&s, 0);
        ask(&s, 1);
        wait_for(&s, 2);
        for (unsigned k = 0; k < 2; k++) {
            assert_int_equal(s.told[k], 1);
            assert_int_equal(s.answers[k].problem, POST_BROKEN);
        }
        assert_int_equal(egress_losses(s.egress), 1);
        set_kind("echo");
        ask(&s, 2); // waits for it
        wait_for(&s, 3);
        assert_int_equal(s.answers[2].status, 200);
        assert_int_equal(egress_losses(s.egress), 1);
        end(&s);
    }
}

static void nothing_is_acknowledged_twice(void **state)
{
    (void)state;
    struct story s;
    assert_null(begin(&s, "twice"));
    ask(&s, 0);
    while (egress_losses(s.egress) == 0)
        loop_turn(s.loop);
    assert_int_equal(s.told[0], 1);
    assert_int_equal(s.answers[0].status, 200);
    end(&s);
}

static void a_worker_that_is_silent_is_ended(void **state)
{
    (void)state;
    struct story s;
    assert_null(begin(&s, "silent"));
    end(&s);
    s.count = 0;
    s.loop = loop_open();
    s.options.loop = s.loop;
    s.options.silent_ms = 50;
    const char *reason = NULL;
    s.egress = egress_open(&s.options, &reason);
    assert_non_null(s.egress);
    ask(&s, 0);
    wait_for(&s, 1);
    assert_int_equal(s.answers[0].problem, POST_BROKEN);
    assert_int_equal(egress_losses(s.egress), 1);
    end(&s);
}

static void a_worker_that_answers_before_it_is_asked_is_not_begun_with(void **state)
{
    (void)state;
    struct story s;
    assert_string_equal(begin(&s, "early"), "the worker is not ours");
    end(&s);
}

// --- the worker itself ---------------------------------------------------------------------------

// A port of this machine that nobody listens at.
static uint16_t deaf_port(int *fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin_port);
}

static void the_worker_judges_addresses(void **state)
{
    (void)state;
    struct story s;
    char url[64];
    int fd = -1;
    const uint16_t port = deaf_port(&fd);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
    assert_null(begin(&s, "real"));
    ask_at(&s, url, port, 0);
    wait_for(&s, 1);
    assert_int_equal(s.answers[0].problem, POST_ADDRESS_REFUSED);
    egress_close(s.egress);
    s.options.settings.allowed_count = 1;
    assert_true(ip_network_read("127.0.0.0/8", &s.options.settings.allowed[0]));
    const char *reason = NULL;
    s.egress = egress_open(&s.options, &reason);
    assert_null(reason);
    ask_at(&s, url, port, 1);
    wait_for(&s, 2);
    assert_int_equal(s.answers[1].problem, POST_NOT_CONNECTED);
    assert_int_equal(egress_losses(s.egress), 0);
    end(&s);
    close(fd);
}

static void the_worker_says_why_it_does_not_start(void **state)
{
    (void)state;
    struct story s;
    assert_null(begin(&s, "real"));
    egress_close(s.egress);
    const char *reason = NULL;
    snprintf(s.options.settings.ca_file, sizeof(s.options.settings.ca_file), "/nowhere/ca.pem");
    s.egress = egress_open(&s.options, &reason);
    assert_null(s.egress);
    assert_string_equal(reason, "sink-ca-file cannot be read, or name-server is no ADDRESS:PORT");
    s.options.settings.ca_file[0] = '\0';
    s.options.settings.at_once = 1u << 30;
    if (geteuid() != 0) { // who may become another user anyway
        s.options.settings.at_once = REQUESTS;
        s.options.settings.has_user = true;
        s.egress = egress_open(&s.options, &reason);
        assert_null(s.egress);
        assert_string_equal(reason, "it may not become its egress-user");
    }
    end(&s);
}

// The children of a process that is confined do not report: it says by its exit which line failed.
static void a_confined_process_opens_nothing(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        if (!confine_worker())
            _exit(1);
        if (open("/etc/hosts", O_RDONLY) >= 0 || errno != EPERM)
            _exit(2);
        if (fork() >= 0 || kill(getppid(), 0) == 0)
            _exit(3);
        if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_NETLINK, SOCK_RAW, 0) >= 0)
            _exit(4);
        if (socket(AF_INET, SOCK_STREAM, 0) < 0 || socket(AF_INET6, SOCK_DGRAM, 0) < 0)
            _exit(errno == EAFNOSUPPORT ? 0 : 5);
        (void)execl("/bin/true", "true", (char *)NULL);
        _exit(errno == EPERM ? 0 : 6);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

// What it needs for its worker is left to it.
static void a_confined_server_reaches_no_other_process(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        char octet;
        const struct iovec own = {.iov_base = &octet, .iov_len = 1};
        if (!confine_server())
            _exit(1);
        if (process_vm_readv(getppid(), &own, 1, &own, 1, 0) >= 0 || errno != EPERM)
            _exit(2);
        if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
            _exit(3);
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || listen(fd, 1) == 0 || errno != EPERM)
            _exit(4);
        if (socket(AF_ALG, SOCK_SEQPACKET, 0) >= 0 || errno != EPERM)
            _exit(5);
        if (open("/etc/hosts", O_RDONLY) < 0)
            _exit(6);
        (void)execl("/bin/true", "true", (char *)NULL);
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool can_make(const char *folder, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    return fd >= 0 && close(fd) == 0;
}

static int write_confined(const char *own, const char *other)
{
    const char *const folders[] = {own, "/nonexistent"};
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof from, "%s/a", own);
    (void)snprintf(to, sizeof to, "%s/in/a", own);
    if (!can_make(other, "before") || !confine_writes(folders, 2))
        return 1;
    if (!can_make(own, "a") || rename(from, to) != 0)
        return 2;
    if (can_make(other, "after") || errno != EACCES)
        return 3;
    (void)snprintf(from, sizeof from, "%s/before", other);
    if (unlink(from) == 0 || open(from, O_WRONLY) >= 0 || truncate(from, 0) == 0)
        return 4;
    if (open(from, O_RDONLY) < 0 || open("/dev/null", O_RDWR) < 0)
        return 5;
    (void)execl("/bin/sh", "sh", "-c", "! echo x 2> /dev/null > \"$0\"", from, (char *)NULL);
    return 6;
}

static void a_confined_server_writes_below_its_folders_alone(void **state)
{
    (void)state;
    char own[] = "/tmp/confined-XXXXXX";
    char other[] = "/tmp/elsewhere-XXXXXX";
    char path[128];
    assert_non_null(mkdtemp(own));
    assert_non_null(mkdtemp(other));
    (void)snprintf(path, sizeof path, "%s/in", own);
    assert_int_equal(mkdir(path, 0700), 0);
    // 2 and what renames and cuts take came later than the first kernels with Landlock.
    const bool is_there = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 3;
    const pid_t child = is_there ? fork() : 1;
    if (child == 0)
        _exit(write_confined(own, other));
    int status = 0;
    if (is_there)
        assert_int_equal(waitpid(child, &status, 0), child);
    static const char *const made[] = {"/in/a", "/in", ""};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", own, made[i]);
        (void)remove(path);
    }
    (void)snprintf(path, sizeof path, "%s/before", other);
    (void)unlink(path);
    assert_int_equal(rmdir(other), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    if (!is_there)
        skip();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_read_back),
        cmocka_unit_test(an_answer_is_a_status_or_a_problem),
        cmocka_unit_test(a_body_of_an_answer_is_as_long_as_one_is_read),
        cmocka_unit_test(what_a_worker_says_reaches_who_asked),
        cmocka_unit_test(there_is_no_room_for_more_than_was_agreed),
        cmocka_unit_test(a_worker_that_says_something_else_is_ended_and_another_one_works),
        cmocka_unit_test(nothing_is_acknowledged_twice),
        cmocka_unit_test(a_worker_that_is_silent_is_ended),
        cmocka_unit_test(a_worker_that_answers_before_it_is_asked_is_not_begun_with),
        cmocka_unit_test(the_worker_judges_addresses),
        cmocka_unit_test(the_worker_says_why_it_does_not_start),
        cmocka_unit_test(a_confined_process_opens_nothing),
        cmocka_unit_test(a_confined_server_reaches_no_other_process),
        cmocka_unit_test(a_confined_server_writes_below_its_folders_alone),
    };
    char kind[KIND_SIZE];
    if (argc != 2 || strcmp(argv[1], EGRESS_WORKER) != 0)
        return cmocka_run_group_tests(tests, NULL, NULL);
    read_kind(kind);
    if (strcmp(kind, "real") == 0)
        egress_work();
    work(kind);
    return EGRESS_EXIT_MESSAGE;
}

#include "tests/unit/otactl/stage.h"

#include "common/base/text.h"
#include "common/host/clock.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_hmac.h"
#include "tests/lib/cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE "/connectivity-management/v1"
#define WORDS_MAX 32
#define GIVE_UP_MS 20000 // a broken test ends; a right one never waits

static void put_pair(void *context, const char *name, const char *value)
{
    struct writer *w = context;
    text_put(w, w->len > 0 ? "&" : "");
    api_percent_encode(bytes_of_text(name), false, w);
    text_put(w, "=");
    api_percent_encode(bytes_of_text(value), false, w);
}

static struct bytes header(const struct http_request *r, const char *name)
{
    const char *value = http_header(r, name);
    return value != NULL ? bytes_of_text(value) : bytes_of(NULL, 0);
}

// The server's side of the signature, with the server's functions.
static bool is_rightly_signed(struct stage *s, struct http_request *r, struct bytes query)
{
    static uint8_t octets[AUTH_TEXT_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    struct auth_signature given;
    struct auth_signed_request q = {
        .method = bytes_of_text(http_method(r)),
        .authority = bytes_of_text(s->authority),
        .path = bytes_of_text(http_path(r)),
        .query = query,
        .content_type = header(r, "Content-Type"),
        .correlator = header(r, "x-correlator"),
        .idempotency_key = header(r, "Idempotency-Key"),
        .has_body = http_body(r).len > 0,
    };
    struct sha256 *sha = sha256_open();
    assert_true(sha256_add(sha, http_body(r)));
    assert_true(sha256_finish(sha, q.body_sha256));
    sha256_close(sha);
    if (!auth_signature_read(header(r, "Authorization"), &given))
        return false;
    assert_int_equal(auth_text(&w, &q, &given), AUTH_TEXT_OK);
    const struct bytes text = writer_bytes(&w);
    uint8_t mac[AUTH_MAC_SIZE];
    assert_true(crypto_hmac(s->crypto, bytes_of_text(STAGE_SECRET), &text, 1, mac));
    return memcmp(mac, given.mac, sizeof(mac)) == 0 &&
           bytes_equal(given.app_key, bytes_of_text(STAGE_APP_KEY));
}

static void keep(struct stage *s, struct http_request *r)
{
    assert_true(s->request_count < STAGE_REQUESTS_MAX);
    struct stage_request *kept = &s->requests[s->request_count++];
    char query[512];
    struct writer w = writer_of(query, sizeof(query));
    const char *path = http_path(r);
    http_query_each(r, put_pair, &w);
    kept->is_signed = is_rightly_signed(s, r, writer_bytes(&w));
    if (strncmp(path, BASE, strlen(BASE)) == 0)
        path += strlen(BASE);
    snprintf(kept->line, sizeof(kept->line), "%s %s%s%.*s", http_method(r), path,
             w.len > 0 ? "?" : "", (int)w.len, query);
    snprintf(kept->body, sizeof(kept->body), "%.*s", (int)http_body(r).len,
             http_body(r).len > 0 ? (const char *)http_body(r).at : "");
    const char *key = http_header(r, "Idempotency-Key");
    snprintf(kept->key, sizeof(kept->key), "%s", key != NULL ? key : "");
    const char *last = http_header(r, "Last-Event-ID");
    snprintf(kept->last, sizeof(kept->last), "%s", last != NULL ? last : "");
    kept->at = clock_instant();
}

static void complete(void *context, struct http_request *r)
{
    struct stage *s = context;
    struct http_field fields[2];
    size_t count = 0;
    keep(s, r);
    assert_true(s->reply_count > 0);
    const size_t at =
        s->request_count <= s->reply_count ? s->request_count - 1 : s->reply_count - 1;
    const struct stage_reply *reply = &s->replies[at];
    if (reply->retry_after != NULL)
        fields[count++] = (struct http_field){"Retry-After", reply->retry_after};
    if (reply->date != NULL)
        fields[count++] = (struct http_field){"Date", reply->date};
    http_reply(r, reply->status, "application/json", fields, count,
               reply->body != NULL ? bytes_of_text(reply->body) : bytes_of(NULL, 0));
}

static void on_give_up(void *context, struct instant now)
{
    (void)now;
    fail_msg("the program did not end; so far: %s", ((struct stage *)context)->err);
}

static void write_credentials(struct stage *s)
{
    char text[256];
    snprintf(s->credentials, sizeof(s->credentials), "/tmp/otactl-test-XXXXXX");
    const int fd = mkstemp(s->credentials);
    assert_true(fd >= 0);
    const int len =
        snprintf(text, sizeof(text), "# test\nurl = http://%s/\nappkey=%s\nappsecret=%s\n",
                 s->authority, STAGE_APP_KEY, STAGE_SECRET);
    assert_int_equal(write(fd, text, (size_t)len), len);
    close(fd);
}

void stage_open(struct stage *s)
{
    static const struct http_handler handler = {.complete = complete};
    struct net_address address;
    memset(s, 0, sizeof(*s));
    s->loop = loop_open();
    assert_non_null(s->loop);
    s->crypto = crypto_open();
    assert_non_null(s->crypto);
    assert_true(loop_timer_open(&s->give_up, s->loop, on_give_up, s));
    assert_int_equal(net_resolve("127.0.0.1:0", &address), NET_OK);
    struct http_limits limits = http_limits_default();
    limits.body_max = 1 << 20;
    assert_int_equal(http_open(s->loop, &address, &limits, &handler, s, &s->http), NET_OK);
    http_address(s->http, &address);
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_format(&address, text);
    snprintf(s->authority, sizeof(s->authority), "%s", text);
    write_credentials(s);
}

void stage_close(struct stage *s)
{
    unlink(s->credentials);
    if (s->http != NULL)
        http_close(s->http);
    loop_timer_close(&s->give_up);
    loop_close(s->loop);
    crypto_close(s->crypto);
}

void stage_reply(struct stage *s, unsigned status, const char *body)
{
    assert_true(s->reply_count < STAGE_REPLIES_MAX);
    s->replies[s->reply_count++] = (struct stage_reply){status, body, "0", NULL};
}

// --- the program ---

static bool take(int fd, char *text, size_t *len)
{
    const ssize_t got = read(fd, text + *len, STAGE_TEXT_MAX - 1 - *len);
    if (got > 0)
        *len += (size_t)got;
    text[*len] = '\0';
    return got > 0;
}

static void out_ready(void *context, bool readable, bool writable)
{
    struct stage *s = context;
    (void)readable;
    (void)writable;
    s->out_open = take(s->out_fd, s->out, &s->out_len);
    loop_watch_set(&s->out_watch, s->out_open, false);
}

static void err_ready(void *context, bool readable, bool writable)
{
    struct stage *s = context;
    (void)readable;
    (void)writable;
    s->err_open = take(s->err_fd, s->err, &s->err_len);
    loop_watch_set(&s->err_watch, s->err_open, false);
}

static _Noreturn void become(const struct stage *s, const char *command, const int fds[3])
{
    static char words[4096];
    char *argv[WORDS_MAX] = {(char *)"otactl"};
    size_t count = 1;
    snprintf(words, sizeof(words), "%s", command);
    // Words are separated by "|", so that they can hold spaces.
    for (char *at = words; at != NULL && *at != '\0' && count + 1 < WORDS_MAX;) {
        argv[count++] = at;
        at = strchr(at, '|');
        if (at != NULL)
            *at++ = '\0';
    }
    (void)setenv("OTARIA_CREDENTIALS", s->credentials, 1);
    (void)unsetenv("OTARIA_URL");
    (void)unsetenv("OTARIA_APPKEY");
    (void)unsetenv("OTARIA_APPSECRET");
    if (dup2(fds[0], 0) < 0 || dup2(fds[1], 1) < 0 || dup2(fds[2], 2) < 0)
        _exit(126);
    execv(OTACTL, argv);
    _exit(127);
}

static int open_input(const char *input)
{
    char path[] = "/tmp/otactl-input-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, input, strlen(input)), (ssize_t)strlen(input));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

void stage_run(struct stage *s, const char *command, const char *input)
{
    int out[2];
    int err[2];
    s->request_count = 0;
    s->out_len = s->err_len = 0;
    s->out[0] = s->err[0] = '\0';
    const int in = open_input(input);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become(s, command, (int[]){in, out[1], err[1]});
    close(in);
    close(out[1]);
    close(err[1]);
    s->out_fd = out[0];
    s->err_fd = err[0];
    s->out_open = s->err_open = true;
    assert_true(loop_watch_open(&s->out_watch, s->loop, s->out_fd, out_ready, s));
    assert_true(loop_watch_open(&s->err_watch, s->loop, s->err_fd, err_ready, s));
    loop_watch_set(&s->out_watch, true, false);
    loop_watch_set(&s->err_watch, true, false);
    loop_timer_set(&s->give_up, instant_after(clock_instant(), GIVE_UP_MS));
    while (s->out_open || s->err_open)
        loop_turn(s->loop);
    loop_timer_set(&s->give_up, INSTANT_NEVER);
    loop_watch_close(&s->out_watch);
    loop_watch_close(&s->err_watch);
    close(s->out_fd);
    close(s->err_fd);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    s->exit = WEXITSTATUS(status);
}

const char *stage_result(struct stage *s)
{
    static char line[1024];
    const char *end = s->out + s->out_len;
    assert_true(s->out_len > 0 && end[-1] == '\n');
    const char *start = end - 1;
    while (start > s->out && start[-1] != '\n')
        start--;
    snprintf(line, sizeof(line), "%.*s", (int)(end - 1 - start), start);
    return line;
}

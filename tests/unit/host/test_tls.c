// TLS under streams: who is believed, who is not, and that nothing is lost on the way.
#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/net.h"
#include "tests/lib/certificates.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIVE_UP_MS 20000 // a broken test ends; a right one never waits
#define PATH_SIZE 512
#define DAY 86400
#define LONG 300000u

static char folder[] = "/tmp/otaria-tls-XXXXXX";
#define HOST "DNS:smsc.example.net"
static const struct certificate_wish WISHES[] = {
    {"ca", NULL, NULL, 0, 0},
    {"stranger-ca", NULL, NULL, 0, 0},
    {"server", "ca", HOST, 0, 0},
    {"address", "ca", "IP:127.0.0.1", 0, 0},
    {"expired", "ca", HOST, -2 * DAY, -DAY},
    {"unborn", "ca", HOST, DAY, 2 * DAY},
    {"other-name", "ca", "DNS:smsc.example.org", 0, 0},
    {"lonely", NULL, HOST, 0, 0},
    {"client", "ca", NULL, 0, 0},
    {"old-client", "ca", NULL, -2 * DAY, -DAY},
    {"stranger", "stranger-ca", HOST, 0, 0},
};
#define WISH_COUNT (sizeof WISHES / sizeof WISHES[0])

struct end {
    struct net_stream *stream;
    size_t received;
    uint8_t sum;
    unsigned opened, closed;
    enum net_end why;
    char reason[TLS_REASON_SIZE];
};

static struct loop *loop;
static struct net *net;
static struct loop_timer give_up;
static struct net_address address;
static struct end server, client;
static struct tls *server_tls, *client_tls;

static void on_opened(void *context, struct net_stream *stream)
{
    struct end *e = context;
    e->stream = stream;
    e->opened++;
}

static void on_octets(void *context, struct net_stream *stream, struct bytes octets)
{
    struct end *e = context;
    (void)stream;
    for (size_t i = 0; i < octets.len; i++)
        e->sum = (uint8_t)(e->sum * 31 + octets.at[i]);
    e->received += octets.len;
}

static void on_closed(void *context, struct net_stream *stream, enum net_end end)
{
    struct end *e = context;
    e->stream = NULL;
    e->why = end;
    e->closed++;
    (void)snprintf(e->reason, sizeof e->reason, "%s", net_end_reason(stream));
}

static const struct net_handler HANDLER = {
    .opened = on_opened, .octets = on_octets, .closed = on_closed};

static void on_give_up(void *context, struct instant now)
{
    (void)context;
    (void)now;
    fail_msg("the peer did not do its part");
}

static const char *path(const char *name, const char *kind, char text[PATH_SIZE])
{
    text[0] = '\0';
    if (name != NULL)
        (void)snprintf(text, PATH_SIZE, "%s/%s.%s", folder, name, kind);
    return text;
}

static struct tls *rules(bool is_server, const char *name, const char *ca)
{
    char certificate[PATH_SIZE];
    char key[PATH_SIZE];
    char ca_file[PATH_SIZE];
    char reason[TLS_REASON_SIZE] = "";
    const struct tls_options options = {.is_server = is_server,
                                        .certificate_file = path(name, "crt", certificate),
                                        .key_file = path(name, "key", key),
                                        .ca_file = path(ca, "crt", ca_file)};
    struct tls *t = tls_open(&options, reason);
    if (t == NULL)
        fail_msg("%s", reason);
    return t;
}

// Listens as `name`, and trusts clients of `ca`.
static void listen_as(const char *name, const char *ca)
{
    struct net_listener *listener;
    server_tls = rules(true, name, ca);
    const struct net_limits limits = {
        .read_max = 4096, .output_max = 8192, .stream_max = 2, .tls = server_tls};
    assert_int_equal(net_resolve("127.0.0.1:0", &address), NET_OK);
    assert_int_equal(net_listen(net, &address, &limits, &HANDLER, &server, &listener), NET_OK);
    net_listener_address(listener, &address);
}

// Connects as `name`, and wants to meet `whom` of `ca`.
static void connect_as(const char *name, const char *whom, const char *ca)
{
    client_tls = rules(false, name, ca);
    const struct net_limits limits = {
        .read_max = 1000, .output_max = 8192, .stream_max = 1, .tls = client_tls, .tls_name = whom};
    assert_non_null(net_connect(net, &address, &limits, GIVE_UP_MS, &HANDLER, &client));
}

static int start(void **state)
{
    (void)state;
    server = client = (struct end){0};
    server_tls = client_tls = NULL;
    loop = loop_open();
    net = net_open(loop);
    if (net == NULL || !loop_timer_open(&give_up, loop, on_give_up, NULL))
        return 1;
    loop_timer_set(&give_up, instant_after(clock_instant(), GIVE_UP_MS));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    net_close_all(net);
    loop_timer_close(&give_up);
    loop_close(loop);
    tls_close(server_tls);
    tls_close(client_tls);
    return 0;
}

static void octets_travel_in_both_directions_and_none_is_lost(void **state)
{
    (void)state;
    static const char *const whom[][2] = {{"server", "smsc.example.net"}, {"address", "127.0.0.1"}};
    for (size_t i = 0; i < 2; i++) {
        listen_as(whom[i][0], NULL);
        connect_as(NULL, whom[i][1], "ca");
        while (!client.opened || !server.opened)
            loop_turn(loop);
        uint8_t sum = 0;
        uint8_t value = 0;
        size_t sent = 0;
        while (server.received < LONG || client.received < LONG) {
            uint8_t block[700];
            while (sent < LONG && net_room(client.stream) >= sizeof block &&
                   net_room(server.stream) >= sizeof block) {
                const size_t len = LONG - sent < sizeof block ? LONG - sent : sizeof block;
                for (size_t k = 0; k < len; k++) {
                    block[k] = value++;
                    sum = (uint8_t)(sum * 31 + block[k]);
                }
                assert_true(net_write(client.stream, bytes_of(block, len)));
                assert_true(net_write(server.stream, bytes_of(block, len)));
                sent += len;
            }
            loop_turn(loop);
        }
        assert_int_equal(server.sum, sum);
        assert_int_equal(client.sum, sum);
        (void)stop(state);
        assert_int_equal(start(state), 0);
    }
}

// A record is deciphered whole: what was not taken of it must not wait for more octets.
static void a_paused_stream_gets_the_rest_when_it_goes_on(void **state)
{
    (void)state;
    const uint8_t block[8000] = {1};
    listen_as("server", NULL);
    connect_as(NULL, "smsc.example.net", "ca");
    while (!client.opened || !server.opened)
        loop_turn(loop);
    net_pause(client.stream);
    assert_true(net_write(server.stream, bytes_of(block, sizeof block)));
    for (int i = 0; i < 20; i++) {
        loop_wake(loop);
        loop_turn(loop);
    }
    assert_int_equal(client.received, 0);
    net_resume(client.stream);
    while (client.received < sizeof block)
        loop_turn(loop);
    net_finish(server.stream);
    while (!client.closed || !server.closed)
        loop_turn(loop);
    assert_int_equal(client.why, NET_END_PEER);
    assert_int_equal(server.why, NET_END_PEER);
}

static void expect_refusal(const char *ours, const char *theirs)
{
    while (!client.closed || !server.closed)
        loop_turn(loop);
    assert_int_equal(client.why, NET_END_TLS);
    assert_non_null(strstr(client.reason, ours));
    assert_int_equal(server.opened, 0);
    assert_int_equal(server.why, NET_END_TLS);
    assert_non_null(strstr(server.reason, theirs));
}

static void a_server_that_is_not_believed_is_left(void **state)
{
    (void)state;
    static const struct {
        const char *name, *whom, *ours, *theirs;
    } rows[] = {
        {"expired", "smsc.example.net", "certificate has expired", "certificate expired"},
        {"unborn", "smsc.example.net", "certificate is not yet valid", "bad certificate"},
        {"other-name", "smsc.example.net", "hostname mismatch", "bad certificate"},
        {"server", "example.net", "hostname mismatch", "bad certificate"},
        {"server", "127.0.0.1", "IP address mismatch", "bad certificate"},
        {"stranger", "smsc.example.net", "unable to get local issuer certificate", "unknown ca"},
        {"lonely", "smsc.example.net", "self-signed certificate", "unknown ca"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listen_as(rows[i].name, NULL);
        connect_as(NULL, rows[i].whom, "ca");
        expect_refusal(rows[i].ours, rows[i].theirs);
        assert_int_equal(client.opened, 0);
        (void)stop(state);
        assert_int_equal(start(state), 0);
    }
}

static void a_client_of_the_ca_is_let_in(void **state)
{
    (void)state;
    listen_as("server", "ca");
    connect_as("client", "smsc.example.net", "ca");
    while (!client.opened || !server.opened)
        loop_turn(loop);
}

static void a_client_that_is_not_believed_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ours, *theirs;
    } rows[] = {
        {NULL, "certificate required", "peer did not return a certificate"},
        {"old-client", "certificate expired", "certificate has expired"},
        {"stranger", "unknown ca", "unable to get local issuer certificate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listen_as("server", "ca");
        connect_as(rows[i].name, "smsc.example.net", "ca");
        expect_refusal(rows[i].ours, rows[i].theirs);
        (void)stop(state);
        assert_int_equal(start(state), 0);
    }
}

// OpenSSL by itself, as the peer: what we would not do.
static void old_versions_and_weak_ciphers_are_refused(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *ciphers, *reason;
    } rows[] = {{TLS1_VERSION, "ALL:@SECLEVEL=0", "unsupported protocol"},
                {TLS1_1_VERSION, "ALL:@SECLEVEL=0", "unsupported protocol"},
                {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA:AES128-SHA", "no shared cipher"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        listen_as("server", NULL);
        const int fd = socket(address.at.ss_family, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address.at, address.len), 0);
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        assert_int_equal(SSL_CTX_set_min_proto_version(context, rows[i].version), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(context, rows[i].version), 1);
        assert_int_equal(SSL_CTX_set_cipher_list(context, rows[i].ciphers), 1);
        SSL *ssl = SSL_new(context);
        BIO *sent = BIO_new(BIO_s_mem()); // its first words, without waiting for an answer
        BIO *came = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl, came, sent);
        (void)SSL_connect(ssl);
        uint8_t hello[1000];
        const int len = BIO_read(sent, hello, sizeof hello);
        assert_true(len > 0);
        assert_int_equal(write(fd, hello, (size_t)len), len);
        while (!server.closed)
            loop_turn(loop);
        assert_int_equal(server.opened, 0);
        assert_int_equal(server.why, NET_END_TLS);
        assert_string_equal(server.reason, rows[i].reason);
        uint8_t alert[7] = {0};
        assert_int_equal(read(fd, alert, sizeof alert), 7);
        assert_int_equal(alert[0], 21);              // alert [RFC 5246 §6.2.1]
        assert_int_equal(alert[5], 2);               // fatal
        assert_int_equal(alert[6], i < 2 ? 70 : 40); // protocol_version, handshake_failure
        SSL_free(ssl);
        SSL_CTX_free(context);
        (void)close(fd);
        (void)stop(state);
        assert_int_equal(start(state), 0);
    }
}

static void who_does_not_speak_tls_is_refused(void **state)
{
    (void)state;
    static const uint8_t bind[] = {0, 0, 0, 16, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1};
    listen_as("server", NULL);
    const int fd = socket(address.at.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address.at, address.len), 0);
    assert_int_equal(write(fd, bind, sizeof bind), sizeof bind);
    while (!server.closed)
        loop_turn(loop);
    assert_int_equal(server.opened, 0);
    assert_int_equal(server.why, NET_END_TLS);
    (void)close(fd);
}

static void a_wrong_file_is_named(void **state)
{
    (void)state;
    char certificate[PATH_SIZE];
    char key[PATH_SIZE];
    char other[PATH_SIZE];
    char reason[TLS_REASON_SIZE];
    struct tls_options options = {.is_server = true,
                                  .certificate_file = path("server", "crt", certificate),
                                  .key_file = path("client", "key", key),
                                  .ca_file = ""};
    assert_null(tls_open(&options, reason));
    assert_non_null(strstr(reason, "client.key"));
    options.key_file = path("absent", "key", key);
    assert_null(tls_open(&options, reason));
    assert_non_null(strstr(reason, "absent.key"));
    options.key_file = path("server", "key", key);
    options.ca_file = path("absent", "crt", other);
    assert_null(tls_open(&options, reason));
    assert_non_null(strstr(reason, "absent.crt"));
    options.ca_file = "";
    assert_int_equal(chmod(key, 0640), 0);
    assert_null(tls_open(&options, reason));
    assert_non_null(strstr(reason, "readable by you only"));
    assert_int_equal(chmod(key, 0600), 0);
}

static int make_certificates(void **state)
{
    (void)state;
    certificates_make(folder, WISHES, WISH_COUNT);
    return 0;
}

static int remove_certificates(void **state)
{
    (void)state;
    certificates_remove(folder, WISHES, WISH_COUNT);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        TEST(octets_travel_in_both_directions_and_none_is_lost),
        TEST(a_paused_stream_gets_the_rest_when_it_goes_on),
        TEST(a_server_that_is_not_believed_is_left),
        TEST(a_client_of_the_ca_is_let_in),
        TEST(a_client_that_is_not_believed_is_refused),
        TEST(old_versions_and_weak_ciphers_are_refused),
        TEST(who_does_not_speak_tls_is_refused),
        TEST(a_wrong_file_is_named),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

// HTTP over TLS: what is answered to whom, and what is known of a client's certificate.
#include "tests/lib/cmocka_all.h"

#include "common/host/clock.h"
#include "common/host/http.h"
#include "tests/lib/certificates.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIVE_UP_MS 20000 // a broken test ends; a right one never waits
#define PATH_SIZE 512
#define DAY 86400

static char folder[] = "/tmp/otaria-https-XXXXXX";
static const struct certificate_wish WISHES[] = {
    {"ca", NULL, NULL, 0, 0},
    {"stranger-ca", NULL, NULL, 0, 0},
    {"server", "ca", "IP:127.0.0.1", 0, 0},
    {"client", "ca", NULL, 0, 0},
    {"old-client", "ca", NULL, -2 * DAY, -DAY},
    {"stranger", "stranger-ca", NULL, 0, 0},
};
#define WISH_COUNT (sizeof WISHES / sizeof WISHES[0])

static struct loop *loop;
static struct net *net;
static struct http *http;
static struct http_tls *http_tls;
static struct tls *tls;
static struct loop_timer give_up;
static struct net_address address;
static struct net_stream *stream;
static char answer[4096];
static size_t answer_len;
static unsigned opened, closed, refused;
static struct http_certificate seen;

static void on_opened(void *context, struct net_stream *s)
{
    (void)context;
    stream = s;
    opened++;
}

static void on_octets(void *context, struct net_stream *s, struct bytes octets)
{
    (void)context;
    (void)s;
    assert_true(answer_len + octets.len < sizeof answer);
    memcpy(answer + answer_len, octets.at, octets.len);
    answer_len += octets.len;
    answer[answer_len] = '\0';
}

static void on_closed(void *context, struct net_stream *s, enum net_end end)
{
    (void)context;
    (void)s;
    (void)end;
    stream = NULL;
    closed++;
}

static void on_give_up(void *context, struct instant now)
{
    (void)context;
    (void)now;
    fail_msg("the peer did not do its part");
}

static void complete(void *context, struct http_request *r)
{
    (void)context;
    seen = *http_certificate(r);
    http_reply(r, 200, "text/plain", NULL, 0, http_body(r));
}

static void on_refused(void *context, const struct net_address *peer)
{
    (void)context;
    assert_true(peer->len > 0);
    refused++;
}

static const char *path(const char *name, const char *kind, char text[PATH_SIZE])
{
    text[0] = '\0';
    if (name != NULL)
        (void)snprintf(text, PATH_SIZE, "%s/%s.%s", folder, name, kind);
    return text;
}

static struct tls_options options_of(const char *name, const char *ca)
{
    static char texts[3][PATH_SIZE];
    return (struct tls_options){.certificate_file = path(name, "crt", texts[0]),
                                .key_file = path(name, "key", texts[1]),
                                .ca_file = path(ca, "crt", texts[2])};
}

static int start(void **state)
{
    static const struct http_handler HANDLER = {.complete = complete, .refused = on_refused};
    char reason[TLS_REASON_SIZE];
    struct http_limits limits = http_limits_default();
    const struct tls_options options = options_of("server", "ca");
    (void)state;
    answer_len = opened = closed = refused = 0;
    tls = NULL;
    loop = loop_open();
    net = net_open(loop);
    http_tls = http_tls_open(&options, reason);
    limits.tls = http_tls;
    if (net == NULL || http_tls == NULL || !loop_timer_open(&give_up, loop, on_give_up, NULL) ||
        net_resolve("127.0.0.1:0", &address) != NET_OK ||
        http_open(loop, &address, &limits, &HANDLER, NULL, &http) != NET_OK)
        return 1;
    http_address(http, &address);
    loop_timer_set(&give_up, instant_after(clock_instant(), GIVE_UP_MS));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_close(http);
    net_close_all(net);
    loop_timer_close(&give_up);
    loop_close(loop);
    tls_close(tls);
    http_tls_close(http_tls);
    return 0;
}

// A request of somebody with this certificate, and its answer.
static void ask(const char *name)
{
    static const struct net_handler HANDLER = {
        .opened = on_opened, .octets = on_octets, .closed = on_closed};
    char reason[TLS_REASON_SIZE] = "";
    const struct tls_options options = options_of(name, "ca");
    tls = tls_open(&options, reason);
    assert_string_equal(tls == NULL ? reason : "", "");
    const struct net_limits limits = {
        .read_max = 4096, .output_max = 4096, .stream_max = 1, .tls = tls, .tls_name = "127.0.0.1"};
    assert_non_null(net_connect(net, &address, &limits, GIVE_UP_MS, &HANDLER, NULL));
    while (opened == 0)
        loop_turn(loop);
    assert_true(net_write(
        stream, bytes_of_text("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")));
    while (answer_len == 0 || strstr(answer, "\r\n\r\nhello") == NULL)
        loop_turn(loop);
    assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
}

static void who_shows_no_certificate_is_answered_and_known_as_nobody(void **state)
{
    (void)state;
    ask(NULL);
    assert_false(seen.is_there);
    assert_int_equal(refused, 0);
}

static void a_certificate_of_the_ca_is_believed_and_known_by_names_and_digest(void **state)
{
    char text[PATH_SIZE];
    uint8_t digest[32];
    unsigned len = 0;
    (void)state;
    ask("client");
    assert_true(seen.is_there);
    assert_true(seen.is_believed);
    assert_string_equal(seen.subject, "CN=client");
    assert_string_equal(seen.issuer, "CN=ca");
    FILE *file = fopen(path("client", "crt", text), "r");
    assert_non_null(file);
    X509 *c = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    assert_int_equal(X509_digest(c, EVP_sha256(), digest, &len), 1); // OpenSSL's, ours is GnuTLS's
    X509_free(c);
    assert_memory_equal(seen.sha256, digest, 32);
}

static void a_certificate_that_is_not_believed_says_why(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"old-client", "expired"}, {"stranger", "unknown"}};
    for (size_t i = 0; i < 2; i++) {
        ask(rows[i][0]);
        assert_true(seen.is_there);
        assert_false(seen.is_believed);
        assert_non_null(strstr(seen.reason, rows[i][1]));
        (void)stop(state);
        assert_int_equal(start(state), 0);
    }
}

struct offer {
    int version;
    const char *ciphers, *signatures, *groups; // NULL: those that OpenSSL has
};

// OpenSSL's first words, of one version and with nothing else.
static size_t hello(const struct offer *o, uint8_t octets[1000])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_set_min_proto_version(context, o->version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, o->version), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(context, o->ciphers), 1);
    if (o->signatures != NULL)
        assert_int_equal(SSL_CTX_set1_sigalgs_list(context, o->signatures), 1);
    if (o->groups != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(context, o->groups), 1);
    SSL *ssl = SSL_new(context);
    BIO *sent = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), sent);
    (void)SSL_connect(ssl);
    const int len = BIO_read(sent, octets, 1000);
    assert_true(len > 0);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)len;
}

static int said(struct bytes octets)
{
    const int fd = socket(address.at.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address.at, address.len), 0);
    assert_int_equal(write(fd, octets.at, octets.len), octets.len);
    return fd;
}

static void old_versions_and_weak_ciphers_are_refused(void **state)
{
    (void)state;
    static const struct offer rows[] = {
        {TLS1_VERSION, "ALL:@SECLEVEL=0", NULL, NULL},
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL, NULL},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA:AES128-SHA", NULL, NULL},
        {TLS1_2_VERSION, "ALL:@SECLEVEL=0", "ECDSA+SHA1:RSA+SHA1", NULL},
        {TLS1_3_VERSION, "ALL", NULL, "ffdhe2048"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t octets[1000];
        const size_t len = hello(&rows[i], octets);
        const int fd = said(bytes_of(octets, len));
        while (refused == 0)
            loop_turn(loop);
        assert_int_equal(read(fd, octets, sizeof octets), 0); // libmicrohttpd closes, says nothing
        (void)close(fd);
        refused = 0;
    }
}

static void http_in_the_clear_is_refused(void **state)
{
    (void)state;
    const int fd = said(bytes_of_text("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (refused == 0)
        loop_turn(loop);
    assert_int_equal(seen.is_there && opened > 0, 0);
    (void)close(fd);
}

static void a_wrong_file_is_named(void **state)
{
    char reason[TLS_REASON_SIZE];
    char key[PATH_SIZE];
    (void)state;
    struct tls_options options = options_of("server", NULL);
    options.key_file = path("client", "key", key);
    assert_null(http_tls_open(&options, reason));
    assert_non_null(strstr(reason, "client.key"));
    options.key_file = path("absent", "key", key);
    assert_null(http_tls_open(&options, reason));
    assert_non_null(strstr(reason, "absent.key"));
    options = options_of("server", "absent");
    assert_null(http_tls_open(&options, reason));
    assert_non_null(strstr(reason, "absent.crt"));
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
        TEST(who_shows_no_certificate_is_answered_and_known_as_nobody),
        TEST(a_certificate_of_the_ca_is_believed_and_known_by_names_and_digest),
        TEST(a_certificate_that_is_not_believed_says_why),
        TEST(old_versions_and_weak_ciphers_are_refused),
        TEST(http_in_the_clear_is_refused),
        TEST(a_wrong_file_is_named),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}

#include "common/host/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Of TLS 1.2; those of 1.3 are of this kind all.
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls {
    SSL_CTX *context;
    bool is_server;
};

struct tls_session {
    SSL *ssl;
    bool is_finished;
    char reason[TLS_REASON_SIZE];
};

// --- certificates ----------------------------------------------------------------------------

static bool fail(char reason[TLS_REASON_SIZE], const char *what, const char *file)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(reason, TLS_REASON_SIZE, "%s \"%.100s\": %.50s", what, file,
                   why != NULL ? why : "refused");
    ERR_clear_error();
    return false;
}

static bool is_private(const char *file)
{
    struct stat s;
    return stat(file, &s) == 0 && (s.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static bool load(SSL_CTX *c, const struct tls_options *o, char reason[TLS_REASON_SIZE])
{
    if (o->certificate_file[0] != '\0') {
        if (SSL_CTX_use_certificate_chain_file(c, o->certificate_file) != 1)
            return fail(reason, "the certificate cannot be read:", o->certificate_file);
        if (!is_private(o->key_file)) {
            (void)snprintf(
                reason, TLS_REASON_SIZE,
                "the key must be there, and readable by you only (chmod 600): \"%.100s\"",
                o->key_file);
            return false;
        }
        if (SSL_CTX_use_PrivateKey_file(c, o->key_file, SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_check_private_key(c) != 1)
            return fail(reason, "this is not the key of the certificate:", o->key_file);
    }
    if (o->ca_file[0] != '\0' && SSL_CTX_load_verify_file(c, o->ca_file) != 1)
        return fail(reason, "the CA's certificates cannot be read:", o->ca_file);
    if (o->ca_file[0] == '\0' && !o->is_server && SSL_CTX_set_default_verify_paths(c) != 1)
        return fail(reason, "the system has no", "CA certificates");
    if (o->is_server && o->ca_file[0] != '\0')
        SSL_CTX_set_client_CA_list(c, SSL_load_client_CA_file(o->ca_file)); // says whose it wants
    return true;
}

static bool set_rules(SSL_CTX *c, const struct tls_options *o)
{
    const bool asks = !o->is_server || o->ca_file[0] != '\0';
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(
        c, asks ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
    return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(c, CIPHERS) == 1;
}

struct tls *tls_open(const struct tls_options *options, char reason[TLS_REASON_SIZE])
{
    struct tls *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->is_server = options->is_server;
    t->context = SSL_CTX_new(options->is_server ? TLS_server_method() : TLS_client_method());
    (void)snprintf(reason, TLS_REASON_SIZE, "OpenSSL refuses");
    if (t->context != NULL && set_rules(t->context, options) && load(t->context, options, reason))
        return t;
    tls_close(t);
    return NULL;
}

bool tls_reload(struct tls *t, const struct tls_options *options, char reason[TLS_REASON_SIZE])
{
    struct tls *fresh = tls_open(options, reason);
    if (fresh == NULL)
        return false;
    SSL_CTX *before = t->context; // each of its connections holds it
    t->context = fresh->context;
    fresh->context = before;
    tls_close(fresh);
    return true;
}

void tls_close(struct tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->context);
    free(t);
}

// --- one connection --------------------------------------------------------------------------

// The name is verified, and told to a server that has several.
static bool expect(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(p, name) == 1)
        return true;
    return X509_VERIFY_PARAM_set1_host(p, name, strlen(name)) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct tls_session *tls_session_open(struct tls *t, int fd, const char *name)
{
    struct tls_session *s = calloc(1, sizeof *s);
    SSL *ssl = s != NULL ? SSL_new(t->context) : NULL;
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || (!t->is_server && !expect(ssl, name))) {
        SSL_free(ssl);
        free(s);
        ERR_clear_error();
        return NULL;
    }
    s->ssl = ssl;
    if (t->is_server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return s;
}

void tls_session_close(struct tls_session *s)
{
    if (s == NULL)
        return;
    SSL_free(s->ssl);
    free(s);
}

static enum tls_status failed(struct tls_session *s)
{
    const long verdict = SSL_get_verify_result(s->ssl);
    const unsigned long error = ERR_peek_error();
    const char *why = ERR_reason_error_string(error);
    if (verdict != X509_V_OK)
        why = X509_verify_cert_error_string(verdict);
    if (why == NULL)
        why = "connection lost";
    (void)snprintf(s->reason, sizeof s->reason, "%s", why);
    ERR_clear_error();
    return TLS_FAILED;
}

static enum tls_status status_of(struct tls_session *s, int result)
{
    switch (SSL_get_error(s->ssl, result)) { // numbers of OpenSSL
    case SSL_ERROR_WANT_READ:
        return TLS_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WAIT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        return failed(s);
    }
}

enum tls_status tls_handshake(struct tls_session *s)
{
    ERR_clear_error();
    const int result = SSL_do_handshake(s->ssl);
    return result == 1 ? TLS_OK : status_of(s, result);
}

static int length(size_t len)
{
    return len < INT_MAX ? (int)len : INT_MAX;
}

enum tls_status tls_read(struct tls_session *s, uint8_t *to, size_t len, size_t *got)
{
    ERR_clear_error();
    const int result = SSL_read(s->ssl, to, length(len));
    *got = result > 0 ? (size_t)result : 0;
    return result > 0 ? TLS_OK : status_of(s, result);
}

enum tls_status tls_write(struct tls_session *s, struct bytes octets, size_t *gone)
{
    ERR_clear_error();
    const int result = SSL_write(s->ssl, octets.at, length(octets.len));
    *gone = result > 0 ? (size_t)result : 0;
    return result > 0 ? TLS_OK : status_of(s, result);
}

bool tls_has_pending(const struct tls_session *s)
{
    return SSL_pending(s->ssl) > 0;
}

void tls_finish(struct tls_session *s)
{
    if (s->is_finished)
        return;
    s->is_finished = true;
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl); // its answer is not waited for
    ERR_clear_error();
}

const char *tls_session_reason(const struct tls_session *s)
{
    return s->reason;
}

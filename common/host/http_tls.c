#include "common/host/http_tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RULES                                                                                      \
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+ECDHE-ECDSA:"    \
    "+ECDHE-RSA:+AEAD:+SIGN-ALL:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:+GROUP-EC-ALL:"     \
    "+CTYPE-SRV-X509:+CTYPE-CLI-X509:%SERVER_PRECEDENCE"

struct loaded {
    gnutls_certificate_credentials_t credentials;
    struct loaded *next; // before it
};

struct http_tls {
    gnutls_datum_t certificate, key, ca; // as at the start
    struct loaded *loaded;               // since then, the last one first
};

static bool fail(char reason[TLS_REASON_SIZE], const char *what, const char *file, int error)
{
    (void)snprintf(reason, TLS_REASON_SIZE, "%s \"%.100s\": %.50s", what, file,
                   gnutls_strerror(error));
    return false;
}

static bool load(struct http_tls *t, const struct tls_options *o, char reason[TLS_REASON_SIZE])
{
    struct stat s;
    int error = gnutls_load_file(o->certificate_file, &t->certificate);
    if (error < 0)
        return fail(reason, "the certificate cannot be read:", o->certificate_file, error);
    if (stat(o->key_file, &s) != 0 || (s.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        (void)snprintf(reason, TLS_REASON_SIZE,
                       "the key must be there, and readable by you only (chmod 600): \"%.100s\"",
                       o->key_file);
        return false;
    }
    error = gnutls_load_file(o->key_file, &t->key);
    if (error < 0)
        return fail(reason, "the key cannot be read:", o->key_file, error);
    if (o->ca_file[0] != '\0')
        error = gnutls_load_file(o->ca_file, &t->ca);
    return error >= 0 || fail(reason, "the CA's certificates cannot be read:", o->ca_file, error);
}

// NULL, with a reason: the daemon would only say that it does not start.
static gnutls_certificate_credentials_t
try_them(const struct http_tls *t, const struct tls_options *o, char reason[TLS_REASON_SIZE])
{
    gnutls_certificate_credentials_t c;
    int error = gnutls_certificate_allocate_credentials(&c);
    if (error < 0) {
        (void)fail(reason, "GnuTLS refuses", "memory", error);
        return NULL;
    }
    error = gnutls_certificate_set_x509_key_mem(c, &t->certificate, &t->key, GNUTLS_X509_FMT_PEM);
    bool ok =
        error >= 0 || fail(reason, "the key is not that of the certificate:", o->key_file, error);
    if (ok && t->ca.size > 0) {
        error = gnutls_certificate_set_x509_trust_mem(c, &t->ca, GNUTLS_X509_FMT_PEM);
        ok = error > 0 || fail(reason, "there are no certificates in", o->ca_file, error);
    }
    if (ok)
        return c;
    gnutls_certificate_free_credentials(c);
    return NULL;
}

static void forget_files(struct http_tls *t)
{
    if (t->key.data != NULL)
        gnutls_memset(t->key.data, 0, t->key.size);
    gnutls_free(t->key.data);
    gnutls_free(t->certificate.data);
    gnutls_free(t->ca.data);
}

struct http_tls *http_tls_open(const struct tls_options *options, char reason[TLS_REASON_SIZE])
{
    struct http_tls *t = calloc(1, sizeof *t);
    gnutls_certificate_credentials_t tried = NULL;
    if (t == NULL)
        return NULL;
    if (load(t, options, reason))
        tried = try_them(t, options, reason);
    if (tried != NULL) { // the daemon makes its own
        gnutls_certificate_free_credentials(tried);
        return t;
    }
    http_tls_close(t);
    return NULL;
}

bool http_tls_reload(struct http_tls *t, const struct tls_options *options,
                     char reason[TLS_REASON_SIZE])
{
    struct http_tls files = {.loaded = NULL};
    struct loaded *fresh = calloc(1, sizeof *fresh);
    (void)snprintf(reason, TLS_REASON_SIZE, "not enough memory");
    if (fresh != NULL && load(&files, options, reason))
        fresh->credentials = try_them(&files, options, reason);
    forget_files(&files);
    if (fresh == NULL || fresh->credentials == NULL) {
        free(fresh);
        return false;
    }
    fresh->next = t->loaded;
    t->loaded = fresh;
    return true;
}

void http_tls_begin(const struct http_tls *t, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (t->loaded != NULL && info != NULL && info->tls_session != NULL)
        (void)gnutls_credentials_set(info->tls_session, GNUTLS_CRD_CERTIFICATE,
                                     t->loaded->credentials); // else it has the first ones
}

void http_tls_close(struct http_tls *t)
{
    if (t == NULL)
        return;
    while (t->loaded != NULL) {
        struct loaded *one = t->loaded;
        t->loaded = one->next;
        gnutls_certificate_free_credentials(one->credentials);
        free(one);
    }
    forget_files(t);
    free(t);
}

void http_tls_items(const struct http_tls *t, struct MHD_OptionItem *items)
{
    size_t count = 0;
    if (t != NULL) {
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, t->certificate.data};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, t->key.data};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)RULES};
        if (t->ca.size > 0)
            items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, t->ca.data};
    }
    items[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

// --- of a client -----------------------------------------------------------------------------

static void judge(gnutls_session_t session, struct http_certificate *out)
{
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    unsigned status = 0;
    gnutls_datum_t text = {0};
    const int error = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    out->is_believed = error >= 0 && status == 0;
    if (error < 0)
        (void)snprintf(out->reason, sizeof out->reason, "%s", gnutls_strerror(error));
    else if (status != 0 &&
             gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0)
        (void)snprintf(out->reason, sizeof out->reason, "%s", (const char *)text.data);
    gnutls_free(text.data);
}

static void copy_name(char to[HTTP_NAME_SIZE], gnutls_datum_t *name)
{
    if (name->size < HTTP_NAME_SIZE)
        memcpy(to, name->data, name->size);
    gnutls_free(name->data);
}

// False for what is no certificate.
static bool read_names(const gnutls_datum_t *der, struct http_certificate *out)
{
    gnutls_x509_crt_t c;
    gnutls_datum_t name = {0};
    if (gnutls_x509_crt_init(&c) < 0)
        return false;
    const bool is_one = gnutls_x509_crt_import(c, der, GNUTLS_X509_FMT_DER) >= 0;
    if (is_one) {
        if (gnutls_x509_crt_get_dn3(c, &name, 0) >= 0)
            copy_name(out->subject, &name);
        name = (gnutls_datum_t){0};
        if (gnutls_x509_crt_get_issuer_dn3(c, &name, 0) >= 0)
            copy_name(out->issuer, &name);
    }
    gnutls_x509_crt_deinit(c);
    return is_one;
}

static void read_one(const gnutls_datum_t *der, struct http_certificate *out)
{
    size_t len = sizeof out->sha256;
    out->is_there = true;
    if (read_names(der, out) && gnutls_fingerprint(GNUTLS_DIG_SHA256, der, out->sha256, &len) >= 0)
        return;
    out->is_believed = false;
    (void)snprintf(out->reason, sizeof out->reason, "it is no certificate");
}

void http_certificate_of(struct bytes der, struct http_certificate *out)
{
    const gnutls_datum_t d = {(unsigned char *)der.at, (unsigned)der.len};
    *out = (struct http_certificate){.is_believed = true};
    read_one(&d, out);
}

void http_certificate_read(struct MHD_Connection *connection, struct http_certificate *out)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned count = 0;
    *out = (struct http_certificate){0};
    if (info == NULL || info->tls_session == NULL)
        return;
    gnutls_session_t session = info->tls_session;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (chain == NULL || count == 0)
        return;
    judge(session, out);
    read_one(&chain[0], out);
}

#include "tests/lib/certificates.h"

#include "common/base/check.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512
#define HOUR 3600
#define DAY 86400

static FILE *file_of(const char *folder, const char *name, const char *kind, const char *mode)
{
    char path[PATH_SIZE];
    const int len = snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    check(len > 0 && len < PATH_SIZE);
    FILE *file = fopen(path, mode);
    check(file != NULL);
    return file;
}

static void extend(X509 *c, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, c, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    check(e != NULL && X509_add_ext(c, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void describe(X509 *c, X509 *issuer, const struct certificate_wish *w, EVP_PKEY *key)
{
    static long serial;
    const bool has_time = w->from_s != 0 || w->to_s != 0;
    check(X509_set_version(c, X509_VERSION_3) == 1 && X509_set_pubkey(c, key) == 1);
    check(ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial) == 1);
    X509_gmtime_adj(X509_getm_notBefore(c), has_time ? (long)w->from_s : -HOUR);
    X509_gmtime_adj(X509_getm_notAfter(c), has_time ? (long)w->to_s : DAY);
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                                     (const unsigned char *)w->name, -1, -1, 0) == 1);
    check(X509_set_issuer_name(c, X509_get_subject_name(issuer)) == 1);
    extend(c, issuer, NID_basic_constraints, w->issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (w->host != NULL)
        extend(c, issuer, NID_subject_alt_name, w->host);
}

static void make(const char *folder, const struct certificate_wish *wish)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *issuer_key = key;
    X509 *c = X509_new();
    X509 *issuer = c;
    check(key != NULL && c != NULL);
    if (wish->issuer != NULL) {
        FILE *file = file_of(folder, wish->issuer, "crt", "r");
        issuer = PEM_read_X509(file, NULL, NULL, NULL);
        (void)fclose(file);
        file = file_of(folder, wish->issuer, "key", "r");
        issuer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        (void)fclose(file);
    }
    check(issuer != NULL && issuer_key != NULL);
    describe(c, issuer, wish, key);
    check(X509_sign(c, issuer_key, EVP_sha256()) > 0);
    FILE *file = file_of(folder, wish->name, "crt", "w");
    check(PEM_write_X509(file, c) == 1 && fclose(file) == 0);
    file = file_of(folder, wish->name, "key", "w");
    check(fchmod(fileno(file), 0600) == 0);
    check(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0);
    if (issuer != c) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(c);
    EVP_PKEY_free(key);
}

void certificates_make(char *folder, const struct certificate_wish *wishes, size_t count)
{
    check(mkdtemp(folder) != NULL);
    for (size_t i = 0; i < count; i++)
        make(folder, &wishes[i]);
}

static void remove_one(const char *folder, const char *name, const char *kind)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    (void)unlink(path);
}

void certificates_remove(const char *folder, const struct certificate_wish *wishes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        remove_one(folder, wishes[i].name, "crt");
        remove_one(folder, wishes[i].name, "key");
    }
    check(rmdir(folder) == 0);
}

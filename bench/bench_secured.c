// Secured packets per second, built and opened [102.225 §5], against the bare cryptography: the
// same OpenSSL calls (one CBC and one CMAC with keyed, reused contexts) on the same octets, and
// nothing else. CPU time of one core; interleaved repeats, medians.
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATA_LEN 98 // what fills one SMS
#define ROUNDS 200000u
#define REPEATS_MAX 21

static struct cipher cipher;
static const struct secret_key KIC = {.octets = {0x00, 0x11, 0x22, 0x33}, .len = 16};
static const struct secret_key KID = {.octets = {0xFF, 0xEE, 0xDD, 0xCC}, .len = 16};
static const struct secured_keys KEYS = {.kic = &KIC, .kid = &KID};
static uint8_t data[DATA_LEN];

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "bench_secured: %s failed\n", what);
    exit(1);
}

static size_t build(uint64_t counter, uint8_t *packet, size_t size)
{
    const struct secured_command command = {.spi1 = 0x16,
                                            .spi2 = 0x39,
                                            .kic = 0x12,
                                            .kid = 0x12,
                                            .tar = 0x534D01,
                                            .cntr = counter,
                                            .data = bytes_of(data, sizeof data)};
    struct writer w = writer_of(packet, size);
    must(secured_write_command(&w, &command, &KEYS, &cipher) == SECURED_OK, "building");
    return w.len;
}

static void ours_build(void)
{
    uint8_t packet[256];
    for (uint32_t i = 0; i < ROUNDS; i++)
        (void)build(i, packet, sizeof packet);
}

static void ours_open(void)
{
    uint8_t packet[256];
    uint8_t clear[256];
    const size_t len = build(1, packet, sizeof packet);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct secured_packet p;
        struct writer w = writer_of(clear, sizeof clear);
        must(secured_command_shape(bytes_of(packet, len), &p) == SECURED_OK &&
                 secured_decipher(&p, &KEYS, &cipher, &w) == SECURED_OK &&
                 secured_verify(&p, &KEYS, &cipher) == SECURED_OK,
             "opening");
    }
}

// The floor: 112 octets through CBC, 114 (16 of header, 98 of data) through CMAC.
struct bare {
    EVP_CIPHER_CTX *cbc;
    EVP_MAC *mac;
    EVP_MAC_CTX *cmac;
};

static struct bare bare_open(int encrypt)
{
    static const uint8_t IV[16];
    char algorithm[] = "AES-128-CBC";
    struct bare b = {.cbc = EVP_CIPHER_CTX_new(), .mac = EVP_MAC_fetch(NULL, "CMAC", NULL)};
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_CIPHER, algorithm, 0),
                           OSSL_PARAM_END};
    b.cmac = EVP_MAC_CTX_new(b.mac);
    must(EVP_CipherInit_ex2(b.cbc, EVP_aes_128_cbc(), KIC.octets, IV, encrypt, NULL) == 1 &&
             EVP_CIPHER_CTX_set_padding(b.cbc, 0) == 1 &&
             EVP_MAC_init(b.cmac, KID.octets, 16, params) == 1,
         "OpenSSL");
    return b;
}

static void bare_close(struct bare *b)
{
    EVP_CIPHER_CTX_free(b->cbc);
    EVP_MAC_CTX_free(b->cmac);
    EVP_MAC_free(b->mac);
}

static void bare_run(int encrypt)
{
    static const uint8_t IV[16];
    uint8_t region[112] = {0};
    uint8_t text[114] = {0};
    uint8_t mac[16];
    size_t mac_len;
    int len;
    struct bare b = bare_open(encrypt);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        bool is_done = EVP_MAC_init(b.cmac, NULL, 0, NULL) == 1 &&
                       EVP_MAC_update(b.cmac, text, sizeof text) == 1 &&
                       EVP_MAC_final(b.cmac, mac, &mac_len, sizeof mac) == 1 &&
                       EVP_CipherInit_ex2(b.cbc, NULL, NULL, IV, -1, NULL) == 1 &&
                       EVP_CipherUpdate(b.cbc, region, &len, region, sizeof region) == 1;
        must(is_done, "OpenSSL");
    }
    bare_close(&b);
}

static void bare_build(void)
{
    bare_run(1);
}

static void bare_open_packet(void)
{
    bare_run(0);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } CASES[] = {
        {"build, ours", ours_build},
        {"build, bare OpenSSL", bare_build},
        {"open, ours", ours_open},
        {"open, bare OpenSSL", bare_open_packet},
    };
    enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };
    double seconds[CASE_COUNT][REPEATS_MAX];
    double median[CASE_COUNT];
    const long repeats = argc > 1 ? strtol(argv[1], NULL, 10) : 7;
    if (repeats < 1 || repeats > REPEATS_MAX) {
        (void)fprintf(stderr, "usage: bench_secured [REPEATS from 1 to %d]\n", REPEATS_MAX);
        return 2;
    }
    must(cipher_openssl_open(&cipher), "OpenSSL");
    for (long repeat = 0; repeat < repeats; repeat++) {
        for (int i = 0; i < CASE_COUNT; i++) {
            const double start = cpu_s();
            CASES[i].run();
            seconds[i][repeat] = cpu_s() - start;
        }
    }
    (void)printf("%d octets of data, one SMS; %ld repeats of %u; %s\n", DATA_LEN, repeats, ROUNDS,
                 OpenSSL_version(OPENSSL_VERSION));
    for (int i = 0; i < CASE_COUNT; i++) {
        qsort(seconds[i], (size_t)repeats, sizeof(double), compare);
        median[i] = seconds[i][repeats / 2];
        (void)printf("%-20s %9.0f/s (%.0f-%.0f), %.2f us\n", CASES[i].name, ROUNDS / median[i],
                     ROUNDS / seconds[i][repeats - 1], ROUNDS / seconds[i][0],
                     median[i] * 1e6 / ROUNDS);
    }
    (void)printf("ours to bare: build %.2f, open %.2f\n", median[1] / median[0],
                 median[3] / median[2]);
    cipher_openssl_close(&cipher);
    return 0;
}

// Does it show in the time what was wrong? Two classes of input that a stranger must not be able to
// tell apart, in an order by chance, and Welch's t of their times without the slowest tenth
// [Reparaz et al., "Dude, is my code constant time?"]. Above 4.5 twice, the program ends with 7. A
// comparison that ends at the first difference must show, or nothing was measured.
#include "common/base/prng.h"
#include "common/host/cipher_openssl.h"
#include "common/host/password.h"
#include "common/wire/secured.h"
#include "ota-server/service/auth_user.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define T_MAX 4.5
#define SAMPLES_MAX 100000u
#define SECRET_LEN 32
#define CALLS 32u // of a comparison in a sample: one is as short as the clock's step
#define PACKET_MAX 256

struct sample {
    double ns;
    unsigned char group;
};

static struct sample samples[SAMPLES_MAX];
static double sorted[SAMPLES_MAX];
static struct prng chance;
static struct cipher cipher;
static volatile unsigned sink; // so that no call is left out

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// Of the samples below the slowest tenth, which other programs made.
static double welch(unsigned count)
{
    double n[2] = {0};
    double mean[2] = {0};
    double squares[2] = {0};
    for (unsigned i = 0; i < count; i++)
        sorted[i] = samples[i].ns;
    qsort(sorted, count, sizeof sorted[0], by_size);
    const double limit = sorted[count - 1 - count / 10];
    for (unsigned i = 0; i < count; i++) {
        const unsigned g = samples[i].group;
        if (samples[i].ns > limit)
            continue;
        n[g]++;
        const double off = samples[i].ns - mean[g];
        mean[g] += off / n[g];
        squares[g] += off * (samples[i].ns - mean[g]);
    }
    const double error = squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1];
    return error > 0 ? (mean[0] - mean[1]) / sqrt(error) : 0;
}

// --- what is measured ---

// Both classes are copied to the same place before the clock starts.
static uint8_t inputs[2][PACKET_MAX], given[PACKET_MAX], secret[SECRET_LEN];
static size_t input_len;
static struct auth_user known;

static bool equal_until_they_differ(const uint8_t *a, const uint8_t *b, size_t len)
{
    size_t i = 0;
    while (i < len && a[i] == b[i])
        i++;
    return i == len;
}

static void compare_badly(unsigned group)
{
    (void)group;
    for (unsigned i = 0; i < CALLS; i++)
        sink += equal_until_they_differ(secret, given, SECRET_LEN) ? 1 : 0;
}

static void compare(unsigned group)
{
    (void)group;
    for (unsigned i = 0; i < CALLS; i++)
        sink += secret_equal(secret, given, SECRET_LEN) ? 1 : 0;
}

static const struct secret_key KIC = {.octets = {0x00, 0x11, 0x22, 0x33}, .len = 16};
static const struct secret_key KID = {.octets = {0xFF, 0xEE, 0xDD, 0xCC}, .len = 16};
static const struct secured_keys KEYS = {.kic = &KIC, .kid = &KID};

static void open_packet(unsigned group)
{
    uint8_t room[PACKET_MAX];
    struct writer buffer = writer_of(room, sizeof room);
    struct secured_packet p;
    (void)group;
    if (secured_command_shape(bytes_of(given, input_len), &p) == SECURED_OK)
        sink += (unsigned)secured_open(&p, &KEYS, &cipher, &buffer);
}

static void check_password(unsigned group)
{
    const char *hash = auth_user_hash(group == 0 ? &known : NULL);
    sink += password_fits(bytes_of(given, input_len), hash) ? 1 : 0;
}

// --- what differs ---

static void differ_at_the_ends(void)
{
    input_len = SECRET_LEN;
    for (unsigned g = 0; g < 2; g++) {
        memcpy(inputs[g], secret, SECRET_LEN);
        inputs[g][g == 0 ? 0 : SECRET_LEN - 1] ^= 0x80;
    }
}

static void build_packets(void)
{
    static const uint8_t data[60] = {0};
    const struct secured_command command = {.spi1 = 0x16,
                                            .spi2 = 0x39,
                                            .kic = 0x12,
                                            .kid = 0x12,
                                            .tar = 0x534D01,
                                            .cntr = 1,
                                            .data = bytes_of(data, sizeof data)};
    struct writer w = writer_of(inputs[0], sizeof inputs[0]);
    if (secured_write_command(&w, &command, &KEYS, &cipher) != SECURED_OK)
        exit(1);
    input_len = w.len;
    memcpy(inputs[1], inputs[0], sizeof inputs[0]);
}

// The ciphered octets begin behind the head of 13: counter, padding counter and MAC come first,
// data and padding last.
static void spoil_mac_or_padding(void)
{
    build_packets();
    inputs[0][13 + 8] ^= 0x01;        // the block that has the MAC
    inputs[1][input_len - 1] ^= 0x01; // the last one
}

static void spoil_counter_or_data(void)
{
    build_packets();
    inputs[0][13] ^= 0x80;
    inputs[1][input_len / 2] ^= 0x80;
}

static void make_user(void)
{
    static const uint8_t salt[PASSWORD_SALT_SIZE] = {1};
    input_len = 12;
    memcpy(inputs[0], "not this one", 12);
    memcpy(inputs[1], "not this one", 12);
    if (!password_hash(bytes_of_text("correct horse battery"), salt, known.hash))
        exit(1);
}

struct matter {
    const char *name;
    void (*prepare)(void);
    void (*run)(unsigned group);
    unsigned samples;
    bool must_show;
};
static const struct matter matters[] = {
    {"a comparison that ends early (must show)", differ_at_the_ends, compare_badly, SAMPLES_MAX,
     true},
    {"secret_equal(), first or last octet", differ_at_the_ends, compare, SAMPLES_MAX, false},
    {"packet: MAC or padding wrong", spoil_mac_or_padding, open_packet, SAMPLES_MAX, false},
    {"packet: counter or data wrong", spoil_counter_or_data, open_packet, SAMPLES_MAX, false},
    {"password wrong, or nobody's", make_user, check_password, 400, false},
};

static double measure(const struct matter *m)
{
    for (unsigned i = 0; i < m->samples; i++) {
        const unsigned group = (unsigned)(prng_next(&chance) & 1);
        memcpy(given, inputs[group], sizeof given);
        const double from = now_ns();
        m->run(group);
        samples[i] = (struct sample){now_ns() - from, (unsigned char)group};
    }
    return welch(m->samples);
}

static bool judge(const struct matter *m)
{
    m->prepare();
    double t = measure(m);
    if (!m->must_show && fabs(t) >= T_MAX)
        t = measure(m); // once may be the machine
    const bool is_good = m->must_show == (fabs(t) >= T_MAX);
    (void)printf("%-42s %6u samples  t = %8.2f  %s\n", m->name, m->samples, t,
                 is_good        ? ""
                 : m->must_show ? "NOTHING WAS MEASURED"
                                : "IT SHOWS");
    return is_good;
}

int main(void)
{
    bool are_good = true;
    if (!cipher_openssl_open(&cipher))
        return 1;
    prng_init(&chance, (uint64_t)now_ns(), "timing", 0);
    for (unsigned i = 0; i < SECRET_LEN; i++)
        secret[i] = (uint8_t)prng_next(&chance);
    for (size_t i = 0; i < sizeof matters / sizeof matters[0]; i++)
        are_good = judge(&matters[i]) && are_good;
    cipher_openssl_close(&cipher);
    return are_good ? 0 : 7;
}

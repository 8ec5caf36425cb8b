// Simulated card-days per second of CPU time: worlds in a hurry, worlds as they are drawn, cards
// that live as real ones do, and of these also without any fault, and with devices that do every
// STATUS. One program on SQLite, one on arrays: `bench_world`, `bench_world_array`. With the name
// of a kind as argument: that one alone.
//
// The floor is measured in the same run, so that machines and loads can be compared: one secured
// packet built and opened, which every message costs whatever carries it.
#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"
#include "tests/world/store/kind.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DATA_LEN 98 // what fills one SMS
#define FLOOR_ROUNDS 50000u
#define REAL_CALM 5     // somebody wants something of each card every two days
#define SELDOM_CALM 8   // every sixteen days
#define SERVICE_CALM 10 // every sixty-four

static void ignore(void *context, struct bytes line)
{
    (void)context;
    (void)line;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

// Seconds for a packet built and opened.
static double measure_floor(void)
{
    static const struct secret_key kic = {.octets = {0x11}, .len = 16};
    static const struct secret_key kid = {.octets = {0x22}, .len = 16};
    static const struct secured_keys keys = {.kic = &kic, .kid = &kid, .cmac_len = 8};
    static const uint8_t data[DATA_LEN];
    struct cipher cipher;
    check(cipher_openssl_open(&cipher));
    const double start = cpu_s();
    for (uint32_t i = 0; i < FLOOR_ROUNDS; i++) {
        const struct secured_command command = {.spi1 = 0x16,
                                                .spi2 = 0x39,
                                                .kic = 0x12,
                                                .kid = 0x12,
                                                .tar = WORLD_TAR,
                                                .cntr = i + 1,
                                                .data = bytes_of(data, sizeof data)};
        uint8_t octets[SMS_PACKET_MAX];
        uint8_t clear[SMS_PACKET_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        struct writer buffer = writer_of(clear, sizeof clear);
        struct secured_packet p;
        check(secured_write_command(&w, &command, &keys, &cipher) == SECURED_OK &&
              secured_command_shape(writer_bytes(&w), &p) == SECURED_OK &&
              secured_decipher(&p, &keys, &cipher, &buffer) == SECURED_OK &&
              secured_verify(&p, &keys, &cipher) == SECURED_OK);
    }
    const double each_s = (cpu_s() - start) / FLOOR_ROUNDS;
    cipher_openssl_close(&cipher);
    return each_s;
}

struct mix {
    const char *name;
    struct world_options options;
    uint64_t seeds;
};

static const struct mix mixes[] = {
    {"in a hurry", {.has_calm = true}, 40},
    {"as drawn", {.seed = 0}, 200},
    {"a wish every 2 days",
     {.has_calm = true, .calm = REAL_CALM, .cards = WORLD_CARDS_MAX, .days = 60},
     8},
    {"a wish every 16 days",
     {.has_calm = true, .calm = SELDOM_CALM, .cards = WORLD_CARDS_MAX, .days = 60},
     8},
    {"a wish every 64 days",
     {.has_calm = true, .calm = SERVICE_CALM, .cards = WORLD_CARDS_MAX, .days = 240},
     8},
    {"16 days, no faults",
     {.has_calm = true,
      .calm = SELDOM_CALM,
      .cards = WORLD_CARDS_MAX,
      .days = 60,
      .is_faultless = true},
     8},
    {"16 days, none asleep",
     {.has_calm = true,
      .calm = SELDOM_CALM,
      .cards = WORLD_CARDS_MAX,
      .days = 60,
      .is_restless = true},
     1},
};

// False: a violation, which is told.
static bool run(const struct mix *m, double floor_s)
{
    static struct world_result r;
    uint64_t days = 0;
    uint64_t sent = 0;
    uint64_t events = 0;
    const double start = cpu_s();
    for (uint64_t seed = 1; seed <= m->seeds; seed++) {
        struct world_options options = m->options;
        options.seed = seed;
        options.sink = ignore;
        world_run(&options, &r);
        if (r.is_violated) {
            printf("VIOLATION %s seed=%llu\n", r.rule, (unsigned long long)seed);
            return false;
        }
        days += r.card_days;
        sent += r.sent + r.notified;
        events += r.events;
    }
    const double s = cpu_s() - start;
    const double d = (double)days;
    printf("%-22s %9.0f %7.2f %7.1f %11.0f %9.1f %8.1f\n", m->name, d, (double)sent / d,
           (double)events / d, d / s, s / d * 1e6, s / d / floor_s);
    printf("figure {\"name\": \"sim.rate\", \"value\": %.0f, \"unit\": \"card-days/s\", "
           "\"what\": \"%s, on %s, CPU time of one core\"}\n",
           d / s, m->name, world_store.name);
    return true;
}

int main(int argc, char **argv)
{
    const double floor_s = measure_floor();
    printf("%s, CPU time of one core; floor: %.2f us for a packet built and opened\n"
           "%-22s %9s %7s %7s %11s %9s %8s\n",
           world_store.name, floor_s * 1e6, "worlds", "card-days", "SMS/day", "events",
           "card-days/s", "us/day", "floors");
    unsigned count = 0;
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++) {
        if (argc > 1 && strcmp(argv[1], mixes[i].name) != 0)
            continue;
        count++;
        if (!run(&mixes[i], floor_s))
            return 7;
    }
    if (count == 0)
        (void)fprintf(stderr, "no such kind of worlds: %s\n", argv[1]);
    return count > 0 ? 0 : 2;
}

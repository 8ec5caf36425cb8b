// What a fleet costs: octets per card, untouched and after its first contact, with a breakdown, and
// device events per second of one core. `bench_fleet [CARDS]`, 100,000 by default.
#include "tests/unit/sim/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_CARDS 100000
#define HOUR_MS 3600000

static struct lab lab;

// Resident memory, in octets.
static double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128] = "";
    unsigned long pages = 0;
    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL) {
            char *at = line;
            (void)strtoul(at, &at, 10);
            pages = strtoul(at, NULL, 10);
        }
        (void)fclose(file);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void row(const char *what, double octets)
{
    (void)printf("  %-48s %8.0f\n", what, octets);
}

static void report_sizes(double per_card_resident, double pages_per_card)
{
    double factory = sizeof(struct applet_factory) + 2 * sizeof(struct slot);
    double device = sizeof(struct device) - sizeof(struct card);
    double schedule = sizeof(struct fleet_entry) + sizeof(uint32_t);
    row("device without card", device);
    row("card without applet and memory",
        sizeof(struct card) - sizeof(struct applet) - sizeof(struct nvm));
    row("applet", sizeof(struct applet));
    row("memory: its list", sizeof(struct nvm));
    row("memory: pages", pages_per_card * (double)sizeof(struct nvm_page));
    row("factory record with two subscriptions", factory);
    row("schedule", schedule);
    row("card, applet, device, memory and schedule together",
        sizeof(struct device) + pages_per_card * (double)sizeof(struct nvm_page) + factory +
            schedule);
    row("network register: two subscriptions",
        2 * sizeof(struct radio_subscriber) +
            (double)lab.radio.index_len / lab.fleet.count * 2 * sizeof(uint32_t));
    row("resident memory of the process, per card", per_card_resident);
}

int main(int argc, char **argv)
{
    uint32_t cards = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : DEFAULT_CARDS;
    if (cards == 0 || cards > 999999) {
        (void)fprintf(stderr, "usage: bench_fleet [CARDS], 1 to 999999\n");
        return 2;
    }
    double before = resident();
    lab_open(&lab, cards, NULL);
    (void)printf("%u cards, untouched: octets per card\n", cards);
    report_sizes((resident() - before) / cards, (double)lab.shop.pool.used / cards);

    clock_t from = clock();
    fleet_start(&lab.fleet, lab.now, 60000);
    lab_run(&lab, 120000);
    double seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
    (void)printf("%u attached, first contact reported: octets per card\n", lab.fleet.attached_now);
    report_sizes((resident() - before) / cards, (double)lab.shop.pool.used / cards);
    (void)printf("start, authentication, attach, first report: %.0f cards/s\n", cards / seconds);

    uint64_t steps = lab.fleet.counts.steps;
    from = clock();
    lab_run(&lab, HOUR_MS / 4);
    seconds = (double)(clock() - from) / CLOCKS_PER_SEC;
    steps = lab.fleet.counts.steps - steps;
    (void)printf("a quiet quarter of an hour: %.0f device events, %.0f events/s\n", (double)steps,
                 (double)steps / seconds);
    lab_close(&lab);
    return 0;
}

// APDUs per second through PC/SC: a card in the first reader, SELECT and READ BINARY in turn.
// Prints medians of several runs. bench/pcsc starts everything that it needs.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winscard.h>

#define RUNS 5
#define PAIRS 5000

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what, LONG code)
{
    (void)fprintf(stderr, "%s: %s\n", what, pcsc_stringify_error(code));
    exit(EXIT_FAILURE);
}

static void say(SCARDHANDLE card, const uint8_t *command, DWORD len, uint8_t first)
{
    BYTE answer[258];
    DWORD answer_len = sizeof answer;
    LONG done = SCardTransmit(card, SCARD_PCI_T0, command, len, NULL, answer, &answer_len);
    if (done != SCARD_S_SUCCESS)
        fail("transmit", done);
    if (answer_len < 2 || answer[answer_len - 2] != first) {
        (void)fprintf(stderr, "another status word than %02X xx\n", first);
        exit(EXIT_FAILURE);
    }
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(void)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x00, 0x04, 0x02, 0x2F, 0xE2};
    static const uint8_t read[] = {0x00, 0xB0, 0x00, 0x00, 0x0A};
    SCARDCONTEXT context;
    SCARDHANDLE card;
    DWORD protocol;
    char names[1024];
    DWORD len = sizeof names;
    LONG done = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context);
    if (done == SCARD_S_SUCCESS)
        done = SCardListReaders(context, NULL, names, &len);
    if (done == SCARD_S_SUCCESS)
        done = SCardConnect(context, names, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0, &card,
                            &protocol);
    if (done != SCARD_S_SUCCESS)
        fail("connect", done);
    double rates[RUNS];
    for (unsigned run = 0; run < RUNS; run++) {
        double start = now_s();
        for (unsigned i = 0; i < PAIRS; i++) {
            say(card, select, sizeof select, 0x61);
            say(card, read, sizeof read, 0x90);
        }
        rates[run] = 2 * PAIRS / (now_s() - start);
    }
    qsort(rates, RUNS, sizeof rates[0], by_value);
    (void)printf("pcsc: %.0f APDU/s (median of %d runs of %d; %.0f to %.0f), through %s\n",
                 rates[RUNS / 2], RUNS, 2 * PAIRS, rates[0], rates[RUNS - 1], names);
    (void)SCardDisconnect(card, SCARD_LEAVE_CARD);
    (void)SCardReleaseContext(context);
    return EXIT_SUCCESS;
}

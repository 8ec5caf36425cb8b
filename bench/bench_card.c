// What one emulated card does per second of one core (CPU time, not wall time): a secured command
// with its answer, SELECT and READ BINARY, AUTHENTICATE, a reset with the first SELECT.
#include "tests/unit/sim/lab.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENVELOPES 20000
#define READS 1000000
#define CHALLENGES 100000
#define RESETS 50000

static struct lab lab;
static struct card *card;

static uint16_t send(const struct apdu *apdu, struct writer *response)
{
    uint8_t octets[5 + APDU_DATA_MAX + 1];
    uint8_t ignored[CARD_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct writer none = writer_of(ignored, sizeof ignored);
    apdu_write(&w, apdu);
    return card_exchange(card, writer_bytes(&w), response != NULL ? response : &none);
}

// Answers everything that the card wants with "done".
static unsigned serve(uint16_t sw)
{
    unsigned messages = 0;
    while ((sw & 0xFF00) == SW_OK_PROACTIVE) {
        uint8_t octets[CARD_RESPONSE_MAX];
        uint8_t data[CAT_DATA_MAX];
        struct writer fetched = writer_of(octets, sizeof octets);
        struct writer w = writer_of(data, sizeof data);
        uint16_t waiting = sw & 0xFF;
        struct apdu fetch = {
            .cla = 0x80, .ins = INS_FETCH, .le = waiting == 0 ? APDU_LE_MAX : waiting};
        struct cat_message command;
        check(send(&fetch, &fetched) == SW_OK);
        check(cat_read_command(writer_bytes(&fetched), &command) == CAT_OK);
        messages += command.type == CAT_SEND_SHORT_MESSAGE;
        struct cat_message answer = cat_answer(&command, CAT_DONE);
        cat_write_response(&w, &answer);
        struct apdu response = {
            .cla = 0x80, .ins = INS_TERMINAL_RESPONSE, .data = writer_bytes(&w)};
        sw = send(&response, NULL);
    }
    return messages;
}

static void start(void)
{
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    card_reset(card, &atr);
    const struct device_model *model = &lab.scenario.models[0];
    struct apdu profile = {.cla = 0x80,
                           .ins = INS_TERMINAL_PROFILE,
                           .data = bytes_of(model->profile, model->profile_len)};
    (void)serve(send(&profile, NULL));
    struct apdu select = {
        .ins = INS_SELECT, .p1 = 0x04, .p2 = 0x0C, .data = uicc_application(UICC_USIM)};
    (void)serve(send(&select, NULL));
}

static double seconds_since(clock_t from)
{
    return (double)(clock() - from) / CLOCKS_PER_SEC;
}

static void report(const char *what, unsigned count, double seconds)
{
    (void)printf("%-40s %10.0f /s  %8.2f us\n", what, count / seconds, seconds / count * 1e6);
}

static void bench_envelopes(void)
{
    struct bytes *tpdus = calloc(ENVELOPES, sizeof *tpdus);
    uint8_t(*octets)[SMS_DELIVER_MAX] = calloc(ENVELOPES, SMS_DELIVER_MAX);
    check(tpdus != NULL && octets != NULL);
    for (unsigned i = 0; i < ENVELOPES; i++) {
        uint8_t data[SMS_USER_DATA_MAX];
        struct writer user_data = writer_of(data, sizeof data);
        struct writer tpdu = writer_of(octets[i], SMS_DELIVER_MAX);
        struct command audit = lab_audit();
        lab_packet(&lab, 0, &audit, &user_data);
        lab_tpdu(writer_bytes(&user_data), &tpdu);
        tpdus[i] = writer_bytes(&tpdu);
    }
    unsigned answers = 0;
    clock_t from = clock();
    for (unsigned i = 0; i < ENVELOPES; i++) {
        uint8_t data[CAT_DATA_MAX];
        struct writer w = writer_of(data, sizeof data);
        struct cat_message download = cat_sms_download(bytes_of(NULL, 0), tpdus[i]);
        cat_write_envelope(&w, CAT_SMS_PP_DOWNLOAD, &download);
        struct apdu envelope = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&w)};
        answers += serve(send(&envelope, NULL));
    }
    report("secured AUDIT, ciphered answer by SMS", ENVELOPES, seconds_since(from));
    check(answers >= ENVELOPES);
    free(tpdus);
    free(octets);
}

static void bench_reads(const char *what, uint16_t identifier, uint16_t len)
{
    uint8_t file[] = {(uint8_t)(identifier >> 8), (uint8_t)identifier};
    struct apdu select = {.ins = INS_SELECT, .p2 = 0x0C, .data = bytes_of(file, 2)};
    struct apdu read = {.ins = INS_READ_BINARY, .le = len};
    clock_t from = clock();
    for (unsigned i = 0; i < READS; i++) {
        check(apdu_sw_is_ok(send(&select, NULL)));
        check(apdu_sw_is_ok(send(&read, NULL)));
    }
    report(what, READS, seconds_since(from));
}

static void bench_authenticate(void)
{
    struct radio_challenge *challenges = calloc(CHALLENGES, sizeof *challenges);
    check(challenges != NULL);
    for (unsigned i = 0; i < CHALLENGES; i++)
        check(radio_challenge_make(&lab.radio, &lab.radio.subscribers[0], &challenges[i]));
    clock_t from = clock();
    for (unsigned i = 0; i < CHALLENGES; i++) {
        uint8_t data[2 + AKA_RAND_LEN + USIM_AUTN_LEN];
        uint8_t octets[CARD_RESPONSE_MAX];
        struct writer response = writer_of(octets, sizeof octets);
        struct writer w = writer_of(data, sizeof data);
        writer_u8(&w, AKA_RAND_LEN);
        writer_copy(&w, bytes_of(challenges[i].rand, AKA_RAND_LEN));
        writer_u8(&w, USIM_AUTN_LEN);
        writer_copy(&w, bytes_of(challenges[i].autn, USIM_AUTN_LEN));
        struct apdu apdu = {
            .ins = INS_AUTHENTICATE, .p2 = 0x81, .data = writer_bytes(&w), .le = APDU_LE_MAX};
        check(apdu_sw_is_ok(send(&apdu, &response)) && octets[0] == 0xDB);
    }
    report("AUTHENTICATE, fresh SQN", CHALLENGES, seconds_since(from));
    free(challenges);
}

static void bench_resets(void)
{
    static const uint8_t mf[] = {0x3F, 0x00};
    struct apdu select = {.ins = INS_SELECT, .p2 = 0x0C, .data = bytes_of(mf, 2)};
    clock_t from = clock();
    for (unsigned i = 0; i < RESETS; i++) {
        uint8_t octets[CARD_ATR_MAX];
        struct writer atr = writer_of(octets, sizeof octets);
        card_reset(card, &atr);
        check(apdu_sw_is_ok(send(&select, NULL)));
    }
    report("reset and first SELECT", RESETS, seconds_since(from));
}

// Octets of a card that attached, wrote its location and waits: structure and pages of its memory.
static void report_memory(void)
{
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 120000);
    uint32_t pages = nvm_pages(&card->nvm);
    (void)printf("%-40s %10zu octets (card %zu, of it applet %zu; %u pages of memory)\n",
                 "idle card, attached", sizeof *card + pages * sizeof(struct nvm_page),
                 sizeof *card, sizeof card->applet, pages);
}

int main(void)
{
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    start();
    bench_envelopes();
    bench_reads("SELECT + READ BINARY, EF.LOCI (stored)", UICC_ID_LOCI, 11);
    bench_reads("SELECT + READ BINARY, EF.UST (constant)", 0x6F38, 17);
    bench_reads("SELECT + READ BINARY, EF.IMSI (view)", UICC_ID_IMSI, 9);
    bench_authenticate();
    bench_resets();
    lab_close(&lab);
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    report_memory();
    lab_close(&lab);
    return 0;
}

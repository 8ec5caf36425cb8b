// What one emulated card does per second of one core (CPU time, not wall time): a secured command
// with its answer, to the applet and to remote management of files, SELECT and READ BINARY,
// AUTHENTICATE, a reset with the first SELECT.
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

// Messages that were made before the clock runs.
struct deliveries {
    struct bytes *tpdus;
    uint8_t (*octets)[SMS_DELIVER_MAX];
};

static struct deliveries deliveries_open(void)
{
    struct deliveries d = {.tpdus = calloc(ENVELOPES, sizeof *d.tpdus),
                           .octets = calloc(ENVELOPES, SMS_DELIVER_MAX)};
    check(d.tpdus != NULL && d.octets != NULL);
    return d;
}

static void deliveries_add(struct deliveries *d, unsigned i, struct bytes user_data)
{
    struct writer tpdu = writer_of(d->octets[i], SMS_DELIVER_MAX);
    lab_tpdu(user_data, &tpdu);
    d->tpdus[i] = writer_bytes(&tpdu);
}

static void deliveries_close(struct deliveries *d)
{
    free(d->tpdus);
    free(d->octets);
}

// The status word; the user data of the delivery report goes to `report`.
static uint16_t deliver(struct bytes tpdu, struct writer *report)
{
    uint8_t data[CAT_DATA_MAX];
    struct writer w = writer_of(data, sizeof data);
    struct cat_message download = cat_sms_download(bytes_of(NULL, 0), tpdu);
    cat_write_envelope(&w, CAT_SMS_PP_DOWNLOAD, &download);
    struct apdu envelope = {.cla = 0x80, .ins = INS_ENVELOPE, .data = writer_bytes(&w)};
    return send(&envelope, report);
}

static void bench_envelopes(void)
{
    struct deliveries d = deliveries_open();
    for (unsigned i = 0; i < ENVELOPES; i++) {
        uint8_t data[SMS_USER_DATA_MAX];
        struct writer user_data = writer_of(data, sizeof data);
        struct command audit = lab_audit();
        lab_packet(&lab, 0, &audit, &user_data);
        deliveries_add(&d, i, writer_bytes(&user_data));
    }
    unsigned answers = 0;
    clock_t from = clock();
    for (unsigned i = 0; i < ENVELOPES; i++)
        answers += serve(deliver(d.tpdus[i], NULL));
    report("secured AUDIT, ciphered answer by SMS", ENVELOPES, seconds_since(from));
    check(answers >= ENVELOPES);
    deliveries_close(&d);
}

// --- remote management of files --------------------------------------------------------------

#define FILES_TAR 0xB00000
#define FILES_SET 2
// SELECT EF.ICCID, READ BINARY; SELECT EF.PL, UPDATE BINARY.
static const uint8_t reading[] = {0x00, 0xA4, 0x00, 0x00, 0x02, 0x2F,
                                  0xE2, 0x00, 0xB0, 0x00, 0x00, 0x0A};
static const uint8_t writing[] = {0x00, 0xA4, 0x00, 0x00, 0x02, 0x2F, 0x05,
                                  0x00, 0xD6, 0x00, 0x00, 0x02, 0x65, 0x6E};

static struct product_key_set files_keys = {.version = FILES_SET};
static const struct product_target files_target = {.tar = FILES_TAR,
                                                   .folder = UICC_MF,
                                                   .minimum = 0x16,
                                                   .granted = 1U << UICC_ADM1 | 1U << UICC_PIN1,
                                                   .key_sets = 1U << 0,
                                                   .refresh = TARGET_NO_REFRESH};
static struct card_product files_product;

static struct secured_command files_command(uint64_t counter, struct bytes script)
{
    // MAC, ciphering, a counter that must be higher; the answer in the report, both again.
    return (struct secured_command){.spi1 = 0x16,
                                    .spi2 = 0x19,
                                    .kic = FILES_SET << 4 | SECURED_AES,
                                    .kid = FILES_SET << 4 | SECURED_AES,
                                    .tar = FILES_TAR,
                                    .cntr = counter,
                                    .data = script};
}

// The last answer must be one that a server can open, and say what a script of two commands says.
static void check_report(struct bytes user_data, uint64_t counter, size_t data_len)
{
    struct secured_command command = files_command(counter, bytes_of(NULL, 0));
    struct secured_keys keys = {.kic = &files_keys.kic, .kid = &files_keys.kid};
    struct secured_packet packet;
    uint8_t octets[SMS_PACKET_MAX];
    struct writer buffer = writer_of(octets, sizeof octets);
    check(secured_response_shape(bytes_slice(user_data, 3, SIZE_MAX), &command, &packet) ==
          SECURED_OK);
    check(secured_decipher(&packet, &keys, &lab.cipher, &buffer) == SECURED_OK);
    check(secured_verify(&packet, &keys, &lab.cipher) == SECURED_OK);
    check(packet.status == SECURED_STATUS_OK && packet.data.len == data_len);
    check(packet.data.at[0] == 2 && packet.data.at[1] == 0x90 && packet.data.at[2] == 0x00);
}

static void bench_files(const char *what, struct bytes script, size_t answer_len, uint64_t *counter)
{
    struct deliveries d = deliveries_open();
    for (unsigned i = 0; i < ENVELOPES; i++) {
        uint8_t octets[SMS_PACKET_MAX];
        uint8_t data[SMS_USER_DATA_MAX];
        struct writer packet = writer_of(octets, sizeof octets);
        struct writer user_data = writer_of(data, sizeof data);
        struct secured_command command = files_command(++*counter, script);
        struct secured_keys keys = {.kic = &files_keys.kic, .kid = &files_keys.kid};
        struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
        check(secured_write_command(&packet, &command, &keys, &lab.cipher) == SECURED_OK);
        sms_cut_part(&cut, writer_bytes(&packet), 0, &user_data);
        deliveries_add(&d, i, writer_bytes(&user_data));
    }
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer answer = writer_of(octets, sizeof octets);
    clock_t from = clock();
    for (unsigned i = 0; i < ENVELOPES; i++) {
        answer.len = 0;
        check(deliver(d.tpdus[i], &answer) == SW_OK && answer.len > 3);
    }
    report(what, ENVELOPES, seconds_since(from));
    check_report(writer_bytes(&answer), *counter, answer_len);
    deliveries_close(&d);
}

// A card whose product has a key set for files.
static void bench_remote(void)
{
    uint8_t key[16] = {1, 2, 3};
    uint64_t counter = 0;
    files_keys.kic = secret_key_of(bytes_of(key, sizeof key));
    key[0] = 9;
    files_keys.kid = secret_key_of(bytes_of(key, sizeof key));
    files_product = card_product_standard;
    files_product.key_set_count = 1;
    files_product.key_sets = &files_keys;
    files_product.target_count = 1;
    files_product.targets = &files_target;
    lab.shop.product = &files_product;
    start();
    bench_files("files: SELECT, READ; answer in report", bytes_of(reading, sizeof reading), 13,
                &counter);
    bench_files("files: SELECT, UPDATE; answer in report", bytes_of(writing, sizeof writing), 3,
                &counter);
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
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    bench_remote();
    lab_close(&lab);
    return 0;
}

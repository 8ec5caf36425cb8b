// A trial of a card's applet: a terminal with a clock of its own, a network that is there or not,
// and the server's hand that writes secured packets and reads what comes back. What the card is and
// does behind its APDUs is not known here: only docs/applet-protocol.md is.
//
// The clock moves only in trial_wait(): timers of the terminal and its polling are all that a card
// knows of time, so hours take moments, with any card.
#pragma once

#include "common/wire/apdu.h"
#include "common/wire/cat.h"
#include "common/wire/keywrap.h"
#include "common/wire/parameter.h"
#include "common/wire/secured.h"
#include "sim-emulator/shell/conform_link.h"

#define TRIAL_NOTICES_MAX 16
#define TRIAL_REASON_SIZE 200
#define TRIAL_NEVER UINT64_MAX

// What a server knows of the card.
struct trial_card {
    struct secret_key kic, kid, kik;
    uint8_t key_version;
    uint32_t tar;
    struct phone server;
};

// What the card said last in answer to a packet.
struct trial_answer {
    bool has_answer; // else it was silent
    bool is_secured; // deciphered with a right MAC
    uint8_t status;
    uint32_t tar;
    uint64_t cntr;
    size_t len;
    uint8_t data[SMS_PACKET_MAX];
    bool has_reference;
    uint8_t reference[CARD_REFERENCE_SIZE];
    bool is_to_server; // the destination is SERVER_ADDR
};

struct trial_notice {
    struct notification content;
    uint64_t cntr;
    uint64_t at_s;
    bool is_to_server;
    bool has_reference;
};

enum trial_refresh {
    TRIAL_REFRESH_OBEY = 0,
    TRIAL_REFRESH_REFUSE,
};

struct trial {
    struct conform_link link;
    const struct cipher *cipher;
    struct trial_card card;
    uint64_t counter;      // of the last packet
    uint32_t operation_id; // the last one used
    // The terminal.
    uint8_t profile[33];
    enum trial_refresh refresh;
    uint64_t now_s;
    uint64_t timers[CAT_TIMERS_MAX];
    uint32_t timer_s[CAT_TIMERS_MAX];
    uint64_t poll_at;
    uint32_t poll_s;
    bool wants_location;
    bool is_in_service;
    bool has_coverage;
    uint8_t dead_imsi[IMSI_EF_LEN]; // no network lets this one in
    uint8_t imsi[IMSI_EF_LEN];      // that the terminal read last
    bool must_boot;
    unsigned boots;
    unsigned refreshes;
    uint16_t last_sw; // of the last ENVELOPE with a packet
    // What came from the card.
    struct sms_joiner joiner;
    struct secured_command command; // the last one sent
    struct trial_answer answer;
    struct trial_notice notices[TRIAL_NOTICES_MAX];
    unsigned notice_count;
    // The verdict.
    bool is_skipped;
    char reason[TRIAL_REASON_SIZE]; // empty: nothing was wrong so far
    unsigned exchanges;
};

void trial_init(struct trial *t, const struct conform_link *link, const struct cipher *cipher,
                const struct trial_card *card);

// The first expectation that does not hold is the reason. Gives `holds`.
bool trial_expect(struct trial *t, bool holds, const char *text);
void trial_skip(struct trial *t, const char *text);

// --- the terminal ---

// Reset, TERMINAL PROFILE, EF.IMSI, and service if there is coverage.
void trial_boot(struct trial *t);
void trial_wait(struct trial *t, uint32_t seconds);
// Coverage comes or goes, and the card is told.
void trial_cover(struct trial *t, bool has_coverage);
// A command with GET RESPONSE and 6C xx, and then the toolkit.
uint16_t trial_command(struct trial *t, struct bytes apdu, struct writer *response);

// --- the server ---

// One packet, with everything that can be wrong about it; zero values are right ones.
struct trial_packet {
    struct bytes data;
    uint8_t spi1, spi2, kic, kid; // 0: 16, 39, the card's key set with AES
    uint32_t tar;
    uint64_t counter; // 0: the next one
    bool has_wrong_mac;
    bool has_other_sender;
    bool is_reversed;       // parts in the reverse order
    bool has_double;        // each part twice
    bool has_second_mark;   // element 70 in each part
    bool has_key_of_length; // 3DES keys, made of the card's
    bool is_cut;            // its last octet is missing
    bool is_answered_safe;  // the answer is expected as SPI2 39 would have it
};
// Sends it; what the card answers is in t->answer.
void trial_send(struct trial *t, const struct trial_packet *packet);
// A command under a new counter. The result, or false when there is none that can be believed.
bool trial_ask(struct trial *t, const struct command *command, struct result *result);
// The same, expecting this code; says so when it is another. Gives the result.
struct result trial_expect_code(struct trial *t, const struct command *command, uint8_t code);
bool trial_audit(struct trial *t, struct audit_answer *answer);
// The newest notification of this cause since trial_forget(), or NULL.
const struct trial_notice *trial_notice(const struct trial *t, uint8_t cause);
void trial_forget(struct trial *t);
uint32_t trial_next_operation(struct trial *t);

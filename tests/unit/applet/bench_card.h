// One card on a bench: memory that can be cut off, a key set, two templates, a terminal that
// answers every proactive command, and a server that makes packets and opens answers. Invariants
// of the registry are asserted after every step.
#pragma once

#include "applet/applet.h"
#include "applet/memory.h"

#define BENCH_NVM 4096
#define BENCH_SENT_MAX 32
#define BENCH_WRITES_MAX 256

struct sent {
    bool is_answer;
    uint8_t status;
    struct result result;
    struct notification note;
    uint64_t counter;
    uint8_t data[COMMAND_RESULT_MAX];
    struct sms_address to;
    uint8_t parts;
    uint16_t reference; // of the concatenation
};

struct bench_card {
    struct applet applet;
    struct applet_port port;
    struct applet_work work;
    struct applet_factory factory;
    struct applet_template templates[2];
    struct slot subscriptions[2];
    struct cipher cipher;
    struct sms_joiner joiner;
    uint8_t nvm[BENCH_NVM];
    uint8_t profile[32];
    // Faults: the write of this number (from 1) is torn at its octet `cut_octet`, which becomes
    // `cut_value`; later writes do not happen. 0 = none.
    unsigned writes;
    unsigned cut_at;
    size_t cut_octet;
    uint8_t cut_value;
    unsigned cut_after; // the power fails behind this write
    bool is_cut;
    uint16_t write_len[BENCH_WRITES_MAX]; // octets of each write
    unsigned fail_at;                     // this write fails with an error
    unsigned fail_read_at;                // this read does
    bool fails_on;                        // and so do all later ones
    unsigned reads;
    uint32_t chance;
    // The terminal.
    uint8_t refresh_result; // 0: takes it and resets; otherwise this general result
    bool ignores_refresh;
    uint8_t service;
    bool has_imei;
    uint8_t imei[COMMAND_IMEI_SIZE];
    uint8_t plmn[3];
    unsigned refreshes;
    unsigned asked[256]; // proactive commands of each type
    // The server.
    uint64_t counter;
    uint32_t operation_id;
    unsigned sent_count;
    struct sent sent[BENCH_SENT_MAX];
    uint8_t parts[SMS_PACKET_MAX]; // of a message under way
    size_t parts_len;
    // To watch that nothing goes down.
    uint64_t mt_seen;
    uint64_t mo_seen;
    uint8_t last_tpdu[SMS_DELIVER_MAX];
    size_t last_tpdu_len;
};

void bench_init(struct bench_card *b);
void bench_close(struct bench_card *b);
// Reset, TERMINAL PROFILE, and what the terminal then does.
void bench_boot(struct bench_card *b);
// Lets the terminal fetch and answer everything. Follows resets that REFRESH asks for.
void bench_pump(struct bench_card *b);
// The location status becomes this, and the terminal says so.
void bench_service(struct bench_card *b, enum cat_location_status service);
// The terminal's timer of the state machine, or another, expires.
void bench_timer(struct bench_card *b, enum applet_clock_use use);
// Lets a clock run out, however many timers that takes.
void bench_run_out(struct bench_card *b, enum applet_clock_use use);
// Sends a command; gives its answer (NULL: none came).
const struct sent *bench_command(struct bench_card *b, struct command *c);
// The same with other indications.
const struct sent *bench_packet(struct bench_card *b, struct bytes data, uint8_t spi1, uint8_t spi2,
                                uint32_t tar, uint64_t counter);
// Takes the last SMS-DELIVER again.
const struct sent *bench_again(struct bench_card *b);
void bench_check(struct bench_card *b);
struct applet_dump bench_dump(struct bench_card *b);
// The last notification of this cause that left, or NULL.
const struct notification *bench_note(const struct bench_card *b, uint8_t cause);

// Commands. The IMSI of subscription n is 00101 and ten digits that end in n.
void bench_imsi(uint8_t n, uint8_t imsi[COMMAND_IMSI_SIZE]);
struct subscription_name bench_name(uint8_t n);
struct command bench_download(struct bench_card *b, uint8_t n, uint8_t flags);
struct command bench_target(struct bench_card *b, uint8_t number, uint8_t n, uint8_t flags);
struct command bench_audit(struct bench_card *b);
struct command bench_confirm(struct bench_card *b, uint32_t sequence, uint32_t operation_id);
struct command bench_configure(struct bench_card *b, struct bytes writes, struct bytes reads);

// Whole steps, asserted.
void bench_set(struct bench_card *b, const uint8_t *list, size_t len); // CONFIGURE
void bench_confirm_all(struct bench_card *b);                          // what is pending
void bench_install(struct bench_card *b, uint8_t n, uint8_t marks);
void bench_enable(struct bench_card *b, uint8_t n);    // up to the REFRESH
void bench_settle_on(struct bench_card *b, uint8_t n); // enabled, confirmed, preferred
void bench_rotate_away(struct bench_card *b);          // an outage until the card has changed
void bench_statuses(struct bench_card *b, unsigned count);
uint8_t bench_enabled(struct bench_card *b); // slot index
bool bench_is_pending(struct bench_card *b, uint8_t cause);

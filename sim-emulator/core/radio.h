// The radio world: networks, where and when they can be received, whom they let in, and their
// subscriber register with the keys that they authenticate with.
//
// Promises: a network answers the same to the same question at the same instant; a challenge is
// made of a fresh sequence number each time; who attached last with an IMSI is where its messages
// go.
// Never: allocates, knows a card, or changes a message.
#pragma once

#include "common/base/prng.h"
#include "common/base/time.h"
#include "common/wire/cat.h"
#include "sim-emulator/core/aka.h"

#define RADIO_NETWORKS_MAX 16
#define RADIO_AREAS_MAX 16
#define RADIO_RULES_MAX 64
#define RADIO_CHANGES_MAX 512
#define RADIO_NOBODY UINT32_MAX

struct radio_network {
    char plmn[PLMN_SIZE];
    uint8_t octets[PLMN_LEN];
    uint8_t technology; // enum cat_technology
};

// Who may attach: the rule with the longest prefix counts. A network without rules lets everybody
// in; one with rules rejects with cause 11 whom no rule names.
struct radio_rule {
    uint8_t network;
    uint8_t cause; // 0 = may attach, else the cause of the rejection [24.008 §10.5.3.6]
    char prefix[IMSI_SIZE];
};

// From this instant the area receives these networks, bit i = network i.
struct radio_change {
    struct instant at;
    uint16_t networks;
    uint8_t area;
};

// What a network's register knows of a subscription.
struct radio_subscriber {
    uint64_t imsi;   // radio_identity()
    uint64_t msisdn; // 0 = none
    struct network_keys keys;
    uint64_t seq;    // last one used
    uint32_t device; // that is attached with it, or RADIO_NOBODY
};

struct radio {
    struct radio_network networks[RADIO_NETWORKS_MAX];
    uint8_t network_count;
    char areas[RADIO_AREAS_MAX][17];
    uint8_t area_count;
    struct radio_rule rules[RADIO_RULES_MAX];
    uint16_t rule_count;
    struct radio_change changes[RADIO_CHANGES_MAX]; // in order of time
    uint16_t change_count;
    // The register: the caller's memory.
    struct radio_subscriber *subscribers;
    uint32_t subscriber_count;
    uint32_t subscriber_max;
    uint32_t *by_imsi;   // subscriber number plus 1, 0 = free
    uint32_t *by_msisdn; // the same
    uint32_t index_len;  // of both; a power of two, at least twice subscriber_max
    const struct cipher *cipher;
    struct prng random;
};

// Without networks and areas. `subscribers`, `by_imsi` and `by_msisdn` are set by the caller before
// anything is added; the indexes hold zeros.
void radio_init(struct radio *radio, const struct cipher *cipher, uint64_t seed);

// Digits as a number that keeps leading zeros; 0 for text that is not 1 to 18 digits.
uint64_t radio_identity(const char *digits);
// The digits of it and a zero.
#define RADIO_DIGITS_SIZE 20
void radio_digits(uint64_t identity, char digits[RADIO_DIGITS_SIZE]);

enum radio_add {
    RADIO_ADDED = 0,
    RADIO_FULL,
    RADIO_TWICE, // this IMSI or this number is there already
    RADIO_KEYS,  // of neither Milenage nor TUAK
};
enum radio_add radio_subscriber_add(struct radio *radio, const char *imsi, const char *msisdn,
                                    const struct network_keys *keys) MUST_USE;
struct radio_subscriber *radio_by_imsi(struct radio *radio, uint64_t imsi);
struct radio_subscriber *radio_by_msisdn(struct radio *radio, uint64_t msisdn);

// Number of the network, or RADIO_NETWORKS_MAX.
uint8_t radio_network_find(const struct radio *radio, const char *plmn);
uint8_t radio_area_find(const struct radio *radio, const char *name); // or RADIO_AREAS_MAX

// What the area receives now, and when that may change.
uint16_t radio_coverage(const struct radio *radio, uint8_t area, struct instant now);
struct instant radio_next_change(const struct radio *radio, uint8_t area, struct instant now);
// Enters a change; false when there is no room.
bool radio_change_add(struct radio *radio, const struct radio_change *change) MUST_USE;

// 0 when the network lets this subscription attach, else the cause of its rejection. Does not
// authenticate. Cause 2 when the register does not know the IMSI.
#define RADIO_CAUSE_UNKNOWN_IMSI 2
#define RADIO_CAUSE_ILLEGAL_MS 3
#define RADIO_CAUSE_PLMN_NOT_ALLOWED 11
#define RADIO_CAUSE_NETWORK_FAILURE 17
uint8_t radio_admission(struct radio *radio, uint8_t network, uint64_t imsi);

struct radio_challenge {
    uint8_t rand[AKA_RAND_LEN];
    uint8_t autn[16];
    uint8_t xres[AKA_OUTPUT_MAX];
    uint8_t xres_len;
};
// False when the cipher fails.
bool radio_challenge_make(struct radio *radio, struct radio_subscriber *subscriber,
                          struct radio_challenge *out) MUST_USE;
// Takes the card's sequence number out of AUTS; false when AUTS is not of this subscription.
bool radio_resynchronise(struct radio *radio, struct radio_subscriber *subscriber,
                         const struct radio_challenge *challenge, const uint8_t auts[14]) MUST_USE;

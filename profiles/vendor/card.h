// One record of a vendor file in clear: a card with its subscriptions and keys, or a subscription
// for a pool.
//
// Promises: plain values in the caller's memory; texts end with a zero; an empty text or a key of
// length 0 means "not in this file". Whoever holds one wipes it with vendor_card_wipe().
#pragma once

#include "common/base/secret.h"
#include "common/base/time.h"
#include "profiles/vendor/number.h"

#include <stdbool.h>
#include <stdint.h>

#define VENDOR_SLOTS_MAX 16 // slots are numbered 1 to 16
#define VENDOR_ICCID_SIZE 21
#define VENDOR_EID_SIZE 33
#define VENDOR_IMSI_SIZE 16
#define VENDOR_SMSP_SIZE 21
#define VENDOR_CODE_SIZE 9 // PIN, PUK, ADM1: at most 8 digits
#define VENDOR_OPERATOR_SIZE 32
#define VENDOR_INFOS_MAX 8
#define VENDOR_INFO_SIZE 65
#define VENDOR_REFERENCE_SIZE 8
#define VENDOR_TEMPLATES_MAX 32

enum vendor_role {
    VENDOR_BOOTSTRAP,
    VENDOR_OPERATIONAL,
    VENDOR_TEST,
};

enum vendor_algorithm {
    VENDOR_MILENAGE,
    VENDOR_TUAK,
};

struct vendor_subscription {
    uint8_t slot; // 0 in a pool
    enum vendor_role role;
    bool enabled;
    bool fallback;
    char iccid[VENDOR_ICCID_SIZE]; // slot 1 without one of its own has the card's
    char imsi[VENDOR_IMSI_SIZE];
    char msisdn[NUMBER_SIZE]; // as the rule pack wants it stored
    char smsp[VENDOR_SMSP_SIZE];
    uint16_t acc;
    enum vendor_algorithm algorithm;
    struct secret_key k;
    struct secret_key opc; // of OP and K where the file has OP [35.206 §4.1]; TOPc for TUAK
    char operator_name[VENDOR_OPERATOR_SIZE];
};

struct vendor_codes {
    char pin1[VENDOR_CODE_SIZE];
    char puk1[VENDOR_CODE_SIZE];
    char pin2[VENDOR_CODE_SIZE];
    char puk2[VENDOR_CODE_SIZE];
    char adm1[VENDOR_CODE_SIZE];
};

struct vendor_keyset {
    uint8_t number; // 1 to 15; 0 = no OTA keys in this file
    uint64_t counter;
    struct secret_key kic;
    struct secret_key kid;
    struct secret_key kik;
    uint8_t reference[VENDOR_REFERENCE_SIZE]; // first 8 octets of AES-CMAC(KIK, "card-ref")
};

struct vendor_info {
    uint8_t number;
    char text[VENDOR_INFO_SIZE];
};

struct vendor_card {
    uint32_t line;
    char iccid[VENDOR_ICCID_SIZE]; // empty only in an AUC file without ICCIDs, and in a pool
    char eid[VENDOR_EID_SIZE];
    struct vendor_codes codes;
    struct vendor_keyset keyset;
    struct vendor_subscription subscriptions[VENDOR_SLOTS_MAX];
    uint8_t subscription_count;
    struct vendor_info infos[VENDOR_INFOS_MAX];
    uint8_t info_count;
};

// What the header says once for all cards of the batch.
struct vendor_applet {
    uint8_t aid[16];
    uint8_t aid_len; // 0 = no applet named
    uint8_t tar[3];
    char version[16];
    uint8_t level; // protocol level, from the vendor profile
    uint8_t slot_count;
    uint8_t templates[VENDOR_TEMPLATES_MAX];
    uint8_t template_count;
};

// The first three numbers of its version, 0 for those that it does not have: 2.4 is 2, 4, 0.
void vendor_applet_version(const struct vendor_applet *applet, uint8_t version[3]);

struct vendor_factory {
    uint8_t slot;
    enum vendor_role role;
    bool enabled;
    bool fallback;
    uint32_t line;
};

// The keys of its subscriptions and key set, and the card codes, become zeros.
void vendor_card_wipe(struct vendor_card *card);

// How network keys travel in DOWNLOAD, and what else is computed under a card's KIK (the third key
// of its key set, used for key material only). Octets: docs/applet-protocol.md.
//
//   IV     = AES-CMAC(KIK, "wrap-iv" || operation id(4) || IMSI(9))
//   block  = AES-CBC(KIK, IV, K || OPc), no padding
//   check  = first 3 octets of AES-CMAC(KIK, "key-check" || K || OPc || IMSI(9))
//   card reference = first 8 octets of AES-CMAC(KIK, "card-ref")
//
// The IV is bound to the operation, so equal keys give unequal blocks, and a resend of one
// operation gives equal octets. The check value binds the keys to the IMSI that they belong to.
#pragma once

#include "common/wire/command.h"

#define CARD_REFERENCE_SIZE 8

struct network_keys {
    struct secret_key k;  // 16 or 32 octets
    struct secret_key op; // OPc of 16, or TOPc of 32
};

// What DOWNLOAD carries of them: command_download.wrapped_keys and .check.
struct keywrap_block {
    uint8_t octets[COMMAND_KEYS_MAX];
    uint8_t len;
    uint8_t check[COMMAND_CHECK_SIZE];
};

enum keywrap_status {
    KEYWRAP_OK = 0,
    KEYWRAP_BAD_LENGTH,   // not 32 (16+16), 48 (16+32) or 64 (32+32) octets
    KEYWRAP_CHECK_FAILED, // wrong KIK, operation, IMSI or octets; `keys` is wiped
    KEYWRAP_CIPHER_FAILED,
};

// Wraps the keys and computes the check value. `out` is wiped when the cipher fails.
enum keywrap_status keywrap_seal(const struct cipher *cipher, const struct secret_key *kik,
                                 uint32_t operation_id, const struct network_keys *keys,
                                 const uint8_t imsi[COMMAND_IMSI_SIZE],
                                 struct keywrap_block *out) MUST_USE;
// Unwraps what a DOWNLOAD carries, and verifies the check value in constant time.
enum keywrap_status keywrap_open(const struct cipher *cipher, const struct secret_key *kik,
                                 uint32_t operation_id, const struct command_download *from,
                                 struct network_keys *keys) MUST_USE;
bool card_reference(const struct cipher *cipher, const struct secret_key *kik,
                    uint8_t reference[CARD_REFERENCE_SIZE]) MUST_USE;

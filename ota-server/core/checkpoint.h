// A checkpoint of the audit trail as it stands in a file outside the database, one a line:
// "sequence time hash rows signature", the last over all before it. Those of the first release end
// with the hash.
//
// Promises: a line that was cut (a crash while writing) is none. Never: verifies the signature.
#pragma once

#include "common/wire/cipher.h"

#define CHECKPOINT_LINE_MAX 320
#define CHECKPOINT_SIGNATURE_SIZE 64

struct checkpoint {
    uint64_t sequence;
    uint64_t at; // ms since 1970
    uint8_t hash[CIPHER_SHA256_SIZE];
    uint64_t rows; // 0: not said
    bool is_signed;
    uint8_t signature[CHECKPOINT_SIGNATURE_SIZE]; // Ed25519
};

// `line` with its end; `text` gets what its signature is over, when it has one.
bool checkpoint_read(const char *line, struct checkpoint *c, struct bytes *text) MUST_USE;

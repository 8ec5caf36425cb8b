// Authentication of a USIM: the 3G context with its array of sequence numbers, resynchronisation,
// and the GSM context [33.102 §6.3 and annex C, 31.102 §7.1].
//
// Milenage or TUAK, as the lengths of the keys say (aka.h).
//
// Promises: the MAC is tested before the sequence number; an accepted sequence number is in
// non-volatile memory before the answer is given, in two copies, so that a power cut leaves the
// former or the new one; a subscription that takes a slot begins with an empty array.
// Never: accepts a sequence number twice, or keeps a key.
#pragma once

#include "sim-emulator/core/aka.h"
#include "sim-emulator/core/nvm_area.h"

#define USIM_INDEXES 32                                  // IND has 5 bits
#define USIM_SEQ_DELTA ((uint64_t)1 << 28)               // the furthest jump ahead [33.102 §C.2.1]
#define USIM_AGE_LIMIT ((uint64_t)1 << 28)               // the furthest behind [33.102 §C.2.2]
#define USIM_OWNER_LEN 9                                 // EF.IMSI
#define USIM_NVM_LEN (NVM_AREA_HEAD + USIM_INDEXES * 16) // octets of one subscription's array
#define USIM_AUTN_LEN 16
#define USIM_AUTS_LEN 14

struct usim {
    const struct cipher *cipher;
    struct nvm *nvm;
    uint32_t offset; // of USIM_NVM_LEN octets
    struct tuak_options tuak;
};

enum usim_result {
    USIM_OK = 0,
    USIM_MAC_WRONG,
    USIM_OUT_OF_RANGE, // `auts` is the answer
    USIM_FAULT,        // cipher or memory failed, or the keys are of no algorithm; nothing is given
};

struct usim_answer {
    struct aka_keys keys; // res, ck, ik
    uint8_t kc[8];
    uint8_t sres[4];
    uint8_t auts[USIM_AUTS_LEN];
};

// Makes the array that of this subscription: empties it when it was another's. USIM_OK or
// USIM_FAULT.
enum usim_result usim_own(struct usim *usim, const uint8_t owner[USIM_OWNER_LEN]) MUST_USE;
enum usim_result usim_authenticate(struct usim *usim, const struct network_keys *keys,
                                   const uint8_t rand[AKA_RAND_LEN],
                                   const uint8_t autn[USIM_AUTN_LEN],
                                   struct usim_answer *answer) MUST_USE;
// GSM context: sres and kc only. USIM_OK or USIM_FAULT.
enum usim_result usim_authenticate_gsm(const struct usim *usim, const struct network_keys *keys,
                                       const uint8_t rand[AKA_RAND_LEN],
                                       struct usim_answer *answer) MUST_USE;

// SQN = SEQ (43 bits) || IND (5 bits), as 48 bits.
uint64_t usim_sqn_read(const uint8_t octets[AKA_SQN_LEN]);
void usim_sqn_write(uint64_t sqn, uint8_t octets[AKA_SQN_LEN]);
// Whether a SEQ may be accepted [33.102 §C.2.1]: above the last one of its index, and not more than
// USIM_SEQ_DELTA above the highest of all, and not more than USIM_AGE_LIMIT below it. SEQ below the
// highest are allowed.
bool usim_seq_is_fresh(uint64_t seq, uint64_t last_of_index, uint64_t highest);
// Stores a SQN as accepted, as personalisation does with initial values.
enum usim_result usim_sqn_commit(struct usim *usim, uint64_t sqn) MUST_USE;

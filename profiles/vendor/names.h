// What a field of a vendor file means, and the two spellings of it: the name in the file
// ("IMSI1") and the target in a vendor profile ("slot1.imsi").
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define VENDOR_NAME_SIZE 32

enum vendor_name {
    VENDOR_ICCID,
    VENDOR_EID,
    VENDOR_PIN1,
    VENDOR_PUK1,
    VENDOR_PIN2,
    VENDOR_PUK2,
    VENDOR_ADM1,
    VENDOR_KCV,
    VENDOR_SLOT_ICCID, // from here to SMSP: the number is a slot, 1 to 16
    VENDOR_IMSI,
    VENDOR_MSISDN,
    VENDOR_ACC,
    VENDOR_KI,
    VENDOR_OPC,
    VENDOR_OP,
    VENDOR_ALGO,
    VENDOR_SMSP,
    VENDOR_KIC, // from here to KIK: the number is a key set, 1 to 15
    VENDOR_KID,
    VENDOR_KIK,
    VENDOR_INFO, // the number is free
    VENDOR_IGNORED,
};

struct vendor_meaning {
    enum vendor_name name;
    uint8_t number;
};

static inline bool vendor_meaning_equal(struct vendor_meaning a, struct vendor_meaning b)
{
    return a.name == b.name && a.number == b.number;
}

static inline bool vendor_name_has_slot(enum vendor_name name)
{
    return name >= VENDOR_SLOT_ICCID && name <= VENDOR_SMSP;
}

// Same text, whatever the case of its ASCII letters.
bool vendor_text_equal(struct bytes a, struct bytes b);
static inline bool vendor_text_is(struct bytes a, const char *b)
{
    return vendor_text_equal(a, bytes_of_text(b));
}

// A name in a file, in either case; "ACC" and "IMSI" without a number are slot 1. `csv` also takes
// the synonyms of that layout: id (ignored) and adm.
bool vendor_name_read(struct bytes text, bool csv, struct vendor_meaning *meaning) MUST_USE;
// A target in a vendor profile: "card.iccid", "slot1.imsi", "keyset1.kic", "check.kcv", "info3",
// "ignore".
bool vendor_target_read(struct bytes text, struct vendor_meaning *meaning) MUST_USE;
// The file's spelling of a meaning into `text`.
void vendor_name_write(struct vendor_meaning meaning, char text[VENDOR_NAME_SIZE]);

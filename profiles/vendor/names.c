#include "profiles/vendor/names.h"

#include "common/base/text.h"
#include "profiles/vendor/card.h"

#include <stdio.h>

#define NUMBER_MAX 99

enum numbered {
    NO_NUMBER,
    SLOT,        // 1 to 16; none = 1
    SLOT_NEEDED, // 1 to 16
    KEYSET,      // 1 to 15
    FREE,        // 0 to 99; none = 0
};

// Where one name begins another, the longer stands first.
static const struct {
    const char *name;
    const char *target; // behind "card.", "slotN." or "keysetN."
    enum vendor_name meaning;
    enum numbered numbered;
} rows[] = {
    {"ICCID", "card.iccid", VENDOR_ICCID, NO_NUMBER},
    {"EID", "card.eid", VENDOR_EID, NO_NUMBER},
    {"PIN1", "card.pin1", VENDOR_PIN1, NO_NUMBER},
    {"PUK1", "card.puk1", VENDOR_PUK1, NO_NUMBER},
    {"PIN2", "card.pin2", VENDOR_PIN2, NO_NUMBER},
    {"PUK2", "card.puk2", VENDOR_PUK2, NO_NUMBER},
    {"ADM1", "card.adm1", VENDOR_ADM1, NO_NUMBER},
    {"KCV", "check.kcv", VENDOR_KCV, NO_NUMBER},
    {"ICCID", "iccid", VENDOR_SLOT_ICCID, SLOT_NEEDED},
    {"IMSI", "imsi", VENDOR_IMSI, SLOT},
    {"MSISDN", "msisdn", VENDOR_MSISDN, SLOT},
    {"ACC", "acc", VENDOR_ACC, SLOT},
    {"KI", "k", VENDOR_KI, SLOT},
    {"OPC", "opc", VENDOR_OPC, SLOT},
    {"OP", "op", VENDOR_OP, SLOT},
    {"ALGO", "algo", VENDOR_ALGO, SLOT},
    {"SMSP", "smsp", VENDOR_SMSP, SLOT},
    {"KIC", "kic", VENDOR_KIC, KEYSET},
    {"KID", "kid", VENDOR_KID, KEYSET},
    {"KIK", "kik", VENDOR_KIK, KEYSET},
    {"INFO", "info", VENDOR_INFO, FREE},
};
#define ROWS (sizeof rows / sizeof rows[0])

bool vendor_text_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (text_lower((char)a.at[i]) != text_lower((char)b.at[i]))
            return false;
    return true;
}

static bool number_fits(enum numbered numbered, bool given, uint64_t number)
{
    switch (numbered) {
    case NO_NUMBER:
        return !given;
    case SLOT:
    case SLOT_NEEDED:
        return number >= 1 && number <= VENDOR_SLOTS_MAX && (given || numbered == SLOT);
    case KEYSET:
        return given && number >= 1 && number <= 15;
    case FREE:
        return number <= NUMBER_MAX;
    }
    return false;
}

// `digits` follow the name of `row`; none may be.
static bool read_number(size_t row, struct bytes digits, struct vendor_meaning *meaning)
{
    uint64_t number = rows[row].numbered == SLOT ? 1 : 0;
    bool given = digits.len > 0;
    if (given && (digits.len > 2 || !text_read_decimal(digits, &number)))
        return false;
    if (!number_fits(rows[row].numbered, given, number))
        return false;
    *meaning = (struct vendor_meaning){.name = rows[row].meaning, .number = (uint8_t)number};
    return true;
}

bool vendor_name_read(struct bytes text, bool csv, struct vendor_meaning *meaning)
{
    if (csv && vendor_text_is(text, "id")) {
        *meaning = (struct vendor_meaning){.name = VENDOR_IGNORED};
        return true;
    }
    if (csv && vendor_text_is(text, "adm"))
        text = bytes_of_text("ADM1");
    for (size_t i = 0; i < ROWS; i++) {
        struct bytes name = bytes_of_text(rows[i].name);
        if (vendor_text_equal(bytes_slice(text, 0, name.len), name) &&
            read_number(i, bytes_slice(text, name.len, text.len), meaning))
            return true;
    }
    return false;
}

// "slot12.imsi" under the prefix "slot": the number and what follows the dot.
static bool split_target(struct bytes text, const char *prefix, struct bytes *digits,
                         struct bytes *tail)
{
    struct bytes start = bytes_of_text(prefix);
    const uint8_t *dot = text.len > 0 ? memchr(text.at, '.', text.len) : NULL;
    if (dot == NULL || !bytes_equal(bytes_slice(text, 0, start.len), start))
        return false;
    size_t dot_at = (size_t)(dot - text.at);
    if (dot_at <= start.len)
        return false;
    *digits = bytes_slice(text, start.len, dot_at - start.len);
    *tail = bytes_slice(text, dot_at + 1, text.len);
    return true;
}

static bool row_matches(size_t row, struct bytes text, struct vendor_meaning *meaning)
{
    struct bytes target = bytes_of_text(rows[row].target);
    struct bytes digits;
    struct bytes tail;
    switch (rows[row].numbered) {
    case NO_NUMBER:
        *meaning = (struct vendor_meaning){.name = rows[row].meaning};
        return bytes_equal(text, target);
    case SLOT:
    case SLOT_NEEDED:
        return split_target(text, "slot", &digits, &tail) && bytes_equal(tail, target) &&
               read_number(row, digits, meaning);
    case KEYSET:
        return split_target(text, "keyset", &digits, &tail) && bytes_equal(tail, target) &&
               read_number(row, digits, meaning);
    case FREE:
        return bytes_equal(bytes_slice(text, 0, target.len), target) &&
               read_number(row, bytes_slice(text, target.len, text.len), meaning);
    }
    return false;
}

bool vendor_target_read(struct bytes text, struct vendor_meaning *meaning)
{
    if (vendor_text_is(text, "ignore")) {
        *meaning = (struct vendor_meaning){.name = VENDOR_IGNORED};
        return true;
    }
    for (size_t i = 0; i < ROWS; i++)
        if (row_matches(i, text, meaning))
            return true;
    return false;
}

void vendor_name_write(struct vendor_meaning meaning, char text[VENDOR_NAME_SIZE])
{
    const char *name = "ignored";
    enum numbered numbered = NO_NUMBER;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].meaning == meaning.name) {
            name = rows[i].name;
            numbered = rows[i].numbered;
        }
    if (numbered == NO_NUMBER)
        (void)snprintf(text, VENDOR_NAME_SIZE, "%s", name);
    else
        (void)snprintf(text, VENDOR_NAME_SIZE, "%s%u", name, meaning.number);
}

// What the header lines of a vendor file say, whatever the layout: `Key: value` lines (varout),
// `#Key: value` lines (CSV) or the product of a vendor profile (positional).
//
// Promises: every value is read completely or reported (IMP-119 and the special codes); a key that
// comes twice is reported (IMP-107), except Bootstrap, Operational and Subscription, which come
// once per factory subscription. Unknown keys are a warning. Never: decides whether what is there
// fits together: that is judge.c's.
#pragma once

#include "common/base/time.h"
#include "profiles/vendor/card.h"
#include "profiles/vendor/findings.h"

#define HEADER_TEXT_SIZE 64
#define HEADER_LIST_SIZE 4096

enum header_id {
    HEADER_FILE_VERSION,
    HEADER_CUSTOMER,
    HEADER_ORDER_NO,
    HEADER_BATCH,
    HEADER_QUANTITY,
    HEADER_CARD_TYPE,
    HEADER_CARD_OS,
    HEADER_PROFILE,
    HEADER_GRAPH_REF,
    HEADER_PRODUCED,
    HEADER_OUTPUT_TARGET,
    HEADER_TRANSPORT_AUC,
    HEADER_TRANSPORT_OTA,
    HEADER_OTA_KEYSET,
    HEADER_OTA_SECURITY,
    HEADER_APPLET_SM,
    HEADER_BOOTSTRAP,
    HEADER_OPERATIONAL,
    HEADER_SUBSCRIPTION,
    HEADER_ICCID_FORMAT,
    HEADER_VAR_IN,
    HEADER_START_IMSI, // one line per slot; the line numbers are in start_line
    HEADER_VAR_OUT,
    HEADER_ENCRYPTED,
    HEADER_KIND,
    HEADER_OPERATOR,
    HEADER_IDS,
};

// Bits of an Output-Target.
enum vendor_target {
    VENDOR_TARGET_OTA = 1,
    VENDOR_TARGET_AUC = 2,
    VENDOR_TARGET_LOG = 4,
};

enum transport_kind {
    TRANSPORT_AUC, // K, OPc, OP
    TRANSPORT_OTA, // ADM1 and the OTA keys
    TRANSPORT_KINDS,
};

struct vendor_transport {
    bool named;
    uint8_t index; // 1 to 99
    bool has_kcv;
    uint8_t kcv[3];
    uint8_t iv[16];
    bool loaded;
    struct secret_key key;
};

struct vendor_iccid_format {
    uint8_t digits; // 19 or 20; 0 = not said
    bool has_check_digit;
    bool is_swapped;
};

struct vendor_header {
    uint32_t line[HEADER_IDS]; // where each key stands; 0 = not there
    bool is_pool;
    char customer[HEADER_TEXT_SIZE];
    char order[HEADER_TEXT_SIZE];
    char batch[HEADER_TEXT_SIZE];
    char card_type[HEADER_TEXT_SIZE];
    char card_os[HEADER_TEXT_SIZE];
    char profile[HEADER_TEXT_SIZE];
    char graph_ref[HEADER_TEXT_SIZE];
    char operator_name[VENDOR_OPERATOR_SIZE]; // pool
    char tenant[HEADER_TEXT_SIZE];            // from the vendor profile
    uint64_t quantity;
    struct utc produced;
    unsigned targets; // vendor_target
    struct vendor_transport transport[TRANSPORT_KINDS];
    uint8_t keyset; // key set number
    uint64_t counter;
    uint8_t spi[2];
    uint8_t minimum_level;
    struct vendor_applet applet;
    struct vendor_factory factory[VENDOR_SLOTS_MAX];
    uint8_t factory_count;
    struct vendor_iccid_format iccid_format;
    uint64_t start_imsi[VENDOR_SLOTS_MAX + 1]; // by slot; 0 = none
    uint32_t start_line[VENDOR_SLOTS_MAX + 1];
    // The texts of Var_Out and Encrypted, kept until the names are resolved.
    char var_out[HEADER_LIST_SIZE];
    char encrypted[HEADER_LIST_SIZE];
};

// The key of a line "Key: value" and its value without blanks around it; false when it is none.
bool header_split(struct bytes line, struct bytes *key, struct bytes *value) MUST_USE;
// Reads one header line into `h`.
void header_read(struct vendor_header *h, struct bytes key, struct bytes value, uint32_t line,
                 struct findings *findings);
// The usual spelling of a key.
const char *header_name(enum header_id id);
// Transport keys become zeros.
void header_wipe(struct vendor_header *h);

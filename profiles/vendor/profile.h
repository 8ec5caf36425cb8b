// A vendor profile: how one supplier's names, customers and products map to ours. A JSON document,
// described in docs/vendor-files.md.
//
// Promises: strict: unknown members, duplicates, wrong types and anything over a limit are refused
// with the place and what was expected; what opens is consistent in itself.
// Never: reads files or the network.
#pragma once

#include "common/base/bytes.h"
#include "profiles/vendor/card.h"
#include "profiles/vendor/names.h"

#define PROFILE_JSON_MAX (256U * 1024)
#define PROFILE_COLUMNS_MAX 128
#define PROFILE_CUSTOMERS_MAX 256
#define PROFILE_OPERATORS_MAX 256
#define PROFILE_PRODUCTS_MAX 16
#define PROFILE_HEADERS_MAX 24
#define PROFILE_LEVELS_MAX 16
#define PROFILE_WORD_SIZE 64
#define PROFILE_VALUE_SIZE 256
#define PROFILE_ERROR_SIZE 160

enum vendor_layout {
    VENDOR_LAYOUT_UNKNOWN,
    VENDOR_VAROUT,
    VENDOR_CSV,
    VENDOR_POSITIONAL,
};

// "varout", "csv", "positional".
const char *vendor_layout_name(enum vendor_layout layout);

struct profile_names {
    char at[PROFILE_COLUMNS_MAX][VENDOR_NAME_SIZE];
    size_t count;
};

struct profile_pair {
    char key[PROFILE_WORD_SIZE];
    char value[PROFILE_VALUE_SIZE];
};

struct profile_column {
    char name[VENDOR_NAME_SIZE];
    struct vendor_meaning meaning;
};

struct profile_product {
    char id[16];
    struct profile_names record;
    struct profile_names encrypted_auc;
    struct profile_names encrypted_ota;
    struct profile_pair header[PROFILE_HEADERS_MAX];
    size_t header_count;
};

struct profile_level {
    uint8_t major;
    uint8_t level;
};

struct vendor_profile {
    char vendor[PROFILE_WORD_SIZE];
    uint32_t version;
    bool layouts[VENDOR_POSITIONAL + 1];
    struct profile_pair customers[PROFILE_CUSTOMERS_MAX]; // key: in the file; value: tenant
    size_t customer_count;
    struct profile_column columns[PROFILE_COLUMNS_MAX];
    size_t column_count;
    struct profile_names required;
    struct profile_pair operators[PROFILE_OPERATORS_MAX]; // key: IMSI digits; value: operator
    size_t operator_count;
    struct profile_product products[PROFILE_PRODUCTS_MAX];
    size_t product_count;
    struct profile_level levels[PROFILE_LEVELS_MAX];
    size_t level_count;
};

// NULL, and a text for people in `error`, when the document is refused or there is no memory.
struct vendor_profile *profile_open(struct bytes json, char error[PROFILE_ERROR_SIZE]) MUST_USE;
void profile_close(struct vendor_profile *profile);

// The meaning that the profile gives a name, or NULL: a name is found as it is written or by the
// same standard meaning ("imsi" finds "IMSI1").
const struct profile_column *profile_column(const struct vendor_profile *profile, struct bytes name,
                                            bool csv);
// The tenant of a customer name, or NULL. Customer names keep their case.
const char *profile_tenant(const struct vendor_profile *profile, struct bytes customer);
// The operator of the longest matching IMSI prefix, or NULL.
const char *profile_operator(const struct vendor_profile *profile, struct bytes imsi);
const struct profile_product *profile_product(const struct vendor_profile *profile,
                                              struct bytes id);
// The protocol level of a major applet version; 0 = none named.
uint8_t profile_level(const struct vendor_profile *profile, uint64_t major);

// How many octets a subscription costs over the air: with its template as one DOWNLOAD, and without
// it as the files themselves. Also the form of a file's content: octets in hexadecimal with
// placeholders between braces, such as `0FFF{IMSI}`.
//
// Promises: the DOWNLOAD is built by the code that builds real ones; the files are counted as a
// remote script of SELECT and UPDATE BINARY in one secured packet [102.226 §5.1, 8.2].
#pragma once

#include "common/host/json.h"
#include "common/wire/cipher.h"
#include "common/wire/ident.h"
#include "ota-server/core/record.h"

#define TEMPLATE_PLACEHOLDERS 6

const char *template_placeholder_name(unsigned index);
// Octets in upper-case hexadecimal and known placeholders, and nothing else.
bool template_content_check(struct bytes content);
// Bit i: placeholder i stands in it.
unsigned template_placeholders(struct bytes content);

struct template_values {
    char imsi[IMSI_SIZE];
    char iccid[ICCID_SIZE];                                // or ""
    char msisdn[NUMBER_TEXT_SIZE], smsc[NUMBER_TEXT_SIZE]; // or ""
    uint8_t mnc_length;
};

struct template_sizes {
    size_t command_octets, command_sms;
    size_t full_octets, full_sms;
};

// False when the packet cannot be built from such values.
bool template_sizes_find(const json_t *files, uint8_t number, const struct template_values *values,
                         const struct cipher *cipher, struct template_sizes *out) MUST_USE;
// Of the files alone, from the body of a version; 0 when it cannot be read.
size_t template_full_octets(struct bytes body);
// Tenths of a percent that the DOWNLOAD saves; 0 when it saves nothing.
uint64_t template_saved(const struct template_sizes *sizes);

// Writes vendor files of fictional cards and subscriptions, for demonstrations, tests and benches.
//
// Promises: a valid file whatever the count: check digits, enciphered keys, check values, trailer.
// The same seed and serial number give the same card, whatever file it is in. Only test networks
// 999-70 and 001-01; every secret comes from the seed, so that nobody mistakes it for a live one.
#pragma once

#include "common/base/secret.h"
#include "common/wire/cipher.h"
#include "profiles/vendor/digest.h"

#include <stdint.h>
#include <stdio.h>

#define MAKE_COUNT_MAX 5000000000ULL // serial numbers of cards end where those of pools begin

struct make_options {
    const struct cipher *cipher;
    const struct vendor_digest *digest;
    FILE *to;
    uint64_t seed;
    uint64_t first; // serial number, from 1
    uint64_t count;
    const char *batch;
    const char *customer;
    struct secret_key transport_auc; // index 07
    struct secret_key transport_ota; // index 12
};

// A batch of cards, layout varout, two subscriptions each; false when writing or OpenSSL fails.
bool make_cards(const struct make_options *options) MUST_USE;
// A pool of subscriptions of 001-01, layout CSV.
bool make_pool(const struct make_options *options) MUST_USE;

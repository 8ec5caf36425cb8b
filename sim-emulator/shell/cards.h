// Where a fleet's cards come from: vendor files, or generated ones; and the subscriptions that the
// networks know.
//
// Promises: what was read is complete, or nothing and a text that says why. Keys stay in memory
// only; wiped at close.
#pragma once

#include "applet/applet.h"
#include "sim-emulator/core/radio.h"
#include "sim-emulator/shell/options.h"

// The emulated networks' service centre: of every subscription that names none, so that each SEND
// SHORT MESSAGE has an address.
#define CARDS_SERVICE_CENTRE "99900001"

// A subscription for the networks' register.
struct cards_known {
    char imsi[IMSI_SIZE];
    char msisdn[PHONE_DIGITS_MAX + 1]; // never empty: a number is made up if it has none
    struct network_keys keys;
};

struct cards {
    struct applet_factory *factories;
    struct slot *slots; // of all cards, one after the other
    uint32_t count;
    uint32_t slot_count;
    struct cards_known *known;
    uint32_t known_count;
    struct applet_template templates[COMMAND_TEMPLATES_MAX];
    // private
    uint32_t factory_room, slot_room, known_room;
};

#define CARDS_ERROR_SIZE 256
// Reads or generates what the options ask for.
bool cards_open(struct cards *cards, const struct options *options, const struct cipher *cipher,
                char error[CARDS_ERROR_SIZE]) MUST_USE;
void cards_close(struct cards *cards);

// The register's memory and content. False when there is no memory, or an IMSI or number is there
// twice.
bool cards_fill_radio(const struct cards *cards, struct radio *radio,
                      char error[CARDS_ERROR_SIZE]) MUST_USE;
void cards_empty_radio(struct radio *radio);

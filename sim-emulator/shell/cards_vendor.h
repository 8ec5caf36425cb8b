// Cards out of vendor output files. Behind cards.h.
#pragma once

#include "sim-emulator/shell/cards.h"

// Reads one file of cards, or of pool subscriptions.
bool cards_read_vendor(struct cards *cards, const struct options *options, const char *path,
                       bool is_pool, const struct cipher *cipher,
                       char error[CARDS_ERROR_SIZE]) MUST_USE;

bool cards_add(struct cards *cards, const struct applet_factory *factory,
               const struct slot *slots) MUST_USE;
bool cards_add_known(struct cards *cards, const struct cards_known *known) MUST_USE;
// The templates that all cards have, by their numbers; at most COMMAND_TEMPLATES_MAX.
void cards_set_templates(struct cards *cards, const uint8_t *numbers, uint8_t count);
// check()s that these are up to 20 digits.
void cards_set_number(struct dialling *to, const char *digits);

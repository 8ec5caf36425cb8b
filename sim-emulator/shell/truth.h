// What a card and its device really are, as JSON: for people, and for checkers that compare it with
// what a server believes. Keys never are in it.
#pragma once

#include "common/base/json_writer.h"
#include "sim-emulator/shell/app.h"

#define TRUTH_CARD_MAX 12288 // octets of one card's object

// The whole registry and state of card `number`, from 0.
void truth_card(struct app *app, uint32_t number, struct json_writer *json);
// One line's worth: ICCID, power, service, network, area, enabled IMSI.
void truth_card_short(struct app *app, uint32_t number, struct json_writer *json);
void truth_counters(struct app *app, struct json_writer *json);

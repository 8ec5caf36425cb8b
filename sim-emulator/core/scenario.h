// A scenario file: the radio world, the kinds of devices, which card is in which, and what happens
// when. Plain text, one statement a line; docs/scenarios.md has the language.
//
// Promises: reading stops at the first line that is wrong and says which one and why; a scenario
// that was read is complete (every name it uses is declared, every number in range).
// Never: allocates, opens a file, or does anything by itself: fleet.h does.
#pragma once

#include "sim-emulator/core/device.h"

#define SCENARIO_VERSION 1
#define SCENARIO_MODELS_MAX 16
#define SCENARIO_GROUPS_MAX 128
#define SCENARIO_STEPS_MAX 512
#define SCENARIO_ERROR_SIZE 120

// Cards are counted from 1 in the order in which the fleet has them.
struct scenario_cards {
    uint32_t first;
    uint32_t last;
};

struct scenario_group {
    struct scenario_cards cards;
    bool has_area;
    bool has_model;
    uint8_t area;
    uint8_t model;
};

enum scenario_action {
    SCENARIO_POWER_ON,
    SCENARIO_POWER_OFF,
    SCENARIO_CUT,  // `value`: the octet of memory, counted from now, at which the power goes
    SCENARIO_MOVE, // `value`: area
    SCENARIO_IMEI,
    SCENARIO_NO_IMEI,
};

struct scenario_step {
    struct instant at;
    struct scenario_cards cards;
    enum scenario_action action;
    uint32_t value;
    uint8_t imei[IMEI_LEN];
};

struct scenario {
    struct device_model models[SCENARIO_MODELS_MAX]; // number 0 is "default"
    uint8_t model_count;
    struct scenario_group groups[SCENARIO_GROUPS_MAX]; // a later one counts more
    uint16_t group_count;
    struct scenario_step steps[SCENARIO_STEPS_MAX]; // in order of time
    uint16_t step_count;
};

// "line 7: no network 26203 was declared", in the caller's memory.
struct scenario_error {
    uint32_t line;
    char text[SCENARIO_ERROR_SIZE];
};

// One network 00101, one area "home" that receives it, one model "default".
void scenario_default(struct scenario *scenario, struct radio *radio);
// Fills `scenario`, and networks, areas, rules and changes of `radio`. False with `error`.
bool scenario_read(struct bytes text, struct scenario *scenario, struct radio *radio,
                   struct scenario_error *error) MUST_USE;

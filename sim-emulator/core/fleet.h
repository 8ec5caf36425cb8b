// Many devices under one radio world: who is due next, whose number a message is for, what the
// scenario wants next, and what happened so far.
//
// Promises: the same fleet, scenario, seed and messages give the same story; devices that are due
// at the same instant run in a fixed order; a step runs at most as many devices as it is told.
// Never: allocates: devices, heap and register are the caller's memory.
#pragma once

#include "sim-emulator/core/scenario.h"

#define FLEET_FAULTS_MAX 64

// A device and when it is due.
struct fleet_entry {
    uint64_t due_ms;
    uint32_t device;
};

struct fleet_counts {
    uint64_t attached, detached, rejected, refreshed;
    uint64_t mo;
    uint64_t mt_accepted, mt_absent, mt_busy, mt_refused, mt_unknown;
    uint64_t steps;        // of devices
    uint64_t steps_failed; // of the scenario: more power cuts at once than FLEET_FAULTS_MAX
};

// A message of a card. `source` is the number of its subscription (its IMSI when it has none);
// `tpdu` is an SMS-SUBMIT, good during the call.
struct fleet_message {
    uint64_t source; // radio_identity()
    uint32_t device;
    struct bytes tpdu;
};

struct fleet {
    struct device *devices;
    uint32_t count;
    struct device_world world;
    const struct scenario *scenario;
    struct fleet_counts counts;
    uint32_t attached_now;
    // Called for each message of a card; must not call the fleet. May be NULL.
    void (*mo)(void *context, const struct fleet_message *message);
    // Called for each change of a device, after it was counted. May be NULL.
    void (*acted)(void *context, const struct device *device, const struct device_action *action);
    // Called after each step of a device, whatever it did: its card's memory may have changed. Must
    // not call the fleet. May be NULL.
    void (*stepped)(void *context, uint32_t device);
    void *context;
    // private
    struct fleet_entry *heap; // the earliest is first
    uint32_t *places;         // of each device in the heap
    uint16_t step_next;
    struct instant started;
    struct nvm_faults faults[FLEET_FAULTS_MAX];
    struct card *faulty[FLEET_FAULTS_MAX];
};

struct fleet_config {
    struct device *devices; // initialised, off
    uint32_t count;
    struct fleet_entry *heap; // `count` entries
    uint32_t *places;         // the same
    struct radio *radio;
    const struct scenario *scenario; // outlives the fleet
    struct utc start;                // the time of day at instant 0
    uint64_t seed;
};
// Places the devices as the scenario says and gives each an IMEI made of its number. All are off.
void fleet_init(struct fleet *fleet, const struct fleet_config *config);
// Switches on all devices, spread evenly over `spread_ms`. What the scenario has before `now` is
// done with the first step, except power cuts: a fleet that goes on after a stop had them already.
void fleet_start(struct fleet *fleet, struct instant now, uint64_t spread_ms);
// Runs steps of the scenario and devices that are due, at most `devices_max` of them; says how
// many.
uint32_t fleet_step(struct fleet *fleet, struct instant now, uint32_t devices_max);
struct instant fleet_deadline(const struct fleet *fleet);

enum fleet_delivery {
    FLEET_ACCEPTED = 0,
    FLEET_ABSENT,  // nobody is attached with this number now: try later
    FLEET_BUSY,    // try later
    FLEET_REFUSED, // RP-ERROR
    FLEET_UNKNOWN, // no network has this number
};
// An SMS-DELIVER for a number. `report` gets the user data of the delivery report, if any; the
// device that got it is in `*device`, or RADIO_NOBODY.
enum fleet_delivery fleet_deliver(struct fleet *fleet, uint64_t msisdn, struct bytes tpdu,
                                  struct writer *report, struct instant now,
                                  uint32_t *device) MUST_USE;

// The reader's user of this device's card had `sw` from it: see device_serve().
void fleet_serve(struct fleet *fleet, uint32_t device, uint16_t sw, struct instant now);

// See device_plan_faults().
void fleet_plan_faults(struct fleet *fleet, uint32_t device, const struct nvm_faults *plan,
                       struct nvm_faults *kept, struct instant now);
// See device_plan_reset().
void fleet_plan_reset(struct fleet *fleet, uint32_t device, uint32_t nth, struct instant now);
// See device_plan_answers().
void fleet_plan_answers(struct fleet *fleet, uint32_t device, const struct device_answers *plan,
                        struct instant now);
// By hand, now. False when there is no such device, or no room for another fault.
bool fleet_act(struct fleet *fleet, uint32_t device, const struct scenario_step *what,
               struct instant now) MUST_USE;
// This card gives a proactive command: card_give(). `device` is one of the fleet's.
enum card_give fleet_give(struct fleet *fleet, uint32_t device, struct bytes command,
                          struct instant now) MUST_USE;
// An area receives these networks from now on. False when there is no room for another change.
bool fleet_cover(struct fleet *fleet, uint8_t area, uint16_t networks, struct instant now) MUST_USE;

// Rare situations, and how often the worlds met them: an observer that reads the trail and what
// cards ran, so that the product carries no mark of it. One that is never met in many worlds says
// that a fault is missing in the simulation, not that the product is right.
#pragma once

#include "ota-server/core/rules.h"
#include "tests/world/store/kind.h"

struct world;

#define PROBE_CAUSES (NOTIFY_RESTORED + 1)
#define PROBE_REFUSALS (REFUSAL_OVERLOADED + 1)
#define PROBE_COMMANDS 17
#define PROBE_RESULTS 64
#define PROBE_CLOCKS 4   // WORLD_CLOCKS
#define PROBE_PROFILES 3 // WORLD_PROFILES

// What befell messages on their way.
enum probe_fault {
    PROBE_CLOGGED,      // one waited until a network was clogged no more
    PROBE_STALLED,      // octets waited in a connection that carried nothing
    PROBE_SILENCE_NEAR, // server or network noticed that the message centre is gone
    PROBE_SILENCE_FAR,  // or the reverse
    PROBE_ALTERED_MT,
    PROBE_ALTERED_MO,
    PROBE_MIXED_MT, // a part came among those of another packet
    PROBE_MIXED_MO,
    PROBE_RECEIPTS_DOUBLED,
    PROBE_RECEIPTS_EARLY,
    PROBE_HEX,       // a receipt came while ids had two forms
    PROBE_SWALLOWED, // a message went over a link that delivers nothing
    PROBE_JOINED_MT, // parts became one message
    PROBE_JOINED_MO,
    PROBE_FAULTS
};

// What cards came to.
enum probe_card {
    PROBE_RESULT_FORGOTTEN, // the result of an operation fell out of the eight that are kept
    PROBE_MERGED,           // two notifications became one
    PROBE_DEAF_IN_A_SWITCH, // wrong packets made it deaf while a switch was open
    PROBE_CAP_IN_A_SEARCH,  // its switches of the day were over before it found service
    PROBE_RESET,            // its device started anew amid its commands
    PROBE_CARDS
};

struct probes {
    uint32_t transitions[OPERATION_STATUSES][INPUTS]; // of operations
    uint32_t reasons[DIRTY_REASONS];
    uint32_t causes[PROBE_CAUSES];
    uint32_t refusals[PROBE_REFUSALS];
    uint32_t results[PROBE_COMMANDS][PROBE_RESULTS];
    uint32_t faults[PROBE_FAULTS];
    uint32_t cards[PROBE_CARDS];
    uint32_t disks[WORLD_DISKS];
    uint32_t doubles;                  // wishes that were taken twice
    uint32_t clocks[PROBE_CLOCKS];     // switches in devices with bad timers
    uint32_t profiles[PROBE_PROFILES]; // switches in devices that can do less
    uint32_t flaps;                    // switches while service came and went
    uint32_t duties;                   // switches undone in a device that is on for moments only
};

// Adds what this world met so far.
void probes_look(const struct world *w, struct probes *p);
void probes_ran(struct probes *p, uint8_t command, uint8_t result);
void probes_met(struct probes *p, enum probe_fault fault);
void probes_card(struct probes *p, enum probe_card situation, bool is_met);
void probes_count(struct probes *p, enum probe_fault fault, uint64_t times);
void probes_struck(struct probes *p, uint8_t disk); // enum world_disk
void probes_add(struct probes *sum, const struct probes *p);
// Calls `missing` for each that was not met. How many there are, and how many were met.
unsigned probes_report(const struct probes *p, unsigned *met, void (*missing)(const char *name));

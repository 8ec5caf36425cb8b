// Rare situations, and how often the worlds met them: an observer that reads the trail and what
// cards ran, so that the product carries no mark of it. One that is never met in many worlds says
// that a fault is missing in the simulation, not that the product is right.
#pragma once

#include "ota-server/core/rules.h"
#include "tests/world/store/kind.h"

struct device_answers;
struct world;

#define PROBE_CAUSES (NOTIFY_RESTORED + 1)
#define PROBE_REFUSALS (REFUSAL_OVERLOADED + 1)
#define PROBE_COMMANDS 17
#define PROBE_RESULTS 64
#define PROBE_CLOCKS 4   // WORLD_CLOCKS
#define PROBE_PROFILES 4 // WORLD_PROFILES
#define PROBE_ANSWERED 7 // WORLD_ANSWERED
#define PROBE_FORMS 8    // DEVICE_ANSWER_FORMS

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
    PROBE_AGAIN,            // a packet came a second time, behind a start of the card
    PROBE_JUST_IN_TIME,     // CONFIRM came within 30 s of the end of the last wait
    PROBE_JUST_TOO_LATE,    // or within 30 s after it
    PROBE_CARDS
};

// What the server slept over.
enum probe_sleep {
    PROBE_SLEEP_DUE,    // something came due
    PROBE_SLEEP_SENT,   // a message of a card waits for it
    PROBE_SLEEP_ENDED,  // the message centre ended a connection
    PROBE_SLEEP_SWITCH, // the time in which a switch had to be confirmed
    PROBE_SLEEPS
};

// Cards that are gone for ever.
enum probe_gone {
    PROBE_GONE_OPEN,     // an operation was open when it went
    PROBE_GONE_GIVEN_UP, // at the end it is known to be out of reach
    PROBE_GONES
};

// Audits, and what cards are that are not as usual.
enum probe_shape {
    PROBE_AUDIT_PAGES,       // an audit had a second page
    PROBE_AUDIT_RESTARTED,   // the card changed between two
    PROBE_AUDIT_INCOMPLETE,  // and again and again: the audit was given up
    PROBE_COUNTER_NEAR_LAST, // its counter is so high that the server raises an alarm
    PROBE_COUNTER_LAST,      // and at its end: in quarantine
    PROBE_IMEI_NONE,         // in a device without IMEI
    PROBE_IMEISV,            // it learnt its IMEI of an IMEISV
    PROBE_SHAPES
};

// What decisions of the server were about.
enum probe_decision {
    PROBE_PAGES_APART,         // an audit whose card had changed since its last page
    PROBE_COMMITTED_UNSENT,    // a start behind a kill between commit and sending
    PROBE_RESTORED_CONFIRMING, // a backup with an operation in CONFIRMING was put back
    PROBE_CANCEL_REFUSED,      // as it was sent already, or had ended
    PROBE_ENABLED_LATE,        // ENABLED came too late, and is not confirmed
    PROBE_ENABLED_FIRST,       // ENABLED came before the answer to its command
    PROBE_CONFIRM_CROSSED,     // a rollback was told while its CONFIRM was under way
    PROBE_DECISIONS
};

struct probes {
    uint32_t transitions[OPERATION_STATUSES][INPUTS]; // of operations
    uint32_t reasons[DIRTY_REASONS];
    uint32_t causes[PROBE_CAUSES];
    uint32_t refusals[PROBE_REFUSALS];
    uint32_t results[PROBE_COMMANDS][PROBE_RESULTS];
    uint32_t faults[PROBE_FAULTS];
    uint32_t cards[PROBE_CARDS];
    uint32_t decisions[PROBE_DECISIONS];
    uint32_t disks[WORLD_DISKS];
    uint32_t doubles;                  // wishes that were taken twice
    uint32_t clocks[PROBE_CLOCKS];     // switches in devices with bad timers
    uint32_t profiles[PROBE_PROFILES]; // switches in devices that can do less
    uint32_t answered[PROBE_ANSWERED]; // commands that a device answered wrongly
    uint32_t forms[PROBE_FORMS];       // the same, by form
    uint32_t sleeps[PROBE_SLEEPS];
    uint32_t gones[PROBE_GONES];
    uint32_t shapes[PROBE_SHAPES];
    uint32_t flaps;  // switches while service came and went
    uint32_t duties; // switches undone in a device that is on for moments only
};

// Adds what this world met so far.
void probes_look(const struct world *w, struct probes *p);
void probes_ran(struct probes *p, uint8_t command, uint8_t result);
void probes_met(struct probes *p, enum probe_fault fault);
void probes_card(struct probes *p, enum probe_card situation, bool is_met);
// A decision of the server, seen where decide() is called (registry.c). `killed_ms`: when the
// server was killed between a commit and what should have followed; 0: never.
void probes_decision(struct probes *p, const struct record *before, const struct event *e,
                     const struct decision *d, int64_t killed_ms);
void probes_count(struct probes *p, enum probe_fault fault, uint64_t times);
// A device answered so, these times.
void probes_answered(struct probes *p, const struct device_answers *answers, uint32_t times);
// The server wakes.
void probes_slept(const struct world *w, struct probes *p);
void probes_shape(struct probes *p, enum probe_shape situation, bool is_met);
void probes_gone(struct probes *p, enum probe_gone situation, bool is_met);
void probes_struck(struct probes *p, uint8_t disk); // enum world_disk
void probes_add(struct probes *sum, const struct probes *p);
// Calls `missing` for each that was not met. How many there are, and how many were met.
unsigned probes_report(const struct probes *p, unsigned *met, void (*missing)(const char *name));

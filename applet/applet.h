// The subscription management applet: it keeps several subscriptions on one card, takes secured
// commands to load, enable and delete them, watches whether there is service, chooses another one
// when there is none, and tells the server what it did (docs/applet-protocol.md).
//
// How to use it. The card operating system owns a `struct applet` (state that a reset may lose) and
// a port (port.h). It calls applet_start() after every reset, then one function per thing that
// happens. After each call it asks applet_pending(): when there is something, the status word is
// 91 xx, and applet_fetch() gives the proactive command, whose TERMINAL RESPONSE goes to
// applet_terminal_response(). Commands come one at a time.
//
// Promises: no call loops longer than its input; no time passes unless the caller says so (timers,
// STATUS); every change is committed before anything that shows it leaves; the files of the enabled
// subscription are views of the committed state (applet_subscription()), so a switch is atomic.
// Never: allocates, keeps a pointer to what it was given, answers a packet whose MAC is wrong,
// offers general proactive commands, or shows a key other than by applet_subscription().
#pragma once

#include "applet/port.h"
#include "common/wire/cat.h"

#define APPLET_CLOCKS 6

// A running clock: what is left, and what a timer of the terminal is counting of it now.
struct applet_clock {
    uint32_t left_s;   // of the whole, that part included; 0 = off
    uint32_t armed_s;  // what the terminal's timer was started with
    uint32_t status_s; // counted in STATUS commands since then
    bool is_told;      // the terminal was told
};

// What the card last said or will say in answer to a packet, enough to make its octets again.
struct applet_answer {
    bool is_wanted;
    uint8_t status; // enum secured_status
    uint8_t spi2;
    uint8_t command;
    bool has_result; // the status alone otherwise
    uint32_t tar;
    uint64_t counter;
    struct outcome outcome;
    struct command_audit audit;
    uint32_t reads; // CONFIGURE: bit n = parameter n
};

// A message under way to the server: an answer or a notification.
struct applet_sending {
    uint8_t kind; // enum applet_sending_kind
    uint8_t part; // the next one, from 0
    uint8_t part_count;
    uint8_t reference; // of concatenated parts
    uint32_t sequence; // of the notification
    uint64_t counter;  // MO counter that was committed for it
    uint32_t crc;      // of the packet: parts of two packets are never mixed
};

// Times that run side by side; clock n is the terminal's timer n + 1.
enum applet_clock_use {
    CLOCK_STATE = 0, // of the state machine
    CLOCK_NOTIFY,    // until a notification is repeated
    CLOCK_COUNTRY,   // a country must be seen so long
    CLOCK_LOCK,      // deaf after too many wrong packets
    CLOCK_JOIN,      // parts of a long packet wait so long
    CLOCK_SLOW,      // ticks for everything that takes hours
};

struct applet {
    // private
    uint8_t state;    // enum switch_state
    uint8_t service;  // enum cat_location_status, once has_service
    bool has_service; // a status was seen since the start
    bool is_profiled; // TERMINAL PROFILE came
    bool is_dead;     // the memory cannot be used
    bool is_late;     // it could not keep the start yet
    bool is_blocked;  // the counters are lost: nothing is accepted or sent
    uint8_t found;    // enum memory_found, of the last start
    uint8_t bank;     // that holds the image
    uint8_t counters_bank;
    uint16_t bank_len; // of the image
    uint32_t bank_number;
    uint32_t counters_number;
    uint64_t mt_counter;
    uint64_t mo_counter;
    uint8_t packet_digest[8]; // of the last accepted packet
    uint8_t reference[CARD_REFERENCE_SIZE];
    // Copies of what the image says, so that most events need not read it.
    uint32_t generation;
    uint32_t pending_last; // highest sequence that is pending, 0 = none
    uint32_t due_s;        // the earliest of the slow times
    uint32_t busy_s;       // the same without those when the clock is kept and nothing else happens
    uint16_t keep_s;       // how long after a commit that is, 0 = never
    uint16_t kept;         // how often that was passed over at rest
    uint32_t kept_s;       // the last time
    bool is_settled;       // contacted, and the enabled one is proven
    bool is_by_status;     // POLL_BY_STATUS
    uint8_t poll_period_s; // as granted by the terminal
    // The terminal.
    uint16_t terminal;      // TERMINAL_
    uint16_t todo;          // commands to the terminal that are due
    uint8_t command;        // the one that the terminal has, 0 = none
    uint8_t command_number; // of the last one
    uint16_t command_s;     // how long it has had it, in STATUS commands
    uint8_t command_timer;  // clock that it starts
    uint8_t terminal_slot;  // subscription that it started with
    // The state machine.
    uint32_t now_s;      // the card's own clock
    uint32_t resend_s;   // pending notifications are sent again then, 0 = not set
    uint8_t wait;        // what CLOCK_STATE is counting
    uint16_t outage_s;   // length of outage at which that clock ends
    uint8_t tries;       // of REFRESH
    uint8_t fired;       // clocks that are over and not yet dealt with
    bool is_cause_final; // a rejection condemned the subscription
    bool has_reject;
    bool has_plmn;
    bool has_access;
    bool is_country_stable;
    uint8_t reject;
    uint8_t plmn[COMMAND_PLMN_SIZE];
    uint8_t access;
    // Security.
    uint8_t failures_in_row; // packets with a wrong MAC
    uint8_t lock_doublings;
    bool is_locked;
    bool is_joining;
    // Messages.
    bool is_heartbeat_due;
    uint8_t notify_attempt; // sendings of what is pending, 0 = none under way
    uint32_t notify_sent;   // sequence that was sent last in this sending
    struct applet_clock clocks[APPLET_CLOCKS];
    struct applet_answer answer;
    struct applet_sending sending;
};
_Static_assert(sizeof(struct applet) <= APPLET_SIZE_MAX, "small enough for a fleet");

// After every reset of the card; before anything else. Forgets what a reset forgets, finds the
// committed state, or makes it from the factory's, and finishes a switch that was cut off.
void applet_start(struct applet *a, const struct applet_port *port);

// TERMINAL PROFILE, its octets. Nothing is asked of the terminal before.
void applet_profile(struct applet *a, const struct applet_port *port, struct bytes profile);

// A short message for the card: the SMS-DELIVER of an ENVELOPE (SMS-PP DOWNLOAD).
enum applet_sms_answer {
    APPLET_SMS_ACCEPTED = 0, // 90 00 (or 91 xx), no data: also for everything that is not believed
    APPLET_SMS_REPORT,       // the same with the response packet as data
    APPLET_SMS_NOT_MINE,     // no command packet for the applet's TAR: another application's
};
// `report` gets the user data of the delivery report, at most 128 octets.
enum applet_sms_answer applet_sms(struct applet *a, const struct applet_port *port,
                                  struct bytes tpdu, struct writer *report) MUST_USE;

// Events. `plmn` may be NULL: unknown.
void applet_location(struct applet *a, const struct applet_port *port,
                     enum cat_location_status status, const uint8_t *plmn);
void applet_access(struct applet *a, const struct applet_port *port, uint8_t technology);
void applet_rejection(struct applet *a, const struct applet_port *port, const uint8_t *plmn,
                      uint8_t cause);
// Any event envelope (timer expiration included), decoded; calls one of the above and below.
void applet_event(struct applet *a, const struct applet_port *port, enum cat_envelope kind,
                  const struct cat_message *event);
void applet_timer(struct applet *a, const struct applet_port *port, uint8_t timer);
// The terminal sent STATUS: one polling period has passed.
void applet_status(struct applet *a, const struct applet_port *port);
// Nothing is under way between card and terminal: all that comes of STATUS and of the tick's timer
// is that time passes. Whoever runs many cards may then spare the exchange of octets:
// applet_rest_status() is so many times applet_status(); applet_rest_ticks() is so many times
// applet_timer() with APPLET_TICK_TIMER, FETCH and the TERMINAL RESPONSE that starts the timer anew
// for APPLET_TICK_S, with up to `status_max` STATUS commands after each but the last. Where there
// is more to it, it has to be done in full: both say of how many they took the place.
// Ticks at which the clock is kept are passed over when `may_keep`: what they would have committed
// is made up for by applet_rest_keep(), before anything else is asked of the applet. Each call
// makes one commit and says whether another is needed; `*spared` counts those that are not, because
// a later one overwrites them. The memory must not fail.
#define APPLET_TICK_TIMER 6
#define APPLET_TICK_S 300
bool applet_is_at_rest(const struct applet *a);
uint32_t applet_rest_status(struct applet *a, uint32_t count) MUST_USE;
uint32_t applet_rest_ticks(struct applet *a, uint32_t count, uint32_t status_max,
                           bool may_keep) MUST_USE;
bool applet_rest_keep(struct applet *a, const struct applet_port *port, uint32_t *spared) MUST_USE;
// The terminal read EF.IMSI: with REFRESH_MODE 3 the sign that it took the new subscription.
void applet_imsi_read(struct applet *a, const struct applet_port *port);

// Octets of the proactive command that waits (the whole D0 object), 0 = none. May commit the
// counter of the message that the command carries.
size_t applet_pending(struct applet *a, const struct applet_port *port);
// Writes that command. False when there is none.
bool applet_fetch(struct applet *a, const struct applet_port *port, struct writer *w) MUST_USE;
// The data of TERMINAL RESPONSE.
void applet_terminal_response(struct applet *a, const struct applet_port *port,
                              struct bytes response);

// What the card operating system shows in the files of the enabled subscription, and what it
// authenticates with. `generation` differs after every switch: the location files and the list of
// forbidden networks then start empty. False: the memory cannot be read.
struct applet_subscription {
    uint32_t generation;
    uint8_t slot_index;
    struct slot slot;                   // keys included
    const struct applet_template *from; // NULL when the factory has no such template
};
bool applet_subscription(const struct applet *a, const struct applet_port *port,
                         struct applet_subscription *out) MUST_USE;
// The number of the present generation, without reading the memory.
uint32_t applet_generation(const struct applet *a);

// For tests and traces: the whole committed state without keys, and the counters.
struct applet_dump {
    struct image image; // keys are empty
    uint64_t mt_counter;
    uint64_t mo_counter;
    uint8_t state; // enum switch_state
    uint16_t terminal;
    bool is_blocked;
};
bool applet_dump(const struct applet *a, const struct applet_port *port,
                 struct applet_dump *out) MUST_USE;

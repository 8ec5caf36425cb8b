// A device: a modem with a card in it. It powers up, tells the card what it can do, reads the IMSI,
// attaches to a network by really authenticating, carries short messages both ways, and serves the
// card's toolkit: timers, events, polling, REFRESH (or not, as its model says).
//
// Promises: everything happens in device_step(), device_deliver() or a call that says so, at the
// instant given; device_deadline() says when the next step is due; the same inputs give the same
// story.
// Never: allocates, waits, or shows the card anything that its model lacks.
#pragma once

#include "sim-emulator/core/card.h"
#include "sim-emulator/core/radio.h"

#define DEVICE_TIMERS CAT_TIMERS_MAX
#define DEVICE_NO_NETWORK RADIO_NETWORKS_MAX

// What the device does when the card asks for REFRESH.
enum device_refresh {
    DEVICE_REFRESH_OBEY = 0,
    DEVICE_REFRESH_BUSY,   // answers "busy" for as long as the model says, then obeys
    DEVICE_REFRESH_IGNORE, // answers "done" and does nothing
    DEVICE_REFRESH_REFUSE, // answers "beyond capability"
    DEVICE_REFRESH_MUTE,   // fetches it, does nothing, and never answers
};

// A kind of device. Many devices share one; times of 0 mean "never" where that makes sense.
struct device_model {
    char name[17];
    uint8_t profile[CAT_PROFILE_MAX]; // TERMINAL PROFILE
    uint8_t profile_len;
    uint8_t refresh;    // enum device_refresh
    uint8_t software;   // version number of the IMEISV, 0 to 99
    uint32_t busy_ms;   // DEVICE_REFRESH_BUSY: from the first REFRESH on
    uint32_t boot_ms;   // power on or reset to TERMINAL PROFILE
    uint32_t attach_ms; // from the start or a change of coverage to the attempt
    uint32_t retry_ms;  // between attempts without service
    uint32_t status_s;  // STATUS commands, until the card asks for another interval
    uint32_t restart_s; // restarts itself after so long without service; 0 = never
    uint32_t on_s;      // duty cycle: on for so long, then off; 0 = always on
    uint32_t off_s;
    uint32_t timer_step_s; // timers expire at multiples of so long: late, and at once; 0 = in time
    uint32_t mo_loss;      // per million: messages of the card lost, unknown to the device
    uint32_t mt_loss;      // per million: messages to the card lost on the air
    int64_t clock_ms;      // its clock is so much ahead
};
// Everything in the profile that the applet can use, and usual times.
void device_model_init(struct device_model *model, const char *name);

enum device_action_kind {
    DEVICE_ATTACHED,
    DEVICE_DETACHED,
    DEVICE_REJECTED,  // with `cause`
    DEVICE_MO,        // `tpdu`: an SMS-SUBMIT of the card
    DEVICE_REFRESHED, // took a REFRESH
};

struct device;

// A device that answers its card wrongly for a while, whatever its model can do. What stands here
// is what the card gets; the other commands are served as ever.
enum device_answer_form {
    DEVICE_ANSWER_WHOLE = 0,
    DEVICE_ANSWER_OTHER_NUMBER, // that of the command before
    DEVICE_ANSWER_OTHER_TYPE,   // as if MORE TIME had been asked for
    DEVICE_ANSWER_NO_DETAILS,
    DEVICE_ANSWER_NO_RESULT,
    DEVICE_ANSWER_CUT,   // its last octet is missing, so an object ends behind the end
    DEVICE_ANSWER_EMPTY, // TERMINAL RESPONSE without data
    DEVICE_ANSWER_NONE,  // the command is fetched, and no TERMINAL RESPONSE comes
    DEVICE_ANSWER_FORMS
};

struct device_answers {
    uint8_t of;     // enum cat_command_type; 0: all commands
    uint8_t result; // general result [102.223 §8.12], of which 0x says "done"
    uint8_t info;   // 1 more than what follows it, or 0: nothing does
    uint8_t form;   // enum device_answer_form
    bool is_served; // the command is carried out all the same
    struct instant until;
};

struct device_action {
    enum device_action_kind kind;
    uint8_t cause;
    uint8_t network;
    struct bytes tpdu; // good during the call
};

// What all devices of one thread share.
struct device_world {
    struct radio *radio;
    struct utc start; // the time of day at instant 0
    // Called for what a device does; must not call a device.
    void (*act)(void *context, struct device *device, const struct device_action *action);
    void *context;
    struct prng random; // losses
};

enum device_state {
    DEVICE_OFF = 0,
    DEVICE_BOOTING,
    DEVICE_RUNNING,
};

struct device {
    struct card card;
    const struct device_model *model;
    uint32_t number; // the caller's
    uint8_t state;   // enum device_state
    uint8_t service; // enum cat_location_status
    uint8_t area;
    uint8_t network;        // attached to, or DEVICE_NO_NETWORK
    uint8_t imei[IMEI_LEN]; // as of PROVIDE LOCAL INFORMATION
    bool has_imei;
    // What nobody can see need not be done octet by octet: while nothing is under way between
    // device and card, STATUS and the tick of the applet are made up for in one go, before the next
    // thing that happens. Same story, fewer steps. Off after device_init().
    bool may_rest;
    // private
    uint32_t reset_at;             // see device_plan_reset(); 0: never
    struct device_answers answers; // see device_plan_answers()
    uint32_t answered_so;          // commands that were answered so, ever
    bool is_resting;
    struct instant rest_until; // something else is due
    bool is_told;              // the card knows the service since the start
    bool is_condemned;         // the network rejected the subscription itself
    bool is_refreshed;         // by the command that it is serving
    uint8_t reference;         // TP-MR
    uint16_t events;           // bit n = event n is asked for, n < 16
    bool wants_rejection_event;
    uint16_t forbidden; // networks that rejected, bit i = network i
    uint16_t poll_s;
    uint64_t imsi; // radio_identity() of what was read
    struct instant busy_until;
    struct instant boot_due;
    struct instant attach_due;
    struct instant status_due;
    struct instant restart_due;
    struct instant duty_due;
    struct instant coverage_due;
    struct instant timers[DEVICE_TIMERS];
    uint32_t timer_s[DEVICE_TIMERS]; // what they were started with
};

// Off, in area 0, without IMEI.
void device_init(struct device *device, struct card_shop *shop,
                 const struct applet_factory *factory, const struct device_model *model);
void device_power(struct device *device, struct device_world *world, bool on, struct instant now);
// Runs what is due.
void device_step(struct device *device, struct device_world *world, struct instant now);
struct instant device_deadline(const struct device *device);
// Moves it; its coverage is looked at with the next step, which is due at once.
void device_move(struct device *device, uint8_t area, struct instant now);
// Has its card give this command; see card_give(). The device hears of it with its next command.
enum card_give device_give(struct device *device, struct bytes command,
                           struct instant now) MUST_USE;
// The coverage of its area was changed out of order.
void device_look(struct device *device, struct instant now);
// The memory of its card follows this plan from now on; it is copied to `kept`, which may hold an
// earlier one.
void device_plan_faults(struct device *device, const struct nvm_faults *plan,
                        struct nvm_faults *kept, struct instant now);

// It starts anew at the n-th moment, from 1, of what passes between it and its card's toolkit from
// now on: each command of the card has four: before FETCH, after it, when the command was carried
// out and the card is not told yet, and after TERMINAL RESPONSE.
#define DEVICE_MOMENTS 4
void device_plan_reset(struct device *device, uint32_t nth, struct instant now);

// It answers so up to `plan->until`; a former plan is over.
void device_plan_answers(struct device *device, const struct device_answers *plan,
                         struct instant now);

// Somebody who shares the card with the device, a reader's user for example, had this status word
// from it: the device serves what the card asks of its terminal, or starts it anew when it lost its
// power (CARD_MUTE).
void device_serve(struct device *device, struct device_world *world, uint16_t sw,
                  struct instant now);

enum device_delivery {
    DEVICE_ACCEPTED = 0, // RP-ACK
    DEVICE_ABSENT,       // not attached, or lost on the air: try later
    DEVICE_BUSY,         // RP-ERROR, toolkit busy: try later
    DEVICE_REFUSED,      // RP-ERROR, the card or the device does not take it
};
// An SMS-DELIVER from the network. `report` gets the user data of the delivery report, if any.
enum device_delivery device_deliver(struct device *device, struct device_world *world,
                                    struct bytes tpdu, struct writer *report,
                                    struct instant now) MUST_USE;

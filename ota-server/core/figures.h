// The figures that people steer by, counted as they arise: what an event and its decision add to
// which count. Sums over hours make the rates; see kpi.h.
//
// Promises: what counts is the decision that was made, so a message that is repeated counts once;
// an operation counts when it ends, in the hour of its end. Never: asks a clock or a store.
#pragma once

#include "ota-server/core/decision.h"

// They are kept under these numbers: never change one, add behind the last.
enum figure {
    FIGURE_ENDED,        // operations, by kind and outcome: figure_ended()
    FIGURE_FAILURE,      // ended operations by enum operation_failure
    FIGURE_SWITCH,       // commanded switches that ended, by outcome: done or rolled back
    FIGURE_SENT,         // ended operations of which a packet was sent, by kind; the next four too
    FIGURE_SMS_MT,       // messages to the card
    FIGURE_SMS_MO,       // messages from it
    FIGURE_BYTES_MT,     // octets of packets to the card
    FIGURE_BYTES_MO,     // octets of packets from it
    FIGURE_PACKETS,      // that an SMSC took, or was given without an answer
    FIGURE_PORS,         // authentic final answers of cards
    FIGURE_MESSAGES,     // parts of those packets; a receipt is asked for each
    FIGURE_RECEIPTS,     // receipts "delivered"
    FIGURE_TIME_POR,     // by class of duration: figure_class(); the next two too
    FIGURE_TIME_CONFIRM, // of switches
    FIGURE_TIME_CLEAN,   // of dirty cards
    FIGURE_AUDITS,       // asked for
    FIGURE_ANSWERS,      // complete answers to them
    FIGURE_JOBS,         // bootstraps started
    FIGURE_JOBS_DONE,    // by class of duration
    FIGURE_FALLBACKS,    // cards that went onto their fallback subscription by themselves
    FIGURE_RETURNS,      // and came back by themselves
    FIGURE_BYTES_FULL,   // octets without a template of the profiles that were downloaded
    FIGURE_BYTES_SAVED,  // of them, that did not have to be sent
};
#define FIGURES (FIGURE_BYTES_SAVED + 1)

struct figure_count {
    uint8_t figure;
    uint8_t detail; // what the figure is by, or 0
    int64_t count;
};
#define FIGURE_COUNTS_MAX 12 // of one event, or of one operation

#define FIGURE_OUTCOMES 16
static inline uint8_t figure_ended(uint8_t kind, uint8_t outcome)
{
    return (uint8_t)(kind * FIGURE_OUTCOMES + outcome);
}

// Classes of durations: each up to a number of seconds, the last without end.
#define FIGURE_CLASSES 26
uint8_t figure_class(int64_t ms);
uint32_t figure_class_limit_s(uint8_t class); // 0: without end

// When an operation came how far; 0: it did not.
struct figure_times {
    struct utc built; // its first packet
    struct utc accepted;
    struct utc answered; // the first authentic answer
    struct utc confirmed;
};
void figure_note_step(struct figure_times *times, const struct step *step, struct utc at);

// What the event adds, but for operations that ended. How many there are.
size_t figures_of_event(const struct record *before, const struct event *e,
                        const struct decision *d, struct figure_count out[FIGURE_COUNTS_MAX]);
size_t figures_of_operation(const struct operation *o, const struct figure_times *times,
                            struct figure_count out[FIGURE_COUNTS_MAX]);
// One that had ended is known to have ended otherwise: takes back what it counted as, for `before`.
size_t figures_of_correction(const struct operation *before, const struct operation *after,
                             struct figure_count out[FIGURE_COUNTS_MAX]);
// What a download saved whose profile has `full` octets without a template (0: nobody knows);
// nothing unless it is done, and less than nothing where repetitions cost more.
size_t figures_of_download(const struct operation *o, uint64_t full,
                           struct figure_count out[FIGURE_COUNTS_MAX]);
// The subscription that the card fell from in this decision; 0: it did not, or from a foreign one.
uint64_t figure_fallen_from(const struct record *before, const struct decision *d);
bool figure_is_switch(const struct operation *o);

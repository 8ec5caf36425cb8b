// How much a rule judged of what it looked at. A rule that excuses everything finds nothing, and
// nothing says so; so what it excuses is counted, and too much of that fails a run.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum judged_rule {
    JUDGED_PACKETS = 0, // as_the_model: a packet that the card took
    JUDGED_CALLS,       // as_the_model: what else it was told
    JUDGED_REFUSED,     // refused_does_nothing: a packet that it did not take
    JUDGED_MIRRORS,     // no_silent_difference: a change after which mirror and card differ
    JUDGED_RETURNS,     // acts_in_time: a look at a card that is to return
    JUDGED_BEATS,       // acts_in_time: a look at a card that tells that it is there
    JUDGED_SWITCHES,    // ends_in_time: a look at an open switch of a card that is on
    JUDGED_DAYS,        // few_switches: a day of a card
    JUDGED_CONFIRMED,   // notified_is_told: a CONFIRM on the wire
    JUDGED_SLOTS,       // slots_are_told: a look at a record that was saved, whose slots changed
    JUDGED_SEEN,        // sees_service: a look at a card that is on without service
    JUDGED_OUTCOMES,    // outcome_is_true: an operation that ended
    JUDGED_DECISIONS,   // as_the_registry: a decision of the server, nothing of it left open
    JUDGED_ACCEPTED,    // is_kept: an accepted wish, at a look
    JUDGED_TAKEN,       // is_kept: a notification that need not come again
    JUDGED_WAITS,       // waits_for_nothing: a minute of what could be sent
    JUDGED_RULES
};

struct judged {
    uint64_t steps[JUDGED_RULES];
    uint64_t judged[JUDGED_RULES]; // of these
};

void judged_note(struct judged *j, enum judged_rule rule, bool is_judged);
void judged_add(struct judged *sum, const struct judged *j);
// One line for each. False: some rule judged less than it has to in so many worlds; few worlds may
// do so.
bool judged_report(const struct judged *sum, uint64_t worlds);

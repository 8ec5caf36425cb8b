// The reference model of the registry: what the server must know of a card after each event, and
// what may leave for it. Written from the description of the product's behaviour (sections 8 to
// 11), the decisions and the wire protocol, not from the code, as simple as it can be. Its state is
// a record, whose header says what each field means; none of the functions that make the product's
// next record are used.
//
// Promises: a step changes nothing but the model. What the documents leave open is not judged, and
// said so where it is left. Never: octets, chance, rows of the trail, texts.
#pragma once

#include "ota-server/core/decision.h"

// What one step leaves open.
enum registry_left {
    REGISTRY_SLOTS = 1 << 0,
    REGISTRY_OPERATIONS = 1 << 1,
    REGISTRY_REASONS = 1 << 2,
    REGISTRY_NUMBERS = 1 << 3, // counters, sequences, ids
    REGISTRY_DEADLINE = 1 << 4,
};

struct registry_model {
    struct record r; // what the next record must say
    const struct record *before;
    const struct event *e;
    const struct decide_context *context;
    const struct decision *d; // of the product: where chance or others decide, it is followed
    struct utc now;
    unsigned left;          // set of enum registry_left
    bool is_landing;        // a question or confirmation may be over with this event
    const char *wrong_send; // NULL, or why it may not leave
    uint8_t ended_count;
    struct operation ended[DECISION_ENDED_MAX];
    uint8_t settled_count;
    struct settlement settled[RECORD_LATE_MAX];
};

// What must be after the event. `d` is what the product decided: where chance or the choice among
// equals decides the model follows it, and judges whether it was one of the choices.
void registry_step(struct registry_model *m, const struct record *before, const struct event *e,
                   const struct decide_context *context, const struct decision *d);
// NULL, or the first field in which the product's decision is not the model's.
const char *registry_differs(const struct registry_model *m, const struct decision *d);
// The same of one field, `i` from 0; NULL as name: there are no more.
const char *registry_field(unsigned i, const struct registry_model *m, const struct decision *d,
                           bool *is_same);

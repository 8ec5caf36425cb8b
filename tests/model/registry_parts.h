// What the parts of the reference model of the registry share. Not for others.
#pragma once

#include "tests/model/registry_model.h"

#define SECOND_MS 1000
#define MINUTES_MS (60 * SECOND_MS)
#define HOURS_MS (60 * MINUTES_MS)
#define DAYS_MS (24 * (int64_t)HOURS_MS)

// What can happen to an operation.
enum happening {
    HAPPENED_BUILT,
    HAPPENED_ACCEPTED,
    HAPPENED_SUBMIT_UNKNOWN,
    HAPPENED_SUBMIT_TEMPORARY,
    HAPPENED_SUBMIT_REJECTED,
    HAPPENED_SUBMIT_PARTIAL,
    HAPPENED_UNSENT,
    HAPPENED_DELIVERED,
    HAPPENED_LOST,
    HAPPENED_PART_LOST,
    HAPPENED_TIMEOUT,
    HAPPENED_DONE,
    HAPPENED_PENDING,
    HAPPENED_REFUSED,
    HAPPENED_BUSY,
    HAPPENED_NVM,
    HAPPENED_NOT_UNDERSTOOD,
    HAPPENED_COUNTER,
    HAPPENED_BLOCKED,
    HAPPENED_PACKET_REFUSED,
    HAPPENED_INSECURE,
    HAPPENED_WAIT,
    HAPPENED_ENABLED,
    HAPPENED_ENABLED_LATE,
    HAPPENED_ROLLED_BACK,
    HAPPENED_SWITCH_FAILED,
    HAPPENED_CONFIRMED,
    HAPPENED_CONFIRM_TOO_LATE,
    HAPPENED_CONFIRM_UNKNOWN,
    HAPPENED_RESTART,
    HAPPENED_UNREACHABLE,
    HAPPENED_AUDIT_PENDING,
    HAPPENED_AUDIT_AGAIN,
};

// --- registry_operation.c: the life of an operation ---
struct operation *registry_open(struct registry_model *m);
struct operation *registry_by_id(struct registry_model *m, uint64_t id);
struct operation *registry_by_card_id(struct registry_model *m, uint32_t card_operation_id);
struct operation *registry_by_counter(struct registry_model *m, uint64_t counter);
// It may be gone afterwards.
void registry_happened(struct registry_model *m, struct operation *o, enum happening what);
void registry_end(struct registry_model *m, struct operation *o, uint8_t outcome, uint8_t failure);
void registry_begin_switch(struct registry_model *m, struct operation *o);
// The packet under way is no more.
void registry_landed(struct registry_model *m);
bool registry_is_changing(uint8_t kind);
int64_t registry_waits_ms(const struct parameters *p);
int64_t registry_switch_ms(const struct record *r);   // T_SWITCH
int64_t registry_rollback_ms(const struct record *r); // T_ROLLBACK

// --- registry_doubt.c ---
void registry_doubt(struct registry_model *m, uint8_t reason);
void registry_clean(struct registry_model *m);
void registry_mark(struct registry_model *m, uint8_t mark);
void registry_unmark(struct registry_model *m, uint8_t mark);
void registry_contact(struct registry_model *m);
void registry_restored(struct registry_model *m);
// The card took numbers that this database gave to something else, or to nothing: as after a
// restore, once in a doubt.
void registry_numbers_gone(struct registry_model *m);
// Far above this counter; itself where the last one is near: no counter comes behind that.
uint64_t registry_far_up(uint64_t counter);
// What the card refused comes again with a counter far above, thrice a day at most.
void registry_jump(struct registry_model *m);

// --- registry_mirror.c ---
struct mirror_slot *registry_slot_named(struct registry_model *m,
                                        const struct subscription_name *name);
struct mirror_slot *registry_enabled(struct registry_model *m);
void registry_enable(struct registry_model *m, struct mirror_slot *slot);
void registry_carry_out(struct registry_model *m, const struct operation *o,
                        const struct event_por *por);
void registry_confirmed(struct registry_model *m, const struct operation *o);
// Version and hash of a message against the mirror.
void registry_compare_state(struct registry_model *m, uint32_t version, bool has_hash,
                            const uint8_t *hash, bool is_changed);
bool registry_shows(struct registry_model *m, const struct operation *o, uint8_t code);

// --- registry_answer.c, registry_notify.c, registry_audit.c ---
void registry_por(struct registry_model *m);
void registry_notify(struct registry_model *m);
void registry_audit_answer(struct registry_model *m, const struct event_por *p);

// --- registry_resolve.c: what an audit says of operations; the mirror is corrected already ---
struct registry_findings {
    bool needs_operator;
    bool is_awaited; // a notification is to tell what the audit does not
};
void registry_resolve(struct registry_model *m, const struct event_por *p,
                      struct registry_findings *found);
bool registry_is_switch(const struct operation *o);
bool registry_is_switching(const struct audit_answer *a);
// One that ended without the card's word before this event, or NULL.
const struct late *registry_late(const struct registry_model *m, uint32_t card_operation_id);
// OUTCOME_NONE: it never ran.
void registry_settle(struct registry_model *m, const struct late *late, uint8_t outcome,
                     uint8_t code);
void registry_settle_by(struct registry_model *m, const struct late *late, uint8_t code);

// --- registry_people.c: what people, clients and rules want ---
void registry_people(struct registry_model *m);
// --- registry_sends.c: what leaves, and whether it may ---
uint8_t registry_command_of(uint8_t kind); // enum operation_kind
void registry_send(struct registry_model *m, const struct send *s);

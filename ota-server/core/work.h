// What the parts of decide() share: the decision in the making. Not for others.
#pragma once

#include "common/base/text.h"
#include "ota-server/core/rules.h"

#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * (int64_t)HOUR_MS)

struct work {
    const struct event *e;
    const struct policy *policy;
    const struct cipher *cipher;
    struct decision *d;
    const struct record *before;
    struct record *r; // the next record
    struct utc now;
    const struct decide_context *context;
    uint8_t ids; // taken of the event's fresh ones
};
#define FRESH_IDS 4 // that an event brings: fresh_id and the three after it

static inline bool utc_is_due(struct utc at, struct utc now)
{
    return at.ms != 0 && at.ms <= now.ms;
}

// work.c
uint64_t work_id(struct work *w);
// 0 .. bound - 1, from the card's own stream.
uint64_t work_draw(struct work *w, uint64_t bound);
void work_step(struct work *w, const struct operation *o, uint8_t name, const char *detail);
// The same of a packet that is not under way any more, whatever became of its operation.
void work_step_of(struct work *w, const struct packet_of *of, uint8_t name, const char *detail);
void work_trail(struct work *w, const char *action, uint64_t operation, const char *before,
                const char *after, const char *reason);
void work_alarm(struct work *w, uint8_t key, bool is_raised);
void work_dirty(struct work *w, uint8_t reason, uint64_t operation);
void work_clear_dirty(struct work *w, const char *why);
// When a card that comes into doubt now is asked first.
struct utc work_first_audit(const struct work *w);
void work_mark(struct work *w, uint8_t mark, const char *why);
void work_unmark(struct work *w, uint8_t mark, const char *why);
void work_quarantine(struct work *w, const char *why);
// Far above this one; itself where the last one is near: no counter comes behind that.
uint64_t work_counter_above(uint64_t counter);
// A later counter than any the card may have seen.
void work_jump(struct work *w);
// The card took numbers that this database did not give out, or gave to something else since it
// went back in time: later ones from here on, and a doubt, once.
void work_restored(struct work *w, uint64_t operation);
void work_contact(struct work *w);
// One that waits for a contact waits until then instead.
void work_release(struct operation *o, struct utc at);
// It has, or had just now, service of a network.
void work_attached(struct work *w);
// An authentic message came from this number: there the card is.
void work_heard(struct work *w, const char *number);

// A message of the card that belongs to the operation, on the wire.
void work_count_mo(struct operation *o, uint8_t sms, uint16_t octets);

// operation.c: runs the rule of (status, input); the operation may have left the record afterwards.
void operation_input(struct work *w, struct operation *o, uint8_t input);
// Of EVENT_SUBMIT: the packet under way reached no link. Whether an earlier one of the operation
// did, its attempts tell.
void operation_unsend(struct work *w, struct operation *o);
// A check failed again when it was to be sent: it ends.
void operation_refuse(struct work *w, struct operation *o, uint8_t refusal);
// At the next step of the retry policy; after the last one at the next contact, or never.
void operation_retry_later(struct work *w, struct operation *o);
// SENDING, SENT ...: when its status times out.
void operation_set_deadline(struct work *w, struct operation *o);
// Does it end with another subscription enabled, which a notification tells of?
bool operation_is_switch(const struct operation *o);
void flight_clear(struct work *w);
// What a result says about an operation that nobody waits for any more; UNRESOLVED: nothing yet.
uint8_t late_outcome(uint8_t code);
// The card carried it out.
void note_ran(struct record *r, const struct operation *o);
// The card's word on an operation that had ended without it: NONE, it never ran; UNRESOLVED, it
// says nothing.
void late_settle(struct work *w, uint32_t card_operation_id, uint8_t outcome, uint8_t code);
// The mirror was made from a complete answer: downloads that are settled are in it, or gone; what
// was deleted and is in it no more can be given back.
void late_mirrored(struct work *w);
// The card cannot tell any more.
void late_forget(struct work *w, uint32_t card_operation_id);
uint32_t switch_ms(const struct record *r);   // T_SWITCH
uint32_t rollback_ms(const struct record *r); // T_ROLLBACK

// request.c
void decide_request(struct work *w);
void decide_approval(struct work *w);
void decide_cancel(struct work *w);
void decide_resend(struct work *w);
// The checks that a person, and the sending, run in the same order.
uint8_t refusal_of(const struct work *w, const struct operation *o, bool at_send);
// The first of them at sending: may whoever asked for it still have it?
uint8_t refusal_by_right(const struct work *w, const struct operation *o);

// answer.c
void decide_submit(struct work *w);
void decide_receipt(struct work *w);
void decide_por(struct work *w);
// Registry version and state hash of a message against the mirror. `may_have_changed`: the message
// reports a change.
void compare_state(struct work *w, uint32_t registry_version, bool has_hash, const uint8_t *hash,
                   bool may_have_changed);

// mirror.c
void mirror_apply(struct work *w, const struct operation *o, const struct event_por *por);
bool mirror_explains(const struct record *r, const struct operation *o, uint8_t code);
bool mirror_lacks_template(const struct record *r, uint8_t number);
void mirror_enable(struct work *w, struct mirror_slot *slot);
void mirror_fallback(struct work *w, struct mirror_slot *slot);
struct mirror_slot *mirror_slot_named(struct work *w, const struct subscription_name *name);
bool mirror_has_effect(const struct record *r, const struct operation *o);
// What the whole decision changed in the registry: its row, at the end of all.
void mirror_tell(struct work *w);

// notify.c
void decide_notify(struct work *w);
const struct mirror_slot *slot_numbered(const struct record *r, const char *number);
void confirm_queue(struct work *w, const struct notification *n, const char *number);
// The device of a card, as the card tells of it. True: it is not the one that was known.
bool note_imei(struct record *r, const uint8_t imei[COMMAND_IMEI_SIZE]);

// audit.c
void audit_page(struct work *w);
// An attempt was sent: counts it.
void audit_schedule(struct work *w);
// When the next attempt is due if nothing comes.
void audit_next(struct work *w);
// The attempt under way ends without a complete answer.
void audit_unanswered(struct work *w);
struct audit_targets {
    uint8_t count;
    uint64_t subscriptions[COMMAND_SLOTS_MAX + RECORD_LATE_MAX + 2]; // 0: not known
    const char *numbers[COMMAND_SLOTS_MAX + RECORD_LATE_MAX + 2];
};
void audit_targets(const struct record *r, struct audit_targets *t);
void audit_open(struct work *w, const struct operation *requested);
void decide_resolve(struct work *w);

// audit_resolve.c: what a complete answer says about operations; the mirror is corrected already.
struct findings {
    bool needs_operator;
    bool is_reissued;
    bool is_awaited; // a notification is to tell what the audit could not
};
bool audit_is_switching(const struct audit_answer *a);
// The open operation, if it is in UNKNOWN.
void audit_resolve_open(struct work *w, const struct audit_answer *a, struct findings *found);
// The one that was asked about, which had ended without the card's word; `counter`: of the audit.
void audit_resolve_late(struct work *w, const struct audit_answer *a, uint64_t counter);

// bootstrap.c
// What the bootstrap does about what has happened in this decision; then the next packet is chosen,
// and so on until nothing follows any more.
void bootstrap_run(struct work *w);
void decide_plan(struct work *w);
void decide_bootstrap(struct work *w);
bool bootstrap_is_active(const struct record *r);
// Is the card still to get what the rule of its group says, by itself?
bool bootstrap_is_owed(const struct work *w);
// When a card begins by its group's rule; 0: not by time.
struct utc bootstrap_starts_at(const struct record *r, const struct bootstrap_rule *rule);

// bootstrap_items.c
// The factory put it on the card: it is of no pool.
bool bootstrap_is_of_factory(const struct bootstrap *b, uint8_t index);
// Notes what has left for the card in this decision. One that is retired in it gives back what
// never did.
void bootstrap_note_items(struct work *w);
// The record went back in time: any of them may have left since.
void bootstrap_doubt_items(struct record *r);

// timers.c
void decide_timers(struct work *w);
// The card's timers changed behind our back, or will with the next CONFIRM: all of them are to be
// read. The record keeps that until an answer came.
void timers_read(struct work *w);
// All of them were read.
void timers_known(struct work *w);
// Asks for what is to be read by now, as soon as a place in the queue is free.
void timers_plan(struct work *w);
// Nothing is read of such a card.
bool timers_are_idle(const struct record *r);
// clock.c
void clock_past(struct work *w); // before every event but EVENT_CLOCK
void decide_clock(struct work *w);

// plan.c
void plan_timeouts(struct work *w);
void plan_next_packet(struct work *w);
void plan_wake(struct work *w);
// The command that carries out an operation of this kind.
uint8_t plan_command(uint8_t kind);

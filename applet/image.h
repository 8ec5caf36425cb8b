// What a card remembers: its registry, journal, results, pending notifications and parameters,
// decoded. The octets of it are a bank (memory.h).
//
// Promises: what is written reads back the same; octets that break a rule of the registry (not
// exactly one enabled slot, not exactly one fallback, an identity twice, a value out of range) are
// not an image. The length depends on what is there: a card with two subscriptions, nothing pending
// and the default parameters takes about 300 octets, each stored result 20, each notification 30.
// Never: holds an MT or MO counter; those have a record of their own.
#pragma once

#include "common/wire/keywrap.h"
#include "common/wire/parameter.h"

#define IMAGE_SLOTS_MAX COMMAND_SLOTS_MAX
#define IMAGE_OUTCOMES_MAX 8
#define IMAGE_PENDING_MAX 4
#define IMAGE_LEN_MAX 3584 // 16 slots, 8 results, 4 notifications, 16 country rows, longest keys
#define IMAGE_NO_SLOT 0xFF

// A dialling number: TON/NPI and BCD; len 0 = none.
struct dialling {
    uint8_t len;
    uint8_t octets[COMMAND_NUMBER_MAX];
};

struct slot {
    uint8_t state; // enum slot_state
    uint8_t role;  // enum slot_role
    uint8_t marks; // SLOT_MARK_
    uint8_t rank;  // 1 first
    bool is_fallback;
    bool is_proven; // had normal service on this card
    bool has_iccid;
    uint8_t template_number;
    uint8_t mnc_length; // 2 or 3
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t imsi[COMMAND_IMSI_SIZE];
    struct dialling msisdn;
    struct dialling smsc;
    uint8_t plmns_len; // of EF.HPLMNwAcT; 0: the template's
    uint8_t plmns[COMMAND_PLMNS_MAX];
    struct network_keys keys;
};

// Why a switch is under way.
enum switch_reason {
    REASON_NONE = 0,
    REASON_COMMAND = 1,
    REASON_ROTATE = 2,
    REASON_COUNTRY = 3,
    REASON_FALLBACK = 4,
    REASON_RETURN = 5,
    REASON_ROLLBACK = 6,
};

struct journal {
    uint8_t phase;  // enum journal_phase
    uint8_t reason; // enum switch_reason
    uint8_t from;   // slot index
    uint8_t to;
    uint8_t attempt; // of the notification in phase 3: sendings so far
    uint8_t starts;  // of the terminal since the switch
    bool may_roll_back;
    bool set_fallback;     // once confirmed
    uint32_t operation_id; // of the command, kept through its rollback; else 0
    uint32_t sequence;     // of the notification in phase 3
};

// The kept answer to one command.
struct outcome {
    uint32_t operation_id;
    uint8_t digest[4]; // of the secured data
    uint8_t command;
    uint8_t code;
    bool has_pair;
    bool is_replayed; // only in `last`: the packet repeated an operation
    uint8_t first;
    uint8_t second;
    uint32_t registry_version; // as it was then
    uint8_t state_hash[COMMAND_HASH_SIZE];
};

struct pending {
    uint8_t cause; // enum notify_cause
    uint8_t coalesced;
    bool has_reject;
    bool set_fallback; // ENABLED: take the fallback attribute once confirmed
    uint8_t reject;
    uint32_t sequence;
    uint32_t operation_id;
    struct subscription_name from;
    struct subscription_name to;
};

// Search for service, kept because every try restarts the terminal.
struct search {
    bool is_open;       // an outage is being dealt with
    uint8_t origin;     // slot in use when it began
    uint8_t round;      // from 1
    uint8_t pauses;     // n of the pause between rounds
    bool is_exhausted;  // nothing worked: report it when service is back
    bool is_paused;     // BACKOFF
    uint32_t pause_due; // end of the pause, on the card's own clock
    uint16_t tried;     // slots tried in this round, bit i = slot index i
    uint16_t failed;    // in this outage: their cool-down counts only for the next one
};

// Times are seconds of the card's own clock, which runs only while the card does; 0 = not set.
struct dues {
    uint32_t now;   // of the last commit
    uint32_t back;  // return to the preferred one
    uint32_t reuse; // leave a non-preferred one
    uint32_t heartbeat;
    uint32_t day; // end of the 24 h in which `switches` are counted
    uint32_t cool[IMAGE_SLOTS_MAX];
};

struct image {
    uint8_t slot_count;
    struct slot slots[IMAGE_SLOTS_MAX];
    uint32_t registry_version;
    uint32_t operation_id_highest;
    uint32_t notify_sequence; // of the last notification
    uint32_t generation;      // of the files: one more after each switch
    uint16_t configuration_version;
    uint16_t security_failures; // total, stays at the maximum
    uint8_t preferred;          // slot index
    bool is_contacted;          // FIRST_CONTACT was queued
    bool is_automatic;          // the enabled one was reached by an automatic switch
    bool has_imei;
    uint8_t imei[COMMAND_IMEI_SIZE]; // last seen
    uint8_t country[2];              // MCC at the last automatic switch, as in a PLMN; FF FF none
    uint8_t switches;                // automatic ones of the day
    bool is_capped;                  // SWITCH_CAP was queued for this day
    bool is_cap_used;                // the one fallback that is allowed after the cap was used
    bool is_scrub_due;               // the other bank may still hold deleted keys
    uint8_t return_doublings;
    struct journal journal;
    struct search search;
    struct dues dues;
    struct dialling address_new; // SERVER_ADDR that is being checked
    uint8_t outcome_count;       // newest last
    struct outcome outcomes[IMAGE_OUTCOMES_MAX];
    uint64_t last_counter; // the packet that `last` answers; 0 = none
    struct outcome last;
    uint8_t pending_count; // oldest first
    struct pending pending[IMAGE_PENDING_MAX];
    struct parameters parameters;
};

struct applet_factory; // port.h, which includes this

// A subscription as the card was made with it; `index` is below the factory's count.
void image_factory_slot(const struct applet_factory *factory, uint8_t index, struct slot *out);
#define IMAGE_NO_RECORD 0xFF
// The factory's record that a slot is, in all but its state; IMAGE_NO_RECORD if none or with NULL.
uint8_t image_factory_index(const struct applet_factory *factory, const struct slot *slot);
// A subscription that the card was made with is written as its index, because the factory's record
// stays; with NULL it is written whole, as every other one.
void image_write(struct writer *w, const struct image *image, const struct applet_factory *factory);
// Octets that must stay free for results, notifications and a journal.
size_t image_reserve(uint8_t slot_count);
// Octets that this image and the reserve take; SIZE_MAX when even `cap` is too little. `scratch`
// then holds part of it.
size_t image_need(const struct image *image, uint8_t *scratch, size_t cap);
// False, and `out` undefined, when the octets are not an image of a card with this factory record.
bool image_read(struct bytes octets, const struct applet_factory *factory,
                struct image *out) MUST_USE;
/*@ predicate is_enabled{L}(struct image *m, integer i) =
  @   0 <= i < m->slot_count && m->slots[i].state == SLOT_ENABLED;
  @ predicate is_fallback{L}(struct image *m, integer i) =
  @   0 <= i < m->slot_count && m->slots[i].state != SLOT_EMPTY && m->slots[i].is_fallback;
  @ predicate one_is_enabled{L}(struct image *m) =
  @   \exists integer i; is_enabled(m, i) && (\forall integer j; is_enabled(m, j) ==> j == i);
  @ predicate one_is_fallback{L}(struct image *m) =
  @   \exists integer i; is_fallback(m, i) && (\forall integer j; is_fallback(m, j) ==> j == i);
  @ predicate image_is_valid{L}(struct image *m) = \valid(m) && m->slot_count <= IMAGE_SLOTS_MAX;
  @ predicate is_used{L}(struct image *m, integer i) =
  @   0 <= i < m->slot_count && m->slots[i].state != SLOT_EMPTY;
  @ predicate is_same_use{L1, L2}(struct image *m) = \forall integer i;
  @   (is_enabled{L1}(m, i) <==> is_enabled{L2}(m, i)) &&
  @   (is_fallback{L1}(m, i) <==> is_fallback{L2}(m, i));
  @ predicate is_same_registry{L1, L2}(struct image *m) =
  @   \at(m->slot_count, L1) == \at(m->slot_count, L2) &&
  @   (\forall integer i; 0 <= i < IMAGE_SLOTS_MAX ==>
  @   \at(m->slots[i].state, L1) == \at(m->slots[i].state, L2) &&
  @   \at(m->slots[i].is_fallback, L1) == \at(m->slots[i].is_fallback, L2));
  @ predicate is_untouched{L1, L2}(struct image *m) = is_same_registry{L1, L2}(m) &&
  @   \at(m->registry_version, L1) == \at(m->registry_version, L2) &&
  @   \at(m->preferred, L1) == \at(m->preferred, L2);
  @*/

// The invariants of the registry: exactly one enabled, exactly one fallback, no identity twice,
// values in range.
/*@ requires image_is_valid((struct image *)image);
  @ assigns \result \from *image;
  @ ensures \result ==> one_is_enabled((struct image *)image);
  @ ensures \result ==> one_is_fallback((struct image *)image);
  @ ensures \result ==> image->preferred == IMAGE_NO_SLOT ||
  @   is_used((struct image *)image, image->preferred);
  @*/
bool image_is_sound(const struct image *image);

// Slot index of the enabled or the fallback subscription; of the one with this name, or
// IMAGE_NO_SLOT.
/*@ requires image_is_valid((struct image *)image);
  @ assigns \result \from *image;
  @ ensures \result == IMAGE_NO_SLOT || is_enabled((struct image *)image, \result);
  @ ensures \result == IMAGE_NO_SLOT ==>
  @   (\forall integer i; !is_enabled((struct image *)image, i));
  @*/
uint8_t image_enabled(const struct image *image);
/*@ requires image_is_valid((struct image *)image);
  @ assigns \result \from *image;
  @ ensures \result == IMAGE_NO_SLOT || is_fallback((struct image *)image, \result);
  @ ensures \result == IMAGE_NO_SLOT ==>
  @   (\forall integer i; !is_fallback((struct image *)image, i));
  @*/
uint8_t image_fallback(const struct image *image);
/*@ requires image_is_valid((struct image *)image) && \valid_read(name);
  @ assigns \result \from *image, *name;
  @ ensures \result == IMAGE_NO_SLOT || is_used((struct image *)image, \result);
  @ ensures !name->is_given ==> \result == IMAGE_NO_SLOT;
  @*/
uint8_t image_find(const struct image *image, const struct subscription_name *name);
/*@ requires image_is_valid((struct image *)image);
  @ assigns \result \from *image;
  @ ensures \result <= image->slot_count;
  @*/
uint8_t image_free_slots(const struct image *image);
struct subscription_name image_name(const struct image *image, uint8_t slot_index);
// Moves ENABLED; the former one becomes DISABLED. Refused for a slot that is not used.
/*@ requires image_is_valid(image) && one_is_enabled(image);
  @ ensures one_is_enabled(image);
  @ behavior refused:
  @   assumes slot_index >= image->slot_count || image->slots[slot_index].state == SLOT_EMPTY ||
  @           image->slots[slot_index].state == SLOT_ENABLED;
  @   assigns \nothing;
  @ behavior done:
  @   assumes slot_index < image->slot_count && image->slots[slot_index].state != SLOT_EMPTY &&
  @           image->slots[slot_index].state != SLOT_ENABLED;
  @   assigns image->slots[0 .. IMAGE_SLOTS_MAX - 1].state, image->registry_version,
  @           image->generation;
  @   ensures is_enabled(image, slot_index);
  @   ensures \forall integer i; 0 <= i < image->slot_count ==>
  @     (image->slots[i].state == SLOT_EMPTY <==> \old(image->slots[i].state) == SLOT_EMPTY);
  @   ensures image->registry_version == (uint32_t)(\old(image->registry_version) + 1);
  @   ensures image->generation == (uint32_t)(\old(image->generation) + 1);
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
void image_enable(struct image *image, uint8_t slot_index);
// Moves the fallback attribute; nothing happens when it is there already, or for IMAGE_NO_SLOT.
/*@ requires image_is_valid(image) && one_is_fallback(image);
  @ requires slot_index == IMAGE_NO_SLOT || is_used(image, slot_index);
  @ assigns image->slots[0 .. IMAGE_SLOTS_MAX - 1].is_fallback, image->registry_version;
  @ ensures one_is_fallback(image);
  @ ensures slot_index != IMAGE_NO_SLOT ==> is_fallback(image, slot_index);
  @*/
void image_set_fallback(struct image *image, uint8_t slot_index);
// A slot that becomes empty or full has no part in what was tried before.
/*@ requires \valid(image) && slot_index < IMAGE_SLOTS_MAX;
  @ assigns image->dues.cool[slot_index], image->search.tried, image->search.failed;
  @*/
void image_forget(struct image *image, uint8_t slot_index);
// Empties a slot that is neither enabled nor the fallback; nothing refers to it any more.
/*@ requires image_is_valid(image) && is_used(image, slot_index);
  @ requires !is_enabled(image, slot_index) && !is_fallback(image, slot_index);
  @ requires one_is_enabled(image) && one_is_fallback(image);
  @ assigns image->slots[slot_index], image->registry_version, image->preferred, image->dues,
  @   image->search;
  @ ensures one_is_enabled(image) && one_is_fallback(image);
  @ ensures image->slots[slot_index].state == SLOT_EMPTY && image->preferred != slot_index;
  @ ensures image->registry_version == (uint32_t)(\old(image->registry_version) + 1);
  @*/
void image_delete(struct image *image, uint8_t slot_index);
// Whether a subscription is in this slot.
/*@ requires image_is_valid((struct image *)image);
  @ assigns \result \from *image, index;
  @ ensures \result <==> index < image->slot_count && image->slots[index].state != SLOT_EMPTY;
  @*/
bool image_is_used(const struct image *image, uint8_t index);
// The slots as an audit shows them, in order; gives how many.
uint8_t image_audit_slots(const struct image *image, struct audit_slot slots[COMMAND_SLOTS_MAX]);
// The stored answer to an operation id, or NULL.
/*@ requires \valid_read(image) && image->outcome_count <= IMAGE_OUTCOMES_MAX;
  @ assigns \result \from image, *image, operation_id;
  @ ensures \result == \null || (\exists integer i; 0 <= i < image->outcome_count &&
  @   \result == &image->outcomes[i] && \result->operation_id == operation_id);
  @ ensures \result == \null ==> (\forall integer i; 0 <= i < image->outcome_count ==>
  @   image->outcomes[i].operation_id != operation_id);
  @*/
const struct outcome *image_outcome(const struct image *image, uint32_t operation_id);
// Stores one more answer; the oldest of more than IMAGE_OUTCOMES_MAX is forgotten.
/*@ requires \valid(image) && \valid_read(outcome) && \separated(image, outcome);
  @ requires image->outcome_count <= IMAGE_OUTCOMES_MAX;
  @ assigns image->outcomes[0 .. IMAGE_OUTCOMES_MAX - 1], image->outcome_count,
  @   image->operation_id_highest;
  @ ensures 1 <= image->outcome_count <= IMAGE_OUTCOMES_MAX;
  @ ensures image->outcomes[image->outcome_count - 1].operation_id == outcome->operation_id;
  @ ensures image->operation_id_highest ==
  @   \max(\old(image->operation_id_highest), outcome->operation_id);
  @*/
void image_remember(struct image *image, const struct outcome *outcome);

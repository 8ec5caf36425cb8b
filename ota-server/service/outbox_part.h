// What the sources of the outbox share. Internal.
#pragma once

#include "common/wire/sms.h"
#include "ota-server/service/outbox.h"
#include "smpp/core/rate.h"

#define OUTBOX_NONE UINT16_MAX
#define OUTBOX_ID_SIZE MESSAGE_ID_SIZE

// --- towards cards ---------------------------------------------------------------------------

enum part_state {
    PART_WAITING,
    PART_FLYING, // submit_sm without its answer
    PART_ACCEPTED,
    PART_UNKNOWN,  // asked twice, or nobody to ask again
    PART_GIVEN_UP, // nothing of it was taken, and it will not be tried again
    PART_REJECTED, // for good
};

struct part {
    uint8_t state; // enum part_state
    uint8_t link;  // that has or had it
    bool is_repeated;
    char id[OUTBOX_ID_SIZE]; // of the SMSC, in one form; "" for none
};

// In each phase this is true:
//   STAGED    read from the store in a transaction that is not over
//   BEHIND    another packet of the card is under way
//   READY     in the queue for the links: parts wait, others may fly
//   RESTING   parts wait for a time
//   FLYING    every part has an outcome or flies
//   ENDED     every part has an outcome, the turn does not know yet
//   REPORTED  the turn has it: waits for the commit
enum packet_phase {
    PACKET_FREE,
    PACKET_STAGED,
    PACKET_BEHIND,
    PACKET_READY,
    PACKET_RESTING,
    PACKET_FLYING,
    PACKET_ENDED,
    PACKET_REPORTED,
};

// Packets by their `next`, first in first out.
struct packet_list {
    uint16_t head, tail; // OUTBOX_NONE: empty
};

// What can hold up one packet and let others leave: its network, the limits of its group, its
// route. Groups share their lanes by their numbers.
#define OUTBOX_LANE_GROUPS 16
enum {
    LANE_PLMN = 0,
    LANE_GROUP = LANE_PLMN + OUTBOX_PLMNS_MAX,
    LANE_ROUTE = LANE_GROUP + OUTBOX_LANE_GROUPS,
    OUTBOX_LANES = LANE_ROUTE + OUTBOX_ROUTES_MAX, // none
};
#define OUTBOX_LANES_OF_ONE 3
// Of automatic audits, which wait long.
struct audit_lane {
    uint32_t held; // in memory
    uint64_t from; // lowest id of those that are in the store because it was full; 0: none
    uint64_t was;  // `from` before the reading that is under way
    bool is_read;  // by that
};

struct packet {
    uint8_t phase; // enum packet_phase
    uint8_t part_count;
    uint8_t temporary; // how often it rested after a temporary error
    uint8_t avoid;     // link that did not answer; OUTBOX_LINKS_MAX for none
    uint8_t route;     // by its card's group, or its number
    uint8_t backup;    // of that; itself: none
    uint8_t plmn;      // in which its card is; OUTBOX_PLMNS_MAX: one without a limit
    uint8_t limit;     // of its group; OUTBOX_LIMITS_MAX: there is none
    uint8_t lanes[OUTBOX_LANES_OF_ONE]; // of an automatic audit; OUTBOX_LANES: none
    uint16_t sour;                      // links that refused it for now, a bit each
    bool wants_no_receipt;
    char source[TURN_SOURCE_SIZE]; // "": the server's
    bool was_flying;               // a part of it was on a link
    bool is_told;                  // the event is with the turn, the note about it is not
    bool is_throttled;             // refused for want of room: goes back to its place in front
    uint16_t next;                 // of the list it is in
    uint16_t next_of_bucket;
    uint32_t generation; // makes tags of an earlier packet in this place stale
    uint32_t status;     // command_status of the last refusal
    struct instant not_before;
    struct instant until;        // after it nothing of it is sent any more
    struct instant repeat_until; // for another link to come up
    struct outbox *outbox;
    struct part parts[SMS_PARTS_MAX];
    struct message message;
};

// What a group's packets may take of the links. With packets of more groups than these at once, the
// others have no limit.
#define OUTBOX_LIMITS_MAX 64
struct group_limit {
    uint64_t group;
    uint32_t held; // packets; 0: the place is free
    uint32_t flying, window;
    struct smpp_rate rate; // of 0: none
};

// --- from cards ------------------------------------------------------------------------------

// A request of an SMSC that waits for our answer. `is_held` false: there is none, or no more.
struct owed {
    bool is_held;
    uint8_t link;
    uint64_t handle;
};

// A packet from a card of which parts are missing, or whose commit is awaited.
struct join {
    bool is_used;
    bool is_complete; // with the turn
    bool is_keeping;  // the turn was asked to keep those that `keeping` names
    uint8_t keeping;  // bit per part
    uint8_t kept;     // they are on the disk, and answered
    uint16_t next;    // in its bucket, or of the free ones
    uint8_t total;
    uint64_t key;
    struct instant answer_by; // held answers are not kept longer
    struct instant until;
    struct outbox *outbox;
    struct owed owed[SMS_PARTS_MAX];
    uint64_t hashes[SMS_PARTS_MAX]; // 0: it did not come
    uint8_t lens[SMS_PARTS_MAX];
    uint8_t user_data[SMS_PARTS_MAX][SMS_USER_DATA_MAX];
    char number[NUMBER_TEXT_SIZE];
    struct sms_joiner joiner;
};

enum wait_kind { WAIT_FREE, WAIT_MESSAGE, WAIT_RECEIPT };

// A whole message, or a receipt, that waits for its commit.
struct wait {
    uint8_t kind;  // enum wait_kind
    bool is_early; // a receipt that fits nothing yet: its submit_sm_resp may be on its way
    uint8_t part;
    uint8_t state; // enum receipt_state
    uint16_t next;
    uint64_t card; // 0: not found
    uint64_t counter;
    struct packet_of of;
    uint64_t seen; // value of `reports` when it was looked up last
    struct instant until;
    struct outbox *outbox;
    struct owed owed;
    char id[OUTBOX_ID_SIZE];
};

// Parts of packets that are complete, in case they come again.
#define OUTBOX_DONE_MAX 1024
struct done_part {
    uint64_t hash; // 0: none
    struct instant until;
};

// How a network with a rate does.
struct plmn_state {
    struct smpp_rate rate;
    uint64_t audit_at_us;             // as of a link
    uint64_t sent;                    // parts
    uint64_t second;                  // of the time of rates, in which `sent_in_it` left
    uint32_t sent_in_it, sent_before; // in the second before it
};

// How a link does.
struct link_state {
    struct outbox_link_counts counts;
    uint32_t silences; // parts in a row without an answer
    struct instant silent_until;
    struct instant probe_at; // in the time of rates: one that swallows is given a packet again
    int32_t credit;          // of the sharing by weight: the highest one is next
    uint64_t audit_at_us;    // in the time of rates: the next part of an automatic audit may leave
};

#define OUTBOX_HURRIED_MAX 64 // at a time; more keep their share

struct outbox {
    struct outbox_options options;
    struct outbox_counts counts;
    struct smpp_rate rates[OUTBOX_LINKS_MAX];
    struct plmn_state plmns[OUTBOX_PLMNS_MAX];
    struct link_state links[OUTBOX_LINKS_MAX];
    struct link_health health[OUTBOX_LINKS_MAX];
    struct instant judge_at; // they are looked at next
    struct instant now;
    struct instant deadline;
    bool is_holding;
    uint16_t blocked;        // routes that take nothing in this pump, a bit each
    uint16_t audits_blocked; // routes that take no automatic audits in this pump

    struct packet *packets;
    uint16_t *buckets; // by card
    uint32_t bucket_mask;
    struct packet_list free, ready, staged, ended;
    struct group_limit limits[OUTBOX_LIMITS_MAX];
    uint64_t left_from; // lowest id of those that were left to the store again; 0: none
    uint32_t flying;    // parts
    uint32_t reporting; // packets that the turn was told about
    struct instant report_at;
    uint64_t last_taken;     // highest id of a message
    bool is_behind;          // some wait in the store only
    uint32_t rows_read;      // in the transaction that reads them
    uint64_t audits_left;    // automatic ones from this id on were not looked at; 0: none
    uint64_t audits_from;    // where the reading of these began
    uint64_t audits_next;    // behind the last one that was looked at
    bool are_audits_cut;     // others behind it were not
    bool were_audits_read;   // last
    struct instant lanes_at; // in the time of rates: not before
    struct audit_lane lanes[OUTBOX_LANES];
    uint64_t hurried[OUTBOX_HURRIED_MAX]; // ids of those in the store that wait no longer
    uint32_t hurried_count, hurried_read; // in the transaction that reads them
    bool is_reading;                      // the turn was asked for them
    struct instant read_at;               // not before: the store failed
    struct instant scan_at;
    uint64_t reports; // committed

    struct join *joins;
    uint16_t *join_buckets;
    uint32_t join_mask;
    uint16_t join_free;
    struct wait *waits;
    uint16_t wait_free;
    uint32_t waits_used;
    uint32_t early;
    struct instant joins_at;
    bool has_kept_parts; // in memory, as the store has them
    bool is_reading_parts;
    struct done_part done[OUTBOX_DONE_MAX];
    unsigned done_next;
};

// The time of rates: the server's seconds, that never go back. And when the loop reaches it.
struct instant outbox_pace(const struct outbox *o);
struct instant outbox_paced(const struct outbox *o, struct instant at);

#define OUTBOX_AGAIN_MS 1000 // after the store failed, or the turn had no room

void outbox_list_add(struct outbox *o, struct packet_list *list, struct packet *p);
// Before the first that is younger.
void outbox_list_insert(struct outbox *o, struct packet_list *list, struct packet *p);
// The first one, taken out; NULL when there is none.
struct packet *outbox_list_take(struct outbox *o, struct packet_list *list);
// A scan is due at `at` at the latest.
void outbox_scan_by(struct outbox *o, struct instant at);

// outbox_links.c
// Gives parts to links as far as they take them.
void outbox_pump(struct outbox *o);
// Gives up packets that no link could take, where they stand in the way of others.
void outbox_make_room(struct outbox *o);
// Ends waiting times that are over.
void outbox_scan(struct outbox *o);

// outbox_limit.c
// Notes what the network and the group of a new packet may take, and that a packet is gone.
void outbox_limit_add(struct outbox *o, struct packet *p, const struct turn_route *asked);
void outbox_limit_remove(struct outbox *o, const struct packet *p);
// May a part of it leave? If only a rate is in the way, the deadline says when it is not.
bool outbox_limit_is_free(struct outbox *o, const struct packet *p);
void outbox_limit_take(struct outbox *o, const struct packet *p);
void outbox_limit_landed(struct outbox *o, const struct packet *p);
// When the share of automatic audits lets a part of one leave over the link; and that one does. The
// share of a network is looked at with its rate.
struct instant outbox_limit_audit_at(const struct outbox *o, unsigned link);
void outbox_limit_audit_take(struct outbox *o, unsigned link);

// outbox_audits.c
// Is it an automatic audit that stays in the store, because others before it do, or memory is full?
bool outbox_audit_left(struct outbox *o, const struct message *m);
// Counts a new packet where it is an automatic audit; false: one of its lanes is full, and it stays
// in the store.
bool outbox_audit_take(struct outbox *o, struct packet *p) MUST_USE;
void outbox_audit_release(struct outbox *o, const struct packet *p);
// Do some wait in the store because of a network, a group or a route?
bool outbox_audits_are_slow(const struct outbox *o);
// Is there memory for some that are in the store?
bool outbox_audits_wanted(struct outbox *o);
// Asks the turn to read them; false: it is full.
bool outbox_audits_ask(struct outbox *o) MUST_USE;

// outbox.c
// Is the packet of the message in memory?
bool outbox_is_here(struct outbox *o, const struct message *m);
// In a transaction: takes one from the store. What was taken is lined up, or forgotten, at its end.
void outbox_stage(struct outbox *o, const struct message *m);
void outbox_end_staged(struct outbox *o, enum store_status status);
// Leaves a packet of which nothing was sent to the store, to be read again when there is room.
// False: another packet of its card is here, which it must not overtake or be overtaken by.
bool outbox_leave(struct outbox *o, struct packet *p);

// Whose steps tell of it.
struct packet_of outbox_packet_of(const struct message *m);

// outbox_route.c
// Is no link bound that could take it?
bool outbox_route_is_dead(const struct outbox *o, const struct packet *p);
// Chooses the routes of a packet.
void outbox_route(struct outbox *o, struct packet *p);
// A link that takes one part now, its token taken; OUTBOX_LINKS_MAX when there is none.
unsigned outbox_link_choose(struct outbox *o, const struct packet *p, const struct part *part);
// Is there any link for anybody? If only a rate is in the way, the deadline says when it is not.
bool outbox_link_is_free(struct outbox *o);
// What became of a part on a link.
void outbox_link_sent(struct outbox *o, unsigned link);
void outbox_link_answered(struct outbox *o, unsigned link, uint32_t status);
void outbox_link_unanswered(struct outbox *o, unsigned link);
// Every part of the packet is on a link; one that was did not take it.
void outbox_health_sent(struct outbox *o, const struct packet *p);
void outbox_health_withdraw(struct outbox *o, const struct packet *p, unsigned link);
// A turn_heard_fn; `context` is the outbox.
void outbox_health_heard(void *context, uint64_t card, uint64_t counter);
void outbox_health_step(struct outbox *o);

// FNV-1a, 64 bit; begin with OUTBOX_HASH.
#define OUTBOX_HASH 0xCBF29CE484222325u
uint64_t outbox_hash(uint64_t hash, struct bytes octets);
// The form in which ids are kept: small letters, no leading zeros; "" when too long.
void outbox_id_plain(struct bytes id, char out[OUTBOX_ID_SIZE]);
// The forms under which `id` may be kept, given what other peers write: as it is, and decimal as
// hexadecimal or the reverse. Returns how many, 1 to 3.
unsigned outbox_id_forms(const char *id, char out[3][OUTBOX_ID_SIZE]);

// One of the names that a step keeps [store_step_add()]; octets that are no text are none.
void outbox_name_put(struct writer *w, const char *id);

// outbox_join.c
bool outbox_join_open(struct outbox *o) MUST_USE;
// Takes one of several parts, of at most SMS_USER_DATA_MAX octets.
void outbox_take_part(struct outbox *o, struct owed *owed, const char *number,
                      const struct sms_part *part, struct bytes user_data);
void outbox_join_step(struct outbox *o);

// outbox_receive.c
#define OUTBOX_PUT_BACK ESME_RX_T_APPN // temporary: the SMSC keeps it and tries again
void outbox_answer(struct outbox *o, struct owed *owed, uint32_t status);
// False: it fits no message.
bool outbox_message(const struct sms_packet *packet, const char *number, uint8_t sms,
                    struct turn_message *out);
bool outbox_receive_open(struct outbox *o) MUST_USE;
void outbox_receive_close(struct outbox *o);
void outbox_receive_step(struct outbox *o);

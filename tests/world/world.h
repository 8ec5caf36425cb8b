// The simulated world: one thread, no socket, a virtual clock. Real in it: decide(), turn, store
// on SQLite, outbox, SMPP sessions, message centre, devices, cards, applet. Simulated: time,
// chance, connections, radio, people, and the life of the server's process.
//
// Promises: one seed, one story, told by the hash of its trace, on every build; a checker looks
// after every event; after `world_run` nothing is left behind.
// Never: asks a clock or entropy.
#pragma once

#include "common/base/trace.h"
#include "ota-server/service/outbox.h"
#include "ota-server/shell/server_crypto.h"
#include "sim-emulator/core/fleet.h"
#include "smpp/core/smsc.h"
#include "tests/world/agenda.h"
#include "tests/world/alter.h"
#include "tests/world/judged.h"
#include "tests/world/kept.h"
#include "tests/world/knobs.h"
#include "tests/world/lapse.h"
#include "tests/world/oracle.h"
#include "tests/world/past.h"
#include "tests/world/patience.h"
#include "tests/world/probes.h"
#include "tests/world/run.h"
#include "tests/world/shape.h"
#include "tests/world/store/kind.h"
#include "tests/world/story.h"

#define WORLD_CARDS_MAX 64
#define WORLD_CALM_DRAWN 8    // at most; more can be asked for
#define WORLD_SUBSCRIPTIONS 5 // of a card: two from the factory, three that can be downloaded
#define WORLD_NETWORKS 3
#define WORLD_CLOCKS 4     // kinds of devices with bad timers
#define WORLD_CLOCK_NONE 3 // the one with neither timers nor STATUS
#define WORLD_PROFILES 4   // kinds of devices that can do less; the last one tells an IMEISV alone
#define WORLD_ANSWERED 7   // commands that are answered wrongly: all, or those of one kind
#define WORLD_AIR_MAX 2048
#define WORLD_TAR 0x534D01
#define WORLD_SERVER_NUMBER "12345000"
#define WORLD_START_MS INT64_C(1780000000000)
#define WORLD_SETTLE_MS (72 * 3600 * 1000ull)
#define WORLD_CONNECTIONS 3 // two of the server, one of the network
#define WORLD_NETWORK_CONNECTION 2
#define WORLD_WINDOW 10
#define WORLD_BUFFER 8192

// --- what cards did, as only the checkers know it --------------------------------------------

#define WORLD_RUNS_MAX 512 // operations executed by one card
// Different packets to one card. In a day it may switch 48 times, and each is confirmed; twice that
// and 2,048 in all are many for a world, and a year of them is the most.
#define WORLD_PACKETS_A_DAY 96
#define WORLD_PACKETS_SURE 2048
#define WORLD_PACKETS_MAX (WORLD_PACKETS_SURE + 400 * WORLD_PACKETS_A_DAY)
#define WORLD_MERGES_MAX 1024 // the first notifications of a card with others merged into them
#define WORLD_HANDS_MAX 16    // the newest of somebody else
#define WORLD_VOICES_MAX 16   // numbers that one card spoke from
#define WORLD_SAYINGS_MAX 256 // the newest notifications of a card and its clone

// All that was looked at when a card and the pool were compared last.
#define POOL_NAMED_MAX (1 + BOOTSTRAP_ITEMS_MAX + RECORD_QUEUE_MAX + RECORD_LATE_MAX)
struct pool_look {
    uint32_t writes;   // world.pool_writes
    bool is_known;     // the card's memory
    bool is_forgotten; // in doubt since the database was put back
    uint8_t named_count;
    uint64_t named[POOL_NAMED_MAX];                      // by its record
    uint8_t imsis[COMMAND_SLOTS_MAX][COMMAND_IMSI_SIZE]; // on the card; zero: none
};

// The slots of a card as its trail tells them, from what they were at its import on; those members
// alone that rows tell by their values (fold_slots.c).
#define TOLD_MEMBERS 10
struct told_slots {
    uint64_t sequence; // of the trail, up to which it was read
    uint64_t preferred;
    uint64_t slots[COMMAND_SLOTS_MAX][TOLD_MEMBERS];
};

struct truth {
    bool is_known;    // the image below was seen
    bool is_mirrored; // and the server's mirror was equal; neither has changed since
    struct glance glance;
    uint64_t mirror_digest;  // if it was not
    uint32_t heard;          // the highest notification that the server handled
    bool has_moved;          // its registry, or what it has to tell, changed since the last look
    uint32_t reused_until;   // numbers of notifications that it may give twice, since it went back
    bool has_forgotten;      // it went back, and mirror and card were not equal since
    uint32_t switch_version; // when it last was in no switch
    struct past past[WORLD_PAST];
    struct letter letters[WORLD_LETTERS];
    uint32_t letter_count;
    struct applet_dump dump;
    uint32_t nvm_written;
    struct run runs[WORLD_RUNS_MAX];
    uint32_t run_count;
    uint32_t confirms[WORLD_PACKETS_MAX]; // sequences that CONFIRM packets on the wire named
    uint32_t confirm_count;
    uint64_t counters[WORLD_PACKETS_MAX]; // on the wire, in order of first appearance
    uint64_t hashes[WORLD_PACKETS_MAX];
    uint64_t operations[WORLD_PACKETS_MAX];                // the server's, that each was sent for
    uint32_t ids[WORLD_PACKETS_MAX];                       // of the operation on the card, or 0
    uint8_t digests[WORLD_PACKETS_MAX][COMMAND_HASH_SIZE]; // of the command, as cards make them
    uint8_t commands[WORLD_PACKETS_MAX];                   // 0: the database was put back since
    uint32_t sequences[WORLD_PACKETS_MAX];                 // that a CONFIRM names
    uint32_t confirmed;                                    // the highest of them
    struct merge merges[WORLD_MERGES_MAX];
    uint32_t merge_count;
    struct stopwatch stopwatch;
    struct daybook daybook;
    struct patience patience;
    struct switch_times switch_times;
    struct instant looked;                  // when the first two were looked at last
    uint64_t open;                          // the server's operation on it, as of the last commit
    uint64_t change_counter, audit_counter; // of the last command and the last question
    struct instant changed;                 // when that command left
    uint32_t audit_version;                 // of the registry when that was asked
    struct instant asked;
    int64_t audited_ms;                // when the last audit was complete, says the server
    struct instant audited;            // and when that was
    uint64_t audited_counter;          // of the question that was answered then
    uint64_t sending, sending_counter; // operation and counter of the last that left
    uint64_t mo_counter;               // that the server's mirror has reached
    uint32_t packet_count;
    uint64_t hand_counters[WORLD_HANDS_MAX];
    uint32_t hand_count;
    bool is_job_touched; // a person had a word with its bootstrap
    struct pool_look look;
    uint8_t job;        // enum bootstrap_state, as of the last commit
    uint64_t in_use_ms; // since when it uses the subscription that its rule enables, as the server
                        // counts time; 0: another
    uint64_t believed_ms;      // since when the server believes that it does
    uint64_t backup_in_use_ms; // the first when the last backup was made
    uint32_t clone_packets;    // that its clone may have heard of
    uint32_t backup_packets;   // when the last backup was made, and how many of them its trail has
    uint32_t backup_causes;
    uint64_t backup_counter;  // the server's, in it
    uint32_t packets_unknown; // that the trail lost by a restore
    bool is_foreign;          // somebody else changed the card, and the server may not know
    uint64_t foreign_mo;      // until it hears a message with a higher counter
    bool is_rotten;           // its memory changed while it was off
    bool was_rotten;          // ever: it may have gone back, and its sequences came again
    bool is_deaf;             // after too many wrong packets
    uint8_t deaf_doublings;
    struct instant deaf_since;
    uint64_t voices[WORLD_VOICES_MAX]; // numbers that it spoke from
    uint32_t voice_count;
    uint32_t id_seen; // highest operation of it that the server knows
    uint32_t falls;   // how often that fell in an audit, without a person
    uint32_t lifts;   // of its quarantine
    struct instant lifted;
    struct told_slots imported, told;
    uint32_t gone_packets;           // when it went for ever
    uint32_t calm_packets;           // when faults ended
    struct instant unserved, unseen; // see check_served()
    uint8_t unserved_number;
    uint64_t accepted[WORLD_ACCEPTED_MAX]; // operations; 0: lost with the database
    uint32_t accepted_count, backup_accepted;
    struct instant sendable; // since when something could be sent to it; INSTANT_NEVER: nothing
};

// A notification of a card that has a clone, or of the clone.
struct saying {
    uint64_t mo_counter;
    uint32_t version; // of the registry
    uint32_t device;
};

// --- the parts -------------------------------------------------------------------------------

struct person { // a card with everything the world knows about it
    struct asker asker;
    struct applet_factory factory;
    struct slot slots[WORLD_SUBSCRIPTIONS]; // the first two from the factory
    struct shape shape;
    char numbers[WORLD_SUBSCRIPTIONS][NUMBER_TEXT_SIZE];
    uint64_t id;                                 // the server's
    uint64_t subscriptions[WORLD_SUBSCRIPTIONS]; // the server's
    struct nvm_faults faults;
    uint8_t flap_area;                // where it is, but for the moments without service
    uint32_t flap_in_ms, flap_out_ms; // if its service comes and goes
    uint32_t reset_at;                // planned of its device, and not seen to have struck
    struct sms_joiner ear;            // of packets in several parts, as they reached it
    struct sms_joiner tap;            // of its packets in several parts, as the checker saw them
    uint32_t on_ms, off_ms;           // of its device's duty cycle, if it has one
    uint32_t answered_so;             // wrongly by its device, as of the last look
    bool is_misled, is_blinded;       // in time and in service, since its device started
    bool is_gone;                     // for ever
    struct double_click {             // the last wish that was made twice at once
        struct world *w;
        uint32_t card, life; // of the server; 0: both are answered
        uint8_t kind;
        bool is_alone;
        uint8_t answers;
        uint64_t first; // the operation that the first was accepted as, or 0
    } clicks;
    // Who was given its two subscriptions that are the pool's: 1 more than the card, 0: nobody yet.
    uint32_t holders[2];
    struct pool_row { // what the database says of them
        bool is_known;
        uint8_t state;
        uint64_t card;
    } pooled[2];
    // A database that was put back did not know that it gave it away, until it was found: 1 more
    // than the card whose it became, or on which it stayed foreign.
    uint32_t adopters[WORLD_SUBSCRIPTIONS];
    struct instant clogged_until; // its network
    struct mixed mixed[2];        // to and from it
    struct merging merging[2];    // the same
};

// A subscription: the n-th of a person.
struct subject {
    uint32_t person;
    unsigned subscription;
};

#define CONNECTION_SIDES 3 // the server's or the network's, and two of the message centre

struct connection {
    struct smpp_session session;
    uint32_t link;  // of the message centre; SMSC_NONE: it is gone there
    uint32_t ghost; // another one, of which only the message centre knows; or SMSC_NONE
    uint32_t index;
    bool is_open;
    bool is_bound;
    bool is_half_open;         // what goes into it is lost
    bool is_ended;             // the server slept meanwhile, and sees it when it wakes
    struct instant lost;       // since then
    struct instant ghost_lost; // the ghost
    uint32_t stall_ms;         // what ends after `cut_after` octets is not the connection: 0
    struct instant stalled_until;
    struct instant swallows_until; // what the server sends over it
    uint8_t far_side;              // of the message centre
    uint32_t opened;               // how often
    uint32_t cut_after;            // it carries one octet less than that; 0: all
    uint32_t away_ms;              // after its next end; 0: a little
    struct instant away_until;
    struct smpp_pending window[CONNECTION_SIDES][WORLD_WINDOW];
    struct smpp_owed owed[CONNECTION_SIDES][WORLD_WINDOW];
    uint8_t input[CONNECTION_SIDES][WORLD_BUFFER];
    uint8_t output[CONNECTION_SIDES][WORLD_BUFFER];
};

struct server {
    struct store *store;
    struct turn *turn;
    struct outbox *outbox;
    struct policy policy;
    struct server_crypto crypto;
    char folder[64]; // "" for a database in memory
    char path[96];
    bool is_running;
    bool is_asleep; // it stands still, and knows nothing of it
    struct instant started, asleep_until, woken;
    bool dies_acting;    // at the next commit
    bool is_dying;       // what it does from now on never happened
    int64_t killed_ms;   // when that ended last, on its clock
    uint32_t away_ms;    // after its next end
    int64_t clock_ms;    // how far its clock is ahead
    uint64_t skipped_ms; // by all jumps ahead: one back takes its times back with it
    struct instant full_until;
    struct instant busy_until;    // somebody else holds the database
    struct instant failing_until; // it cannot be written
    enum world_disk next_error;   // of its next write, or good
    struct instant weak_until;
    char keeper[64]; // folder of the backup; "": none, or in memory
    bool has_backup;
    bool is_put_back; // and has not started since
    bool was_put_back;
    uint64_t commits; // of turns before this life
    uint32_t lives;
};

struct world_options {
    uint64_t seed;
    uint32_t cards; // 0: drawn
    uint32_t days;  // of the safety phase; 0: drawn
    bool has_calm;  // else drawn
    uint32_t calm;  // 0 to WORLD_CALM_MAX
    void (*sink)(void *context, struct bytes line);
    void *context;
    bool knobs_off[KNOB_COUNT]; // the n-th one is, whatever the seed says
    const char *only;           // NULL, or the rules that are judged, with commas
    // NULL, or what is done to the world: the seed and all above say nothing then.
    const struct story *story;
    FILE *record;      // NULL, or gets what was done, at once
    bool is_canary;    // a checker that must fail
    bool has_campaign; // a campaign over all cards; not on arrays
    bool is_restless;  // devices do every STATUS octet by octet
    bool is_faultless; // all knobs are off
};

struct world_result {
    bool is_violated;
    char rule[STORY_WORD_SIZE];
    uint32_t card;
    char text[200];
    uint64_t events;
    uint64_t ended_ms;  // in virtual time, from its beginning
    uint64_t settle_ms; // from the end of the faults, until all agreed that was not given up
    uint64_t card_days;
    uint64_t hash;
    uint64_t runs, sent, notified, crashes, cuts, forged;
    struct probes probes;
    struct judged judged;
};

struct moment {
    uint64_t ms;
    uint32_t place;
};

struct world {
    struct world_options options;
    struct story story;  // its head; the deeds are in the options
    uint32_t story_next; // the next deed that strikes by itself
    uint32_t fate_next;  // all before are done
    uint8_t *is_done;    // of each deed of the story
    struct moment moments[STAGES][WORLD_CARDS_MAX + 1];
    struct world_result result;
    struct knobs knobs;
    struct trace trace;
    struct agenda agenda;
    struct instant now;
    struct instant safety_end;
    struct instant end;
    bool is_settling;
    uint32_t calm;         // 0: in a hurry; each step doubles the times
    bool is_alerted;       // networks tell the centre who attached
    uint32_t validity_s;   // of messages in the centre, at most
    uint32_t retry_max_ms; // between its tries
    uint64_t pace_ms;      // how long people wait between two wishes for a card, on average
    uint32_t cards;
    // chance, one stream for each purpose
    struct prng chance_air, chance_people, chance_power, chance_cut, chance_move, chance_reject,
        chance_imei, chance_server, chance_link, chance_card, chance_adversary, chance_hand,
        chance_smsc, chance_trouble, chance_campaign, chance_restore, chance_rot, chance_swap,
        chance_clone, chance_office, chance_seldom, chance_transport, chance_disk, chance_device,
        chance_twice, chance_merge, chance_reset, chance_flap, chance_profile, chance_answers,
        chance_sleep, chance_gone;
    // cards and radio
    struct cipher cipher;
    struct card_shop shop;
    struct radio radio;
    struct scenario scenario;
    struct fleet fleet;
    struct applet_template templates[2];
    struct person people[WORLD_CARDS_MAX];
    struct truth *truths;
    struct device *devices;
    struct fleet_entry heap[WORLD_CARDS_MAX];
    uint32_t places[WORLD_CARDS_MAX];
    struct radio_subscriber subscribers[WORLD_CARDS_MAX * WORLD_SUBSCRIPTIONS];
    uint32_t by_imsi[1024];
    uint32_t by_msisdn[1024];
    struct nvm_page *pages;
    bool has_swapped, has_cloned; // ever
    struct saying sayings[WORLD_SAYINGS_MAX];
    uint32_t saying_count;
    struct delivery deliveries[WORLD_DELIVERIES_MAX];
    uint32_t delivery_count;
    struct air_message air[WORLD_AIR_MAX];
    // the message centre
    struct smsc smsc;
    struct smsc_queue queue;
    struct smsc_faults faults;
    struct smsc_message messages[512];
    struct smsc_mailbox mailboxes[512];
    uint32_t buckets[512];
    struct smsc_timer timers[4 * 512];
    struct instant hex_until; // it has ids in hexadecimal on one side
    struct smsc_link links[2 * WORLD_CONNECTIONS];
    struct connection connections[WORLD_CONNECTIONS];
    // the server
    struct server server;
    struct ids ids;       // given out before it starts
    uint64_t group, pool; // the server's, where there is a rule
    bool is_left_alone;   // people wish little of the cards
    // what has to be looked at
    bool is_by_hand;             // what reaches a card now is of somebody else
    bool is_able;                // the server could send, at the last event
    struct instant sends_since;  // since when, without a break
    struct instant waits_looked; // when that was looked at last
    struct utc tapped_until;     // the message centre may keep the server's last message so long
    uint64_t cards_touched;      // bit n: card n did something since its memory was looked at
    uint64_t cards_changed;      // bit n: its memory or its record changed since they were compared
    uint32_t pool_writes;        // of its subscriptions, from 1
    uint64_t cards_unlike;       // bit n: they were not equal then
    uint64_t cards_saved;        // bit n: its record was saved since it was looked at
    bool is_stirred;             // message centre or server have work that no deadline tells of
    struct instant other_due;    // the earliest deadline of message centre and server
    uint64_t mirrors_commits;
};

// --- world.c -------------------------------------------------------------------------------------

// Runs one seed to its end or its first violation.
void world_run(const struct world_options *options, struct world_result *result);
struct utc world_utc(const struct world *w);
// As the server's clock has it.
struct utc server_utc(const struct world *w);
// A deed is done: recorded, then carried out.
void world_do(struct world *w, const struct deed *deed);
void world_record(struct world *w, const struct deed *deed);
// One line of the trace.
void world_note(struct world *w, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The first one counts, of a rule that is judged.
void world_violate(struct world *w, const char *rule, uint32_t card, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// Exponential around `mean_ms`, with a tail of days in one of a thousand; at least 1.
uint64_t world_delay(struct prng *p, uint64_t mean_ms);

// --- fate.c: what befalls messages and decisions -----------------------------------------------
// A message (or decision) of this card comes to this stage.
void fate_stage(struct world *w, enum deed_stage stage, uint32_t card);
bool fate_befalls(struct world *w, enum deed_kind kind, uint32_t card, struct deed *deed);
// Somebody gave the message centre a message: faults of it are drawn and armed.
void fate_submit(struct world *w, enum deed_kind kind, uint32_t card, const struct smpp_message *m);
// It takes this message, and loses it.
void fate_swallow(struct world *w, const struct smpp_message *m);
// Forgets faults of the message centre that were used up.
void fate_sweep(struct world *w);

// --- cards.c: the cards, their networks, their devices -----------------------------------------
void cards_make(struct world *w);
void cards_close(struct world *w);
// The card with this server id; its index.
uint32_t card_of(const struct world *w, uint64_t id);
// With this number of a subscription; `cards` when it is nobody's.
uint32_t card_of_number(const struct world *w, struct bytes digits);

// --- physics.c: what happens to cards ---------------------------------------------------------
void physics_plan(struct world *w);
void physics_happen(struct world *w, const struct entry *entry);
void physics_do(struct world *w, const struct deed *deed);
void physics_calm(struct world *w);
// Every device once. Whom a network condemned tries again then, and one that ignores REFRESH reads
// the card anew.
void physics_restart(struct world *w);

// --- centre.c: message centre and connections ---------------------------------------------------
void centre_open(struct world *w);
void centre_calm(struct world *w);
void centre_connect(struct world *w, uint32_t connection);
void centre_cut(struct world *w, uint32_t connection);
// And stays away so long; 0: a little.
void centre_cut_for(struct world *w, uint32_t connection, uint32_t away_ms);
// The same once it carried so many octets more, both ways together.
void centre_cut_after(struct world *w, uint32_t connection, uint32_t octets);
// It carries nothing more for so long, once it carried so many octets more.
void centre_stall(struct world *w, uint32_t connection, uint32_t octets, uint32_t for_ms);
// Its octets are lost from now on, and nobody says so.
enum half_open { HALF_OPEN_BOTH, HALF_OPEN_NEAR /* the message centre is gone */, HALF_OPEN_FAR };
#define HALF_OPENS 3
void centre_lose(struct world *w, uint32_t connection, enum half_open who);
// The server sees what became of its connections while it slept.
void centre_wake(struct world *w);
// Message centre, sessions and server know the time from here on.
void centre_tick(struct world *w);
// Carries octets until nothing moves.
void centre_settle(struct world *w);
struct instant centre_deadline(const struct world *w);
// Does the message centre hold a message of this card for the server?
bool centre_has_from(const struct world *w, uint32_t card);

// --- network.c: between the message centre and the cards ------------------------------------
void network_event(struct world *w, const struct smpp_event *event);
void network_message(void *context, const struct fleet_message *message); // of a card
void network_happen(struct world *w, const struct entry *entry);
// To the card that is attached with this number, now.
void network_hand(struct world *w, uint64_t number, struct bytes user_data);
void network_acted(void *context, const struct device *device, const struct device_action *action);
bool network_has_from(const struct world *w, uint32_t card);

// --- server.c: the life of the server --------------------------------------------------------
void server_make(struct world *w); // its database, before its first start
void server_start(struct world *w);
void server_stop(struct world *w);  // clean
void server_crash(struct world *w); // all memory is lost
void server_close(struct world *w); // and the database too
// Its process stands still for so long, and goes on as if nothing had been. `is_due_first`: it sees
// what came due before it hears what waited.
void server_sleep(struct world *w, uint32_t for_ms, bool is_due_first);
void server_wake(struct world *w, bool is_due_first);
// Is there a process that does anything?
bool server_is_awake(const struct world *w);
// The database as it is now is kept; the former backup is forgotten.
void server_backup(struct world *w);
// The server is killed, the backup takes the place of its database, and that is marked.
void server_restore(struct world *w);
void server_event(struct world *w, uint32_t connection, const struct smpp_event *event);
void server_step(struct world *w);
struct instant server_deadline(const struct world *w);

// --- trouble.c: disk, clock, cells, floods -----------------------------------------------------
void trouble_plan(struct world *w);
void trouble_happen(struct world *w, const struct entry *entry);
void trouble_do(struct world *w, const struct deed *deed);
// A card that begins to switch is flooded meanwhile, sometimes.
void trouble_tempt(struct world *w, uint32_t card, const struct image *before,
                   const struct image *after);
void trouble_calm(struct world *w);

// --- transport.c: links and networks that carry late, wrongly, or not at all
// ----------------------
void transport_plan(struct world *w);
void transport_happen(struct world *w, const struct entry *entry);
void transport_do(struct world *w, const struct deed *deed);
void transport_calm(struct world *w);
// When the `place`-th message of a card goes on in this moment, in ms: 0 at once, or when its
// network is clogged no more.
uint64_t transport_wait_ms(const struct world *w, uint32_t card, uint32_t place);

// --- rot.c: memory of cards that loses its value ---------------------------------------------
void rot_do(struct world *w, const struct deed *d);
// The first look at a card after it started with it. True: it went back, as it may and says; what
// it is compared with is what it is now.
bool rot_check(struct world *w, uint32_t card, const struct applet_dump *before,
               const struct applet_dump *now);

// --- identity.c: cards on each other's number, and a clone ---------------------------------------
void identity_draw(struct world *w);
void identity_plan(struct world *w);
// The clone, if there will be one, is off.
void identity_begin(struct world *w);
void identity_happen(struct world *w, const struct entry *entry);
void identity_do(struct world *w, const struct deed *deed);
void identity_calm(struct world *w);
// How many devices there are beside those of the cards: their numbers follow.
uint32_t identity_clones(const struct world *w);
// Was there ever a clone of it? Then what the server knows may be of either.
bool identity_is_cloned(const struct world *w, uint32_t card);
// A device sends a message, from this number.
void identity_said(struct world *w, uint32_t device, uint64_t number);
// Did this card, or its clone?
bool identity_spoke_from(const struct world *w, uint32_t card, uint64_t number);
// The record of a card was saved; before it is looked at otherwise.
void identity_check(struct world *w, uint32_t card, const struct record *r);

// --- people.c: operators -------------------------------------------------------------------------
void people_plan(struct world *w);
void people_happen(struct world *w, const struct entry *entry);
void people_do(struct world *w, const struct deed *deed);
// What somebody wants of a card, from this stream.
void people_draw(struct world *w, struct prng *p, struct deed *d);
#define PEOPLE_COUNTRIES 6 // as `count` of timers: five, and a table of countries
#define PEOPLE_ADDRESS 7   // and another address of the server

// --- office.c: what else people do --------------------------------------------------------------
void office_plan(struct world *w, uint32_t card);
void office_happen(struct world *w, const struct entry *entry);
void office_do(struct world *w, const struct deed *deed);

// --- group.c: a rule that gives cards subscriptions of a pool ------------------------------------
bool group_has_rule(const struct world *w);
void group_draw(struct world *w);
void group_make(struct world *w); // in the database, before the cards
// How many subscriptions a card has from the factory.
uint32_t group_factory_count(const struct world *w);
// Is the n-th subscription of a person the pool's?
bool group_is_pooled(const struct world *w, uint32_t person, unsigned subscription);
// Who was given it last: a card, the person itself, or `cards`.
uint32_t group_holder(const struct world *w, uint32_t person, unsigned subscription);
// What the database says of it, which is asked anew when it was written.
const struct pool_row *group_row(struct world *w, uint32_t person, unsigned subscription);
// Whose is this number of the pool's, says the database? `cards`: nobody's.
uint32_t group_promised(struct world *w, struct bytes digits);
void group_written(struct world *w, uint64_t subscription);
void group_forget(struct world *w); // another database
// The server gives this subscription to a card.
void group_hold(struct world *w, const uint8_t imsi[COMMAND_IMSI_SIZE], uint32_t card);
// Whom people mean by the n-th subscription of a card.
struct subject group_subject(const struct world *w, uint32_t card, unsigned subscription);
void group_do(struct world *w, const struct deed *deed);
// Bootstraps that stopped are to go on.
void group_resume(struct world *w);

// --- hand.c: somebody else with the keys ---------------------------------------------------------
void hand_plan(struct world *w, uint32_t card);
void hand_happen(struct world *w, const struct entry *entry);
void hand_do(struct world *w, const struct deed *deed);
void hand_flood(struct world *w, const struct deed *deed);
// Is this counter one of its last packets to the card?
bool hand_sent(const struct world *w, uint32_t card, uint64_t counter);
// A card that begins to roll back is told to confirm what it rolls back.
void hand_tempt(struct world *w, uint32_t card, const struct image *before,
                const struct image *after);
void hand_calm(struct world *w);

// --- shadow.c: the model beside all that cards do by themselves
// ------------------------------------
void shadow_open(struct world *w);
void shadow_close(struct world *w);
// Each decision of the server beside the reference model of the registry.
void registry_watch(struct world *w);
void registry_unwatch(struct world *w);

// --- check_card.c, check_server.c -------------------------------------------------------------
// After anything that may have changed the memory of cards; looks at those that did something.
void check_cards(struct world *w);
// A packet on the connection between server and message centre.
// For the card whose number this is; or for another one that spoke from there.
void check_packet(struct world *w, uint32_t card, uint64_t number, struct bytes packet);
// The server is about to send a packet for one of its operations.
void check_send(struct world *w, const struct message *message);
// A CONFIRM of this sequence is on its way to the card.
void check_confirmed(struct world *w, uint32_t card, uint32_t sequence);
// The server started: what it wrote about audits then is of none. After a restore: it knows.
void check_started(struct world *w);
// A backup was made; it was put back.
void check_backup(struct world *w);
void check_restored(struct world *w);
// Is the card in doubt because the database was put back?
bool check_is_forgotten(const struct world *w, uint32_t card);
// After every event: mirror and truth.
void check_mirrors(struct world *w);
// The bootstrap of a card whose record or memory changed, and the pool.
void check_job(struct world *w, uint32_t card, const struct record *r, bool is_saved);
// A backup was put back.
void check_job_restored(struct world *w);
// A download or deletion is on the wire for the first time, for this operation of the server.
void check_job_packet(struct world *w, uint32_t card, const struct command *c, uint64_t operation);
// NULL, or why its bootstrap is not at its end.
const char *check_job_end(const struct world *w, uint32_t card, const struct record *r);
// check_mirror.c: the memory of a card changed; it sends a message, which gets its version; does
// the server hold one of it that tells of another version than that of now?
void mirror_card(struct world *w, uint32_t card, const struct image *before,
                 const struct image *now);
void mirror_said(struct world *w, struct air_message *message);
bool mirror_is_outdated(const struct world *w, uint32_t card, struct bytes user_data);
// The record or the memory of a card changed.
void mirror_compare(struct world *w, uint32_t card, const struct record *r);
// After every event; `has_changed`: the record, or what the card is and has to tell.
void check_mirror(struct world *w, uint32_t card, bool has_changed);
// Does the committed state of the card show the same registry as the server's mirror?
bool check_is_equal(const struct record *r, const struct image *image);
// What was promised about operations and the trail, over the whole history.
void check_history(struct world *w);
// check_outcome.c: what a card ran, and how that ended.
void outcome_look(struct world *w, uint32_t card, const struct image *before,
                  const struct image *after);
// Its memory went back.
void outcome_forget(struct world *w, uint32_t card, const struct image *now);
// What this operation of the server ran under its id on the card; NULL: nothing, or another did.
const struct run *outcome_run(const struct truth *t, uint32_t card_operation_id);
// Is what the server says of an operation that ended what happened?
void outcome_judge(struct world *w, uint32_t card, const struct operation *o);
// check_trail.c: packets and notifications of a card have their rows.
void check_trail(struct world *w, uint32_t card);
// check_limits.c: how long a switch of a card is open; and, when its memory changed, how many there
// were.
void check_limits(struct world *w, uint32_t card);
void check_switches(struct world *w, uint32_t card, const struct image *before,
                    const struct image *now);
// Each operation has ended by its time, or its card is in doubt.
void check_progress(struct world *w);
// check_served.c: the card is not stuck on what its terminal did not answer, or answered wrongly.
void check_served(struct world *w, uint32_t card);
// check_gone.c: a card goes for ever; faults end; what is said of its operations, and of it.
void gone_begin(struct world *w, uint32_t card);
void gone_calm(struct world *w);
void gone_check_operation(struct world *w, uint32_t card, uint64_t id, const struct operation *o);
// Does the server say of all that are gone that they are out of reach, or is in no doubt?
bool gone_is_told(const struct world *w);
void gone_check_end(struct world *w);
// fold.c: the registry is what the trail alone says.
void fold_check(struct world *w);
// fold_slots.c: after each commit, and at the end, the slots of a card are what its trail alone
// says since it was imported so; since a backup was put back, what that trail says.
void fold_slots_begin(struct world *w, uint32_t card, const struct record *imported);
void fold_slots_restored(struct world *w, uint32_t card);
void fold_slots(struct world *w, uint32_t card, const struct record *r, bool is_end);
// What the server wrote down about a card, for the end of a story that went wrong.
void check_tell(struct world *w, uint32_t card);
// Does everything agree by now? That it does not is a violation for the cards that must.
enum end_of { END_NOBODY, END_REACHABLE /* but those that the server gave up */, END_EVERYBODY };
bool check_end(struct world *w, enum end_of must);
// Does everything agree, but for cards that the server gave up?
bool check_agrees(const struct world *w);

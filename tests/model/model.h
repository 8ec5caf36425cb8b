// Reference model of the card: what a card does, as plain data and without memory, octets or
// cryptography. Written from the description of the behaviour, not from the applet, so that the two
// can be compared after every step: registry, answers, notifications, state.
//
// How to use it: tell the model everything that the applet is told, at the level of applet.h
// (reset, profile, command, status, rejection, clocks that run out, answers of the terminal), one
// function per thing; then model_differs() against a dump of the card. A test that never cuts the
// power needs no more. A test that does: `committed` is called with the model as it is at every
// commit; after a cut the card must be model_start() of the last of those before the cut, or of the
// next.
//
// Chance: a time that the card draws is a range here; model_adopt() takes what the card drew,
// after it was found in the range. Time: the model waits for nothing; whoever drives it says when a
// clock is over.
// Not in it: security failures and the lock-out, concatenation, sizes (whoever drives it says what
// finds no memory), memory that fails, and the contents of keys.
#pragma once

#include "applet/applet.h"

#define MODEL_NONE 0xFF // no slot
#define MODEL_KEPT 8    // results
#define MODEL_NOTES 4

struct model_slot {
    bool is_used;
    bool is_enabled;
    bool is_fallback;
    bool is_proven;
    bool has_iccid;
    uint8_t role, marks, rank, template_number, mnc_length;
    uint8_t iccid[COMMAND_ICCID_SIZE];
    uint8_t imsi[COMMAND_IMSI_SIZE];
    struct dialling msisdn, smsc;
    uint8_t plmns_len;
    uint8_t plmns[COMMAND_PLMNS_MAX];
};

// The answer to a command packet.
struct model_answer {
    bool is_silent; // none
    uint8_t status; // of the secured packet; the rest counts only with 0
    uint8_t command;
    uint8_t code;
    bool is_replayed;
    bool has_pair;
    uint8_t first, second; // slot numbers, or a count
    uint32_t operation_id;
    uint32_t registry_version;
    bool has_audit;
    uint8_t lookup, lookup_code; // of an audit
    struct command_audit audit;  // what was asked
    uint32_t told;               // CONFIGURE: bit n = parameter n
};

struct model_kept {
    uint64_t body; // the same for the same command
    struct model_answer answer;
};

struct model_note {
    uint8_t cause;
    uint32_t sequence;
    uint32_t operation_id;
    unsigned merged;
    struct subscription_name from, to;
    bool has_reject;
    uint8_t reject;
    bool takes_fallback;
};

// A time that runs, or is drawn.
struct model_time {
    bool is_on;
    uint32_t min_s, max_s;
};

enum model_wait {
    MODEL_NOTHING = 0,
    MODEL_FIRST_STATUS,
    MODEL_OUTAGE,
    MODEL_JITTER,
    MODEL_JITTER_COUNTRY,
    MODEL_JITTER_RETURN,
    MODEL_DAY,
    MODEL_ANSWER,
    MODEL_T_REFRESH,
    MODEL_FETCH,
    MODEL_TAKE,
    MODEL_RETRY,
    MODEL_ATTACH,
    MODEL_PAUSE,
};

struct model_switch {
    uint8_t phase;  // enum journal_phase
    uint8_t reason; // enum switch_reason
    uint8_t from, to;
    bool may_roll_back;
    bool takes_fallback;
    uint32_t operation_id;
    uint32_t sequence;
    unsigned starts;
    unsigned sendings;
};

struct model_search {
    bool is_open, is_exhausted, is_paused;
    uint8_t origin;
    unsigned round, pauses;
    bool tried[IMAGE_SLOTS_MAX];
    bool failed[IMAGE_SLOTS_MAX]; // in this outage
    uint32_t pause_due;
};

struct model_card {
    const struct applet_factory *factory;
    bool is_full; // what the next command would keep does not fit the memory
    // Kept over a reset.
    struct model_slot slots[IMAGE_SLOTS_MAX];
    uint32_t registry_version, generation, notify_sequence, operation_id_highest;
    unsigned configuration_version;
    uint8_t preferred;
    bool is_contacted;
    bool is_automatic;
    bool has_imei;
    uint8_t imei[COMMAND_IMEI_SIZE];
    bool has_country;
    uint8_t country[2]; // where the last automatic switch was
    struct model_switch open;
    struct model_search search;
    uint32_t kept_now; // the card's clock when it was last kept
    struct model_time back, reuse;
    uint32_t heartbeat_due, day_end;
    struct model_time cool[IMAGE_SLOTS_MAX]; // min_s = max_s: its end
    unsigned switches;
    bool is_capped, is_cap_used;
    unsigned return_doublings;
    unsigned kept_count;
    struct model_kept kept[MODEL_KEPT]; // newest last
    uint64_t mt_counter, last_counter, mo_counter;
    uint64_t last_packet; // body of the last accepted packet
    struct model_answer last;
    unsigned note_count;
    struct model_note notes[MODEL_NOTES]; // oldest first
    struct parameters parameters;
    struct dialling address_new;
    // Lost by a reset.
    uint8_t state; // enum switch_state
    uint8_t wait;  // enum model_wait
    struct model_time clock, notify, country_clock;
    bool is_profiled;
    uint16_t terminal; // TERMINAL_ flags
    bool has_service, is_country_stable, has_plmn, is_cause_final, has_reject;
    uint8_t service, reject;
    uint8_t plmn[3];
    uint8_t terminal_on; // slot that the terminal started with
    unsigned tries;
    uint32_t now, resend;
    unsigned attempt; // sendings in this round, 0 = none under way
    uint32_t sent;    // sequence sent last
    bool is_heartbeat;
    bool wants_refresh;
    bool is_exact; // no time passes but by clocks that run out: they must stand as they were set
    // private
    bool is_changed;
    void (*committed)(void *context, const struct model_card *m); // may be NULL
    void *context;
};

// A card that never did anything.
void model_init(struct model_card *m, const struct applet_factory *factory);
// The power comes, or the card is reset.
void model_start(struct model_card *m);
// `terminal`: TERMINAL_ flags of what the terminal can do.
void model_profile(struct model_card *m, uint16_t terminal);
// A packet whose MAC, TAR and level are right. `packet` and `body` name its octets and those of
// its command, which are `data`; `are_keys_good`: the key block of a DOWNLOAD opens; `by_message`:
// its answer travels in a message of its own.
struct model_packet {
    uint64_t counter, packet, body;
    struct bytes data;
    bool are_keys_good;
    bool by_message;
    // private: as the model reads them
    enum command_read_status form;
    struct command command;
};
void model_packet(struct model_card *m, const struct model_packet *p, struct model_answer *out);
void model_answer_sent(struct model_card *m);
void model_location(struct model_card *m, enum cat_location_status status, const uint8_t *plmn);
void model_rejection(struct model_card *m, uint8_t cause);
void model_clock(struct model_card *m);   // the state's
void model_notify(struct model_card *m);  // that between sendings
void model_country(struct model_card *m); // that of T_COUNTRY
void model_tick(struct model_card *m);    // 300 s of the card's clock
void model_refresh_fetched(struct model_card *m);
void model_refresh_answered(struct model_card *m, bool is_done);
void model_imsi_read(struct model_card *m);
void model_imei(struct model_card *m, const uint8_t imei[COMMAND_IMEI_SIZE]);
// What the octets of a command say, as the model reads them: with nothing of the product's.
enum command_read_status model_read(struct bytes data, struct command *out) MUST_USE;
// Applies what a CONFIGURE writes. RESULT_OK, or why not: then nothing is applied.
uint8_t model_parameters(struct parameters *p, const struct command_configure *c) MUST_USE;
// The notification that leaves next, if one may; it counts as sent. `counter` gets its MO counter.
bool model_send(struct model_card *m, struct model_note *out, uint64_t *counter);
// The terminal has sent the heartbeat. `model_send` does this itself.
void model_heartbeat_left(struct model_card *m);

// The first difference between model and card, or NULL.
const char *model_differs(const struct model_card *m, const struct applet *a,
                          const struct applet_dump *dump);
// The state hash of the registry. False: the cipher failed.
bool model_hash(const struct model_card *m, const struct cipher *cipher,
                uint8_t hash[COMMAND_HASH_SIZE]) MUST_USE;
// The first difference between the data of an answer without a status, as it is made now, and what
// the model expects of it; or NULL. The free memory is not compared.
const char *model_answer_differs(const struct model_card *m, const struct model_answer *expected,
                                 struct bytes data, const struct cipher *cipher);
// Takes over what the card drew, where it lies in the model's range.
void model_adopt(struct model_card *m, const struct image *image);

// --- between the files of the model ---

bool model_is_imsi(const uint8_t ef[COMMAND_IMSI_SIZE]);
bool model_is_iccid(const uint8_t ef[COMMAND_ICCID_SIZE]);
bool model_is_number(struct bytes octets); // of a telephone, with its type

uint8_t model_enabled(const struct model_card *m);
uint8_t model_fallback(const struct model_card *m);
uint8_t model_find(const struct model_card *m, const struct subscription_name *name);
struct subscription_name model_name(const struct model_card *m, uint8_t slot);
void model_enable(struct model_card *m, uint8_t slot);
bool model_is_normal(const struct model_card *m);
// The end of a step: what changed is kept.
void model_commit(struct model_card *m);
void model_wait(struct model_card *m, enum model_wait wait, uint32_t seconds);
void model_order(struct model_card *m, const struct command *c, uint8_t to, bool by_message);
void model_confirmed(struct model_card *m);
void model_unconfirmed(struct model_card *m);
// Waits that are over at once.
void model_settle(struct model_card *m);
void model_queue(struct model_card *m, enum notify_cause cause, struct subscription_name from,
                 struct subscription_name to, uint32_t operation_id);
void model_sending(struct model_card *m, uint32_t max_delay_s);
void model_drop(struct model_card *m, unsigned index);
void model_day(struct model_card *m);
void model_return(struct model_card *m);
struct model_time model_return_time(const struct model_card *m);
void model_feed_normal(struct model_card *m);
void model_feed_not_normal(struct model_card *m);
// The next try of a search.
enum model_try { MODEL_SWITCH, MODEL_EXHAUSTED, MODEL_CAPPED, MODEL_OFF };
enum model_try model_choose(const struct model_card *m, uint8_t failed, uint8_t *to,
                            struct model_search *search);
uint8_t model_prefers(const struct model_card *m);
bool model_forbids(const struct model_card *m, uint8_t slot);
unsigned model_switches_left(const struct model_card *m);

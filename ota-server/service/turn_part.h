// The turn's inside, shared by its parts. Not for others.
#pragma once

#include "ota-server/service/group_rules.h"
#include "ota-server/service/turn.h"

#define SENDS_MAX TURN_EVENTS_MAX
#define WAKES_MAX 256
#define STRAYS_MAX 64 // looked at in a turn: some hundred microseconds, unless they fit

enum task_kind { TASK_EVENT, TASK_WRITE, TASK_MESSAGE };

struct task {
    uint8_t kind; // enum task_kind
    bool is_part;
    bool is_repeatable; // running it again after it was undone does what running it once does
    uint64_t card;
    struct event event;
    struct turn_message message;
    uint64_t stray; // that the message was kept as; 0: it comes now
    turn_prepare_fn *prepare;
    turn_decided_fn *decided;
    bool is_dry;
    struct turn_origin origin;
    turn_answer_fn *answer;
    turn_apply_fn *apply;
    turn_done_fn *done;
    void *context;
    // what came of it
    struct turn_answer result;
    enum store_status status;
};

// Packets that are hurried in a turn; those of others keep their pace.
#define HURRIES_MAX 64
struct hurry_note {
    uint64_t card, message;
};

struct alarm_note {
    uint8_t key;
    uint64_t card;
    bool is_raised;
};

// Messages kept because they fit no card, to be looked at again.
struct strays {
    bool is_wanted;
    uint64_t after; // those up to this one were
};

// Groups in which a bootstrap may go on that waits. After a crash all of them are looked at.
#define PLACES_MAX TURN_EVENTS_MAX
struct places {
    struct place_note {
        uint64_t group;
        uint64_t card; // that is to be told why it waits, or 0
    } notes[PLACES_MAX];
    size_t count;
    bool are_all;        // to be looked at
    uint64_t after;      // of all: those up to this one were
    struct utc check_at; // all, whatever happens; 0: nobody waits
};

// Downloads wait after a restore, until no card is in doubt because of it.
struct hold {
    bool is_known; // false: the store is to be asked
    bool is_on;
    struct utc look_at; // whether it can end: once a card is out of doubt, a while after:
    struct utc looked_at;
};

// The policy of a group that was used lately.
struct policy_row {
    uint64_t group; // 0: free
    struct policy policy;
    struct turn_route route;
    enum authority_mode authority;
    struct utc read_at;
};
#define POLICY_ROWS 64

// Counts of a turn that are not written yet.
#define TALLIES_MAX 4096

struct turn {
    struct turn_options options;
    struct ids ids;
    turn_heard_fn *heard; // or NULL
    void *heard_context;
    struct task *tasks;
    size_t task_count;
    struct task now_task; // of turn_event_now()
    struct message *sends;
    size_t send_count;
    struct hurry_note hurries[HURRIES_MAX];
    size_t hurry_count;
    struct alarm_note alarms[64];
    size_t alarm_count;
    struct figure_tally *tallies;
    size_t tally_count;
    struct record before;
    struct record looked_at; // by turn_card()
    struct decision decision;
    struct policy_row policies[POLICY_ROWS];
    struct turn_origin origin; // of the task that runs
    bool is_dry;               // likewise
    struct utc next_due;
    struct utc now; // of the turn that runs
    struct utc next_sweep;
    uint64_t removed[RETAINED_KINDS]; // that the trail does not tell of yet
    struct utc keys_due;              // of a retired card, to be erased; 0: of none
    struct utc next_checkpoint;
    char month[8]; // "2026-11": the trail's segment that was written to last
    uint64_t checkpoint_sequence;
    struct utc uncovered_since; // 0: every row of the trail has a checkpoint
    struct turn_counts counts;
    uint64_t wakes[WAKES_MAX];
    size_t wake_count;
    struct strays strays;
    struct places places;
    struct hold hold;
    enum store_status find_status; // of the decision that is made
    bool has_lost;                 // in the event that runs, a promise was taken back
    struct stray stray_rows[STRAYS_MAX];
    size_t stray_count;
    int64_t clock_back_ms; // that the clock had gone back at the start
    bool was_restored;     // found at the start
    bool is_running;
    bool cannot_write; // the last turn, to its store
    uint32_t again_ms; // until the next one then
};

// Writes t->decision, made from t->before, inside the transaction. Notes packets and alarms for the
// time after the commit; on a status other than STORE_OK it notes none.
enum store_status turn_save(struct turn *t, const struct event *e) MUST_USE;
// turn_figures.c: notes what t->decision counts as, once it is saved. Whoever undoes takes
// `tally_count` back.
enum store_status turn_figures(struct turn *t, const struct event *e) MUST_USE;
enum store_status turn_figures_correct(struct turn *t, const struct operation *before,
                                       const struct operation *after) MUST_USE;
// Writes what was noted; before each commit.
enum store_status turn_figures_write(struct turn *t) MUST_USE;
// The policy that holds for cards of a group; good until the rules are forgotten.
enum store_status turn_policy_of(struct turn *t, uint64_t group,
                                 const struct policy **policy) MUST_USE;
// What enterprises may do in the group by themselves, by its rules.
enum store_status turn_authority_of(struct turn *t, uint64_t group,
                                    enum authority_mode *mode) MUST_USE;

// A card's keys, as its group wants them used. STORE_NONE: it has none.
enum store_status turn_keys_of(struct turn *t, uint64_t card, uint64_t group,
                               struct card_keys *keys) MUST_USE;

// Loads, decides, saves.
enum store_status turn_run_event(struct turn *t, uint64_t card, struct event *e,
                                 struct turn_answer *answer) MUST_USE;
// One task as a part that can be undone alone. False: the whole transaction is in danger.
bool turn_run_guarded(struct turn *t, struct task *k, struct utc now) MUST_USE;
// turn_campaign.c: campaigns that are due, and when the next one is.
enum store_status turn_run_campaigns(struct turn *t, struct utc now, struct utc *next) MUST_USE;
// How far a card's operation got, into its row of the campaign; `before` may be NULL.
enum store_status turn_note_operation(struct turn *t, const struct operation *before,
                                      const struct operation *o, struct utc at) MUST_USE;
// The card was quarantined in this decision while a campaign was at it.
enum store_status turn_note_quarantine(struct turn *t, struct utc at) MUST_USE;
// turn_notice.c: what clients are told of t->decision; `before` NULL: a new one.
enum store_status turn_notice_operation(struct turn *t, const struct operation *before,
                                        const struct operation *o, struct utc at) MUST_USE;
enum store_status turn_notice_card(struct turn *t, struct utc at) MUST_USE;
// turn_places.c: notes which group a saved decision lets somebody go on in.
void turn_note_place(struct turn *t, const struct event *e);
void turn_want_places(struct turn *t); // look at all groups
// The next ones of the groups that were noted begin, some at a time in the next turns.
enum store_status turn_run_places(struct turn *t, struct utc now) MUST_USE;
struct utc turn_places_due(const struct turn *t, struct utc now); // 0: not by time
// turn_hold.c: whether downloads are held now.
enum store_status turn_hold(struct turn *t, bool *is_on) MUST_USE;
// Notes that a saved decision takes a card out of doubt.
void turn_note_doubt(struct turn *t);
// A backup was put back: they are from here on.
enum store_status turn_hold_begin(struct turn *t, struct utc now) MUST_USE;
// Ends it when no card is in doubt any more.
enum store_status turn_run_hold(struct turn *t, struct utc now) MUST_USE;
// decide_find_fn: what the registry believes to be free, or only promised to another card, may be
// this card's. What fails is in t->find_status.
bool turn_find(void *context, const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE],
               struct found_subscription *out);
// turn_right.c, decide_may_fn: permission, status and authority of the enterprise that asked, as
// they are now. What fails is in t->find_status.
uint8_t turn_may(void *context, const struct record *r, const struct operation *o);
// Does t->decision send a subscription that is not the card's? Then its id, otherwise 0.
enum store_status turn_stolen(struct turn *t, uint64_t *subscription) MUST_USE;
// turn_upkeep.c: remembers that t->decision retires its card.
enum store_status turn_note_retired(struct turn *t, struct utc at) MUST_USE;
// What has stood its time leaves, some at a time.
enum store_status turn_upkeep(struct turn *t, struct utc now) MUST_USE;
struct utc turn_upkeep_due(const struct turn *t, struct utc now); // 0: not by time
// turn_message.c: a message that comes now is kept if it fits no card; one that was kept leaves the
// store once it fits.
enum store_status turn_run_message(struct turn *t, const struct turn_message *m, uint64_t stray,
                                   struct utc now) MUST_USE;
// The next of those that are to be looked at again.
enum store_status turn_run_strays(struct turn *t, struct utc now) MUST_USE;

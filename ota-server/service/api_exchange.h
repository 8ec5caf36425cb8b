// What handlers of the API see of a request, and the few ways in which they answer. Internal.
//
// A handler reads query, body and captures; then it refuses, replies, or hands a change to the turn
// with the function that replies after the commit.
#pragma once

#include "ota-server/service/api.h"
#include "ota-server/service/api_body.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/api_query.h"
#include "ota-server/service/api_route.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/hashing.h"
#include "ota-server/service/permission.h"

#define API_BASE "/connectivity-management/v1"
#define API_URL_MAX 256
#define API_WHY_MAX 256
#define API_LACK_SIZE 320
#define API_DIFFERENCE_MAX 500 // octets of what was, and of what is, in the trail
#define API_KEY_NAME_SIZE 65   // hexadecimal SHA-256

enum api_takes {
    TAKES_NOTHING,
    TAKES_JSON,  // one object; required
    TAKES_MAYBE, // one object or nothing
    TAKES_MERGE, // JSON merge patch
    TAKES_FORM,
    TAKES_FILE,
};

enum {
    ROUTE_OPEN = 1,          // without authentication
    ROUTE_CHANGES = 2,       // idempotency and dryRun
    ROUTE_NEEDS_KEY = 4,     // Idempotency-Key is required
    ROUTE_ANY_TYPE = 8,      // the handler judges Accept itself
    ROUTE_UNLIMITED = 16,    // by rates: what watches over the server
    ROUTE_CAMARA = 32,       // errors without details, no dryRun, bodies to 64 KiB
    ROUTE_SECRET = 64,       // its answer holds a secret, and is kept under seal
    ROUTE_NO_KEY = 128,      // Idempotency-Key is refused: no answer of it is kept
    ROUTE_IN_TURN = 1 << 16, // the handler runs inside the turn [api_in_turn()]
};

struct api_route_row {
    unsigned method;
    const char *path;
    const char *scope; // NULL: any authenticated client
    enum api_takes takes;
    unsigned flags;
    void (*handle)(struct api_exchange *x);
};

// As part of the flags: what an enterprise needs for the card that the route is about.
#define ROUTE_GRANT(grant) ((unsigned)(grant) << 8)
static inline enum grant api_route_grant(const struct api_route_row *row)
{
    return (enum grant)(row->flags >> 8 & 0xFF);
}

struct api_kind;
struct api_object;
struct clear_reads;
struct meter;

// How far a call is on its way to the call log.
enum metered { METERED_NOT, METERED_WRITTEN, METERED_DONE };

typedef enum store_status api_apply_fn(struct api_exchange *x, struct store *store, struct utc now);

struct api_exchange {
    struct api *api;
    struct store *reader;
    const struct api_request *request;
    struct api_request request_copy;
    const struct api_route_row *route;
    struct api_match match;
    struct api_query query;
    struct auth_client client;
    struct auth_session session; // id 0: the request came without one
    bool is_forged;              // by a page of somebody else
    // How who asks shows to be who they are, rightly or not; NULL: they do not.
    const char *by;
    bool is_proved;    // by the body; else is_authenticated
    uint64_t tenant;   // of the client: every query takes it
    uint64_t failures; // of the store that it reads, when it began
    struct api_now now;
    bool is_dry_run;
    bool is_refused;  // with 403: what is written is the row that says so
    enum clear clear; // identifiers that may be shown
    uint32_t shown;   // of persons, in clear, in the answer in the making
    bool is_showing;  // the answer is read here, and not given [api_whole.c]
    json_t *root;
    struct api_body body;
    char correlator[API_CORRELATOR_MAX + 1];
    uint64_t correlator_id;

    // the answer in the making
    struct api_problem problem;
    unsigned status;
    const char *type;
    const char *policy; // Content-Security-Policy of a page; NULL: it is none, and may do nothing
    struct writer out;
    struct writer headers;
    struct json_writer json;
    char location[API_URL_MAX];
    char reason[API_WHY_MAX + 1]; // the caller's, for the trail
    char lack[API_LACK_SIZE];     // what a refusal with 403 says to do
    // What its next row says that the change changes; of the document that is changed.
    char before[API_DIFFERENCE_MAX + 1], after[API_DIFFERENCE_MAX + 1];
    struct {
        const char *kind; // or NULL
        uint64_t id;
        void (*show)(struct json_writer *j, const struct document *d);
        json_t *was;
    } difference;

    // a change under way
    api_apply_fn *apply;
    void (*reply)(struct api_exchange *x);
    void (*in_turn)(struct api_exchange *x); // that runs there, or NULL
    bool is_in_turn;                         // and does so now
    uint64_t seen_version;                   // of the document that the body is; 0: it is none
    // After the commit, before the answer: what must not begin before it. Or NULL.
    void (*committed)(struct api_exchange *x);
    turn_prepare_fn *prepare; // of the event; or NULL
    void (*answered)(struct api_exchange *x, const struct turn_answer *answer);
    // what handlers carry from one step to the next
    uint64_t card_id, object_id;
    uint64_t queried_card; // that the answer tells of, for the call log
    struct {
        char eid[33], iccid[21]; // as API E was given them; "": not
    } esim;
    struct event event;
    const struct api_kind *kind; // of the document under way
    api_apply_fn *judge;         // of a deletion
    struct document document;
    struct api_object *approval;    // that x->event waits for; freed at the end
    void *work;                     // of the handler; freed with free() at the end
    void (*close_work)(void *work); // before that; or NULL
    // Writes the next piece of a body that goes on to x->out, nothing at its end; or NULL. False
    // when it cannot. Works after the end of the exchange, with object_id and what follows alone.
    bool (*more)(struct api_exchange *x);
    uint64_t more_from, more_to;
    void *rest_work;           // or NULL; freed with free() when the exchange closes
    struct api_stream *stream; // of events, which is rest_work; else NULL

    /* private */
    api_done_fn *done;
    void *done_context;
    char key_name[API_KEY_NAME_SIZE]; // "" without an idempotency key
    bool is_replayed;                 // a stored answer, not to be stored again
    uint8_t metered;                  // enum metered
    bool is_dry_done;                 // the dry run went through
    unsigned would_answer;            // the real call
    uint8_t body_digest[32];
    bool is_waiting; // for the first of its kind
    bool is_authenticated;
    struct api_rest *rest;     // of a body that goes on
    struct api_exchange *next; // in the list of those in work
    struct kept_answer *kept;  // an answer on its way to the disk
    struct held_answer *held;  // one that waits for its row of the trail
    bool is_noted;             // what it shows in clear is there, or counted
    bool is_composing;         // inside the transaction of its change
    bool is_composed;          // and it is in there
    struct api_hashed {
        bool is_waiting;
        bool is_admitted; // the handler waits; else who asks is not known yet
        bool is_making;
        bool is_right;                     // it fits `compared`
        char compared[PASSWORD_HASH_SIZE]; // "": none was
        char made[PASSWORD_HASH_SIZE];     // "": none was
    } hashed;                              // [api_hash.c]
    enum store_status kept_as;             // of writing it
};

#define API_ATTEMPTS_MAX 1024
#define API_SESSIONS_MAX 1024

struct attempts_row {
    uint64_t key; // of an account or address
    unsigned count;
    struct instant since;
};

struct attempts_table {
    struct attempts_row rows[API_ATTEMPTS_MAX];
    struct attempts_row others; // when each row is locked: all that have none
};

// A password that was right a short time ago.
#define API_RIGHTS_MAX 251
struct right_row {
    uint64_t user; // 0: free
    struct instant until;
    uint8_t tag[CRYPTO_SHA256_SIZE]; // keyed, of the password and the user's hash
};

// The wrong passwords of the account and the address that a request gives one for.
struct attempts {
    struct attempts_row *account, *address;
};

struct session_row {
    uint64_t id; // 0: free
    struct utc used_at;
};

struct bucket_row {
    uint64_t key; // 0: free
    struct bucket bucket;
};

struct api {
    struct api_options options;
    struct api_stream *streams; // of events, that are open
    struct instant streams_now; // when they were looked at last
    struct crypto *crypto;
    struct api_exchange *in_work;
    struct nonce_cache nonces;
    struct nonce_entry *nonce_entries;
    struct bucket_row clients[API_BUCKETS_MAX];  // by client id
    struct bucket_row failures[API_BUCKETS_MAX]; // by address: wrong credentials
    struct attempts_table accounts, addresses;   // wrong passwords
    struct hashing *hashing;                     // NULL: passwords are hashed on the spot
    struct session_row sessions[API_SESSIONS_MAX];
    struct right_row rights[API_RIGHTS_MAX];
    struct auth_kept kept; // of options.reader
    struct key_sets keys;  // of clients that publish theirs
    struct timers_runs *timers;
    struct meter *meter;
    struct clear_reads *clear_reads;
    struct jobs *jobs;
    struct quotas *quotas;
    struct utc swept_at;
    struct utc started_at;
    uint64_t answers[6]; // by hundred of the status
    uint64_t misread;    // requests that were refused before this API saw them
    bool is_in_use;      // somebody may ask from elsewhere; false: to be looked at
    uint8_t *out;
    uint8_t *headers;
};

extern const struct api_route_row api_routes[];
extern const size_t api_route_count;

// A piece of a body that goes on.
#define API_PIECE_MAX 65536
struct api_rest {
    size_t at, len;
    uint8_t octets[API_PIECE_MAX];
};

// Refuses with a problem. Each of these ends the exchange; the caller returns at once.
void api_refuse(struct api_exchange *x, struct api_problem problem);
void api_refuse_code(struct api_exchange *x, enum api_code code);
// Did the store that it reads fail since the request came, or was there no memory? What was not
// found may be there: every refusal, every reply without a change, and every change that was not
// begun becomes UNAVAILABLE.
bool api_is_unsure(const struct api_exchange *x);
// Room for an answer in pieces, for who must know before its change is made; false: no memory.
bool api_rest_open(struct api_exchange *x) MUST_USE;
// Replies with what was written to x->json; API_INTERNAL when it did not fit.
void api_reply(struct api_exchange *x, unsigned status);
// Replies without a body.
void api_reply_empty(struct api_exchange *x, unsigned status);
// Answers a store status that is none of the handler's own: NONE is 404, CONFLICT 409.
void api_refuse_store(struct api_exchange *x, enum store_status status);

// Runs `apply` in the next turn and `reply` after its commit; under an idempotency key `reply` runs
// inside the transaction, which keeps the answer too, and must change nothing but the answer; one
// that goes on with another change runs again after the commit. An apply that sets x->problem and
// answers other than OK refuses with it. In a dry run both run, and all is undone: 200 with the
// plan.
void api_commit(struct api_exchange *x, api_apply_fn *apply, void (*reply)(struct api_exchange *x));
// Runs `handle` inside the next turn, where x->reader is the writer: what it loads, merges and
// judges is what it changes, whatever other requests of the same turn did. It ends in a refusal, in
// api_commit(), whose part then runs in the same transaction, or in api_keep_nothing(). It must not
// reply there, nor submit, nor be slow.
void api_in_turn(struct api_exchange *x, void (*handle)(struct api_exchange *x));
// A part for api_commit() that changes nothing.
enum store_status api_keep_nothing(struct api_exchange *x, struct store *store, struct utc now);
// The answer to a dry run: the status that the real call would have, and whether it would wait for
// a second person.
void api_reply_plan(struct api_exchange *x, unsigned status);
// Gives x->event to the turn for x->card_id; `answered` like a reply of api_commit(). It answers a
// dry run as well, of which nothing is stored.
void api_submit(struct api_exchange *x,
                void (*answered)(struct api_exchange *x, const struct turn_answer *answer));
// The answer to a refusal of the core.
struct api_problem api_refusal(uint8_t refusal);

// Member `reason` of the body, which every trail row of the request then carries.
void api_read_reason(struct api_exchange *x, enum api_need need);
// The same, optional, as a parameter of the query, where the body is a file.
struct api_problem api_take_reason(struct api_exchange *x);
// Id in the path; refuses with 404 and answers false when it has no such form.
bool api_capture(struct api_exchange *x, size_t index, const char *prefix, uint64_t *id);
// How far the caller gets with a card. The operator's people get to every one; an enterprise sees
// its own and those of groups in which it has a permission, and does what these grant.
enum api_access {
    API_ACCESS_NONE, // the card does not exist for the caller: 404
    API_ACCESS_SEEN, // not for this: 403
    API_ACCESS_GRANTED,
    API_ACCESS_UNKNOWN, // the store did not tell
};
// Is the card visible to a customer of the caller, which is a virtual operator?
enum store_status api_customer_sees(struct api_exchange *x, const struct record *record,
                                    bool *is) MUST_USE;
enum api_access api_access_to(struct api_exchange *x, const struct record *record, uint32_t grants);
// Was the session neither ended nor idle for too long?
enum store_status api_session_lives(const struct api *api, const struct auth_session *session,
                                    struct utc now, bool *lives) MUST_USE;
// Has the caller all of these grants for the card? Else refused, with a row of the trail for 403.
bool api_card_allowed(struct api_exchange *x, const struct record *record, uint32_t grants);
// Loads the card of capture 0 if the caller may read it and has the grant of the route; else
// refused.
bool api_card(struct api_exchange *x, struct record *record);
bool api_card_visible(struct api_exchange *x, uint64_t card, struct record *record);
// For filters of cards: what the caller must have in their groups to see them in lists.
uint32_t api_reading(const struct api_exchange *x);
// Is there such a pool for the caller, with subscriptions for cards of `tenant` (0: any)?
bool api_pool_visible(struct api_exchange *x, uint64_t pool, uint64_t tenant);
// May a caller who was granted downloads to a card of `tenant` name the pool for one? Its own, and
// the operator's, of which an enterprise sees nothing else.
bool api_pool_serves(struct api_exchange *x, uint64_t pool, uint64_t tenant);
// Is it the caller's? The subscription becomes one of it, with its operator and rule pack, and of
// its enterprise, which it must not leave.
bool api_pool_join(struct api_exchange *x, uint64_t pool, struct subscription *s);
// The template that subscriptions of the pool are downloaded with; 0 when there is no such pool.
uint8_t api_pool_template(struct store *store, uint64_t pool);
// Ends the reading of query and body: true, or refused with the first problem.
bool api_end_reading(struct api_exchange *x);
// Location of an object, absolute, and as a header.
void api_location(struct api_exchange *x, const char *path, const char *prefix, uint64_t id);
void api_header(struct api_exchange *x, const char *name, const char *value);
// ETag of a version; and is If-Match absent or equal? If not: refused with 412.
void api_etag(struct api_exchange *x, uint64_t version);
bool api_if_match(struct api_exchange *x, uint64_t version);
// The same without refusing, for turns: others may have changed it since it was read.
bool api_is_match(const struct api_exchange *x, uint64_t version);
// And as the end of a part of one: STORE_CONFLICT, with 412 as x->problem, when it is not.
enum store_status api_judge_match(struct api_exchange *x, uint64_t version) MUST_USE;
// Member of the answer about a subscriber or card, masked unless it is clear for the caller; what
// is shown in clear the trail tells of [clear_reads.h]. Nothing for an empty text.
void api_put_personal(struct api_exchange *x, const char *name, enum mask mask, const char *text);
// A cause that needs a second person: refused with 403 unless four-eyes is off.
bool api_four_eyes(struct api_exchange *x);
bool api_has_scope(const struct api_exchange *x, const char *scope);
// The trail row of a change of this request.
enum store_status api_trail(struct api_exchange *x, struct store *store, const char *action,
                            const char *object_kind, uint64_t object, const char *reason);
// The same, with a word behind what was changed.
enum store_status api_trail_with(struct api_exchange *x, struct store *store, const char *action,
                                 const char *object_kind, uint64_t object, const char *word);
struct trail_new api_trail_row(const struct api_exchange *x, const char *action,
                               const char *object_kind, uint64_t object);
struct actor api_actor(const struct api_exchange *x);
// Of the public URL: a gateway's prefix, "" for none; and host and port as they are signed.
struct bytes api_prefix(const struct api *api);
struct bytes api_authority(const struct api *api, char text[API_URL_MAX]);
// The path below the prefix, which the gateway may have taken away already.
struct bytes api_local_path(const struct api *api, struct bytes path);
// Is what clients see TLS? And the name of the session's cookie.
bool api_is_secure(const struct api *api);
const char *api_cookie_name(const struct api *api);
// That of the cookie which the request has, whether it still serves or not; STORE_NONE: none.
enum store_status api_session_of_cookie(const struct api_exchange *x, struct store *store,
                                        struct auth_session *session) MUST_USE;
// Is it the host that activation codes name?
bool api_is_host(const struct api *api, struct bytes host);
bool api_is_loopback(const struct api_exchange *x);
// Origin, or Referer, is the public one; `may_lack`: or neither was sent.
bool api_origin_is_ours(const struct api_exchange *x, bool may_lack);
// What limits of an address are kept by: an IPv4 address, or 64 bits of one of IPv6.
uint64_t api_peer_key(const struct api_exchange *x);
// Passwords are hashed on another thread, and what asks for one runs again when it is: before that,
// it changes nothing and returns at once. LATER also when it is refused because too many wait,
// before the caller is known with x->problem. One that was compared while who asks was sought
// counts no more in the handler. `user` NULL: there is none, which takes as long.
enum hashed { HASHED_WRONG, HASHED_RIGHT, HASHED_LATER };
enum hashed api_hash_compare(struct api_exchange *x, const struct auth_user *user,
                             struct bytes password) MUST_USE;
// False: later, or refused.
bool api_hash_make(struct api_exchange *x, struct bytes password,
                   char hash[PASSWORD_HASH_SIZE]) MUST_USE;
// Refuses those that wait; from then on passwords are hashed on the spot.
void api_hash_end(struct api *api);
// May this account and address give one more password? False, with Retry-After, when not.
bool api_attempts_begin(struct api_exchange *x, struct bytes username, struct attempts *out);
// What could not be judged, because there was no memory, is none.
void api_attempts_wrong(const struct api_exchange *x, struct attempts *attempts);
void api_attempts_right(struct attempts *attempts);
// The user whose password a Basic credential has; false, with x->problem when it cannot be told or
// is not asked any more. `attempts`: for api_attempts_right(), once the user is let in: a password
// alone makes no wrong code good.
bool api_basic(struct api_exchange *x, struct auth_user *user, struct attempts *attempts);
// Was this nonce never used by this caller? It is used from now on.
bool api_nonce_is_new(struct api_exchange *x, struct bytes who, struct bytes nonce);
// Does the request come over a connection with the certificate in the client's record?
bool api_shows_certificate(const struct api_request *request, const struct auth_client *client);
// One request of the client's rate, for what proves itself by its body; false, with x->problem and
// Retry-After, above it.
bool api_take_rate(struct api_exchange *x);
// Another wrong credential from this address.
void api_count_failure(struct api_exchange *x);
// Of the installation's own enterprise, which runs it.
bool api_is_operator(const struct api_exchange *x);
// Does the caller see what this enterprise owns? The operator's people see everybody's.
bool api_owns(const struct api_exchange *x, uint64_t owner);
// The same as a filter of the store: the enterprise, or 0 for all.
uint64_t api_reach(const struct api_exchange *x);
// Whose figures: the caller's own, or all of them; or of whom the parameter `enterpriseId` names.
// Refused with 404 for an enterprise that the caller does not see.
bool api_take_enterprise(struct api_exchange *x, uint64_t *tenant);
// Who is behind the request, for what two different people must do: the user, or whoever asked for
// the client; 0 for a client of the command line.
uint64_t api_person(const struct api_exchange *x);
// Does whoever asks act for that person, maybe among others?
bool api_is_of(const struct api_exchange *x, uint64_t person);
// What a second person must do takes a person: refused with 403 for a client unless four-eyes is
// off.
bool api_second_person(struct api_exchange *x);
uint64_t api_new_id(struct api_exchange *x);

// --- lists ---

struct api_list {
    struct api_page page;
    struct store_page window;
    uint64_t total;
    uint64_t rows; // written
};

// Reads page parameters from the query (`fields` as in api_page_read).
bool api_list_begin(struct api_exchange *x, struct api_list *list, const char *const *fields);
// Opens `{"items":[`.
void api_list_open(struct api_exchange *x);
// Closes it, adds pagination and headers, and replies.
void api_list_end(struct api_exchange *x, struct api_list *list);

// --- between api.c and api_access.c, api_authenticate.c, api_stored.c ---

// Ends the exchange with what status, headers and out hold.
void api_deliver(struct api_exchange *x);
// Empties the shared memory for the answer of this exchange.
void api_start_answer(struct api_exchange *x);
// Steps 2 to 8 of the published order; refuses and answers false when one fails.
bool api_admit(struct api_exchange *x);
// Who sends it? False when nobody known does, or with x->problem for a bad target.
bool api_authenticate(struct api_exchange *x);
// Does it name a caller who is active and has the scope, without proof of a signature? Keeps
// strangers from filling the disk.
bool api_may_send(struct api *api, const struct api_request *request, const char *scope,
                  struct utc now);
// Refuses with 403 and what is missing, in at most API_LACK_SIZE - 1 octets; the first after a row
// of the trail.
void api_refuse_permission(struct api_exchange *x, const char *advice);
void api_forbid(struct api_exchange *x, const char *advice);
// The first one, for want of a scope, or of a permission in the card's group.
void api_refuse_scope(struct api_exchange *x, const char *scope);
void api_refuse_grants(struct api_exchange *x, uint32_t grants);
#define API_OPERATORS_OWN "only the operator's own people do it, ask them"
// The same for one who may do it, but not by force.
void api_refuse_force(struct api_exchange *x);
// RateLimit headers of an authenticated answer.
void api_rate_headers(struct api_exchange *x);
// A body with `version`, of a PUT also `updatedAt`, is the document as GET gives it, with changes.
// Members that are as they were are taken out of x->root: of a PATCH all, of a PUT those that only
// the server writes. False: it is answered, with 412 for another version, or as nothing changes.
bool api_whole_begin(struct api_exchange *x);
// Runs the handler, now or in the turn.
void api_run(struct api_exchange *x);
// Reads the key and finds the answer that was given before: true when the handler may run.
bool api_stored_begin(struct api_exchange *x);
// Keeps the answer and delivers it after the commit; false when there is nothing to keep.
bool api_stored_keep(struct api_exchange *x);
// Inside the transaction of a change: the answer that is made until the end is kept in it, and not
// given. Only under a key. False: there is no memory, which is then its problem.
bool api_stored_compose(struct api_exchange *x, struct store *store);
enum store_status api_stored_compose_end(struct api_exchange *x);
// Keeps the answer that was made while composing.
void api_stored_put(struct api_exchange *x);
// Delivers it, after the commit.
void api_stored_deliver(struct api_exchange *x);
void api_stored_free(struct api_exchange *x);
// Notes the text of the correlator that stands in the trail.
enum store_status api_stored_correlator(struct api_exchange *x, struct store *store);
// api_stream.c: of all streams. Tells those that may be told, and ends what may not go on.
void api_streams_told(struct api *api);
void api_streams_tick(struct api *api, struct api_now now);
// Of one: is there nothing to tell now, and may there be? Its waking, and its end.
bool api_stream_waits(const struct api_stream *s);
void api_stream_on_more(struct api_stream *s, void (*wake)(void *context), void *context);
void api_stream_close(struct api_exchange *x);
unsigned api_streams_open(const struct api *api);
// Wakes those that waited for `x`.
void api_stored_ended(struct api_exchange *x);
void api_stored_tick(struct api *api, struct api_now now);
// What stands for a correlator in the trail: 63 bits, never 0.
uint64_t api_correlator_hash(struct bytes text);
// Text of a correlator; "" when it is not known.
void api_correlator_find(struct api_exchange *x, uint64_t id, char text[API_CORRELATOR_MAX + 1]);

// An API over a real store in memory, without sockets or clocks: a test asks and gets the answer
// after the turns that it needed.
#pragma once

#include "common/base/prng.h"
#include "ota-server/service/api.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/client_admin.h"
#include "ota-server/service/import_job.h"
#include "ota-server/service/permission.h"
#include "ota-server/service/trail_check.h"
#include "ota-server/shell/server_crypto.h"
#include "profiles/vendor/shell/scratch_host.h"
#include "tests/lib/cmocka_all.h"

#define LAB_TENANT AUTH_OPERATOR // the enterprise that runs the installation
#define LAB_TOKEN_SIZE 128

struct ask {
    const char *method, *target; // path and query
    const char *body, *type, *accept, *correlator, *key, *if_match;
    const char *authorization; // instead of the token
    const char *cookie, *origin, *referer, *csrf_token, *last_event_id;
    const char *peer; // instead of 192.0.2.1
    // The client's certificate; NULL: it showed none.
    const uint8_t *certificate_sha256;
    const char *issuer, *subject;
    bool is_in_clear;
    bool is_doubted;   // the certificate is not believed
    bool is_twice;     // the Authorization header, doubled
    bool is_too_large; // the body was above its limit
    bool is_trial;     // not noted as an exchange
};

struct answer {
    unsigned status, count; // count: how often the exchange was answered
    bool is_cut;            // its body ended before its end
    unsigned faults;        // amid it, that were tried; see lab_crash_everywhere()
    struct ask asked;
    char headers[4096]; // Content-Type is the last
    char body[65536];
};

struct lab {
    char folder[64]; // of the database; empty when it is in memory
    char path[96];
    struct server_crypto import_crypto;
    struct vendor_scratch import_scratch;
    struct store *import_reader;
    struct import_jobs *imports;
    struct server_crypto check_crypto[TRAIL_CHECK_THREADS];
    struct store *check_readers[TRAIL_CHECK_THREADS];
    struct trail_checks *checks;
    struct store *store;
    struct store *reader; // the same when it is in memory
    struct campaign_runner *campaigns;
    struct turn *turn;
    struct api *api;
    char token[LAB_TOKEN_SIZE]; // "Bearer ..."
    struct client_credentials credentials;
    struct secret_key client_key; // seals the secrets of clients and sinks
    struct api_now now;
    uint64_t tenant; // of the cards and subscriptions that are made: LAB_TENANT at first
    bool is_single_person;
    bool has_basic;
    void (*wake)(void *context); // passwords are hashed on a thread; NULL: on the spot
    unsigned factor_roles;
    keys_fetch_fn *fetch_keys;
    bool has_refusals_only; // so that crashes need not be tried
    struct prng chance;     // of a twin: what it was before
};
// One line for each exchange, into the file that OTARIA_EXCHANGES names: another test compares them
// with the published document.
void lab_keep_exchange(const struct ask *ask, const struct answer *a);

// A client with `scopes`, and a token with all of them.
void lab_open(struct lab *lab, const char *scopes, bool single_person);
// The same with a database in a file, which imports need.
void lab_open_imports(struct lab *lab, const char *scopes, bool single_person);
// Starts the API again over the same store, with what has_basic says now.
void lab_reopen_api(struct lab *lab);
// Another client, and its token.
void lab_client(struct lab *lab, const char *scopes, uint64_t tenant, char token[LAB_TOKEN_SIZE]);
// A person's way in: the headers of a session.
struct door {
    char cookie[128];
    char csrf[64];
};
#define LAB_ORIGIN "https://api.example.com"
// A user without a password, and a session of theirs.
void lab_user(struct lab *lab, const char *username, enum user_role role, uint64_t tenant,
              struct door *door);
// They have set their own password, whoever gave them the first one.
void lab_own_password(struct lab *lab, const char *username);
// Asks as that user.
void lab_ask_as(struct lab *lab, const struct door *door, const char *method, const char *target,
                const char *body, struct answer *answer);
void lab_close(struct lab *lab);
// Stops at once and starts again, as after a crash.
void lab_crash(struct lab *lab);
// Another lab over the copy of a database, started as after a crash, with all that `of` has.
void lab_twin(struct lab *of, const char *path, struct lab *twin);
void lab_twin_close(struct lab *twin);
// What every change that a test asks for must stand, tried on copies of the database before the
// test itself asks. It leaves one row in the trail, and all of it or nothing is there when the
// server crashes before it and after each of its commits, when each of its statements fails, and
// when the power is cut at its writes. Under a key the repetition then gives the same answer, and
// everything is there once; with another body it is refused. Done for each route in a process.
void lab_crash_everywhere(struct lab *lab, const struct ask *ask);
// Tries a change as a dry run, on a copy of the database; false: it is none, or was tried often
// enough. What it told must be what the change is then answered: its status, and whether it waits
// for a second person.
bool lab_dry_run(struct lab *lab, const struct ask *ask, struct answer *dry);
void lab_dry_compare(const struct answer *dry, const struct answer *real);
// Turns until no import is under way.
void lab_run_imports(struct lab *lab);
// How many vendor files are kept.
unsigned lab_kept_files(const struct lab *lab, bool are_removed);
// Turns until no report and no move is under way.
void lab_run_jobs(struct lab *lab);
// Turns until no verification of the trail is under way.
void lab_run_checks(struct lab *lab);
void lab_ask(struct lab *lab, const struct ask *ask, struct answer *answer);
// Starts without running a turn; `answer` fills when lab_turn() commits. Give it to
// lab_forget() afterwards.
struct api_exchange *lab_start(struct lab *lab, const struct ask *ask, struct answer *answer);
void lab_turn(struct lab *lab);
enum turn_status lab_try_turn(struct lab *lab); // which may fail
// Tells what of passwords was hashed, after waiting for the one under way.
void lab_hash(struct lab *lab);
void lab_forget(struct api_exchange *x);
// A card with two subscriptions: slot 1 bootstrap, enabled and fallback; slot 2 operational.
uint64_t lab_card(struct lab *lab, const char *iccid, struct record *record);
// The same with IMSIs of its own.
uint64_t lab_card_of(struct lab *lab, const char *iccid, const char *bootstrap_imsi,
                     const char *operational_imsi, struct record *record);
// Gives the card to an enterprise and one of its groups, behind the interface's back.
void lab_place(struct lab *lab, uint64_t card, uint64_t tenant, uint64_t group);
// A group of the enterprise in which it has these grants.
uint64_t lab_grant(struct lab *lab, uint64_t enterprise, uint32_t grants);
// A free subscription of a pool.
uint64_t lab_subscription(struct lab *lab, uint64_t pool, const char *imsi);

// The first id with this prefix that an answer names as "id"; the test fails when there is none.
uint64_t lab_id(const struct answer *a, const char *prefix);

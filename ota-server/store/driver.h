// The thin driver under the store: prepare, bind, step, read. Everything above it is plain SQL in
// statements.h, with $n parameters that are bound by number, integer times, ON CONFLICT and
// RETURNING: texts that other engines take too. Not for others than store/.
#pragma once

#include "ota-server/store/statements.h"
#include "ota-server/store/store.h"

#include <sqlite3.h>
#include <stdio.h>

#define QUERY_PARAMETERS_MAX 24
#define STORE_PROBLEM_SIZE 160
#define STORE_PATH_SIZE 4096
#define STORE_NAMED 1024
#define ARCHIVE_NAME_SIZE 80

#define STATEMENT(name, text) STATEMENT_##name,
enum statement { STORE_STATEMENTS(STATEMENT) STATEMENT_COUNT };
#undef STATEMENT

struct trail_head {
    uint64_t sequence;
    uint8_t hash[32];
    int64_t day;    // of the last row since 1970; 0: not known yet
    uint32_t month; // of the newest segment, from year 0; 0: there is none
};

// A month of the trail on its way to a file.
struct archiving {
    FILE *file; // NULL: none is
    struct tombstone of;
    uint64_t next;
    uint8_t hash[32]; // of the row before it
    char problem[STORE_PROBLEM_SIZE];
};

// Cards that were added and not yet counted in card_count.
struct counted {
    uint64_t tenant, import;
    uint8_t state, marks;
    uint32_t cards;
};

struct prepared {
    sqlite3_stmt *at;
    uint8_t index[QUERY_PARAMETERS_MAX + 1]; // of $n, as this engine counts them
    uint8_t *kept;                           // texts and octets that are bound
    size_t kept_len;
};

// Into which a load writes.
enum load_table {
    LOAD_TABLE_CARD,
    LOAD_TABLE_SUBSCRIPTION,
    LOAD_TABLE_OTA_KEY,
    LOAD_TABLE_NETWORK_KEY,
    LOAD_TABLE_PART,
    LOAD_TABLE_REFERENCE,
};
#define LOAD_TABLES (LOAD_TABLE_REFERENCE + 1)

#define STORE_ANSWER_MAX 1024 // octets of an audit's answer as it is kept

struct store {
    sqlite3 *db;
    struct prepared prepared[STATEMENT_COUNT];
    sqlite3_stmt *loads[LOAD_TABLES];
    const struct store_crypto *crypto;
    struct store_options options;
    char checkpoints[STORE_PATH_SIZE];      // what options.checkpoints points to
    char archive[STORE_PATH_SIZE];          // and options.archive
    struct secret_key old_ota, old_network; // during a change of master keys
    uint32_t generation;                    // of the master keys
    struct moved_to {                       // behind which rows it goes on
        int64_t card;
        uint8_t ota_id, network_id;
        bool has_imsi;
        uint8_t imsi[COMMAND_IMSI_SIZE];
    } moved;
    bool is_writing;
    bool is_part;          // commits do not sync now
    struct ids deliveries; // 0: not read yet
    bool has_notices;      // written in this transaction
    bool has_told;         // committed since store_notices_told()
    bool has_filled;       // a pool, since store_pools_filled()
    bool holds_state;      // a reader that is refreshed by its owner
    int log_pages;         // of the engine's log after the last commit
    bool has_erased;       // keys that the log may still hold, since the last commit
    bool is_log_to_empty;  // because of them
    struct trail_head head, head_begun, head_marked;
    struct archiving archiving;
    uint64_t card_named; // the card whose pseudonym was asked for last
    char card_pseudonym[33];
    struct counted counted;
    struct secret_key signing;   // seed; length 0: checkpoints are not signed
    uint8_t signer[32];          // its public key
    uint64_t named[STORE_NAMED]; // cards whose pseudonym is in its table, by the end of their id
    int lock_fd;
    uint64_t failures; // errors of the engine so far
    char problem[STORE_PROBLEM_SIZE];
};

struct query {
    struct store *s;
    struct prepared own; // of a text that is not in the list
    struct prepared *p;
    enum store_status status; // of preparing and binding
};

struct query query_of(struct store *s, enum statement statement);
struct query query_text(struct store *s, const char *text); // finished by query_end()
void bind_number(struct query *q, unsigned n, int64_t v);
void bind_text(struct query *q, unsigned n, const char *v); // NULL binds ""
void bind_octets(struct query *q, unsigned n, struct bytes v);
// Limit and offset, as $n and the one after it.
void bind_page(struct query *q, unsigned n, const struct store_page *page);
// STORE_OK: a row; STORE_NONE: no more.
enum store_status query_step(struct query *q);
int64_t column_number(const struct query *q, int column);
const char *column_text(const struct query *q, int column);
struct bytes column_octets(const struct query *q, int column);
void query_end(struct query *q);
// For statements without rows: STORE_OK when done.
enum store_status query_run(struct query *q);
enum store_status store_run_text(struct store *s, const char *text);
enum store_status store_failed(struct store *s, int code);
// An error of the disk or of memory has ended the transaction that is under way. What were written
// now would be committed by itself: queries are refused until store_rollback().
bool store_is_undone(struct store *s);

// keys.c
enum store_status keys_open(struct store *s);
bool key_seal(struct store *s, bool is_network, struct bytes additional, struct bytes plain,
              struct writer *out);
bool key_unseal(struct store *s, bool is_network, uint32_t generation, struct bytes additional,
                struct bytes sealed, struct writer *out);
// All keys of a card, or of a subscription, as one; false when they cannot be sealed.
bool card_keys_seal(struct store *s, const uint8_t iccid[COMMAND_ICCID_SIZE],
                    const struct card_keys *keys, struct writer *out);
bool network_keys_seal(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                       const struct network_keys *keys, struct writer *out);
// loading.c
bool part_seal(struct store *s, uint64_t import, uint64_t card, struct bytes content,
               struct writer *out);
// cards.c: notes new cards of one kind; writes what has been noted.
enum store_status cards_counted(struct store *s, const struct counted *cards);
enum store_status cards_count(struct store *s);
// backup.c
enum store_status store_is_put_back(struct store *s, bool *is_so);
// The highest row of a checkpoint that the trail does not have as it says; 0: none.
enum store_status checkpoint_lost(struct store *s, uint64_t *sequence);
// trail.c
enum store_status trail_open(struct store *s);
void trail_read(const struct query *q, struct trail_row *r);
void pseudonym_of(struct store *s, const char *kind, uint64_t object, char text[33]);
// trail_proof.c: makes the key that checkpoints are signed with
bool trail_signer(struct store *s);
enum store_status trail_hash_at(struct store *s, uint64_t sequence, uint8_t hash[32]);
// What is wrong with a row that should be the one behind `previous`; NULL: nothing.
const char *trail_row_problem(struct store *s, const struct trail_row *r, uint64_t expected,
                              const uint8_t *previous);
// trail_segment.c
enum store_status segment_open(struct store *s);
enum store_status segment_begin(struct store *s, const struct trail_row *first);
// Verifies the tombstones in front of `first`; the row from which on rows are there and the hash
// before it, or what is wrong as a verdict. Rows that are covered and not yet gone count as gone.
enum store_status tombstones_verify(struct store *s, uint64_t *first, uint8_t before[32],
                                    struct trail_verdict *out);
// The hash that a tombstone ends with; STORE_NONE: none ends there; `is_removed`: inside of one.
enum store_status tombstone_hash(struct store *s, uint64_t sequence, uint8_t hash[32],
                                 bool *is_removed);
// trail_archive.c: takes the next rows of the month of a tombstone, which is signed, to its file.
// `is_whole`: that has all of them and the tombstone, and will survive.
enum store_status archive_step(struct store *s, const struct tombstone *t, uint32_t rows_max,
                               bool *is_whole);
void archive_name(const struct tombstone *t, char name[ARCHIVE_NAME_SIZE]);
void archive_close(struct store *s);

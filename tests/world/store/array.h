// The store of store.h in arrays, for worlds that run fast: cards, subscriptions, operations,
// messages and parts of them, receipts, values and the trail, with transactions, marks and the
// trail's chain.
//
// Promises: what no transaction committed is not there; the same world tells the same story with
// this store and with SQLite.
// Never: writes a file; a backup is a copy in memory. Not kept, because nothing in a world reads
// it: steps, views of audits, strays, checkpoints, documents but rules of groups; not there at all:
// what only the APIs call.
#pragma once

#include "ota-server/store/store.h"
#include "tests/world/store/kind.h"

#define CHUNK 128u // rows
#define CHUNKS_MAX 8192u
#define BUCKETS 1024u

// Where a row stands among those with the same hash of what it is found by.
struct chain {
    uint32_t bucket;
    uint32_t older; // 1 more than the index of the row before; 0: none
};

// Rows that never move.
struct rows {
    size_t size;
    uint32_t count;
    uint8_t *chunks[CHUNKS_MAX];
    struct chain *chains[CHUNKS_MAX];
    uint32_t newest[BUCKETS]; // as `older`
};

enum {
    CARDS,
    WAKES,
    SUBSCRIPTIONS,
    OPERATIONS,
    MESSAGES,
    RECEIPTS,
    VALUES,
    TRAIL,
    PARTS,
    DOCUMENTS,
    ROW_KINDS
};

struct card_place {
    struct record record;
    struct card_keys keys;
};

// Of the card with the same index, apart from it, because all of them are looked at often.
struct wake_place {
    uint64_t card;
    int64_t at_ms; // 0: it does not wake
    uint64_t group;
    int64_t place; // among the bootstraps of its group
    uint8_t reference[CARD_REFERENCE_SIZE];
};

struct subscription_place {
    struct subscription row;
    struct network_keys keys;
};

struct operation_place {
    uint64_t card;
    struct operation row;
};

#define ARRAY_SWEPT INT64_MIN // as the time of a receipt or part: it is gone

struct receipt_place {
    char link[32];
    char id[MESSAGE_ID_SIZE];
    uint64_t message;
    uint8_t part;
    int64_t at_ms;
};

struct part_place {
    char number[NUMBER_TEXT_SIZE];
    int64_t at_ms;
    uint8_t len;
    uint8_t octets[255];
};

// Rules of groups; no other kind is kept.
struct document_place {
    uint64_t id;
    uint16_t len;
    uint8_t body[4096];
};

struct value_place {
    char name[24];
    uint8_t len;
    uint8_t octets[64];
};

#define TEXTS 7

struct trail_place {
    struct trail_row row; // its texts stand in `texts`
    uint64_t object;
    char *texts;
};

// What an undo puts back.
struct change {
    void *at;
    size_t len;
    size_t old; // where the octets stand
};

struct point {
    uint32_t counts[ROW_KINDS];
    uint32_t changes;
    size_t octets;
};

struct store {
    const struct store_crypto *crypto;
    struct secret_key pseudonym_key;
    struct rows rows[ROW_KINDS];
    uint32_t swept[ROW_KINDS]; // the first rows: as many are gone
    bool is_open;              // a transaction
    bool is_touched; // by a write since it began, also of what is not kept here, or was undone
    bool was_struck;
    enum world_disk disk;
    bool has_filled;
    struct point begun, mark;
    struct change *changes;
    uint32_t change_count, change_max;
    uint8_t *octets;
    size_t octets_len, octets_max;
    world_saved_fn *watch; // world_store_watch()
    void *watch_context;
    struct trail_head {
        uint64_t sequence;
        uint8_t hash[32];
    } head;
};

void *row_at(const struct store *s, int kind, uint32_t index);
// A row of zeros, in the transaction that is open, found by `key`, which it keeps.
void *row_add(struct store *s, int kind, uint64_t key);
// Of the rows with this key, and some others, the newest behind `*before`, 0 at first; NULL: none.
void *row_with(const struct store *s, int kind, uint64_t key, uint32_t *before);
// Of a card, to be changed.
struct wake_place *wake_of(struct store *s, uint64_t card);
// Of a text.
uint64_t row_key(const char *text);
// Before octets of a row that is there are changed.
void row_keep(struct store *s, void *at, size_t len);
// Texts of a row of the trail become its own.
void trail_keep_texts(struct trail_place *t);

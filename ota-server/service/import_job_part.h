// What the two halves of an import share: the thread that reads, and the server's that writes.
// Internal.
#pragma once

#include "ota-server/service/import_body.h"
#include "ota-server/service/import_job.h"
#include "ota-server/service/turn.h"

#include <pthread.h>

enum seat_state { SEAT_FREE, SEAT_HELD, SEAT_WAITING, SEAT_RUNNING };

struct seat {
    uint8_t state; // enum seat_state
    struct import_order order;
    uint8_t sha256[32];
    FILE *file;
    struct vendor_profile *profile;
    unsigned holds; // of those who are about to cancel it
    bool is_cancelled;
    bool is_ending; // its last transaction is on its way: too late to cancel
    bool has_ended; // and is on the disk: the same file may come again
    unsigned pass;  // 0 before the first
    uint64_t done, total;
};

// What begins and the slices count as nothing before the end.
enum hand_kind {
    HAND_BEGIN,
    HAND_SLICE,
    HAND_REFERENCES,
    HAND_UNDO,
    HAND_MERGE,
    HAND_END,
};
enum hand_state { HAND_FREE, HAND_GIVEN, HAND_IN_TURN, HAND_LATER };

struct import_jobs {
    struct import_jobs_options options;
    struct crypto *crypto; // of the thread
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved; // any of what follows
    // under the mutex
    struct seat seats[IMPORT_SEATS];
    bool is_closing;
    uint8_t hand;                 // enum hand_state
    enum store_status hand_ended; // of the last one
    // of the thread, and of the server's thread while something is handed over
    uint8_t kind; // enum hand_kind
    struct load *loads[2];
    unsigned filling;
    uint32_t reference; // of those of the load being filled, the next to be written
    struct seat *running;
    struct vendor_header header;
    bool has_loaded; // something may be in the registry
    bool is_gone;    // what was loaded has been taken away
    bool has_parts;  // there are cards to complete
    bool is_decided; // they will be, whatever happens
    bool is_merged;  // they are
    const char *failure;
    struct import_report report;
    struct import_target reads;
    struct record *record;
    struct import_body body; // of the file under way, when it is kept
    uint8_t body_nonce[CRYPTO_NONCE_SIZE];
    bool is_kept;
    // of the server's thread: what clients were told last of the import under way
    uint64_t told_import, told_tenant, told_done;
    unsigned told_pass;
    struct crypto *writer_crypto;
    unsigned ticks;
    uint64_t swept[IMPORT_BODIES_MAX];
    size_t swept_count;
};

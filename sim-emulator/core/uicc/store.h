// What a card's files hold beyond their defaults: chunks of octets that exist only once something
// was written to them, and changes that a power cut cannot tear.
//
// An address is a space, a generation and an offset. A chunk takes one page of the memory, so a
// card that never wrote pays nothing, and one that wrote its location pays a page.
//
// Promises: what was never written reads FF; a change of several pieces is in the memory whole or
// not at all, whatever octet of it the power goes at; a change that finds no room changes nothing.
// Never: knows what a file is.
#pragma once

#include "sim-emulator/core/nvm.h"

#define UICC_JOURNAL_LEN (8 * NVM_PAGE_LEN)
#define UICC_CHUNKS 120
#define UICC_STORE_LEN (UICC_JOURNAL_LEN + UICC_CHUNKS * NVM_PAGE_LEN)
#define UICC_CHUNK_HEAD 4
#define UICC_CHUNK_LEN (NVM_PAGE_LEN - UICC_CHUNK_HEAD)
#define UICC_SPACE_LEN (256 * UICC_CHUNK_LEN) // octets of one space

// Whose octets they are.
enum uicc_space {
    UICC_OF_CARD = 1,
    UICC_OF_GENERATION = 2, // until the next switch of subscription
    UICC_OF_SLOT = 16,      // plus the slot's index: a subscription's own
};

struct uicc_store {
    struct nvm *nvm;
    uint32_t offset; // of UICC_STORE_LEN octets, on a page
};

struct uicc_place {
    uint8_t space;
    uint8_t generation; // 0 where the space has none
    uint16_t at;
};

// Finishes a change that was cut off. After every reset, before anything else.
void uicc_store_mount(const struct uicc_store *store);
// False, and `to` untouched, when nothing of this range was ever written.
bool uicc_store_read(const struct uicc_store *store, struct uicc_place place, void *to, size_t len);
// Drops the chunks that `is_dropped` says, asked with the place of a chunk's first octet. Not
// atomic: what is left after a cut, or by a cell that fails, is for the next call.
void uicc_store_drop(const struct uicc_store *store,
                     bool (*is_dropped)(const void *context, struct uicc_place first),
                     const void *context);
// Chunks that are not taken yet.
size_t uicc_store_free(const struct uicc_store *store);

#define UICC_CHANGE_MAX (UICC_JOURNAL_LEN - 7)
#define UICC_CHANGE_CHUNKS 12

// Pieces that are written together.
struct uicc_change {
    // private
    struct uicc_store store;
    bool is_full; // no free chunk
    uint8_t taken_count;
    struct {
        uint8_t head[UICC_CHUNK_HEAD];
        uint8_t page;
    } taken[UICC_CHANGE_CHUNKS];
    struct writer pieces;
    uint8_t octets[UICC_CHANGE_MAX];
};
void uicc_change_begin(struct uicc_change *change, const struct uicc_store *store);
// Later pieces overwrite earlier ones.
void uicc_change_put(struct uicc_change *change, struct uicc_place place, struct bytes octets);
// NVM_FAILED: no room, or a cell failed. NVM_CUT: the next mount knows.
enum nvm_result uicc_change_commit(struct uicc_change *change) MUST_USE;

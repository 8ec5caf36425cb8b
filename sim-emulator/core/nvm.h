// Emulated non-volatile memory of a card: octets that keep their value without power, in pages
// that exist only once something was written to them.
//
// Promises: what was never written, or was erased, reads FF and costs nothing; pages of all cards
// come from one pool of fixed size; one octet is one cell, so a power cut falls before, into or
// after a single octet, and what stood behind it keeps its former value.
// Never: allocates, or knows what is stored.
#pragma once

#include "common/base/bytes.h"

#define NVM_PAGE_LEN 64
#define NVM_ERASED 0xFF
#define NVM_PAGES 418                          // of one card
#define NVM_LEN_MAX (NVM_PAGES * NVM_PAGE_LEN) // 26 KiB

struct nvm_page {
    uint8_t octets[NVM_PAGE_LEN];
    // private
    uint32_t next;   // of the same card, with a higher number; or the next free page
    uint16_t number; // in its card
};

struct nvm;

// The pages of all cards. Page 0 means "none".
struct nvm_pool {
    struct nvm_page *pages;
    uint32_t page_count;
    uint32_t used; // pages taken
    // private
    uint32_t fresh; // pages from here on were never taken
    uint32_t freed; // head of the list of pages given back
    // Where the last search ended: the next one mostly goes on from there.
    const struct nvm *near_of;
    uint32_t near;
};
// `pages` is the caller's memory: 2 or more pages.
void nvm_pool_init(struct nvm_pool *pool, struct nvm_page *pages, uint32_t page_count);

enum nvm_result {
    NVM_OK = 0,
    NVM_CUT,    // the power went before or in this write; nothing more is written until it returns
    NVM_FAILED, // a cell does not take its value, or the pool is empty; what was written stays
};

// What shall go wrong. Counts are of octets, from the moment the plan is set.
struct nvm_faults {
    uint64_t cut_at; // power goes at the n-th octet written; 0 = never
    bool is_torn;    // that octet becomes `torn_value` instead of keeping its former one
    uint8_t torn_value;
    uint64_t error_at; // the n-th octet written does not take its value; 0 = never
    bool error_stays;  // nor does any after it
    uint64_t written;  // octets tried so far
};

struct nvm {
    struct nvm_pool *pool;
    struct nvm_faults *faults; // NULL: nothing goes wrong
    // NVM_LEN_MAX octets that follow every write, octet by octet and in its order; or NULL. A file
    // that is mapped there holds after a kill what the memory held at that moment.
    uint8_t *mirror;
    uint32_t first;   // of its pages, in the order of their numbers
    uint32_t written; // wear: octets written in the card's life
    bool is_cut;      // the power is gone
};

// Is anything of the plan still to come?
bool nvm_may_fail(const struct nvm_faults *faults);

// Has a cell refused its value?
static inline bool nvm_met_error(const struct nvm *nvm)
{
    const struct nvm_faults *f = nvm->faults;
    return f != NULL && f->error_at != 0 && f->written >= f->error_at;
}

void nvm_init(struct nvm *nvm, struct nvm_pool *pool);
// Gives all pages back to the pool.
void nvm_release(struct nvm *nvm);
// check()s that the range lies within NVM_LEN_MAX.
void nvm_read(const struct nvm *nvm, uint32_t offset, void *to, size_t len);
enum nvm_result nvm_write(struct nvm *nvm, uint32_t offset, const void *from, size_t len) MUST_USE;
// Writes FF, and gives back the pages that lie wholly in the range.
enum nvm_result nvm_erase(struct nvm *nvm, uint32_t offset, size_t len) MUST_USE;
// Takes the pages of a range from the pool, so that writes to it cannot fail for want of them.
// False when the pool is empty.
bool nvm_reserve(struct nvm *nvm, uint32_t offset, size_t len) MUST_USE;
// After a cut: the memory takes writes again.
void nvm_power_on(struct nvm *nvm);
// Pages that this card holds.
uint32_t nvm_pages(const struct nvm *nvm);

// A mirror from now on: its octets become what the memory reads. The caller ends it (NULL) before
// it takes the octets away.
void nvm_mirror(struct nvm *nvm, uint8_t *mirror);

// For saving: the first page at or after `*number` that holds something; false when there is none.
// Loading is nvm_write().
bool nvm_next_page(const struct nvm *nvm, uint32_t *number, struct bytes *octets);

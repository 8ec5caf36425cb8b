// New cards and subscriptions on their way into the store: rows that one thread makes ready, octets
// and sealed keys included, and the writer writes many in a statement.
//
// Promises: what a load holds is bounded; load_is_full() says when it is to be written. It is good
// for any writer of the same database. Never: holds a key in clear.
#pragma once

#include "ota-server/store/store.h"

#define LOAD_CARDS 1024 // or subscriptions of a pool, or parts

struct load;

// What all its rows have.
struct load_head {
    uint64_t import;
    uint64_t batch;  // of the cards: an import
    uint64_t tenant; // of the cards
    uint64_t owner;  // of the subscriptions
    uint64_t pool;   // that the subscriptions are in, or 0: they are on the cards
    uint8_t state;   // of the cards
    struct utc at;
};

// NULL when there is no memory.
struct load *load_open(void) MUST_USE;
void load_close(struct load *l);
// Empties it.
void load_begin(struct load *l, const struct load_head *head);
bool load_is_empty(const struct load *l);
bool load_is_full(const struct load *l); // nothing may be added

// References of cards are in no order, and each alone would write a page. They are gathered from
// load to load, and written by themselves, in their order: LOAD_REFERENCES pieces after each other,
// which then stand on few pages.
#define LOAD_REFERENCES 4096 // in a piece: some 3 ms
void load_pass_references(struct load *from, struct load *to);
bool load_has_many_references(const struct load *l); // it is time
void load_sort_references(struct load *l);
uint32_t load_reference_count(const struct load *l);
void load_forget_references(struct load *l);

// Each adds rows; `sealer` is a store of the same thread that was opened with the master keys. What
// stands in the head is not looked at. Of a subscription: id, card, slot, ICCID, IMSI, number,
// operator and rule pack; `keys` may be NULL.
enum store_status load_card(struct load *l, struct store *sealer,
                            const struct card_new *card) MUST_USE;
enum store_status load_subscription(struct load *l, struct store *sealer,
                                    const struct subscription *subscription,
                                    const struct network_keys *keys) MUST_USE;
// What is kept of a card that was there before, sealed; a card has one part.
enum store_status load_part(struct load *l, struct store *sealer, uint64_t card,
                            struct bytes content) MUST_USE;

// Writes all but references, hidden as store_loading_begin() says, inside a transaction.
// STORE_CONFLICT: something of it is there; the caller undoes what was written.
enum store_status store_load(struct store *s, const struct load *l) MUST_USE;
// The piece of its references that begins at `from`, sorted.
enum store_status store_load_references(struct store *s, const struct load *l,
                                        uint32_t from) MUST_USE;

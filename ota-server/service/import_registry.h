// The registry's side of an import: what the importer asks, and what it loads, over the store.
//
// Questions need only a reader; what writes stands inside a transaction of the caller. Never:
// commits, rolls back, or keeps a key.
#pragma once

#include "common/wire/cipher.h"
#include "ota-server/store/load.h"
#include "ota-server/store/store.h"
#include "profiles/vendor/import.h"

struct crypto;
struct turn;

#define IMPORT_PARTS_MAX 7 // sums of targets that a file of a split batch may be of

// What the registry does not have: nothing from `from` up to `to`, or to the end when that is "".
struct import_gap {
    char from[STORE_NUMBER_SIZE], to[STORE_NUMBER_SIZE];
};
// Cards that an update changes, and some of them.
#define IMPORT_SAMPLE_MAX 20
struct import_changes {
    uint64_t count;
    uint64_t sample[IMPORT_SAMPLE_MAX];
};
#define IMPORT_GAPS                                                                                \
    8 // of a kind: numbers of a file mostly ascend, those of each slot by themselves

struct import_target {
    struct store *store;
    struct turn *turn; // for ids of what is written
    // Of who makes rows ready, and has ids of its own: where to, and a place for a record.
    struct load *load;
    struct ids ids;
    struct record *record;
    struct crypto *crypto;
    const struct secret_key *key; // that transport keys are wrapped with
    uint64_t tenant;
    uint64_t import;   // its id
    uint64_t pool;     // of a file of subscriptions, or 0
    uint64_t corrects; // the first import of the batch, of which this one brings the rest; or 0
    bool is_update;    // known cards change instead of being refused
    struct import_changes changes; // of an update, as far as its records were judged
    struct actor actor;            // who asked
    const char *address;           // from where, or NULL
    // Whose that pool is, and so the subscriptions: import_pool_owner() tells.
    uint64_t pool_owner;
    char rule_pack[32]; // of that pool, or ""
    struct utc now;
    // Imports of other files of the same batch, when the registry has been asked for the batch.
    uint64_t parts[IMPORT_PARTS_MAX];
    unsigned part_count;
    // Gaps that were found since import_registry_forget().
    struct import_gap gaps[STORE_MSISDN + 1][IMPORT_GAPS];
    unsigned gap_count[STORE_MSISDN + 1]; // found, of which the last ones are kept
    void *owner;                          // of whoever adds callbacks of its own to the questions
};

// The import under which its cards stand: of one that corrects, the first one.
uint64_t import_batch_of(const struct import_target *target);
// For a file of subscriptions: what the rule pack of its pool asks of numbers. NULL: nothing.
const struct number_rule *import_number_rule(void *context, const char *operator_name);
// Sets the questions of a registry and its context, which `target` becomes.
void import_registry_reads(struct import_target *target, struct import_registry *registry);
// Whenever target->store may see a newer state.
void import_registry_forget(struct import_target *target);
// Fills target->pool_owner where there is a pool; false when there is none any more.
bool import_pool_owner(struct import_target *target) MUST_USE;
// The vendor profile of a tenant, which the caller closes. STORE_NONE: there is none that is read;
// else it could not be looked at now. NULL with every status but STORE_OK.
enum store_status import_profile_open(struct store *store, uint64_t tenant, const char *vendor,
                                      struct vendor_profile **profile) MUST_USE;
// For file_options.transport_key; its context is a struct import_target.
bool import_transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key);

// What all cards of the file have, for load_begin().
struct load_head import_load_head(const struct import_target *target,
                                  const struct vendor_header *header);
// Adds to target->load: a card with its subscriptions and keys; of a pool, the one subscription of
// `card`.
enum store_status import_load(struct import_target *target, const struct vendor_header *header,
                              const struct vendor_card *card) MUST_USE;
// Whether another file of the same batch has brought the card, or it is to be changed.
bool import_finds(const struct import_target *target, const struct vendor_card *card,
                  uint64_t *id) MUST_USE;
// The slot with the subscription, or r->slot_count.
unsigned import_slot_with(const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE]);
// Adds what a file has of such a card. It is kept until the import has passed the point behind
// which it completes its cards, whatever happens.
enum store_status import_part_add(const struct import_target *target,
                                  const struct vendor_header *header,
                                  const struct vendor_card *card, uint64_t id) MUST_USE;
// Completes at most `limit` cards, or changes them; `is_done` when none was left. One that has been
// seen is in doubt then, and is audited.
enum store_status import_parts_merge(struct import_target *target, uint32_t limit,
                                     bool *is_done) MUST_USE;
// Note that the file, and the batch, were imported, for the next time.
enum store_status import_file_put(const struct import_target *target,
                                  const uint8_t sha256[CIPHER_SHA256_SIZE]) MUST_USE;
enum store_status import_batch_put(const struct import_target *target,
                                   const struct vendor_header *header) MUST_USE;
// A transport key on its way to the store.
struct import_key {
    uint64_t id;      // of its document
    uint64_t version; // of the document that waited for it, or 0
    uint8_t index;
    const struct secret_key *key;
    uint32_t kcv;         // its check value of 3 octets
    const uint8_t *nonce; // 12 fresh octets
};
// Keeps it, sealed, beside its check value.
enum store_status import_transport_key_put(struct import_target *target,
                                           const struct import_key *from) MUST_USE;

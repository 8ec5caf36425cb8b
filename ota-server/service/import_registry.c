#include "ota-server/service/import_registry.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/crypto.h"
#include "common/host/json.h"
#include "common/wire/ident.h"
#include "common/wire/keywrap.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/turn.h"
#include "profiles/vendor/number.h"

#include <errno.h>
#include <stdlib.h>

#define KEY_NAME_SIZE 24
#define BATCH_NAME_SIZE 192
#define FILE_NAME_SIZE (20 + 1 + 2 * CIPHER_SHA256_SIZE + 1)
#define PROFILE_NAME_SIZE 160

// --- files and batches seen before ---

// A file is known to the tenant that sent it, and to nobody else.
static void file_name(const struct import_target *t, const uint8_t digest[CIPHER_SHA256_SIZE],
                      char name[FILE_NAME_SIZE])
{
    struct writer w = writer_of(name, FILE_NAME_SIZE);
    text_decimal(&w, t->tenant);
    text_put(&w, "/");
    text_hex(&w, bytes_of(digest, CIPHER_SHA256_SIZE));
    text_end(&w);
}

static bool see_parent(void *context, const struct document *d)
{
    *(uint64_t *)context = d->parent;
    return false;
}

static bool file_known(void *context, const uint8_t sha256[CIPHER_SHA256_SIZE],
                       char reference[IMPORT_REFERENCE_SIZE])
{
    const struct import_target *t = context;
    char name[FILE_NAME_SIZE];
    uint64_t import = 0;
    file_name(t, sha256, name);
    if (t->is_update) // what it brought once may have been changed since
        return false;
    if (store_document_named(t->store, "import-file", name, see_parent, &import) != STORE_OK)
        return false;
    api_id_write(reference, "imp", import);
    return true;
}

static void batch_name(const struct import_target *t, const struct vendor_header *h,
                       unsigned targets, char name[BATCH_NAME_SIZE])
{
    struct writer w = writer_of(name, BATCH_NAME_SIZE);
    text_decimal(&w, t->tenant);
    text_put(&w, "/");
    text_put(&w, h->customer);
    text_put(&w, "/");
    text_put(&w, h->batch);
    text_put(&w, "/");
    text_decimal(&w, targets);
    text_end(&w);
}

static enum store_status find_batch(const struct import_target *t, const struct vendor_header *h,
                                    unsigned targets, uint64_t *import)
{
    char name[BATCH_NAME_SIZE];
    batch_name(t, h, targets, name);
    return store_document_named(t->store, "import-batch", name, see_parent, import);
}

// Other targets of the same batch are other files of it: their cards may be completed.
static enum import_batch batch(void *context, const struct vendor_header *header)
{
    struct import_target *t = context;
    uint64_t import = 0;
    t->part_count = 0;
    if (t->is_update)
        return BATCH_NEW;
    for (unsigned targets = 1; targets <= IMPORT_PARTS_MAX; targets++) {
        if (find_batch(t, header, targets, &import) != STORE_OK)
            continue;
        if (targets == header->targets && import == t->corrects)
            continue; // what it held back comes now
        if (targets == header->targets)
            return BATCH_LOADED;
        t->parts[t->part_count++] = import;
    }
    return BATCH_NEW;
}

uint64_t import_batch_of(const struct import_target *t)
{
    return t->corrects != 0 ? t->corrects : t->import;
}

static enum store_status put_mark(const struct import_target *t, const char *kind, const char *name,
                                  uint64_t parent)
{
    const struct document d = {
        .kind = kind,
        .id = turn_id(t->turn, t->now),
        .owner = t->tenant,
        .parent = parent,
        .name = name,
        .created_at = t->now,
        .changed_at = t->now,
        .body = bytes_of_text("{}"),
    };
    return store_document_put(t->store, &d);
}

enum store_status import_file_put(const struct import_target *target,
                                  const uint8_t sha256[CIPHER_SHA256_SIZE])
{
    char name[FILE_NAME_SIZE];
    uint64_t import = 0;
    file_name(target, sha256, name);
    if (target->is_update &&
        store_document_named(target->store, "import-file", name, see_parent, &import) == STORE_OK)
        return STORE_OK;
    return put_mark(target, "import-file", name, target->import);
}

struct found_profile {
    struct vendor_profile *profile;
    bool is_out_of_memory;
};

static bool read_profile(void *context, const struct document *d)
{
    struct found_profile *found = context;
    char error[PROFILE_ERROR_SIZE];
    errno = 0;
    found->profile = profile_open(d->body, error);
    found->is_out_of_memory = found->profile == NULL && errno == ENOMEM;
    return false;
}

enum store_status import_profile_open(struct store *store, uint64_t tenant, const char *vendor,
                                      struct vendor_profile **profile)
{
    char name[PROFILE_NAME_SIZE];
    struct found_profile found = {.profile = NULL};
    struct writer w = writer_of(name, sizeof(name));
    text_decimal(&w, tenant);
    text_put(&w, "/");
    text_put(&w, vendor);
    const enum store_status status =
        store_document_named(store, "vendor-profile", text_end(&w), read_profile, &found);
    *profile = found.profile;
    if (status != STORE_OK || found.profile != NULL)
        return status;
    return found.is_out_of_memory ? STORE_FAILED : STORE_NONE;
}

// --- what the registry has ---

// Most of what a file names is new, and lies in a gap: one question tells of all of it.
static bool is_new(struct import_target *t, enum store_number what, const char *value)
{
    struct import_gap *gaps = t->gaps[what];
    const unsigned count = t->gap_count[what] < IMPORT_GAPS ? t->gap_count[what] : IMPORT_GAPS;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(gaps[i].from, value) <= 0 &&
            (gaps[i].to[0] == '\0' || strcmp(value, gaps[i].to) < 0))
            return true;
    }
    struct import_gap gap;
    struct writer w = writer_of(gap.from, sizeof(gap.from));
    text_put(&w, value);
    const enum store_status status = store_number_next(t->store, what, text_end(&w), gap.to);
    const bool is_so =
        !w.failed && (status == STORE_NONE || (status == STORE_OK && strcmp(gap.to, value) != 0));
    if (is_so)
        gaps[t->gap_count[what]++ % IMPORT_GAPS] = gap;
    return is_so;
}

void import_registry_forget(struct import_target *target)
{
    memset(target->gap_count, 0, sizeof(target->gap_count));
}

// By its ICCID, or an IMSI where the file has none.
static bool find_card(const struct import_target *t, const struct vendor_card *card, uint64_t *id)
{
    uint8_t ef[ICCID_EF_LEN];
    uint8_t imsi[IMSI_EF_LEN];
    if (card->iccid[0] != '\0')
        return iccid_write(card->iccid, ef) && store_card_by_iccid(t->store, ef, id) == STORE_OK;
    return card->subscription_count > 0 && imsi_write(card->subscriptions[0].imsi, imsi) &&
           store_card_by_imsi(t->store, imsi, id) == STORE_OK;
}

bool import_finds(const struct import_target *target, const struct vendor_card *card, uint64_t *id)
{
    return (target->part_count > 0 || target->is_update) && find_card(target, card, id);
}

static bool is_of_same_batch(const struct import_target *t, const struct record *r)
{
    bool is_so = false;
    for (unsigned i = 0; i < t->part_count; i++)
        is_so = is_so || t->parts[i] == r->batch;
    return is_so;
}

static bool same_key(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == b->len && secret_equal(a->octets, b->octets, a->len);
}

static bool same_subscriptions(const struct record *r, const struct vendor_card *card)
{
    for (unsigned i = 0; i < card->subscription_count; i++) {
        const struct vendor_subscription *s = &card->subscriptions[i];
        uint8_t imsi[IMSI_EF_LEN];
        bool is_found = false;
        for (unsigned k = 0; k < r->slot_count && imsi_write(s->imsi, imsi); k++)
            is_found = is_found || memcmp(r->slots[k].fact.imsi, imsi, sizeof(imsi)) == 0;
        if (!is_found)
            return false;
    }
    return card->subscription_count == r->slot_count;
}

// What only one of them has agrees.
static bool key_agrees(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == 0 || b->len == 0 || same_key(a, b);
}

static bool slot_agrees(const struct import_target *t, const struct mirror_slot *slot,
                        const struct vendor_subscription *s)
{
    struct network_keys keys;
    uint8_t imsi[IMSI_EF_LEN];
    if (slot->fact.slot != s->slot || slot->subscription == 0)
        return true;
    if (!imsi_write(s->imsi, imsi) || memcmp(slot->fact.imsi, imsi, sizeof(imsi)) != 0)
        return false;
    if (slot->number[0] != '\0' && s->msisdn[0] != '\0' && strcmp(slot->number, s->msisdn) != 0)
        return false;
    if (s->k.len == 0 || store_network_keys(t->store, imsi, &keys) != STORE_OK)
        return true;
    const bool agrees = same_key(&keys.k, &s->k) && same_key(&keys.op, &s->opc);
    secret_wipe(&keys, sizeof(keys));
    return agrees;
}

static bool parts_agree(const struct import_target *t, const struct record *r,
                        const struct card_keys *keys, const struct vendor_card *card)
{
    bool agrees = key_agrees(&keys->kic, &card->keyset.kic) &&
                  key_agrees(&keys->kid, &card->keyset.kid) &&
                  key_agrees(&keys->kik, &card->keyset.kik);
    for (unsigned i = 0; i < card->subscription_count; i++) {
        for (unsigned k = 0; k < r->slot_count && agrees; k++)
            agrees = slot_agrees(t, &r->slots[k], &card->subscriptions[i]);
    }
    return agrees;
}

static bool key_adds(const struct secret_key *known, const struct secret_key *key)
{
    return known->len == 0 && key->len > 0;
}

static bool subscription_adds(const struct import_target *t, const struct record *r,
                              const struct vendor_subscription *s)
{
    struct network_keys keys;
    const struct mirror_slot *slot = NULL;
    for (unsigned i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.slot == s->slot && r->slots[i].subscription != 0)
            slot = &r->slots[i];
    }
    if (slot == NULL || (slot->number[0] == '\0' && s->msisdn[0] != '\0'))
        return true;
    if (s->k.len == 0)
        return false;
    const bool is_there = store_network_keys(t->store, slot->fact.imsi, &keys) == STORE_OK;
    secret_wipe(&keys, sizeof(keys));
    return !is_there;
}

// Of a card that agrees: is there something that the registry does not have?
static bool adds(const struct import_target *t, const struct record *r,
                 const struct card_keys *keys, const struct vendor_card *card)
{
    bool is_more = key_adds(&keys->kic, &card->keyset.kic) ||
                   key_adds(&keys->kid, &card->keyset.kid) ||
                   key_adds(&keys->kik, &card->keyset.kik);
    for (unsigned i = 0; i < card->subscription_count && !is_more; i++)
        is_more = subscription_adds(t, r, &card->subscriptions[i]);
    return is_more;
}

// What an import loaded comes again with what it held back, and other files of the batch may have
// completed it meanwhile; a correction changes none of it.
static enum import_known judge_again(const struct import_target *t, const struct record *r,
                                     const struct card_keys *keys, const struct vendor_card *card)
{
    return parts_agree(t, r, keys, card) && !adds(t, r, keys, card) ? KNOWN_EQUAL : KNOWN_OTHER;
}

static enum import_known judge_part(const struct import_target *t, const struct record *r,
                                    const struct card_keys *keys, const struct vendor_card *card)
{
    if (!parts_agree(t, r, keys, card))
        return KNOWN_DISAGREES;
    // One that has been seen is complete.
    const bool is_open = r->state <= CARD_IMPORTED && (t->corrects == 0 || adds(t, r, keys, card));
    return is_open ? KNOWN_MERGES : KNOWN_EQUAL;
}

static enum import_known judge_known(const struct import_target *t, const struct record *r,
                                     const struct card_keys *keys, const struct vendor_card *card)
{
    if (r->tenant != t->tenant)
        return KNOWN_FOREIGN;
    if (is_of_same_batch(t, r))
        return judge_part(t, r, keys, card);
    if (r->batch == import_batch_of(t))
        return judge_again(t, r, keys, card);
    return same_key(&keys->kic, &card->keyset.kic) && same_key(&keys->kid, &card->keyset.kid) &&
                   same_key(&keys->kik, &card->keyset.kik) && same_subscriptions(r, card)
               ? KNOWN_EQUAL
               : KNOWN_OTHER;
}

// --- updates ---

static bool is_number_of(const struct import_target *t, const uint8_t imsi[IMSI_EF_LEN])
{
    struct subscription s;
    return store_subscription_by_imsi(t->store, imsi, &s) == STORE_OK && s.tenant == t->tenant;
}

unsigned import_slot_with(const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE])
{
    unsigned at = 0;
    while (at < r->slot_count && memcmp(r->slots[at].fact.imsi, imsi, COMMAND_IMSI_SIZE) != 0)
        at++;
    return at;
}

static bool slot_differs(const struct import_target *t, const struct mirror_slot *slot,
                         const struct vendor_subscription *s)
{
    struct network_keys keys = {.k = {.len = 0}};
    if (s->msisdn[0] != '\0' && strcmp(slot->number, s->msisdn) != 0)
        return true;
    if (s->k.len == 0)
        return false;
    const bool is_same = store_network_keys(t->store, slot->fact.imsi, &keys) == STORE_OK &&
                         same_key(&keys.k, &s->k) && same_key(&keys.op, &s->opc);
    secret_wipe(&keys, sizeof(keys));
    return !is_same;
}

static bool key_differs(const struct secret_key *known, const struct secret_key *key)
{
    return key->len > 0 && !same_key(known, key);
}

// Which subscriptions are on a card, the card tells and operations change: a file that names one
// which the registry never had is of another card. What the card has no more is left out.
static enum import_known judge_update(struct import_target *t, const struct record *r,
                                      const struct card_keys *keys, const struct vendor_card *card)
{
    const struct vendor_keyset *k = &card->keyset;
    uint8_t imsi[IMSI_EF_LEN];
    bool differs = key_differs(&keys->kic, &k->kic) || key_differs(&keys->kid, &k->kid) ||
                   key_differs(&keys->kik, &k->kik) ||
                   (k->number != 0 && k->number != keys->version);
    if (r->tenant != t->tenant)
        return KNOWN_FOREIGN;
    if (r->state == CARD_RETIRED) // its keys are to go, or gone
        return KNOWN_OTHER;
    for (unsigned i = 0; i < card->subscription_count; i++) {
        const struct vendor_subscription *s = &card->subscriptions[i];
        if (!imsi_write(s->imsi, imsi))
            return KNOWN_OTHER;
        const unsigned at = import_slot_with(r, imsi);
        if (at == r->slot_count && !is_number_of(t, imsi))
            return KNOWN_OTHER;
        differs = differs || (at < r->slot_count && slot_differs(t, &r->slots[at], s));
    }
    if (!differs)
        return KNOWN_EQUAL;
    if (t->changes.count < IMPORT_SAMPLE_MAX)
        t->changes.sample[t->changes.count] = r->card;
    t->changes.count++;
    return KNOWN_MERGES;
}

static bool see_pool(void *context, const struct document *d)
{
    struct import_target *t = context;
    json_t *root = NULL;
    struct bytes pack = {0};
    t->pool_owner = d->owner;
    if (json_read(d->body, &root) == JSON_READ_OK &&
        json_get_text(root, "rulePack", &pack) == JSON_FOUND && pack.len < sizeof(t->rule_pack))
        bytes_copy(t->rule_pack, pack);
    json_decref(root);
    return false;
}

bool import_pool_owner(struct import_target *t)
{
    return t->pool == 0 || store_document_get(t->store, "pool", t->pool, see_pool, t) == STORE_OK;
}

const struct number_rule *import_number_rule(void *context, const char *operator_name)
{
    const struct import_target *t = context;
    (void)operator_name; // a pool is of one
    return strcmp(t->rule_pack, number_rule_cn_iot.pack) == 0 ? &number_rule_cn_iot : NULL;
}

static enum import_known pool_known(struct import_target *t, const struct vendor_card *card)
{
    struct subscription s;
    uint8_t imsi[IMSI_EF_LEN];
    if (card->subscription_count == 0 || is_new(t, STORE_IMSI, card->subscriptions[0].imsi) ||
        !imsi_write(card->subscriptions[0].imsi, imsi) ||
        store_subscription_by_imsi(t->store, imsi, &s) != STORE_OK)
        return KNOWN_NOT;
    if (s.tenant != t->pool_owner)
        return KNOWN_FOREIGN;
    return s.pool == t->pool && strcmp(s.plan.number, card->subscriptions[0].msisdn) == 0
               ? KNOWN_EQUAL
               : KNOWN_OTHER;
}

static enum import_known card_known(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card)
{
    struct import_target *t = context;
    uint64_t id = 0;
    if (header->is_pool)
        return pool_known(t, card);
    if (card->iccid[0] != '\0' && is_new(t, STORE_ICCID, card->iccid))
        return KNOWN_NOT;
    if (!find_card(t, card, &id)) // without an ICCID it can only complete a card
        return card->iccid[0] != '\0' ? KNOWN_NOT : KNOWN_DISAGREES;
    struct record *r = malloc(sizeof(*r));
    struct card_keys keys = {.version = 0};
    enum import_known known = KNOWN_OTHER;
    if (r != NULL && store_card_load(t->store, id, r) == STORE_OK) {
        const enum store_status status = store_card_keys(t->store, id, &keys);
        if (status == STORE_OK || status == STORE_NONE)
            known = t->is_update ? judge_update(t, r, &keys, card) : judge_known(t, r, &keys, card);
    }
    secret_wipe(&keys, sizeof(keys));
    free(r);
    return known;
}

static bool value_known(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card)
{
    struct import_target *t = context;
    char text[STORE_NUMBER_SIZE] = "";
    uint8_t imsi[IMSI_EF_LEN];
    struct subscription s;
    uint64_t own = 0;
    uint64_t other = 0;
    // Keys that two cards share are only found within one file: no fingerprints are kept.
    if (what == VALUE_KEY || value.len >= sizeof(text))
        return false;
    bytes_copy(text, value);
    if (what == VALUE_ICCID || is_new(t, what == VALUE_IMSI ? STORE_IMSI : STORE_MSISDN, text))
        return false;
    if (what == VALUE_IMSI) {
        if (!imsi_write(text, imsi) || store_subscription_by_imsi(t->store, imsi, &s) != STORE_OK)
            return false;
        other = s.card;
    } else if (store_card_by_number(t->store, text, &other) != STORE_OK) {
        return false;
    }
    (void)find_card(t, card, &own); // a new card has no id, and 0 is nobody's
    return other != own;
}

void import_registry_reads(struct import_target *target, struct import_registry *registry)
{
    registry->context = target;
    registry->file_known = file_known;
    registry->batch = batch;
    registry->card_known = card_known;
    registry->value_known = value_known;
}

enum store_status import_batch_put(const struct import_target *target,
                                   const struct vendor_header *header)
{
    char name[BATCH_NAME_SIZE];
    uint64_t import = 0;
    if (find_batch(target, header, header->targets, &import) == STORE_OK &&
        (import == target->corrects || target->is_update))
        return STORE_OK; // whose mark stays
    batch_name(target, header, header->targets, name);
    return put_mark(target, "import-batch", name, import_batch_of(target));
}

// --- transport keys ---

static const char *key_name(const struct import_target *t, uint8_t index, char name[KEY_NAME_SIZE])
{
    struct writer w = writer_of(name, KEY_NAME_SIZE);
    text_decimal(&w, t->tenant);
    text_put(&w, "/");
    text_decimal(&w, index);
    return text_end(&w);
}

struct sealed_key {
    uint8_t octets[CRYPTO_NONCE_SIZE + 16 + CRYPTO_TAG_SIZE];
    bool ok;
};

static bool see_sealed(void *context, const struct document *d)
{
    struct sealed_key *sealed = context;
    struct writer w = writer_of(sealed->octets, sizeof(sealed->octets));
    sealed->ok = text_unhex(d->body, &w) && w.len == sizeof(sealed->octets);
    return false;
}

bool import_transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key)
{
    const struct import_target *t = context;
    char name[KEY_NAME_SIZE];
    struct sealed_key sealed = {0};
    (void)kind; // one index is one key, whatever it wraps
    key_name(t, index, name);
    if (store_document_named(t->store, "transport-key", name, see_sealed, &sealed) != STORE_OK ||
        !sealed.ok)
        return false;
    struct writer w = writer_of(key->octets, sizeof(key->octets));
    if (!crypto_unseal(t->crypto, t->key, sealed.octets, bytes_of_text(name),
                       bytes_of(sealed.octets + CRYPTO_NONCE_SIZE, 16 + CRYPTO_TAG_SIZE), &w))
        return false;
    key->len = (uint8_t)w.len;
    return true;
}

enum store_status import_transport_key_put(struct import_target *target,
                                           const struct import_key *from)
{
    char name[KEY_NAME_SIZE];
    char hex[2 * sizeof(((struct sealed_key *)0)->octets)];
    uint8_t octets[sizeof(((struct sealed_key *)0)->octets)];
    struct writer o = writer_of(octets, sizeof(octets));
    struct writer h = writer_of(hex, sizeof(hex));
    key_name(target, from->index, name);
    writer_copy(&o, bytes_of(from->nonce, CRYPTO_NONCE_SIZE));
    if (!crypto_seal(target->crypto, target->key, from->nonce, bytes_of_text(name),
                     bytes_of(from->key->octets, from->key->len), &o))
        return STORE_FAILED;
    text_hex(&h, writer_bytes(&o));
    const struct document d = {
        .kind = "transport-key",
        .id = from->id,
        .version = from->version,
        .owner = target->tenant,
        .parent = from->index,
        .state = from->kcv,
        .name = name,
        .created_at = target->now,
        .changed_at = target->now,
        .body = writer_bytes(&h),
    };
    return store_document_put(target->store, &d);
}

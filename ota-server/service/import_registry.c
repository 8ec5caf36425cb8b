#include "ota-server/service/import_registry.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/crypto.h"
#include "common/wire/ident.h"
#include "common/wire/keywrap.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/turn.h"

#include <stdlib.h>

#define KEY_NAME_SIZE 24
#define BATCH_NAME_SIZE 192
#define FILE_NAME_SIZE (20 + 1 + 2 * CIPHER_SHA256_SIZE + 1)
#define CMAC_LEN 8
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
    if (store_document_named(t->store, "import-file", name, see_parent, &import) != STORE_OK)
        return false;
    api_id_write(reference, "imp", import);
    return true;
}

static void batch_name(const struct import_target *t, const struct vendor_header *h,
                       char name[BATCH_NAME_SIZE])
{
    struct writer w = writer_of(name, BATCH_NAME_SIZE);
    text_decimal(&w, t->tenant);
    text_put(&w, "/");
    text_put(&w, h->customer);
    text_put(&w, "/");
    text_put(&w, h->batch);
    text_put(&w, "/");
    text_decimal(&w, h->targets);
    text_end(&w);
}

static enum import_batch batch(void *context, const struct vendor_header *header)
{
    const struct import_target *t = context;
    char name[BATCH_NAME_SIZE];
    uint64_t import = 0;
    batch_name(t, header, name);
    const enum store_status status =
        store_document_named(t->store, "import-batch", name, see_parent, &import);
    return status == STORE_OK ? BATCH_LOADED : BATCH_NEW;
}

static enum store_status put_mark(const struct import_target *t, const char *kind, const char *name)
{
    const struct document d = {
        .kind = kind,
        .id = turn_id(t->turn, t->now),
        .owner = t->tenant,
        .parent = t->import,
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
    file_name(target, sha256, name);
    return put_mark(target, "import-file", name);
}

static bool read_profile(void *context, const struct document *d)
{
    char error[PROFILE_ERROR_SIZE];
    *(struct vendor_profile **)context = profile_open(d->body, error);
    return false;
}

struct vendor_profile *import_profile_open(struct store *store, uint64_t tenant, const char *vendor)
{
    char name[PROFILE_NAME_SIZE];
    struct vendor_profile *profile = NULL;
    struct writer w = writer_of(name, sizeof(name));
    text_decimal(&w, tenant);
    text_put(&w, "/");
    text_put(&w, vendor);
    if (store_document_named(store, "vendor-profile", text_end(&w), read_profile, &profile) !=
        STORE_OK)
        return NULL;
    return profile;
}

// --- what the registry has ---

static bool find_card(const struct import_target *t, const struct vendor_card *card, uint64_t *id)
{
    uint8_t ef[ICCID_EF_LEN];
    return iccid_write(card->iccid, ef) && store_card_by_iccid(t->store, ef, id) == STORE_OK;
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

static enum import_known pool_known(const struct import_target *t, const struct vendor_card *card)
{
    struct subscription s;
    uint8_t imsi[IMSI_EF_LEN];
    if (card->subscription_count == 0 || !imsi_write(card->subscriptions[0].imsi, imsi) ||
        store_subscription_by_imsi(t->store, imsi, &s) != STORE_OK)
        return KNOWN_NOT;
    if (s.tenant != t->tenant)
        return KNOWN_FOREIGN;
    return s.pool == t->pool && strcmp(s.plan.number, card->subscriptions[0].msisdn) == 0
               ? KNOWN_EQUAL
               : KNOWN_OTHER;
}

static enum import_known card_known(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card)
{
    const struct import_target *t = context;
    uint64_t id = 0;
    if (header->is_pool)
        return pool_known(t, card);
    if (!find_card(t, card, &id))
        return KNOWN_NOT;
    struct record *r = malloc(sizeof(*r));
    struct card_keys keys = {0};
    enum import_known known = KNOWN_OTHER;
    if (r != NULL && store_card_load(t->store, id, r) == STORE_OK) {
        if (r->tenant != t->tenant)
            known = KNOWN_FOREIGN;
        else if (store_card_keys(t->store, id, &keys) == STORE_OK &&
                 same_key(&keys.kic, &card->keyset.kic) && same_key(&keys.kid, &card->keyset.kid) &&
                 same_key(&keys.kik, &card->keyset.kik) && same_subscriptions(r, card))
            known = KNOWN_EQUAL;
    }
    secret_wipe(&keys, sizeof(keys));
    free(r);
    return known;
}

static bool value_known(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card)
{
    const struct import_target *t = context;
    char text[32] = "";
    uint8_t imsi[IMSI_EF_LEN];
    struct subscription s;
    uint64_t own = 0;
    uint64_t other = 0;
    // Keys that two cards share are only found within one file: no fingerprints are kept.
    if (what == VALUE_KEY || value.len >= sizeof(text))
        return false;
    bytes_copy(text, value);
    if (what == VALUE_IMSI) {
        if (!imsi_write(text, imsi) || store_subscription_by_imsi(t->store, imsi, &s) != STORE_OK)
            return false;
        other = s.card;
    } else if (what != VALUE_MSISDN || store_card_by_number(t->store, text, &other) != STORE_OK) {
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

// --- loading ---

enum store_status import_batch_put(const struct import_target *target,
                                   const struct vendor_header *header)
{
    char name[BATCH_NAME_SIZE];
    batch_name(target, header, name);
    return put_mark(target, "import-batch", name);
}

static uint8_t role_of(enum vendor_role role)
{
    switch (role) {
    case VENDOR_BOOTSTRAP:
        return ROLE_BOOTSTRAP;
    case VENDOR_OPERATIONAL:
        return ROLE_OPERATIONAL;
    case VENDOR_TEST:
        return ROLE_TEST;
    }
    return ROLE_OPERATIONAL;
}

static void copy_text(char *to, size_t size, const char *from)
{
    struct writer w = writer_of(to, size);
    text_put(&w, from);
    text_end(&w);
}

static enum store_status put_subscription(const struct import_target *t,
                                          const struct vendor_subscription *from,
                                          struct subscription *s)
{
    s->id = turn_id(t->turn, t->now);
    s->tenant = t->tenant;
    s->import = t->import;
    s->has_keys = from->k.len > 0;
    s->created_at = t->now;
    s->changed_at = t->now;
    s->plan.has_iccid = from->iccid[0] != '\0';
    copy_text(s->plan.number, sizeof(s->plan.number), from->msisdn);
    copy_text(s->operator_name, sizeof(s->operator_name), from->operator_name);
    if ((s->plan.has_iccid && !iccid_write(from->iccid, s->plan.iccid)) ||
        !imsi_write(from->imsi, s->plan.imsi))
        return STORE_FAILED;
    enum store_status status = store_subscription_put(t->store, s);
    if (status != STORE_OK || !s->has_keys)
        return status;
    struct network_keys keys = {.k = from->k, .op = from->opc};
    status = store_network_keys_put(t->store, s->plan.imsi, &keys);
    secret_wipe(&keys, sizeof(keys));
    return status;
}

static enum store_status put_slot(const struct import_target *t, struct record *r,
                                  const struct vendor_subscription *from)
{
    struct mirror_slot *slot = &r->slots[r->slot_count];
    struct subscription s = {.card = r->card, .state = SUBSCRIPTION_ON_CARD, .slot = from->slot};
    const enum store_status status = put_subscription(t, from, &s);
    if (status != STORE_OK)
        return status;
    *slot = (struct mirror_slot){.subscription = s.id};
    slot->fact.slot = from->slot;
    slot->fact.state = from->enabled ? SLOT_ENABLED : SLOT_DISABLED;
    slot->fact.role = role_of(from->role);
    slot->fact.is_fallback = from->fallback;
    slot->fact.rank = from->slot;
    slot->fact.template_number = 0; // of the factory, not of a template
    // A first slot without an ICCID of its own carries the card's.
    slot->fact.has_iccid = s.plan.has_iccid || from->slot == 1;
    memcpy(slot->fact.iccid, s.plan.has_iccid ? s.plan.iccid : r->iccid, sizeof(r->iccid));
    memcpy(slot->fact.imsi, s.plan.imsi, sizeof(s.plan.imsi));
    copy_text(slot->number, sizeof(slot->number), from->msisdn);
    r->slot_count++;
    return STORE_OK;
}

// "2.4.0"; what is missing is 0.
static void read_version(const char *text, uint8_t version[3])
{
    struct bytes left = bytes_of_text(text);
    for (unsigned i = 0; i < 3 && left.len > 0; i++) {
        const struct bytes part = api_until(left, '.');
        uint64_t value = 0;
        if (text_read_decimal(part, &value))
            version[i] = (uint8_t)value;
        left = bytes_slice(left, part.len + 1, left.len);
    }
}

static enum store_status fill_record(const struct import_target *t,
                                     const struct vendor_header *header,
                                     const struct vendor_card *card, struct record *r)
{
    const struct vendor_applet *applet = &header->applet;
    const unsigned whole = VENDOR_TARGET_OTA | VENDOR_TARGET_AUC;
    record_init(r, turn_id(t->turn, t->now));
    r->tenant = t->tenant;
    r->batch = t->import;
    r->created_at = t->now;
    r->state = (header->targets & whole) == whole ? CARD_IMPORTED : CARD_IMPORTED_PARTIAL;
    r->level = applet->level;
    r->slot_limit = applet->slot_count;
    r->mt_counter = card->keyset.counter;
    read_version(applet->version, r->applet_version);
    for (unsigned i = 0; i < applet->template_count && i < COMMAND_TEMPLATES_MAX; i++)
        r->templates[r->template_count++] = applet->templates[i];
    enum store_status status = iccid_write(card->iccid, r->iccid) ? STORE_OK : STORE_FAILED;
    for (unsigned i = 0; i < card->subscription_count && status == STORE_OK; i++)
        status = put_slot(t, r, &card->subscriptions[i]);
    return status;
}

static enum store_status load_card(const struct import_target *t,
                                   const struct vendor_header *header,
                                   const struct vendor_card *card)
{
    struct record *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return STORE_FAILED;
    const uint8_t *tar = header->applet.tar;
    struct card_new new_card = {
        .record = r,
        .has_reference = card->keyset.number != 0,
        .has_keys = card->keyset.number != 0,
        .keys = {.version = card->keyset.number,
                 .kic = card->keyset.kic,
                 .kid = card->keyset.kid,
                 .kik = card->keyset.kik,
                 .tar = (uint32_t)tar[0] << 16 | (uint32_t)tar[1] << 8 | tar[2],
                 .spi1 = header->spi[0],
                 .spi2 = header->spi[1],
                 .cmac_len = CMAC_LEN},
        .eid = card->eid,
        .import = t->import,
        .at = t->now,
    };
    memcpy(new_card.reference, card->keyset.reference, sizeof(new_card.reference));
    enum store_status status = fill_record(t, header, card, r);
    if (status == STORE_OK)
        status = store_card_add(t->store, &new_card);
    secret_wipe(&new_card.keys, sizeof(new_card.keys));
    free(r);
    return status;
}

enum store_status import_load(const struct import_target *target,
                              const struct vendor_header *header, const struct vendor_card *card)
{
    if (!header->is_pool)
        return load_card(target, header, card);
    struct subscription s = {.pool = target->pool, .state = SUBSCRIPTION_FREE};
    return put_subscription(target, &card->subscriptions[0], &s);
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

// What an import loads: new cards, and parts of cards that another file of the same batch brought.
#include "ota-server/service/import_registry.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "common/wire/keywrap.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/turn.h"

#include <stdlib.h>

#define CMAC_LEN 8

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

static uint64_t fresh_id(struct import_target *t)
{
    return t->load != NULL ? ids_next(&t->ids, (struct utc){0}) : turn_id(t->turn, t->now);
}

// Made ready, or written at once.
static enum store_status keep_subscription(const struct import_target *t,
                                           const struct subscription *s,
                                           const struct network_keys *keys)
{
    if (t->load != NULL)
        return load_subscription(t->load, t->store, s, keys);
    const enum store_status status = store_subscription_put(t->store, s);
    return status == STORE_OK && keys != NULL ? store_network_keys_put(t->store, s->plan.imsi, keys)
                                              : status;
}

static enum store_status put_subscription(struct import_target *t,
                                          const struct vendor_subscription *from,
                                          struct subscription *s)
{
    s->id = fresh_id(t);
    s->tenant = t->pool != 0 ? t->pool_owner : t->tenant;
    s->import = t->import;
    s->has_keys = from->k.len > 0;
    s->created_at = t->now;
    s->changed_at = t->now;
    s->plan.has_iccid = from->iccid[0] != '\0';
    copy_text(s->plan.number, sizeof(s->plan.number), from->msisdn);
    copy_text(s->operator_name, sizeof(s->operator_name), from->operator_name);
    copy_text(s->rule_pack, sizeof(s->rule_pack), t->rule_pack);
    if ((s->plan.has_iccid && !iccid_write(from->iccid, s->plan.iccid)) ||
        !imsi_write(from->imsi, s->plan.imsi))
        return STORE_FAILED;
    struct network_keys keys = {.k = from->k, .op = from->opc};
    const enum store_status status = keep_subscription(t, s, s->has_keys ? &keys : NULL);
    secret_wipe(&keys, sizeof(keys));
    return status;
}

static enum store_status put_slot(struct import_target *t, struct record *r,
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

static struct mirror_slot *slot_of(struct record *r, uint8_t number)
{
    for (unsigned i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.slot == number)
            return &r->slots[i];
    }
    return NULL;
}

// What a header says of slots; their subscriptions may be in another file of the batch.
static void put_factory(struct record *r, const struct vendor_factory *factory, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        struct mirror_slot *slot = slot_of(r, factory[i].slot);
        if (slot == NULL && r->slot_count == COMMAND_SLOTS_MAX)
            return;
        if (slot == NULL) {
            slot = &r->slots[r->slot_count++];
            *slot =
                (struct mirror_slot){.fact = {.slot = factory[i].slot, .rank = factory[i].slot}};
            memset(slot->fact.imsi, 0xFF, sizeof(slot->fact.imsi));
        }
        slot->fact.state = factory[i].enabled ? SLOT_ENABLED : SLOT_DISABLED;
        slot->fact.role = role_of(factory[i].role);
        slot->fact.is_fallback = factory[i].fallback;
    }
}

// As the card tells of them.
static void sort_slots(struct record *r)
{
    for (unsigned i = 1; i < r->slot_count; i++) {
        for (unsigned k = i; k > 0 && r->slots[k - 1].fact.slot > r->slots[k].fact.slot; k--) {
            const struct mirror_slot one = r->slots[k];
            r->slots[k] = r->slots[k - 1];
            r->slots[k - 1] = one;
        }
    }
}

static uint8_t state_of(const struct vendor_header *header)
{
    const unsigned whole = VENDOR_TARGET_OTA | VENDOR_TARGET_AUC;
    return (header->targets & whole) == whole ? CARD_IMPORTED : CARD_IMPORTED_PARTIAL;
}

static enum store_status fill_record(struct import_target *t, const struct vendor_header *header,
                                     const struct vendor_card *card, struct record *r)
{
    const struct vendor_applet *applet = &header->applet;
    record_init(r, fresh_id(t));
    r->tenant = t->tenant;
    r->batch = import_batch_of(t);
    r->created_at = t->now;
    r->state = state_of(header);
    r->level = applet->level;
    r->slot_limit = applet->slot_count;
    r->mt_counter = card->keyset.counter;
    vendor_applet_version(applet, r->applet_version);
    for (unsigned i = 0; i < applet->template_count && i < COMMAND_TEMPLATES_MAX; i++)
        r->templates[r->template_count++] = applet->templates[i];
    enum store_status status = iccid_write(card->iccid, r->iccid) ? STORE_OK : STORE_FAILED;
    for (unsigned i = 0; i < card->subscription_count && status == STORE_OK; i++)
        status = put_slot(t, r, &card->subscriptions[i]);
    if (r->state == CARD_IMPORTED_PARTIAL)
        put_factory(r, header->factory, header->factory_count);
    sort_slots(r);
    const struct mirror_slot *enabled = record_enabled(r);
    r->preferred = enabled == NULL ? 0 : enabled->subscription;
    return status;
}

static enum store_status add_card(struct import_target *t, const struct vendor_header *header,
                                  const struct vendor_card *card)
{
    const uint8_t *tar = header->applet.tar;
    struct card_new new_card = {
        .record = t->record,
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
    enum store_status status = fill_record(t, header, card, t->record);
    if (status == STORE_OK)
        status = load_card(t->load, t->store, &new_card);
    secret_wipe(&new_card.keys, sizeof(new_card.keys));
    return status;
}

struct load_head import_load_head(const struct import_target *t, const struct vendor_header *header)
{
    return (struct load_head){.import = t->import,
                              .batch = import_batch_of(t),
                              .tenant = t->tenant,
                              .owner = t->pool != 0 ? t->pool_owner : t->tenant,
                              .pool = t->pool,
                              .state = state_of(header),
                              .at = t->now};
}

enum store_status import_load(struct import_target *target, const struct vendor_header *header,
                              const struct vendor_card *card)
{
    if (!header->is_pool)
        return add_card(target, header, card);
    struct subscription s = {.pool = target->pool, .state = SUBSCRIPTION_FREE};
    return put_subscription(target, &card->subscriptions[0], &s);
}

// --- parts of a split batch ------------------------------------------------------------------
//
// A part waits, sealed, beside the card until its whole file has been read and judged: from then on
// the cards are completed, also after a stop.

#define PART_FORM 1
#define PART_MAX 4096

// What a part has of a card, and of its file's header.
struct part {
    struct card_keys keys; // without a KIC: none
    uint8_t reference[CARD_REFERENCE_SIZE];
    uint64_t counter;
    uint8_t level, slot_limit, version[3];
    uint8_t template_count, templates[COMMAND_TEMPLATES_MAX];
    uint8_t factory_count;
    struct vendor_factory factory[VENDOR_SLOTS_MAX];
    uint8_t subscription_count;
    struct vendor_subscription subscriptions[VENDOR_SLOTS_MAX];
};

static void put_text(struct writer *w, const char *text)
{
    const struct bytes b = bytes_of_text(text);
    writer_u8(w, (uint8_t)b.len);
    writer_copy(w, b);
}

static void put_secret(struct writer *w, const struct secret_key *key)
{
    writer_u8(w, key->len);
    writer_copy(w, bytes_of(key->octets, key->len));
}

static void take_text(struct reader *r, char *to, size_t size)
{
    const struct bytes text = reader_bytes(r, reader_u8(r));
    if (text.len >= size)
        r->failed = true;
    else
        bytes_copy(to, text);
    to[r->failed ? 0 : text.len] = '\0';
}

static void take_secret(struct reader *r, struct secret_key *key)
{
    const struct bytes octets = reader_bytes(r, reader_u8(r));
    if (octets.len > SECRET_KEY_MAX)
        r->failed = true;
    else
        *key = secret_key_of(octets);
}

static void write_keys(struct writer *w, const struct vendor_header *h,
                       const struct vendor_card *card)
{
    const struct vendor_keyset *k = &card->keyset;
    const struct vendor_applet *a = &h->applet;
    uint8_t version[3];
    vendor_applet_version(a, version);
    writer_u8(w, k->number);
    put_secret(w, &k->kic);
    put_secret(w, &k->kid);
    put_secret(w, &k->kik);
    writer_copy(w, bytes_of(a->tar, sizeof(a->tar)));
    writer_copy(w, bytes_of(h->spi, sizeof(h->spi)));
    writer_copy(w, bytes_of(k->reference, sizeof(k->reference)));
    writer_u40(w, k->counter);
    writer_u8(w, a->level);
    writer_u8(w, a->slot_count);
    writer_copy(w, bytes_of(version, sizeof(version)));
    writer_u8(w, a->template_count);
    writer_copy(w, bytes_of(a->templates, a->template_count));
}

static void read_keys(struct reader *r, struct part *p)
{
    p->keys = (struct card_keys){.version = reader_u8(r), .cmac_len = CMAC_LEN};
    take_secret(r, &p->keys.kic);
    take_secret(r, &p->keys.kid);
    take_secret(r, &p->keys.kik);
    p->keys.tar = reader_u24(r);
    p->keys.spi1 = reader_u8(r);
    p->keys.spi2 = reader_u8(r);
    reader_copy(r, p->reference, sizeof(p->reference));
    p->counter = reader_u40(r);
    p->level = reader_u8(r);
    p->slot_limit = reader_u8(r);
    reader_copy(r, p->version, sizeof(p->version));
    const struct bytes templates = reader_bytes(r, reader_u8(r));
    for (size_t i = 0; i < templates.len && i < COMMAND_TEMPLATES_MAX; i++)
        p->templates[p->template_count++] = templates.at[i];
}

static void write_subscription(struct writer *w, const struct vendor_subscription *s)
{
    writer_u8(w, s->slot);
    writer_u8(w, (uint8_t)s->role);
    writer_u8(w, (uint8_t)(s->enabled | s->fallback << 1));
    put_text(w, s->iccid);
    put_text(w, s->imsi);
    put_text(w, s->msisdn);
    put_text(w, s->operator_name);
    put_secret(w, &s->k);
    put_secret(w, &s->opc);
}

static void read_subscription(struct reader *r, struct vendor_subscription *s)
{
    s->slot = reader_u8(r);
    s->role = (enum vendor_role)(reader_u8(r) & 3);
    const uint8_t flags = reader_u8(r);
    s->enabled = (flags & 1) != 0;
    s->fallback = (flags & 2) != 0;
    take_text(r, s->iccid, sizeof(s->iccid));
    take_text(r, s->imsi, sizeof(s->imsi));
    take_text(r, s->msisdn, sizeof(s->msisdn));
    take_text(r, s->operator_name, sizeof(s->operator_name));
    take_secret(r, &s->k);
    take_secret(r, &s->opc);
}

enum store_status import_part_add(const struct import_target *t, const struct vendor_header *h,
                                  const struct vendor_card *card, uint64_t id)
{
    uint8_t octets[PART_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u8(&w, PART_FORM);
    write_keys(&w, h, card);
    writer_u8(&w, h->factory_count);
    for (uint8_t i = 0; i < h->factory_count; i++) {
        writer_u8(&w, h->factory[i].slot);
        writer_u8(&w, (uint8_t)h->factory[i].role);
        writer_u8(&w, (uint8_t)(h->factory[i].enabled | h->factory[i].fallback << 1));
    }
    writer_u8(&w, card->subscription_count);
    for (uint8_t i = 0; i < card->subscription_count; i++)
        write_subscription(&w, &card->subscriptions[i]);
    const enum store_status status =
        w.failed ? STORE_FAILED : load_part(t->load, t->store, id, writer_bytes(&w));
    secret_wipe(octets, sizeof(octets));
    return status;
}

static bool read_part(struct bytes octets, struct part *p)
{
    struct reader r = reader_of(octets);
    *p = (struct part){.keys = {.version = 0}};
    if (reader_u8(&r) != PART_FORM)
        return false;
    read_keys(&r, p);
    const uint8_t factory = reader_u8(&r);
    for (uint8_t i = 0; i < factory && i < VENDOR_SLOTS_MAX; i++) {
        struct vendor_factory *f = &p->factory[p->factory_count++];
        f->slot = reader_u8(&r);
        f->role = (enum vendor_role)(reader_u8(&r) & 3);
        const uint8_t flags = reader_u8(&r);
        f->enabled = (flags & 1) != 0;
        f->fallback = (flags & 2) != 0;
    }
    const uint8_t subscriptions = reader_u8(&r);
    for (uint8_t i = 0; i < subscriptions && i < VENDOR_SLOTS_MAX; i++)
        read_subscription(&r, &p->subscriptions[p->subscription_count++]);
    return reader_done(&r);
}

static enum store_status merge_keys(const struct import_target *t, struct record *r,
                                    const struct part *p)
{
    if (p->keys.kic.len == 0)
        return STORE_OK;
    r->level = p->level;
    r->slot_limit = p->slot_limit;
    r->mt_counter = p->counter > r->mt_counter ? p->counter : r->mt_counter;
    memcpy(r->applet_version, p->version, sizeof(r->applet_version));
    r->template_count = p->template_count;
    memcpy(r->templates, p->templates, sizeof(p->templates));
    const enum store_status status = store_card_keys_put(t->store, r->card, r->iccid, &p->keys);
    return status == STORE_OK ? store_card_reference_put(t->store, r->card, p->reference) : status;
}

// A subscription that is there, and agrees, may still want its keys or its number.
static enum store_status merge_subscription(const struct import_target *t, struct mirror_slot *slot,
                                            const struct vendor_subscription *from)
{
    struct subscription s;
    struct network_keys keys = {.k = from->k, .op = from->opc};
    enum store_status status = store_subscription_get(t->store, slot->subscription, &s);
    if (status != STORE_OK)
        return status;
    if (s.plan.number[0] == '\0') {
        copy_text(s.plan.number, sizeof(s.plan.number), from->msisdn);
        copy_text(slot->number, sizeof(slot->number), from->msisdn);
    }
    if (from->k.len > 0 && !s.has_keys)
        status = store_network_keys_put(t->store, s.plan.imsi, &keys);
    secret_wipe(&keys, sizeof(keys));
    s.has_keys = s.has_keys || from->k.len > 0;
    s.changed_at = t->now;
    return status == STORE_OK ? store_subscription_put(t->store, &s) : status;
}

// A slot that the header of another file told of keeps what that said.
static enum store_status merge_slot(struct import_target *t, struct record *r,
                                    const struct vendor_subscription *from)
{
    struct mirror_slot *known = slot_of(r, from->slot);
    if (known != NULL && known->subscription != 0)
        return merge_subscription(t, known, from);
    if (known == NULL)
        return r->slot_count < COMMAND_SLOTS_MAX ? put_slot(t, r, from) : STORE_FAILED;
    const struct audit_slot fact = known->fact;
    const struct mirror_slot last = r->slots[--r->slot_count];
    *known = last; // its place is the last one's now; the slot is put anew
    const enum store_status status = put_slot(t, r, from);
    struct mirror_slot *slot = &r->slots[r->slot_count - 1];
    slot->fact.state = fact.state;
    slot->fact.role = fact.role;
    slot->fact.is_fallback = fact.is_fallback;
    return status;
}

// Both parts are there: the keys for commands, and a subscription with its own.
static bool is_complete(const struct import_target *t, const struct record *r, const struct part *p)
{
    struct card_keys keys;
    struct subscription s;
    const bool has_keys = store_card_keys(t->store, r->card, &keys) == STORE_OK;
    bool has_network = false;
    secret_wipe(&keys, sizeof(keys));
    for (unsigned i = 0; i < p->subscription_count; i++)
        has_network = has_network || p->subscriptions[i].k.len > 0;
    for (unsigned i = 0; i < r->slot_count && !has_network; i++)
        has_network = r->slots[i].subscription != 0 &&
                      store_subscription_get(t->store, r->slots[i].subscription, &s) == STORE_OK &&
                      s.has_keys;
    return has_keys && has_network;
}

static enum store_status merge(struct import_target *t, struct record *r, const struct part *p)
{
    const struct record before = *r;
    enum store_status status = merge_keys(t, r, p);
    for (uint8_t i = 0; i < p->subscription_count && status == STORE_OK; i++)
        status = merge_slot(t, r, &p->subscriptions[i]);
    if (status != STORE_OK)
        return status;
    put_factory(r, p->factory, p->factory_count);
    sort_slots(r);
    if (r->state == CARD_IMPORTED_PARTIAL && is_complete(t, r, p))
        r->state = CARD_IMPORTED;
    r->version++;
    return store_card_save(t->store, &before, r);
}

// --- updates of cards that are known ---

// The card itself tells of its slots: an update gives what the card cannot tell.
static enum store_status replace_subscription(const struct import_target *t, struct record *r,
                                              const struct vendor_subscription *from)
{
    struct subscription s;
    struct network_keys keys = {.k = from->k, .op = from->opc};
    uint8_t imsi[COMMAND_IMSI_SIZE];
    const unsigned at = imsi_write(from->imsi, imsi) ? import_slot_with(r, imsi) : r->slot_count;
    if (at == r->slot_count || r->slots[at].subscription == 0)
        return STORE_OK; // the card has it no more
    struct mirror_slot *slot = &r->slots[at];
    enum store_status status = store_subscription_get(t->store, slot->subscription, &s);
    if (status == STORE_OK && from->k.len > 0)
        status = store_network_keys_put(t->store, imsi, &keys);
    secret_wipe(&keys, sizeof(keys));
    if (status != STORE_OK)
        return status;
    if (from->msisdn[0] != '\0') {
        copy_text(s.plan.number, sizeof(s.plan.number), from->msisdn);
        copy_text(slot->number, sizeof(slot->number), from->msisdn);
    }
    s.has_keys = s.has_keys || from->k.len > 0;
    s.changed_at = t->now;
    return store_subscription_put(t->store, &s);
}

static enum store_status replace_keys(const struct import_target *t, struct record *r,
                                      const struct part *p)
{
    if (r->state <= CARD_IMPORTED || p->keys.kic.len == 0)
        return merge_keys(t, r, p);
    r->mt_counter = p->counter > r->mt_counter ? p->counter : r->mt_counter;
    const enum store_status status = store_card_keys_put(t->store, r->card, r->iccid, &p->keys);
    return status == STORE_OK ? store_card_reference_put(t->store, r->card, p->reference) : status;
}

// What is believed of it may be wrong now: its next audit tells, or that the keys are not its own.
static enum store_status doubt(const struct import_target *t, uint64_t card)
{
    const struct event e = {
        .type = EVENT_MARK_DIRTY, .actor = t->actor, .reason = DIRTY_IMPORT_CHANGED_LIVE_CARD};
    const struct turn_prepared with = {
        .origin = {.reason = "changed by an import", .address = t->address}};
    struct turn_answer answer = {0};
    return turn_event_now(t->turn, card, &e, &with, &answer);
}

static enum store_status update(struct import_target *t, struct record *r, const struct part *p)
{
    const struct record before = *r;
    enum store_status status = replace_keys(t, r, p);
    for (uint8_t i = 0; i < p->subscription_count && status == STORE_OK; i++)
        status = replace_subscription(t, r, &p->subscriptions[i]);
    if (status != STORE_OK)
        return status;
    if (r->state == CARD_IMPORTED_PARTIAL && is_complete(t, r, p))
        r->state = CARD_IMPORTED;
    r->version++;
    status = store_card_save(t->store, &before, r);
    return status == STORE_OK && r->state > CARD_IMPORTED ? doubt(t, r->card) : status;
}

static enum store_status merge_next(struct import_target *t, bool *is_done)
{
    uint8_t octets[PART_MAX];
    uint64_t card = 0;
    struct writer w = writer_of(octets, sizeof(octets));
    struct part *p = calloc(1, sizeof(*p));
    struct record *r = calloc(1, sizeof(*r));
    enum store_status status = p != NULL && r != NULL ? STORE_OK : STORE_FAILED;
    if (status == STORE_OK)
        status = store_part_next(t->store, t->import, &card, &w);
    *is_done = status == STORE_NONE;
    if (status == STORE_OK && !read_part(writer_bytes(&w), p))
        status = STORE_FAILED;
    if (status == STORE_OK)
        status = store_card_load(t->store, card, r);
    if (status == STORE_OK)
        status = t->is_update ? update(t, r, p) : merge(t, r, p);
    if (status == STORE_OK)
        status = store_part_drop(t->store, t->import, card);
    secret_wipe(octets, sizeof(octets));
    if (p != NULL)
        secret_wipe(p, sizeof(*p));
    free(p);
    free(r);
    return *is_done ? STORE_OK : status;
}

enum store_status import_parts_merge(struct import_target *t, uint32_t limit, bool *is_done)
{
    enum store_status status = STORE_OK;
    *is_done = false;
    for (uint32_t i = 0; i < limit && status == STORE_OK && !*is_done; i++)
        status = merge_next(t, is_done);
    return status;
}

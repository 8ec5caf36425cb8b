#include "ota-server/core/record.h"

#include "common/wire/ident.h"

void record_init(struct record *r, uint64_t card)
{
    memset(r, 0, sizeof(*r));
    r->card = card;
    r->state = CARD_IMPORTED;
    r->level = 1;
    r->slot_limit = 8;
    parameters_default(&r->parameters);
}

const struct mirror_slot *record_enabled(const struct record *r)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.state == SLOT_ENABLED)
            return &r->slots[i];
    }
    return NULL;
}

bool record_is_in(const struct record *r, const char *plmn)
{
    char imsi[IMSI_SIZE];
    char heard[PLMN_SIZE];
    const struct bytes asked = bytes_of_text(plmn);
    const struct mirror_slot *slot = record_enabled(r);
    if (r->has_plmn && plmn_read(r->plmn, heard))
        return bytes_equal(bytes_of_text(heard), asked);
    return slot != NULL && imsi_read(slot->fact.imsi, imsi) &&
           bytes_equal(bytes_slice(bytes_of_text(imsi), 0, asked.len), asked);
}

const struct mirror_slot *record_fallback(const struct record *r)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.is_fallback)
            return &r->slots[i];
    }
    return NULL;
}

const struct mirror_slot *record_slot_named(const struct record *r,
                                            const struct subscription_name *name)
{
    if (!name->is_given)
        return NULL;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct audit_slot *f = &r->slots[i].fact;
        if (name->is_iccid && f->has_iccid && memcmp(f->iccid, name->iccid, sizeof(f->iccid)) == 0)
            return &r->slots[i];
        if (!name->is_iccid && memcmp(f->imsi, name->imsi, sizeof(f->imsi)) == 0)
            return &r->slots[i];
    }
    return NULL;
}

const struct mirror_slot *record_slot_of(const struct record *r, uint64_t subscription)
{
    if (subscription == 0)
        return NULL;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].subscription == subscription)
            return &r->slots[i];
    }
    return NULL;
}

const struct mirror_slot *record_slot_at(const struct record *r, uint8_t slot)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        if (r->slots[i].fact.slot == slot)
            return &r->slots[i];
    }
    return NULL;
}

struct subscription_name record_slot_name(const struct mirror_slot *slot)
{
    struct subscription_name name = {.is_given = true, .is_iccid = slot->fact.has_iccid};
    if (name.is_iccid)
        memcpy(name.iccid, slot->fact.iccid, sizeof(name.iccid));
    else
        memcpy(name.imsi, slot->fact.imsi, sizeof(name.imsi));
    return name;
}

const struct operation *record_operation(const struct record *r, uint64_t id)
{
    if (r->has_open && r->open.id == id)
        return &r->open;
    if (r->audit.is_open && r->audit.operation.id == id)
        return &r->audit.operation;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].id == id)
            return &r->queue[i];
    }
    return NULL;
}

uint8_t record_worst_mark(const struct record *r)
{
    for (uint8_t mark = CARD_MARKS; mark > 0; mark--) {
        if (record_has_mark(r, mark - 1))
            return mark - 1;
    }
    return CARD_MARKS;
}

bool operation_is_state_changing(uint8_t kind)
{
    return kind >= OPERATION_DOWNLOAD && kind <= OPERATION_SET_TIMERS;
}

struct utc record_doubted_at(const struct record *r)
{
    struct utc at = r->dirty_since;
    for (size_t i = 0; i < DIRTY_REASONS; i++) {
        if (r->reasons[i].since.ms > at.ms)
            at = r->reasons[i].since;
    }
    return at;
}

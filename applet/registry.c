#include "applet/image.h"

#include "common/base/secret.h"

bool image_is_used(const struct image *m, uint8_t index)
{
    return index < m->slot_count && m->slots[index].state != SLOT_EMPTY;
}

/*@ requires \valid_read(s);
  @ assigns \result \from *s;
  @ ensures \result ==> s->state <= SLOT_ENABLED && s->role <= ROLE_TEST && s->rank != 0;
  @*/
static bool is_sound_slot(const struct slot *s)
{
    return s->state <= SLOT_ENABLED && s->role <= ROLE_TEST && s->rank != 0 &&
           (s->mnc_length == 2 || s->mnc_length == 3);
}

/*@ requires \valid_read(a) && \valid_read(b);
  @ assigns \result \from *a, *b;
  @*/
static bool is_same_identity(const struct slot *a, const struct slot *b)
{
    if (memcmp(a->imsi, b->imsi, sizeof a->imsi) == 0)
        return true;
    return a->has_iccid && b->has_iccid && memcmp(a->iccid, b->iccid, sizeof a->iccid) == 0;
}

bool image_is_sound(const struct image *m)
{
    unsigned enabled = 0;
    unsigned fallback = 0;
    /*@ loop invariant 0 <= i <= m->slot_count && enabled <= i && fallback <= i;
      @ loop invariant enabled == 0 ==>
      @   (\forall integer k; 0 <= k < i ==> !is_enabled((struct image *)m, k));
      @ loop invariant enabled == 1 ==>
      @   (\exists integer k; 0 <= k < i && is_enabled((struct image *)m, k) &&
      @   (\forall integer j; 0 <= j < i && is_enabled((struct image *)m, j) ==> j == k));
      @ loop invariant fallback == 0 ==>
      @   (\forall integer k; 0 <= k < i ==> !is_fallback((struct image *)m, k));
      @ loop invariant fallback == 1 ==>
      @   (\exists integer k; 0 <= k < i && is_fallback((struct image *)m, k) &&
      @   (\forall integer j; 0 <= j < i && is_fallback((struct image *)m, j) ==> j == k));
      @ loop assigns i, enabled, fallback;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++) {
        const struct slot *s = &m->slots[i];
        if (s->state == SLOT_EMPTY)
            continue;
        if (!is_sound_slot(s))
            return false;
        //@ assert s->state == SLOT_ENABLED <==> is_enabled((struct image *)m, i);
        //@ assert s->is_fallback <==> is_fallback((struct image *)m, i);
        enabled += s->state == SLOT_ENABLED;
        fallback += s->is_fallback ? 1 : 0;
        /*@ loop invariant 0 <= j <= i;
          @ loop assigns j;
          @ loop variant i - j;
          @*/
        for (uint8_t j = 0; j < i; j++) {
            if (m->slots[j].state != SLOT_EMPTY && is_same_identity(s, &m->slots[j]))
                return false;
        }
    }
    bool is_preferred = m->preferred == IMAGE_NO_SLOT || image_is_used(m, m->preferred);
    return enabled == 1 && fallback == 1 && is_preferred;
}

uint8_t image_enabled(const struct image *m)
{
    /*@ loop invariant 0 <= i <= m->slot_count;
      @ loop invariant \forall integer j; 0 <= j < i ==> !is_enabled((struct image *)m, j);
      @ loop assigns i;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i].state == SLOT_ENABLED)
            return i;
    }
    return IMAGE_NO_SLOT;
}

uint8_t image_fallback(const struct image *m)
{
    /*@ loop invariant 0 <= i <= m->slot_count;
      @ loop invariant \forall integer j; 0 <= j < i ==> !is_fallback((struct image *)m, j);
      @ loop assigns i;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i].state != SLOT_EMPTY && m->slots[i].is_fallback)
            return i;
    }
    return IMAGE_NO_SLOT;
}

uint8_t image_find(const struct image *m, const struct subscription_name *name)
{
    if (!name->is_given)
        return IMAGE_NO_SLOT;
    /*@ loop invariant 0 <= i <= m->slot_count;
      @ loop assigns i;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++) {
        const struct slot *s = &m->slots[i];
        if (s->state == SLOT_EMPTY)
            continue;
        if (name->is_iccid && s->has_iccid && memcmp(s->iccid, name->iccid, sizeof s->iccid) == 0)
            return i;
        if (!name->is_iccid && memcmp(s->imsi, name->imsi, sizeof s->imsi) == 0)
            return i;
    }
    return IMAGE_NO_SLOT;
}

uint8_t image_free_slots(const struct image *m)
{
    uint8_t count = 0;
    /*@ loop invariant 0 <= count <= i <= m->slot_count;
      @ loop assigns i, count;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++)
        count = (uint8_t)(count + (m->slots[i].state == SLOT_EMPTY));
    return count;
}

struct subscription_name image_name(const struct image *m, uint8_t slot_index)
{
    struct subscription_name name = {.is_given = false};
    if (!image_is_used(m, slot_index))
        return name;
    const struct slot *s = &m->slots[slot_index];
    name.is_given = true;
    name.is_iccid = s->has_iccid;
    memcpy(name.iccid, s->iccid, sizeof name.iccid);
    memcpy(name.imsi, s->imsi, sizeof name.imsi);
    return name;
}

void image_enable(struct image *m, uint8_t slot_index)
{
    uint8_t former = image_enabled(m);
    if (former == slot_index || !image_is_used(m, slot_index))
        return;
    if (former != IMAGE_NO_SLOT)
        m->slots[former].state = SLOT_DISABLED;
    m->slots[slot_index].state = SLOT_ENABLED;
    m->registry_version++;
    m->generation++;
}

void image_forget(struct image *m, uint8_t slot_index)
{
    const uint16_t others = (uint16_t) ~(1u << slot_index);
    m->dues.cool[slot_index] = 0;
    m->search.tried &= others;
    m->search.failed &= others;
}

void image_set_fallback(struct image *m, uint8_t slot_index)
{
    uint8_t former = image_fallback(m);
    if (former == slot_index || slot_index == IMAGE_NO_SLOT)
        return;
    //@ assert is_fallback(m, former) && is_used(m, slot_index);
    /*@ assert \forall integer j; 0 <= j < m->slot_count && j != former &&
      @   m->slots[j].state != SLOT_EMPTY ==> !is_fallback(m, j) && !m->slots[j].is_fallback;
      @*/
    m->slots[former].is_fallback = false;
    m->slots[slot_index].is_fallback = true;
    /*@ assert \forall integer j; 0 <= j < m->slot_count && j != slot_index &&
      @   m->slots[j].state != SLOT_EMPTY ==> !m->slots[j].is_fallback;
      @*/
    //@ assert is_fallback(m, slot_index);
    m->registry_version++;
}

// Leaves no trace of the keys.
/*@ requires image_is_valid(m) && is_used(m, slot_index);
  @ requires !is_enabled(m, slot_index) && !is_fallback(m, slot_index);
  @ requires one_is_enabled(m) && one_is_fallback(m);
  @ assigns m->slots[slot_index];
  @ ensures m->slots[slot_index].state == SLOT_EMPTY;
  @ ensures one_is_enabled(m) && one_is_fallback(m);
  @*/
static void empty_slot(struct image *m, uint8_t slot_index)
{
    secret_wipe(&m->slots[slot_index], sizeof m->slots[slot_index]);
    //@ assert is_same_use{Pre, Here}(m);
}

void image_delete(struct image *m, uint8_t slot_index)
{
    m->registry_version++;
    image_forget(m, slot_index);
    if (m->preferred == slot_index) {
        m->preferred = IMAGE_NO_SLOT;
        m->dues.back = 0;
        m->dues.reuse = 0;
    }
    //@ assert is_same_registry{Pre, Here}(m);
    //@ assert is_same_use{Pre, Here}(m);
    empty_slot(m, slot_index);
}

uint8_t image_audit_slots(const struct image *m, struct audit_slot slots[COMMAND_SLOTS_MAX])
{
    uint8_t count = 0;
    for (uint8_t i = 0; i < m->slot_count; i++) {
        const struct slot *s = &m->slots[i];
        if (s->state == SLOT_EMPTY)
            continue;
        struct audit_slot *out = &slots[count++];
        *out = (struct audit_slot){
            .slot = (uint8_t)(i + 1),
            .state = s->state,
            .role = s->role,
            .is_fallback = s->is_fallback,
            .is_proven = s->is_proven,
            .marks = s->marks,
            .rank = s->rank,
            .template_number = s->template_number,
            .has_iccid = s->has_iccid,
        };
        memcpy(out->imsi, s->imsi, sizeof out->imsi);
        memcpy(out->iccid, s->iccid, sizeof out->iccid);
    }
    return count;
}

const struct outcome *image_outcome(const struct image *m, uint32_t operation_id)
{
    /*@ loop invariant 0 <= i <= m->outcome_count;
      @ loop invariant \forall integer k; 0 <= k < i ==> m->outcomes[k].operation_id !=
      operation_id;
      @ loop assigns i;
      @ loop variant m->outcome_count - i;
      @*/
    for (uint8_t i = 0; i < m->outcome_count; i++) {
        if (m->outcomes[i].operation_id == operation_id)
            return &m->outcomes[i];
    }
    return NULL;
}

void image_remember(struct image *m, const struct outcome *outcome)
{
    uint8_t last = m->outcome_count;
    if (last == IMAGE_OUTCOMES_MAX) {
        /*@ loop invariant 1 <= i <= IMAGE_OUTCOMES_MAX;
          @ loop assigns i, m->outcomes[0 .. IMAGE_OUTCOMES_MAX - 2];
          @ loop variant IMAGE_OUTCOMES_MAX - i;
          @*/
        for (uint8_t i = 1; i < IMAGE_OUTCOMES_MAX; i++)
            m->outcomes[i - 1] = m->outcomes[i];
        last--;
    }
    m->outcomes[last] = *outcome;
    m->outcome_count = (uint8_t)(last + 1);
    if (outcome->operation_id > m->operation_id_highest)
        m->operation_id_highest = outcome->operation_id;
}

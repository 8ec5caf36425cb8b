#include "ota-server/service/slots_tell.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_text.h"

// One side of one slot, or of the preferred subscription.
struct telling {
    char text[SLOTS_TELL_SIZE];
    struct writer to;
    uint8_t slot; // 0: of the card
};

static void put(struct telling *t, const char *name, const char *value)
{
    text_put(&t->to, t->to.len > 0 ? ", " : "");
    if (t->slot != 0) {
        text_put(&t->to, "slot");
        text_decimal(&t->to, t->slot);
        text_put(&t->to, ".");
    }
    text_put(&t->to, name);
    text_put(&t->to, "=");
    text_put(&t->to, value);
}

static void put_number(struct telling *t, const char *name, uint8_t value)
{
    char text[4];
    struct writer w = writer_of(text, sizeof(text));
    text_decimal(&w, value);
    put(t, name, text_end(&w));
}

static void put_bool(struct telling *t, const char *name, bool value)
{
    put(t, name, value ? "true" : "false");
}

static void put_subscription(struct telling *t, const char *name, uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, "sub", id);
    put(t, name, id != 0 ? text : "null");
}

// What differs from the other side. `is_after`: this is the side that names the subscription.
static void put_slot(struct telling *t, const struct mirror_slot *s, const struct mirror_slot *o,
                     bool is_after)
{
    const struct audit_slot *a = &s->fact;
    const struct audit_slot *b = &o->fact;
    const uint8_t marks = a->marks ^ b->marks;
    const bool is_alone = a->state == SLOT_EMPTY || b->state == SLOT_EMPTY;
    if (a->state != SLOT_EMPTY && (is_after || is_alone || s->subscription != o->subscription))
        put_subscription(t, "subscriptionId", s->subscription);
    if (a->state != b->state)
        put(t, "state", slot_state_name(a->state));
    if (a->state == SLOT_EMPTY)
        return;
    if (is_alone || a->role != b->role)
        put(t, "role", slot_role_name(a->role));
    if (a->is_fallback != b->is_fallback)
        put_bool(t, "fallback", a->is_fallback);
    if (a->is_proven != b->is_proven)
        put_bool(t, "proven", a->is_proven);
    if ((marks & SLOT_MARK_NO_DISABLE) != 0)
        put_bool(t, "noDisable", (a->marks & SLOT_MARK_NO_DISABLE) != 0);
    if ((marks & SLOT_MARK_NO_DELETE) != 0)
        put_bool(t, "noDelete", (a->marks & SLOT_MARK_NO_DELETE) != 0);
    if ((marks & SLOT_MARK_NOT_AUTO) != 0)
        put_bool(t, "auto", (a->marks & SLOT_MARK_NOT_AUTO) == 0);
    if (a->rank != b->rank)
        put_number(t, "rank", a->rank);
    if (a->template_number != b->template_number)
        put_number(t, "templateId", a->template_number);
    const bool has_other_iccid =
        a->has_iccid != b->has_iccid ||
        (a->has_iccid && memcmp(a->iccid, b->iccid, sizeof(a->iccid)) != 0);
    if (!is_alone && has_other_iccid)
        put(t, "iccid", "*");
    if (!is_alone && memcmp(a->imsi, b->imsi, sizeof(a->imsi)) != 0)
        put(t, "imsi", "*");
}

static void begin(struct telling *t, uint8_t slot)
{
    t->to = writer_of(t->text, sizeof(t->text));
    t->slot = slot;
}

static void tell(const struct record *was, const struct record *is, uint8_t slot,
                 struct telling *before, struct telling *after)
{
    static const struct mirror_slot empty = {.fact = {.state = SLOT_EMPTY}};
    const struct mirror_slot *a = record_slot_at(was, slot);
    const struct mirror_slot *b = record_slot_at(is, slot);
    begin(before, slot);
    begin(after, slot);
    if (slot == 0) {
        put_subscription(before, "preferred", was->preferred);
        put_subscription(after, "preferred", is->preferred);
        return;
    }
    put_slot(before, a == NULL ? &empty : a, b == NULL ? &empty : b, false);
    put_slot(after, b == NULL ? &empty : b, a == NULL ? &empty : a, true);
}

static void append(struct writer *to, const struct telling *t)
{
    text_put(to, to->len > 0 && t->to.len > 0 ? ", " : "");
    writer_copy(to, bytes_of(t->text, t->to.len));
}

static bool has_room(const struct writer *to, const struct telling *t)
{
    return to->len + t->to.len + 2 < SLOTS_TELL_SIZE;
}

uint32_t slots_tell(const struct record *was, const struct record *is, uint32_t set,
                    char before[SLOTS_TELL_SIZE], char after[SLOTS_TELL_SIZE])
{
    struct telling one, other;
    struct writer w = writer_of(before, SLOTS_TELL_SIZE);
    struct writer v = writer_of(after, SLOTS_TELL_SIZE);
    const uint32_t whole = set;
    // The preferred one is told last.
    for (uint8_t i = 1; i <= COMMAND_SLOTS_MAX + 1; i++) {
        const uint8_t slot = i % (COMMAND_SLOTS_MAX + 1);
        const uint32_t bit = UINT32_C(1) << slot;
        if ((set & bit) == 0)
            continue;
        tell(was, is, slot, &one, &other);
        if (!has_room(&w, &one) || !has_room(&v, &other))
            break;
        append(&w, &one);
        append(&v, &other);
        set &= ~bit;
    }
    check(set != whole); // the longest slot takes some 280 octets
    (void)text_end(&w);
    (void)text_end(&v);
    return set;
}

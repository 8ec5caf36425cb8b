#include "applet/image.h"
#include "applet/port.h"
#include "common/base/secret.h"

// Slot 1 carries the card's ICCID if no subscription does.
void image_factory_slot(const struct applet_factory *factory, uint8_t index, struct slot *out)
{
    *out = factory->subscriptions[index];
    if (index != 0 || out->state == SLOT_EMPTY || out->has_iccid)
        return;
    for (uint8_t i = 0; i < factory->subscription_count; i++) {
        const struct slot *s = &factory->subscriptions[i];
        if (s->has_iccid && memcmp(s->iccid, factory->card_iccid, sizeof s->iccid) == 0)
            return;
    }
    out->has_iccid = true;
    memcpy(out->iccid, factory->card_iccid, sizeof out->iccid);
}

static bool is_same_dialling(const struct dialling *a, const struct dialling *b)
{
    return bytes_equal(bytes_of(a->octets, a->len), bytes_of(b->octets, b->len));
}

static bool is_same_key(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == b->len && secret_equal(a->octets, b->octets, a->len);
}

// All but state, fallback attribute and whether it is proven.
static bool is_same_subscription(const struct slot *a, const struct slot *b)
{
    return a->role == b->role && a->marks == b->marks && a->rank == b->rank &&
           a->template_number == b->template_number && a->mnc_length == b->mnc_length &&
           memcmp(a->imsi, b->imsi, sizeof a->imsi) == 0 && a->has_iccid == b->has_iccid &&
           (!a->has_iccid || memcmp(a->iccid, b->iccid, sizeof a->iccid) == 0) &&
           is_same_dialling(&a->msisdn, &b->msisdn) && is_same_dialling(&a->smsc, &b->smsc) &&
           bytes_equal(bytes_of(a->plmns, a->plmns_len), bytes_of(b->plmns, b->plmns_len)) &&
           is_same_key(&a->keys.k, &b->keys.k) && is_same_key(&a->keys.op, &b->keys.op);
}

uint8_t image_factory_index(const struct applet_factory *factory, const struct slot *s)
{
    for (uint8_t i = 0; factory != NULL && i < factory->subscription_count; i++) {
        struct slot made;
        image_factory_slot(factory, i, &made);
        bool is_it = is_same_subscription(&made, s);
        secret_wipe(&made.keys, sizeof made.keys);
        if (is_it)
            return i;
    }
    return IMAGE_NO_RECORD;
}

#include "common/wire/sms.h"

void sms_joiner_init(struct sms_joiner *joiner)
{
    *joiner = (struct sms_joiner){0};
}

struct instant sms_joiner_deadline(const struct sms_joiner *joiner)
{
    struct instant earliest = INSTANT_NEVER;
    for (size_t i = 0; i < SMS_JOIN_SETS; i++) {
        if (joiner->sets[i].is_used)
            earliest = instant_earlier(earliest, joiner->sets[i].deadline);
    }
    return earliest;
}

unsigned sms_joiner_expire(struct sms_joiner *joiner, struct instant now)
{
    unsigned expired = 0;
    for (size_t i = 0; i < SMS_JOIN_SETS; i++) {
        struct sms_join_set *set = &joiner->sets[i];
        if (set->is_used && instant_is_due(set->deadline, now)) {
            set->is_used = false;
            expired++;
        }
    }
    return expired;
}

static bool is_of(const struct sms_join_set *set, const struct sms_address *sender,
                  const struct sms_part *part)
{
    return set->is_used && set->reference == part->reference && set->total == part->total &&
           set->is_wide == part->is_wide && sms_address_equal(&set->sender, sender);
}

// The set this part belongs to, or a fresh one: a free one, else the oldest. Where the caller's
// clock stands still only their numbers tell which that is.
static struct sms_join_set *set_of(struct sms_joiner *joiner, const struct sms_address *sender,
                                   const struct sms_part *part, struct instant now)
{
    struct sms_join_set *fresh = &joiner->sets[0];
    for (size_t i = 0; i < SMS_JOIN_SETS; i++) {
        struct sms_join_set *set = &joiner->sets[i];
        if (is_of(set, sender, part))
            return set;
        if (fresh->is_used && (!set->is_used || (int32_t)(set->number - fresh->number) < 0))
            fresh = set;
    }
    fresh->is_used = true;
    fresh->number = joiner->begun++;
    fresh->is_wide = part->is_wide;
    fresh->reference = part->reference;
    fresh->total = part->total;
    fresh->have = 0;
    fresh->marks = 0;
    fresh->has_card_reference = false;
    fresh->kind = SMS_NO_PACKET;
    fresh->sender = *sender;
    fresh->deadline = instant_after(now, SMS_JOIN_MS);
    return fresh;
}

static void keep(struct sms_join_set *set, const struct sms_part *part)
{
    const size_t index = part->number - 1u;
    set->have |= (uint8_t)(1u << index);
    set->len[index] = (uint8_t)part->octets.len;
    if (part->octets.len > 0)
        memcpy(set->octets + index * SMS_PART_MAX, part->octets.at, part->octets.len);
    if (part->kind != SMS_NO_PACKET) {
        set->marks++;
        set->kind = part->kind;
    }
    if (part->card_reference.len > 0 && !set->has_card_reference) {
        memcpy(set->card_reference, part->card_reference.at, SMS_CARD_REFERENCE_LEN);
        set->has_card_reference = true;
    }
}

// All parts are here: moves them together and gives the set up.
static enum sms_join finish(struct sms_join_set *set, struct sms_packet *out)
{
    set->is_used = false;
    if (set->marks != 1)
        return SMS_JOIN_REFUSED;
    size_t len = 0;
    for (size_t i = 0; i < set->total; i++) {
        memmove(set->octets + len, set->octets + i * SMS_PART_MAX, set->len[i]);
        len += set->len[i];
    }
    out->kind = set->kind;
    out->octets = bytes_of(set->octets, len);
    out->card_reference =
        bytes_of(set->card_reference, set->has_card_reference ? SMS_CARD_REFERENCE_LEN : 0);
    return SMS_JOIN_COMPLETE;
}

enum sms_join sms_join(struct sms_joiner *joiner, const struct sms_address *sender,
                       struct bytes user_data, struct instant now, struct sms_packet *out)
{
    struct sms_part part;
    *out = (struct sms_packet){0};
    (void)sms_joiner_expire(joiner, now);
    if (!sms_read_part(user_data, &part) || part.total > SMS_PARTS_MAX)
        return SMS_JOIN_REFUSED;
    if (part.total == 1) {
        if (part.kind == SMS_NO_PACKET)
            return SMS_JOIN_REFUSED;
        *out = (struct sms_packet){part.kind, part.octets, part.card_reference};
        return SMS_JOIN_COMPLETE;
    }
    if (part.octets.len > SMS_PART_MAX)
        return SMS_JOIN_REFUSED;
    struct sms_join_set *set = set_of(joiner, sender, &part, now);
    if (set->have & 1u << (part.number - 1u))
        return SMS_JOIN_DUPLICATE;
    keep(set, &part);
    const unsigned all = (1u << set->total) - 1u;
    return set->have == all ? finish(set, out) : SMS_JOIN_WAITING;
}

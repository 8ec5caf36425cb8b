// What the server's mirror says of a card, and whether it knows when that is not so: a mirror that
// differs without any doubt must be the card as it was when it was heard of last, and what happened
// since must still be told.
#include "common/base/check.h"
#include "tests/world/world.h"

static uint64_t add(uint64_t hash, const void *octets, size_t len)
{
    const uint8_t *at = octets;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001B3u;
    return hash;
}

// Of all that an audit tells of a slot, but whether it had service, of which no hash tells.
static uint64_t add_slot(uint64_t hash, const struct audit_slot *a)
{
    const uint8_t numbers[] = {a->slot, a->state,           a->role,     a->is_fallback, a->marks,
                               a->rank, a->template_number, a->has_iccid};
    hash = add(add(hash, numbers, sizeof numbers), a->imsi, sizeof a->imsi);
    return a->has_iccid ? add(hash, a->iccid, sizeof a->iccid) : hash;
}

#define NOTHING 0xCBF29CE484222325u

// Not made by the product's code that makes audits.
static struct audit_slot fact_of(const struct slot *s, uint8_t index)
{
    struct audit_slot fact = {.slot = (uint8_t)(index + 1),
                              .state = s->state,
                              .role = s->role,
                              .is_fallback = s->is_fallback,
                              .marks = s->marks,
                              .rank = s->rank,
                              .template_number = s->template_number,
                              .has_iccid = s->has_iccid};
    memcpy(fact.imsi, s->imsi, sizeof fact.imsi);
    memcpy(fact.iccid, s->iccid, sizeof fact.iccid);
    return fact;
}

static uint64_t digest_of_image(const struct image *image)
{
    uint64_t hash = NOTHING;
    for (uint8_t i = 0; i < image->slot_count; i++) {
        const struct audit_slot fact = fact_of(&image->slots[i], i);
        if (fact.state != SLOT_EMPTY)
            hash = add_slot(hash, &fact);
    }
    return hash;
}

static uint64_t digest_of_record(const struct record *r)
{
    uint64_t hash = NOTHING;
    for (uint8_t i = 0; i < r->slot_count; i++)
        hash = add_slot(hash, &r->slots[i].fact);
    return hash;
}

// --- the card ----------------------------------------------------------------------------------

static bool are_pending_equal(const struct image *a, const struct image *b)
{
    bool are_equal = a->pending_count == b->pending_count;
    for (uint8_t i = 0; i < a->pending_count && are_equal; i++)
        are_equal = a->pending[i].sequence == b->pending[i].sequence;
    return are_equal;
}

void mirror_card(struct world *w, uint32_t card, const struct image *before,
                 const struct image *now)
{
    struct truth *t = &w->truths[card];
    struct past *p = &t->past[now->registry_version % WORLD_PAST];
    if (!p->is_known || p->version != now->registry_version || t->has_forgotten)
        *p = (struct past){
            .is_known = true, .version = now->registry_version, .digest = digest_of_image(now)};
    if (now->journal.phase == JOURNAL_NONE)
        t->switch_version = now->registry_version;
    t->has_moved |= !t->is_known || before->registry_version != now->registry_version ||
                    !are_pending_equal(before, now) || before->journal.phase != now->journal.phase;
}

// What the card sends tells of its registry as it is now.
void mirror_said(struct world *w, struct air_message *m)
{
    const struct card *c = &w->devices[m->card].card;
    const struct applet_port port = card_port(&w->devices[m->card].card);
    struct sms_submit sms;
    struct applet_dump dump;
    if (m->card >= w->cards || !applet_dump(&c->applet, &port, &dump) ||
        sms_read_submit(bytes_of(m->tpdu, m->len), &sms) != SMS_OK)
        return;
    struct truth *t = &w->truths[m->card];
    m->version = dump.image.registry_version;
    t->letters[t->letter_count++ % WORLD_LETTERS] = (struct letter){
        .hash = add(NOTHING, sms.user_data.at, sms.user_data.len), .version = m->version};
}

bool mirror_is_outdated(const struct world *w, uint32_t card, struct bytes user_data)
{
    const struct truth *t = &w->truths[card];
    const uint64_t hash = add(NOTHING, user_data.at, user_data.len);
    for (uint32_t i = 0; i < t->letter_count && i < WORLD_LETTERS; i++) {
        if (t->letters[i].hash == hash)
            return t->letters[i].version != t->dump.image.registry_version;
    }
    return false; // made of another on its way: it may tell
}

// --- the server --------------------------------------------------------------------------------

bool check_is_equal(const struct record *r, const struct image *image)
{
    return digest_of_record(r) == digest_of_image(image);
}

void mirror_compare(struct world *w, uint32_t card, const struct record *r)
{
    struct truth *t = &w->truths[card];
    t->is_mirrored = t->is_known && check_is_equal(r, &t->dump.image);
    // At level 1 a message tells of two commits at most, and not which.
    t->is_foreign &= !t->is_mirrored && (r->level < 2 || r->mo_counter <= t->foreign_mo);
    t->has_forgotten &= !t->is_mirrored;
    w->cards_unlike &= ~(UINT64_C(1) << card);
    w->cards_unlike |= (uint64_t)!t->is_mirrored << card;
    t->heard = r->notify_sequence;
    t->mirror_digest = t->is_mirrored ? 0 : digest_of_record(r);
}

// Before its first contact a card has what the factory made.
static uint32_t version_named(const struct truth *t)
{
    return t->glance.registry_version > 0 ? t->glance.registry_version : 1;
}

// Will the card tell of it by itself? What the server handled is told no more, whatever becomes of
// its confirmation, unless a card that went back gives the number once more; an open switch
// explains what was not so before it.
static bool is_to_be_told(const struct world *w, uint32_t card)
{
    const struct truth *t = &w->truths[card];
    const struct image *image = &t->dump.image;
    bool is_pending = false;
    for (uint8_t i = 0; i < image->pending_count; i++)
        is_pending |=
            image->pending[i].sequence > t->heard || image->pending[i].sequence <= t->reused_until;
    const bool is_switching =
        image->journal.phase != JOURNAL_NONE && version_named(t) >= t->switch_version;
    // A memory that fails keeps the card from saying it for now.
    return is_pending || is_switching || w->devices[card].card.applet.is_late;
}

// Is a message that tells of it under way, or did the server take one that it cannot write down?
static bool is_told(const struct world *w, uint32_t card)
{
    const struct applet *a = &w->devices[card].card.applet;
    return a->sending.kind != 0 || a->answer.is_wanted || network_has_from(w, card) ||
           centre_has_from(w, card) || !turn_can_write(w->server.turn);
}

// Is the mirror what the card was when it had the version that the mirror says? False: also when
// nobody knows. While an operation is open it may be ahead of that version: the answer to a
// download that enables brings its slot, and only the outcome says the version; what the card did
// unheard before, and took back, lies between.
static bool is_of_the_past(const struct truth *t, bool *is_known)
{
    const uint32_t now = t->dump.image.registry_version;
    const uint32_t first = version_named(t);
    const uint32_t last = t->glance.is_doubted ? now : first;
    bool is_it = false;
    *is_known = !t->has_forgotten;
    for (uint32_t v = first; v <= last && v <= now; v++) {
        const struct past *p = &t->past[v % WORLD_PAST];
        const bool is_there = p->is_known && p->version == v;
        *is_known &= is_there;
        is_it |= is_there && p->digest == t->mirror_digest;
    }
    return is_it && !t->has_forgotten;
}

void check_mirror(struct world *w, uint32_t card, bool has_changed)
{
    struct truth *t = &w->truths[card];
    const bool is_two = identity_is_cloned(w, card) || t->glance.is_retired;
    if (!t->is_known || t->is_mirrored || is_two || (t->glance.is_doubted && !has_changed))
        return;
    bool is_past_known;
    const bool is_past = is_of_the_past(t, &is_past_known);
    const bool is_wrong = is_past_known && !is_past;
    // One that lost its counters cannot say anything any more.
    const bool is_silent =
        !t->is_foreign && !t->dump.is_blocked && !is_to_be_told(w, card) && !is_told(w, card);
    // A card that tells no hash may have done two things, of which the server ordered or heard of
    // one: while an operation is open, or after somebody else had it do something.
    const bool is_free = !t->glance.is_doubted && !t->is_foreign;
    // What it did unheard before a switch that is open, it will tell.
    const bool is_unheard =
        t->dump.image.journal.phase != JOURNAL_NONE && version_named(t) < t->switch_version;
    const bool is_sure = !t->glance.is_dirty && (is_free || (t->glance.has_hash && !is_unheard));
    if (has_changed)
        judged_note(&w->result.judged, JUDGED_MIRRORS,
                    is_silent || is_wrong || (is_past && is_sure));
    if (is_silent && !t->glance.is_doubted)
        world_violate(w, "no_silent_difference", card,
                      "mirror and card differ (REGV %u and %u), and nobody knows",
                      t->glance.registry_version, t->dump.image.registry_version);
    if (is_wrong && is_sure)
        world_violate(w, "no_silent_difference", card,
                      "the mirror says of REGV %u what the card was not, and nobody knows",
                      t->glance.registry_version);
}

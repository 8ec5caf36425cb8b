// What was answered is in the database: what a person was told is accepted, and what the message
// centre need not bring again.
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"
#include "tests/world/world.h"

#define HEADER_INDICATOR 0x40 // in esm_class

void kept_asked(void *context, const struct turn_answer *answer)
{
    struct asker *a = context;
    struct truth *t = &a->w->truths[a->card];
    if (answer->operation != 0 && !a->w->server.is_dying)
        t->accepted[t->accepted_count++ % WORLD_ACCEPTED_MAX] = answer->operation;
}

void kept_backup(struct world *w, uint32_t card)
{
    w->truths[card].backup_accepted = w->truths[card].accepted_count;
}

// What was accepted since is lost with the database.
void kept_restored(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    for (uint32_t i = t->backup_accepted; i < t->accepted_count; i++)
        t->accepted[i % WORLD_ACCEPTED_MAX] = 0;
}

void kept_check(struct world *w, uint32_t card)
{
    const struct truth *t = &w->truths[card];
    for (uint32_t i = 0; i < WORLD_ACCEPTED_MAX && i < t->accepted_count; i++) {
        struct operation o;
        uint64_t unused;
        if (t->accepted[i] == 0)
            continue;
        const enum store_status status =
            store_operation_get(w->server.store, t->accepted[i], &o, &unused);
        judged_note(&w->result.judged, JUDGED_ACCEPTED, status == STORE_OK || status == STORE_NONE);
        if (status == STORE_NONE)
            world_violate(w, "is_kept", card, "an operation was accepted, and is not there");
    }
}

// --- messages of cards -------------------------------------------------------------------------

// The MO counter of a notification in one message, with the right keys; else 0.
static uint64_t counter_of(const struct world *w, uint32_t card, struct bytes user_data)
{
    static const struct sms_address sender = {.digit_count = 2, .type = PHONE_INTERNATIONAL};
    const struct applet_factory *f = &w->people[card].factory;
    const struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid, .cmac_len = 8};
    struct sms_joiner alone;
    struct sms_packet packet;
    struct secured_packet p;
    uint8_t octets[SMS_PACKET_MAX];
    struct writer buffer = writer_of(octets, sizeof octets);
    uint8_t reference[SMS_CARD_REFERENCE_LEN]; // in clear: on its way it may become another's
    sms_joiner_init(&alone);
    if (sms_join(&alone, &sender, user_data, w->now, &packet) != SMS_JOIN_COMPLETE ||
        packet.kind != SMS_COMMAND_PACKET || !card_reference(&w->cipher, &f->kik, reference) ||
        !bytes_equal(packet.card_reference, bytes_of(reference, sizeof reference)))
        return 0;
    const bool is_own = secured_command_shape(packet.octets, &p) == SECURED_OK &&
                        secured_decipher(&p, &keys, &w->cipher, &buffer) == SECURED_OK &&
                        secured_verify(&p, &keys, &w->cipher) == SECURED_OK && p.tar == f->tar + 1;
    return is_own ? p.cntr : 0;
}

void kept_received(struct world *w, uint32_t link, uint64_t handle, const struct smpp_message *m)
{
    const uint32_t card = card_of_number(w, m->source.digits);
    const bool is_whole = (m->esm_class & HEADER_INDICATOR) != 0; // its network may have altered it
    const uint64_t counter =
        card < w->cards && is_whole ? counter_of(w, card, m->short_message) : 0;
    if (counter != 0)
        w->deliveries[w->delivery_count++ % WORLD_DELIVERIES_MAX] =
            (struct delivery){.link = link, .handle = handle, .card = card, .mo_counter = counter};
}

void kept_answered(struct world *w, uint32_t link, uint64_t handle)
{
    for (uint32_t i = 0; i < WORLD_DELIVERIES_MAX; i++) {
        struct delivery *d = &w->deliveries[i];
        struct record r;
        if (d->mo_counter == 0 || d->link != link || d->handle != handle)
            continue;
        const enum store_status status =
            store_card_load(w->server.store, w->people[d->card].id, &r);
        judged_note(&w->result.judged, JUDGED_TAKEN, status == STORE_OK);
        if (status == STORE_OK && r.mo_counter < d->mo_counter)
            world_violate(w, "is_kept", d->card,
                          "message %llu of the card was taken, and the mirror is at %llu",
                          (unsigned long long)d->mo_counter, (unsigned long long)r.mo_counter);
        d->mo_counter = 0;
    }
}

// Somebody else who holds the keys: another tool, or a server that this one knows nothing of. It
// commands cards behind the server's back, also what no server would: the enabled one deleted, old
// operations, numbers that were used. The server finds out, and learns what became of the card.
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "tests/world/world.h"

#define FLOOD_END 32   // octets: the MAC, which is ciphered with the rest, and more
#define PACKET_HEAD 10 // octets of a packet in clear [102.225 §5.1.1]; behind it:
#define MAC_AT 6
#define MAC_LEN 8
#define ID_AHEAD 5000 // further than the server counts in a world, less than it jumps

void hand_plan(struct world *w, uint32_t card)
{
    if (w->knobs.hand_ms != 0 && !w->is_settling)
        agenda_add(&w->agenda,
                   instant_after(w->now, world_delay(&w->chance_hand, w->knobs.hand_ms)),
                   HAPPENS_HAND, card, 0);
}

void hand_tempt(struct world *w, uint32_t card, const struct image *before,
                const struct image *after)
{
    const bool begins =
        after->journal.reason == REASON_ROLLBACK && before->journal.reason != REASON_ROLLBACK;
    if (w->knobs.hand_ms != 0 && begins && !w->is_settling)
        agenda_add(&w->agenda, instant_after(w->now, 1 + prng_below(&w->chance_hand, 1000)),
                   HAPPENS_HAND, card, COMMAND_CONFIRM);
}

// That the server gives out next; 0: nobody knows.
static uint32_t next_id(const struct world *w, uint32_t card)
{
    struct record r;
    const bool is_known = w->server.is_running &&
                          store_card_load(w->server.store, w->people[card].id, &r) == STORE_OK;
    return is_known ? r.operation_id_last + 1 : 0;
}

// One that is kept, one that is lower than the highest, the server's next; 0: one far ahead.
static uint32_t draw_id(struct world *w, uint32_t card)
{
    const struct image *image = &w->truths[card].dump.image;
    const uint32_t highest = image->operation_id_highest;
    const uint64_t kind = prng_below(&w->chance_hand, 8);
    if (kind == 0 && image->outcome_count > 0)
        return image->outcomes[prng_below(&w->chance_hand, image->outcome_count)].operation_id;
    if (kind == 1 && highest > 1)
        return 1 + (uint32_t)prng_below(&w->chance_hand, highest - 1);
    if (kind <= 3)
        return next_id(w, card);
    return 0;
}

static void draw_command(struct world *w, uint32_t wanted, struct deed *d)
{
    static const uint8_t kinds[] = {COMMAND_DELETE,       COMMAND_DELETE,  COMMAND_ENABLE,
                                    COMMAND_SET_FALLBACK, COMMAND_CONFIRM, COMMAND_DOWNLOAD};
    struct prng *p = &w->chance_hand;
    d->subscription = (uint32_t)prng_below(p, WORLD_SUBSCRIPTIONS);
    const uint8_t drawn = kinds[prng_below(p, sizeof kinds)];
    d->what = wanted != 0 ? wanted : drawn;
    d->id = draw_id(w, d->card);
    if (d->what == COMMAND_ENABLE)
        d->flags = COMMAND_FLAG_ROLLBACK;
    if (d->what == COMMAND_SET_FALLBACK && prng_below(p, 2) == 0)
        d->flags = COMMAND_FLAG_FORCE;
    d->ahead = 1 + (uint32_t)prng_below(p, 3);
}

static struct command command_of(const struct world *w, const struct deed *d)
{
    static const uint8_t no_keys[32]; // that open
    const struct image *image = &w->truths[d->card].dump.image;
    const struct subject subject = group_subject(w, d->card, d->subscription);
    const struct slot *slot = &w->people[subject.person].slots[subject.subscription];
    struct command c = {.number = (uint8_t)d->what,
                        .operation_id = d->id != 0 ? d->id : image->operation_id_highest + ID_AHEAD,
                        .flags = (uint8_t)d->flags,
                        .target = {.is_given = true, .is_iccid = slot->has_iccid}};
    if (slot->has_iccid)
        memcpy(c.target.iccid, slot->iccid, sizeof c.target.iccid);
    else
        memcpy(c.target.imsi, slot->imsi, sizeof c.target.imsi);
    if (c.number == COMMAND_CONFIRM && image->pending_count > 0) {
        const struct pending *p = &image->pending[image->pending_count - 1];
        c.operation_id = p->operation_id;
        c.confirm.sequence = p->sequence;
    }
    if (c.number == COMMAND_DOWNLOAD) {
        c.download.template_number = 1;
        c.download.wrapped_keys = bytes_of(no_keys, sizeof no_keys);
        memcpy(c.download.imsi, slot->imsi, sizeof c.download.imsi);
    }
    return c;
}

bool hand_sent(const struct world *w, uint32_t card, uint64_t counter)
{
    const struct truth *t = &w->truths[card];
    bool is_sent = false;
    for (uint32_t i = 0; i < WORLD_HANDS_MAX; i++)
        is_sent |= t->hand_count > i && t->hand_counters[i] == counter;
    return is_sent;
}

static void write_packet(struct world *w, uint32_t card, const struct command *c, uint64_t counter,
                         struct writer *user_data)
{
    const struct applet_factory *f = &w->people[card].factory;
    uint8_t data[COMMAND_BODY_MAX];
    uint8_t octets[SMS_PACKET_MAX];
    struct writer body = writer_of(data, sizeof data);
    struct writer packet = writer_of(octets, sizeof octets);
    command_write(&body, c);
    const struct secured_command whole = {.spi1 = 0x16,
                                          .spi2 = 0x39,
                                          .kic = 0x12,
                                          .kid = 0x12,
                                          .tar = f->tar,
                                          .cntr = counter,
                                          .data = writer_bytes(&body)};
    const struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid, .cmac_len = 8};
    check(!body.failed && secured_write_command(&packet, &whole, &keys, &w->cipher) == SECURED_OK);
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    check(sms_cut_count(&cut, packet.len) == 1);
    sms_cut_part(&cut, writer_bytes(&packet), 0, user_data);
    check(!user_data->failed);
}

// The number that the card is attached with, or NULL.
static const struct radio_subscriber *attached(struct world *w, uint32_t card)
{
    const struct device *d = &w->devices[card];
    return d->network == DEVICE_NO_NETWORK ? NULL : radio_by_imsi(&w->radio, d->imsi);
}

void hand_happen(struct world *w, const struct entry *e)
{
    struct deed d = {.kind = DEED_HAND, .card = e->subject};
    if (e->value == 0)
        hand_plan(w, e->subject);
    if (!w->truths[e->subject].is_known || attached(w, e->subject) == NULL || w->is_settling)
        return;
    draw_command(w, e->value, &d);
    world_do(w, &d);
}

void hand_do(struct world *w, const struct deed *d)
{
    struct truth *t = &w->truths[d->card];
    const struct radio_subscriber *s = attached(w, d->card);
    if (!t->is_known || s == NULL || d->subscription >= WORLD_SUBSCRIPTIONS)
        return;
    const struct command c = command_of(w, d);
    const uint64_t counter = t->dump.mt_counter + d->ahead;
    if (counter > COUNTER_LAST)
        return;
    uint8_t octets[SMS_USER_DATA_MAX];
    struct writer user_data = writer_of(octets, sizeof octets);
    write_packet(w, d->card, &c, counter, &user_data);
    t->hand_counters[t->hand_count++ % WORLD_HANDS_MAX] = counter;
    t->is_foreign = true;
    t->foreign_mo = w->devices[d->card].card.applet.mo_counter;
    if (c.number == COMMAND_CONFIRM)
        check_confirmed(w, d->card, c.confirm.sequence);
    world_note(w, "hand", "card=%u command=%s id=%u counter=%llu", d->card,
               command_number_name(c.number), c.operation_id, (unsigned long long)counter);
    network_hand(w, s->msisdn, writer_bytes(&user_data));
}

// Not the packet that was made: mostly another end of it, which its MAC is in, and sometimes
// another octet anywhere, down to those that say what it is and whose.
static void spoil(struct prng *p, uint8_t *octets, size_t len)
{
    const size_t from = prng_below(p, 4) > 0 && len > FLOOD_END ? len - FLOOD_END : 0;
    octets[from + prng_below(p, len - from)] ^= (uint8_t)(1 + prng_below(p, 255));
}

// Right but for one octet in the second half of the MAC, which is ciphered with the rest.
static void spoil_mac(struct world *w, uint32_t card, struct prng *p, uint8_t *octets, size_t len)
{
    static const uint8_t zeros[CIPHER_AES_BLOCK] = {0};
    const struct secret_key *key = &w->people[card].factory.kic;
    const size_t from = 1 + octets[0] + PACKET_HEAD; // behind the user data header
    const struct cipher *c = &w->cipher;
    check(c->cbc_decrypt(c->context, CIPHER_AES, key, zeros, octets + from, len - from));
    octets[from + MAC_AT + MAC_LEN / 2 + prng_below(p, MAC_LEN / 2)] ^=
        (uint8_t)(1 + prng_below(p, 255));
    check(c->cbc_encrypt(c->context, CIPHER_AES, key, zeros, octets + from, len - from));
}

// Packets that are right but for an octet, no two of them alike.
void hand_flood(struct world *w, const struct deed *d)
{
    const struct radio_subscriber *s = attached(w, d->card);
    if (!w->truths[d->card].is_known || s == NULL)
        return;
    world_note(w, "flood", "card=%u count=%u", d->card, d->count);
    static const uint8_t commands[] = {COMMAND_ENABLE, COMMAND_AUDIT, COMMAND_SET_FALLBACK};
    struct prng p;
    prng_init(&p, w->options.seed + w->now.ms, "flood", d->card);
    const uint64_t msisdn = s->msisdn;
    if (w->truths[d->card].dump.mt_counter + d->count > COUNTER_LAST)
        return;
    for (uint32_t i = 0; i < d->count; i++) {
        uint8_t octets[SMS_USER_DATA_MAX];
        struct writer user_data = writer_of(octets, sizeof octets);
        const struct deed wrong = {.card = d->card, .what = commands[prng_below(&p, 3)]};
        const struct command c = command_of(w, &wrong);
        write_packet(w, d->card, &c, w->truths[d->card].dump.mt_counter + i + 1, &user_data);
        if (i % 4 == 3)
            spoil_mac(w, d->card, &p, octets, user_data.len);
        else
            spoil(&p, octets, user_data.len);
        network_hand(w, msisdn, writer_bytes(&user_data));
    }
}

// It owns up to what it did; so does a card that two faults at once kept from saying what it lost.
void hand_calm(struct world *w)
{
    agenda_forget(&w->agenda, HAPPENS_HAND);
    for (uint32_t i = 0; i < w->cards; i++) {
        struct event e = {.type = EVENT_MARK_DIRTY,
                          .actor = {.kind = ACTOR_USER, .id = 1},
                          .reason = DIRTY_OPERATOR_REQUEST};
        const bool is_owed = w->truths[i].hand_count > 0 || w->truths[i].is_foreign;
        if (is_owed && server_is_awake(w))
            check(turn_event(w->server.turn, w->people[i].id, &e, NULL, NULL));
    }
}

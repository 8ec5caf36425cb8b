#include "sim-emulator/shell/cards.h"

#include "common/base/check.h"
#include "common/base/prng.h"
#include "sim-emulator/shell/cards_vendor.h"

#include <stdio.h>
#include <stdlib.h>

// --- growing lists ---------------------------------------------------------------------------

static bool grow(void **list, uint32_t *room, uint32_t needed, size_t size)
{
    if (needed <= *room)
        return true;
    uint32_t larger = *room == 0 ? 1024 : *room * 2;
    void *moved = realloc(*list, larger * size);
    if (moved == NULL)
        return false;
    *list = moved;
    *room = larger;
    return true;
}

bool cards_add_known(struct cards *cards, const struct cards_known *known)
{
    if (!grow((void **)&cards->known, &cards->known_room, cards->known_count + 1,
              sizeof *cards->known))
        return false;
    struct cards_known *k = &cards->known[cards->known_count];
    *k = *known;
    // 999 and a running number: in nobody's numbering plan.
    if (k->msisdn[0] == 0)
        (void)snprintf(k->msisdn, sizeof k->msisdn, "999%09u", cards->known_count + 1);
    cards->known_count++;
    return true;
}

bool cards_add(struct cards *cards, const struct applet_factory *factory, const struct slot *slots)
{
    if (!grow((void **)&cards->factories, &cards->factory_room, cards->count + 1,
              sizeof *cards->factories) ||
        !grow((void **)&cards->slots, &cards->slot_room,
              cards->slot_count + factory->subscription_count, sizeof *cards->slots))
        return false;
    cards->factories[cards->count] = *factory;
    for (uint8_t i = 0; i < factory->subscription_count; i++)
        cards->slots[cards->slot_count++] = slots[i];
    cards->count++;
    return true;
}

// The lists may have moved while they grew: pointers are set at the end.
static void link_lists(struct cards *cards)
{
    struct slot *at = cards->slots;
    for (uint32_t i = 0; i < cards->count; i++) {
        cards->factories[i].subscriptions = at;
        cards->factories[i].templates = cards->templates;
        at += cards->factories[i].subscription_count;
    }
}

// --- templates -------------------------------------------------------------------------------

void cards_set_templates(struct cards *cards, const uint8_t *numbers, uint8_t count)
{
    check(count <= COMMAND_TEMPLATES_MAX);
    for (uint8_t i = 0; i < count; i++) {
        struct applet_template *t = &cards->templates[i];
        *t = (struct applet_template){.number = numbers[i],
                                      .version = 1,
                                      .role = ROLE_OPERATIONAL,
                                      .rank = 1, // as servers take it that do not name one
                                      .mnc_length = 2};
        cards_set_number(&t->smsc, CARDS_SERVICE_CENTRE);
        (void)snprintf(t->name, sizeof t->name, "template %u", numbers[i]);
    }
}

static void fill_templates(struct cards *cards)
{
    uint8_t numbers[COMMAND_TEMPLATES_MAX];
    for (uint8_t i = 0; i < COMMAND_TEMPLATES_MAX; i++)
        numbers[i] = (uint8_t)(i + 1);
    cards_set_templates(cards, numbers, COMMAND_TEMPLATES_MAX);
}

// --- generated cards -------------------------------------------------------------------------

static struct secret_key random_key(struct prng *p)
{
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u64(&w, prng_next(p));
    writer_u64(&w, prng_next(p));
    return secret_key_of(writer_bytes(&w));
}

void cards_set_number(struct dialling *to, const char *digits)
{
    struct phone phone;
    uint8_t octets[COMMAND_NUMBER_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    check(phone_of_text(digits, &phone));
    writer_u8(&w, PHONE_INTERNATIONAL);
    phone_write_bcd(&w, &phone);
    check(!w.failed);
    to->len = (uint8_t)w.len;
    memcpy(to->octets, octets, w.len);
}

// Slot 1: the enabled bootstrap subscription of 001 01, which is the fallback too. Slot 2: an
// operational one of 001 02.
static bool generate_one(struct cards *cards, const struct options *options, uint32_t number)
{
    struct prng p;
    prng_init(&p, options->seed, "generated card", number);
    struct applet_factory f = {.version = {1, 0, 0},
                               .level = 2,
                               .slot_count = 8,
                               .tar = 0x534D01,
                               .key_version = 1,
                               .template_count = COMMAND_TEMPLATES_MAX,
                               .subscription_count = 2};
    f.kic = random_key(&p);
    f.kid = random_key(&p);
    f.kik = random_key(&p);
    cards_set_number(&f.server_address, options->server_number);
    char iccid[ICCID_SIZE];
    (void)snprintf(iccid, sizeof iccid, "8900101%05lu%06u",
                   strtoul(options->batch, NULL, 10) % 100000UL, number);
    iccid[18] = luhn_digit(iccid, 18);
    iccid[19] = 0;
    check(iccid_write(iccid, f.card_iccid));

    struct slot slots[2];
    memset(slots, 0, sizeof slots);
    for (unsigned i = 0; i < 2; i++) {
        struct cards_known known = {.keys = {.k = random_key(&p), .op = random_key(&p)}};
        (void)snprintf(known.imsi, sizeof known.imsi, "0010%u%010u", i + 1, number);
        (void)snprintf(known.msisdn, sizeof known.msisdn, "9990%u%08u", i + 1, number);
        slots[i].state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED;
        slots[i].role = i == 0 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL;
        slots[i].is_fallback = i == 0;
        slots[i].rank = (uint8_t)(i + 1);
        slots[i].mnc_length = 2;
        slots[i].keys = known.keys;
        check(imsi_write(known.imsi, slots[i].imsi));
        cards_set_number(&slots[i].msisdn, known.msisdn);
        cards_set_number(&slots[i].smsc, CARDS_SERVICE_CENTRE);
        if (!cards_add_known(cards, &known))
            return false;
    }
    return cards_add(cards, &f, slots);
}

// --- all -------------------------------------------------------------------------------------

bool cards_open(struct cards *cards, const struct options *options, const struct cipher *cipher,
                char error[CARDS_ERROR_SIZE])
{
    memset(cards, 0, sizeof *cards);
    fill_templates(cards);
    bool ok = true;
    (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory for the cards");
    for (uint32_t i = 0; ok && i < options->count; i++)
        ok = generate_one(cards, options, i + 1);
    if (ok && options->cards != NULL)
        ok = cards_read_vendor(cards, options, options->cards, false, cipher, error);
    if (ok && options->pool != NULL)
        ok = cards_read_vendor(cards, options, options->pool, true, cipher, error);
    link_lists(cards);
    return ok;
}

void cards_close(struct cards *cards)
{
    if (cards->factories != NULL)
        secret_wipe(cards->factories, cards->factory_room * sizeof *cards->factories);
    if (cards->slots != NULL)
        secret_wipe(cards->slots, cards->slot_room * sizeof *cards->slots);
    if (cards->known != NULL)
        secret_wipe(cards->known, cards->known_room * sizeof *cards->known);
    free(cards->factories);
    free(cards->slots);
    free(cards->known);
    memset(cards, 0, sizeof *cards);
}

bool cards_fill_radio(const struct cards *cards, struct radio *radio, char error[CARDS_ERROR_SIZE])
{
    uint32_t len = 16;
    while (len < cards->known_count * 2)
        len *= 2;
    radio->subscribers = calloc(cards->known_count + 1, sizeof *radio->subscribers);
    radio->by_imsi = calloc(len, sizeof *radio->by_imsi);
    radio->by_msisdn = calloc(len, sizeof *radio->by_msisdn);
    radio->subscriber_max = cards->known_count;
    radio->index_len = len;
    (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory for the register");
    if (radio->subscribers == NULL || radio->by_imsi == NULL || radio->by_msisdn == NULL)
        return false;
    for (uint32_t i = 0; i < cards->known_count; i++) {
        const struct cards_known *k = &cards->known[i];
        switch (radio_subscriber_add(radio, k->imsi, k->msisdn, &k->keys)) {
        case RADIO_ADDED:
            break;
        case RADIO_FULL:
        case RADIO_TWICE:
            (void)snprintf(error, CARDS_ERROR_SIZE,
                           "subscription %u: its IMSI or its number is there twice", i + 1);
            return false;
        case RADIO_KEYS:
            (void)snprintf(error, CARDS_ERROR_SIZE,
                           "subscription %u: only Milenage keys of 16 octets can be used", i + 1);
            return false;
        }
    }
    return true;
}

void cards_empty_radio(struct radio *radio)
{
    if (radio->subscribers != NULL)
        secret_wipe(radio->subscribers, radio->subscriber_max * sizeof *radio->subscribers);
    free(radio->subscribers);
    free(radio->by_imsi);
    free(radio->by_msisdn);
    radio->subscribers = NULL;
    radio->by_imsi = NULL;
    radio->by_msisdn = NULL;
}

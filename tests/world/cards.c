// The cards of a world: keys, subscriptions, devices, and the networks that know them.
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGES_PER_CARD 256
#define INDEX_LEN 1024
#define NUMBER_PLACE_DIGITS 7 // of a number: whose it is

static const char scenario_text[] = "otaria-scenario 1\n"
                                    "network 00101 lte\n"
                                    "network 00102 lte\n"
                                    "network 00103 lte\n"
                                    "allow 00101 00101\n"
                                    "allow 00102 00102\n"
                                    "allow 00103 00103\n"
                                    "area home 00101 00102 00103\n"
                                    "area first 00101\n"
                                    "area second 00102\n"
                                    "area third 00103\n"
                                    "area hole none\n";

static void dial(struct dialling *to, const char *digits)
{
    struct phone phone;
    struct writer w = writer_of(to->octets, sizeof to->octets);
    check(phone_of_text(digits, &phone));
    writer_u8(&w, PHONE_INTERNATIONAL);
    phone_write_bcd(&w, &phone);
    check(!w.failed);
    to->len = (uint8_t)w.len;
}

static void make_subscription(struct world *w, uint32_t card, unsigned i, struct prng *p)
{
    struct person *person = &w->people[card];
    struct slot *s = &person->slots[i];
    char imsi[IMSI_SIZE];
    const unsigned network = i % WORLD_NETWORKS + 1;
    (void)snprintf(imsi, sizeof imsi, "0010%u%010u", network, card * 10 + i + 1);
    (void)snprintf(person->numbers[i], NUMBER_TEXT_SIZE, "9990%u%07u", network, card * 10 + i + 1);
    *s = (struct slot){.state = i == 0 ? SLOT_ENABLED : SLOT_DISABLED,
                       .role = i == 0 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL,
                       .rank = (uint8_t)(i + 1),
                       .is_fallback = i == 0,
                       .mnc_length = 2,
                       .keys = {.k = shape_key(p), .op = shape_key(p)}};
    check(imsi_write(imsi, s->imsi));
    dial(&s->msisdn, person->numbers[i]);
    dial(&s->smsc, "99900001");
    check(radio_subscriber_add(&w->radio, imsi, person->numbers[i], &s->keys) == RADIO_ADDED);
}

static void make_card(struct world *w, uint32_t card)
{
    struct person *person = &w->people[card];
    struct prng p;
    prng_init(&p, w->options.seed, "card", card);
    const bool is_old = w->story.models[card] == STORY_MODEL_OLD;
    person->asker = (struct asker){w, card};
    person->factory = (struct applet_factory){.level = is_old ? 1 : 2,
                                              .slot_count = SHAPE_SLOTS,
                                              .tar = WORLD_TAR,
                                              .key_version = 1,
                                              .template_count = 2,
                                              .templates = w->templates,
                                              .subscriptions = person->shape.slots};
    person->factory.kic = shape_key(&p);
    person->factory.kid = shape_key(&p);
    person->factory.kik = shape_key(&p);
    dial(&person->factory.server_address, WORLD_SERVER_NUMBER);
    char iccid[ICCID_SIZE];
    (void)snprintf(iccid, sizeof iccid, "890010100000%06u", card + 1);
    iccid[18] = luhn_digit(iccid, 18);
    iccid[19] = 0;
    check(iccid_write(iccid, person->factory.card_iccid));
    for (unsigned i = 0; i < WORLD_SUBSCRIPTIONS; i++)
        make_subscription(w, card, i, &p);
    // The first one carries the card's own ICCID.
    person->slots[0].has_iccid = true;
    memcpy(person->slots[0].iccid, person->factory.card_iccid, sizeof person->slots[0].iccid);
    shape_make(w, card);
}

// Kinds of devices: the usual one, one that polls seldom, one that is on for ten minutes an hour
// (in a slow world, off for one hour a day), one that is busy for REFRESH, one that ignores it, one
// that refuses it, and the usual one with a card of level 1.
static void drop(struct device_model *m, const enum cat_feature *features, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cat_profile_set(m->profile, m->profile_len, features[i], false);
}

// In which cards are for a while: timers that are late, and all at once; without timers; without
// STATUS; with neither.
static void make_clocks(struct device_model models[WORLD_CLOCKS])
{
    static const enum cat_feature timers[] = {CAT_FEATURE_TIMER_START_STOP, CAT_FEATURE_TIMER_READ,
                                              CAT_FEATURE_TIMER_EXPIRATION};
    static const enum cat_feature polling[] = {CAT_FEATURE_POLL_INTERVAL, CAT_FEATURE_POLLING_OFF};
    models[0].timer_step_s = 900;
    for (size_t i = 1; i < WORLD_CLOCKS; i++) {
        if (i != 2)
            drop(&models[i], timers, sizeof timers / sizeof timers[0]);
        if (i == 1)
            continue;
        drop(&models[i], polling, sizeof polling / sizeof polling[0]);
        models[i].status_s = 0;
    }
}

// The same: they send no message of a card, know no REFRESH, tell of no event, or tell the IMEISV
// alone, and not where they are.
static void make_profiles(struct device_model models[WORLD_PROFILES])
{
    static const enum cat_feature messages[] = {CAT_FEATURE_SEND_SHORT_MESSAGE};
    static const enum cat_feature refresh[] = {CAT_FEATURE_REFRESH};
    static const enum cat_feature events[] = {
        CAT_FEATURE_SET_UP_EVENT_LIST, CAT_FEATURE_EVENT_LOCATION_STATUS,
        CAT_FEATURE_EVENT_TECHNOLOGY, CAT_FEATURE_EVENT_REJECTION_UTRAN,
        CAT_FEATURE_EVENT_REJECTION_EUTRAN};
    static const enum cat_feature places[] = {CAT_FEATURE_LOCATION_AND_IMEI};
    drop(&models[0], messages, sizeof messages / sizeof messages[0]);
    drop(&models[1], refresh, sizeof refresh / sizeof refresh[0]);
    drop(&models[2], events, sizeof events / sizeof events[0]);
    drop(&models[3], places, sizeof places / sizeof places[0]);
    cat_profile_set(models[3].profile, models[3].profile_len, CAT_FEATURE_IMEISV, true);
}

static void make_models(struct world *w)
{
    struct scenario *s = &w->scenario;
    for (uint8_t i = 0; i < STORY_MODELS + WORLD_CLOCKS + WORLD_PROFILES; i++) {
        device_model_init(&s->models[i], "world");
        s->models[i].status_s = 240;
        cat_profile_set(s->models[i].profile, s->models[i].profile_len, CAT_FEATURE_POLL_INTERVAL,
                        i == 0);
    }
    s->model_count = STORY_MODELS + WORLD_CLOCKS + WORLD_PROFILES;

    make_clocks(&s->models[STORY_MODELS]);
    make_profiles(&s->models[STORY_MODELS + WORLD_CLOCKS]);
    const bool is_slow = w->calm > 2;
    s->models[2].on_s = is_slow ? 23 * 3600 : 600;
    s->models[2].off_s = is_slow ? 3600 : 3000;
    s->models[3].refresh = DEVICE_REFRESH_BUSY;
    s->models[3].busy_ms = 45000;
    s->models[4].refresh = DEVICE_REFRESH_IGNORE;
    s->models[STORY_MODEL_REFUSING].refresh = DEVICE_REFRESH_REFUSE;
}

static uint32_t draw(void *context)
{
    struct world *w = context;
    return (uint32_t)prng_next(&w->chance_card);
}

static void note_answers(struct world *w, uint32_t card)
{
    const struct device *d = &w->devices[card];
    probes_answered(&w->result.probes, &d->answers, d->answered_so - w->people[card].answered_so);
    w->people[card].answered_so = d->answered_so;
}

static void touch(void *context, uint32_t device)
{
    struct world *w = context;
    w->cards_touched |= UINT64_C(1) << device;
    if (device < w->cards && w->people[device].answered_so != w->devices[device].answered_so)
        note_answers(w, device);
    if (device >= w->cards || w->people[device].reset_at == 0 || w->devices[device].reset_at != 0)
        return;
    w->people[device].reset_at = 0;
    probes_card(&w->result.probes, PROBE_RESET, true);
}

void cards_make(struct world *w)
{
    check(cipher_openssl_open(&w->cipher));
    radio_init(&w->radio, &w->cipher, w->options.seed);
    w->radio.subscribers = w->subscribers;
    w->radio.subscriber_max = WORLD_CARDS_MAX * WORLD_SUBSCRIPTIONS;
    w->radio.by_imsi = w->by_imsi;
    w->radio.by_msisdn = w->by_msisdn;
    w->radio.index_len = INDEX_LEN;
    for (uint8_t i = 0; i < 2; i++)
        w->templates[i] = (struct applet_template){
            .number = (uint8_t)(i + 1), .version = 1, .name = "world", .rank = 3, .mnc_length = 2};
    const uint32_t devices = w->cards + identity_clones(w);
    w->devices = calloc(devices, sizeof *w->devices);
    w->truths = calloc(w->cards, sizeof *w->truths);
    w->pages = calloc((size_t)devices * PAGES_PER_CARD + 2, sizeof *w->pages);
    check(w->devices != NULL && w->truths != NULL && w->pages != NULL);
    nvm_pool_init(&w->shop.pool, w->pages, devices * PAGES_PER_CARD + 2);
    w->shop.cipher = &w->cipher;
    w->shop.random = draw;
    w->shop.random_context = w;
    w->shop.is_talkative = w->story.is_talkative != 0;
    for (uint32_t i = 0; i < w->cards; i++) {
        make_card(w, i);
        w->truths[i].sendable = INSTANT_NEVER;
    }
    struct scenario_error error;
    check(scenario_read(bytes_of_text(scenario_text), &w->scenario, &w->radio, &error));
    make_models(w);
    for (uint32_t i = 0; i < devices; i++) {
        const uint32_t card = i < w->cards ? i : w->story.clone_of - 1;
        device_init(&w->devices[i], &w->shop, &w->people[card].factory,
                    &w->scenario.models[w->story.models[i]]);
        shape_limit(w, card, &w->devices[i].card);
        w->devices[i].may_rest = !w->options.is_restless;
    }
    shadow_open(w);
    registry_watch(w);
    const struct fleet_config config = {.devices = w->devices,
                                        .count = devices,
                                        .heap = w->heap,
                                        .places = w->places,
                                        .radio = &w->radio,
                                        .scenario = &w->scenario,
                                        .start = {WORLD_START_MS},
                                        .seed = w->options.seed};
    fleet_init(&w->fleet, &config);
    w->fleet.mo = network_message;
    w->fleet.acted = network_acted;
    w->fleet.stepped = touch;
    w->fleet.context = w;
    fleet_start(&w->fleet, w->now, 60000);
}

void cards_close(struct world *w)
{
    registry_unwatch(w);
    shadow_close(w);
    free(w->devices);
    free(w->truths);
    free(w->pages);
    cipher_openssl_close(&w->cipher);
}

uint32_t card_of_number(const struct world *w, struct bytes digits)
{
    uint64_t place; // as it was numbered
    if (digits.len <= NUMBER_PLACE_DIGITS ||
        !text_read_decimal(bytes_slice(digits, digits.len - NUMBER_PLACE_DIGITS, digits.len),
                           &place) ||
        place == 0)
        return w->cards;
    const uint64_t i = (place - 1) / 10;
    const uint64_t s = (place - 1) % 10;
    const bool is_one = i < w->cards && s < WORLD_SUBSCRIPTIONS &&
                        bytes_equal(digits, bytes_of_text(w->people[i].numbers[s]));
    return is_one ? group_holder(w, (uint32_t)i, (unsigned)s) : w->cards;
}

uint32_t card_of(const struct world *w, uint64_t id)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        if (w->people[i].id == id)
            return i;
    }
    check(false);
    return 0;
}

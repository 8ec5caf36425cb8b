// Cards that are not as usual: with few slots or many, which subscriptions for tests fill, so that
// an audit has several pages.
#include "tests/world/shape.h"

#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>

// Seeds of their own, and not one of four each by itself: no other world changes through them.
#define SEEDS_ROUND 4096
#define SEEDS_SHAPED 1024 // the last ones of each round
#define FREE_AT_LEAST 3   // slots, where a rule is to bring subscriptions
#define FREE_MOST 5
#define SHORT_EVERY 4 // cards: little memory
#define PAGED_EVERY 4 // written in pages
#define PAGE_LEN 64
#define SLOT_LEN 90        // octets of a subscription [applet/memory.c]
#define ENDS_EVERY 8       // cards, each of both kinds
#define BEFORE_THE_ALARM 8 // packets
#define BEFORE_THE_END 60

bool shape_is_at_end(const struct record *r)
{
    return r->mt_counter + 1 >= COUNTER_LAST && record_has_mark(r, MARK_QUARANTINED);
}

bool shape_is_drawn(const struct world *w)
{
    return w->options.seed % SEEDS_ROUND >= SEEDS_ROUND - SEEDS_SHAPED;
}

void shape_draw(struct world *w)
{
    struct prng p;
    if (!shape_is_drawn(w))
        return;
    const uint32_t own = group_factory_count(w);
    const uint32_t least = group_has_rule(w) ? own + FREE_AT_LEAST : own;
    for (uint32_t i = 0; i < w->cards; i++) {
        prng_init(&p, w->options.seed, "slots", i);
        const bool is_large = prng_below(&p, 2) == 0;
        const uint32_t drawn = least + (uint32_t)prng_below(&p, COMMAND_SLOTS_MAX + 1 - least);
        const uint32_t slots = is_large ? COMMAND_SLOTS_MAX : drawn;
        const uint32_t left = (uint32_t)prng_below(&p, FREE_MOST + 1);
        const uint32_t taken = least + left < slots ? least + left : slots;
        w->story.slots[i] = slots;
        w->story.stock[i] = slots - taken;
        const uint64_t end = prng_below(&p, ENDS_EVERY);
        w->story.ends[i] = end < 2 ? 1 + (uint32_t)end : 0;
        const bool is_short = prng_below(&p, SHORT_EVERY) == 0 && !group_has_rule(w);
        const uint32_t spare = 1 + (uint32_t)prng_below(&p, 2);
        w->story.spare[i] = is_short ? spare : 0;
        w->story.page[i] = prng_below(&p, PAGED_EVERY) == 0 ? PAGE_LEN : 0;
    }
}

void shape_limit(const struct world *w, uint32_t card, struct card *to)
{
    const struct applet_factory *f = &w->people[card].factory;
    const uint32_t page = w->story.page[card] == 0 ? 1 : w->story.page[card];
    const uint32_t used = f->subscription_count + w->story.spare[card] - 1;
    size_t len = CARD_APPLET_LEN;
    if (w->story.spare[card] != 0 && used < f->slot_count)
        len = applet_nvm_size(f->slot_count, page) - 2 * SLOT_LEN * (f->slot_count - used);
    card_limit(to, (uint16_t)len, (uint8_t)page);
}

uint64_t shape_counter(const struct world *w, uint32_t card)
{
    switch (w->story.ends[card]) {
    case 1:
        return COUNTER_NEAR_LAST - BEFORE_THE_ALARM;
    case 2:
        return COUNTER_LAST - BEFORE_THE_END;
    default: // as usual
        return 0;
    }
}

struct secret_key shape_key(struct prng *p)
{
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u64(&w, prng_next(p));
    writer_u64(&w, prng_next(p));
    return secret_key_of(writer_bytes(&w));
}

// For tests, so that no card chooses it by itself; nobody's radio knows it.
static void make_stock(struct world *w, uint32_t card, uint32_t i, struct slot *s)
{
    char imsi[IMSI_SIZE];
    char iccid[ICCID_SIZE];
    struct prng p;
    const uint32_t number = card * COMMAND_SLOTS_MAX + i + 1;
    prng_init(&p, w->options.seed, "stock", number);
    (void)snprintf(imsi, sizeof imsi, "00104%010u", number);
    (void)snprintf(iccid, sizeof iccid, "890010200000%06u", number);
    iccid[18] = luhn_digit(iccid, 18);
    iccid[19] = 0;
    *s = (struct slot){.state = SLOT_DISABLED,
                       .role = ROLE_TEST,
                       .rank = (uint8_t)(i + 1),
                       .mnc_length = 2,
                       .has_iccid = true};
    s->keys.k = shape_key(&p);
    s->keys.op = shape_key(&p);
    check(imsi_write(imsi, s->imsi) && iccid_write(iccid, s->iccid));
}

void shape_make(struct world *w, uint32_t card)
{
    struct person *person = &w->people[card];
    struct applet_factory *f = &person->factory;
    const uint32_t own = group_factory_count(w);
    if (w->story.slots[card] >= 2)
        f->slot_count = (uint8_t)w->story.slots[card];
    uint32_t stock = w->story.stock[card];
    if (stock > f->slot_count - own) // as a story may say
        stock = f->slot_count - own;
    memcpy(person->shape.slots, person->slots, own * sizeof person->slots[0]);
    for (uint32_t i = 0; i < stock; i++)
        make_stock(w, card, i, &person->shape.slots[own + i]);
    f->subscription_count = (uint8_t)(own + stock);
}

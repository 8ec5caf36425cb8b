// The group of the cards, where it has a rule that gives them subscriptions: the rule, the pool,
// and what people say about bootstraps. Two subscriptions of each card's own are the pool's then.
#include "common/base/check.h"
#include "ota-server/service/group_rules.h"
#include "tests/world/world.h"

#define GROUPED_EVERY 4 // seeds
#define POOLED_FIRST 2  // of the subscriptions of a person
#define RULES_MAX 4096

bool group_has_rule(const struct world *w)
{
    return w->story.group.items != 0;
}

uint32_t group_factory_count(const struct world *w)
{
    return group_has_rule(w) && w->story.group.of_factory == 0 ? 1 : 2;
}

// --- the rule ----------------------------------------------------------------------------------

static uint32_t pooled_items(const struct story_group *g)
{
    return g->items - (g->of_factory != 0);
}

void group_draw(struct world *w)
{
    static const uint32_t soaks_s[] = {0, 3600, 3600, 21600};
    static const uint32_t triggers[] = {BOOTSTRAP_FIRST_CONTACT, BOOTSTRAP_FIRST_CONTACT,
                                        BOOTSTRAP_FIRST_ATTACH, BOOTSTRAP_AFTER_ACTIVATION};
    struct story_group *g = &w->story.group;
    struct prng p;
    prng_init(&p, w->options.seed, "group", 0);
    if (prng_below(&p, GROUPED_EVERY) != 0)
        return;
    const uint32_t pooled = 1 + (uint32_t)prng_below(&p, 2);
    const bool has_factory = prng_below(&p, 3) == 0;
    g->items = pooled + has_factory;
    g->of_factory = has_factory ? 1 + (uint32_t)prng_below(&p, g->items) : 0;
    g->enable = (uint32_t)prng_below(&p, g->items);
    g->deletes = (uint32_t)prng_below(&p, 2);
    g->trigger = triggers[prng_below(&p, 4)];
    g->soak_s = soaks_s[prng_below(&p, 4)];
    g->at_once = 1 + (uint32_t)prng_below(&p, w->cards);
    // In some worlds there are not enough for all.
    const uint32_t needed = pooled * w->cards;
    g->pool = prng_below(&p, 4) == 0 ? (uint32_t)prng_below(&p, needed) : 2 * w->cards;
    w->is_left_alone = prng_below(&p, 2) == 0;
}

static struct bootstrap_rule rule_of_story(const struct world *w)
{
    const struct story_group *g = &w->story.group;
    struct bootstrap_rule rule = {.is_enabled = true,
                                  .trigger = (uint8_t)g->trigger,
                                  .item_count = (uint8_t)g->items,
                                  .enable = (uint8_t)g->enable,
                                  .deletes = g->deletes != 0,
                                  .delay_s = g->trigger == BOOTSTRAP_AFTER_ACTIVATION ? 1800 : 0,
                                  .soak_s = g->soak_s,
                                  .deadline_s = 86400,
                                  .concurrency = g->at_once};
    for (uint32_t i = 0; i < g->items; i++) {
        rule.items[i].role = ROLE_OPERATIONAL;
        if (i + 1 != g->of_factory) {
            rule.items[i].pool = w->pool;
            rule.items[i].template_number = 1;
        }
    }
    return rule;
}

void group_make(struct world *w)
{
    static uint8_t octets[RULES_MAX];
    struct writer body = writer_of(octets, sizeof octets);
    struct json_writer j = json_writer_of(&body);
    struct group_rules chosen;
    if (!group_has_rule(w))
        return;
    check(w->story.group.enable < w->story.group.items &&
          w->story.group.of_factory <= w->story.group.items && pooled_items(&w->story.group) <= 2);
    w->pool_writes = 1;
    w->group = ids_next(&w->ids, server_utc(w));
    w->pool = ids_next(&w->ids, server_utc(w));
    rules_default(&chosen, &w->server.policy);
    chosen.policy.bootstrap = rule_of_story(w);
    json_begin_object(&j);
    rules_put(&j, &chosen, CLEAR_NOTHING);
    json_end_object(&j);
    check(json_done(&j));
    const struct document d = {.kind = RULES_KIND,
                               .id = w->group,
                               .owner = 1,
                               .created_at = server_utc(w),
                               .changed_at = server_utc(w),
                               .body = writer_bytes(&body)};
    check(store_document_put(w->server.store, &d) == STORE_OK);
}

// --- the pool ----------------------------------------------------------------------------------

bool group_is_pooled(const struct world *w, uint32_t card, unsigned subscription)
{
    const uint32_t place = 2 * card + subscription - POOLED_FIRST;
    return group_has_rule(w) && subscription >= POOLED_FIRST && subscription < POOLED_FIRST + 2 &&
           place < w->story.group.pool;
}

uint32_t group_holder(const struct world *w, uint32_t card, unsigned subscription)
{
    if (!group_is_pooled(w, card, subscription))
        return card;
    const uint32_t holder = w->people[card].holders[subscription - POOLED_FIRST];
    return holder == 0 ? w->cards : holder - 1;
}

const struct pool_row *group_row(struct world *w, uint32_t card, unsigned subscription)
{
    struct pool_row *row = &w->people[card].pooled[subscription - POOLED_FIRST];
    struct subscription v;
    if (!row->is_known) {
        const uint64_t id = w->people[card].subscriptions[subscription];
        check(store_subscription_get(w->server.store, id, &v) == STORE_OK);
        *row = (struct pool_row){.is_known = true, .state = v.state, .card = v.card};
    }
    return row;
}

uint32_t group_promised(struct world *w, struct bytes digits)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = POOLED_FIRST; k < POOLED_FIRST + 2; k++) {
            if (!group_is_pooled(w, i, k) ||
                !bytes_equal(digits, bytes_of_text(w->people[i].numbers[k])))
                continue;
            const struct pool_row *row = group_row(w, i, k);
            return row->state == SUBSCRIPTION_FREE ? w->cards : card_of(w, row->card);
        }
    }
    return w->cards;
}

void group_written(struct world *w, uint64_t subscription)
{
    w->pool_writes++;
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = 0; k < 2; k++) {
            if (w->people[i].subscriptions[POOLED_FIRST + k] == subscription)
                w->people[i].pooled[k].is_known = false;
        }
    }
}

void group_forget(struct world *w)
{
    w->pool_writes++;
    for (uint32_t i = 0; i < w->cards; i++)
        memset(w->people[i].pooled, 0, sizeof w->people[i].pooled);
}

void group_hold(struct world *w, const uint8_t imsi[COMMAND_IMSI_SIZE], uint32_t holder)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = 0; k < WORLD_SUBSCRIPTIONS; k++) {
            if (group_is_pooled(w, i, k) &&
                memcmp(w->people[i].slots[k].imsi, imsi, COMMAND_IMSI_SIZE) == 0)
                w->people[i].holders[k - POOLED_FIRST] = holder + 1;
        }
    }
}

struct subject group_subject(const struct world *w, uint32_t card, unsigned subscription)
{
    const struct subject own = {card, subscription};
    if (!group_has_rule(w) || subscription < POOLED_FIRST || subscription >= POOLED_FIRST + 2)
        return own;
    unsigned nth = subscription - POOLED_FIRST;
    for (uint32_t i = 0; i < w->cards; i++) {
        for (unsigned k = POOLED_FIRST; k < POOLED_FIRST + 2; k++) {
            if (group_is_pooled(w, i, k) && group_holder(w, i, k) == card && nth-- == 0)
                return (struct subject){i, k};
        }
    }
    return (struct subject){card, WORLD_SUBSCRIPTIONS - 1}; // it has none
}

// --- people ------------------------------------------------------------------------------------

void group_do(struct world *w, const struct deed *d)
{
    struct event e = {.type = EVENT_BOOTSTRAP,
                      .actor = {.kind = ACTOR_USER, .id = 1},
                      .as.bootstrap = (uint8_t)d->what};
    if (!group_has_rule(w) || !server_is_awake(w) || d->what > BOOTSTRAP_CANCEL)
        return;
    world_note(w, "bootstrap", "card=%u action=%u", d->card, d->what);
    w->truths[d->card].is_job_touched = true;
    check(turn_event(w->server.turn, w->people[d->card].id, &e, NULL, NULL));
}

void group_resume(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        const struct deed d = {.kind = DEED_BOOTSTRAP, .card = i, .what = BOOTSTRAP_RESUME};
        group_do(w, &d);
    }
}

// The rules of groups, as the turn keeps them at hand.
#include "ota-server/service/turn_part.h"

#define PLACES_MS (24 * INT64_C(3600000)) // of the days that zone_offset() looks ahead

void turn_forget_rules(struct turn *t)
{
    for (size_t i = 0; i < POLICY_ROWS; i++)
        t->policies[i].group = 0;
    t->hold.is_known = false;
    turn_want_places(t);
}

const struct policy *turn_policy(const struct turn *t)
{
    return t->options.policy;
}

// Zones change their offsets, and are asked for some days ahead.
static bool is_old(const struct turn *t, const struct policy_row *row)
{
    return row->policy.quiet_count > 0 &&
           (t->now.ms - row->read_at.ms >= PLACES_MS || t->now.ms < row->read_at.ms);
}

static enum store_status find_row(struct turn *t, uint64_t group, struct policy_row **found)
{
    struct policy_row *row = &t->policies[(group ^ group >> 20) % POLICY_ROWS];
    *found = row;
    if (row->group != group || is_old(t, row)) {
        struct group_rules rules;
        const enum store_status status =
            rules_of(t->options.store, group, t->options.policy, &rules);
        if (status != STORE_OK)
            return status;
        rules_place(&rules, t->now);
        row->read_at = t->now;
        row->group = group;
        row->policy = rules.policy;
        row->route = rules.route;
        row->authority = rules.authority;
    }
    return STORE_OK;
}

enum store_status turn_policy_of(struct turn *t, uint64_t group, const struct policy **policy)
{
    struct policy_row *row = NULL;
    *policy = t->options.policy;
    if (group == 0)
        return STORE_OK;
    const enum store_status status = find_row(t, group, &row);
    if (status == STORE_OK)
        *policy = &row->policy;
    return status;
}

enum store_status turn_authority_of(struct turn *t, uint64_t group, enum authority_mode *mode)
{
    struct policy_row *row = NULL;
    *mode = AUTHORITY_SELF_SERVICE;
    if (group == 0)
        return STORE_OK;
    const enum store_status status = find_row(t, group, &row);
    if (status == STORE_OK)
        *mode = row->authority;
    return status;
}

enum store_status turn_keys_of(struct turn *t, uint64_t card, uint64_t group,
                               struct card_keys *keys)
{
    const struct policy *policy = NULL;
    enum store_status status = turn_policy_of(t, group, &policy);
    if (status == STORE_OK)
        status = store_card_keys(t->options.store, card, keys);
    if (status == STORE_OK)
        message_apply(keys, &policy->ota);
    return status;
}

struct turn_route turn_route_of(struct turn *t, uint64_t group)
{
    struct policy_row *row = NULL;
    // A group that cannot be read has its cards reached as if they were in none.
    if (group == 0 || find_row(t, group, &row) != STORE_OK)
        return (struct turn_route){.rate = 0};
    return row->route;
}

const struct record *turn_card(struct turn *t, uint64_t card)
{
    const enum store_status status = store_card_load(t->options.store, card, &t->looked_at);
    if (status != STORE_OK && status != STORE_NONE)
        t->counts.failures++; // who asks goes on without it
    return status == STORE_OK ? &t->looked_at : NULL;
}

// The rules of a card group, with their versions and the effect of a change.
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_pack.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/timers_run.h"

#include <stdlib.h>

static bool is_shared(struct api_exchange *x, const struct document *d)
{
    (void)x;
    (void)d;
    return true; // the group was looked at before
}

static const struct api_kind kept = {.kind = RULES_KIND, .prefix = "grp", .is_shared = is_shared};
static const struct api_kind versions = {.kind = RULES_VERSION_KIND, .prefix = "rec"};

#define VERSION_MEMBER "rulesVersion" // of a request that waits: the rules that it was made for

struct rules_work {
    struct api_object group;
    struct api_object object; // the rules; version 0 when there are none yet
    struct api_object version;
    struct group_rules before, after;
    bool is_applied; // cards are to be brought to the timers
    bool has_other_packs;
};

// What a body says, on top of the installation's policy.
static bool compile(struct api_exchange *x, struct bytes body, struct group_rules *r)
{
    struct api_body b;
    json_t *root = NULL;
    rules_default(r, turn_policy(x->api->options.turn));
    if (body.len == 0)
        return true;
    const bool is_read = json_read(body, &root) == JSON_READ_OK;
    api_body_init(&b, root);
    rules_read(&b, r);
    json_decref(root);
    if (is_read && b.problem.code == API_OK)
        return true;
    if (is_read && x->approval != NULL)
        api_approval_refuse_old(x);
    else
        api_refuse(x, is_read ? b.problem : api_problem_of(API_INTERNAL));
    return false;
}

// Loads a group and its rules into x->work; NULL: refused.
static struct rules_work *load(struct api_exchange *x, uint64_t group)
{
    struct rules_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    x->object_id = group;
    if (!api_document_get(x, &api_groups, x->object_id, &w->group) ||
        !api_group_rules_shown(x, &w->group.document)) {
        api_refuse_code(x, API_NOT_FOUND);
        return NULL;
    }
    if (!api_document_get(x, &kept, x->object_id, &w->object))
        w->object.document = (struct document){
            .kind = RULES_KIND, .id = x->object_id, .owner = w->group.document.owner};
    return compile(x, w->object.document.body, &w->before) ? w : NULL;
}

static void reply_rules(struct api_exchange *x)
{
    struct rules_work *w = x->work;
    const struct document *d = &w->object.document;
    struct json_writer *j = &x->json;
    if (!api_owns(x, d->owner))
        rules_hide_supply(&w->before);
    json_begin_object(j);
    api_put_id(j, "groupId", "grp", x->object_id);
    rules_put(j, &w->before, x->clear);
    api_put_time(j, "createdAt", d->created_at);
    api_put_time(j, "updatedAt", d->changed_at);
    api_put_number(j, "version", d->version);
    json_end_object(j);
    api_etag(x, d->version);
    api_reply(x, 200);
}

void api_group_rules_get(struct api_exchange *x)
{
    uint64_t group = 0;
    if (api_end_reading(x) && api_capture(x, 0, api_groups.prefix, &group) &&
        load(x, group) != NULL)
        reply_rules(x);
}

void api_group_rules_versions(struct api_exchange *x)
{
    api_documents_below(x, &versions, &api_groups, -1);
}

// --- changing ---

static json_t *changed_members(const struct api_exchange *x)
{
    json_t *list = json_array();
    for (size_t i = 0; rules_members[i] != NULL; i++) {
        if (api_body_has(&x->body, rules_members[i]))
            json_array_append_new(list, json_string(rules_members[i]));
    }
    return list;
}

// Takes the named members of the body over; false: refused.
static bool merge(struct api_exchange *x, struct rules_work *w)
{
    json_t *root = NULL;
    if (w->object.document.body.len > 0 &&
        json_read(w->object.document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    if (root == NULL)
        root = json_object();
    for (size_t i = 0; rules_members[i] != NULL; i++) {
        json_t *value = json_object_get(x->root, rules_members[i]);
        if (value != NULL)
            json_object_set(root, rules_members[i], value);
    }
    const bool ok = api_document_fill(x, &w->object, root);
    json_decref(root);
    if (!ok || !compile(x, w->object.document.body, &w->after))
        return false;
    if (!w->is_applied || w->after.policy.timers.len > 0)
        return true;
    api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("apply"),
                                    "The group names no timers to bring cards to"));
    return false;
}

static void put_rules(struct api_exchange *x, const char *name, const struct group_rules *r)
{
    api_open_object(&x->json, name);
    rules_put(&x->json, r, x->clear);
    json_end_object(&x->json);
}

static bool has_other_timers(const struct rules_work *w)
{
    const struct policy_timers *before = &w->before.policy.timers;
    const struct policy_timers *after = &w->after.policy.timers;
    return !bytes_equal(bytes_of(before->list, before->len), bytes_of(after->list, after->len));
}

static bool see_next(void *context, uint64_t card)
{
    (void)card;
    return ++*(uint32_t *)context != 0;
}

// Where cards report to is for two people, and so is what writes to many of them at once.
static bool are_timers_for_two(const struct api_exchange *x, const struct rules_work *w)
{
    const uint32_t named = timers_named(&w->after.policy.timers);
    const bool moves_cards = (named >> PARAMETER_SERVER_ADDR & 1) != 0;
    uint32_t cards = 0;
    if (moves_cards && (w->is_applied || has_other_timers(w)))
        return true;
    return w->is_applied &&
           (store_group_cards(x->reader, x->object_id, 0, w->after.campaign_above + 1, see_next,
                              &cards) != STORE_OK ||
            cards > w->after.campaign_above);
}

// The packs of the pools that a rule names, one bit each; pools that are gone have none.
static enum store_status packs_of(struct api_exchange *x, const struct bootstrap_rule *rule,
                                  unsigned *packs)
{
    enum store_status status = STORE_OK;
    *packs = 0;
    for (size_t i = 0; i < rule->item_count && (status == STORE_OK || status == STORE_NONE); i++) {
        int index = 0;
        if (rule->items[i].pool == 0)
            continue;
        status = api_pack_of(x, rule->items[i].pool, &index);
        if (status == STORE_OK)
            *packs |= 1u << index;
    }
    return status == STORE_NONE ? STORE_OK : status;
}

// Would its cards get subscriptions that keep to other packs than those they got until now? False:
// refused.
static bool judge_packs(struct api_exchange *x, struct rules_work *w)
{
    unsigned before = 0;
    unsigned after = 0;
    enum store_status status = packs_of(x, &w->before.policy.bootstrap, &before);
    if (status == STORE_OK)
        status = packs_of(x, &w->after.policy.bootstrap, &after);
    if (status == STORE_OK && after != 0 && after != before)
        status = api_packs_in_reach(x, w->group.document.owner, &w->has_other_packs);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    return status == STORE_OK;
}

// What a second person has to approve; NULL: nothing. A rule that deletes by itself is for two
// people; what is on already they have approved.
static const char *what_is_for_two(const struct api_exchange *x, const struct rules_work *w)
{
    const struct bootstrap_rule *before = &w->before.policy.bootstrap;
    const struct bootstrap_rule *after = &w->after.policy.bootstrap;
    // Padding that differs costs an approval that is asked for again, no more.
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    const bool is_same = before->deletes && memcmp(before, after, sizeof(*before)) == 0;
    if (x->api->options.single_person)
        return NULL;
    if (after->deletes && !is_same)
        return "bootstrap that deletes";
    if (rules_are_looser(&w->before, &w->after))
        return "less for two people";
    if (rules_give_away(w->before.authority, w->after.authority))
        return "enterprises serve themselves";
    if (w->has_other_packs)
        return "bootstrap from pools with another rule pack";
    return are_timers_for_two(x, w) ? "timers of a group" : NULL;
}

// What the pass costs when every card has other values.
static void put_pass(struct json_writer *j, const struct rules_work *w, uint64_t cards)
{
    const struct policy_timers *timers = &w->after.policy.timers;
    struct operation o = {.kind = OPERATION_SET_TIMERS, .list_len = timers->len};
    memcpy(o.list, timers->list, timers->len);
    api_put_estimate(j, message_cost(&o), cards, (cards + TIMERS_RATE - 1) / TIMERS_RATE);
}

// What a change does to the cards of the group.
struct effect {
    uint64_t targeted, eligible;
    uint64_t states[CARD_STATES]; // of those that it leaves alone
    uint64_t waiting;             // for a subscription that no pool has
    struct message_cost cost;     // of one card
};

static bool changes_bootstrap(const struct rules_work *w)
{
    const struct bootstrap_rule *after = &w->after.policy.bootstrap;
    // Padding that differs costs a count of the same cards, no more.
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
    return after->is_enabled && memcmp(&w->before.policy.bootstrap, after, sizeof(*after)) != 0;
}

// How many of a rule's items come from this pool?
static unsigned items_of_pool(const struct bootstrap_rule *rule, uint64_t pool)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < rule->item_count; i++)
        count += rule->items[i].pool == pool;
    return count;
}

// Cards that the pools are enough for, and what the items take over the air: as much as the first
// free subscription of their pools.
static enum store_status judge_items(struct api_exchange *x, const struct bootstrap_rule *rule,
                                     struct effect *e)
{
    uint64_t most = e->eligible;
    for (uint8_t i = 0; i < rule->item_count; i++) {
        const struct bootstrap_item *item = &rule->items[i];
        const bool is_for_fallback = rule->deletes && i == rule->enable;
        struct operation o = {.kind = OPERATION_DOWNLOAD};
        struct subscription found;
        uint64_t counts[4];
        if (item->pool == 0) // it comes with the card
            continue;
        enum store_status status = store_pool_counts(x->reader, item->pool, counts);
        if (status == STORE_OK)
            status = store_pool_free(x->reader, item->pool, is_for_fallback, &found);
        if (status != STORE_OK && status != STORE_NONE)
            return status;
        const uint64_t stock = counts[SUBSCRIPTION_FREE] / items_of_pool(rule, item->pool);
        const uint64_t enough = status == STORE_NONE ? 0 : stock;
        most = enough < most ? enough : most;
        if (status == STORE_NONE)
            continue;
        o.download = found.plan;
        o.download.template_number = item->template_number;
        const struct message_cost cost = message_cost(&o);
        e->cost.packets += cost.packets;
        e->cost.sms += cost.sms;
        e->cost.octets += cost.octets;
    }
    e->waiting = e->eligible - most;
    e->eligible = most;
    return STORE_OK;
}

// A bootstrap concerns cards that have none yet; all else, all that are not retired.
static enum store_status find_effect(struct api_exchange *x, const struct rules_work *w,
                                     struct effect *e)
{
    const bool is_bootstrap = changes_bootstrap(w);
    const enum store_status status = store_group_states(x->reader, x->object_id, e->states);
    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < CARD_STATES; i++) {
        const bool is_concerned =
            is_bootstrap ? i == CARD_IMPORTED || i == CARD_SEEN : i != CARD_RETIRED;
        e->targeted += e->states[i];
        e->eligible += is_concerned ? e->states[i] : 0;
        if (is_concerned)
            e->states[i] = 0;
    }
    return is_bootstrap ? judge_items(x, &w->after.policy.bootstrap, e) : STORE_OK;
}

// How many cards it concerns, and what it changes for them.
static void reply_effect(struct api_exchange *x, const struct rules_work *w)
{
    const bool is_for_two = what_is_for_two(x, w) != NULL;
    struct json_writer *j = &x->json;
    struct effect e = {.targeted = 0};
    const enum store_status status = find_effect(x, w, &e);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    json_begin_object(j);
    api_put_bool(j, "dryRun", true);
    api_put_number(j, "wouldAnswer", is_for_two ? 202 : 200);
    api_put_number(j, "targeted", e.targeted);
    api_put_number(j, "eligible", e.eligible);
    api_open_array(j, "skipped");
    for (size_t i = 0; i < CARD_STATES; i++)
        api_put_reason(j, card_state_name((uint8_t)i), e.states[i]);
    api_put_reason(j, refusal_name(REFUSAL_POOL_EMPTY), e.waiting);
    json_end_array(j);
    if (w->is_applied)
        put_pass(j, w, e.targeted - e.states[CARD_RETIRED]);
    else if (e.cost.packets > 0 && e.eligible > 0)
        api_put_estimate(j, e.cost, e.eligible, 0);
    put_rules(x, "before", &w->before);
    put_rules(x, "after", &w->after);
    api_put_number(j, "approvalsNeeded", is_for_two);
    json_end_object(j);
    api_reply(x, 200);
}

// The pools are there, for the group's enterprise, and say the template where the item does not.
static bool complete_items(struct api_exchange *x, const struct rules_work *w)
{
    json_t *items = json_object_get(json_object_get(x->root, "bootstrap"), "items");
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        uint64_t pool = 0;
        const char *text = json_string_value(json_object_get(item, "poolId"));
        if (json_is_true(json_object_get(item, "factory")))
            continue;
        if (text == NULL || !api_id_read(bytes_of_text(text), "pol", &pool) ||
            !api_pool_visible(x, pool, w->group.document.owner)) {
            api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("bootstrap.items.poolId"),
                                            "No such pool, GET /subscription-pools lists them"));
            return false;
        }
        const uint8_t number = api_pool_template(x->reader, pool);
        if (number != 0 && json_object_get(item, "templateId") == NULL)
            json_object_set_new(item, "templateId", json_integer(number));
    }
    return true;
}

// What the rules are from now on, by whom and why.
static bool fill_version(struct api_exchange *x, struct rules_work *w, const char *author)
{
    const struct document *d = &w->object.document;
    json_t *rules = NULL;
    w->version.document = (struct document){.kind = RULES_VERSION_KIND,
                                            .id = api_new_id(x),
                                            .owner = d->owner,
                                            .parent = d->id,
                                            .state = (int64_t)d->version + 1};
    if (json_read(d->body, &rules) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    json_t *root = json_pack("{sIsssssoso}", "number", (json_int_t)d->version + 1, "author", author,
                             "reason", x->reason, "changed", changed_members(x), "rules", rules);
    const bool ok = root != NULL && api_document_fill(x, &w->version, root);
    if (root == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    json_decref(root);
    return ok;
}

static enum store_status keep_rules(struct api_exchange *x, struct store *store, struct utc now)
{
    struct rules_work *w = x->work;
    struct document *d = &w->object.document;
    uint64_t owner = 0;
    enum store_status status = api_group_owner(store, x->object_id, &owner);
    if (d->version == 0)
        d->created_at = now;
    d->changed_at = now;
    w->version.document.created_at = now;
    w->version.document.changed_at = now;
    if (status == STORE_OK)
        status = api_difference_begin(x, store, RULES_KIND, d->id, NULL);
    if (status == STORE_OK)
        status = store_document_put(store, d);
    if (status == STORE_OK)
        status = store_document_put(store, &w->version.document);
    if (status == STORE_OK)
        status = api_approval_keep(x, store);
    if (status == STORE_OK && w->is_applied)
        status = timers_run_begin(store, x->object_id, owner, now);
    else if (status == STORE_OK && has_other_timers(w))
        status = timers_run_stop(store, x->object_id, now);
    if (status == STORE_OK)
        status = api_trail(x, store, "group-rules.changed", "group", x->object_id, NULL);
    turn_forget_rules(x->api->options.turn);
    return status;
}

static void reply_changed(struct api_exchange *x)
{
    struct rules_work *w = x->work;
    w->before = w->after;
    w->object.document.version++;
    reply_rules(x);
}

void api_group_rules_carry_out(struct api_exchange *x, uint64_t group, json_t *request,
                               const char *author)
{
    json_decref(x->root);
    x->root = json_incref(request);
    api_body_init(&x->body, x->root);
    struct bytes reason = {0};
    if (json_get_text(x->root, "reason", &reason) == JSON_FOUND && reason.len <= API_WHY_MAX) {
        bytes_copy(x->reason, reason);
        x->reason[reason.len] = '\0';
    }
    struct rules_work *w = load(x, group);
    if (w == NULL)
        return;
    w->is_applied = api_body_bool(&x->body, "apply", false);
    int64_t version = -1;
    (void)json_get_integer(request, VERSION_MEMBER, 0, INT64_MAX, &version);
    if (version != (int64_t)w->object.document.version) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The rules were changed since: ask for it anew"));
        return;
    }
    if (complete_items(x, w) && merge(x, w) && fill_version(x, w, author))
        api_commit(x, keep_rules, api_approval_reply);
}

static void judge_route(struct api_exchange *x, const char *field, const char *name)
{
    const char *const *routes = x->api->options.routes;
    while (routes != NULL && *routes != NULL && strcmp(*routes, name) != 0)
        routes++;
    if (name[0] != '\0' && (routes == NULL || *routes == NULL))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(field),
                                                  "The configuration names no such route"));
}

static void judge_zones(struct api_exchange *x, const struct group_rules *given)
{
    for (uint8_t i = 0; i < given->policy.quiet_count; i++) {
        if (!zone_is_known(given->zones[i]))
            api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT,
                                                      bytes_of_text("smsc.quietHours.timeZone"),
                                                      "No such zone: UTC, a distance such as "
                                                      "+08:00, or a name such as Europe/Berlin"));
    }
}

static void contradict(struct api_exchange *x, const char *field, const char *reason,
                       const char *text)
{
    struct api_problem p = api_problem_reason(API_RULES_INCONSISTENT, reason, text);
    bytes_copy(p.field, bytes_of_text(field));
    api_refuse(x, p);
}

// Each member is right by itself; together they could never be followed. False: refused.
static bool are_consistent(struct api_exchange *x, const struct group_rules *r)
{
    const struct bootstrap_rule *rule = &r->policy.bootstrap;
    const uint64_t pool = rule->item_count > 0 ? rule->items[rule->enable].pool : 0;
    struct subscription found;
    if (r->route.backup[0] != '\0' && strcmp(r->route.primary, r->route.backup) == 0) {
        contradict(x, "smsc.backupRoute", "SAME_ROUTE",
                   "The backup is the primary route itself: name another one");
        return false;
    }
    if (!rule->is_enabled || !rule->deletes || pool == 0)
        return true;
    const enum store_status any = store_pool_free(x->reader, pool, false, &found);
    const enum store_status eligible = store_pool_free(x->reader, pool, true, &found);
    if (any != STORE_OK || eligible != STORE_NONE)
        return true; // what a pool has comes and goes: a job waits for it
    contradict(
        x, "bootstrap.items", refusal_name(REFUSAL_NOT_ELIGIBLE),
        "The bootstrap subscription is to be deleted, and nothing in the pool of the enabled "
        "item may become the fallback: KEEP_AS_FALLBACK, or another pool");
    return false;
}

static void ask_for_two(struct api_exchange *x, const struct rules_work *w, const char *what)
{
    json_object_set_new(x->root, VERSION_MEMBER,
                        json_integer((json_int_t)w->object.document.version));
    api_approval_request_rules(x, what, x->object_id, w->group.document.owner);
}

static void patch_rules(struct api_exchange *x)
{
    struct group_rules given;
    char author[API_ID_SIZE];
    uint64_t group = 0;
    rules_default(&given, turn_policy(x->api->options.turn));
    rules_read(&x->body, &given);
    judge_route(x, "smsc.primaryRoute", given.route.primary);
    judge_route(x, "smsc.backupRoute", given.route.backup);
    judge_zones(x, &given);
    api_read_reason(x, API_REQUIRED);
    const bool is_applied = api_body_bool(&x->body, "apply", false);
    if (!api_end_reading(x) || !api_operator_only(x) ||
        !api_capture(x, 0, api_groups.prefix, &group))
        return;
    struct rules_work *w = load(x, group);
    api_id_write(author, x->client.is_user ? "usr" : "cli", x->client.id);
    if (w == NULL)
        return;
    w->is_applied = is_applied;
    if (!complete_items(x, w) || !api_if_match(x, w->object.document.version) || !merge(x, w) ||
        !are_consistent(x, &w->after) || !judge_packs(x, w) || !fill_version(x, w, author))
        return;
    const char *for_two = what_is_for_two(x, w);
    if (x->is_dry_run)
        reply_effect(x, w);
    else if (for_two != NULL)
        ask_for_two(x, w, for_two);
    else
        api_commit(x, keep_rules, reply_changed);
}

// A dry run, which tells the effect, changes nothing.
void api_group_rules_patch(struct api_exchange *x)
{
    if (x->is_dry_run)
        patch_rules(x);
    else
        api_in_turn(x, patch_rules);
}

#include "ota-server/service/bootstrap_job.h"

#include "ota-server/service/api_json.h"
#include "ota-server/store/places.h"

#define BODY_MAX 4096

// --- reservations ----------------------------------------------------------------------------

static void take(struct event_plan *p, const struct bootstrap_item *item,
                 const struct subscription *s)
{
    struct download_plan *plan = &p->items[p->count].plan;
    *plan = s->plan;
    if (item->template_number != 0)
        plan->template_number = item->template_number;
    plan->has_role = true;
    plan->role = item->role;
    if (item->rank != 0) {
        plan->has_rank = true;
        plan->rank = item->rank;
    }
    p->items[p->count++].subscription = s->id;
}

// The operational subscription of the factory: one that the card has beside the one that it comes
// from, and that came from no pool; of several the first in rotation.
static enum store_status find_of_factory(struct store *s, const struct record *r, uint64_t *id)
{
    uint8_t best = UINT8_MAX;
    *id = 0;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct mirror_slot *slot = &r->slots[i];
        struct subscription found;
        if (slot->fact.role != ROLE_OPERATIONAL || slot->subscription == r->bootstrap.origin ||
            slot->subscription == 0 || (*id != 0 && slot->fact.rank >= best))
            continue;
        const enum store_status status = store_subscription_get(s, slot->subscription, &found);
        if (status != STORE_OK && status != STORE_NONE)
            return status;
        if (status == STORE_OK && found.pool == 0) {
            *id = slot->subscription;
            best = slot->fact.rank;
        }
    }
    return STORE_OK;
}

static enum store_status take_of_factory(struct store *s, const struct record *r,
                                         struct event_plan *p)
{
    uint64_t id = 0;
    const enum store_status status = find_of_factory(s, r, &id);
    if (status == STORE_OK && id == 0)
        p->refusal = REFUSAL_NOT_INSTALLED;
    if (status != STORE_OK || id == 0)
        return status == STORE_OK ? STORE_NONE : status;
    p->items[p->count].plan = (struct download_plan){.template_number = 0};
    p->items[p->count++].subscription = id;
    return STORE_OK;
}

// The one that takes the fallback attribute over must be eligible for it.
static enum store_status take_of_pool(struct store *s, const struct bootstrap_rule *rule,
                                      uint8_t index, const struct record *r, struct utc at,
                                      struct event_plan *p)
{
    const struct bootstrap_item *item = &rule->items[index];
    const bool is_for_fallback = rule->deletes && index == rule->enable;
    struct subscription found;
    const enum store_status status =
        store_pool_reserve(s, item->pool, is_for_fallback, r->card, at, &found);
    if (status == STORE_OK)
        take(p, item, &found);
    if (status == STORE_NONE)
        p->refusal = REFUSAL_POOL_EMPTY;
    return status;
}

static enum store_status reserve(struct store *s, const struct bootstrap_rule *rule,
                                 const struct record *r, struct utc at, struct event_plan *p)
{
    enum store_status status = STORE_OK;
    for (uint8_t i = 0; i < rule->item_count && status == STORE_OK; i++) {
        status = rule->items[i].pool == 0 ? take_of_factory(s, r, p)
                                          : take_of_pool(s, rule, i, r, at, p);
    }
    if (status != STORE_NONE)
        return status;
    status = STORE_OK;
    for (; p->count > 0 && status == STORE_OK; p->count--) { // all or none
        if (rule->items[p->count - 1].pool != 0)
            status = store_subscription_release(s, p->items[p->count - 1].subscription, r->card,
                                                false, at);
    }
    return status;
}

enum store_status bootstrap_plan(void *context, struct store *s, const struct policy *policy,
                                 const struct record *r, struct event *event)
{
    (void)context;
    const struct bootstrap_rule *rule = &policy->bootstrap;
    struct event_plan *p = &event->as.plan;
    const bool is_resumed = r->bootstrap.item_count > 0;
    uint64_t held = 0;
    if (!rule->is_enabled) { // what is reserved already needs none
        p->refusal = is_resumed ? REFUSAL_NONE : REFUSAL_NOT_FOUND;
        return STORE_OK;
    }
    const enum store_status status = store_places_held(s, r->group, rule->concurrency, &held);
    if (status == STORE_OK && held >= rule->concurrency)
        p->refusal = REFUSAL_CARD_BUSY;
    return status != STORE_OK || p->refusal != REFUSAL_NONE || is_resumed
               ? status
               : reserve(s, rule, r, event->at, p);
}

static enum store_status give_back(struct store *s, const struct decision *d, struct utc at)
{
    enum store_status status = STORE_OK;
    for (uint8_t i = 0; i < d->released_count && status == STORE_OK; i++)
        status = store_subscription_release(s, d->released[i], d->next.card, false, at);
    return status;
}

// --- what is shown ---------------------------------------------------------------------------

static void put_items(struct json_writer *j, const struct record *r)
{
    const struct bootstrap *b = &r->bootstrap;
    api_open_array(j, "items");
    for (uint8_t i = 0; i < b->item_count; i++) {
        const uint64_t id = b->items[i].subscription;
        json_begin_object(j);
        api_put_id(j, "subscriptionId", "sub", id);
        api_put_bool(j, "enable", i == b->enable);
        api_put_bool(j, "onCard", id != 0 && record_slot_of(r, id) != NULL);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_job(struct json_writer *j, const struct record *r)
{
    const struct bootstrap *b = &r->bootstrap;
    json_begin_object(j);
    api_put_id(j, "cardId", "crd", r->card);
    api_put_text(j, "state", bootstrap_state_name(b->state));
    api_put_text(j, "afterwards", b->deletes ? "DELETE" : "KEEP_AS_FALLBACK");
    put_items(j, r);
    api_put_id(j, "operationId", "op", b->operation);
    if (b->failure != REFUSAL_NONE)
        api_put_text(j, "reason", refusal_name(b->failure));
    api_put_bool(j, "stalled", b->is_stalled);
    api_put_time(j, "startedAt", b->started_at);
    api_put_time(j, "dueAt", b->due);
    api_put_time(j, "deadlineAt", b->deadline);
    json_end_object(j);
}

struct seen_job {
    uint64_t version;
    struct utc created_at;
};

static bool see_job(void *context, const struct document *d)
{
    *(struct seen_job *)context = (struct seen_job){d->version, d->created_at};
    return false;
}

static enum store_status show(struct store *s, const struct record *r, struct utc at)
{
    uint8_t body[BODY_MAX];
    struct writer w = writer_of(body, sizeof(body));
    struct json_writer j = json_writer_of(&w);
    struct seen_job seen = {.created_at = at};
    put_job(&j, r);
    const enum store_status status = store_document_get(s, JOB_KIND, r->card, see_job, &seen);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    const struct document d = {.kind = JOB_KIND,
                               .id = r->card,
                               .owner = r->tenant,
                               .parent = r->group,
                               .state = r->bootstrap.state,
                               .created_at = seen.created_at,
                               .changed_at = at,
                               .version = seen.version,
                               .body = writer_bytes(&w)};
    return json_done(&j) ? store_document_put(s, &d) : STORE_FAILED;
}

enum store_status bootstrap_follow(void *context, struct store *s, const struct decision *d,
                                   struct utc at)
{
    (void)context;
    const enum store_status status = give_back(s, d, at);
    return status == STORE_OK && d->is_job_changed ? show(s, &d->next, at) : status;
}

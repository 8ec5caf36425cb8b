// What clients are told of a decision about a card, in its transaction.
#include "ota-server/service/api_json.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/turn_part.h"

static struct notice of_card(const struct turn *t, enum notice_kind kind, struct utc at)
{
    const struct record *r = &t->decision.next;
    return (struct notice){
        .kind = (uint8_t)kind, .at = at, .tenant = r->tenant, .card = r->card, .group = r->group};
}

static void put_if(struct json_writer *j, const char *name, const char *text)
{
    if (text[0] != '\0')
        api_put_text(j, name, text);
}

enum store_status turn_notice_operation(struct turn *t, const struct operation *before,
                                        const struct operation *o, struct utc at)
{
    const struct record *r = &t->decision.next;
    const bool is_ended = o->status == STATUS_ENDED;
    struct notice_text n;
    if (before != NULL && before->status == o->status && before->outcome == o->outcome)
        return STORE_OK;
    notice_begin(&n, "operation", r->card, r->group);
    api_put_id(&n.j, "id", "op", o->id);
    api_put_text(&n.j, "type", operation_kind_name(o->kind));
    api_put_text(&n.j, "status", operation_status_name(o->status));
    put_if(&n.j, "outcome", operation_outcome_name(o->outcome));
    if (o->has_result)
        api_put_text(&n.j, "cardResult", result_code_name(o->result));
    put_if(&n.j, "failureCode", operation_failure_name(o->failure));
    api_put_id(&n.j, "subscriptionId", "sub", o->subscription);
    api_put_id(&n.j, "campaignId", "cmp", o->campaign);
    api_put_time(&n.j, "createdAt", o->created_at);
    api_put_time(&n.j, "endedAt", o->ended_at);
    return notice_end(&n, t->options.store,
                      of_card(t, is_ended ? NOTICE_OPERATION_ENDED : NOTICE_OPERATION_UPDATED, at));
}

static uint64_t subscription_in(const struct mirror_slot *slot)
{
    return slot != NULL ? slot->subscription : 0;
}

static void put_reasons(struct json_writer *j, const struct record *r)
{
    api_open_array(j, "reasons");
    for (unsigned i = 0; i < DIRTY_REASONS; i++) {
        if (r->reasons[i].since.ms != 0)
            json_put_string(j, dirty_reason_name((uint8_t)i));
    }
    json_end_array(j);
}

static void put_card(struct json_writer *j, const struct record *r)
{
    api_put_id(j, "id", "crd", r->card);
    api_put_text(j, "state", card_state_name(r->state));
    api_open_array(j, "marks");
    for (uint8_t i = CARD_MARKS; i-- > 0;) {
        if (!record_has_mark(r, i))
            continue;
        json_begin_object(j);
        api_put_text(j, "mark", card_mark_name(i));
        if (i == MARK_DIRTY)
            put_reasons(j, r);
        api_put_time(j, "since", r->mark_since[i]);
        json_end_object(j);
    }
    json_end_array(j);
    api_put_id(j, "enabledSubscriptionId", "sub", subscription_in(record_enabled(r)));
    api_put_id(j, "fallbackSubscriptionId", "sub", subscription_in(record_fallback(r)));
}

static enum store_status add_card(struct turn *t, enum notice_kind kind, struct utc at)
{
    const struct record *r = &t->decision.next;
    struct notice_text n;
    notice_begin(&n, "card", r->card, r->group);
    put_card(&n.j, r);
    return notice_end(&n, t->options.store, of_card(t, kind, at));
}

static bool is_elsewhere(const struct mirror_slot *a, const struct mirror_slot *b)
{
    return a == NULL || b == NULL ? a != b : a->fact.slot != b->fact.slot;
}

// The most that is to be said of it in one word; its being dirty is said apart.
static enum notice_kind kind_of_change(const struct record *a, const struct record *b)
{
    const uint8_t changed = a->marks ^ b->marks;
    if ((changed >> MARK_ON_FALLBACK & 1) != 0)
        return record_has_mark(b, MARK_ON_FALLBACK) ? NOTICE_CARD_FALLBACK : NOTICE_CARD_RETURNED;
    if (is_elsewhere(record_enabled(a), record_enabled(b)))
        return NOTICE_CARD_SWITCHED;
    const bool is_changed = (changed & ~(1u << MARK_DIRTY)) != 0 || a->state != b->state ||
                            a->tenant != b->tenant || a->group != b->group ||
                            is_elsewhere(record_fallback(a), record_fallback(b));
    return is_changed ? NOTICE_CARD_UPDATED : NOTICE_NONE;
}

static enum store_status add_bootstrap(struct turn *t, struct utc at)
{
    const struct record *r = &t->decision.next;
    struct notice_text n;
    notice_begin(&n, "bootstrapJob", r->card, r->group);
    api_put_text(&n.j, "state", bootstrap_state_name(r->bootstrap.state));
    if (r->bootstrap.failure != REFUSAL_NONE)
        api_put_text(&n.j, "failure", refusal_name(r->bootstrap.failure));
    api_put_time(&n.j, "startedAt", r->bootstrap.started_at);
    return notice_end(&n, t->options.store, of_card(t, NOTICE_BOOTSTRAP_ENDED, at));
}

static bool has_ended(uint8_t bootstrap)
{
    return bootstrap == BOOTSTRAP_DONE || bootstrap == BOOTSTRAP_FAILED ||
           bootstrap == BOOTSTRAP_PARTIAL;
}

enum store_status turn_notice_card(struct turn *t, struct utc at)
{
    const struct record *a = &t->before;
    const struct record *b = &t->decision.next;
    const enum notice_kind kind = kind_of_change(a, b);
    const bool was_dirty = record_has_mark(a, MARK_DIRTY);
    const bool is_dirty = record_has_mark(b, MARK_DIRTY);
    enum store_status status = kind != NOTICE_NONE ? add_card(t, kind, at) : STORE_OK;
    if (status == STORE_OK && was_dirty != is_dirty)
        status = add_card(t, is_dirty ? NOTICE_DIRTY_ADDED : NOTICE_DIRTY_REMOVED, at);
    if (status == STORE_OK && a->bootstrap.state != b->bootstrap.state &&
        has_ended(b->bootstrap.state))
        status = add_bootstrap(t, at);
    return status;
}

// Rights may be taken away while an operation waits: they are asked for again before each of its
// packets [api 4.2]. The operator's people, and rules, which are theirs, have none to lose.
#include "ota-server/service/approval.h"
#include "ota-server/service/permission.h"
#include "ota-server/service/turn_part.h"

static bool see_owner(void *context, const struct document *d)
{
    *(uint64_t *)context = d->owner;
    return false;
}

// The enterprise of who asked. Of somebody who is gone it is the one that the operation was kept
// for.
static enum store_status asker_of(const struct turn *t, const struct record *r,
                                  const struct operation *o, uint64_t *enterprise)
{
    struct store *s = t->options.store;
    const bool is_user = o->actor.kind == ACTOR_USER;
    *enterprise = AUTH_OPERATOR;
    if (!is_user && o->actor.kind != ACTOR_CLIENT)
        return STORE_OK;
    enum store_status status =
        store_document_get(s, is_user ? "user" : "client", o->actor.id, see_owner, enterprise);
    if (status == STORE_NONE)
        status = store_operation_tenant(s, o->id, enterprise);
    if (status == STORE_NONE) // it is made in this turn, for a card of nobody perhaps
        *enterprise = r->tenant;
    return status == STORE_NONE ? STORE_OK : status;
}

// Where the enterprise may only request, its own approval does not do.
static enum store_status judge_mode(struct turn *t, const struct record *r,
                                    const struct operation *o, uint64_t enterprise, bool *may)
{
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    enum store_status status = turn_authority_of(t, r->group, &mode);
    if (status == STORE_OK)
        status = rules_authority(t->options.store, enterprise, mode, &mode, &by_group);
    if (status != STORE_OK || mode == AUTHORITY_SELF_SERVICE)
        return status;
    if (mode == AUTHORITY_REQUEST_APPROVE && o->approval != 0)
        return approval_is_operators(t->options.store, o->approval, may);
    *may = false;
    return STORE_OK;
}

static enum store_status judge_right(struct turn *t, const struct record *r,
                                     const struct operation *o, bool *may)
{
    struct store *s = t->options.store;
    uint64_t enterprise = 0;
    uint32_t set = 0;
    uint32_t needed = GRANT_BIT(grant_of_operation(o->kind));
    if (o->campaign != 0)
        needed |= GRANT_BIT(GRANT_CAMPAIGN_RUN);
    *may = true;
    enum store_status status = asker_of(t, r, o, &enterprise);
    if (status != STORE_OK || enterprise == AUTH_OPERATOR || enterprise == 0)
        return status;
    status = enterprise_works(s, enterprise, t->now, may);
    if (status == STORE_OK)
        status = permission_of(s, enterprise, r->group, &set, NULL);
    *may = *may && (set & needed) == needed;
    return status == STORE_OK && *may && operation_is_state_changing(o->kind)
               ? judge_mode(t, r, o, enterprise, may)
               : status;
}

uint8_t turn_may(void *context, const struct record *r, const struct operation *o)
{
    struct turn *t = context;
    bool may = false;
    const enum store_status status = judge_right(t, r, o, &may);
    if (status != STORE_OK)
        t->find_status = status;
    return may ? REFUSAL_NONE : REFUSAL_NOT_AUTHORISED;
}

// Requests that wait for a second person and are about no card and no operation.
#include "ota-server/service/api_approval.h"

void api_approval_request_user(struct api_exchange *x, enum user_deed deed,
                               const struct auth_user *user, const char *hash)
{
    static const char *const summaries[] = {"new user", "role of a user", "deletion of a user",
                                            "password of a user", "second factor of a user"};
    json_t *request = x->root != NULL ? json_deep_copy(x->root) : json_object();
    json_object_del(request, "password");
    json_object_set_new(request, "deed", json_string(user_deeds[deed]));
    if (deed != USER_ENTERED)
        json_object_set_new(request, "roleNow", json_string(user_role_names[user->role]));
    api_approval_request_about(x, request,
                               &(struct approval_about){.summary = summaries[deed],
                                                        .member = "userId",
                                                        .prefix = "usr",
                                                        .id = user->id,
                                                        .tenant = user->tenant,
                                                        .count = 1,
                                                        .hash = hash});
}

void api_approval_request_import(struct api_exchange *x, uint64_t import, uint64_t tenant,
                                 uint64_t count, json_t *sample)
{
    api_approval_request_about(x, json_deep_copy(x->root),
                               &(struct approval_about){.summary = "update of cards by an import",
                                                        .member = "importId",
                                                        .prefix = "imp",
                                                        .id = import,
                                                        .tenant = tenant,
                                                        .count = count,
                                                        .sample = sample});
}

void api_approval_request_pool(struct api_exchange *x, const struct document *pool, uint64_t count,
                               const char *pack_now)
{
    json_t *request = json_deep_copy(x->root);
    if (pack_now != NULL)
        json_object_set_new(request, "rulePackNow", json_string(pack_now));
    else
        api_approval_set_id(request, "enterpriseId", "ent", pool->owner);
    api_approval_request_about(
        x, request,
        &(struct approval_about){.summary = pack_now != NULL ? "rule pack of a pool" : "new pool",
                                 .member = "poolId",
                                 .prefix = "pol",
                                 .id = pool->id,
                                 .tenant = pool->owner,
                                 .count = count});
}

void api_approval_request_pack(struct api_exchange *x, const struct subscription *s,
                               const char *pack_now, const char *pack)
{
    json_t *request = json_deep_copy(x->root);
    json_object_set_new(request, "rulePackNow", json_string(pack_now));
    json_object_set_new(request, "rulePack", json_string(pack));
    api_approval_request_about(x, request,
                               &(struct approval_about){.summary = "rule pack of a subscription",
                                                        .member = "subscriptionId",
                                                        .prefix = "sub",
                                                        .id = s->id,
                                                        .tenant = s->tenant,
                                                        .count = 1});
}

void api_approval_request_reservation(struct api_exchange *x, const struct subscription *s)
{
    json_t *request = json_deep_copy(x->root);
    json_object_set_new(request, "stateNow", json_string(subscription_state_name(s->state)));
    api_approval_set_id(request, "cardId", "crd", s->card);
    api_approval_request_about(x, request,
                               &(struct approval_about){.summary = "reservation of a retired card",
                                                        .member = "subscriptionId",
                                                        .prefix = "sub",
                                                        .id = s->id,
                                                        .tenant = s->tenant,
                                                        .count = 1});
}

static enum store_status count_cards(struct api_exchange *x, uint64_t enterprise, uint64_t *cards)
{
    struct store_counts counts = {0};
    const enum store_status status = store_card_counts(x->reader, enterprise, &counts);
    *cards = 0;
    for (size_t i = 0; i < CARD_STATES; i++)
        *cards += counts.cards_by_state[i];
    return status;
}

// Enterprises are the operator's to deal with: the approval is nobody else's.
void api_approval_request_enterprise(struct api_exchange *x, const struct document *enterprise)
{
    uint64_t cards = 0;
    const enum store_status status = count_cards(x, enterprise->id, &cards);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    json_t *request = json_deep_copy(x->root);
    json_object_set_new(request, ENTERPRISE_VERSION, json_integer((json_int_t)enterprise->version));
    api_approval_request_about(x, request,
                               &(struct approval_about){.summary = "an enterprise serves itself",
                                                        .member = "enterpriseId",
                                                        .prefix = "ent",
                                                        .id = enterprise->id,
                                                        .tenant = AUTH_OPERATOR,
                                                        .count = cards});
}

void api_approval_refuse_old(struct api_exchange *x)
{
    api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                   "What was asked for cannot be judged any more, as it was asked "
                                   "for before an update: ask for it anew"));
}

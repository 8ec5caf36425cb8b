// Moves to looser rules, which are for two people.
#include "ota-server/service/api_move.h"

#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_operation.h"

#include <stdlib.h>

#define FROM "fromGroupId" // of the request: the group that it was made for

struct rules_of_both {
    struct group_rules before, after;
};

// What the owners of the card, before and after, may do with it by themselves.
static enum store_status gives_away(struct store *store, const struct record *r, uint64_t owner,
                                    const struct rules_of_both *rules, bool *is)
{
    enum authority_mode before = AUTHORITY_SELF_SERVICE;
    enum authority_mode after = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    enum store_status status =
        rules_authority(store, r->tenant, rules->before.authority, &before, &by_group);
    if (status == STORE_OK)
        status = rules_authority(store, owner, rules->after.authority, &after, &by_group);
    *is = rules_give_away(rules->before.authority, rules->after.authority) ||
          (owner != AUTH_OPERATOR && rules_give_away(before, after));
    return status;
}

enum store_status api_move_for_two(struct store *store, const struct policy *installation,
                                   const struct record *r, const struct api_move_to *to,
                                   const char **what)
{
    bool is_given_away = false;
    *what = NULL;
    if (r->group == 0 || r->group == to->group || r->state == CARD_RETIRED)
        return STORE_OK; // one that is retired is not moved at all
    struct rules_of_both *rules = malloc(sizeof(*rules));
    enum store_status status = rules != NULL ? STORE_OK : STORE_BUSY;
    if (status == STORE_OK)
        status = rules_of(store, r->group, installation, &rules->before);
    if (status == STORE_OK)
        status = rules_of(store, to->group, installation, &rules->after);
    if (status == STORE_OK)
        status = gives_away(store, r, to->owner, rules, &is_given_away);
    if (status == STORE_OK && is_given_away)
        *what = "move to where enterprises serve themselves";
    else if (status == STORE_OK && rules_are_looser(&rules->before, &rules->after))
        *what = "move to where less is for two people";
    free(rules);
    return status;
}

void api_move_request(struct api_exchange *x, const struct record *r, const struct api_move_to *to,
                      const char *what)
{
    json_t *request = json_object();
    api_approval_set_id(request, "groupId", "grp", to->group);
    api_approval_set_id(request, FROM, "grp", r->group);
    if (x->reason[0] != '\0')
        json_object_set_new(request, "reason", json_string(x->reason));
    char card[API_ID_SIZE];
    api_id_write(card, "crd", r->card);
    const struct approval_about about = {.summary = what,
                                         .member = "cardId",
                                         .prefix = "crd",
                                         .id = r->card,
                                         .tenant = r->tenant,
                                         .count = 1,
                                         .event = EVENT_MOVE,
                                         .sample = json_pack("[s]", card)};
    api_approval_request_about(x, request, &about);
    json_decref(about.sample);
}

// --- when it is approved -----------------------------------------------------------------------

struct approved {
    uint64_t from;
    struct record record;
};

static enum store_status enter_approved(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    struct approved *a = x->work;
    x->problem = api_problem_of(API_OK);
    enum store_status status = store_card_load(store, x->card_id, &a->record);
    if (status == STORE_OK && a->record.group != a->from) {
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "The card is in another group by now: ask for it anew");
        return STORE_CONFLICT;
    }
    if (status == STORE_OK)
        status = api_move_enter(store, x->card_id, e);
    if (status == STORE_NONE)
        x->problem =
            api_problem_text(API_INCOMPATIBLE_STATE, "The group is gone: name another one");
    if (status != STORE_OK)
        return status;
    status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status;
}

static void answer_approved(struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else
        api_approval_reply(x);
}

static uint64_t group_in(const json_t *request, const char *name)
{
    struct bytes text = {0};
    uint64_t id = 0;
    return json_get_text(request, name, &text) == JSON_FOUND && api_id_read(text, "grp", &id) ? id
                                                                                              : 0;
}

void api_move_carry_out(struct api_exchange *x, const json_t *request)
{
    struct approved *a = calloc(1, sizeof(*a));
    x->work = a;
    if (a == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    a->from = group_in(request, FROM);
    x->event.type = EVENT_MOVE;
    x->event.group = group_in(request, "groupId");
    if (a->from == 0 || x->event.group == 0) {
        api_approval_refuse_old(x);
        return;
    }
    x->prepare = enter_approved;
    api_submit(x, answer_approved);
}

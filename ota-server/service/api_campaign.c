// Campaigns: made, changed and acted upon.
#include "ota-server/service/api_campaign.h"
#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_upload.h"
#include "ota-server/service/group_rules.h"

#include <stdlib.h>

#define RULES_PAGE 500

static void free_cards(void *work)
{
    free(((struct campaign_work *)work)->target.cards);
}

static struct campaign_work *new_work(struct api_exchange *x)
{
    struct campaign_work *w = calloc(1, sizeof(*w));
    x->work = w;
    x->close_work = free_cards;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    return w;
}

// Fills x->work with what capture 0 names; false: there is no such campaign for the caller.
static bool find(struct api_exchange *x, struct campaign_work *w)
{
    return x->match.count > 0 &&
           api_id_read(x->match.captures[0], api_campaigns.prefix, &x->object_id) &&
           api_document_get(x, &api_campaigns, x->object_id, &w->object) &&
           store_campaign_get(x->reader, x->object_id, &w->campaign) == STORE_OK;
}

static bool fetch(struct api_exchange *x, struct campaign_work *w)
{
    const bool is_there = find(x, w);
    if (!is_there)
        api_refuse_code(x, API_NOT_FOUND);
    return is_there;
}

struct campaign_work *api_campaign_load(struct api_exchange *x)
{
    struct campaign_work *w = new_work(x);
    return w != NULL && fetch(x, w) ? w : NULL;
}

bool api_campaign_allowed(struct api_exchange *x, const struct campaign *c)
{
    char scope[AUTH_SCOPE_SIZE];
    struct writer w = writer_of(scope, sizeof(scope));
    text_put(&w, "operations:");
    text_put(&w, operation_kind_name(c->operation.kind));
    if (api_has_scope(x, text_end(&w)))
        return true;
    api_refuse_scope(x, scope);
    return false;
}

static struct campaign_by by_caller(const struct api_exchange *x)
{
    return (struct campaign_by){.actor = api_actor(x),
                                .correlator = x->correlator_id,
                                .address = x->request->peer,
                                .reason = x->reason};
}

// What the caller does; its row, and the operations that come of it, are found by the correlator.
static enum store_status act_on(struct api_exchange *x, struct store *store, struct campaign *c,
                                uint8_t input, struct utc now)
{
    const struct campaign_by by = by_caller(x);
    const enum store_status status = campaign_act(x->api->options.campaigns, c, input, &by, now);
    return status == STORE_OK && x->request->correlator.len > 0 ? api_stored_correlator(x, store)
                                                                : status;
}

static enum store_status not_now(struct api_exchange *x, const char *text)
{
    x->problem = api_problem_text(API_INCOMPATIBLE_STATE, text);
    return STORE_CONFLICT;
}

static enum store_status withdraw(struct store *store, const struct campaign *c, struct utc now)
{
    if (c->state != CAMPAIGN_AWAIT_APPROVAL)
        return STORE_OK;
    const enum store_status status = approval_end(store, c->approval, APPROVAL_WITHDRAWN, now);
    return status == STORE_NONE ? STORE_OK : status;
}

// --- new ones --------------------------------------------------------------------------------

static enum store_status add_cards(struct store *store, const struct campaign_work *w)
{
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < w->target.card_count && status == STORE_OK; i++)
        status = store_campaign_add(store, w->campaign.id, w->target.cards[i]);
    if (status == STORE_OK && w->parent != 0)
        status = store_campaign_take_lost(store, w->campaign.id, w->parent);
    return status;
}

static enum store_status keep_new(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct campaign_work *w = x->work;
    enum store_status status = api_document_apply(x, store, now);
    if (status == STORE_OK)
        status = store_campaign_put(store, &w->campaign, (struct utc){0});
    return status == STORE_OK ? add_cards(store, w) : status;
}

static void reply_new(struct api_exchange *x)
{
    api_location(x, api_campaigns.path, api_campaigns.prefix, x->object_id);
    api_campaign_reply(x, 201);
}

static void create(struct api_exchange *x, struct campaign_work *w, json_t *body)
{
    x->object_id = api_new_id(x);
    w->campaign.id = x->object_id;
    w->campaign.tenant = api_reach(x);
    w->campaign.parent = w->parent;
    w->object.document = (struct document){
        .kind = CAMPAIGN_KIND, .id = x->object_id, .owner = x->tenant, .state = CAMPAIGN_DRAFT};
    if (api_document_fill(x, &w->object, body))
        api_commit(x, keep_new, reply_new);
}

void api_campaigns_post(struct api_exchange *x)
{
    struct campaign_work *w = new_work(x);
    if (w == NULL)
        return;
    campaign_init(&w->campaign, 0);
    api_campaign_read(x, &x->body, API_REQUIRED, &w->campaign);
    api_campaign_read_target(x, &x->body, API_REQUIRED, &w->target);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_campaign_allowed(x, &w->campaign))
        return;
    json_t *body = api_campaign_body(x->root, &w->target);
    create(x, w, body);
    json_decref(body);
}

static void count_lost(void *context, uint8_t step, uint8_t reason, uint64_t cards)
{
    if (step != CAMPAIGN_LISTED && reason != REFUSAL_NONE && reason != CAMPAIGN_DONE &&
        reason != CAMPAIGN_FAILURE + FAILURE_CANCELLED)
        *(uint64_t *)context += cards;
}

// The same operation for those that it failed for, at any time.
void api_campaign_retry(struct api_exchange *x)
{
    uint64_t lost = 0;
    json_t *root = NULL;
    struct api_body b;
    const struct bytes name = api_body_text(&x->body, "name", API_OPTIONAL, 1, API_NAME_MAX);
    api_read_reason(x, API_OPTIONAL);
    struct campaign_work *w = api_end_reading(x) ? api_campaign_load(x) : NULL;
    if (w == NULL || !api_campaign_allowed(x, &w->campaign))
        return;
    if (!campaign_is_over(w->campaign.state)) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The campaign has not ended: wait, or stop it"));
        return;
    }
    const enum store_status status =
        store_campaign_counts(x->reader, x->object_id, count_lost, &lost);
    if (status != STORE_OK || json_read(w->object.document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
    } else if (lost == 0) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "No card failed: there is nothing to repeat"));
    } else {
        json_object_del(root, "schedule");
        json_object_set_new(root, "target", json_pack("{sI}", "listed", (json_int_t)lost));
        if (name.len > 0)
            json_object_set_new(root, "name", json_stringn((const char *)name.at, name.len));
        w->parent = x->object_id;
        campaign_init(&w->campaign, 0);
        api_body_init(&b, root);
        api_campaign_read(x, &b, API_REQUIRED, &w->campaign);
        if (b.problem.code == API_OK)
            create(x, w, root);
        else // its pool is no more
            api_refuse(x, b.problem);
    }
    json_decref(root);
}

// --- changes ---------------------------------------------------------------------------------

static enum store_status keep_rate(struct api_exchange *x, struct store *store, struct utc now)
{
    struct campaign_work *w = x->work;
    struct campaign present;
    enum store_status status = store_campaign_get(store, x->object_id, &present);
    if (status != STORE_OK)
        return status;
    present.per_second = w->campaign.per_second;
    present.open_max = w->campaign.open_max;
    if (present.per_network != w->campaign.per_network)
        status = store_campaign_unreserve(store, x->object_id);
    present.per_network = w->campaign.per_network;
    const bool is_due = present.state != CAMPAIGN_PAUSED;
    if (status == STORE_OK)
        status = store_campaign_put(store, &present, is_due ? now : (struct utc){0});
    return status == STORE_OK ? api_document_apply(x, store, now) : status;
}

static enum store_status keep_edit(struct api_exchange *x, struct store *store, struct utc now)
{
    struct campaign_work *w = x->work;
    struct campaign present;
    enum store_status status = store_campaign_get(store, x->object_id, &present);
    if (status == STORE_OK)
        status = withdraw(store, &present, now);
    if (status == STORE_OK && w->target.kind == TARGET_LIST)
        status = store_campaign_clear(store, x->object_id);
    if (status == STORE_OK)
        status = add_cards(store, w);
    if (status == STORE_OK)
        status = store_campaign_put(store, &w->campaign, (struct utc){0});
    w->object.document.state = CAMPAIGN_DRAFT;
    return status == STORE_OK ? api_document_apply(x, store, now) : status;
}

static void reply_present(struct api_exchange *x)
{
    api_campaign_reply(x, 200);
}

// What a campaign takes is what its own enterprise may see, also when the operator reads it for
// them. Gives who called, for unsee().
static uint64_t see_as_owner(struct api_exchange *x, const struct campaign *c)
{
    const uint64_t caller = x->tenant;
    if (c->tenant != 0)
        x->tenant = c->tenant;
    return caller;
}

static void unsee(struct api_exchange *x, uint64_t caller)
{
    x->tenant = caller;
}

// What is kept with the members of the request in place of its own; false: refused.
static bool merge(struct api_exchange *x, struct campaign_work *w)
{
    json_t *root = NULL;
    struct api_body b;
    const struct campaign before = w->campaign;
    if (json_read(w->object.document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    json_object_update(root, x->root);
    json_t *body = api_campaign_body(root, &w->target);
    campaign_init(&w->campaign, before.id);
    w->campaign.tenant = before.tenant;
    w->campaign.parent = before.parent;
    api_body_init(&b, body);
    const uint64_t caller = see_as_owner(x, &before);
    api_campaign_read(x, &b, API_REQUIRED, &w->campaign);
    unsee(x, caller);
    const bool is_good = b.problem.code == API_OK;
    if (!is_good)
        api_refuse(x, b.problem);
    const bool is_kept = is_good && api_document_fill(x, &w->object, body);
    json_decref(body);
    json_decref(root);
    return is_kept;
}

static bool is_rate_alone(const struct api_exchange *x)
{
    const char *name;
    json_t *value;
    json_object_foreach(x->root, name, value)
    {
        if (strcmp(name, "rate") != 0 && strcmp(name, "reason") != 0)
            return false;
    }
    return true;
}

void api_campaign_patch(struct api_exchange *x)
{
    struct campaign given;
    struct campaign_work *w = new_work(x);
    if (w == NULL)
        return;
    // Whose it is decides what its target may name; that there is none is told after the body.
    const bool is_there = find(x, w);
    campaign_init(&given, 0);
    const uint64_t caller = see_as_owner(x, &w->campaign);
    api_campaign_read(x, &x->body, API_OPTIONAL, &given);
    api_campaign_read_target(x, &x->body, API_OPTIONAL, &w->target);
    unsee(x, caller);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    if (!is_there) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    if (!api_campaign_allowed(x, &w->campaign) || !api_if_match(x, w->object.document.version))
        return;
    const bool is_running = campaign_is_running(w->campaign.state);
    if (campaign_is_over(w->campaign.state) || (is_running && !is_rate_alone(x))) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       is_running ? "It has started: only its rate may change"
                                                  : "The campaign has ended: make another one"));
        return;
    }
    if (merge(x, w) && api_campaign_allowed(x, &w->campaign))
        api_commit(x, is_running ? keep_rate : keep_edit, reply_present);
}

// --- the check -------------------------------------------------------------------------------

static enum store_status take(struct api_exchange *x, struct store *store,
                              const struct campaign_target *t)
{
    struct card_filter f;
    if (t->kind == TARGET_LIST)
        return store_campaign_reset(store, x->object_id);
    enum store_status status = store_campaign_clear(store, x->object_id);
    if (t->kind == TARGET_UPLOAD) // in turns of their own
        return status;
    if (t->kind == TARGET_FILTER)
        return status == STORE_OK
                   ? store_campaign_take(store, x->object_id, &t->filter, CAMPAIGN_CARDS_MAX + 1)
                   : status;
    for (size_t i = 0; i < t->group_count && status == STORE_OK; i++) {
        card_filter_init(&f);
        f.tenant = t->filter.tenant;
        f.grants = t->filter.grants;
        f.group = t->groups[i];
        status = store_campaign_take(store, x->object_id, &f, CAMPAIGN_CARDS_MAX + 1);
    }
    return status;
}

// What was found is found anew: until then it can be neither started nor approved.
static enum store_status reopen(struct api_exchange *x, struct store *store, uint64_t id,
                                struct utc now)
{
    struct trail_new row = api_trail_row(x, "campaign.state", CAMPAIGN_KIND, id);
    row.before = campaign_state_name(CAMPAIGN_CHECKED);
    row.after = campaign_state_name(CAMPAIGN_DRAFT);
    const enum store_status status =
        store_document_state(store, CAMPAIGN_KIND, id, CAMPAIGN_CHECKED, CAMPAIGN_DRAFT, now);
    return status == STORE_OK ? store_trail_add(store, &row) : status;
}

static enum store_status begin_check(struct api_exchange *x, struct store *store, struct utc now)
{
    struct campaign_work *w = x->work;
    struct campaign *c = &w->campaign;
    struct campaign_counts counts;
    uint64_t pool[4] = {0};
    uint8_t seed[32];
    const struct cipher *cipher = x->api->options.cipher;
    enum store_status status = take(x, store, &w->target);
    if (status == STORE_OK)
        status = campaign_counts_of(store, c->id, &counts);
    if (status == STORE_OK && campaign_reached(&counts, CAMPAIGN_LISTED) > CAMPAIGN_CARDS_MAX)
        status = not_now(x, "More than 1,000,000 cards: make its target smaller");
    if (status == STORE_OK && c->operation.kind == OPERATION_DOWNLOAD)
        status = store_pool_counts(store, c->pool, pool);
    if (status == STORE_OK && !cipher->sha256(cipher->context, &w->object.document.body, 1, seed))
        status = STORE_FAILED;
    if (status == STORE_OK && c->state == CAMPAIGN_CHECKED)
        status = reopen(x, store, c->id, now);
    if (status != STORE_OK)
        return status;
    campaign_check_begin(c, seed);
    c->checked_at = now; // by the rules that hold from now on, if not others
    c->stock = (uint32_t)pool[SUBSCRIPTION_FREE];
    c->actor = api_actor(x);
    return store_campaign_put(store, c, (struct utc){0});
}

// A part of the upload a turn.
static enum store_status take_some(struct api_exchange *x, struct store *store,
                                   struct campaign_work *w)
{
    struct upload_part *part = malloc(sizeof(*part));
    enum store_status status =
        part != NULL ? upload_part(store, w->target.upload, w->taken, part) : STORE_BUSY;
    for (size_t i = 0; status == STORE_OK && i < part->count; i++)
        status = store_campaign_add(store, x->object_id, part->cards[i]);
    if (status == STORE_OK) {
        w->is_taking = part->id != 0;
        w->taken = part->id;
    }
    free(part);
    return status == STORE_NONE
               ? not_now(x, "The upload of its target is gone: give it another one")
               : status;
}

static enum store_status check_some(struct api_exchange *x, struct store *store, struct utc now)
{
    struct campaign_work *w = x->work;
    struct campaign_runner *runner = x->api->options.campaigns;
    struct campaign present;
    bool is_done = false;
    enum store_status status = store_campaign_get(store, x->object_id, &present);
    if (status == STORE_OK && present.check != w->campaign.check)
        return not_now(x, "It was changed, or checked anew, meanwhile: read it, and ask again");
    if (status == STORE_OK && w->is_taking)
        return take_some(x, store, w);
    if (status == STORE_OK)
        status = campaign_check_some(runner, x->api->options.turn, &present, now, &is_done);
    if (status != STORE_OK)
        return status;
    w->campaign.cursor = is_done ? UINT64_MAX : 0;
    return is_done ? act_on(x, store, &present, CAMPAIGN_IN_CHECKED, now)
                   : store_campaign_put(store, &present, (struct utc){0});
}

// Some cards a turn: others have theirs in between.
static void reply_checked(struct api_exchange *x)
{
    const struct campaign_work *w = x->work;
    if (w->campaign.cursor == UINT64_MAX)
        api_campaign_reply(x, 200);
    else
        api_commit(x, check_some, reply_checked);
}

static struct campaign_work *load_for(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    struct campaign_work *w = api_end_reading(x) ? api_campaign_load(x) : NULL;
    if (w != NULL && x->api->options.campaigns == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return NULL;
    }
    return w != NULL && api_campaign_allowed(x, &w->campaign) ? w : NULL;
}

void api_campaign_check(struct api_exchange *x)
{
    struct campaign_work *w = load_for(x);
    if (w == NULL)
        return;
    const uint64_t caller = see_as_owner(x, &w->campaign);
    const bool is_there = api_campaign_kept_target(x, w->object.document.body, &w->target);
    unsee(x, caller);
    if (!is_there) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "A group, or the upload, of its target is gone: "
                                       "give it another target"));
        return;
    }
    if (campaign_next(w->campaign.state, CAMPAIGN_IN_CHECKED) == CAMPAIGN_REFUSED) {
        api_refuse(x,
                   api_problem_text(API_INCOMPATIBLE_STATE,
                                    "It waits for an approval, or has started: make another one"));
        return;
    }
    w->campaign.check = api_new_id(x);
    w->campaign.cursor = 0;
    w->is_taking = w->target.kind == TARGET_UPLOAD;
    api_commit(x, begin_check, reply_checked);
}

// --- acting ----------------------------------------------------------------------------------

static enum store_status keep_act(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct campaign_work *w = x->work;
    struct campaign present;
    enum store_status status = store_campaign_get(store, x->object_id, &present);
    if (status == STORE_OK)
        status = withdraw(store, &present, now);
    if (status == STORE_OK)
        status = act_on(x, store, &present, w->input, now);
    return status == STORE_CONFLICT ? not_now(x, "The state does not permit it now: read it first")
                                    : status;
}

static void act(struct api_exchange *x, uint8_t input)
{
    struct campaign_work *w = load_for(x);
    if (w == NULL)
        return;
    w->input = input;
    api_commit(x, keep_act, reply_present);
}

void api_campaign_pause(struct api_exchange *x)
{
    act(x, CAMPAIGN_IN_PAUSED);
}

void api_campaign_resume(struct api_exchange *x)
{
    act(x, CAMPAIGN_IN_RESUMED);
}

void api_campaign_stop(struct api_exchange *x)
{
    act(x, CAMPAIGN_IN_STOPPED);
}

// A campaign by the rules as they are now.
struct judged {
    struct api_exchange *x;
    struct campaign now;
    uint64_t last; // of the groups that were looked at
    uint32_t count;
    enum store_status status;
};

static bool see_rules(void *context, const struct document *d)
{
    struct judged *j = context;
    struct group_rules rules;
    j->last = d->id;
    j->count++;
    if (d->changed_at.ms < j->now.checked_at.ms)
        return true;
    j->status = rules_of(j->x->reader, d->id, turn_policy(j->x->api->options.turn), &rules);
    if (j->status == STORE_OK && rules.campaign_above < j->now.approval_at)
        j->now.approval_at = rules.campaign_above;
    return j->status == STORE_OK;
}

static enum store_status judge_by_rules(struct judged *j)
{
    const struct store_page page = {.limit = RULES_PAGE};
    struct document_filter filter = {.kind = RULES_KIND, .state = -1};
    enum store_status status = STORE_OK;
    do {
        j->count = 0;
        filter.after = j->last;
        status = store_documents(j->x->reader, &filter, &page, see_rules, j, NULL);
    } while (status == STORE_OK && j->status == STORE_OK && j->count == RULES_PAGE);
    return status == STORE_OK ? j->status : status;
}

// Do rules of a group, changed since the check, ask for a second person that it did not ask for?
// Of any group, since cards may have moved. Then it is refused.
static bool is_judged_still(struct api_exchange *x, const struct campaign *c)
{
    struct judged j = {.x = x, .now = *c};
    if (x->api->options.single_person || campaign_needs_approval(c))
        return true;
    const enum store_status status = judge_by_rules(&j);
    if (status == STORE_OK && !campaign_needs_approval(&j.now))
        return true;
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else
        api_refuse(
            x, api_problem_text(API_INCOMPATIBLE_STATE,
                                "Rules of a group were changed since its check: check it again"));
    return false;
}

// What is started is what was checked.
static enum store_status keep_start(struct api_exchange *x, struct store *store, struct utc now)
{
    struct campaign_work *w = x->work;
    struct campaign *c = &w->campaign;
    enum store_status status = STORE_OK;
    c->actor = api_actor(x);
    c->correlator = x->correlator_id;
    c->approval = 0;
    if (x->approval != NULL) {
        c->approval = x->approval->document.id;
        c->approval_until = utc_after(now, turn_policy(x->api->options.turn)->approval_ms);
        status = api_approval_keep(x, store);
    }
    if (status == STORE_OK)
        status = act_on(x, store, c, w->input, now);
    return status == STORE_CONFLICT ? not_now(x, "The state does not permit it now: read it first")
                                    : status;
}

void api_campaign_start(struct api_exchange *x)
{
    struct campaign_work *w = load_for(x);
    if (w == NULL)
        return;
    const struct campaign *c = &w->campaign;
    const bool is_for_two = !x->api->options.single_person && campaign_needs_approval(c);
    const enum approval_why why = c->needs_approval ? APPROVAL_REQUEST
                                  : is_for_two      ? APPROVAL_FOUR_EYES
                                                    : APPROVAL_NOT_NEEDED;
    w->input = why == APPROVAL_NOT_NEEDED ? CAMPAIGN_IN_STARTED : CAMPAIGN_IN_ASKED;
    if (campaign_next(c->state, w->input) == CAMPAIGN_REFUSED)
        api_refuse(x,
                   api_problem_text(API_INCOMPATIBLE_STATE, "It is not checked: POST check first"));
    else if (c->eligible == 0)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "No card is eligible: GET exclusions tells why"));
    else if (is_judged_still(x, c) &&
             (why == APPROVAL_NOT_NEEDED || api_approval_begin_campaign(x, c, why)))
        api_commit(x, keep_start, reply_present);
}

// In the transaction of the approver's word.
static enum store_status keep_decided(struct api_exchange *x, struct store *store, struct utc now)
{
    const uint8_t input = x->approval->document.state == APPROVAL_APPROVED ? CAMPAIGN_IN_APPROVED
                                                                           : CAMPAIGN_IN_UNAPPROVED;
    struct campaign present;
    enum store_status status = store_campaign_get(store, x->card_id, &present);
    if (status == STORE_OK)
        status = store_document_put(store, &x->approval->document);
    if (status == STORE_OK && present.approval != x->approval->document.id)
        status = STORE_CONFLICT;
    if (status == STORE_OK)
        status = act_on(x, store, &present, input, now);
    return status == STORE_CONFLICT ? not_now(x, "It is decided, or was changed since: read it")
                                    : status;
}

void api_campaign_carry_out(struct api_exchange *x, uint64_t id)
{
    x->card_id = id;
    if (x->api->options.campaigns == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        api_commit(x, keep_decided, api_approval_reply);
}

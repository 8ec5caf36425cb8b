#include "ota-server/service/api_approval.h"

#include "common/base/text.h"
#include "ota-server/service/api_campaign.h"
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_move.h"

#include <stdlib.h>

#define HASH_SIZE 65
#define SWEEP_ROWS 100
#define SAMPLE_MAX 20 // cards of a campaign
#define HASH_MEMBER "passwordHash"

static const char *const whys[] = {"", "FOUR_EYES", "REQUEST_APPROVE"};

// --- showing ---

// How it is kept is not shown.
static bool is_kept_only(const char *name)
{
    static const char *const names[] = {"person", "people", "enterprise", "event", HASH_MEMBER};
    bool is = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        is |= strcmp(name, names[i]) == 0;
    return is;
}

static uint64_t cards_of(struct api_exchange *x, uint64_t group)
{
    uint64_t counts[CARD_STATES] = {0};
    uint64_t total = 0;
    if (store_group_states(x->reader, group, counts) != STORE_OK)
        memset(counts, 0, sizeof(counts));
    for (size_t i = 0; i < CARD_STATES; i++)
        total += counts[i];
    return total;
}

static uint64_t id_of(const json_t *root, const char *name, const char *prefix)
{
    struct bytes text = {0};
    uint64_t id = 0;
    if (json_get_text(root, name, &text) != JSON_FOUND || !api_id_read(text, prefix, &id))
        return 0;
    return id;
}

// Cards come and go while it waits: as many as it would concern now.
static void count_anew(struct api_exchange *x, const struct document *d, json_t *root)
{
    const uint64_t group = id_of(root, "groupId", "grp");
    if (group != 0 && d->state == APPROVAL_OPEN)
        json_object_set_new(root, "targetCount", json_integer((json_int_t)cards_of(x, group)));
}

static void put_approval(struct api_exchange *x, const struct document *d)
{
    json_t *root = NULL;
    const char *name;
    json_t *value;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return;
    count_anew(x, d, root);
    json_object_foreach(root, name, value)
    {
        if (is_kept_only(name))
            continue;
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        json_put_key(&x->json, name);
        json_put_raw(&x->json, bytes_of_text(text != NULL ? text : "null"));
        free(text);
    }
    json_decref(root);
    api_put_text(&x->json, "state", approval_states[d->state]);
}

static const struct api_kind approvals = {.kind = APPROVAL_KIND,
                                          .prefix = "apr",
                                          .path = "/approvals",
                                          .more = put_approval,
                                          .is_opaque = true};

void api_approvals_list(struct api_exchange *x)
{
    int state = -1;
    const struct api_problem p = api_query_enum(&x->query, "state", approval_states, &state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else
        api_documents_in_state(x, &approvals, state);
}

void api_approval_get(struct api_exchange *x)
{
    api_document_show(x, &approvals);
}

// --- who needs one ---

bool api_approval_need(struct api_exchange *x, const struct record *record, uint8_t kind,
                       bool is_sharp, enum approval_why *why)
{
    struct group_rules rules;
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    enum store_status status =
        rules_of(x->reader, record->group, turn_policy(x->api->options.turn), &rules);
    if (status == STORE_OK && !api_is_operator(x) && operation_is_state_changing(kind))
        status = rules_authority(x->reader, x->tenant, rules.authority, &mode, &by_group);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return false;
    }
    if (mode == AUTHORITY_OPERATOR_ONLY) {
        api_refuse_permission(x, "the authority mode leaves it to the operator, ask them");
        return false;
    }
    const bool is_watched = is_sharp || (kind == OPERATION_DELETE && rules.four_eyes_delete);
    if (mode == AUTHORITY_REQUEST_APPROVE)
        *why = APPROVAL_REQUEST;
    else if (is_watched && !x->api->options.single_person)
        *why = APPROVAL_FOUR_EYES;
    else
        *why = APPROVAL_NOT_NEEDED;
    return true;
}

// --- making one ---

// Hexadecimal SHA-256 of the request as it is kept.
static bool hash_of(struct bytes request, char text[HASH_SIZE])
{
    uint8_t digest[32];
    struct sha256 *s = sha256_open();
    const bool ok = s != NULL && sha256_add(s, request) && sha256_finish(s, digest);
    sha256_close(s);
    struct writer w = writer_of(text, HASH_SIZE);
    text_hex(&w, bytes_of(digest, sizeof(digest)));
    text_end(&w);
    return ok;
}

void api_approval_set_id(json_t *root, const char *name, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE];
    if (id == 0)
        return;
    api_id_write(text, prefix, id);
    json_object_set_new(root, name, json_string(text));
}

static json_t *requester_of(const struct api_exchange *x)
{
    json_t *by = json_object();
    json_object_set_new(by, "kind", json_string(x->client.is_user ? "USER" : "CLIENT"));
    api_approval_set_id(by, "id", x->client.is_user ? "usr" : "cli", x->client.id);
    return by;
}

// The request as a whole: what is asked for, on which card.
static json_t *request_of(struct api_exchange *x, uint64_t group)
{
    json_t *request = x->root != NULL ? json_deep_copy(x->root) : json_object();
    api_approval_set_id(request, "cardId", "crd", x->card_id);
    api_approval_set_id(request, "groupId", "grp", group);
    return request;
}

// Whom it concerns: a card, or those of a group.
static void set_targets(struct api_exchange *x, json_t *root, uint64_t group)
{
    char card[API_ID_SIZE];
    const uint64_t total = group == 0 ? 1 : cards_of(x, group);
    api_id_write(card, "crd", x->card_id);
    json_object_set_new(root, "targetCount", json_integer((json_int_t)total));
    json_object_set_new(root, "sample", group == 0 ? json_pack("[s]", card) : json_array());
    api_approval_set_id(root, "cardId", "crd", x->card_id);
    api_approval_set_id(root, "groupId", "grp", group);
}

// What all approvals have; takes the request over. False: refused.
// Whom the asking client acts for, as it is now; false: no memory for it.
static bool set_people(const struct api_exchange *x, json_t *root)
{
    json_t *people = json_array();
    bool ok = people != NULL;
    for (unsigned i = 0; ok && i < x->client.people_count; i++)
        ok = json_array_append_new(people, json_integer((json_int_t)x->client.people[i])) == 0;
    return json_object_set_new(root, "people", people) == 0 && ok;
}

static bool set_request(struct api_exchange *x, json_t *root, json_t *request,
                        enum approval_why why)
{
    char hash[HASH_SIZE];
    char *text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    const bool ok = text != NULL && hash_of(bytes_of_text(text), hash) && set_people(x, root);
    free(text);
    json_object_set_new(root, "kind", json_string(whys[why]));
    json_object_set_new(root, "requestedBy", requester_of(x));
    json_object_set_new(root, "request", request);
    json_object_set_new(root, "requestHash", json_string(ok ? hash : ""));
    if (x->reason[0] != '\0')
        json_object_set_new(root, "reason", json_string(x->reason));
    api_set_time(root, "expiresAt",
                 utc_after(x->now.utc, turn_policy(x->api->options.turn)->approval_ms));
    json_object_set_new(root, "person", json_integer((json_int_t)api_person(x)));
    json_object_set_new(root, "enterprise", json_integer((json_int_t)x->tenant));
    if (!ok)
        api_refuse_code(x, API_UNAVAILABLE);
    return ok;
}

static bool open_approval(struct api_exchange *x, uint64_t tenant)
{
    x->approval = calloc(1, sizeof(*x->approval));
    if (x->approval == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    x->event.approval = api_new_id(x);
    x->approval->document = (struct document){.kind = APPROVAL_KIND,
                                              .id = x->event.approval,
                                              .owner = api_is_operator(x) ? tenant : x->tenant,
                                              .parent = x->card_id,
                                              .state = APPROVAL_OPEN,
                                              .created_at = x->now.utc,
                                              .changed_at = x->now.utc};
    return true;
}

static bool begin(struct api_exchange *x, const char *what, enum approval_why why, uint64_t tenant,
                  uint64_t group)
{
    if (!open_approval(x, tenant))
        return false;
    json_t *root = json_object();
    const uint64_t operation =
        x->event.type == EVENT_REQUEST && group == 0 ? x->event.as.request.operation.id : 0;
    const bool ok = set_request(x, root, request_of(x, group), why);
    json_object_set_new(root, "summary", json_string(what));
    set_targets(x, root, group);
    api_approval_set_id(root, "operationId", "op", operation);
    json_object_set_new(root, "event", json_integer(x->event.type));
    const bool is_filled = ok && api_document_fill(x, x->approval, root);
    json_decref(root);
    return is_filled;
}

bool api_approval_begin(struct api_exchange *x, const char *what, enum approval_why why,
                        uint64_t tenant)
{
    return begin(x, what, why, tenant, 0);
}

// --- those of campaigns ---

static bool add_to_sample(void *context, const struct campaign_row *row)
{
    char card[API_ID_SIZE];
    api_id_write(card, "crd", row->card);
    json_array_append_new(context, json_string(card));
    return true;
}

static json_t *sample_of(struct api_exchange *x, const struct campaign *c)
{
    json_t *sample = json_array();
    const struct store_page page = {.limit = SAMPLE_MAX};
    const struct campaign_card_filter eligible = {
        .campaign = c->id, .step_from = CAMPAIGN_WAITING, .step_to = CAMPAIGN_WAITING};
    if (store_campaign_cards(x->reader, &eligible, &page, add_to_sample, sample, NULL) != STORE_OK)
        json_array_clear(sample);
    return sample;
}

// The request and what the check found: their hash is what is approved.
static json_t *campaign_request(const struct api_object *object, const struct campaign *c)
{
    char hash[HASH_SIZE];
    json_t *request = NULL;
    struct writer w = writer_of(hash, sizeof(hash));
    text_hex(&w, bytes_of(c->hash, sizeof(c->hash)));
    if (json_read(object->document.body, &request) != JSON_READ_OK)
        return NULL;
    json_object_set_new(request, "targetHash", json_string(text_end(&w)));
    json_object_set_new(request, "targeted", json_integer(c->targeted));
    json_object_set_new(request, "eligible", json_integer(c->eligible));
    return request;
}

bool api_approval_begin_campaign(struct api_exchange *x, const struct campaign *c,
                                 enum approval_why why)
{
    const struct api_object *object = x->work;
    char what[48];
    struct writer w = writer_of(what, sizeof(what));
    text_put(&w, "campaign: ");
    text_put(&w, operation_kind_name(c->operation.kind));
    json_t *request = campaign_request(object, c);
    json_t *root = json_object();
    const bool is_open = open_approval(x, c->tenant);
    const bool ok = is_open && set_request(x, root, request, why);
    if (ok) {
        json_object_set_new(root, "summary", json_string(text_end(&w)));
        json_object_set_new(root, "targetCount", json_integer(c->eligible));
        json_object_set_new(root, "sample", sample_of(x, c));
        api_approval_set_id(root, "campaignId", "cmp", c->id);
        json_object_set_new(root, "event", json_integer(0));
    }
    const bool is_filled = ok && api_document_fill(x, x->approval, root);
    json_decref(root);
    return is_filled;
}

enum store_status api_approval_keep(struct api_exchange *x, struct store *store)
{
    if (x->approval == NULL)
        return STORE_OK;
    const struct document *d = &x->approval->document;
    const enum store_status status = store_document_put(store, d);
    return status == STORE_OK ? approval_tell(store, d, x->now.utc) : status;
}

static enum store_status keep_request(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    enum store_status status =
        api_difference_begin(x, store, APPROVAL_KIND, x->approval->document.id, NULL);
    if (status == STORE_OK)
        status = api_approval_keep(x, store);
    return status == STORE_OK ? api_trail(x, store, "approval.requested", APPROVAL_KIND,
                                          x->approval->document.id, NULL)
                              : status;
}

static void reply_approval(struct api_exchange *x, uint64_t id, unsigned status)
{
    uint64_t version = 0;
    if (!api_document_put(x, &approvals, id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (status == 202)
        api_location(x, "/approvals", "apr", id);
    api_etag(x, version);
    api_reply(x, status);
}

static void reply_requested(struct api_exchange *x)
{
    reply_approval(x, x->approval->document.id, 202);
}

void api_approval_request(struct api_exchange *x, const char *what, struct utc since,
                          uint64_t tenant)
{
    api_set_time(x->root, "since", since);
    if (api_approval_begin(x, what, APPROVAL_FOUR_EYES, tenant))
        api_commit(x, keep_request, reply_requested);
}

void api_approval_request_rules(struct api_exchange *x, const char *what, uint64_t group,
                                uint64_t tenant)
{
    if (begin(x, what, APPROVAL_FOUR_EYES, tenant, group))
        api_commit(x, keep_request, reply_requested);
}

void api_approval_request_about(struct api_exchange *x, json_t *request,
                                const struct approval_about *a)
{
    if (!open_approval(x, a->tenant)) {
        json_decref(request);
        return;
    }
    api_approval_set_id(request, a->member, a->prefix, a->id);
    json_t *root = json_object();
    bool ok = set_request(x, root, request, APPROVAL_FOUR_EYES);
    json_object_set_new(root, "summary", json_string(a->summary));
    json_object_set_new(root, "targetCount", json_integer((json_int_t)a->count));
    json_object_set_new(root, "sample", a->sample != NULL ? json_incref(a->sample) : json_array());
    api_approval_set_id(root, a->member, a->prefix, a->id);
    json_object_set_new(root, "event", json_integer(a->event));
    if (a->hash != NULL)
        json_object_set_new(root, HASH_MEMBER, json_string(a->hash));
    ok = ok && api_document_fill(x, x->approval, root);
    json_decref(root);
    if (ok)
        api_commit(x, keep_request, reply_requested);
}

void api_approval_reply(struct api_exchange *x)
{
    reply_approval(x, x->approval->document.id, 200);
}

// --- deciding ---

// What is needed of a kept one to decide it.
struct kept {
    json_t *root;
    int64_t person, event, enterprise; // 0: nobody noted whose it is
    struct bytes kind, hash;
    uint64_t card, operation, group, campaign, user, import, pool, subscription, about;
    struct utc expires_at;
    char password_hash[USER_HASH_SIZE]; // that a person is to have, or ""
};

// Requests from before it was kept have none.
static bool has_enterprise(struct kept *k)
{
    const enum json_found found =
        json_get_integer(k->root, "enterprise", 1, INT64_MAX, &k->enterprise);
    return found == JSON_FOUND || found == JSON_ABSENT;
}

// False: it is not in a form in which it could be judged.
static bool read_kept(const struct api_object *object, struct kept *k)
{
    struct bytes text = {0};
    struct bytes password = {0};
    *k = (struct kept){.root = NULL};
    if (json_read(object->document.body, &k->root) != JSON_READ_OK)
        return false;
    k->card = id_of(k->root, "cardId", "crd");
    k->operation = id_of(k->root, "operationId", "op");
    k->group = id_of(k->root, "groupId", "grp");
    k->campaign = id_of(k->root, "campaignId", "cmp");
    k->user = id_of(k->root, "userId", "usr");
    k->import = id_of(k->root, "importId", "imp");
    k->pool = id_of(k->root, "poolId", "pol");
    k->subscription = id_of(k->root, "subscriptionId", "sub");
    k->about = id_of(k->root, "enterpriseId", "ent");
    if (json_get_text(k->root, HASH_MEMBER, &password) == JSON_FOUND &&
        password.len < sizeof(k->password_hash))
        bytes_copy(k->password_hash, password);
    json_object_del(k->root, HASH_MEMBER); // is over with the decision
    return json_get_integer(k->root, "person", INT64_MIN, INT64_MAX, &k->person) == JSON_FOUND &&
           has_enterprise(k) &&
           json_get_integer(k->root, "event", 0, EVENT_TYPES, &k->event) == JSON_FOUND &&
           json_get_text(k->root, "kind", &k->kind) == JSON_FOUND &&
           json_get_text(k->root, "requestHash", &k->hash) == JSON_FOUND &&
           json_get_text(k->root, "expiresAt", &text) == JSON_FOUND &&
           api_read_time(text, &k->expires_at);
}

static bool has_asked(const struct api_exchange *x, const struct kept *k)
{
    const json_int_t person = (json_int_t)api_person(x);
    bool has = k->person == person;
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(k->root, "people"), i, item) has |=
        json_integer_value(item) == person;
    return has;
}

// May the caller decide at all? The operator's people may; those of an enterprise what is theirs.
static bool check_decider(struct api_exchange *x, const struct kept *k)
{
    if (!api_second_person(x))
        return false;
    if (has_asked(x, k) && !x->api->options.single_person) {
        api_refuse_permission(x, "you asked for it yourself, somebody else decides");
        return false;
    }
    if (api_is_operator(x) || k->user != 0) // whom they see of: what was asked for is asked again
        return true;
    if (k->enterprise == 0) {
        api_approval_refuse_old(x);
        return false;
    }
    const struct approval_matter m = {.enterprise = (uint64_t)k->enterprise,
                                      .card = k->card,
                                      .operation = k->operation,
                                      .campaign = k->campaign,
                                      .request = json_object_get(k->root, "request")};
    const bool is_theirs = bytes_equal(k->kind, bytes_of_text(whys[APPROVAL_FOUR_EYES]));
    const bool may = is_theirs && api_approval_is_ours(x, &m);
    if (!may)
        api_refuse_permission(x, "the operator's people decide it, ask them");
    return may;
}

static bool check_open(struct api_exchange *x, const struct api_object *object,
                       const struct kept *k, struct bytes hash)
{
    if (!bytes_equal(k->hash, hash)) {
        api_refuse(x,
                   api_problem_field(API_FAILED_PRECONDITION, bytes_of_text("requestHash"),
                                     "It is not the hash of the request: read the approval again"));
        return false;
    }
    if (object->document.state == APPROVAL_OPEN && k->expires_at.ms > x->now.utc.ms)
        return true;
    api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                   "It is decided, or its time is over: ask for it anew"));
    return false;
}

static bool note_decision(struct api_exchange *x, struct api_object *object, const struct kept *k,
                          enum approval_state state)
{
    object->document.state = state;
    object->document.changed_at = x->now.utc;
    json_object_set_new(k->root, "decidedBy", requester_of(x));
    api_set_time(k->root, "decidedAt", x->now.utc);
    if (x->reason[0] != '\0')
        json_object_set_new(k->root, "comment", json_string(x->reason));
    return api_document_fill(x, object, k->root);
}

static bool is_of_card(int64_t event_type)
{
    return event_type == EVENT_CLEAR_DIRTY || event_type == EVENT_LIFT_QUARANTINE;
}

static enum store_status keep_decision(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    const struct api_object *object = x->work;
    x->problem = api_problem_of(API_OK);
    enum store_status status = store_document_put(store, &object->document);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    if (status == STORE_OK && e != NULL && is_of_card(e->type))
        status = api_approval_judge_since(x, store, object);
    return status == STORE_OK ? approval_tell(store, &object->document, x->now.utc) : status;
}

static void answer_decided(struct api_exchange *x, const struct turn_answer *answer)
{
    const bool is_gone = answer->refusal == REFUSAL_NOT_FOUND; // what it was for has ended
    if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(is_gone ? REFUSAL_WRONG_STATUS : answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else
        reply_approval(x, x->object_id, 200);
}

static enum store_status keep_rejection(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    enum store_status status = api_difference_begin(x, store, APPROVAL_KIND, x->object_id, NULL);
    if (status == STORE_OK)
        status = keep_decision(x, store, NULL);
    return status == STORE_OK
               ? api_trail(x, store, "approval.rejected", APPROVAL_KIND, x->object_id, NULL)
               : status;
}

static void reply_decided(struct api_exchange *x)
{
    reply_approval(x, x->object_id, 200);
}

// Is it an event of a card: a move, or the end of its reservation?
static bool is_of_a_card(const struct kept *k)
{
    const json_t *request = json_object_get(k->root, "request");
    const bool is_move = k->operation == 0 && k->card != 0 && k->event == EVENT_MOVE;
    return is_move || (k->subscription != 0 && json_object_get(request, "cardId") != NULL);
}

// Is it about an object of the API, which is changed in the turn?
static bool is_of_object(const struct kept *k)
{
    return k->operation == 0 && !is_of_a_card(k) &&
           (k->campaign != 0 || k->group != 0 || k->user != 0 || k->import != 0 || k->pool != 0 ||
            k->subscription != 0 || k->about != 0);
}

static void carry_out_other(struct api_exchange *x, const struct kept *k)
{
    json_t *request = json_object_get(k->root, "request");
    const json_t *by = json_object_get(k->root, "requestedBy");
    const char *asker = json_is_string(json_object_get(by, "id"))
                            ? json_string_value(json_object_get(by, "id"))
                            : "";
    x->approval = x->work;
    x->work = NULL;
    if (k->card != 0 && k->event == EVENT_MOVE)
        api_move_carry_out(x, request);
    else if (k->campaign != 0)
        api_campaign_carry_out(x, k->campaign);
    else if (k->group != 0)
        api_group_rules_carry_out(x, k->group, request, asker);
    else if (k->user != 0)
        api_user_carry_out(
            x, &(struct user_request){
                   .user = k->user, .asker = asker, .request = request, .hash = k->password_hash});
    else if (k->import != 0)
        api_import_carry_out(x, k->import);
    else if (k->pool != 0)
        api_pool_carry_out(x, k->pool, request);
    else if (k->about != 0)
        api_enterprise_carry_out(x, k->about, request);
    else
        api_subscription_carry_out(x, k->subscription, request);
}

// Runs what waits for it, or ends it, together with the decision.
static void carry_out(struct api_exchange *x, const struct kept *k, bool is_approved)
{
    x->card_id = k->card;
    x->event.approval = x->object_id;
    x->event.operation = k->operation;
    if (k->operation == 0 && k->campaign == 0 && !is_approved) {
        api_commit(x, keep_rejection, reply_decided);
        return;
    }
    if (is_of_a_card(k) || is_of_object(k)) {
        carry_out_other(x, k);
        return;
    }
    if (k->operation == 0 && !is_of_card(k->event)) {
        api_approval_refuse_old(x);
        return;
    }
    x->event.type = (uint8_t)k->event;
    if (k->operation != 0)
        x->event.type = is_approved ? EVENT_APPROVED : EVENT_REJECTED;
    x->prepare = keep_decision;
    api_submit(x, answer_decided);
}

static void decide_it(struct api_exchange *x, enum approval_state state)
{
    const struct bytes hash = api_body_text(&x->body, "requestHash", API_REQUIRED, 64, 64);
    const struct bytes comment = api_body_text(&x->body, "comment", API_OPTIONAL, 1, API_WHY_MAX);
    struct kept k = {.root = NULL};
    if (!api_end_reading(x))
        return;
    bytes_copy(x->reason, comment);
    x->reason[comment.len] = '\0';
    struct api_object *object = api_document_load(x, &approvals);
    if (object == NULL)
        return;
    if (!read_kept(object, &k))
        api_approval_refuse_old(x);
    else if (is_of_object(&k) && !x->is_in_turn)
        api_in_turn(x, x->route->handle);
    else if (check_decider(x, &k) && check_open(x, object, &k, hash) &&
             note_decision(x, object, &k, state))
        carry_out(x, &k, state == APPROVAL_APPROVED);
    json_decref(k.root);
}

void api_approval_approve(struct api_exchange *x)
{
    decide_it(x, APPROVAL_APPROVED);
}

void api_approval_reject(struct api_exchange *x)
{
    decide_it(x, APPROVAL_REJECTED);
}

// --- time ---

struct due {
    struct utc now;
    uint64_t ids[SWEEP_ROWS];
    size_t count;
};

static bool see_due(void *context, const struct document *d)
{
    struct due *due = context;
    json_t *root = NULL;
    struct bytes text = {0};
    struct utc at = {0};
    const bool is_told = json_read(d->body, &root) == JSON_READ_OK &&
                         json_get_text(root, "expiresAt", &text) == JSON_FOUND &&
                         api_read_time(text, &at);
    if (!is_told || at.ms <= due->now.ms) // what does not tell its end nobody can decide
        due->ids[due->count++] = d->id;
    json_decref(root);
    return due->count < SWEEP_ROWS;
}

// Those of operations end with these.
enum store_status api_approval_sweep(struct store *store, struct utc now)
{
    struct due due = {.now = now};
    const struct document_filter filter = {.kind = APPROVAL_KIND, .state = APPROVAL_OPEN};
    const struct store_page page = {.limit = SWEEP_ROWS};
    enum store_status status = store_documents(store, &filter, &page, see_due, &due, NULL);
    for (size_t i = 0; i < due.count && status == STORE_OK; i++)
        status = approval_end(store, due.ids[i], APPROVAL_EXPIRED, now);
    return status;
}

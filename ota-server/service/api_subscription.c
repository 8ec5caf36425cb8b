// The inventory of subscriptions: entered one at a time, changed. Files of many come in as imports.
#include "ota-server/service/api_subscription.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_iccid.h"
#include "ota-server/service/api_pack.h"
#include "ota-server/service/import_registry.h"
#include "ota-server/store/retention.h"
#include "profiles/vendor/weak.h"

#include <stdlib.h>

#define KEY_LEN 16
#define KCV_LEN 3

// --- one ---

// A key as it travels: enciphered under a transport key, as in vendors' files.
struct wrapped {
    uint8_t index; // of the transport key; 0: not given
    uint8_t octets[KEY_LEN];
    uint8_t check[KCV_LEN];
};

// What the body says.
struct form {
    uint64_t pool;
    struct bytes iccid, imsi, msisdn, smsc;
    int64_t mnc_length; // 0: not given
    bool has_eligible, is_eligible;
    int state;       // enum subscription_state, or -1
    bool is_decided; // it ends the reservation for a card that is retired
    struct wrapped k, opc;
};

struct work {
    struct form form;
    struct subscription s;
    struct network_keys keys; // opened
};

static void close_work(void *work)
{
    struct work *w = work;
    secret_wipe(&w->keys, sizeof(w->keys));
}

static struct work *open_work(struct api_exchange *x)
{
    struct work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        x->close_work = close_work;
    return w;
}

static void fail(struct api_exchange *x, const char *member, const char *text)
{
    api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member), text));
}

static bool read_hex(const json_t *object, const char *name, uint8_t *to, size_t len)
{
    struct bytes text = {0};
    struct writer w = writer_of(to, len);
    return json_get_text(object, name, &text) == JSON_FOUND && text.len == 2 * len &&
           text_unhex(text, &w);
}

static void read_wrapped(struct api_exchange *x, const char *name, struct wrapped *to)
{
    static const char *const members[] = {"transportKey", "value", "check"};
    const json_t *object = api_body_object(&x->body, name, API_OPTIONAL);
    int64_t index = 0;
    if (object == NULL)
        return;
    if (json_unknown(object, members, 3) != NULL ||
        json_get_integer(object, "transportKey", 1, 99, &index) != JSON_FOUND ||
        !read_hex(object, "value", to->octets, KEY_LEN) ||
        !read_hex(object, "check", to->check, KCV_LEN))
        fail(x, name, "transportKey 1 to 99, value of 32 hexadecimal digits, check of 6");
    to->index = (uint8_t)index;
}

static struct bytes read_digits(struct api_exchange *x, const char *name, size_t min, size_t max)
{
    const struct bytes text = api_body_text(&x->body, name, API_OPTIONAL, min, max);
    if (text.len > 0 && !text_is_digits(text))
        fail(x, name, "It must be digits");
    return text;
}

static void read_form(struct api_exchange *x, struct form *f, enum api_need need)
{
    static const char *const states[] = {"FREE", "RESERVED", "ON_CARD", "RETIRED", NULL};
    f->pool = api_body_id(&x->body, "poolId", need, "pol");
    f->iccid = read_digits(x, "iccid", 19, 20);
    if (need == API_REQUIRED) {
        f->imsi = read_digits(x, "imsi", 15, 15);
        if (f->imsi.len == 0)
            fail(x, "imsi", "Missing member");
    }
    f->msisdn = read_digits(x, "msisdn", 5, 15);
    if (f->msisdn.len > 0 && f->msisdn.at[0] == '0')
        fail(x, "msisdn", "It must not begin with a zero");
    f->mnc_length = api_body_integer(&x->body, "mncLength", 2, 3, 0);
    f->smsc = read_digits(x, "smsc", 5, 20);
    read_wrapped(x, "k", &f->k);
    read_wrapped(x, "opc", &f->opc);
    if ((f->k.index == 0) != (f->opc.index == 0))
        fail(x, "opc", "k and opc come together");
    f->has_eligible = api_body_has(&x->body, "fallbackEligible");
    f->is_eligible = api_body_bool(&x->body, "fallbackEligible", true);
    f->state = need == API_REQUIRED ? -1 : api_body_enum(&x->body, "state", API_OPTIONAL, states);
    api_read_reason(x, API_OPTIONAL);
}

// --- keys ---

static bool unwrap(struct api_exchange *x, const char *member, const struct wrapped *from,
                   uint64_t tenant, struct secret_key *to)
{
    static const uint8_t zeros[CIPHER_AES_BLOCK];
    static const uint8_t ones[CIPHER_AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct cipher *c = x->api->options.cipher;
    struct import_target target = {.store = x->reader,
                                   .crypto = x->api->crypto,
                                   .key = &x->api->options.client_key,
                                   .tenant = tenant};
    struct secret_key transport = {0};
    uint8_t block[CIPHER_AES_BLOCK];
    *to = secret_key_of(bytes_of(from->octets, KEY_LEN));
    struct api_problem p = api_problem_of(API_OK);
    if (!import_transport_key(&target, from->index, TRANSPORT_AUC, &transport))
        p = api_problem_field(API_NOT_FOUND, bytes_of_text(member),
                              "No such transport key, GET /transport-keys lists them");
    else if (!c->cbc_decrypt(c->context, CIPHER_AES, &transport, zeros, to->octets, KEY_LEN) ||
             !c->aes_block(c->context, to, ones, block))
        p = api_problem_of(API_INTERNAL);
    else if (!secret_equal(block, from->check, KCV_LEN))
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member),
                              "The check value is not that of the key");
    else if (weak_judge(to) != KEY_STRONG && !x->api->options.single_person)
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member),
                              "A key that is published, or a pattern");
    secret_wipe(&transport, sizeof(transport));
    secret_wipe(block, sizeof(block));
    if (p.code != API_OK)
        api_refuse(x, p);
    return p.code == API_OK;
}

static bool open_keys(struct api_exchange *x, struct work *w)
{
    return w->form.k.index == 0 || (unwrap(x, "k", &w->form.k, w->s.tenant, &w->keys.k) &&
                                    unwrap(x, "opc", &w->form.opc, w->s.tenant, &w->keys.op));
}

// --- what it becomes ---

static void copy_digits(char to[NUMBER_TEXT_SIZE], struct bytes from)
{
    if (from.len == 0)
        return;
    bytes_copy(to, from);
    to[from.len] = '\0';
}

static struct api_problem set_iccid(struct subscription *s, struct bytes digits)
{
    char text[ICCID_SIZE] = "";
    bytes_copy(text, digits);
    text[digits.len] = '\0';
    s->plan.has_iccid = iccid_is_valid(text) && iccid_write(text, s->plan.iccid);
    return s->plan.has_iccid ? api_problem_of(API_OK)
                             : api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("iccid"),
                                                 "It must be 19 or 20 digits that begin with 89");
}

static struct api_problem set_state(struct subscription *s, int state, bool is_decided)
{
    const bool is_loose = s->card == 0 || is_decided;
    const bool fits = state < 0 || state == s->state ||
                      (is_loose && state == SUBSCRIPTION_RETIRED) ||
                      (is_loose && state == SUBSCRIPTION_FREE && s->has_keys);
    if (!fits)
        return api_problem_field(API_INCOMPATIBLE_STATE, bytes_of_text("state"),
                                 "It cannot be changed to this now: FREE or RETIRED, with keys, "
                                 "and while no card has it");
    if (state >= 0)
        s->state = (uint8_t)state;
    if (state == SUBSCRIPTION_FREE)
        s->card = 0; // one that is RETIRED may be on it for ever
    return api_problem_of(API_OK);
}

// What a card has, or is about to get, stays as it is there.
static bool changes_plan(const struct form *f)
{
    return f->pool != 0 || f->iccid.len > 0 || f->msisdn.len > 0 || f->mnc_length != 0 ||
           f->smsc.len > 0 || f->k.index != 0;
}

static struct api_problem judge_number(const struct subscription *s)
{
    if (strcmp(s->rule_pack, "CN-IoT") == 0 && s->plan.number[0] != '\0' &&
        strlen(s->plan.number) != 13)
        return api_problem_field(API_RULE_PACK_VIOLATION, bytes_of_text("msisdn"),
                                 "The rule pack CN-IoT forbids this length: give 13 digits");
    return api_problem_of(API_OK);
}

static struct api_problem fill(struct api_exchange *x, const struct form *f, struct subscription *s)
{
    struct api_problem p = api_problem_of(API_OK);
    if (f->pool != 0 && !api_pool_join(x, f->pool, s))
        return api_problem_field(API_NOT_FOUND, bytes_of_text("poolId"),
                                 "No such pool, GET /subscription-pools lists them");
    if (f->iccid.len > 0)
        p = set_iccid(s, f->iccid);
    copy_digits(s->plan.number, f->msisdn);
    copy_digits(s->plan.smsc, f->smsc);
    if (f->mnc_length != 0) {
        s->plan.has_mnc_length = true;
        s->plan.mnc_length = (uint8_t)f->mnc_length;
    }
    if (f->has_eligible)
        s->plan.is_barred = !f->is_eligible;
    s->has_keys = s->has_keys || f->k.index != 0;
    s->changed_at = x->now.utc;
    if (p.code == API_OK)
        p = set_state(s, f->state, f->is_decided);
    return p.code == API_OK ? judge_number(s) : p;
}

// What the row of the trail compares; identifiers are only named there.
static json_t *compared(const struct subscription *s)
{
    char iccid[ICCID_SIZE] = "";
    json_t *root =
        json_pack("{s:s,s:s,s:i,s:b,s:s,s:s,s:s,s:i,s:b}", "operator", s->operator_name, "rulePack",
                  s->rule_pack, "templateId", (int)s->plan.template_number, "fallbackEligible",
                  (int)!s->plan.is_barred, "state", subscription_state_name(s->state), "msisdn",
                  s->plan.number, "smsc", s->plan.smsc, "mncLength", (int)s->plan.mnc_length,
                  "hasKeys", (int)s->has_keys);
    api_approval_set_id(root, "poolId", "pol", s->pool);
    if (s->plan.has_iccid && iccid_read(s->plan.iccid, iccid))
        json_object_set_new(root, "iccid", json_string(iccid));
    return root;
}

static void tell(struct api_exchange *x, const struct subscription *was,
                 const struct subscription *is)
{
    json_t *before = was != NULL ? compared(was) : NULL;
    json_t *after = compared(is);
    api_difference_put(x, "subscription", before, after);
    json_decref(before);
    json_decref(after);
}

// `was`: NULL of a new one.
static enum store_status keep(struct api_exchange *x, struct store *store, const char *action,
                              const struct subscription *was)
{
    struct work *w = x->work;
    enum store_status status = STORE_OK;
    if (w->form.iccid.len > 0)
        status = api_iccid_is_free(store, &w->s);
    if (status == STORE_CONFLICT)
        x->problem = api_problem_field(API_ALREADY_EXISTS, bytes_of_text("iccid"),
                                       "The ICCID is taken: give another one");
    if (status == STORE_OK)
        status = store_subscription_put(store, &w->s);
    if (status == STORE_OK && w->form.is_decided && w->s.card != 0)
        status = store_retired_put(store, w->s.card, x->now.utc); // its keys go with the card's
    if (status == STORE_OK && w->form.k.index != 0)
        status = store_network_keys_put(store, w->s.plan.imsi, &w->keys);
    tell(x, was, &w->s);
    return status == STORE_OK ? api_trail(x, store, action, "subscription", w->s.id, NULL) : status;
}

static void reply_with(struct api_exchange *x, unsigned status)
{
    struct subscription s;
    if (store_subscription_get(x->reader, x->object_id, &s) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_subscription_put(x, &s);
    api_etag(x, s.version);
    if (status == 201)
        api_location(x, "/subscriptions", "sub", s.id);
    api_reply(x, status);
}

// --- a new one ---

static enum store_status insert(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct work *w = x->work;
    struct subscription other;
    (void)now;
    const enum store_status status = store_subscription_by_imsi(store, w->s.plan.imsi, &other);
    if (status == STORE_OK) {
        x->problem = api_problem_field(API_ALREADY_EXISTS, bytes_of_text("imsi"),
                                       "The IMSI is taken: give another one");
        return STORE_CONFLICT;
    }
    return status == STORE_NONE ? keep(x, store, "subscription.created", NULL) : status;
}

static void reply_created(struct api_exchange *x)
{
    reply_with(x, 201);
}

void api_subscriptions_post(struct api_exchange *x)
{
    struct work *w = open_work(x);
    if (w == NULL)
        return;
    read_form(x, &w->form, API_REQUIRED);
    if (!api_end_reading(x))
        return;
    char imsi[IMSI_SIZE];
    bytes_copy(imsi, w->form.imsi);
    imsi[w->form.imsi.len] = '\0';
    w->s = (struct subscription){.id = api_new_id(x), .created_at = x->now.utc};
    x->object_id = w->s.id;
    const struct api_problem p = fill(x, &w->form, &w->s);
    if (p.code != API_OK)
        api_refuse(x, p);
    else if (!imsi_write(imsi, w->s.plan.imsi))
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("imsi"),
                                        "It must be the 15 digits of an IMSI"));
    else if (open_keys(x, w))
        api_commit(x, insert, reply_created);
}

// --- changes ---

// Whose stock it is sees it, and who may read the card that it is on, or reserved for.
static enum store_status judge_reach(struct api_exchange *x, const struct subscription *s)
{
    uint64_t group = 0;
    uint32_t set = 0;
    if (api_owns(x, s->tenant))
        return STORE_OK;
    if (s->card == 0)
        return STORE_NONE;
    enum store_status status = store_card_group(x->reader, s->card, &group);
    if (status == STORE_OK)
        status = permission_of(x->reader, x->tenant, group, &set, NULL);
    return status == STORE_OK && (set & api_reading(x)) == 0 ? STORE_NONE : status;
}

static bool find(struct api_exchange *x, struct subscription *s)
{
    if (!api_capture(x, 0, "sub", &x->object_id))
        return false;
    enum store_status status = store_subscription_get(x->reader, x->object_id, s);
    if (status == STORE_OK)
        status = judge_reach(x, s);
    if (status == STORE_OK)
        return true;
    api_refuse_store(x, status);
    return false;
}

void api_subscription_get(struct api_exchange *x)
{
    struct subscription s;
    if (api_end_reading(x) && find(x, &s))
        reply_with(x, 200);
}

// Between the judgement and the transaction it may have gone to a card: then it is judged anew.
static enum store_status change(struct api_exchange *x, struct store *store, struct utc now)
{
    struct work *w = x->work;
    struct subscription present;
    (void)now;
    enum store_status status = store_subscription_get(store, x->object_id, &present);
    if (status == STORE_OK)
        status = api_judge_match(x, present.version);
    if (status != STORE_OK)
        return status;
    if (present.version + 1 != w->s.version) {
        x->problem =
            api_problem_text(API_ABORTED, "It was changed meanwhile: read it, and ask again");
        return STORE_CONFLICT;
    }
    return keep(x, store, "subscription.changed", &present);
}

static enum store_status keep_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status == STORE_OK ? change(x, store, now) : status;
}

static void reply_changed(struct api_exchange *x)
{
    reply_with(x, 200);
}

static enum store_status change_in_event(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    x->problem = api_problem_of(API_OK);
    return x->approval != NULL ? keep_approved(x, store, e->at) : change(x, store, e->at);
}

static void answer_changed(struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else if (x->approval != NULL)
        api_approval_reply(x);
    else
        reply_changed(x);
}

// The card's record learns in the same transaction who may become its fallback, or what it does not
// wait for any more.
static void change_with_card(struct api_exchange *x, uint64_t card, const struct subscription *s)
{
    const struct work *w = x->work;
    x->card_id = card;
    x->event.type = w->form.is_decided ? EVENT_LOST : EVENT_BAR;
    x->event.subscription = s->id;
    x->event.is_barred = s->plan.is_barred;
    x->prepare = change_in_event;
    api_submit(x, answer_changed);
}

// Does it go to a pool with another pack? Within its pool it follows what two people approved for
// that. STORE_NONE: there is no such pool.
static enum store_status judge_pack(struct api_exchange *x, const struct form *f,
                                    const struct subscription *s, bool *is_other, int *pack)
{
    *is_other = false;
    if (f->pool == 0 || f->pool == s->pool)
        return STORE_OK;
    const enum store_status status = api_pack_of(x, f->pool, pack);
    *is_other = status == STORE_OK && *pack != api_pack_index(s->rule_pack);
    return status;
}

// What waits for a second person is asked for by itself.
static bool is_alone(struct api_exchange *x, const char *member)
{
    const bool is = json_object_size(x->root) == (x->reason[0] != '\0' ? 2 : 1);
    if (!is)
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member),
                                        "It waits for a second person: ask for it by itself"));
    return is;
}

static void ask_for_two(struct api_exchange *x, const struct subscription *before, int pack)
{
    if (!is_alone(x, "poolId"))
        return;
    api_approval_request_pack(x, before, api_pack_names[api_pack_index(before->rule_pack)],
                              api_pack_names[pack]);
}

static bool says(const json_t *request, const char *name, int pack)
{
    struct bytes text = {0};
    return json_get_text(request, name, &text) == JSON_FOUND &&
           bytes_equal(text, bytes_of_text(api_pack_names[pack]));
}

// Does the change end a reservation for a card that is retired, which no audit can end any more?
// What is on the card stays there.
static enum store_status judge_reservation(struct api_exchange *x, const struct subscription *s,
                                           struct form *f)
{
    if (s->card == 0 || s->state == SUBSCRIPTION_ON_CARD || f->state < 0 || f->state == s->state)
        return STORE_OK;
    struct record *record = malloc(sizeof(*record));
    const enum store_status status =
        record != NULL ? store_card_load(x->reader, s->card, record) : STORE_FAILED;
    f->is_decided = status == STORE_OK && record->state == CARD_RETIRED;
    free(record);
    return status == STORE_NONE ? STORE_OK : status;
}

// `w->s` is what it becomes.
static void end_reservation(struct api_exchange *x, const struct subscription *before)
{
    struct work *w = x->work;
    if (x->approval == NULL && !is_alone(x, "state"))
        return;
    if (x->approval == NULL && !x->api->options.single_person) {
        api_approval_request_reservation(x, before);
        return;
    }
    w->s.version++;
    change_with_card(x, before->card, &w->s);
}

static bool is_still_so(const json_t *request, const struct subscription *s)
{
    struct bytes state = {0};
    struct bytes text = {0};
    uint64_t card = 0;
    return json_get_text(request, "stateNow", &state) == JSON_FOUND &&
           bytes_equal(state, bytes_of_text(subscription_state_name(s->state))) &&
           json_get_text(request, "cardId", &text) == JSON_FOUND &&
           api_id_read(text, "crd", &card) && card == s->card;
}

// What was approved is the end of that card's reservation.
static void end_approved(struct api_exchange *x, const json_t *request)
{
    struct work *w = x->work;
    const struct subscription before = w->s;
    const char *state = json_string_value(json_object_get(request, "state"));
    const bool is_free = state != NULL && strcmp(state, "FREE") == 0;
    w->form.state = is_free ? SUBSCRIPTION_FREE : SUBSCRIPTION_RETIRED;
    struct api_problem p = api_problem_of(API_OK);
    const enum store_status status = judge_reservation(x, &before, &w->form);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (w->form.is_decided && is_still_so(request, &before))
        p = fill(x, &w->form, &w->s);
    else
        p = api_problem_text(API_INCOMPATIBLE_STATE, "It has changed since: ask for it anew");
    if (p.code != API_OK)
        api_refuse(x, p);
    else
        end_reservation(x, &before);
}

// What was approved is a move between those two packs, not between whichever they are now.
void api_subscription_carry_out(struct api_exchange *x, uint64_t subscription, json_t *request)
{
    struct work *w = open_work(x);
    if (w == NULL)
        return;
    int pack = 0;
    bool is_other = false;
    const char *pool = json_string_value(json_object_get(request, "poolId"));
    x->object_id = subscription;
    enum store_status status = store_subscription_get(x->reader, subscription, &w->s);
    if (status == STORE_OK && pool == NULL) {
        end_approved(x, request);
        return;
    }
    if (status == STORE_OK && api_id_read(bytes_of_text(pool), "pol", &w->form.pool))
        status = judge_pack(x, &w->form, &w->s, &is_other, &pack);
    if (status != STORE_OK && status != STORE_NONE) {
        api_refuse_store(x, status);
        return;
    }
    if (!is_other || w->s.card != 0 || !says(request, "rulePack", pack) ||
        !says(request, "rulePackNow", api_pack_index(w->s.rule_pack))) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "Subscription or pool have changed since: ask for it anew"));
        return;
    }
    w->form.state = -1;
    const struct api_problem p = fill(x, &w->form, &w->s);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    w->s.version++;
    api_commit(x, keep_approved, api_approval_reply);
}

void api_subscription_patch(struct api_exchange *x)
{
    struct work *w = open_work(x);
    if (w == NULL)
        return;
    read_form(x, &w->form, API_OPTIONAL);
    if (!api_end_reading(x) || !find(x, &w->s))
        return;
    if (!api_owns(x, w->s.tenant)) { // it is on a card of theirs, and somebody else's stock
        api_refuse_permission(x, "it is of somebody else's stock, ask its owner");
        return;
    }
    if (!api_if_match(x, w->s.version))
        return;
    const bool was_barred = w->s.plan.is_barred;
    if (w->s.card != 0 && changes_plan(&w->form)) {
        api_refuse(x,
                   api_problem_text(API_INCOMPATIBLE_STATE, "It is reserved for a card, or on one: "
                                                            "another one can be changed"));
        return;
    }
    int pack = 0;
    const struct subscription before = w->s;
    bool is_other = false;
    enum store_status status = judge_reservation(x, &before, &w->form);
    if (status == STORE_OK)
        status = judge_pack(x, &w->form, &before, &is_other, &pack);
    if (status != STORE_OK && status != STORE_NONE) {
        api_refuse_store(x, status);
        return;
    }
    const struct api_problem p = fill(x, &w->form, &w->s);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (w->form.is_decided) {
        end_reservation(x, &before);
        return;
    }
    if (is_other && !x->api->options.single_person) {
        ask_for_two(x, &before, pack);
        return;
    }
    w->s.version++;
    if (!open_keys(x, w))
        return;
    if (w->s.card != 0 && w->s.plan.is_barred != was_barred)
        change_with_card(x, w->s.card, &w->s);
    else
        api_commit(x, change, reply_changed);
}

// The inventory of subscriptions: found, entered one at a time, changed. Files of many come in as
// imports.
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_iccid.h"
#include "ota-server/service/api_pack.h"
#include "ota-server/service/import_registry.h"
#include "profiles/vendor/weak.h"

#include <stdlib.h>

#define KEY_LEN 16
#define KCV_LEN 3

// --- showing ---

// What an activation code calls the subscription: its id without the prefix.
static void put_matching_id(struct json_writer *j, uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, "sub", id);
    api_put_text(j, "matchingId", text + strlen("sub_"));
}

static void put_subscription(struct api_exchange *x, const struct subscription *s)
{
    struct json_writer *j = &x->json;
    char text[ICCID_SIZE];
    json_begin_object(j);
    api_put_id(j, "id", "sub", s->id);
    api_put_id(j, "poolId", "pol", s->pool);
    if (s->plan.has_iccid && iccid_read(s->plan.iccid, text))
        api_put_personal(x, "iccid", MASK_ICCID, text);
    if (imsi_read(s->plan.imsi, text))
        api_put_personal(x, "imsi", MASK_IMSI, text);
    api_put_personal(x, "msisdn", MASK_MSISDN, s->plan.number);
    if (s->plan.has_mnc_length)
        api_put_number(j, "mncLength", s->plan.mnc_length);
    if (s->plan.smsc[0] != '\0')
        api_put_text(j, "smsc", s->plan.smsc);
    if (s->operator_name[0] != '\0')
        api_put_text(j, "operator", s->operator_name);
    if (s->rule_pack[0] != '\0')
        api_put_text(j, "rulePack", s->rule_pack);
    if (s->plan.template_number != 0)
        api_put_number(j, "templateId", s->plan.template_number);
    api_put_bool(j, "fallbackEligible", !s->plan.is_barred);
    api_put_text(j, "state", subscription_state_name(s->state));
    api_put_id(j, "cardId", "crd", s->card);
    if (s->slot != 0)
        api_put_number(j, "slot", s->slot);
    put_matching_id(j, s->id);
    api_put_time(j, "createdAt", s->created_at);
    api_put_time(j, "updatedAt", s->changed_at);
    api_put_number(j, "version", s->version);
    json_end_object(j);
}

static bool put_row(void *context, const struct subscription *s)
{
    put_subscription(context, s);
    return true;
}

// --- lists ---

static void reply_subscriptions(struct api_exchange *x, struct subscription_filter *filter,
                                struct api_list *list)
{
    filter->tenant = api_reach(x);
    filter->grants = filter->card != 0 || filter->search != NULL ? api_reading(x) : 0;
    api_list_open(x);
    const enum store_status status =
        store_subscriptions(x->reader, filter, &list->window, put_row, x, &list->total);
    if (status == STORE_OK)
        api_list_end(x, list);
    else
        api_refuse_store(x, status);
}

static void take_id(struct api_exchange *x, const char *name, const char *prefix, uint64_t *id)
{
    struct bytes text;
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = UINT64_MAX >> 1;
}

void api_subscriptions_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const states[] = {"FREE", "RESERVED", "ON_CARD", "RETIRED", NULL};
    struct api_list list;
    struct subscription_filter filter = {.state = -1};
    take_id(x, "poolId", "pol", &filter.pool);
    take_id(x, "cardId", "crd", &filter.card);
    const struct api_problem p = api_query_enum(&x->query, "state", states, &filter.state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else if (api_list_begin(x, &list, fields) && api_end_reading(x))
        reply_subscriptions(x, &filter, &list);
}

void api_subscriptions_search(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    static const char *const members[] = {"iccid", "imsi", "msisdn"};
    struct api_list list;
    struct bytes digits = {0};
    unsigned given = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct bytes text = api_body_text(&x->body, members[i], API_OPTIONAL, 1, 20);
        given += text.len > 0;
        digits = text.len > 0 ? text : digits;
    }
    if (given != 1 || !text_is_digits(digits))
        api_body_fail(&x->body,
                      api_problem_text(API_INVALID_ARGUMENT,
                                       "Exactly one of iccid, imsi and msisdn, as digits"));
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    char search[ICCID_SIZE];
    bytes_copy(search, digits);
    search[digits.len] = '\0';
    struct subscription_filter filter = {.state = -1, .search = search};
    reply_subscriptions(x, &filter, &list);
}

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
    int state; // enum subscription_state, or -1
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
        p = api_problem_field(API_NOT_FOUND, bytes_of_text(member), "No such transport key");
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

static struct api_problem set_state(struct subscription *s, int state)
{
    const bool is_loose = s->card == 0;
    const bool fits = state < 0 || state == s->state ||
                      (is_loose && state == SUBSCRIPTION_RETIRED) ||
                      (is_loose && state == SUBSCRIPTION_FREE && s->has_keys);
    if (!fits)
        return api_problem_field(API_INCOMPATIBLE_STATE, bytes_of_text("state"),
                                 "Only FREE and RETIRED, with keys and without a card");
    if (state >= 0)
        s->state = (uint8_t)state;
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
                                 "Exactly 13 digits under CN-IoT");
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
        p = set_state(s, f->state);
    return p.code == API_OK ? judge_number(s) : p;
}

struct twin {
    uint64_t id;
};

static bool see_twin(void *context, const struct subscription *s)
{
    struct twin *t = context;
    if (s->id == t->id)
        return true;
    t->id = 0;
    return false;
}

// An ICCID is that of one subscription, and of no card.
static enum store_status check_iccid(struct api_exchange *x, struct store *store,
                                     const struct subscription *s)
{
    char text[ICCID_SIZE];
    struct twin t = {.id = s->id};
    uint64_t card = 0;
    if (!s->plan.has_iccid || !iccid_read(s->plan.iccid, text))
        return STORE_OK;
    const struct subscription_filter filter = {.state = -1, .search = text};
    const struct store_page page = {.limit = 2};
    enum store_status status = store_subscriptions(store, &filter, &page, see_twin, &t, NULL);
    if (status == STORE_OK)
        status = api_iccid_card(store, text, &card);
    if (status == STORE_OK && t.id != 0 && card == s->card)
        return STORE_OK;
    if (status == STORE_NONE && t.id != 0)
        return STORE_OK;
    x->problem =
        api_problem_field(API_ALREADY_EXISTS, bytes_of_text("iccid"), "The ICCID is taken");
    return status == STORE_OK || status == STORE_NONE ? STORE_CONFLICT : status;
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
    enum store_status status = w->form.iccid.len > 0 ? check_iccid(x, store, &w->s) : STORE_OK;
    if (status == STORE_OK)
        status = store_subscription_put(store, &w->s);
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
    put_subscription(x, &s);
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
        x->problem =
            api_problem_field(API_ALREADY_EXISTS, bytes_of_text("imsi"), "The IMSI is taken");
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
    const enum store_status status = store_subscription_get(store, x->object_id, &present);
    if (status != STORE_OK)
        return status;
    if (present.version + 1 != w->s.version) {
        x->problem = api_problem_text(API_ABORTED, "It was changed meanwhile");
        return STORE_CONFLICT;
    }
    return keep(x, store, "subscription.changed", &present);
}

static void reply_changed(struct api_exchange *x)
{
    reply_with(x, 200);
}

static enum store_status change_in_event(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    x->problem = api_problem_of(API_OK);
    return change(x, store, e->at);
}

static void answer_changed(struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else
        reply_changed(x);
}

// The card's record learns who may become its fallback in the same transaction.
static void change_with_card(struct api_exchange *x, const struct subscription *s)
{
    x->card_id = s->card;
    x->event.type = EVENT_BAR;
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

static void ask_for_two(struct api_exchange *x, const struct subscription *before, int pack)
{
    if (json_object_size(x->root) > (x->reason[0] != '\0' ? 2 : 1)) {
        api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("poolId"),
                                        "A pool with another rule pack waits for a second person: "
                                        "ask for it by itself"));
        return;
    }
    api_approval_request_pack(x, before, api_pack_names[api_pack_index(before->rule_pack)],
                              api_pack_names[pack]);
}

static enum store_status keep_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status == STORE_OK ? change(x, store, now) : status;
}

static bool says(const json_t *request, const char *name, int pack)
{
    struct bytes text = {0};
    return json_get_text(request, name, &text) == JSON_FOUND &&
           bytes_equal(text, bytes_of_text(api_pack_names[pack]));
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
    if (status == STORE_OK && pool != NULL &&
        api_id_read(bytes_of_text(pool), "pol", &w->form.pool))
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
        api_refuse_permission(x);
        return;
    }
    if (!api_if_match(x, w->s.version))
        return;
    const bool was_barred = w->s.plan.is_barred;
    if (w->s.card != 0 && changes_plan(&w->form)) {
        api_refuse(
            x, api_problem_text(API_INCOMPATIBLE_STATE, "It is reserved for a card, or on one"));
        return;
    }
    int pack = 0;
    const struct subscription before = w->s;
    bool is_other = false;
    const struct api_problem p = fill(x, &w->form, &w->s);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    const enum store_status status = judge_pack(x, &w->form, &before, &is_other, &pack);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
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
        change_with_card(x, &w->s);
    else
        api_commit(x, change, reply_changed);
}

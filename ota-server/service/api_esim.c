#include "ota-server/service/api_esim.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_iccid.h"
#include "ota-server/service/api_operation.h"
#include "ota-server/service/registry_eid.h"

#include <stdlib.h>

#define ORDER_KIND "esim-order"
#define READABLE_MS (30ll * 24 * 60 * 60 * 1000) // an operation, after its end
#define CODE_MAX 256
#define ID_MAX 64

// --- errors ----------------------------------------------------------------------------------

struct api_problem api_esim_problem(const struct api_exchange *x, struct api_problem p)
{
    p.field[0] = '\0';
    p.reason[0] = '\0';
    switch (p.code) { // those that this API has otherwise
    case API_OUT_OF_RANGE:
        p.code = API_INVALID_ARGUMENT;
        break;
    case API_NOT_FOUND: // of an id in the path it stays
        p.code = x->route->method == API_POST ? API_IDENTIFIER_NOT_FOUND : API_NOT_FOUND;
        p.message[0] = '\0';
        break;
    case API_ALREADY_EXISTS:
        p.code = API_INCOMPATIBLE_STATE;
        break;
    case API_RULE_PACK_VIOLATION:
        p.code = API_PERMISSION_DENIED;
        break;
    case API_NOT_SUPPORTED_BY_CARD:
        p.code = API_SERVICE_NOT_APPLICABLE;
        break;
    default: // codes
        break;
    }
    return p;
}

static void not_found(struct api_exchange *x)
{
    api_refuse_code(x, API_IDENTIFIER_NOT_FOUND);
}

// --- whom it is about ------------------------------------------------------------------------

static void keep_text(struct api_exchange *x, const char *name, struct bytes text, char *to,
                      size_t size)
{
    if (text.at == NULL)
        return;
    if (!text_is_digits(text) || text.len >= size) {
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(name),
                                                  "Invalid format, it must be digits"));
        return;
    }
    bytes_copy(to, text);
    to[text.len] = '\0';
}

// Member esimProfile, into x->esim; `takes_iccid`: it may have one.
static void read_profile(struct api_exchange *x, enum api_need eid, bool takes_iccid,
                         enum api_need iccid)
{
    const json_t *object = api_body_object(&x->body, "esimProfile", API_REQUIRED);
    struct api_body b;
    if (object == NULL)
        return;
    api_body_init(&b, object);
    const struct bytes eid_text = api_body_text(&b, "eid", eid, EID_DIGITS, EID_DIGITS);
    struct bytes iccid_text = {0};
    if (takes_iccid)
        iccid_text = api_body_text(&b, "iccid", iccid, ICCID_SIZE - 2, ICCID_SIZE - 1);
    if (!api_body_end(&b)) {
        api_body_fail(&x->body, b.problem);
        return;
    }
    keep_text(x, "eid", eid_text, x->esim.eid, sizeof(x->esim.eid));
    keep_text(x, "iccid", iccid_text, x->esim.iccid, sizeof(x->esim.iccid));
}

static enum store_status card_of_eid(struct api_exchange *x, const char *eid, uint64_t *card)
{
    char own[STORE_EID_SIZE];
    uint64_t id = 0;
    enum store_status status = store_card_by_eid(x->reader, eid, card);
    if (status != STORE_NONE || !registry_eid_read(bytes_of_text(eid), &id))
        return status;
    // Only of a card that has none of its own.
    status = store_card_eid(x->reader, id, own);
    *card = id;
    return status == STORE_OK && own[0] != '\0' ? STORE_NONE : status;
}

static bool has_iccid(const struct record *r, const struct mirror_slot *slot,
                      const uint8_t iccid[ICCID_EF_LEN])
{
    if (slot->fact.has_iccid)
        return memcmp(slot->fact.iccid, iccid, ICCID_EF_LEN) == 0;
    // The first one of the factory may have that of the card.
    return slot->fact.slot == 1 && memcmp(r->iccid, iccid, ICCID_EF_LEN) == 0;
}

static const struct mirror_slot *slot_of(const struct record *r, const char *iccid)
{
    uint8_t forms[API_ICCID_FORMS][ICCID_EF_LEN];
    const unsigned count = api_iccid_forms(iccid, forms);
    for (uint8_t i = 0; i < r->slot_count; i++) {
        for (unsigned k = 0; k < count; k++) {
            if (has_iccid(r, &r->slots[i], forms[k]))
                return &r->slots[i];
        }
    }
    return NULL;
}

// Loads the card if the caller may know of it; else refused.
static bool load(struct api_exchange *x, enum store_status status, const uint64_t *card,
                 struct record *r)
{
    if (status == STORE_OK)
        status = store_card_load(x->reader, *card, r);
    if (status == STORE_OK && api_access_to(x, r, 0) == API_ACCESS_NONE)
        status = STORE_NONE;
    if (status == STORE_NONE)
        not_found(x);
    else if (status != STORE_OK)
        api_refuse_store(x, status);
    return status == STORE_OK;
}

// The card and, by ICCID, the subscription on it; false: refused.
static bool find(struct api_exchange *x, struct record *r, const struct mirror_slot **slot)
{
    uint64_t by_iccid = 0;
    uint64_t by_eid = 0;
    const bool has_eid = x->esim.eid[0] != '\0';
    *slot = NULL;
    if (has_eid && !load(x, card_of_eid(x, x->esim.eid, &by_eid), &by_eid, r))
        return false;
    if (x->esim.iccid[0] == '\0')
        return true;
    if (!load(x, api_iccid_card(x->reader, x->esim.iccid, &by_iccid), &by_iccid, r))
        return false;
    *slot = slot_of(r, x->esim.iccid);
    if (*slot == NULL) {
        not_found(x);
        return false;
    }
    if (!has_eid || by_eid == by_iccid)
        return true;
    api_refuse_code(x, API_IDENTIFIER_MISMATCH);
    return false;
}

// --- changes ---------------------------------------------------------------------------------

// What is asked for, as the other API asks for it. It never waits.
static void hand_over(struct api_exchange *x, const char *type, uint64_t card,
                      uint64_t subscription)
{
    char card_id[API_ID_SIZE];
    char subscription_id[API_ID_SIZE];
    api_id_write(card_id, "crd", card);
    api_id_write(subscription_id, "sub", subscription);
    json_decref(x->root);
    x->root =
        json_pack("{ssssss}", "type", type, "subscriptionId", subscription_id, "ifBusy", "REFUSE");
    if (x->root != NULL && strcmp(type, "download") == 0)
        json_object_set_new(x->root, "enable", json_string("LATER"));
    if (x->root == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    api_body_init(&x->body, x->root);
    x->match = (struct api_match){{bytes_of_text(card_id)}, 1};
    api_card_operation_post(x);
}

static const char *verb_of(const struct api_exchange *x)
{
    return x->route->path + strlen(ESIM_BASE "/");
}

void api_esim_change(struct api_exchange *x)
{
    const struct mirror_slot *slot = NULL;
    read_profile(x, API_OPTIONAL, true, API_REQUIRED);
    if (!api_end_reading(x))
        return;
    struct record *r = malloc(sizeof(*r));
    if (r == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (!find(x, r, &slot)) {
        free(r);
        return;
    }
    check(slot != NULL); // its ICCID is required
    const bool is_enabled = slot->fact.state == SLOT_ENABLED;
    const uint64_t card = r->card;
    const uint64_t subscription = slot->subscription;
    free(r);
    if (subscription == 0)
        not_found(x); // somebody else put it there
    else if (is_enabled && strcmp(verb_of(x), "set-fallback") == 0)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The subscription is enabled: enable another one "
                                       "first"));
    else
        hand_over(x, verb_of(x), card, subscription);
}

// LPA:1$host$matching id; the host is ours, in any case.
static bool read_code(struct api_exchange *x, uint64_t *subscription)
{
    static const char start[] = "LPA:1$";
    const struct bytes code = api_body_text(&x->body, "activationCode", API_REQUIRED, 1, CODE_MAX);
    char id[API_ID_SIZE + 4] = "sub_";
    if (code.len <= strlen(start) || memcmp(code.at, start, strlen(start)) != 0)
        return false;
    const struct bytes rest = bytes_slice(code, strlen(start), code.len);
    const struct bytes host = api_until(rest, '$');
    const struct bytes name = bytes_slice(rest, host.len + 1, rest.len);
    bool is_right = api_is_host(x->api, host) && name.len >= 1 && name.len <= ID_MAX;
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.at[i];
        is_right = is_right && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                                (c >= 'a' && c <= 'z') || c == '-');
    }
    struct writer w = writer_of(id + 4, sizeof(id) - 5);
    writer_copy(&w, name);
    // What has no such form names no subscription.
    if (w.failed || !api_id_read(bytes_of(id, 4 + w.len), "sub", subscription))
        *subscription = 0;
    return is_right;
}

void api_esim_download(struct api_exchange *x)
{
    uint64_t wanted = 0;
    uint64_t card = 0;
    struct subscription s;
    read_profile(x, API_REQUIRED, false, API_OPTIONAL);
    if (!read_code(x, &wanted))
        api_body_fail(&x->body,
                      api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("activationCode"),
                                        "Invalid format, it must be LPA, 1, the host and the id of "
                                        "a subscription, as docs/api.md shows"));
    if (!api_end_reading(x))
        return;
    struct record *r = malloc(sizeof(*r));
    const bool is_found = r != NULL && load(x, card_of_eid(x, x->esim.eid, &card), &card, r);
    const uint64_t tenant = is_found ? r->tenant : 0;
    free(r);
    if (r == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    if (!is_found)
        return;
    const enum store_status status =
        wanted == 0 ? STORE_NONE : store_subscription_get(x->reader, wanted, &s);
    const bool is_theirs = status == STORE_OK && s.plan.has_iccid &&
                           (s.tenant == tenant || s.tenant == x->tenant || api_is_operator(x) ||
                            api_pool_visible(x, s.pool, tenant));
    if (status != STORE_OK && status != STORE_NONE)
        api_refuse_store(x, status);
    else if (!is_theirs)
        not_found(x);
    else if (s.state != SUBSCRIPTION_FREE)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The subscription is reserved or installed already: "
                                       "take the code of another one"));
    else
        hand_over(x, "download", card, wanted);
}

// --- what was named --------------------------------------------------------------------------

enum store_status api_esim_keep(struct api_exchange *x, struct store *store, struct utc now)
{
    uint8_t body[128];
    struct writer w = writer_of(body, sizeof(body));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    if (x->esim.eid[0] != '\0')
        api_put_text(&j, "eid", x->esim.eid);
    if (x->esim.iccid[0] != '\0')
        api_put_text(&j, "iccid", x->esim.iccid);
    json_end_object(&j);
    const struct document d = {.kind = ORDER_KIND,
                               .id = x->object_id,
                               .owner = x->tenant,
                               .created_at = now,
                               .changed_at = now,
                               .body = writer_bytes(&w)};
    return store_document_put(store, &d);
}

static bool see_order(void *context, const struct document *d)
{
    struct api_exchange *x = context;
    json_put_key(&x->json, "esimProfile");
    json_put_raw(&x->json, d->body);
    return false;
}

// This API masks nothing: whoever may use it knows cards by these.
static void put_identifier(struct api_exchange *x, const char *name, const char *text)
{
    api_put_text(&x->json, name, text);
    x->shown++;
}

static void put_iccid(struct api_exchange *x, const char *name, const uint8_t ef[ICCID_EF_LEN])
{
    char text[ICCID_SIZE];
    if (iccid_read(ef, text))
        put_identifier(x, name, text);
}

// Asked for over the other API: it is named by what it is about.
static void put_target(struct api_exchange *x, const struct operation *o)
{
    api_open_object(&x->json, "esimProfile");
    if (o->target.is_iccid)
        put_iccid(x, "iccid", o->target.iccid);
    json_end_object(&x->json);
}

static void put_result(struct api_exchange *x, const struct operation *o)
{
    struct json_writer *j = &x->json;
    char reason[CODE_MAX];
    struct writer w = writer_of(reason, sizeof(reason));
    const bool is_done = o->outcome == OUTCOME_DONE;
    api_open_object(j, "result");
    api_put_time(j, "completedAt", o->ended_at);
    api_put_text(j, "outcome", is_done ? "SUCCESS" : "FAILED");
    text_put(&w, operation_failure_name(o->failure));
    text_put(&w, ": ");
    text_put(&w, api_operation_failure(o->failure));
    if (o->has_result) {
        text_put(&w, " (");
        text_put(&w, result_code_name(o->result));
        text_put(&w, ")");
    }
    if (!is_done)
        api_put_text(j, "failureReason", text_end(&w));
    if (is_done && o->kind == OPERATION_DOWNLOAD && o->download.has_iccid)
        put_iccid(x, "assignedIccid", o->download.iccid);
    json_end_object(j);
}

static void locate(struct api_exchange *x, const char *id)
{
    struct writer w = writer_of(x->location, sizeof(x->location));
    text_put(&w, x->api->options.public_url);
    text_put(&w, ESIM_BASE "/operations/");
    text_put(&w, id);
    text_end(&w);
}

void api_esim_reply(struct api_exchange *x, uint64_t card, const struct operation *o,
                    unsigned status)
{
    struct json_writer *j = &x->json;
    char id[API_ID_SIZE];
    (void)card;
    api_id_write(id, "op", o->id);
    json_begin_object(j);
    api_put_text(j, "operationId", id);
    api_put_text(j, "operation", operation_kind_name(o->kind));
    api_put_text(j, "status", o->status == STATUS_ENDED ? "COMPLETED" : "ACCEPTED");
    if (store_document_get(x->reader, ORDER_KIND, o->id, see_order, x) != STORE_OK)
        put_target(x, o);
    if (o->status == STATUS_ENDED)
        put_result(x, o);
    else
        api_header(x, "Retry-After", "2");
    json_end_object(j);
    if (status == 202)
        locate(x, id);
    api_reply(x, status);
}

// --- reading ---------------------------------------------------------------------------------

static bool is_known_kind(const struct operation *o)
{
    return o->kind >= OPERATION_DOWNLOAD && o->kind <= OPERATION_SET_FALLBACK;
}

static bool is_operation_id(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
            c != '_' && c != ':' && c != '.' && c != '-')
            return false;
    }
    return text.len >= 1 && text.len <= ID_MAX;
}

void api_esim_operation(struct api_exchange *x)
{
    struct operation o;
    uint64_t id = 0;
    if (!api_end_reading(x))
        return;
    if (!is_operation_id(x->match.captures[0])) {
        api_refuse(x,
                   api_problem_text(
                       API_INVALID_ARGUMENT,
                       "Invalid format, it must be 1 to 64 letters, digits and _:.-: operationId"));
        return;
    }
    if (!api_capture(x, 0, "op", &id) || !api_operation_find(x, id, &o, &x->card_id))
        return;
    const bool is_over = o.status == STATUS_ENDED && x->now.utc.ms - o.ended_at.ms > READABLE_MS;
    if (!is_known_kind(&o) || is_over)
        api_refuse_code(x, API_NOT_FOUND);
    else
        api_esim_reply(x, x->card_id, &o, 200);
}

static void put_profile(struct api_exchange *x, const struct record *r,
                        const struct mirror_slot *slot, const char *eid)
{
    struct json_writer *j = &x->json;
    json_begin_object(j);
    put_identifier(x, "eid", eid);
    put_iccid(x, "iccid", slot->fact.has_iccid ? slot->fact.iccid : r->iccid);
    api_put_text(j, "state", slot->fact.state == SLOT_ENABLED ? "ENABLED" : "DISABLED");
    api_put_bool(j, "isFallback", slot->fact.is_fallback);
    json_end_object(j);
}

static void put_profiles(struct api_exchange *x, const struct record *r,
                         const struct mirror_slot *only)
{
    char eid[STORE_EID_SIZE];
    if (store_card_eid(x->reader, r->card, eid) != STORE_OK || eid[0] == '\0')
        registry_eid_write(r->card, eid);
    json_begin_object(&x->json);
    api_open_array(&x->json, "esimProfiles");
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct mirror_slot *slot = &r->slots[i];
        // Without an ICCID there is none for this API; the first one may have that of the card.
        const bool is_named = slot->fact.has_iccid || slot->fact.slot == 1;
        if (is_named && (only == NULL || only == slot))
            put_profile(x, r, slot, eid);
    }
    json_end_array(&x->json);
    json_end_object(&x->json);
    api_reply(x, 200);
}

void api_esim_status(struct api_exchange *x)
{
    const struct mirror_slot *only = NULL;
    read_profile(x, API_OPTIONAL, true, API_OPTIONAL);
    if (x->body.problem.code == API_OK && x->esim.eid[0] == '\0' && x->esim.iccid[0] == '\0')
        api_body_fail(&x->body,
                      api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("esimProfile"),
                                        "At least one of eid and iccid"));
    if (!api_end_reading(x))
        return;
    struct record *r = malloc(sizeof(*r));
    x->work = r;
    if (r == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else if (find(x, r, &only) && api_card_allowed(x, r, GRANT_BIT(GRANT_CARD_READ))) {
        x->queried_card = r->card;
        put_profiles(x, r, only);
    }
}

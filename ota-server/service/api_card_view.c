#include "ota-server/service/api_card.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/group_rules.h"
#include "ota-server/service/registry_eid.h"

#include <stdlib.h>

static void put_version(struct json_writer *j, const char *name, const uint8_t version[3])
{
    char text[12];
    struct writer w = writer_of(text, sizeof(text));
    for (unsigned i = 0; i < 3; i++) {
        text_put(&w, i == 0 ? "" : ".");
        text_decimal(&w, version[i]);
    }
    api_put_text(j, name, text_end(&w));
}

static void put_iccid(struct api_exchange *x, const char *name, const uint8_t ef[ICCID_EF_LEN])
{
    char text[ICCID_SIZE];
    if (iccid_read(ef, text))
        api_put_personal(x, name, MASK_ICCID, text);
}

static void put_imsi(struct api_exchange *x, const char *name, const uint8_t ef[IMSI_EF_LEN])
{
    char text[IMSI_SIZE];
    if (imsi_read(ef, text))
        api_put_personal(x, name, MASK_IMSI, text);
}

// The state hash over slots, in the order in which they stand.
static void put_hash(struct api_exchange *x, const struct audit_slot *slots, size_t count)
{
    uint8_t hash[COMMAND_HASH_SIZE];
    if (state_hash(x->api->options.cipher, slots, count, hash))
        api_put_hex(&x->json, "stateHash", bytes_of(hash, sizeof(hash)));
}

// --- slots ---

static bool see_version(void *context, const struct document *d)
{
    *(int64_t *)context = d->state;
    return false;
}

// One number is one template in one version.
static void put_template(struct api_exchange *x, uint64_t tenant, uint8_t number)
{
    char name[32];
    struct writer w = writer_of(name, sizeof(name));
    int64_t version = 0;
    text_decimal(&w, tenant);
    text_put(&w, "/");
    text_decimal(&w, number);
    api_put_number(&x->json, "templateId", number);
    if (number != 0 && store_document_named(x->reader, "template-version", text_end(&w),
                                            see_version, &version) == STORE_OK)
        api_put_number(&x->json, "templateVersion", (uint64_t)version);
}

// With the subscription that the inventory has under the slot's IMSI; null when it has none.
// Whoever sees the card sees what is on it, whosesoever stock it was.
static void put_slot_facts(struct api_exchange *x, uint64_t card, const struct audit_slot *s)
{
    struct json_writer *j = &x->json;
    struct subscription own;
    const bool is_ours = store_subscription_by_imsi(x->reader, s->imsi, &own) == STORE_OK &&
                         (own.card == card || api_owns(x, own.tenant));
    if (is_ours)
        api_put_id(j, "subscriptionId", "sub", own.id);
    else
        api_put_null(j, "subscriptionId");
    if (is_ours && own.operator_name[0] != '\0')
        api_put_text(j, "operator", own.operator_name);
    api_put_number(j, "slot", s->slot);
    if (s->has_iccid)
        put_iccid(x, "iccid", s->iccid);
    put_imsi(x, "imsi", s->imsi);
    api_put_text(j, "role", slot_role_name(s->role));
    api_put_text(j, "state", slot_state_name(s->state));
    api_put_bool(j, "fallback", s->is_fallback);
    api_put_bool(j, "proven", s->is_proven);
    api_put_number(j, "rank", s->rank);
    api_put_bool(j, "noDisable", (s->marks & SLOT_MARK_NO_DISABLE) != 0);
    api_put_bool(j, "noDelete", (s->marks & SLOT_MARK_NO_DELETE) != 0);
    put_template(x, is_ours ? own.tenant : x->tenant, s->template_number);
}

static void put_mirror_slot(struct api_exchange *x, uint64_t card, const struct mirror_slot *s)
{
    json_begin_object(&x->json);
    api_put_personal(x, "msisdn", MASK_MSISDN, s->number);
    put_slot_facts(x, card, &s->fact);
    json_end_object(&x->json);
}

void api_put_card_view(struct api_exchange *x, const char *name, uint64_t card,
                       const struct card_view *view)
{
    struct json_writer *j = &x->json;
    const struct audit_answer *a = &view->answer;
    api_open_object(j, name);
    api_put_time(j, "auditedAt", view->at);
    api_put_id(j, "auditOperationId", "op", view->operation);
    api_put_bool(j, "outdated", view->is_outdated);
    api_open_array(j, "slots");
    for (unsigned i = 0; i < a->slot_count_here; i++) {
        json_begin_object(j);
        put_slot_facts(x, card, &a->slots[i]);
        json_end_object(j);
    }
    json_end_array(j);
    api_put_number(j, "registryVersion", view->registry_version);
    put_hash(x, a->slots, a->slot_count_here);
    api_put_number(j, "preferredSlot", a->preferred_slot);
    api_put_number(j, "terminal", a->terminal);
    char imei[IMEI_SIZE];
    if (a->has_imei && imei_read(a->imei, imei))
        api_put_personal(x, "imei", MASK_IMEI, imei);
    char plmn[PLMN_SIZE];
    if (a->has_plmn && plmn_read(a->plmn, plmn))
        api_put_text(j, "plmn", plmn);
    json_end_object(j);
}

// Differences of state are words, those of flags booleans, versions as the card shows them, others
// numbers.
static void put_value(struct json_writer *j, const char *name, const char *field, uint32_t value)
{
    if (strcmp(field, "state") == 0)
        api_put_text(j, name, slot_state_name((uint8_t)value));
    else if (strcmp(field, "role") == 0)
        api_put_text(j, name, slot_role_name((uint8_t)value));
    else if (strcmp(field, "fallback") == 0 || strcmp(field, "subscription") == 0)
        api_put_bool(j, name, value != 0);
    else if (strcmp(field, "appletVersion") == 0)
        put_version(
            j, name,
            (const uint8_t[]){(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value});
    else
        api_put_number(j, name, value);
}

static void put_mark(struct json_writer *j, const struct difference *d, const char *name,
                     uint8_t mark)
{
    if (((d->server ^ d->card) & mark) == 0)
        return;
    json_begin_object(j);
    api_put_number(j, "slot", d->slot);
    api_put_text(j, "field", name);
    api_put_bool(j, "server", (d->server & mark) != 0);
    api_put_bool(j, "card", (d->card & mark) != 0);
    json_end_object(j);
}

void api_put_differences(struct json_writer *j, const struct difference *differences, uint8_t count)
{
    api_open_array(j, "differences");
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(differences[i].field, "marks") == 0) {
            put_mark(j, &differences[i], "noDisable", SLOT_MARK_NO_DISABLE);
            put_mark(j, &differences[i], "noDelete", SLOT_MARK_NO_DELETE);
            continue;
        }
        json_begin_object(j);
        api_put_number(j, "slot", differences[i].slot);
        api_put_text(j, "field", differences[i].field);
        put_value(j, "server", differences[i].field, differences[i].server);
        put_value(j, "card", differences[i].field, differences[i].card);
        json_end_object(j);
    }
    json_end_array(j);
}

struct views {
    struct record record;
    struct card_view view;
};

static struct views *open_views(struct api_exchange *x)
{
    struct views *v = calloc(1, sizeof(*v));
    x->work = v;
    if (v == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    return v;
}

static void put_server_view(struct api_exchange *x, const struct record *r)
{
    struct json_writer *j = &x->json;
    struct audit_slot facts[COMMAND_SLOTS_MAX];
    api_open_object(j, "serverView");
    api_put_time(j, "asOf", x->now.utc);
    api_open_array(j, "slots");
    for (unsigned i = 0; i < r->slot_count; i++) {
        facts[i] = r->slots[i].fact;
        put_mirror_slot(x, r->card, &r->slots[i]);
    }
    json_end_array(j);
    put_hash(x, facts, r->slot_count);
    json_end_object(j);
}

void api_card_subscriptions(struct api_exchange *x)
{
    struct json_writer *j = &x->json;
    struct views *v = open_views(x);
    if (v == NULL || !api_end_reading(x) || !api_card(x, &v->record))
        return;
    const enum store_status status = store_card_view(x->reader, x->card_id, &v->view);
    if (status != STORE_OK && status != STORE_NONE) {
        api_refuse_store(x, status);
        return;
    }
    json_begin_object(j);
    put_server_view(x, &v->record);
    if (status == STORE_OK)
        api_put_card_view(x, "cardView", x->card_id, &v->view);
    else
        api_put_null(j, "cardView");
    struct difference differences[DECISION_DIFFERENCES_MAX];
    const uint8_t count =
        status == STORE_OK ? card_view_differences(&v->record, &v->view, differences) : 0;
    api_put_differences(j, differences, count);
    // Without an audit nobody knows, and that is not "in sync".
    api_put_bool(j, "inSync", status == STORE_OK && count == 0 && !v->view.is_outdated);
    json_end_object(j);
    api_reply(x, 200);
}

// --- parameters ---

// A card without CONFIGURE keeps what it has.
static void apply_group(const struct record *r, const struct policy_timers *wanted,
                        struct parameters *desired)
{
    const bool is_taken =
        r->level >= 2 &&
        parameters_apply(desired, bytes_of(wanted->list, wanted->len), NULL) == PARAMETER_OK;
    (void)is_taken; // what no longer applies changes nothing
}

// What the card will have when everything that waits was carried out.
static void apply_waiting(const struct record *r, struct parameters *desired)
{
    for (unsigned i = 0; i <= r->queue_len; i++) {
        const struct operation *o = i == 0 ? &r->open : &r->queue[i - 1];
        const bool is_there = i > 0 || r->has_open;
        if (!is_there || o->kind != OPERATION_SET_TIMERS)
            continue;
        // Judged when it was asked for; what no longer applies changes nothing.
        if (parameters_apply(desired, bytes_of(o->list, o->list_len), NULL) != PARAMETER_OK)
            continue;
    }
}

void api_card_parameters(struct api_exchange *x)
{
    struct json_writer *j = &x->json;
    struct views *v = open_views(x);
    if (v == NULL || !api_end_reading(x) || !api_card(x, &v->record))
        return;
    struct group_rules rules;
    const struct record *r = &v->record;
    const struct policy_timers *wanted = &rules.policy.timers;
    const enum store_status status =
        rules_of(x->reader, r->group, turn_policy(x->api->options.turn), &rules);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    struct parameters desired = r->parameters;
    apply_group(r, wanted, &desired);
    apply_waiting(r, &desired);
    json_begin_object(j);
    api_put_number(j, "level", r->level);
    api_put_number(j, "configurationVersion", r->configuration_version);
    api_put_bool(j, "isKnown", r->parameters_version == r->configuration_version);
    api_put_parameters(j, "known", &r->parameters, API_PARAMETERS_ALL, x->clear);
    api_put_parameters(j, "desired", &desired, API_PARAMETERS_ALL, x->clear);
    if (api_is_clear(x->clear, MASK_IMSI)) // the tables of countries have them
        x->shown += (uint32_t)r->parameters.country_count + desired.country_count;
    api_put_text(j, "agreement", timers_agreement_name(timers_agreement(r, wanted)));
    api_put_timers(j, "group", wanted, x->clear);
    api_put_parameter_names(j, "differing",
                            wanted->len == 0 ? 0 : timers_differing(&r->parameters, wanted));
    api_put_bool(j, "isAsked", timers_asked(r, wanted) != NULL);
    json_end_object(j);
    api_reply(x, 200);
}

// --- the card ---

static void put_marks(struct json_writer *j, const struct record *r)
{
    api_open_array(j, "marks");
    for (unsigned m = CARD_MARKS; m > 0; m--) {
        const enum card_mark mark = (enum card_mark)(m - 1);
        if (!record_has_mark(r, mark))
            continue;
        json_begin_object(j);
        api_put_text(j, "mark", card_mark_name(mark));
        api_open_array(j, "reasons");
        for (unsigned i = 1; mark == MARK_DIRTY && i < DIRTY_REASONS; i++) {
            if (r->reasons[i].since.ms != 0)
                api_put_text(j, NULL, dirty_reason_name((uint8_t)i));
        }
        json_end_array(j);
        api_put_time(j, "since", r->mark_since[mark]);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_applet(struct json_writer *j, const struct record *r)
{
    unsigned used = 0;
    for (unsigned i = 0; i < r->slot_count; i++)
        used += r->slots[i].fact.state != SLOT_EMPTY;
    api_open_object(j, "applet");
    put_version(j, "version", r->applet_version);
    api_put_number(j, "level", r->level);
    api_put_number(j, "slots", r->slot_limit);
    api_put_number(j, "freeSlots", r->slot_limit > used ? r->slot_limit - used : 0);
    api_open_array(j, "templates");
    for (unsigned i = 0; i < r->template_count; i++)
        api_put_number(j, NULL, r->templates[i]);
    json_end_array(j);
    json_end_object(j);
}

static void put_notes(struct api_exchange *x, uint64_t card)
{
    static uint8_t octets[16384];
    struct writer w = writer_of(octets, sizeof(octets));
    json_t *root = NULL;
    if (store_card_notes(x->reader, card, &w) != STORE_OK || w.len == 0 ||
        json_read(writer_bytes(&w), &root) != JSON_READ_OK)
        return;
    const json_t *labels = NULL;
    if (json_get_array(root, "labels", &labels) == JSON_FOUND) {
        size_t i;
        const json_t *item;
        api_open_array(&x->json, "labels");
        json_array_foreach(labels, i, item)
        {
            api_put_octets(&x->json, NULL,
                           bytes_of(json_string_value(item), json_string_length(item)));
        }
        json_end_array(&x->json);
    }
    struct bytes text = {0};
    if (json_get_text(root, "note", &text) == JSON_FOUND)
        api_put_octets(&x->json, "note", text);
    if (json_get_text(root, "applicationField", &text) == JSON_FOUND)
        api_put_octets(&x->json, "applicationField", text);
    json_decref(root);
}

static bool is_reachable(const struct record *r)
{
    for (unsigned i = 0; i < r->slot_count; i++) {
        if (r->slots[i].number[0] != '\0' && r->slots[i].fact.state == SLOT_ENABLED)
            return true;
    }
    return false;
}

static void put_times(struct json_writer *j, const struct record *r)
{
    api_put_time(j, "lastContactAt", r->last_contact_at);
    if (r->last_audit_at.ms != 0) {
        api_open_object(j, "lastAudit");
        api_put_time(j, "at", r->last_audit_at);
        api_put_text(j, "outcome", audit_outcome_name(r->last_audit_outcome));
        json_end_object(j);
    }
    api_put_time(j, "createdAt", r->created_at);
    const bool has_contact = r->last_contact_at.ms > r->created_at.ms;
    api_put_time(j, "updatedAt", has_contact ? r->last_contact_at : r->created_at);
    api_put_number(j, "version", r->version);
}

// Empty when the store does not tell.
static const char *read_eid(struct api_exchange *x, uint64_t card, char eid[STORE_EID_SIZE])
{
    const enum store_status status = store_card_eid(x->reader, card, eid);
    if (status != STORE_OK)
        eid[0] = '\0';
    else if (eid[0] == '\0')
        registry_eid_write(card, eid);
    return eid;
}

static void put_slot_identifiers(struct json_writer *j, const struct record *r, bool of_numbers)
{
    char text[IMSI_SIZE];
    for (unsigned i = 0; i < r->slot_count; i++) {
        if (of_numbers && r->slots[i].number[0] != '\0')
            api_put_text(j, NULL, r->slots[i].number);
        if (!of_numbers && imsi_read(r->slots[i].fact.imsi, text))
            api_put_text(j, NULL, text);
    }
    json_end_array(j);
}

void api_put_revealed(struct api_exchange *x, const struct record *r, unsigned set)
{
    struct json_writer *j = &x->json;
    char text[ICCID_SIZE];
    char imei[IMEI_SIZE];
    char eid[STORE_EID_SIZE];
    json_begin_object(j);
    api_put_id(j, "cardId", "crd", r->card);
    if ((set & 1) != 0 && iccid_read(r->iccid, text))
        api_put_text(j, "iccid", text);
    if ((set & 2) != 0)
        api_put_identifier(j, "eid", MASK_NUMBER, CLEAR_ALL, read_eid(x, r->card, eid));
    if ((set & 4) != 0 && r->has_imei && imei_read(r->imei, imei))
        api_put_text(j, "imei", imei);
    if ((set & 8) != 0) {
        api_open_array(j, "imsi");
        put_slot_identifiers(j, r, false);
    }
    if ((set & 16) != 0) {
        api_open_array(j, "msisdn");
        put_slot_identifiers(j, r, true);
    }
    json_end_object(j);
}

void api_put_card(struct api_exchange *x, const struct record *r)
{
    struct json_writer *j = &x->json;
    const struct mirror_slot *enabled = record_enabled(r);
    const struct mirror_slot *fallback = record_fallback(r);
    char eid[STORE_EID_SIZE];
    json_begin_object(j);
    api_put_id(j, "id", "crd", r->card);
    api_put_id(j, "groupId", "grp", r->group);
    api_put_id(j, "batchId", "imp", r->batch);
    put_iccid(x, "iccid", r->iccid);
    api_put_personal(x, "eid", MASK_NUMBER, read_eid(x, r->card, eid));
    api_put_text(j, "state", card_state_name(r->state));
    put_marks(j, r);
    api_put_id(j, "enabledSubscriptionId", "sub", enabled != NULL ? enabled->subscription : 0);
    api_put_id(j, "fallbackSubscriptionId", "sub", fallback != NULL ? fallback->subscription : 0);
    put_applet(j, r);
    api_put_id(j, "openOperationId", "op", r->has_open ? r->open.id : 0);
    api_put_number(j, "queuedOperations", r->queue_len);
    api_put_bool(j, "otaReachable", is_reachable(r));
    put_notes(x, r->card);
    put_times(j, r);
    json_end_object(j);
}

void api_card_get(struct api_exchange *x)
{
    struct views *v = open_views(x);
    if (v == NULL || !api_end_reading(x) || !api_card(x, &v->record))
        return;
    api_put_card(x, &v->record);
    api_etag(x, v->record.version);
    api_reply(x, 200);
}

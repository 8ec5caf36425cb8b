// Enterprises.
#include "common/base/text.h"
#include "common/host/json.h"
#include "common/host/zone.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_user.h"

#include <stdlib.h>

static const char *const kinds[] = {"OPERATOR", "ENTERPRISE", "VIRTUAL_OPERATOR",
                                    "SUPPLIER", "INSPECTOR",  NULL};
static const char *const modes[] = {"SELF_SERVICE", "REQUEST_APPROVE", "OPERATOR_ONLY", NULL};
static const char *const statuses[] = {"SUSPENDED", "ACTIVE", NULL};

// What was entered without a status is active.
static void put_status(struct api_exchange *x, const struct document *d)
{
    json_t *root = NULL;
    if (json_read(d->body, &root) == JSON_READ_OK && json_object_get(root, "status") == NULL)
        api_put_text(&x->json, "status", statuses[d->state != 0]);
    json_decref(root);
}

static const struct api_kind enterprises = {
    .kind = "enterprise", .prefix = "ent", .path = "/enterprises", .more = put_status};

// Enterprises are a resource of the operator's alone.
static bool check_operator(struct api_exchange *x)
{
    if (!api_end_reading(x))
        return false;
    if (api_is_operator(x))
        return true;
    api_forbid(x, API_OPERATORS_OWN);
    return false;
}

bool api_is_zone(struct bytes text)
{
    char zone[ZONE_NAME_MAX + 1];
    if (text.len > ZONE_NAME_MAX)
        return false;
    bytes_copy(zone, text);
    zone[text.len] = '\0';
    return zone_is_known(zone);
}

// The state to keep: index into `statuses`, or -1.
static int read_enterprise(struct api_exchange *x, enum api_need need)
{
    struct api_body *b = &x->body;
    (void)api_body_text(b, "name", need, 1, API_NAME_MAX);
    (void)api_body_enum(b, "kind", need, kinds);
    (void)api_body_text(b, "region", need, 1, 64);
    const struct bytes zone = api_body_text(b, "timeZone", need, 1, ZONE_NAME_MAX);
    if (zone.len > 0 && !api_is_zone(zone))
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("timeZone"),
                                           "UTC, +08:00, or a name such as Asia/Shanghai"));
    (void)api_body_enum(b, "authorityMode", API_OPTIONAL, modes);
    struct api_body agreement;
    const bool is_over = need == API_OPTIONAL && api_body_is_null(b, "agreement");
    if (!is_over && api_body_begin(b, "agreement", &agreement)) {
        (void)api_body_text(&agreement, "reference", API_REQUIRED, 1, 128);
        (void)api_body_time(&agreement, "expiresAt");
        api_body_close(b, "agreement", &agreement);
    }
    (void)api_body_text(b, "approvalReference", API_OPTIONAL, 1, 128);
    (void)api_body_id(b, "parentId", API_OPTIONAL, "ent");
    return api_body_enum(b, "status", API_OPTIONAL, statuses);
}

static bool is_virtual(const json_t *root)
{
    const char *kind = json_string_value(json_object_get(root, "kind"));
    return kind != NULL && strcmp(kind, "VIRTUAL_OPERATOR") == 0;
}

static bool see_parent(void *context, const struct document *d)
{
    json_t *root = NULL;
    *(bool *)context = json_read(d->body, &root) == JSON_READ_OK && is_virtual(root);
    json_decref(root);
    return false;
}

// Who sells for whom: customers of a virtual operator, and the approval that one of them has.
static bool check_relations(struct api_exchange *x, const struct api_object *object)
{
    json_t *root = NULL;
    struct bytes text = {0};
    uint64_t parent = 0;
    bool is_parent = false;
    struct api_problem p = api_problem_of(API_OK);
    if (json_read(object->document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    const bool is_approved = json_object_get(root, "approvalReference") != NULL;
    const bool has_parent = json_get_text(root, "parentId", &text) == JSON_FOUND;
    if (is_approved && !is_virtual(root))
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("approvalReference"),
                              "Only a VIRTUAL_OPERATOR has one");
    else if (has_parent && (!api_id_read(text, "ent", &parent) ||
                            store_document_get(x->reader, "enterprise", parent, see_parent,
                                               &is_parent) != STORE_OK))
        p = api_problem_field(API_NOT_FOUND, bytes_of_text("parentId"),
                              "No such enterprise, GET /enterprises lists them");
    else if (has_parent && (!is_parent || is_virtual(root)))
        p = api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("parentId"),
                              "The VIRTUAL_OPERATOR of an enterprise that is none itself");
    json_decref(root);
    if (p.code == API_OK)
        return true;
    api_refuse(x, p);
    return false;
}

void api_enterprises_list(struct api_exchange *x)
{
    if (api_is_operator(x))
        api_documents_list(x, &enterprises, 0);
    else
        api_forbid(x, API_OPERATORS_OWN);
}

void api_enterprise_get(struct api_exchange *x)
{
    if (api_is_operator(x))
        api_document_show(x, &enterprises);
    else
        api_forbid(x, API_OPERATORS_OWN);
}

void api_enterprises_post(struct api_exchange *x)
{
    const int status = read_enterprise(x, API_REQUIRED);
    const struct bytes name = api_body_text(&x->body, "name", API_OPTIONAL, 1, API_NAME_MAX);
    if (!check_operator(x))
        return;
    struct api_object *object = api_document_new(x, &enterprises, x->tenant, name);
    if (object == NULL || !check_relations(x, object))
        return;
    object->document.state = status != 0;
    api_document_commit(x, &enterprises);
}

// Takes over what the body says. False: refused.
static bool merge(struct api_exchange *x, struct api_object *object, struct bytes name, int status)
{
    if (name.len > 0)
        api_document_name(object, name);
    if (status >= 0)
        object->document.state = status;
    return api_document_merge(x, object);
}

void api_enterprise_patch(struct api_exchange *x)
{
    const int status = read_enterprise(x, API_OPTIONAL);
    api_read_reason(x, API_OPTIONAL);
    const struct bytes name = api_body_text(&x->body, "name", API_OPTIONAL, 1, API_NAME_MAX);
    if (!check_operator(x))
        return;
    struct api_object *object = api_document_load(x, &enterprises);
    if (object == NULL || !api_if_match(x, object->document.version))
        return;
    if (object->document.id == AUTH_OPERATOR && status == 0) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "It is the operator's own: name another one"));
        return;
    }
    enum authority_mode before = AUTHORITY_SELF_SERVICE;
    enum authority_mode after = AUTHORITY_SELF_SERVICE;
    enum store_status known = rules_enterprise_mode(&object->document, &before);
    if (!merge(x, object, name, status) || !check_relations(x, object))
        return;
    if (known == STORE_OK)
        known = rules_enterprise_mode(&object->document, &after);
    const bool is_for_two = object->document.id != AUTH_OPERATOR && rules_give_away(before, after);
    if (known != STORE_OK)
        api_refuse_store(x, known);
    else if (is_for_two && !x->api->options.single_person)
        api_approval_request_enterprise(x, &object->document);
    else
        api_document_commit(x, &enterprises);
}

static enum store_status keep_approved(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = api_approval_keep(x, store);
    if (status == STORE_CONFLICT) // somebody else decided meanwhile
        x->problem = api_problem_of(API_INCOMPATIBLE_STATE);
    return status == STORE_OK ? api_document_apply(x, store, now) : status;
}

void api_enterprise_carry_out(struct api_exchange *x, uint64_t enterprise, json_t *request)
{
    struct bytes text = {0};
    int64_t version = -1;
    struct api_object *object = calloc(1, sizeof(*object));
    x->work = object;
    json_decref(x->root);
    x->root = json_deep_copy(request);
    if (object == NULL || x->root == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    (void)json_get_integer(x->root, ENTERPRISE_VERSION, 0, INT64_MAX, &version);
    json_object_del(x->root, ENTERPRISE_VERSION);
    json_object_del(x->root, "enterpriseId");
    if (json_get_text(x->root, "reason", &text) == JSON_FOUND && text.len <= API_WHY_MAX) {
        bytes_copy(x->reason, text);
        x->reason[text.len] = '\0';
    }
    api_body_init(&x->body, x->root);
    const int status = read_enterprise(x, API_OPTIONAL);
    const struct bytes name = api_body_text(&x->body, "name", API_OPTIONAL, 1, API_NAME_MAX);
    if (!api_document_get(x, &enterprises, enterprise, object) ||
        (int64_t)object->document.version != version)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "The enterprise was changed since: ask for it anew"));
    else if (merge(x, object, name, status) && check_relations(x, object))
        api_commit(x, keep_approved, api_approval_reply);
}

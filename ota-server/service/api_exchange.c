#include "ota-server/service/api_exchange.h"

#include "common/base/text.h"
#include "ota-server/service/api_difference.h"

// --- answers of the store and the core ---

void api_refuse_store(struct api_exchange *x, enum store_status status)
{
    switch (status) {
    case STORE_NONE:
        api_refuse_code(x, API_NOT_FOUND);
        return;
    case STORE_CONFLICT:
        api_refuse_code(x, API_ALREADY_EXISTS);
        return;
    case STORE_BUSY:
    case STORE_FULL:
    case STORE_FAILED:
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    case STORE_OK:
    case STORE_LOST:
    case STORE_NEWER:
    case STORE_FORM:
    case STORE_KEYS:
    case STORE_MOVING:
        api_refuse_code(x, API_INTERNAL);
        return;
    }
}

struct api_problem api_refusal(uint8_t refusal)
{
    static const struct {
        enum api_code code;
        const char *text;
    } rows[] = {
        [REFUSAL_NONE] = {API_INTERNAL, ""},
        [REFUSAL_NOT_AUTHORISED] = {API_PERMISSION_DENIED,
                                    "a permission or the authority mode does not let it, GET "
                                    "/permissions/effective shows what does"},
        [REFUSAL_RULE_PACK] = {API_RULE_PACK_VIOLATION,
                               "The subscription's rule pack forbids it: GET /subscription-pools "
                               "shows which one, take a pool of another"},
        [REFUSAL_CARD_RETIRED] = {API_SERVICE_NOT_APPLICABLE, "The card is retired: leave it out"},
        [REFUSAL_CARD_QUARANTINED] = {API_INCOMPATIBLE_STATE,
                                      "The card is quarantined: it must be lifted first"},
        [REFUSAL_CARD_PARTIAL] = {API_INCOMPATIBLE_STATE,
                                  "A part of the card's vendor files is missing: import it"},
        [REFUSAL_CARD_DIRTY] = {API_ABORTED, "The card is dirty: wait for its audit"},
        [REFUSAL_CARD_BUSY] = {API_ABORTED, "Another change of the card is open: wait for its end"},
        [REFUSAL_NOT_SUPPORTED_BY_CARD] =
            {API_NOT_SUPPORTED_BY_CARD,
             "Timers take an applet of level 2, and the card's has less: leave the card out"},
        [REFUSAL_NOT_ELIGIBLE] = {API_SERVICE_NOT_APPLICABLE,
                                  "The subscription is not eligible as fallback: name another one"},
        [REFUSAL_NOT_INSTALLED] = {API_INCOMPATIBLE_STATE,
                                   "The subscription is not on the card: download it first"},
        [REFUSAL_NOT_ENABLED] = {API_INCOMPATIBLE_STATE,
                                 "The subscription is not enabled: name the one that is"},
        [REFUSAL_POLICY_FORBIDS] =
            {API_INCOMPATIBLE_STATE,
             "A mark or the fallback attribute forbids it: it must be taken away first"},
        [REFUSAL_DELETE_NOT_DISABLED] = {API_INCOMPATIBLE_STATE,
                                         "The subscription is enabled: enable another one first"},
        [REFUSAL_DELETE_FALLBACK] =
            {API_INCOMPATIBLE_STATE,
             "The subscription has the fallback attribute: give it to another one first"},
        [REFUSAL_NOT_PROVEN] =
            {API_INCOMPATIBLE_STATE,
             "The subscription never had service on this card: enable it once, or allow it with "
             "allowUnproven"},
        [REFUSAL_DUPLICATE_SUBSCRIPTION] =
            {API_ALREADY_EXISTS, "The subscription is on the card already: name another one"},
        [REFUSAL_NO_FREE_SLOT] = {API_INCOMPATIBLE_STATE,
                                  "No slot of the card is free: delete a subscription first"},
        [REFUSAL_POOL_EMPTY] = {API_INCOMPATIBLE_STATE,
                                "The pool is empty: import subscriptions, or name another one"},
        [REFUSAL_QUEUE_FULL] = {API_ABORTED, "The card's queue is full: wait until less waits"},
        [REFUSAL_NOT_FOUND] = {API_NOT_FOUND, ""},
        [REFUSAL_WRONG_STATUS] = {API_INCOMPATIBLE_STATE,
                                  "The status does not permit it now: read it first"},
        [REFUSAL_OVERLOADED] = {API_UNAVAILABLE, ""},
        [REFUSAL_TOO_LONG] =
            {API_SERVICE_NOT_APPLICABLE,
             "The command takes more SMS than the group permits: change its rules"},
    };
    const bool is_known = refusal < sizeof(rows) / sizeof(rows[0]);
    const enum api_code code = is_known ? rows[refusal].code : API_INTERNAL;
    const bool has_reason = code != API_INTERNAL && code != API_UNAVAILABLE &&
                            code != API_NOT_FOUND && code != API_PERMISSION_DENIED;
    return api_problem_reason(code, has_reason ? refusal_name(refusal) : "",
                              is_known ? rows[refusal].text : "");
}

struct actor api_actor(const struct api_exchange *x)
{
    return (struct actor){.kind = x->client.is_user ? ACTOR_USER : ACTOR_CLIENT,
                          .id = x->client.id};
}

// --- the trail, and who asks ---

// Rows of what was done, and those of what was refused, which are called so.
static const char *result_of(const char *action)
{
    static const char end[] = ".refused";
    const size_t len = strlen(action);
    const bool is_refused =
        len >= sizeof(end) - 1 && strcmp(action + len - (sizeof(end) - 1), end) == 0;
    return is_refused ? "refused" : "done";
}

struct trail_new api_trail_row(const struct api_exchange *x, const char *action,
                               const char *object_kind, uint64_t object)
{
    return (struct trail_new){
        .at = x->now.utc,
        .tenant = x->tenant,
        .actor = api_actor(x),
        .address = x->request->peer,
        .action = action,
        .object_kind = object_kind,
        .object = object,
        .correlator = x->correlator_id,
        .reason = x->reason,
        .approval = x->event.approval,
        .result = result_of(action),
    };
}

// `word` follows what was changed.
static enum store_status add_row(struct api_exchange *x, struct store *store, struct trail_new *row,
                                 const char *word)
{
    char after[sizeof(x->after) + 16];
    struct writer w = writer_of(after, sizeof(after));
    enum store_status status = api_difference_end(x, store);
    text_put(&w, x->after);
    text_put(&w, x->after[0] != '\0' && word[0] != '\0' ? ", " : "");
    text_put(&w, word);
    row->before = x->before;
    row->after = text_end(&w);
    if (status == STORE_OK)
        status = store_trail_add(store, row);
    if (status == STORE_OK && x->request->correlator.len > 0) // what we gave them nobody asks for
        status = api_stored_correlator(x, store);
    x->before[0] = x->after[0] = '\0';
    return status;
}

enum store_status api_trail(struct api_exchange *x, struct store *store, const char *action,
                            const char *object_kind, uint64_t object, const char *reason)
{
    struct trail_new row = api_trail_row(x, action, object_kind, object);
    if (reason != NULL)
        row.reason = reason;
    return add_row(x, store, &row, "");
}

enum store_status api_trail_with(struct api_exchange *x, struct store *store, const char *action,
                                 const char *object_kind, uint64_t object, const char *word)
{
    struct trail_new row = api_trail_row(x, action, object_kind, object);
    return add_row(x, store, &row, word);
}

bool api_is_operator(const struct api_exchange *x)
{
    return x->tenant == AUTH_OPERATOR;
}

bool api_owns(const struct api_exchange *x, uint64_t owner)
{
    return owner == x->tenant || api_is_operator(x);
}

uint64_t api_reach(const struct api_exchange *x)
{
    return api_is_operator(x) ? 0 : x->tenant;
}

uint64_t api_person(const struct api_exchange *x)
{
    return x->client.is_user ? x->client.id : x->client.asked_by;
}

bool api_is_of(const struct api_exchange *x, uint64_t person)
{
    return api_person(x) == person || (!x->client.is_user && auth_client_is_of(&x->client, person));
}

bool api_second_person(struct api_exchange *x)
{
    const bool is_somebody = x->client.is_user && !x->client.is_given;
    if (x->api->options.single_person || is_somebody)
        return true;
    if (x->client.is_user)
        api_refuse(x, api_problem_reason(API_PERMISSION_DENIED, "SET_OWN_PASSWORD",
                                         "somebody else gave you your password, set your own"));
    else
        api_forbid(x, "it takes a person, log in as one");
    return false;
}

void api_put_personal(struct api_exchange *x, const char *name, enum mask mask, const char *text)
{
    api_put_identifier(&x->json, name, mask, x->clear, text);
    x->shown += text[0] != '\0' && api_is_clear(x->clear, mask);
}

uint64_t api_new_id(struct api_exchange *x)
{
    return turn_id(x->api->options.turn, x->now.utc);
}

// --- reading ---

bool api_capture(struct api_exchange *x, size_t index, const char *prefix, uint64_t *id)
{
    if (index < x->match.count && api_id_read(x->match.captures[index], prefix, id))
        return true;
    api_refuse_code(x, API_NOT_FOUND);
    return false;
}

enum api_access api_access_to(struct api_exchange *x, const struct record *record, uint32_t grants)
{
    uint32_t set = 0;
    bool is_there = false;
    if (api_is_operator(x))
        return API_ACCESS_GRANTED;
    if (permission_of(x->reader, x->tenant, record->group, &set, &is_there) != STORE_OK)
        return API_ACCESS_UNKNOWN;
    if (!is_there && record->tenant != x->tenant) {
        bool is_customers = false;
        if (api_customer_sees(x, record, &is_customers) != STORE_OK)
            return API_ACCESS_UNKNOWN;
        return is_customers ? API_ACCESS_SEEN : API_ACCESS_NONE;
    }
    const bool is_granted = (grants & GRANT_BIT(GRANT_NONE)) == 0 && (set & grants) == grants;
    return is_granted ? API_ACCESS_GRANTED : API_ACCESS_SEEN;
}

bool api_card_allowed(struct api_exchange *x, const struct record *record, uint32_t grants)
{
    switch (api_access_to(x, record, grants)) {
    case API_ACCESS_GRANTED:
        return true;
    case API_ACCESS_SEEN:
        api_refuse_grants(x, grants);
        return false;
    case API_ACCESS_NONE:
        api_refuse_code(x, API_NOT_FOUND);
        return false;
    case API_ACCESS_UNKNOWN:
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    return false;
}

bool api_card_visible(struct api_exchange *x, uint64_t card, struct record *record)
{
    const enum store_status status = store_card_load(x->reader, card, record);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return false;
    }
    if (!api_card_allowed(x, record,
                          GRANT_BIT(api_route_grant(x->route)) | GRANT_BIT(GRANT_CARD_READ)))
        return false;
    x->queried_card = card;
    return true;
}

uint32_t api_reading(const struct api_exchange *x)
{
    return api_is_operator(x) ? 0 : GRANT_BIT(GRANT_CARD_READ);
}

bool api_card(struct api_exchange *x, struct record *record)
{
    return api_capture(x, 0, "crd", &x->card_id) && api_card_visible(x, x->card_id, record);
}

bool api_end_reading(struct api_exchange *x)
{
    struct api_problem p = x->body.problem;
    if (x->is_showing) // the body is for another handler
        return true;
    if (p.code == API_OK)
        p = api_query_end(&x->query);
    if (p.code == API_OK && !api_body_end(&x->body))
        p = x->body.problem;
    if (p.code == API_OK)
        return true;
    api_refuse(x, p);
    return false;
}

void api_read_reason(struct api_exchange *x, enum api_need need)
{
    const struct bytes text = api_body_text(&x->body, "reason", need, 1, API_WHY_MAX);
    if (text.len > API_WHY_MAX)
        return; // refused
    bytes_copy(x->reason, text);
    x->reason[text.len] = '\0';
}

struct api_problem api_take_reason(struct api_exchange *x)
{
    struct bytes text = {0};
    if (!api_query_take(&x->query, "reason", &text))
        return api_problem_of(API_OK);
    json_t *string = json_stringn((const char *)text.at, text.len); // only of UTF-8
    const bool is_good = string != NULL && text.len > 0 && text.len <= API_WHY_MAX &&
                         memchr(text.at, '\0', text.len) == NULL;
    json_decref(string);
    if (!is_good)
        return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("reason"),
                                 "1 to 256 octets of text");
    bytes_copy(x->reason, text);
    x->reason[text.len] = '\0';
    return api_problem_of(API_OK);
}

bool api_take_enterprise(struct api_exchange *x, uint64_t *tenant)
{
    struct bytes text;
    *tenant = api_reach(x);
    if (!api_query_take(&x->query, "enterpriseId", &text))
        return true;
    if (api_id_read(text, "ent", tenant) && api_owns(x, *tenant))
        return true;
    api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("enterpriseId"),
                                    "No such enterprise, GET /enterprises lists them"));
    return false;
}

bool api_has_scope(const struct api_exchange *x, const char *scope)
{
    return auth_has_scope(&x->client, bytes_of_text(scope));
}

bool api_four_eyes(struct api_exchange *x)
{
    if (x->api->options.single_person)
        return true;
    api_forbid(x, "it takes two people, who enter a component each");
    return false;
}

// --- headers ---

void api_header(struct api_exchange *x, const char *name, const char *value)
{
    text_put(&x->headers, name);
    text_put(&x->headers, ": ");
    text_put(&x->headers, value);
    text_put(&x->headers, "\n");
}

void api_location(struct api_exchange *x, const char *path, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    struct writer w = writer_of(x->location, sizeof(x->location));
    text_put(&w, x->api->options.public_url);
    text_put(&w, API_BASE);
    text_put(&w, path);
    text_put(&w, "/");
    text_put(&w, text);
    text_end(&w);
}

static const char *etag_text(uint64_t version, char text[32])
{
    struct writer w = writer_of(text, 32);
    text_put(&w, "\"");
    text_decimal(&w, version);
    text_put(&w, "\"");
    return text_end(&w);
}

void api_etag(struct api_exchange *x, uint64_t version)
{
    char text[32];
    api_header(x, "ETag", etag_text(version, text));
}

bool api_is_match(const struct api_exchange *x, uint64_t version)
{
    char text[32];
    const struct bytes given = x->request->if_match;
    if (x->seen_version != 0 && x->seen_version != version)
        return false;
    return given.len == 0 || bytes_equal(given, bytes_of_text("*")) ||
           bytes_equal(given, bytes_of_text(etag_text(version, text)));
}

enum store_status api_judge_match(struct api_exchange *x, uint64_t version)
{
    if (api_is_match(x, version))
        return STORE_OK;
    x->problem = api_problem_of(API_FAILED_PRECONDITION);
    return STORE_CONFLICT;
}

bool api_if_match(struct api_exchange *x, uint64_t version)
{
    if (api_is_match(x, version))
        return true;
    api_refuse_code(x, API_FAILED_PRECONDITION);
    return false;
}

// --- lists ---

bool api_list_begin(struct api_exchange *x, struct api_list *list, const char *const *fields)
{
    *list = (struct api_list){0};
    const struct api_problem p = api_page_read(&x->query, fields, x->now.utc, &list->page);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return false;
    }
    list->window.limit = list->page.per_page;
    list->window.offset = list->page.has_cursor ? list->page.cursor : api_page_offset(&list->page);
    return true;
}

void api_list_open(struct api_exchange *x)
{
    json_begin_object(&x->json);
    api_open_array(&x->json, "items");
}

void api_list_end(struct api_exchange *x, struct api_list *list)
{
    struct json_writer *j = &x->json;
    const bool is_estimate = list->total > STORE_EXACT_MAX;
    const struct api_total total = {.count = list->total, .is_estimate = is_estimate};
    json_end_array(j);
    api_open_object(j, "pagination");
    if (!list->page.has_cursor)
        api_put_number(j, "page", list->page.page);
    api_put_number(j, "perPage", list->page.per_page);
    api_put_number(j, "totalCount", list->total);
    api_put_number(j, "totalPages", api_total_pages(&total, &list->page));
    api_put_bool(j, "totalIsEstimate", is_estimate);
    const uint64_t next = list->window.offset + list->window.limit;
    if (next < list->total) {
        char cursor[API_CURSOR_MAX];
        struct writer w = writer_of(cursor, sizeof(cursor));
        api_cursor_write(&w, next, x->now.utc);
        api_put_text(j, "nextCursor", text_end(&w));
    }
    json_end_object(j);
    json_end_object(j);
    char url[API_URL_MAX + 1024];
    struct writer u = writer_of(url, sizeof(url));
    text_put(&u, x->api->options.public_url);
    writer_copy(&u, x->request->path);
    // A query so long that four copies are a burden is not repeated.
    if (x->request->query.len <= 512 && !u.failed)
        api_page_headers(&x->headers, writer_bytes(&u), x->request->query, &list->page, &total);
    api_reply(x, 200);
}

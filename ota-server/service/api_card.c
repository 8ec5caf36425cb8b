#include "ota-server/service/api_card.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_move.h"
#include "ota-server/service/api_move_effect.h"
#include "ota-server/service/api_operation.h"
#include "ota-server/service/registry_eid.h"

#include <stdlib.h>

#define LABELS_MAX 20
#define LABEL_MAX API_LABEL_MAX
#define NOTE_MAX 1024
#define NOTES_MAX 16384 // all of a card, as JSON; six octets for one, they fit

static const char *const states[] = {"IMPORTED_PARTIAL", "IMPORTED", "SEEN", "BOOTSTRAPPING",
                                     "OPERATIONAL",      "RETIRED",  NULL};
static const char *const marks[] = {"ON_FALLBACK", "UNREACHABLE", "BLOCKED",
                                    "DIRTY",       "QUARANTINED", NULL};
static const char *const sorts[] = {"createdAt", "lastContactAt", "state", NULL};
static const enum store_sort sort_of[] = {SORT_CREATED, SORT_CONTACT, SORT_STATE};

#define NOBODY (UINT64_MAX >> 1) // an id that no object has: gives an empty list

// --- lists ---

static void take_id(struct api_exchange *x, const char *name, const char *prefix, uint64_t *id)
{
    struct bytes text;
    if (api_query_take(&x->query, name, &text) && !api_id_read(text, prefix, id))
        *id = NOBODY;
}

void api_card_group_read(struct bytes text, struct card_filter *f)
{
    f->in_no_group = bytes_equal(text, bytes_of_text("unassigned"));
    if (!f->in_no_group && !api_id_read(text, "grp", &f->group))
        f->group = NOBODY;
}

// Texts of a filter; the views that come in do not end with a zero.
static struct api_problem take_word(struct bytes text, const char *name, char word[LABEL_MAX + 1],
                                    const char **to)
{
    if (text.len == 0 || text.len > LABEL_MAX)
        return api_problem_length(bytes_of_text(name), 1, LABEL_MAX);
    bytes_copy(word, text);
    word[text.len] = '\0';
    *to = word;
    return api_problem_of(API_OK);
}

static struct api_problem read_words(struct api_exchange *x, struct card_words *words,
                                     struct card_filter *f)
{
    struct bytes text;
    int field = -1;
    struct api_problem p =
        api_query_enum(&x->query, "applicationField", api_application_fields, &field);
    if (field >= 0)
        f->application_field = api_application_fields[field];
    if (p.code == API_OK && api_query_take(&x->query, "label", &text))
        p = take_word(text, "label", words->label, &f->label);
    return p;
}

struct api_problem api_card_query_read(struct api_exchange *x, struct card_words *words,
                                       struct card_filter *f)
{
    bool has_open = false;
    struct bytes text;
    card_filter_init(f);
    f->tenant = api_reach(x);
    f->grants = api_reading(x);
    if (api_query_take(&x->query, "groupId", &text))
        api_card_group_read(text, f);
    take_id(x, "batchId", "imp", &f->batch);
    struct api_problem p = api_query_enum(&x->query, "state", states, &f->state);
    if (p.code == API_OK)
        p = api_query_enum(&x->query, "mark", marks, &f->mark);
    if (p.code == API_OK)
        p = api_query_range(&x->query, API_RANGE("lastContactAt"), &f->contact_from,
                            &f->contact_to);
    const bool is_given = api_query_take(&x->query, "openOperation", &text);
    if (p.code == API_OK && is_given)
        p = api_query_bool(&x->query, "openOperation", &has_open);
    if (is_given)
        f->has_open = has_open ? 1 : 0;
    return p.code == API_OK ? read_words(x, words, f) : p;
}

struct rows {
    uint64_t cards[API_PER_PAGE_MAX];
    size_t count;
    struct record record;
};

static bool collect(void *context, const struct card_row *row)
{
    struct rows *rows = context;
    rows->cards[rows->count] = row->card;
    return ++rows->count < API_PER_PAGE_MAX;
}

static void reply_cards(struct api_exchange *x, const struct card_filter *filter,
                        struct api_list *list)
{
    struct rows *rows = calloc(1, sizeof(*rows));
    free(x->work);
    x->work = rows;
    if (rows == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    enum store_status status =
        store_cards(x->reader, filter, &list->window, collect, rows, &list->total);
    api_list_open(x);
    for (size_t i = 0; i < rows->count && status == STORE_OK; i++) {
        status = store_card_load(x->reader, rows->cards[i], &rows->record);
        if (status == STORE_OK)
            api_put_card(x, &rows->record);
    }
    if (status == STORE_OK)
        api_list_end(x, list);
    else
        api_refuse_store(x, status);
}

void api_cards_list(struct api_exchange *x)
{
    struct card_filter filter;
    struct card_words words;
    struct api_list list;
    const struct api_problem p = api_card_query_read(x, &words, &filter);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (!api_list_begin(x, &list, sorts) || !api_end_reading(x))
        return;
    filter.sort = sort_of[list.page.sort];
    filter.is_descending = list.page.is_descending;
    reply_cards(x, &filter, &list);
}

// --- search ---

static bool read_digits(struct api_body *b, char digits[API_DIGITS_SIZE], char *kind)
{
    static const struct {
        const char *name;
        char kind;
        size_t max;
    } members[] = {{"iccid", 'c', 20}, {"imsi", 'i', 15}, {"msisdn", 'm', 15},
                   {"eid", 'e', 32},   {"imei", 'd', 17}, {"any", 'a', 32}};
    struct bytes value = {0};
    unsigned given = 0;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct bytes text =
            api_body_text(b, members[i].name, API_OPTIONAL, 1, members[i].max);
        if (text.len == 0)
            continue;
        given++;
        value = text;
        *kind = members[i].kind;
    }
    digits[0] = '\0';
    if (given == 0)
        return true;
    if (given > 1 || !text_is_digits(value)) {
        api_body_fail(
            b, api_problem_text(API_INVALID_ARGUMENT,
                                "Exactly one, as digits: iccid, imsi, msisdn, eid, imei or any"));
        return false;
    }
    bytes_copy(digits, value);
    digits[value.len] = '\0';
    return true;
}

static void read_body_page(struct api_exchange *x, struct api_list *list)
{
    *list = (struct api_list){0};
    list->page.page = (uint32_t)api_body_integer(&x->body, "page", 1, API_DEPTH_MAX, 1);
    list->page.per_page =
        (uint32_t)api_body_integer(&x->body, "perPage", 1, API_PER_PAGE_MAX, API_PER_PAGE);
    const struct bytes cursor = api_body_text(&x->body, "cursor", API_OPTIONAL, 1, API_CURSOR_MAX);
    if (x->body.problem.code == API_OUT_OF_RANGE)
        x->body.problem.code = API_INVALID_ARGUMENT; // page parameters are never OUT_OF_RANGE
    if (x->body.problem.code == API_OK)
        api_body_fail(&x->body, api_page_check(&list->page));
    list->page.has_cursor = cursor.len > 0;
    if (cursor.len > 0 && !api_cursor_read(cursor, x->now.utc, &list->page.cursor))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("cursor"),
                                                  API_CURSOR_FORM));
    list->window.limit = list->page.per_page;
    list->window.offset = list->page.has_cursor ? list->page.cursor : api_page_offset(&list->page);
}

static void read_body_sort(struct api_exchange *x, struct card_filter *f)
{
    struct bytes sort = api_body_text(&x->body, "sort", API_OPTIONAL, 1, 32);
    if (sort.len == 0)
        return;
    f->is_descending = sort.at[0] == '-';
    sort = bytes_slice(sort, f->is_descending ? 1 : 0, sort.len);
    for (size_t i = 0; sorts[i] != NULL; i++) {
        if (bytes_equal(sort, bytes_of_text(sorts[i]))) {
            f->sort = sort_of[i];
            return;
        }
    }
    api_body_fail(&x->body, api_problem_enum(bytes_of_text("sort"), sorts));
}

static uint64_t body_id(struct api_body *b, const char *name, const char *prefix)
{
    uint64_t id = 0;
    const struct bytes text = api_body_text(b, name, API_OPTIONAL, 1, API_ID_SIZE);
    return text.len > 0 && !api_id_read(text, prefix, &id) ? NOBODY : id;
}

static void read_body_search(struct api_body *b, struct card_words *words, struct card_filter *f)
{
    static const char *const matches[] = {"EXACT", "PREFIX", "SUFFIX", NULL};
    static const size_t shortest[] = {1, 6, 4};
    static const char how[] = "eps";
    const bool is_read = read_digits(b, words->digits, &f->search_in);
    const int match = api_body_enum(b, "match", API_OPTIONAL, matches);
    if (!is_read || words->digits[0] == '\0')
        return;
    if (strlen(words->digits) < shortest[match < 0 ? 0 : match])
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("match"),
                                           "PREFIX takes 6 digits or more, SUFFIX 4"));
    f->search = words->digits;
    f->search_how = how[match < 0 ? 0 : match];
    const bool can_be_eid = f->search_in == 'e' || f->search_in == 'a';
    if (!can_be_eid || f->search_how != 'e' ||
        !registry_eid_read(bytes_of_text(f->search), &f->search_card))
        f->search_card = 0;
    // A 20th digit may be the check digit; no other identifier has 19.
    if (f->search_how == 'e' && strlen(words->digits) == ICCID_SIZE - 2)
        f->search_how = 'p';
}

static void read_rest(struct api_body *b, struct card_words *words, struct card_filter *f)
{
    card_filter_init(f);
    read_body_search(b, words, f);
    const struct bytes group = api_body_text(b, "groupId", API_OPTIONAL, 1, API_ID_SIZE);
    if (group.len > 0)
        api_card_group_read(group, f);
    f->batch = body_id(b, "batchId", "imp");
    f->state = api_body_enum(b, "state", API_OPTIONAL, states);
    f->mark = api_body_enum(b, "mark", API_OPTIONAL, marks);
    const struct bytes label = api_body_text(b, "label", API_OPTIONAL, 1, LABEL_MAX);
    if (label.len > 0)
        api_body_fail(b, take_word(label, "label", words->label, &f->label));
    if (api_body_has(b, "openOperation"))
        f->has_open = api_body_bool(b, "openOperation", false);
    else
        (void)api_body_bool(b, "openOperation", false);
    api_body_range(b, API_RANGE("lastContactAt"), &f->contact_from, &f->contact_to);
}

void api_card_filter_read(struct api_body *b, struct card_words *words, struct card_filter *f)
{
    read_rest(b, words, f);
    const int field = api_body_enum(b, "applicationField", API_OPTIONAL, api_application_fields);
    if (field >= 0)
        f->application_field = api_application_fields[field];
}

void api_card_kept_filter_read(struct api_body *b, struct card_words *words, struct card_filter *f)
{
    read_rest(b, words, f);
    const struct bytes field = api_body_text(b, "applicationField", API_OPTIONAL, 1, LABEL_MAX);
    if (field.len > 0)
        api_body_fail(b, take_word(field, "applicationField", words->field, &f->application_field));
}

void api_cards_search(struct api_exchange *x)
{
    struct card_filter filter;
    struct card_words words;
    struct api_list list;
    api_card_filter_read(&x->body, &words, &filter);
    if (filter.search == NULL)
        api_body_fail(
            &x->body,
            api_problem_text(API_INVALID_ARGUMENT,
                             "Exactly one, as digits: iccid, imsi, msisdn, eid, imei or any"));
    filter.tenant = api_reach(x);
    filter.grants = api_reading(x);
    read_body_sort(x, &filter);
    read_body_page(x, &list);
    if (api_end_reading(x))
        reply_cards(x, &filter, &list);
}

// --- changes ---

struct patch {
    struct record record, next;
    uint8_t notes[NOTES_MAX];
    size_t notes_len;
    char field[LABEL_MAX + 1]; // kept apart for lists
    const json_t *labels;      // of the body
    struct bytes note;
    bool is_for_two; // the move
};

static void reply_card(struct api_exchange *x)
{
    struct patch *patch = x->work;
    if (store_card_load(x->reader, x->card_id, &patch->record) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_put_card(x, &patch->record);
    api_etag(x, patch->record.version);
    api_reply(x, 200);
}

static void answer_card(struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->problem.code != API_OK) // found while it was prepared
        api_refuse(x, x->problem);
    else if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, 200);
    else
        reply_card(x);
}

// Labels: an array of at most LABELS_MAX texts.
static const json_t *read_labels(struct api_exchange *x)
{
    const json_t *labels = api_body_array(&x->body, "labels", API_OPTIONAL);
    size_t i;
    const json_t *item;
    bool ok = json_array_size(labels) <= LABELS_MAX;
    json_array_foreach(labels, i, item)
    {
        const size_t len = json_string_length(item);
        ok = ok && json_is_string(item) && len >= 1 && len <= LABEL_MAX;
    }
    if (!ok)
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("labels"),
                                                  "At most 20 texts of 1 to 64 octets"));
    return labels;
}

// An empty one takes it away.
static void read_field(struct api_body *b, struct patch *patch)
{
    const struct bytes text = api_body_text(b, "applicationField", API_OPTIONAL, 0, LABEL_MAX);
    const char *const *known = api_application_fields;
    while (*known != NULL && !bytes_equal(text, bytes_of_text(*known)))
        known++;
    if (text.len == 0 || *known != NULL)
        bytes_copy(patch->field, text);
    else
        api_body_fail(b,
                      api_problem_enum(bytes_of_text("applicationField"), api_application_fields));
}

static bool read_notes(struct api_exchange *x, struct patch *patch)
{
    struct api_body *b = &x->body;
    patch->labels = read_labels(x);
    patch->note = api_body_text(b, "note", API_OPTIONAL, 0, NOTE_MAX);
    read_field(b, patch);
    return api_body_has(b, "labels") || api_body_has(b, "note") ||
           api_body_has(b, "applicationField");
}

// What is kept of a card's notes: an object, without members when nothing is.
static enum store_status load_notes(struct store *store, uint64_t card, struct patch *patch,
                                    json_t **notes)
{
    struct writer w = writer_of(patch->notes, sizeof(patch->notes));
    const enum store_status status = store_card_notes(store, card, &w);
    if (status != STORE_OK)
        return status;
    if (w.len == 0)
        *notes = json_object();
    else if (json_read(writer_bytes(&w), notes) != JSON_READ_OK)
        return STORE_BUSY;
    return *notes != NULL ? STORE_OK : STORE_BUSY;
}

static bool set_text(json_t *root, const char *name, struct bytes text)
{
    return json_object_set_new(root, name, json_stringn((const char *)text.at, text.len)) == 0;
}

// Tells which of them change, and the field; the rest may be of a person. Then `was` with what the
// body changes, as JSON text.
static enum store_status merge_notes(struct api_exchange *x, struct patch *patch, const json_t *was)
{
    json_t *root = json_copy((json_t *)was);
    bool ok = root != NULL;
    if (ok && patch->labels != NULL)
        ok = json_object_set(root, "labels", (json_t *)patch->labels) == 0;
    if (ok && api_body_has(&x->body, "note"))
        ok = set_text(root, "note", patch->note);
    if (ok && api_body_has(&x->body, "applicationField"))
        ok = set_text(root, "applicationField", bytes_of_text(patch->field));
    if (ok) {
        api_difference_put(x, "card", was, root);
        patch->notes_len =
            json_dumpb(root, (char *)patch->notes, sizeof(patch->notes), JSON_COMPACT);
    }
    json_decref(root);
    return ok && patch->notes_len > 0 && patch->notes_len <= sizeof(patch->notes) ? STORE_OK
                                                                                  : STORE_BUSY;
}

// Loads the card: is it still as the caller saw it?
static enum store_status judge_match(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    struct patch *patch = x->work;
    (void)e;
    const enum store_status status = store_card_load(store, x->card_id, &patch->record);
    return status == STORE_OK ? api_judge_match(x, patch->record.version) : status;
}

// Into the notes as they are in this turn; they count as a version of the card.
static enum store_status put_notes(struct api_exchange *x, struct store *store, struct utc now)
{
    struct patch *patch = x->work;
    (void)now;
    json_t *was = NULL;
    enum store_status status = judge_match(x, store, NULL);
    if (status == STORE_OK)
        status = load_notes(store, x->card_id, patch, &was);
    if (status == STORE_OK)
        status = merge_notes(x, patch, was);
    json_decref(was);
    if (status != STORE_OK)
        return status;
    patch->next = patch->record;
    patch->next.version++;
    status = store_card_save(store, &patch->record, &patch->next);
    if (status == STORE_OK)
        status = store_card_notes_put(store, x->card_id, bytes_of(patch->notes, patch->notes_len));
    if (status == STORE_OK && api_body_has(&x->body, "applicationField"))
        status = store_card_field_put(store, x->card_id, patch->field);
    return status == STORE_OK ? api_trail(x, store, "card.changed", "card", x->card_id, NULL)
                              : status;
}

// Rules that became looser since they were looked at were approved; the card must not be there by
// then without.
static enum store_status judge_again(struct api_exchange *x, struct store *store,
                                     const struct event *e)
{
    const struct patch *patch = x->work;
    const struct api_move_to to = {e->group, e->tenant};
    const char *what = NULL;
    if (x->api->options.single_person || patch->is_for_two)
        return STORE_OK;
    const enum store_status status =
        api_move_for_two(store, turn_policy(x->api->options.turn), &patch->record, &to, &what);
    if (what == NULL)
        return status;
    x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                  "The rules of a group were changed meanwhile: ask for it anew");
    return STORE_CONFLICT;
}

static enum store_status enter_group(void *context, struct store *store, struct event *e)
{
    struct api_exchange *x = context;
    enum store_status status = judge_match(x, store, e);
    if (status == STORE_OK)
        status = api_move_enter(store, x->card_id, e);
    if (status == STORE_NONE)
        x->problem = api_problem_text(API_NOT_FOUND, "No such group: GET /card-groups lists them");
    return status == STORE_OK ? judge_again(x, store, e) : status;
}

// What a move of the card would change.
static void reply_effect(struct api_exchange *x)
{
    const struct patch *patch = x->work;
    struct json_writer *j = &x->json;
    struct move_effect effect = {.count = 0};
    if (patch->record.group != x->event.group)
        move_effect_add(&effect, patch->record.group);
    json_begin_object(j);
    api_put_bool(j, "dryRun", true);
    api_put_number(j, "wouldAnswer", patch->is_for_two ? 202 : 200);
    api_put_number(j, "approvalsNeeded", patch->is_for_two);
    move_effect_put(x, &effect, x->event.group);
    json_end_object(j);
    api_reply(x, 200);
}

static void answer_moved(struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->problem.code == API_OK && x->is_dry_run && answer->refusal == REFUSAL_NONE)
        reply_effect(x);
    else
        answer_card(x, answer);
}

static void move_card(struct api_exchange *x, uint64_t group)
{
    struct patch *patch = x->work;
    struct api_move_to to = {.group = group};
    const char *what = NULL;
    if (!api_move_allowed(x, group, &to.owner))
        return;
    const enum store_status status =
        api_move_for_two(x->reader, turn_policy(x->api->options.turn), &patch->record, &to, &what);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    patch->is_for_two = what != NULL && !x->api->options.single_person;
    if (patch->is_for_two && !x->is_dry_run) {
        api_move_request(x, &patch->record, &to, what);
        return;
    }
    x->event.type = EVENT_MOVE;
    x->event.group = group;
    x->event.tenant = to.owner;
    x->prepare = enter_group;
    api_submit(x, answer_moved);
}

void api_card_patch(struct api_exchange *x)
{
    static const char *const new_states[] = {"RETIRED", NULL};
    struct patch *patch = calloc(1, sizeof(*patch));
    x->work = patch;
    if (patch == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const int state = api_body_enum(&x->body, "state", API_OPTIONAL, new_states);
    api_read_reason(x, state == 0 ? API_REQUIRED : API_OPTIONAL);
    const uint64_t group = api_body_id(&x->body, "groupId", API_OPTIONAL, "grp");
    const bool has_notes = read_notes(x, patch);
    if ((state == 0) + (group != 0) + has_notes > 1)
        api_body_fail(&x->body,
                      api_problem_text(API_INVALID_ARGUMENT,
                                       "Too much at once: retire, or move, in a call of its own"));
    if (!api_end_reading(x) || !api_card(x, &patch->record) ||
        !api_if_match(x, patch->record.version))
        return;
    if (group != 0) {
        move_card(x, group);
        return;
    }
    if (state != 0) {
        api_commit(x, put_notes, reply_card);
    } else if (!api_is_operator(x)) {
        api_refuse_permission(x, API_OPERATORS_OWN);
    } else {
        x->event.type = EVENT_RETIRE;
        x->prepare = judge_match;
        api_submit(x, answer_card);
    }
}

static bool open_change(struct api_exchange *x)
{
    struct patch *patch = calloc(1, sizeof(*patch));
    x->work = patch;
    if (patch == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    return api_card(x, &patch->record);
}

// A change of the record that the core makes; the event is filled but for its type.
static void change(struct api_exchange *x, enum event_type type)
{
    x->event.type = (uint8_t)type;
    api_submit(x, answer_card);
}

void api_card_dirty_put(struct api_exchange *x)
{
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !open_change(x))
        return;
    x->event.reason = DIRTY_OPERATOR_REQUEST;
    change(x, EVENT_MARK_DIRTY);
}

// Two people, unless the installation has but one.
static void change_by_two(struct api_exchange *x, enum event_type type, const char *what)
{
    const struct patch *patch = x->work;
    const struct utc since = api_approval_since(&patch->record, (uint8_t)type);
    x->event.type = (uint8_t)type;
    if (since.ms == 0)
        api_refuse(x, api_refusal(REFUSAL_WRONG_STATUS));
    else if (x->api->options.single_person)
        change(x, type);
    else
        api_approval_request(x, what, since, patch->record.tenant);
}

void api_card_dirty_delete(struct api_exchange *x)
{
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !open_change(x))
        return;
    change_by_two(x, EVENT_CLEAR_DIRTY, "clear doubt without an audit");
}

void api_card_quarantine_delete(struct api_exchange *x)
{
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !open_change(x))
        return;
    change_by_two(x, EVENT_LIFT_QUARANTINE, "lift the quarantine");
}

// --- identifiers in clear ---

// What a reveal may ask for, as bits of a set.
static const char *const revealed[] = {"iccid", "eid", "imei", "imsi", "msisdn", NULL};

#define REVEALS_IMSI (1u << 3)

static unsigned read_fields(struct api_exchange *x)
{
    const json_t *fields = api_body_array(&x->body, "fields", API_REQUIRED);
    unsigned set = 0;
    size_t i;
    const json_t *item;
    json_array_foreach(fields, i, item)
    {
        unsigned bit = 0;
        for (unsigned k = 0; revealed[k] != NULL && json_is_string(item); k++) {
            if (strcmp(json_string_value(item), revealed[k]) == 0)
                bit = 1u << k;
        }
        if (bit == 0)
            api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("fields"),
                                                      "One of iccid, eid, imei, imsi, msisdn"));
        set |= bit;
    }
    if (set == 0)
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("fields"),
                                                  "At least one field"));
    return set;
}

static enum store_status note_reveal(struct api_exchange *x, struct store *store, struct utc now)
{
    struct writer w = writer_of(x->after, sizeof(x->after));
    (void)now;
    for (unsigned k = 0; revealed[k] != NULL; k++) {
        if ((x->object_id >> k & 1) == 0)
            continue;
        text_put(&w, w.len > 0 ? " " : "fields=[");
        text_put(&w, revealed[k]);
    }
    text_put(&w, "]");
    (void)text_end(&w);
    return api_trail(x, store, "card.revealed", "card", x->card_id, NULL);
}

static void reply_revealed(struct api_exchange *x)
{
    const struct patch *patch = x->work;
    api_put_revealed(x, &patch->record, (unsigned)x->object_id);
    api_reply(x, 200);
}

void api_card_reveal(struct api_exchange *x)
{
    const unsigned set = read_fields(x);
    api_read_reason(x, API_REQUIRED);
    if (!api_end_reading(x) || !open_change(x))
        return;
    // Who sees a subscriber on the air by an IMSI is the operator: not its help desk, which changes
    // no card, and no enterprise.
    if ((set & REVEALS_IMSI) != 0 && !(api_is_operator(x) && api_has_scope(x, "cards:write"))) {
        api_refuse_permission(x, "an IMSI takes the operator's cards:write, reveal without it");
        return;
    }
    x->object_id = set;
    // Shown only after the trail knows it.
    api_commit(x, note_reveal, reply_revealed);
}

#include "ota-server/service/api_move.h"

#include "common/base/text.h"
#include "ota-server/service/api_campaign.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_move_effect.h"
#include "ota-server/service/api_upload.h"
#include "ota-server/store/timeline.h"

#include <stdlib.h>

#define LIST_KIND "card-move-list" // the ids of a target that names cards, 8 octets each
#define CARDS_MAX 64               // of a step: some ten milliseconds
#define SAMPLE_MAX 20
#define LIST_OCTETS (CAMPAIGN_LIST_MAX * 8)

// --- one card ----------------------------------------------------------------------------------

enum store_status api_move_enter(struct store *store, uint64_t card, struct event *e)
{
    struct record *record = malloc(sizeof(*record));
    enum store_status status =
        record != NULL ? api_group_owner(store, e->group, &e->tenant) : STORE_BUSY;
    if (status == STORE_OK)
        status = store_card_load(store, card, record);
    const bool stays = status == STORE_OK && record->tenant == e->tenant;
    free(record);
    if (status != STORE_OK || stays)
        return status;
    status = store_card_notes_put(store, card, bytes_of(NULL, 0));
    if (status == STORE_OK)
        status = store_card_field_put(store, card, "");
    return status == STORE_OK ? store_card_since_put(store, card, e->at) : status;
}

bool api_move_allowed(struct api_exchange *x, uint64_t group, uint64_t *owner)
{
    uint32_t set = 0;
    const enum store_status status = api_group_owner(x->reader, group, owner);
    if (status != STORE_OK || !api_owns(x, *owner)) {
        api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("groupId"),
                                        "No such group, GET /card-groups lists them"));
        return false;
    }
    if (api_is_operator(x) || (permission_of(x->reader, x->tenant, group, &set, NULL) == STORE_OK &&
                               (set & GRANT_BIT(GRANT_CARD_MOVE)) != 0))
        return true;
    api_refuse_grants(x, GRANT_BIT(GRANT_CARD_MOVE));
    return false;
}

// --- many --------------------------------------------------------------------------------------

// A move of many, as far as it is. What its document holds.
struct move {
    uint64_t owner; // enterprise that asked
    uint64_t group;
    struct actor actor;
    uint64_t correlator;
    char reason[API_WHY_MAX + 1], address[64];
    json_t *target; // of the request; {"listed": n} for cards that are named
    uint64_t after; // the last card, or the number of those of the list, or of the part
    uint64_t at;    // the group of the target, or the part of the upload before
    uint64_t visited, moved, unchanged;
    uint64_t for_two; // that a second person would have to approve
    bool is_single;   // there is none
    uint64_t skipped[REFUSALS];
};

// What a step needs besides.
struct move_step {
    struct turn *turn;
    struct store *store;
    struct move *m;
    bool is_dry;
    const uint64_t *listed; // cards that a request names; NULL: they stand in the store
    size_t listed_count;
    uint64_t cards[CARDS_MAX];
    size_t count;
    bool is_last;  // of the target, or of a group or part of it
    uint64_t part; // of the upload, that is behind us with these cards; 0: it is not
    uint64_t sample[SAMPLE_MAX];
    size_t sampled;
    struct move_effect effect;
    struct record record;
    struct {
        uint64_t group, tenant;
        bool is;
    } for_two; // of the card before
};

static bool collect(void *context, const struct card_row *row)
{
    struct move_step *s = context;
    s->cards[s->count++] = row->card;
    return s->count < CARDS_MAX;
}

static enum store_status find_by(struct move_step *s, struct card_filter *f)
{
    const struct store_page page = {.limit = CARDS_MAX};
    f->tenant = s->m->owner == AUTH_OPERATOR ? 0 : s->m->owner;
    f->grants = s->m->owner == AUTH_OPERATOR ? 0 : GRANT_BIT(GRANT_CARD_READ);
    f->after = s->m->after;
    const enum store_status status = store_cards(s->store, f, &page, collect, s, NULL);
    s->is_last = s->count < CARDS_MAX;
    return status;
}

static enum store_status find_in_groups(struct move_step *s, const json_t *groups)
{
    struct card_filter f;
    card_filter_init(&f);
    const char *text = json_string_value(json_array_get(groups, s->m->at));
    if (text == NULL || !api_id_read(bytes_of_text(text), "grp", &f.group))
        return STORE_OK; // behind the last one
    return find_by(s, &f);
}

static bool take_listed(void *context, const struct document *d)
{
    struct move_step *s = context;
    struct reader r = reader_of(bytes_slice(d->body, s->m->after * 8, d->body.len));
    while (r.left >= 8 && s->count < CARDS_MAX)
        s->cards[s->count++] = reader_u64(&r);
    s->is_last = r.left < 8;
    return false;
}

static void find_listed(struct move_step *s)
{
    const size_t after = (size_t)s->m->after;
    s->count = s->listed_count - after < CARDS_MAX ? s->listed_count - after : CARDS_MAX;
    memcpy(s->cards, s->listed + after, s->count * sizeof(s->cards[0]));
    s->is_last = after + s->count == s->listed_count;
}

static enum store_status find_uploaded(struct move_step *s, const char *upload)
{
    struct upload_part *part = malloc(sizeof(*part));
    uint64_t id = 0;
    const bool is_id = upload != NULL && api_id_read(bytes_of_text(upload), "upl", &id);
    enum store_status status = part == NULL ? STORE_BUSY : is_id ? STORE_OK : STORE_FAILED;
    if (status == STORE_OK)
        status = upload_part(s->store, id, s->m->at, part);
    if (status == STORE_OK) {
        const size_t after = (size_t)s->m->after < part->count ? (size_t)s->m->after : part->count;
        s->count = part->count - after < CARDS_MAX ? part->count - after : CARDS_MAX;
        memcpy(s->cards, part->cards + after, s->count * sizeof(s->cards[0]));
        s->is_last = part->id == 0;
        s->part = after + s->count == part->count ? part->id : 0;
    }
    free(part);
    return status;
}

static enum store_status find_cards(struct move_step *s, uint64_t id)
{
    const json_t *filter = json_object_get(s->m->target, "filter");
    const json_t *groups = json_object_get(s->m->target, "groupIds");
    const json_t *upload = json_object_get(s->m->target, "uploadId");
    struct card_words words;
    struct card_filter f;
    struct api_body b;
    s->count = 0;
    s->part = 0;
    s->is_last = true;
    if (s->listed != NULL) {
        find_listed(s);
        return STORE_OK;
    }
    if (groups != NULL)
        return find_in_groups(s, groups);
    if (upload != NULL)
        return find_uploaded(s, json_string_value(upload));
    if (filter == NULL)
        return store_document_get(s->store, LIST_KIND, id, take_listed, s);
    api_body_init(&b, filter);
    api_card_kept_filter_read(&b, &words, &f);
    return b.problem.code == API_OK ? find_by(s, &f) : STORE_FAILED;
}

// REFUSAL_NONE when who asked may move it.
static enum store_status judge(struct move_step *s, uint64_t card, uint8_t *refusal)
{
    const uint32_t needed = GRANT_BIT(GRANT_CARD_READ) | GRANT_BIT(GRANT_CARD_MOVE);
    uint32_t set = 0;
    bool is_there = false;
    enum store_status status = store_card_load(s->store, card, &s->record);
    *refusal = status == STORE_NONE ? REFUSAL_NOT_FOUND : REFUSAL_NONE;
    if (status != STORE_OK || s->m->owner == AUTH_OPERATOR)
        return status == STORE_NONE ? STORE_OK : status;
    status = permission_of(s->store, s->m->owner, s->record.group, &set, &is_there);
    if (!is_there && s->record.tenant != s->m->owner)
        *refusal = REFUSAL_NOT_FOUND; // it left meanwhile
    else if ((set & needed) != needed)
        *refusal = REFUSAL_NOT_AUTHORISED;
    return status;
}

// Would it be under looser rules? Cards of one group one after the other are judged once.
static enum store_status judge_rules(struct move_step *s, bool *is_for_two)
{
    struct api_move_to to = {.group = s->m->group};
    const struct record *r = &s->record;
    const char *what = NULL;
    const bool is_known = s->for_two.group == r->group && s->for_two.tenant == r->tenant;
    *is_for_two = is_known && s->for_two.is;
    if (s->m->is_single || is_known || r->group == 0)
        return STORE_OK;
    enum store_status status = api_group_owner(s->store, to.group, &to.owner);
    if (status == STORE_NONE) // which the move itself finds
        return STORE_OK;
    if (status == STORE_OK)
        status = api_move_for_two(s->store, turn_policy(s->turn), r, &to, &what);
    *is_for_two = what != NULL;
    if (status == STORE_OK && r->state != CARD_RETIRED) {
        s->for_two.group = r->group;
        s->for_two.tenant = r->tenant;
        s->for_two.is = *is_for_two;
    }
    return status;
}

struct entering {
    uint64_t card;
};

static enum store_status enter(void *context, struct store *store, struct event *e)
{
    const struct entering *c = context;
    return api_move_enter(store, c->card, e);
}

static bool is_fatal(enum store_status status)
{
    return status == STORE_LOST || status == STORE_FULL || status == STORE_BUSY;
}

static enum store_status move_one(struct move_step *s, uint64_t card, uint8_t *refusal)
{
    struct entering entering = {card};
    struct event e = {.type = EVENT_MOVE,
                      .actor = s->m->actor,
                      .correlator = s->m->correlator,
                      .group = s->m->group};
    const struct turn_prepared with = {
        .prepare = enter,
        .context = &entering,
        .is_dry = s->is_dry,
        .origin = {.reason = s->m->reason,
                   .address = s->m->address,
                   .tenant = s->m->owner == AUTH_OPERATOR ? 0 : s->m->owner}};
    struct turn_answer answer = {0};
    const enum store_status status = turn_event_now(s->turn, card, &e, &with, &answer);
    if (is_fatal(status))
        return status;
    // The group is gone, or this card alone cannot be saved.
    *refusal = status == STORE_NONE ? REFUSAL_NOT_FOUND
               : status != STORE_OK ? REFUSAL_OVERLOADED
                                    : answer.refusal;
    return STORE_OK;
}

static enum store_status run_card(struct move_step *s, uint64_t card)
{
    uint8_t refusal = REFUSAL_NONE;
    bool is_for_two = false;
    enum store_status status = judge(s, card, &refusal);
    const bool stays = refusal == REFUSAL_NONE && s->record.group == s->m->group;
    if (status == STORE_OK && refusal == REFUSAL_NONE && !stays)
        status = judge_rules(s, &is_for_two);
    if (status != STORE_OK)
        return status;
    s->m->visited++;
    s->m->unchanged += stays;
    s->m->for_two += is_for_two;
    if (stays || is_for_two)
        return STORE_OK;
    if (refusal == REFUSAL_NONE)
        status = move_one(s, card, &refusal);
    if (refusal != REFUSAL_NONE) {
        s->m->skipped[refusal]++;
    } else {
        s->m->moved++;
        move_effect_add(&s->effect, s->record.group);
        if (s->sampled < SAMPLE_MAX)
            s->sample[s->sampled++] = card;
    }
    return status;
}

// The next cards; `is_done` when there are no more.
static enum store_status run_some(struct move_step *s, uint64_t id, bool *is_done)
{
    struct move *m = s->m;
    const bool is_listed = json_object_get(m->target, "listed") != NULL ||
                           json_object_get(m->target, "uploadId") != NULL;
    const json_t *groups = json_object_get(m->target, "groupIds");
    enum store_status status = find_cards(s, id);
    for (size_t i = 0; i < s->count && status == STORE_OK; i++) {
        status = run_card(s, s->cards[i]);
        m->after = is_listed ? m->after + 1 : s->cards[i];
    }
    if (s->part != 0) {
        m->at = s->part;
        m->after = 0;
    }
    *is_done = s->is_last && m->at + 1 >= json_array_size(groups);
    if (s->is_last && !*is_done) {
        m->at++;
        m->after = 0;
    }
    return status;
}

// --- the document ------------------------------------------------------------------------------

static void put_json(struct json_writer *j, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    json_put_key(j, name);
    json_put_raw(j, bytes_of_text(text != NULL ? text : "{}"));
    free(text);
}

static void put_skipped(struct json_writer *j, const struct move *m)
{
    api_open_array(j, "skipped");
    for (unsigned i = 0; i < REFUSALS; i++)
        api_put_reason(j, refusal_name((uint8_t)i), m->skipped[i]);
    api_put_reason(j, "UNCHANGED", m->unchanged); // they are in the group already
    api_put_reason(j, "FOUR_EYES", m->for_two);
    json_end_array(j);
}

// What is shown; and what is not, as "state".
static void put_document(struct writer *w, const struct move *m)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    api_put_id(&j, "groupId", "grp", m->group);
    put_json(&j, "target", m->target);
    if (m->reason[0] != '\0')
        api_put_text(&j, "reason", m->reason);
    api_put_number(&j, "visited", m->visited);
    api_put_number(&j, "moved", m->moved);
    put_skipped(&j, m);
    api_open_object(&j, "state");
    api_put_number(&j, "after", m->after);
    api_put_number(&j, "at", m->at);
    api_put_number(&j, "unchanged", m->unchanged);
    api_put_number(&j, "forTwo", m->for_two);
    api_put_bool(&j, "isSingle", m->is_single);
    api_put_number(&j, "actorKind", m->actor.kind);
    api_put_number(&j, "actorId", m->actor.id);
    api_put_number(&j, "correlator", m->correlator);
    api_put_text(&j, "address", m->address);
    json_end_object(&j);
    json_end_object(&j);
    if (!json_done(&j))
        w->failed = true;
}

static void copy_text(const json_t *object, const char *name, char *to, size_t size)
{
    struct bytes text = {0};
    if (json_get_text(object, name, &text) != JSON_FOUND || text.len >= size)
        return;
    bytes_copy(to, text);
    to[text.len] = '\0';
}

static void read_skipped(const json_t *array, struct move *m)
{
    size_t i;
    const json_t *row;
    json_array_foreach(array, i, row)
    {
        const char *reason = json_string_value(json_object_get(row, "reason"));
        for (unsigned k = 1; k < REFUSALS && reason != NULL; k++) {
            if (strcmp(refusal_name((uint8_t)k), reason) == 0)
                m->skipped[k] = json_unsigned(row, "count");
        }
    }
}

// `target` is to be given back.
static bool read_document(const struct document *d, struct move *m)
{
    json_t *root = NULL;
    struct bytes group = {0};
    *m = (struct move){.owner = d->owner};
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    const json_t *state = json_object_get(root, "state");
    const bool ok = json_get_text(root, "groupId", &group) == JSON_FOUND &&
                    api_id_read(group, "grp", &m->group);
    m->visited = json_unsigned(root, "visited");
    m->moved = json_unsigned(root, "moved");
    read_skipped(json_object_get(root, "skipped"), m);
    m->after = json_unsigned(state, "after");
    m->at = json_unsigned(state, "at");
    m->unchanged = json_unsigned(state, "unchanged");
    m->for_two = json_unsigned(state, "forTwo");
    m->is_single = json_is_true(json_object_get(state, "isSingle"));
    m->actor =
        (struct actor){(uint8_t)json_unsigned(state, "actorKind"), json_unsigned(state, "actorId")};
    m->correlator = json_unsigned(state, "correlator");
    copy_text(state, "address", m->address, sizeof(m->address));
    copy_text(root, "reason", m->reason, sizeof(m->reason));
    m->target = json_incref(json_object_get(root, "target"));
    json_decref(root);
    return ok && m->target != NULL;
}

enum store_status api_move_step(void *context, struct job *job)
{
    struct move m;
    (void)context;
    struct move_step *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return STORE_BUSY;
    enum store_status status = STORE_FAILED;
    if (read_document(&job->document, &m)) {
        *s = (struct move_step){.turn = job->turn, .store = job->store, .m = &m};
        status = run_some(s, job->document.id, &job->is_done);
        put_document(&job->body, &m);
        json_decref(m.target);
    }
    free(s);
    if (status != STORE_OK || !job->is_done)
        return status;
    status = store_document_delete(job->store, LIST_KIND, job->document.id);
    return status == STORE_NONE ? STORE_OK : status; // most have no list
}

// --- the interface -----------------------------------------------------------------------------

static void put_shown(struct api_exchange *x, const struct document *d)
{
    json_t *root = NULL;
    const char *name;
    json_t *value;
    api_put_text(&x->json, "status", job_states[d->state]);
    if (json_read(d->body, &root) != JSON_READ_OK)
        return;
    json_object_foreach(root, name, value)
    {
        char *text =
            strcmp(name, "state") != 0 ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        if (text == NULL)
            continue;
        json_put_key(&x->json, name);
        json_put_raw(&x->json, bytes_of_text(text));
        free(text);
    }
    json_decref(root);
}

static const struct api_kind moves = {.kind = MOVE_KIND,
                                      .prefix = "mov",
                                      .path = "/cards/moves",
                                      .more = put_shown,
                                      .is_opaque = true};

struct move_work {
    struct api_object object; // first: as api_document_apply() wants it
    struct campaign_target target;
    struct move m;
    struct move_step step;
    uint8_t list[LIST_OCTETS];
    size_t list_len;
};

static void close_work(void *work)
{
    struct move_work *w = work;
    free(w->target.cards);
    json_decref(w->m.target);
}

static enum store_status keep_correlator(struct store *store, const struct move_work *w,
                                         struct utc now)
{
    char text[API_ID_SIZE];
    api_id_write(text, moves.prefix, w->object.document.id);
    const struct document d = {.kind = "correlator",
                               .id = w->m.correlator,
                               .owner = w->m.owner,
                               .created_at = now,
                               .changed_at = now,
                               .body = bytes_of_text(text)};
    const enum store_status status = store_document_put(store, &d);
    return status == STORE_CONFLICT ? STORE_OK : status;
}

static enum store_status keep(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct move_work *w = x->work;
    const struct document list = {.kind = LIST_KIND,
                                  .id = w->object.document.id,
                                  .owner = w->m.owner,
                                  .created_at = now,
                                  .changed_at = now,
                                  .body = bytes_of(w->list, w->list_len)};
    enum store_status status = api_document_apply(x, store, now);
    if (status == STORE_OK && w->list_len > 0)
        status = store_document_put(store, &list);
    return status == STORE_OK ? keep_correlator(store, w, now) : status;
}

static void reply(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &moves, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, moves.path, moves.prefix, x->object_id);
    api_reply(x, 202);
}

static void begin(struct api_exchange *x)
{
    jobs_wake(x->api->jobs);
}

// The rows of the trail that follow name the move as their correlator.
static uint64_t correlator_of(uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, moves.prefix, id);
    return api_correlator_hash(bytes_of_text(text));
}

static void create(struct api_exchange *x, struct move_work *w)
{
    struct writer body = writer_of(w->object.body, sizeof(w->object.body));
    struct writer list = writer_of(w->list, sizeof(w->list));
    x->object_id = api_new_id(x);
    w->m.correlator = correlator_of(x->object_id);
    for (size_t i = 0; i < w->target.card_count; i++)
        writer_u64(&list, w->target.cards[i]);
    w->list_len = list.len;
    put_document(&body, &w->m);
    if (body.failed) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "The target is too large: move the cards in parts"));
        return;
    }
    w->object.document = (struct document){.kind = MOVE_KIND,
                                           .id = x->object_id,
                                           .owner = x->tenant,
                                           .state = JOB_OPEN,
                                           .body = writer_bytes(&body)};
    x->committed = begin;
    api_commit(x, keep, reply);
}

// --- a dry run: some cards a turn, nothing is saved --------------------------------------------

static void reply_trial(struct api_exchange *x)
{
    const struct move_work *w = x->work;
    struct json_writer *j = &x->json;
    char id[API_ID_SIZE];
    json_begin_object(j);
    api_put_bool(j, "dryRun", true);
    api_put_number(j, "wouldAnswer", 202);
    api_put_number(j, "targeted", w->m.visited);
    api_put_number(j, "eligible", w->m.moved);
    put_skipped(j, &w->m);
    api_open_array(j, "sample");
    for (size_t i = 0; i < w->step.sampled; i++) {
        api_id_write(id, "crd", w->step.sample[i]);
        json_put_string(j, id);
    }
    json_end_array(j);
    move_effect_put(x, &w->step.effect, w->m.group);
    json_end_object(j);
    api_reply(x, 200);
}

static enum store_status try_some(void *context, struct store *store, struct utc now)
{
    struct api_exchange *x = context;
    struct move_work *w = x->work;
    bool is_done = false;
    (void)now;
    w->step.turn = x->api->options.turn;
    w->step.store = store;
    w->step.m = &w->m;
    w->step.is_dry = true;
    w->step.listed = w->target.cards;
    w->step.listed_count = w->target.card_count;
    const enum store_status status = run_some(&w->step, 0, &is_done);
    x->more_to = is_done;
    return status;
}

static void tried(void *context, enum store_status status)
{
    struct api_exchange *x = context;
    api_start_answer(x);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else if (x->more_to != 0)
        reply_trial(x);
    else if (!turn_write(x->api->options.turn, try_some, tried, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

void api_moves_post(struct api_exchange *x)
{
    struct move_work *w = calloc(1, sizeof(*w));
    uint64_t owner = 0;
    x->work = w;
    if (w == NULL) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->close_work = close_work;
    api_campaign_read_target(x, &x->body, API_REQUIRED, &w->target);
    w->m.group = api_body_id(&x->body, "groupId", API_REQUIRED, "grp");
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_move_allowed(x, w->m.group, &owner))
        return;
    w->m.owner = x->tenant;
    w->m.is_single = x->api->options.single_person;
    w->m.actor = api_actor(x);
    memcpy(w->m.reason, x->reason, sizeof(w->m.reason));
    struct writer address = writer_of(w->m.address, sizeof(w->m.address));
    text_put(&address, x->request->peer);
    text_end(&address);
    json_t *body = api_campaign_body(x->root, &w->target);
    w->m.target = json_incref(json_object_get(body, "target"));
    json_decref(body);
    if (!x->is_dry_run)
        create(x, w);
    else if (!turn_write(x->api->options.turn, try_some, tried, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

void api_move_get(struct api_exchange *x)
{
    api_document_show(x, &moves);
}

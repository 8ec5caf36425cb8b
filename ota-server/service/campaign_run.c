#include "ota-server/service/campaign_run.h"

#include "common/host/json.h"
#include "common/host/zone.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/campaign_tell.h"
#include "ota-server/service/group_rules.h"
#include "ota-server/service/permission.h"

#include <stdlib.h>

#define GROUPS_MAX 64
#define CHECK_MAX 256  // cards that one turn judges
#define EXTRA 32       // waiting ones that are looked at besides, for those that are excluded
#define LATER_MS 60000 // a card whose event failed alone
#define PLACES_MS                                                                                  \
    ((ZONE_AHEAD_DAYS - 2) * INT64_C(86400000)) // offsets of windows are right so long

// What holds for the cards of a group, in this step.
struct group_seen {
    uint64_t group;
    bool is_known, is_forbidden, is_on_request;
    uint32_t above;
    struct utc quiet_until;
};

struct campaign_runner {
    struct campaign_tells tells;
    struct store *store;
    const struct cipher *cipher;
    struct record record; // of the card in hand
    struct event event;
    const struct campaign *campaign; // that asks it
    struct utc now;
    uint8_t reason; // why not
    struct group_seen groups[GROUPS_MAX];
    uint64_t ids[CAMPAIGN_ASK_MAX + EXTRA];
    uint64_t operations[CAMPAIGN_ASK_MAX + EXTRA];
    size_t id_count;
};

struct campaign_runner *campaign_runner_open(struct store *store, const struct cipher *cipher)
{
    struct campaign_runner *v = calloc(1, sizeof(*v));
    if (v != NULL) {
        v->store = store;
        v->cipher = cipher;
    }
    return v;
}

void campaign_runner_close(struct campaign_runner *v)
{
    free(v);
}

static bool is_fatal(enum store_status status)
{
    return status == STORE_LOST || status == STORE_FULL || status == STORE_BUSY;
}

static bool note_id(void *context, uint64_t id)
{
    struct campaign_runner *v = context;
    v->ids[v->id_count++] = id;
    return v->id_count < CAMPAIGN_ASK_MAX + EXTRA;
}

// --- numbers ---------------------------------------------------------------------------------

static void add_count(void *context, uint8_t step, uint8_t reason, uint64_t cards)
{
    campaign_count(context, step, reason, cards);
}

enum store_status campaign_counts_of(struct store *s, uint64_t id, struct campaign_counts *counts)
{
    *counts = (struct campaign_counts){.open = 0};
    return store_campaign_counts(s, id, add_count, counts);
}

static enum store_status see_restore(struct store *s, struct utc *at)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    const enum store_status status = store_value(s, TURN_RESTORED_AT, &w);
    struct reader r = reader_of(writer_bytes(&w));
    at->ms = (int64_t)reader_u64(&r); // 0 when there was none
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status look_around(struct campaign_runner *v, const struct campaign *c,
                                     struct campaign_sight *s)
{
    const int64_t lately = s->now.ms - CAMPAIGN_QUARANTINE_MS;
    const struct utc from = {lately > c->judged_from.ms ? lately : c->judged_from.ms};
    enum store_status status = campaign_counts_of(v->store, c->id, &s->counts);
    if (status == STORE_OK)
        status = store_campaign_look(v->store, c->id, c->judged_from, c->look, &s->look_ended,
                                     &s->look_failed);
    if (status == STORE_OK)
        status = store_campaign_quarantines(v->store, c->id, from, &s->quarantined);
    if (status == STORE_OK)
        status = see_restore(v->store, &s->restored_at);
    if (status == STORE_OK)
        status = alarm_is_raised(v->store, "fallback.storm", &s->is_storm);
    if (status == STORE_OK)
        status = alarm_is_raised(v->store, "smsc.down", &s->has_no_link);
    return status;
}

// --- judging a card --------------------------------------------------------------------------

static enum store_status see_group(struct campaign_runner *v, uint64_t group,
                                   const struct policy *installation,
                                   const struct group_seen **seen)
{
    const struct campaign *c = v->campaign;
    struct group_seen *g = &v->groups[(group ^ group >> 20) % GROUPS_MAX];
    *seen = g;
    if (g->is_known && g->group == group)
        return STORE_OK;
    struct group_rules rules;
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    uint32_t set = 0;
    bool by_group = false;
    bool works = true;
    const uint32_t needed =
        GRANT_BIT(GRANT_CAMPAIGN_RUN) | GRANT_BIT(grant_of_operation(c->operation.kind));
    enum store_status status = rules_of(v->store, group, installation, &rules);
    if (status == STORE_OK && c->tenant != 0)
        status = permission_of(v->store, c->tenant, group, &set, NULL);
    if (status == STORE_OK && c->tenant != 0)
        status = enterprise_works(v->store, c->tenant, v->now, &works);
    if (status == STORE_OK && c->tenant != 0 && operation_is_state_changing(c->operation.kind))
        status = rules_authority(v->store, c->tenant, rules.authority, &mode, &by_group);
    if (status != STORE_OK)
        return status;
    rules_place(&rules, v->now);
    *g =
        (struct group_seen){.group = group,
                            .is_known = true,
                            .is_forbidden = c->tenant != 0 && ((set & needed) != needed || !works ||
                                                               mode == AUTHORITY_OPERATOR_ONLY),
                            .is_on_request = mode == AUTHORITY_REQUEST_APPROVE,
                            .above = rules.campaign_above,
                            .quiet_until = policy_quiet_until(&rules.policy, v->now)};
    return STORE_OK;
}

static bool note_subscription(void *context, const struct subscription *s)
{
    struct campaign_runner *v = context;
    v->ids[v->id_count++] = s->id;
    return v->id_count < CAMPAIGN_ASK_MAX + EXTRA;
}

// The subscription of the campaign's pool on the card.
static enum store_status find_target(struct campaign_runner *v, struct operation *o)
{
    const struct subscription_filter filter = {
        .pool = v->campaign->pool, .card = v->record.card, .state = SUBSCRIPTION_ON_CARD};
    const struct store_page page = {.limit = 2};
    const size_t before = v->id_count;
    const enum store_status status =
        store_subscriptions(v->store, &filter, &page, note_subscription, v, NULL);
    const size_t found = v->id_count - before;
    v->id_count = before;
    if (status != STORE_OK)
        return status;
    const struct mirror_slot *slot = found == 1 ? record_slot_of(&v->record, v->ids[before]) : NULL;
    if (found > 1)
        v->reason = CAMPAIGN_SEVERAL;
    else if (slot == NULL)
        v->reason = REFUSAL_NOT_INSTALLED;
    else
        o->target = record_slot_name(slot);
    o->subscription = slot == NULL ? 0 : slot->subscription;
    return STORE_OK;
}

// Whether the card takes part at all, and what it is asked; v->reason when not.
static enum store_status judge_card(struct campaign_runner *v, struct turn *t, uint64_t card,
                                    const struct group_seen **group)
{
    const struct campaign *c = v->campaign;
    struct operation *o = &v->event.as.request.operation;
    uint64_t other = 0;
    v->reason = REFUSAL_NONE;
    enum store_status status = store_card_load(v->store, card, &v->record);
    if (status == STORE_NONE) {
        v->reason = REFUSAL_NOT_FOUND;
        return STORE_OK;
    }
    if (status == STORE_OK)
        status = see_group(v, v->record.group, turn_policy(t), group);
    if (status != STORE_OK)
        return status;
    const bool is_strange = c->operation.kind == OPERATION_DOWNLOAD && c->pool_owner != 0 &&
                            c->pool_owner != v->record.tenant;
    v->reason = (*group)->is_forbidden || is_strange ? (uint8_t)REFUSAL_NOT_AUTHORISED
                                                     : campaign_exclusion(c, &v->record);
    if (v->reason == REFUSAL_NONE && operation_is_state_changing(c->operation.kind)) {
        status = store_campaign_elsewhere(v->store, c->id, card, &other);
        if (status == STORE_OK)
            v->reason = CAMPAIGN_CARD_ELSEWHERE;
        if (status != STORE_OK && status != STORE_NONE)
            return status;
    }
    v->event = (struct event){.type = EVENT_REQUEST,
                              .actor = c->actor,
                              .correlator = c->correlator,
                              .approval = c->approval};
    *o = c->operation;
    o->id = turn_id(t, v->now);
    o->campaign = c->id;
    if (c->ttl_s != 0)
        o->not_after = utc_after(v->now, (int64_t)c->ttl_s * 1000);
    v->event.as.request.refuse_if_busy = true;
    const bool has_target = c->pool != 0 && o->kind != OPERATION_DOWNLOAD;
    return v->reason == REFUSAL_NONE && has_target ? find_target(v, o) : STORE_OK;
}

struct download_plan campaign_plan(const struct campaign *c, const struct download_plan *found)
{
    const struct download_plan *wanted = &c->operation.download;
    struct download_plan plan = *found;
    if (wanted->template_number != 0)
        plan.template_number = wanted->template_number;
    else if (plan.template_number == 0)
        plan.template_number = c->template_default;
    if (wanted->has_role) {
        plan.has_role = true;
        plan.role = wanted->role;
    }
    if (wanted->has_rank) {
        plan.has_rank = true;
        plan.rank = wanted->rank;
    }
    if (wanted->has_marks) {
        plan.has_marks = true;
        plan.marks = wanted->marks;
    }
    return plan;
}

// A download takes its subscription in the transaction of its operation.
static enum store_status reserve(void *context, struct store *s, struct event *e)
{
    struct campaign_runner *v = context;
    const struct campaign *c = v->campaign;
    struct operation *o = &e->as.request.operation;
    struct subscription found;
    const enum store_status status =
        store_pool_reserve(s, c->pool, false, v->record.card, v->now, &found);
    if (status == STORE_NONE)
        v->reason = REFUSAL_POOL_EMPTY;
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_CONFLICT : status;
    o->download = campaign_plan(c, &found.plan);
    o->subscription = found.id;
    return STORE_OK;
}

// Gives the event to the core: v->reason says what it refused.
static enum store_status decide_card(struct campaign_runner *v, struct turn *t, bool is_dry)
{
    const struct campaign *c = v->campaign;
    const struct turn_prepared with = {.prepare =
                                           c->operation.kind == OPERATION_DOWNLOAD ? reserve : NULL,
                                       .context = v,
                                       .is_dry = is_dry,
                                       .origin = {.reason = CAMPAIGN_KIND, .tenant = c->tenant}};
    struct turn_answer answer = {0};
    v->event.as.request.is_dry_run = is_dry;
    const enum store_status status = turn_event_now(t, v->record.card, &v->event, &with, &answer);
    if (is_fatal(status))
        return status;
    if (status == STORE_OK)
        v->reason = answer.refusal;
    else if (v->reason == REFUSAL_NONE) // its packet cannot be built
        v->reason = CAMPAIGN_FAILURE + FAILURE_INTERNAL;
    return STORE_OK;
}

static void begin_step(struct campaign_runner *v, const struct campaign *c, struct utc now)
{
    v->campaign = c;
    v->now = now;
    v->id_count = 0;
    for (size_t i = 0; i < GROUPS_MAX; i++)
        v->groups[i].is_known = false;
}

// --- the check -------------------------------------------------------------------------------

void campaign_check_begin(struct campaign *c, const uint8_t seed[32])
{
    c->state = CAMPAIGN_DRAFT;
    c->cursor = 0;
    c->targeted = 0;
    c->eligible = 0;
    c->approval_at = UINT32_MAX;
    c->needs_approval = false;
    memcpy(c->hash, seed, sizeof(c->hash));
}

static enum store_status check_card(struct campaign_runner *v, struct turn *t, struct campaign *c,
                                    uint64_t card)
{
    const struct group_seen *group = NULL;
    enum store_status status = judge_card(v, t, card, &group);
    if (status == STORE_OK && v->reason == REFUSAL_NONE)
        status = decide_card(v, t, true);
    if (status != STORE_OK)
        return status;
    if (v->reason == REFUSAL_NONE && c->operation.kind == OPERATION_DOWNLOAD &&
        c->eligible >= c->stock)
        v->reason = REFUSAL_POOL_EMPTY;
    const bool is_in = v->reason == REFUSAL_NONE;
    const struct campaign_row row = {
        .card = card, .step = is_in ? CAMPAIGN_WAITING : CAMPAIGN_LISTED, .reason = v->reason};
    c->targeted++;
    c->eligible += is_in;
    if (is_in) {
        c->needs_approval |= group->is_on_request;
        c->approval_at = group->above < c->approval_at ? group->above : c->approval_at;
    }
    return store_campaign_set(v->store, c->id, &row);
}

// The hash so far, and the card with what was found of it.
static bool add_to_hash(const struct campaign_runner *v, struct campaign *c, uint64_t card)
{
    uint8_t octets[sizeof(card) + 1];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u64(&w, card);
    writer_u8(&w, v->reason);
    const struct bytes parts[] = {bytes_of(c->hash, sizeof(c->hash)), writer_bytes(&w)};
    return v->cipher->sha256(v->cipher->context, parts, 2, c->hash);
}

enum store_status campaign_check_some(struct campaign_runner *v, struct turn *t, struct campaign *c,
                                      struct utc now, bool *is_done)
{
    begin_step(v, c, now);
    enum store_status status =
        store_campaign_next(v->store, c->id, c->cursor, CHECK_MAX, note_id, v);
    const size_t count = v->id_count;
    for (size_t i = 0; i < count && status == STORE_OK; i++) {
        c->cursor = v->ids[i];
        status = check_card(v, t, c, c->cursor);
        if (status == STORE_OK && !add_to_hash(v, c, c->cursor))
            status = STORE_FAILED;
    }
    *is_done = count < CHECK_MAX;
    return status;
}

// --- asking ----------------------------------------------------------------------------------

// When it is the card's turn among those of the network in which it was heard last.
static enum store_status find_slot(struct campaign_runner *v, struct utc *at)
{
    const struct campaign *c = v->campaign;
    const uint8_t *plmn = v->record.plmn;
    struct campaign_slot slot = {.campaign = c->id, .card = v->record.card, .at = v->now};
    *at = v->now;
    if (c->per_network == 0)
        return STORE_OK;
    if (v->record.has_plmn)
        slot.network = (uint32_t)plmn[0] << 16 | (uint32_t)plmn[1] << 8 | plmn[2];
    slot.gap_ms = (1000u + c->per_network - 1) / c->per_network;
    const enum store_status status = store_campaign_slot(v->store, &slot);
    *at = slot.at;
    return status;
}

// `asked` counts it when its operation is there.
static enum store_status ask_card(struct campaign_runner *v, struct turn *t, uint64_t card,
                                  uint32_t *asked)
{
    const struct group_seen *group = NULL;
    struct utc at = v->now;
    enum store_status status = judge_card(v, t, card, &group);
    if (status != STORE_OK)
        return status;
    if (v->reason == REFUSAL_NONE && group->quiet_until.ms != 0)
        return store_campaign_later(v->store, v->campaign->id, card, group->quiet_until);
    if (v->reason == REFUSAL_NONE)
        status = find_slot(v, &at);
    if (status != STORE_OK || at.ms > v->now.ms)
        return status;
    if (v->reason == REFUSAL_NONE)
        status = decide_card(v, t, false);
    if (status != STORE_OK)
        return status;
    if (v->reason == REFUSAL_NONE) { // the turn has written its row with its operation
        ++*asked;
        return STORE_OK;
    }
    const struct campaign_row row = {.card = card, .step = CAMPAIGN_WAITING, .reason = v->reason};
    return store_campaign_set(v->store, v->campaign->id, &row);
}

static enum store_status ask_cards(struct campaign_runner *v, struct turn *t, struct campaign *c,
                                   const struct campaign_move *m)
{
    uint32_t asked = 0;
    enum store_status status =
        store_campaign_waiting(v->store, c->id, v->now, m->ask + EXTRA, note_id, v);
    const size_t count = v->id_count;
    for (size_t i = 0; i < count && asked < m->ask && status == STORE_OK && turn_has_room(t); i++)
        status = ask_card(v, t, v->ids[i], &asked);
    campaign_spend(c, asked);
    return status;
}

// --- the whole -------------------------------------------------------------------------------

static enum store_status keep_alarm(struct campaign_runner *v, struct turn *t,
                                    const struct campaign *c, bool is_halted)
{
    char object[API_ID_SIZE];
    api_id_write(object, CAMPAIGN_PREFIX, c->id);
    const struct alarm_place place = {
        .key = "campaign.autopaused", .object = object, .owner = c->tenant};
    if (is_halted)
        return alarm_raise(v->store, &place, turn_id(t, v->now), v->now);
    if (c->state == CAMPAIGN_PAUSED)
        return STORE_OK;
    const enum store_status status = alarm_clear(v->store, &place, v->now);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status note_change(struct campaign_runner *v, const struct campaign *c,
                                     uint8_t before, const struct campaign_by *by)
{
    const struct trail_new row = {.at = v->now,
                                  .tenant = c->tenant,
                                  .actor = by->actor,
                                  .address = by->address,
                                  .action = "campaign.state",
                                  .object_kind = CAMPAIGN_KIND,
                                  .object = c->id,
                                  .correlator = by->correlator,
                                  .before = campaign_state_name(before),
                                  .after = campaign_state_name(c->state),
                                  .reason = by->reason,
                                  .approval = c->approval,
                                  .result = "done"};
    const enum store_status status =
        store_document_state(v->store, CAMPAIGN_KIND, c->id, before, c->state, v->now);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    const enum store_status noted = store_trail_add(v->store, &row);
    return noted == STORE_OK ? campaign_tell(v->store, c, v->now) : noted;
}

enum store_status campaign_act(struct campaign_runner *v, struct campaign *c, uint8_t input,
                               const struct campaign_by *by, struct utc now)
{
    const uint8_t before = c->state;
    v->now = now;
    const bool is_ended = input == CAMPAIGN_IN_PAUSED || input == CAMPAIGN_IN_STOPPED;
    const uint8_t why = input == CAMPAIGN_IN_UNAPPROVED ? CAMPAIGN_WHY_REJECTED
                        : is_ended                      ? CAMPAIGN_WHY_PERSON
                                                        : CAMPAIGN_WHY_NONE;
    if (!campaign_input(c, input, why, now))
        return STORE_CONFLICT;
    c->cursor = 0;
    const bool is_due = c->state != CAMPAIGN_PAUSED && c->state >= CAMPAIGN_AWAIT_APPROVAL;
    enum store_status status = store_campaign_put(v->store, c, is_due ? now : (struct utc){0});
    if (status == STORE_OK)
        status = keep_alarm(v, NULL, c, false);
    return status == STORE_OK ? note_change(v, c, before, by) : status;
}

static bool note_operation(void *context, const struct campaign_row *row)
{
    struct campaign_runner *v = context;
    v->operations[v->id_count] = row->operation;
    return note_id(v, row->card);
}

// Tells the next ones of a stopped campaign; those whose packet has left answer that it is too
// late.
static enum store_status cancel_some(struct campaign_runner *v, struct turn *t, struct campaign *c,
                                     struct utc *due)
{
    const struct campaign_card_filter open = {.campaign = c->id,
                                              .step_from = CAMPAIGN_ASKED,
                                              .step_to = CAMPAIGN_CONFIRMED,
                                              .after = c->cursor};
    const struct store_page page = {.limit = CHECK_MAX};
    enum store_status status =
        store_campaign_cards(v->store, &open, &page, note_operation, v, NULL);
    const size_t count = v->id_count;
    for (size_t i = 0; i < count && status == STORE_OK; i++) {
        const struct turn_prepared with = {
            .origin = {.reason = CAMPAIGN_KIND, .tenant = c->tenant}};
        struct turn_answer answer = {0};
        v->event = (struct event){.type = EVENT_CANCEL, .operation = v->operations[i]};
        c->cursor = v->ids[i];
        status = turn_event_now(t, c->cursor, &v->event, &with, &answer);
        if (!is_fatal(status)) // one that cannot be told now ends by its own time
            status = STORE_OK;
    }
    *due = count < CHECK_MAX ? (struct utc){0} : v->now;
    return status;
}

struct windows {
    struct campaign *campaign;
    struct utc now;
    bool is_read;
};

static bool see_windows(void *context, const struct document *d)
{
    struct windows *w = context;
    json_t *root = NULL;
    size_t i;
    const json_t *window;
    w->is_read = json_read(d->body, &root) == JSON_READ_OK;
    json_array_foreach(json_object_get(json_object_get(root, "schedule"), "windows"), i, window)
    {
        const char *zone = json_string_value(json_object_get(window, "timeZone"));
        if (i < w->campaign->window_count && zone != NULL)
            w->campaign->windows[i].place = zone_offset(zone, w->now);
    }
    json_decref(root);
    return false;
}

// Windows get the offsets that their zones have now.
static enum store_status place_windows(struct campaign_runner *v, struct campaign *c)
{
    struct windows w = {.campaign = c, .now = v->now, .is_read = true};
    if (c->window_count == 0)
        return STORE_OK;
    const enum store_status status =
        store_document_get(v->store, CAMPAIGN_KIND, c->id, see_windows, &w);
    if (!w.is_read) // no memory: at another hour it would ask whom it must not
        return STORE_BUSY;
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status move(struct campaign_runner *v, struct turn *t, struct campaign *c,
                              struct utc *due)
{
    const struct campaign_by by = {.actor = {.kind = ACTOR_SYSTEM}};
    struct campaign_sight sight = {.now = v->now};
    struct campaign_move m;
    const uint8_t before = c->state;
    enum store_status status = look_around(v, c, &sight);
    if (status == STORE_OK)
        status = place_windows(v, c);
    if (status != STORE_OK)
        return status;
    campaign_move(c, &sight, &m);
    *due = m.due;
    if (c->window_count > 0 && due->ms > v->now.ms + PLACES_MS)
        due->ms = v->now.ms + PLACES_MS;
    if (!m.is_changed)
        return m.ask > 0 ? ask_cards(v, t, c, &m) : STORE_OK;
    if (c->state == CAMPAIGN_CHECKED && c->approval != 0) {
        status = approval_end(v->store, c->approval, APPROVAL_EXPIRED, v->now);
        c->approval = 0;
    }
    if (status == STORE_NONE)
        status = STORE_OK; // swept before
    c->cursor = 0;
    if (status == STORE_OK)
        status = keep_alarm(v, t, c, m.is_halted);
    struct campaign_by why = by;
    why.reason = campaign_why_name(c->why);
    return status == STORE_OK ? note_change(v, c, before, &why) : status;
}

enum store_status campaign_run(void *context, struct turn *t, uint64_t id, struct utc now)
{
    struct campaign_runner *v = context;
    struct campaign c;
    struct utc due = {0};
    enum store_status status = store_campaign_get(v->store, id, &c);
    if (status != STORE_OK)
        return status;
    begin_step(v, &c, now);
    status = c.state == CAMPAIGN_STOPPED ? cancel_some(v, t, &c, &due) : move(v, t, &c, &due);
    if (status == STORE_OK)
        status = campaign_tell_progress(&v->tells, v->store, &c, now);
    return status == STORE_OK ? store_campaign_put(v->store, &c, due) : status;
}

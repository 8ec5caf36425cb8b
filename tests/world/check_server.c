// What must hold between the server and the cards: mirrors, outcomes, the trail.
#include "common/base/check.h"
#include "common/wire/ident.h"
#include "tests/world/campaign.h"
#include "tests/world/store/kind.h"
#include "tests/world/world.h"

#include <stdio.h>

#define TRAIL_SHOWN 40

// --- commits ---------------------------------------------------------------------------------

// One that is open no more has ended, or waits again; and what waits has not begun. So of all rows
// of a card at most one is under way, after each commit.
static void check_one_open(struct world *w, uint32_t card, uint64_t was, const struct record *r)
{
    struct operation o;
    uint64_t unused;
    if (was != 0 && was != w->truths[card].open) {
        check(store_operation_get(w->server.store, was, &o, &unused) == STORE_OK);
        if (o.status >= STATUS_SENDING && o.status != STATUS_ENDED)
            world_violate(w, "one_open", card, "%s %u is %s, and another one has its place",
                          operation_kind_name(o.kind), o.card_operation_id,
                          operation_status_name(o.status));
    }
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (r->queue[i].status >= STATUS_SENDING)
            world_violate(w, "one_open", card, "%s waits, and is %s",
                          operation_kind_name(r->queue[i].kind),
                          operation_status_name(r->queue[i].status));
    }
}

// What ends without the card's word: if it may still arrive, its card is in doubt until an audit;
// and if it was on the wire, and nothing said that it did not run, it may.
static void check_given_up(struct world *w, uint32_t card, uint64_t id, const struct record *r)
{
    const struct truth *t = &w->truths[card];
    struct operation o;
    uint64_t unused;
    check(store_operation_get(w->server.store, id, &o, &unused) == STORE_OK);
    const bool is_given_up = o.outcome == OUTCOME_EXPIRED || o.outcome == OUTCOME_CANCELLED;
    // Since the last look; or with its end, of which a server that crashed in between tells later.
    const bool is_audited =
        r->last_audit_at.ms != t->audited_ms || r->last_audit_at.ms >= o.ended_at.ms;
    // The counter of an audit shuts out what left before: a person may decide on what it told.
    const bool is_shut_out = t->changed.ms < t->audited.ms;
    if (!operation_is_state_changing(o.kind) || is_audited || is_shut_out)
        return;
    if (o.outcome == OUTCOME_UNRESOLVED && r->dirty_since.ms == 0)
        world_violate(w, "doubt", card, "%s %u is unresolved, and nobody doubts",
                      operation_kind_name(o.kind), o.card_operation_id);
    if (o.may_still_arrive && r->dirty_since.ms == 0)
        world_violate(w, "doubt", card, "%s %u was given up, and nobody doubts",
                      operation_kind_name(o.kind), o.card_operation_id);
    bool was_sent = false;
    for (uint32_t i = 0; i < t->packet_count; i++)
        was_sent |= t->operations[i] == id && t->ids[i] == o.card_operation_id &&
                    t->counters[i] > t->audited_counter;
    if (is_given_up && was_sent && !o.may_still_arrive && o.busy_tries + o.nvm_tries == 0 &&
        o.reissues == 0)
        world_violate(w, "doubt", card, "%s %u was sent and given up, and would not arrive",
                      operation_kind_name(o.kind), o.card_operation_id);
}

// An audit tells of the card as it was after the last question, and after every command before.
static void check_audit(struct world *w, uint32_t card, const struct record *r)
{
    const struct truth *t = &w->truths[card];
    // Of the same moment: that question left after the answer.
    if (r->registry_version < t->audit_version && t->asked.ms < w->now.ms)
        world_violate(w, "audit_is_fresh", card, "it told of REGV %u, the card had %u when asked",
                      r->registry_version, t->audit_version);
    if (t->audit_counter < t->change_counter && t->changed.ms < w->now.ms)
        world_violate(w, "audit_is_fresh", card, "it was asked before command %llu left",
                      (unsigned long long)t->change_counter);
}

// Nobody but the card itself counts its messages on: not another one that speaks from its number.
static void check_voice(struct world *w, uint32_t card, const struct record *r)
{
    const uint64_t own = w->devices[card].card.applet.mo_counter;
    const struct truth *t = &w->truths[card];
    if (t->is_known && !t->is_rotten && own != 0 && r->mo_counter > own &&
        !identity_is_cloned(w, card))
        world_violate(w, "heard_itself", card, "MO counter %llu, and the card counts %llu",
                      (unsigned long long)r->mo_counter, (unsigned long long)own);
}

static void probe_audit(struct world *w, const struct truth *t, const struct record *r)
{
    struct probes *p = &w->result.probes;
    const bool is_another = r->audit.next_slot != t->glance.audit_slot;
    probes_shape(p, PROBE_AUDIT_PAGES, r->audit.is_open && r->audit.next_slot > 1 && is_another);
    probes_shape(p, PROBE_COUNTER_NEAR_LAST, r->mt_counter > COUNTER_NEAR_LAST);
    probes_shape(p, PROBE_COUNTER_LAST, shape_is_at_end(r));
    probes_shape(p, PROBE_AUDIT_RESTARTED, r->audit.restarts > t->glance.audit_restarts);
}

// What the last commit says about the operation that was open, and about audits.
static void check_commit(struct world *w, uint32_t card, const struct record *r)
{
    struct truth *t = &w->truths[card];
    const uint64_t was = t->open;
    const int64_t past_ms = server_utc(w).ms - 1;
    // It lay ahead since the clock went back, and was no audit of now.
    if (t->audited_ms > past_ms + 1 && r->last_audit_at.ms == past_ms)
        t->audited_ms = past_ms;
    identity_check(w, card, r);
    if (r->mo_counter < t->mo_counter)
        world_violate(w, "counters_grow", card, "the mirror went from MO counter %llu to %llu",
                      (unsigned long long)t->mo_counter, (unsigned long long)r->mo_counter);
    check_voice(w, card, r);
    t->mo_counter = r->mo_counter;
    probe_audit(w, t, r);
    t->glance =
        (struct glance){.is_doubted = r->dirty_since.ms != 0 || r->has_open,
                        .is_dirty = r->dirty_since.ms != 0,
                        .has_hash = r->level >= 2,
                        .is_unreachable = record_has_mark(r, MARK_UNREACHABLE),
                        .is_retired = r->state == CARD_RETIRED,
                        .needs_decision = record_has_mark(r, MARK_QUARANTINED) || r->needs_operator,
                        .registry_version = r->registry_version,
                        .audit_slot = r->audit.next_slot,
                        .audit_restarts = r->audit.restarts};
    t->open = r->has_open ? r->open.id : 0;
    check_one_open(w, card, was, r);
    waits_note(w, card, r);
    if (was != 0 && was != t->open)
        check_given_up(w, card, was, r);
    if (r->last_audit_at.ms != t->audited_ms && !identity_is_cloned(w, card))
        check_audit(w, card, r);
    if (r->last_audit_at.ms != t->audited_ms) {
        t->audited = w->now;
        t->audited_counter = t->audit_counter;
    }
    t->audited_ms = r->last_audit_at.ms;
}

// Its record or its memory changed.
static void compare(struct world *w, uint32_t card, bool is_saved)
{
    const struct record *r = world_store_record(w->server.store, w->people[card].id);
    if (is_saved) {
        check_commit(w, card, r);
        fold_slots(w, card, r, false);
    }
    mirror_compare(w, card, r);
    check_job(w, card, r, is_saved);
}

bool check_is_forgotten(const struct world *w, uint32_t card)
{
    const struct record *r = world_store_record(w->server.store, w->people[card].id);
    return r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0 && r->state != CARD_RETIRED;
}

// Every card in use is in doubt, and the server is far above whatever it may have given away since.
static void check_noticed(struct world *w, uint32_t card, const struct record *r)
{
    const struct truth *t = &w->truths[card];
    const bool is_last = r->mt_counter + COUNTER_JUMP >= COUNTER_LAST; // as high as it can be
    const bool jumps = is_last || r->mt_counter >= t->backup_counter + COUNTER_JUMP;
    const bool is_doubted = r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms != 0;
    if (!(is_doubted || r->state == CARD_RETIRED) || !jumps)
        world_violate(w, "restore_is_noticed", card, "%s after the database was put back",
                      jumps ? "nobody doubts" : "the counters go on");
}

void check_started(struct world *w)
{
    const int64_t back_ms = turn_clock_back_ms(w->server.turn);
    for (uint32_t i = 0; i < w->cards; i++) {
        struct truth *t = &w->truths[i];
        struct record r;
        check(store_card_load(w->server.store, w->people[i].id, &r) == STORE_OK);
        const bool is_back = back_ms != 0 && r.last_audit_at.ms == t->audited_ms - back_ms;
        // It lay ahead, and the last commit before a kill made it a moment ago: no audit either.
        const bool is_past =
            t->audited_ms > w->server.killed_ms && r.last_audit_at.ms == w->server.killed_ms - 1;
        t->audited_ms = is_back || is_past ? r.last_audit_at.ms : t->audited_ms;
        kept_check(w, i);
        if (w->server.is_put_back)
            check_noticed(w, i, &r);
    }
}

void check_backup(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        struct truth *t = &w->truths[i];
        struct record r;
        check(store_card_load(w->server.store, w->people[i].id, &r) == STORE_OK);
        kept_backup(w, i);
        t->backup_counter = r.mt_counter;
        t->backup_in_use_ms = t->in_use_ms;
        t->backup_packets = t->packet_count;
        t->backup_causes = t->packet_count - t->packets_unknown;
    }
}

// What the server did since, it does not know: it is the card's truth alone.
void check_restored(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++) {
        struct truth *t = &w->truths[i];
        struct record r;
        check(store_card_load(w->server.store, w->people[i].id, &r) == STORE_OK);
        kept_restored(w, i);
        t->sendable = INSTANT_NEVER;
        t->packets_unknown = t->packet_count - t->backup_causes;
        for (uint32_t k = t->backup_packets; k < t->packet_count; k++)
            t->operations[k] = t->commands[k] = 0;
        t->mo_counter = r.mo_counter;
        t->open = r.has_open ? r.open.id : 0;
        t->job = r.bootstrap.state;
        t->in_use_ms = t->backup_in_use_ms;
        t->audited.ms = 0;
        t->audited_ms = r.last_audit_at.ms;
        t->change_counter = t->audit_counter = t->audited_counter = 0;
        t->confirmed = 0;
        t->is_mirrored = false;
        t->id_seen = r.operation_id_seen;
        t->falls = r.resets_suspected;
        fold_slots_restored(w, i);
    }
    group_forget(w);
    check_job_restored(w);
    w->cards_changed = w->cards_saved = w->cards == 64 ? UINT64_MAX : (UINT64_C(1) << w->cards) - 1;
}

void check_mirrors(struct world *w)
{
    if (!server_is_awake(w))
        return;
    const uint64_t commits = turn_counts(w->server.turn).commits + 1000000u * w->server.lives;
    if (commits == w->mirrors_commits && w->cards_changed == 0)
        return;
    const uint64_t saved = w->cards_saved;
    const uint64_t changed = w->cards_changed | saved;
    const uint64_t to_see = changed | w->cards_unlike;
    w->mirrors_commits = commits;
    w->cards_changed = 0;
    w->cards_saved = 0;
    for (uint32_t i = 0; i < w->cards && to_see >> i != 0; i++) {
        struct truth *t = &w->truths[i];
        if ((to_see >> i & 1) == 0)
            continue;
        const bool is_saved = (saved >> i & 1) != 0;
        if ((changed >> i & 1) != 0)
            compare(w, i, is_saved);
        check_mirror(w, i, is_saved || t->has_moved);
        t->has_moved = false;
    }
    if (w->options.has_campaign)
        world_store.campaigns->look(w);
}

// --- outcomes --------------------------------------------------------------------------------

struct review {
    struct world *w;
    uint64_t seen;
    uint8_t open[WORLD_CARDS_MAX];
};

static bool review(void *context, uint64_t id, const struct operation *o)
{
    struct review *v = context;
    struct world *w = v->w;
    const uint32_t card = card_of(w, id);
    v->seen++;
    gone_check_operation(w, card, o->id, o);
    if (!operation_is_state_changing(o->kind))
        return true;
    if (o->status != STATUS_ENDED) {
        v->open[card] += o->status >= STATUS_SENDING;
        return true;
    }
    outcome_judge(w, card, o);
    return true;
}

void check_history(struct world *w)
{
    if (!w->server.is_running)
        return;
    struct review v = {.w = w};
    struct operation_filter filter;
    operation_filter_init(&filter);
    uint64_t total = 0;
    struct store_page page = {.limit = 500};
    do {
        check(store_operations(w->server.store, &filter, &page, review, &v, &total) == STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
    for (uint32_t i = 0; i < w->cards; i++) {
        if (v.open[i] > 1)
            world_violate(w, "one_open", i, "%u operations are open", v.open[i]);
        kept_check(w, i);
        check_trail(w, i);
    }
    fold_check(w);
    struct trail_verdict verdict;
    check(store_trail_verify(w->server.store, 0, 0, &verdict) == STORE_OK);
    if (!verdict.ok)
        world_violate(w, "trail", 0, "the chain breaks at %llu (%s)",
                      (unsigned long long)verdict.first_bad, verdict.problem);
}

// --- the end ---------------------------------------------------------------------------------

// Since the backup it moved to a subscription that the server then did not know of on it, or not
// the number of: it is found when it speaks.
static bool is_out_of_reach(const struct truth *t, const struct record *r)
{
    const struct slot *enabled = &t->dump.image.slots[image_enabled(&t->dump.image)];
    bool is_known = t->packets_unknown == 0;
    for (uint8_t i = 0; i < r->slot_count; i++)
        is_known |= r->slots[i].number[0] != 0 &&
                    memcmp(r->slots[i].fact.imsi, enabled->imsi, sizeof enabled->imsi) == 0;
    return !is_known && r->dirty_since.ms != 0;
}

// The address of the server came with the card, and is known once it was read.
static bool are_timers_equal(const struct parameters *a, const struct parameters *b)
{
    bool are_equal = true;
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        if (number == PARAMETER_SERVER_ADDR && a->server_address_len == 0)
            continue;
        uint8_t ours[2 + UINT8_MAX];
        uint8_t theirs[2 + UINT8_MAX];
        struct writer x = writer_of(ours, sizeof ours);
        struct writer y = writer_of(theirs, sizeof theirs);
        are_equal &= parameter_write(&x, a, number) == parameter_write(&y, b, number) &&
                     bytes_equal(writer_bytes(&x), writer_bytes(&y));
    }
    return are_equal;
}

// To which an automatic switch returns: it is not in the hash, and no notification tells of it.
static bool is_preferred_equal(const struct record *r, const struct image *image)
{
    uint64_t preferred = 0;
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const bool is_it =
            image->preferred != IMAGE_NO_SLOT && r->slots[i].fact.slot == image->preferred + 1;
        preferred = is_it ? r->slots[i].subscription : preferred;
    }
    return r->preferred == preferred;
}

static bool is_imei_equal(const struct record *r, const struct image *image)
{
    char ours[IMEI_SIZE] = "";
    char theirs[IMEI_SIZE] = "";
    if (!image->has_imei) // it lost its memory, and its device has none
        return true;
    return r->has_imei && imei_read(r->imei, ours) && imei_read(image->imei, theirs) &&
           memcmp(ours, theirs, IMEI_EQUIPMENT_DIGITS) == 0;
}

// NULL, or which number of the card, or that it was told, the server has not reached. A card that
// tells of a damaged memory is heard from there.
static const char *number_behind(const struct record *r, const struct truth *t)
{
    if (r->mt_counter < t->dump.mt_counter)
        return "the card's counter is ahead";
    if (r->operation_id_last < t->dump.image.operation_id_highest)
        return "the card's highest operation is ahead";
    if (!t->was_rotten && r->notify_sequence < t->confirmed)
        return "it confirmed a higher notification";
    return NULL;
}

// It was given up while the card was out of reach, and the card was not asked about it since.
static bool is_unresolved(const struct world *w, const struct late *late)
{
    struct operation o;
    uint64_t unused;
    check(store_operation_get(w->server.store, late->operation, &o, &unused) == STORE_OK);
    const bool is_told = o.failure == FAILURE_OTA_TIMEOUT; // it was, and could not say
    return late->card_operation_id != 0 && o.outcome == OUTCOME_UNRESOLVED && !is_told;
}

// Which of them had service: no hash tells of it, so that a difference may last until an audit.
static bool are_proven_equal(const struct record *r, const struct image *image)
{
    for (uint8_t i = 0; i < r->slot_count; i++) {
        const struct audit_slot *fact = &r->slots[i].fact;
        if (fact->is_proven != image->slots[fact->slot - 1].is_proven)
            return false;
    }
    return true;
}

static const char *unsettled(const struct world *w, uint32_t card)
{
    const struct truth *t = &w->truths[card];
    const struct image *image = &t->dump.image;
    if (w->people[card].is_gone) // see check_gone.c
        return NULL;
    const struct record *r = world_store_record(w->server.store, w->people[card].id);
    // Its counters are lost: it takes no command any more, and only says so.
    if (t->dump.is_blocked || is_out_of_reach(t, r))
        return NULL;
    if (shape_is_at_end(r))
        return NULL;
    // Two that are one to the server never agree with it; one that is out of use need not.
    if (identity_is_cloned(w, card) || r->state == CARD_RETIRED)
        return NULL;
    if (r->dirty_since.ms != 0) {
        for (uint8_t i = 0; i < DIRTY_REASONS; i++) {
            if (r->reasons[i].since.ms != 0)
                return dirty_reason_name(i);
        }
    }
    if (!check_is_equal(r, image))
        return "mirror and card differ";
    if (!are_proven_equal(r, image))
        return "another subscription had service";
    if (r->registry_version != image->registry_version)
        return "the registry version differs";
    if (r->configuration_version != image->configuration_version)
        return "the configuration version differs";
    if (r->level >= 2 && r->parameters_version != r->configuration_version)
        return "the timers are not known";
    if (r->level >= 2 && !are_timers_equal(&r->parameters, &image->parameters))
        return "the timers differ";
    if (!is_preferred_equal(r, image))
        return "another subscription is preferred";
    if (!is_imei_equal(r, image))
        return "the IMEI differs";
    const char *behind = number_behind(r, t);
    if (behind != NULL)
        return behind;
    if (image->pending_count > 0)
        return "a notification is not confirmed";
    if (r->has_open && r->open.status >= STATUS_SENDING)
        return "an operation is open";
    for (uint8_t i = 0; i < r->late_count; i++) {
        if (is_unresolved(w, &r->late[i]))
            return "an operation is unresolved";
    }
    return check_job_end(w, card, r);
}

// With what helps to find out why.
static void violate_convergence(struct world *w, uint32_t card, const char *why)
{
    struct record r;
    const struct applet_dump *dump = &w->truths[card].dump;
    check(store_card_load(w->server.store, w->people[card].id, &r) == STORE_OK);
    const struct turn_counts turn = turn_counts(w->server.turn);
    world_note(w, "server",
               "marks=%x mo=%llu mt=%llu flight=%u confirms=%u dropped=%llu strays=%llu", r.marks,
               (unsigned long long)r.mo_counter, (unsigned long long)r.mt_counter, r.flight.kind,
               r.confirm_count, (unsigned long long)turn.dropped, (unsigned long long)turn.strays);
    const struct outbox_counts outbox = outbox_counts(w->server.outbox);
    world_note(w, "outbox", "held=%u joins=%u messages=%llu overflows=%llu sent=%llu bound=%d%d%d",
               outbox.packets_held, outbox.joins_held, (unsigned long long)outbox.messages,
               (unsigned long long)outbox.overflows, (unsigned long long)outbox.parts_sent,
               w->connections[0].is_bound, w->connections[1].is_bound, w->connections[2].is_bound);
    world_note(w, "card", "mo=%llu mt=%llu pending=%u cause=%s phase=%u enabled=%u",
               (unsigned long long)dump->mo_counter, (unsigned long long)dump->mt_counter,
               dump->image.pending_count,
               dump->image.pending_count > 0 ? notify_cause_name(dump->image.pending[0].cause) : "",
               dump->image.journal.phase, image_enabled(&dump->image) + 1u);
    world_violate(w, "convergence", card, "%s", why);
}

bool check_end(struct world *w, enum end_of must)
{
    if (!w->server.is_running)
        return false;
    bool is_settled = true;
    bool is_excused = must == END_NOBODY;
    for (uint32_t i = 0; i < w->cards && (is_settled || must != END_NOBODY); i++) {
        const char *why = unsettled(w, i);
        const bool is_given_up = must == END_REACHABLE && w->truths[i].glance.is_unreachable;
        is_settled &= why == NULL;
        is_excused |= (why != NULL && is_given_up) || w->people[i].is_gone;
        if (why != NULL && must != END_NOBODY && !is_given_up)
            violate_convergence(w, i, why);
    }
    const bool is_asked = w->options.has_campaign && (is_settled || must != END_NOBODY);
    const char *why = is_asked ? world_store.campaigns->end(w) : NULL;
    if (why != NULL && !is_excused)
        world_violate(w, "campaign", 0, "%s", why);
    return is_settled && why == NULL;
}

bool check_agrees(const struct world *w)
{
    bool agrees = w->server.is_running;
    for (uint32_t i = 0; i < w->cards && agrees; i++)
        agrees = w->truths[i].glance.is_unreachable || unsettled(w, i) == NULL;
    return agrees;
}

static bool note_row(void *context, const struct trail_row *row)
{
    struct world *w = context;
    world_note(w, "trail", "at=%lld %s %s -> %s (%s)", (long long)(row->at.ms - WORLD_START_MS),
               row->action, row->before, row->after, row->reason);
    return true;
}

// The last of what the server wrote down about a card, newest first.
void check_tell(struct world *w, uint32_t card)
{
    if (!w->server.is_running)
        return;
    struct trail_filter filter;
    uint64_t total = 0;
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = w->people[card].id;
    const struct store_page page = {.limit = TRAIL_SHOWN};
    check(store_trail(w->server.store, &filter, &page, note_row, w, &total) == STORE_OK);
}

// What cards ran, how that ended, and whether the server says so. A run is known by its id and by
// the digest of its command, which the card keeps and the checker makes of each packet of the
// server; how a switch ended, by its journal and by the notification that tells of it.
#include "common/base/check.h"
#include "ota-server/core/work.h"
#include "tests/world/world.h"

// --- runs --------------------------------------------------------------------------------------

static struct run *find_run(struct truth *t, uint32_t operation_id)
{
    for (uint32_t i = 0; i < t->run_count; i++) {
        if (t->runs[i].operation_id == operation_id)
            return &t->runs[i];
    }
    return NULL;
}

static struct run run_of(const struct outcome *o)
{
    struct run run = {.operation_id = o->operation_id,
                      .code = o->code,
                      .command = o->command,
                      .end = o->code == RESULT_OK_PENDING ? RUN_OPEN : RUN_AT_ONCE};
    memcpy(run.digest, o->digest, sizeof run.digest);
    return run;
}

static void add_run(struct world *w, uint32_t card, const struct outcome *o)
{
    struct truth *t = &w->truths[card];
    check(t->run_count < WORLD_RUNS_MAX);
    t->runs[t->run_count++] = run_of(o);
    w->result.runs++;
    probes_ran(&w->result.probes, o->command, o->code);
    world_note(w, "ran", "card=%u id=%u command=%s result=%s", card, o->operation_id,
               command_number_name(o->command), result_code_name(o->code));
}

static void look_at_runs(struct world *w, uint32_t card, const struct image *before,
                         const struct image *after)
{
    for (uint8_t i = 0; i < after->outcome_count; i++) {
        const struct outcome *o = &after->outcomes[i];
        const struct outcome *was = image_outcome(before, o->operation_id);
        struct run *run = find_run(&w->truths[card], o->operation_id);
        const bool is_other = was == NULL || was->code != o->code ||
                              was->registry_version != o->registry_version ||
                              image_outcome(after, o->operation_id) != o; // it is kept twice
        if (run == NULL)
            add_run(w, card, o);
        else if (run->is_lost)
            *run = run_of(o);
        else if (is_other)
            world_violate(w, "runs_once", card, "operation %u ran again", o->operation_id);
    }
}

// --- how a switch ended ------------------------------------------------------------------------

static bool is_open(const struct image *image, uint32_t operation_id)
{
    return image->journal.phase != JOURNAL_NONE && image->journal.operation_id == operation_id;
}

// The word of it; where there was no place for one, its journal as it was last.
static enum run_end end_of(uint32_t operation_id, const struct image *before,
                           const struct image *after)
{
    const struct pending *word = NULL;
    for (uint8_t i = 0; i < after->pending_count; i++) {
        if (after->pending[i].operation_id == operation_id)
            word = &after->pending[i];
    }
    const bool is_rollback = word == NULL && before->journal.reason == REASON_ROLLBACK;
    const bool is_fallback = word == NULL && before->journal.reason == REASON_FALLBACK;
    const bool was_told = before->journal.phase == JOURNAL_CONFIRMING;
    if (is_rollback || (word != NULL && word->cause == NOTIFY_ROLLED_BACK))
        return RUN_ROLLED_BACK;
    if (is_fallback || (word != NULL && word->cause == NOTIFY_FALLBACK))
        return RUN_FELL_BACK;
    if (word == NULL)
        return was_told ? RUN_CONFIRMED : RUN_SWITCH_FAILED;
    return word->cause == NOTIFY_ENABLED ? RUN_KEPT : RUN_SWITCH_FAILED;
}

void outcome_look(struct world *w, uint32_t card, const struct image *before,
                  const struct image *after)
{
    static const char *const names[] = {"at once",     "open",      "confirmed",    "kept",
                                        "rolled back", "fell back", "switch failed"};
    struct truth *t = &w->truths[card];
    look_at_runs(w, card, before, after);
    for (uint32_t i = 0; i < t->run_count; i++) {
        struct run *run = &t->runs[i];
        if (run->end != RUN_OPEN || run->is_lost || is_open(after, run->operation_id))
            continue;
        run->end = (uint8_t)end_of(run->operation_id, before, after);
        world_note(w, "run_ended", "card=%u id=%u %s", card, run->operation_id, names[run->end]);
    }
}

void outcome_forget(struct world *w, uint32_t card, const struct image *now)
{
    struct truth *t = &w->truths[card];
    for (uint32_t i = 0; i < t->run_count; i++) {
        struct run *run = &t->runs[i];
        run->is_lost |= run->operation_id > now->operation_id_highest;
        if (!is_open(now, run->operation_id))
            continue;
        run->is_undone |= run->end != RUN_OPEN;
        run->end = RUN_OPEN;
    }
}

// --- what the server says of it ----------------------------------------------------------------

const struct run *outcome_run(const struct truth *t, uint32_t card_operation_id)
{
    const struct run *run = NULL;
    for (uint32_t i = 0; i < t->run_count; i++) {
        if (t->runs[i].operation_id == card_operation_id)
            run = &t->runs[i];
    }
    for (uint32_t i = 0; run != NULL && i < t->packet_count; i++) {
        if (t->ids[i] == card_operation_id &&
            memcmp(t->digests[i], run->digest, sizeof run->digest) == 0)
            return run;
    }
    return NULL;
}

static bool has_begun(const struct run *run)
{
    return run->code == RESULT_OK || run->code == RESULT_OK_PENDING ||
           run->code == RESULT_OK_UNCHANGED;
}

static bool has_lasted(const struct run *run)
{
    return has_begun(run) &&
           (run->end == RUN_AT_ONCE || run->end == RUN_CONFIRMED || run->end == RUN_KEPT);
}

// Of what failed for good.
static const char *wrong_about_failed(const struct operation *o, const struct run *run)
{
    if (run == NULL || o->may_still_arrive)
        return NULL;
    const bool is_of_card = o->failure == FAILURE_CARD_REFUSED && o->has_result;
    if (run->end == RUN_SWITCH_FAILED)
        return is_of_card && o->result == RESULT_TERMINAL_INCAPABLE
                   ? NULL
                   : "the switch was put back, and that is not said";
    if (has_begun(run))
        return "failed, and it ran";
    return is_of_card && o->result != run->code ? "failed with another result" : NULL;
}

// NULL, or why not. Without a run, nothing of it ran under its id.
static const char *wrong_about(const struct operation *o, const struct run *run)
{
    switch ((enum operation_outcome)o->outcome) {
    case OUTCOME_DONE:
        if (run == NULL)
            return "done, and it never ran";
        if (!has_lasted(run))
            return has_begun(run) ? "done, and it did not last" : "done, and it was refused";
        return o->has_result && o->result != run->code ? "done with another result" : NULL;
    case OUTCOME_ROLLED_BACK:
        if (run == NULL || run->code != RESULT_OK_PENDING)
            return "rolled back, and never begun";
        // An audit tells that a switch did not last, not whether the device refused it.
        return run->end == RUN_ROLLED_BACK || run->end == RUN_FELL_BACK ||
                       run->end == RUN_SWITCH_FAILED
                   ? NULL
                   : "rolled back, and it was not";
    case OUTCOME_FAILED:
        return wrong_about_failed(o, run);
    case OUTCOME_REFUSED:
    case OUTCOME_EXPIRED:
    case OUTCOME_CANCELLED:
        return run != NULL && has_begun(run) && !o->may_still_arrive ? "given up, and it ran"
                                                                     : NULL;
    case OUTCOME_UNRESOLVED:
    case OUTCOME_NONE:
        break;
    }
    return NULL;
}

void outcome_judge(struct world *w, uint32_t card, const struct operation *o)
{
    const struct truth *t = &w->truths[card];
    const struct run *run = o->card_operation_id == 0 ? NULL : outcome_run(t, o->card_operation_id);
    const char *wrong = run == NULL || run->command == plan_command(o->kind)
                            ? wrong_about(o, run)
                            : "its command was another one";
    // It ran, and the card forgot it, or its end; or it is two: whatever is said is true of one or
    // the other.
    const bool is_twofold =
        (run != NULL && (run->is_lost || run->is_undone)) || identity_is_cloned(w, card);
    // An operation whose result is not kept any more counts as done when its effect is there, even
    // if it was somebody else's; not when the card itself said so.
    // Nor where the fallback mark was there before, and somebody else's result was kept under the
    // id: nothing tells the two apart.
    const bool is_mark = run == NULL && o->kind == OPERATION_SET_FALLBACK;
    const bool is_shared = o->outcome == OUTCOME_DONE && (!o->has_result || is_mark) &&
                           (t->hand_count > 0 || t->packets_unknown > 0);
    const bool is_excused = is_twofold || (wrong != NULL && is_shared);
    judged_note(&w->result.judged, JUDGED_OUTCOMES, !is_excused);
    if (wrong != NULL && !is_excused)
        world_violate(w, "outcome_is_true", card, "%s %u: %s", operation_kind_name(o->kind),
                      o->card_operation_id, wrong);
}

// What a decision counts as: noted as it is saved, and written once for a whole turn.
#include "common/base/text.h"
#include "ota-server/service/template_size.h"
#include "ota-server/service/turn_part.h"

#include <stdlib.h>

static enum store_status write_tally(struct turn *t, const struct figure_tally *row)
{
    struct figure_tally whole = *row;
    whole.tenant = 0; // of the installation
    const enum store_status status =
        row->tenant != 0 ? store_tally_add(t->options.store, row) : STORE_OK;
    return status == STORE_OK ? store_tally_add(t->options.store, &whole) : status;
}

// Without room it is written at once, as part of what can be undone.
static enum store_status note(struct turn *t, struct utc at, const struct figure_count *counts,
                              size_t count)
{
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < count && status == STORE_OK; i++) {
        const struct figure_tally row = {
            .tenant = t->decision.next.tenant, .at = at, .what = counts[i]};
        if (t->tally_count < TALLIES_MAX)
            t->tallies[t->tally_count++] = row;
        else
            status = write_tally(t, &row);
    }
    return status;
}

static bool note_step(void *context, const struct step *step, struct utc at, const char *messages)
{
    (void)messages;
    figure_note_step(context, step, at);
    return true;
}

static bool see_full(void *context, const struct document *d)
{
    *(size_t *)context = template_full_octets(d->body);
    return false;
}

// What the profile of a template costs without it; 0: the inventory of `owner` does not know.
static enum store_status full_of(struct turn *t, uint64_t owner, uint8_t number, size_t *full)
{
    char name[32];
    struct writer w = writer_of(name, sizeof(name));
    text_decimal(&w, owner);
    text_put(&w, "/");
    text_decimal(&w, number);
    const enum store_status status =
        store_document_named(t->options.store, "template-version", text_end(&w), see_full, full);
    return status == STORE_NONE ? STORE_OK : status;
}

// Templates are those of who has the pool. `sign` -1: what was noted is taken back.
static enum store_status note_saved(struct turn *t, const struct operation *o, int sign)
{
    struct subscription s;
    struct figure_count counts[FIGURE_COUNTS_MAX];
    size_t full = 0;
    if (o->kind != OPERATION_DOWNLOAD || o->outcome != OUTCOME_DONE)
        return STORE_OK;
    enum store_status status = store_subscription_get(t->options.store, o->subscription, &s);
    if (status == STORE_OK)
        status = full_of(t, s.tenant, o->download.template_number, &full);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_OK : status;
    const size_t count = figures_of_download(o, full, counts);
    if (sign > 0 && full > 0) {
        t->counts.profile_octets += full;
        t->counts.download_octets += o->bytes_mt;
    }
    for (size_t i = 0; i < count; i++)
        counts[i].count *= sign;
    return note(t, o->ended_at, counts, count);
}

static enum store_status note_ended(struct turn *t, const struct operation *o)
{
    struct figure_times times = {0};
    struct figure_count counts[FIGURE_COUNTS_MAX];
    enum store_status status = store_steps(t->options.store, o->id, note_step, &times);
    if (status == STORE_OK)
        status = note(t, o->ended_at, counts, figures_of_operation(o, &times, counts));
    return status == STORE_OK ? note_saved(t, o, 1) : status;
}

static enum store_status note_fallback(struct turn *t, struct utc at)
{
    const uint64_t id = figure_fallen_from(&t->before, &t->decision);
    struct subscription s;
    enum store_status status =
        id != 0 ? store_subscription_get(t->options.store, id, &s) : STORE_NONE;
    if (status == STORE_OK)
        status = store_fallback_add(t->options.store, s.operator_name, at);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status turn_figures(struct turn *t, const struct event *e)
{
    const struct decision *d = &t->decision;
    struct figure_count counts[FIGURE_COUNTS_MAX];
    enum store_status status = note(t, e->at, counts, figures_of_event(&t->before, e, d, counts));
    for (uint8_t i = 0; i < d->ended_count && status == STORE_OK; i++)
        status = note_ended(t, &d->ended[i]);
    return status == STORE_OK ? note_fallback(t, e->at) : status;
}

enum store_status turn_figures_correct(struct turn *t, const struct operation *before,
                                       const struct operation *after)
{
    struct figure_count counts[FIGURE_COUNTS_MAX];
    enum store_status status =
        note(t, after->ended_at, counts, figures_of_correction(before, after, counts));
    if (status == STORE_OK && before->outcome != after->outcome)
        status = note_saved(t, before, -1);
    if (status == STORE_OK && before->outcome != after->outcome)
        status = note_saved(t, after, 1);
    return status;
}

static int by_place(const void *left, const void *right)
{
    const struct figure_tally *a = left;
    const struct figure_tally *b = right;
    const int64_t hour_a = a->at.ms / TALLY_MS;
    const int64_t hour_b = b->at.ms / TALLY_MS;
    if (a->tenant != b->tenant)
        return a->tenant < b->tenant ? -1 : 1;
    if (hour_a != hour_b)
        return hour_a < hour_b ? -1 : 1;
    if (a->what.figure != b->what.figure)
        return a->what.figure < b->what.figure ? -1 : 1;
    return (int)a->what.detail - (int)b->what.detail;
}

enum store_status turn_figures_write(struct turn *t)
{
    enum store_status status = STORE_OK;
    qsort(t->tallies, t->tally_count, sizeof(t->tallies[0]), by_place);
    for (size_t i = 0; i < t->tally_count && status == STORE_OK;) {
        struct figure_tally row = t->tallies[i++];
        while (i < t->tally_count && by_place(&row, &t->tallies[i]) == 0)
            row.what.count += t->tallies[i++].what.count;
        if (row.what.count != 0)
            status = write_tally(t, &row);
    }
    t->tally_count = 0;
    return status;
}

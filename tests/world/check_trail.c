// What passed between server and cards, joined with the trail: each packet has a row that says why
// it was sent, and each notification that was confirmed has one that says what came
// [docs/SIMULATION.md].
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/world/world.h"

#include <stdlib.h>

struct join {
    struct world *w;
    uint32_t card;
    uint32_t last;    // packet that the newest row so far was of
    bool *has_cause;  // of each packet
    uint32_t highest; // sequence that is looked for
    bool *is_told;    // of each sequence: a row has it
    uint8_t *merged;  // and how many were merged into it, says that row
};

// The number behind `label` in a row's text; 0: none.
static uint64_t number_behind(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    uint64_t number = 0;
    if (at == NULL)
        return 0;
    at += strlen(label);
    return text_read_decimal(bytes_of(at, strspn(at, "0123456789")), &number) ? number : 0;
}

static bool is_row_of(const struct truth *t, uint32_t packet, const struct trail_row *row,
                      uint64_t counter)
{
    const char *name = command_number_name(t->commands[packet]);
    const bool is_same = t->operations[packet] == 0 || t->operations[packet] == row->operation;
    return t->counters[packet] == counter && is_same &&
           strncmp(row->after, name, strlen(name)) == 0;
}

// Rows come newest first, and so do packets from behind, but for some after a restore.
static void take_cause(struct join *j, const struct trail_row *row)
{
    const struct truth *t = &j->w->truths[j->card];
    const uint64_t counter = number_behind(row->after, ", counter ");
    for (uint32_t i = 0; i < t->packet_count; i++) {
        const uint32_t packet = (j->last + t->packet_count - i) % t->packet_count;
        if (!is_row_of(t, packet, row, counter))
            continue;
        j->has_cause[packet] = row->reason[0] != 0;
        j->last = packet;
        return;
    }
}

static bool take(void *context, const struct trail_row *row)
{
    struct join *j = context;
    if (strcmp(row->action, "command.sent") == 0)
        take_cause(j, row);
    const uint64_t sequence =
        strcmp(row->action, "card.notified") == 0 ? number_behind(row->reason, "sequence ") : 0;
    if (sequence > j->highest)
        return true;
    j->is_told[sequence] = true;
    const uint64_t merged = number_behind(row->reason, "merged ");
    j->merged[sequence] = merged > j->merged[sequence] ? (uint8_t)merged : j->merged[sequence];
    return true;
}

static void judge(struct join *j)
{
    struct world *w = j->w;
    const struct truth *t = &w->truths[j->card];
    const bool is_cloned = identity_is_cloned(w, j->card);
    for (uint32_t i = 0; i < t->packet_count; i++) {
        if (t->commands[i] == 0)
            continue; // the database was put back since
        if (!j->has_cause[i])
            world_violate(w, "every_command_has_a_cause", j->card,
                          "no row says why packet %llu (%s) was sent",
                          (unsigned long long)t->counters[i], command_number_name(t->commands[i]));
        if (t->commands[i] != COMMAND_CONFIRM)
            continue;
        // A clone has sequences of its own.
        judged_note(&w->result.judged, JUDGED_CONFIRMED, !is_cloned);
        if (!is_cloned && !j->is_told[t->sequences[i]])
            world_violate(w, "notified_is_told", j->card,
                          "notification %u was confirmed, and no row tells of it", t->sequences[i]);
    }
    for (uint32_t i = 0; i < t->merge_count && !is_cloned; i++) {
        const struct merge *m = &t->merges[i];
        if (j->is_told[m->sequence] && j->merged[m->sequence] < m->count)
            world_violate(w, "notified_is_told", j->card,
                          "%u were merged into notification %u, and the trail tells of %u",
                          m->count, m->sequence, j->merged[m->sequence]);
    }
}

static uint32_t highest_of(const struct truth *t)
{
    uint32_t highest = 0;
    for (uint32_t i = 0; i < t->packet_count; i++)
        highest = t->sequences[i] > highest ? t->sequences[i] : highest;
    for (uint32_t i = 0; i < t->merge_count; i++)
        highest = t->merges[i].sequence > highest ? t->merges[i].sequence : highest;
    return highest;
}

void check_trail(struct world *w, uint32_t card)
{
    const struct truth *t = &w->truths[card];
    struct join j = {.w = w, .card = card, .highest = highest_of(t)};
    struct trail_filter filter;
    struct store_page page = {.limit = 1000};
    uint64_t total = 0;
    j.has_cause = calloc(t->packet_count + 1, sizeof *j.has_cause);
    j.is_told = calloc(j.highest + 1u, sizeof *j.is_told);
    j.merged = calloc(j.highest + 1u, sizeof *j.merged);
    check(j.has_cause != NULL && j.is_told != NULL && j.merged != NULL);
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = w->people[card].id;
    do {
        check(store_trail(w->server.store, &filter, &page, take, &j, &total) == STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
    judge(&j);
    free(j.has_cause);
    free(j.is_told);
    free(j.merged);
}

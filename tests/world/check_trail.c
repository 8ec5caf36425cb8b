// What passed between server and cards, joined with the trail: each packet has a row that says why
// it was sent, and an older one of what that names; and each notification that was confirmed has
// one that says what came [docs/SIMULATION.md].
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/world/world.h"

#include <stdlib.h>

// What a packet's row says why it was sent, until the older row is found that tells of it.
enum want {
    WANT_ROW = 0, // its own
    WANT_REQUEST, // of its operation
    WANT_NOTIFIED,
    WANT_DOUBT,
    WANT_NOTHING,
};

struct cause {
    uint8_t want; // enum want
    uint8_t by;   // enum actor_kind
    uint64_t operation;
};

// The newest audit out of doubt whose doubt was not found yet.
struct doubt {
    bool is_wanted;
    bool is_over; // so far back in time its card was in none
    uint32_t packet;
};

struct join {
    struct world *w;
    uint32_t card;
    uint32_t last;        // packet that the newest row so far was of
    struct cause *causes; // of each packet
    struct doubt doubt;
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

// What the server says of itself, before what the request was part of: "USER: campaign".
static bool is_reason(const struct trail_row *row, const char *text)
{
    const size_t len = strlen(text);
    return strncmp(row->reason, text, len) == 0 &&
           (row->reason[len] == 0 || strcmp(row->reason + len, ": campaign") == 0);
}

// What has to be told of in an older row; WANT_ROW: the text is none of those that say why.
static struct cause cause_of(const struct trail_row *row, uint8_t command)
{
    struct cause c = {.operation = row->operation};
    const bool is_audit = command == COMMAND_AUDIT;
    if (command == COMMAND_CONFIRM) {
        c.want = is_reason(row, "notification") ? WANT_NOTIFIED : WANT_ROW;
        return c;
    }
    if (is_audit && is_reason(row, "dirty"))
        c.want = WANT_DOUBT;
    if (is_audit && is_reason(row, "request")) {
        c.want = WANT_REQUEST;
        c.by = UINT8_MAX; // whoever
    }
    for (uint8_t kind = ACTOR_SYSTEM; kind <= ACTOR_RULE && !is_audit; kind++) {
        if (!is_reason(row, actor_kind_name(kind)))
            continue;
        c.want = WANT_REQUEST;
        c.by = kind;
    }
    return c;
}

static void violate_cause(struct join *j, uint32_t packet, const char *what)
{
    struct world *w = j->w;
    const struct truth *t = &w->truths[j->card];
    world_violate(w, "every_command_has_a_cause", j->card, "packet %llu (%s): %s",
                  (unsigned long long)t->counters[packet], command_number_name(t->commands[packet]),
                  what);
}

// One audit goes on with the next page when its doubt has just ended; another one does not begin.
static void want_doubt(struct join *j, uint32_t packet)
{
    const struct doubt *d = &j->doubt;
    const bool is_same =
        d->is_wanted && j->causes[d->packet].operation == j->causes[packet].operation;
    if (d->is_wanted && d->is_over && !is_same)
        violate_cause(j, d->packet, "an audit out of doubt, and nobody doubted");
    j->doubt = (struct doubt){.is_wanted = true, .packet = packet};
}

// Rows come newest first, and so do packets from behind, but for some after a restore.
static void take_sent(struct join *j, const struct trail_row *row)
{
    const struct truth *t = &j->w->truths[j->card];
    const uint64_t counter = number_behind(row->after, ", counter ");
    for (uint32_t i = 0; i < t->packet_count; i++) {
        const uint32_t packet = (j->last + t->packet_count - i) % t->packet_count;
        if (!is_row_of(t, packet, row, counter))
            continue;
        j->causes[packet] = cause_of(row, t->commands[packet]);
        if (j->causes[packet].want == WANT_DOUBT)
            want_doubt(j, packet);
        j->last = packet;
        return;
    }
}

// Who asked is who the packets were sent for: a person or client by name, also with a campaign, the
// rule of the group, or the server, which reads timers only.
static bool is_request_of(const struct trail_row *row, uint8_t by)
{
    const bool is_rule = is_reason(row, "bootstrap") || is_reason(row, "group");
    const bool is_own = is_reason(row, "timers changed") &&
                        strcmp(row->after, operation_kind_name(OPERATION_READ_TIMERS)) == 0;
    const bool is_plain = row->reason[0] == 0 || strcmp(row->reason, "campaign") == 0;
    const bool is_someone = (row->actor.kind == ACTOR_USER || row->actor.kind == ACTOR_CLIENT) &&
                            row->actor.id != 0 && is_plain;
    if (by == ACTOR_SYSTEM)
        return is_own;
    if (by == ACTOR_RULE)
        return is_rule;
    return by == UINT8_MAX ? is_someone || is_rule : is_someone && row->actor.kind == by;
}

static void take_request(struct join *j, const struct trail_row *row)
{
    const struct truth *t = &j->w->truths[j->card];
    for (uint32_t i = 0; i < t->packet_count; i++) {
        struct cause *c = &j->causes[i];
        if (c->want == WANT_REQUEST && c->operation == row->operation && is_request_of(row, c->by))
            c->want = WANT_NOTHING;
    }
}

static void take_notified(struct join *j, const struct trail_row *row)
{
    const struct truth *t = &j->w->truths[j->card];
    const uint64_t sequence = number_behind(row->reason, "sequence ");
    const uint64_t merged = number_behind(row->reason, "merged ");
    if (sequence > j->highest)
        return;
    j->is_told[sequence] = true;
    j->merged[sequence] = merged > j->merged[sequence] ? (uint8_t)merged : j->merged[sequence];
    for (uint32_t i = 0; i < t->packet_count; i++) {
        if (j->causes[i].want == WANT_NOTIFIED && t->sequences[i] == sequence)
            j->causes[i].want = WANT_NOTHING;
    }
}

static void take_doubt(struct join *j)
{
    struct doubt *d = &j->doubt;
    if (d->is_wanted && d->is_over)
        violate_cause(j, d->packet, "an audit out of doubt, and nobody doubted");
    d->is_wanted = false;
}

static bool take(void *context, const struct trail_row *row)
{
    struct join *j = context;
    if (strcmp(row->action, "command.sent") == 0)
        take_sent(j, row);
    else if (strcmp(row->action, "operation.requested") == 0)
        take_request(j, row);
    else if (strcmp(row->action, "card.notified") == 0)
        take_notified(j, row);
    else if (strcmp(row->action, "card.dirty") == 0)
        take_doubt(j);
    else if (strcmp(row->action, "card.unmarked") == 0 &&
             strcmp(row->before, card_mark_name(MARK_DIRTY)) == 0)
        j->doubt.is_over = true;
    return true;
}

// Each has its own row, and the one that this row names was found.
static void judge_cause(struct join *j, uint32_t packet, bool is_cloned)
{
    switch ((enum want)j->causes[packet].want) {
    case WANT_ROW:
        violate_cause(j, packet, "no row says why it was sent");
        break;
    case WANT_REQUEST:
        violate_cause(j, packet, "nobody asked for it before, or another one");
        break;
    case WANT_NOTIFIED: // a clone has sequences of its own
        if (!is_cloned)
            violate_cause(j, packet, "it confirms what had not come");
        break;
    case WANT_DOUBT: // each doubt ends with its first row
        if (j->doubt.is_wanted && j->doubt.packet == packet)
            violate_cause(j, packet, "an audit out of doubt, and nobody doubted");
        break;
    case WANT_NOTHING:
        break;
    }
}

static void judge(struct join *j)
{
    struct world *w = j->w;
    const struct truth *t = &w->truths[j->card];
    const bool is_cloned = identity_is_cloned(w, j->card);
    for (uint32_t i = 0; i < t->packet_count; i++) {
        if (t->commands[i] == 0)
            continue; // the database was put back since
        judge_cause(j, i, is_cloned);
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
    j.causes = calloc(t->packet_count + 1, sizeof *j.causes);
    j.is_told = calloc(j.highest + 1u, sizeof *j.is_told);
    j.merged = calloc(j.highest + 1u, sizeof *j.merged);
    check(j.causes != NULL && j.is_told != NULL && j.merged != NULL);
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = w->people[card].id;
    do {
        check(store_trail(w->server.store, &filter, &page, take, &j, &total) == STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
    judge(&j);
    free(j.causes);
    free(j.is_told);
    free(j.merged);
}

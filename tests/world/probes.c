#include "tests/world/probes.h"

#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>

// What cards answer, of each command.
static const uint8_t wanted_results[][2] = {
    {COMMAND_DOWNLOAD, RESULT_OK},
    {COMMAND_DOWNLOAD, RESULT_OK_PENDING},
    {COMMAND_DOWNLOAD, RESULT_ALREADY_INSTALLED},
    {COMMAND_DOWNLOAD, RESULT_NO_FREE_SLOT},
    {COMMAND_DOWNLOAD, RESULT_NO_MEMORY},
    {COMMAND_ENABLE, RESULT_OK_PENDING},
    {COMMAND_ENABLE, RESULT_OK_UNCHANGED},
    {COMMAND_ENABLE, RESULT_NOT_FOUND},
    {COMMAND_DELETE, RESULT_OK},
    {COMMAND_DELETE, RESULT_NOT_FOUND},
    {COMMAND_DELETE, RESULT_IS_ENABLED},
    {COMMAND_DELETE, RESULT_IS_FALLBACK},
    {COMMAND_SET_FALLBACK, RESULT_OK},
    {COMMAND_SET_FALLBACK, RESULT_OK_UNCHANGED},
    {COMMAND_SET_FALLBACK, RESULT_NOT_FOUND},
    {COMMAND_SET_FALLBACK, RESULT_NOT_PROVEN},
    {COMMAND_CONFIGURE, RESULT_OK},
};
#define WANTED_RESULTS (sizeof wanted_results / sizeof wanted_results[0])

static const char *const fault_names[PROBE_FAULTS] = {
    [PROBE_CLOGGED] = "clogged",
    [PROBE_STALLED] = "stalled",
    [PROBE_SILENCE_NEAR] = "centre gone",
    [PROBE_SILENCE_FAR] = "centre left alone",
    [PROBE_ALTERED_MT] = "altered to a card",
    [PROBE_ALTERED_MO] = "altered from a card",
    [PROBE_MIXED_MT] = "mixed to a card",
    [PROBE_MIXED_MO] = "mixed from a card",
    [PROBE_RECEIPTS_DOUBLED] = "receipts doubled",
    [PROBE_RECEIPTS_EARLY] = "receipts early",
    [PROBE_HEX] = "ids in hexadecimal",
    [PROBE_SWALLOWED] = "swallowed",
    [PROBE_JOINED_MT] = "joined to a card",
    [PROBE_JOINED_MO] = "joined from a card",
};

static const char *const card_names[PROBE_CARDS] = {
    [PROBE_RESULT_FORGOTTEN] = "result forgotten", [PROBE_MERGED] = "notifications merged",
    [PROBE_DEAF_IN_A_SWITCH] = "deaf in a switch", [PROBE_CAP_IN_A_SEARCH] = "cap in a search",
    [PROBE_RESET] = "reset amid its commands",     [PROBE_AGAIN] = "a packet again after a start",
    [PROBE_JUST_IN_TIME] = "CONFIRM just in time", [PROBE_JUST_TOO_LATE] = "CONFIRM just too late",
};

static const char *const decision_names[PROBE_DECISIONS] = {
    [PROBE_PAGES_APART] = "audit pages of two versions",
    [PROBE_COMMITTED_UNSENT] = "killed between commit and sending",
    [PROBE_RESTORED_CONFIRMING] = "restored in CONFIRMING",
    [PROBE_CANCEL_REFUSED] = "cancel refused",
    [PROBE_ENABLED_LATE] = "ENABLED too late, not confirmed",
    [PROBE_ENABLED_FIRST] = "ENABLED before the answer",
    [PROBE_CONFIRM_CROSSED] = "rollback while its CONFIRM is under way",
};

// The trail tells of operations that end, wait again, or come into or out of doubt.
static bool is_told(uint8_t status, uint8_t input)
{
    const struct rule *r = rule_of(status, input);
    if (status == STATUS_ENDED || r == NULL || r->effect == EFFECT_IGNORE)
        return false;
    const uint8_t next = r->next == STATUS_SAME ? status : r->next;
    return next == STATUS_ENDED ||
           (next != status && (next == STATUS_UNKNOWN || status == STATUS_UNKNOWN ||
                               status == STATUS_AWAIT_APPROVAL || next == STATUS_QUEUED));
}

static const char *const disk_names[WORLD_DISKS] = {"good",        "full",        "busy",
                                                    "write_fails", "sync_undone", "sync_kept"};

static const char *const profile_names[PROBE_PROFILES] = {"no_messages", "no_refresh", "no_events",
                                                          "imeisv"};

static const char *const answered_names[PROBE_ANSWERED] = {
    "a command at random", "refresh", "poll", "events", "message", "information", "timer"};

static const char *const form_names[PROBE_FORMS] = {
    "whole", "other number", "other type", "no details", "no result", "cut", "empty", "none"};

static const char *const sleep_names[PROBE_SLEEPS] = {
    [PROBE_SLEEP_DUE] = "over what came due",
    [PROBE_SLEEP_SENT] = "while a message waited",
    [PROBE_SLEEP_ENDED] = "over the end of a connection",
    [PROBE_SLEEP_SWITCH] = "over the time of a switch",
};

static const char *const gone_names[PROBE_GONES] = {[PROBE_GONE_OPEN] = "with an operation open",
                                                    [PROBE_GONE_GIVEN_UP] =
                                                        "out of reach at the end"};

static const char *const shape_names[PROBE_SHAPES] = {
    [PROBE_AUDIT_PAGES] = "audit of several pages",
    [PROBE_AUDIT_RESTARTED] = "audit begun anew",
    [PROBE_AUDIT_INCOMPLETE] = "audit incomplete",
    [PROBE_COUNTER_NEAR_LAST] = "counter near its end",
    [PROBE_COUNTER_LAST] = "counter at its end",
    [PROBE_IMEI_NONE] = "no IMEI",
    [PROBE_IMEISV] = "IMEI of an IMEISV",
};

static const char *const clock_names[PROBE_CLOCKS] = {"late", "no_timers", "no_status", "neither"};

// What no world can meet, and why: it is no gap. One that is met all the same counts.
static const struct {
    const char *name, *why;
} impossible[] = {
    {"dirty: import_changed_live_card", "no import of a world updates cards that are there"},
    {"dirty: manual_edit", "nobody can edit a mirror by hand"},
    {"dirty: handover_in", "no card is taken over from another server"},
    {"refused: NOT_AUTHORISED", "the API judges rights; who acts in a world has them"},
    {"refused: RULE_PACK_REFUSED", "the API judges rule packs before decide()"},
    {"refused: CARD_PARTIAL", "a world has no imports, and its cards are whole"},
    {"refused: POOL_EMPTY", "it stops a bootstrap, and no request"},
    {"refused: NOT_FOUND", "it answers who cancels or resends, without a row"},
    {"refused: WRONG_STATUS",
     "it answers who cancels, resends or decides, without a row; see `cancel refused`"},
    {"refused: OVERLOADED", "nothing was judged, and no row is written"},
};

static const char *why_never(const char *name)
{
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        const size_t len = strlen(impossible[i].name);
        if (strncmp(name, impossible[i].name, len) == 0 && (name[len] == 0 || name[len] == ' '))
            return impossible[i].why;
    }
    return NULL;
}

// --- observing -------------------------------------------------------------------------------

// The value that has this name, or `count`.
static uint8_t value_of(const char *name, const char *(*name_of)(uint8_t), uint8_t count)
{
    uint8_t value = 0;
    while (value < count && strcmp(name, name_of(value)) != 0)
        value++;
    return value;
}

static bool note(void *context, const struct trail_row *row)
{
    struct probes *p = context;
    if (strncmp(row->action, "operation.", 10) == 0 && row->before[0] != 0) {
        const uint8_t status = value_of(row->before, operation_status_name, OPERATION_STATUSES);
        const uint8_t input = value_of(row->reason, input_name, INPUTS);
        if (status < OPERATION_STATUSES && input < INPUTS)
            p->transitions[status][input]++;
    } else if (strcmp(row->action, "operation.refused") == 0) {
        const uint8_t refusal = value_of(row->reason, refusal_name, PROBE_REFUSALS);
        p->refusals[refusal % PROBE_REFUSALS]++;
    } else if (strcmp(row->action, "card.dirty") == 0) {
        const uint8_t reason = value_of(row->after, dirty_reason_name, DIRTY_REASONS);
        p->reasons[reason % DIRTY_REASONS]++;
    } else if (strcmp(row->action, "card.notified") == 0) {
        const uint8_t cause = value_of(row->after, notify_cause_name, PROBE_CAUSES);
        p->causes[cause % PROBE_CAUSES]++;
    } else if (strcmp(row->action, "card.audited") == 0) {
        probes_shape(p, PROBE_AUDIT_INCOMPLETE, strcmp(row->after, "incomplete") == 0);
    }
    return true;
}

void probes_look(const struct world *w, struct probes *p)
{
    struct trail_filter filter;
    struct store_page page = {.limit = 1000};
    uint64_t total = 0;
    trail_filter_init(&filter);
    do {
        check(store_trail(w->server.store, &filter, &page, note, p, &total) == STORE_OK);
        page.offset += page.limit;
    } while (page.offset < total);
}

void probes_ran(struct probes *p, uint8_t command, uint8_t result)
{
    p->results[command % PROBE_COMMANDS][result % PROBE_RESULTS]++;
}

void probes_count(struct probes *p, enum probe_fault fault, uint64_t times)
{
    p->faults[fault] += (uint32_t)times;
}

void probes_met(struct probes *p, enum probe_fault fault)
{
    probes_count(p, fault, 1);
}

void probes_card(struct probes *p, enum probe_card situation, bool is_met)
{
    p->cards[situation] += is_met;
}

// What a notification of the open operation crossed.
static void look_at_switch(struct probes *p, const struct record *r, const struct event *e,
                           const struct decision *d)
{
    const struct notification *n = &e->as.notify.notification;
    const struct operation *o = &r->open;
    const bool is_its = r->has_open && n->operation_id != 0 &&
                        n->operation_id == o->card_operation_id &&
                        e->as.notify.mo_counter > r->mo_counter;
    const bool is_end = n->cause == NOTIFY_ROLLED_BACK || n->cause == NOTIFY_FALLBACK;
    if (!is_its)
        return;
    p->decisions[PROBE_CONFIRM_CROSSED] +=
        is_end && r->flight.kind == FLIGHT_CONFIRM && r->flight.operation_id == n->operation_id;
    if (n->cause != NOTIFY_ENABLED)
        return;
    p->decisions[PROBE_ENABLED_FIRST] +=
        o->status >= STATUS_SENDING && o->status <= STATUS_DELIVERED;
    p->decisions[PROBE_ENABLED_LATE] +=
        (o->flags & COMMAND_FLAG_ROLLBACK) != 0 && o->confirm_until.ms != 0 &&
        e->at.ms > o->confirm_until.ms && d->next.confirm_count <= r->confirm_count &&
        (d->send_count == 0 || d->sends[0].kind != FLIGHT_CONFIRM);
}

void probes_decision(struct probes *p, const struct record *before, const struct event *e,
                     const struct decision *d, int64_t killed_ms)
{
    const struct audit_job *a = &before->audit;
    const struct flight *f = &before->flight;
    const struct audit_answer *answer = &e->as.por.answer;
    if (e->type == EVENT_NOTIFY)
        look_at_switch(p, before, e, d);
    else if (e->type == EVENT_POR && e->as.por.has_answer && a->is_open && a->slot_count > 0)
        p->decisions[PROBE_PAGES_APART] += memcmp(a->nonce, answer->nonce, sizeof a->nonce) == 0 &&
                                           a->registry_version != e->as.por.result.registry_version;
    else if (e->type == EVENT_RESTART)
        p->decisions[PROBE_COMMITTED_UNSENT] += f->kind != FLIGHT_NONE &&
                                                f->state == FLIGHT_SENDING && killed_ms != 0 &&
                                                f->sent_at.ms == killed_ms;
    else if (e->type == EVENT_RESTORE)
        p->decisions[PROBE_RESTORED_CONFIRMING] +=
            before->has_open && before->open.status == STATUS_CONFIRMING;
    else if (e->type == EVENT_CANCEL)
        p->decisions[PROBE_CANCEL_REFUSED] += d->refusal == REFUSAL_WRONG_STATUS;
}

void probes_answered(struct probes *p, const struct device_answers *answers, uint32_t times)
{
    static const uint8_t types[PROBE_ANSWERED] = {0,
                                                  CAT_REFRESH,
                                                  CAT_POLL_INTERVAL,
                                                  CAT_SET_UP_EVENT_LIST,
                                                  CAT_SEND_SHORT_MESSAGE,
                                                  CAT_PROVIDE_LOCAL_INFORMATION,
                                                  CAT_TIMER_MANAGEMENT};
    for (unsigned i = 0; i < PROBE_ANSWERED; i++)
        p->answered[i] += types[i] == answers->of ? times : 0;
    p->forms[answers->form % PROBE_FORMS] += times;
}

void probes_gone(struct probes *p, enum probe_gone situation, bool is_met)
{
    p->gones[situation] += is_met;
}

void probes_shape(struct probes *p, enum probe_shape situation, bool is_met)
{
    p->shapes[situation] += is_met;
}

void probes_slept(const struct world *w, struct probes *p)
{
    bool is_late = false;
    bool has_message = false;
    for (uint32_t i = 0; i < w->cards; i++) {
        struct record r;
        check(store_card_load(w->server.store, w->people[i].id, &r) == STORE_OK);
        const bool is_switching =
            r.has_open && (r.open.status == STATUS_SWITCHING || r.open.status == STATUS_CONFIRMING);
        is_late |= is_switching && r.open.confirm_until.ms < server_utc(w).ms;
        has_message |= centre_has_from(w, i);
    }
    p->sleeps[PROBE_SLEEP_DUE] += instant_is_due(server_deadline(w), w->now);
    p->sleeps[PROBE_SLEEP_SENT] += has_message;
    for (uint32_t i = 0; i < WORLD_NETWORK_CONNECTION; i++)
        p->sleeps[PROBE_SLEEP_ENDED] += w->connections[i].is_open && w->connections[i].is_ended;
    p->sleeps[PROBE_SLEEP_SWITCH] += is_late;
}

void probes_struck(struct probes *p, uint8_t disk)
{
    p->disks[disk % WORLD_DISKS]++;
}

void probes_add(struct probes *sum, const struct probes *p)
{
    uint32_t *to = &sum->transitions[0][0];
    const uint32_t *from = &p->transitions[0][0];
    for (size_t i = 0; i < sizeof *p / sizeof *to; i++)
        to[i] += from[i];
}

// --- reporting -------------------------------------------------------------------------------

struct report {
    unsigned count, met;
    void (*missing)(const char *name);
};

static void tell(struct report *r, uint32_t times, const char *kind, const char *name,
                 const char *more)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%s: %s %s", kind, name, more);
    if (times == 0 && why_never(text) != NULL)
        return;
    r->count++;
    r->met += times > 0;
    if (times == 0)
        r->missing(text);
}

unsigned probes_report(const struct probes *p, unsigned *met, void (*missing)(const char *name))
{
    struct report r = {.missing = missing};
    for (uint8_t s = 0; s < OPERATION_STATUSES; s++) {
        for (uint8_t i = 0; i < INPUTS; i++) {
            if (is_told(s, i))
                tell(&r, p->transitions[s][i], "operation", operation_status_name(s),
                     input_name(i));
        }
    }
    for (uint8_t i = DIRTY_NONE + 1; i < DIRTY_REASONS; i++)
        tell(&r, p->reasons[i], "dirty", dirty_reason_name(i), "");
    for (uint8_t i = NOTIFY_FIRST_CONTACT; i < PROBE_CAUSES; i++)
        tell(&r, p->causes[i], "notified", notify_cause_name(i), "");
    for (uint8_t i = REFUSAL_NONE + 1; i < PROBE_REFUSALS; i++)
        tell(&r, p->refusals[i], "refused", refusal_name(i), "");
    for (size_t i = 0; i < WANTED_RESULTS; i++) {
        const uint8_t *v = wanted_results[i];
        tell(&r, p->results[v[0]][v[1]], "ran", command_number_name(v[0]), result_code_name(v[1]));
    }
    for (unsigned i = 0; i < PROBE_FAULTS; i++)
        tell(&r, p->faults[i], "transport", fault_names[i], "");
    for (unsigned i = 0; i < PROBE_CARDS; i++)
        tell(&r, p->cards[i], "card", card_names[i], "");
    for (unsigned i = 0; i < PROBE_DECISIONS; i++)
        tell(&r, p->decisions[i], "decision", decision_names[i], "");
    for (size_t i = WORLD_DISK_GOOD + 1; i < WORLD_DISKS; i++)
        tell(&r, p->disks[i], "disk", disk_names[i], "");
    for (size_t i = 0; i < PROBE_CLOCKS; i++)
        tell(&r, p->clocks[i], "clock", clock_names[i], "switched");
    tell(&r, p->duties, "duty", "a switch was undone", "");
    for (size_t i = 0; i < PROBE_PROFILES; i++)
        tell(&r, p->profiles[i], "profile", profile_names[i], "switched");
    for (size_t i = 0; i < PROBE_ANSWERED; i++)
        tell(&r, p->answered[i], "answers", answered_names[i], "");
    for (size_t i = 0; i < PROBE_FORMS; i++)
        tell(&r, p->forms[i], "answer", form_names[i], "");
    for (size_t i = 0; i < PROBE_SLEEPS; i++)
        tell(&r, p->sleeps[i], "sleep", sleep_names[i], "");
    for (size_t i = 0; i < PROBE_GONES; i++)
        tell(&r, p->gones[i], "gone", gone_names[i], "");
    for (size_t i = 0; i < PROBE_SHAPES; i++)
        tell(&r, p->shapes[i], "shape", shape_names[i], "");
    tell(&r, p->flaps, "flap", "switched", "");
    tell(&r, p->doubles, "double_click", "both were taken", "");
    *met = r.met;
    return r.count;
}

// What a campaign does next.
//
// In each state this is true:
//   DRAFT           no card was judged, or what was judged counts no more
//   CHECKED         target, count and hash are frozen; nothing was asked
//   AWAIT_APPROVAL  the same; an approval names the hash
//   SCHEDULED       started or resumed; its time, or the next step, decides how it goes on
//   CANARY          not more than the canary was asked, and its gate was not passed
//   RUNNING         the gate was passed, or a person went on in spite of it
//   PAUSED          nothing new is asked; `why` says why
//   COMPLETED       every eligible card is at its end
//   STOPPED         whoever was not asked never will be; what nobody had sent was cancelled
#include "ota-server/core/campaign.h"

#include "common/base/check.h"

#define TICK_MS 20       // between two steps that ask cards
#define LOOK_MS 250      // while the last ones end
#define CREDIT_MS 250    // what a late step may make up for
#define CARD_CREDIT 1000 // thousandths
#define ELAPSED_MAX_MS 1000
#define MINUTE_MS 60000
#define DAY_MS (24 * 60 * (int64_t)MINUTE_MS)
#define WEEK_DAYS 7
#define EPOCH_DAY 3 // 1970-01-01 was a Thursday

// clang-format off
#define D (1u << CAMPAIGN_DRAFT)
#define C (1u << CAMPAIGN_CHECKED)
#define A (1u << CAMPAIGN_AWAIT_APPROVAL)
#define S (1u << CAMPAIGN_SCHEDULED)
#define N (1u << CAMPAIGN_CANARY)
#define R (1u << CAMPAIGN_RUNNING)
#define P (1u << CAMPAIGN_PAUSED)
#define E (1u << CAMPAIGN_COMPLETED)
#define X (1u << CAMPAIGN_STOPPED)
#define ALL (D | C | A | S | N | R | P | E | X)

#define GO(from, input, next) {from, CAMPAIGN_IN_##input, CAMPAIGN_##next}
#define ELSE(from, input) {ALL & ~(from), CAMPAIGN_IN_##input, CAMPAIGN_REFUSED}

const struct campaign_rule campaign_rules[] = {
    GO(D | C | A, EDITED, DRAFT),         ELSE(D | C | A, EDITED),
    GO(D | C, CHECKED, CHECKED),          ELSE(D | C, CHECKED),
    GO(C, STARTED, SCHEDULED),            ELSE(C, STARTED),
    GO(C, ASKED, AWAIT_APPROVAL),         ELSE(C, ASKED),
    GO(A, APPROVED, SCHEDULED),           ELSE(A, APPROVED),
    GO(A, UNAPPROVED, CHECKED),           ELSE(A, UNAPPROVED),
    GO(S, TIME, CANARY),                  ELSE(S, TIME),
    GO(S, TIME_FOR_ALL, RUNNING),         ELSE(S, TIME_FOR_ALL),
    GO(N, GATE_PASSED, RUNNING),          ELSE(N, GATE_PASSED),
    GO(S | N | R, PAUSED, PAUSED),        ELSE(S | N | R, PAUSED),
    GO(P, RESUMED, SCHEDULED),            ELSE(P, RESUMED),
    GO(A | S | N | R | P, STOPPED, STOPPED), ELSE(A | S | N | R | P, STOPPED),
    GO(N | R, ALL_ENDED, COMPLETED),      ELSE(N | R, ALL_ENDED),
};
// clang-format on
const size_t campaign_rule_count = sizeof(campaign_rules) / sizeof(campaign_rules[0]);

uint8_t campaign_next(uint8_t state, uint8_t input)
{
    for (size_t i = 0; i < campaign_rule_count; i++) {
        const struct campaign_rule *rule = &campaign_rules[i];
        if (rule->input == input && (rule->from >> state & 1) != 0)
            return rule->next;
    }
    check(false);
    return CAMPAIGN_REFUSED;
}

bool campaign_is_running(uint8_t state)
{
    return ((S | N | R | P) >> state & 1) != 0;
}

bool campaign_is_over(uint8_t state)
{
    return state == CAMPAIGN_COMPLETED || state == CAMPAIGN_STOPPED;
}

void campaign_init(struct campaign *c, uint64_t id)
{
    *c = (struct campaign){.id = id,
                           .per_second = 1,
                           .open_max = 1000,
                           .success_min = 95,
                           .rollback_max = 1,
                           .failure_max = 5,
                           .look = 200};
}

bool campaign_input(struct campaign *c, uint8_t input, uint8_t why, struct utc now)
{
    const uint8_t next = campaign_next(c->state, input);
    if (next == CAMPAIGN_REFUSED)
        return false;
    const bool is_resumed = input == CAMPAIGN_IN_RESUMED;
    // Whoever goes on after a gate that did not pass has seen why.
    if (is_resumed &&
        (c->why == CAMPAIGN_WHY_CANARY_SUCCESS || c->why == CAMPAIGN_WHY_CANARY_ROLLBACK))
        c->is_canary_over = true;
    if (input == CAMPAIGN_IN_GATE_PASSED)
        c->is_canary_over = true;
    if (is_resumed || next == CAMPAIGN_SCHEDULED)
        c->judged_from = now;
    if (next == CAMPAIGN_SCHEDULED && c->started_at.ms == 0)
        c->started_at = now;
    if (campaign_is_over(next))
        c->ended_at = now;
    c->state = next;
    c->why = is_resumed ? (uint8_t)CAMPAIGN_WHY_NONE : why;
    c->credit = 0;
    c->credit_at = now;
    return true;
}

bool campaign_needs_approval(const struct campaign *c)
{
    const bool writes = operation_is_state_changing(c->operation.kind);
    return c->needs_approval || c->is_sharp || (writes && c->eligible > c->approval_at) ||
           c->operation.kind == OPERATION_DELETE;
}

// --- counting --------------------------------------------------------------------------------

bool campaign_is_failure(uint8_t reason)
{
    const uint8_t failure = (uint8_t)(reason - CAMPAIGN_FAILURE);
    return reason > CAMPAIGN_FAILURE && failure != FAILURE_REFUSED_AT_SEND &&
           failure != FAILURE_CANCELLED && failure != FAILURE_APPROVAL_REJECTED &&
           failure != FAILURE_APPROVAL_EXPIRED;
}

void campaign_count(struct campaign_counts *n, uint8_t step, uint8_t reason, uint64_t cards)
{
    check(step < CAMPAIGN_STEPS);
    n->by_step[step] += cards;
    if (reason == REFUSAL_NONE && step == CAMPAIGN_WAITING)
        n->waiting += cards;
    if (reason == REFUSAL_NONE && step > CAMPAIGN_WAITING)
        n->open += cards;
    if (reason == CAMPAIGN_DONE)
        n->done += cards;
    if (campaign_is_failure(reason))
        n->failed += cards;
    if (reason == CAMPAIGN_FAILURE + FAILURE_ROLLED_BACK)
        n->rolled_back += cards;
}

uint64_t campaign_reached(const struct campaign_counts *n, uint8_t step)
{
    uint64_t cards = 0;
    for (unsigned i = step; i < CAMPAIGN_STEPS; i++)
        cards += n->by_step[i];
    return cards;
}

uint32_t campaign_canary(const struct campaign *c)
{
    const uint32_t hundredth = c->eligible / 100;
    const uint32_t given = c->canary_count != 0 ? c->canary_count
                           : hundredth < 100    ? hundredth
                                                : 100;
    const uint32_t count = given < 1 ? 1 : given;
    return count < c->eligible ? count : c->eligible;
}

// --- windows ---------------------------------------------------------------------------------

static int64_t floor_day(int64_t ms)
{
    const int64_t rest = ms % DAY_MS;
    return ms - (rest < 0 ? rest + DAY_MS : rest);
}

static bool is_day(const struct campaign_window *w, int64_t day_ms)
{
    const int64_t day = (day_ms / DAY_MS + EPOCH_DAY) % WEEK_DAYS;
    return (w->days >> day & 1) != 0;
}

// When it opens next, or has opened: yesterday's may still be open.
static struct utc window_at(const struct campaign_window *w, struct utc now)
{
    const int64_t local = utc_local_ms(&w->place, now);
    const int64_t today = floor_day(local);
    const int64_t length_min =
        w->to_min > w->from_min ? w->to_min - w->from_min : 24 * 60 - w->from_min + w->to_min;
    for (int64_t day = -1; day <= WEEK_DAYS; day++) {
        const int64_t day_ms = today + day * DAY_MS;
        const int64_t from_ms = day_ms + w->from_min * (int64_t)MINUTE_MS;
        const int64_t to_ms = from_ms + length_min * MINUTE_MS;
        if (!is_day(w, day_ms) || to_ms <= local)
            continue;
        return from_ms <= local ? now : utc_of_local(&w->place, from_ms, now);
    }
    return (struct utc){0};
}

struct utc campaign_open_at(const struct campaign *c, struct utc now)
{
    struct utc first = {0};
    if (c->window_count == 0)
        return now;
    for (uint8_t i = 0; i < c->window_count; i++) {
        const struct utc at = window_at(&c->windows[i], now);
        if (at.ms != 0 && (first.ms == 0 || at.ms < first.ms))
            first = at;
    }
    return first;
}

// --- moving ----------------------------------------------------------------------------------

static void change(struct campaign *c, const struct campaign_sight *s, struct campaign_move *m,
                   uint8_t input, uint8_t why)
{
    check(campaign_input(c, input, why, s->now));
    m->is_changed = true;
    m->is_halted = input == CAMPAIGN_IN_PAUSED;
    const bool goes_on =
        !m->is_halted && !campaign_is_over(c->state) && c->state != CAMPAIGN_CHECKED;
    m->due = goes_on || c->state == CAMPAIGN_STOPPED ? s->now : (struct utc){0};
}

static void soonest(struct campaign_move *m, struct utc at)
{
    if (at.ms != 0 && (m->due.ms == 0 || at.ms < m->due.ms))
        m->due = at;
}

static uint8_t halt_of(const struct campaign *c, const struct campaign_sight *s)
{
    if (s->restored_at.ms > c->judged_from.ms)
        return CAMPAIGN_WHY_RESTORED;
    if (s->quarantined >= CAMPAIGN_QUARANTINE_MAX)
        return CAMPAIGN_WHY_QUARANTINE;
    if (s->is_storm)
        return CAMPAIGN_WHY_STORM;
    if (s->has_no_link)
        return CAMPAIGN_WHY_NO_LINK;
    const bool is_many = s->look_ended >= c->look &&
                         (uint64_t)s->look_failed * 100 > (uint64_t)c->failure_max * s->look_ended;
    return is_many ? CAMPAIGN_WHY_FAILURES : CAMPAIGN_WHY_NONE;
}

// The canary's gate, once all of it ended; NONE: passed.
static uint8_t gate_of(const struct campaign *c, const struct campaign_counts *n)
{
    const uint64_t ended = n->done + n->failed;
    if (n->done * 100 < c->success_min * ended)
        return CAMPAIGN_WHY_CANARY_SUCCESS;
    return n->rolled_back * 100 > c->rollback_max * ended ? CAMPAIGN_WHY_CANARY_ROLLBACK
                                                          : CAMPAIGN_WHY_NONE;
}

static void earn(struct campaign *c, struct utc now)
{
    const int64_t elapsed = now.ms - c->credit_at.ms;
    const int64_t ms = elapsed < 0 ? 0 : elapsed > ELAPSED_MAX_MS ? ELAPSED_MAX_MS : elapsed;
    const uint32_t most = (uint32_t)c->per_second * CREDIT_MS;
    const uint32_t cap = most < CARD_CREDIT ? CARD_CREDIT : most;
    const uint32_t sum = c->credit + (uint32_t)ms * c->per_second;
    c->credit = sum < cap ? sum : cap;
    c->credit_at = now;
}

void campaign_spend(struct campaign *c, uint32_t cards)
{
    const uint64_t spent = (uint64_t)cards * CARD_CREDIT;
    c->credit = spent < c->credit ? c->credit - (uint32_t)spent : 0;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// Since when there is no place for another one: nothing is earned meanwhile. It looks ever less
// often, because a card that is off may keep its place for hours.
static int64_t pause_ms(const struct campaign *c, struct utc now)
{
    const int64_t full_ms = now.ms - c->credit_at.ms;
    if (full_ms < 0 || full_ms > LOOK_MS)
        return LOOK_MS;
    return full_ms > TICK_MS ? full_ms : TICK_MS;
}

// How many cards now, and when the next ones.
static void ask(struct campaign *c, const struct campaign_sight *s, struct campaign_move *m,
                uint64_t room)
{
    const struct campaign_counts *n = &s->counts;
    const struct utc open_at = campaign_open_at(c, s->now);
    soonest(m, c->end_at);
    if (n->open > 0)
        soonest(m, utc_after(s->now, LOOK_MS));
    if (open_at.ms != s->now.ms) {
        soonest(m, open_at);
        return;
    }
    room = lesser(room, n->open >= c->open_max ? 0 : c->open_max - n->open);
    if (room == 0) {
        soonest(m, utc_after(s->now, n->waiting > 0 ? pause_ms(c, s->now) : LOOK_MS));
        return;
    }
    earn(c, s->now);
    m->ask = (uint32_t)lesser(lesser(c->credit / CARD_CREDIT, n->waiting),
                              lesser(room, CAMPAIGN_ASK_MAX));
    if (n->waiting == 0)
        return;
    const uint32_t missing =
        c->credit < CARD_CREDIT ? (CARD_CREDIT - c->credit) / c->per_second + 1 : 0;
    soonest(m, utc_after(s->now, missing > TICK_MS ? missing : TICK_MS));
}

static void move_scheduled(struct campaign *c, const struct campaign_sight *s,
                           struct campaign_move *m)
{
    const struct utc begin = c->start_at.ms > s->now.ms ? c->start_at : s->now;
    const struct utc open_at = campaign_open_at(c, begin);
    if (open_at.ms == s->now.ms) {
        change(c, s, m, c->is_canary_over ? CAMPAIGN_IN_TIME_FOR_ALL : CAMPAIGN_IN_TIME,
               CAMPAIGN_WHY_NONE);
        return;
    }
    soonest(m, open_at);
    soonest(m, c->end_at);
}

static void move_running(struct campaign *c, const struct campaign_sight *s,
                         struct campaign_move *m)
{
    const struct campaign_counts *n = &s->counts;
    const uint8_t halt = halt_of(c, s);
    const uint64_t asked = n->open + n->done + n->failed;
    const uint32_t canary = campaign_canary(c);
    if (n->waiting == 0 && n->open == 0) {
        change(c, s, m, CAMPAIGN_IN_ALL_ENDED, CAMPAIGN_WHY_NONE);
        return;
    }
    if (halt != CAMPAIGN_WHY_NONE) {
        change(c, s, m, CAMPAIGN_IN_PAUSED, halt);
        return;
    }
    if (c->state == CAMPAIGN_RUNNING) {
        ask(c, s, m, UINT64_MAX);
        return;
    }
    if (n->open > 0 || asked < canary) {
        ask(c, s, m, asked < canary ? canary - asked : 0);
        return;
    }
    const uint8_t gate = gate_of(c, n);
    change(c, s, m, gate == CAMPAIGN_WHY_NONE ? CAMPAIGN_IN_GATE_PASSED : CAMPAIGN_IN_PAUSED, gate);
}

void campaign_move(struct campaign *c, const struct campaign_sight *s, struct campaign_move *m)
{
    const bool is_over = c->end_at.ms != 0 && c->end_at.ms <= s->now.ms;
    *m = (struct campaign_move){.ask = 0};
    switch ((enum campaign_state)c->state) {
    case CAMPAIGN_AWAIT_APPROVAL:
        if (c->approval_until.ms <= s->now.ms)
            change(c, s, m, CAMPAIGN_IN_UNAPPROVED, CAMPAIGN_WHY_EXPIRED);
        else
            m->due = c->approval_until;
        break;
    case CAMPAIGN_SCHEDULED:
    case CAMPAIGN_CANARY:
    case CAMPAIGN_RUNNING:
        if (is_over)
            change(c, s, m, CAMPAIGN_IN_STOPPED, CAMPAIGN_WHY_TIME_OVER);
        else if (c->state == CAMPAIGN_SCHEDULED)
            move_scheduled(c, s, m);
        else
            move_running(c, s, m);
        break;
    case CAMPAIGN_DRAFT:
    case CAMPAIGN_CHECKED:
    case CAMPAIGN_PAUSED:
    case CAMPAIGN_COMPLETED:
    case CAMPAIGN_STOPPED:
        break;
    }
}

// --- cards -----------------------------------------------------------------------------------

uint8_t campaign_exclusion(const struct campaign *c, const struct record *r)
{
    if (r->state == CARD_RETIRED)
        return REFUSAL_CARD_RETIRED;
    if (r->state == CARD_IMPORTED_PARTIAL)
        return REFUSAL_CARD_PARTIAL;
    if (record_has_mark(r, MARK_QUARANTINED))
        return REFUSAL_CARD_QUARANTINED;
    if (r->dirty_since.ms != 0)
        return REFUSAL_CARD_DIRTY;
    if (record_has_mark(r, MARK_BLOCKED) && !c->with_blocked)
        return CAMPAIGN_CARD_BLOCKED;
    if (r->has_open || r->queue_len > 0 || r->audit.is_open || r->state == CARD_BOOTSTRAPPING)
        return REFUSAL_CARD_BUSY;
    return REFUSAL_NONE;
}

void campaign_stage(const struct operation *o, uint8_t *step, uint8_t *reason)
{
    const bool is_answered =
        o->has_result || o->por_at.ms != 0 || o->failure == FAILURE_POR_ERROR || o->is_enabled_seen;
    *reason = REFUSAL_NONE;
    if (o->status == STATUS_ENDED && o->outcome == OUTCOME_DONE) {
        *step = CAMPAIGN_CONFIRMED;
        *reason = CAMPAIGN_DONE;
        return;
    }
    if (o->status == STATUS_ENDED)
        *reason = (uint8_t)(CAMPAIGN_FAILURE + o->failure);
    if (is_answered)
        *step = CAMPAIGN_ANSWERED;
    else if (o->status == STATUS_DELIVERED)
        *step = CAMPAIGN_DELIVERED;
    else if (o->status == STATUS_SENT || o->status == STATUS_UNKNOWN)
        *step = CAMPAIGN_SENT;
    else
        *step = CAMPAIGN_ASKED;
}

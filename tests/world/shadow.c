// The reference model beside what a card does: every call of the applet is told to the model of the
// card, put into the state before, and what the applet did of it must be what the model does. The
// calls come here because the programs of this folder are linked with --wrap (CMakeLists.txt);
// packets are judged in oracle.c.
//
// Not judged: what a cut or failing memory left half done, starts after it (the exhaustive checker
// has them), and IMEISV.
#include "applet/toolkit.h"
#include "common/base/check.h"
#include "tests/model/model.h"
#include "tests/world/oracle.h"
#include "tests/world/world.h"

#include <stdlib.h>

#define REPORT_HEAD_LEN 6  // UDHL, IEI, its length; RPL of two octets, RHL
#define REPORT_BARE_LEN 10 // RHL without a checksum

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
void __real_applet_start(struct applet *a, const struct applet_port *port);
void __wrap_applet_start(struct applet *a, const struct applet_port *port);
void __real_applet_profile(struct applet *a, const struct applet_port *port, struct bytes profile);
void __wrap_applet_profile(struct applet *a, const struct applet_port *port, struct bytes profile);
enum applet_sms_answer __real_applet_sms(struct applet *a, const struct applet_port *port,
                                         struct bytes tpdu, struct writer *report);
enum applet_sms_answer __wrap_applet_sms(struct applet *a, const struct applet_port *port,
                                         struct bytes tpdu, struct writer *report);
void __real_applet_event(struct applet *a, const struct applet_port *port, enum cat_envelope kind,
                         const struct cat_message *event);
void __wrap_applet_event(struct applet *a, const struct applet_port *port, enum cat_envelope kind,
                         const struct cat_message *event);
void __real_applet_location(struct applet *a, const struct applet_port *port,
                            enum cat_location_status status, const uint8_t *plmn);
void __wrap_applet_location(struct applet *a, const struct applet_port *port,
                            enum cat_location_status status, const uint8_t *plmn);
void __real_applet_status(struct applet *a, const struct applet_port *port);
void __wrap_applet_status(struct applet *a, const struct applet_port *port);
void __real_applet_imsi_read(struct applet *a, const struct applet_port *port);
void __wrap_applet_imsi_read(struct applet *a, const struct applet_port *port);
bool __real_applet_fetch(struct applet *a, const struct applet_port *port, struct writer *w);
bool __wrap_applet_fetch(struct applet *a, const struct applet_port *port, struct writer *w);
void __real_applet_terminal_response(struct applet *a, const struct applet_port *port,
                                     struct bytes response);
void __wrap_applet_terminal_response(struct applet *a, const struct applet_port *port,
                                     struct bytes response);
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

// --- before and after a call -------------------------------------------------------------------

// The committed state of each card, as long as nothing was written since.
struct known {
    bool is_known;
    uint32_t written;
    struct applet_dump dump;
    struct lapse lapse;    // of its memory
    bool is_started;       // since it took its last packet
    struct instant undone; // when the last wait for a CONFIRM was over; 0: never
};

static struct world *world; // one at a time
static struct known *known;
static struct applet before;
static struct model_card model;

void shadow_open(struct world *w)
{
    world = w;
    known = calloc(w->cards, sizeof *known);
    check(known != NULL);
}

void shadow_close(struct world *w)
{
    check(world == w);
    free(known);
    known = NULL;
    world = NULL;
}

// Whose applet this is; `cards` if it is nobody's here.
static uint32_t card_with(const struct applet *a)
{
    if (world == NULL)
        return 0;
    for (uint32_t i = 0; i < world->cards; i++) {
        if (&world->devices[i].card.applet == a)
            return i;
    }
    return world->cards;
}

static bool has_failed(const struct nvm *nvm)
{
    return nvm->is_cut || nvm_met_error(nvm);
}

static bool look(uint32_t card, const struct applet *a, const struct applet_port *port)
{
    struct known *k = &known[card];
    const struct nvm *nvm = &world->devices[card].card.nvm;
    if (!k->is_known || k->written != nvm->written) {
        k->is_known = nvm->written > 0 && !nvm->is_cut && applet_dump(a, port, &k->dump);
        k->written = nvm->written;
    }
    k->dump.mt_counter = a->mt_counter;
    k->dump.mo_counter = a->mo_counter;
    return k->is_known;
}

static bool is_behind(struct known *k, const struct nvm *nvm)
{
    return lapse_goes_on(&k->lapse, nvm, lapse_is_new(&k->lapse, nvm));
}

// A memory that failed may leave a switch open that the card does not work on any more, or the
// other way round; its next start puts that right.
static bool is_whole(const struct applet *a, const struct image *image)
{
    const bool is_working = a->state == SWITCH_SWITCHING || a->state == SWITCH_PROBATION ||
                            a->state == SWITCH_CONFIRMING;
    return is_working == (image->journal.phase != JOURNAL_NONE);
}

// Puts the model into the state of the card. False: what comes now cannot be judged.
static bool take(uint32_t card, const struct applet *a, const struct applet_port *port)
{
    const bool is_able = !a->is_dead && !a->is_blocked && !a->is_late;
    if (!is_able || a->fired != 0 || !look(card, a, port))
        return false;
    before = *a;
    oracle_take(world, card, a, &known[card].dump, &model);
    return true;
}

// The same for what is no packet.
static bool begin(uint32_t card, const struct applet *a, const struct applet_port *port)
{
    return !is_behind(&known[card], &world->devices[card].card.nvm) && take(card, a, port) &&
           is_whole(a, &known[card].dump.image);
}

static bool begin_call(const struct applet *a, const struct applet_port *port, bool is_able)
{
    const uint32_t card = card_with(a);
    if (world == NULL || card == world->cards)
        return false;
    world->result.judged.steps[JUDGED_CALLS]++;
    return is_able && begin(card, a, port);
}

static void end(const struct applet *a, const struct applet_port *port, const char *event)
{
    const uint32_t card = card_with(a);
    if (is_behind(&known[card], &world->devices[card].card.nvm) || !look(card, a, port))
        return;
    world->result.judged.judged[JUDGED_CALLS]++;
    oracle_follow(&model, a);
    const char *text = model_differs(&model, a, &known[card].dump);
    if (text != NULL)
        world_violate(world, "as_the_model", card, "%s: %s, in state %u", event, text,
                      before.state);
}

// --- packets -----------------------------------------------------------------------------------

#define TICK_MS 30000 // between two STATUS

// Before a packet: a confirmation that comes at the end of the last wait.
static bool is_just_in_time(uint32_t card, const struct applet *a)
{
    const struct instant due = world->devices[card].timers[CLOCK_NOTIFY];
    const struct known *k = &known[card];
    const bool is_last = k->is_known && a->notify_attempt >= k->dump.image.parameters.wait_count;
    return a->state == SWITCH_CONFIRMING && is_last && due.ms >= world->now.ms &&
           due.ms - world->now.ms <= TICK_MS;
}

static void look_for_rare(uint32_t card, const struct applet *a, uint64_t counter, bool is_near)
{
    struct known *k = &known[card];
    struct probes *p = &world->result.probes;
    const bool is_taken = a->mt_counter != counter;
    const bool is_confirm = oracle_command() == COMMAND_CONFIRM;
    const bool is_past = k->undone.ms != 0 && world->now.ms - k->undone.ms <= TICK_MS;
    probes_card(p, PROBE_AGAIN, !is_taken && k->is_started && oracle_counter() == counter);
    probes_card(p, PROBE_JUST_IN_TIME,
                is_taken && is_confirm && is_near && a->state != SWITCH_CONFIRMING);
    probes_card(p, PROBE_JUST_TOO_LATE,
                is_taken && is_confirm && is_past &&
                    k->dump.image.last.code == RESULT_CONFIRM_TOO_LATE);
    k->is_started &= !is_taken;
}

// False: it could not be judged.
static bool end_packet(const struct applet *a, const struct applet_port *port,
                       const struct applet_dump *was)
{
    const uint32_t card = card_with(a);
    const struct nvm *nvm = &world->devices[card].card.nvm;
    struct known *k = &known[card];
    const uint32_t written = k->written;
    const bool has_met = lapse_is_new(&k->lapse, nvm);
    (void)lapse_goes_on(&k->lapse, nvm, has_met);
    k->is_known = k->is_known && !has_met;
    if (!look(card, a, port))
        return false;
    const struct oracle_step step = {.before = &before,
                                     .after = a,
                                     .before_dump = was,
                                     .after_dump = &k->dump,
                                     .port = port,
                                     .has_written = has_met || k->written != written,
                                     .has_failed = has_met};
    oracle_packet(world, card, &step, &model);
    return true;
}

// A report that is secured: its header is longer than that of one which is not [102.225 §5.2].
static bool is_keyed(struct bytes report)
{
    return report.len > REPORT_HEAD_LEN && report.at[REPORT_HEAD_LEN - 1] > REPORT_BARE_LEN;
}

// What is made with a key and drawn by a packet whose MAC is wrong tells somebody of the key.
static void judge_silence(uint32_t card, const struct applet *a, const struct applet_answer *former,
                          bool is_reported, struct bytes report)
{
    const struct applet_answer *n = &a->answer;
    const bool is_another = !former->is_wanted || former->counter != n->counter ||
                            former->status != n->status || former->spi2 != n->spi2;
    if ((is_reported && is_keyed(report)) || (n->is_wanted && is_another))
        world_violate(world, "mac_first", card, "a packet without a right MAC drew an answer");
}

enum applet_sms_answer __wrap_applet_sms(struct applet *a, const struct applet_port *port,
                                         struct bytes tpdu, struct writer *report)
{
    static struct applet_dump was;
    const uint32_t card = card_with(a);
    const bool is_packet = world != NULL && card < world->cards && oracle_open(world, card, tpdu);
    const uint64_t counter = a->mt_counter;
    // Also of a card whose memory failed: it believes and does nothing else for that.
    if (is_packet)
        (void)is_behind(&known[card], &world->devices[card].card.nvm);
    const bool is_near = is_packet && is_just_in_time(card, a);
    bool is_judged = is_packet && take(card, a, port);
    if (is_judged)
        was = known[card].dump;
    const struct applet_answer former = a->answer;
    const enum applet_sms_answer out = __real_applet_sms(a, port, tpdu, report);
    if (is_packet && !oracle_has_mac())
        judge_silence(card, a, &former, out == APPLET_SMS_REPORT, writer_bytes(report));
    is_judged = is_judged && end_packet(a, port, &was);
    if (is_packet) {
        look_for_rare(card, a, counter, is_near);
        judged_note(&world->result.judged,
                    a->mt_counter != counter ? JUDGED_PACKETS : JUDGED_REFUSED, is_judged);
    }
    return out;
}

// --- time --------------------------------------------------------------------------------------

// Is this clock over with the next STATUS? A terminal without timers is counted by them; one whose
// timer has not come by 1.5 times its length is taken as having sent it.
static bool is_over_by_status(const struct applet *a, unsigned use)
{
    const struct applet_clock *c = &a->clocks[use];
    const bool is_counted = (a->terminal & TERMINAL_TIMERS) == 0 || a->is_by_status;
    const uint32_t piece = c->left_s < 43200 ? c->left_s : 43200;
    if (c->left_s == 0)
        return false;
    if (is_counted)
        return c->left_s <= a->poll_period_s;
    return piece == c->left_s && 2 * (c->status_s + a->poll_period_s) >= 3 * piece;
}

static bool is_over_by_timer(const struct applet *a, unsigned use)
{
    const struct applet_clock *c = &a->clocks[use];
    return c->left_s > 0 && c->is_told && c->left_s <= c->armed_s;
}

static void run_out(unsigned use)
{
    switch ((enum applet_clock_use)use) {
    case CLOCK_STATE:
        model_clock(&model);
        break;
    case CLOCK_NOTIFY:
        model_notify(&model);
        break;
    case CLOCK_COUNTRY:
        model_country(&model);
        break;
    case CLOCK_SLOW:
        model_tick(&model);
        break;
    case CLOCK_LOCK:
    case CLOCK_JOIN:
        break;
    }
}

// So much of a clock of the model passes.
static void pass(unsigned use, uint32_t seconds)
{
    struct model_time *const clocks[] = {[CLOCK_STATE] = &model.clock,
                                         [CLOCK_NOTIFY] = &model.notify,
                                         [CLOCK_COUNTRY] = &model.country_clock};
    if (use >= sizeof clocks / sizeof clocks[0] || !clocks[use]->is_on)
        return;
    struct model_time *t = clocks[use];
    t->min_s -= seconds < t->min_s ? seconds : t->min_s;
    t->max_s -= seconds < t->max_s ? seconds : t->max_s;
}

// What a STATUS lets pass of a clock that is not over with it: the period, where nothing else
// counts, or a part of a long one, of which the timer did not come.
static uint32_t passed_by_status(const struct applet *a, unsigned use)
{
    const struct applet_clock *c = &a->clocks[use];
    if ((a->terminal & TERMINAL_TIMERS) == 0 || a->is_by_status)
        return a->poll_period_s;
    return c->left_s > 43200 && 2 * (c->status_s + a->poll_period_s) >= 3 * 43200u ? 43200 : 0;
}

// The time of a confirmation is over.
static void note_undone(const struct applet *a, uint8_t former)
{
    const uint32_t card = card_with(a);
    if (world != NULL && card < world->cards && former == SWITCH_CONFIRMING &&
        a->state != SWITCH_CONFIRMING)
        known[card].undone = world->now;
}

void __wrap_applet_status(struct applet *a, const struct applet_port *port)
{
    unsigned count = 0;
    unsigned use = 0;
    for (unsigned i = 0; i < APPLET_CLOCKS; i++) {
        const bool is_over = is_over_by_status(a, i);
        use = is_over ? i : use;
        count += is_over;
    }
    // Of two that are over at once the order is the card's.
    const bool is_judged = count > 0 && begin_call(a, port, count == 1 && a->command == 0);
    const uint8_t state = a->state;
    __real_applet_status(a, port);
    note_undone(a, state);
    if (!is_judged)
        return;
    for (unsigned i = 0; i < APPLET_CLOCKS; i++) {
        if (i != use)
            pass(i, passed_by_status(&before, i));
    }
    run_out(use);
    end(a, port, "STATUS");
}

// --- what the terminal tells ---------------------------------------------------------------------

static void take_event(enum cat_envelope kind, const struct cat_message *e)
{
    const uint8_t *plmn = (e->has & CAT_HAS_LOCATION) != 0 ? e->location.plmn : NULL;
    if (kind == CAT_TIMER_EXPIRATION) {
        const unsigned use = e->timer - 1u;
        if (use < APPLET_CLOCKS && is_over_by_timer(&before, use))
            run_out(use);
        else if (use < APPLET_CLOCKS && before.clocks[use].is_told)
            pass(use, before.clocks[use].armed_s);
    } else if (kind == CAT_EVENT_DOWNLOAD && cat_event_of(e) == CAT_EVENT_LOCATION_STATUS) {
        if ((e->has & CAT_HAS_LOCATION_STATUS) != 0)
            model_location(&model, (enum cat_location_status)e->location_status, plmn);
    } else if (kind == CAT_EVENT_DOWNLOAD && cat_event_of(e) == CAT_EVENT_NETWORK_REJECTION) {
        if ((e->has & CAT_HAS_REJECTION_CAUSE) != 0)
            model_rejection(&model, e->rejection_cause);
    }
}

void __wrap_applet_event(struct applet *a, const struct applet_port *port, enum cat_envelope kind,
                         const struct cat_message *event)
{
    // A tick that leads to nothing comes every five minutes.
    const bool is_tick = kind == CAT_TIMER_EXPIRATION && event->timer == APPLET_TICK_TIMER;
    const bool is_quiet = is_tick && (a->due_s == 0 || a->due_s > a->now_s + APPLET_TICK_S);
    const bool is_judged = !is_quiet && begin_call(a, port, true);
    const uint8_t state = a->state;
    __real_applet_event(a, port, kind, event);
    note_undone(a, state);
    if (!is_judged)
        return;
    take_event(kind, event);
    end(a, port, kind == CAT_TIMER_EXPIRATION ? "TIMER EXPIRATION" : "EVENT DOWNLOAD");
}

void __wrap_applet_location(struct applet *a, const struct applet_port *port,
                            enum cat_location_status status, const uint8_t *plmn)
{
    const bool is_judged = begin_call(a, port, true);
    __real_applet_location(a, port, status, plmn);
    if (!is_judged)
        return;
    model_location(&model, status, plmn);
    end(a, port, "EF.LOCI");
}

void __wrap_applet_imsi_read(struct applet *a, const struct applet_port *port)
{
    const bool is_judged = begin_call(a, port, true);
    __real_applet_imsi_read(a, port);
    if (!is_judged)
        return;
    model_imsi_read(&model);
    end(a, port, "EF.IMSI");
}

void __wrap_applet_start(struct applet *a, const struct applet_port *port)
{
    const uint32_t card = card_with(a);
    bool is_judged = world != NULL && card < world->cards;
    if (is_judged) {
        known[card].is_started = true;
        world->result.judged.steps[JUDGED_CALLS]++;
        const struct nvm *nvm = &world->devices[card].card.nvm;
        const struct known *k = &known[card];
        is_judged = k->is_known && k->written == nvm->written && !has_failed(nvm);
    }
    if (is_judged) {
        before = *a;
        oracle_take(world, card, a, &known[card].dump, &model);
    }
    __real_applet_start(a, port);
    if (!is_judged || a->is_dead || a->is_blocked || a->is_late)
        return;
    model_start(&model);
    end(a, port, "start");
}

void __wrap_applet_profile(struct applet *a, const struct applet_port *port, struct bytes profile)
{
    const bool is_judged = begin_call(a, port, true);
    __real_applet_profile(a, port, profile);
    if (!is_judged)
        return;
    model_profile(&model, a->terminal);
    end(a, port, "TERMINAL PROFILE");
}

// --- proactive commands
// ----------------------------------------------------------------------------

bool __wrap_applet_fetch(struct applet *a, const struct applet_port *port, struct writer *w)
{
    const bool may_refresh = (a->todo & TODO_REFRESH) != 0;
    const uint32_t card = card_with(a);
    const bool is_step = may_refresh && world != NULL && card < world->cards;
    const bool is_judged = is_step && begin(card, a, port);
    const bool is_there = __real_applet_fetch(a, port, w);
    if (is_step && a->command == CAT_REFRESH)
        world->result.judged.steps[JUDGED_CALLS]++;
    if (!is_judged || a->command != CAT_REFRESH)
        return is_there;
    model_refresh_fetched(&model);
    end(a, port, "FETCH of REFRESH");
    return is_there;
}

static bool tells_imei(uint8_t command, const struct cat_message *r)
{
    return command == CAT_PROVIDE_LOCAL_INFORMATION && r->qualifier != CAT_INFORMATION_LOCATION &&
           (r->has & CAT_HAS_IMEI) != 0;
}

void __wrap_applet_terminal_response(struct applet *a, const struct applet_port *port,
                                     struct bytes response)
{
    const uint8_t command = a->command;
    struct cat_message r;
    const bool is_read = cat_read_response(response, &r) == CAT_OK;
    const bool is_wanted = command == CAT_REFRESH || command == CAT_SEND_SHORT_MESSAGE ||
                           (is_read && tells_imei(command, &r));
    const bool is_judged = is_wanted && begin_call(a, port, true);
    __real_applet_terminal_response(a, port, response);
    if (!is_judged)
        return;
    if (command == CAT_REFRESH)
        model_refresh_answered(&model, is_read && cat_result_is_done(r.result));
    else if (command == CAT_PROVIDE_LOCAL_INFORMATION)
        model_imei(&model, r.imei);
    else if (before.answer.is_wanted && !a->answer.is_wanted)
        model_answer_sent(&model);
    else if (before.is_heartbeat_due && !a->is_heartbeat_due)
        model_heartbeat_left(&model);
    end(a, port, "TERMINAL RESPONSE");
}

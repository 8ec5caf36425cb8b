// A campaign over all cards of a world (--campaign, on SQLite): people check and start it, pause
// it, go on, stop it, while everything else goes wrong. What must hold of it: its target is frozen,
// its rate and its canary are kept, nobody is asked in a pause or twice, and the numbers add up.
#include "tests/world/campaign.h"

#include "common/base/check.h"
#include "ota-server/service/campaign_run.h"
#include "tests/world/world.h"

#define FIRST_MS 1800000
#define PACE_MS 7200000
#define QUICK_MS 3000 // while cards are asked, and a while
#define QUICK_MAX 12
#define CAMPAIGN 1
#define OPEN_MAX 2
#define ATTACH_S 300

// One world at a time.
static struct {
    struct campaign_runner *runner; // of the present life
    struct campaign campaign;       // as it is in the database
    uint8_t hash[32];               // when its target was frozen
    uint32_t targeted;
    bool is_made;
    bool is_writing;   // what was wanted last has not been done
    uint8_t wanted;    // enum campaign_input
    unsigned inputs;   // of people since its start
    uint8_t state;     // when it was looked at last
    uint64_t asked;    // operations then
    uint64_t asked_ms; // when the last one was asked, as the server counts time
} saga;

// --- what people do ----------------------------------------------------------------------------

static void make(void)
{
    struct campaign *c = &saga.campaign;
    struct parameters p;
    struct writer list = writer_of(c->operation.list, sizeof c->operation.list);
    campaign_init(c, CAMPAIGN);
    c->actor = (struct actor){ACTOR_USER, 1};
    c->operation.kind = OPERATION_SET_TIMERS;
    parameters_default(&p);
    p.attach_s = ATTACH_S;
    check(parameter_write(&list, &p, PARAMETER_T_ATTACH));
    c->operation.list_len = (uint16_t)list.len;
    c->per_second = 1;
    c->open_max = OPEN_MAX;
    c->ttl_s = 3600;
    c->canary_count = 1;
}

static const struct campaign_by by = {.actor = {.kind = ACTOR_USER, .id = 1}};

static enum store_status check_it(void *context, struct store *s, struct utc now)
{
    static const uint8_t seed[32];
    struct world *w = context;
    struct card_filter all;
    bool is_done = false;
    make();
    card_filter_init(&all);
    enum store_status status = store_campaign_take(s, saga.campaign.id, &all, CAMPAIGN_CARDS_MAX);
    campaign_check_begin(&saga.campaign, seed);
    while (status == STORE_OK && !is_done)
        status = campaign_check_some(saga.runner, w->server.turn, &saga.campaign, now, &is_done);
    return status == STORE_OK
               ? campaign_act(saga.runner, &saga.campaign, CAMPAIGN_IN_CHECKED, &by, now)
               : status;
}

static enum store_status act(void *context, struct store *s, struct utc now)
{
    (void)context;
    const enum store_status status = store_campaign_get(s, saga.campaign.id, &saga.campaign);
    return status == STORE_OK ? campaign_act(saga.runner, &saga.campaign, saga.wanted, &by, now)
                              : status;
}

static void made(void *context, enum store_status status)
{
    struct world *w = context;
    world_note(w, "campaign", "checked=%d", status == STORE_OK);
    saga.is_writing = false;
    if (status != STORE_OK)
        return; // it is tried again
    saga.is_made = true;
    saga.targeted = saga.campaign.targeted;
    memcpy(saga.hash, saga.campaign.hash, sizeof saga.hash);
}

static void acted(void *context, enum store_status status)
{
    world_note(context, "campaign", "input=%u done=%d", saga.wanted, status == STORE_OK);
    saga.is_writing = false;
}

// In the order of their words in a story; CHECKED: the target is taken first.
static const uint8_t inputs[] = {CAMPAIGN_IN_CHECKED, CAMPAIGN_IN_STARTED, CAMPAIGN_IN_PAUSED,
                                 CAMPAIGN_IN_RESUMED, CAMPAIGN_IN_STOPPED};
enum move { MOVE_CHECK, MOVE_START, MOVE_PAUSE, MOVE_RESUME, MOVE_STOP, MOVES };
_Static_assert(sizeof inputs == MOVES, "every move is an input");

// Without it nothing goes on; MOVES: nothing.
static enum move needed(void)
{
    if (!saga.is_made)
        return MOVE_CHECK;
    return saga.state == CAMPAIGN_CHECKED  ? MOVE_START
           : saga.state == CAMPAIGN_PAUSED ? MOVE_RESUME
                                           : MOVES;
}

static void make_move(struct world *w, uint32_t move)
{
    if (!server_is_awake(w) || saga.is_writing || move >= MOVES ||
        (move == MOVE_CHECK) == saga.is_made)
        return;
    saga.is_writing = true;
    saga.wanted = inputs[move];
    saga.inputs += move != MOVE_CHECK;
    check(turn_write(w->server.turn, move == MOVE_CHECK ? check_it : act,
                     move == MOVE_CHECK ? made : acted, w));
}

static void act_deed(struct world *w, const struct deed *d)
{
    make_move(w, d->what);
}

// What a person does about it in this state.
static enum move draw_move(struct world *w)
{
    if (!saga.is_made)
        return MOVE_CHECK;
    const uint64_t drawn = prng_below(&w->chance_campaign, 16);
    if (needed() != MOVES || campaign_is_over(saga.state))
        return needed();
    return drawn == 0 ? MOVE_STOP : drawn < 8 ? MOVE_PAUSE : MOVES;
}

static uint64_t pause_ms(struct world *w)
{
    const bool is_quick =
        saga.inputs > 0 && saga.inputs < QUICK_MAX && !campaign_is_over(saga.state);
    return world_delay(&w->chance_campaign, is_quick ? QUICK_MS : PACE_MS);
}

// When all is calm it is brought to its end, also that of a story.
static void happen(struct world *w)
{
    if (w->is_settling) {
        make_move(w, needed());
    } else if (server_is_awake(w)) {
        const enum move move = draw_move(w);
        if (move != MOVES)
            world_do(w, &(struct deed){.kind = DEED_CAMPAIGN, .what = move});
    }
    agenda_add(&w->agenda, instant_after(w->now, pause_ms(w)), HAPPENS_CAMPAIGN, 0, 0);
}

static void begin(struct world *w)
{
    memset(&saga, 0, sizeof saga);
    prng_init(&w->chance_campaign, w->options.seed, "world campaign", 0);
    if (w->options.story == NULL)
        agenda_add(&w->agenda, instant_after(w->now, FIRST_MS), HAPPENS_CAMPAIGN, 0, 0);
}

// From here on nothing depends on what was drawn before, so that a story ends as it was recorded.
static void calm(struct world *w)
{
    prng_init(&w->chance_campaign, w->options.seed, "world campaign", 1);
    agenda_forget(&w->agenda, HAPPENS_CAMPAIGN);
    agenda_add(&w->agenda, instant_after(w->now, FIRST_MS), HAPPENS_CAMPAIGN, 0, 0);
}

static bool no_operation(void *context, uint64_t card, const struct operation *o)
{
    (void)context;
    (void)card;
    (void)o;
    return false;
}

static uint64_t count_asked(const struct world *w)
{
    struct operation_filter filter;
    uint64_t total = 0;
    operation_filter_init(&filter);
    filter.campaign = saga.campaign.id;
    const struct store_page page = {.limit = 1};
    check(store_operations(w->server.store, &filter, &page, no_operation, NULL, &total) ==
          STORE_OK);
    return total;
}

// What a life of the server finds: its last one may have ended before it said what it committed,
// and a database that was put back tells of an earlier day, perhaps of one before the campaign.
static void find_again(struct world *w)
{
    struct campaign found;
    const enum store_status status = store_campaign_get(w->server.store, CAMPAIGN, &found);
    check(status == STORE_OK || (status == STORE_NONE && (!saga.is_made || w->server.is_put_back)));
    const bool is_checked = status == STORE_OK && found.state >= CAMPAIGN_CHECKED;
    if (is_checked && !saga.is_made) {
        saga.targeted = found.targeted;
        memcpy(saga.hash, found.hash, sizeof saga.hash);
    }
    saga.is_made = is_checked;
    saga.is_writing = false;
    if (is_checked && w->server.is_put_back) {
        saga.campaign = found;
        saga.state = found.state;
        saga.asked = count_asked(w);
    }
}

static void join(struct world *w, struct turn_options *options)
{
    find_again(w);
    saga.runner = campaign_runner_open(w->server.store, w->server.crypto.store.cipher);
    check(saga.runner != NULL);
    options->campaign = campaign_run;
    options->campaign_context = saga.runner;
}

static void leave(struct world *w)
{
    (void)w;
    campaign_runner_close(saga.runner);
    saga.runner = NULL;
}

// --- what must hold ----------------------------------------------------------------------------

// One a second: nothing is saved up for more than one.
static void check_asked(struct world *w, uint64_t asked, const struct campaign_counts *n)
{
    const uint64_t now_ms = w->now.ms + w->server.skipped_ms;
    const uint64_t more = asked - saga.asked;
    const bool is_still = saga.state == saga.campaign.state &&
                          !(saga.state == CAMPAIGN_CANARY || saga.state == CAMPAIGN_RUNNING);
    if (more == 0)
        return;
    if (is_still)
        world_violate(w, "campaign_waits", 0, "%llu cards were asked in state %u",
                      (unsigned long long)more, saga.state);
    if (more > 1 || (saga.asked > 0 && now_ms - saga.asked_ms < 1000))
        world_violate(w, "campaign_rate", 0, "%llu cards after %llu ms", (unsigned long long)more,
                      (unsigned long long)(now_ms - saga.asked_ms));
    if (n->open > OPEN_MAX)
        world_violate(w, "campaign_open", 0, "%llu operations are open",
                      (unsigned long long)n->open);
    saga.asked_ms = now_ms;
}

static void look(struct world *w)
{
    struct campaign_counts n;
    uint64_t sum = 0;
    if (!saga.is_made)
        return;
    check(store_campaign_get(w->server.store, saga.campaign.id, &saga.campaign) == STORE_OK);
    check(campaign_counts_of(w->server.store, saga.campaign.id, &n) == STORE_OK);
    for (unsigned i = 0; i < CAMPAIGN_STEPS; i++)
        sum += n.by_step[i];
    if (sum != saga.targeted || saga.campaign.targeted != saga.targeted ||
        memcmp(saga.hash, saga.campaign.hash, sizeof saga.hash) != 0)
        world_violate(w, "campaign_frozen", 0, "%llu cards of %u", (unsigned long long)sum,
                      saga.targeted);
    const uint64_t asked = count_asked(w);
    check_asked(w, asked, &n);
    if (saga.state != saga.campaign.state)
        world_note(w, "campaign", "state=%s asked=%llu", campaign_state_name(saga.campaign.state),
                   (unsigned long long)asked);
    saga.asked = asked;
    saga.state = saga.campaign.state;
}

// --- the end -----------------------------------------------------------------------------------

struct funnel {
    struct world *w;
    unsigned operations[WORLD_CARDS_MAX];
    struct utc second; // when the last one but the first was asked; they come newest first
    struct operation first;
    const char *why;
};

static bool count_operation(void *context, uint64_t card, const struct operation *o)
{
    struct funnel *f = context;
    f->operations[card_of(f->w, card)]++;
    f->second = f->first.created_at;
    f->first = *o;
    return true;
}

// A row says what became of its operation.
static bool see_row(void *context, const struct campaign_row *row)
{
    struct funnel *f = context;
    struct operation o;
    uint64_t unused;
    const unsigned operations = f->operations[card_of(f->w, row->card)];
    if (operations > 1)
        f->why = "a card was asked twice";
    if ((row->operation != 0) != (operations == 1))
        f->why = "a row and the operations differ";
    if (row->operation == 0)
        return f->why == NULL;
    check(store_operation_get(f->w->server.store, row->operation, &o, &unused) == STORE_OK);
    if (o.status != STATUS_ENDED)
        f->why = row->reason == 0 ? f->why : "a row ended before its operation";
    else if ((o.outcome == OUTCOME_DONE) != (row->reason == CAMPAIGN_DONE))
        f->why = "a row says another end than its operation";
    else if (row->reason == 0)
        f->why = "a row did not notice the end";
    return f->why == NULL;
}

static const char *end(struct world *w)
{
    struct funnel f = {.w = w};
    struct operation_filter filter;
    uint64_t total = 0;
    if (!saga.is_made)
        return "the campaign was never checked";
    operation_filter_init(&filter);
    filter.campaign = saga.campaign.id;
    const struct store_page page = {.limit = 1000};
    const struct campaign_card_filter rows = {
        .campaign = saga.campaign.id, .step_to = CAMPAIGN_CONFIRMED, .reason_to = UINT8_MAX};
    check(store_operations(w->server.store, &filter, &page, count_operation, &f, &total) ==
          STORE_OK);
    check(store_campaign_cards(w->server.store, &rows, &page, see_row, &f, NULL) == STORE_OK);
    // The canary ends before the others begin; one that was cancelled or refused does not count.
    const bool counts = f.first.outcome == OUTCOME_DONE || f.first.outcome == OUTCOME_FAILED;
    if (f.why == NULL && counts && w->server.skipped_ms == 0 && w->server.clock_ms == 0 &&
        f.second.ms != 0 && f.second.ms < f.first.ended_at.ms)
        f.why = "the others did not wait for the canary";
    struct campaign_counts n;
    check(campaign_counts_of(w->server.store, saga.campaign.id, &n) == STORE_OK);
    const bool is_halted = saga.state == CAMPAIGN_PAUSED && saga.campaign.why > CAMPAIGN_WHY_PERSON;
    if (f.why == NULL && !campaign_is_over(saga.state) && !is_halted)
        f.why = "the campaign is under way";
    if (f.why == NULL && saga.state == CAMPAIGN_COMPLETED && n.waiting + n.open > 0)
        f.why = "the campaign is complete, and somebody waits";
    return f.why;
}

const struct world_campaigns world_campaigns = {begin,    join, leave, happen,
                                                act_deed, calm, look,  end};

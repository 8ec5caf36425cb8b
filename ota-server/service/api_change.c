// Changes: what is written in a turn, or asked of a card in one, and answered after its commit.
#include "common/base/check.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/meter.h"

#include <stdlib.h>

// The status that the answer to this change will have.
static unsigned status_to_be(const struct api_exchange *x, const struct turn_answer *answer)
{
    if (x->is_refused)
        return 403;
    return answer == NULL || answer->refusal == REFUSAL_NONE
               ? 200
               : api_code_status(api_refusal(answer->refusal).code);
}

// A change without the answer that was to be kept would be made twice. Is there one, and it is not?
static bool has_lost_answer(const struct api_exchange *x, const struct turn_answer *answer)
{
    const bool goes_on = x->status == 0; // after this commit
    const bool is_refused = x->status >= 400 && x->status < 500;
    const bool is_done = answer == NULL || answer->refusal == REFUSAL_NONE;
    return !x->is_composed && is_done && !is_refused && !goes_on;
}

// The answer is made and kept in the transaction of its change: a crash leaves both or neither.
static enum store_status compose(struct api_exchange *x, struct store *store,
                                 const struct turn_answer *answer)
{
    if (x->key_name[0] == '\0')
        return meter_changed(x, store, status_to_be(x, answer));
    if (!api_stored_compose(x, store))
        return STORE_CONFLICT;
    if (answer != NULL)
        x->answered(x, answer);
    else
        x->reply(x);
    const enum store_status status = api_stored_compose_end(x);
    if (status == STORE_OK && has_lost_answer(x, answer)) {
        if (x->status < 500)
            x->problem = api_problem_of(API_INTERNAL);
        return STORE_FAILED;
    }
    return status == STORE_OK && x->is_composed ? meter_changed(x, store, x->status) : status;
}

// The turn undoes what the database failed amid: what it did not find then may be there.
static void judge_failures(struct api_exchange *x, const struct store *store, uint64_t before)
{
    if (store_failures(store) == before)
        return;
    x->problem = api_problem_of(API_UNAVAILABLE);
    x->is_dry_done = false;
}

// Before the change of a dry run is undone: what its answer would be. What goes on with another
// change ends with 200.
static void try_reply(struct api_exchange *x, struct store *store)
{
    api_start_answer(x);
    x->status = 0;
    x->reader = store;
    x->is_composing = true;
    x->reply(x);
    x->is_composing = false;
    x->reader = x->api->options.reader;
    x->location[0] = '\0'; // of what will not be there
    x->would_answer = x->status == 0 ? 200 : x->status;
    x->is_dry_done = x->would_answer < 400;
}

static enum store_status apply_change(struct api_exchange *x, struct store *store, struct utc now)
{
    const enum store_status status = x->apply(x, store, now);
    if (status != STORE_OK)
        return status;
    if (!x->is_dry_run)
        return compose(x, store, NULL);
    try_reply(x, store);
    return STORE_CONFLICT; // so that it is undone
}

static enum store_status apply_in_turn(void *context, struct store *store, struct utc now)
{
    struct api_exchange *x = context;
    const uint64_t failures = store_failures(store);
    x->problem = api_problem_of(API_OK);
    const enum store_status status = apply_change(x, store, now);
    judge_failures(x, store, failures);
    return status;
}

void api_reply_plan(struct api_exchange *x, unsigned status)
{
    const bool waits = x->approval != NULL && x->approval->document.state == APPROVAL_OPEN;
    free(x->rest); // of the answer in pieces that the real call has
    x->rest = NULL;
    x->more = NULL;
    json_begin_object(&x->json);
    api_put_bool(&x->json, "dryRun", true);
    api_put_number(&x->json, "wouldAnswer", status);
    api_put_number(&x->json, "approvalsNeeded", waits);
    json_end_object(&x->json);
    api_reply(x, 200);
}

static void after_turn(void *context, enum store_status status)
{
    struct api_exchange *x = context;
    meter_settled(x, status == STORE_OK);
    if (status == STORE_OK && x->committed != NULL)
        x->committed(x);
    if (status == STORE_OK && x->is_composed) {
        api_stored_deliver(x);
        return;
    }
    x->is_composed = false;
    api_start_answer(x);
    if (x->is_dry_done)
        api_reply_plan(x, x->would_answer);
    else if (x->problem.code != API_OK)
        api_refuse(x, x->problem);
    else if (status != STORE_OK)
        api_refuse_store(x, status);
    else
        x->reply(x);
}

// What it reads is what the transaction sees.
static enum store_status work_in_turn(struct api_exchange *x, struct store *store, struct utc now)
{
    x->apply = NULL;
    x->reader = store;
    x->is_in_turn = true;
    x->in_turn(x);
    x->is_in_turn = false;
    check(x->problem.code != API_OK || x->apply != NULL);
    const enum store_status status =
        x->problem.code == API_OK ? x->apply(x, store, now) : STORE_CONFLICT;
    x->reader = x->api->options.reader;
    return status;
}

void api_in_turn(struct api_exchange *x, void (*handle)(struct api_exchange *x))
{
    free(x->work); // it is loaded there
    x->work = NULL;
    x->in_turn = handle;
    api_commit(x, work_in_turn, NULL);
}

enum store_status api_keep_nothing(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)x;
    (void)store;
    (void)now;
    return STORE_OK;
}

void api_commit(struct api_exchange *x, api_apply_fn *apply, void (*reply)(struct api_exchange *x))
{
    if (x->is_composing || x->is_showing)
        return;             // it goes on after this commit, where the reply is asked again
    if (api_is_unsure(x)) { // it may want something else
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->apply = apply;
    x->reply = reply;
    if (x->is_in_turn)
        return; // which goes on with it
    if (!turn_write(x->api->options.turn, apply_in_turn, after_turn, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

static enum store_status prepare_in_turn(void *context, struct store *store, struct event *event)
{
    struct api_exchange *x = context;
    const uint64_t failures = store_failures(store);
    const enum store_status status = x->prepare(x, store, event);
    judge_failures(x, store, failures);
    return status;
}

static enum store_status event_decided(void *context, struct store *store,
                                       const struct turn_answer *answer)
{
    struct api_exchange *x = context;
    const uint64_t failures = store_failures(store);
    enum store_status status = api_stored_correlator(x, store);
    if (status == STORE_OK && (x->route->flags & ROUTE_CAMARA) != 0)
        status = api_esim_keep(x, store, x->now.utc);
    if (status == STORE_OK)
        status = compose(x, store, answer);
    judge_failures(x, store, failures);
    return status;
}

static void event_answered(void *context, const struct turn_answer *answer)
{
    struct api_exchange *x = context;
    meter_settled(x, answer->refusal != REFUSAL_OVERLOADED);
    // What was not committed is answered as overloaded, which is never kept.
    if (x->is_composed && answer->refusal != REFUSAL_OVERLOADED) {
        api_stored_deliver(x);
        return;
    }
    x->is_composed = false;
    api_start_answer(x);
    x->answered(x, answer);
}

void api_submit(struct api_exchange *x,
                void (*answered)(struct api_exchange *x, const struct turn_answer *answer))
{
    if (x->is_composing)
        return;
    if (api_is_unsure(x)) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->answered = answered;
    x->event.actor = api_actor(x);
    x->event.correlator = x->correlator_id;
    const struct turn_prepared with = {
        .prepare = x->prepare != NULL ? prepare_in_turn : NULL,
        .decided = x->is_dry_run ? NULL : event_decided,
        .answer = event_answered,
        .context = x,
        .is_dry = x->is_dry_run,
        .origin = {.reason = x->reason, .address = x->request->peer, .tenant = api_reach(x)}};
    if (!turn_event_prepared(x->api->options.turn, x->card_id, &x->event, &with))
        api_refuse_code(x, API_UNAVAILABLE);
}

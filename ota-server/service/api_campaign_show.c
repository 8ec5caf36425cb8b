// Campaigns as they are shown: the request, the funnel with what was lost on the way, the cards.
#include "ota-server/service/api_campaign.h"

#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/campaign_tell.h"

static const char *const states[] = {"DRAFT",   "CHECKED", "AWAIT_APPROVAL", "SCHEDULED", "CANARY",
                                     "RUNNING", "PAUSED",  "COMPLETED",      "STOPPED",   NULL};

// --- the funnel ------------------------------------------------------------------------------

struct losses {
    struct json_writer *j;
    struct campaign_counts counts;
    uint8_t state;
};

// The step that a card did not come to, as the funnel names it.
static uint8_t missed(uint8_t step)
{
    return step == CAMPAIGN_LISTED  ? CAMPAIGN_WAITING
           : step <= CAMPAIGN_ASKED ? CAMPAIGN_SENT
                                    : (uint8_t)(step + 1);
}

static const char *why_not(const struct losses *l, uint8_t step, uint8_t reason)
{
    if (reason != REFUSAL_NONE)
        return campaign_reason_name(reason);
    if (step == CAMPAIGN_LISTED)
        return "NOT_CHECKED";
    if (step > CAMPAIGN_WAITING)
        return "UNDER_WAY";
    return l->state == CAMPAIGN_STOPPED ? "STOPPED" : "WAITING";
}

static void put_loss(void *context, uint8_t step, uint8_t reason, uint64_t cards)
{
    struct losses *l = context;
    campaign_count(&l->counts, step, reason, cards);
    if (step == CAMPAIGN_CONFIRMED)
        return;
    json_begin_object(l->j);
    api_put_text(l->j, "step", campaign_step_name(missed(step)));
    api_put_text(l->j, "reason", why_not(l, step, reason));
    api_put_number(l->j, "count", cards);
    json_end_object(l->j);
}

// --- the whole -------------------------------------------------------------------------------

static bool take_plan(void *context, const struct subscription *s)
{
    *(struct download_plan *)context = s->plan;
    return false;
}

// As a dry run for one of the cards says it. What is downloaded is as long as a subscription of the
// pool is; the names of all that are on cards are of one length.
static void put_estimate(struct api_exchange *x, const struct campaign *c)
{
    const struct subscription_filter filter = {.pool = c->pool, .state = -1};
    const struct store_page page = {.limit = 1};
    struct operation o = c->operation;
    struct download_plan found = {.template_number = 0};
    if (o.kind == OPERATION_DOWNLOAD) {
        // Of an empty pool no card is eligible, and nothing costs nothing.
        if (store_subscriptions(x->reader, &filter, &page, take_plan, &found, NULL) != STORE_OK)
            return; // the whole answer is refused
        o.download = campaign_plan(c, &found);
    }
    api_put_estimate(&x->json, message_cost(&o), c->eligible,
                     (c->eligible + c->per_second - 1u) / c->per_second);
}

static void put_check(struct api_exchange *x, const struct campaign *c)
{
    struct json_writer *j = &x->json;
    if (c->state == CAMPAIGN_DRAFT)
        return;
    api_put_hex(j, "targetHash", bytes_of(c->hash, sizeof(c->hash)));
    api_put_number(j, "canaryCount", campaign_canary(c));
    api_put_number(j, "approvalsNeeded",
                   c->needs_approval ||
                       (!x->api->options.single_person && campaign_needs_approval(c)));
    put_estimate(x, c);
}

static void put_campaign(struct api_exchange *x, const struct document *d)
{
    struct json_writer *j = &x->json;
    struct campaign c;
    struct losses l = {.j = j};
    if (store_campaign_get(x->reader, d->id, &c) != STORE_OK)
        return;
    l.state = c.state;
    api_put_text(j, "state", campaign_state_name(c.state));
    if (c.why != CAMPAIGN_WHY_NONE && c.state != CAMPAIGN_DRAFT)
        api_put_text(j, "stateReason", campaign_why_name(c.why));
    api_put_id(j, "parentId", CAMPAIGN_PREFIX, c.parent);
    api_put_id(j, "approvalId", "apr", c.approval);
    put_check(x, &c);
    api_open_array(j, "losses");
    if (store_campaign_counts(x->reader, d->id, put_loss, &l) != STORE_OK)
        l.counts = (struct campaign_counts){.open = 0};
    json_end_array(j);
    campaign_put_counts(j, &l.counts);
    api_put_time(j, "checkedAt", c.checked_at);
    api_put_time(j, "startedAt", c.started_at);
    api_put_time(j, "endedAt", c.ended_at);
}

const struct api_kind api_campaigns = {
    .kind = CAMPAIGN_KIND, .prefix = CAMPAIGN_PREFIX, .path = "/campaigns", .more = put_campaign};

void api_campaign_reply(struct api_exchange *x, unsigned status)
{
    uint64_t version = 0;
    if (!api_document_put(x, &api_campaigns, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_etag(x, version);
    api_reply(x, status);
}

void api_campaigns_list(struct api_exchange *x)
{
    int state = -1;
    const struct api_problem p = api_query_enum(&x->query, "state", states, &state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else
        api_documents_in_state(x, &api_campaigns, state);
}

void api_campaign_get(struct api_exchange *x)
{
    api_document_show(x, &api_campaigns);
}

// --- its cards -------------------------------------------------------------------------------

static const char *const results[] = {"WAITING", "OPEN", "DONE", "FAILED", "EXCLUDED", NULL};

// Steps and reasons of each result, from and to.
static const uint8_t ranges[][4] = {
    {CAMPAIGN_LISTED, CAMPAIGN_WAITING, 0, 0},
    {CAMPAIGN_ASKED, CAMPAIGN_CONFIRMED, 0, 0},
    {CAMPAIGN_LISTED, CAMPAIGN_CONFIRMED, CAMPAIGN_DONE, CAMPAIGN_DONE},
    {CAMPAIGN_LISTED, CAMPAIGN_CONFIRMED, CAMPAIGN_FAILURE, UINT8_MAX},
    {CAMPAIGN_LISTED, CAMPAIGN_CONFIRMED, 1, CAMPAIGN_DONE - 1},
};
#define RESULT_EXCLUDED 4
#define RESULT_ANY 5

static const char *result_of(const struct campaign_row *row)
{
    for (size_t i = 0; i < RESULT_ANY; i++) {
        if (row->step >= ranges[i][0] && row->step <= ranges[i][1] && row->reason >= ranges[i][2] &&
            row->reason <= ranges[i][3])
            return results[i];
    }
    return "?";
}

static struct campaign_card_filter filter_of(uint64_t campaign, unsigned result, uint64_t after)
{
    struct campaign_card_filter f = {.campaign = campaign,
                                     .step_to = CAMPAIGN_CONFIRMED,
                                     .reason_to = UINT8_MAX,
                                     .after = after};
    if (result < RESULT_ANY) {
        f.step_from = ranges[result][0];
        f.step_to = ranges[result][1];
        f.reason_from = ranges[result][2];
        f.reason_to = ranges[result][3];
    }
    return f;
}

static bool put_card(void *context, const struct campaign_row *row)
{
    struct json_writer *j = context;
    json_begin_object(j);
    api_put_id(j, "cardId", "crd", row->card);
    api_put_text(j, "result", result_of(row));
    api_put_text(j, "step", campaign_step_name(row->step));
    if (row->reason != REFUSAL_NONE)
        api_put_text(j, "reason", campaign_reason_name(row->reason));
    api_put_id(j, "operationId", "op", row->operation);
    api_put_time(j, "endedAt", row->ended_at);
    json_end_object(j);
    return true;
}

static void list_cards(struct api_exchange *x, unsigned result)
{
    static const char *const sorts[] = {"cardId", NULL};
    struct api_list list;
    if (!api_list_begin(x, &list, sorts) || !api_end_reading(x) || api_campaign_load(x) == NULL)
        return;
    const struct campaign_card_filter f = filter_of(x->object_id, result, 0);
    api_list_open(x);
    const enum store_status status =
        store_campaign_cards(x->reader, &f, &list.window, put_card, &x->json, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// A line that has no room begins the next piece; ids and our own words need no quotes.
static bool put_line(void *context, const struct campaign_row *row)
{
    struct api_exchange *x = context;
    const size_t before = x->out.len;
    char id[API_ID_SIZE];
    char at[UTC_TEXT_SIZE] = "";
    api_id_write(id, "crd", row->card);
    text_put(&x->out, id);
    text_put(&x->out, ",");
    text_put(&x->out, result_of(row));
    text_put(&x->out, ",");
    text_put(&x->out, campaign_step_name(row->step));
    text_put(&x->out, ",");
    text_put(&x->out, campaign_reason_name(row->reason));
    text_put(&x->out, ",");
    if (row->operation != 0) {
        api_id_write(id, "op", row->operation);
        text_put(&x->out, id);
    }
    text_put(&x->out, ",");
    if (row->ended_at.ms != 0)
        utc_format(row->ended_at, at);
    text_put(&x->out, at);
    text_put(&x->out, "\r\n");
    if (x->out.failed) {
        x->out.len = before;
        x->out.failed = false;
        return false;
    }
    x->more_from = row->card;
    return true;
}

#define PIECE_ROWS 500
#define IS_FIRST 256 // beside the result: the line of names is still to come

static bool put_piece(struct api_exchange *x)
{
    const struct store_page page = {.limit = PIECE_ROWS};
    if ((x->more_to & IS_FIRST) != 0)
        text_put(&x->out, "cardId,result,step,reason,operationId,endedAt\r\n");
    x->more_to &= ~(uint64_t)IS_FIRST;
    const struct campaign_card_filter f =
        filter_of(x->object_id, (unsigned)x->more_to, x->more_from);
    return store_campaign_cards(x->reader, &f, &page, put_line, x, NULL) == STORE_OK;
}

static void export_cards(struct api_exchange *x, unsigned result)
{
    if (!api_end_reading(x) || api_campaign_load(x) == NULL)
        return;
    x->more_from = 0;
    x->more_to = result | IS_FIRST;
    x->more = put_piece;
    x->type = "text/csv";
    api_reply(x, 200);
}

void api_campaign_cards(struct api_exchange *x)
{
    int result = -1;
    const bool takes_json = api_accepts(x->request->accept, "application/json");
    const bool takes_csv = api_accepts(x->request->accept, "text/csv");
    const struct api_problem p = api_query_enum(&x->query, "result", results, &result);
    const unsigned wanted = result < 0 ? RESULT_ANY : (unsigned)result;
    if (!takes_json && !takes_csv)
        api_refuse_code(x, API_NOT_ACCEPTABLE);
    else if (p.code != API_OK)
        api_refuse(x, p);
    else if (takes_json)
        list_cards(x, wanted);
    else
        export_cards(x, wanted);
}

void api_campaign_exclusions(struct api_exchange *x)
{
    list_cards(x, RESULT_EXCLUDED);
}

// Bootstrap jobs: one for each card that its group's rule works on.
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/bootstrap_job.h"

#include <stdlib.h>

static const char *const states[] = {"WAITING", "DOWNLOADING", "ENABLING", "CONFIRMING",
                                     "SOAKING", "FINISHING",   "DONE",     "FAILED",
                                     "PARTIAL", "CANCELLING",  NULL};

static const struct api_kind jobs = {.kind = JOB_KIND, .prefix = "job", .path = "/bootstrap-jobs"};

void api_bootstrap_jobs_list(struct api_exchange *x)
{
    int state = -1;
    const struct api_problem p = api_query_enum(&x->query, "state", states, &state);
    if (p.code != API_OK)
        api_refuse(x, p);
    else // the core's first value stands for "none"
        api_documents_below(x, &jobs, &api_groups, state < 0 ? -1 : state + 1);
}

void api_bootstrap_job_get(struct api_exchange *x)
{
    api_document_show(x, &jobs);
}

static void reply_job(struct api_exchange *x, unsigned status)
{
    uint64_t version = 0;
    if (!api_document_put(x, &jobs, x->card_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (status == 202)
        api_location(x, jobs.path, jobs.prefix, x->card_id);
    api_etag(x, version);
    api_reply(x, status);
}

static void answer_changed(struct api_exchange *x, const struct turn_answer *answer)
{
    const unsigned status = x->event.as.bootstrap == BOOTSTRAP_START ? 202 : 200;
    if (answer->refusal != REFUSAL_NONE)
        api_refuse(x, api_refusal(answer->refusal));
    else if (x->is_dry_run)
        api_reply_plan(x, status);
    else
        reply_job(x, status);
}

static void act(struct api_exchange *x, enum bootstrap_action action)
{
    x->event.type = EVENT_BOOTSTRAP;
    x->event.as.bootstrap = (uint8_t)action;
    api_submit(x, answer_changed);
}

void api_bootstrap_jobs_post(struct api_exchange *x)
{
    uint64_t group = 0;
    x->card_id = api_body_id(&x->body, "cardId", API_REQUIRED, "crd");
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_operator_only(x) ||
        !api_capture(x, 0, api_groups.prefix, &group))
        return;
    struct record *record = calloc(1, sizeof(*record));
    x->work = record;
    if (record == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else if (store_card_load(x->reader, x->card_id, record) != STORE_OK || record->group != group)
        api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("cardId"),
                                        "No such card in the group, GET /cards lists them"));
    else
        act(x, BOOTSTRAP_START);
}

static void change(struct api_exchange *x, enum bootstrap_action action)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !api_operator_only(x))
        return;
    const struct api_object *job = api_document_load(x, &jobs);
    if (job == NULL)
        return;
    x->card_id = job->document.id;
    act(x, action);
}

void api_bootstrap_job_resume(struct api_exchange *x)
{
    change(x, BOOTSTRAP_RESUME);
}

void api_bootstrap_job_cancel(struct api_exchange *x)
{
    change(x, BOOTSTRAP_CANCEL);
}

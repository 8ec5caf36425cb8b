// What of an API's work goes on beside its turns.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/job.h"
#include "tests/unit/api/api_lab.h"

void lab_hash(struct lab *lab)
{
    if (lab->api->hashing != NULL && hashing_wait(lab->api->hashing))
        hashing_step(lab->api->hashing);
}

void lab_run_checks(struct lab *lab)
{
    while (trail_checks_wait(lab->checks)) {
        api_step(lab->api);
        lab_turn(lab);
    }
}

void lab_run_imports(struct lab *lab)
{
    while (import_jobs_wait(lab->imports)) {
        api_step(lab->api);
        lab_turn(lab);
    }
}

void lab_run_jobs(struct lab *lab)
{
    for (unsigned i = 0; i < 2000 && !jobs_are_idle(lab->api->jobs); i++)
        lab_turn(lab);
    assert_true(jobs_are_idle(lab->api->jobs));
}

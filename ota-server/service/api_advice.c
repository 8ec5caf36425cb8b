#include "ota-server/service/api_advice.h"

#include "common/base/text.h"
#include "ota-server/service/api_esim.h"

// Whose paths begin so: the longer ones come first.
static const char *const unknown[][2] = {
    {API_BASE "/cards/moves/*", "No such move: the answer to POST /cards/moves has its id"},
    {API_BASE "/cards/*", "No such card: GET /cards lists them"},
    {API_BASE "/dirty-cards/*", "No such dirty card: GET /dirty-cards lists them"},
    {API_BASE "/operations/*", "No such operation: GET /operations lists them"},
    {API_BASE "/subscriptions/*", "No such subscription: GET /subscriptions lists them"},
    {API_BASE "/subscription-pools/*", "No such pool: GET /subscription-pools lists them"},
    {API_BASE "/profile-templates/*", "No such template: GET /profile-templates lists them"},
    {API_BASE "/card-groups/*", "No such group: GET /card-groups lists them"},
    {API_BASE "/bootstrap-jobs/*",
     "No such bootstrap job: GET /card-groups/{id}/bootstrap-jobs lists them"},
    {API_BASE "/campaigns/*", "No such campaign: GET /campaigns lists them"},
    {API_BASE "/uploads/*", "No such upload: GET /uploads lists them"},
    {API_BASE "/batch-imports/*", "No such import: GET /batch-imports lists them"},
    {API_BASE "/vendor-profiles/*", "No such vendor profile: GET /vendor-profiles lists them"},
    {API_BASE "/transport-keys/*", "No such transport key: GET /transport-keys lists them"},
    {API_BASE "/alarms/*", "No such alarm: GET /alarms lists them"},
    {API_BASE "/approvals/*", "No such approval: GET /approvals lists them"},
    {API_BASE "/permissions/*", "No such permission: GET /permissions lists them"},
    {API_BASE "/enterprises/*", "No such enterprise: GET /enterprises lists them"},
    {API_BASE "/users/*/second-factor",
     "No such user, or no second factor of theirs: GET /users lists them"},
    {API_BASE "/users/*", "No such user: GET /users lists them"},
    {API_BASE "/api-clients/*/secrets/*",
     "No such secret of a client: GET /api-clients lists them"},
    {API_BASE "/api-clients/*", "No such client: GET /api-clients lists them"},
    {API_BASE "/event-sinks/*", "No such sink: GET /event-sinks lists them"},
    {API_BASE "/event-deliveries/*", "No such delivery: GET /event-deliveries lists them"},
    {API_BASE "/audit-trail/verifications/*",
     "No such verification: the answer to POST /audit-trail/verify has its id"},
    {API_BASE "/audit-trail/*", "No such row of the trail: GET /audit-trail lists them"},
    {API_BASE "/reports/*", "No such report: GET /reports lists them"},
    {ESIM_BASE "/operations/*",
     "No such operation, or it ended 30 days ago: the answer that began it has its id"},
    {"/.well-known/jwks/*", "No id of an enterprise: GET /enterprises lists them"},
    {"/docs/", "No such document: GET /docs/connectivity-management.yaml is one"},
};

static const char *not_found(const struct api_exchange *x)
{
    if (x->route == NULL)
        return "No such path: GET /docs/ shows the documents, which list them";
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        if (strncmp(x->route->path, unknown[i][0], strlen(unknown[i][0])) == 0)
            return unknown[i][1];
    }
    return api_code_text(API_NOT_FOUND);
}

struct api_problem api_advise(const struct api_exchange *x, struct api_problem problem)
{
    struct api_problem p = problem;
    struct writer w = writer_of(p.message, sizeof(p.message));
    if (p.code == API_NOT_FOUND && p.message[0] == '\0') {
        text_put(&w, not_found(x));
        text_end(&w);
    } else if (p.code == API_PERMISSION_DENIED) {
        text_put(&w, api_code_text(API_PERMISSION_DENIED));
        text_put(&w, ": ");
        text_put(&w, problem.message[0] != '\0' ? problem.message : "ask who administers it");
        text_end(&w);
    }
    return p;
}

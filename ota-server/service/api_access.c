// Steps 2 to 8 but for authentication: route, scope, rate, correlator, types, JSON syntax.
#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/auth_setup.h"
#include "ota-server/service/quota.h"

#define FAILURES_PER_S 1
#define FAILURES_BURST 60 // wrong credentials of one address before it has to wait

// The bucket of `key`; the one that was used least lately gives way when all are taken.
static struct bucket *find_bucket(struct bucket_row *rows, uint64_t key, uint32_t per_second,
                                  uint32_t burst, struct instant now)
{
    struct bucket_row *found = &rows[0];
    for (size_t i = 0; i < API_BUCKETS_MAX; i++) {
        if (rows[i].key == key) {
            bucket_change(&rows[i].bucket, per_second, burst);
            return &rows[i].bucket;
        }
        if (rows[i].key == 0) {
            found = &rows[i];
            break;
        }
        if (rows[i].bucket.at.ms < found->bucket.at.ms)
            found = &rows[i];
    }
    found->key = key;
    bucket_init(&found->bucket, per_second, burst, now);
    return &found->bucket;
}

// --- route ---

struct found_route {
    const struct api_route_row *row; // NULL: none
    struct api_match match;
    unsigned allowed; // the methods that the path has
};

static struct found_route find_route(const struct api *api, const struct api_request *request)
{
    const struct bytes path = api_local_path(api, request->path);
    struct found_route found = {.row = NULL};
    unsigned method = api_method_of(request->method);
    if (method == API_HEAD)
        method = API_GET;
    for (size_t i = 0; i < api_route_count; i++) {
        struct api_match match;
        if (!api_path_matches(api_routes[i].path, path, &match))
            continue;
        found.allowed |= api_routes[i].method;
        if (api_routes[i].method == method && found.row == NULL) {
            found.row = &api_routes[i];
            found.match = match;
        }
    }
    return found;
}

static bool check_route(struct api_exchange *x, unsigned allowed)
{
    if (x->route != NULL)
        return true;
    if (allowed == 0) {
        api_refuse_code(x, API_NOT_FOUND);
        return false;
    }
    text_put(&x->headers, "Allow: ");
    api_allow_write(&x->headers, allowed);
    text_put(&x->headers, "\n");
    if (api_method_of(x->request->method) == API_OPTIONS)
        api_reply_empty(x, 204);
    else
        api_refuse_code(x, API_METHOD_NOT_ALLOWED);
    return false;
}

// --- rates ---

static struct bucket *failures_of(struct api_exchange *x)
{
    return find_bucket(x->api->failures, api_peer_key(x), FAILURES_PER_S, FAILURES_BURST,
                       x->now.instant);
}

static struct bucket *bucket_of(struct api_exchange *x)
{
    return find_bucket(x->api->clients, x->client.id, x->client.per_second, x->client.burst,
                       x->now.instant);
}

bool api_take_rate(struct api_exchange *x)
{
    if (bucket_take(bucket_of(x), x->now.instant))
        return true;
    text_put(&x->headers, "Retry-After: 1\n");
    x->problem = api_problem_of(API_TOO_MANY_REQUESTS);
    return false;
}

void api_count_failure(struct api_exchange *x)
{
    // Whether there was one left is asked before the next request.
    const bool had_one = bucket_take(failures_of(x), x->now.instant);
    (void)had_one;
}

static void put_header_number(struct writer *w, const char *name, uint64_t value)
{
    text_put(w, name);
    text_put(w, ": ");
    text_decimal(w, value);
    text_put(w, "\n");
}

void api_rate_headers(struct api_exchange *x)
{
    const struct bucket_state state = bucket_look(bucket_of(x));
    put_header_number(&x->headers, "RateLimit-Limit", state.limit);
    put_header_number(&x->headers, "RateLimit-Remaining", state.remaining);
    put_header_number(&x->headers, "RateLimit-Reset", state.reset_s);
}

static bool refuse_rate(struct api_exchange *x)
{
    text_put(&x->headers, "Retry-After: 1\n");
    api_refuse_code(x, API_TOO_MANY_REQUESTS);
    return false;
}

// Of the contract: after the rate, so that whoever is refused by that uses nothing up.
static bool check_quota(struct api_exchange *x)
{
    const bool is_esim = (x->route->flags & ROUTE_CAMARA) != 0;
    switch (quotas_take(x->api->quotas, &x->client, is_esim ? AUTH_API_ESIM : AUTH_API_OWN,
                        x->now.utc)) {
    case QUOTA_LEFT:
        return true;
    case QUOTA_USED_UP:
        put_header_number(&x->headers, "Retry-After", quota_resets_after_s(x->now.utc));
        api_refuse_code(x, API_QUOTA_EXCEEDED);
        return false;
    case QUOTA_UNKNOWN:
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    return false;
}

// --- permission ---

static enum store_status note_refusal(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    struct writer w = writer_of(x->before, sizeof(x->before));
    writer_copy(&w, x->request->method);
    text_put(&w, " ");
    text_put(&w, x->route->path); // with a star for each id
    (void)text_end(&w);
    return api_trail(x, store, "request.refused", "path", 0, "PERMISSION_DENIED");
}

static void note_and(struct api_exchange *x, void (*refuse)(struct api_exchange *x))
{
    x->is_dry_run = false;
    x->is_refused = true;
    api_commit(x, note_refusal, refuse);
}

static void refuse_after_note(struct api_exchange *x)
{
    api_refuse(x, api_problem_text(API_PERMISSION_DENIED, x->lack));
}

static void keep_lack(struct api_exchange *x, const char *advice)
{
    struct writer w = writer_of(x->lack, sizeof(x->lack));
    text_put(&w, advice);
    check(text_end(&w) == x->lack);
}

void api_refuse_permission(struct api_exchange *x, const char *advice)
{
    keep_lack(x, advice);
    note_and(x, refuse_after_note);
}

void api_forbid(struct api_exchange *x, const char *advice)
{
    keep_lack(x, advice);
    refuse_after_note(x);
}

static void put_lack_of_scope(struct api_exchange *x, const char *scope)
{
    struct writer w = writer_of(x->lack, sizeof(x->lack));
    text_put(&w, "it takes the scope ");
    auth_scope_put(&w, scope);
    text_put(&w,
             x->client.is_user ? ", which another role has" : ", which the client is to be given");
    check(text_end(&w) == x->lack);
}

void api_refuse_scope(struct api_exchange *x, const char *scope)
{
    put_lack_of_scope(x, scope);
    note_and(x, refuse_after_note);
}

void api_refuse_grants(struct api_exchange *x, uint32_t grants)
{
    struct writer w = writer_of(x->lack, sizeof(x->lack));
    const char *between = "it takes in the card's group ";
    for (unsigned i = GRANT_NONE + 1; i < GRANTS; i++) {
        if ((grants & GRANT_BIT(i)) == 0)
            continue;
        text_put(&w, between);
        text_put(&w, grant_name((enum grant)i));
        between = " and ";
    }
    text_put(&w, ", which the operator grants: GET /permissions shows what you have");
    check(text_end(&w) == x->lack);
    if ((grants & GRANT_BIT(GRANT_NONE)) != 0)
        keep_lack(x, API_OPERATORS_OWN);
    note_and(x, refuse_after_note);
}

static void refuse_force_after_note(struct api_exchange *x)
{
    api_refuse(x, api_problem_reason(API_PERMISSION_DENIED, "FORCE",
                                     "only the operator forces operations, ask without force, "
                                     "with ifDirty WAIT"));
}

void api_refuse_force(struct api_exchange *x)
{
    note_and(x, refuse_force_after_note);
}

// `is_within` its rate: above it a refusal leaves no row, so that nobody fills the disk with them.
static bool check_permission(struct api_exchange *x, bool is_within)
{
    const char *scope = x->route->scope;
    if (x->client.is_suspended)
        keep_lack(x, "it is suspended or its agreement is over, ask the operator");
    else if (x->is_forged)
        keep_lack(x, "Origin must be this server's, X-CSRF-Token what GET /session tells");
    else if (!auth_is_source(&x->client, x->request->peer))
        keep_lack(x, "it is not for this address, ask from one of the client's");
    else if (scope != NULL && !api_has_scope(x, scope))
        put_lack_of_scope(x, scope);
    else
        return true;
    // A refused attempt is a row of the trail.
    if (is_within)
        note_and(x, refuse_after_note);
    else
        refuse_after_note(x);
    return false;
}

// --- types ---

static bool check_type(struct api_exchange *x)
{
    const struct bytes type = x->request->content_type;
    bool ok = true;
    switch (x->route->takes) {
    case TAKES_NOTHING:
        return true;
    case TAKES_JSON:
    case TAKES_MAYBE:
        ok = api_is_type(type, "application/json");
        break;
    case TAKES_MERGE:
        ok = api_is_type(type, "application/merge-patch+json") ||
             api_is_type(type, "application/json");
        break;
    case TAKES_FORM:
        ok = api_is_type(type, "application/x-www-form-urlencoded");
        break;
    case TAKES_FILE:
        ok = api_is_type(type, "application/octet-stream") || api_is_type(type, "text/plain") ||
             api_is_type(type, "text/csv");
        break;
    }
    return ok || (x->request->body.len == 0 && x->request->upload == NULL);
}

static struct api_problem problem_of_fault(enum json_fault fault)
{
    char text[96];
    struct writer w = writer_of(text, sizeof(text));
    text_put(&w, "The body is no JSON that is taken: ");
    text_put(&w, json_fault_text(fault));
    return api_problem_text(API_INVALID_ARGUMENT, text_end(&w));
}

static bool read_json(struct api_exchange *x)
{
    const bool takes_json = x->route->takes == TAKES_JSON || x->route->takes == TAKES_MAYBE ||
                            x->route->takes == TAKES_MERGE;
    if (x->request->body.len == 0 && (!takes_json || x->route->takes == TAKES_MAYBE))
        return true;
    if (x->route->takes == TAKES_NOTHING) {
        x->problem =
            api_problem_text(API_INVALID_ARGUMENT, "The operation takes no body: leave it out");
        return false;
    }
    if (!takes_json)
        return true;
    const enum json_fault fault = json_read(x->request->body, &x->root);
    if (fault == JSON_READ_NO_MEMORY)
        x->problem = api_problem_of(API_UNAVAILABLE);
    else if (fault == JSON_READ_EMPTY)
        x->problem = api_problem_text(API_INVALID_ARGUMENT,
                                      "The body is empty: send the operation's members as a JSON "
                                      "object, {} if there are none");
    else if (fault != JSON_READ_OK)
        x->problem = problem_of_fault(fault);
    else if (!json_is_object(x->root))
        x->problem = api_problem_text(API_INVALID_ARGUMENT,
                                      "The body is something else: send a JSON object");
    return x->problem.code == API_OK;
}

static bool check_form(struct api_exchange *x)
{
    if (x->request->correlator_count > 1 || !api_is_correlator(x->request->correlator)) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "Another x-correlator than is taken: once, "
                                       "up to 256 letters, digits and -_:;./<>{}"));
        return false;
    }
    const bool is_any = (x->route->flags & ROUTE_ANY_TYPE) != 0;
    if (!is_any && !api_accepts(x->request->accept, "application/json")) {
        api_refuse_code(x, API_NOT_ACCEPTABLE);
        return false;
    }
    if (!check_type(x)) {
        api_refuse_code(x, API_UNSUPPORTED_MEDIA_TYPE);
        return false;
    }
    if (!read_json(x)) {
        api_refuse(x, x->problem);
        return false;
    }
    api_body_init(&x->body, x->root);
    x->problem = api_query_read(&x->query, x->request->query);
    const unsigned kinds = x->route->flags & (ROUTE_CHANGES | ROUTE_CAMARA);
    if (x->problem.code == API_OK && kinds == ROUTE_CHANGES)
        x->problem = api_query_bool(&x->query, "dryRun", &x->is_dry_run);
    if (x->problem.code != API_OK) {
        api_refuse(x, x->problem);
        return false;
    }
    return true;
}

// Until the first start's token is used, or a client was made on this machine, nobody else is here.
static bool may_come(struct api_exchange *x)
{
    struct api *api = x->api;
    if (api->is_in_use || api_is_loopback(x))
        return true;
    api->is_in_use = auth_is_in_use(x->reader);
    return api->is_in_use;
}

bool api_admit(struct api_exchange *x)
{
    if (!may_come(x)) {
        api_refuse(
            x, api_problem_text(API_PERMISSION_DENIED,
                                "this server is not set up yet, that is done on its own machine"));
        return false;
    }
    if (x->request->has_certificate && !x->request->certificate_is_believed) {
        api_count_failure(x);
        api_refuse_code(x, API_UNAUTHENTICATED);
        return false;
    }
    if (x->request->is_too_large) {
        api_refuse_code(x, API_BODY_TOO_LARGE);
        return false;
    }
    struct bucket *failures = failures_of(x);
    struct bucket before = *failures;
    const struct found_route found = find_route(x->api, x->request);
    x->route = found.row;
    x->match = found.match;
    const bool is_limited = x->route == NULL || (x->route->flags & ROUTE_UNLIMITED) == 0;
    if (is_limited && !bucket_take(&before, x->now.instant))
        return refuse_rate(x);
    if (!check_route(x, found.allowed))
        return false;
    if ((x->route->flags & ROUTE_OPEN) == 0) {
        if (!api_authenticate(x)) {
            if (x->hashed.is_waiting)
                return false;
            if (x->problem.code == API_OK && !api_is_unsure(x) &&
                !bucket_take(failures, x->now.instant))
                return refuse_rate(x);
            api_refuse(x, x->problem.code != API_OK ? x->problem
                                                    : api_problem_of(API_UNAUTHENTICATED));
            return false;
        }
        const bool is_within = bucket_take(bucket_of(x), x->now.instant);
        if (!check_permission(x, is_within))
            return false;
        if (!is_within)
            return refuse_rate(x);
        if (!check_quota(x))
            return false;
    }
    return check_form(x);
}

uint64_t api_body_limit(struct api *api, const struct api_request *request, struct utc now)
{
    const struct bytes path = api_local_path(api, request->path);
    const size_t esim_len = strlen(ESIM_BASE);
    if (path.len > esim_len && memcmp(path.at, ESIM_BASE, esim_len) == 0)
        return ESIM_BODY_MAX;
    const struct api_route_row *row = find_route(api, request).row;
    const bool is_file =
        row != NULL && row->takes == TAKES_FILE && api_may_send(api, request, row->scope, now);
    return is_file ? API_UPLOAD_MAX : API_BODY_MAX;
}

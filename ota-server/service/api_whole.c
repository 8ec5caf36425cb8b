// A body that is the whole document as GET gives it, changed here and there.
#include "ota-server/service/api_exchange.h"

#include <stdlib.h>
#include <string.h>

// What moves by itself while the version of its object stays: nobody can send it back in time.
static const char *const moving[] = {"cardCount", "counts",      "funnel",       "progress",
                                     "losses",    "failures",    "failingSince", "nextAttemptAt",
                                     "waiting",   "deadLetters", "serverView"};
// What only the server writes; of a PUT, which names all that shall be.
static const char *const fixed[] = {"id",      "enterpriseId", "groupId",  "vendor",
                                    "version", "createdAt",    "updatedAt"};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}
#define IS_AMONG(name, names) is_among(name, names, sizeof(names) / sizeof((names)[0]))

// What reads the object that the route changes; NULL when nothing does, or not for this caller.
static const struct api_route_row *reading_route(const struct api_exchange *x)
{
    for (size_t i = 0; i < api_route_count; i++) {
        const struct api_route_row *row = &api_routes[i];
        if (row->method == API_GET && strcmp(row->path, x->route->path) == 0)
            return row->scope == NULL || api_has_scope(x, row->scope) ? row : NULL;
    }
    return NULL;
}

// The document as this caller gets it; NULL, and a status, when there is none.
static json_t *show(struct api_exchange *x, const struct api_route_row *row, unsigned *status)
{
    const struct api_route_row *route = x->route;
    const bool is_dry_run = x->is_dry_run;
    json_t *shown = NULL;
    x->route = row;
    x->is_showing = true;
    row->handle(x);
    *status = x->status;
    if (x->status == 200 && json_read(writer_bytes(&x->out), &shown) != JSON_READ_OK)
        *status = 503; // no memory
    x->route = route;
    x->is_showing = false;
    x->is_dry_run = is_dry_run;
    x->is_refused = false;
    if (x->close_work != NULL)
        x->close_work(x->work);
    x->close_work = NULL;
    free(x->work);
    x->work = NULL;
    x->status = 0;
    x->problem = api_problem_of(API_OK);
    x->card_id = x->object_id = x->queried_card = 0;
    api_start_answer(x);
    return shown;
}

// Takes out what is as it was. How many members ask for a change?
static size_t strip(json_t *root, const json_t *shown, bool is_patch)
{
    const char *name;
    json_t *value;
    void *next;
    size_t changed = 0;
    json_object_foreach_safe(root, next, name, value)
    {
        const json_t *as_it_is = json_object_get(shown, name);
        const bool is_same =
            as_it_is != NULL && (json_equal(as_it_is, value) || IS_AMONG(name, moving));
        changed += !is_same && strcmp(name, "reason") != 0;
        if (is_same && (is_patch || IS_AMONG(name, fixed)))
            json_object_del(root, name);
    }
    return changed;
}

bool api_whole_begin(struct api_exchange *x)
{
    const json_t *version = json_object_get(x->root, "version");
    const bool is_patch = x->route->method == API_PATCH;
    // A vendor's profile has a version of its own.
    const bool is_put =
        x->route->method == API_PUT && json_object_get(x->root, "updatedAt") != NULL;
    if (version == NULL || (!is_patch && !is_put))
        return true;
    const struct api_route_row *row = reading_route(x);
    unsigned status = 0;
    json_t *shown = row != NULL ? show(x, row, &status) : NULL;
    if (status >= 500) {
        api_refuse_code(x, API_UNAVAILABLE);
        return false;
    }
    const json_t *present = json_object_get(shown, "version");
    if (present == NULL) {
        json_decref(shown);
        return true; // the handler says what is wrong
    }
    const bool is_version = json_is_integer(version);
    const bool is_stale = is_version && !json_equal(version, present);
    // What is taken out is as it was in that version alone.
    x->seen_version = is_version ? (uint64_t)json_integer_value(version) : 0;
    const size_t changed = is_stale ? 0 : strip(x->root, shown, is_patch);
    json_decref(shown);
    if (is_stale) {
        api_refuse_code(x, API_FAILED_PRECONDITION);
        return false;
    }
    if (changed > 0 || x->is_dry_run || x->request->if_match.len > 0)
        return true;
    json_object_clear(x->root); // nothing is to be changed
    row->handle(x);
    return false;
}

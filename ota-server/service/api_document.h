// Objects of the API that are kept as one document each: pools, templates and the like. What the
// caller sent, once its handler has checked it, is what is kept and shown again. Internal.
//
// Promises: every list and every look-up takes the caller's tenant; a foreign object is NOT_FOUND,
// but for the operator's own people, who see all; names are unique for one tenant only, so nobody
// learns another's.
#pragma once

#include "ota-server/service/api_exchange.h"

#define API_DOCUMENT_MAX 49152 // octets of a body
#define API_NAME_MAX 64

struct api_kind {
    const char *kind;   // of the store, and of the trail
    const char *prefix; // of the ids
    const char *path;   // below API_BASE
    // Members that the body does not have; or NULL.
    void (*more)(struct api_exchange *x, const struct document *d);
    bool is_opaque; // the body itself is not shown
    // Does the caller see one of another owner? NULL: no.
    bool (*is_shared)(struct api_exchange *x, const struct document *d);
};

// One object on its way from or to the store; it becomes x->work.
struct api_object {
    struct document document; // body and name point into what follows
    char name[24 + API_NAME_MAX];
    uint8_t body[API_DOCUMENT_MAX];
};

// GET of a list, with the query's page; `parent` 0 for all.
void api_documents_list(struct api_exchange *x, const struct api_kind *kind, uint64_t parent);
// The same of those in a state; -1: in any.
void api_documents_in_state(struct api_exchange *x, const struct api_kind *kind, int64_t state);
// The same of those that name an application field; NULL: of all.
void api_documents_in_field(struct api_exchange *x, const struct api_kind *kind, const char *field);
// The same of those below the object of capture 0, which is of the kind `above`; in a state or any.
void api_documents_below(struct api_exchange *x, const struct api_kind *kind,
                         const struct api_kind *above, int64_t state);
// GET of the object of capture 0.
void api_document_show(struct api_exchange *x, const struct api_kind *kind);
// The same of a job, whose state is 0 while it is open: with Retry-After until it ends.
void api_job_show(struct api_exchange *x, const struct api_kind *kind);
// Writes the object; false when there is none that the caller may see.
bool api_document_put(struct api_exchange *x, const struct api_kind *kind, uint64_t id,
                      uint64_t *version);
// Loads the object of capture 0 into x->work; NULL: refused.
struct api_object *api_document_load(struct api_exchange *x, const struct api_kind *kind);
bool api_document_get(struct api_exchange *x, const struct api_kind *kind, uint64_t id,
                      struct api_object *object) MUST_USE;

// A new object of `owner` in x->work, with x->root as its body and a fresh id; NULL: refused.
struct api_object *api_document_new(struct api_exchange *x, const struct api_kind *kind,
                                    uint64_t owner, struct bytes name);
// Takes `root` as the body; false: refused, it is too large.
bool api_document_fill(struct api_exchange *x, struct api_object *object, const json_t *root);
// Takes the members of x->root over, `reason` apart; false: refused.
bool api_document_merge(struct api_exchange *x, struct api_object *object);
// The unique name among its owner's, under which store_document_named() finds it.
void api_document_name(struct api_object *object, struct bytes name);
// Inserts or replaces what x->work holds, with its row in the trail; for api_commit().
enum store_status api_document_apply(struct api_exchange *x, struct store *store, struct utc now);
// Commits it and replies with the object: 201 with its Location, or 200.
void api_document_commit(struct api_exchange *x, const struct api_kind *kind);
// Deletes the object of x->work and replies 204. `judge` may refuse with x->problem; or NULL.
void api_document_remove(struct api_exchange *x, const struct api_kind *kind, api_apply_fn *judge);

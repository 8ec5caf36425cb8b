#include "ota-server/service/approval.h"

#include "ota-server/service/api_json.h"
#include "ota-server/service/notice.h"

const char *const approval_states[] = {"OPEN",    "APPROVED",  "REJECTED",
                                       "EXPIRED", "WITHDRAWN", NULL};

enum store_status approval_tell(struct store *s, const struct document *d, struct utc at)
{
    struct notice_text n;
    const uint8_t kind =
        d->state == APPROVAL_OPEN ? NOTICE_APPROVAL_OPENED : NOTICE_APPROVAL_DECIDED;
    notice_begin(&n, "approval", 0, 0);
    api_put_id(&n.j, "id", "apr", d->id);
    api_put_text(&n.j, "state", approval_states[d->state]);
    return notice_end(&n, s, (struct notice){.kind = kind, .at = at, .tenant = d->owner});
}

static bool take_owner(void *context, const struct document *d)
{
    struct document *to = context;
    to->owner = d->owner;
    return false;
}

enum store_status approval_end(struct store *s, uint64_t id, enum approval_state state,
                               struct utc at)
{
    struct document d = {.id = id, .state = state};
    enum store_status status = store_document_state(s, APPROVAL_KIND, id, APPROVAL_OPEN, state, at);
    if (status == STORE_OK)
        status = store_document_get(s, APPROVAL_KIND, id, take_owner, &d);
    return status == STORE_OK ? approval_tell(s, &d, at) : status;
}

static bool see_kind(void *context, const struct document *d)
{
    struct bytes kind = {0};
    json_t *root = NULL;
    *(bool *)context = json_read(d->body, &root) == JSON_READ_OK &&
                       json_get_text(root, "kind", &kind) == JSON_FOUND &&
                       bytes_equal(kind, bytes_of_text("REQUEST_APPROVE"));
    json_decref(root);
    return false;
}

enum store_status approval_is_operators(struct store *s, uint64_t id, bool *is)
{
    *is = false;
    const enum store_status status = store_document_get(s, APPROVAL_KIND, id, see_kind, is);
    return status == STORE_NONE ? STORE_OK : status;
}

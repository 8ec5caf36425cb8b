#include "ota-server/service/agreement.h"

#include "ota-server/service/alarm.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/permission.h"

#define PAGE 200

struct seen {
    struct utc now;
    size_t count;
    struct {
        uint64_t id;
        bool is_due;
    } at[PAGE];
};

static bool see(void *context, const struct document *d)
{
    struct seen *seen = context;
    struct utc ends_at = {0};
    const bool is_due = d->state != 0 && enterprise_agreement_end(d, &ends_at) &&
                        ends_at.ms - seen->now.ms <= AGREEMENT_NOTICE_MS;
    seen->at[seen->count].id = d->id;
    seen->at[seen->count++].is_due = is_due;
    return seen->count < PAGE;
}

static enum store_status keep(struct store *s, struct turn *t, uint64_t enterprise, bool is_due,
                              struct utc now)
{
    char object[API_ID_SIZE];
    api_id_write(object, "ent", enterprise);
    const struct alarm_place at = {.key = "compliance.due", .object = object, .owner = enterprise};
    return alarm_keep(s, &at, is_due, turn_id(t, now), now);
}

enum store_status agreements_keep(struct store *s, struct turn *t, struct utc now)
{
    struct document_filter filter = {.kind = "enterprise", .state = -1};
    const struct store_page page = {.limit = PAGE};
    struct seen seen = {.now = now, .count = PAGE};
    enum store_status status = STORE_OK;
    while (status == STORE_OK && seen.count == PAGE) {
        seen.count = 0;
        status = store_documents(s, &filter, &page, see, &seen, NULL);
        for (size_t i = 0; i < seen.count && status == STORE_OK; i++) {
            filter.after = seen.at[i].id;
            status = keep(s, t, seen.at[i].id, seen.at[i].is_due, now);
        }
    }
    return status;
}

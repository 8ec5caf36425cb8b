#include "ota-server/service/permission.h"

#include "common/base/text.h"
#include "ota-server/service/api_body.h"
#include "ota-server/service/api_text.h"

static const char *const names[GRANTS] = {
    [GRANT_NONE] = "",
    [GRANT_CARD_READ] = "card.read",
    [GRANT_CARD_REVEAL] = "card.reveal",
    [GRANT_CARD_MOVE] = "card.move",
    [GRANT_DOWNLOAD] = "subscription.download",
    [GRANT_ENABLE] = "subscription.enable",
    [GRANT_DISABLE] = "subscription.disable",
    [GRANT_DELETE] = "subscription.delete",
    [GRANT_SET_FALLBACK] = "subscription.set-fallback",
    [GRANT_TIMERS_SET] = "timers.set",
    [GRANT_CARD_AUDIT] = "card.audit",
    [GRANT_OPERATION_APPROVE] = "operation.approve",
    [GRANT_CAMPAIGN_RUN] = "campaign.run",
};

const char *grant_name(enum grant grant)
{
    return names[grant];
}

enum grant grant_of(struct bytes name)
{
    for (unsigned i = GRANT_NONE + 1; i < GRANTS; i++) {
        if (bytes_equal(name, bytes_of_text(names[i])))
            return (enum grant)i;
    }
    return GRANT_NONE;
}

bool grant_writes_card(enum grant grant)
{
    return grant >= GRANT_DOWNLOAD && grant <= GRANT_TIMERS_SET;
}

enum grant grant_of_operation(uint8_t kind)
{
    switch ((enum operation_kind)kind) {
    case OPERATION_DOWNLOAD:
        return GRANT_DOWNLOAD;
    case OPERATION_ENABLE:
        return GRANT_ENABLE;
    case OPERATION_DISABLE:
        return GRANT_DISABLE;
    case OPERATION_DELETE:
        return GRANT_DELETE;
    case OPERATION_SET_FALLBACK:
        return GRANT_SET_FALLBACK;
    case OPERATION_SET_TIMERS:
        return GRANT_TIMERS_SET;
    case OPERATION_READ_TIMERS:
    case OPERATION_AUDIT:
        return GRANT_CARD_AUDIT;
    case OPERATION_NONE:
        break;
    }
    return GRANT_NONE;
}

const char *permission_name(uint64_t enterprise, uint64_t group, char name[PERMISSION_NAME_SIZE])
{
    struct writer w = writer_of(name, PERMISSION_NAME_SIZE);
    text_decimal(&w, enterprise);
    text_put(&w, "/");
    text_decimal(&w, group);
    return text_end(&w);
}

static bool see_set(void *context, const struct document *d)
{
    *(uint32_t *)context = (uint32_t)d->state;
    return false;
}

enum store_status permission_of(struct store *s, uint64_t enterprise, uint64_t group, uint32_t *set,
                                bool *is_there)
{
    char name[PERMISSION_NAME_SIZE];
    *set = 0;
    const enum store_status status = store_document_named(
        s, PERMISSION_KIND, permission_name(enterprise, group, name), see_set, set);
    if (is_there != NULL)
        *is_there = status == STORE_OK;
    return status == STORE_NONE ? STORE_OK : status;
}

struct seen_enterprise {
    struct utc now;
    bool is_suspended;
};

bool enterprise_agreement_end(const struct document *enterprise, struct utc *ends_at)
{
    json_t *root = NULL;
    struct bytes text = {0};
    bool is_said = false;
    if (json_read(enterprise->body, &root) == JSON_READ_OK) {
        const json_t *agreement = json_object_get(root, "agreement");
        is_said = agreement != NULL && json_get_text(agreement, "expiresAt", &text) == JSON_FOUND &&
                  api_read_time(text, ends_at);
    }
    json_decref(root);
    return is_said;
}

static bool see_nothing(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

bool enterprise_is_there(struct store *s, uint64_t enterprise)
{
    return enterprise == AUTH_OPERATOR ||
           store_document_get(s, "enterprise", enterprise, see_nothing, NULL) == STORE_OK;
}

static bool see_enterprise(void *context, const struct document *d)
{
    struct seen_enterprise *seen = context;
    struct utc ends_at = {0};
    seen->is_suspended = d->state == 0;
    if (enterprise_agreement_end(d, &ends_at))
        seen->is_suspended |= ends_at.ms <= seen->now.ms;
    return false;
}

enum store_status enterprise_works(struct store *s, uint64_t enterprise, struct utc now,
                                   bool *works)
{
    struct seen_enterprise seen = {.now = now};
    const enum store_status status =
        enterprise == AUTH_OPERATOR
            ? STORE_OK
            : store_document_get(s, "enterprise", enterprise, see_enterprise, &seen);
    *works = !seen.is_suspended;
    return status == STORE_NONE ? STORE_OK : status;
}

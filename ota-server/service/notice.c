#include "ota-server/service/notice.h"

#include "common/base/check.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/auth_client.h"
#include "ota-server/service/permission.h"

static const struct {
    const char *name, *scope;
} topics[NOTICE_TOPICS] = {
    [NOTICE_OPERATIONS] = {"operations", "operations:read"},
    [NOTICE_CARDS] = {"cards", "cards:read"},
    [NOTICE_ALARMS] = {"alarms", "alarms:read"},
    [NOTICE_CAMPAIGNS] = {"campaigns", "campaigns:read"},
    [NOTICE_IMPORTS] = {"imports", "imports:read"},
    [NOTICE_APPROVALS] = {"approvals", "approvals:read"},
    [NOTICE_LINKS] = {"links", "system:read"},
};

const char *notice_topic_name(enum notice_topic topic)
{
    return topics[topic].name;
}

const char *notice_topic_scope(enum notice_topic topic)
{
    return topics[topic].scope;
}

struct notice_form notice_form(uint8_t kind)
{
    static const struct notice_form FORMS[NOTICE_KINDS] = {
        [NOTICE_OPERATION_UPDATED] = {"operation.updated", NOTICE_OPERATIONS, NULL},
        [NOTICE_OPERATION_ENDED] = {"operation.updated", NOTICE_OPERATIONS, "operation-ended"},
        [NOTICE_CARD_UPDATED] = {"card.updated", NOTICE_CARDS, NULL},
        [NOTICE_CARD_SWITCHED] = {"card.updated", NOTICE_CARDS, "switched"},
        [NOTICE_CARD_FALLBACK] = {"card.updated", NOTICE_CARDS, "fallback"},
        [NOTICE_CARD_RETURNED] = {"card.updated", NOTICE_CARDS, "returned"},
        [NOTICE_DIRTY_ADDED] = {"dirty.added", NOTICE_CARDS, "card-dirty"},
        [NOTICE_DIRTY_REMOVED] = {"dirty.removed", NOTICE_CARDS, "card-clean"},
        [NOTICE_BOOTSTRAP_ENDED] = {"card.updated", NOTICE_CARDS, "bootstrap-ended"},
        [NOTICE_ALARM_RAISED] = {"alarm.raised", NOTICE_ALARMS, "alarm-raised"},
        [NOTICE_ALARM_CLEARED] = {"alarm.cleared", NOTICE_ALARMS, "alarm-cleared"},
        [NOTICE_CAMPAIGN_PROGRESS] = {"campaign.progress", NOTICE_CAMPAIGNS, NULL},
        [NOTICE_CAMPAIGN_ENDED] = {"campaign.progress", NOTICE_CAMPAIGNS, "campaign-ended"},
        [NOTICE_IMPORT_PROGRESS] = {"import.progress", NOTICE_IMPORTS, NULL},
        [NOTICE_IMPORT_ENDED] = {"import.progress", NOTICE_IMPORTS, "import-ended"},
        [NOTICE_APPROVAL_OPENED] = {"approval.opened", NOTICE_APPROVALS, NULL},
        [NOTICE_APPROVAL_DECIDED] = {"approval.decided", NOTICE_APPROVALS, NULL},
        [NOTICE_TEST] = {NULL, NOTICE_CARDS, "test"},
        [NOTICE_LINK_CHANGED] = {"link.changed", NOTICE_LINKS, NULL},
    };
    return kind < NOTICE_KINDS ? FORMS[kind] : FORMS[NOTICE_NONE];
}

void notice_begin(struct notice_text *n, const char *member, uint64_t card, uint64_t group)
{
    n->w = writer_of(n->octets, sizeof(n->octets));
    n->j = json_writer_of(&n->w);
    json_begin_object(&n->j);
    api_put_id(&n->j, "cardId", "crd", card);
    if (card != 0)
        api_put_id(&n->j, "groupId", "grp", group);
    api_open_object(&n->j, member);
}

enum store_status notice_end(struct notice_text *n, struct store *s, struct notice what)
{
    json_end_object(&n->j);
    json_end_object(&n->j);
    check(json_done(&n->j)); // what it is made of has its limits
    what.data = writer_bytes(&n->w);
    what.is_for_sinks = notice_form(what.kind).type != NULL;
    what.overseer = AUTH_OPERATOR;
    what.grants = GRANT_BIT(GRANT_CARD_READ);
    return store_notice_add(s, &what);
}

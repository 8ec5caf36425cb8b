#include "ota-server/service/notice.h"

#include "common/base/check.h"
#include "ota-server/service/api_json.h"

static const struct {
    const char *name, *scope;
} topics[NOTICE_TOPICS] = {
    [NOTICE_OPERATIONS] = {"operations", "operations:read"},
    [NOTICE_CARDS] = {"cards", "cards:read"},
    [NOTICE_ALARMS] = {"alarms", "alarms:read"},
    [NOTICE_CAMPAIGNS] = {"campaigns", "campaigns:read"},
    [NOTICE_IMPORTS] = {"imports", "imports:read"},
    [NOTICE_APPROVALS] = {"approvals", "approvals:read"},
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
        [NOTICE_OPERATION_UPDATED] = {"operation.updated", NOTICE_OPERATIONS},
        [NOTICE_OPERATION_ENDED] = {"operation.updated", NOTICE_OPERATIONS},
        [NOTICE_CARD_UPDATED] = {"card.updated", NOTICE_CARDS},
        [NOTICE_CARD_SWITCHED] = {"card.updated", NOTICE_CARDS},
        [NOTICE_CARD_FALLBACK] = {"card.updated", NOTICE_CARDS},
        [NOTICE_CARD_RETURNED] = {"card.updated", NOTICE_CARDS},
        [NOTICE_DIRTY_ADDED] = {"dirty.added", NOTICE_CARDS},
        [NOTICE_DIRTY_REMOVED] = {"dirty.removed", NOTICE_CARDS},
        [NOTICE_BOOTSTRAP_ENDED] = {"card.updated", NOTICE_CARDS},
        [NOTICE_ALARM_RAISED] = {"alarm.raised", NOTICE_ALARMS},
        [NOTICE_ALARM_CLEARED] = {"alarm.cleared", NOTICE_ALARMS},
        [NOTICE_CAMPAIGN_PROGRESS] = {"campaign.progress", NOTICE_CAMPAIGNS},
        [NOTICE_CAMPAIGN_ENDED] = {"campaign.progress", NOTICE_CAMPAIGNS},
        [NOTICE_IMPORT_PROGRESS] = {"import.progress", NOTICE_IMPORTS},
        [NOTICE_IMPORT_ENDED] = {"import.progress", NOTICE_IMPORTS},
        [NOTICE_APPROVAL_OPENED] = {"approval.opened", NOTICE_APPROVALS},
        [NOTICE_APPROVAL_DECIDED] = {"approval.decided", NOTICE_APPROVALS},
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
    return store_notice_add(s, &what);
}

// What clients are told, and in which words: `GET /events` and the event sinks. One row of the
// store each [store/notices.h], with its data as JSON, made when it happens and never again.
//
// Promises: no identifier of a person or subscription, no key and no message body is in the data;
// objects go by their ids, and their members are named as their GET names them. Never: decides who
// is told.
#pragma once

#include "common/base/json_writer.h"
#include "ota-server/store/notices.h"

// The numbers stand in the database.
enum notice_kind {
    NOTICE_NONE = 0, // a gap behind a restore
    NOTICE_OPERATION_UPDATED = 1,
    NOTICE_OPERATION_ENDED = 2,
    NOTICE_CARD_UPDATED = 3,
    NOTICE_CARD_SWITCHED = 4,
    NOTICE_CARD_FALLBACK = 5,
    NOTICE_CARD_RETURNED = 6,
    NOTICE_DIRTY_ADDED = 7,
    NOTICE_DIRTY_REMOVED = 8,
    NOTICE_BOOTSTRAP_ENDED = 9,
    NOTICE_ALARM_RAISED = 10,
    NOTICE_ALARM_CLEARED = 11,
    NOTICE_CAMPAIGN_PROGRESS = 12,
    NOTICE_CAMPAIGN_ENDED = 13,
    NOTICE_IMPORT_PROGRESS = 14,
    NOTICE_IMPORT_ENDED = 15,
    NOTICE_APPROVAL_OPENED = 16,
    NOTICE_APPROVAL_DECIDED = 17,
    NOTICE_TEST = 18, // of a sink, which asked for it
    NOTICE_LINK_CHANGED = 19,
};
#define NOTICE_KINDS (NOTICE_LINK_CHANGED + 1)

enum notice_topic {
    NOTICE_OPERATIONS,
    NOTICE_CARDS,
    NOTICE_ALARMS,
    NOTICE_CAMPAIGNS,
    NOTICE_IMPORTS,
    NOTICE_APPROVALS,
    NOTICE_LINKS,
};
#define NOTICE_TOPICS (NOTICE_LINKS + 1)
// "operations", and the scope that reads its objects.
const char *notice_topic_name(enum notice_topic topic);
const char *notice_topic_scope(enum notice_topic topic);

struct notice_form {
    const char *name; // in the stream: "operation.updated"; NULL: it has none
    enum notice_topic topic;
    const char *type; // for sinks: "operation-ended"; NULL: they are not told
};
// Of any number.
struct notice_form notice_form(uint8_t kind);

// One in the making.
struct notice_text {
    uint8_t octets[NOTICE_DATA_MAX];
    struct writer w;
    struct json_writer j;
};
// `{"cardId":…,"groupId":…,"member":{`, the first two when there is a card.
void notice_begin(struct notice_text *n, const char *member, uint64_t card, uint64_t group);
// Closes both objects, and adds it; `what` is without its data.
enum store_status notice_end(struct notice_text *n, struct store *s, struct notice what) MUST_USE;

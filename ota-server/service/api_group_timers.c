// The applet's parameters of a group: what its rules want, how many cards have it, and how far the
// pass is that brings them there.
#include "common/base/text.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/timers_run.h"

#include <stdlib.h>

// Records are read one by one, and everything else waits meanwhile: so many cards in one answer.
#define COUNTED_MAX 2000

struct tally {
    struct store *reader;
    struct record *record;
    const struct policy_timers *wanted;
    uint32_t cards;
    uint64_t counts[TIMERS_NOT_SUPPORTED + 1];
    uint64_t asked;
    uint64_t after, last; // cards: behind which it is counted, and up to which it was
    enum store_status status;
};

static bool see_card(void *context, uint64_t card)
{
    struct tally *t = context;
    if (t->cards == COUNTED_MAX) {
        t->cards++; // there are more
        return false;
    }
    t->status = store_card_load(t->reader, card, t->record);
    if (t->status != STORE_OK)
        return false;
    t->cards++;
    t->last = card;
    t->counts[timers_agreement(t->record, t->wanted)]++;
    t->asked += timers_asked(t->record, t->wanted) != NULL;
    return true;
}

static bool count(struct api_exchange *x, struct tally *t)
{
    t->record = malloc(sizeof(*t->record));
    t->reader = x->reader;
    t->status = t->record == NULL ? STORE_BUSY : STORE_OK;
    enum store_status status = t->status;
    if (status == STORE_OK && t->wanted->len > 0)
        status = store_group_cards(x->reader, x->object_id, t->after, COUNTED_MAX + 1, see_card, t);
    free(t->record);
    t->record = NULL;
    if (status == STORE_OK)
        status = t->status;
    if (status != STORE_OK)
        api_refuse_store(x, status);
    return status == STORE_OK;
}

static void put_counts(struct api_exchange *x, const struct tally *t)
{
    struct json_writer *j = &x->json;
    const bool is_partial = t->cards > COUNTED_MAX;
    api_open_object(j, "cards");
    api_put_number(j, "agree", t->counts[TIMERS_AGREE]);
    api_put_number(j, "differ", t->counts[TIMERS_DIFFER]);
    api_put_number(j, "unknown", t->counts[TIMERS_UNKNOWN]);
    api_put_number(j, "notSupported", t->counts[TIMERS_NOT_SUPPORTED]);
    api_put_number(j, "asked", t->asked);
    api_put_bool(j, "isPartial", is_partial || t->after != 0);
    json_end_object(j);
    if (is_partial) {
        char cursor[API_CURSOR_MAX];
        struct writer w = writer_of(cursor, sizeof(cursor));
        api_cursor_write(&w, t->last, x->now.utc);
        api_put_text(j, "nextCursor", text_end(&w));
    }
}

static bool read_cursor(struct api_exchange *x, struct tally *t)
{
    struct bytes text = {0};
    if (!api_query_take(&x->query, "cursor", &text) || api_cursor_read(text, x->now.utc, &t->after))
        return true;
    api_refuse(x, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("cursor"),
                                    "Not one of ours, or older than an hour"));
    return false;
}

void api_group_timers_get(struct api_exchange *x)
{
    struct group_rules rules;
    struct tally t = {.wanted = &rules.policy.timers};
    struct json_writer *j = &x->json;
    if (!read_cursor(x, &t) || !api_end_reading(x))
        return;
    const struct api_object *group = api_document_load(x, &api_groups);
    if (group == NULL)
        return;
    if (!api_group_rules_shown(x, &group->document)) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    enum store_status status =
        rules_of(x->reader, x->object_id, turn_policy(x->api->options.turn), &rules);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (!count(x, &t))
        return;
    json_begin_object(j);
    api_put_id(j, "groupId", "grp", x->object_id);
    api_put_timers(j, "desired", t.wanted, x->clear);
    put_counts(x, &t);
    status = timers_run_put(x->reader, j, "run", x->object_id);
    json_end_object(j);
    if (status == STORE_OK)
        api_reply(x, 200);
    else
        api_refuse_store(x, status);
}

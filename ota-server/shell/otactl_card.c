// Cards: finding and looking at them.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

static const struct ctl_column card_columns[] = {{"CARD", "id"},
                                                 {"ICCID", "iccid"},
                                                 {"STATE", "state"},
                                                 {"MARKS", "marks"},
                                                 {"GROUP", "groupId"},
                                                 {"ENABLED", "enabledSubscriptionId"},
                                                 {"OPEN", "openOperationId"},
                                                 {"LAST CONTACT", "lastContactAt"},
                                                 {NULL, NULL}};

static bool has_marks(const json_t *card)
{
    return json_array_size(json_object_get(card, "marks")) > 0;
}

enum ctl_exit card_list_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = "/cards",
                                  .noun = "cards",
                                  .key = "id",
                                  .columns = card_columns,
                                  .is_marked = has_marks};
    return ctl_list(t, &l);
}

enum ctl_exit card_search_run(struct ctl_task *t)
{
    static const struct {
        enum ctl_option option;
        const char *member;
    } by[] = {{OPTION_ICCID, "iccid"},
              {OPTION_IMSI, "imsi"},
              {OPTION_MSISDN, "msisdn"},
              {OPTION_EID, "eid"},
              {OPTION_IMEI, "imei"}};
    uint8_t text[512];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    unsigned count = 0;
    json_begin_object(&j);
    for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
        count += ctl_has(t, by[i].option);
        ctl_put_text(t, &j, by[i].option, by[i].member);
    }
    if (t->arg_count == 1) {
        count++;
        json_put_key(&j, "any");
        json_put_string(&j, t->args[0]);
    }
    ctl_put_word(t, &j, OPTION_MATCH, "match");
    ctl_put_text(t, &j, OPTION_SORT, "sort");
    if (count != 1)
        return ctl_wrong(t, "give one number, or one of --iccid --imsi --msisdn --eid --imei",
                         NULL);
    writer_u8(&w, '\0');
    if (w.failed)
        return ctl_wrong(t, "too long", NULL);
    const struct ctl_listing l = {.path = "/cards/search",
                                  .search = (const char *)text + 1, // behind the opening brace
                                  .noun = "cards",
                                  .key = "id",
                                  .columns = card_columns,
                                  .is_marked = has_marks};
    return ctl_list(t, &l);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/cards", id, "");
}

enum ctl_exit card_show_run(struct ctl_task *t)
{
    return ctl_each_card(t, show_one);
}

static enum ctl_exit parameters_one(struct ctl_task *t, const char *id)
{
    return ctl_show(t, "/cards", id, "/parameters");
}

enum ctl_exit card_parameters_run(struct ctl_task *t)
{
    return ctl_each_card(t, parameters_one);
}

static enum ctl_exit messages_one(struct ctl_task *t, const char *id)
{
    static const struct ctl_column columns[] = {
        {"AT", "at"},           {"DIRECTION", "direction"},
        {"COMMAND", "command"}, {"CAUSE", "cause"},
        {"STATE", "state"},     {"OPERATION", "operationId"},
        {"COUNTER", "counter"}, {"PARTS", "parts"},
        {"OCTETS", "octets"},   {NULL, NULL}};
    const struct ctl_listing l = {.path = "/cards",
                                  .id = id,
                                  .suffix = "/messages",
                                  .noun = "messages",
                                  .key = "id",
                                  .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit card_messages_run(struct ctl_task *t)
{
    return ctl_each_card(t, messages_one);
}

static enum ctl_exit trail_one(struct ctl_task *t, const char *id)
{
    static const struct ctl_column columns[] = {
        {"SEQUENCE", "sequence"}, {"AT", "at"},         {"ACTOR", "actor.kind"},
        {"BY", "actor.id"},       {"ACTION", "action"}, {"OPERATION", "operationId"},
        {"RESULT", "result"},     {"REASON", "reason"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/cards",
                                  .id = id,
                                  .suffix = "/audit-trail",
                                  .noun = "rows",
                                  .key = "sequence",
                                  .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit card_trail_run(struct ctl_task *t)
{
    return ctl_each_card(t, trail_one);
}

// `state`: the new one, or NULL; the rest is as the options say.
static enum ctl_exit change_card(struct ctl_task *t, const char *id, const char *state)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    if (state != NULL) {
        json_put_key(&j, "state");
        json_put_string(&j, state);
    }
    ctl_put_text(t, &j, OPTION_GROUP, "groupId");
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "PATCH", "/cards");
    ctl_request_segment(&r, id);
    ctl_request_json(&r, writer_bytes(&w));
    return ctl_change(t, &r, NULL);
}

static enum ctl_exit retire_one(struct ctl_task *t, const char *id)
{
    return change_card(t, id, "RETIRED");
}

static enum ctl_exit move_one(struct ctl_task *t, const char *id)
{
    return change_card(t, id, NULL);
}

enum ctl_exit card_retire_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "retiring a card needs --reason", NULL);
    return ctl_each_card(t, retire_one);
}

enum ctl_exit card_move_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_GROUP))
        return ctl_wrong(t, "moving cards needs --group", NULL);
    return ctl_each_card(t, move_one);
}

// --- more about one card ---

static enum ctl_exit timeline_one(struct ctl_task *t, const char *id)
{
    static const struct ctl_column columns[] = {
        {"AT", "at"},         {"KIND", "kind"},           {"STEP", "step"},
        {"ACTION", "action"}, {"DIRECTION", "direction"}, {"COMMAND", "command"},
        {"CAUSE", "cause"},   {"DETAIL", "detail"},       {"OPERATION", "operationId"},
        {NULL, NULL}};
    const struct ctl_listing l = {.path = "/cards",
                                  .id = id,
                                  .suffix = "/timeline",
                                  .noun = "entries",
                                  .key = "at",
                                  .columns = columns};
    return ctl_list(t, &l);
}

enum ctl_exit card_timeline_run(struct ctl_task *t)
{
    return ctl_each_card(t, timeline_one);
}

// Leaves a row in the trail, and nothing else: a POST for the sake of that.
static enum ctl_exit reveal_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    json_t *object = ctl_object_of_pairs(t, t->arg_count);
    json_object_set_new(object, "fields", ctl_list_of(t->option[OPTION_FIELDS]));
    ctl_request_init(&r, "POST", "/cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/reveal");
    r.is_reading = true;
    return ctl_send_object(t, &r, object, id);
}

enum ctl_exit card_reveal_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_FIELDS) || !ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "clear values need --fields and --reason", NULL);
    return ctl_each_card(t, reveal_one);
}

enum ctl_exit card_set_run(struct ctl_task *t)
{
    return ctl_set(t, "/cards");
}

static enum ctl_exit take_off(struct ctl_task *t, const char *id, const char *mark)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", "/cards");
    ctl_request_segment(&r, id);
    text_put(&r.path_w, mark);
    return ctl_send_object(t, &r, ctl_object_of_pairs(t, t->arg_count), id);
}

static enum ctl_exit release_one(struct ctl_task *t, const char *id)
{
    return take_off(t, id, "/quarantine");
}

static enum ctl_exit clear_one(struct ctl_task *t, const char *id)
{
    return take_off(t, id, "/dirty");
}

enum ctl_exit card_release_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "lifting a quarantine needs --reason", NULL);
    return ctl_each_card(t, release_one);
}

enum ctl_exit dirty_clear_run(struct ctl_task *t)
{
    if (!ctl_has(t, OPTION_REASON))
        return ctl_wrong(t, "clearing doubt without an audit needs --reason", NULL);
    return ctl_each_card(t, clear_one);
}

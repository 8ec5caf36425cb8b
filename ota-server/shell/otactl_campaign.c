// Campaigns: one operation for many cards.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#include <stdlib.h>

#define CAMPAIGN_MAX ((size_t)1 << 20)
#define PATH "/campaigns"

enum ctl_exit campaign_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"CAMPAIGN", "id"},
                                                {"NAME", "name"},
                                                {"TYPE", "operation.type"},
                                                {"STATE", "state"},
                                                {"REASON", "stateReason"},
                                                {"TARGETED", "funnel.targeted"},
                                                {"ELIGIBLE", "funnel.eligible"},
                                                {"SENT", "funnel.sent"},
                                                {"CONFIRMED", "funnel.confirmed"},
                                                {NULL, NULL}};
    const struct ctl_listing l = {
        .path = PATH, .noun = "campaigns", .key = "id", .sort = "-createdAt", .columns = columns};
    return ctl_list(t, &l);
}

// The numbers on one line: "RUNNING, 120 of 1000 confirmed, 3 failed, 877 to go".
static void describe(const json_t *campaign, char *text, size_t size)
{
    const json_t *funnel = json_object_get(campaign, "funnel");
    const json_t *progress = json_object_get(campaign, "progress");
    const char *why = ctl_string_at(campaign, "stateReason");
    const json_int_t left = json_integer_value(json_object_get(progress, "waiting")) +
                            json_integer_value(json_object_get(progress, "open"));
    snprintf(text, size, "%s%s%s, %lld of %lld confirmed, %lld failed, %lld to go",
             ctl_string_at(campaign, "state"), *why != '\0' ? " " : "", why,
             (long long)json_integer_value(json_object_get(funnel, "confirmed")),
             (long long)json_integer_value(json_object_get(funnel, "eligible")),
             (long long)json_integer_value(json_object_get(progress, "failed")), (long long)left);
}

// Losses are a table of their own.
static void print_campaign(struct ctl_task *t, struct ctl_answer *a)
{
    static const struct ctl_column columns[] = {
        {"DID NOT COME TO", "step"}, {"REASON", "reason"}, {"CARDS", "count"}, {NULL, NULL}};
    json_t *losses = json_incref(json_object_get(a->json, "losses"));
    char words[160];
    char line[256];
    describe(a->json, words, sizeof(words));
    snprintf(line, sizeof(line), "%s %s", ctl_string_at(a->json, "id"), words);
    (void)json_object_del(a->json, "losses");
    ctl_print_object(t, a);
    if (!ctl_has(t, OPTION_JSON) && !ctl_has(t, OPTION_QUIET) && json_array_size(losses) > 0)
        ctl_table_print(columns, losses, false, NULL);
    ctl_print_result(t, line);
    json_decref(losses);
}

static enum ctl_exit show_one(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", PATH);
    ctl_request_segment(&r, id);
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE)
        print_campaign(t, &a);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit campaign_show_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "cmp", show_one);
}

// --- changing --------------------------------------------------------------------------------

// The JSON object of a file, with --reason; NULL after saying why.
static char *read_campaign(const struct ctl_task *t, const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, CAMPAIGN_MAX, &len);
    json_t *root = NULL;
    char *body = NULL;
    if (text == NULL)
        return NULL;
    const enum json_fault fault = json_read(bytes_of(text, len), &root);
    if (fault == JSON_READ_OK && json_is_object(root)) {
        ctl_put_reason(t, root);
        body = json_dumps(root, JSON_COMPACT);
    } else {
        fprintf(stderr, "otactl: %s is no JSON object: %s\n", path, json_fault_text(fault));
    }
    json_decref(root);
    free(text);
    return body;
}

static enum ctl_exit send_file(struct ctl_task *t, struct ctl_request *r, const char *path)
{
    char *body = read_campaign(t, path);
    if (body == NULL)
        return CTL_WRONG_USE;
    ctl_request_json(r, bytes_of_text(body));
    const enum ctl_exit exit = ctl_change(t, r, NULL);
    free(body);
    return exit;
}

enum ctl_exit campaign_create_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "POST", PATH);
    return send_file(t, &r, t->args[0]);
}

enum ctl_exit campaign_change_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "PATCH", PATH);
    ctl_request_segment(&r, t->args[0]);
    return send_file(t, &r, t->args[1]);
}

static enum ctl_exit ask_and_print(struct ctl_task *t, struct ctl_request *r)
{
    struct ctl_answer a;
    const enum ctl_exit exit = ctl_ask(t, r, &a);
    if (exit == CTL_DONE && ctl_is_dry_run(t))
        ctl_print_dry_run(t, &a);
    else if (exit == CTL_DONE)
        print_campaign(t, &a);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit campaign_rate_run(struct ctl_task *t)
{
    uint8_t text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    char *end = NULL;
    const unsigned long rate = strtoul(t->args[1], &end, 10);
    if (*end != '\0' || rate == 0)
        return ctl_wrong(t, "the rate is cards a second, from 1 on", t->args[1]);
    json_begin_object(&j);
    json_put_key(&j, "rate");
    json_begin_object(&j);
    json_put_key(&j, "perSecond");
    json_put_unsigned(&j, rate);
    json_end_object(&j);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(&r, "PATCH", PATH);
    ctl_request_segment(&r, t->args[0]);
    ctl_request_json(&r, writer_bytes(&w));
    return ask_and_print(t, &r);
}

static enum ctl_exit act_one(struct ctl_task *t, const char *id)
{
    uint8_t text[CTL_REASON_SIZE];
    struct ctl_request r;
    const enum ctl_exit exit = ctl_act_request(t, PATH, id, t->verb->verb, text, &r);
    return exit == CTL_DONE ? ask_and_print(t, &r) : exit;
}

enum ctl_exit campaign_act_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "cmp", act_one);
}

// --- waiting ---------------------------------------------------------------------------------

// It goes on by itself in every other state.
static bool has_come_to_rest(const json_t *campaign)
{
    static const char *const moving[] = {"SCHEDULED", "CANARY", "RUNNING", "AWAIT_APPROVAL"};
    for (size_t i = 0; i < sizeof(moving) / sizeof(moving[0]); i++) {
        if (strcmp(ctl_string_at(campaign, "state"), moving[i]) == 0)
            return false;
    }
    return true;
}

// Done when every eligible card confirmed.
static enum ctl_exit exit_of(const json_t *campaign)
{
    const json_t *funnel = json_object_get(campaign, "funnel");
    const bool is_completed = strcmp(ctl_string_at(campaign, "state"), "COMPLETED") == 0;
    const bool is_whole = json_integer_value(json_object_get(funnel, "confirmed")) ==
                          json_integer_value(json_object_get(funnel, "eligible"));
    return is_completed && is_whole ? CTL_DONE : CTL_IN_PART;
}

static enum ctl_exit wait_one(struct ctl_task *t, const char *id)
{
    const struct ctl_wait w = {.path = PATH,
                               .id = id,
                               .describe = describe,
                               .has_ended = has_come_to_rest,
                               .state = "state",
                               .resume = "otactl campaign wait"};
    struct ctl_answer a;
    enum ctl_exit exit = ctl_wait(t, &w, &a);
    if (exit == CTL_DONE) {
        exit = exit_of(a.json);
        print_campaign(t, &a);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit campaign_wait_run(struct ctl_task *t)
{
    return ctl_each_of_ids(t, "cmp", wait_one);
}

// --- cards -----------------------------------------------------------------------------------

static const struct ctl_column card_columns[] = {
    {"CARD", "cardId"},           {"RESULT", "result"}, {"CAME TO", "step"}, {"REASON", "reason"},
    {"OPERATION", "operationId"}, {"ENDED", "endedAt"}, {NULL, NULL}};

static enum ctl_exit cards_csv(struct ctl_task *t, const char *id)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", PATH);
    ctl_request_segment(&r, id);
    text_put(&r.path_w, "/cards");
    ctl_put_query(t, &r);
    r.accept = "text/csv";
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE && a.len > 0)
        (void)fwrite(a.text, 1, a.len, stdout);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit campaign_cards_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = PATH,
                                  .id = t->args[0],
                                  .suffix = "/cards",
                                  .noun = "cards",
                                  .key = "cardId",
                                  .columns = card_columns};
    return ctl_has(t, OPTION_CSV) ? cards_csv(t, t->args[0]) : ctl_list(t, &l);
}

enum ctl_exit campaign_exclusions_run(struct ctl_task *t)
{
    const struct ctl_listing l = {.path = PATH,
                                  .id = t->args[0],
                                  .suffix = "/exclusions",
                                  .noun = "excluded cards",
                                  .key = "cardId",
                                  .columns = card_columns};
    return ctl_list(t, &l);
}

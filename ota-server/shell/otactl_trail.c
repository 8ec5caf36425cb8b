// The audit trail: reading it, and having its chain verified, or verifying files of it.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"
#include "ota-server/shell/otactl_proof.h"

#include <stdlib.h>

enum ctl_exit trail_list_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"SEQUENCE", "sequence"}, {"AT", "at"},         {"ACTOR", "actor.kind"},
        {"BY", "actor.id"},       {"ACTION", "action"}, {"OBJECT", "object.id"},
        {"RESULT", "result"},     {"REASON", "reason"}, {NULL, NULL}};
    const struct ctl_listing l = {
        .path = "/audit-trail", .noun = "rows", .key = "sequence", .columns = columns};
    return ctl_list(t, &l);
}

static enum ctl_exit judge(struct ctl_task *t, const json_t *answer)
{
    char line[256];
    const long long checked = (long long)json_integer_value(json_object_get(answer, "checked"));
    if (json_is_true(json_object_get(answer, "ok"))) {
        snprintf(line, sizeof(line), "verified %lld rows, head %s", checked,
                 ctl_string_at(answer, "headHash"));
        ctl_print_result(t, line);
        return CTL_DONE;
    }
    char bad[CTL_CELL_MAX];
    ctl_text_at(answer, "firstBadSequence", bad);
    const char *file = ctl_string_at(answer, "file");
    if (*file != '\0')
        fprintf(stderr, "otactl: %s is not what the server wrote\n", file);
    fputs("otactl: the chain is broken: somebody or something changed the trail\n"
          "  do: stop changes, keep the data as it is, and compare with the last checkpoint "
          "outside\n",
          stderr);
    snprintf(line, sizeof(line), "NOT verified: %s at row %.40s", ctl_string_at(answer, "problem"),
             bad);
    ctl_print_result(t, line);
    return CTL_NOT_VERIFIED;
}

// Without options the whole trail.
static void put_range(struct ctl_request *r, uint64_t first, uint64_t last, struct writer *w)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    if (first > 0) {
        json_put_key(&j, "fromSequence");
        json_put_unsigned(&j, first);
    }
    if (last > 0) {
        json_put_key(&j, "toSequence");
        json_put_unsigned(&j, last);
    }
    json_end_object(&j);
    ctl_request_init(r, "POST", "/audit-trail/verify");
    ctl_request_json(r, writer_bytes(w));
}

static void describe(const json_t *check, char *text, size_t size)
{
    snprintf(text, size, "%lld rows",
             (long long)json_integer_value(json_object_get(check, "checked")));
}

// A long trail is verified beside the server's work: waits for that, and leaves its verdict in `a`.
static enum ctl_exit await_verdict(struct ctl_task *t, const char *id, struct ctl_answer *a)
{
    const struct ctl_wait w = {.path = "/audit-trail/verifications",
                               .id = id,
                               .describe = describe,
                               .resume = "otactl trail show"};
    const enum ctl_exit exit = ctl_wait(t, &w, a);
    if (exit != CTL_DONE)
        return exit;
    json_t *verdict = json_incref(json_object_get(a->json, "verdict"));
    if (verdict == NULL) {
        fputs("otactl: the server could not read its database to the end\n"
              "  do: look at the server's log, and ask again\n",
              stderr);
        return CTL_INTERNAL;
    }
    json_decref(a->json);
    a->json = verdict;
    return CTL_DONE;
}

static enum ctl_exit show_verdict(struct ctl_task *t, enum ctl_exit exit, struct ctl_answer *a)
{
    if (exit == CTL_DONE) {
        ctl_print_object(t, a);
        exit = judge(t, a->json);
    }
    ctl_answer_free(a);
    return exit;
}

// One row by its number, or a verification by its id.
enum ctl_exit trail_show_run(struct ctl_task *t)
{
    uint64_t sequence = 0;
    struct ctl_answer a;
    if (ctl_is_id(t->args[0], "vrf"))
        return show_verdict(t, await_verdict(t, t->args[0], &a), &a);
    if (!text_read_decimal(bytes_of_text(t->args[0]), &sequence))
        return ctl_wrong(t, "expected a row's number, not", t->args[0]);
    return ctl_show(t, "/audit-trail", t->args[0], "");
}

// `a` gets the server's verdict, whether it comes at once or later.
static enum ctl_exit ask_verdict(struct ctl_task *t, uint64_t first, uint64_t last,
                                 struct ctl_answer *a)
{
    char text[96];
    struct writer w = writer_of(text, sizeof(text));
    struct ctl_request r;
    put_range(&r, first, last, &w);
    enum ctl_exit exit = ctl_ask(t, &r, a);
    if (exit == CTL_DONE && a->status == 202) {
        char id[CTL_ID_SIZE];
        snprintf(id, sizeof(id), "%s", ctl_string_at(a->json, "id"));
        ctl_answer_free(a);
        exit = await_verdict(t, id, a);
    }
    return exit;
}

// One verdict of files and of what the server says of the rows behind them.
static void join(json_t *files, const json_t *live)
{
    const json_int_t checked = json_integer_value(json_object_get(files, "checked")) +
                               json_integer_value(json_object_get(live, "checked"));
    json_t *first = json_incref(json_object_get(files, "fromSequence"));
    (void)json_object_update(files, (json_t *)live);
    (void)json_object_set_new(files, "fromSequence", first);
    (void)json_object_set_new(files, "checked", json_integer(checked));
}

static void set_text(struct ctl_answer *a)
{
    a->text = json_dumps(a->json, JSON_COMPACT);
    a->len = a->text != NULL ? strlen(a->text) : 0;
}

static enum ctl_exit verify_files(struct ctl_task *t)
{
    struct ctl_answer a = {0};
    json_t *verdict = NULL;
    uint64_t next = 0;
    enum ctl_exit exit = ctl_prove_files(t, &next, &verdict);
    if (exit == CTL_DONE && ctl_has(t, OPTION_LIVE) &&
        json_is_true(json_object_get(verdict, "ok"))) {
        exit = ask_verdict(t, next, 0, &a);
        if (exit == CTL_DONE)
            join(verdict, a.json);
        ctl_answer_free(&a);
    }
    a = (struct ctl_answer){.status = 200, .json = verdict};
    if (exit == CTL_DONE)
        set_text(&a);
    return show_verdict(t, exit, &a);
}

static enum ctl_exit verify_copy(struct ctl_task *t)
{
    struct ctl_answer a;
    enum ctl_exit exit = ask_verdict(t, 0, 0, &a);
    if (exit == CTL_DONE && json_is_true(json_object_get(a.json, "ok")))
        exit = ctl_prove_copy(t, a.json);
    free(a.text);
    a.text = NULL;
    if (exit == CTL_DONE)
        set_text(&a);
    return show_verdict(t, exit, &a);
}

enum ctl_exit trail_verify_run(struct ctl_task *t)
{
    struct ctl_answer a;
    uint64_t first = 0;
    uint64_t last = 0;
    const bool has_range = ctl_has(t, OPTION_FIRST) || ctl_has(t, OPTION_LAST);
    if (t->arg_count > 0 && ctl_has(t, OPTION_CHECKPOINTS))
        return ctl_wrong(t, "a copy is compared with the server's trail, without", "files");
    if (t->arg_count > 0)
        return has_range ? ctl_wrong(t, "files are verified whole, without", "--first or --last")
                         : verify_files(t);
    if (ctl_has(t, OPTION_CHECKPOINTS))
        return has_range
                   ? ctl_wrong(t, "a copy is compared with the whole, without", "--first or --last")
                   : verify_copy(t);
    if (ctl_has(t, OPTION_LIVE) || ctl_has(t, OPTION_CHECKPOINT_KEY))
        return ctl_wrong(t, "files are needed with", "--live or --checkpoint-key");
    if (!ctl_number(t, OPTION_FIRST, &first) || !ctl_number(t, OPTION_LAST, &last))
        return CTL_WRONG_USE;
    const enum ctl_exit exit = ask_verdict(t, first, last, &a);
    return show_verdict(t, exit, &a);
}

enum ctl_exit trail_checkpoints_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {
        {"SEQUENCE", "sequence"}, {"AT", "at"}, {"ROWS", "rows"}, {"HASH", "hash"}, {NULL, NULL}};
    const struct ctl_listing l = {.path = "/audit-trail/checkpoints",
                                  .noun = "checkpoints",
                                  .key = "sequence",
                                  .columns = columns};
    return ctl_list(t, &l);
}

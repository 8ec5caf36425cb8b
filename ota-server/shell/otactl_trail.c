// The audit trail: reading it, and having its chain verified.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

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

enum ctl_exit trail_show_run(struct ctl_task *t)
{
    uint64_t sequence = 0;
    if (!text_read_decimal(bytes_of_text(t->args[0]), &sequence))
        return ctl_wrong(t, "expected a row's number, not", t->args[0]);
    return ctl_show(t, "/audit-trail", t->args[0], "");
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
    fputs("otactl: the chain is broken: somebody or something changed the trail\n"
          "  do: stop changes, keep the data as it is, and compare with the last checkpoint "
          "outside\n",
          stderr);
    snprintf(line, sizeof(line), "NOT verified: %s at row %.40s", ctl_string_at(answer, "problem"),
             bad);
    ctl_print_result(t, line);
    return CTL_NOT_VERIFIED;
}

enum ctl_exit trail_verify_run(struct ctl_task *t)
{
    static const enum ctl_option options[] = {OPTION_FIRST, OPTION_LAST};
    static const char *const names[] = {"fromSequence", "toSequence"};
    uint8_t text[128];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    struct ctl_answer a;
    json_begin_object(&j);
    for (size_t i = 0; i < 2; i++) {
        uint64_t sequence = 0;
        if (!ctl_number(t, options[i], &sequence))
            return CTL_WRONG_USE;
        if (!ctl_has(t, options[i]))
            continue;
        json_put_key(&j, names[i]);
        json_put_unsigned(&j, sequence);
    }
    json_end_object(&j);
    ctl_request_init(&r, "POST", "/audit-trail/verify");
    ctl_request_json(&r, writer_bytes(&w));
    r.is_reading = true;
    enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        if (a.status == 202)
            ctl_print_result(t, ctl_string_at(a.json, "id"));
        else
            exit = judge(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

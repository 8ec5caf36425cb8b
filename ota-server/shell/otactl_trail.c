// The audit trail: reading it, and having its chain verified.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"

#define PART_ROWS 50000

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

// What is asked of a part: nothing at first, so that one without options is the whole trail.
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
    r->is_reading = true;
}

static uint64_t number_at(const struct ctl_answer *a, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(a->json, name));
}

// The parts of a long trail, one after the other; the last answer, with the count of all.
static enum ctl_exit verify_parts(struct ctl_task *t, uint64_t first, uint64_t last,
                                  struct ctl_answer *a)
{
    uint64_t checked = 0;
    for (uint64_t from = first;;) {
        char text[96];
        struct writer w = writer_of(text, sizeof(text));
        struct ctl_request r;
        const uint64_t to = last == 0 || last - from < PART_ROWS ? last : from + PART_ROWS - 1;
        put_range(&r, from, to, &w);
        const enum ctl_exit exit = ctl_ask(t, &r, a);
        if (exit != CTL_DONE)
            return exit;
        checked += number_at(a, "checked");
        const uint64_t reached = number_at(a, "toSequence");
        const uint64_t end = last != 0 ? last : number_at(a, "headSequence");
        if (!json_is_true(json_object_get(a->json, "ok")) || reached >= end || reached < from)
            break;
        from = reached + 1;
        ctl_answer_free(a);
        (void)snprintf(text, sizeof(text), "%llu of %llu rows", (unsigned long long)reached,
                       (unsigned long long)end);
        ctl_progress(t, text);
    }
    ctl_progress(t, NULL);
    (void)json_object_set_new(a->json, "fromSequence",
                              json_integer(first > 0 ? (json_int_t)first : 1));
    (void)json_object_set_new(a->json, "checked", json_integer((json_int_t)checked));
    return CTL_DONE;
}

enum ctl_exit trail_verify_run(struct ctl_task *t)
{
    struct ctl_answer a;
    uint64_t first = 0;
    uint64_t last = 0;
    if (!ctl_number(t, OPTION_FIRST, &first) || !ctl_number(t, OPTION_LAST, &last))
        return CTL_WRONG_USE;
    enum ctl_exit exit = verify_parts(t, first, last, &a);
    if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        exit = judge(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

// Operations: starting them, and waiting for their end.
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/clock.h"
#include "ota-server/shell/otactl_task.h"

#define WAIT_S 600
#define PAUSE_S 2 // when the server does not say

void ctl_progress(const struct ctl_task *t, const char *text)
{
    if (!t->shows_progress)
        return;
    fputs("\r\033[K", stderr);
    if (text != NULL)
        ctl_put_clean(stderr, text);
    fflush(stderr);
}

static bool has_ended(const struct ctl_wait *w, const struct ctl_answer *a)
{
    if (w->has_ended != NULL)
        return w->has_ended(a->json);
    return strcmp(ctl_string_at(a->json, "status"), "ENDED") == 0;
}

static void tell(struct ctl_task *t, const struct ctl_wait *w, const struct ctl_answer *a,
                 uint64_t past_ms)
{
    char words[160];
    char line[256];
    w->describe(a->json, words, sizeof(words));
    snprintf(line, sizeof(line), "%s %s, %llu s", w->id, words,
             (unsigned long long)(past_ms / 1000));
    ctl_progress(t, line);
}

static bool wait_limit(const struct ctl_task *t, uint64_t *limit_ms)
{
    uint64_t seconds = WAIT_S;
    if (ctl_has(t, OPTION_WAIT) && *t->option[OPTION_WAIT] != '\0' &&
        !ctl_number(t, OPTION_WAIT, &seconds))
        return false;
    *limit_ms = (seconds < UINT32_MAX ? seconds : UINT32_MAX) * 1000;
    return true;
}

enum ctl_exit ctl_wait(struct ctl_task *t, const struct ctl_wait *w, struct ctl_answer *a)
{
    uint64_t limit_ms = 0;
    *a = (struct ctl_answer){0};
    if (!wait_limit(t, &limit_ms))
        return CTL_WRONG_USE;
    const struct instant start = clock_instant();
    for (;;) {
        struct ctl_request r;
        ctl_request_init(&r, "GET", w->path);
        ctl_request_segment(&r, w->id);
        const enum ctl_exit exit = ctl_ask(t, &r, a);
        const uint64_t past_ms = clock_instant().ms - start.ms;
        if (exit != CTL_DONE || has_ended(w, a)) {
            ctl_progress(t, NULL);
            return exit;
        }
        tell(t, w, a, past_ms);
        if (past_ms >= limit_ms) {
            ctl_progress(t, NULL);
            fprintf(stderr,
                    "otactl: %s has not ended in time: it is %s\n  do: %s %s goes on waiting\n",
                    w->id, ctl_string_at(a->json, w->state != NULL ? w->state : "status"),
                    w->resume, w->id);
            return CTL_TIMEOUT;
        }
        const uint64_t pause_ms =
            (uint64_t)(a->retry_after_s >= 0 ? a->retry_after_s : PAUSE_S) * 1000;
        const uint64_t left_ms = limit_ms - past_ms;
        ctl_answer_free(a);
        ctl_pause(pause_ms < left_ms ? pause_ms : left_ms);
    }
}

static void describe(const json_t *operation, char *text, size_t size)
{
    const json_int_t attempts = json_integer_value(json_object_get(operation, "attempts"));
    const char *hold = ctl_string_at(operation, "holdReason");
    snprintf(text, size, "%s%s%s, attempt %lld", ctl_string_at(operation, "status"),
             *hold != '\0' ? " held: " : "", hold, (long long)attempts);
}

static void print_operation_result(const struct ctl_task *t, const json_t *operation)
{
    char line[256];
    const char *outcome = ctl_string_at(operation, "outcome");
    const char *failure = ctl_string_at(operation, "failureCode");
    const char *card = ctl_string_at(operation, "cardResult");
    snprintf(line, sizeof(line), "%s %s%s%s%s%s", ctl_string_at(operation, "id"),
             *outcome != '\0' ? outcome : ctl_string_at(operation, "status"),
             *failure != '\0' ? " " : "", failure, *card != '\0' ? " " : "", card);
    ctl_print_result(t, line);
}

static const char *advice_of(const char *outcome, const char *failure)
{
    static const struct {
        const char *name, *text;
    } advice[] = {
        {"NO_LINK", "no message centre is connected: see otactl system show"},
        {"SUBMIT_REJECTED", "the message centre refused the message: see otactl op show"},
        {"DELIVERY_FAILED", "the network could not deliver it: see otactl card messages"},
        {"DELIVERY_EXPIRED", "the card was not reached: otactl op resend tries again"},
        {"OTA_TIMEOUT", "the card did not answer: otactl card audit finds out what it did"},
        {"CARD_UNREACHABLE", "the card was not reached: otactl op resend tries again"},
        {"POR_ERROR", "the card did not accept the packet: otactl card audit, then see its keys"},
        {"CARD_REFUSED", "the card said no: otactl card audit shows its true state"},
        {"ROLLED_BACK", "the new subscription had no service; the card went back to the old one"},
        {"APPROVAL_REJECTED", "a second person refused it"},
        {"APPROVAL_EXPIRED", "nobody approved it in time: ask again"},
        {"REFUSED_AT_SEND", "the card's state changed before it was sent: look, and ask again"},
        {"unresolved", "what the card did is not known: otactl card audit finds out"},
    };
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (strcmp(advice[i].name, failure) == 0 ||
            (*failure == '\0' && strcmp(advice[i].name, outcome) == 0))
            return advice[i].text;
    }
    return NULL;
}

static void say_failure(const json_t *operation)
{
    const char *outcome = ctl_string_at(operation, "outcome");
    const char *failure = ctl_string_at(operation, "failureCode");
    const char *text = ctl_string_at(operation, "failureText");
    fputs("otactl: ", stderr);
    ctl_put_clean(stderr, ctl_string_at(operation, "type"));
    fputs(" ended: ", stderr);
    ctl_put_clean(stderr, outcome);
    if (*failure != '\0') {
        fputs(", ", stderr);
        ctl_put_clean(stderr, failure);
    }
    if (*text != '\0') {
        fputs(": ", stderr);
        ctl_put_clean(stderr, text);
    }
    fputs("\n", stderr);
    const char *advice = advice_of(outcome, failure);
    if (advice != NULL)
        fprintf(stderr, "  do: %s\n", advice);
    const json_t *is_certain = json_object_get(operation, "stateCertain");
    if (json_is_false(is_certain))
        fputs("  the card's state is in doubt now; an audit is on its way\n", stderr);
}

enum ctl_exit ctl_follow(struct ctl_task *t, const char *id)
{
    const struct ctl_wait w = {
        .path = "/operations", .id = id, .describe = describe, .resume = "otactl op wait"};
    struct ctl_answer a;
    enum ctl_exit exit = ctl_wait(t, &w, &a);
    if (a.json != NULL && a.status == 200) {
        ctl_print_json(t, &a);
        if (exit == CTL_DONE) {
            const char *outcome = ctl_string_at(a.json, "outcome");
            exit = ctl_exit_of_operation(outcome, ctl_string_at(a.json, "failureCode"));
            if (exit != CTL_DONE)
                say_failure(a.json);
            else if (t->on_done != NULL && !ctl_has(t, OPTION_JSON) && !ctl_has(t, OPTION_QUIET))
                t->on_done(t, a.json);
        }
        print_operation_result(t, a.json);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit ctl_operate(struct ctl_task *t, struct ctl_request *r)
{
    struct ctl_answer a;
    char id[CTL_ID_SIZE];
    enum ctl_exit exit = ctl_ask(t, r, &a);
    snprintf(id, sizeof(id), "%s", ctl_string_at(a.json, "id"));
    const bool follows = ctl_has(t, OPTION_WAIT) && ctl_is_id(id, "op");
    if (exit == CTL_DONE && ctl_is_dry_run(t)) {
        ctl_print_dry_run(t, &a);
    } else if (exit == CTL_DONE && !follows) {
        ctl_print_json(t, &a);
        print_operation_result(t, a.json);
    }
    ctl_answer_free(&a);
    if (exit == CTL_DONE && follows && !ctl_is_dry_run(t))
        exit = ctl_follow(t, id);
    return exit;
}

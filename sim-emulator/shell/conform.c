// sim-emulator conform: judges the applet of a card, ours or anybody's, by the document.
#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/host/clock.h"
#include "sim-emulator/shell/app.h"
#include "sim-emulator/shell/commands.h"
#include "sim-emulator/shell/conform_keys.h"
#include "sim-emulator/shell/conform_report.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_WRONG_USE 2
#define EXIT_NOT_FOUND 3
#define EXIT_VERIFICATION 7
#define GROUPS 3
// Counters grow from run to run on a card that stays: by the tenth of a second since 2025.
#define COUNTER_EPOCH_MS INT64_C(1735689600000)
#define COUNTER_STEP_MS 100
#define SETTLE_S 3600   // longer than any switch is open
#define OUR_NUMBERS 100 // of the suite's own subscriptions

static const struct conform_case *case_at(size_t index)
{
    const struct {
        const struct conform_case *cases;
        size_t count;
    } groups[GROUPS] = {{conform_packet_cases, conform_packet_case_count},
                        {conform_command_cases, conform_command_case_count},
                        {conform_switch_cases, conform_switch_case_count}};
    for (size_t g = 0; g < GROUPS; g++) {
        if (index < groups[g].count)
            return &groups[g].cases[index];
        index -= groups[g].count;
    }
    return NULL;
}

static size_t case_count(void)
{
    return conform_packet_case_count + conform_command_case_count + conform_switch_case_count;
}

static bool is_wanted(const struct options *o, const struct conform_case *c)
{
    if (o->case_count == 0)
        return true;
    for (unsigned i = 0; i < o->case_count; i++) {
        if (strncmp(o->cases[i], c->name, strlen(o->cases[i])) == 0)
            return true;
    }
    return false;
}

// --- the card --------------------------------------------------------------------------------

// What a server knows of the first card of the options.
static struct trial_card card_of(const struct app *app)
{
    const struct applet_factory *f = &app->cards.factories[0];
    struct trial_card card = {
        .kic = f->kic, .kid = f->kid, .kik = f->kik, .key_version = f->key_version, .tar = f->tar};
    check(f->server_address.len >= 2 &&
          phone_read(f->server_address.octets[0],
                     bytes_of(f->server_address.octets + 1, f->server_address.len - 1U),
                     &card.server));
    return card;
}

static void say_listening(const char *address)
{
    (void)fprintf(stderr, "sim-emulator: waits for a card at %s\n", address);
}

static bool open_link(struct app *app, struct conform_link *link, char error[CONFORM_ERROR_SIZE])
{
    const struct options *o = &app->options;
    if (o->tcp != NULL)
        return conform_link_tcp(link, o->tcp, false, say_listening, error);
    if (o->listen != NULL)
        return conform_link_tcp(link, o->listen, true, say_listening, error);
    if (o->pcsc != NULL)
        return conform_link_pcsc(link, o->pcsc, error);
    *link = conform_link_own(&app->devices[0].card);
    return true;
}

// --- a run -----------------------------------------------------------------------------------

// Where operation ids go on.
static void prepare(struct trial *t)
{
    struct audit_answer a;
    t->reason[0] = 0;
    t->is_skipped = false;
    t->exchanges = 0;
    if (!trial_audit(t, &a))
        return;
    if (a.operation_id_highest > t->operation_id)
        t->operation_id = a.operation_id_highest;
}

static bool is_ours(const struct audit_slot *slot)
{
    for (uint8_t n = 0; n < OUR_NUMBERS; n++) {
        if (memcmp(slot->imsi, conform_name(n).imsi, COMMAND_IMSI_SIZE) == 0)
            return true;
    }
    return false;
}

static void do_target(struct trial *t, enum command_number number,
                      const struct subscription_name *name, uint8_t flags)
{
    struct result ignored;
    struct command c = conform_target(t, number, name, flags);
    (void)trial_ask(t, &c, &ignored);
}

// What a case left behind when it failed: the card goes back to a subscription that was there
// before, which takes the fallback attribute, and the suite's own ones are deleted.
static void clean(struct trial *t)
{
    struct audit_answer a;
    if (!trial_audit(t, &a))
        return;
    const struct audit_slot *home = NULL;
    for (uint8_t i = 0; i < a.slot_count_here && home == NULL; i++)
        home = is_ours(&a.slots[i]) ? NULL : &a.slots[i];
    if (home == NULL)
        return;
    struct subscription_name name = conform_slot_name(home);
    do_target(t, COMMAND_ENABLE, &name, 0);
    trial_wait(t, SETTLE_S);
    do_target(t, COMMAND_SET_FALLBACK, &name, COMMAND_FLAG_FORCE);
    for (uint8_t i = 0; i < a.slot_count_here; i++) {
        name = conform_slot_name(&a.slots[i]);
        if (is_ours(&a.slots[i]))
            do_target(t, COMMAND_DELETE, &name, 0);
    }
}

// After a failure the card may be anywhere: time lets open things end, then it starts anew.
static void recover(struct trial *t)
{
    memset(t->profile, 0xFF, sizeof t->profile);
    memset(t->dead_imsi, 0, sizeof t->dead_imsi);
    t->refresh = TRIAL_REFRESH_OBEY;
    t->has_coverage = true;
    t->reason[0] = 0;
    trial_boot(t);
    trial_wait(t, SETTLE_S);
    clean(t);
}

static void run_case(struct trial *t, struct conform_outcome *out)
{
    struct instant start = clock_instant();
    prepare(t);
    if (t->reason[0] == 0)
        out->what->run(t);
    out->ms = clock_instant().ms - start.ms;
    out->exchanges = t->exchanges;
    if (t->is_skipped)
        out->verdict = CONFORM_SKIPPED;
    else
        out->verdict = t->reason[0] == 0 ? CONFORM_PASSED : CONFORM_FAILED;
    (void)snprintf(out->reason, sizeof out->reason, "%s", t->reason);
    static const char *const words[] = {"ok", "FAILED", "skipped"};
    (void)printf("%-8s %-24s [%s] %s\n", words[out->verdict], out->what->name, out->what->clause,
                 out->verdict == CONFORM_PASSED ? out->what->what : out->reason);
    if (out->verdict == CONFORM_FAILED)
        recover(t);
    trial_forget(t);
}

static bool write_reports(const struct options *o, const struct conform_run *run)
{
    bool ok = true;
    if (o->junit != NULL && !conform_write_junit(run, o->junit))
        ok = app_fail("the file of --junit cannot be written");
    if (o->html != NULL && !conform_write_html(run, o->html))
        ok = app_fail("the file of --html cannot be written");
    return ok;
}

static int judge(struct app *app, const struct conform_link *link, const struct trial_card *card)
{
    static struct trial t;
    const struct options *o = &app->options;
    char error[CONFORM_ERROR_SIZE];
    struct conform_run run = {.card = o->pcsc != NULL  ? o->pcsc
                                      : o->tcp != NULL ? o->tcp
                                                       : "a card of this program"};
    run.outcomes = calloc(case_count(), sizeof *run.outcomes);
    if (run.outcomes == NULL)
        return EXIT_FAILURE;
    trial_init(&t, link, &app->cipher, card);
    t.counter = (uint64_t)((clock_utc().ms - COUNTER_EPOCH_MS) / COUNTER_STEP_MS);
    trial_boot(&t);
    for (size_t i = 0; i < case_count(); i++) {
        if (!is_wanted(o, case_at(i)))
            continue;
        run.outcomes[run.count].what = case_at(i);
        run_case(&t, &run.outcomes[run.count++]);
    }
    secret_wipe(&t, sizeof t);
    size_t failed = conform_count(&run, CONFORM_FAILED);
    unsigned new_failures;
    int code = failed == 0 ? EXIT_SUCCESS : EXIT_VERIFICATION;
    if (run.count == 0) {
        (void)app_fail("no case begins with the name given (--list)");
        code = EXIT_WRONG_USE;
    } else if (!write_reports(o, &run)) {
        code = EXIT_FAILURE;
    } else if (o->compare != NULL && !conform_compare(&run, o->compare, &new_failures, error)) {
        (void)app_fail(error);
        code = EXIT_WRONG_USE;
    }
    (void)printf("%zu passed, %zu failed, %zu skipped\n", conform_count(&run, CONFORM_PASSED),
                 failed, conform_count(&run, CONFORM_SKIPPED));
    free(run.outcomes);
    return code;
}

static int list_cases(void)
{
    for (size_t i = 0; i < case_count(); i++) {
        const struct conform_case *c = case_at(i);
        (void)printf("%-24s [%s] %s\n", c->name, c->clause, c->what);
    }
    return EXIT_SUCCESS;
}

// Reaches the card and judges it.
static int run(struct app *app, const struct trial_card *card)
{
    struct conform_link link;
    char error[CONFORM_ERROR_SIZE];
    if (!open_link(app, &link, error)) {
        (void)app_fail(error);
        return EXIT_NOT_FOUND;
    }
    int code = judge(app, &link, card);
    link.close(link.context);
    return code;
}

// With a file of keys no card of this program is made.
static int run_with_keys(struct app *app)
{
    struct trial_card card;
    char error[CONFORM_ERROR_SIZE];
    int code = EXIT_WRONG_USE;
    if (!cipher_openssl_open(&app->cipher))
        (void)app_fail("OpenSSL lacks AES or SHA-256");
    else if (!conform_keys_read(app->options.card_keys, &card, error))
        (void)app_fail(error);
    else
        code = run(app, &card);
    secret_wipe(&card, sizeof card);
    cipher_openssl_close(&app->cipher);
    return code;
}

int conform_main(int argc, char **argv)
{
    static struct app app = {.lock_fd = -1};
    options_read_conform(&app.options, argc, argv);
    if (app.options.is_list)
        return list_cases();
    if (app.options.card_keys != NULL)
        return run_with_keys(&app);
    int code = EXIT_WRONG_USE;
    if (app_open(&app, NVM_PAGES) && app.cards.count > 0) {
        struct trial_card card = card_of(&app);
        code = run(&app, &card);
        secret_wipe(&card, sizeof card);
    }
    if (!app_close(&app))
        code = EXIT_FAILURE;
    return code;
}

#include "sim-emulator/shell/conform_cases.h"

// Times of the defaults, in seconds [docs/applet-protocol.md §6].
#define T_REFRESH 5
#define T_ATTACH 180
#define WAITS_SUM 900
#define SLACK 120 // polling, and timers that are counted in STATUS commands

struct journey {
    struct subscription_name home; // enabled before
    bool is_ready;
};

static bool is_enabled(struct trial *t, const uint8_t *imsi)
{
    struct audit_answer a;
    if (!trial_audit(t, &a))
        return false;
    const struct audit_slot *s = conform_slot(&a, false);
    return s != NULL && memcmp(s->imsi, imsi, COMMAND_IMSI_SIZE) == 0;
}

// A second subscription, number 1, beside the one in use.
static struct journey begin(struct trial *t)
{
    struct journey j = {.is_ready = false};
    struct audit_answer a;
    struct conform_download d;
    if (!trial_audit(t, &a) || !trial_expect(t, conform_slot(&a, false) != NULL, "none is enabled"))
        return j;
    j.home = conform_slot_name(conform_slot(&a, false));
    conform_make_download(t, 1, &d);
    (void)trial_expect_code(t, &d.command, RESULT_OK);
    trial_forget(t);
    j.is_ready = t->reason[0] == 0;
    return j;
}

static const struct trial_notice *expect_notice(struct trial *t, uint8_t cause, const char *wrong)
{
    const struct trial_notice *notice = trial_notice(t, cause);
    (void)trial_expect(t, notice != NULL, wrong);
    return notice;
}

static void confirm(struct trial *t, const struct trial_notice *notice, uint8_t code)
{
    struct command c = {.number = COMMAND_CONFIRM,
                        .operation_id = notice->content.operation_id,
                        .confirm = {.sequence = notice->content.sequence}};
    (void)trial_expect_code(t, &c, code);
}

// Confirms what is pending, so that nothing is under way in the next case.
static void confirm_all(struct trial *t)
{
    for (unsigned i = 0; i < t->notice_count; i++) {
        const struct notification *n = &t->notices[i].content;
        if (n->sequence == 0)
            continue;
        struct command c = {.number = COMMAND_CONFIRM,
                            .operation_id = n->operation_id,
                            .confirm = {.sequence = n->sequence}};
        struct result ignored;
        (void)trial_ask(t, &c, &ignored);
    }
    trial_forget(t);
}

static uint32_t enable(struct trial *t, const struct subscription_name *name, uint8_t flags)
{
    struct command c = conform_target(t, COMMAND_ENABLE, name, flags);
    (void)trial_expect_code(t, &c, RESULT_OK_PENDING);
    return c.operation_id;
}

// Back to the subscription that the case began with, and the other one away.
static void end(struct trial *t, const struct journey *j)
{
    memset(t->dead_imsi, 0, sizeof t->dead_imsi);
    t->refresh = TRIAL_REFRESH_OBEY;
    memset(t->profile, 0xFF, sizeof t->profile);
    if (!t->is_in_service)
        trial_cover(t, true);
    if (t->reason[0] == 0 && !is_enabled(t, j->home.imsi)) {
        (void)enable(t, &j->home, COMMAND_FLAG_ROLLBACK);
        trial_wait(t, T_REFRESH + 1);
        confirm_all(t);
    }
    struct subscription_name name = conform_name(1);
    struct command c = conform_target(t, COMMAND_DELETE, &name, 0);
    (void)trial_expect_code(t, &c, RESULT_OK);
    confirm_all(t);
}

static void enable_is_confirmed(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    unsigned refreshes = t->refreshes;
    uint32_t id = enable(t, &name, COMMAND_FLAG_ROLLBACK);
    (void)trial_expect(t, t->refreshes == refreshes, "REFRESH comes before T_REFRESH is over");
    trial_wait(t, T_REFRESH + 1);
    (void)trial_expect(t, t->refreshes > refreshes, "there is no REFRESH after T_REFRESH");
    (void)trial_expect(t, memcmp(t->imsi, name.imsi, sizeof t->imsi) == 0,
                       "EF.IMSI is not that of the new subscription");
    const struct trial_notice *notice =
        expect_notice(t, NOTIFY_ENABLED, "normal service brings no notification ENABLED");
    if (notice != NULL) {
        (void)trial_expect(t, notice->content.operation_id == id, "it names another operation");
        (void)trial_expect(t, notice->is_to_server && notice->has_reference,
                           "it goes elsewhere, or names no card");
        confirm(t, notice, RESULT_OK);
    }
    trial_wait(t, 2 * WAITS_SUM + T_ATTACH);
    (void)trial_expect(t, is_enabled(t, name.imsi), "a confirmed switch does not last");
    end(t, &j);
}

static void enable_of_the_enabled(struct trial *t)
{
    struct audit_answer a;
    if (!trial_audit(t, &a) || !trial_expect(t, conform_slot(&a, false) != NULL, "none is enabled"))
        return;
    struct subscription_name name = conform_slot_name(conform_slot(&a, false));
    struct command c = conform_target(t, COMMAND_ENABLE, &name, COMMAND_FLAG_ROLLBACK);
    (void)trial_expect_code(t, &c, RESULT_OK_UNCHANGED);
}

static void enable_of_none(struct trial *t)
{
    struct subscription_name name = conform_name(99);
    struct command c = conform_target(t, COMMAND_ENABLE, &name, COMMAND_FLAG_ROLLBACK);
    (void)trial_expect_code(t, &c, RESULT_NOT_FOUND);
}

static void expect_back(struct trial *t, const struct journey *j, uint32_t id)
{
    (void)trial_expect(t, is_enabled(t, j->home.imsi), "the former subscription is not back");
    const struct trial_notice *notice =
        expect_notice(t, NOTIFY_ROLLED_BACK, "there is no notification ROLLED_BACK");
    if (notice != NULL)
        (void)trial_expect(t, notice->content.operation_id == id, "it names another operation");
}

static void no_service_rolls_back(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    memcpy(t->dead_imsi, name.imsi, sizeof t->dead_imsi);
    uint32_t id = enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_wait(t, T_REFRESH + 1);
    (void)trial_expect(t, memcmp(t->imsi, name.imsi, sizeof t->imsi) == 0, "there is no switch");
    trial_wait(t, T_ATTACH / 2);
    (void)trial_expect(t, memcmp(t->imsi, name.imsi, sizeof t->imsi) == 0,
                       "the card goes back before T_ATTACH is over");
    trial_wait(t, T_ATTACH / 2 + SLACK);
    expect_back(t, &j, id);
    end(t, &j);
}

static void no_confirmation_rolls_back(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    uint32_t id = enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_wait(t, T_REFRESH + 1);
    trial_wait(t, WAITS_SUM - SLACK);
    (void)trial_expect(t, memcmp(t->imsi, name.imsi, sizeof t->imsi) == 0,
                       "the card goes back before the last wait is over");
    trial_wait(t, 2 * SLACK);
    expect_back(t, &j, id);
    end(t, &j);
}

static void notifications_are_repeated(struct trial *t)
{
    // Sent at 0, 60, 180 and 420 s: after waits of 60, 120 and 240 s.
    static const uint32_t due[] = {0, 60, 180, 420};
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    (void)enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_wait(t, T_REFRESH + 1);
    trial_wait(t, 450);
    unsigned count = 0;
    const struct trial_notice *last = NULL;
    for (unsigned i = 0; i < t->notice_count; i++) {
        const struct trial_notice *n = &t->notices[i];
        if (n->content.cause != NOTIFY_ENABLED)
            continue;
        (void)trial_expect(t, last == NULL || n->cntr > last->cntr, "the MO counter does not grow");
        (void)trial_expect(t, last == NULL || n->content.sequence == last->content.sequence,
                           "a repetition has another sequence");
        uint64_t after = n->at_s - (count == 0 ? n->at_s : t->notices[0].at_s);
        (void)trial_expect(t, count < 4 && after + 35 >= due[count] && after <= due[count] + 35,
                           "a repetition does not come when it is due");
        last = n;
        count++;
    }
    (void)trial_expect(t, count == 4, "in 450 s there are not 4 sendings");
    if (last != NULL)
        confirm(t, last, RESULT_OK);
    trial_forget(t);
    trial_wait(t, WAITS_SUM);
    (void)trial_expect(t, trial_notice(t, NOTIFY_ENABLED) == NULL,
                       "a confirmed notification is sent again");
    end(t, &j);
}

static void open_switch_is_busy(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    struct audit_answer a;
    if (!j.is_ready)
        return;
    (void)enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_wait(t, T_REFRESH + 1);
    struct command c = conform_target(t, COMMAND_DELETE, &j.home, 0);
    (void)trial_expect_code(t, &c, RESULT_BUSY_SWITCHING);
    (void)trial_audit(t, &a);
    const struct trial_notice *notice =
        expect_notice(t, NOTIFY_ENABLED, "there is no notification ENABLED");
    if (notice != NULL)
        confirm(t, notice, RESULT_OK);
    end(t, &j);
}

static void reset_finishes_the_switch(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    (void)enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_boot(t); // before T_REFRESH: the start itself takes the place of the REFRESH
    (void)trial_expect(t, memcmp(t->imsi, name.imsi, sizeof t->imsi) == 0,
                       "after a reset in between the card is on the former subscription");
    const struct trial_notice *notice =
        expect_notice(t, NOTIFY_ENABLED, "there is no notification ENABLED");
    if (notice != NULL)
        confirm(t, notice, RESULT_OK);
    end(t, &j);
}

static void refused_refresh_fails_the_switch(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    t->refresh = TRIAL_REFRESH_REFUSE;
    unsigned refreshes = t->refreshes;
    uint32_t id = enable(t, &name, COMMAND_FLAG_ROLLBACK);
    trial_wait(t, T_REFRESH + SLACK + T_ATTACH);
    (void)trial_expect(t, t->refreshes == refreshes + 3, "REFRESH is not tried 3 times");
    const struct trial_notice *notice =
        expect_notice(t, NOTIFY_SWITCH_FAILED, "there is no notification SWITCH_FAILED");
    if (notice != NULL)
        (void)trial_expect(t, notice->content.operation_id == id, "it names another operation");
    (void)trial_expect(t, is_enabled(t, j.home.imsi), "the former subscription is not back");
    confirm_all(t);
    end(t, &j);
}

static void terminal_without_refresh(struct trial *t)
{
    struct journey j = begin(t);
    struct subscription_name name = conform_name(1);
    if (!j.is_ready)
        return;
    cat_profile_set(t->profile, sizeof t->profile, CAT_FEATURE_REFRESH, false);
    trial_boot(t);
    struct command c = conform_target(t, COMMAND_ENABLE, &name, COMMAND_FLAG_ROLLBACK);
    (void)trial_expect_code(t, &c, RESULT_TERMINAL_INCAPABLE);
    memset(t->profile, 0xFF, sizeof t->profile);
    trial_boot(t);
    end(t, &j);
}

static void registry_survives_a_reset(struct trial *t)
{
    struct command audit = {.number = COMMAND_AUDIT, .audit = {.first_slot = 1}};
    struct result before = trial_expect_code(t, &audit, RESULT_OK);
    uint32_t version = before.registry_version;
    trial_boot(t);
    struct result after = trial_expect_code(t, &audit, RESULT_OK);
    (void)trial_expect(t, after.registry_version == version, "REGV is another after a reset");
}

const struct conform_case conform_switch_cases[] = {
    {"reset.keeps", "states", "a reset changes nothing in the registry", registry_survives_a_reset},
    {"enable.unchanged", "4", "ENABLE of the enabled one is OK_UNCHANGED", enable_of_the_enabled},
    {"enable.unknown", "4", "ENABLE of none is NOT_FOUND", enable_of_none},
    {"enable.confirmed", "3, 5, states",
     "PoR, T_REFRESH, REFRESH, new IMSI, ENABLED, CONFIRM, and it lasts", enable_is_confirmed},
    {"enable.no-service", "6, states",
     "without service for T_ATTACH the card goes back, and says ROLLED_BACK",
     no_service_rolls_back},
    {"enable.no-confirm", "6, states",
     "without CONFIRM in the sum of NOTIFY_WAITS it goes back too", no_confirmation_rolls_back},
    {"enable.busy", "4", "while a switch is open other commands are BUSY_SWITCHING, AUDIT works",
     open_switch_is_busy},
    {"enable.reset", "states", "a reset before the REFRESH finishes the switch",
     reset_finishes_the_switch},
    {"enable.refused", "5, states", "a terminal that refuses REFRESH 3 times makes SWITCH_FAILED",
     refused_refresh_fails_the_switch},
    {"enable.incapable", "4", "without REFRESH in the profile ENABLE is TERMINAL_INCAPABLE",
     terminal_without_refresh},
    {"notify.repeated", "7", "a notification is repeated after NOTIFY_WAITS until its CONFIRM",
     notifications_are_repeated},
};
const size_t conform_switch_case_count =
    sizeof conform_switch_cases / sizeof conform_switch_cases[0];

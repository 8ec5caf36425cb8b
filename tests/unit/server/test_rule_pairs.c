// Every pair of status and input, fed to the code that runs the rules, against a table that was
// written by hand from the description of the operations' life, not from the rules.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/core/work.h"

#include <stdio.h>
#include <string.h>

// Columns: AWAIT_APPROVAL; QUEUED, never sent; QUEUED again after it was sent; SENDING, SENT,
// DELIVERED, SWITCHING, CONFIRMING, UNKNOWN: of these one packet was sent.
// Cells: nothing changes (.); the next status, by its first letter (T is SENT); or the outcome, by
// its first two. Behind it the reason for doubt, by the letter below. +: what was sent may still
// arrive; the card is in doubt then.
// clang-format off
static const char *const table[] = {
    //                   A  Q  q   S  T  D  W  C  U
    "approved            Q  .  .   .  .  .  .  .  .",
    "rejected            re .  .   .  .  .  .  .  .",
    "cancel              ca ca ca+ .  .  .  .  .  .",
    "expired             ex ex ex+ .  .  .  .  .  ex+",
    "refused_at_send     .  re re+ .  .  .  .  .  .",
    "built               .  S  S   .  .  .  .  .  .",
    "accepted            .  .  .   T  .  .  .  .  .",
    "submit_unknown      .  .  .   T  .  .  .  .  .",
    "submit_temporary    .  .  .   Q  .  .  .  .  .",
    "submit_rejected     .  .  .   fa .  .  .  .  .",
    "submit_partial      .  .  .   Ux .  .  .  .  .",
    "unsent              .  .  .   Q  .  .  .  .  .",
    "delivered           .  .  .   D  D  .  .  .  .",
    "lost                .  .  .   Q  Q  .  .  .  .",
    "part_lost           .  .  .   Ux Ux .  .  .  .",
    "timeout             .  .  .   .  Up Um Un Uc .",
    "timeout_unsubmitted .  .  .   .  Us .  .  .  .",
    "timeout_rollback    .  .  .   .  .  .  .  .  Ur",
    "done                .  do do  do do do .  .  do",
    "pending             .  W  W   W  W  W  .  .  W",
    "refused             .  fa fa  fa fa fa .  .  fa",
    "disagreed           .  fag fag fag fag fag . . fag",
    "packet_refused      .  fa fa  fa fa fa .  .  fa",
    "busy                .  Q  Q   Q  Q  Q  .  .  Q",
    "nvm                 .  Q  Q   Q  Q  Q  .  .  Q",
    "nvm_again           .  fa fa+ fa+ fa+ fa+ . . fa+",
    "not_understood      .  Uu Uu  Uu Uu Uu .  .  Uu",
    "counter             .  Uk Uk  Uk Uk Uk .  .  Uk",
    "blocked             .  fa fa+ fa+ fa+ fa+ . . fa+",
    "wait                .  .  .   D  D  D  .  .  .",
    "insecure            .  .  .   Uu Uu Uu .  .  .",
    "enabled             .  C  C   C  C  C  C  C  C",
    "enabled_late        .  .  .   .  .  .  Un Un .",
    "rolled_back         .  ro ro  ro ro ro ro ro ro",
    "switch_failed       .  fa fa  fa fa fa fa fa fa",
    "confirm_done        .  .  .   .  .  .  .  do do",
    "confirm_too_late    .  .  .   .  .  .  .  Ul Ul",
    "confirm_unknown     .  .  .   .  .  .  .  Uu .",
    "audit_done          .  .  .   .  .  .  .  .  do",
    "audit_refused       .  .  .   .  .  .  .  .  fa",
    "audit_pending       .  .  .   .  .  .  .  .  W",
    "audit_rolled_back   .  .  .   .  .  .  .  .  ro",
    "audit_untold        .  .  .   .  .  .  .  .  un",
    "audit_never         .  .  .   .  .  .  .  .  Q",
    "audit_absent        .  .  .   .  .  .  .  .  Q",
    "unreachable         .  .  .   .  .  .  .  .  un",
    "restart             .  .  .   Uz Uz Uz Uz Uz .",
    "restore             .  Ub Ub  .  .  .  .  .  .",
};
// clang-format on

#define COLUMNS 9
static const uint8_t statuses[COLUMNS] = {
    STATUS_AWAIT_APPROVAL, STATUS_QUEUED,    STATUS_QUEUED,     STATUS_SENDING, STATUS_SENT,
    STATUS_DELIVERED,      STATUS_SWITCHING, STATUS_CONFIRMING, STATUS_UNKNOWN};

static uint8_t reason_of(char letter)
{
    switch (letter) {
    case 'p':
    case '+':
        return DIRTY_POR_TIMEOUT;
    case 'm':
        return DIRTY_POR_MISSING_BUT_DELIVERED;
    case 'n':
        return DIRTY_SWITCH_NO_NOTIFY;
    case 'c':
        return DIRTY_CONFIRM_UNACKNOWLEDGED;
    case 'l':
        return DIRTY_LATE_CONFIRM;
    case 'r':
        return DIRTY_ROLLBACK_UNCONFIRMED;
    case 's':
        return DIRTY_SUBMIT_OUTCOME_UNKNOWN;
    case 'x':
        return DIRTY_PARTIAL_MULTI_SMS;
    case 'u':
        return DIRTY_UNKNOWN_POR_STATUS;
    case 'k':
        return DIRTY_COUNTER_MISMATCH;
    case 'g':
        return DIRTY_GUARD_DISAGREEMENT;
    case 'z':
        return DIRTY_SERVER_RESTART_WITH_OPEN_OP;
    case 'b':
        return DIRTY_RESTORE_FROM_BACKUP;
    default: // characters
        return DIRTY_NONE;
    }
}

static uint8_t status_of(char letter)
{
    static const char letters[] = "AQSTDWCU"; // in the order of enum operation_status
    const char *at = strchr(letters, letter);
    return at == NULL ? STATUS_ENDED : (uint8_t)(at - letters);
}

static struct world world;
static struct record before;

static struct operation *begin(unsigned column)
{
    struct record *r = &world.record;
    struct operation *o = &r->open;
    const bool was_sent = column >= 2;
    r->has_open = true;
    *o = (struct operation){.id = 5,
                            .kind = OPERATION_ENABLE,
                            .status = statuses[column],
                            .flags = COMMAND_FLAG_ROLLBACK,
                            .target = record_slot_name(&r->slots[1]),
                            .card_operation_id = was_sent ? 9 : 0,
                            .attempts = was_sent,
                            .sent_any = was_sent,
                            .may_have_run = was_sent};
    before = *r;
    return o;
}

static void judge(const char *input, const char *cell, unsigned column)
{
    const struct record *r = &world.record;
    const bool has_ended = cell[0] >= 'a';
    const struct operation *o = has_ended ? &world.decision.ended[0] : &r->open;
    const char letter = cell[has_ended ? 2 : 1];
    const uint8_t reason = reason_of(letter);
    bool is_right = world.decision.ended_count == has_ended && r->has_open == !has_ended &&
                    o->may_still_arrive == (letter == '+') &&
                    record_has_mark(r, MARK_DIRTY) == (reason != DIRTY_NONE);
    for (uint8_t i = 0; i < DIRTY_REASONS; i++)
        is_right &= (r->reasons[i].since.ms != 0) == (i == reason && reason != DIRTY_NONE);
    is_right &= o->status == (has_ended ? STATUS_ENDED : status_of(cell[0]));
    if (has_ended)
        is_right &= strncmp(operation_outcome_name(o->outcome), cell, 2) == 0;
    if (!is_right)
        fail_msg("%s in %s (column %u), which wants %s: %s, %s", input,
                 operation_status_name(statuses[column]), column, cell,
                 operation_status_name(o->status), operation_outcome_name(o->outcome));
}

static void feed(uint8_t input, const char *cell, unsigned column)
{
    static const struct event event = {.type = EVENT_WAKE, .fresh_id = 1000};
    world_init(&world);
    struct operation *o = begin(column);
    struct work w = {.e = &event,
                     .policy = &world.policy,
                     .cipher = &world.cipher,
                     .d = &world.decision,
                     .before = &before,
                     .r = &world.record,
                     .now = world.now};
    operation_input(&w, o, input);
    if (cell[0] == '.') {
        if (memcmp(&before, &world.record, sizeof(before)) != 0 || world.decision.ended_count != 0)
            fail_msg("%s in %s changes something", input_name(input),
                     operation_status_name(statuses[column]));
    } else {
        judge(input_name(input), cell, column);
    }
    world_close(&world);
}

static void every_status_and_input_does_what_the_description_says(void **state)
{
    (void)state;
    assert_int_equal(sizeof(table) / sizeof(table[0]), INPUTS);
    for (uint8_t input = 0; input < INPUTS; input++) {
        char name[32];
        char cells[COLUMNS][8];
        assert_int_equal(sscanf(table[input], "%31s %7s %7s %7s %7s %7s %7s %7s %7s %7s", name,
                                cells[0], cells[1], cells[2], cells[3], cells[4], cells[5],
                                cells[6], cells[7], cells[8]),
                         COLUMNS + 1);
        assert_string_equal(name, input_name(input));
        for (unsigned column = 0; column < COLUMNS; column++)
            feed(input, cells[column], column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_and_input_does_what_the_description_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Prints docs/applet-states.md from the table of applet/rules.c, or with --model the table part of
// the SPIN model of the switch; tests compare.
#include "applet/rules.h"

#include <stdio.h>
#include <string.h>

static const char *const STATE_TRUTHS[RULE_STATES] = {
    "the card was reset and the terminal has not yet said what service there is",
    "normal service, no switch open",
    "no normal service, no switch open; the outage clock runs",
    "the journal is open: the answer is on its way, or a REFRESH is wanted",
    "the new subscription is committed and must find normal service in T_ATTACH",
    "a commanded switch found service and waits for the server's CONFIRM",
    "nothing worked; the card waits on the fallback subscription",
};

static void print_states(void)
{
    printf("# States of the applet\n\n"
           "Drawn from the table in `applet/rules.c`; do not edit.\n"
           "Write it anew with `build/dev/bin/applet-states > docs/applet-states.md`.\n\n"
           "| State | What is true in it |\n|---|---|\n");
    for (uint8_t s = 0; s < RULE_STATES; s++)
        printf("| %s | %s |\n", rules_state_name(s), STATE_TRUTHS[s]);
}

static void print_picture(const struct rule *table, size_t count)
{
    printf("\n```mermaid\nstateDiagram-v2\n    [*] --> STARTING\n");
    for (size_t i = 0; i < count; i++) {
        if (table[i].from != table[i].to)
            printf("    %s --> %s: %s / %s\n", rules_state_name(table[i].from),
                   rules_state_name(table[i].to), rules_event_name(table[i].event),
                   table[i].action_name);
    }
    printf("```\n");
}

static void print_rows(const struct rule *table, size_t count)
{
    printf("\nOf several rows for one state and event the first whose guard holds counts.\n\n"
           "| State | Event | Guard | Action | Next | Why |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        printf("| %s | %s | %s | %s | %s | %s |\n", rules_state_name(table[i].from),
               rules_event_name(table[i].event), table[i].guard_name, table[i].action_name,
               rules_state_name(table[i].to), table[i].why);
    printf("\nEvents that mean nothing in a state:\n\n");
    for (uint8_t s = 0; s < RULE_STATES; s++) {
        printf("- %s:", rules_state_name(s));
        for (unsigned e = 0; e < RULE_EVENTS; e++) {
            if (rules_is_ignored(s, (enum rule_event)e))
                printf(" %s", rules_event_name((enum rule_event)e));
        }
        printf("\n");
    }
}

// --- the table as a SPIN model ---

static void print_numbers(void)
{
    for (uint8_t s = 0; s < RULE_STATES; s++)
        printf("#define S_%s %u\n", rules_state_name(s), s);
    for (unsigned e = 0; e < RULE_EVENTS; e++)
        printf("#define E_%s %u\n", rules_event_name((enum rule_event)e), e);
}

// The rows of one pair, the first whose guard holds counts; how many there are.
static unsigned print_pair(const struct rule *table, size_t count, uint8_t state, unsigned event)
{
    unsigned rows = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = &table[i];
        if (r->from != state || (unsigned)r->event != event)
            continue;
        if (rows == 0)
            printf("    :: state == S_%s && event == E_%s ->\n", rules_state_name(state),
                   rules_event_name(r->event));
        printf("       if :: G_%s -> state = S_%s; A_%s() :: else ->\n", r->guard_name,
               rules_state_name(r->to), r->action_name);
        rows++;
    }
    if (rows > 0)
        printf("       skip");
    for (unsigned i = 0; i < rows; i++)
        printf(" fi");
    if (rows > 0)
        printf("\n");
    return rows;
}

static void print_model(const struct rule *table, size_t count)
{
    printf("/* The table of applet/rules.c; do not edit.\n"
           " * Written by `applet-states --model`; a test compares. */\n");
    print_numbers();
    printf("\ninline step(event) {\n    if\n");
    for (uint8_t s = 0; s < RULE_STATES; s++) {
        for (unsigned e = 0; e < RULE_EVENTS; e++) {
            if (print_pair(table, count, s, e) == 0 && rules_is_ignored(s, (enum rule_event)e))
                printf("    :: state == S_%s && event == E_%s -> skip\n", rules_state_name(s),
                       rules_event_name((enum rule_event)e));
        }
    }
    // A pair with neither row nor mark.
    printf("    :: else -> assert(false)\n    fi\n}\n");
}

int main(int argc, char **argv)
{
    size_t count = 0;
    const struct rule *table = rules_table(&count);
    if (argc == 2 && strcmp(argv[1], "--model") == 0) {
        print_model(table, count);
        return 0;
    }
    print_states();
    print_picture(table, count);
    print_rows(table, count);
    return 0;
}

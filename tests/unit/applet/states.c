// Prints docs/applet-states.md from the table of applet/rules.c; a test compares.
#include "applet/rules.h"

#include <stdio.h>

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

int main(void)
{
    size_t count = 0;
    const struct rule *table = rules_table(&count);
    print_states();
    print_picture(table, count);
    print_rows(table, count);
    return 0;
}

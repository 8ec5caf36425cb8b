#include "tests/exhaust/pairs.h"

#include "applet/memory.h"

#include <stdio.h>

static bool is_row_open(const struct turn *t, uint8_t state, enum rule_event event)
{
    size_t count = 0;
    const struct rule *table = rules_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].from == state && table[i].event == event &&
            (table[i].guard == NULL || table[i].guard(t)))
            return true;
    }
    return false;
}

static bool fits(const struct applet *a, const struct image *m)
{
    const bool is_open = a->state == SWITCH_SWITCHING || a->state == SWITCH_PROBATION ||
                         a->state == SWITCH_CONFIRMING;
    return is_open == (m->journal.phase != JOURNAL_NONE);
}

// `*is_fed`: whether it was; without a second subscription there is nothing to order.
static const char *feed(struct rig *r, enum rule_event event, bool *is_fed)
{
    struct applet *a = &r->now.applet;
    struct turn t;
    const uint8_t state = a->state;
    if (!turn_begin(&t, a, &r->port))
        return "no image";
    // An order for whatever is not enabled.
    t.order = (struct order){.to = image_enabled(t.image) == 0 ? 1 : 0, .operation_id = 1};
    if (t.image->slots[t.order.to].state == SLOT_EMPTY)
        t.order.to = image_enabled(t.image) == 2 ? 0 : 2;
    if (t.image->slots[t.order.to].state == SLOT_EMPTY)
        return NULL; // one subscription alone
    const bool is_open = is_row_open(&t, state, event);
    *is_fed = true;
    turn_feed(&t, event);
    if (!is_open && (t.is_changed || a->state != state))
        return "an event without a row does something";
    if (!image_is_sound(t.image))
        return "a rule makes an unsound registry";
    if (!fits(a, t.image))
        return "journal and state do not fit";
    return turn_end(&t) ? NULL : "a rule's change is not committed";
}

bool pairs_try(struct pairs *p, struct rig *r, const struct rig_state *state)
{
    for (unsigned event = 0; event < RULE_EVENTS; event++) {
        bool is_fed = false;
        rig_restore(r, state);
        p->differs = feed(r, (enum rule_event)event, &is_fed);
        p->seen[state->applet.state][event] |= is_fed;
        if (p->differs != NULL)
            return false;
    }
    rig_restore(r, state);
    return true;
}

bool pairs_are_all(const struct pairs *p)
{
    bool are_all = true;
    for (uint8_t s = 0; s < RULE_STATES; s++) {
        for (unsigned e = 0; e < RULE_EVENTS; e++) {
            if (p->seen[s][e])
                continue;
            (void)printf("TOO LITTLE %s in %s was never fed\n",
                         rules_event_name((enum rule_event)e), rules_state_name(s));
            are_all = false;
        }
    }
    return are_all;
}

unsigned pairs_count(const struct pairs *p)
{
    unsigned count = 0;
    for (unsigned s = 0; s < RULE_STATES; s++) {
        for (unsigned e = 0; e < RULE_EVENTS; e++)
            count += p->seen[s][e];
    }
    return count;
}

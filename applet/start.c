#include "applet/start.h"

#include "applet/notify.h"
#include "applet/switching.h"

static void restore_note(struct turn *t)
{
    const struct subscription_name none = {.is_given = false};
    uint8_t enabled = image_enabled(t->image);
    notify_queue(t, NOTIFY_RESTORED, none, image_name(t->image, enabled), 0);
}

// False: it could not be committed.
static bool carry_out(struct turn *t)
{
    struct applet *a = t->a;
    const bool is_damaged = a->found == MEMORY_DAMAGED;
    if (is_damaged)
        restore_note(t);
    // The power failed between the deletion and this; doing it again is harmless.
    if (t->image->is_scrub_due)
        (void)memory_scrub(a, t->port);
    turn_feed(t, EVENT_START);
    // A late one: what the terminal said meanwhile.
    if (a->has_service)
        switching_service(t, false);
    a->is_late = false;
    if (!turn_end(t))
        return false;
    // After the note, so that a cut between the two notes the damage again. One that fails is
    // noticed at the next start.
    if (is_damaged)
        (void)memory_heal(a, t->port);
    return true;
}

#define TRIES_MAX 3

// A memory that fails now and then must not make the start late.
void start_run(struct applet *a, const struct applet_port *port)
{
    bool is_done = false;
    for (unsigned i = 0; i < TRIES_MAX && !is_done; i++) {
        struct turn t;
        if (!turn_load(&t, a, port)) {
            a->is_dead = true;
            return;
        }
        a->now_s = t.image->dues.now;
        a->terminal_slot = image_enabled(t.image);
        // A late start waits for its clock, which STATUS commands may count.
        a->poll_period_s = t.image->parameters.poll_period_s;
        a->is_by_status = t.image->parameters.poll_by_status != 0;
        t.saved = *a; // what the start itself says stays if the commit fails
        is_done = carry_out(&t);
    }
    a->is_late = !is_done;
}

bool start_catch_up(struct applet *a, const struct applet_port *port)
{
    struct turn t;
    return turn_load(&t, a, port) && carry_out(&t);
}

// The applet's clocks. A clock counts down when one of the terminal's timers expires, or when a
// STATUS command comes; the card has no other time. A clock that is over sets its bit in
// `fired`.
#pragma once

#include "applet/applet.h"

#define CLOCK_SLOW_S 300       // tick of the slow clock
#define CLOCK_TIMER_MAX 43200u // longer waits are counted in pieces of this

// Starts a clock anew; with 0 s it is over at once.
void clock_set(struct applet *a, enum applet_clock_use use, uint32_t seconds);
void clock_stop(struct applet *a, enum applet_clock_use use);
static inline bool clock_is_on(const struct applet *a, enum applet_clock_use use)
{
    return a->clocks[use].left_s > 0;
}
// What the terminal's timer of this clock should count next.
uint32_t clock_piece(const struct applet *a, enum applet_clock_use use);
// The first clock that the terminal must be told of, or APPLET_CLOCKS.
uint8_t clock_untold(const struct applet *a);
// The terminal's timer of this clock is over.
void clock_timer(struct applet *a, uint8_t use);
// A polling period has passed. Counts for all clocks if the terminal has no timers; otherwise only
// a timer that has not come by 1.5 times its length is taken as having come.
void clock_status(struct applet *a);
// How much of the clock has passed, as far as STATUS commands tell.
uint32_t clock_elapsed(const struct applet *a, enum applet_clock_use use);

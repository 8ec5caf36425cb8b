// The applet's clocks. A clock counts down when one of the terminal's timers expires, or when a
// STATUS command comes; the card has no other time. A clock that is over sets its bit in
// `fired`.
#pragma once

#include "applet/applet.h"

#define CLOCK_SLOW_S 300       // tick of the slow clock
#define CLOCK_TIMER_MAX 43200u // longer waits are counted in pieces of this

// Starts a clock anew; with 0 s it is over at once.
/*@ requires \valid(a) && use < APPLET_CLOCKS;
  @ assigns a->clocks[use], a->fired;
  @ ensures a->clocks[use].left_s == seconds;
  @*/
void clock_set(struct applet *a, enum applet_clock_use use, uint32_t seconds);
/*@ requires \valid(a) && use < APPLET_CLOCKS;
  @ assigns a->clocks[use], a->fired;
  @*/
void clock_stop(struct applet *a, enum applet_clock_use use);
/*@ requires \valid_read(a) && use < APPLET_CLOCKS;
  @ assigns \result \from a->clocks[use];
  @ ensures \result <==> a->clocks[use].left_s > 0;
  @*/
static inline bool clock_is_on(const struct applet *a, enum applet_clock_use use)
{
    return a->clocks[use].left_s > 0;
}
// What the terminal's timer of this clock should count next.
/*@ requires \valid_read(a) && use < APPLET_CLOCKS;
  @ assigns \result \from a->clocks[use];
  @ ensures \result <= CLOCK_TIMER_MAX && \result <= a->clocks[use].left_s;
  @*/
uint32_t clock_piece(const struct applet *a, enum applet_clock_use use);
// The first clock that the terminal must be told of, or APPLET_CLOCKS.
/*@ requires \valid_read(a);
  @ assigns \result \from *a;
  @ ensures \result <= APPLET_CLOCKS;
  @*/
uint8_t clock_untold(const struct applet *a);
// The terminal's timer of this clock is over.
/*@ requires \valid(a);
  @ assigns a->clocks[0 .. APPLET_CLOCKS - 1], a->fired;
  @ ensures \forall integer i; 0 <= i < APPLET_CLOCKS ==>
  @   a->clocks[i].left_s <= \old(a->clocks[i].left_s);
  @*/
void clock_timer(struct applet *a, uint8_t use);
// How many polling periods may pass before the terminal's timer of this clock, which runs, has had
// 1.5 times its length.
/*@ requires \valid_read(a) && use < APPLET_CLOCKS;
  @ assigns \result \from *a;
  @*/
uint32_t clock_patience(const struct applet *a, enum applet_clock_use use);
// A polling period has passed. Counts for all clocks if the terminal has no timers; otherwise only
// a timer that has not come by 1.5 times its length is taken as having come.
/*@ requires \valid(a);
  @ assigns a->clocks[0 .. APPLET_CLOCKS - 1], a->fired;
  @ ensures \forall integer i; 0 <= i < APPLET_CLOCKS ==>
  @   a->clocks[i].left_s <= \old(a->clocks[i].left_s);
  @*/
void clock_status(struct applet *a);
// How much of the clock has passed, as far as STATUS commands tell.
/*@ requires \valid_read(a) && use < APPLET_CLOCKS;
  @ assigns \result \from a->clocks[use];
  @ ensures \result <= a->clocks[use].left_s;
  @*/
uint32_t clock_elapsed(const struct applet *a, enum applet_clock_use use);

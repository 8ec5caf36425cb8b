#include "applet/clocks.h"

/*@ requires \valid_read(a);
  @ assigns \result \from *a;
  @*/
static bool counts_status(const struct applet *a)
{
    return (a->terminal & TERMINAL_TIMERS) == 0 || a->is_by_status;
}

void clock_set(struct applet *a, enum applet_clock_use use, uint32_t seconds)
{
    a->clocks[use] = (struct applet_clock){.left_s = seconds};
    a->fired = (uint8_t)(a->fired & ~(1u << use));
    if (seconds == 0)
        a->fired = (uint8_t)(a->fired | 1u << use);
}

void clock_stop(struct applet *a, enum applet_clock_use use)
{
    a->clocks[use] = (struct applet_clock){.left_s = 0};
    a->fired = (uint8_t)(a->fired & ~(1u << use));
}

uint32_t clock_piece(const struct applet *a, enum applet_clock_use use)
{
    uint32_t left = a->clocks[use].left_s;
    return left < CLOCK_TIMER_MAX ? left : CLOCK_TIMER_MAX;
}

uint8_t clock_untold(const struct applet *a)
{
    if (counts_status(a))
        return APPLET_CLOCKS;
    /*@ loop invariant 0 <= i <= APPLET_CLOCKS;
      @ loop assigns i;
      @ loop variant APPLET_CLOCKS - i;
      @*/
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        if (a->clocks[i].left_s > 0 && !a->clocks[i].is_told)
            return i;
    }
    return APPLET_CLOCKS;
}

/*@ requires \valid(a) && use < APPLET_CLOCKS;
  @ assigns a->clocks[use], a->fired;
  @ ensures a->clocks[use].left_s <= \old(a->clocks[use].left_s);
  @*/
static void elapse(struct applet *a, uint8_t use, uint32_t seconds)
{
    struct applet_clock *c = &a->clocks[use];
    if (c->left_s > seconds) {
        *c = (struct applet_clock){.left_s = c->left_s - seconds};
        return;
    }
    *c = (struct applet_clock){.left_s = 0};
    a->fired = (uint8_t)(a->fired | 1u << use);
}

void clock_timer(struct applet *a, uint8_t use)
{
    if (use < APPLET_CLOCKS && a->clocks[use].left_s > 0 && a->clocks[use].is_told)
        elapse(a, use, a->clocks[use].armed_s);
}

uint32_t clock_patience(const struct applet *a, enum applet_clock_use use)
{
    const uint32_t limit = 3 * clock_piece(a, use);
    const uint32_t counted = 2 * a->clocks[use].status_s;
    if (counted >= limit)
        return 0;
    return a->poll_period_s == 0 ? UINT32_MAX : (limit - counted - 1) / (2u * a->poll_period_s);
}

void clock_status(struct applet *a)
{
    bool is_time = counts_status(a);
    /*@ loop invariant 0 <= i <= APPLET_CLOCKS;
      @ loop invariant \forall integer k; 0 <= k < APPLET_CLOCKS ==>
      @   a->clocks[k].left_s <= \at(a->clocks[k].left_s, Pre);
      @ loop assigns i, a->clocks[0 .. APPLET_CLOCKS - 1], a->fired;
      @ loop variant APPLET_CLOCKS - i;
      @*/
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        struct applet_clock *c = &a->clocks[i];
        if (c->left_s == 0)
            continue;
        if (is_time) {
            elapse(a, i, a->poll_period_s);
            continue;
        }
        uint32_t piece = clock_piece(a, i);
        c->status_s += a->poll_period_s;
        if (2 * c->status_s >= 3 * piece)
            elapse(a, i, piece);
    }
}

uint32_t clock_elapsed(const struct applet *a, enum applet_clock_use use)
{
    const struct applet_clock *c = &a->clocks[use];
    return c->status_s < c->left_s ? c->status_s : c->left_s;
}

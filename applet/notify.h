// Notifications: what the card tells the server by itself, kept until the server confirms it.
//
// Everything pending is sent one after another (a sending), then again after the waits of
// NOTIFY_WAITS; when those are over it rests until the next start, the next normal service, or 24 h
// later. At most IMAGE_PENDING_MAX are kept: the oldest that no command caused makes room and is
// counted in the newer one.
#pragma once

#include "applet/rules.h"

#define NOTIFY_RESEND_S 86400u

// Adds one to the image; it is sent at once, or after a random delay if `is_delayed`.
void notify_queue(struct turn *t, enum notify_cause cause, struct subscription_name from,
                  struct subscription_name to, uint32_t operation_id);
// Whether there is room for one that a command causes.
bool notify_has_room(const struct image *image);
// Index of the pending one with this sequence, or IMAGE_PENDING_MAX.
uint8_t notify_find(const struct image *image, uint32_t sequence);
void notify_remove(struct turn *t, uint8_t index);
// The next one to send now, or IMAGE_PENDING_MAX.
uint8_t notify_next(const struct applet *a, const struct image *image);
// Occasions.
void notify_begin(struct turn *t, uint32_t delay_s); // start a sending
void notify_on_normal(struct turn *t);               // service is back, or the card was started
void notify_clock(struct turn *t);                   // CLOCK_NOTIFY is over
void notify_resume(struct turn *t); // CONFIRMING after a start: the next of its sendings
// What a notification says, from its entry and the present state. HEARTBEAT without an entry.
struct notification notify_content(const struct applet *a, const struct applet_port *port,
                                   const struct pending *p);

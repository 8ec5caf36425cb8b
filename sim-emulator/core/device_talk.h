// Inside of a device: how its halves talk to the card. Not for users of device.h.
#pragma once

#include "sim-emulator/core/device.h"

// A device at work at one instant.
struct talk {
    struct device *device;
    struct device_world *world;
    struct instant now;
};

// One command, and then the toolkit: fetches and serves whatever the card wants, until it wants
// nothing. `response` may be NULL. The status word of the command, or CARD_MUTE: the card is dead
// and the device restarts.
uint16_t talk_command(struct talk *t, const struct apdu *apdu, struct writer *response);
// The same for an ENVELOPE.
uint16_t talk_envelope(struct talk *t, enum cat_envelope kind, const struct cat_message *message,
                       struct writer *response);
bool talk_has(const struct talk *t, enum cat_feature feature);
// Where the device is attached; false when it is not.
bool talk_location(const struct talk *t, struct cat_location *location);
// The device will boot after `delay_ms`; it is detached and the card has no power.
void talk_restart(struct talk *t, uint32_t delay_ms);
// Detaches, if attached, and says so.
void talk_detach(struct talk *t);
void talk_act(struct talk *t, enum device_action_kind kind, uint8_t cause, struct bytes tpdu);
// Reads EF.IMSI and looks for service with it.
void talk_read_imsi(struct talk *t);

// device_rest.c. Begins a call of device.h: what passed at rest before `now` is made up for.
void rest_end(struct device *device, struct instant now);
// Ends one: if card and device are at rest, it says until when, at most a day.
void rest_begin(struct device *device, struct instant now);
// The earliest of the device's own times.
struct instant rest_deadline(const struct device *device);

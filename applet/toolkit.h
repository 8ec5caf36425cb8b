// The applet as the terminal sees it: which proactive command comes next, its octets, and what the
// answer to it means.
#pragma once

#include "applet/applet.h"

// Bits of `todo`, in the order in which they are done; TODO_REFRESH comes after everything.
enum {
    TODO_EVENTS = 0x01,
    TODO_POLL = 0x02,
    TODO_LOCATION = 0x04,
    TODO_IMEI = 0x08,
    TODO_ACCESS = 0x10,
    TODO_IMEISV = 0x20, // of terminals that do not tell the IMEI; before TODO_ACCESS
    TODO_REFRESH = 0x80,
};

enum applet_sending_kind {
    SENDING_NONE = 0,
    SENDING_ANSWER,
    SENDING_NOTIFICATION,
    SENDING_HEARTBEAT,
};

// Deals with the clocks that are over.
void toolkit_fired(struct applet *a, const struct applet_port *port);

// What a card answers to the packet that it took last.
#pragma once

#include "applet/applet.h"

// The data of the answer, at most COMMAND_RESULT_MAX octets. False: it cannot be made.
bool answer_write(const struct applet *a, const struct applet_port *port,
                  struct writer *w) MUST_USE;

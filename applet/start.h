// The start of a card: what the journal says is carried out, and damage is noted.
//
// A memory that fails may not keep the start at once. Until it does, the start is *late*: the state
// is STARTING, and nothing else happens to what is kept; each turn first tries to make up for it.
// Otherwise the journal would stay open with nobody to close it, and what comes after would be
// taken for something that it is not.
#pragma once

#include "applet/applet.h"

// After a reset, with the image mounted. May leave the start late, or the card dead.
void start_run(struct applet *a, const struct applet_port *port);
// Makes up for a late start. False: the memory still fails, or cannot be read.
bool start_catch_up(struct applet *a, const struct applet_port *port) MUST_USE;

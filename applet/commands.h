// What the server's commands do, in the order of guards that docs/applet-protocol.md gives: format,
// number, operation id, open switch, then those of the command. The first that fails decides, and
// then nothing has changed but the stored result.
#pragma once

#include "applet/rules.h"

// Runs the secured data of an accepted packet. `answer` gets what to tell; `answer->counter` must
// be set. The caller commits.
void commands_run(struct turn *t, struct bytes data, struct applet_answer *answer);
// The answer to a packet that was accepted before; nothing runs. False when it is not known.
bool commands_repeat(struct turn *t, struct bytes data, struct applet_answer *answer) MUST_USE;
// The answer when the commit failed: nothing changed.
void commands_failed(const struct turn *t, struct applet_answer *answer);
// Writes the data of the response packet, at most `data_max` octets, from the image in the
// workspace.
void commands_write(struct writer *w, const struct applet *a, const struct applet_port *port,
                    const struct applet_answer *answer, size_t data_max);

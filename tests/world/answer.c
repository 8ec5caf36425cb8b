// The answer of a card as it would be made now. Apart, because the names of the applet's rules are
// not those of the server's.
#include "tests/world/answer.h"
#include "applet/commands.h"

bool answer_write(const struct applet *a, const struct applet_port *port, struct writer *w)
{
    if (!memory_load(a, port))
        return false;
    commands_write(w, a, port, &a->answer, COMMAND_RESULT_MAX);
    return !w->failed;
}

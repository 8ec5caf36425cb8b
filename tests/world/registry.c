// The reference model of the registry beside decide(): each decision of the server is told to the
// model, put into the record before, and what the product made of it must be what the model does.
// The calls come here because the programs of this folder are linked with --wrap (CMakeLists.txt).
#include "common/base/check.h"
#include "tests/model/registry_model.h"
#include "tests/world/world.h"

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names
void __real_decide(const struct record *record, const struct event *event,
                   const struct decide_context *context, struct decision *out);
void __wrap_decide(const struct record *record, const struct event *event,
                   const struct decide_context *context, struct decision *out);
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

static struct world *world; // one at a time
static struct registry_model model;

void registry_watch(struct world *w)
{
    world = w;
}

void registry_unwatch(struct world *w)
{
    check(world == w);
    world = NULL;
}

void __wrap_decide(const struct record *record, const struct event *event,
                   const struct decide_context *context, struct decision *out)
{
    __real_decide(record, event, context, out);
    if (world == NULL)
        return;
    registry_step(&model, record, event, context, out);
    probes_decision(&world->result.probes, record, event, out, world->server.killed_ms);
    const char *text = registry_differs(&model, out);
    judged_note(&world->result.judged, JUDGED_DECISIONS, model.left == 0);
    if (text != NULL)
        world_violate(world, "as_the_registry", card_of(world, record->card), "%s: %s",
                      event_type_name(event->type), text);
}

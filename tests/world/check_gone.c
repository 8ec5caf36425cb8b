// What the server may say of a card that is gone for ever: what it knew, that an operation came to
// nothing or may have run, and after a week that it is out of reach. Never that something was done
// which the card was told after it was gone; and it does not ask without end.
#include "common/base/check.h"
#include "tests/world/world.h"

// Once faults are over: each subscription is asked about once a day, and what people had wished by
// then is tried to its end.
#define PACKETS_AT_ONCE 48
#define PACKETS_A_DAY 12
#define DAY_MS 86400000ull

void gone_begin(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    t->gone_packets = t->packet_count;
    probes_gone(&w->result.probes, PROBE_GONE_OPEN, t->open != 0);
}

void gone_calm(struct world *w)
{
    for (uint32_t i = 0; i < w->cards; i++)
        w->truths[i].calm_packets = w->truths[i].packet_count;
}

// One that its clone speaks for is not gone to the server.
static bool is_judged(const struct world *w, uint32_t card)
{
    return w->people[card].is_gone && !identity_is_cloned(w, card);
}

void gone_check_operation(struct world *w, uint32_t card, uint64_t id, const struct operation *o)
{
    const struct truth *t = &w->truths[card];
    bool was_sent = false;
    bool is_sent = false;
    for (uint32_t i = 0; i < t->packet_count && is_judged(w, card); i++) {
        const bool is_its = t->operations[i] == id;
        was_sent |= is_its && i < t->gone_packets;
        is_sent |= is_its && i >= t->gone_packets;
    }
    const bool is_told =
        o->has_result || o->outcome == OUTCOME_DONE || o->outcome == OUTCOME_ROLLED_BACK;
    if (is_sent && !was_sent && is_told)
        world_violate(w, "gone_is_true", card, "%s %u was sent when the card was gone, and is %s",
                      operation_kind_name(o->kind), o->card_operation_id,
                      operation_outcome_name(o->outcome));
}

// NULL, or what the server does not say yet.
static const char *untold(const struct world *w, uint32_t card)
{
    struct record r;
    check(store_card_load(w->server.store, w->people[card].id, &r) == STORE_OK);
    if (r.state == CARD_RETIRED)
        return NULL;
    if (r.dirty_since.ms != 0 && !record_has_mark(&r, MARK_UNREACHABLE))
        return "it is in doubt, and not out of reach";
    if (r.has_open && r.open.status >= STATUS_SENDING)
        return "an operation is open";
    return NULL;
}

bool gone_is_told(const struct world *w)
{
    bool is_told = server_is_awake(w);
    for (uint32_t i = 0; i < w->cards && is_told; i++)
        is_told = !is_judged(w, i) || untold(w, i) == NULL;
    return is_told;
}

void gone_check_end(struct world *w)
{
    const uint64_t days = (w->now.ms - w->safety_end.ms) / DAY_MS;
    for (uint32_t i = 0; i < w->cards && server_is_awake(w); i++) {
        const struct truth *t = &w->truths[i];
        if (!is_judged(w, i))
            continue;
        const char *why = untold(w, i);
        const uint32_t packets = t->packet_count - t->calm_packets;
        if (why != NULL)
            world_violate(w, "gone_is_told", i, "%s", why);
        if (packets > PACKETS_AT_ONCE + days * PACKETS_A_DAY)
            world_violate(w, "no_storm", i, "%u packets in %u days to a card that is gone", packets,
                          (unsigned)days);
        probes_gone(&w->result.probes, PROBE_GONE_GIVEN_UP, t->glance.is_unreachable);
    }
}

// Which link takes which part: routes by number, health, weights and rates.
#include "common/base/text.h"
#include "ota-server/service/outbox_part.h"

#define SILENCES_MAX 3
#define SILENT_MS 30000
#define PROBE_MS 30000
#define JUDGE_MS 1000

// --- routes ----------------------------------------------------------------------------------

// How many digits of `number` one of the beginnings has; 0 when none fits.
static size_t match(const char *numbers, const char *number)
{
    size_t best = 0;
    while (numbers != NULL && *numbers != '\0') {
        size_t len = 0;
        while (numbers[len] != '\0' && numbers[len] != ' ')
            len++;
        if (len > best && len <= strlen(number) && memcmp(numbers, number, len) == 0)
            best = len;
        numbers += len + (numbers[len] == ' ');
    }
    return best;
}

static uint8_t by_number(const struct outbox *o, const char *number)
{
    const char *digits = number[0] == '+' ? number + 1 : number;
    uint8_t route = 0;
    size_t best = 0;
    for (unsigned i = 0; i < o->options.route_count; i++) {
        const size_t len = match(o->options.routes[i].numbers, digits);
        if (len > best) {
            best = len;
            route = (uint8_t)i;
        }
    }
    return route;
}

// OUTBOX_ROUTES_MAX: no such route, or no more.
static uint8_t by_name(const struct outbox *o, const char *name)
{
    for (unsigned i = 0; i < o->options.route_count && name[0] != '\0'; i++) {
        if (o->options.routes[i].name != NULL && strcmp(o->options.routes[i].name, name) == 0)
            return (uint8_t)i;
    }
    return OUTBOX_ROUTES_MAX;
}

void outbox_route(struct outbox *o, struct packet *p)
{
    const struct turn_route asked = turn_route_of(o->options.turn, p->message.group);
    const uint8_t backup = by_name(o, asked.backup);
    p->route = by_name(o, asked.primary);
    if (p->route == OUTBOX_ROUTES_MAX)
        p->route = by_number(o, p->message.number);
    p->backup = backup != OUTBOX_ROUTES_MAX ? backup : o->options.routes[p->route].backup;
    p->wants_no_receipt = asked.has_no_receipts;
    memcpy(p->source, asked.source, sizeof(p->source));
    outbox_limit_add(o, p, &asked);
}

// --- health ----------------------------------------------------------------------------------

static bool is_bound(const struct outbox *o, unsigned link)
{
    return o->options.port.is_bound(o->options.port.context, link);
}

enum outbox_health outbox_health(const struct outbox *o, unsigned link)
{
    const struct link_state *s = &o->links[link];
    if (!is_bound(o, link))
        return OUTBOX_LINK_DOWN;
    if (s->silences >= SILENCES_MAX)
        return OUTBOX_LINK_SILENT;
    return o->health[link].verdict == LINK_SWALLOWS ? OUTBOX_LINK_SWALLOWING : OUTBOX_LINK_UP;
}

enum link_verdict outbox_verdict(const struct outbox *o, unsigned link)
{
    return (enum link_verdict)o->health[link].verdict;
}

const char *outbox_health_name(enum outbox_health health)
{
    static const char *const NAMES[] = {
        [OUTBOX_LINK_DOWN] = "down",
        [OUTBOX_LINK_SILENT] = "silent",
        [OUTBOX_LINK_SWALLOWING] = "swallowing",
        [OUTBOX_LINK_UP] = "bound",
    };
    return NAMES[health];
}

struct outbox_link_counts outbox_link_counts(const struct outbox *o, unsigned link)
{
    return o->links[link].counts;
}

uint32_t outbox_rate(const struct outbox *o, unsigned link)
{
    return smpp_rate_now(&o->rates[link]);
}

void outbox_link_sent(struct outbox *o, unsigned link)
{
    o->links[link].counts.sent++;
    o->links[link].counts.flying++;
    o->links[link].probe_at = instant_after(outbox_pace(o), PROBE_MS);
}

void outbox_link_answered(struct outbox *o, unsigned link, uint32_t status)
{
    struct link_state *s = &o->links[link];
    s->silences = 0;
    s->counts.flying--;
    s->counts.accepted += status == ESME_ROK;
    s->counts.refused += status != ESME_ROK;
    s->counts.throttled += smpp_status_is_throttle(status);
}

void outbox_link_unanswered(struct outbox *o, unsigned link)
{
    struct link_state *s = &o->links[link];
    s->counts.flying--;
    s->counts.unanswered++;
    if (!is_bound(o, link)) {
        s->silences = 0; // it broke, which says nothing about the next connection
        return;
    }
    if (s->silences < SILENCES_MAX)
        s->silences++;
    s->silent_until = instant_after(o->now, SILENT_MS);
}

// A packet whose parts are on several links says nothing about any of them.
void outbox_health_sent(struct outbox *o, const struct packet *p)
{
    const uint8_t link = p->parts[0].link;
    for (unsigned i = 0; i < p->part_count; i++) {
        const struct part *part = &p->parts[i];
        if (part->is_repeated || part->link != link)
            return;
        if (part->state != PART_FLYING && part->state != PART_ACCEPTED)
            return;
    }
    link_health_sent(&o->health[link], p->message.card, p->message.counter, outbox_pace(o));
}

void outbox_health_withdraw(struct outbox *o, const struct packet *p, unsigned link)
{
    link_health_withdraw(&o->health[link], p->message.card, p->message.counter);
}

void outbox_health_heard(void *context, uint64_t card, uint64_t counter)
{
    struct outbox *o = context;
    for (unsigned i = 0; i < o->options.link_count; i++)
        link_health_answered(&o->health[i], card, counter);
}

static bool is_of(const struct outbox *o, unsigned link, unsigned route)
{
    return o->options.links[link].route == route && o->options.links[link].sends;
}

// Links of one route carry what goes to the same cards.
void outbox_health_step(struct outbox *o)
{
    if (!instant_is_due(o->judge_at, o->now))
        return;
    o->judge_at = instant_after(o->now, JUDGE_MS);
    for (unsigned i = 0; i < o->options.link_count; i++) {
        uint32_t beside = 0;
        for (unsigned k = 0; k < o->options.link_count; k++)
            beside |= (uint32_t)(k != i && is_of(o, k, o->options.links[i].route)) << k;
        link_health_judge(o->health, i, beside, outbox_pace(o));
    }
}

// --- the choice ------------------------------------------------------------------------------

// How much a link is wanted for a part; the highest one of a route decides who may take it.
enum standing {
    STANDING_NONE,
    STANDING_LAST,    // silent, or swallows, or it refused this packet for now: when nobody else is
    STANDING_RESERVE, // of weight 0
    STANDING_GOOD,
};

static enum standing standing_of(const struct outbox *o, const struct packet *p, unsigned link)
{
    const struct link_state *s = &o->links[link];
    if (!o->options.links[link].sends || !is_bound(o, link))
        return STANDING_NONE;
    if ((p->sour >> link & 1) != 0)
        return STANDING_LAST;
    // A silent one is given a part now and then, to see.
    if (s->silences >= SILENCES_MAX &&
        (s->counts.flying > 0 || !instant_is_due(s->silent_until, o->now)))
        return STANDING_LAST;
    // Parts would follow the first one over another link: a probe is a packet of one.
    if (o->health[link].verdict == LINK_SWALLOWS &&
        (p->part_count > 1 || !instant_is_due(s->probe_at, outbox_pace(o))))
        return STANDING_LAST;
    return o->options.links[link].weight > 0 ? STANDING_GOOD : STANDING_RESERVE;
}

// The link that did not answer is not asked again, as long as the route has, or may get, another.
static bool is_avoided(const struct outbox *o, const struct packet *p, const struct part *part,
                       unsigned link)
{
    unsigned others = 0;
    if (!part->is_repeated || link != p->avoid)
        return false;
    for (unsigned i = 0; i < o->options.link_count; i++)
        others += i != link && (is_of(o, i, p->route) || is_of(o, i, p->backup));
    return others > 0;
}

static enum standing best_of(const struct outbox *o, const struct packet *p,
                             const struct part *part, unsigned route)
{
    enum standing best = STANDING_NONE;
    for (unsigned i = 0; i < o->options.link_count; i++) {
        const enum standing now = standing_of(o, p, i);
        if (now > best && is_of(o, i, route) && !is_avoided(o, p, part, i))
            best = now;
    }
    return best;
}

bool outbox_route_is_dead(const struct outbox *o, const struct packet *p)
{
    for (unsigned i = 0; i < o->options.link_count; i++) {
        if ((is_of(o, i, p->route) || is_of(o, i, p->backup)) && is_bound(o, i))
            return false;
    }
    return true;
}

// When the rate of a link lets the next part leave.
static struct instant rate_at(const struct outbox *o, unsigned link)
{
    return outbox_paced(o, smpp_rate_next(&o->rates[link], outbox_pace(o)));
}

static bool has_room(const struct outbox *o, unsigned link)
{
    return o->options.links[link].sends && o->options.port.room(o->options.port.context, link) > 0;
}

static int32_t weight_of(const struct outbox *o, unsigned link)
{
    const uint8_t weight = o->options.links[link].weight;
    return weight > 0 ? weight : 1;
}

// Each link earns its weight at every choice, who is chosen pays for all: over the sum of the
// weights each is chosen as often as its weight says, and never in long rows.
static unsigned share(struct outbox *o, uint16_t candidates)
{
    unsigned chosen = OUTBOX_LINKS_MAX;
    int32_t sum = 0;
    for (unsigned i = 0; i < o->options.link_count; i++) {
        if ((candidates >> i & 1) == 0)
            continue;
        sum += weight_of(o, i);
        o->links[i].credit += weight_of(o, i);
        if (chosen == OUTBOX_LINKS_MAX || o->links[i].credit > o->links[chosen].credit)
            chosen = i;
    }
    if (chosen != OUTBOX_LINKS_MAX)
        o->links[chosen].credit -= sum;
    return chosen;
}

static struct instant leaves_at(const struct outbox *o, const struct packet *p, unsigned link)
{
    const struct instant at = rate_at(o, link);
    if (!p->message.is_automatic)
        return at;
    const struct instant share = outbox_limit_audit_at(o, link);
    return share.ms > at.ms ? share : at;
}

// Those of a standing that can send at once; when only a rate is in the way, the deadline says when
// it is not.
static uint16_t ready_of(struct outbox *o, const struct packet *p, const struct part *part,
                         unsigned route, enum standing standing)
{
    uint16_t ready = 0;
    for (unsigned i = 0; i < o->options.link_count; i++) {
        if (!is_of(o, i, route) || standing_of(o, p, i) != standing || is_avoided(o, p, part, i) ||
            !has_room(o, i))
            continue;
        const struct instant at = leaves_at(o, p, i);
        if (instant_is_due(at, o->now))
            ready |= (uint16_t)(1u << i);
        else
            o->deadline = instant_earlier(o->deadline, at);
    }
    return ready;
}

unsigned outbox_link_choose(struct outbox *o, const struct packet *p, const struct part *part)
{
    const bool is_plain =
        !part->is_repeated && p->sour == 0 && p->backup == o->options.routes[p->route].backup;
    uint16_t *blocked = p->message.is_automatic ? &o->audits_blocked : &o->blocked;
    unsigned route = p->route;
    if (is_plain && ((*blocked | o->blocked) >> route & 1) != 0)
        return OUTBOX_LINKS_MAX;
    enum standing best = best_of(o, p, part, route);
    if (best <= STANDING_LAST) {
        const enum standing other = best_of(o, p, part, p->backup);
        route = other > best ? p->backup : route;
        best = other > best ? other : best;
    }
    const unsigned link =
        best > STANDING_NONE ? share(o, ready_of(o, p, part, route, best)) : OUTBOX_LINKS_MAX;
    if (link != OUTBOX_LINKS_MAX && smpp_rate_take(&o->rates[link], outbox_pace(o))) {
        if (p->message.is_automatic)
            outbox_limit_audit_take(o, link);
        return link;
    }
    if (is_plain)
        *blocked |= (uint16_t)(1u << p->route);
    return OUTBOX_LINKS_MAX;
}

bool outbox_link_is_free(struct outbox *o)
{
    struct instant first = INSTANT_NEVER;
    for (unsigned i = 0; i < o->options.link_count; i++) {
        if (!has_room(o, i))
            continue;
        const struct instant at = rate_at(o, i);
        if (instant_is_due(at, o->now))
            return true;
        first = instant_earlier(first, at);
    }
    o->deadline = instant_earlier(o->deadline, first);
    return false;
}

// What groups may take of the links: so many SMS a second, so many without an answer; and networks:
// so many SMS a second. And what automatic audits may take of each link and network.
#include "ota-server/service/outbox_part.h"

static uint8_t place_of(const struct outbox *o, uint64_t group)
{
    uint8_t place = OUTBOX_LIMITS_MAX;
    for (uint8_t i = 0; i < OUTBOX_LIMITS_MAX; i++) {
        if (o->limits[i].held > 0 && o->limits[i].group == group)
            return i;
        // One that was used lately keeps what it has used up.
        if (o->limits[i].held == 0 && (place == OUTBOX_LIMITS_MAX || o->limits[i].group == group))
            place = i;
    }
    return place;
}

// The network that its card is in. Of those that may be an IMSI's, the one of more digits.
static uint8_t plmn_of(const struct outbox *o, uint64_t card)
{
    uint8_t best = OUTBOX_PLMNS_MAX;
    const struct record *r = o->options.plmns.count > 0 ? turn_card(o->options.turn, card) : NULL;
    for (uint8_t i = 0; r != NULL && i < o->options.plmns.count; i++) {
        const char *digits = o->options.plmns.at[i].digits;
        if (record_is_in(r, digits) &&
            (best == OUTBOX_PLMNS_MAX || strlen(digits) > strlen(o->options.plmns.at[best].digits)))
            best = i;
    }
    return best;
}

void outbox_limit_add(struct outbox *o, struct packet *p, const struct turn_route *asked)
{
    p->plmn = plmn_of(o, p->message.card);
    p->limit = OUTBOX_LIMITS_MAX;
    if (asked->rate == 0 && asked->window == 0)
        return;
    p->limit = place_of(o, p->message.group);
    if (p->limit == OUTBOX_LIMITS_MAX)
        return;
    struct group_limit *l = &o->limits[p->limit];
    if (l->group != p->message.group)
        *l = (struct group_limit){.group = p->message.group};
    if (l->rate.allowed_per_s != asked->rate) {
        l->rate = (struct smpp_rate){.allowed_per_s = 0};
        if (asked->rate > 0)
            smpp_rate_init(&l->rate, asked->rate, outbox_pace(o));
    }
    l->window = asked->window;
    l->held++;
}

void outbox_limit_remove(struct outbox *o, const struct packet *p)
{
    if (p->limit != OUTBOX_LIMITS_MAX)
        o->limits[p->limit].held--;
}

static bool rate_is_free(struct outbox *o, const struct smpp_rate *rate)
{
    const struct instant at = outbox_paced(o, smpp_rate_next(rate, outbox_pace(o)));
    if (instant_is_due(at, o->now))
        return true;
    o->deadline = instant_earlier(o->deadline, at);
    return false;
}

// In the time of the loop.
static struct instant audit_at(const struct outbox *o, uint64_t at_us)
{
    return outbox_paced(o, (struct instant){(at_us + 999) / 1000});
}

static bool plmn_is_free(struct outbox *o, const struct packet *p)
{
    const struct plmn_state *n = &o->plmns[p->plmn];
    if (!rate_is_free(o, &n->rate))
        return false;
    const struct instant at = audit_at(o, n->audit_at_us);
    if (!p->message.is_automatic || instant_is_due(at, o->now))
        return true;
    o->deadline = instant_earlier(o->deadline, at);
    return false;
}

bool outbox_limit_is_free(struct outbox *o, const struct packet *p)
{
    if (p->plmn != OUTBOX_PLMNS_MAX && !plmn_is_free(o, p))
        return false;
    if (p->limit == OUTBOX_LIMITS_MAX)
        return true;
    const struct group_limit *l = &o->limits[p->limit];
    if (l->window > 0 && l->flying >= l->window)
        return false; // an answer makes room
    return l->rate.allowed_per_s == 0 || rate_is_free(o, &l->rate);
}

// It was free when the link was chosen.
static void take_token(struct outbox *o, struct smpp_rate *rate)
{
    if (!smpp_rate_take(rate, outbox_pace(o)))
        return;
}

#define BURST_US 100000u // of unused share that is made up for

// A bucket of tokens as a link has, kept as the time at which there is the next one: a share of a
// small rate is less than one a second, and it shrinks and grows with the link's rate.
static void take_share(const struct outbox *o, uint64_t *at_us, const struct smpp_rate *rate)
{
    const uint64_t percents_per_s = (uint64_t)smpp_rate_now(rate) * o->options.audit_percent;
    const uint64_t gap_us = (100000000u + percents_per_s - 1) / percents_per_s;
    const uint64_t now_us = outbox_pace(o).ms * 1000;
    const uint64_t unused_us = gap_us < BURST_US ? BURST_US - gap_us : 0;
    const uint64_t earliest_us = now_us > unused_us ? now_us - unused_us : 0;
    *at_us = (*at_us > earliest_us ? *at_us : earliest_us) + gap_us;
}

struct instant outbox_limit_audit_at(const struct outbox *o, unsigned link)
{
    return audit_at(o, o->links[link].audit_at_us);
}

void outbox_limit_audit_take(struct outbox *o, unsigned link)
{
    take_share(o, &o->links[link].audit_at_us, &o->rates[link]);
}

static uint64_t second_of(const struct outbox *o)
{
    return outbox_pace(o).ms / 1000;
}

static void take_plmn(struct outbox *o, const struct packet *p)
{
    struct plmn_state *n = &o->plmns[p->plmn];
    const uint64_t second = second_of(o);
    take_token(o, &n->rate);
    if (p->message.is_automatic)
        take_share(o, &n->audit_at_us, &n->rate);
    if (second != n->second) {
        n->sent_before = second == n->second + 1 ? n->sent_in_it : 0;
        n->sent_in_it = 0;
        n->second = second;
    }
    n->sent_in_it++;
    n->sent++;
}

void outbox_limit_take(struct outbox *o, const struct packet *p)
{
    if (p->plmn != OUTBOX_PLMNS_MAX)
        take_plmn(o, p);
    if (p->limit == OUTBOX_LIMITS_MAX)
        return;
    struct group_limit *l = &o->limits[p->limit];
    l->flying++;
    if (l->rate.allowed_per_s > 0)
        take_token(o, &l->rate);
}

void outbox_limit_landed(struct outbox *o, const struct packet *p)
{
    if (p->limit != OUTBOX_LIMITS_MAX)
        o->limits[p->limit].flying--;
}

// --- networks as they are shown --------------------------------------------------------------

static uint32_t sent_last_second(const struct outbox *o, const struct plmn_state *n)
{
    const uint64_t second = second_of(o);
    return second == n->second ? n->sent_before : second == n->second + 1 ? n->sent_in_it : 0;
}

static bool is_waiting(const struct packet *p)
{
    return p->phase == PACKET_BEHIND || p->phase == PACKET_READY || p->phase == PACKET_RESTING;
}

struct outbox_plmn_counts outbox_plmn_counts(const struct outbox *o, unsigned plmn)
{
    const struct plmn_state *n = &o->plmns[plmn];
    struct outbox_plmn_counts c = {.sent = n->sent,
                                   .sent_last_second = sent_last_second(o, n),
                                   .has_more = o->lanes[LANE_PLMN + plmn].from != 0};
    for (uint32_t i = 0; i < o->options.packets_max; i++)
        c.waiting += is_waiting(&o->packets[i]) && o->packets[i].plmn == plmn;
    return c;
}

// Automatic audits in memory and in the store. They wait long for their share of the links, so they
// have a part of the memory only; and each network, slow group and route a part of that, so that
// those of a saturated one wait in the store, and those behind them leave.
#include "ota-server/service/outbox_part.h"

#define ROWS_MAX 1024     // that one transaction reads
#define LANES_EACH_MS 100 // in the time of rates

static uint32_t audits_max(const struct outbox *o)
{
    return o->options.packets_max / 4 + 1;
}

// --- lanes -----------------------------------------------------------------------------------

// Those of one kind: when all of them are full they have a `part`-th of the memory.
struct lanes {
    unsigned first, end;
    uint32_t part;
};

static struct lanes lanes_like(unsigned lane)
{
    if (lane < LANE_GROUP)
        return (struct lanes){LANE_PLMN, LANE_GROUP, 8};
    if (lane < LANE_ROUTE)
        return (struct lanes){LANE_GROUP, LANE_ROUTE, 8};
    return (struct lanes){LANE_ROUTE, OUTBOX_LANES, 4};
}

static bool is_used(const struct audit_lane *lane)
{
    return lane->held > 0 || lane->from != 0;
}

// Fewer, the more of its kind are in use; but some.
static uint32_t quota_of(const struct outbox *o, unsigned lane)
{
    const struct lanes kind = lanes_like(lane);
    uint32_t used = is_used(&o->lanes[lane]) ? 0 : 1;
    for (unsigned i = kind.first; i < kind.end; i++)
        used += is_used(&o->lanes[i]);
    const uint32_t quota = audits_max(o) / kind.part / used;
    const uint32_t least = audits_max(o) / 256 + 1;
    return quota > least ? quota : least;
}

static bool is_full(const struct outbox *o, unsigned lane)
{
    return o->lanes[lane].from != 0 || o->lanes[lane].held >= quota_of(o, lane);
}

// One that was full, and has room again.
static bool wants(const struct outbox *o, unsigned lane)
{
    return o->lanes[lane].from != 0 && o->lanes[lane].held <= quota_of(o, lane) / 2;
}

static uint8_t lane_if(bool is_one, unsigned lane)
{
    return is_one ? (uint8_t)lane : OUTBOX_LANES;
}

static void name_lanes(const struct outbox *o, struct packet *p)
{
    const unsigned group = p->message.group % OUTBOX_LANE_GROUPS;
    p->lanes[0] = lane_if(p->plmn != OUTBOX_PLMNS_MAX, LANE_PLMN + p->plmn);
    p->lanes[1] = lane_if(p->limit != OUTBOX_LIMITS_MAX, LANE_GROUP + group);
    // Where there is one route, all go over it.
    p->lanes[2] = lane_if(o->options.route_count > 1, LANE_ROUTE + p->route);
}

bool outbox_audit_take(struct outbox *o, struct packet *p)
{
    if (!p->message.is_automatic)
        return true;
    name_lanes(o, p);
    for (unsigned i = 0; i < OUTBOX_LANES_OF_ONE; i++) {
        if (p->lanes[i] == OUTBOX_LANES || !is_full(o, p->lanes[i]))
            continue;
        struct audit_lane *lane = &o->lanes[p->lanes[i]];
        if (lane->from == 0 || p->message.id < lane->from)
            lane->from = p->message.id;
        return false;
    }
    for (unsigned i = 0; i < OUTBOX_LANES_OF_ONE; i++) {
        if (p->lanes[i] != OUTBOX_LANES)
            o->lanes[p->lanes[i]].held++;
    }
    o->counts.audits_held++;
    return true;
}

void outbox_audit_release(struct outbox *o, const struct packet *p)
{
    if (!p->message.is_automatic)
        return;
    for (unsigned i = 0; i < OUTBOX_LANES_OF_ONE; i++) {
        if (p->lanes[i] != OUTBOX_LANES)
            o->lanes[p->lanes[i]].held--;
    }
    o->counts.audits_held--;
}

bool outbox_audit_left(struct outbox *o, const struct message *m)
{
    if (!m->is_automatic || (o->audits_left == 0 && o->counts.audits_held < audits_max(o)))
        return false;
    if (o->audits_left == 0 || m->id < o->audits_left)
        o->audits_left = m->id;
    return true;
}

// --- reading ---------------------------------------------------------------------------------

static bool has_room(const struct outbox *o)
{
    return o->counts.audits_held < audits_max(o) && o->free.head != OUTBOX_NONE;
}

static bool take(struct outbox *o, const struct message *m)
{
    o->rows_read++;
    o->audits_next = m->id + 1;
    if (m->is_automatic && !outbox_is_here(o, m))
        outbox_stage(o, m);
    o->are_audits_cut = !has_room(o);
    return !o->are_audits_cut;
}

static uint32_t rows_max(const struct outbox *o)
{
    return o->options.packets_max < ROWS_MAX ? o->options.packets_max : ROWS_MAX;
}

static void begin_reading(struct outbox *o)
{
    o->rows_read = 0;
    o->are_audits_cut = false;
}

// Those that were not looked at.
static bool take_next(void *context, const struct message *m)
{
    struct outbox *o = context;
    const bool goes_on = take(o, m);
    o->audits_left = o->audits_next;
    return goes_on;
}

static enum store_status read_next(void *context, struct store *store, struct utc now)
{
    struct outbox *o = context;
    (void)now;
    begin_reading(o);
    const enum store_status status =
        store_outbox(store, o->audits_left - 1, rows_max(o), take_next, o);
    if (status == STORE_OK && o->rows_read < rows_max(o) && !o->are_audits_cut)
        o->audits_left = 0; // these were the last ones
    return status;
}

static void next_read(void *context, enum store_status status)
{
    struct outbox *o = context;
    o->is_reading = false;
    if (status != STORE_OK) {
        o->audits_left = o->audits_from;
        o->read_at = instant_after(o->now, OUTBOX_AGAIN_MS);
    }
    outbox_end_staged(o, status);
}

static bool is_any_open(const struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_LANES; i++) {
        if (o->lanes[i].is_read && o->lanes[i].from == 0)
            return true;
    }
    return false;
}

// Those of lanes that have room again, up to the ones that were not looked at.
static bool take_of_lanes(void *context, const struct message *m)
{
    struct outbox *o = context;
    if (o->audits_left != 0 && m->id >= o->audits_left)
        return false;
    if (!take(o, m))
        return false;
    o->are_audits_cut = !is_any_open(o);
    return !o->are_audits_cut;
}

static uint64_t begin_lanes(struct outbox *o)
{
    uint64_t first = UINT64_MAX;
    bool is_wanted[OUTBOX_LANES]; // by what was there before any of them was opened
    for (unsigned i = 0; i < OUTBOX_LANES; i++)
        is_wanted[i] = wants(o, i);
    for (unsigned i = 0; i < OUTBOX_LANES; i++) {
        struct audit_lane *lane = &o->lanes[i];
        lane->is_read = is_wanted[i];
        if (!lane->is_read)
            continue;
        lane->was = lane->from;
        first = lane->was < first ? lane->was : first;
        lane->from = 0;
    }
    return first;
}

static enum store_status read_lanes(void *context, struct store *store, struct utc now)
{
    struct outbox *o = context;
    (void)now;
    begin_reading(o);
    const uint64_t first = begin_lanes(o);
    if (first == UINT64_MAX)
        return STORE_OK;
    o->audits_next = first;
    const enum store_status status = store_outbox(store, first - 1, rows_max(o), take_of_lanes, o);
    const bool is_cut = o->are_audits_cut || o->rows_read == rows_max(o);
    for (unsigned i = 0; is_cut && i < OUTBOX_LANES; i++) {
        struct audit_lane *lane = &o->lanes[i];
        const uint64_t next = lane->was > o->audits_next ? lane->was : o->audits_next;
        if (lane->is_read && lane->from == 0)
            lane->from = next;
    }
    return status;
}

static void lanes_read(void *context, enum store_status status)
{
    struct outbox *o = context;
    o->is_reading = false;
    for (unsigned i = 0; i < OUTBOX_LANES; i++) {
        struct audit_lane *lane = &o->lanes[i];
        if (status != STORE_OK && lane->is_read)
            lane->from = lane->was;
        lane->is_read = false;
    }
    if (status != STORE_OK)
        o->read_at = instant_after(o->now, OUTBOX_AGAIN_MS);
    outbox_end_staged(o, status);
}

// When it is time; if only that is in the way, the deadline says when it is.
static bool are_lanes_wanted(struct outbox *o)
{
    bool is_any = false;
    for (unsigned i = 0; i < OUTBOX_LANES && !is_any; i++)
        is_any = wants(o, i);
    if (!is_any || !has_room(o))
        return false;
    const struct instant at = outbox_paced(o, o->lanes_at);
    if (instant_is_due(at, o->now))
        return true;
    o->deadline = instant_earlier(o->deadline, at);
    return false;
}

bool outbox_audits_are_slow(const struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_LANES; i++) {
        if (o->lanes[i].from != 0)
            return true;
    }
    return false;
}

// What fills lanes leaves a quarter to the others.
static bool are_next_wanted(const struct outbox *o)
{
    const uint32_t most = audits_max(o);
    return o->audits_left != 0 && has_room(o) &&
           o->counts.audits_held <= (outbox_audits_are_slow(o) ? most - most / 4 : most / 2);
}

bool outbox_audits_wanted(struct outbox *o)
{
    return are_next_wanted(o) || are_lanes_wanted(o);
}

bool outbox_audits_ask(struct outbox *o)
{
    if (are_lanes_wanted(o)) {
        o->lanes_at = instant_after(outbox_pace(o), LANES_EACH_MS);
        return turn_write(o->options.turn, read_lanes, lanes_read, o);
    }
    o->audits_from = o->audits_left;
    return turn_write(o->options.turn, read_next, next_read, o);
}

// A campaign as octets, and the names of its values.
#include "ota-server/core/campaign.h"

#define NAME_OF(names, value) ((value) < sizeof(names) / sizeof((names)[0]) ? (names)[value] : "?")

const char *campaign_state_name(uint8_t state)
{
    static const char *const names[] = {"DRAFT",     "CHECKED",   "AWAIT_APPROVAL",
                                        "SCHEDULED", "CANARY",    "RUNNING",
                                        "PAUSED",    "COMPLETED", "STOPPED"};
    return NAME_OF(names, state);
}

const char *campaign_step_name(uint8_t step)
{
    static const char *const names[] = {"targeted",  "eligible", "asked",    "sent",
                                        "delivered", "answered", "confirmed"};
    return NAME_OF(names, step);
}

const char *campaign_why_name(uint8_t why)
{
    static const char *const names[] = {
        "",          "PERSON",     "CANARY_SUCCESS", "CANARY_ROLLBACK",
        "FAILURES",  "QUARANTINE", "FALLBACK_STORM", "NO_LINK",
        "TIME_OVER", "REJECTED",   "EXPIRED",        "RESTORED"};
    return NAME_OF(names, why);
}

const char *campaign_reason_name(uint8_t reason)
{
    static const char *const own[] = {"CARD_BLOCKED", "CARD_IN_OTHER_CAMPAIGN", "SEVERAL_OF_POOL"};
    if (reason > CAMPAIGN_FAILURE)
        return operation_failure_name((uint8_t)(reason - CAMPAIGN_FAILURE));
    if (reason == CAMPAIGN_DONE)
        return "DONE";
    if (reason >= CAMPAIGN_CARD_BLOCKED)
        return NAME_OF(own, (unsigned)reason - CAMPAIGN_CARD_BLOCKED);
    return reason == REFUSAL_NONE ? "" : refusal_name(reason);
}

// --- octets ----------------------------------------------------------------------------------

#define MINUTES_MAX (24 * 60)

static void write_time(struct writer *w, struct utc at)
{
    writer_u64(w, (uint64_t)at.ms);
}

static struct utc read_time(struct reader *r)
{
    const struct utc at = {(int64_t)reader_u64(r)};
    if (at.ms < UTC_MIN_MS || at.ms > UTC_MAX_MS)
        r->failed = true;
    return at;
}

static bool read_flag(struct reader *r)
{
    const uint8_t octet = reader_u8(r);
    if (octet > 1)
        r->failed = true;
    return octet == 1;
}

static void write_schedule(struct writer *w, const struct campaign *c)
{
    write_time(w, c->start_at);
    write_time(w, c->end_at);
    writer_u8(w, c->window_count);
    for (uint8_t i = 0; i < c->window_count; i++) {
        const struct campaign_window *v = &c->windows[i];
        writer_u8(w, v->days);
        writer_u16(w, v->from_min);
        writer_u16(w, v->to_min);
        writer_u16(w, (uint16_t)v->place.now_min);
    }
}

static void read_schedule(struct reader *r, struct campaign *c)
{
    c->start_at = read_time(r);
    c->end_at = read_time(r);
    c->window_count = reader_u8(r);
    if (c->window_count > CAMPAIGN_WINDOWS_MAX)
        r->failed = true;
    for (uint8_t i = 0; i < c->window_count && !r->failed; i++) {
        struct campaign_window *v = &c->windows[i];
        v->days = reader_u8(r);
        v->from_min = reader_u16(r);
        v->to_min = reader_u16(r);
        v->place.now_min = (int16_t)reader_u16(r);
        v->place.then_min = v->place.now_min;
        if (v->from_min >= MINUTES_MAX || v->to_min >= MINUTES_MAX ||
            v->place.now_min <= -MINUTES_MAX || v->place.now_min >= MINUTES_MAX)
            r->failed = true;
    }
}

static void write_limits(struct writer *w, const struct campaign *c)
{
    writer_u8(w, c->with_blocked);
    writer_u16(w, c->per_second);
    writer_u16(w, c->per_network);
    writer_u32(w, c->open_max);
    writer_u32(w, c->canary_count);
    writer_u8(w, c->success_min);
    writer_u8(w, c->rollback_max);
    writer_u8(w, c->failure_max);
    writer_u16(w, c->look);
}

static void read_limits(struct reader *r, struct campaign *c)
{
    c->with_blocked = read_flag(r);
    c->per_second = reader_u16(r);
    c->per_network = reader_u16(r);
    c->open_max = reader_u32(r);
    c->canary_count = reader_u32(r);
    c->success_min = reader_u8(r);
    c->rollback_max = reader_u8(r);
    c->failure_max = reader_u8(r);
    c->look = reader_u16(r);
    if (c->per_second == 0)
        r->failed = true;
}

static void write_run(struct writer *w, const struct campaign *c)
{
    writer_u64(w, c->check);
    writer_u32(w, c->targeted);
    writer_u32(w, c->eligible);
    writer_copy(w, bytes_of(c->hash, sizeof(c->hash)));
    writer_u32(w, c->approval_at);
    writer_u8(w, c->needs_approval);
    write_time(w, c->checked_at);
    write_time(w, c->started_at);
    write_time(w, c->ended_at);
    write_time(w, c->approval_until);
    writer_u8(w, c->is_canary_over);
    writer_u8(w, c->why);
    write_time(w, c->judged_from);
    writer_u32(w, c->credit);
    write_time(w, c->credit_at);
    writer_u64(w, c->cursor);
    writer_u32(w, c->stock);
    writer_u8(w, c->template_default);
}

static void read_run(struct reader *r, struct campaign *c)
{
    c->check = reader_u64(r);
    c->targeted = reader_u32(r);
    c->eligible = reader_u32(r);
    reader_copy(r, c->hash, sizeof(c->hash));
    c->approval_at = reader_u32(r);
    c->needs_approval = read_flag(r);
    c->checked_at = read_time(r);
    c->started_at = read_time(r);
    c->ended_at = read_time(r);
    c->approval_until = read_time(r);
    c->is_canary_over = read_flag(r);
    c->why = reader_u8(r);
    c->judged_from = read_time(r);
    c->credit = reader_u32(r);
    c->credit_at = read_time(r);
    c->cursor = reader_u64(r);
    c->stock = reader_u32(r);
    c->template_default = reader_u8(r);
}

void campaign_write(struct writer *w, const struct campaign *c)
{
    writer_u8(w, CAMPAIGN_FORM);
    writer_u64(w, c->id);
    writer_u64(w, c->tenant);
    writer_u64(w, c->parent);
    writer_u8(w, c->state);
    writer_u8(w, c->actor.kind);
    writer_u64(w, c->actor.id);
    writer_u64(w, c->correlator);
    writer_u64(w, c->approval);
    writer_u64(w, c->pool);
    writer_u64(w, c->pool_owner);
    writer_u8(w, c->is_sharp);
    writer_u32(w, c->ttl_s);
    write_limits(w, c);
    write_schedule(w, c);
    write_run(w, c);
    operation_write(w, &c->operation); // to the end
}

bool campaign_read(struct bytes octets, struct campaign *c)
{
    struct reader r = reader_of(octets);
    const uint8_t form = reader_u8(&r);
    *c = (struct campaign){.id = reader_u64(&r)};
    c->tenant = reader_u64(&r);
    c->parent = reader_u64(&r);
    c->state = reader_u8(&r);
    c->actor.kind = reader_u8(&r);
    c->actor.id = reader_u64(&r);
    c->correlator = reader_u64(&r);
    c->approval = reader_u64(&r);
    c->pool = reader_u64(&r);
    c->pool_owner = reader_u64(&r);
    c->is_sharp = read_flag(&r);
    c->ttl_s = reader_u32(&r);
    read_limits(&r, c);
    read_schedule(&r, c);
    read_run(&r, c);
    const struct bytes rest = reader_rest(&r);
    return !r.failed && form == CAMPAIGN_FORM && c->state < CAMPAIGN_STATES &&
           operation_read(rest, &c->operation);
}

#include "ota-server/core/timers.h"

#include "ota-server/core/work.h"

// A reading that was given up, or that the card refused, is asked for again.
#define TIMERS_AGAIN_MS DAY_MS

const char *timers_agreement_name(uint8_t agreement)
{
    static const char *const names[] = {"NONE", "AGREES", "DIFFERS", "UNKNOWN", "NOT_SUPPORTED"};
    return agreement < sizeof(names) / sizeof(names[0]) ? names[agreement] : "?";
}

uint32_t timers_named(const struct policy_timers *wanted)
{
    struct reader r = reader_of(bytes_of(wanted->list, wanted->len));
    uint32_t set = 0;
    while (r.left > 0 && !r.failed) {
        const uint8_t number = reader_u8(&r);
        set |= number <= PARAMETER_LAST ? (uint32_t)1 << number : 0;
        reader_skip(&r, reader_u8(&r));
    }
    return set;
}

uint32_t timers_differing(const struct parameters *p, const struct policy_timers *wanted)
{
    struct parameters next = *p;
    const uint32_t named = timers_named(wanted);
    uint32_t set = 0;
    if (parameters_apply(&next, bytes_of(wanted->list, wanted->len), NULL) != PARAMETER_OK)
        return named; // a rule of a server that knew others
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        uint8_t is[2 + UINT8_MAX];
        uint8_t shall[2 + UINT8_MAX];
        struct writer a = writer_of(is, sizeof(is));
        struct writer b = writer_of(shall, sizeof(shall));
        const bool is_written = (named >> number & 1) != 0 && parameter_write(&a, p, number) &&
                                parameter_write(&b, &next, number);
        if (is_written && !bytes_equal(writer_bytes(&a), writer_bytes(&b)))
            set |= (uint32_t)1 << number;
    }
    return set;
}

uint8_t timers_agreement(const struct record *r, const struct policy_timers *wanted)
{
    if (wanted->len == 0)
        return TIMERS_NONE;
    const bool differs = timers_differing(&r->parameters, wanted) != 0;
    if (r->level < 2)
        return differs ? TIMERS_NOT_SUPPORTED : TIMERS_AGREE;
    if (r->dirty_since.ms != 0 || r->parameters_version != r->configuration_version)
        return TIMERS_UNKNOWN;
    return differs ? TIMERS_DIFFER : TIMERS_AGREE;
}

static bool writes(const struct operation *o, const struct policy_timers *wanted)
{
    return o->kind == OPERATION_SET_TIMERS &&
           bytes_equal(bytes_of(o->list, o->list_len), bytes_of(wanted->list, wanted->len));
}

const struct operation *timers_asked(const struct record *r, const struct policy_timers *wanted)
{
    if (r->has_open && writes(&r->open, wanted))
        return &r->open;
    for (uint8_t i = 0; i < r->queue_len; i++) {
        if (writes(&r->queue[i], wanted))
            return &r->queue[i];
    }
    return NULL;
}

// Brings the card to what its group wants. It waits until the card is in no doubt; a card that is
// as wanted, or asked already, is left alone.
void decide_timers(struct work *w)
{
    struct record *r = w->r;
    const struct policy_timers *wanted = &w->policy->timers;
    const uint8_t agreement = timers_agreement(r, wanted);
    struct operation o = {.kind = OPERATION_SET_TIMERS,
                          .status = STATUS_QUEUED,
                          .list_len = wanted->len,
                          .wait_until_clean = true,
                          .actor = {.kind = ACTOR_RULE, .id = r->group},
                          .created_at = w->now,
                          .not_after = utc_after(w->now, w->policy->not_after_ms)};
    const struct operation *asked = timers_asked(r, wanted);
    if (agreement == TIMERS_NONE || agreement == TIMERS_AGREE)
        return;
    if (asked != NULL) {
        w->d->operation = asked->id;
        return;
    }
    memcpy(o.list, wanted->list, wanted->len);
    w->d->refusal = refusal_of(w, &o, false);
    if (w->d->refusal == REFUSAL_NONE && r->queue_len == RECORD_QUEUE_MAX)
        w->d->refusal = REFUSAL_QUEUE_FULL;
    if (w->d->refusal != REFUSAL_NONE)
        return;
    o.id = work_id(w);
    w->d->operation = o.id;
    work_step(w, &o, STEP_CREATED, operation_kind_name(o.kind));
    work_step(w, &o, STEP_QUEUED, "timers of the group");
    work_trail(w, "operation.requested", o.id, "", operation_kind_name(o.kind), "group");
    r->queue[r->queue_len++] = o;
}

void timers_read(struct work *w)
{
    if (w->r->level >= 2)
        w->r->timers_due = w->now;
}

// One that left may have been answered before this: another goes behind it.
static bool is_reading_waiting(const struct record *r)
{
    bool is_waiting = r->has_open && r->open.kind == OPERATION_READ_TIMERS &&
                      r->open.is_automatic && !r->open.may_have_run;
    for (uint8_t i = 0; i < r->queue_len; i++)
        is_waiting |= r->queue[i].kind == OPERATION_READ_TIMERS && r->queue[i].is_automatic;
    return is_waiting;
}

void timers_known(struct work *w)
{
    struct record *r = w->r;
    if (!utc_is_due(r->timers_due, w->now) && !is_reading_waiting(r))
        r->timers_due.ms = 0;
}

bool timers_are_idle(const struct record *r)
{
    return r->state == CARD_RETIRED || r->state == CARD_IMPORTED_PARTIAL || r->level < 2 ||
           record_has_mark(r, MARK_QUARANTINED) || record_has_mark(r, MARK_UNREACHABLE);
}

void timers_plan(struct work *w)
{
    struct record *r = w->r;
    const bool is_waiting = is_reading_waiting(r);
    const bool is_full = r->queue_len == RECORD_QUEUE_MAX;
    if (timers_are_idle(r) || !utc_is_due(r->timers_due, w->now) || (is_full && !is_waiting))
        return;
    r->timers_due = utc_after(w->now, TIMERS_AGAIN_MS);
    if (is_waiting)
        return;
    struct operation *o = &r->queue[r->queue_len++];
    memset(o, 0, sizeof(*o));
    o->id = work_id(w);
    o->kind = OPERATION_READ_TIMERS;
    o->status = STATUS_QUEUED;
    o->is_automatic = true;
    o->created_at = w->now;
    o->not_after = utc_after(w->now, w->policy->not_after_ms);
    o->list_len = 1;
    o->list[0] = READ_ALL;
    work_step(w, o, STEP_CREATED, "timers changed");
    work_trail(w, "operation.requested", o->id, "", operation_kind_name(o->kind), "timers changed");
}

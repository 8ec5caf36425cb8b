// What a restore from a backup holds back. The database does not know what the server did since the
// backup was made: a subscription that it believes to be free, or another card's, may be on a card.
// Two cards with one subscription cannot be undone, so no download leaves, and no bootstrap takes
// anything from a pool, until every card has said what it has, or somebody with the right takes the
// risk.
#include "ota-server/service/download_hold.h"
#include "ota-server/service/turn_part.h"

#define LOOK_MS (6 * 60 * 60 * 1000) // should anything not have been noted
#define PAUSE_MS (60 * 1000)         // a look may go over all cards that do not count

enum store_status turn_hold(struct turn *t, bool *is_on)
{
    struct utc since;
    if (!t->hold.is_known) {
        const enum store_status status = download_hold_since(t->options.store, &since);
        if (status != STORE_OK)
            return status;
        t->hold = (struct hold){.is_known = true, .is_on = since.ms != 0};
    }
    *is_on = t->hold.is_on;
    return STORE_OK;
}

enum store_status turn_hold_begin(struct turn *t, struct utc now)
{
    t->hold.is_known = false;
    return download_hold_begin(t->options.store, now);
}

void turn_note_doubt(struct turn *t)
{
    const struct record *a = &t->before;
    const struct record *b = &t->decision.next;
    const bool has_moved = a->dirty_since.ms != b->dirty_since.ms || a->state != b->state;
    const struct utc soonest = utc_after(t->hold.looked_at, PAUSE_MS);
    if (a->dirty_since.ms != 0 && has_moved && t->hold.look_at.ms > soonest.ms)
        t->hold.look_at = soonest;
}

static enum store_status end(struct turn *t, struct utc now)
{
    t->hold.is_known = false;
    turn_want_places(t);
    return download_hold_end(t->options.store, "no card is in doubt because of the restore", now);
}

enum store_status turn_run_hold(struct turn *t, struct utc now)
{
    bool is_on = false;
    bool is_doubted = false;
    enum store_status status = turn_hold(t, &is_on);
    if (status != STORE_OK || !is_on || t->hold.look_at.ms > now.ms)
        return status;
    t->hold.looked_at = now;
    t->hold.look_at = utc_after(now, LOOK_MS);
    struct utc since;
    status = download_hold_since(t->options.store, &since);
    if (status == STORE_OK)
        status = store_any_dirty(t->options.store, since, &is_doubted);
    return status == STORE_OK && !is_doubted ? end(t, now) : status;
}

bool turn_find(void *context, const struct record *r, const uint8_t imsi[COMMAND_IMSI_SIZE],
               struct found_subscription *out)
{
    struct turn *t = context;
    struct subscription row;
    const enum store_status status = store_subscription_by_imsi(t->options.store, imsi, &row);
    if (status != STORE_OK && status != STORE_NONE)
        t->find_status = status;
    const bool is_free = row.state == SUBSCRIPTION_FREE || row.state == SUBSCRIPTION_RESERVED;
    if (status != STORE_OK || row.tenant != r->tenant || !(is_free || row.card == r->card))
        return false;
    *out = (struct found_subscription){.id = row.id,
                                       .is_barred = row.plan.is_barred,
                                       .is_promised = row.card != 0 && row.card != r->card};
    memcpy(out->number, row.plan.number, sizeof(out->number));
    return true;
}

enum store_status turn_stolen(struct turn *t, uint64_t *subscription)
{
    const struct decision *d = &t->decision;
    struct subscription row;
    *subscription = 0;
    bool is_download = false;
    for (uint8_t i = 0; i < d->send_count; i++)
        is_download |= d->sends[i].command == COMMAND_DOWNLOAD;
    if (!is_download || d->next.open.subscription == 0)
        return STORE_OK;
    const enum store_status status =
        store_subscription_get(t->options.store, d->next.open.subscription, &row);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    if (status == STORE_NONE || row.card != d->next.card)
        *subscription = d->next.open.subscription;
    return STORE_OK;
}

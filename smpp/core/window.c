#include "smpp/core/window.h"

#include "common/base/check.h"

#define NONE UINT16_MAX // end of the list

void smpp_window_init(struct smpp_window *w, struct smpp_pending *at, size_t size)
{
    check(size >= 1 && size <= SMPP_WINDOW_MAX);
    *w = (struct smpp_window){.at = at, .size = (uint16_t)size, .oldest = NONE, .newest = NONE};
    for (size_t i = 0; i < size; i++)
        at[i].sequence = 0;
}

bool smpp_window_is_free(const struct smpp_window *w, uint32_t sequence)
{
    return w->at[sequence % w->size].sequence == 0;
}

void smpp_window_add(struct smpp_window *w, struct smpp_pending pending)
{
    const uint16_t slot = (uint16_t)(pending.sequence % w->size);
    check(pending.sequence != 0 && w->at[slot].sequence == 0);
    pending.older = w->newest;
    pending.newer = NONE;
    w->at[slot] = pending;
    if (w->newest != NONE)
        w->at[w->newest].newer = slot;
    else
        w->oldest = slot;
    w->newest = slot;
    w->used++;
}

struct smpp_pending *smpp_window_find(const struct smpp_window *w, uint32_t sequence)
{
    struct smpp_pending *pending = &w->at[sequence % w->size];
    return sequence != 0 && pending->sequence == sequence ? pending : NULL;
}

struct smpp_pending *smpp_window_oldest(const struct smpp_window *w)
{
    return w->oldest != NONE ? &w->at[w->oldest] : NULL;
}

void smpp_window_remove(struct smpp_window *w, struct smpp_pending *pending)
{
    if (pending->older != NONE)
        w->at[pending->older].newer = pending->newer;
    else
        w->oldest = pending->newer;
    if (pending->newer != NONE)
        w->at[pending->newer].older = pending->older;
    else
        w->newest = pending->older;
    pending->sequence = 0;
    w->used--;
}

// Ids, which any store gives.
#include "ota-server/store/store.h"

uint64_t ids_first(struct utc now)
{
    return (uint64_t)(now.ms < 0 ? 0 : now.ms) << 20;
}

uint64_t ids_next(struct ids *ids, struct utc now)
{
    const uint64_t at = ids_first(now);
    ids->last = at > ids->last ? at : ids->last + 1;
    return ids->last;
}

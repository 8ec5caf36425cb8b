#include "tests/world/agenda.h"

#include "common/base/check.h"

static bool is_earlier(const struct entry *a, const struct entry *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void rise(struct agenda *agenda, uint32_t at)
{
    const struct entry entry = agenda->entries[at];
    while (at > 0 && is_earlier(&entry, &agenda->entries[(at - 1) / 2])) {
        agenda->entries[at] = agenda->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    agenda->entries[at] = entry;
}

static void sink(struct agenda *agenda, uint32_t at)
{
    const struct entry entry = agenda->entries[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= agenda->count)
            break;
        if (child + 1 < agenda->count &&
            is_earlier(&agenda->entries[child + 1], &agenda->entries[child]))
            child++;
        if (!is_earlier(&agenda->entries[child], &entry))
            break;
        agenda->entries[at] = agenda->entries[child];
        at = child;
    }
    agenda->entries[at] = entry;
}

void agenda_add(struct agenda *agenda, struct instant at, enum happening what, uint32_t subject,
                uint32_t value)
{
    check(agenda->count < AGENDA_MAX);
    agenda->entries[agenda->count] = (struct entry){.at_ms = at.ms,
                                                    .order = agenda->order++,
                                                    .what = (uint8_t)what,
                                                    .subject = subject,
                                                    .value = value};
    rise(agenda, agenda->count++);
}

struct instant agenda_due(const struct agenda *agenda)
{
    return agenda->count == 0 ? INSTANT_NEVER : (struct instant){agenda->entries[0].at_ms};
}

bool agenda_take(struct agenda *agenda, struct instant now, struct entry *out)
{
    if (agenda->count == 0 || agenda->entries[0].at_ms > now.ms)
        return false;
    *out = agenda->entries[0];
    agenda->entries[0] = agenda->entries[--agenda->count];
    if (agenda->count > 0)
        sink(agenda, 0);
    return true;
}

void agenda_forget(struct agenda *agenda, enum happening what)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < agenda->count; i++) {
        if (agenda->entries[i].what != what)
            agenda->entries[kept++] = agenda->entries[i];
    }
    agenda->count = kept;
    for (uint32_t i = kept / 2; i > 0; i--)
        sink(agenda, i - 1);
}

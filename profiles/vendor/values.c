#include "profiles/vendor/values.h"

#include <stdlib.h>

bool values_open(struct values *v, const struct vendor_scratch *scratch, uint64_t seed)
{
    *v = (struct values){.scratch = scratch, .seed = seed, .table = VALUES_TABLE};
    v->buffer = calloc(VALUES_BUFFERED, sizeof *v->buffer);
    return v->buffer != NULL && scratch->clear(scratch->context);
}

void values_close(struct values *v)
{
    if (v->scratch != NULL) // a note that stays helps nobody
        (void)v->scratch->clear(v->scratch->context);
    free(v->buffer);
    *v = (struct values){0};
}

static bool flush(struct values *v)
{
    const size_t len = v->len * sizeof *v->buffer;
    v->len = 0;
    return len == 0 || v->scratch->write(v->scratch->context, v->buffer, len);
}

bool values_add(struct values *v, const struct value_note *note)
{
    v->buffer[v->len++] = *note;
    v->counts[note->kind]++;
    return v->len < VALUES_BUFFERED || flush(v);
}

// The table is kept by the high bits of another mix (seen.c): these must be independent of it.
static uint64_t share_of(const struct values *v, uint64_t value, uint64_t shares)
{
    const uint64_t x = (value ^ v->seed) * 0x9E3779B97F4A7C15U;
    return (x >> 40) * shares >> 24;
}

// Fills the buffer with the next notes; *len 0 = end.
static bool next_notes(struct values *v, size_t *len)
{
    uint8_t *to = (uint8_t *)v->buffer;
    const size_t size = VALUES_BUFFERED * sizeof *v->buffer;
    size_t have = 0;
    size_t got = 1;
    while (have < size && got > 0) {
        if (!v->scratch->read(v->scratch->context, to + have, size - have, &got))
            return false;
        have += got;
    }
    *len = have / sizeof *v->buffer;
    return true;
}

struct pass {
    struct seen seen;
    enum value_kind kind;
    uint64_t share, shares;
    values_again_fn *again;
    void *context;
};

static bool compare_note(struct pass *p, const struct value_note *note)
{
    struct seen_place first;
    const struct seen_place here = {.line = note->line, .column = note->column};
    switch (seen_add(&p->seen, note->value, here, &first)) {
    case SEEN_NEW:
        return true;
    case SEEN_AGAIN:
        return p->again(p->context, note, &first, false);
    case SEEN_REPEATED:
        return p->again(p->context, note, &first, true);
    case SEEN_NO_MEMORY:
        break;
    }
    return false;
}

static bool run_pass(struct values *v, struct pass *p)
{
    size_t len = 0;
    bool good = v->scratch->rewind(v->scratch->context) && next_notes(v, &len);
    while (good && len > 0) {
        for (size_t i = 0; i < len && good; i++) {
            const struct value_note *note = &v->buffer[i];
            if (note->kind == p->kind && share_of(v, note->value, p->shares) == p->share)
                good = compare_note(p, note);
        }
        good = good && next_notes(v, &len);
    }
    return good;
}

static bool compare_kind(struct values *v, struct pass *p)
{
    bool good = true;
    p->shares = v->counts[p->kind] / v->table + 1;
    const uint64_t most = v->counts[p->kind] / p->shares;
    for (p->share = 0; p->share < p->shares && good; p->share++) {
        good = seen_open(&p->seen, (size_t)(most + most / 8), v->seed) && run_pass(v, p);
        seen_close(&p->seen);
    }
    return good;
}

bool values_compare(struct values *v, values_again_fn *again, void *context)
{
    struct pass p = {.again = again, .context = context};
    if (!flush(v))
        return false;
    for (unsigned kind = 0; kind < VALUE_KINDS; kind++) {
        p.kind = (enum value_kind)kind;
        if (v->counts[kind] > 1 && !compare_kind(v, &p))
            return false;
    }
    return true;
}

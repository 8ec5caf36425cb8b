#include "common/base/trace.h"

#include "common/base/text.h"

#define LINE_MAX_OCTETS 1024
#define DETAIL_MAX 900

static uint64_t fnv(uint64_t hash, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        hash = (hash ^ b.at[i]) * UINT64_C(0x100000001B3);
    return hash;
}

void trace_init(struct trace *t, void (*sink)(void *context, struct bytes line), void *context)
{
    *t = (struct trace){.sink = sink, .context = context, .hash = UINT64_C(0xCBF29CE484222325)};
}

void trace_event(struct trace *t, struct instant at, const char *name, struct bytes detail)
{
    uint8_t line[LINE_MAX_OCTETS];
    struct writer w = writer_of(line, sizeof line);
    text_decimal(&w, at.ms);
    text_put(&w, " ");
    text_put(&w, name);
    if (detail.len > 0) {
        text_put(&w, " ");
        writer_copy(&w, bytes_slice(detail, 0, DETAIL_MAX));
    }
    t->hash = fnv(fnv(t->hash, writer_bytes(&w)), bytes_of("\n", 1));
    t->count++;
    if (t->sink != NULL)
        t->sink(t->context, writer_bytes(&w));
}

#include "profiles/vendor/line_set.h"

#include <stdlib.h>

bool line_set_add(struct line_set *s, uint32_t line)
{
    size_t at = line / 8;
    if (at >= s->size) {
        size_t size = (at + 1) * 2;
        uint8_t *grown = realloc(s->bits, size);
        if (grown == NULL)
            return false;
        memset(grown + s->size, 0, size - s->size);
        s->bits = grown;
        s->size = size;
    }
    s->bits[at] |= (uint8_t)(1U << line % 8);
    return true;
}

bool line_set_has(const struct line_set *s, uint32_t line)
{
    return line / 8 < s->size && (s->bits[line / 8] & 1U << line % 8) != 0;
}

uint64_t line_set_count(const struct line_set *s, const struct line_set *without)
{
    uint64_t count = 0;
    for (size_t i = 0; i < s->size; i++) {
        unsigned bits = s->bits[i];
        if (i < without->size)
            bits &= ~(unsigned)without->bits[i];
        for (; bits != 0; bits &= bits - 1)
            count++;
    }
    return count;
}

void line_set_close(struct line_set *s)
{
    free(s->bits);
    *s = (struct line_set){0};
}

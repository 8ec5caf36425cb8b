#include "profiles/vendor/words.h"

#include "common/base/text.h"
#include "profiles/vendor/names.h"

static bool is_separator(uint8_t c, const char *separators)
{
    // A call of strchr() here costs a seventh of an import.
    for (; *separators != '\0'; separators++)
        if (c == (uint8_t)*separators)
            return true;
    return false;
}

bool words_next(struct bytes *rest, const char *separators, struct bytes *word)
{
    size_t start = 0;
    while (start < rest->len && is_separator(rest->at[start], separators))
        start++;
    size_t end = start;
    if (start < rest->len && separators[1] == '\0') {
        const uint8_t *at = memchr(rest->at + start, separators[0], rest->len - start);
        end = at != NULL ? (size_t)(at - rest->at) : rest->len;
    }
    while (end < rest->len && !is_separator(rest->at[end], separators))
        end++;
    if (start == end)
        return false;
    *word = bytes_of(rest->at + start, end - start);
    *rest = bytes_of(rest->at + end, rest->len - end);
    return true;
}

static struct word_value *find(struct word_value *values, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (vendor_text_is(name, values[i].name))
            return &values[i];
    return NULL;
}

bool words_read(struct bytes text, struct word_value *values, size_t count)
{
    struct bytes word;
    while (words_next(&text, " \t", &word)) {
        const uint8_t *equal = memchr(word.at, '=', word.len);
        if (equal == NULL)
            return false;
        size_t name_len = (size_t)(equal - word.at);
        struct word_value *at = find(values, count, bytes_of(word.at, name_len));
        if (at == NULL || at->value.len > 0 || name_len + 1 == word.len)
            return false;
        at->value = bytes_of(equal + 1, word.len - name_len - 1);
    }
    for (size_t i = 0; i < count; i++)
        if (values[i].must && values[i].value.len == 0)
            return false;
    return true;
}

bool words_hex(struct bytes text, uint8_t *to, size_t len)
{
    struct writer out = writer_of(to, len);
    return text.len == len * 2 && text_unhex(text, &out);
}

bool words_number(struct bytes text, uint64_t min, uint64_t max, uint64_t *number)
{
    return text_read_decimal(text, number) && *number >= min && *number <= max;
}

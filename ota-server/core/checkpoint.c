#include "ota-server/core/checkpoint.h"

#include "common/base/text.h"

// The next word of a line; empty when there is none.
static struct bytes next_word(struct bytes *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->at[len] != ' ')
        len++;
    const struct bytes word = bytes_slice(*rest, 0, len);
    *rest = bytes_slice(*rest, len + 1, rest->len);
    return word;
}

bool checkpoint_read(const char *line, struct checkpoint *c, struct bytes *text)
{
    struct bytes rest = bytes_of_text(line);
    *c = (struct checkpoint){.sequence = 0};
    if (rest.len == 0 || rest.at[rest.len - 1] != '\n')
        return false;
    rest.len--;
    const struct bytes whole = rest;
    struct writer hash = writer_of(c->hash, sizeof(c->hash));
    struct writer signature = writer_of(c->signature, sizeof(c->signature));
    if (!text_read_decimal(next_word(&rest), &c->sequence) ||
        !text_read_decimal(next_word(&rest), &c->at) || !text_unhex(next_word(&rest), &hash) ||
        hash.len != sizeof(c->hash))
        return false;
    c->is_signed = rest.len > 0;
    if (!c->is_signed)
        return true;
    if (!text_read_decimal(next_word(&rest), &c->rows))
        return false;
    *text = bytes_slice(whole, 0, (size_t)(rest.at - whole.at) - 1);
    return text_unhex(rest, &signature) && signature.len == sizeof(c->signature);
}

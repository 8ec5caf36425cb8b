#include "ota-server/service/api_csv.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"

static void begin(struct csv *c)
{
    if (c->has_field)
        text_put(c->out, ",");
    c->has_field = true;
}

// With what spreadsheets begin a formula, or pass over before one.
static bool is_formula(char first)
{
    return first == '=' || first == '+' || first == '-' || first == '@' || first == '\t' ||
           first == '\r' || first == '\n';
}

void csv_text(struct csv *c, const char *text)
{
    begin(c);
    writer_u8(c->out, '"');
    if (is_formula(text[0]))
        writer_u8(c->out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            writer_u8(c->out, '"');
        writer_u8(c->out, (uint8_t)*text);
    }
    writer_u8(c->out, '"');
}

void csv_number(struct csv *c, uint64_t number)
{
    begin(c);
    text_decimal(c->out, number);
}

void csv_fixed(struct csv *c, int64_t number, unsigned digits)
{
    struct json_writer j = json_writer_of(c->out); // numbers look the same in both
    begin(c);
    json_put_fixed(&j, number, digits);
}

void csv_nothing(struct csv *c)
{
    begin(c);
}

void csv_end(struct csv *c)
{
    text_put(c->out, "\r\n");
    c->has_field = false;
}

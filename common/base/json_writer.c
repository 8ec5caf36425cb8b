#include "common/base/json_writer.h"

#include "common/base/check.h"
#include "common/base/text.h"

static void value(struct json_writer *j)
{
    if (j->comma)
        writer_u8(j->out, ',');
    j->comma = true;
}

static void begin(struct json_writer *j, uint8_t bracket)
{
    value(j);
    writer_u8(j->out, bracket);
    j->comma = false;
    j->depth++;
}

static void end(struct json_writer *j, uint8_t bracket)
{
    check(j->depth > 0);
    writer_u8(j->out, bracket);
    j->comma = true;
    j->depth--;
}

void json_begin_object(struct json_writer *j)
{
    begin(j, '{');
}

void json_end_object(struct json_writer *j)
{
    end(j, '}');
}

void json_begin_array(struct json_writer *j)
{
    begin(j, '[');
}

void json_end_array(struct json_writer *j)
{
    end(j, ']');
}

// The length of the well-formed UTF-8 sequence at the start of `text` [RFC 3629 §4], or 0.
static size_t utf8_len(struct bytes text)
{
    uint8_t lead = text.at[0];
    if (lead < 0x80)
        return 1;
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.len < len)
        return 0;
    // The second octet excludes overlong forms, surrogates and what is above U+10FFFF.
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (text.at[1] < low || text.at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((text.at[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

static void put_escaped(struct writer *w, uint8_t octet)
{
    switch (octet) { // octets, not an enumeration
    case '"':
        text_put(w, "\\\"");
        break;
    case '\\':
        text_put(w, "\\\\");
        break;
    case '\n':
        text_put(w, "\\n");
        break;
    case '\r':
        text_put(w, "\\r");
        break;
    case '\t':
        text_put(w, "\\t");
        break;
    default: // octets
        text_put(w, "\\u00");
        text_hex(w, bytes_of(&octet, 1));
    }
}

static bool is_plain(uint8_t octet)
{
    return octet >= 0x20 && octet < 0x7F && octet != '"' && octet != '\\';
}

static void put_quoted(struct writer *w, struct bytes text)
{
    writer_u8(w, '"');
    size_t at = 0;
    while (at < text.len) {
        size_t run = at;
        while (run < text.len && is_plain(text.at[run]))
            run++;
        if (run > at) {
            writer_copy(w, bytes_of(text.at + at, run - at));
            at = run;
            continue;
        }
        size_t len = utf8_len(bytes_of(text.at + at, text.len - at));
        if (len == 0)
            text_put(w, "\\ufffd");
        else if (len == 1)
            put_escaped(w, text.at[at]);
        else
            writer_copy(w, bytes_of(text.at + at, len));
        at += len == 0 ? 1 : len;
    }
    writer_u8(w, '"');
}

void json_put_key(struct json_writer *j, const char *name)
{
    value(j);
    put_quoted(j->out, bytes_of_text(name));
    writer_u8(j->out, ':');
    j->comma = false;
}

void json_put_text(struct json_writer *j, struct bytes text)
{
    value(j);
    put_quoted(j->out, text);
}

void json_put_string(struct json_writer *j, const char *text)
{
    json_put_text(j, bytes_of_text(text));
}

void json_put_unsigned(struct json_writer *j, uint64_t number)
{
    value(j);
    text_decimal(j->out, number);
}

void json_put_signed(struct json_writer *j, int64_t number)
{
    json_put_fixed(j, number, 0);
}

void json_put_fixed(struct json_writer *j, int64_t number, unsigned digits)
{
    check(digits <= 18);
    value(j);
    if (number < 0)
        writer_u8(j->out, '-');
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++)
        scale *= 10;
    text_decimal(j->out, magnitude / scale);
    if (digits == 0)
        return;
    writer_u8(j->out, '.');
    uint64_t rest = magnitude % scale;
    for (scale /= 10; scale > 0; scale /= 10)
        writer_u8(j->out, (uint8_t)('0' + rest / scale % 10));
}

void json_put_bool(struct json_writer *j, bool truth)
{
    value(j);
    text_put(j->out, truth ? "true" : "false");
}

void json_put_null(struct json_writer *j)
{
    value(j);
    text_put(j->out, "null");
}

void json_put_raw(struct json_writer *j, struct bytes octets)
{
    value(j);
    writer_copy(j->out, octets);
}

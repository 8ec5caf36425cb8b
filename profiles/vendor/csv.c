#include "profiles/vendor/layout.h"

// The next field of a line [RFC 4180 §2]: unquoted as it stands, quoted without its quotes, doubled
// quotes inside made single, written to `scratch`. False when nothing is left; a broken quotation
// gives the rest of the line as one field, which then is not what any field expects.
struct csv_line {
    struct bytes rest;
    bool is_done;
    struct writer scratch;
};

static struct bytes take(struct csv_line *c, size_t len)
{
    struct bytes field = bytes_slice(c->rest, 0, len);
    c->is_done = len >= c->rest.len;
    c->rest = bytes_slice(c->rest, len + 1, c->rest.len);
    return field;
}

static struct bytes take_quoted(struct csv_line *c)
{
    size_t start = c->scratch.len;
    const struct bytes all = c->rest;
    for (size_t i = 1; i < all.len; i++) {
        bool quote = all.at[i] == '"';
        bool more = i + 1 < all.len;
        if (quote && (!more || all.at[i + 1] == ',')) {
            (void)take(c, i + 1);
            return bytes_of(c->scratch.at + start, c->scratch.len - start);
        }
        if (quote && all.at[i + 1] != '"')
            break;
        writer_u8(&c->scratch, all.at[i]);
        i += quote;
    }
    return take(c, all.len);
}

static bool next(struct csv_line *c, struct bytes *field)
{
    if (c->is_done)
        return false;
    if (c->rest.len > 0 && c->rest.at[0] == '"') {
        *field = take_quoted(c);
        return true;
    }
    const uint8_t *comma = c->rest.len > 0 ? memchr(c->rest.at, ',', c->rest.len) : NULL;
    *field = take(c, comma != NULL ? (size_t)(comma - c->rest.at) : c->rest.len);
    return true;
}

bool csv_is_columns(struct bytes line)
{
    char unused[LINE_MAX_LEN];
    struct csv_line c = {.rest = line, .scratch = writer_of(unused, sizeof unused)};
    struct bytes name;
    while (next(&c, &name)) {
        struct vendor_meaning meaning;
        if (vendor_name_read(name, true, &meaning) &&
            (meaning.name == VENDOR_ICCID || meaning.name == VENDOR_IMSI))
            return true;
    }
    return false;
}

static bool is_meta(struct bytes text)
{
    return text.len > 0 && text.at[0] == '#';
}

static enum file_verdict read_columns(struct vendor_file *f, const struct line *line)
{
    f->data_line = line->number;
    struct csv_line c = {.rest = line->text, .scratch = writer_of(f->scratch, sizeof f->scratch)};
    struct bytes name;
    while (next(&c, &name))
        columns_add(f, name, line->number);
    return FILE_OK;
}

enum file_verdict csv_header(struct vendor_file *f)
{
    for (;;) {
        struct line line;
        struct bytes key;
        struct bytes value;
        enum file_verdict verdict = layout_line(f, &line);
        if (verdict == FILE_END) {
            findings_add(f->findings, IMP_102, f->lines->line_number, "",
                         "truncated: no line of column names");
            return FILE_REFUSED;
        }
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len == 0)
            continue;
        if (!is_meta(line.text))
            return read_columns(f, &line);
        f->has_metadata = true;
        if (header_split(bytes_slice(line.text, 1, line.text.len), &key, &value))
            header_read(&f->header, key, value, line.number, f->findings);
        else
            findings_add(f->findings, IMP_119, line.number, "",
                         "malformed header line; expected #Key: value");
    }
}

enum file_verdict csv_next(struct vendor_file *f, struct vendor_fields *fields)
{
    for (;;) {
        struct line line;
        enum file_verdict verdict = layout_line(f, &line);
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len == 0)
            continue;
        if (is_meta(line.text)) {
            layout_trailer(f, &line, bytes_slice(line.text, 1, line.text.len));
            continue;
        }
        *fields = (struct vendor_fields){.line = line.number, .raw = line.text};
        struct csv_line c = {.rest = line.text,
                             .scratch = writer_of(f->scratch, sizeof f->scratch)};
        struct bytes field;
        while (next(&c, &field))
            layout_field(fields, field);
        return layout_record(f, &line);
    }
}

#include "profiles/vendor/layout.h"
#include "profiles/vendor/words.h"

static bool is_comment(struct bytes text)
{
    return bytes_equal(bytes_slice(text, 0, 2), bytes_of_text("* "));
}

static void add_columns(struct vendor_file *f)
{
    struct bytes rest = bytes_of_text(f->header.var_out);
    struct bytes name;
    while (words_next(&rest, "/ \t", &name))
        columns_add(f, name, f->header.line[HEADER_VAR_OUT]);
}

enum file_verdict varout_header(struct vendor_file *f)
{
    for (;;) {
        struct line line;
        struct bytes key;
        struct bytes value;
        enum file_verdict verdict = layout_line(f, &line);
        if (verdict == FILE_END) {
            findings_add(f->findings, IMP_102, f->lines->line_number, "*DATA",
                         "truncated: no record");
            return FILE_REFUSED;
        }
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len == 0 || is_comment(line.text))
            continue;
        if (vendor_text_is(line.text, "*DATA")) {
            f->data_line = line.number;
            add_columns(f);
            return FILE_OK;
        }
        if (header_split(line.text, &key, &value))
            header_read(&f->header, key, value, line.number, f->findings);
        else
            findings_add(f->findings, IMP_119, line.number, "",
                         "malformed header line; expected Key: value");
    }
}

static enum file_verdict read_trailer(struct vendor_file *f)
{
    for (;;) {
        struct line line;
        enum file_verdict verdict = layout_line(f, &line);
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len > 0 && !is_comment(line.text))
            layout_trailer(f, &line, line.text);
    }
}

// One space between fields; more of them, or tabs, are a warning.
static void split(struct vendor_file *f, struct bytes text, struct vendor_fields *fields)
{
    struct bytes rest = text;
    struct bytes field;
    size_t octets = 0;
    const bool has_tab = memchr(text.at, '\t', text.len) != NULL;
    while (words_next(&rest, has_tab ? " \t" : " ", &field)) {
        layout_field(fields, field);
        octets += field.len + 1;
    }
    if (has_tab || octets != text.len + 1)
        findings_add(f->findings, W_003, fields->line, "",
                     "tabs or several spaces between fields; expected one space");
}

enum file_verdict varout_next(struct vendor_file *f, struct vendor_fields *fields)
{
    for (;;) {
        struct line line;
        enum file_verdict verdict = layout_line(f, &line);
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len == 0 || is_comment(line.text))
            continue;
        if (vendor_text_is(line.text, "*END")) {
            f->is_ended = true;
            return read_trailer(f);
        }
        if (!line.ended) {
            f->is_cut = true;
            return FILE_END;
        }
        *fields = (struct vendor_fields){.line = line.number, .raw = line.text};
        split(f, line.text, fields);
        return layout_record(f, &line);
    }
}

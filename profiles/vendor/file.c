#include "profiles/vendor/file.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "profiles/vendor/layout.h"
#include "profiles/vendor/words.h"

#include <stdlib.h>

static const struct {
    enum file_verdict (*header)(struct vendor_file *f);
    enum file_verdict (*next)(struct vendor_file *f, struct vendor_fields *fields);
} layouts[] = {
    [VENDOR_VAROUT] = {varout_header, varout_next},
    [VENDOR_CSV] = {csv_header, csv_next},
    [VENDOR_POSITIONAL] = {positional_header, positional_next},
};

struct vendor_file *file_open(const struct file_options *options,
                              const struct vendor_source *source)
{
    struct vendor_file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->options = options;
    f->lines = lines_open(source, options->digest);
    f->data_digest = options->digest->open();
    if (f->lines == NULL || f->data_digest == NULL) {
        file_close(f);
        return NULL;
    }
    return f;
}

void file_close(struct vendor_file *f)
{
    if (f == NULL)
        return;
    lines_close(f->lines);
    f->options->digest->close(f->data_digest);
    header_wipe(&f->header);
    secret_wipe(f->scratch, sizeof f->scratch);
    free(f);
}

enum file_verdict layout_line(struct vendor_file *f, struct line *line)
{
    const struct lines *l = f->lines;
    switch (lines_next(f->lines, line)) {
    case LINES_OK:
        return FILE_OK;
    case LINES_END:
        return FILE_END;
    case LINES_LONG:
        findings_add(f->findings, IMP_108, l->line_number, "",
                     "line longer than %u octets; not read on", (unsigned)LINE_MAX_LEN);
        return FILE_REFUSED;
    case LINES_LARGE:
        findings_add(f->findings, IMP_108, l->line_number, "",
                     "file larger than %u MiB or %u lines; not read on",
                     (unsigned)(FILE_MAX_SIZE >> 20), LINES_MAX);
        return FILE_REFUSED;
    case LINES_OCTET:
        findings_add(f->findings, IMP_109, l->line_number, "",
                     "NUL, control or non-ASCII octet at offset %llu",
                     (unsigned long long)l->bad_offset);
        return FILE_REFUSED;
    case LINES_UNREADABLE:
        return FILE_UNREADABLE;
    }
    return FILE_UNREADABLE;
}

enum file_verdict layout_record(struct vendor_file *f, const struct line *line)
{
    f->record_count++;
    f->record_line = line->number;
    if (f->findings == NULL) // a second reading: the digest of the whole file is compared
        return FILE_OK;
    bool good = f->options->digest->add(f->data_digest, line->text) &&
                f->options->digest->add(f->data_digest, bytes_of("\n", 1));
    return good ? FILE_OK : FILE_UNREADABLE;
}

void layout_trailer(struct vendor_file *f, const struct line *line, struct bytes text)
{
    struct bytes key;
    struct bytes value;
    bool split = header_split(text, &key, &value);
    bool is_records = split && vendor_text_is(key, "Records");
    bool is_digest = split && vendor_text_is(key, "SHA256-DATA");
    bool good;
    if (is_records) {
        good = !f->trailer.has_records && words_number(value, 0, UINT32_MAX, &f->trailer.records);
        f->trailer.has_records = f->trailer.has_records || good;
    } else if (is_digest) {
        f->trailer.line = line->number;
        good =
            !f->trailer.has_digest && words_hex(value, f->trailer.digest, sizeof f->trailer.digest);
        f->trailer.has_digest = f->trailer.has_digest || good;
    } else if (split) {
        findings_add(f->findings, W_010, line->number, findings_field(key).text,
                     "unknown trailer key");
        good = true;
    } else {
        good = false;
    }
    if (good)
        return;
    if (!line->ended)
        f->is_cut = true;
    else
        findings_add(f->findings, IMP_119, line->number,
                     is_records  ? "Records"
                     : is_digest ? "SHA256-DATA"
                                 : "",
                     "malformed or repeated trailer line");
}

struct start_of_format {
    uint8_t octets[6];
    uint8_t len;
    const char *name;
};

static const struct start_of_format formats[] = {
    {{0x1F, 0x8B}, 2, "gzip; unpack it first"},
    {{'P', 'K', 3, 4}, 4, "ZIP; unpack it first"},
    {{'B', 'Z', 'h'}, 3, "bzip2; unpack it first"},
    {{0xFD, '7', 'z', 'X', 'Z'}, 5, "xz; unpack it first"},
    {{0x28, 0xB5, 0x2F, 0xFD}, 4, "Zstandard; unpack it first"},
    {{'<'}, 1, "XML; convert it to a vendor file first"},
    {{'-', '-', '-', '-', '-'}, 5, "PGP or another armour; unwrap it first"},
    {{0x85}, 1, "PGP; unwrap it first"},
    {{0xFF, 0xFE}, 2, "UTF-16; convert it to ASCII first"},
    {{0xFE, 0xFF}, 2, "UTF-16; convert it to ASCII first"},
};

static bool refuse_foreign(struct vendor_file *f)
{
    struct bytes start = lines_peek(f->lines, 8);
    const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    if (bytes_equal(bytes_slice(start, 0, 3), bytes_of(mark, 3)))
        start = bytes_slice(start, 3, 5);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (bytes_equal(bytes_slice(start, 0, formats[i].len),
                        bytes_of(formats[i].octets, formats[i].len))) {
            findings_add(f->findings, IMP_100, 1, "", "not a vendor file: %s", formats[i].name);
            return true;
        }
    return false;
}

// What has been seen of the marks of each layout.
struct marks {
    bool has_first;
    bool is_positional;
    bool has_names; // first line without # has a column name
    bool has_columns;
    bool is_data;
    bool has_var_out;
    bool has_version;
};

static void look(struct marks *m, struct bytes text)
{
    struct bytes key;
    struct bytes value;
    if (text.len == 0 || m->is_data)
        return;
    if (!m->has_first)
        m->is_positional = positional_is_first(text);
    m->has_first = true;
    if (!m->has_names && text.at[0] != '#') {
        m->has_names = true;
        m->has_columns = csv_is_columns(text);
    }
    m->is_data = vendor_text_is(text, "*DATA");
    if (text.at[0] == '#' || !header_split(text, &key, &value))
        return;
    m->has_var_out = m->has_var_out || vendor_text_is(key, "Var_Out");
    m->has_version = m->has_version || vendor_text_is(key, "File-Version");
}

static enum vendor_layout layout_of(const struct marks *m)
{
    if (m->has_var_out)
        return VENDOR_VAROUT;
    if (m->is_positional)
        return VENDOR_POSITIONAL;
    if (m->has_columns)
        return VENDOR_CSV;
    // A header without Var_Out: better to say what is missing.
    return m->has_version ? VENDOR_VAROUT : VENDOR_LAYOUT_UNKNOWN;
}

static enum file_verdict choose_layout(struct vendor_file *f, const struct marks *m)
{
    f->layout = f->options->layout;
    if (f->layout == VENDOR_LAYOUT_UNKNOWN)
        f->layout = layout_of(m);
    if (f->layout == VENDOR_LAYOUT_UNKNOWN) {
        findings_add(f->findings, IMP_100, 1, "",
                     "layout not recognised; expected varout, csv or positional");
        return FILE_REFUSED;
    }
    if (!f->options->profile->layouts[f->layout]) {
        findings_add(f->findings, IMP_100, 1, "", "the vendor profile does not name layout %s",
                     vendor_layout_name(f->layout));
        return FILE_REFUSED;
    }
    return FILE_OK;
}

enum file_verdict file_recognise(struct vendor_file *f, struct findings *findings)
{
    struct marks marks = {0};
    struct line line;
    enum file_verdict verdict;
    f->findings = findings;
    if (lines_start(f->lines, true) != LINES_OK)
        return FILE_UNREADABLE;
    if (refuse_foreign(f))
        return FILE_REFUSED;
    do {
        verdict = layout_line(f, &line);
        if (verdict == FILE_OK)
            look(&marks, line.text);
    } while (verdict == FILE_OK);
    if (verdict != FILE_END)
        return verdict;
    if (!lines_digest(f->lines, f->sha256))
        return FILE_UNREADABLE;
    if (f->lines->has_mark)
        findings_add(findings, W_001, 1, "", "byte order mark removed");
    if (f->lines->crlf_line != 0)
        findings_add(findings, W_002, f->lines->crlf_line, "", "CRLF line ends read as line feeds");
    return choose_layout(f, &marks);
}

enum file_verdict file_start(struct vendor_file *f, struct findings *findings)
{
    uint8_t unused[CIPHER_SHA256_SIZE];
    check(f->layout != VENDOR_LAYOUT_UNKNOWN);
    header_wipe(&f->header);
    f->header = (struct vendor_header){0};
    f->findings = findings;
    f->column_count = 0;
    f->slot_count = 0;
    f->record_count = 0;
    f->data_line = 0;
    f->record_line = 0;
    f->has_metadata = false;
    f->is_ended = false;
    f->is_cut = false;
    memset(&f->trailer, 0, sizeof f->trailer);
    memset(f->columns, 0, sizeof f->columns);
    if (!f->options->digest->finish(f->data_digest, unused) ||
        lines_start(f->lines, findings == NULL) != LINES_OK)
        return FILE_UNREADABLE;
    uint64_t before = findings != NULL ? findings->by_level[FINDING_FILE] : 0;
    enum file_verdict verdict = layouts[f->layout].header(f);
    if (verdict == FILE_OK)
        verdict = judge_header(f);
    if (verdict == FILE_OK && findings != NULL && findings->by_level[FINDING_FILE] > before)
        return FILE_REFUSED;
    return verdict;
}

enum file_verdict file_next(struct vendor_file *f, struct vendor_fields *fields)
{
    return layouts[f->layout].next(f, fields);
}

static enum file_verdict refuse_cut(struct vendor_file *f)
{
    findings_add(f->findings, IMP_102, f->lines->line_number, "",
                 "truncated: last good record in line %u", f->record_line);
    return FILE_REFUSED;
}

// A CSV may come without trailer, but then somebody has to say how many records there should be.
static enum file_verdict judge_stated(struct vendor_file *f)
{
    const struct file_options *o = f->options;
    findings_add(f->findings, W_030, f->lines->line_number, "",
                 "no trailer: completeness cannot be shown");
    if (o->quantity == 0) {
        findings_add(f->findings, IMP_106, f->lines->line_number, "quantity",
                     "without a trailer the quantity must be stated");
        return FILE_REFUSED;
    }
    if (o->quantity != f->record_count || f->header.quantity != f->record_count) {
        findings_add(f->findings, IMP_105, f->header.line[HEADER_QUANTITY], "Quantity",
                     "Quantity %llu, stated %llu, counted %llu",
                     (unsigned long long)f->header.quantity, (unsigned long long)o->quantity,
                     (unsigned long long)f->record_count);
        return FILE_REFUSED;
    }
    return FILE_OK;
}

static enum file_verdict judge_counts(struct vendor_file *f)
{
    uint64_t records = f->trailer.has_records ? f->trailer.records : f->record_count;
    if (f->header.quantity == f->record_count && records == f->record_count)
        return FILE_OK;
    findings_add(f->findings, IMP_105, f->header.line[HEADER_QUANTITY], "Quantity",
                 "Quantity %llu, Records %llu, counted %llu",
                 (unsigned long long)f->header.quantity, (unsigned long long)records,
                 (unsigned long long)f->record_count);
    return FILE_REFUSED;
}

enum file_verdict file_finish(struct vendor_file *f)
{
    uint8_t digest[CIPHER_SHA256_SIZE];
    const bool is_varout = f->layout == VENDOR_VAROUT;
    const bool has_trailer = f->trailer.has_records || f->trailer.has_digest;
    if (!f->options->digest->finish(f->data_digest, digest))
        return FILE_UNREADABLE;
    if (f->is_cut ||
        (is_varout && (!f->is_ended || !f->trailer.has_records || !f->trailer.has_digest)))
        return refuse_cut(f);
    if (f->layout == VENDOR_CSV && !has_trailer)
        return judge_stated(f);
    enum file_verdict verdict = judge_counts(f);
    if (f->trailer.has_digest && !secret_equal(digest, f->trailer.digest, sizeof digest)) {
        findings_add(f->findings, IMP_103, f->trailer.line, "SHA256-DATA",
                     "the data lines have another digest");
        verdict = FILE_REFUSED;
    }
    return verdict;
}

bool file_is_unchanged(struct vendor_file *f)
{
    uint8_t digest[CIPHER_SHA256_SIZE];
    return lines_digest(f->lines, digest) && secret_equal(digest, f->sha256, sizeof digest);
}

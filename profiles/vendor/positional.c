#include "profiles/vendor/layout.h"
#include "profiles/vendor/words.h"

#include "common/base/text.h"

#include <stdio.h>

// The first line: batch, YYMMDDhhmmss, quantity, product, IMSIs per card, transport key indexes.
enum {
    AT_BATCH,
    AT_PRODUCED,
    AT_QUANTITY,
    AT_PRODUCT,
    AT_IMSIS,
    AT_INDEX_AUC,
    AT_INDEX_OTA,
    NUMBERS,
};

static bool read_numbers(struct bytes line, struct bytes numbers[NUMBERS])
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (!words_next(&line, " ", &numbers[i]) || !text_is_digits(numbers[i]) ||
            numbers[i].len > 20)
            return false;
    return line.len == 0 && numbers[AT_PRODUCED].len == 12;
}

bool positional_is_first(struct bytes line)
{
    struct bytes numbers[NUMBERS];
    return read_numbers(line, numbers);
}

static void read_header(struct vendor_file *f, enum header_id id, struct bytes value, uint32_t line)
{
    header_read(&f->header, bytes_of_text(header_name(id)), value, line, f->findings);
}

static void add_transport(struct vendor_file *f, enum transport_kind kind, struct bytes index,
                          const struct profile_names *names)
{
    struct vendor_transport *t = &f->header.transport[kind];
    uint64_t number;
    if (!words_number(index, 0, 99, &number)) {
        findings_add(f->findings, IMP_119, 1, "index", "malformed value; expected 0 to 99");
        return;
    }
    if (number == 0)
        return;
    *t = (struct vendor_transport){.named = true, .index = (uint8_t)number};
    struct writer list = writer_of(f->header.encrypted, sizeof f->header.encrypted - 1);
    list.len = strlen(f->header.encrypted);
    for (size_t i = 0; i < names->count; i++) {
        text_put(&list, names->at[i]);
        text_put(&list, "=");
        text_decimal(&list, number);
        text_put(&list, " ");
    }
    f->header.encrypted[list.len] = '\0';
    f->header.line[HEADER_ENCRYPTED] = 1;
}

static void read_values(struct vendor_file *f, const struct bytes numbers[NUMBERS],
                        const struct profile_product *product, uint32_t line)
{
    for (size_t i = 0; i < product->header_count; i++)
        header_read(&f->header, bytes_of_text(product->header[i].key),
                    bytes_of_text(product->header[i].value), line, f->findings);
    char produced[17];
    const char *at = (const char *)numbers[AT_PRODUCED].at;
    (void)snprintf(produced, sizeof produced, "20%.6sT%.6sZ", at, at + 6);
    read_header(f, HEADER_PRODUCED, bytes_of_text(produced), line);
    read_header(f, HEADER_BATCH, numbers[AT_BATCH], line);
    read_header(f, HEADER_QUANTITY, numbers[AT_QUANTITY], line);
    add_transport(f, TRANSPORT_AUC, numbers[AT_INDEX_AUC], &product->encrypted_auc);
    add_transport(f, TRANSPORT_OTA, numbers[AT_INDEX_OTA], &product->encrypted_ota);
}

static void add_columns(struct vendor_file *f, const struct profile_product *product,
                        struct bytes imsis, uint32_t line)
{
    uint64_t declared;
    uint64_t named = 0;
    for (size_t i = 0; i < product->record.count; i++)
        columns_add(f, bytes_of_text(product->record.at[i]), line);
    for (size_t i = 0; i < f->column_count; i++)
        named += f->columns[i].meaning.name == VENDOR_IMSI;
    if (!text_read_decimal(imsis, &declared) || declared != named)
        findings_add(f->findings, IMP_119, line, "IMSIs per card",
                     "malformed value; the product has %u", (unsigned)named);
}

enum file_verdict positional_header(struct vendor_file *f)
{
    struct line line;
    struct bytes numbers[NUMBERS];
    enum file_verdict verdict;
    do {
        verdict = layout_line(f, &line);
    } while (verdict == FILE_OK && line.text.len == 0);
    if (verdict == FILE_UNREADABLE)
        return verdict;
    if (verdict != FILE_OK || !read_numbers(line.text, numbers)) {
        findings_add(f->findings, IMP_100, 1, "", "not a positional file; expected seven numbers");
        return FILE_REFUSED;
    }
    f->data_line = line.number;
    const struct profile_product *product =
        profile_product(f->options->profile, numbers[AT_PRODUCT]);
    if (product == NULL) {
        findings_add(f->findings, IMP_118, line.number, "product",
                     "product %s is not in the vendor profile",
                     findings_quote(numbers[AT_PRODUCT]).text);
        return FILE_REFUSED;
    }
    read_values(f, numbers, product, line.number);
    add_columns(f, product, numbers[AT_IMSIS], line.number);
    return FILE_OK;
}

enum file_verdict positional_next(struct vendor_file *f, struct vendor_fields *fields)
{
    for (;;) {
        struct line line;
        struct bytes rest;
        struct bytes field;
        enum file_verdict verdict = layout_line(f, &line);
        f->is_ended = f->is_ended || verdict == FILE_END;
        if (verdict != FILE_OK)
            return verdict;
        if (line.text.len == 0)
            continue;
        if (!line.ended) {
            f->is_cut = true;
            return FILE_END;
        }
        *fields = (struct vendor_fields){.line = line.number, .raw = line.text};
        rest = line.text;
        while (words_next(&rest, " \t", &field))
            layout_field(fields, field);
        return layout_record(f, &line);
    }
}

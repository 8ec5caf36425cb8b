#include "ota-server/service/report_render.h"

#include "common/base/text.h"
#include "ota-server/service/api_csv.h"
#include "ota-server/service/api_json.h"

#include <stdlib.h>

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

// --- JSON --------------------------------------------------------------------------------------

static void put_raw(struct json_writer *j, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (text != NULL) {
        json_put_key(j, name);
        json_put_raw(j, bytes_of_text(text));
    }
    free(text);
}

void report_put_json(struct json_writer *j, const char *id, const json_t *report,
                     struct bytes tables)
{
    static const char *const members[] = {"type",     "from",  "to", "groupId",
                                          "province", "texts", NULL};
    json_begin_object(j);
    api_put_text(j, "id", id);
    for (size_t i = 0; members[i] != NULL; i++) {
        const json_t *value = json_object_get(report, members[i]);
        if (value != NULL)
            put_raw(j, members[i], value);
    }
    json_put_key(j, "tables");
    json_put_raw(j, tables);
    json_end_object(j);
}

// --- CSV ---------------------------------------------------------------------------------------

static void put_csv_line(struct writer *w, const char *table, const json_t *cells)
{
    struct csv c = csv_of(w);
    size_t i;
    const json_t *cell;
    csv_text(&c, table);
    json_array_foreach(cells, i, cell)
    {
        if (json_is_integer(cell))
            csv_number(&c, (uint64_t)json_integer_value(cell));
        else
            csv_text(&c, json_is_string(cell) ? json_string_value(cell) : "");
    }
    csv_end(&c);
}

void report_put_csv(struct writer *w, const json_t *report, const json_t *tables)
{
    const json_t *texts = json_object_get(report, "texts");
    size_t i;
    const json_t *table;
    for (unsigned chapter = 0; chapter < REPORT_CHAPTERS && texts != NULL; chapter++) {
        const char name[] = {(char)('1' + chapter), '\0'};
        struct csv c = csv_of(w);
        if (text_at(texts, name)[0] == '\0')
            continue;
        csv_text(&c, "text");
        csv_text(&c, report_chapters[chapter]);
        csv_text(&c, text_at(texts, name));
        csv_end(&c);
    }
    json_array_foreach(tables, i, table)
    {
        const json_t *rows = json_object_get(table, "rows");
        size_t k;
        const json_t *row;
        put_csv_line(w, text_at(table, "id"), json_object_get(table, "columns"));
        json_array_foreach(rows, k, row) put_csv_line(w, text_at(table, "id"), row);
    }
}

// --- HTML --------------------------------------------------------------------------------------

static void put_escaped(struct writer *w, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) { // octets
        case '&':
            text_put(w, "&amp;");
            break;
        case '<':
            text_put(w, "&lt;");
            break;
        case '>':
            text_put(w, "&gt;");
            break;
        case '"':
            text_put(w, "&quot;");
            break;
        case '\'':
            text_put(w, "&#39;");
            break;
        default:
            writer_u8(w, (uint8_t)*text);
        }
    }
}

static void put_element(struct writer *w, const char *tag, const char *text)
{
    text_put(w, "<");
    text_put(w, tag);
    text_put(w, ">");
    put_escaped(w, text);
    text_put(w, "</");
    text_put(w, tag);
    text_put(w, ">");
}

static void put_html_row(struct writer *w, const char *tag, const json_t *cells)
{
    size_t i;
    const json_t *cell;
    text_put(w, "<tr>");
    json_array_foreach(cells, i, cell)
    {
        if (!json_is_integer(cell)) {
            put_element(w, tag, json_is_string(cell) ? json_string_value(cell) : "");
            continue;
        }
        text_put(w, "<td class=n>");
        text_decimal(w, (uint64_t)json_integer_value(cell));
        text_put(w, "</td>");
    }
    text_put(w, "</tr>\n");
}

static void put_html_table(struct writer *w, const json_t *table)
{
    const json_t *rows = json_object_get(table, "rows");
    const json_int_t omitted = json_integer_value(json_object_get(table, "omitted"));
    size_t i;
    const json_t *row;
    put_element(w, "h3", text_at(table, "title"));
    text_put(w, "<p>");
    put_escaped(w, text_at(table, "source"));
    text_put(w, ", at ");
    put_escaped(w, text_at(table, "madeAt"));
    if (omitted > 0) {
        text_put(w, "; rows left out: ");
        text_decimal(w, (uint64_t)omitted);
    }
    text_put(w, "</p>\n<table>\n");
    put_html_row(w, "th", json_object_get(table, "columns"));
    json_array_foreach(rows, i, row) put_html_row(w, "td", row);
    text_put(w, "</table>\n");
}

// Tables of a chapter; 0: of all.
static void put_html_tables(struct writer *w, const json_t *tables, unsigned chapter)
{
    size_t i;
    const json_t *table;
    json_array_foreach(tables, i, table)
    {
        const json_int_t own = json_integer_value(json_object_get(table, "chapter"));
        if (chapter == 0 || own == (json_int_t)chapter)
            put_html_table(w, table);
    }
}

static void put_html_chapters(struct writer *w, const json_t *report, const json_t *tables)
{
    const json_t *texts = json_object_get(report, "texts");
    for (unsigned chapter = 1; chapter <= REPORT_CHAPTERS; chapter++) {
        const char name[] = {(char)('0' + chapter), '\0'};
        text_put(w, "<h2>");
        text_put(w, name);
        text_put(w, " ");
        put_escaped(w, report_chapters[chapter - 1]);
        text_put(w, "</h2>\n");
        put_element(w, "pre", text_at(texts, name));
        text_put(w, "\n");
        put_html_tables(w, tables, chapter);
    }
}

void report_put_html(struct writer *w, const char *id, const json_t *report, const json_t *tables)
{
    const char *type = text_at(report, "type");
    const json_t *signed_off = json_object_get(report, "signedOff");
    text_put(w, "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>");
    put_escaped(w, type);
    text_put(w, "</title>\n<style>body{font-family:sans-serif;margin:2em}table{border-collapse:"
                "collapse}td,th{border:1px solid #999;padding:.2em .6em;text-align:left}"
                ".n{text-align:right}pre{white-space:pre-wrap}</style></head>\n<body><h1>");
    put_escaped(w, type);
    text_put(w, "</h1>\n<p>");
    put_escaped(w, id);
    text_put(w, ", from ");
    put_escaped(w, text_at(report, "from"));
    text_put(w, " to ");
    put_escaped(w, text_at(report, "to"));
    if (signed_off != NULL) {
        text_put(w, "; signed off at ");
        put_escaped(w, text_at(signed_off, "at"));
        text_put(w, ", SHA-256 ");
        put_escaped(w, text_at(signed_off, "sha256"));
    }
    text_put(w, "</p>\n");
    if (strcmp(type, report_types[REPORT_REGULATOR]) == 0)
        put_html_chapters(w, report, tables);
    else
        put_html_tables(w, tables, 0);
    text_put(w, "</body></html>\n");
}

#include "ota-server/service/api_query.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#define CURSOR_LIFE_MS (60 * 60 * 1000)

static const struct api_problem fine = {.code = API_OK};

static struct api_parameter *find(struct api_query *q, struct bytes name)
{
    for (size_t i = 0; i < q->count; i++) {
        if (bytes_equal(q->items[i].name, name))
            return &q->items[i];
    }
    return NULL;
}

static bool decode(struct bytes text, struct writer *w, struct bytes *out)
{
    const size_t start = w->len;
    if (!api_percent_decode(text, w))
        return false;
    *out = bytes_of(w->at + start, w->len - start);
    return true;
}

struct api_problem api_query_read(struct api_query *q, struct bytes raw)
{
    q->count = 0;
    struct writer w = writer_of(q->decoded, sizeof(q->decoded));
    for (size_t at = 0; at < raw.len;) {
        const struct bytes part = api_until(bytes_slice(raw, at, raw.len), '&');
        at += part.len + 1;
        if (part.len == 0)
            continue;
        struct api_parameter p = {0};
        const struct bytes name = api_until(part, '=');
        if (!decode(name, &w, &p.name) ||
            !decode(bytes_slice(part, name.len + 1, part.len), &w, &p.value))
            return api_problem_text(API_INVALID_ARGUMENT,
                                    "The query is not percent-encoded: write % as %25");
        if (find(q, p.name) != NULL)
            return api_problem_field(API_INVALID_ARGUMENT, p.name, "Parameter given twice");
        if (q->count == API_PARAMETERS_MAX)
            return api_problem_text(API_INVALID_ARGUMENT,
                                    "More than 32 query parameters: leave some out");
        q->items[q->count++] = p;
    }
    return fine;
}

bool api_query_take(struct api_query *q, const char *name, struct bytes *value)
{
    struct api_parameter *p = find(q, bytes_of_text(name));
    if (p == NULL)
        return false;
    p->is_taken = true;
    *value = p->value;
    return true;
}

struct api_problem api_query_end(const struct api_query *q)
{
    for (size_t i = 0; i < q->count; i++) {
        if (!q->items[i].is_taken)
            return api_problem_field(API_INVALID_ARGUMENT, q->items[i].name,
                                     "Unknown query parameter");
    }
    return fine;
}

static struct api_problem bad_value(const char *name, const char *form)
{
    return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(name), form);
}

struct api_problem api_query_bool(struct api_query *q, const char *name, bool *out)
{
    static const char *const names[] = {"false", "true", NULL};
    int value = -1;
    const struct api_problem p = api_query_enum(q, name, names, &value);
    if (p.code == API_OK && value >= 0)
        *out = value == 1;
    return p;
}

struct api_problem api_query_number(struct api_query *q, const char *name, uint64_t *out)
{
    struct bytes value;
    if (api_query_take(q, name, &value) && !text_read_decimal(value, out))
        return bad_value(name, "It must be a whole number");
    return fine;
}

struct api_problem api_query_time(struct api_query *q, const char *name, struct utc *out)
{
    struct bytes value;
    if (api_query_take(q, name, &value) && !api_read_time(value, out))
        return bad_value(name, API_TIME_FORM);
    return fine;
}

struct api_problem api_query_range(struct api_query *q, const char *const names[API_RANGE_ENDS],
                                   struct utc *from, struct utc *to)
{
    for (unsigned i = 0; i < API_RANGE_ENDS; i++) {
        struct bytes value;
        struct utc at;
        if (!api_query_take(q, names[i], &value))
            continue;
        if (!api_read_time(value, &at))
            return bad_value(names[i], API_TIME_FORM);
        api_range_add(from, to, i, at);
    }
    return fine;
}

struct api_problem api_query_enum(struct api_query *q, const char *name, const char *const *names,
                                  int *out)
{
    struct bytes value;
    if (!api_query_take(q, name, &value))
        return fine;
    for (int i = 0; names[i] != NULL; i++) {
        if (bytes_equal(value, bytes_of_text(names[i]))) {
            *out = i;
            return fine;
        }
    }
    return api_problem_enum(bytes_of_text(name), names);
}

// --- pages ---

// Never OUT_OF_RANGE, by the contract.
static struct api_problem bad_page(const char *name, int64_t max)
{
    struct api_problem p = api_problem_range(bytes_of_text(name), 1, max);
    p.code = API_INVALID_ARGUMENT;
    return p;
}

struct api_problem api_page_check(struct api_page *page)
{
    if (page->page == 0)
        return bad_page("page", API_DEPTH_MAX);
    if (page->per_page == 0 || page->per_page > API_PER_PAGE_MAX)
        return bad_page("perPage", API_PER_PAGE_MAX);
    if ((uint64_t)page->page * page->per_page > API_DEPTH_MAX)
        return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("page"),
                                 "Too deep for pages, use the cursor");
    return fine;
}

static struct api_problem read_sort(struct api_query *q, const char *const *fields,
                                    struct api_page *out)
{
    struct bytes value;
    if (!api_query_take(q, "sort", &value))
        return fine;
    if (value.len > 0 && *value.at == '-') {
        out->is_descending = true;
        value = bytes_slice(value, 1, value.len);
    }
    for (int i = 0; fields[i] != NULL; i++) {
        if (bytes_equal(value, bytes_of_text(fields[i]))) {
            out->sort = i;
            return fine;
        }
    }
    return api_problem_enum(bytes_of_text("sort"), fields);
}

struct api_problem api_page_read(struct api_query *q, const char *const *fields, struct utc now,
                                 struct api_page *out)
{
    *out = (struct api_page){.page = 1, .per_page = API_PER_PAGE};
    uint64_t page = 1;
    uint64_t per_page = API_PER_PAGE;
    struct api_problem p = api_query_number(q, "page", &page);
    if (p.code == API_OK)
        p = api_query_number(q, "perPage", &per_page);
    if (p.code != API_OK)
        return p;
    out->page = page > UINT32_MAX ? UINT32_MAX : (uint32_t)page;
    out->per_page = per_page > UINT32_MAX ? UINT32_MAX : (uint32_t)per_page;
    p = api_page_check(out);
    if (p.code == API_OK)
        p = read_sort(q, fields, out);
    if (p.code != API_OK)
        return p;
    struct bytes cursor;
    out->has_cursor = api_query_take(q, "cursor", &cursor);
    if (out->has_cursor && !api_cursor_read(cursor, now, &out->cursor))
        return bad_value("cursor", API_CURSOR_FORM);
    return fine;
}

void api_cursor_write(struct writer *w, uint64_t key, struct utc now)
{
    uint8_t octets[16];
    struct writer o = writer_of(octets, sizeof(octets));
    writer_u64(&o, (uint64_t)now.ms);
    writer_u64(&o, key);
    text_hex(w, writer_bytes(&o));
}

bool api_cursor_read(struct bytes text, struct utc now, uint64_t *key)
{
    uint8_t octets[16];
    struct writer o = writer_of(octets, sizeof(octets));
    if (!text_unhex(text, &o) || o.len != sizeof(octets))
        return false;
    struct reader r = reader_of(writer_bytes(&o));
    const int64_t made_ms = (int64_t)reader_u64(&r);
    *key = reader_u64(&r);
    return made_ms <= now.ms && made_ms >= 0 && now.ms - made_ms <= CURSOR_LIFE_MS;
}

uint64_t api_total_pages(const struct api_total *total, const struct api_page *page)
{
    return (total->count + page->per_page - 1) / page->per_page;
}

// The query with `page` in place of what it says about page and cursor.
static void put_link(struct writer *w, struct bytes url, struct bytes raw, uint64_t page)
{
    text_put(w, "<");
    writer_copy(w, url);
    text_put(w, "?");
    for (size_t at = 0; at < raw.len;) {
        const struct bytes part = api_until(bytes_slice(raw, at, raw.len), '&');
        at += part.len + 1;
        const struct bytes name = api_until(part, '=');
        if (part.len == 0 || bytes_equal(name, bytes_of_text("page")) ||
            bytes_equal(name, bytes_of_text("cursor")))
            continue;
        writer_copy(w, part);
        text_put(w, "&");
    }
    text_put(w, "page=");
    text_decimal(w, page);
    text_put(w, ">; rel=");
}

void api_page_headers(struct writer *headers, struct bytes url, struct bytes raw,
                      const struct api_page *page, const struct api_total *total)
{
    const uint64_t pages = api_total_pages(total, page);
    text_put(headers, "X-Total-Count: ");
    text_decimal(headers, total->count);
    text_put(headers, "\nX-Total-Pages: ");
    text_decimal(headers, pages);
    text_put(headers, "\n");
    if (page->has_cursor)
        return; // a list that goes by cursor has no page numbers
    text_put(headers, "Link: ");
    if (page->page < pages) {
        put_link(headers, url, raw, page->page + 1);
        text_put(headers, "\"next\", ");
    }
    if (page->page > 1) {
        put_link(headers, url, raw, page->page - 1);
        text_put(headers, "\"prev\", ");
    }
    put_link(headers, url, raw, 1);
    text_put(headers, "\"first\", ");
    put_link(headers, url, raw, pages == 0 ? 1 : pages);
    text_put(headers, "\"last\"\n");
}

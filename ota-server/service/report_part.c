#include "ota-server/service/report_part.h"

#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_json.h"

#include <stdlib.h>

// --- tables, rows, cells -----------------------------------------------------------------------

void report_open(struct report_work *r, const struct report_heading *h, struct utc now)
{
    struct json_writer *j = &r->j;
    json_begin_object(j);
    api_put_number(j, "chapter", h->chapter);
    api_put_text(j, "id", h->id);
    api_put_text(j, "title", h->title);
    api_put_text(j, "source", h->source);
    api_put_time(j, "madeAt", now);
    api_open_array(j, "columns");
    for (size_t i = 0; h->columns[i] != NULL; i++)
        json_put_string(j, h->columns[i]);
    json_end_array(j);
    api_open_array(j, "rows");
    r->is_open = true;
    r->rows = 0;
    r->omitted = 0;
    r->rows_max = REPORT_ROWS_MAX;
}

void report_close(struct report_work *r)
{
    json_end_array(&r->j);
    api_put_number(&r->j, "omitted", r->omitted);
    json_end_object(&r->j);
    r->is_open = false;
}

// False: it is one that is left out.
bool report_row(struct report_work *r)
{
    if (r->rows == r->rows_max || r->w.len > REPORT_CONTENT_MAX - REPORT_CONTENT_MAX / 8) {
        r->omitted++;
        return false;
    }
    r->rows++;
    json_begin_array(&r->j);
    return true;
}

void report_last_row(struct report_work *r)
{
    r->rows++;
    json_begin_array(&r->j);
}

void report_row_end(struct report_work *r)
{
    json_end_array(&r->j);
}

void report_text(struct report_work *r, const char *text)
{
    json_put_string(&r->j, text);
}

void report_number(struct report_work *r, uint64_t number)
{
    json_put_unsigned(&r->j, number);
}

void report_id(struct report_work *r, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE] = "";
    if (id != 0)
        api_id_write(text, prefix, id);
    report_text(r, text);
}

void report_time(struct report_work *r, struct utc at)
{
    char text[UTC_TEXT_SIZE] = "";
    if (at.ms != 0)
        utc_format(at, text);
    report_text(r, text);
}

bool report_has(const struct report_work *r, uint64_t group)
{
    for (size_t i = 0; i < r->group_count; i++) {
        if (r->groups[i] == group)
            return true;
    }
    return !r->is_limited;
}

// --- documents, a page at a time ---------------------------------------------------------------

static bool note_document(void *context, const struct document *d)
{
    struct report_page *p = context;
    json_t *root = NULL;
    p->seen++;
    p->last = d->id;
    if (p->reach != 0 && d->owner != p->reach)
        return true;
    struct report_note *n = &p->notes[p->count++];
    *n = (struct report_note){.id = d->id,
                              .owner = d->owner,
                              .parent = d->parent,
                              .state = d->state,
                              .created_at = d->created_at};
    if (p->read != NULL) {
        p->count -= !p->read(d, n);
    } else if (json_read(d->body, &root) == JSON_READ_OK) {
        for (size_t i = 0; p->texts != NULL && p->texts[i] != NULL; i++) {
            const char *text = json_string_value(json_object_get(root, p->texts[i]));
            struct writer w = writer_of(n->texts[i], sizeof(n->texts[i]));
            text_put(&w, text != NULL ? text : "");
            text_end(&w);
        }
        for (size_t i = 0; p->numbers != NULL && p->numbers[i] != NULL; i++)
            n->numbers[i] = (uint64_t)json_integer_value(json_object_get(root, p->numbers[i]));
        json_decref(root);
    }
    return true;
}

// Those of others are passed over here: among many of them the store would look for long.
enum store_status report_read(struct report_work *r, struct store *s, const char *kind,
                              uint32_t limit, struct report_page *p, bool *is_last)
{
    const struct document_filter filter = {.kind = kind, .state = -1, .after = r->after};
    const struct store_page page = {.limit = limit};
    p->count = 0;
    p->seen = 0;
    p->reach = r->order.reach;
    const enum store_status status = store_documents(s, &filter, &page, note_document, p, NULL);
    *is_last = p->seen < limit;
    if (p->seen > 0)
        r->after = p->last;
    return status;
}

struct report_page *report_page_new(const char *const *texts, const char *const *numbers,
                                    enum store_status *status)
{
    struct report_page *p = calloc(1, sizeof(*p));
    if (p == NULL)
        *status = STORE_BUSY;
    else
        *p = (struct report_page){.texts = texts, .numbers = numbers};
    return p;
}

bool report_covers(const struct report_work *r, struct utc at)
{
    return at.ms >= r->order.from.ms && at.ms < r->order.to.ms;
}

bool report_list(struct report_work *r, struct store *s, struct utc now, enum store_status *status,
                 const struct report_listing *l)
{
    bool is_last = true;
    struct report_page *p = report_page_new(l->texts, l->numbers, status);
    if (p == NULL)
        return false;
    if (!r->is_open)
        report_open(r, &l->heading, now);
    *status = report_read(r, s, l->kind, l->limit, p, &is_last);
    for (size_t i = 0; i < p->count && *status == STORE_OK; i++)
        *status = l->put(r, s, &p->notes[i]);
    free(p);
    if (is_last && l->put_last != NULL && *status == STORE_OK)
        l->put_last(r);
    if (is_last)
        report_close(r);
    return is_last;
}

const char *const report_group_texts[] = {"name", "applicationField", "province", NULL};

enum store_status report_add_group(struct store *s, uint64_t group, uint64_t counts[CARD_STATES])
{
    uint64_t own[CARD_STATES];
    const enum store_status status = store_group_states(s, group, own);
    for (size_t i = 0; i < CARD_STATES && status == STORE_OK; i++)
        counts[i] += own[i];
    return status;
}

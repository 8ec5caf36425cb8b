#include "ota-server/service/api_upload.h"

#include "common/base/text.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_iccid.h"

#include <stdio.h>
#include <stdlib.h>

#define KEPT_MAX 50     // of one enterprise
#define AT_ONCE 4       // of which each may hold 8 MiB
#define LINES_MAX 256   // that one turn looks up: some ten milliseconds
#define PARTS_A_TURN 4  // of 16 KiB
#define SWEPT_A_TURN 64 // one a second: they go faster than they can come
#define LINE_SIZE 1024
#define CELL_SIZE 64
#define COLUMNS_MAX 64

// --- what others take of it --------------------------------------------------------------------

static void put_end(struct api_exchange *x, const struct document *d)
{
    api_put_time(&x->json, "expiresAt", utc_after(d->created_at, UPLOAD_LIFE_MS));
}

const struct api_kind api_uploads = {
    .kind = UPLOAD_KIND, .prefix = "upl", .path = "/uploads", .more = put_end};

struct taking {
    uint64_t upload;
    struct upload_part *part;
};

static bool take_part(void *context, const struct document *d)
{
    const struct taking *t = context;
    struct reader r = reader_of(d->body);
    if (d->parent != t->upload)
        return false;
    t->part->id = d->id;
    while (r.left >= 8 && t->part->count < UPLOAD_PART_CARDS)
        t->part->cards[t->part->count++] = reader_u64(&r);
    return false;
}

// An upload's parts have the ids that follow its own.
static enum store_status next_part(struct store *s, uint64_t upload, uint64_t after,
                                   struct upload_part *out)
{
    const struct document_filter filter = {
        .kind = UPLOAD_PART_KIND, .state = -1, .after = after != 0 ? after : upload};
    const struct store_page page = {.limit = 1};
    struct taking t = {upload, out};
    out->id = 0;
    out->count = 0;
    return store_documents(s, &filter, &page, take_part, &t, NULL);
}

static bool take_id(void *context, const struct document *d)
{
    *(uint64_t *)context = d->id;
    return false;
}

enum store_status upload_part(struct store *s, uint64_t upload, uint64_t after,
                              struct upload_part *out)
{
    uint64_t id = 0;
    const enum store_status status = store_document_get(s, UPLOAD_KIND, upload, take_id, &id);
    return status == STORE_OK ? next_part(s, upload, after, out) : status;
}

enum store_status upload_card(struct api_exchange *x, const char *text, bool is_iccid,
                              uint64_t *card)
{
    struct record *record = calloc(1, sizeof(*record));
    if (record == NULL)
        return STORE_FAILED;
    enum store_status status = STORE_NONE;
    if (is_iccid)
        status = api_iccid_card(x->reader, text, card);
    else if (api_id_read(bytes_of_text(text), "crd", card))
        status = STORE_OK;
    if (status == STORE_OK)
        status = store_card_load(x->reader, *card, record);
    if (status == STORE_OK) {
        const enum api_access access = api_access_to(x, record, 0);
        if (access == API_ACCESS_UNKNOWN)
            status = STORE_FAILED;
        else if (access == API_ACCESS_NONE)
            status = STORE_NONE;
    }
    free(record);
    return status;
}

// --- reading -----------------------------------------------------------------------------------

struct upload_work {
    struct api_object object; // first: as api_document_apply() wants it
    FILE *file;
    struct api_problem problem;
    uint64_t line;
    unsigned column; // in which the cards stand
    bool has_begun, is_ended;
    uint64_t *cards;
    size_t count, room;
    uint64_t part; // the id of the next one
    size_t kept;   // cards
    char text[LINE_SIZE];
};

static void close_upload(void *work)
{
    struct upload_work *w = work;
    if (w->file != NULL)
        (void)fclose(w->file);
    free(w->cards);
}

// Cell `index` of a line, without blanks and quotes around it; false: the line ends before.
static bool read_cell(const char *line, unsigned index, char cell[CELL_SIZE])
{
    for (; index > 0; index--) {
        line = strpbrk(line, ",;");
        if (line == NULL)
            return false;
        line++;
    }
    line += strspn(line, " \t\"");
    size_t len = strcspn(line, ",;\"");
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    if (len >= CELL_SIZE)
        len = CELL_SIZE - 1; // longer than whatever names a card
    memcpy(cell, line, len);
    cell[len] = '\0';
    return true;
}

// A first line that names its columns says in which one the cards stand.
static bool read_names(struct upload_work *w)
{
    char cell[CELL_SIZE];
    for (unsigned i = 0; i < COLUMNS_MAX && read_cell(w->text, i, cell); i++) {
        if (strcmp(cell, "iccid") != 0 && strcmp(cell, "cardId") != 0)
            continue;
        w->column = i;
        return true;
    }
    return false;
}

static void fail_line(struct upload_work *w, enum api_code code, const char *what)
{
    char text[96];
    struct writer t = writer_of(text, sizeof(text));
    text_put(&t, what);
    text_put(&t, ": line ");
    text_decimal(&t, w->line);
    w->problem = api_problem_text(code, text_end(&t));
}

static bool keep_card(struct upload_work *w, uint64_t card)
{
    if (w->count == w->room) {
        const size_t room = w->room == 0 ? UPLOAD_PART_CARDS : w->room * 2;
        uint64_t *more = realloc(w->cards, room * sizeof(*more));
        if (more == NULL) {
            w->problem = api_problem_of(API_UNAVAILABLE);
            return false;
        }
        w->cards = more;
        w->room = room;
    }
    w->cards[w->count++] = card;
    return true;
}

// The next line without its end; false at the end of the file, or with a problem.
static bool next_line(struct upload_work *w)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (fgets(w->text, sizeof(w->text), w->file) == NULL) {
        w->is_ended = true;
        if (ferror(w->file) != 0)
            w->problem = api_problem_of(API_UNAVAILABLE);
        return false;
    }
    w->line++;
    const size_t len = strlen(w->text);
    if (len + 1 == sizeof(w->text)) {
        fail_line(w, API_INVALID_ARGUMENT, "It may have 1020 octets");
        return false;
    }
    w->text[strcspn(w->text, "\r\n")] = '\0';
    if (w->line == 1 && strncmp(w->text, mark, strlen(mark)) == 0)
        memmove(w->text, w->text + strlen(mark), len + 1 - strlen(mark));
    return true;
}

// Identifiers stand in no answer: a line is told by its number.
static bool read_line(struct api_exchange *x, struct upload_work *w)
{
    char cell[CELL_SIZE];
    uint64_t card = 0;
    if (!next_line(w))
        return false;
    const bool is_first = !w->has_begun;
    w->has_begun = w->has_begun || w->text[0] != '\0';
    if (w->text[0] == '\0' || (is_first && read_names(w)))
        return true;
    enum store_status status = STORE_NONE;
    if (read_cell(w->text, w->column, cell))
        status = upload_card(x, cell, strncmp(cell, "crd_", 4) != 0, &card);
    if (status == STORE_NONE)
        fail_line(w, API_NOT_FOUND, "No such card");
    else if (status != STORE_OK)
        w->problem = api_problem_of(API_UNAVAILABLE);
    else if (w->count == UPLOAD_CARDS_MAX)
        fail_line(w, API_INVALID_ARGUMENT, "More than 1,000,000 cards");
    else
        return keep_card(w, card);
    return false;
}

static enum store_status read_some(void *context, struct store *store, struct utc now)
{
    struct api_exchange *x = context;
    struct upload_work *w = x->work;
    (void)store;
    (void)now;
    for (unsigned i = 0; i < LINES_MAX && read_line(x, w); i++) {
    }
    return STORE_OK;
}

// --- keeping -----------------------------------------------------------------------------------

// Parts come before their upload: nobody sees them without it.
static enum store_status keep_some(void *context, struct store *store, struct utc now)
{
    const struct api_exchange *x = context;
    const struct upload_work *w = x->work;
    uint8_t body[UPLOAD_PART_CARDS * 8];
    enum store_status status = STORE_OK;
    size_t at = w->kept;
    for (unsigned i = 0; i < PARTS_A_TURN && at < w->count && status == STORE_OK; i++) {
        struct writer out = writer_of(body, sizeof(body));
        for (; at < w->count && out.len < sizeof(body); at++)
            writer_u64(&out, w->cards[at]);
        const struct document d = {.kind = UPLOAD_PART_KIND,
                                   .id = w->part + i,
                                   .owner = w->object.document.owner,
                                   .parent = x->object_id,
                                   .created_at = now,
                                   .changed_at = now,
                                   .body = writer_bytes(&out)};
        status = store_document_put(store, &d);
    }
    return status;
}

static void reply_upload(struct api_exchange *x)
{
    uint64_t version = 0;
    if (!api_document_put(x, &api_uploads, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    api_location(x, api_uploads.path, api_uploads.prefix, x->object_id);
    api_etag(x, version);
    api_reply(x, 201);
}

static void keep_on(struct api_exchange *x);

static void kept(void *context, enum store_status status)
{
    struct api_exchange *x = context;
    struct upload_work *w = x->work;
    api_start_answer(x);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    w->part += PARTS_A_TURN;
    w->kept += PARTS_A_TURN * UPLOAD_PART_CARDS;
    keep_on(x);
}

static void keep_on(struct api_exchange *x)
{
    const struct upload_work *w = x->work;
    if (w->kept >= w->count || x->is_dry_run)
        api_commit(x, api_document_apply, reply_upload);
    else if (!turn_write(x->api->options.turn, keep_some, kept, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

// The ids are taken together, so that nobody's parts stand between it and its own.
static void end_reading(struct api_exchange *x, struct upload_work *w)
{
    json_t *root = json_pack("{sI}", "lines", (json_int_t)w->count);
    const uint64_t parts = (w->count + UPLOAD_PART_CARDS - 1) / UPLOAD_PART_CARDS;
    x->object_id = turn_ids(x->api->options.turn, x->now.utc, 1 + parts);
    w->part = x->object_id + 1;
    w->object.document =
        (struct document){.kind = UPLOAD_KIND, .id = x->object_id, .owner = x->tenant};
    if (api_document_fill(x, &w->object, root))
        keep_on(x);
    json_decref(root);
}

static void read_on(void *context, enum store_status status)
{
    struct api_exchange *x = context;
    struct upload_work *w = x->work;
    api_start_answer(x);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    else if (w->problem.code != API_OK)
        api_refuse(x, w->problem);
    else if (w->is_ended && w->count == 0)
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "There is no card in the file: write a line for each"));
    else if (w->is_ended)
        end_reading(x, w);
    else if (!turn_write(x->api->options.turn, read_some, read_on, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

// A small file may stand in memory.
static FILE *open_file(const struct api_exchange *x)
{
    const struct bytes body = x->request->body;
    if (x->request->upload != NULL)
        return fopen(x->request->upload, "rb");
    FILE *file = tmpfile();
    if (file == NULL || body.len == 0 ||
        (fwrite(body.at, 1, body.len, file) == body.len && fseek(file, 0, SEEK_SET) == 0))
        return file;
    (void)fclose(file);
    return NULL;
}

// One of an enterprise is read at a time, so that nobody takes the places of all.
static bool are_too_many(const struct api_exchange *x)
{
    unsigned count = 0;
    bool has_own = false;
    for (const struct api_exchange *e = x->api->in_work; e != NULL; e = e->next) {
        const bool is_read = e != x && e->route == x->route && e->work != NULL;
        count += is_read;
        has_own = has_own || (is_read && e->tenant == x->tenant);
    }
    return has_own || count >= AT_ONCE;
}

// None comes to them before this one has ended.
static enum store_status count_kept(const struct api_exchange *x, uint64_t *count)
{
    const struct document_filter filter = {.kind = UPLOAD_KIND, .owner = x->tenant, .state = -1};
    const struct store_page page = {.limit = 0};
    return store_documents(x->reader, &filter, &page, NULL, NULL, count);
}

void api_uploads_post(struct api_exchange *x)
{
    struct upload_work *w = calloc(1, sizeof(*w));
    uint64_t count = 0;
    x->work = w;
    if (w == NULL || are_too_many(x) || count_kept(x, &count) != STORE_OK) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    x->close_work = close_upload;
    if (!api_end_reading(x))
        return;
    if (count >= KEPT_MAX) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "50 uploads are kept: delete one that is not needed"));
        return;
    }
    w->file = open_file(x);
    if (w->file == NULL || !turn_write(x->api->options.turn, read_some, read_on, x))
        api_refuse_code(x, API_UNAVAILABLE);
}

// --- the rest ----------------------------------------------------------------------------------

void api_uploads_list(struct api_exchange *x)
{
    api_documents_list(x, &api_uploads, 0);
}

void api_upload_get(struct api_exchange *x)
{
    api_document_show(x, &api_uploads);
}

// There may be many: they go some at a time, when it is gone.
static enum store_status leave_parts(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct document d = {.kind = UPLOAD_GONE_KIND,
                               .id = x->object_id,
                               .owner = x->tenant,
                               .created_at = now,
                               .changed_at = now,
                               .body = bytes_of_text("{}")};
    return store_document_put(store, &d);
}

static enum store_status find_gone(struct store *s, uint64_t *gone)
{
    const struct document_filter filter = {.kind = UPLOAD_GONE_KIND, .state = -1};
    const struct store_page page = {.limit = 1};
    *gone = 0;
    return store_documents(s, &filter, &page, take_id, gone, NULL);
}

static enum store_status sweep_gone(void *context, struct store *store, struct utc now)
{
    struct upload_part *part = malloc(sizeof(*part));
    enum store_status status = part == NULL ? STORE_BUSY : STORE_OK;
    uint64_t gone = 0;
    (void)context;
    (void)now;
    for (unsigned i = 0; i < SWEPT_A_TURN && status == STORE_OK; i++) {
        status = find_gone(store, &gone);
        if (status != STORE_OK || gone == 0)
            break;
        status = next_part(store, gone, 0, part);
        if (status == STORE_OK)
            status = part->id != 0 ? store_document_delete(store, UPLOAD_PART_KIND, part->id)
                                   : store_document_delete(store, UPLOAD_GONE_KIND, gone);
    }
    free(part);
    return status;
}

void uploads_tick(const struct api *api)
{
    uint64_t gone = 0;
    if (find_gone(api->options.reader, &gone) == STORE_OK && gone != 0 &&
        !turn_write(api->options.turn, sweep_gone, NULL, NULL))
        return; // a second later
}

void api_upload_delete(struct api_exchange *x)
{
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x))
        return;
    const struct api_object *object = api_document_load(x, &api_uploads);
    if (object != NULL && api_if_match(x, object->document.version))
        api_document_remove(x, &api_uploads, leave_parts);
}

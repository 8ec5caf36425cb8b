#include "ota-server/shell/otactl_task.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 256
#define LIMIT_DEFAULT 1000
#define PAGE_MAX 100

const char *ctl_task_name(const struct ctl_task *t, char name[64])
{
    snprintf(name, 64, "%s%s%s", t->verb->noun, t->verb->verb != NULL ? " " : "",
             t->verb->verb != NULL ? t->verb->verb : "");
    return name;
}

enum ctl_exit ctl_wrong(const struct ctl_task *t, const char *what, const char *value)
{
    char name[64];
    fprintf(stderr, "otactl: %s: %s", ctl_task_name(t, name), what);
    if (value != NULL) {
        fputs(": ", stderr);
        ctl_put_clean(stderr, value);
    }
    fprintf(stderr, "\n  do: otactl %s --help\n", name);
    return CTL_WRONG_USE;
}

bool ctl_is_id(const char *text, const char *prefix)
{
    const size_t len = strlen(prefix);
    if (strncmp(text, prefix, len) != 0 || text[len] != '_' || strlen(text) >= CTL_ID_SIZE)
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (!api_is_unreserved((uint8_t)*c) || *c == '.')
            return false;
    }
    return true;
}

enum ctl_exit ctl_ask(struct ctl_task *t, struct ctl_request *r, struct ctl_answer *a)
{
    char name[64];
    *a = (struct ctl_answer){0};
    if (*t->client == NULL) {
        const enum ctl_exit exit = ctl_client_open(t->client, !r->is_unsigned);
        if (exit != CTL_DONE)
            return exit;
    }
    const bool changes = strcmp(r->method, "GET") != 0 && !r->is_reading;
    if (changes && ctl_is_dry_run(t))
        ctl_request_query(r, "dryRun", "true");
    if (changes)
        r->idempotency_key = t->option[OPTION_KEY];
    const enum ctl_exit exit = ctl_call(*t->client, r, ctl_task_name(t, name), a);
    if (exit != CTL_DONE && a->json != NULL)
        ctl_print_json(t, a);
    return exit;
}

// --- output ---

void ctl_print_json(struct ctl_task *t, const struct ctl_answer *a)
{
    if (!ctl_has(t, OPTION_JSON) || a->text == NULL)
        return;
    if (t->is_many)
        fputs(t->document_count == 0 ? "[" : ",\n", stdout);
    t->document_count++;
    fputs(a->text, stdout);
    if (!t->is_many)
        fputs("\n", stdout);
}

void ctl_print_object(struct ctl_task *t, const struct ctl_answer *a)
{
    ctl_print_json(t, a);
    if (!ctl_has(t, OPTION_JSON) && !ctl_has(t, OPTION_QUIET) && a->json != NULL)
        ctl_object_print(a->json);
}

void ctl_print_result(const struct ctl_task *t, const char *text)
{
    if (ctl_has(t, OPTION_JSON))
        return;
    ctl_put_clean(stdout, text);
    fputs("\n", stdout);
}

bool ctl_is_dry_run(const struct ctl_task *t)
{
    return ctl_has(t, OPTION_DRY_RUN);
}

void ctl_print_dry_run(struct ctl_task *t, const struct ctl_answer *a)
{
    ctl_print_object(t, a);
    ctl_print_result(t, "dry run: it would be accepted");
}

// --- ids ---

static enum ctl_exit for_one(struct ctl_task *t, const char *prefix, const char *id,
                             enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    if (ctl_is_id(id, prefix))
        return one(t, id);
    char expected[64];
    snprintf(expected, sizeof(expected), "expected an id like %s_01JZ8Q4M7Y2K9T3W5X6A7B8C9D",
             prefix);
    return ctl_wrong(t, expected, id);
}

static void for_lines(struct ctl_task *t, const char *prefix,
                      enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    char line[LINE_MAX_LEN];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        // The id is the first word: the output of another command may follow it.
        char *id = line + strspn(line, " \t\r\n");
        id[strcspn(id, " \t\r\n")] = '\0';
        if (*id != '\0')
            ctl_tally_add(&t->tally, for_one(t, prefix, id, one));
    }
}

static enum ctl_exit end_many(struct ctl_task *t)
{
    if (t->is_many && ctl_has(t, OPTION_JSON))
        fputs(t->document_count == 0 ? "[]\n" : "]\n", stdout);
    return ctl_tally_exit(&t->tally);
}

static enum ctl_exit each(struct ctl_task *t, size_t count, const char *prefix,
                          enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    t->is_many = count > 1 || (count == 1 && strcmp(t->args[0], "-") == 0);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(t->args[i], "-") == 0)
            for_lines(t, prefix, one);
        else
            ctl_tally_add(&t->tally, for_one(t, prefix, t->args[i], one));
    }
    return end_many(t);
}

enum ctl_exit ctl_each_id(struct ctl_task *t, const char *prefix,
                          enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    return each(t, t->arg_count > 0 ? 1 : 0, prefix, one);
}

enum ctl_exit ctl_each_of_ids(struct ctl_task *t, const char *prefix,
                              enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    return each(t, t->arg_count, prefix, one);
}

static const struct {
    enum ctl_option option;
    const char *member;
} card_names[] = {{OPTION_ICCID, "iccid"},
                  {OPTION_IMSI, "imsi"},
                  {OPTION_MSISDN, "msisdn"},
                  {OPTION_EID, "eid"},
                  {OPTION_IMEI, "imei"}};

bool ctl_names_card(const struct ctl_task *t)
{
    for (size_t i = 0; i < sizeof(card_names) / sizeof(card_names[0]); i++) {
        if (ctl_has(t, card_names[i].option))
            return true;
    }
    return false;
}

// The id of the only thing that a search finds.
static enum ctl_exit find_one(struct ctl_task *t, const char *path, const char *member,
                              const char *value, char id[CTL_ID_SIZE])
{
    uint8_t text[512];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    struct ctl_answer a;
    json_begin_object(&j);
    json_put_key(&j, member);
    json_put_string(&j, value);
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "too long", value);
    ctl_request_init(&r, "POST", path);
    ctl_request_json(&r, writer_bytes(&w));
    r.is_reading = true;
    enum ctl_exit exit = ctl_ask(t, &r, &a);
    const json_t *items = json_object_get(a.json, "items");
    if (exit == CTL_DONE && json_array_size(items) == 0) {
        fprintf(stderr,
                "otactl: nothing has this %s\n  do: check the digits; otactl card search "
                "finds parts of them\n",
                member);
        exit = CTL_NOT_FOUND;
    } else if (exit == CTL_DONE && json_array_size(items) > 1) {
        exit = ctl_wrong(t, "several have it: name one by its id", member);
    } else if (exit == CTL_DONE) {
        snprintf(id, CTL_ID_SIZE, "%s", ctl_string_at(json_array_get(items, 0), "id"));
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit ctl_each_card(struct ctl_task *t,
                            enum ctl_exit (*one)(struct ctl_task *t, const char *id))
{
    char id[CTL_ID_SIZE] = "";
    for (size_t i = 0; i < sizeof(card_names) / sizeof(card_names[0]); i++) {
        const char *value = t->option[card_names[i].option];
        if (value == NULL)
            continue;
        if (id[0] != '\0')
            return ctl_wrong(t, "name the card once", NULL);
        const enum ctl_exit exit = find_one(t, "/cards/search", card_names[i].member, value, id);
        if (exit != CTL_DONE)
            return exit;
    }
    if (id[0] != '\0')
        return for_one(t, "crd", id, one);
    if (t->arg_count == 0)
        return ctl_wrong(
            t, "name a card by its id, \"-\", --iccid, --imsi, --msisdn, --eid or --imei", NULL);
    // A verb whose further arguments are something else takes one card.
    if (t->verb->arguments_max == UINT32_MAX && strstr(t->verb->arguments, "CARD...") != NULL)
        return ctl_each_of_ids(t, "crd", one);
    return ctl_each_id(t, "crd", one);
}

enum ctl_exit ctl_subscription_of(struct ctl_task *t, char id[CTL_ID_SIZE])
{
    const char *given = t->option[OPTION_SUBSCRIPTION];
    const unsigned count = ctl_has(t, OPTION_SUBSCRIPTION) + ctl_has(t, OPTION_SUB_ICCID) +
                           ctl_has(t, OPTION_SUB_IMSI);
    if (count != 1)
        return ctl_wrong(t, "name one subscription: --subscription, --sub-iccid or --sub-imsi",
                         NULL);
    if (given == NULL) {
        const bool by_iccid = ctl_has(t, OPTION_SUB_ICCID);
        return find_one(t, "/subscriptions/search", by_iccid ? "iccid" : "imsi",
                        t->option[by_iccid ? OPTION_SUB_ICCID : OPTION_SUB_IMSI], id);
    }
    if (!ctl_is_id(given, "sub"))
        return ctl_wrong(t, "expected an id like sub_01JZ8Q4M7Y2K9T3W5X6A7B8C9D", given);
    snprintf(id, CTL_ID_SIZE, "%s", given);
    return CTL_DONE;
}

// --- lists ---

struct pages {
    struct ctl_task *t;
    const struct ctl_listing *l;
    uint64_t limit;
    json_t *items; // of all pages; NULL when the only page is enough
    unsigned page;
    char cursor[256];
    json_int_t total;
    bool is_estimate;
};

bool ctl_read_secret(const char *path, char *text, size_t size, size_t *len)
{
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    *len = 0;
    if (fd < 0) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool is_right = false;
    if (fstat(fd, &s) != 0 || (s.st_mode & (S_IRWXG | S_IRWXO)) != 0 || s.st_uid != geteuid()) {
        fprintf(stderr, "otactl: %s can be read by others\n  do: chmod 600 %s\n", path, path);
    } else {
        const ssize_t count = read(fd, text, size);
        *len = count > 0 ? (size_t)count : 0;
        is_right = *len < size;
        if (!is_right)
            fprintf(stderr, "otactl: %s has more than %zu octets\n", path, size - 1);
        while (*len > 0 && (text[*len - 1] == '\n' || text[*len - 1] == '\r'))
            (*len)--;
    }
    close(fd);
    return is_right;
}

void ctl_put_query(const struct ctl_task *t, struct ctl_request *r)
{
    for (size_t i = 0; i < CTL_OPTION_COUNT; i++) {
        const char *parameter = ctl_option_parameter((enum ctl_option)i);
        if (parameter == NULL || t->option[i] == NULL)
            continue;
        ctl_request_query(r, parameter, *t->option[i] == '\0' ? "true" : t->option[i]);
    }
}

static void put_page(const struct pages *p, const char *per_page, struct ctl_request *r)
{
    char number[24];
    if ((p->t->verb->groups & TAKES_LIST) != 0)
        ctl_put_query(p->t, r);
    if (p->l->sort != NULL && !ctl_has(p->t, OPTION_SORT))
        ctl_request_query(r, "sort", p->l->sort);
    if (p->cursor[0] != '\0') {
        ctl_request_query(r, "cursor", p->cursor);
    } else if (p->page > 1) {
        snprintf(number, sizeof(number), "%u", p->page);
        ctl_request_query(r, "page", number);
    }
    ctl_request_query(r, "perPage", per_page);
}

// The body of a search, with the page unless that is in the query.
static void put_search(const struct pages *p, uint64_t per_page, struct writer *w)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    text_put(w, p->l->search);
    if (p->l->has_page_in_query) {
        text_put(w, "}");
        return;
    }
    text_put(w, ",");
    if (p->cursor[0] != '\0') {
        json_put_key(&j, "cursor");
        json_put_string(&j, p->cursor);
    } else {
        json_put_key(&j, "page");
        json_put_unsigned(&j, p->page);
    }
    json_put_key(&j, "perPage");
    json_put_unsigned(&j, per_page);
    json_end_object(&j);
}

static enum ctl_exit ask_page(struct pages *p, struct ctl_answer *a)
{
    struct ctl_request r;
    uint8_t body[1024];
    char number[24];
    struct writer w = writer_of(body, sizeof(body));
    *a = (struct ctl_answer){0};
    const uint64_t per_page = p->limit != 0 && p->limit < PAGE_MAX ? p->limit : PAGE_MAX;
    snprintf(number, sizeof(number), "%llu", (unsigned long long)per_page);
    ctl_request_init(&r, p->l->search != NULL ? "POST" : "GET", p->l->path);
    if (p->l->id != NULL)
        ctl_request_segment(&r, p->l->id);
    text_put(&r.path_w, p->l->suffix != NULL ? p->l->suffix : "");
    if (p->l->search != NULL) {
        put_search(p, per_page, &w);
        ctl_request_json(&r, writer_bytes(&w));
        r.is_reading = true;
    }
    if (p->l->search == NULL || p->l->has_page_in_query) {
        if (p->l->has_pairs && !ctl_put_pairs(p->t, &r))
            return CTL_WRONG_USE;
        put_page(p, number, &r);
    }
    return ctl_ask(p->t, &r, a);
}

// Takes what the page says; true when another one is needed.
static bool take_page(struct pages *p, const struct ctl_answer *a)
{
    const json_t *page = json_object_get(a->json, "pagination");
    const json_t *total = json_object_get(page, "totalCount");
    json_t *items = json_object_get(a->json, "items");
    (void)json_array_extend(p->items, items);
    while (p->limit != 0 && json_array_size(p->items) > p->limit)
        (void)json_array_remove(p->items, json_array_size(p->items) - 1);
    p->total = json_is_integer(total) ? json_integer_value(total) : -1;
    p->is_estimate = json_is_true(json_object_get(page, "totalIsEstimate"));
    snprintf(p->cursor, sizeof(p->cursor), "%s", ctl_string_at(page, "nextCursor"));
    p->page++;
    const size_t have = json_array_size(p->items);
    const bool is_more = p->cursor[0] != '\0' || (json_int_t)have < p->total;
    return is_more && json_array_size(items) > 0 && (p->limit == 0 || have < p->limit);
}

// What came in one page is printed as it came; several become one document of the same form.
static void print_pages(struct pages *p, const struct ctl_answer *last)
{
    const bool is_whole = p->page == 2 && json_array_size(p->items) ==
                                              json_array_size(json_object_get(last->json, "items"));
    if (is_whole) {
        ctl_print_json(p->t, last);
        return;
    }
    json_t *document =
        json_pack("{s:O,s:{s:i,s:I,s:I,s:i,s:b}}", "items", p->items, "pagination", "page", 1,
                  "perPage", (json_int_t)json_array_size(p->items), "totalCount", p->total,
                  "totalPages", 1, "totalIsEstimate", (int)p->is_estimate);
    struct ctl_answer merged = {0};
    merged.text = json_dumps(document, JSON_COMPACT);
    ctl_print_json(p->t, &merged);
    free(merged.text);
    json_decref(document);
}

static void print_rows(const struct pages *p)
{
    size_t i = 0;
    const json_t *item = NULL;
    char cell[CTL_CELL_MAX];
    char result[128];
    const size_t count = json_array_size(p->items);
    if (ctl_has(p->t, OPTION_QUIET)) {
        json_array_foreach(p->items, i, item)
        {
            puts(ctl_text_at(item, p->t->key != NULL ? p->t->key : p->l->key, cell));
        }
        return;
    }
    if (count > 0)
        ctl_table_print(p->l->columns, p->items, p->t->has_color, p->l->is_marked);
    if (p->total > (json_int_t)count)
        snprintf(result, sizeof(result), "%zu of %s%lld %s", count, p->is_estimate ? "about " : "",
                 (long long)p->total, p->l->noun);
    else
        snprintf(result, sizeof(result), "%zu %s", count, p->l->noun);
    ctl_print_result(p->t, result);
}

// What a program reads has no line that says so.
static void tell_cut(const struct pages *p)
{
    const size_t count = json_array_size(p->items);
    const bool is_read = ctl_has(p->t, OPTION_QUIET) || ctl_has(p->t, OPTION_JSON);
    if (is_read && !ctl_has(p->t, OPTION_LIMIT) && p->total > (json_int_t)count)
        (void)fprintf(stderr, "otactl: %zu of %s%lld %s; all: --limit 0\n", count,
                      p->is_estimate ? "about " : "", (long long)p->total, p->l->noun);
}

enum ctl_exit ctl_list(struct ctl_task *t, const struct ctl_listing *l)
{
    struct pages p = {.t = t, .l = l, .limit = LIMIT_DEFAULT, .page = 1, .total = -1};
    if (!ctl_number(t, OPTION_LIMIT, &p.limit))
        return CTL_WRONG_USE;
    p.items = json_array();
    for (;;) {
        struct ctl_answer a;
        const enum ctl_exit exit = ask_page(&p, &a);
        const bool is_more = exit == CTL_DONE && take_page(&p, &a);
        if (exit == CTL_DONE && !is_more) {
            if (ctl_has(t, OPTION_JSON))
                print_pages(&p, &a);
            else
                print_rows(&p);
            tell_cut(&p);
        }
        ctl_answer_free(&a);
        if (!is_more) {
            json_decref(p.items);
            return exit;
        }
    }
}

// --- objects ---

enum ctl_exit ctl_show(struct ctl_task *t, const char *path, const char *id, const char *suffix)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", path);
    ctl_request_segment(&r, id);
    text_put(&r.path_w, suffix);
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        const char *state = ctl_string_at(a.json, "state");
        char line[160];
        ctl_print_object(t, &a);
        snprintf(line, sizeof(line), "%s%s%.64s", id, *state != '\0' ? " " : "", state);
        if (t->on_done == NULL) // else the operation's line comes last
            ctl_print_result(t, line);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit ctl_change(struct ctl_task *t, struct ctl_request *r, const char *result)
{
    struct ctl_answer a;
    const enum ctl_exit exit = ctl_ask(t, r, &a);
    if (exit == CTL_DONE && ctl_is_dry_run(t)) {
        ctl_print_dry_run(t, &a);
    } else if (exit == CTL_DONE) {
        ctl_print_object(t, &a);
        const char *id = ctl_string_at(a.json, "id");
        const bool waits = strncmp(id, "apr_", 4) == 0; // not done: somebody has to approve it
        ctl_print_result(t, result != NULL && !waits ? result : id);
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit ctl_act_request(struct ctl_task *t, const char *path, const char *id, const char *act,
                              uint8_t text[CTL_REASON_SIZE], struct ctl_request *r)
{
    struct writer w = writer_of(text, CTL_REASON_SIZE);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    ctl_put_text(t, &j, OPTION_REASON, "reason");
    json_end_object(&j);
    if (!json_done(&j))
        return ctl_wrong(t, "the reason is too long", NULL);
    ctl_request_init(r, "POST", path);
    ctl_request_segment(r, id);
    text_put(&r->path_w, "/");
    text_put(&r->path_w, act);
    ctl_request_json(r, writer_bytes(&w));
    return CTL_DONE;
}

enum ctl_exit ctl_act(struct ctl_task *t, const char *path, const char *id, const char *act,
                      const char *result)
{
    uint8_t text[CTL_REASON_SIZE];
    struct ctl_request r;
    const enum ctl_exit exit = ctl_act_request(t, path, id, act, text, &r);
    return exit == CTL_DONE ? ctl_change(t, &r, result) : exit;
}

// --- values ---

static FILE *open_file(const char *path)
{
    struct stat what;
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fstat(fileno(file), &what) != 0 || !S_ISDIR(what.st_mode))
        return file;
    (void)fclose(file);
    errno = EISDIR;
    return NULL;
}

FILE *ctl_open_upload(const char *path)
{
    if (strcmp(path, "-") != 0)
        return open_file(path);
    FILE *kept = tmpfile();
    char piece[65536];
    for (size_t len = 1; kept != NULL && len > 0;) {
        len = fread(piece, 1, sizeof(piece), stdin);
        if (fwrite(piece, 1, len, kept) != len || ferror(stdin)) {
            (void)fclose(kept);
            kept = NULL;
        }
    }
    return kept;
}

char *ctl_read_file(const char *path, size_t len_max, size_t *len)
{
    const bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "rbe");
    char *text = file != NULL ? malloc(len_max + 1) : NULL;
    if (text == NULL) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
    } else {
        *len = fread(text, 1, len_max + 1, file);
        if (ferror(file) || *len > len_max) {
            fprintf(stderr, "otactl: %s cannot be read, or has more than %zu octets\n", path,
                    len_max);
            free(text);
            text = NULL;
        }
    }
    if (file != NULL && !is_input)
        (void)fclose(file);
    return text;
}

bool ctl_number(const struct ctl_task *t, enum ctl_option option, uint64_t *value)
{
    if (!ctl_has(t, option) || text_read_decimal(bytes_of_text(t->option[option]), value))
        return true;
    char what[64];
    snprintf(what, sizeof(what), "--%s takes a number, not", ctl_option_name(option));
    (void)ctl_wrong(t, what, t->option[option]);
    return false;
}

void ctl_put_text(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name)
{
    if (!ctl_has(t, option))
        return;
    json_put_key(j, name);
    json_put_string(j, t->option[option]);
}

void ctl_put_word(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name)
{
    char word[64];
    if (!ctl_has(t, option))
        return;
    snprintf(word, sizeof(word), "%s", t->option[option]);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)(*c == '-' ? '_' : text_upper(*c));
    json_put_key(j, name);
    json_put_string(j, word);
}

void ctl_put_flag(const struct ctl_task *t, struct json_writer *j, enum ctl_option option,
                  const char *name)
{
    if (!ctl_has(t, option))
        return;
    json_put_key(j, name);
    json_put_bool(j, true);
}

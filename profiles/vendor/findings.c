#include "profiles/vendor/findings.h"

#include "common/base/check.h"
#include "common/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define QUOTE_MAX 24
#define QUOTE_DIGITS_MAX 7

static const char *const names[] = {
    "IMP-100", "IMP-101", "IMP-102", "IMP-103", "IMP-104", "IMP-105", "IMP-106",
    "IMP-107", "IMP-108", "IMP-109", "IMP-110", "IMP-111", "IMP-112", "IMP-113",
    "IMP-114", "IMP-115", "IMP-116", "IMP-117", "IMP-118", "IMP-119", "IMP-120",
    "IMP-121", "IMP-200", "IMP-201", "IMP-202", "IMP-203", "IMP-204", "IMP-205",
    "IMP-206", "IMP-210", "IMP-211", "IMP-212", "IMP-213", "IMP-214", "IMP-215",
    "IMP-216", "IMP-220", "IMP-221", "IMP-301", "IMP-302", "IMP-303", "W-001",
    "W-002",   "W-003",   "W-010",   "W-020",   "W-021",   "W-022",   "W-030",
};
_Static_assert(sizeof names / sizeof names[0] == FINDING_CODES, "one name per code");

void findings_close(struct findings *f)
{
    free(f->listed);
    *f = (struct findings){0};
}

const char *finding_code_name(enum finding_code code)
{
    check(code < FINDING_CODES);
    return names[code];
}

const char *finding_code_shown(enum finding_code code)
{
    return finding_code_name(code == IMP_213 ? IMP_211 : code);
}

const char *finding_level_name(enum finding_level level)
{
    static const char *const levels[] = {"F", "R", "W"};
    return levels[level];
}

static enum finding_level level_of(enum finding_code code)
{
    if (code < IMP_200)
        return FINDING_FILE;
    return code < W_001 ? FINDING_RECORD : FINDING_WARNING;
}

// Room for one more, or NULL: then the finding is counted only.
static struct finding *append(struct findings *f)
{
    if (f->listed_count == f->cap) {
        size_t cap = f->cap == 0 ? 32 : f->cap * 2;
        struct finding *grown = realloc(f->listed, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        f->listed = grown;
        f->cap = cap;
    }
    return &f->listed[f->listed_count++];
}

PRINTF_LIKE(3, 0)
static void add(struct findings *f, const struct finding *head, const char *format, va_list values)
{
    f->by_code[head->code]++;
    f->by_level[head->level]++;
    if (f->listed_by_code[head->code] == FINDINGS_LISTED_MAX)
        return;
    struct finding *at = append(f);
    if (at == NULL)
        return;
    f->listed_by_code[head->code]++;
    *at = *head;
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started by both callers
    (void)vsnprintf(at->text, sizeof at->text, format, values);
}

static struct finding head_of(enum finding_code code, uint32_t line, const char *field)
{
    struct finding head = {.code = code, .level = level_of(code), .line = line};
    (void)snprintf(head.field, sizeof head.field, "%s", field);
    return head;
}

void findings_add(struct findings *f, enum finding_code code, uint32_t line, const char *field,
                  const char *format, ...)
{
    if (f == NULL)
        return;
    struct finding head = head_of(code, line, field);
    va_list values;
    va_start(values, format);
    add(f, &head, format, values);
    va_end(values);
}

void findings_warn(struct findings *f, enum finding_code code, uint32_t line, const char *field,
                   const char *format, ...)
{
    if (f == NULL)
        return;
    struct finding head = head_of(code, line, field);
    head.level = FINDING_WARNING;
    va_list values;
    va_start(values, format);
    add(f, &head, format, values);
    va_end(values);
}

static int by_line(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->code != b->code)
        return a->code < b->code ? -1 : 1;
    return strcmp(a->field, b->field);
}

void findings_sort(struct findings *f)
{
    if (f->listed_count > 1)
        qsort(f->listed, f->listed_count, sizeof *f->listed, by_line);
}

static bool is_fit(struct bytes text)
{
    size_t digits = 0;
    if (text.len == 0 || text.len > QUOTE_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c < 0x20 || c > 0x7E || c == '"')
            return false;
        digits += text_hex_digit((char)c) >= 0;
    }
    return digits <= QUOTE_DIGITS_MAX;
}

struct quoted findings_quote(struct bytes text)
{
    struct quoted quoted;
    if (is_fit(text))
        (void)snprintf(quoted.text, sizeof quoted.text, "\"%.*s\"", (int)text.len,
                       (const char *)text.at);
    else
        (void)snprintf(quoted.text, sizeof quoted.text, "(%zu characters)", text.len);
    return quoted;
}

struct quoted findings_field(struct bytes text)
{
    struct quoted quoted = {.text = "?"};
    if (is_fit(text))
        (void)snprintf(quoted.text, sizeof quoted.text, "%.*s", (int)text.len,
                       (const char *)text.at);
    return quoted;
}

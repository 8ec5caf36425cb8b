#include "sim-emulator/shell/conform_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024
#define OLD_MAX 256
// Slower by so much and so many times: told, never judged.
#define SLOWER_MS 50
#define SLOWER_TIMES 2

static const char *const verdicts[] = {"passed", "failed", "skipped"};

size_t conform_count(const struct conform_run *run, enum conform_verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        count += run->outcomes[i].verdict == verdict;
    return count;
}

static void put_escaped(FILE *file, const char *text)
{
    for (; *text != 0; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", file);
            break;
        case '<':
            (void)fputs("&lt;", file);
            break;
        case '>':
            (void)fputs("&gt;", file);
            break;
        case '"':
            (void)fputs("&quot;", file);
            break;
        default: // octets
            (void)fputc(*text, file);
        }
    }
}

static bool close_report(FILE *file)
{
    bool ok = ferror(file) == 0;
    return fclose(file) == 0 && ok;
}

// One case a line, so that conform_compare() can read it back.
static void put_case(FILE *file, const struct conform_outcome *o)
{
    const char *dot = strchr(o->what->name, '.');
    int group = dot == NULL ? 0 : (int)(dot - o->what->name);
    (void)fprintf(file, "  <testcase classname=\"applet.%.*s\" name=\"%s\" time=\"%llu.%03llu\">",
                  group, o->what->name, o->what->name, (unsigned long long)(o->ms / 1000),
                  (unsigned long long)(o->ms % 1000));
    (void)fprintf(file, "<properties><property name=\"clause\" value=\"%s\"/>", o->what->clause);
    (void)fprintf(file, "<property name=\"exchanges\" value=\"%u\"/></properties>", o->exchanges);
    if (o->verdict != CONFORM_PASSED) {
        (void)fprintf(file,
                      o->verdict == CONFORM_FAILED ? "<failure message=\"" : "<skipped message=\"");
        put_escaped(file, o->reason);
        (void)fputs("\"/>", file);
    }
    (void)fputs("<system-out>", file);
    put_escaped(file, o->what->what);
    (void)fputs("</system-out></testcase>\n", file);
}

bool conform_write_junit(const struct conform_run *run, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    (void)fprintf(file,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<testsuite name=\"applet-protocol\" tests=\"%zu\" failures=\"%zu\" "
                  "errors=\"0\" skipped=\"%zu\">\n",
                  run->count, conform_count(run, CONFORM_FAILED),
                  conform_count(run, CONFORM_SKIPPED));
    for (size_t i = 0; i < run->count; i++)
        put_case(file, &run->outcomes[i]);
    (void)fputs("</testsuite>\n", file);
    return close_report(file);
}

bool conform_write_html(const struct conform_run *run, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    (void)fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                "<title>Conformance of an applet</title><style>"
                "body{font:15px sans-serif;margin:2em}table{border-collapse:collapse}"
                "td,th{border:1px solid #999;padding:.3em .6em;text-align:left}"
                ".failed{background:#fdd}.skipped{background:#ffd}.passed{background:#dfd}"
                "</style><h1>Conformance to docs/applet-protocol.md</h1><p>",
                file);
    put_escaped(file, run->card);
    (void)fprintf(file, ": %zu passed, %zu failed, %zu skipped of %zu.</p>",
                  conform_count(run, CONFORM_PASSED), conform_count(run, CONFORM_FAILED),
                  conform_count(run, CONFORM_SKIPPED), run->count);
    (void)fputs("<table><tr><th>case<th>clause<th>what<th>verdict<th>reason<th>ms<th>exchanges\n",
                file);
    for (size_t i = 0; i < run->count; i++) {
        const struct conform_outcome *o = &run->outcomes[i];
        const char *verdict = verdicts[o->verdict];
        (void)fprintf(file, "<tr class=\"%s\"><td>%s<td>%s<td>", verdict, o->what->name,
                      o->what->clause);
        put_escaped(file, o->what->what);
        (void)fprintf(file, "<td>%s<td>", verdict);
        put_escaped(file, o->reason);
        (void)fprintf(file, "<td>%llu<td>%u\n", (unsigned long long)o->ms, o->exchanges);
    }
    (void)fputs("</table></html>\n", file);
    return close_report(file);
}

// --- comparing -------------------------------------------------------------------------------

struct old_case {
    char name[64];
    enum conform_verdict verdict;
    uint64_t ms;
    bool is_here; // in the new run too
};

static bool read_case(const char *line, struct old_case *out)
{
    static const char before_name[] = "\" name=\"";
    static const char before_time[] = "\" time=\"";
    const char *name = strstr(line, before_name);
    const char *time = name != NULL ? strstr(name, before_time) : NULL;
    if (strstr(line, "<testcase ") == NULL || time == NULL)
        return false;
    name += strlen(before_name);
    if ((size_t)(time - name) >= sizeof out->name)
        return false;
    *out = (struct old_case){.verdict = CONFORM_PASSED};
    memcpy(out->name, name, (size_t)(time - name));
    char *end;
    double seconds = strtod(time + strlen(before_time), &end);
    out->ms = seconds > 0 ? (uint64_t)(seconds * 1000 + 0.5) : 0;
    if (strstr(line, "<failure ") != NULL)
        out->verdict = CONFORM_FAILED;
    else if (strstr(line, "<skipped ") != NULL)
        out->verdict = CONFORM_SKIPPED;
    return true;
}

static void compare_one(const struct conform_outcome *o, const struct old_case *old,
                        unsigned *new_failures)
{
    if (old == NULL) {
        (void)printf("new case: %s %s\n", o->what->name, verdicts[o->verdict]);
        return;
    }
    if (o->verdict == CONFORM_FAILED && old->verdict != CONFORM_FAILED) {
        (void)printf("new failure: %s: %s\n", o->what->name, o->reason);
        (*new_failures)++;
    } else if (o->verdict == CONFORM_PASSED && old->verdict == CONFORM_FAILED) {
        (void)printf("fixed: %s\n", o->what->name);
    } else if (o->verdict != old->verdict) {
        (void)printf("changed: %s was %s, is %s\n", o->what->name, verdicts[old->verdict],
                     verdicts[o->verdict]);
    }
    if (o->ms > old->ms * SLOWER_TIMES && o->ms > old->ms + SLOWER_MS)
        (void)printf("slower: %s %llu ms, was %llu ms\n", o->what->name, (unsigned long long)o->ms,
                     (unsigned long long)old->ms);
}

static size_t read_old(FILE *file, struct old_case *old)
{
    char line[LINE_SIZE];
    size_t count = 0;
    while (count < OLD_MAX && fgets(line, sizeof line, file) != NULL)
        count += read_case(line, &old[count]);
    return count;
}

bool conform_compare(const struct conform_run *run, const char *path, unsigned *new_failures,
                     char error[CONFORM_ERROR_SIZE])
{
    static struct old_case old[OLD_MAX];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)snprintf(error, CONFORM_ERROR_SIZE, "%.160s: %s", path, strerror(errno));
        return false;
    }
    size_t count = read_old(file, old);
    (void)fclose(file);
    if (count == 0) {
        (void)snprintf(error, CONFORM_ERROR_SIZE, "%.160s: has no case of a conformance run", path);
        return false;
    }
    *new_failures = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct old_case *same = NULL;
        for (size_t n = 0; n < count && same == NULL; n++)
            same = strcmp(old[n].name, run->outcomes[i].what->name) == 0 ? &old[n] : NULL;
        if (same != NULL)
            same->is_here = true;
        compare_one(&run->outcomes[i], same, new_failures);
    }
    for (size_t n = 0; n < count; n++) {
        if (!old[n].is_here)
            (void)printf("missing case: %s\n", old[n].name);
    }
    return true;
}

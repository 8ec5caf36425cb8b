#include "tests/lib/vectors.h"

#include <stdio.h>

#include "common/base/check.h"
#include "common/base/text.h"

#define LINE_MAX_LEN 4096

static void read_field(struct vector *v, const char *line)
{
    const char *equals = strstr(line, " = ");
    check(equals != NULL && v->field_count < VECTOR_FIELDS_MAX);
    const size_t key_len = (size_t)(equals - line);
    check(key_len < VECTOR_NAME_SIZE);
    memcpy(v->fields[v->field_count].key, line, key_len);
    v->fields[v->field_count].key[key_len] = '\0';
    struct writer w = writer_of(v->fields[v->field_count].octets, VECTOR_VALUE_MAX);
    check(text_unhex(bytes_of_text(equals + 3), &w));
    v->fields[v->field_count++].len = w.len;
}

size_t vectors_each(const char *path, void (*each)(const struct vector *v, void *context),
                    void *context)
{
    static struct vector v;
    char line[LINE_MAX_LEN];
    size_t count = 0;
    bool is_open = false;
    // Of a document only the fenced blocks `vectors` are read.
    const size_t path_len = strlen(path);
    const bool is_document = path_len > 3 && strcmp(path + path_len - 3, ".md") == 0;
    bool is_outside = is_document;
    FILE *file = fopen(path, "r");
    check(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (is_document && strncmp(line, "```", 3) == 0) {
            is_outside = strcmp(line, "```vectors") != 0;
            line[0] = '\0';
        }
        if (is_outside && !is_open)
            continue;
        if (line[0] == '#' || (line[0] == '\0' && !is_open))
            continue;
        if (line[0] == '\0') {
            each(&v, context);
            is_open = false;
        } else if (!is_open) {
            memset(&v, 0, sizeof v);
            check(sscanf(line, "%31s %31s", v.kind, v.name) == 2);
            is_open = true;
            count++;
        } else if (strncmp(line, "from ", 5) != 0) {
            read_field(&v, line);
        }
    }
    if (is_open)
        each(&v, context);
    (void)fclose(file);
    return count;
}

struct bytes vector_get(const struct vector *v, const char *key)
{
    for (size_t i = 0; i < v->field_count; i++) {
        if (strcmp(v->fields[i].key, key) == 0)
            return bytes_of(v->fields[i].octets, v->fields[i].len);
    }
    return bytes_of(NULL, 0);
}

bool vector_has(const struct vector *v, const char *key)
{
    return vector_get(v, key).len > 0;
}

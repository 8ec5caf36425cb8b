#include "ota-server/shell/otactl_show.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

const char *ctl_string_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const json_t *find(const json_t *object, const char *path)
{
    while (object != NULL) {
        const size_t len = strcspn(path, ".");
        char name[64];
        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        object = json_object_get(object, name);
        if (path[len] == '\0')
            return object;
        path += len + 1;
    }
    return NULL;
}

static void put_value(const json_t *value, char *cell, size_t size)
{
    cell[0] = '\0';
    if (value == NULL || json_is_null(value))
        return;
    if (json_is_string(value)) {
        snprintf(cell, size, "%s", json_string_value(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text != NULL)
        snprintf(cell, size, "%s", text);
    free(text);
}

// The word that says most about an element: an array of marks or reasons shows their names.
static const json_t *name_of(const json_t *element)
{
    static const char *const names[] = {"mark", "reason", "name", "kcv", NULL};
    for (size_t i = 0; names[i] != NULL; i++) {
        const json_t *named = json_object_get(element, names[i]);
        if (json_is_string(named))
            return named;
    }
    return element;
}

static void clean(char *cell)
{
    for (unsigned char *c = (unsigned char *)cell; *c != '\0'; c++) {
        if (*c < 0x20 || *c == 0x7F)
            *c = '?';
        if (*c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) // a control character in UTF-8
            c[0] = c[1] = '?';
    }
}

// An element in one word; what has a state shows it too: "east=bound".
static void put_element(const json_t *element, char *cell, size_t size)
{
    const json_t *state = json_object_get(element, "state");
    const json_t *name = name_of(element);
    put_value(name, cell, size);
    const size_t len = strlen(cell);
    if (name != element && json_is_string(state))
        snprintf(cell + len, size - len, "=%s", json_string_value(state));
}

// What fills its cell may have been longer. The last character stays whole, or goes.
static void mark_cut(char cell[CTL_CELL_MAX])
{
    static const char MARK[] = "...";
    size_t at = CTL_CELL_MAX - sizeof(MARK);
    if (strlen(cell) < CTL_CELL_MAX - 1)
        return;
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): strlen() went over it
    while (at > 0 && ((unsigned char)cell[at] & 0xC0) == 0x80)
        at--;
    memcpy(cell + at, MARK, sizeof(MARK));
}

const char *ctl_text_at(const json_t *object, const char *path, char cell[CTL_CELL_MAX])
{
    const json_t *value = find(object, path);
    if (!json_is_array(value)) {
        put_value(value, cell, CTL_CELL_MAX);
        mark_cut(cell);
        clean(cell);
        return cell;
    }
    size_t i = 0;
    size_t len = 0;
    const json_t *element = NULL;
    cell[0] = '\0';
    json_array_foreach(value, i, element)
    {
        if (len > 0 && len + 1 < CTL_CELL_MAX)
            cell[len++] = ' ';
        put_element(element, cell + len, CTL_CELL_MAX - len);
        len += strlen(cell + len);
    }
    mark_cut(cell);
    clean(cell);
    return cell;
}

// NULL when there is no memory; the caller then prints nothing.
static struct libscols_table *open_table(bool has_color)
{
    struct libscols_table *t = scols_new_table();
    if (t == NULL)
        return NULL;
    scols_table_enable_noencoding(t, 1); // cells are clean, and UTF-8 stays readable
    scols_table_enable_colors(t, has_color);
    scols_table_set_column_separator(t, "  ");
    return t;
}

void ctl_table_print(const struct ctl_column *columns, const json_t *items, bool has_color,
                     bool (*is_marked)(const json_t *item))
{
    struct libscols_table *t = open_table(has_color);
    if (t == NULL)
        return;
    for (size_t i = 0; columns[i].title != NULL; i++)
        (void)scols_table_new_column(t, columns[i].title, 0, 0);
    size_t row = 0;
    const json_t *item = NULL;
    json_array_foreach(items, row, item)
    {
        struct libscols_line *line = scols_table_new_line(t, NULL);
        char cell[CTL_CELL_MAX];
        if (line == NULL)
            break;
        for (size_t i = 0; columns[i].title != NULL; i++)
            (void)scols_line_set_data(line, i, ctl_text_at(item, columns[i].path, cell));
        if (is_marked != NULL && is_marked(item))
            (void)scols_line_set_color(line, "\033[1;33m");
    }
    (void)scols_print_table(t);
    scols_unref_table(t);
}

static void put_line(struct libscols_table *t, const char *name, const json_t *object,
                     const char *member)
{
    struct libscols_line *line = scols_table_new_line(t, NULL);
    char cell[CTL_CELL_MAX];
    if (line == NULL)
        return;
    char label[128];
    snprintf(label, sizeof(label), "%s", name);
    clean(label);
    (void)scols_line_set_data(line, 0, label);
    (void)scols_line_set_data(line, 1, ctl_text_at(object, member, cell));
}

void ctl_object_print(const json_t *object)
{
    struct libscols_table *t = open_table(false);
    if (t == NULL)
        return;
    scols_table_enable_noheadings(t, 1);
    (void)scols_table_new_column(t, "NAME", 0, 0);
    (void)scols_table_new_column(t, "VALUE", 0, 0);
    const char *name = NULL;
    json_t *value = NULL;
    // The iteration takes a pointer to non-const and changes nothing.
    json_object_foreach((json_t *)object, name, value)
    {
        if (!json_is_object(value)) {
            put_line(t, name, object, name);
            continue;
        }
        const char *inner = NULL;
        json_t *unused = NULL;
        json_object_foreach(value, inner, unused)
        {
            char path[128];
            snprintf(path, sizeof(path), "%s.%s", name, inner);
            put_line(t, path, value, inner);
        }
    }
    (void)scols_print_table(t);
    scols_unref_table(t);
}

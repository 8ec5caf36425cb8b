#include "tests/world/story.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/wire/command.h"

#include <stddef.h>
#include <stdlib.h>

#define LINE_SIZE 512

static const struct {
    const char *name;
    size_t offset;
    uint32_t max;
    bool is_rare; // and not written when it is 0
} heads[] = {
    {"cards", offsetof(struct story, cards), STORY_CARDS_MAX, false},
    {"calm", offsetof(struct story, calm), STORY_CALM_MAX, false},
    {"alerted", offsetof(struct story, is_alerted), 1, false},
    {"validity_s", offsetof(struct story, validity_s), 259200, false},
    {"in_file", offsetof(struct story, in_file), 1, false},
    {"talkative", offsetof(struct story, is_talkative), 1, true},
    {"clone_of", offsetof(struct story, clone_of), STORY_CARDS_MAX - 1, true},
    {"campaign", offsetof(struct story, has_campaign), 1, true},
    {"group_items", offsetof(struct story, group.items), STORY_ITEMS_MAX, true},
    {"group_enable", offsetof(struct story, group.enable), STORY_ITEMS_MAX - 1, false},
    {"group_of_factory", offsetof(struct story, group.of_factory), STORY_ITEMS_MAX, false},
    {"group_deletes", offsetof(struct story, group.deletes), 1, false},
    {"group_trigger", offsetof(struct story, group.trigger), 3, false},
    {"group_soak_s", offsetof(struct story, group.soak_s), 2592000, false},
    {"group_at_once", offsetof(struct story, group.at_once), STORY_CARDS_MAX, false},
    {"group_pool", offsetof(struct story, group.pool), 2 * STORY_CARDS_MAX, false},
};
#define HEADS (sizeof heads / sizeof heads[0])

// A number for each card.
static const struct {
    const char *name;
    size_t offset;
    uint32_t max;
    bool is_rare; // and not written when all are 0
} rows[] = {
    {"models", offsetof(struct story, models), STORY_MODELS - 1, false},
    {"slots", offsetof(struct story, slots), COMMAND_SLOTS_MAX, true},
    {"stock", offsetof(struct story, stock), COMMAND_SLOTS_MAX - 2, true},
    {"spare", offsetof(struct story, spare), COMMAND_SLOTS_MAX, true},
    {"page", offsetof(struct story, page), UINT8_MAX, true},
    {"ends", offsetof(struct story, ends), 2, true},
};
#define ROWS (sizeof rows / sizeof rows[0])
#define HEADS_ALONE 8 // without a group

void story_add(struct story *s, const struct deed *deed)
{
    if (s->count == s->max) {
        s->max = s->max * 2 + 64;
        s->deeds = realloc(s->deeds, s->max * sizeof *s->deeds);
        check(s->deeds != NULL);
    }
    s->deeds[s->count++] = *deed;
}

void story_free(struct story *s)
{
    free(s->deeds);
    *s = (struct story){.count = 0};
}

static void write_row(FILE *file, const struct story *s, size_t row)
{
    const uint32_t *values = (const uint32_t *)((const char *)s + rows[row].offset);
    bool is_usual = true;
    for (uint32_t i = 0; i < s->cards; i++)
        is_usual &= values[i] == 0;
    if (is_usual && rows[row].is_rare)
        return;
    (void)fprintf(file, "%s", rows[row].name);
    for (uint32_t i = 0; i < s->cards; i++)
        (void)fprintf(file, " %u", values[i]);
    (void)fprintf(file, "\n");
}

void story_write_head(FILE *file, const struct story *s)
{
    (void)fprintf(file, "otaria-story 1\n");
    if (s->rule[0] != 0)
        (void)fprintf(file, "rule %s\n", s->rule);
    if (s->bug[0] != 0)
        (void)fprintf(file, "bug %s\n", s->bug);
    (void)fprintf(file, "seed %llu\nfaults_ms %llu\n", (unsigned long long)s->seed,
                  (unsigned long long)s->faults_ms);
    for (size_t i = 0; i < (s->group.items == 0 ? HEADS_ALONE : HEADS); i++) {
        const uint32_t value = *(const uint32_t *)((const char *)s + heads[i].offset);
        if (value != 0 || !heads[i].is_rare)
            (void)fprintf(file, "%s %u\n", heads[i].name, value);
    }
    for (size_t i = 0; i < ROWS; i++)
        write_row(file, s, i);
}

void story_write_deed(FILE *file, const struct deed *deed)
{
    uint8_t octets[LINE_SIZE];
    struct writer w = writer_of(octets, sizeof octets);
    deed_write(&w, deed);
    (void)fprintf(file, "%s\n", text_end(&w));
    (void)fflush(file);
}

// --- reading -----------------------------------------------------------------------------------

// The value of a line "name value"; false when it has another name.
static bool has_name(struct bytes line, const char *name, struct bytes *value)
{
    const size_t len = strlen(name);
    if (line.len <= len || line.at[len] != ' ' || memcmp(line.at, name, len) != 0)
        return false;
    *value = bytes_slice(line, len + 1, line.len);
    return true;
}

static bool read_text(struct bytes value, char to[STORY_WORD_SIZE])
{
    if (value.len >= STORY_WORD_SIZE)
        return false;
    memcpy(to, value.at, value.len);
    to[value.len] = 0;
    return true;
}

static bool read_row(struct bytes value, struct story *s, size_t row)
{
    uint32_t *values = (uint32_t *)((char *)s + rows[row].offset);
    uint32_t count = 0;
    for (size_t from = 0; from < value.len; count++) {
        uint64_t number;
        size_t to = from;
        while (to < value.len && value.at[to] != ' ')
            to++;
        if (count == STORY_CARDS_MAX ||
            !text_read_decimal(bytes_slice(value, from, to - from), &number) ||
            number > rows[row].max)
            return false;
        values[count] = (uint32_t)number;
        from = to + 1;
    }
    return count == s->cards;
}

static bool read_head(struct bytes line, struct story *s)
{
    struct bytes value;
    if (has_name(line, "rule", &value))
        return read_text(value, s->rule);
    if (has_name(line, "bug", &value))
        return read_text(value, s->bug);
    if (has_name(line, "seed", &value))
        return text_read_decimal(value, &s->seed);
    if (has_name(line, "faults_ms", &value))
        return text_read_decimal(value, &s->faults_ms);
    for (size_t i = 0; i < ROWS; i++) {
        if (has_name(line, rows[i].name, &value))
            return read_row(value, s, i);
    }
    uint64_t number;
    for (size_t i = 0; i < HEADS; i++) {
        if (!has_name(line, heads[i].name, &value))
            continue;
        if (!text_read_decimal(value, &number) || number > heads[i].max)
            return false;
        *(uint32_t *)((char *)s + heads[i].offset) = (uint32_t)number;
        return true;
    }
    return false;
}

// A deed of a card that is there, not before the one above.
static bool read_line(struct bytes line, struct story *s)
{
    struct deed deed;
    if (line.at[0] < '0' || line.at[0] > '9')
        return s->count == 0 && read_head(line, s);
    if (!deed_read(line, &deed) || deed.card >= STORY_CARDS_MAX)
        return false;
    if (s->count > 0 && s->deeds[s->count - 1].at_ms > deed.at_ms)
        return false;
    story_add(s, &deed);
    return true;
}

bool story_read(FILE *file, struct story *s, unsigned *line)
{
    char text[LINE_SIZE];
    *s = (struct story){.count = 0};
    for (*line = 1; fgets(text, sizeof text, file) != NULL; ++*line) {
        const size_t len = strcspn(text, "\n");
        const struct bytes b = bytes_of(text, len);
        if (*line == 1 ? !bytes_equal(b, bytes_of_text("otaria-story 1"))
                       : len > 0 && text[0] != '#' && !read_line(b, s))
            return false;
    }
    return s->cards > 0;
}

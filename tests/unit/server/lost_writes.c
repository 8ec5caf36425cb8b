#include "tests/unit/server/lost_writes.h"

#include "common/base/check.h"
#include "common/base/prng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 4
#define NAME_SIZE 128
#define SECTOR 512

struct image {
    uint8_t *at;
    size_t len, cap;
};

struct change {
    uint8_t *octets; // NULL: the file was cut to `at`
    size_t len, at;
};

struct watched {
    char name[NAME_SIZE];
    struct image durable;
    struct change *changes;
    size_t count, cap;
};

enum manner { LOSES_ALL, LOSES_LAST, LOSES_SOME, TEARS, MANNERS };

static struct watched files[FILES_MAX];
static int file_count;
static bool is_watching;
static uint64_t lost;

static void image_put(struct image *i, const void *from, size_t len, size_t at)
{
    if (at + len > i->cap) {
        i->cap = (at + len) * 2;
        i->at = realloc(i->at, i->cap);
        check(i->at != NULL);
    }
    if (at > i->len)
        memset(i->at + i->len, 0, at - i->len);
    memcpy(i->at + at, from, len);
    i->len = at + len > i->len ? at + len : i->len;
}

static void image_apply(struct image *i, const struct change *c)
{
    if (c->octets != NULL)
        image_put(i, c->octets, c->len, c->at);
    else if (c->at < i->len)
        i->len = c->at;
}

static void forget_changes(struct watched *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->changes[i].octets);
    w->count = 0;
}

static void forget_all(void)
{
    for (int i = 0; i < file_count; i++) {
        forget_changes(&files[i]);
        free(files[i].changes);
        free(files[i].durable.at);
        files[i] = (struct watched){.count = 0};
    }
    file_count = 0;
}

void lost_writes_begin(void)
{
    forget_all();
    is_watching = true;
    lost = 0;
}

void lost_writes_end(void)
{
    forget_all();
    is_watching = false;
}

static void read_whole(struct watched *w)
{
    uint8_t block[4096];
    FILE *file = fopen(w->name, "rb");
    if (file == NULL)
        return; // a new one
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        image_put(&w->durable, block, got, w->durable.len);
    (void)fclose(file);
}

int lost_writes_open(const char *name)
{
    if (!is_watching || name == NULL)
        return LOST_WRITES_NONE;
    for (int i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0)
            return i;
    }
    check(file_count < FILES_MAX && strlen(name) < NAME_SIZE);
    struct watched *w = &files[file_count];
    (void)snprintf(w->name, sizeof w->name, "%s", name);
    read_whole(w);
    return file_count++;
}

static void add(int file, struct change c)
{
    struct watched *w = &files[file];
    if (w->count == w->cap) {
        w->cap = w->cap == 0 ? 256 : w->cap * 2;
        w->changes = realloc(w->changes, w->cap * sizeof w->changes[0]);
        check(w->changes != NULL);
    }
    w->changes[w->count++] = c;
}

// A file may be closed, and so written, after it is no longer watched.
static bool is_of_now(int file)
{
    return is_watching && file != LOST_WRITES_NONE;
}

void lost_writes_write(int file, const void *from, size_t len, size_t at)
{
    if (!is_of_now(file))
        return;
    uint8_t *octets = malloc(len + 1);
    check(octets != NULL);
    memcpy(octets, from, len);
    add(file, (struct change){octets, len, at});
}

void lost_writes_truncate(int file, size_t len)
{
    if (is_of_now(file))
        add(file, (struct change){NULL, 0, len});
}

void lost_writes_sync(int file)
{
    if (!is_of_now(file))
        return;
    struct watched *w = &files[file];
    for (size_t i = 0; i < w->count; i++)
        image_apply(&w->durable, &w->changes[i]);
    forget_changes(w);
}

// A file that is gone is gone at once.
void lost_writes_delete(const char *name)
{
    for (int i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            forget_changes(&files[i]);
            files[i].durable.len = 0;
        }
    }
}

static void tear(struct image *i, const struct change *c, struct prng *chance)
{
    for (size_t done = 0; done < c->len;) {
        const size_t to_end = SECTOR - (c->at + done) % SECTOR;
        const size_t len = to_end < c->len - done ? to_end : c->len - done;
        if (prng_below(chance, 2) == 0)
            image_put(i, c->octets + done, len, c->at + done);
        done += len;
    }
    lost++;
}

static void cut_one(struct watched *w, enum manner manner, struct prng *chance)
{
    const size_t kept = w->count == 0 ? 0 : prng_below(chance, (uint32_t)w->count + 1);
    for (size_t i = 0; i < w->count; i++) {
        const struct change *c = &w->changes[i];
        const bool is_kept =
            (manner == LOSES_LAST && i < kept) ||
            ((manner == LOSES_SOME || manner == TEARS) && prng_below(chance, 2) == 0);
        if (is_kept && manner == TEARS && c->octets != NULL)
            tear(&w->durable, c, chance);
        else if (is_kept)
            image_apply(&w->durable, c);
        lost += !is_kept;
    }
    forget_changes(w);
    FILE *file = fopen(w->name, "wb");
    check(file != NULL);
    check(w->durable.len == 0 || fwrite(w->durable.at, 1, w->durable.len, file) == w->durable.len);
    check(fclose(file) == 0);
}

void lost_writes_cut(struct prng *chance)
{
    const enum manner manner = (enum manner)prng_below(chance, MANNERS);
    for (int i = 0; i < file_count; i++)
        cut_one(&files[i], manner, chance);
}

uint64_t lost_writes_count(void)
{
    return lost;
}

// The archive: a file of each month that leaves the trail. It is written piece by piece beside the
// server's work, is whole and on the disk before the database lets go of a row, and is begun anew
// after a stop. Its name says which rows it has and how they end: a second file of that name is the
// same month.
#include "ota-server/core/trail_file.h"
#include "ota-server/store/driver.h"
#include "ota-server/store/tombstones.h"

#include "common/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PATH_SIZE (STORE_PATH_SIZE + ARCHIVE_NAME_SIZE + 8)

void archive_name(const struct tombstone *t, char name[ARCHIVE_NAME_SIZE])
{
    char end[9];
    struct writer w = writer_of(end, sizeof(end));
    text_hex(&w, bytes_of(t->hash, 4));
    snprintf(name, ARCHIVE_NAME_SIZE, "trail-%04u-%02u-%llu-%llu-%s.tsv", t->month / 12,
             t->month % 12 + 1, (unsigned long long)t->first, (unsigned long long)t->last,
             text_end(&w));
}

static void path_of(const struct store *s, const char *end, char path[PATH_SIZE])
{
    char name[ARCHIVE_NAME_SIZE];
    archive_name(&s->archiving.of, name);
    snprintf(path, PATH_SIZE, "%s/%s%s", s->options.archive, name, end);
}

const char *store_archive_problem(const struct store *s)
{
    return s->archiving.problem;
}

void archive_close(struct store *s)
{
    if (s->archiving.file != NULL)
        (void)fclose(s->archiving.file);
    s->archiving.file = NULL;
}

// What was written so far makes room for what the server does.
static void give_up(struct store *s, const char *reason)
{
    char path[PATH_SIZE];
    path_of(s, ".part", path);
    snprintf(s->archiving.problem, sizeof(s->archiving.problem), "%.100s: %s", path, reason);
    archive_close(s);
    (void)unlink(path);
}

static bool put(struct archiving *a, const struct writer *w)
{
    return !w->failed && fwrite(w->at, 1, w->len, a->file) == w->len;
}

static bool sync_file(struct archiving *a)
{
    return fflush(a->file) == 0 && fdatasync(fileno(a->file)) == 0;
}

static bool begin(struct store *s, const struct tombstone *t)
{
    struct archiving *a = &s->archiving;
    struct trail_file_head h = {.first = t->first};
    char line[256];
    char path[PATH_SIZE];
    struct writer w = writer_of(line, sizeof(line));
    archive_close(s);
    a->problem[0] = '\0';
    a->next = t->first;
    memcpy(a->hash, t->previous, sizeof(a->hash));
    a->of = *t;
    memcpy(h.previous, t->previous, sizeof(h.previous));
    memcpy(h.signer, s->signer, sizeof(h.signer));
    trail_file_head_write(&w, &h);
    path_of(s, ".part", path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    a->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (a->file == NULL && fd >= 0)
        close(fd);
    if (a->file != NULL && put(a, &w))
        return true;
    give_up(s, strerror(errno));
    return false;
}

// A row that does not fit the chain is what nobody may sign for: its month stays.
static bool put_row(struct store *s, const struct trail_row *r)
{
    struct archiving *a = &s->archiving;
    char line[TRAIL_LINE_MAX];
    char reason[64];
    struct writer w = writer_of(line, sizeof(line));
    if (trail_row_problem(s, r, a->next, a->hash) != NULL) {
        snprintf(reason, sizeof(reason), "row %llu does not fit the chain",
                 (unsigned long long)a->next);
        give_up(s, reason);
        return false;
    }
    trail_file_row_write(&w, r);
    if (!put(a, &w)) {
        give_up(s, strerror(errno));
        return false;
    }
    memcpy(a->hash, r->hash, sizeof(a->hash));
    a->next++;
    return true;
}

static enum store_status put_rows(struct store *s, uint64_t last)
{
    struct query q = query_of(s, STATEMENT_TRAIL_RANGE);
    bind_number(&q, 1, (int64_t)s->archiving.next);
    bind_number(&q, 2, (int64_t)last);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct trail_row r;
        trail_read(&q, &r);
        if (!put_row(s, &r))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

static bool sync_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_synced;
}

static bool finish(struct store *s, const struct tombstone *t)
{
    struct archiving *a = &s->archiving;
    char line[512];
    char part[PATH_SIZE];
    char path[PATH_SIZE];
    struct writer w = writer_of(line, sizeof(line));
    trail_file_end_write(&w, t);
    path_of(s, ".part", part);
    path_of(s, "", path);
    const bool is_whole =
        put(a, &w) && sync_file(a) && rename(part, path) == 0 && sync_folder(s->options.archive);
    if (is_whole)
        archive_close(s);
    else
        give_up(s, strerror(errno));
    return is_whole;
}

enum store_status archive_step(struct store *s, const struct tombstone *t, uint32_t rows_max,
                               bool *is_whole)
{
    struct archiving *a = &s->archiving;
    *is_whole = false;
    if ((a->file == NULL || a->of.first != t->first) && !begin(s, t))
        return STORE_OK;
    const uint64_t last = t->last - a->next < rows_max ? t->last : a->next + rows_max - 1;
    const enum store_status status = put_rows(s, last);
    if (status != STORE_OK || a->file == NULL)
        return status;
    if (a->next <= last)
        give_up(s, "a row is missing");
    else if (a->next > t->last)
        *is_whole = finish(s, t);
    else if (!sync_file(a))
        give_up(s, strerror(errno));
    return STORE_OK;
}

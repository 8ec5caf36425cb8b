#include "sim-emulator/shell/memory_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LEN (MEMORY_HEAD_LEN + NVM_LEN_MAX)

struct memory_files {
    struct app *app;
    uint8_t **maps; // of each card
};

static void head_write(uint8_t head[MEMORY_HEAD_LEN])
{
    struct writer w = writer_of(head, MEMORY_HEAD_LEN);
    writer_copy(&w, bytes_of("OTARIANV", 8));
    writer_u16(&w, CARD_MEMORY_VERSION);
    writer_fill(&w, NVM_ERASED, writer_room(&w));
}

static bool write_all(int fd, const uint8_t *octets, size_t len)
{
    return write(fd, octets, len) == (ssize_t)len;
}

// A new file is complete before it has its name: the head, and FF everywhere.
static bool make_file(const char *path)
{
    char fresh[600];
    uint8_t head[MEMORY_HEAD_LEN];
    uint8_t erased[4096];
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    // Memories hold network keys: for the owner only.
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    memset(erased, NVM_ERASED, sizeof erased);
    head_write(head);
    bool ok = write_all(fd, head, sizeof head);
    for (size_t done = 0; ok && done < NVM_LEN_MAX; done += sizeof erased) {
        size_t part = NVM_LEN_MAX - done < sizeof erased ? NVM_LEN_MAX - done : sizeof erased;
        ok = write_all(fd, erased, part);
    }
    ok = ok && fsync(fd) == 0;
    (void)close(fd);
    return ok && rename(fresh, path) == 0;
}

// NULL, with `*reason` when it is not the system's.
static uint8_t *map_file(const char *path, const char **reason)
{
    if (access(path, F_OK) != 0 && !make_file(path))
        return NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    uint8_t head[MEMORY_HEAD_LEN];
    uint8_t expected[MEMORY_HEAD_LEN];
    head_write(expected);
    bool is_ours =
        read(fd, head, sizeof head) == sizeof head && memcmp(head, expected, sizeof head) == 0;
    if (!is_ours)
        *reason = "is no card's memory of this version; move it away to begin anew";
    void *at = MAP_FAILED;
    if (is_ours && ftruncate(fd, FILE_LEN) == 0)
        at = mmap(NULL, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return at == MAP_FAILED ? NULL : at;
}

// Pages that were never written stay out of the pool.
static bool load(struct nvm *nvm, const uint8_t *octets)
{
    uint8_t erased[NVM_PAGE_LEN];
    memset(erased, NVM_ERASED, sizeof erased);
    for (uint32_t at = 0; at < NVM_LEN_MAX; at += NVM_PAGE_LEN) {
        if (memcmp(octets + at, erased, NVM_PAGE_LEN) != 0 &&
            nvm_write(nvm, at, octets + at, NVM_PAGE_LEN) != NVM_OK)
            return false;
    }
    return true;
}

static bool open_one(struct memory_files *files, uint32_t number, char error[CARDS_ERROR_SIZE])
{
    struct card *card = &files->app->devices[number].card;
    char iccid[ICCID_SIZE];
    char path[512];
    if (!iccid_read(card->factory->card_iccid, iccid))
        iccid[0] = 0;
    (void)snprintf(path, sizeof path, "%s/%s.nvm", files->app->options.data, iccid);
    const char *reason = NULL;
    uint8_t *map = map_file(path, &reason);
    files->maps[number] = map;
    if (map == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.160s: %s", path,
                       reason != NULL ? reason : strerror(errno));
        return false;
    }
    if (!load(&card->nvm, map + MEMORY_HEAD_LEN)) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory for the cards");
        return false;
    }
    nvm_mirror(&card->nvm, map + MEMORY_HEAD_LEN);
    return true;
}

struct memory_files *memory_files_open(struct app *app, char error[CARDS_ERROR_SIZE])
{
    struct memory_files *files = calloc(1, sizeof *files);
    if (files != NULL)
        files->maps = calloc(app->fleet.count, sizeof *files->maps);
    if (files == NULL || files->maps == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "there is not enough memory");
        free(files);
        return NULL;
    }
    files->app = app;
    for (uint32_t i = 0; i < app->fleet.count; i++) {
        if (!open_one(files, i, error)) {
            (void)memory_files_close(files);
            return NULL;
        }
    }
    return files;
}

bool memory_files_close(struct memory_files *files)
{
    bool ok = true;
    if (files == NULL)
        return ok;
    for (uint32_t i = 0; i < files->app->fleet.count; i++) {
        uint8_t *map = files->maps[i];
        if (map == NULL)
            continue;
        nvm_mirror(&files->app->devices[i].card.nvm, NULL);
        ok = msync(map, FILE_LEN, MS_SYNC) == 0 && ok;
        (void)munmap(map, FILE_LEN);
    }
    free(files->maps);
    free(files);
    return ok;
}

#include "profiles/vendor/shell/scratch_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_SIZE 4096

static bool clear(void *context)
{
    FILE *file = context;
    const bool has_room = ftruncate(fileno(file), 0) == 0; // for what a full disk did not take
    rewind(file);
    return has_room && ftruncate(fileno(file), 0) == 0;
}

static bool put(void *context, const void *at, size_t len)
{
    return fwrite(at, 1, len, context) == len;
}

static bool to_start(void *context)
{
    return fseek(context, 0, SEEK_SET) == 0; // what was written is flushed
}

static bool get(void *context, void *at, size_t cap, size_t *got)
{
    *got = fread(at, 1, cap, context);
    return ferror(context) == 0;
}

static FILE *open_in(const char *folder)
{
    char path[PATH_SIZE];
    const int len = snprintf(path, sizeof path, "%s/scratch-XXXXXX", folder);
    const int fd = len > 0 && (size_t)len < sizeof path ? mkstemp(path) : -1;
    if (fd < 0)
        return NULL;
    FILE *file = unlink(path) == 0 ? fdopen(fd, "w+b") : NULL;
    if (file == NULL)
        (void)close(fd);
    return file;
}

bool vendor_scratch_open(struct vendor_scratch *scratch, const char *folder)
{
    FILE *file = folder == NULL ? tmpfile() : open_in(folder);
    *scratch = (struct vendor_scratch){
        .context = file, .clear = clear, .write = put, .rewind = to_start, .read = get};
    return file != NULL;
}

void vendor_scratch_close(struct vendor_scratch *scratch)
{
    if (scratch->context != NULL)
        (void)fclose(scratch->context);
    *scratch = (struct vendor_scratch){0};
}

// Runs a fuzz target over files and folders of inputs, so that a corpus is an ordinary test.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned replayed;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    (void)fseek(file, 0, SEEK_END);
    long len = ftell(file);
    (void)fseek(file, 0, SEEK_SET);
    // Exactly as large as the input, so that a sanitizer sees the first octet read past it.
    uint8_t *data = malloc(len > 0 ? (size_t)len : 1);
    size_t got = data != NULL ? fread(data, 1, (size_t)len, file) : 0;
    (void)fclose(file);
    if (data == NULL || got != (size_t)len) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return 1;
    }
    (void)LLVMFuzzerTestOneInput(data, got);
    free(data);
    replayed++;
    return 0;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return 1;
    }
    int bad = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char full[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
        bad |= replay_file(full);
    }
    (void)closedir(folder);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            perror(argv[i]);
            return 1;
        }
        bad |= S_ISDIR(info.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    }
    (void)printf("%u inputs replayed\n", replayed);
    if (replayed == 0) {
        (void)fprintf(stderr, "no input found: a replay of nothing proves nothing\n");
        return 1;
    }
    return bad;
}

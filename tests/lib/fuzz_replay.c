// Runs a fuzz target over files and folders of inputs, so that a corpus is an ordinary test; and
// with the address sanitizer, for some tenths of a second, over changed copies of them.
// OTARIA_FUZZ_SEED: which (1; ./check draws one for each run); OTARIA_FUZZ_MS: for how much CPU
// time (200). An input that ends the program is told as hexadecimal, with the seed, and with time
// enough to come so far again, also on a slower machine.
#include "common/base/prng.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define INPUTS_MAX 4096
#define CHANGES_MAX 4
#define GROWTH_MAX 64 // octets
#define TOLD_MAX 8192
#define AGAIN_MS 60000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
    uint8_t *data;
    size_t len;
};

static unsigned replayed;
static struct input inputs[INPUTS_MAX]; // those that the search begins with
static struct input current;
static unsigned long seed; // of the search; 0: it has not begun
static unsigned changed;   // inputs tried by it

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
    current = (struct input){data, got};
    (void)LLVMFuzzerTestOneInput(data, got);
    if (replayed < INPUTS_MAX)
        inputs[replayed] = current;
    else
        free(data);
    replayed++;
    return 0;
}

// In the order of their names, because the search draws by it.
static int replay_folder(const char *path)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        perror(path);
        return 1;
    }
    int bad = 0;
    for (int i = 0; i < count; i++) {
        char full[4096];
        if (entries[i]->d_name[0] != '.') {
            (void)snprintf(full, sizeof full, "%s/%s", path, entries[i]->d_name);
            bad |= replay_file(full);
        }
        free(entries[i]);
    }
    free(entries);
    return bad;
}

// --- the search ----------------------------------------------------------------------------------

static void tell(void)
{
    (void)fputs("input:", stderr);
    for (size_t i = 0; i < current.len && i < TOLD_MAX; i++)
        (void)fprintf(stderr, "%s%02x", i % 32 == 0 ? "\n" : "", current.data[i]);
    (void)fprintf(stderr, "\n%zu octets\n", current.len);
    if (seed != 0)
        (void)fprintf(stderr,
                      "the search's input %u, again with OTARIA_FUZZ_SEED=%lu OTARIA_FUZZ_MS=%d\n",
                      changed, seed, AGAIN_MS);
}

static void aborted(int number)
{
    (void)number;
    tell();
    (void)signal(SIGABRT, SIG_DFL);
}

#ifdef __SANITIZE_ADDRESS__
#define HAS_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifdef HAS_SANITIZER
void __sanitizer_set_death_callback(void (*callback)(void));

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

// One change: an octet, a bit, a piece that goes, one that comes twice, or one of another input.
static size_t change(struct prng *p, uint8_t *data, size_t len, size_t room)
{
    const size_t at = prng_below(p, len);
    size_t n = 1 + prng_below(p, len - at < 16 ? len - at : 16);
    switch (prng_below(p, 5)) {
    case 0:
        data[at] = (uint8_t)prng_below(p, 256);
        return len;
    case 1:
        data[at] ^= (uint8_t)(1u << prng_below(p, 8));
        return len;
    case 2:
        memmove(data + at, data + at + n, len - at - n);
        return len - n;
    case 3:
        n = n < room - len ? n : room - len;
        memmove(data + at + n, data + at, len - at);
        return len + n;
    default: {
        const struct input *other =
            &inputs[prng_below(p, replayed < INPUTS_MAX ? replayed : INPUTS_MAX)];
        n = other->len < room - at ? other->len : room - at;
        memcpy(data + at, other->data, n);
        return at + n > len ? at + n : len;
    }
    }
}

static void try_one(struct prng *p)
{
    const struct input *from =
        &inputs[prng_below(p, replayed < INPUTS_MAX ? replayed : INPUTS_MAX)];
    const size_t room = from->len + GROWTH_MAX;
    uint8_t *work = malloc(room);
    if (work == NULL)
        return;
    memcpy(work, from->data, from->len);
    size_t len = from->len;
    for (uint64_t i = prng_below(p, CHANGES_MAX); len > 0 && i < CHANGES_MAX; i++)
        len = change(p, work, len, room);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact != NULL) {
        memcpy(exact, work, len);
        current = (struct input){exact, len};
        (void)LLVMFuzzerTestOneInput(exact, len);
    }
    free(exact);
    free(work);
}

static void search(void)
{
    struct prng p;
    seed = setting("OTARIA_FUZZ_SEED", 1);
    const clock_t end =
        clock() + (clock_t)(setting("OTARIA_FUZZ_MS", 200) * (CLOCKS_PER_SEC / 1000));
    __sanitizer_set_death_callback(tell);
    prng_init(&p, seed, "fuzz", 0);
    for (; clock() < end; changed++)
        try_one(&p);
    (void)printf("%u changed inputs tried, seed %lu\n", changed, seed);
}
#else
static void search(void)
{
}
#endif

int main(int argc, char **argv)
{
    int bad = 0;
    (void)signal(SIGABRT, aborted);
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
    if (bad == 0)
        search();
    for (unsigned i = 0; i < replayed && i < INPUTS_MAX; i++)
        free(inputs[i].data);
    return bad;
}

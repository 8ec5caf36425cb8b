// A file of checkpoints as anybody could have left it, beside a trail of five rows: it is read to
// its end, a line counts or does not, and what is kept of it fits the trail.
#include "common/base/check.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 5

static struct server_crypto crypto;
static char folder[] = "/tmp/otaria-fuzz-XXXXXX";
static char path[64];
static char kept[64];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct store *open_store(const char *checkpoints)
{
    const struct secret_key key = {.len = 32, .octets = {9}};
    const struct store_options options = {.path = ":memory:",
                                          .checkpoints = checkpoints,
                                          .ota_master = key,
                                          .network_master = key,
                                          .pseudonym_key = key,
                                          .crypto = &crypto.store};
    struct store *s = NULL;
    check(store_open(&options, &s) == STORE_OK && store_begin(s) == STORE_OK);
    for (int i = 0; i < ROWS; i++) {
        const struct trail_new row = {.at = {1000 + i}, .action = "card.marked"};
        check(store_trail_add(s, &row) == STORE_OK);
    }
    check(store_commit(s) == STORE_OK);
    return s;
}

static void remove_all(void)
{
    (void)unlink(path);
    (void)unlink(kept);
    (void)rmdir(folder);
}

static bool count(void *context, const struct checkpoint *c)
{
    (void)c;
    (*(uint64_t *)context)++;
    return true;
}

static uint64_t lines_of(struct store *s)
{
    const struct store_page all = {.limit = UINT32_MAX};
    uint64_t seen = 0;
    uint64_t total = 0;
    check(store_checkpoints(s, &all, count, &seen, &total) == STORE_OK);
    check(seen == total);
    return total;
}

static void put_file(const uint8_t *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    check(file != NULL && fwrite(data, 1, len, file) == len && fclose(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct store *all;
    static struct store *fitting;
    struct trail_verdict v;
    bool is_restored = false;
    if (all == NULL) {
        check(server_crypto_open(&crypto) && mkdtemp(folder) != NULL);
        (void)snprintf(path, sizeof(path), "%s/all", folder);
        (void)snprintf(kept, sizeof(kept), "%s/kept", folder);
        check(atexit(remove_all) == 0);
        all = open_store(path);
        fitting = open_store(kept);
    }
    put_file(data, len);
    const uint64_t lines = lines_of(all);
    check(store_trail_verify(all, 0, 0, &v) == STORE_OK);
    check(v.checked == ROWS && v.checkpoints <= lines);
    check(v.ok == (v.problem[0] == '\0'));
    check(store_is_restored(all, &is_restored) == STORE_OK);
    check(store_checkpoints_keep(all, path, kept) == STORE_OK);
    check(lines_of(fitting) <= lines);
    check(store_trail_verify(fitting, 0, 0, &v) == STORE_OK);
    check(v.ok || v.problem[0] == 'S'); // a signature that is none, but never another hash
    check(store_is_restored(fitting, &is_restored) == STORE_OK && !is_restored);
    return 0;
}

// F17: a database file that somebody altered. It is refused, or opened and read without harm: a
// card that still opens has keys that still fit it, and the trail never verifies when a row was
// changed behind its back.
//
// The input is a list of changes to a good database: three octets of place, one of value. Longer
// than that it is taken as a whole file when it begins with an octet of 1.
#include "common/base/check.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/store.h"
#include "tests/unit/api/api_lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *good;
static size_t good_len;
static uint64_t card;
static char path[64];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct secret_key key_of(uint8_t value)
{
    uint8_t octets[32];
    memset(octets, value, sizeof(octets));
    return secret_key_of(bytes_of(octets, sizeof(octets)));
}

static void remove_all(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".writer"};
    char name[96];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

// The lab's database, with a card and a few rows of the trail.
static void make_good(void)
{
    struct lab lab;
    struct record r;
    struct stat info;
    lab_open_imports(&lab, "all", true);
    card = lab_card(&lab, "8988211000000000019", &r);
    lab_turn(&lab);
    // Closing it writes everything into the one file; a copy is kept open for reading.
    char copy[96];
    (void)snprintf(copy, sizeof(copy), "%s", lab.path);
    const int fd = open(copy, O_RDONLY | O_CLOEXEC);
    lab_close(&lab);
    check(fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 4096);
    good_len = (size_t)info.st_size;
    good = malloc(good_len);
    check(good != NULL && read(fd, good, good_len) == (ssize_t)good_len);
    (void)close(fd);
    // In memory: no input waits for a disk.
    (void)snprintf(path, sizeof(path), "/dev/shm/otaria-fuzz-%ld.db", (long)getpid());
}

static void put_file(const uint8_t *octets, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, octets, len) == (ssize_t)len);
    (void)close(fd);
}

static void read_all(struct store *s, bool is_good)
{
    static struct record r;
    struct store_counts counts;
    struct trail_verdict verdict;
    struct card_keys keys;
    const bool counted = store_counts(s, 0, &counts) == STORE_OK;
    const bool verified = store_trail_verify(s, 0, 0, &verdict) == STORE_OK && verdict.ok;
    const bool has_card = store_card_load(s, card, &r) == STORE_OK;
    // GCM: what opens is what was sealed [38D].
    if (store_card_keys(s, card, &keys) == STORE_OK)
        check(keys.kic.octets[0] == 5 && keys.kid.octets[0] == 6);
    if (has_card)
        check(r.card == card && r.slot_count <= COMMAND_SLOTS_MAX);
    check(!is_good || (counted && verified && has_card));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct server_crypto crypto;
    if (good == NULL) {
        make_good();
        check(server_crypto_open(&crypto));
    }
    if (len > 4 && data[0] == 1) {
        put_file(data + 1, len - 1);
    } else {
        uint8_t *changed = malloc(good_len);
        check(changed != NULL);
        memcpy(changed, good, good_len);
        for (size_t i = 1; i + 4 <= len; i += 4) {
            const size_t at = ((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]);
            changed[at % good_len] = data[i + 3];
        }
        put_file(changed, good_len);
        free(changed);
    }
    const struct store_options options = {.path = path,
                                          .ota_master = key_of(1),
                                          .network_master = key_of(2),
                                          .pseudonym_key = key_of(3),
                                          .crypto = &crypto.store,
                                          .wait_ms = 1};
    struct store *s = NULL;
    const enum store_status status = store_open(&options, &s);
    check((status == STORE_OK) == (s != NULL));
    check(len > 4 || status == STORE_OK);
    if (status == STORE_OK)
        read_all(s, len <= 4);
    store_close(s);
    remove_all();
    return 0;
}

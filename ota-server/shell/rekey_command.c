#include "ota-server/shell/rekey_command.h"

#include "common/host/clock.h"
#include "common/host/entropy.h"
#include "ota-server/service/rekey.h"
#include "ota-server/shell/server.h"
#include "ota-server/shell/server_crypto.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 256 // in one transaction

struct rekeying {
    const struct server_settings *settings;
    const struct server_keys *old;
    struct server_keys new;
    char new_file[SERVER_PATH_SIZE], old_file[SERVER_PATH_SIZE];
    struct server_crypto crypto;
    struct store *store;
};

static bool fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return false;
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    entropy_fill(to, len);
    return true;
}

static bool path_of(const char *key_file, const char *end, char path[SERVER_PATH_SIZE])
{
    const int len = snprintf(path, SERVER_PATH_SIZE, "%s%s", key_file, end);
    return len > 0 && len < SERVER_PATH_SIZE;
}

// Was the old key given its second name already? Then only the last step is missing.
static bool is_named_old(const struct rekeying *c)
{
    struct stat file;
    struct stat old;
    return stat(c->settings->key_file, &file) == 0 && stat(c->old_file, &old) == 0 &&
           file.st_dev == old.st_dev && file.st_ino == old.st_ino;
}

// The new key is on the disk before anything is sealed under it.
static bool make_key(struct rekeying *c)
{
    const char *file = c->settings->key_file;
    if (!path_of(file, ".new", c->new_file) || !path_of(file, ".old", c->old_file))
        return fail(file, "this path is too long");
    if (access(c->old_file, F_OK) == 0 && !is_named_old(c))
        return fail(c->old_file, "it is the key of an earlier change: put it away first");
    enum keyfile_error error =
        access(c->new_file, F_OK) == 0 ? KEYFILE_OK : keyfile_make(c->new_file);
    if (error == KEYFILE_OK)
        error = keyfile_read(c->new_file, &c->new);
    return error == KEYFILE_OK || fail(c->new_file, keyfile_error_text(error));
}

static enum store_status note(struct rekeying *c)
{
    const struct trail_new row = {.at = clock_utc(),
                                  .tenant = AUTH_OPERATOR,
                                  .action = "master-key.changed",
                                  .object_kind = "installation",
                                  .result = "done"};
    return store_trail_add(c->store, &row);
}

// Everything but the keys of cards and subscriptions moves in one transaction.
static enum store_status change(struct rekeying *c)
{
    struct crypto *crypto = crypto_open();
    if (crypto == NULL)
        return STORE_FAILED;
    const struct rekey r = {.store = c->store,
                            .crypto = crypto,
                            .old = &c->old->client,
                            .new = &c->new.client,
                            .fill = fill,
                            .now = clock_utc()};
    enum store_status status = store_begin(c->store);
    if (status == STORE_OK)
        status = store_masters_change(c->store, &c->new.ota, &c->new.network);
    if (status == STORE_OK)
        status = rekey_documents(&r);
    if (status == STORE_OK)
        status = note(c);
    if (status == STORE_OK)
        status = store_commit(c->store);
    crypto_close(crypto);
    return status;
}

// One that was begun is open to the new key already.
static bool open_changed(struct rekeying *c)
{
    const struct server_settings *s = c->settings;
    enum store_status status = server_store_try(s, &c->new, c->old, &c->crypto, false, &c->store);
    if (status == STORE_KEYS) {
        status = server_store_try(s, c->old, NULL, &c->crypto, false, &c->store);
        if (status == STORE_OK)
            status = change(c);
    }
    return status == STORE_OK || fail(s->data, server_store_text(status));
}

static bool move_keys(struct rekeying *c)
{
    bool is_done = false;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && !is_done) {
        status = store_begin(c->store);
        if (status == STORE_OK)
            status = store_rewrap(c->store, ROWS, &is_done);
        if (status == STORE_OK)
            status = store_commit(c->store);
    }
    return status == STORE_OK || fail(c->settings->data, store_problem(c->store));
}

static bool sync_folder_of(const char *file)
{
    char path[SERVER_PATH_SIZE];
    size_t len = strlen(file);
    while (len > 0 && file[len - 1] != '/')
        len--;
    (void)snprintf(path, sizeof path, "%.*s.", (int)len, file);
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_synced;
}

// At every moment there is a key file: the old key, until the new one is in its place.
static bool put_in_place(const struct rekeying *c)
{
    const char *file = c->settings->key_file;
    if ((link(file, c->old_file) != 0 && !is_named_old(c)) || rename(c->new_file, file) != 0 ||
        !sync_folder_of(file))
        return fail(c->new_file, "it cannot be put in the place of the old key: do it by hand");
    (void)printf("%s is the new master key: keep a copy apart from the data\n"
                 "%s opens backups that were made before, and nothing else\n",
                 file, c->old_file);
    return true;
}

int rekey_run(const struct server_settings *settings, const struct server_keys *old)
{
    struct rekeying c = {.settings = settings, .old = old};
    if (!server_crypto_open(&c.crypto)) {
        (void)fail("OpenSSL", "an algorithm is missing");
        return EXIT_FAILURE;
    }
    const bool is_moved = make_key(&c) && open_changed(&c) && move_keys(&c);
    store_close(c.store);
    server_crypto_close(&c.crypto);
    const bool is_done = is_moved && put_in_place(&c);
    secret_wipe(&c.new, sizeof c.new);
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}

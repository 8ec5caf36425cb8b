#include "ota-server/shell/backup.h"

#include "common/base/text.h"
#include "common/host/clock.h"
#include "ota-server/service/download_hold.h"
#include "ota-server/shell/keyfile.h"
#include "ota-server/shell/server.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE (SERVER_PATH_SIZE + 64)

static int fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return EXIT_FAILURE;
}

static bool path_of(const char *folder, const char *name, char path[NAME_SIZE])
{
    const int len = snprintf(path, NAME_SIZE, "%s/%s", folder, name);
    return len > 0 && len < SERVER_PATH_SIZE;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool sync_path(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_synced;
}

static bool end_file(FILE *file, bool is_good)
{
    is_good = is_good && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && is_good;
}

static bool copy_file(const char *from, const char *to)
{
    static char block[1 << 16];
    FILE *in = fopen(from, "rbe");
    FILE *out = in != NULL ? fopen(to, "wbe") : NULL;
    bool is_good = out != NULL;
    size_t len = 1;
    while (is_good && len > 0) {
        len = fread(block, 1, sizeof block, in);
        is_good = ferror(in) == 0 && fwrite(block, 1, len, out) == len;
    }
    if (in != NULL)
        (void)fclose(in);
    return out != NULL && end_file(out, is_good);
}

// --- making ----------------------------------------------------------------------------------

struct names {
    char data_database[NAME_SIZE], data_checkpoints[NAME_SIZE];
    char database[NAME_SIZE], new_database[NAME_SIZE];
    char checkpoints[NAME_SIZE], new_checkpoints[NAME_SIZE];
    char restored[NAME_SIZE], restored_checkpoints[NAME_SIZE];
};

static bool name_all(const struct server_settings *s, const char *backup, struct names *n)
{
    const char *data = s->data;
    const char *folder = s->checkpoint_folder[0] != '\0' ? s->checkpoint_folder : data;
    return path_of(data, "registry.db", n->data_database) &&
           path_of(folder, "checkpoints", n->data_checkpoints) &&
           path_of(backup, "registry.db", n->database) &&
           path_of(backup, "registry.db.new", n->new_database) &&
           path_of(backup, "checkpoints", n->checkpoints) &&
           path_of(backup, "checkpoints.new", n->new_checkpoints) &&
           path_of(data, "registry.db.new", n->restored) &&
           path_of(folder, "checkpoints.new", n->restored_checkpoints);
}

// One state of the database, checked page by page.
static int copy_database(const struct server_settings *s, const struct server_keys *keys,
                         const struct server_crypto *crypto, const struct names *n)
{
    struct store *reader = server_store_open(s, keys, crypto, true);
    if (reader == NULL)
        return EXIT_FAILURE;
    (void)unlink(n->new_database); // of one that was cut off
    enum store_status status = store_copy(reader, n->new_database);
    if (status != STORE_OK)
        (void)fail(n->new_database, store_problem(reader));
    store_close(reader);
    struct store_options options = {.path = n->new_database,
                                    .is_reader = true,
                                    .ota_master = keys->ota,
                                    .network_master = keys->network,
                                    .pseudonym_key = keys->pseudonym,
                                    .crypto = &crypto->store};
    struct store *copy = NULL;
    if (status == STORE_OK)
        status = store_open(&options, &copy);
    if (status == STORE_OK)
        status = store_judge(copy);
    store_close(copy);
    secret_wipe(&options, sizeof options);
    if (status == STORE_OK && sync_path(n->new_database))
        return EXIT_SUCCESS;
    (void)unlink(n->new_database);
    return fail(n->new_database, "the copy is not whole");
}

static int put_in_place(const struct names *n, const char *folder)
{
    if (is_there(n->data_checkpoints) && (!copy_file(n->data_checkpoints, n->new_checkpoints) ||
                                          rename(n->new_checkpoints, n->checkpoints) != 0))
        return fail(n->checkpoints, strerror(errno));
    if (rename(n->new_database, n->database) != 0 || !sync_path(folder))
        return fail(n->database, strerror(errno));
    return EXIT_SUCCESS;
}

int backup_make(const struct server_settings *settings, const struct server_keys *keys,
                const char *to)
{
    static struct names names;
    struct server_crypto crypto;
    if (mkdir(to, 0700) != 0 && errno != EEXIST)
        return fail(to, strerror(errno));
    if (!name_all(settings, to, &names))
        return fail(to, "this path is too long");
    if (!server_crypto_open(&crypto))
        return fail("OpenSSL", "an algorithm is missing");
    int code = copy_database(settings, keys, &crypto, &names);
    server_crypto_close(&crypto);
    if (code == EXIT_SUCCESS)
        code = put_in_place(&names, to);
    if (code == EXIT_SUCCESS)
        (void)printf("made %s\nkeep %s elsewhere: the backup opens with it alone\n", names.database,
                     settings->key_file);
    return code;
}

// --- putting back ----------------------------------------------------------------------------

// What is left of the checkpoints, else those of the backup.
static const char *old_checkpoints(const struct names *n)
{
    return is_there(n->data_checkpoints) ? n->data_checkpoints : n->checkpoints;
}

// Opens the copy as the server will, so that a mistake shows while the old database is in place.
static int prepare_database(const struct server_keys *keys, const struct names *n)
{
    char lock[NAME_SIZE + 8];
    const char *path = n->restored;
    struct server_crypto crypto;
    struct store *store = NULL;
    if (!server_crypto_open(&crypto))
        return fail("OpenSSL", "an algorithm is missing");
    struct store_options options = {.path = path,
                                    .ota_master = keys->ota,
                                    .network_master = keys->network,
                                    .pseudonym_key = keys->pseudonym,
                                    .crypto = &crypto.store};
    enum store_status status = store_open(&options, &store);
    if (status == STORE_OK)
        status = store_judge(store);
    if (status == STORE_OK)
        status = store_checkpoints_keep(store, old_checkpoints(n), n->restored_checkpoints);
    if (status == STORE_OK)
        status = store_put_back(store, clock_utc());
    store_close(store);
    server_crypto_close(&crypto);
    secret_wipe(&options, sizeof options);
    (void)snprintf(lock, sizeof lock, "%s.writer", path);
    (void)unlink(lock);
    if (status != STORE_OK)
        return fail(path, server_store_text(status));
    return sync_path(path) ? EXIT_SUCCESS : fail(path, strerror(errno));
}

static bool move_aside(const char *path, const char *time)
{
    char aside[NAME_SIZE + 32];
    (void)snprintf(aside, sizeof aside, "%s.before-%s", path, time);
    return !is_there(path) || rename(path, aside) == 0;
}

// The old database stays in its place until the new one takes it; its log must be gone by then, for
// it would be read into the new one.
static bool swap(const char *data, const char *path, const char *new, const char *time)
{
    char name[NAME_SIZE + 32];
    char aside[NAME_SIZE + 32];
    (void)snprintf(aside, sizeof aside, "%s.before-%s", path, time);
    if (is_there(path) && link(path, aside) != 0)
        return false;
    (void)snprintf(name, sizeof name, "%s-wal", path);
    (void)snprintf(aside, sizeof aside, "%s.before-%s-wal", path, time);
    if (is_there(name) && rename(name, aside) != 0)
        return false;
    (void)snprintf(name, sizeof name, "%s-shm", path);
    if (is_there(name) && unlink(name) != 0)
        return false;
    return rename(new, path) == 0 && sync_path(data);
}

int backup_restore(const struct server_settings *settings, const struct server_keys *keys,
                   const char *from)
{
    static struct names names;
    char log[NAME_SIZE + 8];
    char time[UTC_TEXT_SIZE];
    if (!name_all(settings, from, &names))
        return fail(from, "this path is too long");
    (void)snprintf(log, sizeof log, "%s-wal", names.database);
    if (is_there(log))
        return fail(from, "this is a copy of a database in use and not a backup; make one with "
                          "`ota-server backup`");
    if (!copy_file(names.database, names.restored))
        return fail(names.database, strerror(errno));
    const int code = prepare_database(keys, &names);
    if (code != EXIT_SUCCESS)
        return code;
    utc_format_name(clock_utc(), time);
    const bool is_replaced = is_there(names.data_database) || is_there(names.data_checkpoints);
    if (!swap(settings->data, names.data_database, names.restored, time) ||
        !move_aside(names.data_checkpoints, time) ||
        rename(names.restored_checkpoints, names.data_checkpoints) != 0)
        return fail(settings->data, strerror(errno));
    (void)printf("restored %s\n", names.data_database);
    if (is_replaced)
        (void)printf("what was there has .before-%s behind its name\n", time);
    (void)printf("next: start the server; it audits every card, and holds downloads until then\n");
    return EXIT_SUCCESS;
}

// --- what a restore holds --------------------------------------------------------------------

static enum store_status free_downloads(struct store *store, const char *reason, bool *are_held)
{
    struct utc since;
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = download_hold_since(store, &since);
    *are_held = status == STORE_OK && since.ms != 0;
    if (*are_held)
        status = download_hold_end(store, reason, clock_utc());
    if (status == STORE_OK)
        return store_commit(store);
    store_rollback(store);
    return status;
}

int backup_free_downloads(const struct server_settings *settings, const struct server_keys *keys,
                          const char *reason)
{
    struct server_crypto crypto;
    bool are_held = false;
    if (!server_crypto_open(&crypto))
        return fail("OpenSSL", "an algorithm is missing");
    struct store *store = server_store_open(settings, keys, &crypto, false);
    enum store_status status = STORE_FAILED;
    if (store != NULL)
        status = free_downloads(store, reason, &are_held);
    store_close(store);
    server_crypto_close(&crypto);
    if (store == NULL)
        return EXIT_FAILURE; // it said why
    if (status != STORE_OK)
        return fail(settings->data, server_store_text(status));
    if (!are_held)
        return fail(settings->data, "no download is held");
    (void)printf("downloads leave again\nnext: start the server\n");
    return EXIT_SUCCESS;
}

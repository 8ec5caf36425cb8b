#include "ota-server/shell/body_command.h"

#include "ota-server/service/api_text.h"
#include "ota-server/service/import_body.h"
#include "ota-server/shell/server.h"
#include "ota-server/shell/server_crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return EXIT_FAILURE;
}

static int write_file(const struct server_settings *settings, struct crypto *crypto,
                      const struct import_body *body, const char *to)
{
    char folder[SERVER_PATH_SIZE];
    if (!server_path(settings, "uploads", folder))
        return fail(settings->data, "this path is too long");
    const int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL)
        return fail(to, strerror(errno));
    const bool is_read = import_body_read(crypto, folder, body, file);
    if (fclose(file) == 0 && is_read)
        return EXIT_SUCCESS;
    (void)unlink(to);
    return fail(to, "what is kept of the file is missing or damaged, or the disk is full");
}

static int find(const struct server_settings *settings, struct import_target *target,
                const char *to)
{
    struct import_body body;
    int code = EXIT_FAILURE;
    switch (import_body_get(target, &body)) {
    case STORE_OK:
        code = write_file(settings, target->crypto, &body, to);
        secret_wipe(&body, sizeof body);
        return code;
    case STORE_NONE:
        return fail("import-file", "nothing is kept of such an import: files are for 30 days, of "
                                   "imports that were no dry run");
    case STORE_KEYS:
        return fail("import-file", server_store_text(STORE_KEYS));
    case STORE_BUSY:
    case STORE_CONFLICT:
    case STORE_FULL:
    case STORE_LOST:
    case STORE_FAILED:
    case STORE_NEWER:
    case STORE_FORM:
    case STORE_MOVING:
        break;
    }
    return fail("import-file", store_problem(target->store));
}

int body_command(const struct server_settings *settings, const struct server_keys *keys,
                 const char *import, const char *to)
{
    struct server_crypto own;
    struct import_target target = {.key = &keys->client};
    if (!api_id_read(bytes_of_text(import), "imp", &target.import))
        return fail(import,
                    "no import has such an id: imp_ and 26 characters, of which one is mistyped");
    if (!server_crypto_open(&own))
        return fail("OpenSSL", "an algorithm is missing");
    target.crypto = own.crypto;
    target.store = server_store_open(settings, keys, &own, true);
    const int code = target.store != NULL ? find(settings, &target, to) : EXIT_FAILURE;
    store_close(target.store);
    server_crypto_close(&own);
    return code;
}

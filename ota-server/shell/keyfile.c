#include "ota-server/shell/keyfile.h"

#include "common/base/text.h"
#include "common/host/config.h"
#include "common/host/crypto.h"
#include "common/host/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MASTER_LEN 32
#define LINE_LEN (2 * MASTER_LEN + 1) // with its line feed
#define PART_SIZE 4096

const char *keyfile_error_text(enum keyfile_error error)
{
    switch (error) {
    case KEYFILE_OK:
        break;
    case KEYFILE_MISSING:
        return "the master key is missing: make one with `ota-server init`, or name the right file";
    case KEYFILE_OPEN_TO_OTHERS:
        return "others can read the master key: make it yours alone (chmod 600)";
    case KEYFILE_DAMAGED:
        return "the master key file does not hold 64 hexadecimal digits";
    case KEYFILE_EXISTS:
        return "there is a master key already: it is never replaced";
    case KEYFILE_FAILED:
        return "the master key file cannot be read or written";
    }
    return "";
}

static bool write_new(const char *path)
{
    uint8_t master[MASTER_LEN];
    char text[LINE_LEN];
    struct writer w = writer_of(text, sizeof text);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    entropy_fill(master, sizeof master);
    text_hex(&w, bytes_of(master, sizeof master));
    text_put(&w, "\n");
    const bool is_written = write(fd, text, w.len) == (ssize_t)w.len && fsync(fd) == 0;
    secret_wipe(master, sizeof master);
    secret_wipe(text, sizeof text);
    return close(fd) == 0 && is_written;
}

// It gets its name when it is whole: a crash leaves a key file or none.
enum keyfile_error keyfile_make(const char *path)
{
    char part[PART_SIZE];
    const int len = snprintf(part, sizeof part, "%s.part", path);
    if (len < 0 || (size_t)len >= sizeof part)
        return KEYFILE_FAILED;
    enum keyfile_error error = KEYFILE_OK;
    if (access(path, F_OK) == 0)
        error = KEYFILE_EXISTS;
    else if (!write_new(part))
        error = KEYFILE_FAILED;
    else if (link(part, path) != 0)
        error = errno == EEXIST ? KEYFILE_EXISTS : KEYFILE_FAILED;
    (void)unlink(part);
    return error;
}

// One key for one use: HMAC-SHA-256 of the use's name under the master.
static bool derive(struct crypto *c, struct bytes master, const char *use, struct secret_key *key)
{
    uint8_t mac[CRYPTO_SHA256_SIZE];
    const struct bytes part = bytes_of_text(use);
    const bool is_made = crypto_hmac(c, master, &part, 1, mac);
    if (is_made)
        *key = secret_key_of(bytes_of(mac, sizeof mac));
    secret_wipe(mac, sizeof mac);
    return is_made;
}

static enum keyfile_error derive_all(struct bytes master, struct server_keys *keys)
{
    struct crypto *c = crypto_open();
    if (c == NULL)
        return KEYFILE_FAILED;
    const bool is_made = derive(c, master, "otaria ota keys 1", &keys->ota) &&
                         derive(c, master, "otaria network keys 1", &keys->network) &&
                         derive(c, master, "otaria pseudonyms 1", &keys->pseudonym) &&
                         derive(c, master, "otaria client secrets 1", &keys->client);
    crypto_close(c);
    return is_made ? KEYFILE_OK : KEYFILE_FAILED;
}

enum keyfile_error keyfile_read(const char *path, struct server_keys *keys)
{
    char text[LINE_LEN + 1];
    uint8_t master[MASTER_LEN];
    struct writer w = writer_of(master, sizeof master);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? KEYFILE_MISSING : KEYFILE_FAILED;
    const ssize_t len = read(fd, text, sizeof text);
    (void)close(fd);
    enum keyfile_error error = KEYFILE_DAMAGED;
    const bool has_end = len == LINE_LEN && text[LINE_LEN - 1] == '\n';
    if (!config_is_private(path))
        error = KEYFILE_OPEN_TO_OTHERS;
    else if ((len == LINE_LEN - 1 || has_end) && text_unhex(bytes_of(text, LINE_LEN - 1), &w))
        error = derive_all(writer_bytes(&w), keys);
    secret_wipe(text, sizeof text);
    secret_wipe(master, sizeof master);
    return error;
}

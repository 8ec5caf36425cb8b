#include "ota-server/service/auth_leaked.h"

#include "common/base/text.h"
#include "common/host/crypto.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS (2 * CRYPTO_SHA1_SIZE)
#define LINE_MAX_LEN 128 // with what follows the digits, and the line's end

struct list {
    int fd;
    off_t size;
};

struct line {
    off_t begin, end; // behind its line feed
    char digits[DIGITS + 1];
};

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool are_digits(const char *text, ssize_t len)
{
    for (size_t i = 0; i < DIGITS; i++) {
        if ((ssize_t)i >= len || !is_digit(text[i]))
            return false;
    }
    return len == DIGITS || !is_digit(text[DIGITS]); // no other digest is that long
}

// The line that holds the octet at `at`.
static bool read_line(const struct list *l, off_t at, struct line *line)
{
    char octets[2 * LINE_MAX_LEN];
    const off_t from = at > LINE_MAX_LEN ? at - LINE_MAX_LEN : 0;
    const ssize_t len = pread(l->fd, octets, sizeof(octets), from);
    if (len <= at - from)
        return false;
    ssize_t begin = (ssize_t)(at - from);
    while (begin > 0 && octets[begin - 1] != '\n')
        begin--;
    ssize_t end = (ssize_t)(at - from);
    while (end < len && octets[end] != '\n')
        end++;
    const bool is_whole = (begin > 0 || from == 0) && (end < len || from + len == l->size);
    if (!is_whole || !are_digits(octets + begin, end - begin))
        return false;
    memcpy(line->digits, octets + begin, DIGITS);
    line->digits[DIGITS] = '\0';
    line->begin = from + begin;
    line->end = from + end + 1;
    return true;
}

// False when it is no file, or empty.
static bool open_list(struct list *l, const char *path)
{
    struct stat s;
    l->fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool is_good = l->fd >= 0 && fstat(l->fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size > 0;
    l->size = is_good ? s.st_size : 0;
    return is_good;
}

static void close_list(const struct list *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
}

bool leaked_check(const char *path)
{
    struct list l;
    struct line first;
    struct line last;
    const bool is_good = open_list(&l, path) && read_line(&l, 0, &first) &&
                         read_line(&l, l.size - 1, &last) &&
                         strcasecmp(first.digits, last.digits) <= 0;
    close_list(&l);
    return is_good;
}

static enum leaked search(const struct list *l, const char *wanted)
{
    off_t low = 0;
    off_t high = l->size;
    while (low < high) {
        struct line line;
        if (!read_line(l, low + (high - low) / 2, &line))
            return LEAKED_UNKNOWN;
        const int order = strcasecmp(wanted, line.digits);
        if (order == 0)
            return LEAKED_YES;
        if (order < 0)
            high = line.begin;
        else
            low = line.end;
    }
    return LEAKED_NO;
}

enum leaked leaked_has(const char *path, struct bytes password)
{
    struct list l;
    uint8_t digest[CRYPTO_SHA1_SIZE];
    char wanted[DIGITS + 1];
    struct writer w = writer_of(wanted, sizeof(wanted));
    if (!crypto_sha1(password, digest))
        return LEAKED_UNKNOWN;
    text_hex(&w, bytes_of(digest, sizeof(digest)));
    (void)text_end(&w);
    const enum leaked result = open_list(&l, path) ? search(&l, wanted) : LEAKED_UNKNOWN;
    close_list(&l);
    secret_wipe(digest, sizeof(digest));
    secret_wipe(wanted, sizeof(wanted));
    return result;
}

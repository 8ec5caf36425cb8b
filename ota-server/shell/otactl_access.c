#include "ota-server/shell/otactl_access.h"

#include "common/base/secret.h"
#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 4096

static bool is_private(const char *path, int fd)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        fprintf(stderr, "otactl: credentials file %s is not a regular file\n", path);
        return false;
    }
    if ((s.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fprintf(stderr,
                "otactl: credentials file %s can be read by others (mode %03o)\n"
                "  do: chmod 600 %s, and have the secret replaced if somebody may have read it\n",
                path, (unsigned)(s.st_mode & 0777), path);
        return false;
    }
    if (s.st_uid != geteuid()) {
        fprintf(stderr, "otactl: credentials file %s belongs to another user\n", path);
        return false;
    }
    return true;
}

static bool put(char *to, size_t size, struct bytes value)
{
    if (value.len >= size)
        return false;
    bytes_copy(to, value);
    to[value.len] = '\0';
    return true;
}

static bool put_member(struct ctl_access *a, struct bytes name, struct bytes value)
{
    if (bytes_equal(name, bytes_of_text("url")))
        return put(a->url, sizeof(a->url), value);
    if (bytes_equal(name, bytes_of_text("appkey")))
        return put(a->app_key, sizeof(a->app_key), value);
    if (bytes_equal(name, bytes_of_text("appsecret")))
        return put(a->secret.text, sizeof(a->secret.text), value);
    if (bytes_equal(name, bytes_of_text("ca")))
        return put(a->ca_path, sizeof(a->ca_path), value);
    if (bytes_equal(name, bytes_of_text("certificate")))
        return put(a->certificate, sizeof(a->certificate), value);
    if (bytes_equal(name, bytes_of_text("key")))
        return put(a->key, sizeof(a->key), value);
    if (bytes_equal(name, bytes_of_text("session")))
        return put(a->session.cookie, sizeof(a->session.cookie), value);
    if (bytes_equal(name, bytes_of_text("csrf")))
        return put(a->session.csrf, sizeof(a->session.csrf), value);
    return false;
}

static enum ctl_exit read_lines(struct ctl_access *a, const char *path, struct bytes text)
{
    unsigned number = 0;
    for (size_t at = 0; at < text.len;) {
        const struct bytes line = api_until(bytes_slice(text, at, text.len), '\n');
        const struct bytes clean = api_trimmed(line);
        at += line.len + 1;
        number++;
        if (clean.len == 0 || clean.at[0] == '#')
            continue;
        const struct bytes name = api_until(clean, '=');
        if (name.len == clean.len ||
            !put_member(a, api_trimmed(name),
                        api_trimmed(bytes_slice(clean, name.len + 1, clean.len)))) {
            fprintf(stderr,
                    "otactl: credentials file %s, line %u: expected url=, appkey=, appsecret=, "
                    "ca=, certificate=, key=, session= or csrf=, with a value that fits\n",
                    path, number);
            return CTL_WRONG_USE;
        }
    }
    return CTL_DONE;
}

static enum ctl_exit read_file(struct ctl_access *a, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        fprintf(stderr, "otactl: credentials file %s: %s\n", path, strerror(errno));
        return CTL_WRONG_USE;
    }
    char text[FILE_MAX];
    enum ctl_exit exit = CTL_REFUSED;
    if (is_private(path, fd)) {
        const ssize_t len = read(fd, text, sizeof(text));
        exit = CTL_WRONG_USE;
        if (len < 0 || len == (ssize_t)sizeof(text))
            fprintf(stderr, "otactl: credentials file %s cannot be read, or is too long\n", path);
        else
            exit = read_lines(a, path, bytes_of(text, (size_t)len));
        secret_wipe(text, sizeof(text));
    }
    close(fd);
    return exit;
}

static bool take_environment(const char *name, char *to, size_t size)
{
    const char *value = getenv(name);
    if (value == NULL || *value == '\0')
        return true;
    if (put(to, size, bytes_of_text(value)))
        return true;
    fprintf(stderr, "otactl: %s is too long\n", name);
    return false;
}

// Takes the address apart the way the request line and the signature need it.
static bool split_url(struct ctl_access *a)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;
    char *query = NULL;
    const bool is_read = u != NULL && curl_url_set(u, CURLUPART_URL, a->url, 0) == CURLUE_OK &&
                         curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                         curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                         curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    bool is_right = is_read && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                    curl_url_get(u, CURLUPART_USER, &query, 0) == CURLUE_NO_USER &&
                    curl_url_get(u, CURLUPART_QUERY, &query, 0) == CURLUE_NO_QUERY;
    if (is_right) {
        for (char *c = host; *c != '\0'; c++)
            *c = text_lower(*c);
        // Gives no port when it is the scheme's default.
        (void)curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
        size_t path_len = strlen(path);
        while (path_len > 0 && path[path_len - 1] == '/')
            path[--path_len] = '\0';
        snprintf(a->authority, sizeof(a->authority), "%s%s%s", host, port != NULL ? ":" : "",
                 port != NULL ? port : "");
        snprintf(a->prefix, sizeof(a->prefix), "%s", path);
        const int len =
            snprintf(a->url, sizeof(a->url), "%s://%s%s", scheme, a->authority, a->prefix);
        is_right = len > 0 && (size_t)len < sizeof(a->url);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(u);
    return is_right;
}

static enum ctl_exit judge_key(const struct ctl_access *a, bool needs_key)
{
    const bool has_none = a->app_key[0] == '\0' && a->secret.text[0] == '\0';
    if (a->session.cookie[0] != '\0' && !has_none) {
        fprintf(stderr, "otactl: a session and an APPKEY: who asks?\n"
                        "  do: leave out one of them, OTARIA_APPKEY for the person's session\n");
        return CTL_WRONG_USE;
    }
    if (has_none && (!needs_key || a->certificate[0] != '\0' || a->session.cookie[0] != '\0'))
        return CTL_DONE;
    if (a->app_key[0] == '\0' || a->secret.text[0] == '\0') {
        fprintf(stderr, "otactl: no credentials\n"
                        "  do: set OTARIA_CREDENTIALS to a file of mode 600 with appkey= and "
                        "appsecret=, or OTARIA_APPKEY and OTARIA_APPSECRET; or log in: otactl "
                        "session open\n");
        return CTL_WRONG_USE;
    }
    if (!auth_is_app_key(bytes_of_text(a->app_key)) || strlen(a->secret.text) != AUTH_SECRET_SIZE) {
        fprintf(stderr, "otactl: an APPKEY has %u letters and digits, an APPSECRET %u characters\n",
                AUTH_APP_KEY_SIZE, AUTH_SECRET_SIZE);
        return CTL_WRONG_USE;
    }
    return CTL_DONE;
}

static enum ctl_exit judge(struct ctl_access *a, bool needs_key)
{
    if (a->url[0] == '\0') {
        fprintf(stderr, "otactl: no server address\n"
                        "  do: set OTARIA_URL, or OTARIA_CREDENTIALS to a file with url=\n");
        return CTL_WRONG_USE;
    }
    if (!split_url(a)) {
        fprintf(stderr, "otactl: the server address is not a URL like https://ota.example.com or "
                        "http://127.0.0.1:8080\n");
        return CTL_WRONG_USE;
    }
    if ((a->certificate[0] == '\0') != (a->key[0] == '\0')) {
        fprintf(stderr, "otactl: certificate= and key= go together in the credentials file\n");
        return CTL_WRONG_USE;
    }
    return judge_key(a, needs_key);
}

enum ctl_exit ctl_access_read(struct ctl_access *a, bool needs_key)
{
    *a = (struct ctl_access){0};
    const char *path = getenv("OTARIA_CREDENTIALS");
    if (path != NULL && *path != '\0') {
        const enum ctl_exit exit = read_file(a, path);
        if (exit != CTL_DONE)
            return exit;
    }
    if (!take_environment("OTARIA_URL", a->url, sizeof(a->url)) ||
        !take_environment("OTARIA_CA", a->ca_path, sizeof(a->ca_path)) ||
        !take_environment("OTARIA_APPKEY", a->app_key, sizeof(a->app_key)) ||
        !take_environment("OTARIA_APPSECRET", a->secret.text, sizeof(a->secret.text)))
        return CTL_WRONG_USE;
    return judge(a, needs_key);
}

bool ctl_access_write(const struct ctl_access *a, const struct secret_session *session,
                      const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 || fchmod(fd, 0600) != 0 ? NULL : fdopen(fd, "w");
    bool is_written = file != NULL;
    if (file == NULL && fd >= 0)
        close(fd);
    if (is_written) {
        is_written = fprintf(file, "url=%s\nsession=%s\ncsrf=%s\n", a->url, session->cookie,
                             session->csrf) > 0;
        if (a->ca_path[0] != '\0')
            is_written = fprintf(file, "ca=%s\n", a->ca_path) > 0 && is_written;
        is_written = fclose(file) == 0 && is_written;
    }
    if (!is_written)
        fprintf(stderr, "otactl: %s cannot be written: %s\n", path, strerror(errno));
    return is_written;
}

void ctl_access_wipe(struct ctl_access *a)
{
    secret_wipe(a, sizeof(*a));
}

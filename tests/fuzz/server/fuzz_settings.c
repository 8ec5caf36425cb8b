// F16: a configuration file of the server. Any text ends in settings within their limits, or in a
// reason that names the file.
#include "common/base/check.h"
#include "ota-server/shell/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_ended(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct server_settings s;
    char path[64];
    char error[SERVER_SETTINGS_ERROR_SIZE] = "";
    (void)snprintf(path, sizeof(path), "/tmp/otaria-fuzz-%ld.conf", (long)getpid());
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, data, len) == (ssize_t)len);
    (void)close(fd);
    s = (struct server_settings){.data = "data", .config = path, .speed = 1};
    const bool is_read = server_settings_read(&s, error);
    (void)unlink(path);
    check(is_ended(error, sizeof(error)));
    if (!is_read) {
        check(error[0] != '\0');
        return 0;
    }
    check(s.smsc_count <= OUTBOX_LINKS_MAX);
    for (unsigned i = 0; i < s.smsc_count; i++) {
        check(is_ended(s.smscs[i].address, sizeof(s.smscs[i].address)));
        check(is_ended(s.smscs[i].password, sizeof(s.smscs[i].password)));
        check(s.smscs[i].address[0] != '\0' && s.smscs[i].system_id[0] != '\0');
        check(s.smscs[i].window >= 1 && s.smscs[i].rate >= 1);
    }
    check(is_ended(s.listen, sizeof(s.listen)) && s.listen[0] != '\0');
    check(is_ended(s.address, sizeof(s.address)) && s.address[0] != '\0');
    check(s.policy.submit_ms > 0 && s.policy.por_ms > 0 && s.policy.validity_ms > 0);
    return 0;
}

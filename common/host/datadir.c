#include "common/host/datadir.h"

#include "common/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum datadir_error lock_in(int folder, int *lock_fd)
{
    struct stat about;
    if (fstat(folder, &about) != 0)
        return DATADIR_FAILED;
    if (about.st_uid != geteuid() || (about.st_mode & 077) != 0)
        return DATADIR_NOT_OURS;
    int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return DATADIR_FAILED;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *lock_fd = fd;
        return DATADIR_OK;
    }
    enum datadir_error error = errno == EWOULDBLOCK ? DATADIR_LOCKED : DATADIR_FAILED;
    (void)close(fd);
    return error;
}

enum datadir_error datadir_open(const char *path, int *lock_fd)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return DATADIR_CANNOT_MAKE;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return DATADIR_NOT_OURS;
    enum datadir_error error = lock_in(folder, lock_fd);
    (void)close(folder);
    return error;
}

const char *datadir_error_text(enum datadir_error error)
{
    switch (error) {
    case DATADIR_OK:
        return "in order";
    case DATADIR_CANNOT_MAKE:
        return "cannot be made";
    case DATADIR_NOT_OURS:
        return "must be a folder of this user that others cannot enter (chmod 700)";
    case DATADIR_LOCKED:
        return "another process is using it";
    case DATADIR_FAILED:
        return "cannot be used";
    }
    check(false);
}

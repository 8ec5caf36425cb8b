#include "tests/unit/server/faulty_disk.h"

#include "common/base/check.h"
#include "tests/unit/server/lost_writes.h"

#include <sqlite3.h>
#include <string.h>

struct layer {
    sqlite3_file base;
    int watched;        // by the writes that may be lost
    sqlite3_file *real; // behind this struct, as large as the engine's own
};

static sqlite3_vfs *below;
static sqlite3_vfs disk;
static enum disk_fault fault;
static uint32_t fault_at;
static uint32_t calls;
static uint32_t hits;
static bool is_lasting;

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct layer *)f)->real;
}

static bool fails(enum disk_fault kind, enum disk_fault other)
{
    if (fault != kind && fault != other)
        return false;
    calls++;
    const bool is_hit = calls == fault_at || (is_lasting && calls > fault_at);
    hits += is_hit;
    return is_hit;
}

static int close_file(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int read_file(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
    if (fails(DISK_READ_FAILS, DISK_READ_FAILS))
        return SQLITE_IOERR_READ;
    return real_of(f)->pMethods->xRead(real_of(f), to, len, at);
}

static int watched_of(const sqlite3_file *f)
{
    return ((const struct layer *)f)->watched;
}

static bool is_dark(void)
{
    return fails(DISK_LOSES_POWER, DISK_LOSES_POWER);
}

static int write_file(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
    if (is_dark())
        return SQLITE_IOERR_WRITE;
    if (fails(DISK_FULL, DISK_WRITE_FAILS))
        return fault == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    lost_writes_write(watched_of(f), from, (size_t)len, (size_t)at);
    return real_of(f)->pMethods->xWrite(real_of(f), from, len, at);
}

static int truncate_file(sqlite3_file *f, sqlite3_int64 len)
{
    if (is_dark() || fails(DISK_TRUNCATE_FAILS, DISK_TRUNCATE_FAILS))
        return SQLITE_IOERR_TRUNCATE;
    lost_writes_truncate(watched_of(f), (size_t)len);
    return real_of(f)->pMethods->xTruncate(real_of(f), len);
}

static int sync_file(sqlite3_file *f, int flags)
{
    if (is_dark() || fails(DISK_SYNC_FAILS, DISK_SYNC_FAILS))
        return SQLITE_IOERR_FSYNC;
    if (fault != DISK_LIES)
        lost_writes_sync(watched_of(f));
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *len)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), len);
}

static int lock_file(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int unlock_file(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int check_lock(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int control(sqlite3_file *f, int op, void *argument)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, argument);
}

static int sector_size(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int characteristics(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int shm_map(sqlite3_file *f, int region, int len, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), region, len, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, // without memory maps: every read and write passes here
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int open_file(sqlite3_vfs *v, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
    struct layer *l = (struct layer *)f;
    (void)v;
    l->base.pMethods = NULL;
    if (fails(DISK_OPEN_FAILS, DISK_OPEN_FAILS))
        return SQLITE_CANTOPEN;
    const bool is_kept = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
    l->watched = is_kept ? lost_writes_open(name) : LOST_WRITES_NONE;
    l->real = (sqlite3_file *)(l + 1);
    memset(l->real, 0, (size_t)below->szOsFile);
    const int code = below->xOpen(below, name, l->real, flags, out);
    l->base.pMethods = l->real->pMethods == NULL ? NULL : &methods;
    return code;
}

static int delete_file(sqlite3_vfs *v, const char *name, int sync_dir)
{
    (void)v;
    if (is_dark())
        return SQLITE_IOERR_DELETE;
    lost_writes_delete(name);
    return below->xDelete(below, name, sync_dir);
}

void faulty_disk_install(void)
{
    below = sqlite3_vfs_find(NULL);
    check(below != NULL);
    disk = *below;
    disk.szOsFile = (int)sizeof(struct layer) + below->szOsFile;
    disk.zName = "faulty";
    disk.xOpen = open_file;
    disk.xDelete = delete_file;
    check(sqlite3_vfs_register(&disk, 1) == SQLITE_OK);
}

void faulty_disk_set(enum disk_fault kind, uint32_t at_call, bool lasts)
{
    fault = kind;
    fault_at = at_call;
    is_lasting = lasts;
    calls = 0;
    hits = 0;
}

uint32_t faulty_disk_hits(void)
{
    return hits;
}

uint32_t faulty_disk_calls(void)
{
    return calls;
}

// A disk that fails when told to: a layer over the database engine's own file system, for the whole
// process. Calls are counted from the moment the fault is set; the n-th and, when it lasts, every
// later one fails.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum disk_fault {
    DISK_GOOD,
    DISK_FULL, // writes find no room
    DISK_WRITE_FAILS,
    DISK_READ_FAILS,
    DISK_SYNC_FAILS,
    DISK_TRUNCATE_FAILS,
    DISK_OPEN_FAILS,
    DISK_LOSES_POWER, // the n-th write, sync or truncation and all after it do nothing, and fail
    DISK_LIES,        // syncs do nothing, and answer that they did
};

void faulty_disk_install(void); // becomes the default; once per process
void faulty_disk_set(enum disk_fault fault, uint32_t at_call, bool lasts); // at_call counts from 1
uint32_t faulty_disk_hits(void);  // calls that failed since then
uint32_t faulty_disk_calls(void); // that the fault could have met

// What a power cut leaves of files: all that was synced, and of what was written since as much as
// chance says: none of it, some writes in any order, or pieces of a write (sectors of 512 octets).
// For the files of one process, which are looked at through the faulty disk.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng;

#define LOST_WRITES_NONE (-1) // a file that is not watched

// Forgets every file. Until the next call those that are opened are watched.
void lost_writes_begin(void);
void lost_writes_end(void);
int lost_writes_open(const char *name);
void lost_writes_write(int file, const void *from, size_t len, size_t at);
void lost_writes_truncate(int file, size_t len);
void lost_writes_sync(int file);
void lost_writes_delete(const char *name);
// Makes every watched file what the cut left of it, and watches it from there.
void lost_writes_cut(struct prng *chance);
// Writes that were lost or torn so far.
uint64_t lost_writes_count(void);

// A file of passwords that leaked elsewhere: a line for each, the SHA-1 of it in 40 hexadecimal
// digits, whatever follows, sorted. The list of Have I Been Pwned has this form.
//
// Promises: of a file of any size a few pages are read for each question; nothing of it is kept.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>

// Has the file that form at its two ends?
bool leaked_check(const char *path);

enum leaked { LEAKED_NO = 0, LEAKED_YES, LEAKED_UNKNOWN };
// Is it there? UNKNOWN when the file cannot be read, or has not that form where it was looked at.
enum leaked leaked_has(const char *path, struct bytes password);

// The only place that asks for the time. Everything below the shells takes it as an argument.
#pragma once

#include "common/base/time.h"

// The monotonic clock, milliseconds since some start; never goes back.
struct instant clock_instant(void);
// The wall clock, which people and leap seconds may move.
struct utc clock_utc(void);

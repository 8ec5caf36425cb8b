// How far people's clocks are from UTC, by the system's tables of time zones (package tzdata). One
// thread alone may ask: the C library keeps one zone for the process, and nobody else uses it.
#pragma once

#include "common/base/time.h"

#define ZONE_NAME_MAX 64

// "UTC", "+08:00", or a name of the tables such as "Asia/Shanghai".
bool zone_is_known(const char *name);
// Minutes east of Greenwich at a moment; 0 for a zone that is not known.
int zone_minutes(const char *name, struct utc at);
// The same, with the first change within ZONE_AHEAD_DAYS of that moment.
#define ZONE_AHEAD_DAYS 10
struct utc_offset zone_offset(const char *name, struct utc at);

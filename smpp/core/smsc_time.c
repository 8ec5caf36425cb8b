#include "smpp/core/smsc.h"

#include "common/base/text.h"

#define TIME_LEN 16

static uint64_t two(struct bytes text, size_t at)
{
    return (uint64_t)(text.at[at] - '0') * 10 + (uint64_t)(text.at[at + 1] - '0');
}

// Days from 1970-01-01 to a date of the years 2000 to 2099, in which every fourth year is a leap
// year.
static int64_t days_to(uint64_t year, uint64_t month, uint64_t day)
{
    static const uint16_t BEFORE[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t leaps = (int64_t)((year + 3) / 4) + (year % 4 == 0 && month > 2 ? 1 : 0);
    return 10957 + (int64_t)year * 365 + leaps + BEFORE[month - 1] + (int64_t)day - 1;
}

static bool read_absolute(struct bytes text, struct utc utc, uint64_t *ms)
{
    uint64_t month = two(text, 2);
    uint64_t day = two(text, 4);
    if (month < 1 || month > 12 || day < 1 || day > 31 || two(text, 6) > 23 || two(text, 8) > 59 ||
        two(text, 10) > 59 || two(text, 13) > 48)
        return false;
    int64_t seconds = days_to(two(text, 0), month, day) * 86400 + (int64_t)two(text, 6) * 3600 +
                      (int64_t)two(text, 8) * 60 + (int64_t)two(text, 10);
    int64_t zone = (int64_t)two(text, 13) * 900; // quarters of an hour
    seconds += text.at[15] == '+' ? -zone : zone;
    int64_t at = seconds * 1000 + (text.at[12] - '0') * 100;
    *ms = at > utc.ms ? (uint64_t)(at - utc.ms) : 0;
    return true;
}

bool smsc_read_time(struct bytes text, struct utc utc, uint64_t *ms)
{
    *ms = 0;
    if (text.len == 0)
        return true;
    if (text.len != TIME_LEN || !text_is_digits(bytes_slice(text, 0, TIME_LEN - 1)))
        return false;
    uint8_t kind = text.at[TIME_LEN - 1];
    if (kind == '+' || kind == '-')
        return read_absolute(text, utc, ms);
    if (kind != 'R')
        return false;
    // Years and months of a relative time are taken as 365 and 30 days.
    uint64_t days = two(text, 0) * 365 + two(text, 2) * 30 + two(text, 4);
    *ms = (((days * 24 + two(text, 6)) * 60 + two(text, 8)) * 60 + two(text, 10)) * 1000;
    return true;
}

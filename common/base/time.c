#include "common/base/time.h"

#define MS_PER_DAY INT64_C(86400000)

static void put(char *to, int64_t value, int digits)
{
    for (int i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

void utc_format(struct utc at, char text[UTC_TEXT_SIZE])
{
    int64_t ms = at.ms < UTC_MIN_MS ? UTC_MIN_MS : at.ms > UTC_MAX_MS ? UTC_MAX_MS : at.ms;
    int64_t day = ms / MS_PER_DAY;
    int64_t rest = ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        day--;
    }
    // Days to a date in the proleptic Gregorian calendar, counted from 0000-03-01, so that the leap
    // day is the last of its year.
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * day_of_year + 2) / 153;
    int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

    const char *form = "0000-00-00T00:00:00.000Z";
    for (int i = 0; i < UTC_TEXT_SIZE; i++)
        text[i] = form[i];
    put(text, year, 4);
    put(text + 5, month, 2);
    put(text + 8, day_of_year - (153 * month_index + 2) / 5 + 1, 2);
    put(text + 11, rest / 3600000, 2);
    put(text + 14, rest / 60000 % 60, 2);
    put(text + 17, rest / 1000 % 60, 2);
    put(text + 20, rest % 1000, 3);
}

void utc_format_name(struct utc at, char text[UTC_TEXT_SIZE])
{
    int len = 0;
    utc_format(at, text);
    for (int i = 0; text[i] != '\0'; i++) {
        if (text[i] != '-' && text[i] != ':' && text[i] != '.')
            text[len++] = text[i];
    }
    text[len] = '\0';
}

#define MINUTE_MS INT64_C(60000)

static bool has_changed(const struct utc_offset *o, struct utc at)
{
    return o->changes_at.ms != 0 && at.ms >= o->changes_at.ms;
}

int64_t utc_local_ms(const struct utc_offset *o, struct utc at)
{
    return at.ms + (has_changed(o, at) ? o->then_min : o->now_min) * MINUTE_MS;
}

struct utc utc_of_local(const struct utc_offset *o, int64_t local_ms, struct utc from)
{
    const struct utc before = {local_ms - o->now_min * MINUTE_MS};
    const struct utc after = {local_ms - o->then_min * MINUTE_MS};
    if (o->changes_at.ms == 0 || (before.ms >= from.ms && !has_changed(o, before)))
        return before;
    return has_changed(o, after) ? after : o->changes_at;
}

#include "common/host/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TABLES "/usr/share/zoneinfo/"
#define HOURS_MAX 14 // Kiribati
#define DAY_S INT64_C(86400)

// "+08:00": false for what has another form.
static bool read_offset(const char *name, int *minutes)
{
    static const char form[] = "+00:00";
    int digits[6];
    for (size_t i = 0; i < 6; i++) {
        digits[i] = name[i] - '0';
        const bool is_digit = digits[i] >= 0 && digits[i] <= 9;
        if (form[i] == '0' ? !is_digit : name[i] != form[i] && !(i == 0 && name[i] == '-'))
            return false;
    }
    const int hours = digits[1] * 10 + digits[2];
    const int rest = digits[4] * 10 + digits[5];
    if (name[6] != '\0' || hours > HOURS_MAX || rest > 59)
        return false;
    *minutes = (hours * 60 + rest) * (name[0] == '-' ? -1 : 1);
    return true;
}

// Beside the tables stand other files [RFC 8536 §3.1].
static bool has_mark(const char *path)
{
    char mark[4] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    const bool is_read = fread(mark, 1, sizeof(mark), file) == sizeof(mark);
    (void)fclose(file);
    return is_read && memcmp(mark, "TZif", sizeof(mark)) == 0;
}

static bool is_table(const char *name)
{
    char path[sizeof(TABLES) + ZONE_NAME_MAX];
    struct stat file;
    if (strlen(name) == 0 || strlen(name) > ZONE_NAME_MAX || name[0] == '/' ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
            strlen(name))
        return false;
    (void)snprintf(path, sizeof(path), TABLES "%s", name);
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && has_mark(path);
}

bool zone_is_known(const char *name)
{
    int minutes = 0;
    return strcmp(name, "UTC") == 0 || read_offset(name, &minutes) || is_table(name);
}

// The variable of the environment is this text for ever, so that who reads others on another thread
// meets no change of the list.
static bool set_zone(const char *name)
{
    static char variable[sizeof("TZ=:") + sizeof(TABLES) + ZONE_NAME_MAX] = "TZ=";
    static bool is_set;
    if (!is_set && putenv(variable) != 0)
        return false;
    is_set = true;
    (void)snprintf(variable + 3, sizeof(variable) - 3, ":" TABLES "%s", name);
    tzset();
    return true;
}

// In the zone that was set last.
static int minutes_at(int64_t seconds)
{
    struct tm local;
    const time_t at = (time_t)seconds;
    return localtime_r(&at, &local) != NULL ? (int)(local.tm_gmtoff / 60) : 0;
}

int zone_minutes(const char *name, struct utc at)
{
    int minutes = 0;
    if (read_offset(name, &minutes) || !is_table(name) || !set_zone(name))
        return minutes;
    return minutes_at(at.ms / 1000);
}

// The second at which the minutes are other ones first; those at `from` are not those at `to`.
static int64_t change_between(int64_t from, int64_t to)
{
    const int before = minutes_at(from);
    while (to - from > 1) {
        const int64_t middle = from + (to - from) / 2;
        if (minutes_at(middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

struct utc_offset zone_offset(const char *name, struct utc at)
{
    const int64_t from = at.ms / 1000;
    int minutes = 0;
    if (read_offset(name, &minutes) || !is_table(name) || !set_zone(name))
        return (struct utc_offset){(int16_t)minutes, (int16_t)minutes, {0}};
    minutes = minutes_at(from);
    for (int64_t day = 0; day < ZONE_AHEAD_DAYS; day++) {
        const int64_t to = from + (day + 1) * DAY_S;
        const int then = minutes_at(to);
        if (then == minutes)
            continue;
        const int64_t change = change_between(to - DAY_S, to);
        return (struct utc_offset){(int16_t)minutes, (int16_t)minutes_at(change), {change * 1000}};
    }
    return (struct utc_offset){(int16_t)minutes, (int16_t)minutes, {0}};
}

#include "common/host/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TABLES "/usr/share/zoneinfo/"
#define HOURS_MAX 14 // Kiribati

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

static bool is_table(const char *name)
{
    char path[sizeof(TABLES) + ZONE_NAME_MAX];
    struct stat file;
    if (strlen(name) == 0 || strlen(name) > ZONE_NAME_MAX || name[0] == '/' ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
            strlen(name))
        return false;
    (void)snprintf(path, sizeof(path), TABLES "%s", name);
    return stat(path, &file) == 0 && S_ISREG(file.st_mode);
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

int zone_minutes(const char *name, struct utc at)
{
    int minutes = 0;
    struct tm local;
    const time_t seconds = (time_t)(at.ms / 1000);
    if (read_offset(name, &minutes) || !is_table(name) || !set_zone(name) ||
        localtime_r(&seconds, &local) == NULL)
        return minutes;
    return (int)(local.tm_gmtoff / 60);
}

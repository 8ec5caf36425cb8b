#include "common/host/log.h"

#include <stdio.h>

static int calls(char *to, const char *from, const unsigned char *mac)
{
    strcpy(to, from); // strcpy( in a comment is not a call
    sprintf(to, "strcat(%s)", from);
    time(NULL);
    // tidy: banned, the reason stands here
    rand();
    return memcmp(mac, to, 8) + long_name_of_a_function_that_is_long(from, "and its texts are long too");
}

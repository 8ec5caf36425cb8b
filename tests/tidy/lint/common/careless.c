// What clang-tidy must report: a copy from nowhere, and a sign that is lost.
#include <string.h>

char careless(char *to, unsigned given);

char careless(char *to, unsigned given)
{
    const char *from = given > 7 ? to + 1 : NULL;
    memcpy(to, from, given);
    to[0] += given;
    return to[0];
}

// What a pure module must not have: a call to the world, and a writable variable.
int puts(const char *text);
int impure_count(void);

static int count;

int impure_count(void)
{
    (void)puts("counting");
    return ++count;
}

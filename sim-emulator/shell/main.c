// sim-emulator COMMAND ...
#include "sim-emulator/shell/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EXIT_WRONG_USE 2

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    {"fleet", fleet_main, "many cards in devices, behind an SMSC"},
    {"reader", reader_main, "cards in PC/SC readers, through vpcd"},
    {"shell", shell_main, "cards in the hand of a tester, interactive or by scripts"},
    {"conform", conform_main, "judge the applet of any card by the protocol document"},
};

static void print_help(FILE *to)
{
    (void)fputs("usage: sim-emulator COMMAND [OPTION]...\n\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        (void)fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].what);
    (void)fputs("\nsim-emulator COMMAND --help tells more; so does man sim-emulator.\n", to);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    bool is_version = strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
    bool is_help = strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0;
    if (is_version)
        (void)puts("sim-emulator 0.1.0");
    else if (is_help)
        print_help(stdout);
    else if (*word == 0)
        print_help(stderr);
    else
        (void)fprintf(stderr, "sim-emulator: %s: no such command (sim-emulator --help)\n", word);
    return is_help || is_version ? 0 : EXIT_WRONG_USE;
}

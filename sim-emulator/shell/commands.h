// The commands of the program `sim-emulator`: each is given its words from its own name on, and
// gives the exit code.
#pragma once

int conform_main(int argc, char **argv);
int fleet_main(int argc, char **argv);
int reader_main(int argc, char **argv);
int shell_main(int argc, char **argv);

// The fleet's HTTP control: look at cards, and do things to them. Described in the program's help
// and in docs/scenarios.md.
//
// Never: authenticates; it listens where it is told, which is 127.0.0.1 unless somebody chose
// otherwise.
#pragma once

#include "sim-emulator/shell/app.h"

struct fleet_control;

enum net_error fleet_control_open(struct app *app, const char *listen,
                                  struct fleet_control **control) MUST_USE;
void fleet_control_address(const struct fleet_control *control, char text[NET_ADDRESS_TEXT_SIZE]);
void fleet_control_close(struct fleet_control *control);

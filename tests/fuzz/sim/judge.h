// The reference model beside the one card of a lab: the oracle and the shadow of the simulated
// world take the card for that of a world of one. Every call of the applet is judged between open
// and close.
#pragma once

#include "tests/unit/sim/lab.h"

void judge_open(struct lab *lab);
void judge_close(void);
// check()s that all was as the model has it.
void judge_check(void);

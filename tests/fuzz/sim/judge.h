// The reference model beside the one card of a lab: the oracle and the shadow of the simulated
// world take the card for that of a world of one. Every call of the applet is judged between open
// and close; a packet is, between before and after.
#pragma once

#include "tests/unit/sim/lab.h"

void judge_open(struct lab *lab);
void judge_close(void);
// An SMS-DELIVER is given to the card next; when true, judge_after() comes behind it.
bool judge_before(struct bytes tpdu);
void judge_after(void);
// check()s that all was as the model has it.
void judge_check(void);

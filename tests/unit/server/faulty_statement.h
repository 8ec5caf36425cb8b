// A database engine whose n-th statement fails when told to, in the middle: what an error of the
// disk or of memory does to a change, which the engine then undoes with its whole transaction.
// For the connections of the process; statements are counted in the thread that set the fault.
#pragma once

#include <stdbool.h>
#include <stdint.h>

void faulty_statement_install(void);         // before the first connection; once per process
void faulty_statement_set(uint32_t at_call); // counts from 1; 0: none fails
bool faulty_statement_was_hit(void);         // since then
const char *faulty_statement_text(void);     // the beginning of the one that was

// Memory that runs out when told to: the n-th allocation fails, once or from there on, in our code
// and in all libraries, also under the address sanitizer. Whoever links this has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Of this thread, or of all; counts from 1, anew from this call on. 0: none fails any more.
void faulty_memory_set(uint32_t at_call, bool is_lasting);
void faulty_memory_set_all(uint32_t at_call, bool is_lasting);
uint32_t faulty_memory_calls(void); // while some could fail
bool faulty_memory_was_hit(void);   // false when none fails any more

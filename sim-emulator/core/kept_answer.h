// The answer to the last script of remote management that was executed, for when its packet comes
// again: data of any length that messages carry, with the key set and counter of the packet.
//
// Promises: what is read is whole: an answer that a power cut tore, before or after, is none.
// Never: knows what the data say.
#pragma once

#include "sim-emulator/core/nvm.h"

#define KEPT_ANSWER_MAX 1088 // octets of data
#define KEPT_ANSWER_HEAD 12
// In the memory, on a page: nothing of it exists on a card that never executed a script.
#define KEPT_ANSWER_LEN                                                                            \
    ((KEPT_ANSWER_HEAD + KEPT_ANSWER_MAX + NVM_PAGE_LEN - 1) / NVM_PAGE_LEN * NVM_PAGE_LEN)

struct kept_answer {
    struct nvm *nvm;
    uint32_t offset;
};

// Of the packet with this counter under key set `set_index`, at most KEPT_ANSWER_MAX octets. False:
// the memory did not take it, and there is none, or still the former one.
bool kept_answer_write(const struct kept_answer *kept, uint8_t set_index, uint64_t counter,
                       struct bytes data);
// Adds the data; false, and nothing written, when the last script was of another packet.
bool kept_answer_read(const struct kept_answer *kept, uint8_t set_index, uint64_t counter,
                      struct writer *data) MUST_USE;

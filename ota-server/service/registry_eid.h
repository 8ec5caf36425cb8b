// EIDs of the registry, for cards without an eUICC: 89049999, the card's id as 22 digits, and two
// check digits so that the whole modulo 97 is 1 [SGP.29]. They are computed, not kept.
#pragma once

#include "common/base/bytes.h"

#define EID_DIGITS 32
#define EID_SIZE (EID_DIGITS + 1)

void registry_eid_write(uint64_t card, char text[EID_SIZE]);
// False for anything that registry_eid_write() never writes.
bool registry_eid_read(struct bytes text, uint64_t *card) MUST_USE;

// A part of a card's memory that belongs to somebody: when the owner changes, all of it is erased
// at once. Its first NVM_AREA_HEAD octets name the owner.
//
// Promises: after a power cut in the middle of a change the area is still the former owner's, or
// nobody's; the content is never one owner's under another's name.
#pragma once

#include "sim-emulator/core/nvm.h"

#define NVM_AREA_HEAD 16
#define NVM_AREA_OWNER_MAX (NVM_AREA_HEAD - 2)

struct nvm_area {
    struct nvm *nvm;
    uint32_t offset;
    uint32_t len; // head included
};

// `owner` is at most NVM_AREA_OWNER_MAX octets.
bool nvm_area_is_of(const struct nvm_area *area, struct bytes owner);
// Erases the area and gives it to `owner`; does nothing when it is the owner's already.
enum nvm_result nvm_area_take(const struct nvm_area *area, struct bytes owner) MUST_USE;

// Two octets of CRC-16 behind `len` octets: written, and tested.
void nvm_seal(uint8_t *octets, size_t len);
bool nvm_is_sealed(const uint8_t *octets, size_t len);

#include "sim-emulator/core/nvm_area.h"

#include "common/base/check.h"
#include "common/wire/crc.h"

void nvm_seal(uint8_t *octets, size_t len)
{
    uint16_t crc = crc16_add(0, bytes_of(octets, len));
    octets[len] = (uint8_t)(crc >> 8);
    octets[len + 1] = (uint8_t)crc;
}

bool nvm_is_sealed(const uint8_t *octets, size_t len)
{
    uint16_t crc = crc16_add(0, bytes_of(octets, len));
    return octets[len] == (uint8_t)(crc >> 8) && octets[len + 1] == (uint8_t)crc;
}

bool nvm_area_is_of(const struct nvm_area *area, struct bytes owner)
{
    check(owner.len <= NVM_AREA_OWNER_MAX);
    uint8_t head[NVM_AREA_HEAD];
    nvm_read(area->nvm, area->offset, head, owner.len + 2);
    return nvm_is_sealed(head, owner.len) && memcmp(head, owner.at, owner.len) == 0;
}

enum nvm_result nvm_area_take(const struct nvm_area *area, struct bytes owner)
{
    if (nvm_area_is_of(area, owner))
        return NVM_OK;
    // The name goes last: cut before it, everything is erased again.
    enum nvm_result result = nvm_erase(area->nvm, area->offset, area->len);
    if (result != NVM_OK)
        return result;
    uint8_t head[NVM_AREA_HEAD];
    memcpy(head, owner.at, owner.len);
    nvm_seal(head, owner.len);
    return nvm_write(area->nvm, area->offset, head, owner.len + 2);
}

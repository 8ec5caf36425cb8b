// The redundancy checks of secured packets [102.225 §5.1.3.2]: CRC-32 as in zlib, CRC-16 as in
// X.25. They find accidents, not attacks.
#pragma once

#include "common/base/bytes.h"

// Continues from `crc`, the value so far; 0 to begin.
uint32_t crc32_add(uint32_t crc, struct bytes octets);
uint16_t crc16_add(uint16_t crc, struct bytes octets);

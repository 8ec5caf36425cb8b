#include "common/wire/crc.h"

// Four bits at a time: a table of 16 entries is small enough for a card.
// clang-format off
static const uint32_t crc32_nibbles[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};
static const uint16_t crc16_nibbles[16] = {
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
};
// clang-format on

uint32_t crc32_add(uint32_t crc, struct bytes octets)
{
    crc = ~crc;
    for (size_t i = 0; i < octets.len; i++) {
        crc ^= octets.at[i];
        crc = crc >> 4 ^ crc32_nibbles[crc & 0x0F];
        crc = crc >> 4 ^ crc32_nibbles[crc & 0x0F];
    }
    return ~crc;
}

uint16_t crc16_add(uint16_t crc, struct bytes octets)
{
    crc = (uint16_t)~crc;
    for (size_t i = 0; i < octets.len; i++) {
        crc ^= octets.at[i];
        crc = (uint16_t)(crc >> 4 ^ crc16_nibbles[crc & 0x0F]);
        crc = (uint16_t)(crc >> 4 ^ crc16_nibbles[crc & 0x0F]);
    }
    return (uint16_t)~crc;
}

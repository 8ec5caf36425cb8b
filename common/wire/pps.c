#include "common/wire/pps.h"

#define PPSS 0xFF
#define HAS_PPS1 0x10

static uint8_t check_of(struct bytes octets)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < octets.len; i++)
        sum ^= octets.at[i];
    return sum;
}

bool pps_answer(struct bytes request, struct writer *answer)
{
    if (request.len < 3 || request.at[0] != PPSS)
        return false;
    uint8_t pps0 = request.at[1];
    size_t len = 3;
    for (uint8_t bit = HAS_PPS1; bit < 0x80; bit = (uint8_t)(bit << 1))
        len += (pps0 & bit) != 0;
    if (request.len != len || check_of(request) != 0)
        return false;
    bool is_t0 = (pps0 & 0x0F) == 0;
    bool has_speed = is_t0 && (pps0 & HAS_PPS1) != 0;
    uint8_t octets[PPS_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u8(&w, PPSS);
    writer_u8(&w, has_speed ? HAS_PPS1 : 0x00);
    if (has_speed)
        writer_u8(&w, request.at[2]);
    writer_u8(&w, check_of(writer_bytes(&w)));
    writer_copy(answer, writer_bytes(&w));
    return true;
}

#include "smpp/core/frame.h"

#include "common/base/check.h"
#include "smpp/core/pdu.h"

void smpp_frame_init(struct smpp_frame *f, void *memory, size_t cap, size_t pdu_len_max)
{
    check(pdu_len_max >= SMPP_HEADER_LEN && cap >= pdu_len_max);
    *f = (struct smpp_frame){.at = memory, .cap = cap, .pdu_len_max = pdu_len_max};
}

struct writer smpp_frame_room(struct smpp_frame *f)
{
    const size_t waiting = smpp_frame_waiting(f);
    if (f->start > 0) {
        if (waiting > 0)
            memmove(f->at, f->at + f->start, waiting);
        f->start = 0;
        f->end = waiting;
    }
    return writer_of(f->at + f->end, f->cap - f->end);
}

void smpp_frame_filled(struct smpp_frame *f, size_t len)
{
    check(len <= f->cap - f->end);
    f->end += len;
}

enum smpp_frame_result smpp_frame_peek(const struct smpp_frame *f, struct bytes *pdu)
{
    const size_t waiting = smpp_frame_waiting(f);
    if (waiting < 4)
        return SMPP_FRAME_MORE;
    const uint8_t *at = f->at + f->start;
    const uint32_t len =
        (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    if (len < SMPP_HEADER_LEN || len > f->pdu_len_max)
        return SMPP_FRAME_LOST;
    if (waiting < len)
        return SMPP_FRAME_MORE;
    *pdu = bytes_of(at, len);
    return SMPP_FRAME_OK;
}

enum smpp_frame_result smpp_frame_next(struct smpp_frame *f, struct bytes *pdu)
{
    const enum smpp_frame_result result = smpp_frame_peek(f, pdu);
    if (result == SMPP_FRAME_OK)
        f->start += pdu->len;
    return result;
}

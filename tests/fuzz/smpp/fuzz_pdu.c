// F1: any octets as a PDU. What can be read is written again the same, and libsmpp34 agrees.
#include "common/base/check.h"
#include "smpp/codec/library.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// A view into the input.
static void check_view(struct bytes view, struct bytes input)
{
    check(view.len == 0 || (view.at >= input.at && view.at + view.len <= input.at + input.len));
}

static void check_written(struct bytes octets, const struct smpp_pdu *pdu)
{
    uint8_t *memory = malloc(octets.len + 64);
    check(memory != NULL);
    struct writer w = writer_of(memory, octets.len + 64);
    struct smpp_pdu again;
    check(smpp_pdu_write(&w, pdu) == SMPP_WRITE_OK);
    check(smpp_pdu_read(writer_bytes(&w), &again) == ESME_ROK);
    // A response may lose a body that says nothing, or gain an empty one.
    if ((pdu->command & SMPP_RESPONSE) == 0)
        check(bytes_equal(writer_bytes(&w), octets));
    check(again.status == pdu->status && again.sequence == pdu->sequence);
    check(bytes_equal(again.tlvs, pdu->tlvs));
    check(bytes_equal(again.id.message_id, pdu->id.message_id));
    free(memory);
}

static void check_pdu(struct bytes octets)
{
    struct smpp_pdu pdu;
    if (smpp_pdu_read(octets, &pdu) != ESME_ROK)
        return;
    check_view(pdu.tlvs, octets);
    check_view(pdu.id.message_id, octets);
    check_view(pdu.id.failed, octets);
    check_written(octets, &pdu);
    const enum smpp_library library = smpp_library_compare(octets, &pdu);
    check(library == SMPP_LIBRARY_AGREES || library == SMPP_LIBRARY_NOT_ASKED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check_pdu(bytes_of(data, len));
    if (len < SMPP_HEADER_LEN || len > UINT16_MAX)
        return 0;
    // Most mutations break command_length: put it right and look again.
    uint8_t *copy = malloc(len);
    check(copy != NULL);
    memcpy(copy, data, len);
    copy[0] = 0;
    copy[1] = 0;
    copy[2] = (uint8_t)(len >> 8);
    copy[3] = (uint8_t)len;
    check_pdu(bytes_of(copy, len));
    free(copy);
    return 0;
}

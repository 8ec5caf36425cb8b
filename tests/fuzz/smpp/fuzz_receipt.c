// F4: any text and any TLVs as a receipt. What is found lies in the input; ids match both ways.
#include "common/base/check.h"
#include "smpp/core/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_view(struct bytes view, struct bytes input)
{
    check(view.len == 0 || (view.at >= input.at && view.at + view.len <= input.at + input.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    const struct bytes input = bytes_of(data + 1, len - 1);
    const struct smpp_pdu pdu = {
        .command = (data[0] & 1) != 0 ? SMPP_DATA_SM : SMPP_DELIVER_SM,
        .message = {.esm_class = 4, .short_message = bytes_slice(input, 0, data[0])},
        .tlvs = bytes_slice(input, data[0], input.len)};
    struct smpp_receipt r;
    check(smpp_is_receipt(&pdu));
    smpp_receipt_read(&pdu, &r);
    check_view(r.message_id, input);
    check_view(r.submit_date, input);
    check_view(r.done_date, input);
    check_view(r.error, input);
    check(r.state >= SMPP_MESSAGE_NO_STATE && r.state <= SMPP_MESSAGE_REJECTED);
    check(smpp_ids_match(r.message_id, r.done_date) == smpp_ids_match(r.done_date, r.message_id));
    check(r.message_id.len == 0 || smpp_ids_match(r.message_id, r.message_id));
    return 0;
}

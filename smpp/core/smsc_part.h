// What the parts of the SMSC say to each other; see smsc.h.
#pragma once

#include "smpp/core/smsc.h"

// A message_id as it stands on the wire: 10 digits at least, decimal or hexadecimal.
void smsc_write_id(struct writer *w, uint64_t id, bool is_hex);
// The receipt of a message that says that it is delivered, whatever becomes of it; no other
// follows.
void smsc_receipt_early(struct smsc *s, uint32_t message);
// A receiver answered the delivery with this tag.
void smsc_delivered(struct smsc *s, uint64_t tag, uint32_t status);

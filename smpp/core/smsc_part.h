// What the parts of the SMSC say to each other; see smsc.h.
#pragma once

#include "smpp/core/smsc.h"

// A message_id as it stands on the wire: 10 digits at least.
void smsc_write_id(struct writer *w, uint64_t id);
// A receiver answered the delivery with this tag.
void smsc_delivered(struct smsc *s, uint64_t tag, uint32_t status);

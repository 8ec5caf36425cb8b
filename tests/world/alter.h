// What becomes of a message between the message centre and a card: it is altered, a part of it
// comes among those of another packet, or all its parts become one message.
#pragma once

#include "common/wire/sms.h"
#include "tests/world/deed.h"

#define MERGED_MAX 254 // octets of short_message

struct world;

struct air_message {
    bool is_used;
    bool is_copy; // made on the way: it tells nothing that is not told by another
    uint8_t len;
    uint64_t number; // MT: destination, MO: source
    uint32_t card;
    uint32_t version; // MO: of the registry that it tells of; 0: unknown
    uint8_t tpdu[SMS_SUBMIT_MAX + 16];
    // MO, as the message centre made it of several: longer than any that is sent. Empty: as in the
    // TPDU.
    uint8_t merged_len;
    uint8_t merged[MERGED_MAX];
};

// A packet whose parts the message centre hands on as one message.
struct merging {
    bool is_on;
    bool has_header; // the other elements of that of the first
    uint16_t reference;
    uint8_t total, count;
    uint8_t lens[SMS_PARTS_MAX];
    uint8_t texts[SMS_PARTS_MAX][SMS_USER_DATA_MAX];
};

// A part of several that comes among those of the next packet.
struct mixed {
    bool is_kept;
    bool is_behind; // or in front of the first of them
    struct air_message message;
};

enum alteration {
    ALTER_OCTET,     // any one of the user data
    ALTER_CODING,    // it is a text then, for the device
    ALTER_PROTOCOL,  // and no data download
    ALTER_INDICATOR, // there is no header, it says
    ALTER_HEADER,    // it is written anew, and does not say any more that there are other parts
    ALTER_END,       // cut off
};
#define ALTERATIONS 6
// `is_deliver`: to the card.
void alter(struct world *w, struct air_message *m, bool is_deliver, const struct deed *deed);
// Is it a part of a packet that becomes one message? The last one of them is that message then.
bool alter_merge(struct world *w, uint32_t card, struct air_message *m, bool is_deliver,
                 enum deed_kind kind);
// Is it a part that is kept for the next packet?
bool alter_keep(struct world *w, uint32_t card, const struct air_message *m, bool is_deliver,
                enum deed_kind kind);
// A message of a card goes on: does one that was kept come with it? In `out`, in front or behind.
bool alter_mix(struct world *w, uint32_t card, const struct air_message *m, bool is_deliver,
               struct air_message *out, bool *is_behind);

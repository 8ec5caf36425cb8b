// The reference model beside the card (oracle.c): what becomes of the packets that it is sent.
#pragma once

#include "common/base/bytes.h"
#include "common/wire/sms.h"

struct applet;
struct applet_dump;
struct applet_port;
struct model_card;
struct secured_packet;
struct world;

// A message to a card. Is it, or does it end, a packet?
bool oracle_open(struct world *w, uint32_t card, struct bytes tpdu);
// Was the MAC of the one that was opened last right? Its level, TAR and counter need not be.
bool oracle_has_mac(void);
// Its counter and command, or 0 where nobody can read them.
uint64_t oracle_counter(void);
uint8_t oracle_command(void);
// A command packet, also a notification, of the keys of this card: true when its MAC is right. In
// `room` are then its octets in clear; of `out` SPI, KIc, KID, TAR, counter and data are set.
bool oracle_read(const struct world *w, uint32_t card, struct bytes octets,
                 uint8_t room[SMS_PACKET_MAX], struct secured_packet *out);
struct oracle_step {
    const struct applet *before, *after;
    const struct applet_dump *before_dump, *after_dump;
    const struct applet_port *port;
    bool has_written; // anything
    bool has_failed;  // its memory
};
// What the card did of the packet that was opened last; the model is in the state before.
void oracle_packet(struct world *w, uint32_t card, const struct oracle_step *step,
                   struct model_card *model);
// A time that the card draws, or of which it alone knows how much has passed, may be over at once.
void oracle_follow(struct model_card *model, const struct applet *applet);
// The model in the state of a card.
void oracle_take(const struct world *w, uint32_t card, const struct applet *applet,
                 const struct applet_dump *dump, struct model_card *model);

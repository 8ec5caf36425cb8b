// Security of what arrives and of what leaves, for the one key set of the card [102.225, 31.115].
//
// In this order: shape, key set, deciphering, MAC; then TAR and level, counter; the counter is
// committed; then the command runs; then the answer. Until the MAC is right the card is silent and
// counts a failure; after 16 in a row it is deaf for 60 s, then twice as long, up to 1 h.
#pragma once

#include "applet/rules.h"

// Takes a whole command packet. What to answer is left in a->answer.
enum packet_verdict {
    PACKET_SILENT = 0, // not believed, or no answer wanted
    PACKET_ANSWER,     // a->answer is to be sent
    PACKET_TELLTALE,   // talkative test cards: an unsecured answer with the status of a->answer
};
enum packet_verdict packet_take(struct applet *a, const struct applet_port *port,
                                struct bytes packet) MUST_USE;
// Writes the response packet for a->answer, at most `room` octets. The workspace must hold the
// image.
bool packet_write_answer(struct writer *w, const struct applet *a, const struct applet_port *port,
                         size_t room) MUST_USE;
// Writes the command packet of a notification under this MO counter.
bool packet_write_notification(struct writer *w, const struct applet_port *port, uint64_t counter,
                               const struct notification *n) MUST_USE;

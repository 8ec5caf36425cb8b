// Exchanges with cards in the forms that protocol analysers read: GSMTAP datagrams (type SIM
// [Osmocom gsmtap.h]), sent over UDP, or in a pcapng file as what was sent over UDP on the loopback
// address.
//
// An exchange has the form of T=0: CLA INS P1 P2 P3, data of the command or of the answer, status
// word. A command with data and an answer is two of them, the second one GET RESPONSE.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#include <stdio.h>

#define CAPTURE_PORT 4729 // of GSMTAP

// NULL when the file cannot be made. A line of text can stand with each packet.
FILE *capture_open(const char *path) MUST_USE;
void capture_write(FILE *file, struct bytes gsmtap, struct utc at);

enum capture_kind {
    CAPTURE_APDU = 0,
    CAPTURE_ATR = 1,
};
// Header and content of one datagram; `card` numbers the cards from 0.
void capture_gsmtap(struct writer *w, enum capture_kind kind, uint32_t card, struct bytes content);

// Slots of PC/SC readers: cards as ICCs of vsmartcard's vpcd, the reader driver of pcscd. Its
// protocol: a length of two octets, then one octet of control (0 power off, 1 power on, 2 reset, 4
// asks for the ATR, the only one with an answer), or a command APDU, whose answer has the same
// form.
//
// Cards connect to vpcd, and try again every second while it is not there; a card that is taken
// out, or loses its power, ends its connection. Or cards listen, and vpcd connects to them in its
// reversed mode. Debian's vpcd stops pcscd when such a connection ends, so a card that is out stays
// connected as one that answers nothing of use; and because that vpcd asks for two slots, there are
// always at least two, the second one empty if there is one card.
//
// Promises: the card speaks T=0: 61 xx and GET RESPONSE, 6C xx, PPS; what it wrote is in its
// memory before the answer leaves. A message that is no APDU is answered with 67 00.
#pragma once

#include "sim-emulator/shell/app.h"

// NULL with a reason.
struct slots *slots_open(struct app *app, char error[CARDS_ERROR_SIZE]) MUST_USE;
void slots_close(struct slots *slots);
// Where the first card listens, or where vpcd is.
void slots_address(const struct slots *slots, char text[NET_ADDRESS_TEXT_SIZE]);
// Puts a card in or takes it out. Out: it has no power any more.
void slots_put(struct slots *slots, uint32_t number, bool is_in);
bool slots_has(const struct slots *slots, uint32_t number);

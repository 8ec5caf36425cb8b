// Protocol and parameters selection [ISO 7816-3 §9, 102.221 §6.3.2]: what a terminal may send as
// the first thing after an ATR, FF PPS0 [PPS1] [PPS2] [PPS3] PCK, and what the card answers to it.
//
// Never: changes a transmission. There is none to change where octets come in whole messages.
#pragma once

#include "common/base/bytes.h"

#define PPS_MAX 6

// False when this is no request: FF, the right length for PPS0, and a right check octet. Else the
// answer: T=0 is agreed to, with PPS1 as asked; another protocol is answered with T=0 alone, and
// PPS2 and PPS3 are left out.
bool pps_answer(struct bytes request, struct writer *answer) MUST_USE;

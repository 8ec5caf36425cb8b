// What octets of cards and packets mean, as one line of text for people: status words, commands,
// the security header of a packet, and the applet's commands, results and notifications.
//
// Never: shows a key, a wrapped key, a check value or a MAC. Identifiers come in clear: this is for
// the traces of a laboratory.
#pragma once

#include "common/wire/apdu.h"
#include "common/wire/command.h"
#include "common/wire/remote.h"
#include "common/wire/secured.h"

// "SELECT", or "INS F1".
void show_instruction(struct writer *w, uint8_t ins);
// "file not found", "proactive command of 31 octets waits", or nothing for an unknown one.
void show_status_word(struct writer *w, uint16_t sw);
// "SPI 16 39: CC, ciphered, counter higher; PoR always, by SMS-SUBMIT, CC, ciphered"
void show_spi(struct writer *w, uint8_t spi1, uint8_t spi2);
// "KIc 12: AES, key set 1"
void show_kic(struct writer *w, uint8_t kic);
void show_kid(struct writer *w, uint8_t spi1, uint8_t kid);
// "TAR 534D01"
void show_tar(struct writer *w, uint32_t tar);
// "CNTR 21", in decimal.
void show_cntr(struct writer *w, uint64_t cntr);
// "PoR 02: CNTR low"
void show_por_status(struct writer *w, uint8_t status);

// "script: SELECT 0004 3F00; READ BINARY 0000 for 10". What is read and written is not told, but
// for the names of files: it may be secret.
void show_script(struct writer *w, struct bytes script);
// "2 executed, the last 9000 done with 10"
void show_script_result(struct writer *w, enum remote_format format, struct bytes answer);

// "DOWNLOAD operation 7: template 1, ICCID .., IMSI .., keys of 32 octets (not shown)"
void show_command(struct writer *w, const struct command *command);
// "DOWNLOAD operation 7: OK, REGV 5, hash 6a49af01, slot 2, 6 free"
void show_result(struct writer *w, const struct result *result);
void show_notification(struct writer *w, const struct notification *notification);
// "ENABLED", "EMPTY" ...; for other values their number would be wrong, so "?".
const char *show_slot_state(uint8_t state);
const char *show_switch_state(uint8_t state);

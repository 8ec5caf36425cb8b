// Inside of a card: one command under way, and the functions that execute commands. Not for users
// of card.h.
#pragma once

#include "sim-emulator/core/card.h"

#define CLA_GSM 0xA0
// P1 of SELECT, ACTIVATE FILE and DEACTIVATE FILE.
enum {
    BY_IDENTIFIER = 0x00,
    CHILD_FOLDER = 0x01,
    PARENT_FOLDER = 0x03,
    BY_NAME = 0x04,
    PATH_FROM_MF = 0x08,
    PATH_FROM_CURRENT = 0x09,
};
#define SW_GSM_RESPONSE 0x9F00 // 9F xx [51.011 §9.4]

struct call {
    struct card *card;
    struct applet_port port;
    struct apdu apdu;
    struct writer *response;
    struct card_channel *channel;
    struct uicc_files files;
    // The terminal's, on whatever channel [102.221 §11.1.9.1.1]; a script has its own.
    struct uicc_pins *pins;
    uint8_t granted;              // PINs that need not be given: a remote administrator's
    struct card_changes *changes; // of a script; NULL: the terminal's doing
    bool is_exact;                // T=0: Le says exactly how many octets come
};

// SW_OK, or 6C xx when Le does not fit an answer of `len` octets that cannot be given in part.
uint16_t call_check_le(const struct call *call, size_t len);
// Whether the access rules let this be done with the file.
bool call_may(const struct call *call, const struct uicc_file *file, struct uicc_access access);
// SW_OK, 6984 for a deactivated file, or 6982.
uint16_t call_check(const struct call *call, const struct uicc_file *file,
                    struct uicc_access access);
// The EF that a command means, by short identifier when it is not 0 (and then it becomes the
// current one), else the current one.
uint16_t call_file(const struct call *call, uint8_t short_identifier, struct uicc_file *out);
// The status word for what the memory said.
uint16_t call_written(enum nvm_result result);
// After a file was read or written by the terminal: the applet watches some of them.
void call_was_read(struct call *call, const struct uicc_file *file);
void call_was_written(struct call *call, const struct uicc_file *file);

// The file with this identifier as seen from a folder [102.221 §8.4.1].
bool call_reach(const struct call *call, uint8_t folder, uint16_t identifier,
                struct uicc_file *out);
void call_take(struct call *call, const struct uicc_file *file);
// The file at the end of a path from a folder: SW_OK, or what is wrong with the path.
uint16_t call_walk(const struct call *call, uint8_t folder, struct bytes path,
                   struct uicc_file *file);

const struct card_product *call_product(const struct card *card);
struct uicc_pin_store call_pin_store(struct card *card);

// card_select.c
uint16_t call_select(struct call *call);
uint16_t call_status(struct call *call);
uint16_t call_manage_channel(struct call *call);
// card_files.c
uint16_t call_read_binary(struct call *call);
uint16_t call_update_binary(struct call *call);
uint16_t call_read_record(struct call *call);
uint16_t call_update_record(struct call *call);
uint16_t call_increase(struct call *call);
// card_search.c
uint16_t call_search_record(struct call *call);
// card_admin.c
uint16_t call_activate(struct call *call);
uint16_t call_deactivate(struct call *call);
uint16_t call_create(struct call *call);
uint16_t call_delete(struct call *call);
uint16_t call_resize(struct call *call);
// card_pins.c
uint16_t call_verify(struct call *call);
uint16_t call_change(struct call *call);
uint16_t call_disable(struct call *call);
uint16_t call_enable(struct call *call);
uint16_t call_unblock(struct call *call);
// card_usim.c
uint16_t call_authenticate(struct call *call);
uint16_t call_get_challenge(struct call *call);
// SRES and Kc of RAND, for class A0.
uint16_t call_gsm_algorithm(struct call *call, const uint8_t *rand);
// card_toolkit.c
uint16_t call_terminal_profile(struct call *call);
uint16_t call_terminal_capability(struct call *call);
uint16_t call_envelope(struct call *call);
uint16_t call_fetch(struct call *call);
uint16_t call_terminal_response(struct call *call);
// The terminal polled: one period has passed.
void call_status_passed(struct call *call);
// Octets of the proactive command that waits, 0 = none.
size_t call_waiting(struct call *call);
// card_gsm.c
uint16_t call_gsm(struct call *call);
// card_remote.c: whether the message is one of remote management; then it is dealt with, and
// `report` has the user data of the delivery report, if any.
bool call_remote(struct call *call, struct bytes tpdu, struct writer *report);
// Gives up the parts of long packets.
void remote_drop_parts(struct card *card);
// A packet for this target: executes it and writes its answer's data.
void remote_run(struct call *call, const struct product_target *target, struct bytes script,
                struct writer *answer);
// card_outbox.c: takes a response packet to send to the server. False: no room, or the terminal
// cannot send.
bool outbox_put(struct call *call, struct bytes packet);
// Tells the terminal of changed files, unless it does no REFRESH or there is no room.
void outbox_refresh(struct call *call, const struct card_changes *changes);
void outbox_drop(struct card *card);
// One polling period has passed.
void outbox_wait(struct card *card);
bool outbox_has(const struct card *card);
// Octets of the proactive command that it wants to give, 0 = none; that command; its answer.
size_t outbox_waiting(struct call *call);
void outbox_write(struct call *call, struct writer *w);
void outbox_answered(struct call *call, struct bytes response);

struct sms_joiner *call_joiner(struct card_shop *shop, const void *owner, bool wanted);

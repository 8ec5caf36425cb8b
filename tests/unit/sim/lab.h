// A small world for tests, fuzzing and measuring: cards with two subscriptions (001 01, enabled and
// fallback; 001 02), two networks, and a server's hand that writes commands and reads answers.
// Everything is a function of the number of cards and of what is done to it.
#pragma once

#include "common/wire/command.h"
#include "common/wire/secured.h"
#include "sim-emulator/core/fleet.h"

#define LAB_MESSAGES_MAX 32
#define LAB_TAR 0x534D01

// What a card sent: a response packet or a notification, deciphered and verified.
struct lab_message {
    uint64_t source;
    enum sms_packet_kind kind;
    uint8_t status; // of a response
    uint8_t data[SMS_PACKET_MAX];
    size_t data_len;
};

struct lab {
    struct cipher cipher;
    struct card_shop shop;
    struct radio radio;
    struct scenario scenario;
    struct fleet fleet;
    struct applet_template templates[1];
    struct applet_factory *factories;
    struct slot *slots;
    struct device *devices;
    struct fleet_entry *heap;
    uint32_t *places;
    struct nvm_page *pages;
    size_t page_count;
    struct instant now;
    uint64_t counter;               // of the last packet
    struct secured_command command; // the last one
    uint32_t operation_id;
    struct lab_message messages[LAB_MESSAGES_MAX];
    unsigned message_count;
};

// The scenario's text, or NULL: area "home" receives 00101 and 00102, each open to its own IMSIs.
void lab_open(struct lab *lab, uint32_t cards, const char *scenario);
void lab_close(struct lab *lab);
// Lets the time pass, event by event.
void lab_run(struct lab *lab, uint64_t ms);
// The user data of one message with this command; `user_data` has SMS_USER_DATA_MAX octets of room.
void lab_packet(struct lab *lab, uint32_t card, const struct command *command,
                struct writer *user_data);
// The SMS-DELIVER around it.
void lab_tpdu(struct bytes user_data, struct writer *tpdu);
// Sends a command to a card by its number of subscription `slot` (0 or 1).
enum fleet_delivery lab_send(struct lab *lab, uint32_t card, unsigned slot,
                             const struct command *command);
// ENABLE, CONFIRM, AUDIT, ready to send.
struct command lab_enable(struct lab *lab, unsigned slot);
struct command lab_confirm(uint32_t sequence, uint32_t operation_id);
struct command lab_audit(void);
// IMSI of card `card`, from 0, in slot 0 or 1.
void lab_imsi(uint32_t card, unsigned slot, char imsi[IMSI_SIZE]);
uint64_t lab_number(uint32_t card, unsigned slot);
// The first notification with this cause after `*from`, which moves behind it.
bool lab_find_notification(const struct lab *lab, unsigned *from, uint8_t cause,
                           struct notification *out);
// The last result that a card sent.
bool lab_last_result(const struct lab *lab, struct result *out);

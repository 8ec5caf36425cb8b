// What happens between a terminal and a card, told for people: each command and its answer, what
// they mean, down to what a secured packet carries, and the applet's state before and after where
// it changed.
//
// Promises: nothing secret is told. PINs, the keys in answers of AUTHENTICATE, and what is read
// from and written to files of keys are blanked to zeros; so is every key of the card and its
// product, what stands in its files of keys, and the keys of the last sessions, wherever they would
// stand. A packet is opened with the card's keys, so its content can be read although it was
// ciphered. Never: allocates, changes a card, or tells a key.
#pragma once

#include "common/wire/remote.h"
#include "common/wire/secured.h"
#include "common/wire/sms.h"
#include "sim-emulator/core/card.h"

#define STORY_TEXT_MAX 16384 // of one exchange
#define STORY_STATE_MAX 768
#define STORY_SESSIONS 24 // of 8 times CK, IK and Kc

// Of one card.
struct story {
    // private
    struct sms_joiner to_card;
    struct sms_joiner from_card;
    struct secured_command command; // the last one: its answer is opened by it
    bool has_command;
    enum remote_format format;            // of its script, if it was one of remote management
    uint8_t sessions[STORY_SESSIONS][32]; // the keys of TUAK may have 256 bits
    uint8_t session_lens[STORY_SESSIONS];
    uint8_t session_next; // is overwritten next
    char state[STORY_STATE_MAX];
    uint8_t packet[SMS_PACKET_MAX]; // deciphered
};

void story_init(struct story *story);
// The octets as they may be shown: CARD_RESPONSE_MAX and more of room in each. Before story_tell().
void story_blank(struct story *story, const struct card_seen *seen, struct writer *command,
                 struct writer *response);
// Lines with a line feed each, for octets that were blanked. `at` is the time they begin with.
void story_tell(struct story *story, const struct card_seen *blanked, struct instant at,
                struct writer *w);

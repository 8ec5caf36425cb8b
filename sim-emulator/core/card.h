// A card: its memory, its files, authentication, and the subscription management applet, behind
// command APDUs [102.221, 31.102, 102.223; class A0: 51.011].
//
// card_exchange() takes whole APDUs and gives the answer with its status word, as T=1 or a host in
// the same process wants it. card_t0_exchange() puts the T=0 answers in front: 61 xx (class A0: 9F
// xx), or a warning, and GET RESPONSE; 6C xx.
//
// Promises: a command is answered after its effect is in the memory; what is stored is whole after
// a power cut at any octet; when the power goes in a write the card is mute until card_reset();
// nothing is asked of the terminal before TERMINAL PROFILE; 91 xx says exactly when a proactive
// command waits.
// Never: allocates, keeps a pointer to a command, shows a key or a PIN.
#pragma once

#include "applet/applet.h"
#include "common/wire/apdu.h"
#include "sim-emulator/core/product.h"
#include "sim-emulator/core/uicc/files.h"
#include "sim-emulator/core/usim.h"

#define CARD_RESPONSE_MAX 256
#define CARD_ATR_MAX 33
#define CARD_CHANNELS 4

// How the memory is divided. One more whenever it is divided, or a part of it written, another way:
// programs that keep memories refuse those of another version.
#define CARD_MEMORY_VERSION 7
// One array of sequence numbers per slot, because a slot's subscription
// keeps its own.
#define APPLET_SLOTS COMMAND_SLOTS_MAX
#define CARD_SQN_AT 0
#define CARD_STORE_AT ((APPLET_SLOTS * USIM_NVM_LEN + 1023) / 1024 * 1024)
#define CARD_APPLET_AT (CARD_STORE_AT + UICC_STORE_LEN)
#define CARD_APPLET_LEN 8192
#define CARD_ANSWER_AT (CARD_APPLET_AT + CARD_APPLET_LEN)

// Long messages under way to cards: the applet's memory for joining them, lent from here.
#define CARD_JOINERS 16
// Files that a script wrote to, and how the terminal is to be told.
#define CARD_CHANGES_MAX 120 // octets of the list
struct card_changes {
    uint8_t mode;        // enum cat_refresh_mode, or TARGET_NO_REFRESH
    uint8_t application; // folder that 7FFF means, or UICC_MF
    bool is_more;        // than the list has room for
    uint8_t len;
    uint8_t list[CARD_CHANGES_MAX]; // as of the toolkit: their number, then paths from 3F00
};

// And answers of remote management on their way to the server, and what a tester has the card ask.
#define CARD_OUTBOXES 16
#define CARD_GIVEN_MAX 255
enum card_outgoing {
    OUTGOING_MESSAGE, // a part of the packet
    OUTGOING_REFRESH,
    OUTGOING_GIVEN,
};
struct card_outbox {
    // private
    uint8_t given[CARD_GIVEN_MAX]; // card_give()
    uint8_t given_len;             // 0: none
    uint8_t out;                   // enum card_outgoing: what the terminal has
    struct card_changes changes;   // REFRESH is due for them; `mode` TARGET_NO_REFRESH: not
    uint8_t refresh_tries;
    uint8_t refresh_wait; // STATUS commands until it is given again
    uint8_t packet[SMS_PACKET_MAX];
    uint16_t len; // 0: there is none
    uint8_t part; // the next one, from 0
    uint8_t part_count;
    uint8_t reference;
    uint8_t tries; // of this part
    // The terminal still has a part of a former answer: what it says next is not of this one.
    bool is_former_out;
};

struct card;

// A command that was answered, or with an empty command a reset, whose answer is the ATR; views
// that are good during the call.
struct card_seen {
    struct card *card;
    struct bytes command;
    struct bytes response;
    uint16_t sw;
};

// What all cards of one thread share.
struct card_shop {
    const struct cipher *cipher;
    const struct card_product *product; // NULL: card_product_standard
    struct nvm_pool pool;
    struct applet_work work;
    struct sms_joiner joiners[CARD_JOINERS];
    const void *joiner_owner[CARD_JOINERS]; // NULL = free
    struct card_outbox outboxes[CARD_OUTBOXES];
    const void *outbox_owner[CARD_OUTBOXES]; // NULL = free
    // For what the applet wants at random; `random_context` is given to it.
    uint32_t (*random)(void *random_context);
    void *random_context;
    bool is_talkative; // cards send unsecured error answers
    // Called after each reset and each command of card_exchange(); `sw` may be CARD_MUTE. Must not
    // call a card. May be NULL.
    void (*seen)(void *seen_context, const struct card_seen *seen);
    void *seen_context;
};

// A logical channel [102.221 §8.7].
struct card_channel {
    bool is_open;
    uint8_t application; // folder that "current ADF" means, or UICC_MF
    uint8_t folder;      // current
    uint8_t record;      // of the record pointer, 0 = not set
    uint16_t file;       // current EF, or UICC_NO_FILE
};

// Who gave the proactive command that the terminal has now.
enum card_session {
    SESSION_NONE,
    SESSION_APPLET,
    SESSION_REMOTE,
};

// How a key set listens: after too many wrong packets it is deaf for so many STATUS commands.
struct card_hearing {
    uint8_t failures : 5;
    uint8_t doublings : 3;
    uint8_t deaf_status;
};

// Remote management of files, until the next reset.
struct card_remote {
    bool is_started;        // TERMINAL PROFILE came
    bool can_send;          // the terminal does SEND SHORT MESSAGE
    bool can_refresh;       // and REFRESH
    uint8_t session;        // enum card_session
    uint8_t session_status; // STATUS commands since it began
    struct card_hearing hearing[PRODUCT_KEY_SETS_MAX];
    // The last first part of a long packet, and whether it is for us.
    bool is_route_ours;
    uint8_t route_total; // 0 = none
    uint16_t route_reference;
    uint8_t parts_status; // parts of long packets are kept for so many STATUS commands
};

struct card {
    struct card_shop *shop;
    const struct applet_factory *factory; // outlives the card
    struct nvm nvm;
    struct applet applet;
    // private
    bool is_powered;
    bool is_plain; // uicc_files
    uint8_t slot_index;
    uint8_t applet_page;
    uint16_t applet_len;
    uint8_t owner[COMMAND_IMSI_SIZE]; // the enabled subscription
    struct uicc_pins pins;
    uint32_t generation; // that the next two belong to
    struct uicc_overrides overrides;
    struct card_channel channels[CARD_CHANNELS];
    struct card_remote remote;
};

// A card as it leaves the factory: an empty memory. The applet finds its first state at the first
// reset.
void card_init(struct card *card, struct card_shop *shop, const struct applet_factory *factory);
// Less memory for the applet than CARD_APPLET_LEN octets, or one that is written in pages of so
// many; before the first reset.
void card_limit(struct card *card, uint16_t applet_len, uint8_t page);
// Gives its memory back.
void card_release(struct card *card);
// Power and reset; writes the answer to reset.
void card_reset(struct card *card, struct writer *atr);
void card_power_off(struct card *card);
// The answer to reset, without one: what a reader knows of a card that is there.
void card_atr(const struct card *card, struct writer *atr);

// Nothing but the passing of time would come of STATUS and of the applet's tick, and nobody watches
// the exchange of octets: applet_rest_status() and applet_rest_ticks() may take its place.
bool card_is_at_rest(const struct card *card);

// No status word: the card has no power, or lost it in this command.
#define CARD_MUTE 0
// One command APDU. `response` gets at most CARD_RESPONSE_MAX octets. The status word, or
// CARD_MUTE.
uint16_t card_exchange(struct card *card, struct bytes command, struct writer *response) MUST_USE;

enum card_give {
    CARD_GIVEN = 0,
    CARD_GIVE_NONSENSE, // no proactive command [102.223 §6.6], or more than CARD_GIVEN_MAX octets
    CARD_GIVE_BUSY,     // another one waits, or too many cards have something to give
};
// Has the card give this proactive command as it is, from the tag D0 on, once nothing of its own
// waits and the terminal told its profile. For tests of terminals; a reset drops it.
enum card_give card_give(struct card *card, struct bytes command) MUST_USE;

// T=0 in front of it [102.221 §7.3.1.1]: what waits for GET RESPONSE.
struct card_t0 {
    uint8_t octets[CARD_RESPONSE_MAX];
    size_t len;
    uint8_t channel; // they are of
    uint16_t sw;     // that comes with the octets
};
uint16_t card_t0_exchange(struct card *card, struct card_t0 *t0, struct bytes command,
                          struct writer *response) MUST_USE;

// The applet's port for this card; good until the next card of the shop is used.
struct applet_port card_port(struct card *card);
// The enabled subscription, keys included; see applet.h.
bool card_subscription(struct card *card, struct applet_subscription *out) MUST_USE;
// The files, for looking at the card; `port` is its card_port().
struct uicc_files card_files(struct card *card, const struct applet_port *port);

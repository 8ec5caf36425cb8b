// What the platform brings to the applet: a real card its flash and coprocessor, an emulator an
// array and OpenSSL. One port serves one card at a time; whoever runs many cards on one thread
// keeps one port and one workspace, and exchanges `context` and `factory` between calls.
//
// NVM: `nvm_size` octets, all FF or all 00 at first: a new card is recognised by it. The applet
// needs applet_nvm_size() or more; it divides what it gets. A write of several octets may be torn
// by a power cut at any octet, and an octet that was being written may then hold anything. On
// platforms that write whole pages, `nvm_page` is the page; marker, check and content of a bank
// then stand in pages of their own. Both functions answer false for an error of the memory.
#pragma once

#include "applet/image.h"
#include "common/wire/cipher.h"
#include "common/wire/sms.h"

// A template: what a DOWNLOAD may leave out. The file values that belong to it are the card
// operating system's (profiles/), found by number.
struct applet_template {
    uint8_t number; // 1 to 255; one number is one template in one version
    uint8_t version;
    char name[17];
    uint8_t hash[CIPHER_SHA256_SIZE];
    uint8_t role;
    uint8_t rank;
    uint8_t marks;
    uint8_t mnc_length;
    struct dialling smsc;
    // Contents of the files EF.PLMNwAcT, EF.OPLMNwAcT and EF.HPLMNwAcT; empty: unchanged.
    struct bytes plmn_lists[3];
};

// The write-once area: what the card was made with.
struct applet_factory {
    uint8_t card_iccid[COMMAND_ICCID_SIZE];
    uint8_t version[3]; // of the applet, as the card tells it: major, minor, patch
    uint8_t level;      // protocol level, 1 or 2
    uint8_t slot_count; // 2 to 16
    uint32_t tar;       // of the applet; its own messages carry this plus 1
    struct dialling server_address;
    uint8_t key_version; // 1 to 15
    struct secret_key kic;
    struct secret_key kid;
    struct secret_key kik;
    uint8_t template_count; // at most COMMAND_TEMPLATES_MAX
    const struct applet_template *templates;
    // Installed subscriptions, exactly one ENABLED, exactly one fallback.
    uint8_t subscription_count;
    const struct slot *subscriptions;
};

#define APPLET_SIZE_MAX 512    // of struct applet
#define APPLET_PACKET_MAX 512  // three SMS of packet, with its padding
#define APPLET_COMMAND_MAX 258 // D0 81 LL and 255 octets

// Scratch: nothing in it has to survive a call, so one per thread is enough. What does survive
// spares work when the next call is for the same card; it says whose it is, and is made anew when
// that is not so (memory.h, toolkit.c). Zeros at first.
struct applet_work {
    // The applet whose committed image is in `image`, and the version; NULL: nobody's.
    const struct applet *holder;
    uint32_t holder_number;
    // The proactive command in `made`, and the state of the applet that it was made for.
    const struct applet *maker;
    uint8_t maker_state[APPLET_SIZE_MAX];
    uint8_t made[APPLET_COMMAND_MAX];
    size_t made_len;
    uint16_t made_todo;
    uint8_t made_timer;
    struct image image;
    uint8_t bank[6 + IMAGE_LEN_MAX]; // its octets, behind a head
    uint8_t packet[SMS_PACKET_MAX];
    uint8_t answer[APPLET_PACKET_MAX];
    uint8_t data[APPLET_PACKET_MAX];
};

struct applet_port {
    void *context; // given to every function below
    bool (*nvm_read)(void *context, size_t offset, void *to, size_t len);
    bool (*nvm_write)(void *context, size_t offset, const void *from, size_t len);
    size_t nvm_size;
    size_t nvm_page; // 1 when single octets can be written
    uint32_t (*random)(void *context);
    // Memory to join the parts of a long packet in, which this card keeps until it calls with
    // `wanted` false. Always the same one between. NULL: none to lend; the parts are then dropped.
    struct sms_joiner *(*joiner)(void *context, bool wanted);
    const struct cipher *cipher;
    const struct applet_factory *factory;
    struct applet_work *work;
    bool talkative; // test cards: unsecured error answers instead of silence
};

// The least NVM that holds this many used slots with short numbers, 8 results, 4 notifications and
// default parameters, for a page of `page` octets.
size_t applet_nvm_size(uint8_t slot_count, size_t page);

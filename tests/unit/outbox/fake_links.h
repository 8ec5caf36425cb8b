// Links for tests of the outbox: what it sends is kept as values, what it answers too.
#pragma once

#include "ota-server/service/outbox.h"

#define FAKE_SENT 4096
#define FAKE_ANSWERS 8192
#define FAKE_START 1000000u

struct fake_sent {
    unsigned link;
    uint64_t tag;
    char source[24], destination[24], validity[20];
    uint8_t source_ton, source_npi, destination_ton, destination_npi;
    uint8_t esm_class, protocol_id, data_coding, registered_delivery;
    uint8_t user_data[140];
    size_t user_data_len;
};

struct fake_links {
    size_t room[OUTBOX_LINKS_MAX];
    bool is_down[OUTBOX_LINKS_MAX];
    int64_t speed;        // of the server's time, which is 0 at FAKE_START
    bool refuses_numbers; // an address that no PDU holds
    struct fake_sent sent[FAKE_SENT];
    size_t sent_count;
    struct fake_answer {
        unsigned link;
        uint64_t handle;
        uint32_t status;
    } answers[FAKE_ANSWERS];
    size_t answer_count;
};

extern struct fake_links fake_links;

// An outbox for `links` links with room 10 and a rate that is in nobody's way, at FAKE_START.
struct outbox *fake_outbox(unsigned links);
struct outbox_options fake_options(unsigned links);
// Answers submit_sm number `index` of those sent.
void fake_respond(struct outbox *o, size_t index, uint32_t status, const char *message_id);
// The status that the request with this handle was answered with; FAKE_OPEN when it was not.
#define FAKE_OPEN 0xFFFFFFFFu
uint32_t fake_answer_of(uint64_t handle);
// A turn of the loop at the end: turn, step, and turn again for what the step reported.
void fake_turn_end(struct outbox *o);
// deliver_sm with user data that begin with a header.
void fake_deliver(struct outbox *o, unsigned link, uint64_t handle, const char *number,
                  struct bytes user_data);

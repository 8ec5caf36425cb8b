// A turn and a store for tests of the outbox, instead of the real ones: what is queued runs when
// the test says so, and commits or fails as it says.
#pragma once

#include "ota-server/service/turn.h"

#define FAKE_TASKS 256
#define FAKE_IDS 4096

struct fake_event {
    uint64_t card;
    struct event event;
    char messages[STEP_MESSAGES_SIZE]; // what the SMSC called its parts
};

struct fake_turn {
    size_t room;               // tasks that are taken before it is full
    enum store_status outcome; // of the next commits
    struct turn_route route;   // of every group
    bool cards_are_lost;       // they cannot be read
    const char *plmns[2];      // in which cards of even and odd ids were heard
    turn_heard_fn *heard;      // who is told of the cards' answers
    void *heard_context;
    // what came out of committed turns
    struct fake_event events[FAKE_TASKS];
    size_t event_count;
    struct turn_message messages[FAKE_TASKS];
    size_t message_count;
    // the store
    struct message waiting[FAKE_IDS]; // those in its outbox
    size_t waiting_count;
    struct fake_note {
        uint64_t message;
        uint8_t state;
        uint8_t tries;
    } notes[FAKE_IDS];
    size_t note_count;
    struct fake_id {
        char smsc[16];
        char id[MESSAGE_ID_SIZE];
        uint64_t message;
        uint64_t card, counter;
        uint8_t part;
    } ids[FAKE_IDS];
    size_t id_count;
    struct fake_part {
        char number[NUMBER_TEXT_SIZE];
        uint8_t user_data[140];
        size_t len;
    } parts[FAKE_TASKS];
    size_t part_count;
};

extern struct fake_turn fake;

void fake_reset(void);
// Runs what is queued, as one transaction.
void fake_run(void);
size_t fake_queued(void);

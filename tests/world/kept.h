// What the server answered must be in its database: what a person was told is accepted, and
// messages of cards that the message centre need not bring again. And what can be sent does not
// wait.
#pragma once

#include <stdint.h>

struct world;
struct record;
struct turn_answer;
struct smpp_message;

#define WORLD_ACCEPTED_MAX 256  // the newest wishes for a card that were accepted
#define WORLD_DELIVERIES_MAX 64 // the newest notifications that the server got

// Who asks for something of a card.
struct asker {
    struct world *w;
    uint32_t card;
};

// A notification in one message that the server got and did not answer.
struct delivery {
    uint32_t link;
    uint64_t handle;
    uint32_t card;
    uint64_t mo_counter; // 0: none
};

// A person's wish, as the turn answers it; `context` is a struct asker.
void kept_asked(void *context, const struct turn_answer *answer);
void kept_backup(struct world *w, uint32_t card);
void kept_restored(struct world *w, uint32_t card);
void kept_check(struct world *w, uint32_t card);
// The server gets a message; it answers that it need not come again.
void kept_received(struct world *w, uint32_t link, uint64_t handle, const struct smpp_message *m);
void kept_answered(struct world *w, uint32_t link, uint64_t handle);
// check_progress.c: the record of a card was saved: what could be sent to it? And after each event:
// is it sent soon?
void waits_note(struct world *w, uint32_t card, const struct record *r);
void waits_check(struct world *w);

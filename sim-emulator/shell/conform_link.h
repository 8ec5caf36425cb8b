// Ways to a card that is judged: one of our own in this process, a card that speaks vpcd's protocol
// over TCP (this side is vpcd's), or one in a PC/SC reader. All of them wait for the answer.
#pragma once

#include "common/base/bytes.h"

#define CONFORM_RESPONSE_MAX 258 // octets and status word

struct conform_link {
    void *context;
    // Power or reset; writes the ATR. False: there is no card.
    bool (*reset)(void *context, struct writer *atr);
    // One TPDU; writes the answer with its status word. False: no answer.
    bool (*exchange)(void *context, struct bytes command, struct writer *response);
    void (*close)(void *context);
};

#define CONFORM_ERROR_SIZE 256
struct card;
// The card stays the caller's, powered or not.
struct conform_link conform_link_own(struct card *card);
// Connects to a card that listens, or listens for one that connects; the latter waits for it, and
// calls `listening` with its address when it does.
bool conform_link_tcp(struct conform_link *link, const char *address, bool listens,
                      void (*listening)(const char *address),
                      char error[CONFORM_ERROR_SIZE]) MUST_USE;
// The reader whose name begins so.
bool conform_link_pcsc(struct conform_link *link, const char *reader,
                       char error[CONFORM_ERROR_SIZE]) MUST_USE;

// A store and a turn with four cards, in a folder of their own, on the faulty disk: what the tests
// of faults begin with. One for the process.
#pragma once

#include "tests/unit/server/faulty_disk.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"

#define CARDS 4

extern struct world world;
extern struct store *store;
extern struct turn *turn;
extern char path[96]; // of the database
extern char copy[96]; // for one of it
extern struct turn_answer answered;
extern enum store_status done_status;
extern unsigned done_count;
extern unsigned sent_count;

int fault_lab_open(void **state);
int fault_lab_close(void **state);

void note_sent(void *context, const struct message *m);
void note_answer(void *context, const struct turn_answer *a);
void note_done(void *context, enum store_status status);
void open_server(turn_send_fn *send, void *context);
// The same without more; the turn too is there only when the store opened. NULL: it did not.
struct store *fault_lab_try(void);
void close_server(void);
// Closes, opens and starts it again.
void reopen(void);
// Asks for an operation of the card, whose id comes back; note_answer() hears the answer.
uint64_t ask(uint64_t card);
uint64_t ask_for(uint64_t card, struct utc not_before);
// Octets that no card sent: kept as a stray, and acknowledged only when they are.
void hear_a_stray(turn_done_fn *done, void *context);
// One turn, 20 ms later.
enum turn_status run(void);
bool is_stored(uint64_t id);
// The trail is whole.
void assert_whole(void);

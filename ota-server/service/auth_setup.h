// The token of a first start, with which the first person is entered. There is no default password.
//
// Promises: it serves once; only its SHA-256 is kept; once somebody is entered there is none.
#pragma once

#include "ota-server/service/auth_client.h"

// At each start, outside a transaction: a fresh token if nobody was entered yet. `is_open` says so.
enum store_status auth_setup_begin(struct store *writer, const uint8_t entropy[32],
                                   char token[AUTH_TOKEN_SIZE], bool *is_open) MUST_USE;
bool auth_setup_fits(struct store *s, struct bytes token);
bool auth_setup_is_open(struct store *s);
// False as long as neither a person nor a client was ever entered, or the store cannot say.
bool auth_is_in_use(struct store *s);
enum store_status auth_setup_close(struct store *s) MUST_USE;

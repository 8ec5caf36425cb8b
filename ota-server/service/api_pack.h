// Rule packs: what a pool's subscriptions have to keep to. Where one is anywhere in reach, which
// pool a card's subscriptions come from is for two people. Internal.
#pragma once

#include "ota-server/service/api_exchange.h"

#define API_PACK_SIZE 32

// What is followed: another name would be believed to be. Ended by NULL; the first is none.
extern const char *const api_pack_names[];
// Of a name, "" or one that nobody knows being the first.
int api_pack_index(const char *name);
// That of a pool; STORE_NONE: there is no such pool.
enum store_status api_pack_of(struct api_exchange *x, uint64_t pool, int *index) MUST_USE;
// Has any pool one from which cards of that enterprise may get subscriptions, or, of the operator,
// one whose enterprise's cards may get the operator's?
enum store_status api_packs_in_reach(struct api_exchange *x, uint64_t owner, bool *is) MUST_USE;

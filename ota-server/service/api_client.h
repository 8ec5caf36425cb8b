// API clients: asked for by one person, approved by another, with secrets that are shown once.
// Here: as bodies describe them, and who may give them what. Internal.
#pragma once

#include "ota-server/service/api_exchange.h"

#define CLIENT_PER_SECOND 50 // requests, unless the operator gives more
#define CLIENT_BURST 100

extern const char *const api_client_mechanisms[]; // by bit of CLIENT_BY_...; ended by NULL

// Takes what the body names over; x->body has the first fault. With API_REQUIRED what a new client
// needs must be there.
void api_client_read(struct api_exchange *x, struct auth_client *c, enum api_need need);
// Has the caller all scopes of the client? A way in as it is all that it may do. False: refused.
bool api_client_reach(struct api_exchange *x, const struct auth_client *c);
// What a client may use up is agreed with the operator, who alone gives more. False: refused.
bool api_client_contract(struct api_exchange *x, const struct auth_client *then,
                         const struct auth_client *now);
// Is there a certificate for its tokens to be bound to? False: refused.
bool api_client_binds(struct api_exchange *x, const struct auth_client *c);
// Would what was approved no longer be what there is?
bool api_client_is_wider(const struct auth_client *then, const struct auth_client *now);

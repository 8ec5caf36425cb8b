// Addresses of names, asked of the system's name servers over the loop, without waiting
// [libevent, evdns]. /etc/hosts counts; nothing else of the system's name services does.
//
// Never: keeps an answer, or gives some of the addresses only.
#pragma once

#include "common/host/ip.h"
#include "common/host/loop.h"

#define DNS_ADDRESSES_MAX 16

struct dns;
struct dns_query;

// `server` is a name server, ADDRESS:PORT, in place of the system's; NULL: those. NULL when the
// system refuses, or `server` is no address. Without any name server each query fails.
struct dns *dns_open(struct loop *loop, const char *server);
// No query may be open.
void dns_close(struct dns *dns);

// `count` 0: there is none, or nobody told; more than DNS_ADDRESSES_MAX are none, too.
typedef void dns_done_fn(void *context, const struct ip *addresses, size_t count);
// `done` is called once, in a later turn or in this call; NULL when there is no memory, or after
// `done` was called. An open query is good until `done`, or dns_forget().
struct dns_query *dns_look(struct dns *dns, const char *name, dns_done_fn *done, void *context);
void dns_forget(struct dns_query *query);

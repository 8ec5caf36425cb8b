// The SMSC on the network: a listener, its connections, and one turn of the loop for all of them.
#pragma once

#include "common/host/log.h"
#include "common/host/loop.h"
#include "common/host/net.h"
#include "smpp/core/smsc.h"
#include "smpp/shell/pcap.h"
#include "smpp/shell/settings.h"

struct links; // holds the SMSC

// Takes all memory that will ever be needed. NULL, with a reason, when there is not enough of it or
// the address cannot be listened on.
struct links *links_open(struct loop *loop, const struct settings *settings, struct log *log,
                         FILE *pcap, char error[SETTINGS_ERROR_SIZE]) MUST_USE;
void links_close(struct links *l);
// Asks every peer to unbind; the loop can stop when links_count() is 0.
void links_unbind_all(struct links *l);
size_t links_count(const struct links *l);
// Where it listens, as text.
void links_address(const struct links *l, char text[NET_ADDRESS_TEXT_SIZE]);
// The same of the listener with TLS; false: there is none.
bool links_tls_address(const struct links *l, char text[NET_ADDRESS_TEXT_SIZE]);
// For the control interface.
struct smsc *links_smsc(struct links *l);
const struct settings *links_settings(const struct links *l);
